/*
 * The fast mode's functions: the device's own in place of the exact ones. Included at the end of exact.h when
 * TANDA_NATIVE is defined; OpenCL C only. Bounds: OpenCL C 1.2, section 7.4 (exp, expm1 and log 3 ulp, log1p 2,
 * tanh 5, division 2.5).
 */
#ifndef TANDA_KERNELS_NATIVE_H
#define TANDA_KERNELS_NATIVE_H

#define exact_exp(x) exp(x)
#define exact_exp_nonpositive(x) exp(x)
#define exact_expm1_nonpositive(x) expm1(x)
#define exact_log(x) log(x)
#define exact_log1p(x) log1p(x)
#define exact_tanh(x) tanh(x)
#define exact_reciprocal(x) (splat(1.0f) / (x))
#define exact_sigmoid(x) (splat(1.0f) / (splat(1.0f) + exp(-(x))))
#define exact_softplus(x) (fmax((x), splat(0.0f)) + log1p(exp(-fabs(x))))

#endif
