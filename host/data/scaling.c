/*
 * The figures must be the same bits everywhere: all sums are of binary64 in a fixed order, and only + - * /
 * and sqrt are used.
 */
#include "data/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/sum_tree.h"
#include "support/floating_mode.h"
#include "support/memory.h"

static const char *const names[] = {
    [TANDA_SCALE_NONE] = "none",
    [TANDA_SCALE_STANDARD] = "standard",
    [TANDA_SCALE_MINMAX] = "minmax",
};

/* All have the population's deviation, and the range from 0 to 1. */
static const synonym synonyms[] = {
    {"standard_scaler", "standard", NULL},
    {"standardize", "standard", NULL},
    {"standardise", "standard", NULL},
    {"normalization", "standard", NULL},
    {"zscore", "standard", NULL},
    {"min_max_scaler", "minmax", NULL},
    {"minmax_scale", "minmax", NULL},
    {"passthrough", "none", NULL},
    {"normalizer", NULL, "scikit-learn's makes each row's length 1; standard and minmax scale columns"},
    {"normalize", NULL, "scikit-learn's makes each row's length 1; standard and minmax scale columns"},
};

const vocabulary scaling_words = WORDS_OF(names, synonyms);

const char *scaling_name(tanda_scale kind) {
    return (size_t)kind < scaling_words.count ? names[kind] : "unknown";
}

bool scaling_from_name(const char *name, tanda_scale *kind) {
    const size_t index = vocabulary_index(&scaling_words, name);
    if (index == scaling_words.count) return false;
    *kind = (tanda_scale)index;
    return true;
}

void scaling_free(scaling *scaling) {
    free(scaling->center);
    free(scaling->factor);
    free(scaling->origin);
    *scaling = (struct scaling){0};
}

size_t scaling_constant_count(const scaling *scaling) {
    size_t count = 0;
    for (size_t i = 0; i < scaling->features; i++)
        count += scaling->factor[i] == 0.0f;
    return count;
}

tanda_status origin_copy(const double *origins, size_t features, double **copy, tanda_error *error) {
    *copy = NULL;
    if (origins == NULL) return TANDA_OK;
    const tanda_status status = allocate(copy, features, sizeof **copy, "origins", error);
    if (status == TANDA_OK) memcpy(*copy, origins, features * sizeof **copy);
    return status;
}

