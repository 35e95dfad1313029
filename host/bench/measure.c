/* Timing: how often, how long, and what the figures come to. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/parts.h"
#include "support/arithmetic.h"
#include "support/clock.h"
#include "support/system_file.h"

#define MOST_ROUNDS 4
#define MOST_LIMITS 4      /* measurements of a limit that is too low, beside one repetition */
#define MOST_OTHERS 0.05   /* of all cores */
#define OTHERS_UNSURE 0.03 /* seconds: the kernel counts in ticks of 10 ms */

static double seconds_of(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) return 0.0;
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- what others take of the machine meanwhile: processes, and guests of the same host ------------------- */

/* The cores' time since the machine started: all of it but idling and waiting for disks; see proc(5), /proc/stat. */
static double busy_seconds(void) {
    unsigned long long user = 0, nice = 0, system = 0, idle = 0, disk = 0, interrupts = 0, soft = 0,
                       stolen = 0;
    char text[256];
    if (!read_system_file("/proc/stat", text, sizeof text)) return 0.0;
    const int found = sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
                             &idle, &disk, &interrupts, &soft, &stolen);
    const unsigned long long ticks = user + nice + system + interrupts + soft + stolen;
    return found == 8 ? (double)ticks / (double)sysconf(_SC_CLK_TCK) : 0.0;
}

