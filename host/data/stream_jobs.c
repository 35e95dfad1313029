/* What the threads of a stream do: rows of sections, and blocks of windows, one after the other as there is room. */
#include <string.h>

#include "data/stream_state.h"

#define READ_BYTES ((size_t)4 << 20) /* of a read, about */
#define COPY_BYTES ((size_t)1 << 20) /* of rows that are copied as one job */

/* ---- what is wanted of batches ------------------------------------------------------------------------------ */

row_run stream_run(const stream *stream, uint64_t step) {
    return stream->options.runs[step % stream->steps_per_epoch + 1 == stream->steps_per_epoch];
}

size_t stream_most_run(const stream *stream) {
    const row_run *runs = stream->options.runs;
    return runs[0].rows > runs[1].rows ? runs[0].rows : runs[1].rows;
}

void stream_find_runs(stream *stream) {
    stream_options *options = &stream->options;
    const size_t rows = options->feed->rows, batch = options->batch_rows;
    stream->steps_per_epoch = (rows + batch - 1) / batch;
    if (options->runs[0].rows == 0 && options->runs[1].rows == 0) {
        options->runs[0].rows = batch;
        options->runs[1].rows = rows - (stream->steps_per_epoch - 1) * batch;
    }
    if (stream->steps_per_epoch == 1) options->runs[0] = options->runs[1];
}

/* Rows of an epoch that lie before a place and are wanted. */
size_t stream_wanted_before(const stream *stream, size_t place) {
    const size_t batch = stream->options.batch_rows, last = stream->steps_per_epoch - 1,
                 index = least(place / batch, last), inside = place - index * batch;
    const row_run run = stream_run(stream, index);
    const size_t some = inside > run.first ? least(inside - run.first, run.rows) : 0;
    return index * stream->options.runs[0].rows + some;
}

/* Whether the runs of consecutive batches lie together, too. */
static bool is_all_wanted(const stream *stream) {
    return stream->options.runs[0].rows == stream->options.batch_rows;
}

/* The next section is that of a step, or of the first one behind it of which something is wanted. */
void stream_begin_step(stream *stream, uint64_t step) {
    while (stream_run(stream, step).rows == 0)
        step++;
    stream->next_step = step;
    stream->next_position = stream->has_parts ? stream_run(stream, step).first : 0;
}

/* ---- jobs: all that follows up to "what a job does" is done with the lock ---------------------------------------- */

static size_t parts_of_batch(const stream *stream) {
    return (stream->options.batch_rows + stream->section_rows - 1) / stream->section_rows;
}

static size_t steps_of_section(const stream *stream) {
    const size_t steps = stream->section_rows / stream->options.batch_rows;
    return steps > 0 ? steps : 1; /* all rows are one ragged batch */
}

size_t stream_section_of(const stream *stream, uint64_t step, size_t position) {
    const size_t index = (size_t)(step % stream->steps_per_epoch);
    if (stream->has_parts) return index * parts_of_batch(stream) + position / stream->section_rows;
    return index / steps_of_section(stream);
}

static size_t rows_of_step(const stream *stream, uint64_t step) {
    const size_t first = (size_t)(step % stream->steps_per_epoch) * stream->options.batch_rows;
    return least(stream->options.batch_rows, rows_of_feed(stream) - first);
}

size_t stream_sections(const stream *stream) {
    const size_t last = stream->steps_per_epoch - 1;
    return stream_section_of(stream, last, rows_of_step(stream, last) - 1) + 1;
}

/* The next section is that behind so many rows of a step, or behind whole steps. */
static void go_on(stream *stream, uint64_t step, size_t position, size_t rows, size_t steps) {
    const bool is_inside = stream->has_parts && position + rows < rows_of_step(stream, step);
    if (is_inside)
        stream->next_position = position + rows;
    else
        stream_begin_step(stream, step + steps);
}

/* Steps up to the section's end, from one of an epoch on. */
static size_t steps_left(const stream *stream, size_t index) {
    const size_t whole = steps_of_section(stream);
    return least(whole - index % whole, stream->steps_per_epoch - index);
}

