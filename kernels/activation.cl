/* Activations, elementwise. Work-item (lanes, unit, tile). See activation.c. */
#include "kernels/activation.h"
#include "kernels/tile.h"

#define DEFINE_ACTIVATION(name, NAME, FROM)                                                                          \
    kernel void activation_forward_##name(global float *workspace, ulong source, ulong target, ulong tile_floats,    \
                                          uint width, uint rows) {                                                   \
        uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2), lanes = lanes_of_tile(rows, tile);        \
        ulong line = tile * tile_floats + (ulong)unit * width;                                                       \
        for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR) { \
            real z = load_real(workspace + source + line + lane);                                                    \
            store_real(canonical(activation_##name(z)), workspace + target + line + lane);                           \
        }                                                                                                            \
    }                                                                                                                \
                                                                                                                     \
    kernel void activation_backward_##name(global float *workspace, ulong source, ulong from, ulong target,          \
                                           ulong tile_floats, uint width, uint rows) {                               \
        uint unit = (uint)get_global_id(1), tile = (uint)get_global_id(2), lanes = lanes_of_tile(rows, tile);        \
        ulong line = tile * tile_floats + (ulong)unit * width;                                                       \
        for (uint lane = (uint)get_global_id(0) * VECTOR; lane < lanes; lane += (uint)get_global_size(0) * VECTOR) { \
            real delta = load_real(workspace + source + line + lane);                                                \
            real value = load_real(workspace + from + line + lane);                                                  \
            store_real(flush_tiny(activation_##name##_backward(delta, value)), workspace + target + line + lane);    \
        }                                                                                                            \
    }

ACTIVATION_LIST(DEFINE_ACTIVATION)
