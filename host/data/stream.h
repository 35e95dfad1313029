/*
 * Rows of a feed that come in time, in the order of a training, within so much memory: threads read ahead of need. They come
 * in sections, each a piece of an epoch's order that lies together, as if the data set had been shuffled in memory.
 */
#ifndef TANDA_DATA_STREAM_H
#define TANDA_DATA_STREAM_H

#include <stdint.h>

#include "data/feed.h"
#include "kernels/shuffle.h"

typedef struct stream stream;

/* Rows of a batch that lie together: they begin at a tile, and end at one or with the batch. */
typedef struct row_run {
    size_t first, rows;
} row_run;

/* Where sections lie; all zero: in memory of malloc's. */
typedef struct stream_memory {
    void *(*make)(void *context, size_t bytes); /* NULL: there is none */
    void (*give_back)(void *context, void *memory);
    void *context;
} stream_memory;

typedef struct stream_options {
    const feed *feed;  /* outlives the stream */
    row_order order;   /* of its rows; SHUFFLE_FULL asks for single rows, and is for feeds in memory */
    size_t batch_rows; /* of a step, 1 to the feed's rows */
    row_run runs[2]; /* rows of each batch that are wanted, and of the last one of an epoch; all zero: all */
    uint64_t end_step;      /* nothing of the steps from here on is read */
    size_t memory;          /* bytes that the stream may take for rows; 0: unbounded */
    size_t section_bytes;   /* a section has no more; 0: unbounded */
    size_t threads;         /* that read; 0: as many as suit */
    bool is_made_elsewhere; /* nothing is read: sections say which rows they are, and blocks have none */
    bool keeps; /* rows stay in what is left of bounded memory: they are read once, not in each epoch */
    stream_memory room;
} stream_options;

/*
 * Batches from first_step on, all that is wanted of each; or, of a run that is larger than a section, its rows from
 * `position` on: 2^k tiles, cut at multiples of 2^k of the batch. A section ends with its epoch, and there is none of
 * steps of which nothing is wanted.
 */
typedef struct section {
    uint64_t first_step;
    size_t steps;     /* 1 for a part of a batch */
    size_t position;  /* of such a part in the batch, in rows; else 0 */
    size_t step_rows; /* all rows of the batch of which this is a part; 0: runs are whole */
    size_t rows;
    size_t number; /* of its epoch's sections */
    uint64_t epoch;
    size_t first;    /* place of its first row in the epoch */
    bool is_kept;    /* see stream_keep */
    row_block block; /* the stream's own; labels and weights where the feed has them */
} section;

/* TANDA_USAGE, with what would do, where the memory is too short. Nothing is read before stream_next. */
tanda_status stream_create(const stream_options *options, stream **result, tanda_error *error);

/* Stops its threads; what they read is finished first. NULL is nothing. */
void stream_free(stream *stream);

/* The most rows of a section, and room for so many which a section of this turn, below STREAM_TURNS, will lie in. */
#define STREAM_TURNS 3
size_t stream_most_rows(const stream *stream);
row_block stream_room(const stream *stream, size_t turn);

/*
 * The first so many sections of each epoch, of which the caller keeps what he was once given: they are not read again. Only of
 * rows that come as they lie, and never all. Another call takes others back that are more.
 */
void stream_keep(stream *stream, size_t sections);

/* Sections of an epoch, and the number of the one that has a step's rows from `position` on. */
size_t stream_sections(const stream *stream);
size_t stream_section_of(const stream *stream, uint64_t step, size_t position);
size_t stream_steps_per_epoch(const stream *stream);

/* The next section begins at a step, or behind it where nothing of it is wanted. No section may be out. */
tanda_status stream_seek(stream *stream, uint64_t step, tanda_error *error);

/*
 * The next section, which is the caller's until stream_done; they are given back in their order, and STREAM_TURNS - 1 may
 * be out. Waits for it; fails as the feed does. The first are those of step 0.
 */
tanda_status stream_next(stream *stream, section *result, tanda_error *error);

/* Whether stream_next would not wait. */
bool stream_is_ready(stream *stream);
void stream_done(stream *stream);

/* Whether the next section begins at a step's position; of a stream that repeats itself, any step's will do. */
bool stream_is_next(stream *stream, uint64_t step, size_t position);

/* A step is an epoch: each has the same rows. */
bool stream_repeats(const stream *stream);
const feed *stream_feed(const stream *stream);
size_t stream_batch_rows(const stream *stream);

/* What is wanted of a step's batch; and of any, at most. */
row_run stream_run(const stream *stream, uint64_t step);
size_t stream_most_run(const stream *stream);
const row_order *stream_order(const stream *stream);

#endif
