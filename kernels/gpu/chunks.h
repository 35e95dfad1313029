/* Chunks of a layer's terms that groups of their own have made; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_CHUNKS_H
#define TANDA_KERNELS_GPU_CHUNKS_H

#include "kernels/arguments/gpu_dense.h"
#include "kernels/tile.h"

/* Of so many terms, in a chunk where there are `chunks` groups for them, or all. */
static inline uint terms_of_chunk(uint terms, uint chunk, uint chunks) {
    if (chunks <= 1) return terms;
    return min(terms - min(chunk * CHUNK, terms), (uint)CHUNK);
}

/* Where a chunk's sums of a tile lie, (units, width): (chunks, tiles, units, width). */
static inline ulong chunk_at(gpu_layer_arguments a, uint chunk, uint tile, uint units) {
    return ((ulong)chunk * a.tiles + tile) * units * a.width;
}

#endif
