/*
 * A program of the OpenCL backend and who computes its steps. What all executors have of a program has a name here; what
 * one needs besides is its `own`, which nobody else looks at.
 */
#ifndef TANDA_OPENCL_PROGRAM_H
#define TANDA_OPENCL_PROGRAM_H

#include "backend/executor.h"
#include "backend/opencl/state.h"

typedef struct context context; /* wave.h */

typedef struct opencl_executor {
    executor base;
    /* How it cuts a step: fills in the figures of tiles and sums. */
    void (*cut)(const opencl_backend_state *state, program *program);
    /* Makes its own, when all else is made; releases it, which may be NULL or half made. */
    tanda_status (*prepare)(opencl_backend_state *state, program *program, tanda_error *error);
    void (*release)(program *program);
    /* Queues a wave up to the sums of its groups of tiles. */
    tanda_status (*partial)(const context *c);
    /*
     * Optional slots: whole steps, their updates too. How many in one go from a batch of so many tiles on, 0 where it is not
     * one for that; and `steps` of them, of which c->wave is all of the first.
     */
    size_t (*most_steps)(const program *program, size_t tiles);
    tanda_status (*whole)(const context *c, size_t steps);
    const char *(*notes)(const program *program);
    bool binds_rows; /* kernels are given the buffers of rows when they are made, not at each launch */
} opencl_executor;

extern const opencl_executor opencl_gpu_perceptron, opencl_gpu_perceptron_one, opencl_gpu_small,
    opencl_gpu_dense, opencl_perceptron, opencl_steps, opencl_tiles, opencl_network, opencl_ops;

/* The tensors of tiles: (count, floats). */
typedef struct tile_tensors {
    size_t width; /* lanes of a tile */
    size_t
        column; /* and of a column of the input, (columns, features, lanes); other tensors are one column */
    size_t floats, count;
    cl_mem memory;
} tile_tensors;

/* The data set as tiles, which are made once: where the order never changes and the device has room. */
typedef struct stored_tiles {
    cl_mem memory;   /* NULL: none */
    uint64_t next;   /* batches from 0 on are made */
    bool is_refused; /* memory is too short for them */
} stored_tiles;

/* Sums of groups of tiles, and of the waves that wait. */
typedef struct partial_sums {
    size_t floats; /* of a slot: packed parameters, then the loss sum, padded */
    size_t group;  /* tiles of a slot; both are powers of two */
    size_t slots;  /* of a wave */
    cl_mem memory; /* (slots, floats), then what waits (levels, floats) */
} partial_sums;

typedef struct update_memory {
    cl_mem state;   /* vectors of packed parameters, one after the other */
    cl_mem biases;  /* first and end of each layer's */
    cl_mem squares; /* with clip_norm: (chunks of the packed gradient, 16), see update.cl; else NULL */
    cl_mem rates;   /* of the run's steps: two floats each */
    size_t capacity;
    bool is_constant; /* all rates are the options' learning rate */
} update_memory;

typedef struct run_results {
    cl_mem memory; /* three words a step, see update.cl */
    size_t count, capacity;
    uint64_t last_step;
    bool has_gradient; /* in the first slot, of the latest step */
} run_results;

/* With keep: the latest step's tensors on the host, once something is read. */
typedef struct kept_tensors {
    float *values; /* else NULL */
    bool is_fresh;
} kept_tensors;

#define ROW_ARRAYS 3

#define PROGRAM_NOTES_SIZE 640

struct program {
    const plan *plan;
    program_options options;
    size_t most_rows; /* that it is made for: those of the options may be exchanged */
    const opencl_executor *executor;
    void *own;
    tile_tensors tiles;
    stored_tiles stored;
    partial_sums sums;
    update_memory update;
    run_results results;
    kept_tensors kept;
    buffer
        *homes[ROW_ARRAYS]; /* of exchanged rows, labels and weights, for executors that bind them; or NULL */
    char notes[PROGRAM_NOTES_SIZE]; /* the executor's, and how a wave was made smaller */
};

/* Whether an epoch takes the rows in another order than that of storage. */
static inline bool shuffles(const program *program) {
    return order_of_rows(&program->options).kind != SHUFFLE_NONE;
}

static inline size_t epoch_steps(const program *program) {
    return steps_per_epoch(program->options.rows, program->options.batch_rows);
}

/* ---- exchange.c: the homes of a program ------------------------------------------------------------------ */

tanda_status opencl_make_homes(opencl_backend_state *state, program *program, tanda_error *error);
void opencl_free_homes(program *program);

/* ---- tensors.c: for cut ---------------------------------------------------------------------------------- */

#define CPU_WAVE_BYTES ((size_t)32 << 20) /* about a last-level cache */
#define GPU_WAVE_BYTES ((size_t)512 << 20)

/* Makes the tiles' tensors so many lanes wide, the input in such columns or, with 0, in one. */
void opencl_set_tiles(program *program, size_t width, size_t column);

/* Lanes that a tile of the plan's steps needs. */
size_t opencl_tile_lanes(const program_options *options);

/* Tiles of a wave, a power of two, of so many floats each, that keep within a budget in bytes; all with keep. */
size_t opencl_wave_tiles(const opencl_backend_state *state, const plan *plan, const program_options *options,
                         size_t floats, size_t budget);

/* Makes room for the data set as tiles, where that is possible. */
void opencl_store_tiles(const opencl_backend_state *state, program *program);

/* ---- wave_memory.c: the memory of a wave --------------------------------------------------------------------- */

/* Makes the wave's tiles, sums and what is the executor's own: of fewer tiles, as long as memory lacks. */
tanda_status opencl_make_wave(opencl_backend_state *state, program *program, tanda_error *error);

/*
 * Releases them after a failure and asks for half as many tiles. False where the failure was not for want of memory, or
 * nothing smaller is left.
 */
bool opencl_halve_wave(const opencl_backend_state *state, program *program);

void opencl_release_wave(program *program);

/* sums.c: the level from which on sums of parts of a step wait: others wait below. */
unsigned opencl_part_level(const program *program);

/* ---- the parts that all have make their memory ------------------------------------------------------------ */

tanda_status opencl_make_tiles(const opencl_backend_state *state, program *program, tanda_error *error);
tanda_status opencl_make_sums(const opencl_backend_state *state, program *program, tanda_error *error);
tanda_status opencl_make_update(const opencl_backend_state *state, program *program, tanda_error *error);

void opencl_free_update(program *program);

/* Of the run's steps; NULL: the options' learning rate. */
tanda_status opencl_set_rates(const opencl_backend_state *state, program *program, const update_rates *rates,
                              size_t steps, tanda_error *error);

/* Makes room for the results of so many steps, and zeroes them. */
tanda_status opencl_clear_results(opencl_backend_state *state, program *program, size_t steps,
                                  tanda_error *error);

#endif
