/*
 * What instructions of PTX mean, in C: translate.py writes `add.rn.f32 %f3, %f1, %f2;` as f3 = add_rn_f32(f1, f2). A
 * register is its bits, an unsigned number. What is not here does not compile: among it all that rounds otherwise than
 * IEEE-754 says (.approx, .ftz) and what ptxas may contract (add.f32 without .rn).
 *
 * A result that is NaN has the one form of NVIDIA's cards, 0x7fffffff.
 */
#ifndef TANDA_TESTS_PTX_INSTRUCTIONS_H
#define TANDA_TESTS_PTX_INSTRUCTIONS_H

#include <string.h>

#include "work_item.h"

#define OPERATION static inline __attribute__((unused))
#define NOT_A_NUMBER 0x7fffffffu

typedef uint64_t u64, b64;
typedef uint32_t u32, b32;
typedef uint16_t u16, b16;
typedef uint8_t u8, b8, pred;
typedef int64_t s64;
typedef int32_t s32;
typedef int16_t s16;
typedef int8_t s8;

/* ---- memory: addresses are those of the host ------------------------------------------------------------- */

OPERATION void *place(work_item *item, u64 address, u64 bytes) {
    if (address % bytes != 0) item->fault(item, "an address is not aligned as its instruction wants it");
    return (void *)address;
}

#define MEMORY(type) \
    OPERATION type ld_##type(work_item *item, u64 address) { \
        type value; \
        memcpy(&value, place(item, address, sizeof value), sizeof value); \
        return value; \
    } \
    OPERATION void st_##type(work_item *item, u64 address, type value) { \
        memcpy(place(item, address, sizeof value), &value, sizeof value); \
    }
MEMORY(u64);
MEMORY(u32);
MEMORY(u16);
MEMORY(u8);
MEMORY(s64);
MEMORY(s32);
MEMORY(s16);
MEMORY(s8);

/* Others may run before an atomic operation, never within. */
#define ATOMIC(name, type, result) \
    OPERATION type atom_##name(work_item *item, u64 address, type a, type b) { \
        item->pause(item); \
        const type old = (type)ld_##type(item, address); \
        (void)a, (void)b; \
        st_##type(item, address, (type)(result)); \
        return old; \
    }
ATOMIC(add_u32, u32, old + a);
ATOMIC(add_s32, u32, old + a);
ATOMIC(inc_u32, u32, old >= a ? 0 : old + 1);
ATOMIC(dec_u32, u32, old == 0 || old > a ? a : old - 1);
ATOMIC(exch_b32, u32, a);
ATOMIC(cas_b32, u32, old == a ? b : old);
ATOMIC(and_b32, u32, old &a);
ATOMIC(or_b32, u32, old | a);
ATOMIC(xor_b32, u32, old ^ a);
ATOMIC(min_u32, u32, old < a ? old : a);
ATOMIC(max_u32, u32, old > a ? old : a);
ATOMIC(min_s32, s32, old < a ? old : a);
ATOMIC(max_s32, s32, old > a ? old : a);

/* ---- whole numbers --------------------------------------------------------------------------------------- */

#define UNARY(name, type, result) \
    OPERATION type name##_##type(type a) { \
        return (type)(result); \
    }
#define BINARY(name, type, result) \
    OPERATION type name##_##type(type a, type b) { \
        return (type)(result); \
    }
#define COMPARED(name, type, result) \
    OPERATION pred setp_##name##_##type(type a, type b) { \
        return (result); \
    }

#define BITS(type) \
    UNARY(mov, type, a); \
    UNARY(not, type, ~a); \
    BINARY(and, type, a &b); \
    BINARY(or, type, a | b); \
    BINARY(xor, type, a ^ b); \
    OPERATION type shl_##type(type a, u32 n) { \
        return (type)(n >= 8 * sizeof a ? 0 : a << n); \
    } \
    OPERATION type selp_##type(type a, type b, pred p) { \
        return p ? a : b; \
    } \
    COMPARED(eq, type, a == b); \
    COMPARED(ne, type, a != b);
BITS(b64);
BITS(b32);
BITS(b16);

