#include "train/stepper.h"

#include <string.h>

#include "support/arithmetic.h"

tanda_status stepper_create(backend *backend, const tanda_model *model, const streamed_rows *rows,
                            const plan_options *plan, const program_options *program, const session *of,
                            session *session, stepper *result, tanda_error *error) {
    program_options exchanged = *program;
    exchanged.shuffle = SHUFFLE_NONE; /* sections come in order */
    exchanged.exchanged = true;
    *result = (stepper){.session = session};
    tanda_status status = sections_create(backend, rows, plan->training, &result->sections, error);
    if (status != TANDA_OK) return status;
    exchanged.batch_rows = stream_most_run(result->sections.stream);
    status = session_create(model, &result->sections.turns[0].rows, plan, &exchanged, of, session, error);
    return status == TANDA_OK ? partial_tree_create(session->plan, &result->tree, error) : status;
}

void stepper_free(stepper *stepper) {
    sharing_free(stepper->sharing);
    sections_free(&stepper->sections);
    partial_tree_free(&stepper->tree);
    *stepper = (struct stepper){0};
}

static const section *current(const stepper *stepper) {
    return &stepper->sections.current->section;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static tanda_status run_batches(stepper *stepper, uint64_t first_step, size_t steps,
                                const update_rates *rates, bool with_loss, step_result *results, size_t *done,
                                tanda_error *error) {
    sections *sections = &stepper->sections;
    const section *section = current(stepper);
    const size_t behind = (size_t)(first_step - section->first_step);
    *done = least(steps, stream_repeats(sections->stream) ? 1 : section->steps - behind);
    tanda_status status = sections_place(sections, stepper->session, first_step, error);
    if (status == TANDA_OK)
        status = session_run(stepper->session, first_step, *done, rates, with_loss, error);
    if (status == TANDA_OK) status = sections_take_ahead(sections, error);
    if (status == TANDA_OK) status = session_results(stepper->session, results, error);
    return status;
}

/* The section's sum joins those of the sections before, where the device has no way on the host. */
static tanda_status add_part(stepper *stepper, uint64_t step, size_t index, bool is_last,
                             tanda_error *error) {
    partial_tree *tree = &stepper->tree;
    const size_t tiles = tiles_of(current(stepper)->rows);
    if (session_has_parts(stepper->session))
        return session_part(stepper->session, step, index, is_last, error);
    const tanda_status status = session_partial(stepper->session, step, 0, tiles, true, &tree->sum, error);
    return status == TANDA_OK ? partial_tree_add(tree, is_last, error) : status;
}

/* A step from the sums of its sections. */
static tanda_status run_parts(stepper *stepper, uint64_t step, const update_rates *rates, step_result *result,
                              tanda_error *error) {
    const partial_sum *sum = session_has_parts(stepper->session) ? NULL : &stepper->tree.sum;
    sections *sections = &stepper->sections;
    bool is_last = false;
    tanda_status status = TANDA_OK;
    for (size_t position = 0, index = 0; status == TANDA_OK && !is_last; index++) {
        status = sections_find(sections, step, position, error);
        if (status != TANDA_OK) return status;
        const section *section = current(stepper);
        position += section->rows;
        is_last = position == section->step_rows;
        status = sections_place(sections, stepper->session, step, error);
        if (status == TANDA_OK) status = add_part(stepper, step, index, is_last, error);
        if (status == TANDA_OK) status = sections_take_ahead(sections, error);
        if (!is_last && status == TANDA_OK) status = sections_leave(sections, error);
    }
    return status == TANDA_OK ? session_apply(stepper->session, step, rates, sum, result, error) : status;
}

/* ---- several ranks ---------------------------------------------------------------------------------------------- */

/* The sum of rows of the section, from a position of the batch on. */
static tanda_status sum_section(stepper *stepper, uint64_t step, size_t position, size_t rows, bool with_loss,
                                partial_sum *sum, tanda_error *error) {
    sections *sections = &stepper->sections;
    const size_t first = (position - sections_position(sections, step)) / TILE_ROWS;
    const tanda_status status = sections_place(sections, stepper->session, step, error);
    return status == TANDA_OK
               ? session_partial(stepper->session, step, first, tiles_of(rows), with_loss, sum, error)
               : status;
}

/* Into `sum`, whose gradient has room for it. */
static void copy_sum(const partial_tree *tree, partial_sum *sum) {
    if (tree->floats > 0) memcpy(sum->gradient, tree->sum.gradient, tree->floats * sizeof(float));
    sum->loss = tree->sum.loss;
    sum->correct = tree->sum.correct;
}

/* Rows of the section from a position on, or fewer: not behind `end`. */
static size_t rows_at(const stepper *stepper, size_t position, size_t end) {
    const section *section = current(stepper);
    const size_t left = end - position;
    return section->step_rows == 0 ? left : least(section->position + section->rows - position, left);
}

/* session_partial, of rows that may be streamed: a piece has several sections, or a section has several pieces. */
static tanda_status make_partial(void *context, uint64_t step, size_t first_tile, size_t tiles,
                                 bool with_loss, partial_sum *sum, tanda_error *error) {
    stepper *stepper = context;
    sections *sections = &stepper->sections;
    if (sections->stream == NULL)
        return session_partial(stepper->session, step, first_tile, tiles, with_loss, sum, error);
    const row_run run = stream_run(sections->stream, step);
    const size_t first = first_tile * TILE_ROWS, end = least(first + tiles * TILE_ROWS, run.first + run.rows);
    partial_tree *tree = &stepper->tree;
    tanda_status status = TANDA_OK;
    tree->index = 0;
    for (size_t position = first, rows = 0; status == TANDA_OK && position < end; position += rows) {
        status = sections_find(sections, step, position, error);
        if (status != TANDA_OK) return status;
        rows = rows_at(stepper, position, end);
        const bool is_all = rows == end - first, is_last = position + rows == end;
        status = sections_take_ahead(sections, error); /* a partial sum is waited for */
        if (status == TANDA_OK)
            status = sum_section(stepper, step, position, rows, with_loss, is_all ? sum : &tree->sum, error);
        if (status == TANDA_OK && !is_all) status = partial_tree_add(tree, is_last, error);
        if (status == TANDA_OK && !is_all && is_last) copy_sum(tree, sum);
    }
    return status;
}

tanda_status stepper_find_runs(const tanda_hosts *hosts, size_t rows, size_t batch_rows, row_run runs[2],
                               tanda_error *error) {
    const size_t steps = steps_per_epoch(rows, batch_rows);
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < 2; i++) {
        const size_t all = i == 0 ? batch_size(rows, batch_rows, 0) : batch_size(rows, batch_rows, steps - 1);
        size_t first = 0, tiles = 0;
        shares shares = {0};
        status = shares_make(tiles_of(all), hosts_count(hosts), &shares, error);
        if (status == TANDA_OK) shares_tiles(&shares, hosts_rank(hosts), &first, &tiles);
        const size_t begin = first * TILE_ROWS;
        runs[i] = (row_run){begin, least(begin + tiles * TILE_ROWS, all) - begin};
        shares_free(&shares);
    }
    /* A rank without work has a stream, too, which it does not ask for rows. */
    if (runs[0].rows == 0 && runs[1].rows == 0)
        runs[0].rows = runs[1].rows = batch_size(rows, least(TILE_ROWS, batch_rows), 0);
    return status;
}

