/*
 * Steps on an OpenCL device: the host goes through their course (backend/step.h) and queues what is to be done. Weights,
 * tiles and sums stay on the device, and the host waits for nothing between steps.
 */
#include "backend/step.h"

#include "backend/opencl/wave.h"

#define STEPS_IN_FLIGHT 256

/* What the hands work with. */
typedef struct queued_step {
    opencl_backend_state *state;
    program *program;
    size_t result;     /* the step's number in the run */
    size_t first_tile; /* that is computed of it */
    bool with_loss;
    bool is_shared;         /* another device has tiles of it, too: no update follows */
    unsigned level;         /* sums wait from here on */
    size_t slots, distance; /* how many slots the latest wave has left, and how far apart */
} queued_step;

/* ---- the hands ------------------------------------------------------------------------------------------- */

static wave wave_of(const queued_step *step, const batch *batch, size_t first, size_t tiles) {
    const program *program = step->program;
    const size_t left = batch->rows - first * TILE_ROWS, group = program->sums.group;
    return (wave){.step = batch->step,
                  .epoch = batch->epoch,
                  .first_row = batch->first_row + first * TILE_ROWS,
                  .position = batch->position + first * TILE_ROWS,
                  .rows = left < tiles * TILE_ROWS ? left : tiles * TILE_ROWS,
                  .tiles = tiles,
                  .slots = (tiles + group - 1) / group,
                  .first_tile = batch->index * tiles_of(program->options.batch_rows) + first,
                  .result = step->result,
                  .is_first = first == step->first_tile,
                  .with_loss = step->with_loss};
}

/* The last pass of the merge is left to the update that follows. */
static tanda_status make_partial(void *worker, const batch *batch, size_t first, size_t tiles, bool is_all,
                                 tanda_error *error) {
    queued_step *step = worker;
    const program *program = step->program;
    const wave wave = wave_of(step, batch, first, tiles);
    const context c = {step->state, step->program, &wave, error};
    const bool is_whole = !is_all || step->is_shared || program->update.squares != NULL;
    tanda_status status = program->executor->partial(&c);
    if (status == TANDA_OK)
        status = opencl_merge(&c, program->sums.memory, wave.slots, program->sums.floats, is_whole,
                              &step->distance);
    step->slots = is_whole ? 1 : wave.slots;
    return status;
}

static tanda_status add_waiting(void *worker, unsigned level, tanda_error *error) {
    const queued_step *step = worker;
    return opencl_add_waiting(&(context){step->state, step->program, NULL, error}, step->level + level);
}

static tanda_status keep_waiting(void *worker, unsigned level, tanda_error *error) {
    const queued_step *step = worker;
    return opencl_keep_waiting(&(context){step->state, step->program, NULL, error}, step->level + level);
}

static tanda_status update(void *worker, const batch *batch, size_t result, tanda_error *error) {
    const queued_step *step = worker;
    const wave wave = {.result = result};
    const context c = {step->state, step->program, &wave, error};
    return opencl_run_update(&c, step->slots, step->distance, batch->step_rows);
}

static const step_hands hands = {make_partial, add_waiting, keep_waiting, update};

/* ---- a run ----------------------------------------------------------------------------------------------- */

static tanda_status make_results(const opencl_backend_state *state, run_results *results, size_t steps,
                                 tanda_error *error) {
    opencl_release(&results->memory);
    results->capacity = 0;
    tanda_status status = opencl_make_memory(state, steps, sizeof(step_result), &results->memory, error);
    if (status == TANDA_OK) results->capacity = steps;
    return status;
}

tanda_status opencl_clear_results(opencl_backend_state *state, program *program, size_t steps,
                                  tanda_error *error) {
    run_results *results = &program->results;
    tanda_status status = steps > results->capacity ? make_results(state, results, steps, error) : TANDA_OK;
    if (status != TANDA_OK) return status;
    return opencl_clear_memory(state, results->memory, 0, steps * sizeof(step_result), error);
}

