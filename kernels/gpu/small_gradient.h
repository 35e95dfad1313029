/*
 * Gradients of a small net inside a tile on GPUs, in the order of contract 3, for one block of weights or some lines of
 * deltas or losses in a work-group. OpenCL C only.
 */
#ifndef TANDA_KERNELS_GPU_SMALL_GRADIENT_H
#define TANDA_KERNELS_GPU_SMALL_GRADIENT_H

#include "kernels/arguments/gpu_small.h"
#include "kernels/exact.h"
#include "kernels/tile.h"

#define BLOCK 32                           /* inputs and outputs of a block of a wide layer */
#define STRIP 64                           /* rows that lie in local memory at a time */
#define STRIP_QUADS (STRIP / 4)            /* a power of two */
#define PITCH (STRIP_QUADS + 1)            /* in float4: lines begin four banks apart */
#define HELD (2 * BLOCK * STRIP / 4 / 256) /* float4 of a strip on their way in a work-item */
#define LANES_APART 17                     /* floats between the lanes of two sums */
#define GRADIENT_QUADS (2 * BLOCK * PITCH)

/* A tile's tensors, (units, width), and where its sums go. */
typedef struct small_tile {
    global const float *values;
    global float *slot;
    uint width, used;
} small_tile;

/* Rows beyond the last, which a chain does not have, become +0. */
INLINE float4 used_rows(float4 v, uint row, uint used) {
    if (row + 4 <= used) return v;
    return (float4)(row < used ? v.x : 0.0f, row + 1 < used ? v.y : 0.0f, row + 2 < used ? v.z : 0.0f, 0.0f);
}

/* A strip from row `first` on of the block's lines: of inputs, then of deltas. */
INLINE void hold_strip(small_tile tile, gpu_small_block block, uint first, uint t, float4 *held) {
    UNROLL_FOR (uint i = 0; i < HELD; i++) {
        uint line = (t + 256 * i) / STRIP_QUADS, row = first + (t + 256 * i) % STRIP_QUADS * 4;
        uint at = line % BLOCK, count = line < BLOCK ? block.inputs : block.outputs;
        uint unit = (line < BLOCK ? block.source : block.delta) + at;
        held[i] = (float4)(0.0f);
        if (at < count && row < tile.used)
            held[i] = used_rows(*(global const float4 *)(tile.values + (ulong)unit * tile.width + row), row,
                                tile.used);
    }
}

INLINE void put_strip(local float4 *lines, uint t, const float4 *held) {
    UNROLL_FOR (uint i = 0; i < HELD; i++)
        lines[(t + 256 * i) / STRIP_QUADS * PITCH + (t + 256 * i) % STRIP_QUADS] = held[i];
}

INLINE float add_rows(float4 a, float4 delta, float sum) {
    return fma(a.w, delta.w, fma(a.z, delta.z, fma(a.y, delta.y, fma(a.x, delta.x, sum))));
}

/* Of a layer with WIDE_OUTPUTS or more work-item t has inputs t / 16 and outputs t % 16, and those 16 on. */
INLINE void add_wide(local const float4 *lines, uint quads, uint t, float *sums) {
    local const float4 *a = lines + t / 16 * PITCH, *delta = lines + (BLOCK + t % 16) * PITCH;
    for (uint q = 0; q < quads; q++) {
        float4 a0 = a[q], a1 = a[16 * PITCH + q], d0 = delta[q], d1 = delta[16 * PITCH + q];
        sums[0] = add_rows(a0, d0, sums[0]);
        sums[1] = add_rows(a0, d1, sums[1]);
        sums[2] = add_rows(a1, d0, sums[2]);
        sums[3] = add_rows(a1, d1, sums[3]);
    }
}

/* Of a narrow one it has input t / 16 and four outputs, in lane t % 16. */
INLINE void add_narrow(local const float4 *lines, uint t, float *sums) {
    local const float *a = (local const float *)(lines + t / 16 * PITCH) + t % 16;
    local const float *delta = (local const float *)(lines + BLOCK * PITCH) + t % 16;
    UNROLL_FOR (uint row = 0; row < STRIP; row += TILE_LANES)
        UNROLL_FOR (uint h = 0; h < 4; h++)
            sums[h] = fma(a[row], delta[h * 4 * PITCH + row], sums[h]);
}

/* Of lines it has one, t / 16, in lane t % 16. */
INLINE void add_line(local const float4 *lines, uint t, float *sums) {
    local const float *line = (local const float *)(lines + (BLOCK + t / 16) * PITCH) + t % 16;
    UNROLL_FOR (uint row = 0; row < STRIP; row += TILE_LANES)
        sums[0] = sums[0] + line[row];
}

/* The sum of 16 lanes. */
INLINE float folded(local const float *lanes) {
    return fold_lanes((float16)(lanes[0], lanes[1], lanes[2], lanes[3], lanes[4], lanes[5], lanes[6],
                                lanes[7], lanes[8], lanes[9], lanes[10], lanes[11], lanes[12], lanes[13],
                                lanes[14], lanes[15]));
}

INLINE void write_wide(small_tile tile, gpu_small_block block, uint t, float zero, const float *sums) {
    UNROLL_FOR (uint i = 0; i < 4; i++) {
        uint input = t / 16 + i / 2 * 16, output = t % 16 + i % 2 * 16;
        if (input < block.inputs && output < block.outputs)
            tile.slot[block.target + input * block.stride + output] = canonical(zero + sums[i]);
    }
}

/* Sums in lanes are folded: of input and output, or line, t / 4 and t % 4; lines alone have no inputs. */
INLINE void write_lanes(small_tile tile, gpu_small_block block, uint t, local const float *lanes) {
    uint input = t / 4, output = t % 4;
    if (block.kind == GPU_SMALL_LINES) {
        input = 0;
        output = t;
        lanes += 3 * LANES_APART * t; /* the first of the line's four */
    }
    if (input < max(block.inputs, 1u) && output < block.outputs)
        tile.slot[block.target + input * block.stride + output] = folded(lanes + t * LANES_APART);
}

/* A block over a tile's rows, strip by strip. All kinds of blocks pass the same barriers. */
INLINE void add_block(small_tile tile, gpu_small_block block, uint t, local float4 *lines, float zero) {
    local float *lanes = (local float *)lines;
    float4 held[HELD];
    float sums[4] = {zero, zero, zero, zero};
    hold_strip(tile, block, 0, t, held);
    for (uint first = 0; first < tile.used; first += STRIP) {
        barrier(CLK_LOCAL_MEM_FENCE);
        put_strip(lines, t, held);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (first + STRIP < tile.used) hold_strip(tile, block, first + STRIP, t, held);
        if (block.kind == GPU_SMALL_WIDE)
            add_wide(lines, min((uint)STRIP_QUADS, (tile.used - first + 3) / 4), t, sums);
        else if (block.kind == GPU_SMALL_NARROW)
            add_narrow(lines, t, sums);
        else
            add_line(lines, t, sums);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (block.kind == GPU_SMALL_WIDE)
        write_wide(tile, block, t, zero, sums);
    else
        UNROLL_FOR (uint h = 0; h < 4; h++)
            lanes[(t / 16 * 4 + h) * LANES_APART + t % 16] = sums[h];
    barrier(CLK_LOCAL_MEM_FENCE);
    if (block.kind != GPU_SMALL_WIDE && t < 64) write_lanes(tile, block, t, lanes);
}

#endif
