/* The parameter update on an OpenCL device, and the optimizer's state. See kernels/update.cl. */
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/wave.h"
#include "support/memory.h"

static size_t chunks_of(const plan *plan) {
    return (plan->parameter_count + SQUARES_CHUNK - 1) / SQUARES_CHUNK;
}

static tanda_status write_biases(const opencl_backend_state *state, program *program, tanda_error *error) {
    const plan *plan = program->plan;
    bias_range *ranges = NULL;
    tanda_status status = allocate(&ranges, plan->layer_count, sizeof *ranges, "program", error);
    for (size_t i = 0; status == TANDA_OK && i < plan->layer_count; i++) {
        ranges[i].first = plan->layers[i].bias;
        ranges[i].end = plan->layers[i].bias + plan->layers[i].stride;
    }
    if (status == TANDA_OK)
        status = opencl_make_memory(state, plan->layer_count, sizeof *ranges, &program->update.biases, error);
    if (status == TANDA_OK)
        status = opencl_write_memory(state, program->update.biases, 0, ranges,
                                     plan->layer_count * sizeof *ranges, error);
    free(ranges);
    return status;
}

tanda_status opencl_make_update(const opencl_backend_state *state, program *program, tanda_error *error) {
    const plan *plan = program->plan;
    const update_settings *settings = &program->options.update;
    const size_t states = update_state_count(settings->rule), bytes = plan->parameter_count * sizeof(float);
    if (!plan->training) return TANDA_OK;
    tanda_status status = opencl_make_memory(
        state, states > 0 ? states : 1, states > 0 ? bytes : sizeof(float), &program->update.state, error);
    if (status == TANDA_OK) status = write_biases(state, program, error);
    if (status == TANDA_OK && settings->constants.clip_norm > 0.0f)
        status = opencl_make_memory(state, chunks_of(plan), TILE_LANES * sizeof(float),
                                    &program->update.squares, error);
    return status;
}

void opencl_free_update(program *program) {
    opencl_release(&program->update.state);
    opencl_release(&program->update.biases);
    opencl_release(&program->update.squares);
    opencl_release(&program->update.rates);
}

static tanda_status make_rates(const opencl_backend_state *state, update_memory *update, size_t steps,
                               tanda_error *error) {
    opencl_release(&update->rates);
    update->capacity = 0;
    update->is_constant = false;
    const tanda_status status = opencl_make_memory(state, steps, sizeof(update_rates), &update->rates, error);
    if (status == TANDA_OK) update->capacity = steps;
    return status;
}

/* The same rate for all. */
static tanda_status set_constant(const opencl_backend_state *state, program *program, tanda_error *error) {
    update_memory *update = &program->update;
    update_rates *rates = NULL;
    tanda_status status = allocate(&rates, update->capacity, sizeof *rates, "learning rates", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < update->capacity; i++)
        rates[i] = (update_rates){.rate = program->options.learning_rate};
    status = opencl_write_memory(state, update->rates, 0, rates, update->capacity * sizeof *rates, error);
    free(rates);
    return status;
}

tanda_status opencl_set_rates(const opencl_backend_state *state, program *program, const update_rates *rates,
                              size_t steps, tanda_error *error) {
    update_memory *update = &program->update;
    tanda_status status = steps > update->capacity ? make_rates(state, update, steps, error) : TANDA_OK;
    if (status != TANDA_OK || (rates == NULL && update->is_constant)) return status;
    update->is_constant = rates == NULL;
    return rates == NULL ? set_constant(state, program, error)
                         : opencl_write_memory(state, update->rates, 0, rates, steps * sizeof *rates, error);
}

/* ---- a step ---------------------------------------------------------------------------------------------- */

static tanda_status add_squares(const context *c, size_t rows) {
    const program *program = c->program;
    const size_t chunks = chunks_of(program->plan);
    launch launch = launch_exact(c->state, KERNEL_square_gradient);
    const square_arguments arguments = {.floats = (uint)program->plan->parameter_count,
                                        .inverse_rows = inverse_rows_of(rows)};
    give_memory(&launch, program->sums.memory);
    give_memory(&launch, program->update.squares);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = (double)sizeof(float) * (double)program->plan->parameter_count;
    tanda_status status = opencl_launch(&launch, chunks, 1, 1, c->error);
    size_t distance = 0;
    return status == TANDA_OK ? opencl_merge(c, program->update.squares, chunks, TILE_LANES, true, &distance)
                              : status;
}

tanda_status opencl_run_update(const context *c, size_t slots, size_t distance, size_t rows) {
    const program *program = c->program;
    const update_constants *constants = &program->options.update.constants;
    const bool is_penalised = constants->l1 > 0.0f || constants->l2 > 0.0f;
    tanda_status status = program->update.squares != NULL ? add_squares(c, rows) : TANDA_OK;
    if (status != TANDA_OK) return status;
    const update_arguments arguments = {.merge = {program->sums.floats, (uint)slots, (uint)distance},
                                        .rule = rule_of(program),
                                        .bias_count = is_penalised ? (uint)program->plan->layer_count : 0,
                                        .step = (uint)c->wave->result,
                                        .inverse_rows = inverse_rows_of(rows)};
    launch launch = launch_exact(c->state, KERNEL_update);
    give_memory(&launch, program->options.parameters->memory);
    give_memory(&launch, program->sums.memory);
    give_memory(&launch, program->update.state);
    give_memory(&launch, program->update.rates);
    give_memory(&launch, program->update.biases);
    give_memory(&launch, program->update.squares != NULL ? program->update.squares : program->sums.memory);
    give_memory(&launch, program->results.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = (double)sizeof(float) * (double)program->sums.floats *
                        (double)((slots + distance - 1) / distance + 2 +
                                 2 * update_state_count(program->options.update.rule));
    return opencl_launch(&launch, program->sums.floats / c->state->vector, 1, 1, c->error);
}

/* ---- state ----------------------------------------------------------------------------------------------- */

tanda_status opencl_read_state(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = program->plan->parameter_count * sizeof(float);
    return opencl_read_memory(state, program->update.state, index * bytes, packed, bytes, error);
}

tanda_status opencl_write_state(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = program->plan->parameter_count * sizeof(float);
    return opencl_write_memory(state, program->update.state, index * bytes, packed, bytes, error);
}
