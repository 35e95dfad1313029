/*
 * Tiles on the CPU, and the table of functions that each instruction set provides.
 *
 * A tile of up to 256 rows is stored as columns of 32 lanes: a tensor of a column is (units, 32) and all tensors of
 * a column lie together, so that a chunk of 256 units of one column is 32 KiB without gaps and stays in the
 * first-level cache (with whole tiles, (units, 256), its lines would share an eighth of the cache's sets).
 * Weights of layers with 16 or more outputs lie in panels of 16 outputs, (S / 16, K, 16), for the same reason;
 * narrower ones as (K, H).
 *
 * Preconditions, stated once for every tile op: tensors are 64-byte aligned; lanes beyond `lanes` are never read;
 * lanes from `rows` to `lanes` are +0 in the input, the losses and the deltas of the loss. An op runs over a group
 * of successive tiles, all full but the last of a step, and handles its share of the work: part `part` of `parts`.
 */
#ifndef TANDA_OPENMP_TILE_H
#define TANDA_OPENMP_TILE_H

#include "backend/backend.h"
#include "kernels/shuffle.h"
#include "kernels/tree.h"

#define TILE_COLUMNS (TILE_ROWS / COLUMN_LANES)
#define PANEL 16                            /* outputs of a panel of weights */
#define OWN_CACHE_BYTES ((size_t)512 << 10) /* of a core's second-level cache, for what it works on */

typedef struct tile {
    size_t rows;     /* instances in this tile */
    size_t lanes;    /* rows rounded up to TILE_LANES */
    size_t columns;  /* that hold them */
    size_t position; /* of its first row in the batch */
    float *input;    /* the assembled rows: (columns, features, 32), columns input_stride floats apart */
    size_t input_stride;
    float *workspace; /* every other tensor: (columns, units, 32) */
    size_t workspace_stride;
    const uint64_t *row;    /* row of the data set in each lane */
    const int32_t *classes; /* per lane, or */
    const float *targets;   /* (lanes, targets of the plan) */
    const float *weights;   /* per lane, or NULL */
    uint32_t *correct;      /* rows of this tile whose class is right */
} tile;

/* Plain gradient descent (update_descent of kernels/update.h) of weights whose gradient is complete when it is made. */
typedef struct descent {
    float *parameters; /* in panels */
    float inverse_rows, rate;
    float not_finite[PANEL]; /* +0, and NaN once a new weight is infinite or NaN */
} descent;

typedef struct tile_group {
    const tile *tiles;
    size_t count;
    size_t first_column, end_column; /* to work on, counted over the group: 8 a tile */
    const float *parameters;         /* in panels */
    float *partial;                  /* gradient of the group, in panels; the loss sum follows it */
    size_t loss_index;               /* where in partial the loss sum lies */
    bool with_loss;                  /* without: losses and counts need not be made */
    float *scratch;                  /* this thread's own, see gradient.c */
    descent *descent;      /* NULL, or of the first layer's weights, which the gradient then is the mean of */
    const float *features; /* (rows of the data set, features) */
    size_t feature_count;
    size_t tiled_rows;   /* of them that lie as tiles, (tiled_rows / 32, features, 32) */
    uint64_t seed, step; /* of dropout */
    size_t part, parts;
} tile_group;

typedef void tile_function(const tile_group *group, const op *op);

/* A network of one output and no hidden layer over successive tiles that are assembled: see perceptron.c. */
typedef struct perceptron_task {
    const dense_shape *layer;
    tile_op loss_kind;
    const loss_op *loss;
    bool training, with_loss;
    const float *parameters;
    float *partial;     /* gradient of the tiles, NULL unless training; */
    float *loss_sum;    /* and the sum of their losses */
    const float *input; /* (tiles, 8, features, 32) */
    const float *last;  /* the last tile where it is not full, else NULL */
    size_t tiles, rows;
    const int32_t *classes; /* per row, or */
    const float *targets;   /* per row */
    const float *weights;   /* per row, or NULL */
    uint32_t *correct;
    float *scratch;
} perceptron_task;

/* The update of a range of parameters, all weights or all biases, in panels. */
typedef struct update_task {
    update_rule rule;
    update_constants constants;
    update_rates rates;
    float *parameters;
    float *gradient; /* in the tree's sum, out the derivative that the rule was given */
    float *state[MOST_UPDATE_STATES];
    float inverse_rows;
    float squares; /* the sum of the squared gradients, where clip_norm is on */
    bool is_weight;
} update_task;

/* What one instruction set provides. Ranges [first, end) are multiples of 16 but for the last end. */
typedef struct cpu_functions {
    const char *isa;
    tile_function *tile_ops[TILE_OP_COUNT];
    /* As order_find_rows. */
    void (*find_rows)(const row_order *order, order_keys *keys, uint32_t epoch, uint64_t first, size_t count,
                      uint64_t *rows);
    void (*perceptron)(const perceptron_task *task);
    /* slots[0] becomes the tree sum of `count` slots, `stride` floats apart; the others are used up. */
    void (*merge)(float *slots, size_t stride, size_t count, size_t first, size_t end);
    /* sum += other */
    void (*add)(float *sum, const float *other, size_t first, size_t end);
    /* True when a new parameter is not finite; of UPDATE_nothing, a gradient. */
    bool (*update)(const update_task *task, size_t first, size_t end);
    /* gradient: in the tree's sum, out the mean. */
    void (*mean)(float *gradient, float inverse_rows, size_t first, size_t end);
    /* The squares of `count` groups of 16 values, added in lanes that are folded. */
    float (*squares)(const float *const *groups, size_t count);
    void (*probe)(unsigned function, size_t count, const float *a, const float *b, const float *c,
                  float *result);
    /* Reads `count` floats, a multiple of 16 * FMA_CHAINS, as fast as it goes; their sum in some order. */
    float (*read_limit)(const float *values, size_t count);
    /* rounds * FMA_CHAINS * 16 fused multiply-adds in chains that do not wait for one another. */
    float (*fma_limit)(size_t rounds, float factor);
} cpu_functions;

