/*
 * Strips of rows, which a group of work-items reads where they lie, into local memory: the sizes are those of
 * gpu/perceptron.cl. OpenCL C only.
 */
#ifndef TANDA_KERNELS_GPU_STRIP_H
#define TANDA_KERNELS_GPU_STRIP_H

#include "kernels/arguments/gpu_perceptron.h"
#include "kernels/gpu/aside.h"
#include "kernels/gpu/order.h"
#include "kernels/gpu/row_loss.h"
#include "kernels/tile.h"

#define ITEMS 256
#define GROUP_OF_ITEMS __attribute__((reqd_work_group_size(ITEMS, 1, 1)))
#define CHUNKS ((QUADS + 3) / 4) /* of CHUNK features */
#define SUMS (QUADS * OUTPUTS)   /* float4 of a work-item */
#define FOLDS (SUMS < 4 ? SUMS : 4)
#define ROUNDS ((SUMS + FOLDS - 1) / FOLDS)
#define FOLDED_QUADS (FOLDS * ITEMS + ITEMS / 4 + ROUNDS * ITEMS / 4 + TILE_LANES / 4)
#define LANE_ROWS ((STRIP + TILE_LANES - 1) / TILE_LANES) /* rows of a lane in a strip */

/* In floats: what all of a group's local memory is, so that 32 KB hold it beside that of the update, and what has a fixed place. */
#define LOCAL_FLOATS 7900
#define PART_FLOATS (CHUNKS > 1 ? CHUNKS * OUTPUTS * STRIP : 1)
#define FIXED_FLOATS (STRIP * (OUTPUTS + 2) + PART_FLOATS + OUTPUTS + 8)

#if PIECE == 4
typedef float4 piece;
#else
typedef float piece;
#endif

/*
 * A row in pieces, and what finds the row of a strip's piece without a division: 2^32 / pieces, rounded up, if they are
 * several. It lies in local memory: else compilers keep what follows from it for each of LOADS pieces in registers from strip to strip.
 */
typedef struct row_pieces {
    uint count, inverse;
} row_pieces;

/* Local memory. */
typedef struct workplace {
    local float4 *x;       /* (STRIP, pitch); and what is folded */
    local float4 *weights; /* (OUTPUTS, quads) */
    local float *biases;
    local float *lines;  /* (OUTPUTS + 1, STRIP): deltas and losses */
    local float *parts;  /* (CHUNKS, OUTPUTS, STRIP) */
    local uint *numbers; /* rows of the next strip */
    local uint *correct;
    local const row_pieces *pieces;
    uint quads, pitch; /* of a row, in float4; an odd pitch keeps to all banks */
} workplace;

/* Where a strip lies: from `at` on in a batch, of which the group has the rows up to `end`. */
typedef struct strip_place {
    ulong first_row;
    uint epoch, rows, at, end, steps;
} strip_place;

INLINE uint rows_of_strip(strip_place place) {
    return min(place.end - place.at, (uint)STRIP);
}

/* Whether a strip is the last of its tile, and of its batch. */
INLINE int ends_batch(strip_place place) {
    return place.end - place.at <= STRIP;
}

INLINE int ends_tile(strip_place place) {
    return ends_batch(place) || (place.at + STRIP) % TILE_ROWS == 0;
}

/* The strip that follows; none where no step is left. */
INLINE strip_place strip_after(strip_place place, gpu_perceptron_arguments a) {
    if (!ends_batch(place)) {
        place.at += STRIP;
        return place;
    }
    place.steps--;
    place.first_row += a.batch_rows;
    if (place.first_row >= a.order.rows) place.first_row = 0, place.epoch++;
    place.rows = (uint)min(a.order.rows - place.first_row, a.batch_rows);
    place.at = 0;
    place.end = place.rows;
    return place;
}

/* ---- rows -------------------------------------------------------------------------------------------------- */

/*
 * The number of a strip's row t; the keys are those of a strip before.
 */
ASIDE uint row_number(strip_place place, uint t, order_keys *keys, gpu_perceptron_arguments a) {
    ulong position = place.first_row + place.at + t;
    if (a.order.kind == SHUFFLE_NONE) return (uint)position;
    row_order order = built_order(a.order);
    order_seek_epoch(order, keys, place.epoch);
    return t < rows_of_strip(place) ? (uint)order_find_row(order, keys, position) : 0;
}

/* Exact as long as the number times the count keeps below 2^32. */
INLINE uint row_of_piece(row_pieces pieces, uint number) {
    return pieces.count > 1 ? mul_hi(number, pieces.inverse) : number;
}

/* A work-item's pieces of a strip, ITEMS apart; 0 of rows that are not there. */
ASIDE void fetch(global const float *features, workplace place, uint used, uint t, piece *held) {
    row_pieces pieces = *place.pieces;
    UNROLL_FOR (uint i = 0; i < LOADS; i++) {
        uint number = t + ITEMS * i, row = row_of_piece(pieces, number);
        piece value = (piece)(0.0f);
        if (row < used)
            value = ((global const piece *)
                         features)[(ulong)place.numbers[row] * pieces.count + number - row * pieces.count];
        held[i] = value;
    }
}

ASIDE void lay_down(workplace place, uint t, const piece *held) {
    row_pieces pieces = *place.pieces;
    UNROLL_FOR (uint i = 0; i < LOADS; i++) {
        uint number = t + ITEMS * i, row = row_of_piece(pieces, number);
        if (row < STRIP)
            ((local piece *)(place.x + row * place.pitch))[number - row * pieces.count] = held[i];
    }
}

INLINE row_label label_of(global const int *labels, global const float *weights, ulong row,
                          gpu_perceptron_arguments a) {
    row_label label = {0, labels + row * a.loss.targets, 1.0f};
    label.bits = label.targets[0];
    if (a.weighted) label.weight = weights[row];
    return label;
}

#endif
