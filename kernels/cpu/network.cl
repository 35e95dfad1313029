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
kernel void network_pack(global const float *parameters, global const network_layer *layers,
                         global float *panels) {
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

INLINE void rows_to_deltas(const int vectors, const network_batch *batch, global float *input,
                           global float *workspace) {
    const network_arguments *a = &batch->a;
    uint lane = (uint)get_global_id(0) * (vectors * 16), tile = (uint)get_global_id(1);
    if (lane >= rows_of_tile(a->rows, tile)) return;
    network_place place = {tile, lane, 1, input + a->input_offset + tile * a->input_tile,
                           workspace + tile * a->workspace_tile};
    network_order order = order_of(batch);
    network_columns(vectors, batch, &order, place);
}

/* Work-item (column of 16 or 32 lanes, tile); input and workspace are tiles of the wave. */
kernel void network_rows(global float *input, global float *workspace, global const float *features,
                         global const int *labels, global const float *weights,
                         global const float *parameters, global const float *panels,
                         global const network_layer *layers, global uint *results, network_arguments a) {
    network_batch batch = {a, features, labels, weights, parameters, panels, layers, results};
    if (a.column == 32)
        rows_to_deltas(2, &batch, input, workspace);
    else
        rows_to_deltas(1, &batch, input, workspace);
}

/* Work-item (block of parameters, group of tiles). */
kernel void network_gradient(global const float *input, global const float *workspace,
                             global const network_layer *layers, global float *slots,
                             global float *parameters, global float *panels, global float *state,
                             global const update_rates *rates, global uint *results, network_arguments a) {
    uint item = (uint)get_global_id(0), index = (uint)get_global_id(1), first_tile = index * a.group;
    uint tiles = (a.rows + TILE_ROWS - 1) / TILE_ROWS - first_tile;
    network_tensors tensors = {
        input + a.input_offset, workspace, a.input_tile, a.workspace_tile, a.width, a.column, a.rows, layers,
        a.layer_count,          a.losses,  a.zero};
    update_target of_all = {parameters, state, a.slot_floats - 16, a.inverse_rows, a.update, rates[a.step]};
    network_target target;
    aim(&target, &of_all, panels, slots + index * a.slot_floats, a.updates, results + 3 * a.step);
    network_item(tensors, target, item, first_tile, min(tiles, a.group));
}

/*
 * Rows and gradients of one tile after the other, so that its tensors never leave the cache. Work-item (group of `group`
 * tiles): its workspace is one tile, and so is its input unless that is assembled, its scratch the levels of the tree,
 * slot_floats apart. See add_to_tree.
 */
kernel void network_tiles(global float *input, global float *workspace, global const float *features,
                          global const int *labels, global const float *weights,
                          global const float *parameters, global const float *panels,
                          global const network_layer *layers, global uint *results, global float *slots,
                          global float *scratch, network_arguments a) {
    network_batch batch = {a, features, labels, weights, parameters, panels, layers, results};
    uint item = (uint)get_global_id(0), tiles = (a.rows + TILE_ROWS - 1) / TILE_ROWS - item * a.group;
    global float *tensors = workspace + item * a.workspace_tile;
    network_order order = order_of(&batch);
    network_target target = {.slot = slots + item * a.slot_floats, .floats = a.slot_floats - 16};
    if (tiles > a.group) tiles = a.group;
    for (uint index = 0; index < tiles; index++) {
        uint tile = item * a.group + index, used = rows_of_tile(a.rows, tile);
        global float *x = input + a.input_offset + (a.assembled ? tile : item) * a.input_tile;
        for (uint lane = 0; lane < used; lane += 32)
            network_columns(2, &batch, &order, (network_place){tile, lane, 1, x, tensors});
        for (uint l = 0; l < a.layer_count; l++) {
            global const network_layer *layer = layers + l;
            global const float *inputs =
                l == 0 && layer->threshold == 0 ? x : tensors + layer->source * a.width;
            network_share s = {inputs, tensors + layer->kept * a.width, 0, 0, a.width, 32, used, 0, 1,
                               a.zero};
            uint size = (uint)layer->block;
            for (uint block = 0; block < (layer->inputs + size - 1) / size + 1; block++)
                network_block(s, target, layer, block,
                              l + 1 == a.layer_count ? tensors + a.losses * a.width : NULL);
        }
        add_to_tree(target.slot, scratch + item * a.scratch_floats, (uint)a.slot_floats, index,
                    index + 1 == tiles);
    }
}
