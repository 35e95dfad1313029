/* Weights of rows. Work-item (lanes, unit of the delta or, behind the last, the losses, tile). See weigh.c, weigh.h. */
#include "kernels/arguments/loss.h"
#include "kernels/tile.h"
#include "kernels/weigh.h"

kernel void weigh(global float *workspace, global const float *weight, weigh_arguments a) {
    uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2), lanes = lanes_of_tile(a.rows, tile);
    global float *line = workspace + tile * a.tile_floats + a.losses;
    if (unit < a.outputs) line = workspace + tile * a.tile_floats + a.delta + (ulong)unit * a.width;
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes;
         lane += (uint)get_global_size(0) * VECTOR) {
        real w = load_real(weight + tile * TILE_ROWS + lane), value = load_real(line + lane);
        store_real(unit < a.outputs ? weighed_delta(value, w) : weighed_loss(value, w), line + lane);
    }
}
