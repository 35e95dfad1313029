/*
 * Running a plan on the CPU. All steps of a run lie in one parallel region.
 *
 * A step goes in waves of tiles, a wave in groups. A group leaves one partial gradient in its slot; the slots of a
 * wave are merged by the fixed tree and pushed on a stack of partials (a binary counter). Either each thread takes
 * whole groups through all ops, so that a tile stays in its cache, or, for few tiles and large weights, all threads
 * share each op of a group, each making the gradient of the parameters that it owns.
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "backend/openmp/worker.h"
#include "support/floating_mode.h"
#include "support/memory.h"

#define SWEEP_TURNS \
    4 /* a turn of a sweep is an eighth of a thread's share of what is left, and at last one tile */

static step step_at(const program *program, uint64_t index) {
    const program_options *options = &program->options;
    size_t per_epoch = steps_per_epoch(options->rows, options->batch_rows);
    size_t batch = (size_t)(index % per_epoch);
    step made = {.index = index, .epoch = index / per_epoch, .first_row = batch * options->batch_rows};
    made.rows = batch_size(options->rows, options->batch_rows, batch);
    made.tiles = tiles_of(made.rows);
    return made;
}

/* ---- a group of tiles ------------------------------------------------------------------------------------ */

/* How the work of an op is cut among threads: see share_of(). */
typedef enum cut_kind { CUT_OWN_WAY, CUT_BY_UNITS, CUT_BY_COLUMNS } cut_kind;

static cut_kind cut_of_units(size_t units) {
    return units >= WIDE_OUTPUTS ? CUT_BY_UNITS : CUT_BY_COLUMNS;
}

static cut_kind cut_of(const op *op) {
    switch (op->kind) {
    case OP_gather:
    case OP_loss_sum:
    case OP_dense_gradient:
        return CUT_OWN_WAY;
    case OP_dense_forward:
        return cut_of_units(op->dense_forward.shape.outputs);
    case OP_dense_backward:
        return cut_of_units(op->dense_backward.shape.inputs);
    case OP_activation_forward:
        return cut_of_units(op->activation_forward.units);
    case OP_activation_backward:
        return cut_of_units(op->activation_backward.units);
    case OP_dropout_forward:
    case OP_dropout_backward:
        return cut_of_units(op->dropout.units);
    case OP_softmax:
    case OP_loss_binary_crossentropy:
    case OP_loss_categorical_crossentropy:
    case OP_loss_mse:
    case OP_loss_elements:
    case OP_weigh:
        return CUT_BY_COLUMNS;
    case TILE_OP_COUNT:
        break;
    }
    return CUT_OWN_WAY; /* waits for all */
}

static bool is_elementwise(const op *op) {
    return op->kind == OP_activation_forward || op->kind == OP_activation_backward ||
           op->kind == OP_dropout_forward || op->kind == OP_dropout_backward;
}

/* Whether an op reads what another thread may have written in the op before it. */
static bool needs_barrier(const op *before, const op *op) {
    if (!op->after_barrier) return false;
    const cut_kind cut = cut_of(op);
    if (cut == CUT_OWN_WAY || cut != cut_of(before)) return true;
    return cut == CUT_BY_UNITS && !is_elementwise(op);
}

static void run_op(const worker *worker, const tile_group *group, const op *op) {
    worker->program->functions->tile_ops[op->kind](group, op);
}

/* Whether the op has nothing to do: what it makes is there. */
static bool is_done(const op *op, bool assembled) {
    return assembled && op->kind == OP_gather;
}

/* Ops that take each row alone, up to the first other, column by column; the rest op by op. */
static void run_group(const worker *worker, tile_group *group) {
    const program *program = worker->program;
    const bool assembled = uses_tiles(program);
    const size_t end = program->by_columns ? program->row_ops : 0, columns = group->end_column;
    for (size_t column = 0; end > 0 && column < columns; column++) {
        group->first_column = column;
        group->end_column = column + 1;
        for (size_t i = 0; i < end; i++)
            if (!is_done(&program->ops[i], assembled)) run_op(worker, group, &program->ops[i]);
    }
    group->first_column = 0;
    group->end_column = columns;
    for (size_t i = end; i < program->op_count; i++)
        if (!is_done(&program->ops[i], assembled)) run_op(worker, group, &program->ops[i]);
}

