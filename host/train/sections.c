#include "train/sections.h"

#include <stdlib.h>

#include "support/arithmetic.h"
#include "support/memory.h"

static row_arrays arrays_of(const feed *feed, const row_block *block, size_t rows) {
    return (row_arrays){.rows = rows,
                        .features = feed->features,
                        .targets = feed->label_width,
                        .values = block->values,
                        .labels = block->labels,
                        .weights = block->weights};
}

/* ---- making ------------------------------------------------------------------------------------------------- */

#define SMALL_SECTION ((size_t)1 << 20)
#define SECTIONS_OF_MEMORY 8 /* so many fit into a device's memory, but for small ones */

size_t sections_most_bytes(size_t device_memory) {
    const size_t some = device_memory / SECTIONS_OF_MEMORY, most = device_memory / SECTION_TURNS;
    return some > SMALL_SECTION ? some : most < SMALL_SECTION ? most : SMALL_SECTION;
}

static tanda_status make_section(const sections *sections, size_t turn, resident *rows, tanda_error *error) {
    const row_block room = stream_room(sections->stream, turn);
    row_arrays arrays = arrays_of(stream_feed(sections->stream), &room, stream_most_rows(sections->stream));
    arrays.awaited = true;
    return resident_create(sections->backend, &arrays, rows, error);
}

/* No other rank has a part of the batches. */
static bool has_all(const streamed_rows *rows) {
    return rows->runs[0].rows == 0 && rows->runs[1].rows == 0;
}

/* As many sections stay as the device has room for beside all else that lies there. */
static tanda_status plan_kept(sections *made, const streamed_rows *rows, tanda_error *error) {
    const size_t steps = stream_steps_per_epoch(made->stream), held = made->backend->row_bytes;
    if (!made->backend->copies_rows || !rows->come_again || !has_all(rows) ||
        rows->order.kind != SHUFFLE_NONE || rows->end_step <= steps || rows->device_memory <= held)
        return TANDA_OK;
    const size_t some = (rows->device_memory - held) / made->turns[0].rows.bytes;
    const size_t count = least(some, stream_sections(made->stream) - 1);
    if (count == 0) return TANDA_OK;
    const tanda_status status = allocate(&made->kept, count, sizeof *made->kept, "sections", error);
    if (status != TANDA_OK) return status;
    made->kept_places = made->kept_count = count;
    stream_keep(made->stream, count);
    return TANDA_OK;
}

/* There is another way: what has failed is none of the device's failures. */
static void forgive(const sections *sections) {
    sections->backend->has_failed = sections->had_failed;
}

/* The device makes the rows where it can; one that cannot after all leaves it to the host. */
static void make_maker(sections *made, const streamed_rows *rows) {
    row_recipe recipe;
    tanda_error error;
    if (!has_all(rows) || !feed_recipe(rows->feed, &recipe)) return;
    if (backend_maker(made->backend, &recipe, &rows->order, &made->maker, &error) != TANDA_OK) forgive(made);
}

static void *make_room(void *context, size_t bytes) {
    return backend_room(context, bytes);
}

static void free_room(void *context, void *memory) {
    backend_room_free(context, memory);
}

tanda_status sections_create(backend *backend, const streamed_rows *rows, bool keeps, sections *made,
                             tanda_error *error) {
    stream_options options = {.feed = rows->feed,
                              .order = rows->order,
                              .batch_rows = rows->batch_rows,
                              .runs = {rows->runs[0], rows->runs[1]},
                              .end_step = rows->end_step,
                              .memory = rows->memory,
                              .keeps = keeps,
                              .section_bytes = sections_most_bytes(rows->device_memory)};
    *made = (sections){.backend = backend, .had_failed = backend->has_failed};
    make_maker(made, rows);
    options.is_made_elsewhere = made->maker != NULL;
    if (backend->copies_rows && made->maker == NULL)
        options.room = (stream_memory){make_room, free_room, backend};
    tanda_status status = stream_create(&options, &made->stream, error);
    if (status == TANDA_OK) backend_share_cores(backend, true);
    for (size_t i = 0; status == TANDA_OK && i < SECTION_TURNS; i++)
        status = make_section(made, i, &made->turns[i].rows, error);
    return status == TANDA_OK ? plan_kept(made, rows, error) : status;
}

void sections_free(sections *sections) {
    if (sections->stream != NULL) {
        (void)backend_finish(sections->backend, NULL);
        backend_share_cores(sections->backend, false);
    }
    for (size_t i = 0; i < SECTION_TURNS; i++)
        resident_free(&sections->turns[i].rows);
    for (size_t i = 0; i < sections->kept_places; i++)
        resident_free(&sections->kept[i].rows);
    free(sections->kept);
    backend_maker_free(sections->backend, sections->maker);
    stream_free(sections->stream);
    *sections = (struct sections){0};
}

/* ---- which is worked on --------------------------------------------------------------------------------------- */

