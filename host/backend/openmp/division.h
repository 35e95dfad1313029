/* How a step is divided: what the executors' own rules are made of. */
#ifndef TANDA_OPENMP_DIVISION_H
#define TANDA_OPENMP_DIVISION_H

#include "backend/openmp/state.h"

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
