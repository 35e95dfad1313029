/* A thread of a run: what step.c, group.c and parameters.c share. */
#ifndef TANDA_OPENMP_WORKER_H
#define TANDA_OPENMP_WORKER_H

#include "backend/openmp/state.h"

/* One step: which rows it holds. */
typedef struct step {
    uint64_t index, epoch;
    size_t first_row; /* position of its first row in the epoch's order */
    size_t rows, tiles;
} step;

/* What a thread knows while it works; the tree's bookkeeping is the same in every thread. */
typedef struct worker {
    program *program;
    size_t thread, threads;
    float *scratch;
    uint64_t *rows;
    float *labels, *weights;
    bool with_loss;
    bool descends; /* the weights of the first layer are updated where this step's gradient is made: */
    descent descent;
    shuffle_key key;
    uint64_t key_epoch;
    bool has_key;
    size_t waves; /* done so far in this run */
    tile tiles[MOST_GROUP_TILES];
} worker;

/* group.c. Tiles [first, first + count) of a step; `workspace` holds their tensors. */
tile_group group_of(worker *worker, const step *step, size_t first, size_t count, float *workspace,
                    uint32_t *correct);

static inline void wait_for_team(const worker *worker) {
    barrier_wait(&worker->program->barrier, (uint32_t)worker->threads);
}

/*
 * parameters.c: each thread does its part, which is the parameters that it owns; the first also has the loss sum. Of a
 * wave: its `groups` slots become one, and that goes through the tree over the waves of its step; the last leaves their sum.
 */
void merge_owned(worker *worker, size_t groups);
void add_wave(worker *worker, size_t index, bool is_last);

/*
 * Begins the index-th step of the run, of so many rows: `complete` when no other gradient will be added to that of its
 * group.
 */
void begin_descent(worker *worker, size_t index, size_t rows, bool complete);

/*
 * The update from the tree's sum, of the step that is the index-th of the run and has so many rows. True when a
 * parameter became infinite or NaN.
 */
bool update_owned(worker *worker, size_t index, size_t rows, float *sum);

#endif
