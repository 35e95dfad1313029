/* How the executor gpu_small lays out a net: rows of a group, units of local memory and of a tile, blocks of sums. */
#ifndef TANDA_OPENCL_GPU_SMALL_H
#define TANDA_OPENCL_GPU_SMALL_H

#include "backend/opencl/executors/gpu.h"
#include "kernels/arguments/gpu_small.h"

typedef struct gpu_small_form {
    size_t rows;               /* of a group */
    size_t scratch;            /* units of local memory before the layers' places */
    size_t tile_units, losses; /* of a tile, and the one of the rows' losses */
} gpu_small_form;

/* Rows by what local memory holds and how many groups there are; false where it does not hold the least. */
bool gpu_small_find_form(const backend *backend, const plan *plan, const program_options *options,
                         gpu_small_form *form);

/* What the kernels are told of each of the plan's layers. */
void gpu_small_describe(const plan *plan, gpu_small_layer *layers);

/* How many blocks of sums there are; `blocks`, unless NULL, gets them. */
size_t gpu_small_list_blocks(const program *program, const gpu_small_form *form,
                             const gpu_small_layer *layers, gpu_small_block *blocks);

#endif
