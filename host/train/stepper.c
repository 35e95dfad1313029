#include "train/stepper.h"

#include <stdlib.h>

static row_arrays arrays_of(const feed *feed, const row_block *block, size_t rows) {
    return (row_arrays){.rows = rows,
                        .features = feed->features,
                        .targets = feed->label_width,
                        .values = block->values,
                        .labels = block->labels,
                        .weights = block->weights};
}

/* ---- making --------------------------------------------------------------------------------------------------- */

static tanda_status make_rows(backend *backend, stepper *made, const stepper_rows *rows, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < STEPPER_TURNS; i++) {
        const row_block room = stream_room(made->stream, i);
        const row_arrays arrays = arrays_of(rows->feed, &room, stream_most_rows(made->stream));
        status = resident_create(backend, &arrays, &made->rows[i], error);
    }
    return status;
}

tanda_status stepper_create(backend *backend, const tanda_model *model, const stepper_rows *rows,
                            const plan_options *plan, const program_options *program, const session *of,
                            session *session, stepper *result, tanda_error *error) {
    const stream_options options = {.feed = rows->feed,
                                    .order = rows->order,
                                    .batch_rows = rows->batch_rows,
                                    .end_step = rows->end_step,
                                    .memory = rows->memory,
                                    .keeps = plan->training,
                                    .section_bytes = rows->device_memory / STEPPER_TURNS};
    program_options exchanged = *program;
    exchanged.batch_rows = rows->batch_rows;
    exchanged.shuffle = SHUFFLE_NONE; /* sections come in order */
    exchanged.exchanged = true;
    *result = (stepper){.session = session, .backend = backend};
    tanda_status status = stream_create(&options, &result->stream, error);
    if (status == TANDA_OK) backend_share_cores(backend, true);
    if (status == TANDA_OK) status = make_rows(backend, result, rows, error);
    if (status == TANDA_OK)
        status = session_create(model, &result->rows[0], plan, &exchanged, of, session, error);
    return status == TANDA_OK ? partial_tree_create(session->plan, &result->tree, error) : status;
}

void stepper_free(stepper *stepper) {
    if (stepper->stream == NULL) return;
    (void)backend_finish(stepper->backend, NULL);
    backend_share_cores(stepper->backend, false);
    for (size_t i = 0; i < STEPPER_TURNS; i++)
        resident_free(&stepper->rows[i]);
    partial_tree_free(&stepper->tree);
    stream_free(stepper->stream);
    *stepper = (struct stepper){0};
}

/* ---- sections -------------------------------------------------------------------------------------------------- */

static section *current(stepper *stepper) {
    return &stepper->sections[stepper->first];
}

/* The next section is on its way to the device. */
static tanda_status take_section(stepper *stepper, tanda_error *error) {
    const size_t turn = (stepper->first + stepper->count) % STEPPER_TURNS;
    section *taken = &stepper->sections[turn];
    tanda_status status = stream_next(stepper->stream, taken, error);
    if (status != TANDA_OK) return status;
    stepper->count++;
    const row_arrays arrays = arrays_of(stream_feed(stepper->stream), &taken->block, taken->rows);
    return resident_refill(&stepper->rows[turn], &arrays, error);
}

static void give_back(stepper *stepper) {
    stream_done(stepper->stream);
    stepper->first = (stepper->first + 1) % STEPPER_TURNS;
    stepper->count--;
}

/* With one step an epoch every step has the same rows, whatever the stream numbers it. */
static bool is_of(const stepper *stepper, const section *section, uint64_t step) {
    return stream_repeats(stepper->stream) ||
           (step >= section->first_step && step - section->first_step < section->steps);
}

/* The first section is that of the step; others are given back, and the stream goes on elsewhere where it has to. */
static tanda_status find_section(stepper *stepper, uint64_t step, size_t position, tanda_error *error) {
    tanda_status status = TANDA_OK;
    while (stepper->count > 0 &&
           !(is_of(stepper, current(stepper), step) && current(stepper)->position == position))
        give_back(stepper);
    if (stepper->count > 0) return TANDA_OK;
    if (!stream_is_next(stepper->stream, step, position)) status = stream_seek(stepper->stream, step, error);
    return status == TANDA_OK ? take_section(stepper, error) : status;
}

/* The program has the section's rows. */
static tanda_status place(stepper *stepper, uint64_t step, tanda_error *error) {
    const section *section = current(stepper);
    const rows_place place = {.first_step = stream_repeats(stepper->stream) ? step : section->first_step,
                              .position = section->position,
                              .step_rows = section->step_rows};
    return session_place(stepper->session, &stepper->rows[stepper->first], &place, error);
}

