/* How long a launch takes: the longest of what may bound it. */
#include <stdio.h>
#include <string.h>

#include "gpu_model.h"

/* What the model takes for granted of kernels: those of kernels/gpu, and those that take a plan op by op. */
typedef struct manner {
    double peak;         /* share of a card's fma rate, with enough waves */
    double waves;        /* of a core, that reach it; with fewer it falls in proportion */
    double in_flight;    /* bytes that a work-item has on their way */
    double chain_cycles; /* of one operation of a chain, where the cache's latency does not count; */
    double loads;        /* and what part of that latency does */
} manner;

static const manner of_gpu = {.peak = 0.75, .waves = 8, .in_flight = 64, .chain_cycles = 6, .loads = 0.0};
static const manner of_ops = {.peak = 0.24, .waves = 32, .in_flight = 16, .chain_cycles = 4, .loads = 1.0};

#define RAMP 1e-6 /* seconds for a kernel to begin and to end */

static const manner *manner_of(const char *kernel) {
    return strncmp(kernel, "gpu_", 4) == 0 ? &of_gpu : &of_ops;
}

static double least(double a, double b) {
    return a < b ? a : b;
}

/* Work-items at one time. */
static double resident_items(const card *card, const launches *launches) {
    const double groups = (double)launches->items / (double)launches->group;
    const double used = least(groups, card->cores); /* cores that have a group */
    return least((double)launches->items, used * card->items);
}

/* By Little's law: no more comes in than is asked for at one time. */
static double memory_seconds(const card *card, const launches *launches) {
    const double bytes = launches->work.bytes,
                 asked = resident_items(card, launches) * manner_of(launches->name)->in_flight;
    const bool in_cache = bytes < card->cache_bytes / 2.0;
    const double latency = (in_cache ? card->cache_latency : card->latency) / card->clock;
    return bytes / least(in_cache ? card->cache : card->bandwidth, asked / latency);
}

static double peak_of(const card *card) {
    return 2.0 * card->cores * card->lanes * card->clock;
}

static double fma_seconds(const card *card, const launches *launches) {
    const manner *manner = manner_of(launches->name);
    const double waves = resident_items(card, launches) / card->wave; /* of all cores */
    const double share = least(1.0, waves / (card->cores * manner->waves));
    return launches->work.flop / (peak_of(card) * manner->peak * share);
}

static double chain_seconds(const card *card, const launches *launches) {
    const manner *manner = manner_of(launches->name);
    return launches->work.chain * (manner->chain_cycles + manner->loads * card->cache_latency) / card->clock;
}

static bool states_nothing(const launches *launches) {
    return launches->work.bytes == 0.0 && launches->work.flop == 0.0;
}

double launch_seconds(const card *card, const launches *launches, const char **limit) {
    const double bounds[] = {memory_seconds(card, launches), fma_seconds(card, launches),
                             chain_seconds(card, launches)};
    static const char *const names[] = {"memory", "fma", "chain"};
    size_t longest = 0;
    for (size_t i = 1; i < 3; i++)
        if (bounds[i] > bounds[longest]) longest = i;
    const double seconds = bounds[longest] + RAMP;
    *limit = seconds > card->launch ? names[longest] : "launch";
    if (states_nothing(launches)) *limit = "not stated";
    return seconds > card->launch ? seconds : card->launch;
}

/* What a step must at least read, write and compute: rows, labels and weights once, each product once. */
static double floor_of(const card *card, const bench_workload *workload) {
    const double rows = (double)(workload->batch > 0 ? workload->batch : workload->rows);
    double parameters = 0.0, products = 0.0;
    for (size_t l = 0; workload->units[l + 1] != 0; l++) {
        const double terms = (double)workload->units[l] * (double)workload->units[l + 1];
        parameters += terms + (double)workload->units[l + 1];
        products += (l == 0 ? 2.0 : 3.0) * terms;
    }
    const double bytes = 4.0 * (rows * (double)(workload->units[0] + 1) + 2.0 * parameters);
    const double memory = bytes / (bytes < card->cache_bytes ? card->cache : card->bandwidth);
    const double fma = 2.0 * rows * products / peak_of(card);
    return memory > fma ? memory : fma;
}

estimate estimate_of(const card *card, const bench_workload *workload, const recording *recording) {
    estimate made = {.floor = floor_of(card, workload)};
    const char *limit;
    for (size_t i = 0; i < recording->count; i++) {
        const launches *at = &recording->launches[i];
        const double each = (double)at->count / (double)recording->steps;
        const double seconds = each * launch_seconds(card, at, &limit);
        if (states_nothing(at)) made.is_unstated = true;
        made.launches += each;
        made.bytes += each * at->work.bytes;
        made.flop += each * at->work.flop;
        made.seconds += seconds;
        made.occupancy += seconds * least(1.0, (double)at->items / (card->cores * card->items));
    }
    if (made.seconds > 0.0) made.occupancy /= made.seconds;
    return made;
}

static void print_manner(const char *kernels, const manner *manner) {
    printf(
        "* %s: %.0f %% of the fma peak from %.0f waves of a core on, in proportion with fewer; %.0f bytes on "
        "their way per work-item; %.0f cycles per operation of a chain%s.\n",
        kernels, 100.0 * manner->peak, manner->waves, manner->in_flight, manner->chain_cycles,
        manner->loads > 0.0 ? " and the cache's latency" : "");
}

void print_assumptions(void) {
    printf(
        "A launch takes the longest of\n\n"
        "* the time between two launches;\n"
        "* its bytes by the bandwidth of memory, or of the cache where they are less than half of it, and "
        "by\n"
        "  Little's law no more than its work-items have asked for at one time;\n"
        "* its FLOP by the fma rate;\n"
        "* its longest chain of operations, each of which waits for the one before;\n\n"
        "the latter three and %.0f us for a kernel to begin and end. Bytes, FLOP and chains are what\n"
        "launchers state: each tensor is read or written once. The floor is a step's rows, labels and "
        "weights by the\n"
        "bandwidth, or its FLOP by the peak, whichever is longer; no launch. A launch that states no work\n"
        "counts as a launch alone, and the time has a > before it. Taken for granted:\n\n",
        1e6 * RAMP);
    print_manner("Kernels of kernels/gpu", &of_gpu);
    print_manner("Others (op by op)", &of_ops);
    puts("\nNot in it: accesses that are apart in memory (so op by op is flattered), registers and local "
         "memory\n"
         "that let fewer groups onto a core, vendors' compilers, and the host's time.");
}
