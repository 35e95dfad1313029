/* Blocks of outputs that a group of the dense kernels takes: see kernels/gpu/dense.inc. */
#ifndef TANDA_OPENCL_GPU_BLOCKS_H
#define TANDA_OPENCL_GPU_BLOCKS_H

#include "backend/opencl/state.h"

/* Blocks that lines make. */
static inline size_t blocks_of(size_t lines, size_t block) {
    return (lines + block - 1) / block;
}

typedef struct gpu_block {
    const char *name; /* SHAPE of the program that has it */
    size_t m, n;      /* outputs by lanes, or inputs by outputs */
    size_t tiles;     /* whose gradients a group of it can add */
} gpu_block;

/*
 * The largest that the device has registers for and that makes enough groups of so many lines of so many tiles, of which a
 * group takes `together`, one after the other.
 */
const gpu_block *gpu_block_choose(const opencl_backend_state *state, size_t lines_m, size_t lines_n,
                                  size_t tiles, size_t together);

/* Whether those are enough. */
bool gpu_block_makes_enough(const opencl_backend_state *state, size_t lines_m, size_t lines_n, size_t tiles,
                            size_t together);

/* Whether even the smallest would leave half of the device without a group. */
bool gpu_block_leaves_idle(const opencl_backend_state *state, size_t lines_m, size_t lines_n, size_t tiles);

#endif
