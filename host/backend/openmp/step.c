/*
 * Running a plan on the CPU. All steps of a run lie in one parallel region, and each thread goes through their course.
 *
 * A step goes in waves of tiles, a wave in groups. A group leaves one partial gradient in its slot; the slots of a wave
 * become one by the fixed tree, and so do the sums of the waves: see backend/step.h.
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "backend/openmp/worker.h"
#include "support/floating_mode.h"
#include "support/memory.h"

#define SWEEP_TURNS \
    4 /* a turn of a sweep is an eighth of a thread's share of what is left, and at last one tile */

/* ---- waves of groups, of which each thread takes whole ones, so that a tile stays in its cache --------------- */

static void run_slot(worker *worker, const batch *batch, size_t first, size_t tiles, size_t slot) {
    const program *program = worker->program;
    const size_t size = program->division.group_tiles, begin = slot * size;
    const size_t place = program->plan->keep ? first / size + slot : worker->thread;
    tile_group group = group_of(worker, batch, first + begin, tiles - begin < size ? tiles - begin : size,
                                program->workspaces + place * size * program->division.tile_floats,
                                &program->sums.correct[slot]);
    group.partial = program->sums.slots + slot * program->sums.slot_floats;
    note_time(worker, OP_gather);
    program->executor->group(worker, &group);
}

/*
 * As many groups at once as leave each thread another turn, down to one: memory is read in long runs, and threads end at
 * about the same time. Polychronopoulos and Kuck, "Guided self-scheduling", IEEE Trans. Computers 36 (1987).
 */
