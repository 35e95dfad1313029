/*
 * What a training step would take on cards that are not here. The OpenCL backend is opened on whatever runtime there is and
 * told a card's figures in place of its own; what it then queues is taken down, not run: so plan, executor and launches are
 * those that would run there. A machine model says how long each launch takes.
 */
#ifndef TANDA_BENCH_GPU_MODEL_H
#define TANDA_BENCH_GPU_MODEL_H

#include "backend/opencl/command.h"
#include "bench/bench.h"

typedef struct card {
    const char *name;
    /* What the backend is told. */
    unsigned vendor; /* PCI's number */
    size_t compute_units, local_bytes, most_group;
    double memory; /* bytes; a buffer may have a quarter of it */
    /* What the model goes by. */
    double cores;                  /* that have one local memory each; groups stay in one */
    double lanes, clock;           /* fused multiply-adds of a core in a cycle; Hz */
    double items;                  /* work-items that a core holds at most */
    double wave;                   /* work-items that go together */
    double bandwidth, cache;       /* bytes a second from memory and from the last-level cache, */
    double cache_bytes;            /* of this size */
    double latency, cache_latency; /* cycles */
    double launch;                 /* seconds between two launches of a queue at least */
} card;

extern const card cards[];
extern const size_t card_count;

/* Launches of a step that are alike: name and sizes. */
typedef struct launches {
    char name[64];
    size_t items, group; /* work-items of all, and of a group */
    launch_work work;    /* of one */
    size_t count;        /* in all steps */
} launches;

#define MOST_LAUNCHES 1024

/* A workload on a card, as it was taken down. */
typedef struct recording {
    const char *executor;
    size_t steps;
    size_t count;
    launches launches[MOST_LAUNCHES];
    bool is_full; /* kinds of launches are missing */
} recording;

/* What the model makes of it, of one step. */
typedef struct estimate {
    double launches, bytes, flop;
    double occupancy; /* work-items by what the card holds, at most 1 a launch: by the time of each */
    double seconds, floor;
    bool is_unstated; /* some launches state no work, and count as such alone */
} estimate;

/* Steps of a workload on a card, by an executor or, with NULL, the one that would be taken there. */
tanda_status record_steps(backend *device, const card *card, const bench_workload *workload,
                          const char *executor, recording *recording, tanda_error *error);

/* Of one launch, in seconds; and *limit is what bounds it: "launch", "memory", "fma" or "chain"; "not stated" without work. */
double launch_seconds(const card *card, const launches *launches, const char **limit);

estimate estimate_of(const card *card, const bench_workload *workload, const recording *recording);

/* The assumptions, as text. */
void print_assumptions(void);

#endif
