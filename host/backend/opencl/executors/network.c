/* A network whose rows and gradients have a kernel each: see network.cl. */
#include "backend/opencl/executors/network_parts.h"

static void cut(const opencl_backend_state *state, program *program) {
    const network_cut made = opencl_network_cut(state, program->plan, &program->options);
    opencl_set_network(state, program, &made);
}

/* The gradient kernel updates the parameters where its sums are all of a step. */
static size_t most_steps(const program *program, size_t tiles) {
    return tiles <= program->sums.group && program->update.squares == NULL;
}

static tanda_status whole(const context *c, size_t steps) {
    (void)steps;
    return opencl_run_network(c, true);
}

const opencl_executor opencl_network = {
    .base = {.name = "network", .fits = opencl_network_fits, .suits = opencl_network_suits},
    .cut = cut,
    .prepare = opencl_make_network,
    .release = opencl_release_network,
    .partial = opencl_network_partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = opencl_fused_notes,
};
