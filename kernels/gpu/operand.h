/*
 * Operands of the dense kernels: matrices of terms by lines, of which a group takes STEP terms of its lines at a time into
 * local memory, as (STEP, lines + PAD); OpenCL C only.
 *
 * No work-item leaves a kernel before its barriers: a group that has nothing to do has no terms. PoCL 3.1 takes branches
 * that follow a barrier behind a return as the group's first work-item does.
 */
#ifndef TANDA_KERNELS_GPU_OPERAND_H
#define TANDA_KERNELS_GPU_OPERAND_H

#include "kernels/arguments/gpu_dense.h"
#include "kernels/tile.h"

#define STEP 16 /* terms that local memory holds, twice */
#define PAD 4   /* floats between lines of local memory, against conflicts of its banks */

/* How an operand lies: element (term, line) at term * step + line, or turned, at line * step + term. */
#define TURNED 1
#define NUMBERED 2 /* what is multiplied by step is a row of the data set, which `numbers` names */
#define LOOSE 4    /* lines of memory do not begin at multiples of 16 bytes, or end anywhere */
#define RAGGED 8   /* turned: what lies behind the last term is no number */

typedef struct operand {
    global const float *memory;
    local const ulong *numbers;     /* of terms or, where it is turned, of the group's lines */
    uint step, first, terms, lines; /* the group's first line; what lies beyond terms and lines is +0 */
    uint apart; /* turned: so many floats lie between the first chunk of terms and the second */
} operand;

/* Four floats, or the first `count` of them. */
INLINE float4 load_piece(const int kind, global const float *p, uint count) {
    if ((kind & LOOSE) == 0) return *(global const float4 *)p;
    float4 v = (float4)(0.0f);
    v.x = p[0];
    if (count > 1) v.y = p[1];
    if (count > 2) v.z = p[2];
    if (count > 3) v.w = p[3];
    return v;
}

/* A row of memory, by its number in the data set, or as it lies. */
INLINE global const float *row_of(const int kind, operand o, uint index, uint row) {
    return o.memory + ((kind & NUMBERED) != 0 ? o.numbers[index] * o.step : (ulong)row * o.step);
}

/* Piece number `piece` of those that make STEP terms from `from` on of `lines` lines. */
INLINE float4 fetch_piece(const int kind, const uint lines, operand o, uint from, uint piece) {
    float4 v = (float4)(0.0f);
    if ((kind & TURNED) != 0) {
        uint line = piece / (STEP / 4), term = from + piece % (STEP / 4) * 4;
        if (o.first + line >= o.lines || term >= o.terms) return v;
        uint left = o.terms - term;
        v = load_piece(kind, row_of(kind, o, line, o.first + line) + (term + (from < CHUNK ? 0 : o.apart)),
                       left);
        if ((kind & RAGGED) != 0) {
            v.y = left > 1 ? v.y : 0.0f;
            v.z = left > 2 ? v.z : 0.0f;
            v.w = left > 3 ? v.w : 0.0f;
        }
        return v;
    }
    uint term = from + piece / (lines / 4), line = o.first + piece % (lines / 4) * 4;
    if (term >= o.terms || line >= o.lines) return v;
    return load_piece(kind, row_of(kind, o, term, term) + line, o.lines - line);
}

INLINE void store_piece(const int kind, const uint lines, local float *target, uint piece, float4 v) {
    if ((kind & TURNED) != 0) {
        local float *p = target + piece % (STEP / 4) * 4 * (lines + PAD) + piece / (STEP / 4);
        p[0] = v.x;
        p[lines + PAD] = v.y;
        p[2 * (lines + PAD)] = v.z;
        p[3 * (lines + PAD)] = v.w;
    } else
        *(local float4 *)(target + piece / (lines / 4) * (lines + PAD) + piece % (lines / 4) * 4) = v;
}

#endif
