#include "train/stepper.h"

#include <stdlib.h>
#include <string.h>

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

/* No other rank has a part of the batches. */
static bool has_all(const stepper_rows *rows) {
    return rows->runs[0].rows == 0 && rows->runs[1].rows == 0;
}

/* As many sections stay as the device has room for beside all else that lies there. */
static tanda_status plan_kept(stepper *made, const stepper_rows *rows, tanda_error *error) {
    const size_t steps = stream_steps_per_epoch(made->stream), held = made->backend->row_bytes;
    if (!made->backend->copies_rows || !rows->come_again || !has_all(rows) ||
        rows->order.kind != SHUFFLE_NONE || rows->end_step <= steps || rows->device_memory <= held)
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
    if (!has_all(rows) || !feed_recipe(rows->feed, &recipe)) return;
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
                              .runs = {rows->runs[0], rows->runs[1]},
                              .end_step = rows->end_step,
                              .memory = rows->memory,
                              .keeps = plan->training,
                              .section_bytes = stepper_section_bytes(rows->device_memory)};
    program_options exchanged = *program;
    exchanged.shuffle = SHUFFLE_NONE; /* sections come in order */
    exchanged.exchanged = true;
    *result = (stepper){.session = session, .backend = backend};
    make_maker(result, rows);
    options.is_made_elsewhere = result->maker != NULL;
    if (backend->copies_rows && result->maker == NULL)
        options.room = (stream_memory){make_room, free_room, backend};
    tanda_status status = stream_create(&options, &result->stream, error);
    if (status == TANDA_OK) exchanged.batch_rows = stream_most_run(result->stream);
    if (status == TANDA_OK) backend_share_cores(backend, true);
    if (status == TANDA_OK) status = make_rows(result, rows, error);
    if (status == TANDA_OK)
        status = session_create(model, &result->turns[0].rows, plan, &exchanged, of, session, error);
    return status == TANDA_OK ? partial_tree_create(session->plan, &result->tree, error) : status;
}

void stepper_free(stepper *stepper) {
    sharing_free(stepper->sharing);
    if (stepper->stream != NULL) {
        (void)backend_finish(stepper->backend, NULL);
        backend_share_cores(stepper->backend, false);
    }
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

/*
 * Whether a section has the step's rows from a position on. With one step an epoch every step has the same rows, whatever
 * the stream numbers it.
 */
static bool has(const stepper *stepper, const section *section, uint64_t step, size_t position) {
    const bool is_of_step = stream_repeats(stepper->stream) ||
                            (step >= section->first_step && step - section->first_step < section->steps);
    const bool is_whole = section->step_rows == 0;
    return is_of_step &&
           (is_whole || (position >= section->position && position - section->position < section->rows));
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
        if (is_out && has(stepper, &stepper->out[stepper->first]->section, step, position)) return TANDA_OK;
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
    if (stepper->current != NULL && has(stepper, &stepper->current->section, step, position)) return TANDA_OK;
    tanda_status status = leave(stepper, error);
    placed_section *kept = find_kept(stepper, step, position);
    if (status == TANDA_OK && kept == NULL) status = find_coming(stepper, step, position, error);
    if (status == TANDA_OK) stepper->current = kept != NULL ? kept : stepper->out[stepper->first];
    return status;
}

/* Where in its batch the section begins, or the run of a step that is in it. */
static size_t position_of(const stepper *stepper, uint64_t step) {
    const section *section = current(stepper);
    return section->step_rows > 0 ? section->position : stream_run(stepper->stream, step).first;
}

/* The program has the section's rows. */
static tanda_status place(stepper *stepper, uint64_t step, tanda_error *error) {
    const section *section = current(stepper);
    const rows_place place = {.first_step = stream_repeats(stepper->stream) ? step : section->first_step,
                              .position = position_of(stepper, step),
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
    const tanda_status status = session_partial(stepper->session, step, 0, tiles, true, &tree->sum, error);
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

/* ---- several ranks ---------------------------------------------------------------------------------------------- */

/* The sum of rows of the section, from a position of the batch on. */
static tanda_status sum_section(stepper *stepper, uint64_t step, size_t position, size_t rows, bool with_loss,
                                partial_sum *sum, tanda_error *error) {
    const size_t first = (position - position_of(stepper, step)) / TILE_ROWS;
    const tanda_status status = place(stepper, step, error);
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
    if (section->step_rows == 0) return left;
    const size_t there = section->position + section->rows - position;
    return there < left ? there : left;
}

/* session_partial, of rows that may be streamed: a piece has several sections, or a section has several pieces. */
static tanda_status make_partial(void *context, uint64_t step, size_t first_tile, size_t tiles,
                                 bool with_loss, partial_sum *sum, tanda_error *error) {
    stepper *stepper = context;
    if (stepper->stream == NULL)
        return session_partial(stepper->session, step, first_tile, tiles, with_loss, sum, error);
    const row_run run = stream_run(stepper->stream, step);
    const size_t first = first_tile * TILE_ROWS, whole = first + tiles * TILE_ROWS,
                 end = whole < run.first + run.rows ? whole : run.first + run.rows;
    partial_tree *tree = &stepper->tree;
    tanda_status status = TANDA_OK;
    tree->index = 0;
    for (size_t position = first, rows = 0; status == TANDA_OK && position < end; position += rows) {
        status = find_section(stepper, step, position, error);
        if (status != TANDA_OK) return status;
        rows = rows_at(stepper, position, end);
        const bool is_all = rows == end - first, is_last = position + rows == end;
        status = take_ahead(stepper, error); /* a partial sum is waited for */
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
        const size_t begin = first * TILE_ROWS, end = begin + tiles * TILE_ROWS;
        runs[i] = (row_run){begin, (end < all ? end : all) - begin};
        shares_free(&shares);
    }
    /* A rank without work has a stream, too, which it does not ask for rows. */
    if (runs[0].rows == 0 && runs[1].rows == 0)
        runs[0].rows = runs[1].rows = batch_size(rows, TILE_ROWS < batch_rows ? TILE_ROWS : batch_rows, 0);
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
    if (stepper->stream == NULL) return TANDA_OK;
    const size_t rows = stream_feed(stepper->stream)->rows, batch_rows = stream_batch_rows(stepper->stream),
                 index = (size_t)(step % steps_per_epoch(rows, batch_rows));
    const rows_place place = {.first_step = step, .step_rows = batch_size(rows, batch_rows, index)};
    return session_place(stepper->session, &stepper->turns[0].rows, &place, error);
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
    return stepper->current != NULL && current(stepper)->step_rows != 0;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

tanda_status stepper_run(stepper *stepper, uint64_t first_step, size_t steps, const update_rates *rates,
                         bool with_loss, step_result *results, size_t *done, tanda_error *error) {
    *done = steps;
    if (stepper->sharing != NULL)
        return share_steps(stepper, first_step, steps, rates, with_loss, TANDA_OK, results, error);
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

tanda_status stepper_run_one(stepper *stepper, tanda_status status, step_result *result, tanda_error *error) {
    size_t done = 0;
    if (stepper->sharing != NULL) return share_steps(stepper, 0, 1, NULL, true, status, result, error);
    return status == TANDA_OK ? stepper_run(stepper, 0, 1, NULL, true, result, &done, error) : status;
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
