/* Timing: how often, how long, and what the figures come to. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/parts.h"
#include "support/clock.h"

#define MOST_ROUNDS 4
#define MOST_OTHERS 0.05   /* of all cores */
#define OTHERS_UNSURE 0.03 /* seconds: the kernel counts in ticks of 10 ms */

/* Of this process, all threads. */
static double cpu_seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

typedef struct timing {
    double wall, cpu;
} timing;

static tanda_status time_once(bench_work *work, void *context, size_t count, timing *timing,
                              tanda_error *error) {
    const double cpu = cpu_seconds_now(), wall = seconds_now();
    tanda_status status = work(context, count, error);
    timing->wall = seconds_now() - wall;
    timing->cpu = cpu_seconds_now() - cpu;
    return status;
}

/* Doubles until a run is long enough to tell how many units fill least_seconds: this is the warm-up as well. */
static tanda_status find_count(bench_work *work, void *context, size_t most, double least_seconds,
                               size_t *count, tanda_error *error) {
    timing timing = {0};
    tanda_status status = TANDA_OK;
    for (*count = 1; status == TANDA_OK; *count *= 2) {
        status = time_once(work, context, *count, &timing, error);
        if (timing.wall >= least_seconds / 4.0 || *count > most / 2) break;
    }
    if (status != TANDA_OK) return status;
    const double wanted = least_seconds / (timing.wall / (double)*count + 1e-9);
    *count = wanted < 1.0 ? 1 : wanted > (double)most ? most : (size_t)wanted;
    return TANDA_OK;
}

static int compare_seconds(const void *a, const void *b) {
    const timing *one = a, *other = b;
    return (one->wall > other->wall) - (one->wall < other->wall);
}

static void summarise(bench_result *result) {
    timing sorted[BENCH_MOST_REPETITIONS];
    for (size_t i = 0; i < result->repetitions; i++)
        sorted[i] = (timing){result->seconds[i], result->cpu_seconds[i]};
    qsort(sorted, result->repetitions, sizeof *sorted, compare_seconds);
    const size_t middle = result->repetitions / 2;
    result->least = sorted[0].wall;
    result->most = sorted[result->repetitions - 1].wall;
    result->median = sorted[middle].wall;
    result->cpu = sorted[middle].cpu;
    if (result->repetitions % 2 == 0) {
        result->median = (result->median + sorted[middle - 1].wall) / 2.0;
        result->cpu = (result->cpu + sorted[middle - 1].cpu) / 2.0;
    }
}

/* All repetitions once; *disturbed where others took enough to be seen in the times. */
static tanda_status measure_round(bench_work *work, void *context, size_t most, const bench_options *options,
                                  bench_result *result, bool *disturbed, tanda_error *error) {
    timing timing = {0};
    const double start = seconds_now(), others = bench_others_seconds();
    tanda_status status = find_count(work, context, most, options->least_seconds, &result->steps, error);
    for (size_t i = 0; status == TANDA_OK && i < options->repetitions; i++) {
        status = time_once(work, context, result->steps, &timing, error);
        result->seconds[i] = timing.wall / (double)result->steps;
        result->cpu_seconds[i] = timing.cpu / (double)result->steps;
    }
    result->repetitions = options->repetitions;
    if (status != TANDA_OK) return status;
    const double taken = bench_others_seconds() - others, wall = seconds_now() - start;
    const double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    result->others = taken > 0.0 ? taken / wall : 0.0;
    *disturbed = taken > OTHERS_UNSURE + MOST_OTHERS * wall * cores;
    summarise(result);
    return status;
}

tanda_status bench_measure(bench_work *work, void *context, size_t most, const bench_options *options,
                           bench_result *result, tanda_error *error) {
    timing timing = {0};
    const struct timespec pause = {.tv_nsec = 250000000};
    bool disturbed = true;
    tanda_status status = time_once(work, context, 1, &timing, error);
    result->first = timing.wall;
    for (int round = 0; status == TANDA_OK && disturbed && round < MOST_ROUNDS; round++) {
        if (round > 0) nanosleep(&pause, NULL);
        bench_result again = *result;
        status = measure_round(work, context, most, options, &again, &disturbed, error);
        if (round == 0 || again.others < result->others) *result = again;
    }
    return status;
}

static double higher(double a, double b) {
    return a > b ? a : b;
}

static double lower(double a, double b) {
    return a < b ? a : b;
}

device_limits bench_better_limits(const device_limits *a, const device_limits *b) {
    return (device_limits){.read_bandwidth = higher(a->read_bandwidth, b->read_bandwidth),
                           .fma_peak = higher(a->fma_peak, b->fma_peak),
                           .launch_seconds = lower(a->launch_seconds, b->launch_seconds),
                           .queued_seconds = lower(a->queued_seconds, b->queued_seconds),
                           .upload = higher(a->upload, b->upload),
                           .download = higher(a->download, b->download)};
}

double bench_part_of_limit(const bench_result *result, const device_limits *limits, const char **what) {
    const double reading = limits->read_bandwidth > 0.0 ? result->bytes / limits->read_bandwidth : 0.0;
    const double computing = limits->fma_peak > 0.0 ? result->operations / limits->fma_peak : 0.0;
    const bool reads = reading > computing;
    *what = reads ? "read" : "fma";
    return result->has_limit && result->median > 0.0 ? (reads ? reading : computing) / result->median : 0.0;
}
