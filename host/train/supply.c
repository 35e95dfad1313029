#include "train/supply.h"

#include <stdlib.h>

#include "support/memory.h"
#include "train/order.h"

/* ---- what lies where ------------------------------------------------------------------------------------------- */

static size_t bytes_of(const tanda_dataset *dataset) {
    size_t bytes = 0;
    const size_t width = dataset->features + dataset->target_count + (dataset->weights != NULL);
    return multiply_overflows(dataset->rows, width * sizeof(float), &bytes) ? SIZE_MAX : bytes;
}

bool supply_streams(const backend *backend, const tanda_dataset *dataset) {
    return dataset->feed != NULL || (backend->row_memory > 0 && bytes_of(dataset) > backend->row_memory);
}

/* *kept: targets in the units that the model learns them in, to be freed after the arrays' use; or NULL. */
static tanda_status arrays_of_dataset(const tanda_model *model, const tanda_dataset *dataset,
                                      bool with_labels, row_arrays *arrays, void **kept, tanda_error *error) {
    const bool classes = dataset->task == TANDA_TASK_CLASSES;
    float *standardised = NULL;
    *arrays = (row_arrays){.rows = dataset->rows,
                           .features = dataset->features,
                           .targets = dataset->target_count,
                           .values = dataset->values};
    *kept = NULL;
    if (!with_labels) return TANDA_OK;
    arrays->labels = classes ? (const void *)dataset->classes : (const void *)dataset->targets;
    arrays->weights = dataset->weights;
    if (model->target_scaling.targets == 0) return TANDA_OK;
    const tanda_status status = allocate(&standardised, dataset->rows * dataset->target_count,
                                         sizeof *standardised, "targets", error);
    if (status != TANDA_OK) return status;
    target_scaling_apply(&model->target_scaling, dataset->targets, dataset->rows, standardised);
    arrays->labels = *kept = standardised;
    return TANDA_OK;
}

tanda_status resident_of_dataset(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                                 bool with_labels, bool moved, resident *result, tanda_error *error) {
    row_arrays arrays;
    void *kept = NULL;
    tanda_status status = dataset_in_memory(dataset, "this", error);
    if (status == TANDA_OK) status = arrays_of_dataset(model, dataset, with_labels, &arrays, &kept, error);
    arrays.moved = moved;
    if (status == TANDA_OK) status = resident_create(backend, &arrays, result, error);
    if (status == TANDA_OK)
        result->kept = kept;
    else
        free(kept);
    return status;
}

tanda_status supply_create(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                           bool with_labels, bool moved, size_t sharers, supply *result, tanda_error *error) {
    *result = (supply){.backend = backend};
    if (!supply_streams(backend, dataset))
        return resident_of_dataset(backend, model, dataset, with_labels, moved, &result->resident, error);
    result->memory = dataset->memory / (sharers > 0 ? sharers : 1);
    result->in_memory = dataset->feed == NULL;
    return dataset_feed(dataset, with_labels ? &model->target_scaling : NULL, &result->feed, error);
}

void supply_free(supply *supply) {
    resident_free(&supply->resident);
    feed_free(supply->feed);
    *supply = (struct supply){0};
}

size_t supply_rows(const supply *supply) {
    return supply->feed != NULL ? supply->feed->rows : supply->resident.rows;
}

size_t supply_batch_rows(const supply *supply, size_t most) {
    size_t rows = most < supply_rows(supply) ? most : supply_rows(supply);
    if (supply->feed == NULL) return rows;
    const size_t row = feed_row_size(supply->feed), device = supply->backend->row_memory;
    while (rows > TILE_ROWS && ((supply->memory > 0 && rows > supply->memory / STREAM_TURNS / row) ||
                                (device > 0 && rows > sections_most_bytes(device) / row)))
        rows /= 2;
    return rows;
}

/* ---- sessions -------------------------------------------------------------------------------------------------- */

static tanda_status order_of(const supply *supply, const program_options *options, row_order *order,
                             tanda_error *error) {
    program_options whole = *options;
    whole.rows = supply->feed->rows;
    *order = order_of_rows(&whole);
    if (order->kind == SHUFFLE_FULL && !supply->in_memory) return order_is_too_wide(error);
    return TANDA_OK;
}

static tanda_status begin_lying(const supply *supply, const tanda_model *model, const plan_options *plan,
                                const program_options *options, const session *of, session *session,
                                stepper *stepper, tanda_error *error) {
    *stepper = (struct stepper){.session = session};
    return session_create(model, &supply->resident, plan, options, of, session, error);
}

static tanda_status begin_stream(const supply *supply, const tanda_model *model, const plan_options *plan,
                                 const program_options *options, uint64_t end_step, const session *of,
                                 session *session, stepper *stepper, tanda_error *error) {
    streamed_rows rows = {.feed = supply->feed,
                          .batch_rows = options->batch_rows,
                          .end_step = options->batch_rows < supply->feed->rows ? end_step : UINT64_MAX,
                          .memory = supply->memory,
                          .device_memory = supply->backend->row_memory,
                          .come_again = plan->training || of != NULL};
    tanda_status status = order_of(supply, options, &rows.order, error);
    if (status == TANDA_OK && supply->hosts != NULL)
        status = stepper_find_runs(supply->hosts, supply->feed->rows, options->batch_rows, rows.runs, error);
    return status == TANDA_OK
               ? stepper_create(supply->backend, model, &rows, plan, options, of, session, stepper, error)
               : status;
}

tanda_status supply_session(const supply *supply, const tanda_model *model, const plan_options *plan,
                            const program_options *options, uint64_t end_step, const session *of,
                            session *session, stepper *stepper, tanda_error *error) {
    tanda_status status =
        supply->feed == NULL
            ? begin_lying(supply, model, plan, options, of, session, stepper, error)
            : begin_stream(supply, model, plan, options, end_step, of, session, stepper, error);
    if (status == TANDA_OK && supply->hosts != NULL)
        status = stepper_share(stepper, supply->hosts, supply_rows(supply), options->batch_rows, error);
    return status;
}