static void run_group_together(const worker *worker, tile_group *group) {
    const program *program = worker->program;
    const bool assembled = uses_tiles(program);
    const op *before = NULL;
    group->part = worker->thread;
    group->parts = worker->threads;
    for (size_t i = 0; i < program->op_count; i++) {
        const op *op = &program->ops[i];
        if (is_done(op, assembled)) continue;
        if (before != NULL && needs_barrier(before, op)) wait_for_team(worker);
        run_op(worker, group, op);
        before = op;
    }
}

static void run_perceptron(const worker *worker, const tile_group *group) {
    const program *program = worker->program;
    const tile *first = &group->tiles[0], *last = &group->tiles[group->count - 1];
    if (!uses_tiles(program)) run_op(worker, group, program->gather);
    perceptron_task task = {.layer = &program->output_forward->dense_forward.shape,
                            .loss_kind = program->loss->kind,
                            .loss = &program->loss->loss,
                            .training = program->plan->training,
                            .with_loss = worker->with_loss || !program->plan->training,
                            .parameters = group->parameters,
                            .partial = group->partial,
                            .loss_sum = group->partial + group->loss_index,
                            .input = first->input,
                            .last = last->input,
                            .tiles = group->count,
                            .rows = (group->count - 1) * TILE_ROWS + last->rows,
                            .classes = first->classes,
                            .targets = first->targets,
                            .weights = first->weights,
                            .correct = first->correct,
                            .scratch = group->scratch};
    program->functions->perceptron(&task);
}

/* ---- waves ----------------------------------------------------------------------------------------------- */

static void run_slot(worker *worker, const step *step, size_t first, size_t tiles, size_t slot) {
    program *program = worker->program;
    const size_t size = program->group_tiles, begin = slot * size;
    const size_t place = program->plan->keep ? slot : worker->thread;
    tile_group group =
        group_of(worker, step, first + begin, tiles - begin < size ? tiles - begin : size,
                 program->workspaces + place * size * program->tile_floats, &program->correct[slot]);
    group.partial = program->slots + slot * program->slot_floats;
    if (program->is_perceptron)
        run_perceptron(worker, &group);
    else
        run_group(worker, &group);
}

/*
 * Takes successive groups for one thread, as many at once as leave each thread another turn, down to one: memory is
 * read in long runs, and threads end at about the same time. Polychronopoulos and Kuck, "Guided self-scheduling",
 * IEEE Trans. Computers 36 (1987). False when all are taken.
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

/* Groups of the wave of `tiles` tiles from `first` on, one thread each, as threads become free. */
static void run_wave_apart(worker *worker, const step *step, size_t first, size_t tiles) {
    size_t *next = &worker->program->next_group[worker->waves % 2], slot = 0, end = 0;
    while (take_groups(next, groups_of(worker->program, tiles), worker->threads, &slot, &end))
        for (; slot < end; slot++)
            run_slot(worker, step, first, tiles, slot);
}

static void run_wave_together(worker *worker, const step *step, size_t first, size_t tiles) {
    program *program = worker->program;
    tile_group group = group_of(worker, step, first, tiles, program->workspaces, program->correct);
    group.partial = program->slots;
    run_group_together(worker, &group);
}

/* ---- steps ----------------------------------------------------------------------------------------------- */

static void finish_step(worker *worker, const step *step, float *sum, uint32_t correct, step_result *result) {
    program *program = worker->program;
    if (program->plan->training && update_owned(worker, (size_t)(result - program->results), step->rows, sum))
        __atomic_store_n(&result->not_finite, 1, __ATOMIC_RELAXED);
    if (worker->thread > 0) return;
    result->loss = program->loss != NULL ? sum[program->slot_floats - 16] : 0.0f;
    result->correct = correct;
    program->last_gradient = sum;
}

