#include "backend/openmp/division.h"

#include "support/memory.h"

#define SLOT_BYTES ((size_t)16 << 20) /* of gradient slots that a wave aims at */
/* Below this much work a thread, waiting for one another costs more than it saves. */
#define LEAST_WORK_PER_THREAD 3000000 /* multiplications and additions, some 15 microseconds */

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t power_of_two_from(size_t value) {
    size_t power = 1;
    while (power < value)
        power *= 2;
    return power;
}

/* The largest power of two that is at most `value`; 1 for 0. */
static size_t power_of_two_to(size_t value) {
    size_t power = 1;
    while (power <= value / 2)
        power *= 2;
    return power;
}

/* Memory weighs, too: for a row, and for its features. */
size_t useful_threads(const plan *plan, const program_options *options, size_t threads) {
    size_t each = 0, work = 0;
    const size_t rows = plan->keep && !plan->training ? options->rows : options->batch_rows;
    if (multiply_overflows(plan->parameter_count, 6, &each) ||
        add_overflows(each, 60 * plan->features + 2000, &each) || multiply_overflows(rows, each, &work))
        return threads;
    return least(work / LEAST_WORK_PER_THREAD + 1, threads);
}

void divide_workspaces(program *program, size_t units) {
    const size_t lanes = least(round_up(program->options.batch_rows, COLUMN_LANES), TILE_ROWS);
    program->division.column_floats = units * COLUMN_LANES;
    program->division.tile_floats = units * lanes;
}

static size_t tiles_of_step(const program *program) {
    return tiles_of(program->options.batch_rows);
}

size_t group_of_bytes(const program *program, size_t bytes) {
    const size_t most = power_of_two_to(bytes / (program->division.tile_floats * sizeof(float)));
    return least(least(most, MOST_GROUP_TILES), power_of_two_from(tiles_of_step(program)));
}

void divide_for_threads(program *program, size_t group_bytes, size_t most_wave_tiles) {
    const size_t group = least(group_of_bytes(program, group_bytes),
                               power_of_two_to(tiles_of_step(program) / (4 * program->threads)));
    const size_t slots = power_of_two_to(SLOT_BYTES / (program->sums.slot_floats * sizeof(float)));
    const size_t fewest = group * power_of_two_from(program->threads);
    const size_t wave = least(most_wave_tiles > group ? most_wave_tiles : group, group * slots);
    divide_waves(program, group, wave < fewest ? fewest : wave);
}

void divide_waves(program *program, size_t group_tiles, size_t wave_tiles) {
    const size_t whole = power_of_two_from(tiles_of_step(program)), wanted = program->options.wave_tiles;
    program->division.wave_tiles = least(wanted != 0 ? wanted : wave_tiles, whole);
    program->division.group_tiles = least(group_tiles, program->division.wave_tiles);
}

size_t scratch_of_ops(const program *program) {
    const plan *plan = program->plan;
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const size_t floats = plan->layers[i].inputs * least(plan->layers[i].stride, 2 * PANEL);
        if (floats > widest) widest = floats;
    }
    return 2 * TILE_ROWS * PANEL + (program->division.group_tiles > 1 ? (MOST_LEVELS + 1) * widest : 0);
}