extern const cpu_functions cpu_functions_v4, cpu_functions_v3, cpu_functions_generic;

/* A tensor's part in one column; the input may lie outside the workspace. */
static inline float *tensor_at(const tile *tile, size_t column, tensor_place place) {
    return place.is_input ? tile->input + column * tile->input_stride
                          : tile->workspace + column * tile->workspace_stride + place.offset * COLUMN_LANES;
}

/* Floats between the columns of a tensor. */
static inline size_t stride_of(const tile *tile, tensor_place place) {
    return place.is_input ? tile->input_stride : tile->workspace_stride;
}

/* Lanes of a column that hold rows, rounded up to TILE_LANES. */
static inline size_t lanes_in(const tile *tile, size_t column) {
    size_t left = tile->lanes - column * COLUMN_LANES;
    return left < COLUMN_LANES ? left : COLUMN_LANES;
}

/* Lanes of a column of a tile that hold rows. */
static inline size_t rows_in(const tile *tile, size_t column) {
    const size_t first = column * COLUMN_LANES, lanes = lanes_in(tile, column);
    const size_t rows = tile->rows > first ? tile->rows - first : 0;
    return rows < lanes ? rows : lanes;
}

/* Columns of the group's tiles: the last tile alone may have fewer than 8. */
static inline size_t columns_in(const tile_group *group) {
    return (group->count - 1) * TILE_COLUMNS + group->tiles[group->count - 1].columns;
}

/* What a part of the team works on: these units of these columns. */
typedef struct share {
    size_t first, end;
    size_t first_column, end_column;
} share;

/* Part `part` of `parts` of `count` items, cut at multiples of `grain`. */
static inline void cut(size_t count, size_t grain, size_t part, size_t parts, size_t *first, size_t *end) {
    size_t grains = (count + grain - 1) / grain, to = grains * (part + 1) / parts * grain;
    *first = grains * part / parts * grain;
    *end = to < count ? to : count;
    if (*first > *end) *first = *end;
}

#define UNIT_GRAIN 8

/*
 * The share of a tensor of so many units. Wide ones are cut by units, narrow ones by columns, so that ops which
 * follow one another on the same tensor need no barrier between them.
 */
static inline share share_of(const tile_group *group, size_t units) {
    share made = {0, units, group->first_column, group->end_column};
    if (group->parts == 1) return made;
    if (units >= WIDE_OUTPUTS)
        cut(units, UNIT_GRAIN, group->part, group->parts, &made.first, &made.end);
    else
        cut(group->end_column, 1, group->part, group->parts, &made.first_column, &made.end_column);
    return made;
}

/*
 * What tree.h says of partial `index` of a group's tiles: it takes in those that wait on the levels below[0 .. count), in
 * this order, and the sum then waits on `level`, or is the group's where index is the last.
 */
typedef struct tree_step {
    size_t below[MOST_LEVELS + 1];
    size_t count;
    uint level;
} tree_step;

static inline tree_step tree_step_of(size_t index, bool last) {
    tree_step step = {.count = 0, .level = 0};
    for (; tree_climbs(index, last, step.level); step.level++)
        if (tree_takes(index, step.level)) step.below[step.count++] = step.level;
    return step;
}

/* Names one function for the instruction set being compiled: CMake compiles each op once per ISA. */
#define ISA_PASTE(name, isa) name##_##isa
#define ISA_EXPAND(name, isa) ISA_PASTE(name, isa)
#define ISA_NAME(name) ISA_EXPAND(name, TANDA_ISA)

#define TILE_OP_DECLARE(name) tile_function ISA_NAME(name);
#ifdef TANDA_ISA
TILE_OP_LIST(TILE_OP_DECLARE)
/* sums[i] = the sum over the group's rows of unit i of a tensor, for the part's share of the units (contract 3, 4). */
void ISA_NAME(sum_units)(const tile_group *group, tensor_place place, size_t units, float *sums);
void ISA_NAME(find_rows)(const row_order *order, order_keys *keys, uint32_t epoch, uint64_t first,
                         size_t count, uint64_t *rows);
void ISA_NAME(perceptron)(const perceptron_task *task);
float ISA_NAME(read_limit)(const float *values, size_t count);
float ISA_NAME(fma_limit)(size_t rounds, float factor);
void ISA_NAME(merge_partials)(float *slots, size_t stride, size_t count, size_t first, size_t end);
void ISA_NAME(add_partials)(float *sum, const float *other, size_t first, size_t end);
bool ISA_NAME(update)(const update_task *task, size_t first, size_t end);
void ISA_NAME(mean)(float *gradient, float inverse_rows, size_t first, size_t end);
float ISA_NAME(squares)(const float *const *groups, size_t count);
void ISA_NAME(probe)(unsigned function, size_t count, const float *a, const float *b, const float *c,
                     float *result);
#endif

#endif
