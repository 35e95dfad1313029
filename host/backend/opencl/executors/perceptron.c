/*
 * The perceptron on CPU devices: one output and no hidden layer. One kernel does all that follows the gathering, each
 * work-item for a group of 2^j successive tiles, whose sums it adds in the order of the tree (see perceptron.cl).
 */
#include "kernels/arguments/perceptron.h"

#include <stdlib.h>

#include "backend/opencl/executors/fused.h"
#include "backend/step.h"
#include "support/memory.h"

#define MOST_FEATURES 16384 /* lane sums of more would take too much memory */
#define MOST_TILES 1024     /* with MOST_SLOTS, a wave's rows fit into 32 bits */
#define MOST_SLOTS 1024
#define GROUPS_PER_UNIT \
    64 /* so that compute units which end early find more to do: PoCL lends up to 32 at a time */
#define LEAST_GROUP_FLOATS 65536 /* less is done before another thread has woken up */
#define LAUNCH_FLOATS 524288     /* half a millisecond's, in steps that one work-item does whole */
#define MOST_STEPS_TOGETHER 256

typedef struct perceptron_program {
    size_t scratch_floats;
    cl_mem scratch; /* of each group of tiles */
} perceptron_program;

static perceptron_program *own_of(const program *program) {
    return program->own;
}

static const op_set known = OP_SET(gather) | OP_SET(dense_forward) | OP_SET(loss_binary_crossentropy) |
                            OP_SET(loss_mse) | OP_SET(loss_sum) | OP_SET(dense_gradient);

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    return opencl_may_fuse(plan, options, known, lack) && opencl_has_vectors(backend, lack) &&
           opencl_rows_are_whole(options, lack) &&
           opencl_holds(plan->layer_count == 1, "hidden layers", lack) &&
           opencl_holds(plan->layers[0].outputs == 1, "several outputs", lack) &&
           opencl_holds(!plan->loss->loss.constants.smooth, "smoothed labels", lack);
}

static bool suits(const backend *backend, const plan *plan, const program_options *options) {
    (void)backend, (void)options;
    return plan->features <= MOST_FEATURES;
}

/* Tiles of a group: so many groups that all compute units have some, each with enough to do. */
static size_t choose_group(const opencl_backend_state *state, const program_options *options,
                           size_t features) {
    const size_t tiles = tiles_of(options->batch_rows), units = state->base.information.compute_units;
    const size_t most = GROUPS_PER_UNIT * units < MOST_SLOTS ? GROUPS_PER_UNIT * units : MOST_SLOTS;
    size_t group = 1;
    if (options->wave_tiles != 0) return options->wave_tiles > 1 && tiles > 1 ? 2 : 1;
    while (group < tiles && group < MOST_TILES &&
           ((tiles + group - 1) / group > most || group * TILE_ROWS * features < LEAST_GROUP_FLOATS))
        group *= 2;
    return group;
}

static size_t choose_slots(const program_options *options, size_t group, size_t bytes) {
    const size_t most = options->wave_tiles != 0 ? options->wave_tiles : MOST_SLOTS;
    size_t slots = 1;
    while (slots * group < tiles_of(options->batch_rows) && slots < most)
        slots *= 2;
    while (slots > 1 && slots * bytes > CPU_WAVE_BYTES)
        slots /= 2;
    return slots;
}

static void cut(const opencl_backend_state *state, program *program) {
    const program_options *options = &program->options;
    opencl_set_tiles(program, round_up(opencl_tile_lanes(options), COLUMN_LANES), COLUMN_LANES);
    opencl_store_tiles(state, program);
    const bool is_stored = program->stored.memory != NULL;
    const size_t bytes = is_stored ? 0 : program->tiles.floats * sizeof(float);
    program->sums.group = choose_group(state, options, program->plan->features);
    program->sums.slots = choose_slots(options, program->sums.group, bytes);
    program->tiles.count = is_stored ? 1 : program->sums.slots; /* one a work-item */
}

