/* A program of the OpenCL backend and a wave of its tiles: what ops.c, gemm.c, step.c, variants.c and program.c share. */
#ifndef TANDA_OPENCL_WAVE_H
#define TANDA_OPENCL_WAVE_H

#include "backend/opencl/state.h"
#include "kernels/arguments/network.h"

/* Who computes an op. In exact mode always tanda's exact kernels. */
typedef enum variant {
    VARIANT_EXACT,
    VARIANT_NATIVE, /* tanda's kernels with the device's own exp, log and tanh */
    VARIANT_CLBLAST,
} variant;

#define NOTES_SIZE 512

struct program {
    const plan *plan;
    program_options options;
    size_t width;      /* lanes of a tile */
    size_t wave_tiles; /* a wave's slots: one for each group of tiles */
    size_t group; /* tiles of a group; more than 1 only where perceptron.c or network.c computes the steps */
    bool is_perceptron, is_network; /* which file computes its steps, if not ops.c */
    size_t column;                  /* of network.c: lanes */
    bool is_tiled;                  /* of network.c: a work-item takes tiles from rows to gradients */
    size_t network_items;           /* blocks of parameters */
    cl_mem layers;                  /* what network.h says of each */
    cl_mem panels;                  /* of network.c: the weights as its chains read them */
    cl_mem turns;                   /* of network_steps.cl, of each of the run's steps; else NULL */
    cl_mem scratch;                 /* of fused steps, a group's part after the other */
    size_t scratch_floats;
    size_t workspace_floats; /* of one tile */
    size_t slot_floats;      /* packed parameters, then the loss sum, padded */
    size_t stack_levels;
    cl_mem workspace;     /* (wave_tiles, workspace_floats) */
    cl_mem slots;         /* (wave_tiles, slot_floats), then the stack (stack_levels, slot_floats) */
    cl_mem rows, labels;  /* (wave_tiles, TILE_ROWS): row number and labels of each position, not fused */
    cl_mem weights;       /* and its weight, of a weighted plan; else NULL */
    cl_mem stored;        /* the data set as tiles when the order never changes; else NULL */
    uint64_t stored_next; /* batches from 0 on whose tiles are made */
    cl_mem state;         /* of the optimizer: vectors of packed parameters, one after the other */
    cl_mem biases;        /* first and end of each layer's */
    cl_mem rates;         /* of the run's steps: two floats each */
    size_t rate_capacity;
    bool rates_are_constant; /* all of them are the options' learning rate */
    cl_mem squares; /* with clip_norm: (chunks of the packed gradient, 16), see update.cl; else NULL */
    cl_mem results; /* three words a step, see update.cl */
    size_t result_count, result_capacity;
    uint64_t last_step;
    float *kept; /* with keep: the latest step's workspace on the host, once something is read; else NULL */
    bool kept_is_fresh;
    variant *variants;      /* per op of the plan */
    char notes[NOTES_SIZE]; /* what the fast mode chose, for the user */
    bool has_gradient;      /* in the first slot, of the latest step */
};

/* Part of a step: tiles [first, first + tiles) of it. */
typedef struct wave {
    uint64_t step, epoch;
    size_t first_row; /* position in the epoch's order */
    size_t position;  /* and in the batch */
    size_t rows, tiles, slots;
    size_t first_tile; /* of the stored tiles */
    size_t result;     /* index of the step in this run */
    size_t steps;      /* that the wave's launch does, where it is a whole step */
    bool gathered, with_loss;
    bool updates; /* the fused kernel's gradient is all of the step's, and updates the parameters */
} wave;

/* What every launch of a wave needs. */
typedef struct context {
    opencl_backend_state *state;
    program *program;
    const wave *wave;
    tanda_error *error;
} context;

/* A tensor of the wave: buffer, offset of its first float, floats between tiles. */
typedef struct place {
    cl_mem memory;
    size_t offset, tile;
} place;

/* The input may lie among the stored tiles. */
static inline place place_of(const context *c, tensor_place at) {
    const program *program = c->program;
    size_t input_tile = program->plan->features * program->width;
    if (at.is_input && program->stored != NULL)
        return (place){program->stored, c->wave->first_tile * input_tile, input_tile};
    return (place){program->workspace, at.offset * program->width, program->workspace_floats};
}

static inline variant variant_of(const context *c, const op *op) {
    return c->program->variants[op - c->program->plan->ops];
}

static inline const kernel_set *kernels_of(const context *c, const op *op) {
    return variant_of(c, op) == VARIANT_NATIVE ? &c->state->native : &c->state->exact;
}

