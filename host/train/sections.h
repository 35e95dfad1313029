/*
 * A stream's sections on a device: the one that steps are made over, one that may be on its way, and those that stay there. The
 * device may make their rows itself.
 */
#ifndef TANDA_TRAIN_SECTIONS_H
#define TANDA_TRAIN_SECTIONS_H

#include "backend/session.h"
#include "data/stream.h"

#define SECTION_TURNS 2 /* sections that are on the device: one is worked on, and one may be on its way */

/* Rows on the device, and which ones: a step of the section's epoch finds them there. */
typedef struct placed_section {
    resident rows;
    section section;
    bool is_there;
} placed_section;

typedef struct sections {
    backend *backend;
    bool had_failed; /* when the sections were made */
    stream *stream;
    placed_section turns[SECTION_TURNS];
    placed_section *kept;           /* the first of each epoch, which stay on the device */
    size_t kept_places, kept_count; /* of those, that may be used */
    placed_section *current;        /* the one that is worked on; NULL: none */
    placed_section *out[SECTION_TURNS];
    size_t count;     /* of sections that are out of the stream, */
    size_t first;     /* and which one is given back first */
    row_maker *maker; /* of rows that the device makes itself; or NULL */
} sections;

/* Rows that are to be streamed. */
typedef struct streamed_rows {
    const feed *feed; /* outlives the sections */
    row_order order;
    size_t batch_rows;
    row_run runs[2];      /* see stream_options */
    uint64_t end_step;    /* UINT64_MAX: not known */
    size_t memory;        /* of the host, */
    size_t device_memory; /* and of the device, in bytes; 0: not bounded */
    bool come_again;      /* each epoch, of which there are several: what fits stays on the device */
} streamed_rows;

/* Bytes of a section at most; 0: not bounded. */
size_t sections_most_bytes(size_t device_memory);

/* keeps: see stream_options. Released with sections_free whatever it returns. */
tanda_status sections_create(backend *backend, const streamed_rows *rows, bool keeps, sections *made,
                             tanda_error *error);
void sections_free(sections *sections); /* all zero: nothing */

/* The current section becomes that of the step, or of its batch's rows from a position on. */
tanda_status sections_find(sections *sections, uint64_t step, size_t position, tanda_error *error);

/* Where in its batch the current section begins, or the run of a step that is in it. */
size_t sections_position(const sections *sections, uint64_t step);

/* The program has the current section's rows. */
tanda_status sections_place(sections *sections, session *session, uint64_t step, tanda_error *error);

/* The next section is sent where that can be, beside what is queued. */
tanda_status sections_take_ahead(sections *sections, tanda_error *error);

/* No steps over the current section follow. */
tanda_status sections_leave(sections *sections, tanda_error *error);

#endif
