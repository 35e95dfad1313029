/*
 * Chains of fma: the loop of dense layers forward, backward to the input, and of the weight gradient of wide
 * layers, in blocks of results x vectors that stay in registers. See dense.cl.
 */
#ifndef TANDA_OPENMP_CHAINS_H
#define TANDA_OPENMP_CHAINS_H

#include "backend/openmp/tile.h"

/*
 * How the operands lie: X(name, line step, line group, factor step, factor apart, run, panels), where 0 means that the
 * task says it. The loops of a block know these numbers when they are compiled. With `panels` the factors of a block's
 * results may lie in two panels.
 */
#define CHAIN_LAYOUT_LIST(X) \
    X(forward, COLUMN_LANES, TILE_LANES, PANEL, 1, CHUNK, true) \
    X(backward, COLUMN_LANES, TILE_LANES, 1, PANEL, PANEL, false) /* one line of a panel for each result */ \
    X(gradient, PANEL, TILE_ROWS *PANEL, 1, COLUMN_LANES, COLUMN_LANES, false) /* from panels of delta */ \
    X(narrow, COLUMN_LANES, TILE_LANES, 0, 0, CHUNK, false) /* weights (K, H), either way */

typedef enum chain_layout {
#define CHAIN_LAYOUT_ENUM(name, ...) CHAINS_##name,
    CHAIN_LAYOUT_LIST(CHAIN_LAYOUT_ENUM)
#undef CHAIN_LAYOUT_ENUM
} chain_layout;

/*
 * For results j in [first, end) and lanes l in [0, lanes):
 *
 *   result(j, l) = start[j * start_step] + chain over t in [from, to) of line(t, l) * factor(t, j)
 *   line(t, l)   = lines[t * line_step + l / 16 * line_group + l % 16]
 *   factor(t, j) = factors[t / run * run_stride + t % run * step + j / 16 * group + j % 16 * apart]
 *   result(j, l) = results[j * line_step + l / 16 * result_group + l % 16]
 *
 * `from` is a multiple of CHUNK. Where it is not 0, the chain is added to what the result holds instead of start, of which -0 counts as +0. The last
 * chunk, to == terms, goes through what is asked for below, and then adds the partials below, which
 * are laid out like results, one after the other (contract 4). No result is -0.
 */
typedef struct chains {
    chain_layout layout;
    const float *lines;
    struct {
        const float *lines; /* NULL, or those that the next task reads, in a row, */
        size_t count;       /* of 16 values */
    } ahead;
    struct {
        const float *values;
        size_t step, apart; /* of narrow ones */
        size_t group, run_stride;
    } factors;
    const float *start;
    size_t start_step; /* 0 or 1 */
    float *results;
    size_t result_group;
    struct {
        const float *partials[MOST_LEVELS + 1];
        size_t count;
    } below;
    size_t terms, from, to; /* from < to */
    size_t lanes;           /* a multiple of TILE_LANES */
    size_t first, end;
    bool flush;        /* flush_tiny() */
    bool relu;         /* results that are not above 0 become +0, NaN stays; */
    const float *gate; /* or those where this, laid out like results, is not above 0; NULL: none */
    /* NULL, or of a gradient: results become the mean over the rows, by which the weights, laid out alike, change. */
    descent *descent;
    float *weights;
} chains;

/* The start of sums that begin at +0. */
static const float no_start = 0.0f;

#ifdef TANDA_ISA
void ISA_NAME(run_chains)(const chains *chains);
#endif

#endif
