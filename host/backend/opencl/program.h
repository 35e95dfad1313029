/* A program of the OpenCL backend, shared by program.c (memory), ops.c (one op) and step.c (a whole step). */
#ifndef TANDA_OPENCL_PROGRAM_H
#define TANDA_OPENCL_PROGRAM_H

#include "backend/opencl/opencl.h"

struct program {
    const plan *plan;
    program_options options;
    size_t width, wave_tiles;
    size_t workspace_floats; /* of one tile */
    size_t slot_floats;      /* packed parameters, then the loss sum, padded */
    size_t stack_levels;
    cl_mem workspace;     /* (wave_tiles, workspace_floats) */
    cl_mem slots;         /* (wave_tiles, slot_floats), then the stack (stack_levels, slot_floats) */
    cl_mem rows, labels;  /* (wave_tiles, TILE_ROWS): row number and label of each position */
    cl_mem stored;        /* the data set as tiles when the order never changes; else NULL */
    uint64_t stored_next; /* steps from 0 on whose tiles are made */
    cl_mem results;       /* three words a step, see update.cl */
    size_t result_count, result_capacity;
    uint64_t last_step;
    size_t last_gradient; /* offset in slots; SIZE_MAX before the first step */
};

/* Part of a step: tiles [first, first + tiles) of it. */
typedef struct wave {
    uint64_t epoch;
    size_t first_row; /* position in the epoch's order */
    size_t rows, tiles;
    size_t first_tile; /* of the stored tiles */
    size_t result;     /* index of the step in this run */
    bool gathered;
} wave;

/* What every launch of a wave needs. */
typedef struct context {
    opencl_backend_state *state;
    program *program;
    const wave *wave;
    tanda_error *error;
} context;

/* Queues one tile op over the wave. */
tanda_status opencl_run_op(const context *c, const op *op);

/* A zeroed buffer of count * size bytes. */
tanda_status opencl_make_memory(const opencl_backend_state *state, size_t count, size_t size, cl_mem *memory,
                                tanda_error *error);

#endif
