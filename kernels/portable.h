/*
 * The shim under every header of this folder: one text, valid in C17 and in OpenCL C 1.2, with equal
 * bits.
 *
 *   real, integer, natural   float, int32, uint32: scalars in C, where compilers vectorise the loop around
 *                            them; in OpenCL vectors of VECTOR elements (1, 2, 4, 8 or 16; 1 if not given)
 *   as_real, as_integer,     the same bits as another type
 *   as_natural
 *   to_real(integer)         the value converted, exact up to 2^24
 *   splat(x)                 a real whose elements all are the float x
 *   fused(a, b, c)           a * b + c with one rounding; floats among the arguments are splat
 *   choose(condition, a, b)  a where the condition holds, else b, for reals; never a branch
 *   choose_natural           the same for naturals
 *   multiply_high(a, b)      upper half of the 64-bit product of two uint
 *   multiply_high_long       likewise, of the 128 bits of two ulong
 *   high_product(a, b)       as multiply_high, of two naturals
 *   uint, ulong              32 and 64 bits
 *
 * A condition is a comparison of two reals, two integers or two naturals; conditions join by & and |.
 * Shared text keeps to these and + - * on reals: no '/', no built-in function, no product added to
 * anything (that is what fused is for), no arithmetic with a literal zero, no double literal, and -0, NaN
 * and infinity go by choose (the reasons are in docs/exactness.md).
 */
#ifndef TANDA_KERNELS_PORTABLE_H
#define TANDA_KERNELS_PORTABLE_H

#ifdef __FAST_MATH__
#error "tanda's kernels need IEEE-754 arithmetic: build without -ffast-math"
#endif

#ifdef __OPENCL_VERSION__

#pragma OPENCL FP_CONTRACT OFF

#ifndef VECTOR
#define VECTOR 1
#endif

#define SHARED static inline

/* One name of two, once macros in them are expanded. */
#define JOINED_AS_THEY_ARE(a, b) a##b
#define JOINED(a, b) JOINED_AS_THEY_ARE(a, b)

#if VECTOR == 1
typedef float real;
typedef int integer;
typedef uint natural;
#define as_real(x) as_float(x)
#define as_integer(x) as_int(x)
#define as_natural(x) as_uint(x)
#define to_real(x) convert_float(x)
#else
typedef JOINED(float, VECTOR) real;
typedef JOINED(int, VECTOR) integer;
typedef JOINED(uint, VECTOR) natural;
#define as_real(x) JOINED(as_float, VECTOR)(x)
#define as_integer(x) JOINED(as_int, VECTOR)(x)
#define as_natural(x) JOINED(as_uint, VECTOR)(x)
#define to_real(x) JOINED(convert_float, VECTOR)(x)
#endif

#define splat(x) ((real)(x))
#define fused(a, b, c) fma((real)(a), (real)(b), (real)(c))
#define choose(condition, a, b) select((real)(b), (real)(a), (condition))
#define choose_natural(condition, a, b) select((natural)(b), (natural)(a), (condition))
#define multiply_high(a, b) mul_hi((uint)(a), (uint)(b))
#define multiply_high_long(a, b) mul_hi((ulong)(a), (ulong)(b))
#define high_product(a, b) mul_hi((natural)(a), (natural)(b))
#define POSITIVE_INFINITY INFINITY
#define QUIET_NAN NAN

#else /* C */

#include <float.h>
#include <stdint.h>
#include <sys/types.h>

_Static_assert(FLT_EVAL_METHOD == 0, "float expressions must be evaluated in binary32");
_Static_assert(sizeof(float) == 4 && FLT_MANT_DIG == 24 && FLT_MAX_EXP == 128, "float must be binary32");

#define SHARED static inline

/* glibc's sys/types.h has these two names already; C11 allows to repeat a typedef that agrees. */
typedef unsigned int uint;
typedef unsigned long ulong;
_Static_assert(sizeof(uint) == 4 && sizeof(ulong) == 8, "uint has 32 bits and ulong 64, as in OpenCL");

typedef float real;
typedef int32_t integer;
typedef uint32_t natural;

SHARED real real_of_natural(natural x) {
    real result;
    __builtin_memcpy(&result, &x, sizeof result);
    return result;
}

SHARED natural natural_of_real(real x) {
    natural result;
    __builtin_memcpy(&result, &x, sizeof result);
    return result;
}

SHARED natural natural_of_integer(integer x) {
    return (natural)x;
}

SHARED natural natural_of_natural(natural x) {
    return x;
}

/* By the argument's type: a float handed to a function of naturals would be converted, not reread. */
#define as_natural(x) \
    _Generic((x), real : natural_of_real, integer : natural_of_integer, natural : natural_of_natural)(x)
#define as_integer(x) ((integer)as_natural(x))
#define as_real(x) real_of_natural(as_natural(x))

SHARED real to_real(integer x) {
    return (real)x;
}

SHARED uint multiply_high(uint a, uint b) {
    return (uint)(((ulong)a * b) >> 32);
}

SHARED ulong multiply_high_long(ulong a, ulong b) {
    return (ulong)(((unsigned __int128)a * b) >> 64);
}

#define high_product(a, b) multiply_high((a), (b))
#define splat(x) ((real)(x))
#define fused(a, b, c) __builtin_fmaf((a), (b), (c))
#define choose(condition, a, b) ((condition) ? (a) : (b))
#define choose_natural(condition, a, b) ((condition) ? (a) : (b))
#define POSITIVE_INFINITY __builtin_inff()
#define QUIET_NAN __builtin_nanf("")

#endif
#endif
