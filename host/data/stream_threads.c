/*
 * Threads take jobs as they become free. Of an order of windows there are two kinds: a window's blocks are read into one of
 * two window buffers; and rows of a window that is there are copied to their places in a section, while the next window is
 * read. Without windows rows are read right into their section.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_kept.h"
#include "data/stream_state.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/parallel.h"

#define LEAST_WINDOWS 2 /* one is read while another is copied from; of small ones more are read ahead: */
#define WINDOW_BYTES ((size_t)32 << 20)  /* MOST_WINDOWS at most, of so many bytes */
#define SECTION_BYTES ((size_t)32 << 20) /* of a section, at most; */
#define MADE_BYTES ((size_t)2 << 20) /* of rows that are computed, to be trained on while caches have them */
#define MOST_MAKERS 4                /* threads that compute rows; they give way to those that train, */
#define MAKERS_NICE 5                /* who wait for them at the next section */

/* ---- sizes -------------------------------------------------------------------------------------------------- */

static size_t kibibytes(size_t bytes) {
    return (bytes >> 10) + 1;
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

/* Parts of a batch cost sums, and should be few. */
static size_t most_section_bytes(const stream_options *options, size_t run, size_t row_bytes) {
    const bool is_made_here = !options->feed->waits && options->room.make == ordinary.make;
    size_t most = SECTION_BYTES;
    if (is_made_here && run <= SECTION_BYTES / row_bytes)
        most = run * row_bytes > MADE_BYTES ? run * row_bytes : MADE_BYTES;
    return options->section_bytes > 0 ? least(most, options->section_bytes) : most;
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
    const size_t bytes =
        least((memory - windows) / STREAM_TURNS, most_section_bytes(options, run, stream->row_bytes));
    const size_t most = bytes / stream->row_bytes;
    stream->has_parts = run > most && run > TILE_ROWS;
    if (stream->has_parts)
        stream->section_rows = least(power_of_two_to(most / TILE_ROWS) * TILE_ROWS, run);
    else
        stream->section_rows = least((most > run ? most / run : 1) * run, stream_wanted_before(stream, rows));
    return TANDA_OK;
}

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
    const tanda_status status = feed_kept(options->feed, 0, rows, &stream->kept, error);
    if (status == TANDA_OK) stream->options.feed = stream->kept;
    return status;
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

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
        if (!stream_take_job(stream, &job)) {
            pthread_cond_wait(&stream->changed, &stream->lock);
            continue;
        }
        stream->running++;
        pthread_mutex_unlock(&stream->lock);
        const tanda_status status = stream_do_job(stream, &job, &error);
        pthread_mutex_lock(&stream->lock);
        stream->running--;
        if (status == TANDA_OK) stream_end_job(&job);
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
    stream_find_runs(made);
    status = find_sizes(made, error);
    if (status == TANDA_OK) stream_begin_step(made, 0);
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
    stream_forget_kept(stream);
    for (size_t i = 0; i < STREAM_TURNS; i++)
        stream->slots[i].is_planned = stream->slots[i].is_full = false;
    for (size_t i = 0; i < MOST_WINDOWS; i++) {
        stream->windows[i].next_place = stream->windows[i].end_place = 0;
        stream->windows[i].left = 0;
    }
    stream->planned = stream->given = stream->returned = stream->loads = 0;
    stream_begin_step(stream, step);
    stream_skip_kept(stream);
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
