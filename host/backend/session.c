#include "backend/session.h"

#include <stdlib.h>

#include "backend/executor.h"
#include "support/memory.h"

/* ---- rows ------------------------------------------------------------------------------------------------- */

static tanda_status make_rows(backend *backend, const row_arrays *arrays, const void *values, size_t width,
                              bool moved, buffer **result, tanda_error *error) {
    if (arrays->awaited && backend->copies_rows)
        return backend_reserve_rows(backend, arrays->rows, width, result, error);
    return backend_rows(backend, values, arrays->rows, width, moved, result, error);
}

tanda_status resident_create(backend *backend, const row_arrays *arrays, resident *result,
                             tanda_error *error) {
    const size_t width =
        arrays->features + (arrays->labels != NULL ? arrays->targets : 0) + (arrays->weights != NULL);
    resident made = {.backend = backend, .rows = arrays->rows, .bytes = arrays->rows * width * sizeof(float)};
    backend->row_bytes += made.bytes;
    tanda_status status =
        make_rows(backend, arrays, arrays->values, arrays->features, arrays->moved, &made.features, error);
    if (status == TANDA_OK && arrays->labels != NULL)
        status = make_rows(backend, arrays, arrays->labels, arrays->targets, false, &made.labels, error);
    if (status == TANDA_OK && arrays->weights != NULL)
        status = make_rows(backend, arrays, arrays->weights, 1, false, &made.weights, error);

    if (status == TANDA_OK)
        *result = made;
    else
        resident_free(&made);
    return status;
}

tanda_status resident_refill(resident *resident, const row_arrays *arrays, tanda_error *error) {
    tanda_status status = backend_refill(resident->backend, resident->features, arrays->values, arrays->rows,
                                         arrays->features, error);
    if (status == TANDA_OK && arrays->labels != NULL)
        status = backend_refill(resident->backend, resident->labels, arrays->labels, arrays->rows,
                                arrays->targets, error);
    if (status == TANDA_OK && arrays->weights != NULL)
        status =
            backend_refill(resident->backend, resident->weights, arrays->weights, arrays->rows, 1, error);
    if (status == TANDA_OK) resident->rows = arrays->rows;
    return status;
}

tanda_status resident_make(resident *resident, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                           tanda_error *error) {
    resident->rows = rows;
    return backend_make_rows(resident->backend, maker, epoch, first, rows, resident->features,
                             resident->labels, error);
}

tanda_status resident_settle(resident *resident, tanda_error *error) {
    tanda_status status = backend_settle(resident->backend, resident->features, error);
    if (status == TANDA_OK && resident->labels != NULL)
        status = backend_settle(resident->backend, resident->labels, error);
    if (status == TANDA_OK && resident->weights != NULL)
        status = backend_settle(resident->backend, resident->weights, error);
    return status;
}

void resident_free(resident *resident) {
    if (resident->backend == NULL) return;
    backend_buffer_free(resident->backend, resident->features);
    backend_buffer_free(resident->backend, resident->labels);
    backend_buffer_free(resident->backend, resident->weights);
    resident->backend->row_bytes -= resident->bytes;
    free(resident->kept);
    *resident = (struct resident){0};
}

/* ---- sessions ----------------------------------------------------------------------------------------------- */

static tanda_status make_parameters(const tanda_model *model, session *made, tanda_error *error) {
    float *packed = NULL;
    tanda_status status = allocate(&packed, made->plan->parameter_count, sizeof *packed, "parameters", error);
    if (status != TANDA_OK) return status;
    plan_pack(made->plan, model->parameters, packed);
    status = backend_buffer(made->backend, made->plan->parameter_count * sizeof *packed, NULL,
                            &made->parameters, error);
    if (status == TANDA_OK) status = session_write_parameters(made, packed, error);
    free(packed);
    return status;
}

static tanda_status begin_state(backend *backend, const plan *plan, const update_settings *settings,
                                program *program, tanda_error *error) {
    const size_t count = plan->parameter_count;
    float *values = NULL, *packed = NULL;
    if (!plan->training || settings->initial_state == 0.0f) return TANDA_OK;
    tanda_status status = allocate(&values, count, sizeof *values, "optimizer state", error);
    if (status == TANDA_OK) status = allocate(&packed, count, sizeof *packed, "optimizer state", error);
    if (status == TANDA_OK) {
        for (size_t i = 0; i < count; i++)
            values[i] = settings->initial_state;
        plan_pack(plan, values, packed);
        status = backend->interface->programs.write_state(backend, program, 0, packed, error);
    }
    free(values);
    free(packed);
    return status;
}