/* Of this step of the run and those behind it. */
static tanda_status forget_results(const queued_step *step, tanda_error *error) {
    const run_results *results = &step->program->results;
    return opencl_clear_memory(step->state, results->memory, step->result * sizeof(step_result),
                               (results->count - step->result) * sizeof(step_result), error);
}

static tanda_status begin(opencl_backend_state *state, program *program, uint64_t first_step, size_t steps,
                          tanda_error *error) {
    program->results.count = steps;
    program->results.last_step = first_step + steps - 1;
    program->kept.is_fresh = false;
    return opencl_clear_results(state, program, steps, error);
}

/* How many of `left` steps the executor does whole, from a batch on: it makes no tiles that are to be stored. */
static size_t steps_together(const program *program, const batch *batch, size_t left) {
    const opencl_executor *executor = program->executor;
    size_t most = executor->whole != NULL ? executor->most_steps(program, batch->tiles) : 0;
    if (most > 1 && program->stored.memory != NULL && !opencl_is_stored(program)) most = 1;
    return left < most ? left : most;
}

/* One step, or those that are done together. */
static tanda_status run_steps(queued_step *step, const batch *batch, size_t left, size_t *done,
                              tanda_error *error) {
    program *program = step->program;
    const size_t together = steps_together(program, batch, left);
    const wave all = wave_of(step, batch, 0, batch->tiles);
    const context c = {step->state, program, &all, error};
    const tanda_status status =
        together > 0
            ? program->executor->whole(&c, together)
            : step_run(&hands, step, batch, program->sums.slots * program->sums.group, step->result, error);
    /* Also from a later step on: see --resume. */
    if (batch->index == program->stored.next) program->stored.next++;
    program->results.has_gradient = true;
    *done = together > 0 ? together : 1;
    return status;
}

/*
 * The same, in smaller waves where a launch finds no memory: as the update is a step's last, what was queued of it
 * has changed no parameter. In fast mode the choice of kernels, which another wave would make again, stays.
 */
static tanda_status run_steps_that_fit(queued_step *step, const batch *batch, size_t left, size_t *done,
                                       tanda_error *error) {
    program *program = step->program;
    step->state->lacks_memory = false;
    tanda_status status = run_steps(step, batch, left, done, error);
    while (status != TANDA_OK && program->options.math == TANDA_MATH_EXACT &&
           opencl_halve_wave(step->state, program)) {
        status = opencl_make_wave(step->state, program, error);
        if (status == TANDA_OK) status = forget_results(step, error);
        if (status == TANDA_OK) status = run_steps(step, batch, left, done, error);
    }
    return status;
}

tanda_status opencl_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const program_options *options = &program->options;
    queued_step step = {.state = state, .program = program, .with_loss = with_loss};
    tanda_status status = begin(state, program, first_step, steps, error);
    if (status == TANDA_OK) status = opencl_set_rates(state, program, rates, steps, error);
    for (size_t done = 0, launches = 1; status == TANDA_OK && step.result < steps;
         step.result += done, launches++) {
        const batch batch = batch_of(options, first_step + step.result);
        status = run_steps_that_fit(&step, &batch, steps - step.result, &done, error);
        if (status == TANDA_OK && launches % STEPS_IN_FLIGHT == 0) status = opencl_finish(state, error);
    }
    return status == TANDA_OK ? opencl_check(state, clFlush(state->queue), "clFlush", error) : status;
}

/* ---- a step that is shared --------------------------------------------------------------------------------- */

/* The loss sum lies behind the gradient, of which an evaluation has none. */
static size_t loss_at(const program *program) {
    return program->sums.floats - 16;
}

