/*
 * Chains of fma: the loop of dense layers forward, backward to the input, and of the weight gradient of wide
 * layers, in blocks of results x vectors that stay in registers. See dense.cl.
 */
#ifndef TANDA_OPENMP_CHAINS_H
#define TANDA_OPENMP_CHAINS_H

#include "backend/openmp/tile.h"

/*
 * For results j in [first, end) and lanes l in [0, lanes):
 *
 *   result(j, l) = start[j * start_step] + chain over t in [from, to) of line(t, l) * factor(t, j)
 *   line(t, l)   = lines[t * line_step + l / 16 * line_group + l % 16]
 *   factor(t, j) = factors[t / run * run_stride + t % run * factor_step + j / 16 * factor_group + j % 16 * factor_apart]
 *   result(j, l) = results[j * result_stride + l / 16 * result_group + l % 16]
 *
 * Where from > 0, the chain is added to what the result holds instead of start. The last chunk, to == terms,
 * stores through vec_keep_from(.., limit), and then adds the partials below[0 .. below_count), which are laid out
 * like results, one after the other (contract 4).
 */
typedef struct chains {
    const float *lines;
    size_t line_step, line_group;
    const float *factors;
    size_t factor_step, factor_apart, factor_group, run, run_stride;
    const float *start;
    size_t start_step; /* 0 or 1 */
    float *results;
    size_t result_stride, result_group;
    const float *below[MOST_GROUP_LEVELS + 1];
    size_t below_count;
    size_t terms, from, to;
    size_t lanes; /* a multiple of TILE_LANES */
    size_t first, end;
    size_t
        most; /* results of a block: 8 where factor_group is not 16 * factor_apart, as blocks take successive ones */
    float limit;
} chains;

#define CHUNK TILE_ROWS /* terms of one chain (contract 2); `from` is a multiple of it */

/* The start of sums that begin at +0. */
static const float no_start = 0.0f;

#ifdef TANDA_ISA
void ISA_NAME(run_chains)(const chains *chains);
#endif

#endif
