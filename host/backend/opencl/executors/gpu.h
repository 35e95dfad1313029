/*
 * What the executors of the family `gpu` have in common: kernels of kernels/gpu/, one lane in a work-item, local memory
 * and work-groups of up to GPU_GROUP. They fit every device that has as much, and are taken by themselves on GPUs and
 * accelerators.
 */
#ifndef TANDA_OPENCL_GPU_H
#define TANDA_OPENCL_GPU_H

#include "backend/opencl/executors/fused.h"

#define GPU_FAMILY "gpu"
#define GPU_GROUP 256
#define GPU_LOCAL_BYTES ((size_t)32 << 10) /* of local memory: what every kernel has a form for */

/* Whether the device has what such kernels need; else *lack says what is missing. */
bool opencl_gpu_fits(const backend *backend, const char **lack);

/* Whether they are worth while on the device: for `suits`. */
bool opencl_gpu_suits(const backend *backend, const plan *plan, const program_options *options);

/* What a kernel without labels or weights is given instead, it does not look at. */
cl_mem opencl_memory_or_any(const program *program, const buffer *buffer);

/* LOSS_OP_... of an op; LOSS_OP_NONE: it is of no loss. */
uint opencl_loss_op_of(const op *op);

/* Whether rows can be read 16 bytes at a time: a device that shares the host's memory has them where the caller put them. */
bool opencl_rows_are_aligned(const program_options *options, size_t features);

/* The option of a program whose kernels find the rows' numbers: which order it is built for. */
const char *opencl_gpu_order_option(const program *program);

/* A launch in groups of GPU_GROUP of a kernel whose first `fixed` arguments are given once, and stay. */
launch opencl_launch_behind(const context *c, cl_kernel kernel, cl_uint fixed);

#endif