/* Over sections that the caller has. */
void stream_skip_kept(stream *stream) {
    while (stream->next_step < stream->options.end_step) {
        const uint64_t step = stream->next_step;
        const size_t number = stream_section_of(stream, step, stream->next_position);
        if (number >= stream->kept_count || !stream->is_kept[number]) return;
        go_on(stream, step, stream->next_position, stream->section_rows,
              stream->has_parts ? 1 : steps_left(stream, (size_t)(step % stream->steps_per_epoch)));
    }
}

/* What was not given yet, the caller has not. */
void stream_forget_kept(stream *stream) {
    for (uint64_t i = stream->given; i < stream->planned; i++) {
        const section *section = &stream->slots[i % STREAM_TURNS].section;
        if (section->is_kept && section->number < stream->kept_count)
            stream->is_kept[section->number] = false;
    }
}

/* Up to the next multiple of what a section holds, as sums of tiles are those of subtrees. */
static void plan_part(stream *stream, section *section) {
    const size_t batch = stream->options.batch_rows, room = stream->section_rows,
                 first = (size_t)(section->first_step % stream->steps_per_epoch) * batch;
    const row_run run = stream_run(stream, section->first_step);
    section->position = stream->next_position;
    section->step_rows = least(batch, rows_of_feed(stream) - first);
    section->rows = least(room - section->position % room, run.first + run.rows - section->position);
    stream->next_position += section->rows;
    if (stream->next_position == run.first + run.rows) stream_begin_step(stream, section->first_step + 1);
}

/* The last run of an epoch comes by itself where it is longer than the others, or there are no others. */
static void plan_runs(stream *stream, section *section) {
    const row_run *runs = stream->options.runs;
    const size_t index = (size_t)(section->first_step % stream->steps_per_epoch);
    const uint64_t left = stream->options.end_step - section->first_step;
    size_t steps = 1, most = stream->steps_per_epoch - index;
    if (runs[1].rows == 0) most--;
    if (runs[0].rows > 0 && runs[1].rows <= runs[0].rows)
        steps = least(stream->section_rows / runs[0].rows, most);
    if (stream->kept_count > 0) steps = least(steps, steps_left(stream, index));
    if (steps == 0) steps = 1; /* all rows are one ragged batch */
    section->steps = left < steps ? (size_t)left : steps;
    section->rows = (section->steps - 1) * runs[0].rows +
                    stream_run(stream, section->first_step + section->steps - 1).rows;
    stream_begin_step(stream, section->first_step + section->steps);
}

/* A section that the caller keeps is whole. */
static void note_kept(stream *stream, section *section) {
    const size_t index = (size_t)(section->first_step % stream->steps_per_epoch);
    section->number = stream_section_of(stream, section->first_step, section->position);
    section->epoch = section->first_step / stream->steps_per_epoch;
    section->first = index * stream->options.batch_rows + section->position;
    section->is_kept = section->number < stream->kept_count &&
                       (stream->has_parts || (index % steps_of_section(stream) == 0 &&
                                              section->steps == steps_left(stream, index)));
    if (section->is_kept) stream->is_kept[section->number] = true;
    stream_skip_kept(stream);
}

/* The next section gets its place. False where there is none, for now or at all. */
static bool plan_section(stream *stream) {
    slot *slot = &stream->slots[stream->planned % STREAM_TURNS];
    const uint64_t step = stream->next_step;
    if (slot->is_planned || step >= stream->options.end_step) return false;
    section *section = &slot->section;
    section->first_step = step;
    section->position = 0;
    section->steps = 1;
    section->step_rows = 0;
    if (stream->has_parts)
        plan_part(stream, section);
    else
        plan_runs(stream, section);
    slot->epoch = step / stream->steps_per_epoch;
    note_kept(stream, section);
    slot->begun = slot->jobs = 0;
    slot->is_planned = true;
    slot->is_full = false;
    return true;
}

/* The slot that threads fill, the first whose rows are not all given to them. */
static slot *slot_to_fill(stream *stream) {
    if (stream->planned > stream->returned) {
        slot *slot = &stream->slots[(stream->planned - 1) % STREAM_TURNS];
        if (slot->begun < slot->section.rows) return slot;
    }
    if (!plan_section(stream)) return NULL;
    return &stream->slots[stream->planned++ % STREAM_TURNS];
}

