/* The memory of a wave, which shrinks where the device has less. */
#include "backend/opencl/program.h"
#include "support/text.h"

static tanda_status try_wave(opencl_backend_state *state, program *program, tanda_error *error) {
    program->executor->cut(state, program);
    state->lacks_memory = false; /* for the stored tiles, which are only a luxury */
    tanda_status status = opencl_make_tiles(state, program, error);
    if (status == TANDA_OK) status = opencl_make_sums(state, program, error);
    return status == TANDA_OK ? program->executor->prepare(state, program, error) : status;
}

void opencl_release_wave(program *program) {
    program->executor->release(program);
    program->own = NULL;
    opencl_release(&program->tiles.memory);
    opencl_release(&program->stored.memory);
    opencl_release(&program->sums.memory);
}

/* First the tiles of the whole data set are given up, too. */
bool opencl_halve_wave(const opencl_backend_state *state, program *program) {
    const size_t tiles = program->sums.slots * program->sums.group, asked = program->options.wave_tiles;
    const size_t wave = asked != 0 ? asked / 2 : tiles > 1 ? tiles / 2 : 1;
    if (!state->lacks_memory || program->plan->keep || wave == 0) return false;
    opencl_release_wave(program);
    program->stored = (stored_tiles){.is_refused = true};
    program->options.wave_tiles = wave;
    return true;
}

static void note_wave(program *program, bool is_smaller) {
    const char *own = program->executor->notes(program);
    size_t used = text_put(program->notes, PROGRAM_NOTES_SIZE, "%s", own);
    if (is_smaller && used < PROGRAM_NOTES_SIZE)
        text_put(program->notes + used, PROGRAM_NOTES_SIZE - used,
                 "%sdevice memory is short: waves of at most %zu tiles instead of as many as are quickest",
                 used > 0 ? "; " : "", program->sums.slots * program->sums.group);
}

tanda_status opencl_make_wave(opencl_backend_state *state, program *program, tanda_error *error) {
    tanda_status status = try_wave(state, program, error);
    while (status != TANDA_OK && opencl_halve_wave(state, program))
        status = try_wave(state, program, error);
    if (status == TANDA_OK) note_wave(program, program->stored.is_refused);
    return status;
}
