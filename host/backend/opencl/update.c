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
        status = opencl_make_memory(state, plan->layer_count, sizeof *ranges, &program->biases, error);
    if (status == TANDA_OK)
        status =
            opencl_write_memory(state, program->biases, ranges, plan->layer_count * sizeof *ranges, error);
    free(ranges);
    return status;
}

tanda_status opencl_make_update(const opencl_backend_state *state, program *program, tanda_error *error) {
    const plan *plan = program->plan;
    const update_settings *settings = &program->options.update;
    const size_t states = update_state_count(settings->rule), bytes = plan->parameter_count * sizeof(float);
    if (!plan->training) return TANDA_OK;
    tanda_status status = opencl_make_memory(state, states > 0 ? states : 1,
                                             states > 0 ? bytes : sizeof(float), &program->state, error);
    if (status == TANDA_OK) status = write_biases(state, program, error);
    if (status == TANDA_OK && settings->constants.clip_norm > 0.0f)
        status =
            opencl_make_memory(state, chunks_of(plan), TILE_LANES * sizeof(float), &program->squares, error);
    return status;
}

/* The same rate for all, or what the host has worked out. */
tanda_status opencl_set_rates(const opencl_backend_state *state, program *program, const update_rates *rates,
                              size_t steps, tanda_error *error) {
    const bool is_larger = steps > program->rate_capacity;
    update_rates *constant = NULL;
    tanda_status status = TANDA_OK;
    if (is_larger) {
        if (program->rates != NULL) clReleaseMemObject(program->rates);
        program->rates = NULL;
        program->rate_capacity = 0;
        status = opencl_make_memory(state, steps, sizeof *rates, &program->rates, error);
        if (status != TANDA_OK) return status;
        program->rate_capacity = steps;
    }
    if (rates == NULL && program->rates_are_constant && !is_larger) return TANDA_OK;
    program->rates_are_constant = rates == NULL;
    if (rates != NULL) return opencl_write_memory(state, program->rates, rates, steps * sizeof *rates, error);
    status = allocate(&constant, program->rate_capacity, sizeof *constant, "learning rates", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < program->rate_capacity; i++)
        constant[i] = (update_rates){.rate = program->options.learning_rate};
    status = opencl_write_memory(state, program->rates, constant, program->rate_capacity * sizeof *constant,
                                 error);
    free(constant);
    return status;
}

/* ---- a step ---------------------------------------------------------------------------------------------- */

static tanda_status add_squares(const context *c, size_t rows) {
    const program *program = c->program;
    const size_t chunks = chunks_of(program->plan);
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_square_gradient]);
    const square_arguments arguments = {.floats = (uint)program->plan->parameter_count,
                                        .inverse_rows = inverse_rows_of(rows)};
    give_memory(&launch, program->slots);
    give_memory(&launch, program->squares);
    give_arguments(&launch, &arguments, sizeof arguments);
    tanda_status status = opencl_launch(&launch, chunks, 1, 1, c->error);
    size_t distance = 0;
    return status == TANDA_OK ? opencl_merge(c, program->squares, chunks, TILE_LANES, true, &distance)
                              : status;
}

tanda_status opencl_run_update(const context *c, size_t slots, size_t distance, size_t rows) {
    program *program = c->program;
    const update_constants *constants = &program->options.update.constants;
    const bool is_penalised = constants->l1 > 0.0f || constants->l2 > 0.0f;
    tanda_status status = program->squares != NULL ? add_squares(c, rows) : TANDA_OK;
    if (status != TANDA_OK) return status;
    const update_arguments arguments = {.merge = {program->slot_floats, (uint)slots, (uint)distance},
                                        .rule = rule_of(program),
                                        .bias_count = is_penalised ? (uint)program->plan->layer_count : 0,
                                        .step = (uint)c->wave->result,
                                        .inverse_rows = inverse_rows_of(rows)};
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_update]);
    give_memory(&launch, program->options.parameters->memory);
    give_memory(&launch, program->slots);
    give_memory(&launch, program->state);
    give_memory(&launch, program->rates);
    give_memory(&launch, program->biases);
    give_memory(&launch, program->squares != NULL ? program->squares : program->slots);
    give_memory(&launch, program->results);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, program->slot_floats / c->state->vector, 1, 1, c->error);
}

/* ---- state ----------------------------------------------------------------------------------------------- */

tanda_status opencl_read_state(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = program->plan->parameter_count * sizeof(float);
    cl_int code = clEnqueueReadBuffer(state->queue, program->state, CL_TRUE, index * bytes, bytes, packed, 0,
                                      NULL, NULL);
    return opencl_check(state, code, "clEnqueueReadBuffer", error);
}

tanda_status opencl_write_state(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    const size_t bytes = program->plan->parameter_count * sizeof(float);
    cl_int code = clEnqueueWriteBuffer(state->queue, program->state, CL_TRUE, index * bytes, bytes, packed, 0,
                                       NULL, NULL);
    return opencl_check(state, code, "clEnqueueWriteBuffer", error);
}