static tanda_status copy_figures(const float *source, const size_t *from, size_t count, float **copy,
                                 tanda_error *error) {
    const tanda_status status = allocate(copy, count, sizeof **copy, "scaling", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        (*copy)[i] = source[from == NULL ? i : from[i]];
    return status;
}

tanda_status scaling_copy(const scaling *source, const size_t *from, scaling *copy, tanda_error *error) {
    scaling made = {.kind = source->kind, .features = source->features};
    tanda_status status = TANDA_OK;
    if (source->kind != TANDA_SCALE_NONE)
        status = copy_figures(source->center, from, source->features, &made.center, error);
    if (status == TANDA_OK && source->kind != TANDA_SCALE_NONE)
        status = copy_figures(source->factor, from, source->features, &made.factor, error);
    if (status == TANDA_OK) status = origin_copy(source->origin, source->features, &made.origin, error);
    for (size_t i = 0; status == TANDA_OK && made.origin != NULL && from != NULL && i < source->features; i++)
        made.origin[i] = source->origin[from[i]];
    if (status == TANDA_OK)
        *copy = made;
    else
        scaling_free(&made);
    return status;
}

/* Sums of x, or of (x - mean)^2 where there is a mean, per feature. */
static const double *column_sums(sum_tree *tree, const float *values, size_t rows, const double *mean) {
    size_t features = tree->features;
    for (size_t first = 0; first < rows; first += SUM_CHUNK_ROWS) {
        size_t last = rows - first < SUM_CHUNK_ROWS ? rows : first + SUM_CHUNK_ROWS;
        double *sums = tree_top(tree);
        for (const float *row = values + first * features; row < values + last * features; row += features) {
            for (size_t i = 0; i < features; i++) {
                double term = row[i];
                if (mean != NULL) {
                    double distance = term - mean[i];
                    term = distance * distance;
                }
                sums[i] += term;
            }
        }
        tree_push(tree);
    }
    return tree_sum(tree);
}

/*
 * One feature's center and 1 / spread. A constant column gets factor 0: nothing is known of how it matters, so no value
 * of it may decide a prediction.
 */
static tanda_status set_feature(scaling *result, size_t feature, float low, float high, double center,
                                double spread, tanda_error *error) {
    bool constant = low == high;
    float middle = constant ? low : (float)center;
    float factor = constant ? 0.0f : (float)(1.0 / spread);
    if (!isfinite(factor))
        return fail(error, TANDA_BAD_INPUT,
                    "--scale %s: feature %zu (from 0) varies by only %.3g, which binary32 cannot scale; use "
                    "--scale none "
                    "or leave it out",
                    scaling_name(result->kind), feature, spread);
    result->center[feature] = middle == 0.0f ? 0.0f : middle;
    result->factor[feature] = factor;
    return TANDA_OK;
}

tanda_status column_moments(const float *values, size_t rows, size_t columns, double *mean, double *deviation,
                            tanda_error *error) {
    sum_tree tree = {0};
    const tanda_status status = tree_make(&tree, rows, columns, error);
    if (status != TANDA_OK) return status;
    const double *sums = column_sums(&tree, values, rows, NULL);
    for (size_t i = 0; i < columns; i++)
        mean[i] = sums[i] / (double)rows;
    const double *squares = column_sums(&tree, values, rows, mean);
    for (size_t i = 0; i < columns; i++)
        deviation[i] = sqrt(squares[i] / (double)rows);
    free(tree.stack);
    return TANDA_OK;
}

tanda_status scaling_fit(tanda_scale kind, const float *values, size_t rows, size_t features, scaling *result,
                         tanda_error *error) {
    if (kind == TANDA_SCALE_NONE || rows == 0) {
        *result = (scaling){.kind = TANDA_SCALE_NONE};
        return TANDA_OK;
    }
    const unsigned mode = enter_exact_mode();
    scaling made = {.kind = kind, .features = features};
    float *low = NULL, *high = NULL;
    double *mean = NULL, *deviation = NULL;
    tanda_status status = allocate(&made.center, features, sizeof(float), "scaling", error);
    if (status == TANDA_OK) status = allocate(&made.factor, features, sizeof(float), "scaling", error);
    if (status == TANDA_OK) status = allocate(&low, features, sizeof(float), "scaling", error);
    if (status == TANDA_OK) status = allocate(&high, features, sizeof(float), "scaling", error);
    if (status == TANDA_OK) status = allocate(&mean, features, sizeof *mean, "means", error);
    if (status == TANDA_OK) status = allocate(&deviation, features, sizeof *deviation, "deviations", error);
    if (status == TANDA_OK && kind == TANDA_SCALE_STANDARD)
        status = column_moments(values, rows, features, mean, deviation, error);
    if (status == TANDA_OK) memcpy(low, values, features * sizeof *low);
    if (status == TANDA_OK) memcpy(high, values, features * sizeof *high);
    for (size_t row = 1; status == TANDA_OK && row < rows; row++) {
        for (size_t i = 0; i < features; i++) {
            float value = values[row * features + i];
            low[i] = value < low[i] ? value : low[i];
            high[i] = value > high[i] ? value : high[i];
        }
    }
    for (size_t i = 0; status == TANDA_OK && i < features; i++) {
        const bool is_minmax = kind == TANDA_SCALE_MINMAX;
        const double range = (double)high[i] - (double)low[i];
        status = set_feature(&made, i, low[i], high[i], is_minmax ? (double)low[i] : mean[i],
                             is_minmax ? range : deviation[i], error);
    }
    leave_exact_mode(mode);
    free(low);
    free(high);
    free(mean);
    free(deviation);
    if (status == TANDA_OK)
        *result = made;
    else
        scaling_free(&made);
    return status;
}

tanda_status scaling_take_origins(scaling *scaling, const double *origins, size_t features,
                                  tanda_error *error) {
    if (origins != NULL && scaling->kind == TANDA_SCALE_NONE)
        return fail(error, TANDA_USAGE,
                    "rows that are distances from origins go with a scaling; read them without keep_origins");
    return origin_copy(origins, features, &scaling->origin, error);
}

void target_scaling_free(target_scaling *scaling) {
    free(scaling->mean);
    free(scaling->deviation);
    *scaling = (target_scaling){0};
}

tanda_status target_scaling_fit(const float *targets, size_t rows, size_t count, target_scaling *result,
                                tanda_error *error) {
    target_scaling made = {.targets = count};
    tanda_status status = allocate(&made.mean, count, sizeof *made.mean, "means", error);
    if (status == TANDA_OK)
        status = allocate(&made.deviation, count, sizeof *made.deviation, "deviations", error);
    if (status == TANDA_OK) {
        const unsigned mode = enter_exact_mode();
        status = column_moments(targets, rows, count, made.mean, made.deviation, error);
        leave_exact_mode(mode);
    }
    if (status != TANDA_OK) {
        target_scaling_free(&made);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        if (made.deviation[i] == 0.0) made.deviation[i] = 1.0;
    *result = made;
    return TANDA_OK;
}

/* Rounded once; -0 becomes 0. */
static float rounded(double value) {
    const float nearest = (float)value;
    return nearest == 0.0f ? 0.0f : nearest;
}

void target_scaling_apply(const target_scaling *scaling, const float *targets, size_t rows, float *made) {
    const unsigned mode = enter_exact_mode();
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < scaling->targets; i++, targets++, made++)
            *made = rounded(((double)*targets - scaling->mean[i]) / scaling->deviation[i]);
    leave_exact_mode(mode);
}

void target_scaling_undo(const target_scaling *scaling, size_t rows, float *values) {
    const unsigned mode = enter_exact_mode();
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < scaling->targets; i++, values++)
            *values = rounded(scaling->mean[i] + scaling->deviation[i] * (double)*values);
    leave_exact_mode(mode);
}
