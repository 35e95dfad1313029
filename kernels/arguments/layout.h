/*
 * The structs that C and a device both read; shared by C17 and OpenCL C. X(name, its last member, bytes).
 *
 * The bytes are those of all members together. So a compiler that needs as many puts nothing between them, and with this
 * every member's place is the same. C is held to it here, and each device is asked by the kernel `layout`.
 */
#ifndef TANDA_KERNELS_ARGUMENTS_LAYOUT_H
#define TANDA_KERNELS_ARGUMENTS_LAYOUT_H

#include "kernels/arguments/activation.h"
#include "kernels/arguments/dense.h"
#include "kernels/arguments/dropout.h"
#include "kernels/arguments/gather.h"
#include "kernels/arguments/gpu_dense.h"
#include "kernels/arguments/gpu_perceptron.h"
#include "kernels/arguments/gpu_small.h"
#include "kernels/arguments/limits.h"
#include "kernels/arguments/loss.h"
#include "kernels/arguments/network.h"
#include "kernels/arguments/order.h"
#include "kernels/arguments/perceptron.h"
#include "kernels/arguments/probe.h"
#include "kernels/arguments/update.h"

#define LAYOUT_LIST(X) \
    X(activation_arguments, rows, 40) \
    X(dense_arguments, zero, 72) \
    X(gradient_arguments, zero, 72) \
    X(transpose_arguments, stride, 40) \
    X(sum_arguments, zero, 64) \
    X(bias_arguments, reserved, 32) \
    X(dropout_arguments, scale, 80) \
    X(row_part, rows, 16) \
    X(row_order, reserved, 64) \
    X(order_arguments, has_weights, 120) \
    X(gather_arguments, in_parts, 64) \
    X(row_source, epoch, 80) \
    X(dense_tail, scale, 64) \
    X(gpu_layer_arguments, zero, 232) \
    X(gpu_update_arguments, inverse_rows, 64) \
    X(gpu_gradient_arguments, zero, 256) \
    X(loss_steps, zero, 136) \
    X(gpu_loss_arguments, reserved, 240) \
    X(gpu_output_arguments, steps, 600) \
    X(gpu_narrow_arguments, zero, 344) \
    X(read_arguments, reads, 24) \
    X(fma_arguments, more, 16) \
    X(atomic_arguments, rounds, 8) \
    X(loss_rule, mean, 52) \
    X(loss_arguments, zero, 112) \
    X(softmax_arguments, zero, 40) \
    X(weigh_arguments, reserved, 40) \
    X(network_arguments, zero, 328) \
    X(network_layer, first_item, 152) \
    X(perceptron_arguments, zero, 280) \
    X(gpu_perceptron_arguments, loss, 296) \
    X(gpu_small_layer, scale, 56) \
    X(gpu_small_block, reserved, 32) \
    X(gpu_small_arguments, rule, 256) \
    X(probe_arguments, function, 8) \
    X(merge_arguments, distance, 16) \
    X(add_arguments, floats, 24) \
    X(rule_arguments, states, 44) \
    X(update_constants, epsilon, 36) \
    X(update_rates, decay, 8) \
    X(update_arguments, inverse_rows, 72) \
    X(square_arguments, zero, 12) \
    X(bias_range, end, 16)

#ifndef __OPENCL_VERSION__
#define LAYOUT_ASSERT(name, last, bytes) \
    _Static_assert(sizeof(name) == (bytes) && \
                       __builtin_offsetof(name, last) == (bytes) - sizeof((name){0}.last), \
                   "no member of " #name " is missing and nothing lies between them");
LAYOUT_LIST(LAYOUT_ASSERT)
#undef LAYOUT_ASSERT
#endif

#endif
