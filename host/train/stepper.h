/*
 * Steps of a session over rows that lie on the device, or that come from a stream in sections; by one rank, or shared by
 * several. A batch that is larger than a section is done in runs of tiles, whose sums the tree adds. The bits are the same.
 */
#ifndef TANDA_TRAIN_STEPPER_H
#define TANDA_TRAIN_STEPPER_H

#include "backend/partial_tree.h"
#include "hosts/sharing.h"
#include "train/sections.h"

typedef struct stepper {
    session *session;  /* borrowed */
    sharing *sharing;  /* by several ranks; NULL: this one has the steps to itself */
    sections sections; /* all zero: all rows lie on the device */
    partial_tree tree; /* of streams */
} stepper;

/*
 * A session over sections, and who steps it; `program` without rows and shuffle. of: see session_create. Released with
 * stepper_free and session_free whatever it returns, in this order.
 */
tanda_status stepper_create(backend *backend, const tanda_model *model, const streamed_rows *rows,
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