/* What kernels want to know of a loss. */
static inline loss_rule loss_rule_of(const program *program, const loss_op *loss) {
    const loss_constants *constants = &loss->constants;
    return (loss_rule){.outputs = (uint)loss->outputs,
                       .targets = (uint)loss->targets,
                       .is_class = program->plan->classes != 0,
                       .sigmoid = loss->output_function == ACTIVATION_SIGMOID,
                       .smooth = constants->smooth,
                       .half_smoothing = constants->half,
                       .on = constants->on,
                       .off = constants->off,
                       .rest = constants->rest,
                       .entropy = constants->entropy,
                       .kind = loss->loss,
                       .parameter = constants->parameter,
                       .mean = constants->mean};
}

/* And of the update. */
static inline rule_arguments rule_of(const program *program) {
    const update_settings *update = &program->options.update;
    return (rule_arguments){update->constants, update->rule, (uint)update_state_count(update->rule)};
}

/* Work-items along the lanes for kernels that loop over them. */
static inline size_t lane_items(const context *c) {
    return c->state->vector == 1 ? c->program->width : 1;
}

/* Whether an epoch takes the rows in another order than that of storage. */
static inline bool shuffles(const program *program) {
    return program->options.shuffle && program->options.batch_rows < program->options.rows;
}

static inline size_t epoch_steps(const program *program) {
    return steps_per_epoch(program->options.rows, program->options.batch_rows);
}

/*
 * The fused kernels are exact, and on CPU devices quicker than op by op with the device's own functions: so fast mode
 * takes them, too, unless it is told who multiplies.
 */
static inline bool may_fuse(const program *program) {
    return program->options.math == TANDA_MATH_EXACT || program->options.gemm == TANDA_GEMM_AUTO;
}

/* Lanes of a column of the input, which is (columns, features, lanes); every other tensor is one column. */
static inline size_t input_column(const program *program) {
    return program->is_perceptron ? COLUMN_LANES : program->is_network ? program->column : program->width;
}

/* Decides whether perceptron.c computes the program's steps, and in what groups. */
void opencl_choose_perceptron(const opencl_backend_state *state, program *program);
void opencl_choose_groups(const opencl_backend_state *state, program *program, size_t budget);

/* The same for network.c, which assembles rows that are not stored by itself. */
void opencl_choose_network(const opencl_backend_state *state, program *program);
void opencl_choose_network_groups(const opencl_backend_state *state, program *program);
tanda_status opencl_make_network(const opencl_backend_state *state, program *program, tanda_error *error);
tanda_status opencl_run_network(const context *c);

/* What all its kernels are told, but for what only some need; and the buffers that those which take rows begin with. */
network_arguments opencl_network_arguments(const context *c);
void opencl_give_rows(launch *launch, const context *c);

/* Queues the making of the panels from the parameters. */
tanda_status opencl_pack_network(const context *c);

/* Whether network_steps.c computes the program's steps, and how many it likes to do in a launch. */
bool opencl_is_whole(const opencl_backend_state *state, const program *program);
size_t opencl_network_steps(const program *program);
tanda_status opencl_run_network_steps(const context *c);

/* How many steps a launch of the perceptron may do, at least 1. */
size_t opencl_perceptron_steps(const program *program);

/* Queues all of a wave up to the partial sum of each group, or, where it is a step, up to the update. */
tanda_status opencl_run_perceptron(const context *c);

/* reduce.c: passes of the tree over `count` slots, `floats` apart. */
tanda_status opencl_merge(const context *c, cl_mem slots, size_t count, size_t floats, bool whole,
                          size_t *distance);

/* update.c: the update from `slots` slots, `distance` apart, of a step of so many rows. */
tanda_status opencl_make_update(const opencl_backend_state *state, program *program, tanda_error *error);
tanda_status opencl_set_rates(const opencl_backend_state *state, program *program, const update_rates *rates,
                              size_t steps, tanda_error *error);
tanda_status opencl_run_update(const context *c, size_t slots, size_t distance, size_t rows);

/* Queues one tile op over the wave. */
tanda_status opencl_run_op(const context *c, const op *op);

/* The three products of a dense layer by CLBlast, over the wave. */
tanda_status opencl_gemm_forward(const context *c, const dense_forward_op *op);
tanda_status opencl_gemm_backward(const context *c, const dense_backward_op *op);
tanda_status opencl_gemm_gradient(const context *c, const dense_gradient_op *op);

/*
 * Fast mode: checks and times what could compute each op, on made-up data in the program's own memory, and sets
 * the variants and the notes. The memory is zero again afterwards.
 */
tanda_status opencl_choose_variants(opencl_backend_state *state, program *program, tanda_error *error);

/* Makes room for the results of so many steps, and zeroes them. */
tanda_status opencl_clear_results(opencl_backend_state *state, program *program, size_t steps,
                                  tanda_error *error);

#endif
