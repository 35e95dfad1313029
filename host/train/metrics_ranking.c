/* The areas under curves by ranks, and the logarithm of the log loss: what metrics.c needs of arithmetic. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/prediction_text.h"
#include "support/memory.h"
#include "train/metrics.h"

#define DIGIT_BITS 8
#define DIGITS (1 << DIGIT_BITS)

tanda_status ranking_create(size_t rows, ranking *made, tanda_error *error) {
    ranking result = {.rows = rows};
    tanda_status status = allocate(&result.entries, rows, sizeof *result.entries, "scores", error);
    if (status == TANDA_OK) status = allocate(&result.other, rows, sizeof *result.other, "scores", error);
    if (status != TANDA_OK) {
        ranking_free(&result);
        return status;
    }
    *made = result;
    return TANDA_OK;
}

void ranking_free(ranking *ranking) {
    free(ranking->entries);
    free(ranking->other);
}

/* Finite floats in their order as integers: -0 is 0. */
static uint32_t order_of(float score) {
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    if (score == 0.0f) bits = 0;
    return bits >> 31 != 0 ? ~bits : bits | UINT32_C(1) << 31;
}

/* Sorts entries by the 32 bits above the lowest `shift`, from the low digit to the high one. */
static void sort_entries(ranking *ranking, unsigned shift) {
    for (unsigned end = shift + 32; shift < end; shift += DIGIT_BITS) {
        size_t starts[DIGITS + 1] = {0};
        for (size_t i = 0; i < ranking->rows; i++)
            starts[(ranking->entries[i] >> shift) % DIGITS + 1]++;
        for (size_t digit = 0; digit < DIGITS; digit++)
            starts[digit + 1] += starts[digit];
        for (size_t i = 0; i < ranking->rows; i++)
            ranking->other[starts[(ranking->entries[i] >> shift) % DIGITS]++] = ranking->entries[i];
        uint64_t *sorted = ranking->other;
        ranking->other = ranking->entries;
        ranking->entries = sorted;
    }
}

void ranking_sort(ranking *ranking, const float *scores, size_t stride, const int32_t *classes,
                  int32_t positive) {
    for (size_t row = 0; row < ranking->rows; row++)
        ranking->entries[row] =
            (uint64_t)order_of(scores[row * stride]) << 1 | (uint64_t)(classes[row] == positive);
    sort_entries(ranking, 1);
}

static float score_of(uint64_t entry) {
    const uint32_t order = (uint32_t)(entry >> 1);
    const uint32_t bits = order >> 31 != 0 ? order & ~(UINT32_C(1) << 31) : ~order;
    float score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static void count_entry(uint64_t entry, ranked_score *score) {
    score->positives += entry & 1;
    score->negatives += ~entry & 1;
}

ranked_score ranking_next(const ranking *ranking, size_t *place) {
    const uint64_t first = ranking->entries[*place];
    ranked_score score = {.score = score_of(first)};
    for (; *place < ranking->rows && ranking->entries[*place] >> 1 == first >> 1; (*place)++)
        count_entry(ranking->entries[*place], &score);
    return score;
}

ranked_score ranking_next_down(const ranking *ranking, size_t *place) {
    const uint64_t first = ranking->entries[*place - 1];
    ranked_score score = {.score = score_of(first)};
    for (; *place > 0 && ranking->entries[*place - 1] >> 1 == first >> 1; (*place)--)
        count_entry(ranking->entries[*place - 1], &score);
    return score;
}

double roc_auc(const ranking *ranking) {
    size_t positives = 0, negatives = 0;
    unsigned __int128 wins = 0; /* pairs with the positive one above, twice, as equal scores count half */
    for (size_t place = 0; place < ranking->rows;) {
        const ranked_score equal = ranking_next(ranking, &place);
        wins += (unsigned __int128)equal.positives * (2 * (unsigned __int128)negatives + equal.negatives);
        negatives += equal.negatives;
        positives += equal.positives;
    }
    if (positives == 0 || negatives == 0) return NAN;
    return (double)wins / ((double)positives * (double)negatives) / 2.0;
}

/* The sum of (R_n - R_(n-1)) P_n over the scores from the highest on. */
double average_precision(const ranking *ranking) {
    size_t positives = 0, said = 0;
    double sum = 0.0;
    for (size_t place = ranking->rows; place > 0;) {
        const ranked_score equal = ranking_next_down(ranking, &place);
        positives += equal.positives;
        said += equal.positives + equal.negatives;
        sum = fma((double)equal.positives, (double)positives / (double)said, sum);
    }
    return positives == 0 ? NAN : sum / (double)positives;
}

/* Into its place among those that are found, which are sorted. */
static void put_mistake(const mistake *made, mistake *found, size_t *count, size_t most) {
    size_t place = *count;
    while (place > 0 && found[place - 1].probability < made->probability)
        place--;
    if (place == most) return;
    if (*count < most) (*count)++;
    memmove(found + place + 1, found + place, (*count - place - 1) * sizeof *found);
    found[place] = *made;
}

size_t find_mistakes(const float *probabilities, const int32_t *classes, size_t rows, size_t class_count,
                     mistake *found, size_t most) {
    size_t count = 0;
    for (size_t row = 0; row < rows; row++) {
        const float *at = probabilities + row * class_count;
        const size_t best = best_class(at, class_count);
        const mistake made = {.row = row, .prediction = (int32_t)best, .probability = at[best]};
        if (made.prediction != classes[row]) put_mistake(&made, found, &count, most);
    }
    return count;
}

/*
 * x = 2^k m with m in [sqrt(1/2), sqrt(2)), and log m = 2 artanh s with s = (m - 1) / (m + 1), |s| < 0.1716: eleven
 * terms of the series leave 2e-19 of the first.
 */
double exact_double_log(double x) {
    static const double ln2_high = 0x1.62e42fefa38p-1, ln2_low = 0x1.ef35793c7673p-45; /* high has 42 bits */
    uint64_t bits, one_half_root = UINT64_C(0x3fe6a09e667f3bcd);
    memcpy(&bits, &x, sizeof bits);
    uint64_t exponent = (bits - one_half_root) & UINT64_C(0xfff0000000000000);
    double k = (double)((int64_t)exponent >> 52), m;
    bits -= exponent;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1.0) / (m + 1.0), square = s * s, sum = 1.0 / 23.0;
    for (int odd = 21; odd >= 3; odd -= 2)
        sum = fma(sum, square, 1.0 / odd);
    double twice = s + s;
    double low = fma(twice * square, sum, k * ln2_low);
    return fma(k, ln2_high, twice + low);
}
