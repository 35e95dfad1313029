/*
 * Many steps of a small network in one launch, on CPU devices (see network_steps.cl): between two launches a thread that
 * is done sleeps until the other is, and waking it takes 10 to 40 us on a virtual machine, as long as a step of a batch of
 * 32 through 784-128-10.
 */
#include "backend/opencl/executors/network_parts.h"

#define LAUNCH_FMAS ((size_t)1 << 28) /* a millisecond or two */
#define MOST_STEPS_TOGETHER 256
#define LEAST_LOOKS 500000
#define TAKES_PER_UNIT 16 /* of blocks of parameters, so that no unit waits long for another */

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    const opencl_backend_state *state = (const opencl_backend_state *)backend;
    const size_t tiles = tiles_of(options->batch_rows), wave = options->wave_tiles;
    return opencl_network_fits(backend, plan, options, lack) &&
           opencl_holds(state->is_cpu, "a device that is no CPU", lack) &&
           opencl_holds(!(options->update.constants.clip_norm > 0.0f), "the norm of a gradient", lack) &&
           opencl_holds(tiles <= (wave == 0 ? MOST_GROUP_TILES : wave), "batches of so many rows", lack);
}

/* Where the two kernels of a step would do it whole. */
static bool suits(const backend *backend, const plan *plan, const program_options *options) {
    const network_cut cut = opencl_network_cut((const opencl_backend_state *)backend, plan, options);
    return opencl_network_suits(backend, plan, options) && !opencl_tiles_suit(backend, plan, options) &&
           tiles_of(options->batch_rows) <= cut.group;
}

static void cut(const opencl_backend_state *state, program *program) {
    network_cut made = {.column = opencl_network_column(state, &program->options), .group = 1, .slots = 1};
    while (made.group < tiles_of(program->options.batch_rows))
        made.group *= 2;
    opencl_set_network(state, program, &made);
}

static size_t most_steps(const program *program, size_t tiles) {
    (void)tiles;
    const size_t fmas = 3 * program->options.batch_rows * program->plan->parameter_count;
    const size_t steps = fmas > LAUNCH_FMAS ? 1 : LAUNCH_FMAS / fmas;
    return steps < MOST_STEPS_TOGETHER ? steps : MOST_STEPS_TOGETHER;
}

/* Columns that share what is read of the weights, as long as each unit has four such groups to take. */
static size_t columns_together(const program *program, size_t units) {
    const size_t columns = (program->options.batch_rows + program->tiles.column - 1) / program->tiles.column;
    size_t together = 1;
    while (together < NETWORK_MOST_COLUMNS && columns >= 2 * together * 4 * units)
        together *= 2;
    return together;
}

/*
 * A look takes a cycle or two. What another is busy with is some columns' chains at most, twice or three times 1 / 32 cycle each
 * operation: so this is some times longer, and short enough where two threads share a core.
 */
static size_t looks_of(const program *program, size_t columns) {
    return LEAST_LOOKS + program->plan->parameter_count * program->tiles.column * columns / 4;
}

/* A run's turns, which no part has taken yet. */
static tanda_status clear_turns(const context *c) {
    network_program *own = network_of(c->program);
    const size_t steps = c->program->results.count;
    if (steps > own->turn_capacity) {
        opencl_release(&own->turns);
        own->turn_capacity = 0;
        const tanda_status status =
            opencl_make_memory(c->state, steps, NETWORK_TURNS * sizeof(cl_uint), &own->turns, c->error);
        if (status != TANDA_OK) return status;
        own->turn_capacity = steps;
    }
    return opencl_clear_memory(c->state, own->turns, 0, steps * NETWORK_TURNS * sizeof(cl_uint), c->error);
}

/* A run's first launch has to find panels and turns; the later ones find the panels new. */
static tanda_status begin(const context *c) {
    tanda_status status = opencl_store_wave(c);
    if (status != TANDA_OK || c->wave->result > 0) return status;
    status = clear_turns(c);
    return status == TANDA_OK ? opencl_pack_network(c) : status;
}

static network_arguments arguments_of(const context *c, size_t steps) {
    const program_options *options = &c->program->options;
    const size_t units = c->state->base.information.compute_units, items = network_of(c->program)->items;
    const size_t together = columns_together(c->program, units);
    const size_t last = batch_size(options->rows, options->batch_rows, epoch_steps(c->program) - 1);
    network_arguments arguments = opencl_network_arguments(c);
    arguments.inverse_rows = inverse_rows_of(options->batch_rows);
    arguments.last_inverse_rows = inverse_rows_of(last);
    arguments.updates = true;
    arguments.steps = (uint)steps;
    arguments.together = (uint)together;
    arguments.items = (uint)items;
    arguments.take = (uint)(items / (TAKES_PER_UNIT * units) + 1);
    arguments.looks = (uint)looks_of(c->program, together);
    return arguments;
}

static tanda_status whole(const context *c, size_t steps) {
    const program *program = c->program;
    tanda_status status = begin(c);
    if (status != TANDA_OK) return status;
    const network_arguments arguments = arguments_of(c, steps);
    launch launch = launch_exact(c->state, KERNEL_network_steps);
    opencl_give_rows(&launch, c);
    give_memory(&launch, program->sums.memory);
    give_memory(&launch, program->update.state);
    give_memory(&launch, program->update.rates);
    give_memory(&launch, network_of(program)->turns);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = opencl_network_work(
        c, OP_SET(dense_forward) | OP_SET(dense_backward) | OP_SET(dense_gradient), steps);
    return opencl_launch(&launch, c->state->base.information.compute_units, 1, 1, c->error);
}

const opencl_executor opencl_steps = {
    .base = {.name = "steps", .fits = fits, .suits = suits},
    .cut = cut,
    .prepare = opencl_make_network,
    .release = opencl_release_network,
    .partial = opencl_network_partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = opencl_fused_notes,
};
