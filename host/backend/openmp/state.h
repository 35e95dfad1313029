/* The OpenMP backend's own types, shared by openmp.c (device), layout.c, program.c (preparing), step.c and group.c and parameters.c (running)
 * and measure.c. */
#ifndef TANDA_OPENMP_STATE_H
#define TANDA_OPENMP_STATE_H

#include "backend/openmp/barrier.h"
#include "backend/openmp/tile.h"

typedef struct openmp_backend_state {
    backend base;
    size_t threads;
    const cpu_functions *functions;
    float *limit_values; /* measure.c: what the limit of reading is measured with, NULL until then; */
    size_t limit_floats;
} openmp_backend_state;

struct buffer {
    void *data;
    bool borrowed; /* data is the caller's */
    bool lent;     /* and may be rearranged until the buffer is freed */
    /* A data set whose order never changes is assembled once, for all programs that use the buffer: layout.c. */
    float *
        tiles; /* the full tiles, (tiles, 8, features, 32); data itself where that is lent; NULL: not assembled */
    float *last_tile; /* the last one where it is not full, else NULL */
    float *scratch;   /* a tile for each of `threads`, to put the rows back with */
    size_t rows, features, threads;
};

struct program {
    const plan *plan;
    op *ops; /* the plan's, some of them fused */
    size_t op_count;
    size_t row_ops; /* of them that take each row alone, before the first that adds over rows */
    program_options options;
    size_t threads;
    const cpu_functions *functions;
    bool is_perceptron; /* runs whole in perceptron.c */
    bool shared;        /* all threads share each op; else each takes groups of tiles through all ops */
    bool by_columns;    /* forward and loss column by column: weights stay in the cache, activations too */
    size_t group_tiles; /* power of two */
    size_t wave_tiles;  /* power of two, a multiple of group_tiles */
    size_t tile_floats; /* of a tile's workspace */
    float *workspaces;  /* (threads or 1, group_tiles, tile_floats); with keep (wave_tiles, tile_floats) */
    float *parameters;  /* in panels */
    float *state;       /* of the optimizer: vectors like parameters, one after the other */
    float *squares;     /* with clip_norm: of each chunk of SQUARES_CHUNK packed gradients */
    const update_rates *rates; /* of the run's steps; NULL: the options' learning rate */
    size_t slot_floats;        /* packed parameters, then the loss sum, padded */
    float *slots;              /* (groups of a wave, slot_floats), in panels */
    float *stack;              /* (stack_levels, slot_floats) */
    size_t stack_levels;
    uint32_t *correct; /* per group of a wave */
    size_t scratch_floats;
    float *scratches; /* (threads, scratch_floats) */
    uint64_t *rows;   /* (threads, group_tiles, TILE_ROWS): row of the data set of each lane */
    float *
        labels; /* (threads, group_tiles, TILE_ROWS, targets): labels in lane order, where rows are shuffled */
    float *weights;                           /* their weights likewise, of a weighted plan */
    const op *gather, *output_forward, *loss; /* of the ops, as in the plan */
    step_result *results;
    size_t result_count, result_capacity;
    uint64_t last_step;
    const float *last_gradient;
    barrier barrier;
    size_t next_group[2]; /* counters of the waves in turn, from which threads take groups */
};

static inline size_t groups_of(const program *program, size_t tiles) {
    return (tiles + program->group_tiles - 1) / program->group_tiles;
}

static inline bool order_is_fixed(const program_options *options) {
    return !options->shuffle || options->batch_rows >= options->rows;
}

/* Assembled tiles of the data set serve this program: its batches begin at multiples of a tile, in file order. */
static inline bool uses_tiles(const program *program) {
    const program_options *options = &program->options;
    return options->features->tiles != NULL && order_is_fixed(options) && !program->plan->keep &&
           (options->batch_rows >= options->rows || options->batch_rows % TILE_ROWS == 0);
}

/*
 * The parameters of one layer that a thread of a team owns: it makes their gradient, merges and updates them, so that
 * they stay in its cache. Ranges of floats in the packed vector.
 */
typedef struct owned {
    size_t first_weight, end_weight, first_bias, end_bias;
} owned;

static inline owned owned_by(const packed_layer *layer, size_t part, size_t parts) {
    const bool wide = layer->outputs >= WIDE_OUTPUTS;
    const size_t step = wide ? layer->inputs : layer->stride;
    owned made;
    cut(wide ? layer->stride : layer->inputs, PANEL, part, parts, &made.first_weight, &made.end_weight);
    cut(layer->stride, PANEL, part, parts, &made.first_bias, &made.end_bias);
    made.first_weight = layer->weight + made.first_weight * step;
    made.end_weight = layer->weight + made.end_weight * step;
    made.first_bias += layer->bias;
    made.end_bias += layer->bias;
    return made;
}

/*
 * layout.c. Assembles the rows of the buffer of features, in place where it is lent; without memory for it, nothing
 * happens and batches go on being assembled step by step. layout_restore puts the rows back.
 */
void layout_make_tiles(const program *program);
void layout_restore(buffer *buffer);

/* The part of a packed vector that a thread owns, from rows (K, S) to panels and back. */
void layout_to_panels(const plan *plan, const float *packed, float *panels, size_t part, size_t parts);
void layout_from_panels(const plan *plan, const float *panels, float *packed, size_t part, size_t parts);

/* groups[i] = where the 16 values from first + 16 i on of a packed vector lie in panels; first a multiple of 16. */
void layout_find_groups(const plan *plan, const float *panels, size_t first, size_t count,
                        const float **groups);

extern const executor *const openmp_executors[];
tanda_status openmp_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error);
void openmp_program_free(backend *backend, program *program);
tanda_status openmp_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error);
tanda_status openmp_results(backend *backend, program *program, step_result *results, tanda_error *error);
tanda_status openmp_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error);
tanda_status openmp_sweep(backend *backend, program *program, const tensor *tensor, size_t first_row,
                          size_t rows, float *values, tanda_error *error);

/* A tensor of the rows, at most a tile of them, in a tile's workspace: values (rows, units). */
void tile_read(const program *program, const tensor *tensor, const float *workspace, size_t rows,
               float *values);
tanda_status openmp_read_gradient(backend *backend, program *program, float *packed, tanda_error *error);
tanda_status openmp_read_state(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error);
tanda_status openmp_write_state(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error);
tanda_status openmp_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error);

#endif
