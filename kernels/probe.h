/*
 * Functions that the self-test and the tests run on a device, elementwise; shared by C17 and OpenCL C.
 * X(name, expression in a, b, c)
 */
#ifndef TANDA_KERNELS_PROBE_H
#define TANDA_KERNELS_PROBE_H

#include "kernels/activation.h"
#include "kernels/exact.h"
#include "kernels/loss.h"
#include "kernels/portable.h"

/* contracted stands apart: it tells whether a raw a * b + c is fused, which exact code never relies on. */
#define PROBE_LIST(X) \
    X(fused, fused(a, b, c)) \
    X(multiply, a *b) \
    X(add, a + b) \
    X(contracted, a *b + c) \
    X(canonical, canonical(a)) \
    X(flush_tiny, flush_tiny(a)) \
    X(reciprocal, exact_reciprocal(a)) \
    X(exp, exact_exp(a)) \
    X(log, exact_log(a)) \
    X(log1p, exact_log1p(a)) \
    X(tanh, exact_tanh(a)) \
    X(sigmoid, exact_sigmoid(a)) \
    X(softplus, exact_softplus(a)) \
    X(relu, activation_relu(a)) \
    X(loss_binary, loss_binary(a, b)) \
    X(from_integer, to_real(as_integer(as_natural(a)))) \
    X(sqrt, exact_sqrt(a)) \
    X(rsqrt, exact_rsqrt(a))

#ifndef __OPENCL_VERSION__
enum probe_function {
#define PROBE_ENUM(name, expression) PROBE_##name,
    PROBE_LIST(PROBE_ENUM)
#undef PROBE_ENUM
        PROBE_COUNT
};
#endif

#endif
