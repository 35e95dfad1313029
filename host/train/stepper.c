#include "train/stepper.h"

#include <stdlib.h>

#include "support/memory.h"

static row_arrays arrays_of(const feed *feed, const row_block *block, size_t rows) {
    return (row_arrays){.rows = rows,
                        .features = feed->features,
                        .targets = feed->label_width,
                        .values = block->values,
                        .labels = block->labels,
                        .weights = block->weights};
}

/* ---- making --------------------------------------------------------------------------------------------------- */

#define SMALL_SECTION ((size_t)1 << 20)
#define SECTIONS_OF_MEMORY 8 /* so many fit into a device's memory, but for small ones */

size_t stepper_section_bytes(size_t device_memory) {
    const size_t some = device_memory / SECTIONS_OF_MEMORY, most = device_memory / STEPPER_TURNS;
    return some > SMALL_SECTION ? some : most < SMALL_SECTION ? most : SMALL_SECTION;
}

static tanda_status make_section(const stepper *stepper, size_t turn, resident *rows, tanda_error *error) {
    const row_block room = stream_room(stepper->stream, turn);
    row_arrays arrays = arrays_of(stream_feed(stepper->stream), &room, stream_most_rows(stepper->stream));
    arrays.awaited = true;
    return resident_create(stepper->backend, &arrays, rows, error);
}

/* As many sections stay as the device has room for beside all else that lies there. */
static tanda_status plan_kept(stepper *made, const stepper_rows *rows, tanda_error *error) {
    const size_t steps = stream_steps_per_epoch(made->stream), held = made->backend->row_bytes;
    if (!made->backend->copies_rows || !rows->come_again || rows->order.kind != SHUFFLE_NONE ||
        rows->end_step <= steps || rows->device_memory <= held)
        return TANDA_OK;
    const size_t sections = stream_sections(made->stream) - 1;
    const size_t some = (rows->device_memory - held) / made->turns[0].rows.bytes;
    const size_t count = some < sections ? some : sections;
    if (count == 0) return TANDA_OK;
    const tanda_status status = allocate(&made->kept, count, sizeof *made->kept, "sections", error);
    if (status != TANDA_OK) return status;
    made->kept_places = made->kept_count = count;
    stream_keep(made->stream, count);
    return TANDA_OK;
}

/* The device makes the rows where it can; one that cannot after all leaves it to the host. */
static void make_maker(stepper *made, const stepper_rows *rows) {
    const bool has_failed = made->backend->has_failed;
    row_recipe recipe;
    tanda_error error;
    if (!feed_recipe(rows->feed, &recipe)) return;
    if (backend_maker(made->backend, &recipe, &rows->order, &made->maker, &error) != TANDA_OK)
        made->backend->has_failed = has_failed;
}

static tanda_status make_rows(stepper *made, const stepper_rows *rows, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < STEPPER_TURNS; i++)
        status = make_section(made, i, &made->turns[i].rows, error);
    return status == TANDA_OK ? plan_kept(made, rows, error) : status;
}

static void *make_room(void *context, size_t bytes) {
    return backend_room(context, bytes);
}

static void free_room(void *context, void *memory) {
    backend_room_free(context, memory);
}

tanda_status stepper_create(backend *backend, const tanda_model *model, const stepper_rows *rows,
                            const plan_options *plan, const program_options *program, const session *of,
                            session *session, stepper *result, tanda_error *error) {
    stream_options options = {.feed = rows->feed,
                              .order = rows->order,
                              .batch_rows = rows->batch_rows,
                              .end_step = rows->end_step,
                              .memory = rows->memory,
                              .section_bytes = stepper_section_bytes(rows->device_memory)};
    program_options exchanged = *program;
    exchanged.batch_rows = rows->batch_rows;
    exchanged.shuffle = SHUFFLE_NONE; /* sections come in order */
    exchanged.exchanged = true;
    *result = (stepper){.session = session, .backend = backend};
    make_maker(result, rows);
    options.is_made_elsewhere = result->maker != NULL;
    if (backend->copies_rows && result->maker == NULL)
        options.room = (stream_memory){make_room, free_room, backend};
    tanda_status status = stream_create(&options, &result->stream, error);
    if (status == TANDA_OK) backend_share_cores(backend, true);
    if (status == TANDA_OK) status = make_rows(result, rows, error);
    if (status == TANDA_OK)
        status = session_create(model, &result->turns[0].rows, plan, &exchanged, of, session, error);
    return status == TANDA_OK ? partial_tree_create(session->plan, &result->tree, error) : status;
}

