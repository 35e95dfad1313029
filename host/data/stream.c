/*
 * Threads take jobs as they become free. Of an order of windows there are two kinds: a window's blocks are read into one of
 * two window buffers; and rows of a window that is there are copied to their places in a section, while the next window is
 * read. Without windows rows are read right into their section.
 */
#include "data/stream.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_kept.h"
#include "kernels/geometry.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/parallel.h"

#define LEAST_WINDOWS 2 /* one is read while another is copied from; of small ones more are read ahead, */
#define MOST_WINDOWS 8
#define WINDOW_BYTES ((size_t)32 << 20) /* up to so many bytes */
#define MOST_READERS 8
#define MOST_MAKERS 4                    /* of feeds that compute */
#define SECTION_BYTES ((size_t)32 << 20) /* of a section, at most */
#define READ_BYTES ((size_t)4 << 20)     /* of a read, about */
#define COPY_BYTES ((size_t)1 << 20)     /* of rows that are copied as one job */

/* A place for a section: free; being filled, of whose rows `begun` are given to threads and `jobs` go on; full; out. */
typedef struct slot {
    section section;
    uint64_t epoch;
    size_t begun, jobs;
    bool is_planned, is_full;
} slot;

/* A window, whose blocks lie one after the other in the order of their places. */
typedef struct window_buffer {
    epoch_order epoch;
    order_window window;
    row_block block;
    ulong next_place, end_place; /* of blocks that are not given to threads yet */
    size_t jobs;
    size_t left; /* rows that are still to be copied; 0: the buffer is free */
} window_buffer;

typedef struct job {
    slot *slot; /* NULL: blocks of a window are read */
    window_buffer *window;
    size_t at, rows;    /* of the slot, */
    size_t from;        /* and the first one's place in the epoch */
    ulong place, count; /* of blocks, in the epoch */
} job;

struct stream {
    stream_options options;
    feed *kept; /* the feed, of whose rows some stay in memory; or NULL */
    size_t row_bytes, section_rows, window_rows, steps_per_epoch;
    bool has_parts; /* a section is a part of a run */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t readers[MOST_READERS];
    size_t reader_count, wanted_readers, running; /* jobs that go on */
    bool is_ending, is_paused;
    tanda_status status; /* of the first job that failed */
    tanda_error failure;

    slot slots[STREAM_TURNS];
    uint64_t planned, given, returned; /* sections so far; slot i % STREAM_TURNS is that of section i */
    uint64_t next_step;                /* the next section's, */
    size_t next_position;              /* and where in the step it begins */
    size_t kept_count;                 /* sections of an epoch that the caller keeps, */
    bool *is_kept;                     /* and whether he has them */

    window_buffer windows[MOST_WINDOWS];
    size_t window_count;
    uint64_t loads;      /* windows so far whose blocks are all given to threads */
    uint64_t load_epoch; /* of the next window, */
    ulong load_window;   /* its number, */
    size_t load_from;    /* and the place in its epoch before which nothing is wanted */
};

static bool has_windows(const stream *stream) {
    return stream->options.order.kind == SHUFFLE_WINDOW;
}