static tanda_status prepare(opencl_backend_state *state, program *program, tanda_error *error) {
    const size_t features = program->plan->features, lines = round_up(features + 2, TILE_LANES);
    const size_t levels = step_levels(program->sums.group / 2);
    perceptron_program *own = NULL;
    tanda_status status = allocate(&own, 1, sizeof *own, "program", error);
    if (status != TANDA_OK) return status;
    program->own = own;
    own->scratch_floats = (features + 2) * TILE_LANES + lines * (1 + levels) + TILE_ROWS;
    status = opencl_build_fused(state, "cpu/perceptron.cl", KERNEL_perceptron, KERNEL_perceptron, error);
    if (status != TANDA_OK) return status;
    return opencl_make_memory(state, program->sums.slots, own->scratch_floats * sizeof(float), &own->scratch,
                              error);
}

static void release(program *program) {
    if (program->own == NULL) return;
    opencl_release(&own_of(program)->scratch);
    free(program->own);
}

/* Where one work-item does all of a step, it updates the parameters. */
static size_t most_steps(const program *program, size_t tiles) {
    const size_t floats = program->options.batch_rows * program->plan->features;
    if (tiles > program->sums.group || program->update.squares != NULL) return 0;
    if (tiles_of(program->options.batch_rows) > program->sums.group) return 1;
    const size_t steps = floats > LAUNCH_FLOATS ? 1 : LAUNCH_FLOATS / floats;
    return steps < MOST_STEPS_TOGETHER ? steps : MOST_STEPS_TOGETHER;
}

static perceptron_arguments arguments_of(const context *c, size_t steps) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const packed_layer *layer = &program->plan->layers[0];
    const op *loss = program->plan->loss;
    const size_t last = batch_size(options->rows, options->batch_rows, epoch_steps(program) - 1);
    const bool is_stored = program->stored.memory != NULL;
    return (perceptron_arguments){.input_tile = is_stored ? program->plan->features * program->tiles.width
                                                          : program->tiles.floats,
                                  .first_tile = is_stored ? c->wave->first_tile : 0,
                                  .first_row = c->wave->first_row,
                                  .order = order_of_rows(options),
                                  .batch_rows = options->batch_rows,
                                  .weight = layer->weight,
                                  .bias = layer->bias,
                                  .slot_floats = program->sums.floats,
                                  .scratch_floats = own_of(program)->scratch_floats,
                                  .is_stored = is_stored,
                                  .epoch = (uint)c->wave->epoch,
                                  .rows = (uint)c->wave->rows,
                                  .group = (uint)program->sums.group,
                                  .steps = (uint)(steps > 0 ? steps : 1),
                                  .updates = steps > 0,
                                  .features = (uint)layer->inputs,
                                  .squared = loss->kind == OP_loss_mse,
                                  .with_loss = c->wave->with_loss,
                                  .result = (uint)c->wave->result,
                                  .inverse_rows = inverse_rows_of(options->batch_rows),
                                  .last_inverse_rows = inverse_rows_of(last),
                                  .update = rule_of(program),
                                  .loss = loss_rule_of(program, &loss->loss)};
}

/* Steps with their updates or, of 0, a wave without. */
static tanda_status whole(const context *c, size_t steps) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const bool is_stored = program->stored.memory != NULL;
    const perceptron_arguments arguments = arguments_of(c, steps);
    tanda_status status = opencl_store_wave(c);
    if (status != TANDA_OK) return status;
    launch launch = launch_exact(c->state, KERNEL_perceptron);
    give_memory(&launch, is_stored ? program->stored.memory : program->tiles.memory);
    give_memory(&launch, options->features->memory);
    give_memory(&launch, options->labels->memory);
    give_memory(&launch, options->parameters->memory);
    give_memory(&launch, program->update.state);
    give_memory(&launch, program->update.rates);
    give_memory(&launch, program->sums.memory);
    give_memory(&launch, own_of(program)->scratch);
    give_memory(&launch, program->results.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = row_pass_work(c, steps > 0 ? steps : 1);
    return opencl_launch(&launch, c->wave->slots, 1, 1, c->error);
}

static tanda_status partial(const context *c) {
    return whole(c, 0);
}

const opencl_executor opencl_perceptron = {
    .base = {.name = "perceptron", .fits = fits, .suits = suits},
    .cut = cut,
    .prepare = prepare,
    .release = release,
    .partial = partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = opencl_fused_notes,
};
