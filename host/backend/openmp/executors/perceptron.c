/* One output, no hidden layer, nothing asked for but loss and gradient: ../perceptron.c reads the data once a step. */

#include "backend/openmp/worker.h"

/* Data of a group: some 40 microseconds of a core, by which threads may end apart. */
#define GROUP_BYTES ((size_t)1 << 20)

static const op_set known = OP_SET(gather) | OP_SET(dense_forward) | OP_SET(loss_binary_crossentropy) |
                            OP_SET(loss_mse) | OP_SET(loss_elements) | OP_SET(weigh) | OP_SET(loss_sum) |
                            OP_SET(dense_gradient);

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    (void)backend, (void)options;
    if (!plan_is_within(plan, known, lack)) return false;
    *lack = plan->keep                                               ? "tensors that are kept"
            : plan->layer_count != 1 || plan->layers[0].outputs != 1 ? "more than one output"
            : plan->loss == NULL                                     ? "a plan without a loss"
                                                                     : "";
    return **lack == '\0';
}

/* The workspace is for rows alone. One wave can be the step: slots are small, and threads wait after each wave. */
static void divide(program *program) {
    const size_t features = program->plan->features;
    division *division = &program->division;
    divide_workspaces(program, features);
    divide_for_threads(program, GROUP_BYTES, SIZE_MAX);
    division->workspaces = uses_tiles(program) ? 0 : program->threads * division->group_tiles;
    division->scratch_floats = (features + 2 * TILE_LANES) * (TILE_LANES + 1 + MOST_LEVELS + 1);
}

static void run_group(const worker *worker, tile_group *group) {
    const program *program = worker->program;
    const tile *first = &group->tiles[0], *last = &group->tiles[group->count - 1];
    if (!uses_tiles(program)) run_op(worker, group, program->list.gather);
    const perceptron_task task = {.layer = &program->list.output_forward->dense_forward.shape,
                                  .loss_kind = program->list.loss->kind,
                                  .loss = &program->list.loss->loss,
                                  .training = program->plan->training,
                                  .with_loss = worker->with_loss || !program->plan->training,
                                  .parameters = group->parameters,
                                  .partial = group->partial,
                                  .loss_sum = group->partial + group->loss_index,
                                  .input = first->input,
                                  .last = last->input,
                                  .tiles = group->count,
                                  .rows = (group->count - 1) * TILE_ROWS + last->rows,
                                  .classes = first->classes,
                                  .targets = first->targets,
                                  .weights = first->weights,
                                  .correct = first->correct,
                                  .scratch = group->scratch};
    program->functions->perceptron(&task);
    note_time(worker, CLOCK_perceptron);
}

const openmp_executor openmp_perceptron = {.base = {.name = "perceptron", .fits = fits},
                                           .divide = divide,
                                           .wave = wave_of_groups,
                                           .group = run_group};