static void run_step(worker *worker, uint64_t index, step_result *result) {
    program *program = worker->program;
    const step step = step_at(program, index);
    begin_descent(worker, (size_t)(result - program->results), step.rows, step.tiles <= program->group_tiles);
    uint32_t correct = 0;
    for (size_t first = 0; first < step.tiles; first += program->wave_tiles) {
        size_t tiles = step.tiles - first < program->wave_tiles ? step.tiles - first : program->wave_tiles;
        size_t groups = groups_of(program, tiles);
        if (worker->thread == 0) program->next_group[(worker->waves + 1) % 2] = 0;
        if (program->shared)
            run_wave_together(worker, &step, first, tiles);
        else
            run_wave_apart(worker, &step, first, tiles);
        worker->waves++;
        /* Of a shared group, each thread has made the gradient of what it owns. */
        if (!program->shared) wait_for_team(worker);
        if (groups > 1) merge_owned(worker, groups);
        for (size_t i = 0; worker->thread == 0 && i < groups; i++) {
            correct += program->correct[i];
            program->correct[i] = 0;
        }
        const bool is_last = first + tiles == step.tiles;
        add_wave(worker, first / program->wave_tiles, is_last);
        if (!is_last) wait_for_team(worker);
    }
    finish_step(worker, &step, program->slots, correct, result);
    wait_for_team(worker);
}

static worker make_worker(program *program, bool with_loss) {
    const size_t thread = (size_t)omp_get_thread_num(), positions = program->group_tiles * TILE_ROWS;
    return (worker){.program = program,
                    .thread = thread,
                    .threads = (size_t)omp_get_num_threads(),
                    .scratch = program->scratches + thread * program->scratch_floats,
                    .rows = program->rows + thread * positions,
                    .labels = program->labels + thread * positions * program->plan->targets,
                    .weights = program->plan->weighted ? program->weights + thread * positions : NULL,
                    .with_loss = with_loss};
}

static void work(program *program, uint64_t first_step, size_t steps, bool with_loss) {
    const unsigned mode = enter_exact_mode();
    float *packed = program->options.parameters->data;
    worker worker = make_worker(program, with_loss);
    layout_to_panels(program->plan, packed, program->parameters, worker.thread, worker.threads);
    wait_for_team(&worker);
    for (size_t s = 0; s < steps; s++)
        run_step(&worker, first_step + s, &program->results[s]);
    if (program->plan->training)
        layout_from_panels(program->plan, program->parameters, packed, worker.thread, worker.threads);
    leave_exact_mode(mode);
}

tanda_status openmp_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error) {
    (void)backend;
    if (steps > program->result_capacity) {
        step_result *grown = NULL;
        tanda_status status = allocate(&grown, steps, sizeof *grown, "step results", error);
        if (status != TANDA_OK) return status;
        free(program->results);
        program->results = grown;
        program->result_capacity = steps;
    }
    memset(program->results, 0, steps * sizeof *program->results);
    program->result_count = steps;
    program->last_step = first_step + steps - 1;
    program->rates = rates; /* used before this function returns */
    program->next_group[0] = program->next_group[1] = 0;
#pragma omp parallel num_threads((int)program->threads)
    work(program, first_step, steps, with_loss);
    return TANDA_OK;
}

/* ---- rows through a plan --------------------------------------------------------------------------------- */

/* Each thread takes tiles as it becomes free, through all ops in a workspace of its own. */
static void sweep(program *program, const tensor *tensor, const step *step, float *values) {
    const unsigned mode = enter_exact_mode();
    worker worker = make_worker(program, false);
    float *workspace = program->workspaces + worker.thread * program->tile_floats;
    size_t tile = 0, end = 0;
    layout_to_panels(program->plan, program->options.parameters->data, program->parameters, worker.thread,
                     worker.threads);
    wait_for_team(&worker);
    while (take_groups(&program->next_group[0], step->tiles, SWEEP_TURNS * worker.threads, &tile, &end))
        for (; tile < end; tile++) {
            tile_group group = group_of(&worker, step, tile, 1, workspace, NULL);
            run_group(&worker, &group);
            tile_read(program, tensor, workspace, worker.tiles[0].rows,
                      values + tile * TILE_ROWS * tensor->units);
        }
    wait_for_team(&worker); /* sleeps where it takes long, which the end of a region does not */
    leave_exact_mode(mode);
}

tanda_status openmp_sweep(backend *backend, program *program, const tensor *tensor, size_t first_row,
                          size_t rows, float *values, tanda_error *error) {
    (void)backend;
    if (!program->plan->keep || program->plan->training)
        return fail(error, TANDA_FAILED, "rows are swept through plans made with keep, and no trainings");
    const step step = {.first_row = first_row, .rows = rows, .tiles = tiles_of(rows)};
    program->next_group[0] = 0;
#pragma omp parallel num_threads((int)program->threads)
    sweep(program, tensor, &step, values);
    return TANDA_OK;
}
