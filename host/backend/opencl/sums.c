/* The tree over partial sums on an OpenCL device. See reduce.cl. */
#include "backend/opencl/wave.h"
#include "backend/step.h"

unsigned opencl_part_level(const program *program) {
    const partial_sums *sums = &program->sums;
    return (unsigned)step_levels(tiles_of(program->most_rows) / (sums->slots * sums->group));
}

/* Of waves, and of parts of a step above. */
static size_t count_levels(const program *program) {
    const size_t batch_rows = program->options.batch_rows, rows = program->most_rows;
    if (batch_rows > rows) return opencl_part_level(program) + step_levels(batch_rows / rows + 1);
    return step_levels(tiles_of(batch_rows) / (program->sums.slots * program->sums.group));
}

tanda_status opencl_make_sums(const opencl_backend_state *state, program *program, tanda_error *error) {
    const partial_sums *sums = &program->sums;
    return opencl_make_memory(state, sums->slots + count_levels(program), sums->floats * sizeof(float),
                              &program->sums.memory, error);
}

/*
 * Passes of the tree over so many slots, `floats` apart, each of which leaves a slot of FAN_IN; the last that would
 * leave one is left to the update unless `whole` is set. *distance: how far apart the slots lie that are left.
 */
tanda_status opencl_merge(const context *c, cl_mem slots, size_t count, size_t floats, bool whole,
                          size_t *distance) {
    for (*distance = 1; *distance * (whole ? 1 : FAN_IN) < count; *distance *= FAN_IN) {
        size_t group = *distance * FAN_IN, groups = (count + group - 1) / group;
        launch launch = launch_exact(c->state, KERNEL_merge_partials);
        const merge_arguments arguments = {floats, (uint)count, (uint)*distance};
        give_memory(&launch, slots);
        give_arguments(&launch, &arguments, sizeof arguments);
        launch.work.bytes = (double)sizeof(float) * (double)floats * (double)(count / *distance + groups);
        tanda_status status = opencl_launch(&launch, floats / c->state->vector, groups, 1, c->error);
        if (status != TANDA_OK) return status;
    }
    return TANDA_OK;
}

/* What waits lies behind a wave's slots; in floats. */
static size_t waiting_at(const program *program, unsigned level) {
    return (program->sums.slots + level) * program->sums.floats;
}

tanda_status opencl_add_waiting(const context *c, unsigned level) {
    const program *program = c->program;
    launch launch = launch_exact(c->state, KERNEL_add_partials);
    const add_arguments arguments = {
        .sum = 0, .other = waiting_at(program, level), .floats = program->sums.floats};
    give_memory(&launch, program->sums.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = 3.0 * (double)sizeof(float) * (double)program->sums.floats;
    return opencl_launch(&launch, program->sums.floats / c->state->vector, 1, 1, c->error);
}

tanda_status opencl_keep_waiting(const context *c, unsigned level) {
    const partial_sums *sums = &c->program->sums;
    return opencl_copy_memory(c->state, sums->memory, waiting_at(c->program, level) * sizeof(float),
                              sums->floats * sizeof(float), c->error);
}
