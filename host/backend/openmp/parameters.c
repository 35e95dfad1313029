/* The parameters that a thread owns: partial gradients of them are added up, and then they are updated. */
#include <string.h>

#include "backend/openmp/worker.h"
#include "kernels/update.h"

#define MERGE_FLOATS 4096 /* merged and updated while they are in the first-level cache */

typedef void range_function(worker *worker, size_t first, size_t end, void *context);

/* Calls function for the ranges of a slot that this thread owns, in pieces; the loss sum is the first thread's. */
static void for_owned(worker *worker, range_function *function, void *context) {
    const program *program = worker->program;
    for (size_t l = 0; program->plan->training && l < program->plan->layer_count; l++) {
        const owned owned = owned_by(&program->plan->layers[l], worker->thread, worker->threads);
        for (size_t at = owned.first_weight; at < owned.end_weight; at += MERGE_FLOATS)
            function(worker, at, owned.end_weight - at < MERGE_FLOATS ? owned.end_weight : at + MERGE_FLOATS,
                     context);
        if (owned.end_bias > owned.first_bias) function(worker, owned.first_bias, owned.end_bias, context);
    }
    if (worker->thread == 0) function(worker, program->sums.loss_index, program->sums.slot_floats, context);
}

static void merge_range(worker *worker, size_t first, size_t end, void *context) {
    const sum_memory *sums = &worker->program->sums;
    worker->program->functions->merge(sums->slots, sums->slot_floats, *(size_t *)context, first, end);
}

void merge_owned(worker *worker, size_t groups) {
    for_owned(worker, merge_range, &groups);
    note_time(worker, CLOCK_tree);
}

static void add_range(worker *worker, size_t first, size_t end, void *context) {
    worker->program->functions->add(worker->program->sums.slots, context, first, end);
}

void add_owned(worker *worker, float *waiting) {
    for_owned(worker, add_range, waiting);
    note_time(worker, CLOCK_tree);
}

static void keep_range(worker *worker, size_t first, size_t end, void *context) {
    memcpy((float *)context + first, worker->program->sums.slots + first, (end - first) * sizeof(float));
}

void keep_owned(worker *worker, float *waiting) {
    for_owned(worker, keep_range, waiting);
    note_time(worker, CLOCK_tree);
}

/* ---- the update ------------------------------------------------------------------------------------------ */

static bool is_bias(const plan *plan, size_t at) {
    for (size_t l = 0; l < plan->layer_count; l++)
        if (at >= plan->layers[l].bias && at < plan->layers[l].bias + plan->layers[l].stride) return true;
    return false;
}

typedef struct update_context {
    update_task task;
    bool bad;
} update_context;

static void mean_range(worker *worker, size_t first, size_t end, void *context) {
    program *program = worker->program;
    const update_task *task = context;
    if (first == program->sums.loss_index) return;
    program->functions->mean(task->gradient, task->inverse_rows, first, end);
}

static void update_range(worker *worker, size_t first, size_t end, void *context) {
    program *program = worker->program;
    const packed_layer *layer = &program->plan->layers[0];
    update_context *update = context;
    if (first == program->sums.loss_index) return;
    if (worker->descends && first >= layer->weight && first < layer->bias) return; /* done */
    update->task.is_weight = !is_bias(program->plan, first);
    update->bad |= program->functions->update(&update->task, first, end);
}

/* The sum of the squared gradients, for every thread; the gradients are then means. */
static float add_squares(worker *worker, update_task *task) {
    program *program = worker->program;
    const size_t chunks = (program->plan->parameter_count + SQUARES_CHUNK - 1) / SQUARES_CHUNK;
    size_t first = 0, end = 0;
    for_owned(worker, mean_range, task);
    task->inverse_rows = 1.0f;
    note_time(worker, CLOCK_update);
    wait_for_team(worker);
    cut(chunks, 1, worker->thread, worker->threads, &first, &end);
    for (size_t i = first; i < end; i++) {
        const float *groups[SQUARES_CHUNK / PANEL];
        size_t left = (program->plan->parameter_count - i * SQUARES_CHUNK) / PANEL;
        size_t count = left < SQUARES_CHUNK / PANEL ? left : SQUARES_CHUNK / PANEL;
        layout_find_groups(program->plan, task->gradient, i * SQUARES_CHUNK, count, groups);
        program->squares[i] = program->functions->squares(groups, count);
    }
    note_time(worker, CLOCK_update);
    wait_for_team(worker);
    if (worker->thread == 0) program->functions->merge(program->squares, 1, chunks, 0, 1);
    wait_for_team(worker);
    return program->squares[0];
}

static update_rates rates_of(const program *program, const batch *batch) {
    return program->run.rates != NULL ? program->run.rates[batch->step - program->run.first_step]
                                      : (update_rates){.rate = program->options.learning_rate};
}

/* Of the first layer alone: the weights of others are still read by other threads when their gradient is made. */
void begin_descent(worker *worker, const batch *batch, bool complete) {
    const program *program = worker->program;
    const update_settings *update = &program->options.update;
    const packed_layer *layer = &program->plan->layers[0];
    worker->descends = complete && program->plan->training && !program->plan->keep &&
                       layer->kind == LAYER_dense && layer->outputs >= WIDE_OUTPUTS &&
                       update->rule == UPDATE_descent && update_is_plain(update->constants);
    worker->descent = (descent){.parameters = parameters_of(program),
                                .inverse_rows = inverse_rows_of(batch->step_rows),
                                .rate = rates_of(program, batch).rate};
}

static bool is_any_nan(const float *values, size_t count) {
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= values[i] != values[i];
    return found;
}

bool update_owned(worker *worker, const batch *batch) {
    program *program = worker->program;
    const program_options *options = &program->options;
    update_context context = {.task = {.rule = options->update.rule,
                                       .constants = options->update.constants,
                                       .rates = rates_of(program, batch),
                                       .parameters = parameters_of(program),
                                       .gradient = program->sums.slots,
                                       .inverse_rows = inverse_rows_of(batch->step_rows)},
                              .bad = is_any_nan(worker->descent.not_finite, PANEL)};
    for (size_t i = 0; i < update_state_count(options->update.rule); i++)
        context.task.state[i] = program->state + i * program->plan->parameter_count;
    if (program->squares != NULL) context.task.squares = add_squares(worker, &context.task);
    for_owned(worker, update_range, &context);
    note_time(worker, CLOCK_update);
    return context.bad;
}
