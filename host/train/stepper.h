/*
 * Steps of a session over rows that lie on the device, or that come from a stream in sections; by one rank, or shared by
 * several. A batch that is larger than a section is done in runs of tiles, whose sums the tree adds. The bits are the same.
 */
#ifndef TANDA_TRAIN_STEPPER_H
#define TANDA_TRAIN_STEPPER_H

#include "backend/partial_tree.h"
#include "backend/session.h"
#include "data/stream.h"
#include "hosts/sharing.h"

#define STEPPER_TURNS 2 /* sections that are on the device: one is worked on, and one may be on its way */

/* Rows on the device, and which ones: a step of the section's epoch finds them there. */
typedef struct placed_section {
    resident rows;
    section section;
    bool is_there;
} placed_section;

typedef struct stepper {
    backend *backend; /* of streams */
    session *session; /* borrowed */
    sharing *sharing; /* by several ranks; NULL: this one has the steps to itself */
    stream *stream;   /* NULL: all rows lie on the device, and the rest is zero */
    placed_section turns[STEPPER_TURNS];
    placed_section *kept;           /* the first of each epoch, which stay on the device */
    size_t kept_places, kept_count; /* of those, that may be used */
    placed_section *current;        /* the one that is worked on; NULL: none */
    placed_section *out[STEPPER_TURNS];
    size_t count;     /* of sections that are out of the stream, */
    size_t first;     /* and which one is given back first */
    row_maker *maker; /* of rows that the device makes itself; or NULL */
    partial_tree tree;
} stepper;

/* Rows that are to be streamed. */
typedef struct stepper_rows {
    const feed *feed; /* outlives the stepper */
    row_order order;
    size_t batch_rows;
    row_run runs[2];      /* see stream_options */
    uint64_t end_step;    /* UINT64_MAX: not known */
    size_t memory;        /* of the host, */
    size_t device_memory; /* and of the device, in bytes; 0: not bounded */
    bool come_again;      /* each epoch, of which there are several: what fits stays on the device */
} stepper_rows;

/* Bytes of a section at most; 0: not bounded. */
size_t stepper_section_bytes(size_t device_memory);

/*
 * A session over sections, and who steps it; `program` without rows and shuffle. of: see session_create. Released with
 * stepper_free and session_free whatever it returns, in this order.
 */
tanda_status stepper_create(backend *backend, const tanda_model *model, const stepper_rows *rows,
                            const plan_options *plan, const program_options *program, const session *of,
                            session *session, stepper *result, tanda_error *error);
void stepper_free(stepper *stepper);

/*
 * Steps from first_step on, `steps` of them or fewer, at least one: *done, with their results. See session_run. After it
 * nothing is queued, and session_read_gradient is that of the last step. Where steps are shared, what one rank fails at
 * becomes known to the others in the next one or when they agree.
 */
tanda_status stepper_run(stepper *stepper, uint64_t first_step, size_t steps, const update_rates *rates,
                         bool with_loss, step_result *results, size_t *done, tanda_error *error);

/* Whether the latest step's batch is more than the section that is on the device. */
bool stepper_has_part(const stepper *stepper);

/*
 * All ranks share the steps, over so many rows, from now on. A stream has the runs of stepper_find_runs. hosts is not NULL and
 * outlives the stepper.
 */
tanda_status stepper_share(stepper *stepper, tanda_hosts *hosts, size_t rows, size_t batch_rows,
                           tanda_error *error);

/* What this rank needs of each batch, and of an epoch's last one. */
tanda_status stepper_find_runs(const tanda_hosts *hosts, size_t rows, size_t batch_rows, row_run runs[2],
                               tanda_error *error);

/* Step 0 at the constant rate. status and error: how it went so far on this rank. */
tanda_status stepper_run_one(stepper *stepper, tanda_status status, step_result *result, tanda_error *error);

/*
 * For session_sweep: *rows rows from first_row on, where a batch begins, now lie from row *at of those of the session on.
 * Batches are no larger than sections.
 */
tanda_status stepper_find_rows(stepper *stepper, size_t first_row, size_t *at, size_t *rows,
                               tanda_error *error);

#endif