tanda_status stepper_share(stepper *stepper, tanda_hosts *hosts, size_t rows, size_t batch_rows,
                           tanda_error *error) {
    const plan *plan = stepper->session->plan;
    const sharing_options options = {.rows = rows,
                                     .batch_rows = batch_rows,
                                     .parameters = plan->training ? plan->parameter_count : 0,
                                     .make = make_partial,
                                     .context = stepper};
    return sharing_create(hosts, &options, &stepper->sharing, error);
}

/* The update wants to know how many rows the step has, of which this rank may have none. */
static tanda_status place_update(stepper *stepper, uint64_t step, tanda_error *error) {
    const stream *stream = stepper->sections.stream;
    if (stream == NULL) return TANDA_OK;
    const size_t rows = stream_feed(stream)->rows, batch_rows = stream_batch_rows(stream),
                 index = (size_t)(step % steps_per_epoch(rows, batch_rows));
    const rows_place place = {.first_step = step, .step_rows = batch_size(rows, batch_rows, index)};
    return session_place(stepper->session, &stepper->sections.turns[0].rows, &place, error);
}

static tanda_status share_step(stepper *stepper, uint64_t step, const update_rates *rates, bool with_loss,
                               tanda_status status, step_result *result, tanda_error *error) {
    partial_sum sum = {0};
    status = sharing_sum(stepper->sharing, step, with_loss, status, &sum, error);
    if (status != TANDA_OK) return status;
    *result = (step_result){.loss = sum.loss, .correct = sum.correct};
    if (!stepper->session->plan->training) return TANDA_OK;
    status = place_update(stepper, step, error);
    return status == TANDA_OK ? session_apply(stepper->session, step, rates, &sum, result, error) : status;
}