/* Beside what is queued. */
static tanda_status take_ahead(stepper *stepper, tanda_error *error) {
    if (stepper->count == STEPPER_TURNS || !stream_is_ready(stepper->stream)) return TANDA_OK;
    return take_section(stepper, error);
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static tanda_status run_batches(stepper *stepper, uint64_t first_step, size_t steps,
                                const update_rates *rates, bool with_loss, step_result *results, size_t *done,
                                tanda_error *error) {
    const section *section = current(stepper);
    const size_t left =
        stream_repeats(stepper->stream) ? 1 : section->steps - (size_t)(first_step - section->first_step);
    *done = steps < left ? steps : left;
    tanda_status status = place(stepper, first_step, error);
    if (status == TANDA_OK)
        status = session_run(stepper->session, first_step, *done, rates, with_loss, error);
    if (status == TANDA_OK) status = take_ahead(stepper, error);
    if (status == TANDA_OK) status = session_results(stepper->session, results, error);
    return status;
}

/* A step from the sums of its sections. */
static tanda_status run_parts(stepper *stepper, uint64_t step, const update_rates *rates, step_result *result,
                              tanda_error *error) {
    partial_tree *tree = &stepper->tree;
    bool is_last = false;
    tanda_status status = TANDA_OK;
    for (size_t position = 0; status == TANDA_OK && !is_last;) {
        status = find_section(stepper, step, position, error);
        if (status != TANDA_OK) return status;
        const section *section = current(stepper);
        position += section->rows;
        is_last = position == section->step_rows;
        status = place(stepper, step, error);
        if (status == TANDA_OK)
            status = session_partial(stepper->session, step, 0, tiles_of(section->rows), &tree->sum, error);
        if (status == TANDA_OK) status = partial_tree_add(tree, is_last, error);
        if (!is_last && status == TANDA_OK) give_back(stepper);
    }
    return status == TANDA_OK ? session_apply(stepper->session, step, rates, &tree->sum, result, error)
                              : status;
}

tanda_status stepper_run(stepper *stepper, uint64_t first_step, size_t steps, const update_rates *rates,
                         bool with_loss, step_result *results, size_t *done, tanda_error *error) {
    *done = steps;
    if (stepper->stream == NULL) {
        const tanda_status status = session_run(stepper->session, first_step, steps, rates, with_loss, error);
        return status == TANDA_OK ? session_results(stepper->session, results, error) : status;
    }
    stepper->tree.index = 0;
    const tanda_status status = find_section(stepper, first_step, 0, error);
    if (status != TANDA_OK) return status;
    if (current(stepper)->step_rows == 0)
        return run_batches(stepper, first_step, steps, rates, with_loss, results, done, error);
    *done = 1;
    return run_parts(stepper, first_step, rates, results, error);
}

tanda_status stepper_find_rows(stepper *stepper, size_t first_row, size_t *at, size_t *rows,
                               tanda_error *error) {
    if (stepper->stream == NULL) {
        *at = first_row;
        return TANDA_OK;
    }
    const size_t batch_rows = stream_batch_rows(stepper->stream);
    const uint64_t step = first_row / batch_rows;
    tanda_status status = find_section(stepper, step, 0, error);
    if (status != TANDA_OK) return status;
    const section *section = current(stepper);
    if (section->step_rows != 0)
        return fail(error, TANDA_USAGE, "--memory: too little for %zu rows of %zu features at a time",
                    batch_rows, stream_feed(stepper->stream)->features);
    *at = (size_t)(step - section->first_step) * batch_rows;
    if (section->rows - *at < *rows) *rows = section->rows - *at;
    return session_place(stepper->session, &stepper->rows[stepper->first], &(rows_place){0}, error);
}

/* ---- several ranks ---------------------------------------------------------------------------------------------- */

/* session_partial, of rows that may be streamed. */
static tanda_status make_partial(void *context, uint64_t step, size_t first_tile, size_t tiles,
                                 partial_sum *sum, tanda_error *error) {
    stepper *stepper = context;
    if (stepper->stream == NULL)
        return session_partial(stepper->session, step, first_tile, tiles, sum, error);
    tanda_status status = find_section(stepper, step, 0, error);
    if (status == TANDA_OK && current(stepper)->step_rows != 0)
        return fail(
            error, TANDA_USAGE,
            "--memory: several ranks share batches that it holds, here up to %zu rows, and this one has %zu; "
            "take smaller batches or more memory",
            current(stepper)->rows, current(stepper)->step_rows);
    if (status == TANDA_OK) status = place(stepper, step, error);
    if (status == TANDA_OK) status = session_partial(stepper->session, step, first_tile, tiles, sum, error);
    return status == TANDA_OK ? take_ahead(stepper, error) : status;
}

tanda_status stepper_share(stepper *stepper, tanda_hosts *hosts, size_t rows, size_t batch_rows,
                           sharing **result, tanda_error *error) {
    const plan *plan = stepper->session->plan;
    const sharing_options options = {.rows = rows,
                                     .batch_rows = batch_rows,
                                     .parameters = plan->training ? plan->parameter_count : 0,
                                     .make = make_partial,
                                     .context = stepper};
    *result = NULL;
    return hosts == NULL ? TANDA_OK : sharing_create(hosts, &options, result, error);
}

tanda_status stepper_run_one(stepper *stepper, sharing *sharing, tanda_status status, step_result *result,
                             tanda_error *error) {
    size_t done = 0;
    if (sharing != NULL) return sharing_step(sharing, stepper->session, 0, NULL, status, result, error);
    return status == TANDA_OK ? stepper_run(stepper, 0, 1, NULL, true, result, &done, error) : status;
}
