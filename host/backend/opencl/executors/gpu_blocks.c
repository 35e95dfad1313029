/* Blocks of the dense kernels, by what the device is and by how many groups they make. */
#include "backend/opencl/executors/gpu_blocks.h"

#define NVIDIA 0x10de /* PCI's numbers of vendors */
#define AMD 0x1002

/* Names and sizes of kernels/gpu/dense.cl, the largest first. */
static const gpu_block blocks[] = {{"large", 64, 128, 2}, {"medium", 32, 128, 4}, {"small", 32, 64, 4}};

#define BLOCKS (sizeof blocks / sizeof *blocks)

/*
 * The first block that a device is given; one that is not listed has the small ones alone. Larger ones want 160 to 230
 * registers of a work-item, which NVIDIA's GPUs have, and AMD's of 64-wide waves. On others they spill, and compilers of
 * CPUs take minutes for them.
 */
static const struct {
    cl_uint vendor;
    size_t wave; /* 0: any */
    size_t first;
} devices[] = {{NVIDIA, 0, 0}, {AMD, 64, 0}};

static size_t first_of(const opencl_backend_state *state) {
    for (size_t i = 0; !state->is_cpu && i < sizeof devices / sizeof *devices; i++)
        if (devices[i].vendor == state->vendor && (devices[i].wave == 0 || devices[i].wave == state->wave))
            return devices[i].first;
    return BLOCKS - 1;
}

static size_t groups_of(const gpu_block *block, size_t lines_m, size_t lines_n, size_t tiles) {
    return blocks_of(lines_m, block->m) * blocks_of(lines_n, block->n) * tiles;
}

/* Three groups for two compute units hide each other's waits. */
static bool makes_enough(const opencl_backend_state *state, const gpu_block *block, size_t lines_m,
                         size_t lines_n, size_t tiles) {
    return 2 * groups_of(block, lines_m, lines_n, tiles) >= 3 * state->base.information.compute_units;
}

const gpu_block *gpu_block_choose(const opencl_backend_state *state, size_t lines_m, size_t lines_n,
                                  size_t tiles, size_t together) {
    size_t i = first_of(state);
    while (i + 1 < BLOCKS && (blocks[i].tiles < together ||
                              !makes_enough(state, &blocks[i], lines_m, lines_n, blocks_of(tiles, together))))
        i++;
    return &blocks[i];
}

bool gpu_block_makes_enough(const opencl_backend_state *state, size_t lines_m, size_t lines_n, size_t tiles,
                            size_t together) {
    return makes_enough(state, gpu_block_choose(state, lines_m, lines_n, tiles, together), lines_m, lines_n,
                        blocks_of(tiles, together));
}

bool gpu_block_leaves_idle(const opencl_backend_state *state, size_t lines_m, size_t lines_n, size_t tiles) {
    const size_t groups = groups_of(&blocks[BLOCKS - 1], lines_m, lines_n, tiles);
    return 2 * groups < state->base.information.compute_units;
}
