/*
 * What the executor `gpu_dense` has of a program: a kernel of its own for most of the plan's ops, whose buffers are given
 * to it once; what has none is run as `ops` does.
 */
#ifndef TANDA_OPENCL_GPU_DENSE_PARTS_H
#define TANDA_OPENCL_GPU_DENSE_PARTS_H

#include "backend/opencl/executors/gpu.h"
#include "backend/opencl/executors/gpu_blocks.h"
#include "backend/opencl/ops.h"
#include "kernels/arguments/gpu_dense.h"

/* A kernel with its buffers set: what is left to give are its arguments, and how many groups of so many work-items. */
typedef struct gpu_launch {
    cl_kernel kernel; /* NULL: none */
    cl_uint memories;
    bool with_rates, with_results; /* behind these come the memories of rates and of results, which change */
    size_t items;                  /* of a group */
    size_t block_m, block_n;       /* units and lanes, or inputs and outputs, of a group */
    size_t chunks;                 /* that groups of their own make, or at most 1; */
    cl_kernel adds_chunks;         /* what adds them, NULL where the next launch does, */
    cl_uint adds_memories;
    const op *adds; /* and the op whose chunks this launch adds before all else, or NULL */
} gpu_launch;

/* Where a layer's inputs are read. */
typedef enum gpu_source { GPU_TILES, GPU_ROWS, GPU_LOOSE } gpu_source;

typedef struct gpu_dense_program {
    ops_program ops;      /* first: ops_of() finds it */
    gpu_launch *launches; /* per op of the plan */
    gpu_source rows;      /* how the data set is read; GPU_TILES: it is assembled */
    cl_mem partials;      /* sums of chunks, of one layer at a time */
    const op *sums_loss;  /* the gradient whose launch adds the losses, too; or NULL */
    bool is_whole;        /* what is queued is a whole step: gradients' launches update the parameters */
} gpu_dense_program;

static inline gpu_dense_program *gpu_dense_of(const program *program) {
    return program->own;
}

static inline gpu_launch *gpu_launch_of(const program *program, const op *op) {
    return &gpu_dense_of(program)->launches[op - program->plan->ops];
}

static inline bool is_wide(const dense_shape *shape) {
    return shape->outputs >= WIDE_OUTPUTS;
}

/* gpu_dense_kernels.c. Makes a kernel for each op that has one. */
tanda_status opencl_gpu_dense_kernels(opencl_backend_state *state, const program *program,
                                      tanda_error *error);

/* gpu_dense_launch.c. Queues an op that has a kernel, with those behind it that the kernel does, too; *next is the first that is left. */
tanda_status opencl_gpu_dense_run(const context *c, const op *op, const struct op **next);

/*
 * gpu_dense_work.c. What the launch of an op does of ops [op, end): of a layer whose chunks have groups of their own it alone.
 * And the launch that adds these, of which a work-item takes so many units one after the other.
 */
launch_work opencl_gpu_dense_work(const context *c, const op *op, const struct op *end);
launch_work opencl_gpu_adding_work(const context *c, const op *op, const struct op *end, size_t in_turn);

#endif
