/* The limits of the CPU: all threads at once, the best of some runs. */
#include <omp.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/openmp/state.h"
#include "support/clock.h"
#include "support/memory.h"

#define RUNS 15
#define BRIEF_RUNS 5
#define READ_SECONDS 1.0 /* after which these are enough */
#define LEAST_BYTES ((size_t)512 << 20)
#define FMA_ROUNDS 400000 /* half a millisecond in the widest vectors */
#define FMA_SECONDS 0.2
#define BRIEF_FMA_SECONDS 0.02
#define EMPTY_REGIONS 20
#define REGION_RUNS 50
#define REGION_SECONDS 0.1 /* where others use the cores, a region takes a time slice */

/* The values to read, kept for the next time: touching them takes longer than reading them. Each thread touches its own. */
static tanda_status make_values(openmp_backend_state *state, tanda_error *error) {
    /* Far more than the last-level cache holds, so that next to nothing is read twice from there. */
    const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    const size_t wanted = cache > 0 ? 5 * (size_t)cache : 0;
    const size_t bytes = round_up(wanted > LEAST_BYTES ? wanted : LEAST_BYTES,
                                  state->threads * FMA_CHAINS * 16 * sizeof(float));
    if (state->limit_values != NULL) return TANDA_OK;
    state->limit_floats = bytes / sizeof(float);
    state->limit_values = allocate_untouched(bytes);
    if (state->limit_values == NULL)
        return fail(error, TANDA_FAILED, "no memory of %zu bytes to read from", bytes);
    const size_t each = state->limit_floats / state->threads;
#pragma omp parallel num_threads((int)state->threads)
    {
        float *mine = state->limit_values + (size_t)omp_get_thread_num() * each;
        for (size_t i = 0; i < each; i++)
            mine[i] = 1.0f;
    }
    return TANDA_OK;
}

static void measure_reading(const openmp_backend_state *state, int runs, device_limits *limits) {
    const size_t each = state->limit_floats / state->threads;
    const double begin = seconds_now();
    double best = 0.0;
    for (int run = 0; run < runs && (run < BRIEF_RUNS || seconds_now() - begin < READ_SECONDS); run++) {
        const double start = seconds_now();
#pragma omp parallel num_threads((int)state->threads)
        {
            const float *mine = state->limit_values + (size_t)omp_get_thread_num() * each;
            const volatile float part = state->functions->read_limit(mine, each);
            (void)part; /* volatile, which keeps the loop alive */
        }
        const double seconds = seconds_now() - start;
        if (run > 0 && (best == 0.0 || seconds < best)) best = seconds;
    }
    limits->read_bandwidth = (double)(state->limit_floats * sizeof(float)) / best;
}

static void measure_products(const openmp_backend_state *state, double seconds, device_limits *limits) {
    const double operations = 2.0 * FMA_ROUNDS * FMA_CHAINS * 16 * (double)state->threads;
    const double begin = seconds_now();
    for (int run = 0; run < 2 || seconds_now() - begin < seconds; run++) {
        const double start = seconds_now();
#pragma omp parallel num_threads((int)state->threads)
        {
            const volatile float part = state->functions->fma_limit(FMA_ROUNDS, 0.999f);
            (void)part;
        }
        const double rate = operations / (seconds_now() - start);
        if (rate > limits->fma_peak) limits->fma_peak = rate;
    }
}

static void measure_regions(const openmp_backend_state *state, device_limits *limits) {
    size_t done = 0;
    const double begin = seconds_now();
    for (int run = 0; run < REGION_RUNS && (run == 0 || seconds_now() - begin < REGION_SECONDS); run++) {
        const double start = seconds_now();
        for (int i = 0; i < EMPTY_REGIONS; i++) {
#pragma omp parallel num_threads((int)state->threads)
            __atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
        }
        const double each = (seconds_now() - start) / EMPTY_REGIONS;
        if (run == 0 || each < limits->launch_seconds) limits->launch_seconds = each;
    }
    limits->queued_seconds = limits->launch_seconds;
}

tanda_status openmp_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error) {
    openmp_backend_state *state = (openmp_backend_state *)backend;
    tanda_status status = make_values(state, error);
    if (status != TANDA_OK) return status;
    measure_reading(state, briefly ? BRIEF_RUNS : RUNS, limits);
    measure_products(state, briefly ? BRIEF_FMA_SECONDS : FMA_SECONDS, limits);
    if (!briefly) measure_regions(state, limits);
    return TANDA_OK;
}
