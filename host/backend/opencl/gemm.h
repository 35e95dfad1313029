/* Dense layers by CLBlast. */
#ifndef TANDA_OPENCL_GEMM_H
#define TANDA_OPENCL_GEMM_H

#include "backend/opencl/wave.h"

/* The three products of a dense layer, over the wave. */
tanda_status opencl_gemm_forward(const context *c, const dense_forward_op *op);
tanda_status opencl_gemm_backward(const context *c, const dense_backward_op *op);
tanda_status opencl_gemm_gradient(const context *c, const dense_gradient_op *op);

#endif
