/* The OpenMP backend's own types: its device (openmp.c), rows and parameters in memory (layout.c), programs (program.c). */
#ifndef TANDA_OPENMP_STATE_H
#define TANDA_OPENMP_STATE_H

#include <pthread.h>

#include "backend/openmp/barrier.h"
#include "backend/openmp/clocks.h"
#include "backend/openmp/tile.h"

typedef struct openmp_profile openmp_profile; /* profile.c */

typedef struct openmp_backend_state {
    backend base;
    size_t threads;
    const cpu_functions *functions;
    float *limit_values; /* measure.c: what the limit of reading is measured with, NULL until then; */
    size_t limit_floats;
    openmp_profile *profile; /* while account is kept, else NULL */
    size_t sharers; /* of the cores; where there are some, threads that sleep until the gate is open: */
    bool has_crowd;
    pthread_t crowd;
    pthread_mutex_t crowd_gate;
} openmp_backend_state;

struct buffer {
    void *data;
    bool borrowed;         /* data is the caller's */
    size_t rows, features; /* of a data set, */
    bool moved;            /* whose values may be rearranged until the buffer is freed */
    /* A data set whose order never changes is assembled once, for all programs that use the buffer: layout.c. */
    float *
        tiles; /* the full tiles, (tiles, 8, features, 32); data itself where it is moved; NULL: not assembled */
    float *last_tile; /* the last one where it is not full, else NULL */
    float *scratch;   /* a tile for each of `threads`, to put the rows back with */
    size_t threads;
};

/* Rows that lie as tiles in their own place, and are no longer to be had as rows. */
static inline size_t rows_in_place(const buffer *features) {
    return features->tiles == features->data ? features->rows / TILE_ROWS * TILE_ROWS : 0;
}

/* How a step is divided, and the memory for that, in floats: as the executor says. */
typedef struct division {
    size_t column_floats;  /* of a column's workspace, */
    size_t tile_floats;    /* and of a tile's */
    size_t group_tiles;    /* power of two: that are worked on together */
    size_t wave_tiles;     /* power of two, a multiple of group_tiles */
    size_t workspaces;     /* tiles that have one */
    size_t scratch_floats; /* of a thread */
} division;

/* The ops of the plan, some of them fused. */
typedef struct op_list {
    op *ops;
    size_t count;
    const op *gather, *output_forward, *loss; /* as in the plan */
} op_list;

/* What each lane of a thread's group holds: (threads, group_tiles, TILE_ROWS). */
typedef struct lane_data {
    uint64_t *rows; /* of the data set */
    float *labels;  /* where rows are shuffled: (..., targets), and of a weighted plan */
    float *weights;
} lane_data;

/* Sums over groups and waves. A slot: the gradient in panels, then the loss sum, padded. */
typedef struct sum_memory {
    size_t slot_floats, loss_index;
    float
        *slots; /* (groups of a wave, slot_floats); the first becomes the sum of the wave, and of the step */
    float *waiting;    /* (levels, slot_floats), of waves */
    uint32_t *correct; /* per group of a wave */
} sum_memory;

/* The latest run of steps. */
typedef struct latest_run {
    uint64_t first_step;
    size_t steps, capacity;
    const update_rates *rates; /* of each step; NULL: the options' learning rate */
    thread_clock *clocks;      /* of each thread, or NULL */
    step_result *results;
    const float *gradient; /* of the latest step, or NULL */
} latest_run;

typedef struct openmp_executor openmp_executor; /* worker.h */

struct program {
    const plan *plan;
    program_options options;
    const openmp_executor *executor;
    const cpu_functions *functions;
    size_t threads;
    op_list list;
    division division;
    float *workspaces; /* (workspaces, tile_floats) */
    float *scratches;  /* (threads, scratch_floats) */
    lane_data lanes;
    sum_memory sums;
    float *state;   /* of the optimizer: vectors like parameters, one after the other */
    float *squares; /* with clip_norm: of each chunk of SQUARES_CHUNK packed gradients */
    latest_run run;
    barrier barrier;
    size_t next_group[2]; /* counters of the waves in turn, from which threads take groups */
};

/* In panels, as they lie in the buffer. */
static inline float *parameters_of(const program *program) {
    return program->options.parameters->data;
}

static inline bool order_is_fixed(const program_options *options) {
    return options->shuffle == SHUFFLE_NONE || options->batch_rows >= options->rows;
}

/* Its batches begin at multiples of a tile, in the order of storage, and their tiles need not be its own. */
static inline bool is_of_tiles(const program *program) {
    const program_options *options = &program->options;
    return order_is_fixed(options) && !program->plan->keep && !options->exchanged &&
           (options->batch_rows >= options->rows || options->batch_rows % TILE_ROWS == 0);
}

/* Tiles of the data set that are assembled serve the program. */
static inline bool uses_tiles(const program *program) {
    return program->options.features->tiles != NULL && is_of_tiles(program);
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
 * layout.c. Assembles the rows of the buffer of features, in place where they are moved; without memory for it, nothing
 * happens and batches go on being assembled step by step. layout_restore puts the rows back.
 */
void layout_make_tiles(const program *program);
void layout_restore(buffer *buffer);

/* The part of a packed vector that a thread owns, from rows (K, S) to panels and back. */
void layout_to_panels(const plan *plan, const float *packed, float *panels, size_t part, size_t parts);
void layout_from_panels(const plan *plan, const float *panels, float *packed, size_t part, size_t parts);

/* All of it, with +0 for padding. */
void layout_read_panels(const plan *plan, const float *panels, float *packed);

/* groups[i] = where the 16 values from first + 16 i on of a packed vector lie in panels; first a multiple of 16. */
void layout_find_groups(const plan *plan, const float *panels, size_t first, size_t count,
                        const float **groups);

extern const executor *const openmp_executors[];
tanda_status openmp_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error);
void openmp_program_free(backend *backend, program *program);
tanda_status openmp_place(backend *backend, program *program, const program_rows *rows, tanda_error *error);
tanda_status openmp_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error);
tanda_status openmp_partial(backend *backend, program *program, uint64_t step, size_t first_tile,
                            size_t tiles, bool with_loss, partial_sum *sum, tanda_error *error);
tanda_status openmp_apply(backend *backend, program *program, uint64_t step, const update_rates *rates,
                          const partial_sum *sum, step_result *result, tanda_error *error);
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
/* profile.c. The threads' clocks, NULL unless account is kept. */
thread_clock *openmp_clocks(const openmp_backend_state *state);
tanda_status openmp_profile_begin(backend *backend, tanda_error *error);
tanda_status openmp_profile_end(backend *backend, struct device_profile *profile, tanda_error *error);
void openmp_profile_free(openmp_backend_state *state);

tanda_status openmp_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error);

#endif