/* A signed number wraps as its bits do. */
#define NUMBERS(type, bits, wide) \
    UNARY(neg, type, 0 - (bits)a); \
    BINARY(add, type, (bits)a + (bits)b); \
    BINARY(sub, type, (bits)a - (bits)b); \
    BINARY(mul_lo, type, (bits)((wide)a * (wide)b)); \
    BINARY(mul_hi, type, (wide)a *(wide)b >> (8 * sizeof a)); \
    BINARY(min, type, a < b ? a : b); \
    BINARY(max, type, a > b ? a : b); \
    BINARY(div, type, b == 0 ? (type)-1 : (type)((wide)a / b)); \
    BINARY(rem, type, b == 0 ? a : (type)((wide)a % b)); \
    OPERATION type mad_lo_##type(type a, type b, type c) { \
        return (type)((bits)mul_lo_##type(a, b) + (bits)c); \
    } \
    OPERATION type mad_hi_##type(type a, type b, type c) { \
        return (type)((bits)mul_hi_##type(a, b) + (bits)c); \
    } \
    OPERATION type shr_##type(type a, u32 n) { \
        return (type)(n < 8 * sizeof a ? a >> n : a < 0 ? -1 : 0); \
    } \
    COMPARED(lt, type, a < b); \
    COMPARED(le, type, a <= b); \
    COMPARED(gt, type, a > b); \
    COMPARED(ge, type, a >= b);
__extension__ typedef unsigned __int128 wide_u64;
__extension__ typedef __int128 wide_s64;
NUMBERS(u64, u64, wide_u64);
NUMBERS(u32, u32, u64);
NUMBERS(u16, u32, u64);
NUMBERS(s64, u64, wide_s64);
NUMBERS(s32, u32, s64);
NUMBERS(s16, u32, s64);

#define SAME(type, bits) /* that PTX names by either type */ \
    UNARY(mov, type, a); \
    BINARY(and, type, a &b); \
    COMPARED(eq, type, a == b); \
    COMPARED(ne, type, a != b); \
    OPERATION type selp_##type(type a, type b, pred p) { \
        return p ? a : b; \
    }
SAME(u64, b64);
SAME(u32, b32);
SAME(u16, b16);
SAME(s64, b64);
SAME(s32, b32);
SAME(s16, b16);

#define WIDENED(type, result_type) \
    OPERATION result_type mul_wide_##type(type a, type b) { \
        return (result_type)a * (result_type)b; \
    } \
    OPERATION result_type mad_wide_##type(type a, type b, result_type c) { \
        return (result_type)((u64)((result_type)a * (result_type)b) + (u64)c); \
    }
WIDENED(u32, u64);
WIDENED(s32, s64);
WIDENED(u16, u32);
WIDENED(s16, s32);

OPERATION u32 shr_b32(u32 a, u32 n) {
    return shr_u32(a, n);
}
OPERATION u64 shr_b64(u64 a, u32 n) {
    return shr_u64(a, n);
}
OPERATION u32 popc_b32(u32 a) {
    return (u32)__builtin_popcount(a);
}
OPERATION u32 clz_b32(u32 a) {
    return a == 0 ? 32 : (u32)__builtin_clz(a);
}
OPERATION u32 popc_b64(u64 a) {
    return (u32)__builtin_popcountll(a);
}
OPERATION u32 clz_b64(u64 a) {
    return a == 0 ? 64 : (u32)__builtin_clzll(a);
}
OPERATION u32 brev_b32(u32 a) {
    u32 result = 0;
    for (int i = 0; i < 32; i++)
        result |= (a >> i & 1) << (31 - i);
    return result;
}
OPERATION u32 bfe_u32(u32 a, u32 from, u32 count) {
    from &= 255, count &= 255;
    return from > 31 ? 0 : a >> from & (count > 31 ? ~0u : (1u << count) - 1);
}
OPERATION u64 bfe_u64(u64 a, u32 from, u32 count) {
    from &= 255, count &= 255;
    return from > 63 ? 0 : a >> from & (count > 63 ? ~(u64)0 : ((u64)1 << count) - 1);
}
OPERATION u32 shf_l_wrap_b32(u32 low, u32 high, u32 n) {
    return (u32)((((u64)high << 32 | low) << (n & 31)) >> 32);
}
OPERATION u32 shf_r_wrap_b32(u32 low, u32 high, u32 n) {
    return (u32)(((u64)high << 32 | low) >> (n & 31));
}
OPERATION u32 prmt_b32(u32 a, u32 b, u32 selectors) {
    const u64 bytes = (u64)b << 32 | a;
    u32 result = 0;
    for (int i = 0; i < 4; i++) {
        const u32 selector = selectors >> (4 * i) & 15, byte = (u32)(bytes >> (8 * (selector & 7)) & 255);
        result |= (selector & 8 ? (byte & 128 ? 255u : 0u) : byte) << (8 * i);
    }
    return result;
}

/* ---- conditions ------------------------------------------------------------------------------------------ */

OPERATION pred mov_pred(pred a) {
    return a;
}
OPERATION pred not_pred(pred a) {
    return !a;
}
OPERATION pred and_pred(pred a, pred b) {
    return a & b;
}
OPERATION pred or_pred(pred a, pred b) {
    return a | b;
}
OPERATION pred xor_pred(pred a, pred b) {
    return a ^ b;
}

