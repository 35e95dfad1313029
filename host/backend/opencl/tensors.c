/* The tiles of a program: how many, where their tensors lie, and the rows that are assembled there. */
#include "backend/opencl/wave.h"
#include "kernels/arguments/gather.h"
#include "support/memory.h"

#define MOST_CPU_TILES 1024
#define MOST_TILES 32768 /* a dimension of a launch takes 65535 groups */

size_t opencl_tile_lanes(const program_options *options) {
    return options->batch_rows < TILE_ROWS ? round_up(options->batch_rows, TILE_LANES) : TILE_ROWS;
}

void opencl_set_tiles(program *program, size_t width, size_t column) {
    program->tiles.width = width;
    program->tiles.column = column == 0 ? width : column;
    program->tiles.floats = program->plan->workspace_units * width;
}

size_t opencl_wave_tiles(const opencl_backend_state *state, const plan *plan, const program_options *options,
                         size_t floats, size_t budget) {
    size_t tiles = 1, least = 1, wave = options->wave_tiles;
    while (tiles < tiles_of(options->batch_rows))
        tiles *= 2;
    if (plan->keep) return tiles;
    if (wave == 0) {
        while (least < 2 * state->base.information.compute_units && least < 8)
            least *= 2;
        wave = state->is_cpu ? MOST_CPU_TILES : MOST_TILES;
        if (budget > state->most_bytes) budget = state->most_bytes;
        while (wave > least && wave * floats * sizeof(float) > budget)
            wave /= 2;
    }
    return wave < tiles ? wave : tiles;
}

tanda_status opencl_make_tiles(const opencl_backend_state *state, program *program, tanda_error *error) {
    return opencl_make_memory(state, program->tiles.count, program->tiles.floats * sizeof(float),
                              &program->tiles.memory, error);
}

/* ---- rows -------------------------------------------------------------------------------------------------- */

void opencl_store_tiles(const opencl_backend_state *state, program *program) {
    const program_options *options = &program->options;
    if (shuffles(program) || options->exchanged || program->plan->keep || !program->plan->training ||
        program->stored.is_refused)
        return;
    size_t tiles = epoch_steps(program) * tiles_of(options->batch_rows), floats = 0;
    if (multiply_overflows(tiles, program->plan->features * program->tiles.width, &floats) ||
        floats > state->most_bytes / sizeof(float) / 2)
        return;
    if (opencl_make_memory(state, floats, sizeof(float), &program->stored.memory, NULL) != TANDA_OK)
        opencl_release(&program->stored.memory);
}

bool opencl_is_stored(const program *program) {
    return program->stored.memory != NULL && program->stored.next >= epoch_steps(program);
}

/* Those of the wave's rows that are in a part of the data set. */
static tanda_status gather_part(const context *c, cl_mem order, const buffer *part) {
    const program *program = c->program;
    const size_t column = program->tiles.column, width = program->tiles.width, vector = c->state->vector;
    const size_t features = program->plan->features;
    place target = place_of(c, program->plan->input->place);
    const gather_arguments arguments = {.target = target.offset,
                                        .target_tile = target.tile,
                                        .first_row = c->wave->first_row,
                                        .part = {part->first, part->rows},
                                        .features = (uint)features,
                                        .column = (uint)column,
                                        .mask = column < width ? (uint)column - 1 : UINT32_MAX,
                                        .rows = (uint)c->wave->rows,
                                        .in_order = !shuffles(program),
                                        .in_parts = !opencl_is_whole(program->options.features)};
    launch launch = launch_exact(c->state, KERNEL_gather);
    give_memory(&launch, part->memory);
    give_memory(&launch, order);
    give_memory(&launch, target.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = row_bytes(c, 2 * features + (order != program->options.features->memory ? 2 : 0));
    return opencl_launch(&launch, (features + vector - 1) / vector, width / vector, c->wave->tiles, c->error);
}

tanda_status opencl_gather(const context *c, cl_mem order) {
    const wave *wave = c->wave;
    tanda_status status = TANDA_OK;
    for (const buffer *part = c->program->options.features; status == TANDA_OK && part != NULL;
         part = part->next) {
        const bool is_before = wave->first_row + wave->rows <= part->first;
        const bool is_behind = part->next != NULL && wave->first_row >= part->next->first;
        if (shuffles(c->program) || !(is_before || is_behind)) status = gather_part(c, order, part);
    }
    return status;
}

/* What is stored comes in order: no memory has to name the rows. */
tanda_status opencl_store_wave(const context *c) {
    const program *program = c->program;
    if (program->stored.memory == NULL || opencl_is_stored(program)) return TANDA_OK;
    return opencl_gather(c, program->options.features->memory);
}
