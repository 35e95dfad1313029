#include "verify/compare.h"

#include <math.h>
#include <string.h>

uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Neighbouring numbers get neighbouring integers. */
static int64_t place_of(float value) {
    uint32_t bits = bits_of(value);
    int64_t magnitude = bits & 0x7fffffffu;
    return bits >> 31 ? -magnitude : magnitude;
}

uint32_t ulp_distance(float a, float b) {
    if (isnan(a) || isnan(b)) return isnan(a) && isnan(b) ? 0 : UINT32_MAX;
    int64_t distance = place_of(a) - place_of(b);
    return (uint32_t)(distance < 0 ? -distance : distance);
}

static bool same_bits(float a, float b) {
    return bits_of(a) == bits_of(b) || (isnan(a) && isnan(b));
}

/* max() that lets NaN win, so that a difference from NaN is not lost. */
static double larger(double so_far, double value) {
    return value > so_far || isnan(value) ? value : so_far;
}

static void add_difference(figures *figures, float a, float b) {
    double difference = fabs((double)a - (double)b);
    uint32_t ulp = ulp_distance(a, b);
    figures->different++;
    figures->largest_absolute = larger(figures->largest_absolute, difference);
    if (b != 0.0f)
        figures->largest_relative = larger(figures->largest_relative, difference / fabs((double)b));
    if (ulp > figures->largest_ulp) figures->largest_ulp = ulp;
    figures->squared_difference += difference * difference;
}

/* False when a side lies outside its bound; NaN does. */
static bool check_element(figures *figures, double expected, const double bound[SIDE_COUNT],
                          const float value[SIDE_COUNT], mismatch *found) {
    for (int side = 0; side < SIDE_COUNT; side++) {
        double difference = fabs((double)value[side] - expected);
        if (bound[side] * figures->observed < figures->bound * difference || figures->observed == 0.0) {
            figures->observed = difference;
            figures->bound = bound[side];
        }
        if (difference <= bound[side]) continue;
        *found = (mismatch){.value = {value[SIDE_A], value[SIDE_B]},
                            .expected = expected,
                            .bound = bound[side],
                            .difference = difference,
                            .side = side};
        return false;
    }
    return true;
}

static bool compare_bits(figures *figures, const float *a, const float *b, size_t count, size_t columns,
                         mismatch *first) {
    bool equal = true;
    if (memcmp(a, b, count * sizeof *a) == 0) return true;
    for (size_t i = 0; i < count; i++) {
        figures->squared_value += (double)b[i] * (double)b[i];
        if (same_bits(a[i], b[i])) continue;
        add_difference(figures, a[i], b[i]);
        if (equal)
            *first =
                (mismatch){.row = i / columns, .column = i % columns, .value = {a[i], b[i]}, .side = SIDE_B};
        equal = false;
    }
    return equal;
}

static bool compare_with_bounds(figures *figures, const expectation *expected, const float *a, const float *b,
                                size_t count, size_t columns, mismatch *first) {
    bool within = true;
    for (size_t row = 0; row < count / columns; row++)
        for (size_t column = 0; column < columns; column++) {
            size_t i = row * columns + column,
                   place = row * expected->row_step + column * expected->column_step;
            double bound[SIDE_COUNT] = {expected->bound[SIDE_A][place], expected->bound[SIDE_B][place]};
            float value[SIDE_COUNT] = {a[i], b[i]};
            mismatch found;
            figures->squared_value += (double)b[i] * (double)b[i];
            if (!same_bits(a[i], b[i])) add_difference(figures, a[i], b[i]);
            if (check_element(figures, expected->value[place], bound, value, &found) || !within) continue;
            *first = found;
            first->row = row;
            first->column = column;
            within = false;
        }
    return within;
}

bool compare_values(figures *figures, const expectation *expected, const float *a, const float *b,
                    size_t count, size_t columns, mismatch *first) {
    figures->compared += count;
    return expected == NULL ? compare_bits(figures, a, b, count, columns, first)
                            : compare_with_bounds(figures, expected, a, b, count, columns, first);
}

double normalised_error(const figures *figures) {
    return figures->different == 0 ? 0.0 : figures->squared_difference / figures->squared_value;
}

double smallest_margin(const figures *figures) {
    return figures->observed == 0.0 ? INFINITY : figures->bound / figures->observed;
}
