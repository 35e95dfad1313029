#include "backend/openmp/chains.h"
#include "backend/openmp/vector.h"

#define MOST_SUMS 32 /* registers of the richest instruction set */
#define QUAD 4       /* results whose factors lie in one panel */
#define MOST_QUADS (PANEL / QUAD)

/* Where the v-th vector of a block begins, from the block's first lane on. */
#define VECTOR_AT(v, group) ((size_t)(v)*LANES / TILE_LANES * (group) + (size_t)(v)*LANES % TILE_LANES)

/* A layout's numbers, which are constants in each block. */
typedef struct shape {
    size_t line_step, line_group, factor_step, factor_apart, run;
    bool panels;
} shape;

static inline size_t lane_at(size_t lane, size_t group) {
    return lane / TILE_LANES * group + lane % TILE_LANES;
}

/* Where the factors of a block lie: of all its results, or of each four of them. */
typedef const float *factors[MOST_QUADS];

SPECIALISED int quads_of(const int outputs, const shape s) {
    return s.panels ? (outputs + QUAD - 1) / QUAD : 1;
}

SPECIALISED void find_factors(const int outputs, const shape s, const chains *c, size_t j, factors factor) {
    const size_t run = c->from / s.run * c->factors.run_stride;
    const int quads = quads_of(outputs, s);
    UNROLL_FOR (int q = 0; q < quads; q++) {
        const size_t at = j + (size_t)q * QUAD;
        factor[q] = c->factors.values + at / PANEL * c->factors.group + at % PANEL * s.factor_apart + run;
    }
}

SPECIALISED void move_factors(const int outputs, const shape s, size_t floats, factors factor) {
    const int quads = quads_of(outputs, s);
    UNROLL_FOR (int q = 0; q < quads; q++)
        factor[q] += floats;
}

/*
 * sum[o * vectors + v] += line * factor for the next `terms` terms. Every fourth factor comes straight from memory, an
 * instruction less for it: with all of them, loads would be what bounds the loop.
 */
SPECIALISED void add_terms(const int outputs, const int vectors, const shape s, const int terms,
                           const float *line, factors factor, vec sum[MOST_SUMS]) {
    UNROLL_FOR (int t = 0; t < terms; t++) {
        vec values[4];
        UNROLL_FOR (int v = 0; v < vectors; v++)
            values[v] = vec_load(line + (size_t)t * s.line_step + VECTOR_AT(v, s.line_group));
        UNROLL_FOR (int o = 0; o < outputs; o++) {
            const float *of_term = factor[s.panels ? o / QUAD : 0] + (size_t)t * s.factor_step;
            const float *at = of_term + (size_t)(s.panels ? o % QUAD : o) * s.factor_apart;
            const vec f = vec_splat(*at);
            UNROLL_FOR (int v = 0; v < vectors; v++)
                sum[o * vectors + v] = o % 4 == 3 ? vec_fma_from(values[v], at, sum[o * vectors + v])
                                                  : vec_fma(values[v], f, sum[o * vectors + v]);
        }
    }
}

/* Results are worked on in turn: for each of them up to 10 lines, as blocks of 12 ask for one for two terms. */
static inline const float *lines_ahead(const chains *c, size_t j) {
    const size_t lines = (j - c->first) * 10;
    return c->ahead.lines != NULL && lines < c->ahead.count ? c->ahead.lines + lines * 16 : NULL;
}

/*
 * sum[o * vectors + v] = the chains of `outputs` results from j and `vectors` vectors from lane. Asks for lines from
 * `ahead` on, unless it is NULL.
 */
SPECIALISED void run_terms(const int outputs, const int vectors, const shape s, const chains *c, size_t j,
                           size_t lane, const float *ahead, vec sum[MOST_SUMS]) {
    const int terms = outputs * vectors > 16 ? 2 : 4; /* a loop of fewer turns, whose end is foreseen */
    const float *line = c->lines + c->from * s.line_step + lane_at(lane, s.line_group);
    factors factor;
    find_factors(outputs, s, c, j, factor);
    const float *next_block = factor[0] + (size_t)outputs * s.factor_apart;
    UNROLL_FOR (int i = 0; i < outputs * vectors; i++)
        sum[i] = vec_zero();
    for (size_t left = c->to - c->from; left > 0;) {
        size_t count = left < s.run ? left : s.run;
        const size_t to_next_run = c->factors.run_stride - count * s.factor_step;
        left -= count;
        /* The hardware does not guess where the next run or block begins. Asked for all at once, its lines would hold
         * up the loads of this one. */
        const float *next = left > 0 ? factor[0] + c->factors.run_stride : next_block;
        for (; count >= (size_t)terms; count -= (size_t)terms) {
            if (s.run < CHUNK) {
                UNROLL_FOR (int i = 0; i < terms; i++)
                    __builtin_prefetch(next + i * 16);
                next += terms * 16;
            }
            if (ahead != NULL)
                UNROLL_FOR (int i = 0; i < terms / 2; i++, ahead += 16)
                    __builtin_prefetch(ahead, 0, 2);
            add_terms(outputs, vectors, s, terms, line, factor, sum);
            line += (size_t)terms * s.line_step;
            move_factors(outputs, s, (size_t)terms * s.factor_step, factor);
        }
        for (; count > 0; count--, line += s.line_step) {
            add_terms(outputs, vectors, s, 1, line, factor, sum);
            move_factors(outputs, s, s.factor_step, factor);
        }
        move_factors(outputs, s, to_next_run, factor);
    }
}

