/*
 * The perceptron on CPU devices: one output and no hidden layer. One kernel does all that follows the gathering, each
 * work-item for a group of 2^j successive tiles, whose sums it adds in the order of the tree (see perceptron.cl).
 */
#include "kernels/arguments/perceptron.h"
#include "backend/opencl/wave.h"
#include "support/memory.h"

#define MOST_FEATURES 16384 /* lane sums of more would take too much memory */
#define MOST_TILES 1024     /* with MOST_SLOTS, a wave's rows fit into 32 bits */
#define MOST_SLOTS 1024
#define GROUPS_PER_UNIT \
    64 /* so that compute units which end early find more to do: PoCL lends up to 32 at a time */
#define LEAST_GROUP_FLOATS 65536 /* less is done before another thread has woken up */
#define LAUNCH_FLOATS 524288     /* half a millisecond's, in steps that one work-item does whole */
#define MOST_STEPS_TOGETHER 256

/* The losses that perceptron.cl knows; others go the way of networks. */
static bool is_known(const op *loss) {
    return loss->kind == OP_loss_mse ||
           (loss->kind == OP_loss_binary_crossentropy && !loss->loss.constants.smooth);
}

void opencl_choose_perceptron(const opencl_backend_state *state, program *program) {
    const plan *plan = program->plan;
    const packed_layer *layer = &plan->layers[0];
    program->is_perceptron = state->vector == 16 && plan->training && !plan->keep && !plan->drops &&
                             !plan->weighted && plan->layer_count == 1 && layer->outputs == 1 &&
                             layer->inputs <= MOST_FEATURES && may_fuse(program) && is_known(plan->loss);
    if (program->is_perceptron) {
        program->width = round_up(program->width, COLUMN_LANES);
        program->workspace_floats = plan->workspace_units * program->width;
    }
}

void opencl_choose_groups(const opencl_backend_state *state, program *program, size_t budget) {
    size_t tiles = tiles_of(program->options.batch_rows), units = state->base.information.compute_units;
    size_t features = program->plan->features, group = 1, slots = 1, levels = 1;
    size_t lines = round_up(features + 2, TILE_LANES), wave = program->options.wave_tiles;
    const size_t most = GROUPS_PER_UNIT * units < MOST_SLOTS ? GROUPS_PER_UNIT * units : MOST_SLOTS;
    while (group < tiles && group < MOST_TILES &&
           (wave != 0
                ? wave > 1 && group < 2
                : (tiles + group - 1) / group > most || group * TILE_ROWS * features < LEAST_GROUP_FLOATS))
        group *= 2;
    while (slots * group < tiles && slots < (wave != 0 ? wave : MOST_SLOTS))
        slots *= 2;
    size_t bytes = program->stored != NULL ? 0 : program->workspace_floats * sizeof(float);
    while (slots > 1 && slots * bytes > budget)
        slots /= 2;
    for (size_t size = group; size > 1; size /= 2)
        levels++;
    program->group = group;
    program->wave_tiles = slots;
    program->scratch_floats = (features + 2) * TILE_LANES + lines * (1 + levels) + TILE_ROWS;
}

size_t opencl_perceptron_steps(const program *program) {
    const size_t floats = program->options.batch_rows * program->plan->features;
    if (tiles_of(program->options.batch_rows) > program->group || program->squares != NULL) return 1;
    const size_t steps = floats > LAUNCH_FLOATS ? 1 : LAUNCH_FLOATS / floats;
    return steps < MOST_STEPS_TOGETHER ? steps : MOST_STEPS_TOGETHER;
}

tanda_status opencl_run_perceptron(const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const packed_layer *layer = &program->plan->layers[0];
    const op *loss = program->plan->loss;
    const size_t last = batch_size(options->rows, options->batch_rows, epoch_steps(program) - 1);
    const bool is_stored = program->stored != NULL;
    const perceptron_arguments arguments = {.input_tile = is_stored ? program->plan->features * program->width
                                                                    : program->workspace_floats,
                                            .first_tile = is_stored ? c->wave->first_tile : 0,
                                            .first_row = c->wave->first_row,
                                            .row_count = options->rows,
                                            .batch_rows = options->batch_rows,
                                            .seed = options->seed,
                                            .weight = layer->weight,
                                            .bias = layer->bias,
                                            .slot_floats = program->slot_floats,
                                            .scratch_floats = program->scratch_floats,
                                            .is_stored = is_stored,
                                            .shuffle = shuffles(program),
                                            .epoch = (uint)c->wave->epoch,
                                            .rows = (uint)c->wave->rows,
                                            .group = (uint)program->group,
                                            .steps = (uint)c->wave->steps,
                                            .updates = c->wave->updates,
                                            .features = (uint)layer->inputs,
                                            .squared = loss->kind == OP_loss_mse,
                                            .with_loss = c->wave->with_loss,
                                            .result = (uint)c->wave->result,
                                            .inverse_rows = inverse_rows_of(options->batch_rows),
                                            .last_inverse_rows = inverse_rows_of(last),
                                            .update = rule_of(program),
                                            .loss = loss_rule_of(program, &loss->loss)};
    launch launch = launch_of(c->state, c->state->exact.of_vectors[KERNEL_perceptron]);
    give_memory(&launch, is_stored ? program->stored : program->workspace);
    give_memory(&launch, options->features->memory);
    give_memory(&launch, options->labels->memory);
    give_memory(&launch, options->parameters->memory);
    give_memory(&launch, program->state);
    give_memory(&launch, program->rates);
    give_memory(&launch, program->slots);
    give_memory(&launch, program->scratch);
    give_memory(&launch, program->results);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, c->wave->slots, 1, 1, c->error);
}
