/*
 * The ops of a plan one by one: what the executor `ops` has of a program, for its launchers and the fast mode's choice. An
 * executor that runs some ops so begins its own with an ops_program.
 */
#ifndef TANDA_OPENCL_OPS_H
#define TANDA_OPENCL_OPS_H

#include "backend/opencl/wave.h"

/* Who computes an op. In exact mode always tanda's exact kernels. */
typedef enum variant {
    VARIANT_EXACT,
    VARIANT_NATIVE, /* tanda's kernels with the device's own exp, log and tanh */
    VARIANT_CLBLAST,
} variant;

#define NOTES_SIZE 512

typedef struct ops_program {
    cl_mem rows, labels;    /* row number and labels of each position of a wave */
    cl_mem weights;         /* and its weight, of a weighted plan; else NULL */
    variant *variants;      /* per op of the plan */
    char notes[NOTES_SIZE]; /* what the fast mode chose, for the user */
} ops_program;

static inline ops_program *ops_of(const program *program) {
    return program->own;
}

static inline variant variant_of(const context *c, const op *op) {
    return ops_of(c->program)->variants[op - c->program->plan->ops];
}

static inline kernel_set *kernels_of(const context *c, const op *op) {
    return variant_of(c, op) == VARIANT_NATIVE ? &c->state->native : &c->state->exact;
}

/*
 * Whether labels (and weights) are to be copied in the order of the positions. Else losses take them as they are stored:
 * scalars, of rows that come in that order.
 */
static inline bool opencl_orders_labels(const opencl_backend_state *state, const program *program) {
    return state->vector != 1 || shuffles(program) || program->plan->weighted ||
           !opencl_is_whole(program->options.labels);
}

/* ---- executors/ops.c --------------------------------------------------------------------------------------- */

/* Cuts a step into waves of tiles, each with its slot of sums, as single ops want it. */
void opencl_cut_ops(const opencl_backend_state *state, program *program);

/* All exact. Released whether or not it was made whole. */
tanda_status opencl_prepare_ops(const opencl_backend_state *state, const program *program, ops_program *own,
                                tanda_error *error);
void opencl_release_ops(ops_program *own);

/* The row number, labels and weight of each position of the wave, for gather, losses and weigh. */
tanda_status opencl_run_order(const context *c);

/* ---- ops.c, variants.c ------------------------------------------------------------------------------------- */

/* Queues one tile op over the wave. */
tanda_status opencl_run_op(const context *c, const op *op);

/* A dense_gradient and the loss_sum before it, whose sums over rows are one launch. */
tanda_status opencl_run_gradient_and_loss(const context *c, const op *gradient, const op *loss_sum);

/* What an executor that begins its own with an ops_program lets the fast mode choose from. */
typedef struct variant_hands {
    /* What may compute an op in the exact kernel's place; VARIANT_EXACT: nothing. */
    variant (*candidate)(const program *program, const op *op);
    /* Queues an op by its variant, with those behind it that the same launch does; *next is the first that is left. */
    tanda_status (*run)(const context *c, const op *op, const struct op **next);
} variant_hands;

/* Whether an op is one of the products of a dense layer. */
bool opencl_is_product(const op *op);

/*
 * Fast mode: checks and times what could compute each op, on made-up data in the program's own memory, and sets
 * the variants and the notes. The memory is zero again afterwards.
 */
tanda_status opencl_choose_variants(opencl_backend_state *state, program *program, const variant_hands *hands,
                                    tanda_error *error);

#endif
