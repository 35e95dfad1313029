#include "train/curves.h"

#include <stdlib.h>

#include "support/memory.h"

void curve_free(curve *curve) {
    free(curve->x);
    free(curve->y);
    *curve = (struct curve){0};
}

static tanda_status curve_create(size_t points, curve *made, tanda_error *error) {
    *made = (curve){0};
    tanda_status status = allocate(&made->x, points, sizeof *made->x, "a curve", error);
    if (status == TANDA_OK) status = allocate(&made->y, points, sizeof *made->y, "a curve", error);
    if (status != TANDA_OK) curve_free(made);
    return status;
}

static void put_point(curve *curve, double x, double y) {
    curve->x[curve->count] = x;
    curve->y[curve->count++] = y;
}

/* What a sorted ranking holds: its different scores, and its rows of both kinds. */
typedef struct ranked_counts {
    size_t scores, positives, negatives;
} ranked_counts;

static ranked_counts count_ranking(const ranking *ranking) {
    ranked_counts counts = {0};
    for (size_t place = 0; place < ranking->rows; counts.scores++) {
        const ranked_score equal = ranking_next(ranking, &place);
        counts.positives += equal.positives;
        counts.negatives += equal.negatives;
    }
    return counts;
}

tanda_status curve_roc(const ranking *ranking, curve *made, tanda_error *error) {
    const ranked_counts all = count_ranking(ranking);
    size_t positives = 0, negatives = 0;
    *made = (curve){0};
    if (all.positives == 0 || all.negatives == 0) return TANDA_OK;
    const tanda_status status = curve_create(all.scores + 1, made, error);
    if (status != TANDA_OK) return status;
    put_point(made, 0.0, 0.0);
    for (size_t place = ranking->rows; place > 0;) {
        const ranked_score equal = ranking_next_down(ranking, &place);
        positives += equal.positives;
        negatives += equal.negatives;
        put_point(made, (double)negatives / (double)all.negatives, (double)positives / (double)all.positives);
    }
    return TANDA_OK;
}

tanda_status curve_precision_recall(const ranking *ranking, curve *made, tanda_error *error) {
    const ranked_counts all = count_ranking(ranking);
    size_t positives = all.positives, said = ranking->rows;
    *made = (curve){0};
    if (all.positives == 0) return TANDA_OK;
    const tanda_status status = curve_create(all.scores + 1, made, error);
    if (status != TANDA_OK) return status;
    for (size_t place = 0; place < ranking->rows;) {
        const double precision = (double)positives / (double)said;
        put_point(made, (double)positives / (double)all.positives, precision);
        const ranked_score equal = ranking_next(ranking, &place);
        positives -= equal.positives;
        said -= equal.positives + equal.negatives;
    }
    put_point(made, 0.0, 1.0);
    return TANDA_OK;
}

/* The first bin whose upper edge is not below the score. Edges are rounded as NumPy's linspace rounds them. */
static size_t bin_of(double score, size_t bins) {
    const double width = 1.0 / (double)bins;
    size_t bin = 0;
    while (bin + 1 < bins && score > (double)(bin + 1) * width)
        bin++;
    return bin;
}

tanda_status curve_calibration(const float *scores, size_t stride, const int32_t *classes, int32_t positive,
                               size_t rows, size_t bins, curve *made, tanda_error *error) {
    size_t *counts = NULL, *positives = NULL;
    tanda_status status = curve_create(bins, made, error);
    if (status == TANDA_OK) status = allocate(&counts, bins, sizeof *counts, "bins", error);
    if (status == TANDA_OK) status = allocate(&positives, bins, sizeof *positives, "bins", error);
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        const double score = (double)scores[row * stride];
        const size_t bin = bin_of(score, bins);
        counts[bin]++;
        positives[bin] += classes[row] == positive;
        made->x[bin] += score;
    }
    for (size_t bin = 0; status == TANDA_OK && bin < bins; bin++)
        if (counts[bin] > 0)
            put_point(made, made->x[bin] / (double)counts[bin], (double)positives[bin] / (double)counts[bin]);
    if (status != TANDA_OK) curve_free(made);
    free(counts);
    free(positives);
    return status;
}