static bool take_groups(size_t *next, size_t groups, size_t threads, size_t *begin, size_t *end) {
    *begin = __atomic_load_n(next, __ATOMIC_RELAXED);
    do {
        if (*begin >= groups) return false;
        const size_t share = (groups - *begin) / (2 * threads);
        *end = *begin + (share > 0 ? share : 1);
    } while (!__atomic_compare_exchange_n(next, begin, *end, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return true;
}

void take_correct(worker *worker, size_t groups) {
    uint32_t *correct = worker->program->sums.correct;
    for (size_t i = 0; worker->thread == 0 && i < groups; i++) {
        worker->correct += correct[i];
        correct[i] = 0;
    }
}

void wave_of_groups(worker *worker, const batch *batch, size_t first, size_t tiles) {
    program *program = worker->program;
    const size_t size = program->division.group_tiles, groups = (tiles + size - 1) / size;
    size_t *next = &program->next_group[worker->waves % 2], slot = 0, end = 0;
    if (worker->thread == 0) program->next_group[(worker->waves + 1) % 2] = 0;
    while (take_groups(next, groups, worker->threads, &slot, &end))
        for (; slot < end; slot++)
            run_slot(worker, batch, first, tiles, slot);
    worker->waves++;
    wait_for_team(worker);
    if (groups > 1) merge_owned(worker, groups);
    take_correct(worker, groups);
}

/* ---- a thread's part of a step --------------------------------------------------------------------------- */

static tanda_status add_tiles(void *of, const batch *batch, size_t first, size_t tiles, bool is_all,
                              tanda_error *error) {
    worker *worker = of;
    const program *program = worker->program;
    (void)error;
    begin_descent(worker, batch, is_all && worker->updates && tiles <= program->division.group_tiles);
    program->executor->wave(worker, batch, first, tiles);
    return TANDA_OK;
}

static float *waiting_on(const worker *worker, unsigned level) {
    const sum_memory *sums = &worker->program->sums;
    return sums->waiting + level * sums->slot_floats;
}

static tanda_status add(void *of, unsigned level, tanda_error *error) {
    worker *worker = of;
    (void)error;
    add_owned(worker, waiting_on(worker, level));
    return TANDA_OK;
}

/* The slots are then free for the next wave. */
static tanda_status keep(void *of, unsigned level, tanda_error *error) {
    worker *worker = of;
    (void)error;
    keep_owned(worker, waiting_on(worker, level));
    wait_for_team(worker);
    return TANDA_OK;
}

static tanda_status apply(void *of, const batch *batch, size_t result, tanda_error *error) {
    worker *worker = of;
    program *program = worker->program;
    step_result *made = &program->run.results[result];
    (void)error;
    if (program->plan->training && update_owned(worker, batch))
        __atomic_store_n(&made->not_finite, 1, __ATOMIC_RELAXED);
    if (worker->thread == 0) {
        made->loss = program->list.loss != NULL ? program->sums.slots[program->sums.loss_index] : 0.0f;
        made->correct = worker->correct;
        worker->correct = 0;
        program->run.gradient = program->sums.slots;
    }
    wait_for_team(worker);
    return TANDA_OK;
}

static const step_hands hands = {.partial = add_tiles, .add = add, .keep = keep, .apply = apply};

static worker make_worker(program *program) {
    const size_t thread = (size_t)omp_get_thread_num();
    const size_t lanes = thread * program->division.group_tiles * TILE_ROWS;
    thread_clock *clocks = program->run.clocks;
    if (clocks != NULL) clock_add(&clocks[thread], CLOCK_host);
    return (worker){.program = program,
                    .thread = thread,
                    .threads = (size_t)omp_get_num_threads(),
                    .scratch = program->scratches + thread * program->division.scratch_floats,
                    .clock = clocks != NULL ? &clocks[thread] : NULL,
                    .lanes = {.rows = program->lanes.rows + lanes,
                              .labels = program->lanes.labels + lanes * program->plan->labels.count,
                              .weights = program->plan->weighted ? program->lanes.weights + lanes : NULL},
                    .with_loss = true};
}

/* ---- other rows ------------------------------------------------------------------------------------------ */

tanda_status openmp_place(backend *backend, program *program, const program_rows *rows, tanda_error *error) {
    (void)backend, (void)error;
    program_options_take(&program->options, rows);
    return TANDA_OK;
}

/* ---- runs ------------------------------------------------------------------------------------------------ */

static tanda_status begin_run(const backend *backend, program *program, uint64_t first_step, size_t steps,
                              const update_rates *rates, tanda_error *error) {
    latest_run *run = &program->run;
    if (steps > run->capacity) {
        step_result *grown = NULL;
        const tanda_status status = allocate(&grown, steps, sizeof *grown, "step results", error);
        if (status != TANDA_OK) return status;
        free(run->results);
        run->results = grown;
        run->capacity = steps;
    }
    memset(run->results, 0, steps * sizeof *run->results);
    run->first_step = first_step;
    run->steps = steps;
    run->rates = rates; /* used before the run returns */
    run->gradient = NULL;
    run->clocks = openmp_clocks((const openmp_backend_state *)backend);
    program->next_group[0] = program->next_group[1] = 0;
    return TANDA_OK;
}

static void run_steps(program *program, bool with_loss) {
    const unsigned mode = enter_exact_mode();
    worker worker = make_worker(program);
    worker.with_loss = with_loss;
    worker.updates = true;
    for (size_t s = 0; s < program->run.steps; s++) {
        const batch batch = batch_of(&program->options, program->run.first_step + s);
        (void)step_run(&hands, &worker, &batch, program->division.wave_tiles, s, NULL);
    }
    leave_exact_mode(mode);
}

tanda_status openmp_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error) {
    const tanda_status status = begin_run(backend, program, first_step, steps, rates, error);
    if (status != TANDA_OK) return status;
#pragma omp parallel num_threads((int)program->threads)
    run_steps(program, with_loss);
    return TANDA_OK;
}

/* ---- the halves of a step -------------------------------------------------------------------------------- */

static void make_partial(program *program, size_t first, size_t tiles, bool with_loss, partial_sum *sum) {
    const unsigned mode = enter_exact_mode();
    const sum_memory *sums = &program->sums;
    worker worker = make_worker(program);
    worker.with_loss = with_loss;
    const batch batch = batch_of(&program->options, program->run.first_step);
    (void)step_sum(&hands, &worker, &batch, first, first + tiles, program->division.wave_tiles, NULL);
    if (program->plan->training)
        layout_from_panels(program->plan, sums->slots, sum->gradient, worker.thread, worker.threads);
    if (worker.thread == 0) {
        sum->loss = program->list.loss != NULL ? sums->slots[sums->loss_index] : 0.0f;
        sum->correct = worker.correct;
    }
    leave_exact_mode(mode);
}

tanda_status openmp_partial(backend *backend, program *program, uint64_t step, size_t first_tile,
                            size_t tiles, bool with_loss, partial_sum *sum, tanda_error *error) {
    const tanda_status status = begin_run(backend, program, step, 1, NULL, error);
    if (status != TANDA_OK) return status;
    if (program->plan->training)
        memset(sum->gradient, 0, program->plan->parameter_count * sizeof *sum->gradient);
#pragma omp parallel num_threads((int)program->threads)
    make_partial(program, first_tile, tiles, with_loss, sum);
    return TANDA_OK;
}

static void apply_sum(program *program, const partial_sum *sum) {
    const unsigned mode = enter_exact_mode();
    worker worker = make_worker(program);
    const batch batch = batch_of(&program->options, program->run.first_step);
    begin_descent(&worker, &batch, false);
    if (program->plan->training)
        layout_to_panels(program->plan, sum->gradient, program->sums.slots, worker.thread, worker.threads);
    if (worker.thread == 0) {
        program->sums.slots[program->sums.loss_index] = sum->loss;
        worker.correct = sum->correct;
    }
    (void)apply(&worker, &batch, 0, NULL);
    leave_exact_mode(mode);
}

tanda_status openmp_apply(backend *backend, program *program, uint64_t step, const update_rates *rates,
                          const partial_sum *sum, step_result *result, tanda_error *error) {
    const tanda_status status = begin_run(backend, program, step, 1, rates, error);
    if (status != TANDA_OK) return status;
#pragma omp parallel num_threads((int)program->threads)
    apply_sum(program, sum);
    *result = program->run.results[0];
    return TANDA_OK;
}

/* ---- rows through a plan --------------------------------------------------------------------------------- */

/* Each thread takes tiles as it becomes free, through all ops in a workspace of its own. */
static void sweep(program *program, const tensor *tensor, const batch *batch, float *values) {
    const unsigned mode = enter_exact_mode();
    worker worker = make_worker(program);
    worker.with_loss = false;
    float *workspace = program->workspaces + worker.thread * program->division.tile_floats;
    size_t tile = 0, end = 0;
    while (take_groups(&program->next_group[0], batch->tiles, SWEEP_TURNS * worker.threads, &tile, &end))
        for (; tile < end; tile++) {
            tile_group group = group_of(&worker, batch, tile, 1, workspace, NULL);
            note_time(&worker, OP_gather);
            program->executor->group(&worker, &group);
            tile_read(program, tensor, workspace, worker.tiles[0].rows,
                      values + tile * TILE_ROWS * tensor->units);
            note_time(&worker, CLOCK_results);
        }
    wait_for_team(&worker); /* sleeps where it takes long, which the end of a region does not */
    leave_exact_mode(mode);
}

tanda_status openmp_sweep(backend *backend, program *program, const tensor *tensor, size_t first_row,
                          size_t rows, float *values, tanda_error *error) {
    if (!program->plan->keep || program->plan->training)
        return fail(error, TANDA_FAILED, "rows are swept through plans made with keep, and no trainings");
    const batch batch = {.first_row = first_row, .rows = rows, .step_rows = rows, .tiles = tiles_of(rows)};
    program->next_group[0] = 0;
    program->run.clocks = openmp_clocks((const openmp_backend_state *)backend);
#pragma omp parallel num_threads((int)program->threads)
    sweep(program, tensor, &batch, values);
    return TANDA_OK;
}
