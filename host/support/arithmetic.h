/* The smaller and the larger of two numbers, and powers of two. */
#ifndef TANDA_SUPPORT_ARITHMETIC_H
#define TANDA_SUPPORT_ARITHMETIC_H

#include <stddef.h>

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

/* The largest power of two that is at most `value`; 1 for 0. */
static inline size_t power_of_two_to(size_t value) {
    size_t power = 1;
    while (power <= value / 2)
        power *= 2;
    return power;
}

#endif
