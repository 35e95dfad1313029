/* The smaller and the larger of two numbers, their order, and powers of two. */
#ifndef TANDA_SUPPORT_ARITHMETIC_H
#define TANDA_SUPPORT_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

static inline size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* b where one of them is NaN. */
static inline double smaller(double a, double b) {
    return a < b ? a : b;
}
static inline double larger(double a, double b) {
    return a > b ? a : b;
}

static inline int compare_doubles(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Index of a value among `count` ascending ones, or where it belongs. */
static inline size_t find_ascending(const int64_t *values, size_t count, int64_t value) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The largest power of two that is at most `value`; 1 for 0. */
static inline size_t power_of_two_to(size_t value) {
    size_t power = 1;
    while (power <= value / 2)
        power *= 2;
    return power;
}

#endif
