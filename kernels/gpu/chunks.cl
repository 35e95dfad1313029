/* The sums of chunks that groups of their own have made (contract 2), and what follows them. See gpu_dense_launch.c. */
#include "kernels/exact.h"
#include "kernels/gpu/chunks.h"
#include "kernels/gpu/tail.h"

/* The sum of the chunks of one unit of a lane, in their order, from `start` on. */
INLINE float add_chunks(global const float *partials, gpu_layer_arguments a, uint tile, uint units, ulong at,
                        float start) {
    for (uint chunk = 0; chunk < a.chunks; chunk++)
        start = start + partials[chunk_at(a, chunk, tile, units) + at];
    return start;
}

/* Work-item (lane, CHUNK_UNITS units, tile). */
kernel __attribute__((reqd_work_group_size(CHUNK_ITEMS, 1, 1))) void
gpu_forward_chunks(global const float *partials, global float *workspace, global const float *parameters,
                   gpu_layer_arguments a) {
    const uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(2);
    const uint first = (uint)get_global_id(1) * CHUNK_UNITS, end = min(first + CHUNK_UNITS, a.outputs);
    if (lane >= lanes_of_tile(a.rows, tile)) return;
    tail_place place = {workspace + tile * a.tile_floats, a.width, a.outputs, tile};
    for (uint unit = first; unit < end; unit++) {
        const ulong at = (ulong)unit * a.width + lane;
        const float z = add_chunks(partials, a, tile, a.outputs, at, parameters[a.bias + unit]);
        place.tile[a.target + at] = canonical(z);
    }
    forward_tail(place, a.tail, a.target, lane, first, end);
}

kernel __attribute__((reqd_work_group_size(CHUNK_ITEMS, 1, 1))) void
gpu_backward_chunks(global const float *partials, global float *workspace, gpu_layer_arguments a) {
    const uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(2);
    const uint first = (uint)get_global_id(1) * CHUNK_UNITS, end = min(first + CHUNK_UNITS, a.inputs);
    if (lane >= lanes_of_tile(a.rows, tile)) return;
    tail_place place = {workspace + tile * a.tile_floats, a.width, a.inputs, tile};
    for (uint unit = first; unit < end; unit++) {
        const ulong at = (ulong)unit * a.width + lane;
        place.tile[a.target + at] = flush_tiny(add_chunks(partials, a, tile, a.inputs, at, a.zero));
    }
    backward_tail(place, a.tail, a.target, lane, first, end);
}
