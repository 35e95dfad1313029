/*
 * Many steps of a small network in one launch, on CPU devices (see network_steps.cl): between two launches a thread that
 * is done sleeps until the other is, and waking it takes 10 to 40 us on a virtual machine, as long as a step of a batch of
 * 32 through 784-128-10.
 */
#include "backend/opencl/wave.h"
#include "kernels/cpu/network.h"

#define LAUNCH_FMAS ((size_t)1 << 28) /* a millisecond or two */
#define MOST_STEPS_TOGETHER 256
#define LEAST_LOOKS 500000
#define TAKES_PER_UNIT 16 /* of blocks of parameters, so that no unit waits long for another */

bool opencl_is_whole(const opencl_backend_state *state, const program *program) {
    return state->is_cpu && program->is_network && !program->is_tiled && program->squares == NULL &&
           tiles_of(program->options.batch_rows) <= program->group;
}

size_t opencl_network_steps(const program *program) {
    const size_t fmas = 3 * program->options.batch_rows * program->plan->parameter_count;
    const size_t steps = fmas > LAUNCH_FMAS ? 1 : LAUNCH_FMAS / fmas;
    return steps < MOST_STEPS_TOGETHER ? steps : MOST_STEPS_TOGETHER;
}

/* Columns that share what is read of the weights, as long as each unit has four such groups to take. */
static size_t columns_together(const program *program, size_t units) {
    const size_t columns = (program->options.batch_rows + program->column - 1) / program->column;
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
    return LEAST_LOOKS + program->plan->parameter_count * program->column * columns / 4;
}

tanda_status opencl_run_network_steps(const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const size_t units = c->state->base.information.compute_units, items = program->network_items;
    const size_t together = columns_together(program, units);
    const size_t last = batch_size(options->rows, options->batch_rows, epoch_steps(program) - 1);
    tanda_status status =
        c->wave->result == 0 ? opencl_pack_network(c) : TANDA_OK; /* later launches find them new */
    if (status != TANDA_OK) return status;
    network_arguments arguments = opencl_network_arguments(c);
    arguments.inverse_rows = inverse_rows_of(options->batch_rows);
    arguments.last_inverse_rows = inverse_rows_of(last);
    arguments.steps = (uint)c->wave->steps;
    arguments.together = (uint)together;
    arguments.items = (uint)items;
    arguments.take = (uint)(items / (TAKES_PER_UNIT * units) + 1);
    arguments.looks = (uint)looks_of(program, together);
    launch launch = launch_of(c->state, c->state->exact.of_vectors[KERNEL_network_steps]);
    opencl_give_rows(&launch, c);
    give_memory(&launch, program->slots);
    give_memory(&launch, program->state);
    give_memory(&launch, program->rates);
    give_memory(&launch, program->turns);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, units, 1, 1, c->error);
}
