/* Activations, elementwise. Work-item (lanes, unit, tile). See activation.c. */
#include "kernels/activate.h"
#include "kernels/arguments/activation.h"

INLINE void forward(const uint function, global float *workspace, activation_arguments a) {
    uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2), lanes = lanes_of_tile(a.rows, tile);
    uint rows = rows_of_tile(a.rows, tile);
    ulong line = tile * a.tile_floats + (ulong)unit * a.width;
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes;
         lane += (uint)get_global_size(0) * VECTOR) {
        real z = load_real(workspace + a.source + line + lane);
        /* lanes without rows: see activation.c */
        store_real(clear_unused(activate(function, z), lane, rows), workspace + a.target + line + lane);
    }
}

INLINE void backward(const uint function, global float *workspace, activation_arguments a) {
    uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2), lanes = lanes_of_tile(a.rows, tile);
    ulong line = tile * a.tile_floats + (ulong)unit * a.width;
    for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes;
         lane += (uint)get_global_size(0) * VECTOR) {
        real delta = load_real(workspace + a.source + line + lane);
        real value = load_real(workspace + a.from + line + lane);
        store_real(activate_backward(function, delta, value), workspace + a.target + line + lane);
    }
}

#define DEFINE_ACTIVATION(name, NAME, FROM) \
    kernel void activation_forward_##name(global float *workspace, activation_arguments a) { \
        forward(ACTIVATION_##NAME, workspace, a); \
    } \
    kernel void activation_backward_##name(global float *workspace, activation_arguments a) { \
        backward(ACTIVATION_##NAME, workspace, a); \
    }
ACTIVATION_LIST(DEFINE_ACTIVATION)