/* Where a section is to lie, in this turn: its own place, if it is to stay. */
static placed_section *place_for(sections *sections, const section *section, size_t turn) {
    placed_section *turned = &sections->turns[turn];
    tanda_error error;
    if (!section->is_kept || section->number >= sections->kept_count) return turned;
    placed_section *kept = &sections->kept[section->number];
    if (kept->rows.backend != NULL || make_section(sections, turn, &kept->rows, &error) == TANDA_OK)
        return kept;
    forgive(sections);
    stream_keep(sections->stream, sections->kept_count = section->number); /* no room for more */
    return turned;
}

/* The next section is on its way to the device. */
static tanda_status take_section(sections *sections, tanda_error *error) {
    const size_t turn = (sections->first + sections->count) % SECTION_TURNS;
    section next;
    tanda_status status = stream_next(sections->stream, &next, error);
    if (status != TANDA_OK) return status;
    placed_section *taken = sections->out[turn] = place_for(sections, &next, turn);
    taken->section = next;
    taken->is_there = true;
    sections->count++;
    if (sections->maker != NULL)
        return resident_make(&taken->rows, sections->maker, next.epoch, next.first, next.rows, error);
    const row_arrays arrays = arrays_of(stream_feed(sections->stream), &next.block, next.rows);
    return resident_refill(&taken->rows, &arrays, error);
}

/* The stream's memory is used for others once the device has read it. */
static tanda_status give_back(sections *sections, tanda_error *error) {
    const tanda_status status = resident_settle(&sections->out[sections->first]->rows, error);
    if (status != TANDA_OK) return status;
    stream_done(sections->stream);
    sections->first = (sections->first + 1) % SECTION_TURNS;
    sections->count--;
    return TANDA_OK;
}

tanda_status sections_leave(sections *sections, tanda_error *error) {
    const bool is_out = sections->count > 0 && sections->out[sections->first] == sections->current;
    sections->current = NULL;
    return is_out ? give_back(sections, error) : TANDA_OK;
}

/*
 * Whether a section has the step's rows from a position on. With one step an epoch every step has the same rows, whatever
 * the stream numbers it.
 */
static bool has(const sections *sections, const section *section, uint64_t step, size_t position) {
    const bool is_of_step = stream_repeats(sections->stream) ||
                            (step >= section->first_step && step - section->first_step < section->steps);
    const bool is_whole = section->step_rows == 0;
    return is_of_step &&
           (is_whole || (position >= section->position && position - section->position < section->rows));
}

/* The section of the step among those that stay, now in the step's epoch; or NULL. */
static placed_section *find_kept(const sections *sections, uint64_t step, size_t position) {
    const size_t number = stream_section_of(sections->stream, step, position);
    const uint64_t per_epoch = stream_steps_per_epoch(sections->stream);
    if (number >= sections->kept_count || !sections->kept[number].is_there) return NULL;
    section *section = &sections->kept[number].section;
    section->first_step = step - (step % per_epoch - section->first_step % per_epoch);
    return &sections->kept[number];
}

/* The next that comes is that of the step: others are given back, and the stream goes on elsewhere where it has to. */
static tanda_status find_coming(sections *sections, uint64_t step, size_t position, tanda_error *error) {
    tanda_status status = TANDA_OK;
    bool has_sought = false;
    while (status == TANDA_OK) {
        const bool is_out = sections->count > 0;
        if (is_out && has(sections, &sections->out[sections->first]->section, step, position))
            return TANDA_OK;
        if (is_out)
            status = give_back(sections, error);
        else if (has_sought || stream_is_next(sections->stream, step, position))
            status = take_section(sections, error);
        else {
            status = stream_seek(sections->stream, step, error);
            has_sought = true;
        }
    }
    return status;
}

tanda_status sections_find(sections *sections, uint64_t step, size_t position, tanda_error *error) {
    if (sections->current != NULL && has(sections, &sections->current->section, step, position))
        return TANDA_OK;
    tanda_status status = sections_leave(sections, error);
    placed_section *kept = find_kept(sections, step, position);
    if (status == TANDA_OK && kept == NULL) status = find_coming(sections, step, position, error);
    if (status == TANDA_OK) sections->current = kept != NULL ? kept : sections->out[sections->first];
    return status;
}

size_t sections_position(const sections *sections, uint64_t step) {
    const section *section = &sections->current->section;
    return section->step_rows > 0 ? section->position : stream_run(sections->stream, step).first;
}

tanda_status sections_place(sections *sections, session *session, uint64_t step, tanda_error *error) {
    const section *section = &sections->current->section;
    const rows_place place = {.first_step = stream_repeats(sections->stream) ? step : section->first_step,
                              .position = sections_position(sections, step),
                              .step_rows = section->step_rows};
    return session_place(session, &sections->current->rows, &place, error);
}

tanda_status sections_take_ahead(sections *sections, tanda_error *error) {
    if (sections->count == SECTION_TURNS || !stream_is_ready(sections->stream)) return TANDA_OK;
    return take_section(sections, error);
}
