/* The account of a training on the CPU: what its threads' clocks have added up. */
#include "backend/profile.h"

#include <stdlib.h>

#include "backend/openmp/state.h"
#include "support/clock.h"

struct openmp_profile {
    double begin; /* on the host's clock, and at that moment: */
    uint64_t begin_ticks;
    thread_clock clocks[]; /* of each thread */
};

thread_clock *openmp_clocks(const openmp_backend_state *state) {
    return state->profile != NULL ? state->profile->clocks : NULL;
}

tanda_status openmp_profile_begin(backend *backend, tanda_error *error) {
    openmp_backend_state *state = (openmp_backend_state *)backend;
    openmp_profile *made = NULL;
    const tanda_status status =
        allocate(&made, 1, sizeof *made + state->threads * sizeof *made->clocks, "profile", error);
    if (status != TANDA_OK) return status;
    made->begin = seconds_now();
    made->begin_ticks = ticks_now();
    for (size_t i = 0; i < state->threads; i++)
        made->clocks[i].latest = made->begin_ticks;
    state->profile = made;
    return TANDA_OK;
}

static const char *name_of(size_t part) {
    switch (part) {
    case CLOCK_perceptron:
        return "perceptron";
    case CLOCK_tree:
        return "tree";
    case CLOCK_update:
        return "update";
    case CLOCK_results:
        return "results";
    case CLOCK_threads:
        return "for other threads";
    case CLOCK_host:
        return "for the host";
    default:
        return tile_op_name((tile_op)part);
    }
}

/* All threads' time of a part becomes a line. */
static void add_part(const openmp_profile *profile, size_t threads, size_t part, double seconds_of_tick,
                     device_profile *result) {
    const bool waits = part == CLOCK_threads || part == CLOCK_host;
    uint64_t ticks = 0, count = 0;
    for (size_t i = 0; i < threads; i++) {
        ticks += profile->clocks[i].ticks[part];
        count += profile->clocks[i].counts[part];
    }
    if (count == 0) return;
    const size_t at = profile_line_of(result, name_of(part), waits ? PROFILE_WAITS : PROFILE_COMPUTES);
    const double seconds = (double)ticks * seconds_of_tick;
    *(waits ? &result->idle : &result->busy) += seconds;
    result->gaps += waits ? count : 0;
    if (at == SIZE_MAX) return;
    result->lines[at].count = count;
    result->lines[at].seconds = seconds;
}

tanda_status openmp_profile_end(backend *backend, device_profile *result, tanda_error *error) {
    openmp_backend_state *state = (openmp_backend_state *)backend;
    openmp_profile *profile = state->profile;
    (void)error;
    for (size_t i = 0; i < state->threads; i++)
        clock_add(&profile->clocks[i], CLOCK_host);
    const double wall = seconds_now() - profile->begin;
    const double seconds_of_tick = wall / (double)(ticks_now() - profile->begin_ticks);
    *result = (device_profile){.threads = state->threads, .last = wall};
    for (size_t part = 0; part < CLOCK_PARTS; part++)
        add_part(profile, state->threads, part, seconds_of_tick, result);
    profile_finish(result);
    openmp_profile_free(state);
    return TANDA_OK;
}

void openmp_profile_free(openmp_backend_state *state) {
    free(state->profile);
    state->profile = NULL;
}
