/* The sums of chunks that groups of their own have made (contract 2), and what follows them. See gpu_dense_launch.c. */
#include "kernels/exact.h"
#include "kernels/gpu/chunks.h"

/* Work-item (lane, CHUNK_UNITS units, tile). */
kernel __attribute__((reqd_work_group_size(CHUNK_ITEMS, 1, 1))) void
gpu_forward_chunks(global const float *partials, global float *workspace, global const float *parameters,
                   gpu_layer_arguments a) {
    const uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(2);
    const uint first = (uint)get_global_id(1) * CHUNK_UNITS, end = min(first + CHUNK_UNITS, a.outputs);
    if (lane >= lanes_of_tile(a.rows, tile)) return;
    add_forward_chunks(partials, workspace, parameters, a, tile, lane, first, end);
}

kernel __attribute__((reqd_work_group_size(CHUNK_ITEMS, 1, 1))) void
gpu_backward_chunks(global const float *partials, global float *workspace, gpu_layer_arguments a) {
    const uint lane = (uint)get_global_id(0), tile = (uint)get_global_id(2);
    const uint first = (uint)get_global_id(1) * CHUNK_UNITS, end = min(first + CHUNK_UNITS, a.inputs);
    if (lane >= lanes_of_tile(a.rows, tile)) return;
    tail_place place = {workspace + tile * a.tile_floats, a.width, a.inputs, tile,
                        rows_of_tile(a.rows, tile)};
    float sums[CHUNK_UNITS], outputs[CHUNK_UNITS];
    UNROLL_FOR (int i = 0; i < CHUNK_UNITS; i++) {
        sums[i] = outputs[i] = a.zero;
        if (a.through_relu)
            outputs[i] = place.tile[a.tail.from + (ulong)min(first + i, end - 1) * a.width + lane];
    }
    add_chunks(partials, a, tile, a.inputs, lane, first, sums);
    UNROLL_FOR (int i = 0; i < CHUNK_UNITS; i++)
        if (first + i < end)
            place.tile[a.target + (ulong)(first + i) * a.width + lane] = stored_delta(a, sums[i], outputs[i]);
    backward_tail(place, a.tail, a.target, lane, first, end);
}
