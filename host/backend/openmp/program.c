/*
 * Running a plan on the CPU. All steps of a run lie in one parallel region.
 *
 * A step goes in waves of tiles. Each tile leaves its gradient in its own slot; the slots of a wave are merged
 * by the fixed tree, each thread doing its own range of parameters, and pushed on a stack of partials (a
 * binary counter). With at least as many tiles as threads, a thread takes a whole tile through all its ops,
 * so that the tile stays in its cache; with fewer, all threads share each op of a tile.
 */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "backend/openmp/barrier.h"
#include "backend/openmp/openmp.h"
#include "kernels/shuffle.h"
#include "support/floating_mode.h"
#include "support/memory.h"

#define SLOT_BUDGET ((size_t)16 << 20) /* bytes of gradient slots that a wave aims at */
#define MOST_WAVE_TILES 1024
/* Below this much work a thread, waiting for one another costs more than it saves. */
#define LEAST_WORK_PER_THREAD 4000000 /* multiplications and additions, some 20 microseconds */
#define MOST_STACK 48                 /* levels of the binary counter: far more tiles than memory can hold */

struct program {
    const plan *plan;
    program_options options;
    size_t threads;
    const cpu_functions *functions;
    size_t width;
    size_t wave_tiles;
    size_t workspace_floats, workspace_count;
    float *workspaces;
    size_t slot_floats; /* packed parameters, then the loss sum, padded */
    float *slots;       /* (wave_tiles, slot_floats) */
    float *stack;       /* (stack_levels, slot_floats) */
    size_t stack_levels;
    uint32_t *correct; /* per slot */
    size_t scratch_floats;
    float *scratches;     /* per thread */
    float *stored;        /* the data set as tiles, when the order never changes; else NULL */
    uint64_t stored_next; /* steps from 0 on whose tiles are made; all of them once it reaches an epoch */
    step_result *results;
    size_t result_count, result_capacity;
    uint64_t last_step;
    const float *last_gradient;
    barrier barrier;
    size_t next_tile[2]; /* counters of the waves in turn, from which threads take tiles */
};

/* What a thread knows while it works; the tree's bookkeeping is the same in every thread. */
typedef struct worker {
    program *program;
    size_t thread, threads;
    size_t first_parameter, end_parameter;
    float *scratch;
    shuffle_key key;
    uint64_t key_epoch;
    bool has_key;
    size_t waves; /* done so far in this run */
    size_t stack_top;
    int levels[MOST_STACK];
    uint64_t row[TILE_ROWS];
    int32_t classes[TILE_ROWS];
    float targets[TILE_ROWS];
} worker;

/* One step: which rows it holds. */
typedef struct step {
    uint64_t index, epoch;
    size_t first_row; /* position of its first row in the epoch's order */
    size_t rows, tiles;
} step;

static bool order_is_fixed(const program_options *options) {
    return !options->shuffle || options->batch_rows >= options->rows;
}

static step step_at(const program *program, uint64_t index) {
    const program_options *options = &program->options;
    size_t per_epoch = steps_per_epoch(options->rows, options->batch_rows);
    size_t batch = (size_t)(index % per_epoch);
    step made = {.index = index, .epoch = index / per_epoch, .first_row = batch * options->batch_rows};
    made.rows = batch_size(options->rows, options->batch_rows, batch);
    made.tiles = tiles_of(made.rows);
    return made;
}

/* ---- preparing ---------------------------------------------------------------------------------------- */

static size_t power_of_two_from(size_t value) {
    size_t power = 1;
    while (power < value)
        power *= 2;
    return power;
}

/* Threads that a step can feed. */
static size_t useful_threads(const program *program, size_t threads) {
    size_t rows = program->options.batch_rows, weights = program->plan->parameter_count, work = 0;
    if (multiply_overflows(rows, 6 * weights, &work)) return threads;
    size_t useful = work / LEAST_WORK_PER_THREAD + 1;
    return useful < threads ? useful : threads;
}

static size_t choose_wave(const program *program) {
    size_t tiles = power_of_two_from(tiles_of(program->options.batch_rows));
    if (program->plan->keep) return tiles;
    size_t wave = program->options.wave_tiles;
    if (wave == 0) {
        size_t least = power_of_two_from(program->threads);
        wave = MOST_WAVE_TILES;
        while (wave > least && wave * program->slot_floats * sizeof(float) > SLOT_BUDGET)
            wave /= 2;
    }
    return wave < tiles ? wave : tiles;
}

