/*
 * How work is cut: into tiles, lanes, columns, chunks and blocks. Numbers alone, shared by C17 and OpenCL C; README.md
 * has a picture. What says "contract" decides bits, the rest only speed.
 *
 * VECTOR is 16 where 16 lanes lie in one real (CPU devices), else 1.
 */
#ifndef TANDA_KERNELS_GEOMETRY_H
#define TANDA_KERNELS_GEOMETRY_H

#define TILE_ROWS 256 /* instances of a full tile (contract 3) */
#define TILE_LANES 16 /* rows go in groups of 16 lanes; lanes of the narrow sums (contract 3) */
#define CHUNK 256     /* terms of one chain of a dense sum or of a sum over classes (contract 2) */
#define WIDE_OUTPUTS \
    16 /* layers with at least so many outputs sum weight gradients row by row (contract 3) */
#define SQUARES_CHUNK \
    256 /* packed gradients whose squares are added in lanes, before the tree (contract 5) */

#define COLUMN_LANES 32 /* lanes of a column of a tile, which is (columns, units, 32) */
#define MOST_LEVELS 6   /* of the tree over a group of tiles: */
#define MOST_GROUP_TILES (1 << MOST_LEVELS)
#define FAN_LEVELS 3 /* that one pass of the tree takes over slots: it leaves the first of */
#define FAN_IN (1 << FAN_LEVELS)

/*
 * Outputs and vectors of lanes of a block of dense.cl, whose sums stay in registers, in three sizes: on CPU devices the
 * lanes decide, else the outputs, and many work-items hide the latency. See dropout.cl for the last.
 */
#define LARGE_OUTPUTS(VECTOR) ((VECTOR) == 16 ? 6 : 8)
#define LARGE_VECTORS(VECTOR) ((VECTOR) == 16 ? 4 : 1)
#define MEDIUM_OUTPUTS(VECTOR) ((VECTOR) == 16 ? 12 : 4)
#define MEDIUM_VECTORS(VECTOR) ((VECTOR) == 16 ? 2 : 1)
#define SMALL_OUTPUTS(VECTOR) ((VECTOR) == 16 ? 12 : 1)
#define SMALL_VECTORS(VECTOR) 1
#define SCALAR_GROUP 64                                 /* work-items of a group where VECTOR is 1 */
#define DROPOUT_UNITS(VECTOR) ((VECTOR) == 16 ? 32 : 4) /* that a work-item takes */

/*
 * Of the perceptron. Columns of few features are worked on together: as many sums at once as hide the latency of fma. Of
 * many, the lane sums of the gradient leave the first-level cache: two columns then share each pass over them.
 *
 * The hardware's own prefetching pauses while deltas are computed, so each line of the data is asked for once, in the
 * order of memory: forward of a block of columns asks for as many lines as half of the block has, and gradient for as
 * many again. So that forward, which reads twice as fast, does not overtake, it begins half a block and 8 KiB ahead.
 */
#define FEW_FEATURES 8
#define LEAST_PAIR_FEATURES 160
#define AHEAD 2048

/* What `tanda bench` measures limits with: loads and chains that do not wait for one another. */
#define READS_AT_ONCE 8
#define FMA_CHAINS \
    12 /* twice what latency times throughput asks for on today's cores; AVX2 has 16 registers */

#endif