/* What one rank fails at after a step, it tells the others in the next one. */
static tanda_status share_steps(stepper *stepper, uint64_t first_step, size_t steps,
                                const update_rates *rates, bool with_loss, tanda_status status,
                                step_result *results, tanda_error *error) {
    for (size_t s = 0; s < steps; s++) {
        const update_rates *own = rates != NULL ? &rates[s] : NULL;
        status = share_step(stepper, first_step + s, own, with_loss, status, &results[s], error);
        if (status != TANDA_OK && !sharing_goes_on(stepper->sharing)) break;
    }
    return status;
}

bool stepper_has_part(const stepper *stepper) {
    const placed_section *current = stepper->sections.current;
    return current != NULL && current->section.step_rows != 0;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

tanda_status stepper_run(stepper *stepper, uint64_t first_step, size_t steps, const update_rates *rates,
                         bool with_loss, step_result *results, size_t *done, tanda_error *error) {
    *done = steps;
    if (stepper->sharing != NULL)
        return share_steps(stepper, first_step, steps, rates, with_loss, TANDA_OK, results, error);
    if (stepper->sections.stream == NULL) {
        const tanda_status status = session_run(stepper->session, first_step, steps, rates, with_loss, error);
        return status == TANDA_OK ? session_results(stepper->session, results, error) : status;
    }
    stepper->tree.index = 0;
    const tanda_status status = sections_find(&stepper->sections, first_step, 0, error);
    if (status != TANDA_OK) return status;
    if (current(stepper)->step_rows == 0)
        return run_batches(stepper, first_step, steps, rates, with_loss, results, done, error);
    *done = 1;
    return run_parts(stepper, first_step, rates, results, error);
}

tanda_status stepper_run_one(stepper *stepper, tanda_status status, step_result *result, tanda_error *error) {
    size_t done = 0;
    if (stepper->sharing != NULL) return share_steps(stepper, 0, 1, NULL, true, status, result, error);
    return status == TANDA_OK ? stepper_run(stepper, 0, 1, NULL, true, result, &done, error) : status;
}

tanda_status stepper_find_rows(stepper *stepper, size_t first_row, size_t *at, size_t *rows,
                               tanda_error *error) {
    sections *sections = &stepper->sections;
    if (sections->stream == NULL) {
        *at = first_row;
        return TANDA_OK;
    }
    const size_t batch_rows = stream_batch_rows(sections->stream);
    const uint64_t step = first_row / batch_rows;
    tanda_status status = sections_find(sections, step, 0, error);
    if (status != TANDA_OK) return status;
    const section *section = current(stepper);
    if (section->step_rows != 0)
        return fail(error, TANDA_USAGE, "--memory: too little for %zu rows of %zu features at a time",
                    batch_rows, stream_feed(sections->stream)->features);
    *at = (size_t)(step - section->first_step) * batch_rows;
    *rows = least(*rows, section->rows - *at);
    return session_place(stepper->session, &sections->current->rows, &(rows_place){0}, error);
}
