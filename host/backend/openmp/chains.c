#include "backend/openmp/chains.h"
#include "backend/openmp/vector.h"

/* Where the v-th vector of a block begins, from the block's first lane on. */
#define VECTOR_AT(v, group) ((size_t)(v)*LANES / TILE_LANES * (group) + (size_t)(v)*LANES % TILE_LANES)

/* The whole of one block: OUTPUTS results from j, VECTORS vectors from lane. */
#define DEFINE_BLOCK(OUTPUTS, VECTORS) \
    static void block_##OUTPUTS##x##VECTORS(const chains *c, size_t j, size_t lane) { \
        const size_t step = c->factor_step, apart = c->factor_apart, line_step = c->line_step; \
        const float *line = \
            c->lines + c->from * line_step + lane / TILE_LANES * c->line_group + lane % TILE_LANES; \
        const float *run = \
            c->factors + c->from / c->run * c->run_stride + j / PANEL * c->factor_group + j % PANEL * apart; \
        vec sum[OUTPUTS][VECTORS]; \
        _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) \
            _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) sum[o][v] = vec_zero(); \
        for (size_t t = c->from; t < c->to; run += c->run_stride) { \
            const float *factor = run; \
            size_t end = t + c->run < c->to ? t + c->run : c->to; \
            if (end < c->to) \
                _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) \
                    __builtin_prefetch(run + c->run_stride + (size_t)o * apart); \
            for (; t < end; t++) { \
                vec values[VECTORS]; \
                _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) values[v] = \
                    vec_load(line + VECTOR_AT(v, c->line_group)); \
                _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) { \
                    vec f = vec_splat(factor[(size_t)o * apart]); \
                    _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) sum[o][v] = \
                        vec_fma(values[v], f, sum[o][v]); \
                } \
                line += line_step; \
                factor += step; \
            } \
        } \
        _Pragma("GCC unroll 16") for (int o = 0; o < OUTPUTS; o++) \
            _Pragma("GCC unroll 16") for (int v = 0; v < VECTORS; v++) \
                store(c, j + (size_t)o, lane, v, sum[o][v]); \
    }

static inline __attribute__((always_inline)) void store(const chains *c, size_t j, size_t lane, int v,
                                                        vec sum) {
    const size_t at = j * c->result_stride + lane / TILE_LANES * c->result_group + lane % TILE_LANES +
                      VECTOR_AT(v, c->result_group);
    vec total = c->from > 0 ? vec_load(c->results + at) : vec_splat(c->start == NULL ? 0.0f : c->start[j]);
    total = vec_add(total, sum);
    if (c->to == c->terms) total = vec_keep_from(total, c->limit);
    for (size_t i = 0; i < c->below_count; i++)
        total = vec_add(vec_load(c->below[i] + at), total);
    vec_store(c->results + at, total);
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