/* The window that has a place of an epoch and is there, or NULL. */
static window_buffer *window_at(stream *stream, uint64_t epoch, size_t place) {
    for (size_t i = 0; i < MOST_WINDOWS; i++) {
        window_buffer *window = &stream->windows[i];
        if (window->left > 0 && window->jobs == 0 && window->next_place == window->end_place &&
            window->epoch.epoch == (uint)epoch && is_in_window(&window->window, place))
            return window;
    }
    return NULL;
}

/* The place in its epoch of a section's row; *together: so many rows from it on have the places that follow. */
static size_t place_of(const stream *stream, const slot *slot, size_t row, size_t *together) {
    const section *section = &slot->section;
    const size_t index = (size_t)(section->first_step % stream->steps_per_epoch),
                 batch = stream->options.batch_rows, length = stream->options.runs[0].rows;
    *together = section->rows - row;
    if (section->step_rows > 0) return index * batch + section->position + row;
    if (is_all_wanted(stream)) return index * batch + row;
    const size_t step = section->steps > 1 ? least(row / length, section->steps - 1) : 0;
    const row_run run = stream_run(stream, index + step);
    *together = run.rows - (row - step * length);
    return (index + step) * batch + run.first + row - step * length;
}

/* Rows of a section. */
static bool take_rows(stream *stream, job *job) {
    slot *slot = slot_to_fill(stream);
    if (slot == NULL) return false;
    size_t together = 0;
    const size_t place = place_of(stream, slot, slot->begun, &together);
    const size_t bytes = has_windows(stream) ? COPY_BYTES : READ_BYTES;
    const size_t some = least(bytes / stream->row_bytes, stream->section_rows / stream->wanted_readers);
    *job = (struct job){.slot = slot, .at = slot->begun, .from = place};
    job->rows = least(together, some > 0 ? some : 1);
    if (has_windows(stream)) {
        job->window = window_at(stream, slot->epoch, place);
        if (job->window == NULL) return false;
        const order_window *window = &job->window->window;
        job->rows = least(job->rows, (size_t)(window->first + window->key.count) - place);
    }
    slot->begun += job->rows;
    slot->jobs++;
    return true;
}

static size_t wanted_of_window(const stream *stream, const order_window *window) {
    const size_t first = (size_t)window->first, from = first > stream->load_from ? first : stream->load_from;
    return stream_wanted_before(stream, first + (size_t)window->key.count) -
           stream_wanted_before(stream, from);
}

/*
 * The next window of which something is wanted gets its buffer. False where that is not free, or there is no such window.
 */
static bool begin_window(stream *stream, window_buffer *buffer) {
    const row_order *order = &stream->options.order;
    const ulong blocks = order->window / order->block;
    if (buffer->left > 0) return false;
    while (buffer->left == 0) {
        if (stream->load_epoch > (stream->options.end_step - 1) / stream->steps_per_epoch) return false;
        buffer->epoch = epoch_order_of(*order, (uint)stream->load_epoch);
        order_make_window(*order, &buffer->epoch, stream->load_window, &buffer->window);
        buffer->next_place = stream->load_window * blocks;
        buffer->end_place =
            buffer->next_place + blocks < order->blocks ? buffer->next_place + blocks : order->blocks;
        buffer->jobs = 0;
        buffer->left = wanted_of_window(stream, &buffer->window);
        stream->load_from = 0;
        if (++stream->load_window == order_windows(order)) {
            stream->load_window = 0;
            stream->load_epoch++;
        }
        if (buffer->left == 0) buffer->next_place = buffer->end_place;
    }
    return true;
}

/* Blocks of a window, where there are windows. */
static bool take_blocks(stream *stream, job *job) {
    window_buffer *buffer = &stream->windows[stream->loads % stream->window_count];
    const size_t block_bytes = (size_t)stream->options.order.block * stream->row_bytes;
    const ulong share = (stream->options.order.window / stream->options.order.block) / stream->wanted_readers;
    const ulong some = least(READ_BYTES / block_bytes, share);
    if (buffer->next_place == buffer->end_place && !begin_window(stream, buffer)) return false;
    const ulong left = buffer->end_place - buffer->next_place, count = some > 0 ? some : 1;
    *job = (struct job){.window = buffer, .place = buffer->next_place, .count = left < count ? left : count};
    buffer->next_place += job->count;
    buffer->jobs++;
    if (buffer->next_place == buffer->end_place) stream->loads++;
    return true;
}