/* The tiles of a data set whose order never changes are made once, if memory allows. */
static void allocate_stored(program *program) {
    const program_options *options = &program->options;
    if (!order_is_fixed(options)) return;
    if (program->plan->keep || !program->plan->training) return;
    size_t tiles = steps_per_epoch(options->rows, options->batch_rows) * tiles_of(options->batch_rows),
           floats = 0;
    if (multiply_overflows(tiles, program->plan->features * program->width, &floats)) return;
    allocate(&program->stored, floats, sizeof(float), "tiles", NULL);
}

static tanda_status allocate_program(program *program, tanda_error *error) {
    const plan *plan = program->plan;
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        if (plan->layers[i].stride > widest) widest = plan->layers[i].stride;
    program->width = program->options.batch_rows < TILE_ROWS
                         ? round_up(program->options.batch_rows, TILE_LANES)
                         : TILE_ROWS;
    program->slot_floats = plan->training ? plan->parameter_count + 16 : 16;
    program->wave_tiles = choose_wave(program);
    program->workspace_floats = plan->workspace_units * program->width;
    program->workspace_count = plan->keep ? program->wave_tiles : program->threads;
    program->scratch_floats = widest * TILE_ROWS;
    size_t tiles = tiles_of(program->options.batch_rows);
    program->stack_levels = 1;
    for (size_t waves = tiles / program->wave_tiles; waves > 0; waves /= 2)
        program->stack_levels++;
    tanda_status status = allocate(&program->workspaces, program->workspace_count,
                                   program->workspace_floats * sizeof(float), "activations", error);
    if (status == TANDA_OK)
        status = allocate(&program->slots, program->wave_tiles, program->slot_floats * sizeof(float),
                          "gradients", error);
    if (status == TANDA_OK)
        status = allocate(&program->stack, program->stack_levels, program->slot_floats * sizeof(float),
                          "gradients", error);
    if (status == TANDA_OK)
        status = allocate(&program->correct, program->wave_tiles, sizeof(uint32_t), "counts", error);
    if (status == TANDA_OK)
        status = allocate(&program->scratches, program->threads, program->scratch_floats * sizeof(float),
                          "scratch", error);
    if (status == TANDA_OK) allocate_stored(program);
    return status;
}

