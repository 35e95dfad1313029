/*
 * A network with many tiles: a work-item takes a group of them from rows to gradients, one tile after the other, so that
 * its tensors stay in the cache. See network.cl.
 */
#include "backend/opencl/executors/network_parts.h"
#include "backend/step.h"

#define GROUPS_PER_UNIT 16
#define COLUMN 32

static bool suits(const backend *backend, const plan *plan, const program_options *options) {
    return opencl_network_suits(backend, plan, options) && opencl_tiles_suit(backend, plan, options);
}

/* So many groups that compute units which end early find more to do. */
static void cut(const opencl_backend_state *state, program *program) {
    const size_t tiles = tiles_of(program->options.batch_rows), wave = program->options.wave_tiles;
    const size_t most = GROUPS_PER_UNIT * state->base.information.compute_units;
    network_cut made = {.column = COLUMN, .group = wave > 1 ? 2 : 1, .slots = 1};
    while (made.slots * made.group < tiles && (wave == 0 || made.slots < wave))
        if (wave != 0 || made.slots < most)
            made.slots *= 2;
        else
            made.group *= 2;
    opencl_set_network(state, program, &made);
    program->tiles.count = made.slots; /* one a work-item */
}

/* Each group has the levels of its tree. */
static tanda_status prepare(opencl_backend_state *state, program *program, tanda_error *error) {
    tanda_status status = opencl_make_network(state, program, error);
    if (status != TANDA_OK) return status;
    network_program *own = network_of(program);
    own->scratch_floats = step_levels(program->sums.group / 2) * program->sums.floats;
    return opencl_make_memory(state, program->sums.slots, own->scratch_floats * sizeof(float), &own->scratch,
                              error);
}

static tanda_status run_tiles(const context *c) {
    const program *program = c->program;
    const network_arguments arguments = opencl_network_arguments(c);
    launch launch = launch_exact(c->state, KERNEL_network_tiles);
    opencl_give_rows(&launch, c);
    give_memory(&launch, program->sums.memory);
    give_memory(&launch, network_of(program)->scratch);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work =
        opencl_network_work(c, OP_SET(dense_forward) | OP_SET(dense_backward) | OP_SET(dense_gradient), 1);
    return opencl_launch(&launch, c->wave->slots, 1, 1, c->error);
}

static tanda_status partial(const context *c) {
    tanda_status status = opencl_store_wave(c);
    if (status == TANDA_OK && c->wave->is_first) status = opencl_pack_network(c);
    return status == TANDA_OK ? run_tiles(c) : status;
}

const opencl_executor opencl_tiles = {
    .base = {.name = "tiles", .fits = opencl_network_fits, .suits = suits},
    .cut = cut,
    .prepare = prepare,
    .release = opencl_release_network,
    .partial = partial,
    .notes = opencl_fused_notes,
};
