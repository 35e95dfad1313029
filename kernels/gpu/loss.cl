/* Losses of layers of many outputs on GPUs: a group takes LOSS_ROWS rows. See gpu/group_loss.h. */
#include "kernels/exact.h"
#include "kernels/gpu/group_loss.h"
#include "kernels/gpu/rows.h"

/* Group (LOSS_ROWS rows, tile). */
kernel __attribute__((reqd_work_group_size(DENSE_ITEMS, 1, 1))) void
gpu_loss(global float *workspace, global const int *labels, global const float *weights, global uint *results,
         gpu_loss_arguments a) {
    local float terms[LOSS_CHUNKS * LOSS_PITCH], sums[LOSS_CHUNKS * LOSS_ROWS], values[DENSE_ITEMS];
    local int numbers[DENSE_ITEMS];
    const uint lane = (uint)get_group_id(0) * LOSS_ROWS + (uint)get_local_id(0) % LOSS_ROWS,
               tile = (uint)get_group_id(1), rows = rows_of_tile(a.rows, tile);
    const uint outputs = lane < lanes_of_tile(a.rows, tile) ? a.outputs : 0;
    row_place place = {workspace + tile * a.tile_floats,         lane, rows, a.width, outputs,
                       number_of_lane(a.order, tile, lane, rows)};
    loss_memory memory = {terms, sums, values, numbers};
    run_group_loss(place, a.steps, labels, weights, results, memory);
}
