/* A thread of a run: what step.c, group.c, parameters.c and the executors share. */
#ifndef TANDA_OPENMP_WORKER_H
#define TANDA_OPENMP_WORKER_H

#include "backend/executor.h"
#include "backend/openmp/state.h"
#include "backend/step.h"

/* What a thread knows while it works. All threads of a team go through the same course of steps. */
typedef struct worker {
    program *program;
    size_t thread, threads;
    float *scratch;
    thread_clock *clock; /* NULL: nobody asks what the time goes into */
    lane_data lanes;
    bool with_loss;
    bool updates;  /* an update follows each sum */
    bool descends; /* the weights of the first layer are updated where this step's gradient is made: */
    descent descent;
    struct order_keys order_keys;
    size_t waves;     /* done so far in this run */
    uint32_t correct; /* of the step so far; the first thread's */
    tile tiles[MOST_GROUP_TILES];
} worker;

/* The way in which threads do a wave. */
struct openmp_executor {
    executor base;
    void (*divide)(program *program); /* see below */
    /* All threads come here, and leave the wave's sum in the first slot, each that of the parameters that it owns. */
    void (*wave)(worker *worker, const batch *batch, size_t first, size_t tiles);
    void (*group)(const worker *worker, tile_group *group); /* by one thread; NULL: there is no such way */
};

extern const openmp_executor openmp_perceptron, openmp_shared, openmp_columns;

/* group.c. Tiles [first, first + count) of a step; `workspace` holds their tensors. */
tile_group group_of(worker *worker, const batch *batch, size_t first, size_t count, float *workspace,
                    uint32_t *correct);

/* step.c. A wave for executors whose threads take groups, one thread each, as they become free. */
void wave_of_groups(worker *worker, const batch *batch, size_t first, size_t tiles);

/* The first thread adds what the groups of a wave have counted. */
void take_correct(worker *worker, size_t groups);

/* What has passed since this thread's latest reading went into `part`, a tile_op or a clock_part. */
static inline void note_time(const worker *worker, size_t part) {
    if (worker->clock != NULL) clock_add(worker->clock, part);
}

static inline void wait_for_team(const worker *worker) {
    if (worker->threads == 1) return;
    barrier_wait(&worker->program->barrier, (uint32_t)worker->threads);
    note_time(worker, CLOCK_threads);
}

static inline void run_op(const worker *worker, const tile_group *group, const op *op) {
    worker->program->functions->tile_ops[op->kind](group, op);
    note_time(worker, op->kind);
}

/*
 * parameters.c: each thread does its part, which is the parameters that it owns; the first also has the loss sum. The
 * `groups` slots of a wave become one, in the first; what waits is added to that, or it waits itself.
 */
void merge_owned(worker *worker, size_t groups);
void add_owned(worker *worker, float *waiting);
void keep_owned(worker *worker, float *waiting);

/* complete: no other gradient will be added to that of its group, and the update follows. */
void begin_descent(worker *worker, const batch *batch, bool complete);

/* The update from the sum in the first slot. True when a parameter became infinite or NaN. */
bool update_owned(worker *worker, const batch *batch);

/* ---- program.c: how a step is divided, of which the executors' own rules are made ------------------------ */

/* Threads that a step can feed, of so many. */
size_t useful_threads(const plan *plan, const program_options *options, size_t threads);

/* A core's own cache holds the weights. */
static inline bool weights_stay_in_cache(const plan *plan) {
    return plan->parameter_count * sizeof(float) <= OWN_CACHE_BYTES;
}

/* Workspaces of so many units: of columns and of tiles. */
void divide_workspaces(program *program, size_t units);

/* Groups of so many bytes, or less as MOST_GROUP_TILES and the step are. After divide_workspaces, like the next. */
size_t group_of_bytes(const program *program, size_t bytes);

/*
 * Groups for threads to take, of so many bytes at most, and enough of them that threads end at about the same time; waves
 * of at most so many tiles where the options leave them open.
 */
void divide_for_threads(program *program, size_t group_bytes, size_t most_wave_tiles);

/* Groups and waves of so many tiles; the options have their own, if any, and none is larger than a step. */
void divide_waves(program *program, size_t group_tiles, size_t wave_tiles);

/* What a thread needs of scratch for the single ops: see gradient.c. */
size_t scratch_of_ops(const program *program);

#endif
