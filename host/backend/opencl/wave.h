/* A wave of a program's tiles, and what is launched over it. */
#ifndef TANDA_OPENCL_WAVE_H
#define TANDA_OPENCL_WAVE_H

#include "backend/opencl/program.h"
#include "kernels/arguments/loss.h"
#include "kernels/arguments/update.h"

/* Part of a step: tiles [first, first + tiles) of it. */
typedef struct wave {
    uint64_t step, epoch;
    size_t first_row; /* position in the epoch's order */
    size_t position;  /* and in the batch */
    size_t rows, tiles, slots;
    size_t first_tile; /* of the stored tiles */
    size_t result;     /* index of the step in this run */
    bool is_first;     /* of those that are computed of the step */
    bool with_loss;
} wave;

/* What every launch of a wave needs. */
struct context {
    opencl_backend_state *state;
    program *program;
    const wave *wave;
    tanda_error *error;
};

/* A tensor of the wave: buffer, offset of its first float, floats between tiles. */
typedef struct place {
    cl_mem memory;
    size_t offset, tile;
} place;

/* The input may lie among the stored tiles. */
static inline place place_of(const context *c, tensor_place at) {
    const program *program = c->program;
    size_t input_tile = program->plan->features * program->tiles.width;
    if (at.is_input && program->stored.memory != NULL)
        return (place){program->stored.memory, c->wave->first_tile * input_tile, input_tile};
    return (place){program->tiles.memory, at.offset * program->tiles.width, program->tiles.floats};
}

/* Work-items along the lanes for kernels that loop over them. */
static inline size_t lane_items(const context *c) {
    return c->state->vector == 1 ? c->program->tiles.width : 1;
}

/* What kernels want to know of a loss. */
static inline loss_rule loss_rule_of(const program *program, const loss_op *loss) {
    const loss_constants *constants = &loss->constants;
    return (loss_rule){.outputs = (uint)loss->outputs,
                       .targets = (uint)loss->targets,
                       .is_class = program->plan->labels.are_classes != 0,
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

/* ---- tensors.c ------------------------------------------------------------------------------------------- */

/* Whether the tiles of all batches are stored. */
bool opencl_is_stored(const program *program);

/* Assembles the wave's rows; `order` names them, unless they come in order. */
tanda_status opencl_gather(const context *c, cl_mem order);

/* Assembles them where they are to be stored and are not yet. */
tanda_status opencl_store_wave(const context *c);

/* ---- sums.c ---------------------------------------------------------------------------------------------- */

/* Passes of the tree over `count` slots, `floats` apart. */
tanda_status opencl_merge(const context *c, cl_mem slots, size_t count, size_t floats, bool whole,
                          size_t *distance);

/* The tree over waves: the first slot takes in what waits on a level, or waits there. */
tanda_status opencl_add_waiting(const context *c, unsigned level);
tanda_status opencl_keep_waiting(const context *c, unsigned level);

/* ---- update.c -------------------------------------------------------------------------------------------- */

/* The update from `slots` slots, `distance` apart, of a step of so many rows. */
tanda_status opencl_run_update(const context *c, size_t slots, size_t distance, size_t rows);

#endif