static double used_by(int who) {
    struct rusage usage;
    if (getrusage(who, &usage) != 0) return 0.0;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static pid_t own_child;

void bench_set_own_child(pid_t child) {
    own_child = child;
}

/* The time that others have had of all cores; of interest is by how much it grows. */
static double others_seconds(void) {
    const double busy = busy_seconds();
    clockid_t child; /* getrusage counts one when it has ended */
    const bool has_child = own_child != 0 && clock_getcpuclockid(own_child, &child) == 0;
    return busy > 0.0 ? busy - used_by(RUSAGE_SELF) - used_by(RUSAGE_CHILDREN) -
                            (has_child ? seconds_of(child) : 0.0)
                      : 0.0;
}

/* ---- timing --------------------------------------------------------------------------------------------- */

typedef struct timing {
    double wall, cpu; /* of this process, all threads */
} timing;

static tanda_status time_once(const bench_job *job, size_t count, timing *timing, tanda_error *error) {
    const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_now();
    tanda_status status = job->work(job->context, count, error);
    timing->wall = seconds_now() - wall;
    timing->cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return status;
}

/* Doubles until a run is long enough to tell how many units fill least_seconds: this is the warm-up as well. */
static tanda_status find_count(const bench_job *job, double least_seconds, size_t *count,
                               tanda_error *error) {
    timing timing = {0};
    tanda_status status = TANDA_OK;
    for (*count = 1; status == TANDA_OK; *count *= 2) {
        status = time_once(job, *count, &timing, error);
        if (timing.wall >= least_seconds / 4.0 || *count > job->most / 2) break;
    }
    if (status != TANDA_OK) return status;
    const double wanted = least_seconds / (timing.wall / (double)*count + 1e-9);
    *count = wanted < 1.0 ? 1 : wanted > (double)job->most ? job->most : (size_t)wanted;
    return TANDA_OK;
}

bench_spread bench_spread_of(const double *values, size_t count) {
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    const double deviation = count > 1 ? sqrt(squares / (double)(count - 1)) : 0.0;
    return (bench_spread){mean, deviation, mean > 0.0 ? deviation / mean : 0.0};
}

/* Of numbers, or of what begins with one. */
static void summarise(bench_result *result) {
    const size_t count = result->repetitions;
    timing sorted[BENCH_MOST_REPETITIONS];
    for (size_t i = 0; i < count; i++)
        sorted[i] = (timing){result->seconds[i], result->cpu_seconds[i]};
    qsort(sorted, count, sizeof *sorted, compare_doubles);
    result->wall_spread = bench_spread_of(result->seconds, count);
    result->cpu_spread = bench_spread_of(result->cpu_seconds, count);
    result->least = sorted[0].wall;
    result->most = sorted[count - 1].wall;
    const timing *low = &sorted[(count - 1) / 2], *high = &sorted[count / 2];
    result->median = (low->wall + high->wall) / 2.0;
    result->cpu = (low->cpu + high->cpu) / 2.0;
}

static tanda_status measure_limits(const bench_job *job, const bench_options *options, device_limits *limits,
                                   tanda_error *error) {
    *limits = (device_limits){0};
    if (job->limited == NULL || !options->with_limits) return TANDA_OK;
    return backend_limits(job->limited, true, limits, error);
}

/* One repetition and the limits after it, again where it was faster than they and those before allow. */
static tanda_status time_beside_limits(const bench_job *job, const bench_options *options, size_t index,
                                       const device_limits *before, device_limits *after,
                                       bench_result *result, double *part, tanda_error *error) {
    timing timing = {0};
    device_limits beside = *before;
    tanda_status status = time_once(job, result->steps, &timing, error);
    result->seconds[index] = timing.wall / (double)result->steps;
    result->cpu_seconds[index] = timing.cpu / (double)result->steps;
    *part = 2.0;
    for (int i = 0; status == TANDA_OK && *part > 1.0 && i < MOST_LIMITS; i++) {
        status = measure_limits(job, options, after, error);
        beside = bench_better_limits(&beside, after);
        *part = bench_part_of_limits(result, result->seconds[index], &beside, &result->bound);
    }
    result->limits = bench_better_limits(&result->limits, &beside);
    return status;
}

/*
 * All repetitions, each between two measurements of the limits, as what a shared machine can do changes within a second:
 * a median of times beside a limit of another moment says little.
 */
static tanda_status repeat(const bench_job *job, const bench_options *options, bench_result *result,
                           tanda_error *error) {
    double parts[BENCH_MOST_REPETITIONS];
    device_limits before, after = {0};
    tanda_status status = measure_limits(job, options, &before, error);
    result->limits = before;
    result->repetitions = options->repetitions;
    for (size_t i = 0; status == TANDA_OK && i < options->repetitions; i++) {
        status = time_beside_limits(job, options, i, &before, &after, result, &parts[i], error);
        before = after;
    }
    if (status != TANDA_OK) return status;
    const size_t count = result->repetitions;
    qsort(parts, count, sizeof *parts, compare_doubles);
    const double part = (parts[(count - 1) / 2] + parts[count / 2]) / 2.0;
    result->is_disturbed = part > 1.0;
    result->part = result->is_disturbed ? 0.0 : part;
    return TANDA_OK;
}

/* All repetitions once; *disturbed where others took enough to be seen in the times. */
static tanda_status measure_round(const bench_job *job, const bench_options *options, bench_result *result,
                                  bool *disturbed, tanda_error *error) {
    const double start = seconds_now(), others = others_seconds();
    tanda_status status = TANDA_OK;
    result->steps = options->steps < job->most ? options->steps : job->most;
    if (result->steps == 0) status = find_count(job, options->least_seconds, &result->steps, error);
    if (status == TANDA_OK) status = repeat(job, options, result, error);
    if (status != TANDA_OK) return status;
    const double taken = others_seconds() - others, wall = seconds_now() - start;
    const double cores = (double)sysconf(_SC_NPROCESSORS_ONLN);
    result->others = taken > 0.0 ? taken / wall : 0.0;
    result->others_seconds = taken;
    result->span = wall;
    *disturbed = taken > OTHERS_UNSURE + MOST_OTHERS * wall * cores;
    summarise(result);
    return status;
}

tanda_status bench_measure(const bench_job *job, const bench_options *options, bench_result *result,
                           tanda_error *error) {
    timing timing = {0};
    const struct timespec pause = {.tv_nsec = 250000000};
    const size_t rounds = options->rounds > 0 ? options->rounds : MOST_ROUNDS;
    bool disturbed = true;
    tanda_status status = time_once(job, 1, &timing, error);
    result->first = timing.wall;
    for (size_t round = 0; status == TANDA_OK && disturbed && round < rounds; round++) {
        if (round > 0) nanosleep(&pause, NULL);
        bench_result again = *result;
        status = measure_round(job, options, &again, &disturbed, error);
        if (round == 0 || again.others < result->others) *result = again;
    }
    return status;
}

/* 0 is not measured. */
static double lower(double a, double b) {
    return a > 0.0 && (a < b || !(b > 0.0)) ? a : b;
}

device_limits bench_better_limits(const device_limits *a, const device_limits *b) {
    return (device_limits){.read_bandwidth = larger(a->read_bandwidth, b->read_bandwidth),
                           .fma_peak = larger(a->fma_peak, b->fma_peak),
                           .launch_seconds = lower(a->launch_seconds, b->launch_seconds),
                           .queued_seconds = lower(a->queued_seconds, b->queued_seconds),
                           .atomic_rate = larger(a->atomic_rate, b->atomic_rate),
                           .upload = larger(a->upload, b->upload),
                           .download = larger(a->download, b->download)};
}

/* The time that so much takes at the limits, by the one that is tighter: reads, or else fma. One that is not known takes none. */
static double least_seconds(double bytes, double operations, const device_limits *limits, bool *reads) {
    const double reading = limits->read_bandwidth > 0.0 ? bytes / limits->read_bandwidth : 0.0;
    const double computing = limits->fma_peak > 0.0 ? operations / limits->fma_peak : 0.0;
    *reads = reading > computing;
    return *reads ? reading : computing;
}

double bench_part_of_limits(const bench_result *result, double seconds, const device_limits *limits,
                            const char **bound) {
    bool reads = false;
    const double least = least_seconds(result->bytes, result->operations, limits, &reads);
    *bound = reads ? "read" : "fma";
    return result->has_limit && seconds > 0.0 ? least / seconds : 0.0;
}
