#include "backend/openmp/barrier.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_SPINS 4096u /* some 50 microseconds */
#define MOST_DOUBT 8

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void sleep_until_changed(barrier *barrier, uint32_t generation) {
    __atomic_fetch_add(&barrier->sleepers, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&barrier->generation, __ATOMIC_SEQ_CST) == generation)
        syscall(SYS_futex, &barrier->generation, FUTEX_WAIT_PRIVATE, generation, NULL, NULL, 0);
    __atomic_fetch_sub(&barrier->sleepers, 1, __ATOMIC_SEQ_CST);
}

void barrier_wait(barrier *barrier, uint32_t threads) {
    if (threads == 1) return;
    uint32_t generation = __atomic_load_n(&barrier->generation, __ATOMIC_ACQUIRE);
    if (__atomic_add_fetch(&barrier->arrived, 1, __ATOMIC_ACQ_REL) == threads) {
        __atomic_store_n(&barrier->arrived, 0, __ATOMIC_RELAXED);
        __atomic_fetch_add(&barrier->generation, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&barrier->sleepers, __ATOMIC_SEQ_CST) > 0)
            syscall(SYS_futex, &barrier->generation, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
        return;
    }
    uint32_t doubt = __atomic_load_n(&barrier->doubt, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < MOST_SPINS >> doubt; i++) {
        if (__atomic_load_n(&barrier->generation, __ATOMIC_ACQUIRE) != generation) {
            if (doubt > 0) __atomic_store_n(&barrier->doubt, doubt - 1, __ATOMIC_RELAXED);
            return;
        }
        pause_briefly();
    }
    if (doubt < MOST_DOUBT) __atomic_store_n(&barrier->doubt, doubt + 1, __ATOMIC_RELAXED);
    sleep_until_changed(barrier, generation);
}