void stepper_free(stepper *stepper) {
    if (stepper->stream == NULL) {
        backend_maker_free(stepper->backend, stepper->maker);
        stepper->maker = NULL;
        return;
    }
    (void)backend_finish(stepper->backend, NULL);
    backend_share_cores(stepper->backend, false);
    for (size_t i = 0; i < STEPPER_TURNS; i++)
        resident_free(&stepper->turns[i].rows);
    for (size_t i = 0; i < stepper->kept_places; i++)
        resident_free(&stepper->kept[i].rows);
    free(stepper->kept);
    backend_maker_free(stepper->backend, stepper->maker);
    partial_tree_free(&stepper->tree);
    stream_free(stepper->stream);
    *stepper = (struct stepper){0};
}

/* ---- sections -------------------------------------------------------------------------------------------------- */

static const section *current(const stepper *stepper) {
    return &stepper->current->section;
}

/* Where a section is to lie, in this turn: its own place, if it is to stay. */
static placed_section *place_for(stepper *stepper, const section *section, size_t turn) {
    placed_section *turned = &stepper->turns[turn];
    tanda_error error;
    if (!section->is_kept || section->number >= stepper->kept_count) return turned;
    placed_section *kept = &stepper->kept[section->number];
    const bool has_failed = stepper->backend->has_failed;
    if (kept->rows.backend != NULL || make_section(stepper, turn, &kept->rows, &error) == TANDA_OK)
        return kept;
    stepper->backend->has_failed = has_failed;
    stream_keep(stepper->stream, stepper->kept_count = section->number); /* no room for more */
    return turned;
}

/* The next section is on its way to the device. */
static tanda_status take_section(stepper *stepper, tanda_error *error) {
    const size_t turn = (stepper->first + stepper->count) % STEPPER_TURNS;
    section next;
    tanda_status status = stream_next(stepper->stream, &next, error);
    if (status != TANDA_OK) return status;
    placed_section *taken = stepper->out[turn] = place_for(stepper, &next, turn);
    taken->section = next;
    taken->is_there = true;
    stepper->count++;
    if (stepper->maker != NULL)
        return resident_make(&taken->rows, stepper->maker, next.epoch, next.first, next.rows, error);
    const row_arrays arrays = arrays_of(stream_feed(stepper->stream), &next.block, next.rows);
    return resident_refill(&taken->rows, &arrays, error);
}

/* The stream's memory is used for others once the device has read it. */
static tanda_status give_back(stepper *stepper, tanda_error *error) {
    const tanda_status status = resident_settle(&stepper->out[stepper->first]->rows, error);
    if (status != TANDA_OK) return status;
    stream_done(stepper->stream);
    stepper->first = (stepper->first + 1) % STEPPER_TURNS;
    stepper->count--;
    return TANDA_OK;
}

/* No steps over the current section follow. */
static tanda_status leave(stepper *stepper, tanda_error *error) {
    const bool is_out = stepper->count > 0 && stepper->out[stepper->first] == stepper->current;
    stepper->current = NULL;
    return is_out ? give_back(stepper, error) : TANDA_OK;
}

/* With one step an epoch every step has the same rows, whatever the stream numbers it. */
static bool has_step(const stepper *stepper, const placed_section *placed, uint64_t step, size_t position) {
    const section *section = &placed->section;
    return section->position == position &&
           (stream_repeats(stepper->stream) ||
            (step >= section->first_step && step - section->first_step < section->steps));
}

