/*
 * A step of a small net on GPUs in three launches, where what launches cost would else be most of it: rows from the data
 * set to the deltas of every layer; the sums of every tile; the tree over the tiles and the update. Tensors of a tile are
 * (units, width). Weights are read where they lie, through the cache. See gpu_small.c.
 */
#ifndef ROWS
#define ROWS 32 /* of a work-group of gpu_small_rows: a power of two from 16 to 128 */
#endif

#include "kernels/apply.h"
#include "kernels/gpu/small_gradient.h"
#include "kernels/gpu/small_rows.h"

#define GROUP_OF_ITEMS __attribute__((reqd_work_group_size(ITEMS, 1, 1)))

/* weights: of rows, where they are weighted. Work-group (ROWS rows). */
kernel GROUP_OF_ITEMS void gpu_small_rows(global const float *features, global const int *labels,
                                          global const float *weights, global const float *parameters,
                                          global const gpu_small_layer *layers, global float *workspace,
                                          global uint *results, gpu_small_arguments a) {
    local float memory[LOCAL_FLOATS] __attribute__((aligned(16)));
    local uint numbers[ROWS], correct;
    uint t = (uint)get_local_id(0), first = (uint)get_group_id(0) * ROWS, l;
    small_rows r = {.features = features, .parameters = parameters, .numbers = numbers, .t = t};
    r.used = min(a.rows - first, (uint)ROWS);
    r.position = a.position + first;
    r.tile = workspace + first / TILE_ROWS * a.tile_floats + first % TILE_ROWS;
    r.scratch = memory;
    r.outputs = memory + a.scratch * ROWS;
    uint seen = ask_for((global const uint *)layers, a.layer_count * (sizeof(gpu_small_layer) / 4), t) |
                ask_for((global const uint *)parameters, a.asked, t);
    memory[t] = as_float(seen); /* so that it is read; nobody looks */
    if (t < ROWS) numbers[t] = row_number(first + t, a);
    if (t == 0) correct = 0;
    for (l = 0; l < a.layer_count; l++) {
        gpu_small_layer layer = layers[l], above = layers[min(l + 1, a.layer_count - 1)];
        local float *outputs = r.outputs + layer.place * ROWS;
        for (uint from = 0; from < layer.inputs; from += CHUNK) {
            uint to = min(layer.inputs, from + CHUNK);
            local const float *lines = r.scratch;
            if (l > 0) lines = r.outputs + layers[l - (l > 0)].place * ROWS + from * ROWS;
            barrier(CLK_LOCAL_MEM_FENCE);
            if (l == 0) stage(r, a.features, from, to);
            barrier(CLK_LOCAL_MEM_FENCE);
            if (l == 0) leave_features(r, layer, from, to, a);
            barrier(CLK_LOCAL_MEM_FENCE);
            add_forward(r, layer, lines, from, to, outputs, a.zero);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        activate_outputs(r, layer, above, l, a);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    lose(r, layers[a.layer_count - 1], labels, weights, &correct, a);
    for (l = a.layer_count; l-- > 0;) {
        gpu_small_layer layer = layers[l], above = layers[min(l + 1, a.layer_count - 1)];
        barrier(CLK_LOCAL_MEM_FENCE);
        activate_deltas(r, layer, above, l, a);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l > 0) backward(r, layer, a.zero);
    }
    if (t == 0 && correct > 0) atomic_add(results + 3 * a.result + 1, correct);
}

/* Work-group (block, tile). */
kernel GROUP_OF_ITEMS void gpu_small_gradient(global const gpu_small_block *blocks,
                                              global const float *workspace, global float *slots,
                                              gpu_small_arguments a) {
    local float4 memory[GRADIENT_QUADS];
    uint t = (uint)get_local_id(0), index = (uint)get_group_id(1);
    gpu_small_block block = blocks[get_group_id(0)];
    small_tile tile = {workspace + index * a.tile_floats, slots + index * a.slot_floats, a.width,
                       rows_of_tile(a.rows, index)};
    add_block(tile, block, t, memory, a.zero);
}

#define FAN 8 /* slots that are read together, and such blocks of them */

INLINE float tree_of_fan(float *v) {
    UNROLL_FOR (uint apart = 1; apart < FAN; apart *= 2)
        UNROLL_FOR (uint i = 0; i < FAN; i += 2 * apart)
            v[i] = v[i] + v[i + apart];
    return v[0];
}

/* The tree over up to FAN * FAN slots. One that is not there counts as zero, which changes no bit. */
INLINE float tree_of_slots(global const float *slots, gpu_small_arguments a) {
    float sums[FAN], v[FAN];
    UNROLL_FOR (uint b = 0; b < FAN; b++) {
        sums[b] = 0.0f;
        if (b * FAN < a.slots) {
            UNROLL_FOR (uint i = 0; i < FAN; i++)
                v[i] = b * FAN + i < a.slots ? slots[(b * FAN + i) * a.slot_floats] : 0.0f;
            sums[b] = tree_of_fan(v);
        }
    }
    return tree_of_fan(sums);
}

/* As `update` of update.cl, without a norm. Work-item (float of a slot). */
kernel GROUP_OF_ITEMS void gpu_small_update(global float *parameters, global float *slots,
                                            global float *state, global const bias_range *biases,
                                            global const update_rates *rates, global uint *results,
                                            gpu_small_arguments a) {
    uint index = (uint)get_global_id(0), loss = (uint)a.slot_floats - 16;
    if (index >= a.slot_floats) return;
    float sum = tree_of_slots(slots + index, a);
    if (index < loss) {
        update_target target = {parameters, state, loss, a.inverse_rows, a.update, rates[a.result]};
        if (apply_update(target, index, &sum, 1.0f, lies_in_weights(biases, a.bias_count, index)))
            results[3 * a.result + 2] = 1;
    }
    slots[index] = sum;
    if (index == loss) results[3 * a.result] = as_uint(sum);
}