/* sum = what is at values, laid out like the results of this block, + sum. */
SPECIALISED void add_to_sums(const int outputs, const int vectors, const shape s, const float *values,
                             size_t group, vec sum[MOST_SUMS]) {
    UNROLL_FOR (int o = 0; o < outputs; o++)
        UNROLL_FOR (int v = 0; v < vectors; v++)
            sum[o * vectors + v] = vec_add(vec_load(values + (size_t)o * s.line_step + VECTOR_AT(v, group)),
                                           sum[o * vectors + v]);
}

SPECIALISED void add_start(const int outputs, const int vectors, const chains *c, size_t j,
                           vec sum[MOST_SUMS]) {
    UNROLL_FOR (int o = 0; o < outputs; o++) {
        /* -0 + 0 is +0: no compiler leaves this sum out unless it is told that the sign of 0 does not matter. */
        const vec start = vec_add(vec_splat(c->start[(j + (size_t)o) * c->start_step]), vec_zero());
        UNROLL_FOR (int v = 0; v < vectors; v++)
            sum[o * vectors + v] = vec_add(start, sum[o * vectors + v]);
    }
}

/* What a sum goes through when its last chunk is there. It is not -0, as its start was not. */
SPECIALISED void finish_sums(const int outputs, const int vectors, const shape s, const chains *c, size_t at,
                             vec sum[MOST_SUMS]) {
    if (c->flush)
        UNROLL_FOR (int i = 0; i < outputs * vectors; i++)
            sum[i] = vec_flush_tiny(sum[i]);
    if (c->relu)
        UNROLL_FOR (int i = 0; i < outputs * vectors; i++)
            sum[i] = vec_relu(sum[i]);
    if (c->gate == NULL) return;
    UNROLL_FOR (int o = 0; o < outputs; o++)
        UNROLL_FOR (int v = 0; v < vectors; v++)
            sum[o * vectors + v] =
                vec_keep_above_zero(sum[o * vectors + v], vec_load(c->gate + at + (size_t)o * s.line_step +
                                                                   VECTOR_AT(v, c->result_group)));
}

/* Plain gradient descent: update_gradient() and update_descent() of kernels/update.h. */
SPECIALISED void descend(const int outputs, const int vectors, const shape s, const chains *c, size_t at,
                         vec sum[MOST_SUMS]) {
    const vec inverse_rows = vec_splat(c->descent->inverse_rows), rate = vec_splat(-c->descent->rate);
    vec not_finite = vec_load(c->descent->not_finite);
    UNROLL_FOR (int o = 0; o < outputs; o++)
        UNROLL_FOR (int v = 0; v < vectors; v++) {
            float *weight = c->weights + at + (size_t)o * s.line_step + VECTOR_AT(v, c->result_group);
            const vec g = vec_flush_tiny(vec_mul(sum[o * vectors + v], inverse_rows));
            const vec w = vec_canonical(vec_fma(rate, g, vec_load(weight)));
            not_finite = vec_fma(w, vec_zero(), not_finite);
            vec_store(weight, w);
            sum[o * vectors + v] = g;
        }
    vec_store(c->descent->not_finite, not_finite);
}

