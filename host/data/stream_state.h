/* What the files of a stream share. */
#ifndef TANDA_DATA_STREAM_STATE_H
#define TANDA_DATA_STREAM_STATE_H

#include <pthread.h>

#include "data/stream.h"
#include "kernels/geometry.h"
#include "support/arithmetic.h"

#define MOST_WINDOWS 8
#define MOST_READERS 8

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

static inline bool has_windows(const stream *stream) {
    return stream->options.order.kind == SHUFFLE_WINDOW;
}

static inline size_t rows_of_feed(const stream *stream) {
    return stream->options.feed->rows;
}

/* ---- stream_jobs.c: all with the lock, but for stream_do_job ------------------------------------------------ */

/* Makes stream_options' runs those that are meant. */
void stream_find_runs(stream *stream);

/* Rows of an epoch that lie before a place and are wanted. */
size_t stream_wanted_before(const stream *stream, size_t place);

/* The next section is that of a step, or of the first one behind it of which something is wanted. */
void stream_begin_step(stream *stream, uint64_t step);

/* Over sections that the caller has; and what was not given yet, he has not. */
void stream_skip_kept(stream *stream);
void stream_forget_kept(stream *stream);

/* False where there is none, for now or at all. A job that is taken is done, and then ended. */
bool stream_take_job(stream *stream, job *job);
tanda_status stream_do_job(const stream *stream, const job *job, tanda_error *error);
void stream_end_job(const job *job);

#endif
