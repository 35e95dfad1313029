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

/* False when a side of found->value lies outside its bound, as NaN does, which *found then tells. */
static bool check_element(figures *figures, const expectation *expectation, size_t row, size_t column,
                          mismatch *found) {
    const size_t place = row * expectation->row_step + column * expectation->column_step;
    const double expected = expectation->value[place];
    for (int side = 0; side < SIDE_COUNT; side++) {
        const double difference = fabs((double)found->value[side] - expected),
                     bound = expectation->bound[side][place];
        if (bound * figures->observed < figures->bound * difference || figures->observed == 0.0) {
            figures->observed = difference;
            figures->bound = bound;
        }
        if (difference <= bound) continue;
        found->expected = expected;
        found->bound = bound;
        found->difference = difference;
        found->side = side;
        return false;
    }
    return true;
}

bool compare_values(figures *figures, const expectation *expected, const float *a, const float *b,
                    size_t count, size_t columns, mismatch *first) {
    bool is_right = true;
    figures->compared += count;
    if (expected == NULL && memcmp(a, b, count * sizeof *a) == 0) return true;
    for (size_t i = 0, row = 0; i < count; row++)
        for (size_t column = 0; column < columns; column++, i++) {
            const bool same = same_bits(a[i], b[i]);
            mismatch found = {.value = {a[i], b[i]}, .side = SIDE_B};
            figures->squared_value += (double)b[i] * (double)b[i];
            if (!same) add_difference(figures, a[i], b[i]);
            const bool fits = expected == NULL ? same : check_element(figures, expected, row, column, &found);
            if (fits || !is_right) continue;
            *first = found;
            first->row = row;
            first->column = column;
            is_right = false;
        }
    return is_right;
}

double normalised_error(const figures *figures) {
    return figures->different == 0 ? 0.0 : figures->squared_difference / figures->squared_value;
}

double smallest_margin(const figures *figures) {
    return figures->observed == 0.0 ? INFINITY : figures->bound / figures->observed;
}