void stream_end_job(const job *job) {
    slot *slot = job->slot;
    if (slot == NULL) {
        job->window->jobs--;
        return;
    }
    slot->jobs--;
    slot->is_full = slot->jobs == 0 && slot->begun == slot->section.rows;
    if (job->window != NULL) job->window->left -= job->rows;
}

bool stream_take_job(stream *stream, job *job) {
    if (stream->is_paused || stream->status != TANDA_OK) return false;
    return take_rows(stream, job) || (has_windows(stream) && take_blocks(stream, job));
}

/* ---- what a job does ---------------------------------------------------------------------------------------- */

/* Rows of `width` floats, or what is as wide, from their places. One of them wants no call. */
static void copy_from(const float *source, size_t width, const ulong *place, size_t rows, float *target) {
    if (width == 1)
        for (size_t i = 0; i < rows; i++)
            memcpy(target + i, source + place[i], sizeof *target);
    else
        for (size_t i = 0; i < rows; i++)
            memcpy(target + i * width, source + place[i] * width, width * sizeof *target);
}

static void copy_rows(const stream *stream, const job *job) {
    const feed *feed = stream->options.feed;
    const window_buffer *window = job->window;
    const size_t first = job->from - (size_t)window->window.first;
    const row_block *from = &window->block;
    ulong place[ORDER_CHUNK];
    for (size_t done = 0; done < job->rows; done += ORDER_CHUNK) {
        const size_t some = least(job->rows - done, ORDER_CHUNK);
        const row_block to = feed_block_from(feed, &job->slot->section.block, job->at + done);
        shuffle_positions(&window->window.key, first + done, some, place);
        for (size_t i = 0; i < some; i++) {
            __builtin_prefetch(from->values + place[i] * feed->features);
            __builtin_prefetch((const float *)from->labels + place[i] * feed->label_width);
        }
        copy_from(from->values, feed->features, place, some, to.values);
        if (to.labels != NULL) copy_from(from->labels, feed->label_width, place, some, to.labels);
        if (to.weights != NULL) copy_from(from->weights, 1, place, some, to.weights);
    }
}

/* Of a feed in memory: each row from where it lies. */
static tanda_status find_rows(const stream *stream, const job *job, tanda_error *error) {
    const feed *feed = stream->options.feed;
    order_keys keys = {0};
    ulong row[ORDER_CHUNK];
    tanda_status status = TANDA_OK;
    for (size_t done = 0; done < job->rows; done += ORDER_CHUNK) {
        const size_t some = least(job->rows - done, ORDER_CHUNK);
        order_find_rows(&stream->options.order, &keys, (uint)job->slot->epoch, job->from + done, some, row);
        for (size_t i = 0; status == TANDA_OK && i < some; i++) {
            const row_block to = feed_block_from(feed, &job->slot->section.block, job->at + done + i);
            status = feed_read(feed, (size_t)row[i], 1, &to, error);
        }
    }
    return status;
}

static tanda_status read_blocks(const stream *stream, const job *job, tanda_error *error) {
    const row_order *order = &stream->options.order;
    const window_buffer *window = job->window;
    tanda_status status = TANDA_OK;
    for (ulong p = job->place; status == TANDA_OK && p < job->place + job->count; p++) {
        const ulong number = order_block(&window->epoch, p);
        const size_t at = (size_t)(unpadded_place(&window->epoch, p * order->block) - window->window.first);
        const row_block to = feed_block_from(stream->options.feed, &window->block, at);
        status = feed_read(stream->options.feed, (size_t)(number * order->block),
                           (size_t)order_block_rows(order, number), &to, error);
    }
    return status;
}

tanda_status stream_do_job(const stream *stream, const job *job, tanda_error *error) {
    if (stream->options.is_made_elsewhere) return TANDA_OK;
    if (job->slot == NULL) return read_blocks(stream, job, error);
    if (stream->options.order.kind == SHUFFLE_FULL) return find_rows(stream, job, error);
    if (job->window == NULL) {
        const row_block to = feed_block_from(stream->options.feed, &job->slot->section.block, job->at);
        return feed_read(stream->options.feed, job->from, job->rows, &to, error);
    }
    copy_rows(stream, job);
    return TANDA_OK;
}