/* ---- conversions of whole numbers ------------------------------------------------------------------------- */

#define CONVERTED(to, from) \
    OPERATION to cvt_##to##_##from(from a) { \
        return (to)a; \
    }
#define CONVERTED_FROM(from) \
    CONVERTED(u64, from); \
    CONVERTED(s64, from); \
    CONVERTED(u32, from); \
    CONVERTED(s32, from); \
    CONVERTED(u16, from); \
    CONVERTED(s16, from); \
    CONVERTED(u8, from); \
    CONVERTED(s8, from);
CONVERTED_FROM(u64);
CONVERTED_FROM(s64);
CONVERTED_FROM(u32);
CONVERTED_FROM(s32);
CONVERTED_FROM(u16);
CONVERTED_FROM(s16);
CONVERTED_FROM(u8);
CONVERTED_FROM(s8);

/* ---- binary32 --------------------------------------------------------------------------------------------- */

OPERATION float value_of(b32 bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

OPERATION b32 bits_of(float value) {
    b32 bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? NOT_A_NUMBER : bits;
}

OPERATION b32 ld_f32(work_item *item, u64 address) {
    return ld_u32(item, address);
}
OPERATION void st_f32(work_item *item, u64 address, b32 value) {
    st_u32(item, address, value);
}
OPERATION b32 mov_f32(b32 a) {
    return a;
}
OPERATION b32 selp_f32(b32 a, b32 b, pred p) {
    return p ? a : b;
}
OPERATION b32 neg_f32(b32 a) {
    return a ^ 0x80000000u;
}
OPERATION b32 abs_f32(b32 a) {
    return a & 0x7fffffffu;
}
OPERATION b32 add_rn_f32(b32 a, b32 b) {
    return bits_of(value_of(a) + value_of(b));
}
OPERATION b32 sub_rn_f32(b32 a, b32 b) {
    return bits_of(value_of(a) - value_of(b));
}
OPERATION b32 mul_rn_f32(b32 a, b32 b) {
    return bits_of(value_of(a) * value_of(b));
}
OPERATION b32 fma_rn_f32(b32 a, b32 b, b32 c) {
    return bits_of(__builtin_fmaf(value_of(a), value_of(b), value_of(c)));
}

OPERATION pred is_nan(b32 a) {
    return abs_f32(a) > 0x7f800000u;
}

/* Of two zeros, +0 is the greater; of NaN and a number, the number. */
OPERATION b32 max_f32(b32 a, b32 b) {
    if (is_nan(a) || is_nan(b)) return is_nan(a) ? (is_nan(b) ? NOT_A_NUMBER : b) : a;
    return value_of(a) > value_of(b) ? a : value_of(a) < value_of(b) ? b : a & b;
}
OPERATION b32 min_f32(b32 a, b32 b) {
    if (is_nan(a) || is_nan(b)) return is_nan(a) ? (is_nan(b) ? NOT_A_NUMBER : b) : a;
    return value_of(a) < value_of(b) ? a : value_of(a) > value_of(b) ? b : a | b;
}
OPERATION b32 max_NaN_f32(b32 a, b32 b) {
    return is_nan(a) || is_nan(b) ? NOT_A_NUMBER : max_f32(a, b);
}
OPERATION b32 min_NaN_f32(b32 a, b32 b) {
    return is_nan(a) || is_nan(b) ? NOT_A_NUMBER : min_f32(a, b);
}

/* With u after their name, comparisons hold of NaN too. */
#define COMPARED_REALS(name, operator) \
    OPERATION pred setp_##name##_f32(b32 a, b32 b) { \
        return !is_nan(a) && !is_nan(b) && value_of(a) operator value_of(b); \
    } \
    OPERATION pred setp_##name##u_f32(b32 a, b32 b) { \
        return is_nan(a) || is_nan(b) || value_of(a) operator value_of(b); \
    }
COMPARED_REALS(eq, ==);
COMPARED_REALS(ne, !=);
COMPARED_REALS(lt, <);
COMPARED_REALS(le, <=);
COMPARED_REALS(gt, >);
COMPARED_REALS(ge, >=);
OPERATION pred setp_nan_f32(b32 a, b32 b) {
    return is_nan(a) || is_nan(b);
}
OPERATION pred setp_num_f32(b32 a, b32 b) {
    return !is_nan(a) && !is_nan(b);
}

#define TO_REAL(from) \
    OPERATION b32 cvt_rn_f32_##from(from a) { \
        return bits_of((float)a); \
    }
TO_REAL(u64);
TO_REAL(s64);
TO_REAL(u32);
TO_REAL(s32);
TO_REAL(u16);
TO_REAL(s16);
TO_REAL(u8);
TO_REAL(s8);

#endif
