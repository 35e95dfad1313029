/* The machine that figures were measured on, as far as it tells. */
#ifndef TANDA_BENCH_HOST_H
#define TANDA_BENCH_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "support/json.h"

#define BENCH_MOST_CACHES 8

typedef struct bench_cache {
    char type[16];                /* "Data", "Instruction", "Unified" */
    size_t level, bytes, sharing; /* sharing: CPUs that have it in common */
} bench_cache;

typedef struct bench_host {
    char name[256];
    size_t cpus,
        megahertz;   /* megahertz: what a CPU has at most, or has now where that is not told; 0 is unknown */
    bool is_scaling; /* some CPU's clock follows the load: its governor is not "performance" */
    double loads[3]; /* processes that ran, on average over 1, 5 and 15 minutes */
    size_t load_count;
    bench_cache caches[BENCH_MOST_CACHES]; /* of the first CPU */
    size_t cache_count;
} bench_host;

/* root: "", or a folder that stands for the root of Linux's /sys and /proc. What is not told there is empty or 0. */
void bench_host_read(const char *root, bench_host *host);

/* As members of Google Benchmark's "context". */
void bench_host_put(const bench_host *host, json_builder *context);

#endif
