/* Chunks of a layer's terms that groups of their own have made; OpenCL C only. */
#ifndef TANDA_KERNELS_GPU_CHUNKS_H
#define TANDA_KERNELS_GPU_CHUNKS_H

#include "kernels/arguments/gpu_dense.h"
#include "kernels/gpu/tail.h"
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

/* sums[i] += the chunks of unit first + i of a lane, in their order; a unit behind the last is it once more. */
INLINE void add_chunks(global const float *partials, gpu_layer_arguments a, uint tile, uint units, uint lane,
                       uint first, float sums[CHUNK_UNITS]) {
    for (uint chunk = 0; chunk < a.chunks; chunk++) {
        global const float *p = partials + chunk_at(a, chunk, tile, units) + lane;
        UNROLL_FOR (int i = 0; i < CHUNK_UNITS; i++)
            sums[i] = sums[i] + p[(ulong)min(first + i, units - 1) * a.width];
    }
}

/* The outputs [first, end) of a lane from their chunks, and what follows. */
INLINE void add_forward_chunks(global const float *partials, global float *workspace,
                               global const float *parameters, gpu_layer_arguments a, uint tile, uint lane,
                               uint first, uint end) {
    tail_place place = {workspace + tile * a.tile_floats, a.width, a.outputs, tile,
                        rows_of_tile(a.rows, tile)};
    for (uint unit = first; unit < end; unit += CHUNK_UNITS) {
        float sums[CHUNK_UNITS];
        UNROLL_FOR (int i = 0; i < CHUNK_UNITS; i++)
            sums[i] = parameters[a.bias + min(unit + i, a.outputs - 1)];
        add_chunks(partials, a, tile, a.outputs, lane, unit, sums);
        UNROLL_FOR (int i = 0; i < CHUNK_UNITS; i++)
            if (unit + i < end)
                place.tile[a.target + (ulong)(unit + i) * a.width + lane] = stored_output(a, sums[i]);
    }
    forward_tail(place, a.tail, a.target, lane, first, end);
}

#endif
