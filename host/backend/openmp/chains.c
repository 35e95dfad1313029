#include "backend/openmp/chains.h"
#include "backend/openmp/vector.h"

#define MOST_SUMS 32 /* registers of the richest instruction set */

/* Where the v-th vector of a block begins, from the block's first lane on. */
#define VECTOR_AT(v, group) ((size_t)(v)*LANES / TILE_LANES * (group) + (size_t)(v)*LANES % TILE_LANES)

/* Where the block of result j and `lane` begins in what is laid out as c->results. */
static inline size_t result_at(const chains *c, size_t j, size_t lane) {
    return j * c->result_stride + lane / TILE_LANES * c->result_group + lane % TILE_LANES;
}

/* sum[o * vectors + v] = the chains of `outputs` results from j and `vectors` vectors from lane. */
SPECIALISED void run_block(const int outputs, const int vectors, const chains *c, size_t j, size_t lane,
                           vec sum[MOST_SUMS]) {
    const size_t step = c->factor_step, apart = c->factor_apart, line_step = c->line_step;
    const size_t line_group = c->line_group, run_stride = c->run_stride, to = c->to;
    const float *line = c->lines + c->from * line_step + lane / TILE_LANES * line_group + lane % TILE_LANES;
    const float *run =
        c->factors + c->from / c->run * run_stride + j / PANEL * c->factor_group + j % PANEL * apart;
    UNROLL for (int i = 0; i < outputs * vectors; i++) sum[i] = vec_zero();
    for (size_t t = c->from; t < to; run += run_stride) {
        const float *factor = run;
        const size_t end = to - t > c->run ? t + c->run : to;
        if (end < to)
            UNROLL for (int o = 0; o < outputs; o++) __builtin_prefetch(run + run_stride + (size_t)o * apart);
        for (; t < end; t++) {
            vec values[4];
            UNROLL for (int v = 0; v < vectors; v++) values[v] = vec_load(line + VECTOR_AT(v, line_group));
            UNROLL for (int o = 0; o < outputs; o++) {
                const vec f = vec_splat(factor[(size_t)o * apart]);
                UNROLL for (int v = 0; v < vectors; v++) sum[o * vectors + v] =
                    vec_fma(values[v], f, sum[o * vectors + v]);
            }
            line += line_step;
            factor += step;
        }
    }
}

/* The general case: other chunks before or after this one, or partials to be added. */
static __attribute__((noinline)) void store_part(int outputs, int vectors, const chains *c, size_t j,
                                                 size_t lane, const vec *sum) {
    for (int o = 0; o < outputs; o++)
        for (int v = 0; v < vectors; v++) {
            const size_t at = result_at(c, j + (size_t)o, lane) + VECTOR_AT(v, c->result_group);
            vec total = c->from > 0 ? vec_load(c->results + at)
                                    : vec_splat(c->start[(j + (size_t)o) * c->start_step]);
            total = vec_add(total, sum[o * vectors + v]);
            if (c->to == c->terms) total = vec_keep_from(total, c->limit);
            for (size_t i = 0; i < c->below_count; i++)
                total = vec_add(vec_load(c->below[i] + at), total);
            vec_store(c->results + at, total);
        }
}

/* The whole of one block. */
SPECIALISED void do_block(const int outputs, const int vectors, const chains *c, size_t j, size_t lane) {
    vec sum[MOST_SUMS];
    run_block(outputs, vectors, c, j, lane, sum);
    if (c->from == 0 && c->to == c->terms && c->below_count == 0) {
        float *result = c->results + result_at(c, j, lane);
        UNROLL for (int o = 0; o < outputs; o++) {
            const vec start = vec_splat(c->start[(j + (size_t)o) * c->start_step]);
            UNROLL for (int v = 0; v < vectors; v++)
                vec_store(result + (size_t)o * c->result_stride + VECTOR_AT(v, c->result_group),
                          vec_keep_from(vec_add(start, sum[o * vectors + v]), c->limit));
        }
    } else {
        vec stored[MOST_SUMS]; /* a copy: sum itself stays in registers */
        UNROLL for (int i = 0; i < outputs * vectors; i++) stored[i] = sum[i];
        store_part(outputs, vectors, c, j, lane, stored);
    }
}

/* X(results, vectors): what the registers hold; for each number of vectors from many to few. */
#if LANES == 16
#define BLOCK_LIST(X) \
    X(12, 2) \
    X(10, 2) \
    X(8, 2) X(6, 2) X(4, 2) X(3, 2) X(2, 2) X(1, 2) X(16, 1) X(8, 1) X(4, 1) X(2, 1) X(1, 1)
#elif LANES == 8
#define BLOCK_LIST(X) X(6, 2) X(4, 2) X(2, 4) X(1, 4) X(2, 2) X(1, 2)
#else
#define BLOCK_LIST(X) X(2, 4) X(1, 4)
#endif
#define DEFINE_BLOCK(OUTPUTS, VECTORS) \
    static void block_##OUTPUTS##x##VECTORS(const chains *c, size_t j, size_t lane) { \
        do_block(OUTPUTS, VECTORS, c, j, lane); \
    }
BLOCK_LIST(DEFINE_BLOCK)

typedef struct block {
    size_t outputs, vectors;
    void (*run)(const chains *c, size_t j, size_t lane);
} block;

#define BLOCK_ENTRY(OUTPUTS, VECTORS) {OUTPUTS, VECTORS, block_##OUTPUTS##x##VECTORS},
static const block blocks[] = {BLOCK_LIST(BLOCK_ENTRY)};

/* The largest block for so many results that fills the lanes without rest; there is one of a single result. */
static inline const block *find_block(size_t outputs, size_t vectors) {
    const block *found = blocks;
    while (found->outputs > outputs || vectors % found->vectors != 0)
        found++;
    return found;
}

void ISA_NAME(run_chains)(const chains *c) {
    const size_t vectors = c->lanes / LANES;
    const bool in_panels = c->factor_group != PANEL * c->factor_apart; /* a block reads one panel */
    for (size_t j = c->first; j < c->end;) {
        size_t left = in_panels && c->end > (j / PANEL + 1) * PANEL ? PANEL - j % PANEL : c->end - j;
        const block *block = find_block(left < c->most ? left : c->most, vectors);
        for (size_t lane = 0; lane < c->lanes; lane += block->vectors * LANES)
            block->run(c, j, lane);
        j += block->outputs;
    }
}