/* The whole of one block. */
SPECIALISED void do_block(const int outputs, const int vectors, const shape s, const chains *c, size_t j,
                          size_t lane) {
    const size_t group = c->result_group, at = j * s.line_step + lane_at(lane, group);
    vec sum[MOST_SUMS];
    const float *ahead = s.line_step == COLUMN_LANES && lane == 0 ? lines_ahead(c, j) : NULL;
    if (ahead != NULL) /* two loops, so that the one that asks for nothing has no instruction for it */
        run_terms(outputs, vectors, s, c, j, lane, ahead, sum);
    else
        run_terms(outputs, vectors, s, c, j, lane, NULL, sum);
    if (c->from > 0)
        add_to_sums(outputs, vectors, s, c->results + at, group, sum);
    else
        add_start(outputs, vectors, c, j, sum);
    if (c->to == c->terms) finish_sums(outputs, vectors, s, c, at, sum);
    for (size_t i = 0; i < c->below.count; i++)
        add_to_sums(outputs, vectors, s, c->below.partials[i] + at, group, sum);
    if (s.line_step == PANEL && c->descent != NULL) descend(outputs, vectors, s, c, at, sum);
    UNROLL_FOR (int o = 0; o < outputs; o++)
        UNROLL_FOR (int v = 0; v < vectors; v++)
            vec_store(c->results + at + (size_t)o * s.line_step + VECTOR_AT(v, group), sum[o * vectors + v]);
}

/* X(layout, results, vectors): what the registers hold; for each number of vectors from many to few. */
#if LANES == 16
#define BLOCK_LIST(X, L) \
    X(L, 12, 2) \
    X(L, 10, 2) \
    X(L, 8, 2) \
    X(L, 6, 2) \
    X(L, 4, 2) X(L, 3, 2) X(L, 2, 2) X(L, 1, 2) X(L, 16, 1) X(L, 8, 1) X(L, 4, 1) X(L, 2, 1) X(L, 1, 1)
#elif LANES == 8
#define BLOCK_LIST(X, L) X(L, 6, 2) X(L, 4, 2) X(L, 2, 4) X(L, 1, 4) X(L, 2, 2) X(L, 1, 2)
#else
#define BLOCK_LIST(X, L) X(L, 2, 4) X(L, 1, 4)
#endif

typedef struct block {
    size_t outputs, vectors;
    void (*run)(const chains *c, size_t j, size_t lane);
} block;

#define DEFINE_BLOCK(LAYOUT, OUTPUTS, VECTORS) \
    static void LAYOUT##_##OUTPUTS##x##VECTORS(const chains *c, size_t j, size_t lane) { \
        do_block(OUTPUTS, VECTORS, shape_of_##LAYOUT(c), c, j, lane); \
    }
#define BLOCK_ENTRY(LAYOUT, OUTPUTS, VECTORS) {OUTPUTS, VECTORS, LAYOUT##_##OUTPUTS##x##VECTORS},
#define DEFINE_BLOCKS(LAYOUT, LINE_STEP, LINE_GROUP, FACTOR_STEP, FACTOR_APART, RUN, PANELS) \
    static inline shape shape_of_##LAYOUT(const chains *c) { \
        return (shape){LINE_STEP, \
                       LINE_GROUP, \
                       (FACTOR_STEP) == 0 ? c->factors.step : (FACTOR_STEP), \
                       (FACTOR_APART) == 0 ? c->factors.apart : (FACTOR_APART), \
                       RUN, \
                       PANELS}; \
    } \
    BLOCK_LIST(DEFINE_BLOCK, LAYOUT) \
    static const block blocks_##LAYOUT[] = {BLOCK_LIST(BLOCK_ENTRY, LAYOUT)};
CHAIN_LAYOUT_LIST(DEFINE_BLOCKS)

#define LAYOUT_ENTRY(LAYOUT, LINE_STEP, LINE_GROUP, FACTOR_STEP, FACTOR_APART, RUN, PANELS) \
    [CHAINS_##LAYOUT] = blocks_##LAYOUT,
static const block *const layouts[] = {CHAIN_LAYOUT_LIST(LAYOUT_ENTRY)};

/* The largest block for so many results and vectors, both numbers of which are powers of two; there is one of a single result. */
static inline const block *find_block(const block *found, size_t outputs, size_t vectors) {
    while (found->outputs > outputs || found->vectors > vectors)
        found++;
    return found;
}

/* How many results from j on one block may have: the factors of each four from its first one on lie in one panel. */
static inline size_t most_results(const chains *c, size_t j) {
    const size_t left = c->end - j, in_panel = PANEL - j % PANEL;
    if (c->layout == CHAINS_forward && j % QUAD != 0 && left > in_panel) return in_panel;
    return left == PANEL ? PANEL / 2 : left; /* two blocks of 8 are quicker than 12 and 4 */
}

void ISA_NAME(run_chains)(const chains *c) {
    const size_t vectors = c->lanes / LANES;
    for (size_t j = c->first; j < c->end;) {
        const block *block = find_block(layouts[c->layout], most_results(c, j), vectors);
        for (size_t lane = 0; lane < c->lanes; lane += block->vectors * LANES)
            block->run(c, j, lane);
        j += block->outputs;
    }
}