static size_t rows_of_feed(const stream *stream) {
    return stream->options.feed->rows;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* ---- what is wanted of batches ------------------------------------------------------------------------------ */

row_run stream_run(const stream *stream, uint64_t step) {
    return stream->options.runs[step % stream->steps_per_epoch + 1 == stream->steps_per_epoch];
}

size_t stream_most_run(const stream *stream) {
    const row_run *runs = stream->options.runs;
    return runs[0].rows > runs[1].rows ? runs[0].rows : runs[1].rows;
}

static void find_runs(stream *stream) {
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
static size_t wanted_before(const stream *stream, size_t place) {
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
static void begin_step(stream *stream, uint64_t step) {
    while (stream_run(stream, step).rows == 0)
        step++;
    stream->next_step = step;
    stream->next_position = stream->has_parts ? stream_run(stream, step).first : 0;
}

/* ---- sizes -------------------------------------------------------------------------------------------------- */

static size_t power_of_two_to(size_t value) {
    size_t power = 1;
    while (power <= value / 2)
        power *= 2;
    return power;
}

static size_t kibibytes(size_t bytes) {
    return (bytes >> 10) + 1;
}

/* Whole runs, or else a power of two of tiles. */
static tanda_status find_sizes(stream *stream, tanda_error *error) {
    const stream_options *options = &stream->options;
    const size_t rows = rows_of_feed(stream), run = stream_most_run(stream);
    size_t windows = 0, least_bytes = 0;
    stream->row_bytes = feed_row_size(options->feed);
    stream->window_rows = has_windows(stream) ? least((size_t)options->order.window, rows) : 0;
    if (multiply_overflows(stream->window_rows, LEAST_WINDOWS * stream->row_bytes, &windows) ||
        multiply_overflows(least(run, TILE_ROWS), STREAM_TURNS * stream->row_bytes, &least_bytes) ||
        add_overflows(least_bytes, windows, &least_bytes))
        return fail(error, TANDA_FAILED, "rows of %zu bytes are too many for memory", stream->row_bytes);
    const size_t memory = options->memory > 0 ? options->memory : SIZE_MAX;
    if (memory < least_bytes)
        return fail(error, TANDA_USAGE, "--memory: %zu KiB for rows are too few, %s %zu KiB%s", memory >> 10,
                    has_windows(stream) ? "two windows of the shuffle and three sections need"
                                        : "three sections need",
                    kibibytes(least_bytes),
                    has_windows(stream) ? "; or take a smaller --shuffle-window" : "");
    const size_t window = windows / LEAST_WINDOWS, most_bytes = least(memory / 2, WINDOW_BYTES);
    for (stream->window_count = LEAST_WINDOWS;
         stream->window_count < MOST_WINDOWS && windows + window <= most_bytes; windows += window)
        stream->window_count++;
    size_t bytes = least((memory - windows) / STREAM_TURNS, SECTION_BYTES);
    if (options->section_bytes > 0) bytes = least(bytes, options->section_bytes);
    const size_t most = bytes / stream->row_bytes;
    stream->has_parts = run > most && run > TILE_ROWS;
    if (stream->has_parts)
        stream->section_rows = least(power_of_two_to(most / TILE_ROWS) * TILE_ROWS, run);
    else
        stream->section_rows = least((most > run ? most / run : 1) * run, wanted_before(stream, rows));
    return TANDA_OK;
}

static void *make_ordinary(void *context, size_t bytes) {
    (void)context;
    return allocate_untouched(bytes);
}

static void free_ordinary(void *context, void *memory) {
    (void)context;
    free(memory);
}

static const stream_memory ordinary = {make_ordinary, free_ordinary, NULL};

static tanda_status make_block(const stream *stream, const stream_memory *memory, size_t rows,
                               row_block *block, tanda_error *error) {
    const feed *feed = stream->options.feed;
    const size_t sizes[] = {feed->features, feed->label_width, feed->has_weights};
    void *made[3] = {NULL};
    bool lacks = false;
    for (size_t i = 0; i < 3; i++) {
        if (sizes[i] == 0) continue;
        made[i] = memory->make(memory->context, rows * sizes[i] * sizeof(float));
        lacks |= made[i] == NULL;
    }
    *block = (row_block){.values = made[0], .labels = made[1], .weights = made[2]};
    return lacks ? fail(error, TANDA_FAILED, "no memory for %zu rows that are read ahead", rows) : TANDA_OK;
}

static void free_block(const stream_memory *memory, row_block *block) {
    void *const parts[] = {block->values, block->labels, block->weights};
    for (size_t i = 0; i < 3; i++)
        if (parts[i] != NULL) memory->give_back(memory->context, parts[i]);
}

/* The rows of a block from `first` on. */
static row_block block_from(const feed *feed, const row_block *block, size_t first) {
    return (row_block){.values = block->values + first * feed->features,
                       .labels =
                           block->labels == NULL ? NULL : (float *)block->labels + first * feed->label_width,
                       .weights = block->weights == NULL ? NULL : block->weights + first};
}

/*
 * Rows that are read in each epoch stay as far as memory goes, but for what a second stream of them takes, which judges what
 * this one's have taught, and for a device's own copies of both streams' sections.
 */
static tanda_status keep_rows(stream *stream, tanda_error *error) {
    const stream_options *options = &stream->options;
    const bool once = options->end_step <= stream->steps_per_epoch,
               lies_there = options->feed->kind->lend != NULL;
    const size_t sections = STREAM_TURNS * stream->section_rows * stream->row_bytes,
                 windows = stream->window_count * stream->window_rows * stream->row_bytes,
                 taken = 4 * sections + windows, row = stream->row_bytes + 1;
    if (!options->keeps || options->is_made_elsewhere || options->memory <= taken || once || lies_there)
        return TANDA_OK;
    const size_t rows = least((options->memory - taken) / row, rows_of_feed(stream));
    if (rows == 0) return TANDA_OK;
    const tanda_status status = feed_kept(options->feed, rows, &stream->kept, error);
    if (status == TANDA_OK) stream->options.feed = stream->kept;
    return status;
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
        begin_step(stream, step + steps);
}

/* Steps up to the section's end, from one of an epoch on. */
static size_t steps_left(const stream *stream, size_t index) {
    const size_t whole = steps_of_section(stream);
    return least(whole - index % whole, stream->steps_per_epoch - index);
}

/* Over sections that the caller has. */
static void skip_kept(stream *stream) {
    while (stream->next_step < stream->options.end_step) {
        const uint64_t step = stream->next_step;
        const size_t number = stream_section_of(stream, step, stream->next_position);
        if (number >= stream->kept_count || !stream->is_kept[number]) return;
        go_on(stream, step, stream->next_position, stream->section_rows,
              stream->has_parts ? 1 : steps_left(stream, (size_t)(step % stream->steps_per_epoch)));
    }
}

/* What was not given yet, the caller has not. */
static void forget_kept(stream *stream) {
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
    if (stream->next_position == run.first + run.rows) begin_step(stream, section->first_step + 1);
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
    begin_step(stream, section->first_step + section->steps);
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
    skip_kept(stream);
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
    return wanted_before(stream, first + (size_t)window->key.count) - wanted_before(stream, from);
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

static void end_job(const job *job) {
    slot *slot = job->slot;
    if (slot == NULL) {
        job->window->jobs--;
        return;
    }
    slot->jobs--;
    slot->is_full = slot->jobs == 0 && slot->begun == slot->section.rows;
    if (job->window != NULL) job->window->left -= job->rows;
}

/* ---- what a job does ---------------------------------------------------------------------------------------- */

/* Row `from` of one block becomes row `to` of another. */
static void copy_row(const feed *feed, const row_block *source, size_t from, const row_block *target,
                     size_t to) {
    memcpy(target->values + to * feed->features, source->values + from * feed->features,
           feed->features * sizeof(float));
    if (target->labels != NULL)
        memcpy((float *)target->labels + to * feed->label_width,
               (const float *)source->labels + from * feed->label_width, feed->label_width * sizeof(float));
    if (target->weights != NULL) target->weights[to] = source->weights[from];
}

static void copy_rows(const stream *stream, const job *job) {
    const window_buffer *window = job->window;
    const size_t first = job->from - (size_t)window->window.first;
    ulong place[ORDER_CHUNK];
    for (size_t done = 0; done < job->rows; done += ORDER_CHUNK) {
        const size_t some = least(job->rows - done, ORDER_CHUNK);
        shuffle_positions(&window->window.key, first + done, some, place);
        for (size_t i = 0; i < some; i++)
            __builtin_prefetch(window->block.values + place[i] * stream->options.feed->features);
        for (size_t i = 0; i < some; i++)
            copy_row(stream->options.feed, &window->block, (size_t)place[i], &job->slot->section.block,
                     job->at + done + i);
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
            const row_block to = block_from(feed, &job->slot->section.block, job->at + done + i);
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
        const row_block to = block_from(stream->options.feed, &window->block, at);
        status = feed_read(stream->options.feed, (size_t)(number * order->block),
                           (size_t)order_block_rows(order, number), &to, error);
    }
    return status;
}

static tanda_status do_job(const stream *stream, const job *job, tanda_error *error) {
    if (stream->options.is_made_elsewhere) return TANDA_OK;
    if (job->slot == NULL) return read_blocks(stream, job, error);
    if (stream->options.order.kind == SHUFFLE_FULL) return find_rows(stream, job, error);
    if (job->window == NULL) {
        const row_block to = block_from(stream->options.feed, &job->slot->section.block, job->at);
        return feed_read(stream->options.feed, job->from, job->rows, &to, error);
    }
    copy_rows(stream, job);
    return TANDA_OK;
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

static bool take_job(stream *stream, job *job) {
    if (stream->is_paused || stream->status != TANDA_OK) return false;
    return take_rows(stream, job) || (has_windows(stream) && take_blocks(stream, job));
}

static void keep_failure(stream *stream, tanda_status status, const tanda_error *error) {
    if (status == TANDA_OK || stream->status != TANDA_OK) return;
    stream->status = status;
    stream->failure = *error;
}

static void *read_ahead(void *argument) {
    stream *stream = argument;
    const unsigned mode = enter_exact_mode();
    pthread_mutex_lock(&stream->lock);
    while (!stream->is_ending) {
        job job;
        tanda_error error = {0};
        if (!take_job(stream, &job)) {
            pthread_cond_wait(&stream->changed, &stream->lock);
            continue;
        }
        stream->running++;
        pthread_mutex_unlock(&stream->lock);
        const tanda_status status = do_job(stream, &job, &error);
        pthread_mutex_lock(&stream->lock);
        stream->running--;
        if (status == TANDA_OK) end_job(&job);
        keep_failure(stream, status, &error);
        pthread_cond_broadcast(&stream->changed);
    }
    pthread_mutex_unlock(&stream->lock);
    leave_exact_mode(mode);
    return NULL;
}

/* One is enough. Signals are for the threads that know what to do with them. */
static tanda_status start_readers(stream *stream, tanda_error *error) {
    sigset_t all, before;
    int code = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    while (code == 0 && stream->reader_count < stream->wanted_readers) {
        code = pthread_create(&stream->readers[stream->reader_count], NULL, read_ahead, stream);
        stream->reader_count += code == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return stream->reader_count > 0
               ? TANDA_OK
               : fail(error, TANDA_FAILED, "no thread can be started to read ahead: %s", strerror(code));
}

/* ---- the stream ----------------------------------------------------------------------------------------------- */

static tanda_status make_room(stream *stream, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < STREAM_TURNS; i++)
        status = make_block(stream, &stream->options.room, stream->section_rows,
                            &stream->slots[i].section.block, error);
    for (size_t i = 0; status == TANDA_OK && has_windows(stream) && i < stream->window_count; i++)
        status = make_block(stream, &ordinary, stream->window_rows, &stream->windows[i].block, error);
    return status;
}

/* A disk is at its best with several reads at a time; of others, one reads while the other copies. */
static size_t count_readers(const stream_options *options) {
    const size_t cores = parallel_threads(), makers = least(cores > 2 ? cores : 2, MOST_MAKERS);
    if (options->threads > 0) return least(options->threads, MOST_READERS);
    return options->feed->waits ? MOST_READERS : makers;
}

tanda_status stream_create(const stream_options *options, stream **result, tanda_error *error) {
    stream *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "stream", error);
    if (status != TANDA_OK) return status;
    made->options = *options;
    if (options->room.make == NULL) made->options.room = ordinary;
    made->wanted_readers = count_readers(options);
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->changed, NULL);
    find_runs(made);
    status = find_sizes(made, error);
    if (status == TANDA_OK) begin_step(made, 0);
    if (status == TANDA_OK) status = make_room(made, error);
    if (status == TANDA_OK) status = keep_rows(made, error);
    if (status == TANDA_OK)
        *result = made;
    else
        stream_free(made);
    return status;
}

void stream_free(stream *stream) {
    if (stream == NULL) return;
    pthread_mutex_lock(&stream->lock);
    stream->is_ending = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    for (size_t i = 0; i < stream->reader_count; i++)
        pthread_join(stream->readers[i], NULL);
    for (size_t i = 0; i < STREAM_TURNS; i++)
        free_block(&stream->options.room, &stream->slots[i].section.block);
    for (size_t i = 0; i < MOST_WINDOWS; i++)
        free_block(&ordinary, &stream->windows[i].block);
    free(stream->is_kept);
    feed_free(stream->kept);
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

size_t stream_most_rows(const stream *stream) {
    return stream->section_rows;
}

row_block stream_room(const stream *stream, size_t turn) {
    return stream->slots[turn].section.block;
}

/* The first window to be read is that of the step's first place. */
static void seek_window(stream *stream, uint64_t step) {
    const row_order *order = &stream->options.order;
    const size_t place = (size_t)(step % stream->steps_per_epoch) * stream->options.batch_rows;
    stream->load_epoch = step / stream->steps_per_epoch;
    const epoch_order epoch = epoch_order_of(*order, (uint)stream->load_epoch);
    stream->load_window = divide_by(padded_place(&epoch, place), order->window, order->window_inverse);
    stream->load_from = place;
}

tanda_status stream_seek(stream *stream, uint64_t step, tanda_error *error) {
    pthread_mutex_lock(&stream->lock);
    stream->is_paused = true;
    while (stream->running > 0)
        pthread_cond_wait(&stream->changed, &stream->lock);
    forget_kept(stream);
    for (size_t i = 0; i < STREAM_TURNS; i++)
        stream->slots[i].is_planned = stream->slots[i].is_full = false;
    for (size_t i = 0; i < MOST_WINDOWS; i++) {
        stream->windows[i].next_place = stream->windows[i].end_place = 0;
        stream->windows[i].left = 0;
    }
    stream->planned = stream->given = stream->returned = stream->loads = 0;
    begin_step(stream, step);
    skip_kept(stream);
    if (has_windows(stream)) seek_window(stream, step);
    stream->is_paused = false;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    (void)error;
    return TANDA_OK;
}

void stream_keep(stream *stream, size_t sections) {
    const size_t most = stream_sections(stream) - 1;
    pthread_mutex_lock(&stream->lock);
    if (stream->is_kept == NULL && stream->options.order.kind == SHUFFLE_NONE)
        stream->is_kept = calloc(most + 1, sizeof *stream->is_kept);
    stream->kept_count = stream->is_kept != NULL ? least(sections, most) : 0;
    for (size_t i = stream->kept_count; stream->is_kept != NULL && i < most; i++)
        stream->is_kept[i] = false;
    pthread_mutex_unlock(&stream->lock);
}

/* With the lock. */
static bool is_ready(const stream *stream) {
    return stream->slots[stream->given % STREAM_TURNS].is_full;
}

static bool is_over(const stream *stream) {
    return stream->given == stream->planned && stream->next_step >= stream->options.end_step;
}

tanda_status stream_next(stream *stream, section *result, tanda_error *error) {
    tanda_status status = stream->reader_count > 0 ? TANDA_OK : start_readers(stream, error);
    if (status != TANDA_OK) return status;
    pthread_mutex_lock(&stream->lock);
    while (stream->status == TANDA_OK && !is_ready(stream) && !is_over(stream))
        pthread_cond_wait(&stream->changed, &stream->lock);
    status = stream->status;
    if (status == TANDA_OK && !is_ready(stream))
        keep_failure(stream, status = TANDA_FAILED,
                     &(tanda_error){.message = "there are no more steps to read rows for"});
    if (status == TANDA_OK) {
        slot *slot = &stream->slots[stream->given++ % STREAM_TURNS];
        slot->is_full = false;
        *result = slot->section;
    }
    pthread_mutex_unlock(&stream->lock);
    return status == TANDA_OK ? TANDA_OK : fail(error, status, "%s", stream->failure.message);
}

bool stream_is_ready(stream *stream) {
    pthread_mutex_lock(&stream->lock);
    const bool ready = stream->status == TANDA_OK && is_ready(stream);
    pthread_mutex_unlock(&stream->lock);
    return ready;
}

void stream_done(stream *stream) {
    pthread_mutex_lock(&stream->lock);
    stream->slots[stream->returned++ % STREAM_TURNS].is_planned = false;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

bool stream_is_next(stream *stream, uint64_t step, size_t position) {
    pthread_mutex_lock(&stream->lock);
    const section *planned = &stream->slots[stream->given % STREAM_TURNS].section;
    const bool is_planned = stream->given < stream->planned;
    const uint64_t next = is_planned ? planned->first_step : stream->next_step;
    const size_t at = is_planned ? planned->position : stream->next_position;
    pthread_mutex_unlock(&stream->lock);
    return (at == position || !stream->has_parts) && (next == step || stream_repeats(stream));
}

bool stream_repeats(const stream *stream) {
    return stream->steps_per_epoch == 1;
}

const feed *stream_feed(const stream *stream) {
    return stream->options.feed;
}

size_t stream_steps_per_epoch(const stream *stream) {
    return stream->steps_per_epoch;
}

size_t stream_batch_rows(const stream *stream) {
    return stream->options.batch_rows;
}

const row_order *stream_order(const stream *stream) {
    return &stream->options.order;
}
