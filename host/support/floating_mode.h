/* The processor's floating-point mode: other libraries of a process change it, and threads inherit it. */
#ifndef TANDA_SUPPORT_FLOATING_MODE_H
#define TANDA_SUPPORT_FLOATING_MODE_H

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* Rounding to nearest, no flushing of subnormals (coding rule 10). Returns the mode to go back to. */
static inline unsigned enter_exact_mode(void) {
#if defined(__SSE__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(0x1f80);
    return before;
#else
    return 0;
#endif
}

static inline void leave_exact_mode(unsigned before) {
#if defined(__SSE__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

#endif