/* Prepares a plan for a data set, by the executor that is chosen for it. */
static tanda_status compile(backend *backend, const plan *plan, const program_options *options,
                            const executor **executor, program **result, tanda_error *error) {
    program *made = NULL;
    tanda_status status = executor_choose(backend, plan, options, executor, error);
    if (status == TANDA_OK)
        status = backend->interface->programs.make(backend, plan, options, *executor, &made, error);
    if (status == TANDA_OK) status = begin_state(backend, plan, &options->update, made, error);
    if (status != TANDA_OK) {
        backend_program_free(backend, made);
        return status;
    }
    *result = made;
    return TANDA_OK;
}

tanda_status session_create(const tanda_model *model, const resident *rows, const plan_options *plan,
                            const program_options *options, const session *of, session *result,
                            tanda_error *error) {
    session made = {.backend = rows->backend,
                    .parameters = of != NULL ? of->parameters : NULL,
                    .shares_parameters = of != NULL};
    program_options whole = *options;
    tanda_status status = plan_create(model, plan, &made.plan, error);
    if (status == TANDA_OK && of == NULL) status = make_parameters(model, &made, error);
    whole.features = rows->features;
    whole.labels = rows->labels;
    whole.weights = rows->weights;
    whole.rows = rows->rows;
    whole.parameters = made.parameters;
    if (status == TANDA_OK)
        status = compile(made.backend, made.plan, &whole, &made.executor, &made.program, error);

    if (status == TANDA_OK)
        *result = made;
    else
        session_free(&made);
    return status;
}

void session_free(session *session) {
    if (session->backend == NULL) return;
    backend_program_free(session->backend, session->program);
    if (!session->shares_parameters) backend_buffer_free(session->backend, session->parameters);
    plan_free(session->plan);
    *session = (struct session){0};
}

const char *session_executor(const session *session) {
    return session->executor->name;
}

const char *session_notes(const session *session) {
    const backend_interface *interface = session->backend->interface;
    return interface->programs.notes != NULL ? interface->programs.notes(session->program) : "";
}

/* ---- work --------------------------------------------------------------------------------------------------- */

tanda_status session_place(session *session, const resident *rows, const rows_place *place,
                           tanda_error *error) {
    const program_rows placed = {rows->features, rows->labels, rows->weights, rows->rows, *place};
    return session->backend->interface->programs.place(session->backend, session->program, &placed, error);
}

tanda_status session_run(session *session, uint64_t first_step, size_t steps, const update_rates *rates,
                         bool with_loss, tanda_error *error) {
    return session->backend->interface->programs.run(session->backend, session->program, first_step, steps,
                                                     rates, with_loss, error);
}

tanda_status session_results(session *session, step_result *results, tanda_error *error) {
    return session->backend->interface->programs.results(session->backend, session->program, results, error);
}

tanda_status session_partial(session *session, uint64_t step, size_t first_tile, size_t tiles, bool with_loss,
                             partial_sum *sum, tanda_error *error) {
    return session->backend->interface->programs.partial(session->backend, session->program, step, first_tile,
                                                         tiles, with_loss, sum, error);
}

tanda_status session_apply(session *session, uint64_t step, const update_rates *rates, const partial_sum *sum,
                           step_result *result, tanda_error *error) {
    return session->backend->interface->programs.apply(session->backend, session->program, step, rates, sum,
                                                       result, error);
}

bool session_has_parts(const session *session) {
    return session->backend->interface->programs.part != NULL;
}

tanda_status session_part(session *session, uint64_t step, size_t index, bool is_last, tanda_error *error) {
    return session->backend->interface->programs.part(session->backend, session->program, step, index,
                                                      is_last, error);
}

tanda_status session_finish(session *session, tanda_error *error) {
    return backend_finish(session->backend, error);
}

tanda_status session_read_parameters(const session *session, float *packed, tanda_error *error) {
    return session->backend->interface->read_parameters(session->backend, session->plan, session->parameters,
                                                        packed, error);
}

tanda_status session_write_parameters(session *session, const float *packed, tanda_error *error) {
    return session->backend->interface->write_parameters(session->backend, session->plan, session->parameters,
                                                         packed, error);
}

tanda_status session_read(const session *session, const tensor *tensor, float *values, tanda_error *error) {
    return session->backend->interface->programs.read(session->backend, session->program, tensor, values,
                                                      error);
}

tanda_status session_read_gradient(const session *session, float *packed, tanda_error *error) {
    return session->backend->interface->programs.read_gradient(session->backend, session->program, packed,
                                                               error);
}

tanda_status session_sweep(session *session, const tensor *tensor, size_t first_row, size_t rows,
                           float *values, tanda_error *error) {
    return session->backend->interface->programs.sweep(session->backend, session->program, tensor, first_row,
                                                       rows, values, error);
}

tanda_status session_read_state(const session *session, size_t index, float *packed, tanda_error *error) {
    return session->backend->interface->programs.read_state(session->backend, session->program, index, packed,
                                                            error);
}

tanda_status session_write_state(session *session, size_t index, const float *packed, tanda_error *error) {
    return session->backend->interface->programs.write_state(session->backend, session->program, index,
                                                             packed, error);
}