tanda_status openmp_compile(backend *backend, const plan *plan, const program_options *options,
                            program **result, tanda_error *error) {
    const openmp_backend_state *state = (const openmp_backend_state *)backend;
    program *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "program", error);
    if (status != TANDA_OK) return status;
    made->plan = plan;
    made->options = *options;
    made->threads = useful_threads(made, state->threads);
    made->functions = state->functions;
    status = allocate_program(made, error);
    if (status != TANDA_OK) {
        openmp_program_free(backend, made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

void openmp_program_free(backend *backend, program *program) {
    (void)backend;
    if (program == NULL) return;
    free(program->workspaces);
    free(program->slots);
    free(program->stack);
    free(program->correct);
    free(program->scratches);
    free(program->stored);
    free(program->results);
    free(program);
}

static void wait_for_team(const worker *worker) {
    barrier_wait(&worker->program->barrier, (uint32_t)worker->threads);
}

/* ---- one tile ----------------------------------------------------------------------------------------- */

/* worker->row[i] = the row of the data set at position first + i of the epoch's order */
static void find_rows(worker *worker, const step *step, size_t first, size_t count) {
    const program_options *options = &worker->program->options;
    if (order_is_fixed(options)) {
        for (size_t i = 0; i < count; i++)
            worker->row[i] = first + i;
        return;
    }
    if (!worker->has_key || worker->key_epoch != step->epoch) {
        worker->key = shuffle_make_key(options->seed, (uint32_t)step->epoch,
                                       philox_stream(PURPOSE_SHUFFLE, 0), options->rows);
        worker->key_epoch = step->epoch;
        worker->has_key = true;
    }
    shuffle_positions(&worker->key, first, count, worker->row);
}

/* Labels in lane order: the data set's own where the order is fixed, else copies. */
static void find_labels(worker *worker, size_t first, tile_task *task) {
    const program *program = worker->program;
    const buffer *labels = program->options.labels;
    if (labels == NULL) return;
    const int32_t *classes = labels->data;
    const float *targets = labels->data;
    bool fixed = order_is_fixed(&program->options);
    for (size_t i = 0; !fixed && i < task->rows; i++) {
        if (program->plan->classes)
            worker->classes[i] = classes[worker->row[i]];
        else
            worker->targets[i] = targets[worker->row[i]];
    }
    if (program->plan->classes)
        task->classes = fixed ? classes + first : worker->classes;
    else
        task->targets = fixed ? targets + first : worker->targets;
}

static bool is_gathered(const program *program) {
    return program->stored != NULL &&
           program->stored_next >= steps_per_epoch(program->options.rows, program->options.batch_rows);
}

static tile_task task_for(worker *worker, const step *step, size_t wave_first, size_t slot, bool shared) {
    program *program = worker->program;
    size_t tile = wave_first + slot;
    size_t workspace = program->plan->keep ? slot : shared ? 0 : worker->thread;
    tile_task task = {.width = program->width,
                      .workspace = program->workspaces + workspace * program->workspace_floats,
                      .parameters = program->options.parameters->data,
                      .partial = program->slots + slot * program->slot_floats,
                      .loss_index = program->slot_floats - 16,
                      .correct = &program->correct[slot],
                      .scratch = worker->scratch,
                      .features = program->options.features->data,
                      .feature_count = program->plan->features,
                      .row = worker->row,
                      .part = shared ? worker->thread : 0,
                      .parts = shared ? worker->threads : 1};
    size_t left = step->rows - tile * TILE_ROWS;
    task.rows = left < TILE_ROWS ? left : TILE_ROWS;
    task.lanes = round_up(task.rows, TILE_LANES);
    task.input = task.workspace;
    if (program->stored != NULL) {
        size_t tiles_per_step = tiles_of(program->options.batch_rows);
        size_t batch = step->first_row / program->options.batch_rows;
        task.input =
            program->stored + (batch * tiles_per_step + tile) * program->plan->features * program->width;
    }
    size_t first = step->first_row + tile * TILE_ROWS;
    if (!is_gathered(program)) find_rows(worker, step, first, task.rows);
    find_labels(worker, first, &task);
    return task;
}

static void run_ops(const worker *worker, const tile_task *task, bool shared) {
    const program *program = worker->program;
    bool gathered = is_gathered(program);
    for (size_t i = 0; i < program->plan->op_count; i++) {
        const op *op = &program->plan->ops[i];
        if (op->kind == OP_gather && gathered) continue;
        if (shared && op->after_barrier && !(i == 1 && gathered)) wait_for_team(worker);
        program->functions->tile_ops[op->kind](task, op);
    }
}

/* ---- one step ----------------------------------------------------------------------------------------- */

static void run_tiles_alone(worker *worker, const step *step, size_t wave_first, size_t tiles) {
    size_t *next = &worker->program->next_tile[worker->waves % 2];
    for (;;) {
        size_t slot = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
        if (slot >= tiles) return;
        tile_task task = task_for(worker, step, wave_first, slot, false);
        run_ops(worker, &task, false);
    }
}

static void run_tiles_together(worker *worker, const step *step, size_t wave_first, size_t tiles) {
    for (size_t slot = 0; slot < tiles; slot++) {
        tile_task task = task_for(worker, step, wave_first, slot, true);
        run_ops(worker, &task, true);
        if (slot + 1 < tiles) wait_for_team(worker);
    }
}

/* Adds the topmost partial of the stack to the one below it, in this thread's range. */
static void fold_stack(worker *worker) {
    program *program = worker->program;
    float *below = program->stack + (worker->stack_top - 2) * program->slot_floats;
    program->functions->add(below, below + program->slot_floats, worker->first_parameter,
                            worker->end_parameter);
    worker->stack_top--;
}

static void push_wave(worker *worker, bool full) {
    program *program = worker->program;
    float *top = program->stack + worker->stack_top * program->slot_floats;
    size_t first = worker->first_parameter, end = worker->end_parameter;
    if (end > first) memcpy(top + first, program->slots + first, (end - first) * sizeof(float));
    worker->levels[worker->stack_top++] = full ? 0 : -1;
    while (worker->stack_top >= 2 &&
           worker->levels[worker->stack_top - 1] == worker->levels[worker->stack_top - 2]) {
        fold_stack(worker);
        worker->levels[worker->stack_top - 1]++;
    }
}

static void update_range(worker *worker, const step *step, float *sum, step_result *result) {
    program *program = worker->program;
    size_t end =
        worker->end_parameter < program->slot_floats - 16 ? worker->end_parameter : program->slot_floats - 16;
    if (!program->plan->training || worker->first_parameter >= end) return;
    float inverse = (float)(1.0 / (double)step->rows);
    bool bad = program->functions->update(program->options.parameters->data, sum, inverse,
                                          program->options.learning_rate, worker->first_parameter, end);
    if (bad) __atomic_store_n(&result->not_finite, 1, __ATOMIC_RELAXED);
}

static void run_step(worker *worker, uint64_t index, step_result *result) {
    program *program = worker->program;
    const step step = step_at(program, index);
    const bool one_wave = step.tiles <= program->wave_tiles;
    worker->stack_top = 0;
    uint32_t correct = 0;
    for (size_t first = 0; first < step.tiles; first += program->wave_tiles) {
        size_t tiles = step.tiles - first < program->wave_tiles ? step.tiles - first : program->wave_tiles;
        if (worker->thread == 0) program->next_tile[(worker->waves + 1) % 2] = 0;
        if (worker->threads == 1 || tiles >= worker->threads)
            run_tiles_alone(worker, &step, first, tiles);
        else
            run_tiles_together(worker, &step, first, tiles);
        worker->waves++;
        wait_for_team(worker);
        program->functions->merge(program->slots, program->slot_floats, tiles, worker->first_parameter,
                                  worker->end_parameter);
        for (size_t i = 0; worker->thread == 0 && i < tiles; i++) {
            correct += program->correct[i];
            program->correct[i] = 0;
        }
        if (one_wave) break;
        push_wave(worker, tiles == program->wave_tiles);
        wait_for_team(worker);
    }
    while (worker->stack_top > 1)
        fold_stack(worker);
    float *sum = one_wave ? program->slots : program->stack;
    update_range(worker, &step, sum, result);
    if (worker->end_parameter == program->slot_floats) result->loss = sum[program->slot_floats - 16];
    if (worker->thread == 0) {
        result->correct = correct;
        program->last_gradient = sum;
        if (index == program->stored_next) program->stored_next++;
    }
    wait_for_team(worker);
}

/* The parameters and the loss sum, shared out in cache lines. */
static void take_range(worker *worker) {
    const program *program = worker->program;
    size_t lines = program->slot_floats / 16;
    worker->first_parameter = lines * worker->thread / worker->threads * 16;
    worker->end_parameter = lines * (worker->thread + 1) / worker->threads * 16;
}

static void work(program *program, uint64_t first_step, size_t steps) {
    unsigned mode = enter_exact_mode();
    worker worker = {
        .program = program, .thread = (size_t)omp_get_thread_num(), .threads = (size_t)omp_get_num_threads()};
    worker.scratch = program->scratches + worker.thread * program->scratch_floats;
    take_range(&worker);
    for (size_t s = 0; s < steps; s++)
        run_step(&worker, first_step + s, &program->results[s]);
    leave_exact_mode(mode);
}

tanda_status openmp_run(backend *backend, program *program, uint64_t first_step, size_t steps, bool with_loss,
                        tanda_error *error) {
    (void)backend, (void)with_loss; /* always made */
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
    program->next_tile[0] = program->next_tile[1] = 0;
#pragma omp parallel num_threads((int)program->threads)
    work(program, first_step, steps);
    return TANDA_OK;
}

tanda_status openmp_results(backend *backend, program *program, step_result *results, tanda_error *error) {
    (void)backend, (void)error;
    memcpy(results, program->results, program->result_count * sizeof *results);
    return TANDA_OK;
}

tanda_status openmp_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error) {
    (void)backend;
    if (!program->plan->keep) return fail(error, TANDA_FAILED, "tensors are read from plans made with keep");
    const step step = step_at(program, program->last_step);
    for (size_t row = 0; row < step.rows; row++) {
        const float *tile = program->workspaces + row / TILE_ROWS * program->workspace_floats +
                            tensor->offset * program->width;
        for (size_t unit = 0; unit < tensor->units; unit++)
            values[row * tensor->units + unit] = tile[unit * program->width + row % TILE_ROWS];
    }
    return TANDA_OK;
}

tanda_status openmp_read_gradient(backend *backend, program *program, float *packed, tanda_error *error) {
    (void)backend;
    if (!program->plan->training || program->last_gradient == NULL)
        return fail(error, TANDA_FAILED, "there is no gradient to read");
    memcpy(packed, program->last_gradient, program->plan->parameter_count * sizeof *packed);
    return TANDA_OK;
}