/* The section of the step among those that stay, now in the step's epoch; or NULL. */
static placed_section *find_kept(const stepper *stepper, uint64_t step, size_t position) {
    const size_t number = stream_section_of(stepper->stream, step, position);
    const uint64_t per_epoch = stream_steps_per_epoch(stepper->stream);
    if (number >= stepper->kept_count || !stepper->kept[number].is_there) return NULL;
    section *section = &stepper->kept[number].section;
    section->first_step = step - (step % per_epoch - section->first_step % per_epoch);
    return &stepper->kept[number];
}

/* The next that comes is that of the step: others are given back, and the stream goes on elsewhere where it has to. */
static tanda_status find_coming(stepper *stepper, uint64_t step, size_t position, tanda_error *error) {
    tanda_status status = TANDA_OK;
    bool has_sought = false;
    while (status == TANDA_OK) {
        const bool is_out = stepper->count > 0;
        if (is_out && has_step(stepper, stepper->out[stepper->first], step, position)) return TANDA_OK;
        if (is_out)
            status = give_back(stepper, error);
        else if (has_sought || stream_is_next(stepper->stream, step, position))
            status = take_section(stepper, error);
        else {
            status = stream_seek(stepper->stream, step, error);
            has_sought = true;
        }
    }
    return status;
}

/* The current section is that of the step. */
static tanda_status find_section(stepper *stepper, uint64_t step, size_t position, tanda_error *error) {
    if (stepper->current != NULL && has_step(stepper, stepper->current, step, position)) return TANDA_OK;
    tanda_status status = leave(stepper, error);
    placed_section *kept = find_kept(stepper, step, position);
    if (status == TANDA_OK && kept == NULL) status = find_coming(stepper, step, position, error);
    if (status == TANDA_OK) stepper->current = kept != NULL ? kept : stepper->out[stepper->first];
    return status;
}

/* The program has the section's rows. */
static tanda_status place(stepper *stepper, uint64_t step, tanda_error *error) {
    const section *section = current(stepper);
    const rows_place place = {.first_step = stream_repeats(stepper->stream) ? step : section->first_step,
                              .position = section->position,
                              .step_rows = section->step_rows};
    return session_place(stepper->session, &stepper->current->rows, &place, error);
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

/* The section's sum joins those of the sections before, where the device has no way on the host. */
static tanda_status add_part(stepper *stepper, uint64_t step, size_t index, bool is_last,
                             tanda_error *error) {
    partial_tree *tree = &stepper->tree;
    const size_t tiles = tiles_of(current(stepper)->rows);
    if (session_has_parts(stepper->session))
        return session_part(stepper->session, step, index, is_last, error);
    const tanda_status status = session_partial(stepper->session, step, 0, tiles, &tree->sum, error);
    return status == TANDA_OK ? partial_tree_add(tree, is_last, error) : status;
}

/* A step from the sums of its sections. */
static tanda_status run_parts(stepper *stepper, uint64_t step, const update_rates *rates, step_result *result,
                              tanda_error *error) {
    const partial_sum *sum = session_has_parts(stepper->session) ? NULL : &stepper->tree.sum;
    bool is_last = false;
    tanda_status status = TANDA_OK;
    for (size_t position = 0, index = 0; status == TANDA_OK && !is_last; index++) {
        status = find_section(stepper, step, position, error);
        if (status != TANDA_OK) return status;
        const section *section = current(stepper);
        position += section->rows;
        is_last = position == section->step_rows;
        status = place(stepper, step, error);
        if (status == TANDA_OK) status = add_part(stepper, step, index, is_last, error);
        if (status == TANDA_OK) status = take_ahead(stepper, error);
        if (!is_last && status == TANDA_OK) status = leave(stepper, error);
    }
    return status == TANDA_OK ? session_apply(stepper->session, step, rates, sum, result, error) : status;
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
    return session_place(stepper->session, &stepper->current->rows, &(rows_place){0}, error);
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
    if (status == TANDA_OK) status = take_ahead(stepper, error); /* a partial sum is waited for */
    return status == TANDA_OK ? session_partial(stepper->session, step, first_tile, tiles, sum, error)
                              : status;
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
