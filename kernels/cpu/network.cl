/*
 * A step of a small network in two launches, where 16 lanes lie in one real: what launches cost is then most of a step.
 * network_rows takes a column of 16 or 32 rows from assembling to the deltas of every layer; network_gradient takes a
 * block of parameters from these to the sums of a group of tiles or, where that is all of a step, to their update.
 * Tensors are (columns, units, lanes of a column). Every sum has the order of the single kernels. See network.c.
 */
#include "kernels/cpu/levels.h"
#include "kernels/cpu/network_block.h"
#include "kernels/cpu/network_column.h"

/* The weights in panels. Work-item (some inputs, layer). */
kernel void network_pack(global const float *parameters, global const network_layer *layers, global float *panels) {
    global const network_layer *layer = layers + get_global_id(1);
    uint first = (uint)get_global_id(0) * NETWORK_PACK_INPUTS, inputs = (uint)layer->inputs;
    for (uint h = 0; h < layer->outputs; h += PANEL) {
        uint count = layer->outputs - h < PANEL ? (uint)layer->outputs - h : PANEL;
        for (uint k = first; k < first + NETWORK_PACK_INPUTS && k < inputs; k++) {
            global const float *from = parameters + layer->weight + k * layer->stride + h;
            global float *to = panels + layer->panels + panel_at(inputs, k, h);
            for (uint i = 0; i < count; i++)
                to[i] = from[i];
        }
    }
}

/* Work-item (column of VECTORS * 16 lanes, tile); input and workspace are tiles of the wave. */
#define DEFINE_NETWORK_ROWS(VECTORS)                                                                                 \
    kernel void network_rows_##VECTORS(global float *input, ulong input_offset, ulong input_tile,                    \
                                       global float *workspace, ulong workspace_tile, BATCH_ARGUMENTS) {             \
        network_batch batch = BATCH;                                                                                 \
        uint lane = (uint)get_global_id(0) * (VECTORS * 16), tile = (uint)get_global_id(1);                          \
        if (lane >= rows_of_tile(rows, tile)) return;                                                                \
        network_place place = {tile, lane, 1, input + input_offset + tile * input_tile,                              \
                               workspace + tile * workspace_tile};                                                   \
        network_order order = order_of(&batch);                                                                      \
        network_columns_##VECTORS(batch, &order, place);                                                             \
    }

DEFINE_NETWORK_ROWS(1)
DEFINE_NETWORK_ROWS(2)

/* Work-item (block of parameters, group of tiles). */
kernel void network_gradient(global const float *input, ulong input_offset, ulong input_tile,
                             global const float *workspace, ulong workspace_tile, uint width, uint column, uint rows,
                             uint group, global const network_layer *layers, uint layer_count, ulong losses,
                             global float *slots, ulong slot_floats, global float *parameters, global float *panels,
                             float inverse_rows,
                             uint rule, uint states, global float *state, global const update_constants *constants,
                             global const update_rates *rates, int update, global uint *results, uint step,
                             float zero) {
    uint item = (uint)get_global_id(0), index = (uint)get_global_id(1), first_tile = index * group;
    uint tiles = (rows + TILE_ROWS - 1) / TILE_ROWS - first_tile;
    network_tensors tensors = {input + input_offset, workspace, input_tile,  workspace_tile, width, column,
                               rows,                 layers,    layer_count, losses,         zero};
    update_target of_all = {parameters, state, slot_floats - 16, inverse_rows, rule, states, *constants, rates[step]};
    network_target target;
    aim(&target, &of_all, panels, slots + index * slot_floats, update, results + 3 * step);
    network_item(tensors, target, item, first_tile, tiles < group ? tiles : group);
}

/*
 * Rows and gradients of one tile after the other, so that its tensors never leave the cache. Work-item (group of `group`
 * tiles): its workspace is one tile, and so is its input unless that is assembled, its scratch the levels of the tree,
 * slot_floats apart. See add_to_tree.
 */
kernel void network_tiles(global float *input, ulong input_offset, ulong input_tile, global float *workspace,
                          ulong workspace_tile, BATCH_ARGUMENTS, uint group, global float *slots, ulong slot_floats,
                          global float *scratch, ulong scratch_floats) {
    network_batch batch = BATCH;
    uint item = (uint)get_global_id(0), tiles = (rows + TILE_ROWS - 1) / TILE_ROWS - item * group;
    global float *tensors = workspace + item * workspace_tile;
    network_order order = order_of(&batch);
    network_target target = {.slot = slots + item * slot_floats, .floats = slot_floats - 16};
    if (tiles > group) tiles = group;
    for (uint index = 0; index < tiles; index++) {
        uint tile = item * group + index, used = rows_of_tile(rows, tile);
        global float *x = input + input_offset + (assembled ? tile : item) * input_tile;
        for (uint lane = 0; lane < used; lane += 32)
            network_columns_2(batch, &order, (network_place){tile, lane, 1, x, tensors});
        for (uint l = 0; l < layer_count; l++) {
            global const network_layer *layer = layers + l;
            global const float *a = l == 0 && layer->threshold == 0 ? x : tensors + layer->source * width;
            network_share s = {a, tensors + layer->kept * width, 0, 0, width, 32, used, 0, 1, zero};
            uint size = (uint)layer->block;
            for (uint block = 0; block < (layer->inputs + size - 1) / size + 1; block++)
                network_block(s, target, layer, block, l + 1 == layer_count ? tensors + losses * width : NULL);
        }
        add_to_tree(target.slot, scratch + item * scratch_floats, (uint)slot_floats, index, index + 1 == tiles);
    }
}