static tanda_status read_sum(const opencl_backend_state *state, const program *program, partial_sum *sum,
                             tanda_error *error) {
    step_result result = {0};
    const cl_mem slots = program->sums.memory;
    tanda_status status = opencl_read_floats(state, program->results.memory, 0, 3, &result, error);
    if (status == TANDA_OK) status = opencl_read_floats(state, slots, loss_at(program), 1, &sum->loss, error);
    if (status == TANDA_OK && program->plan->training)
        status = opencl_read_floats(state, slots, 0, loss_at(program), sum->gradient, error);
    sum->correct = result.correct;
    return status;
}

static tanda_status need_rates(opencl_backend_state *state, program *program, tanda_error *error) {
    if (program->update.rates != NULL) return TANDA_OK; /* kernels want some, which they do not use */
    return opencl_set_rates(state, program, NULL, 1, error);
}

static size_t wave_tiles_of(const program *program) {
    return program->sums.slots * program->sums.group;
}

tanda_status opencl_partial(backend *backend, program *program, uint64_t number, size_t first_tile,
                            size_t tiles, bool with_loss, partial_sum *sum, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const batch batch = batch_of(&program->options, number);
    queued_step step = {.state = state,
                        .program = program,
                        .first_tile = first_tile,
                        .with_loss = with_loss,
                        .is_shared = true};
    tanda_status status = begin(state, program, number, 1, error);
    if (status == TANDA_OK) status = need_rates(state, program, error);
    if (status == TANDA_OK)
        status =
            step_sum(&hands, &step, &batch, first_tile, first_tile + tiles, wave_tiles_of(program), error);
    return status == TANDA_OK ? read_sum(state, program, sum, error) : status;
}

/* Of the first part alone the first wave begins the step's count. */
tanda_status opencl_part(backend *backend, program *program, uint64_t number, size_t index, bool is_last,
                         tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const batch batch = batch_of(&program->options, number);
    queued_step step = {.state = state,
                        .program = program,
                        .first_tile = index == 0 ? 0 : SIZE_MAX,
                        .with_loss = true,
                        .is_shared = true};
    tanda_status status = index == 0 ? begin(state, program, number, 1, error) : TANDA_OK;
    if (status == TANDA_OK) status = need_rates(state, program, error);
    if (status == TANDA_OK)
        status = step_sum(&hands, &step, &batch, 0, batch.tiles, wave_tiles_of(program), error);
    step.level = opencl_part_level(program);
    if (status == TANDA_OK) status = step_add(&hands, &step, index, is_last, error);
    return status == TANDA_OK ? opencl_check(state, clFlush(state->queue), "clFlush", error) : status;
}

static tanda_status write_sum(const opencl_backend_state *state, const program *program,
                              const partial_sum *sum, tanda_error *error) {
    const step_result result = {.correct = sum->correct};
    const size_t loss = loss_at(program);
    tanda_status status =
        opencl_write_memory(state, program->results.memory, 0, &result, sizeof result, error);
    if (status == TANDA_OK)
        status = opencl_write_memory(state, program->sums.memory, loss * sizeof(float), &sum->loss,
                                     sizeof(float), error);
    if (status == TANDA_OK && program->plan->training)
        status =
            opencl_write_memory(state, program->sums.memory, 0, sum->gradient, loss * sizeof(float), error);
    return status;
}

tanda_status opencl_apply(backend *backend, program *program, uint64_t number, const update_rates *rates,
                          const partial_sum *sum, step_result *result, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const batch batch = batch_of(&program->options, number);
    queued_step step = {.state = state, .program = program, .slots = 1, .distance = 1};
    tanda_status status = sum != NULL ? begin(state, program, number, 1, error) : TANDA_OK;
    if (status == TANDA_OK) status = opencl_set_rates(state, program, rates, 1, error);
    if (status == TANDA_OK && sum != NULL) status = write_sum(state, program, sum, error);
    if (status == TANDA_OK) status = hands.apply(&step, &batch, 0, error);
    program->results.has_gradient = true;
    return status == TANDA_OK ? opencl_read_floats(state, program->results.memory, 0, 3, result, error)
                              : status;
}
