/*
 * A data set as sessions have it: its rows lie on the device, or they are more than memory may hold and are streamed. What
 * comes of them is the same.
 */
#ifndef TANDA_TRAIN_SUPPLY_H
#define TANDA_TRAIN_SUPPLY_H

#include "data/dataset.h"
#include "train/stepper.h"

/*
 * A data set that fits the model, on a device, with its labels as the model learns them or without; it must outlive
 * the resident. moved: see row_arrays. TANDA_USAGE where its rows are not in memory.
 */
tanda_status resident_of_dataset(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                                 bool with_labels, bool moved, resident *result, tanda_error *error);

typedef struct supply {
    backend *backend;
    resident resident; /* of rows that lie on the device; */
    feed *feed;        /* of others, NULL: they do; */
    bool in_memory;    /* its rows lie in the host's memory */
    size_t memory;     /* bytes that a stream may take of the host's memory; 0: unbounded */
    tanda_hosts *
        hosts; /* who share the sessions' steps, set behind supply_create; NULL: this rank has them to itself */
} supply;

/* Whether a data set is streamed on a device. */
bool supply_streams(const backend *backend, const tanda_dataset *dataset);

/*
 * A data set that fits the model, with its labels as the model learns them or without; it must outlive the supply. moved: see
 * row_arrays. sharers: streams, with this one, that are there at the same time. Released whatever it returns.
 */
tanda_status supply_create(backend *backend, const tanda_model *model, const tanda_dataset *dataset,
                           bool with_labels, bool moved, size_t sharers, supply *result, tanda_error *error);
void supply_free(supply *supply); /* all zero: nothing */

size_t supply_rows(const supply *supply);

/* Rows of a batch, where any number will do: `most`, or fewer as memory has it. */
size_t supply_batch_rows(const supply *supply, size_t most);

/*
 * A session over the rows, and who steps it; options as for session_create, with batch_rows and the order. end_step: of the
 * training, where it is known; else UINT64_MAX. Whatever it returns: stepper_free, then session_free.
 */
tanda_status supply_session(const supply *supply, const tanda_model *model, const plan_options *plan,
                            const program_options *options, uint64_t end_step, const session *of,
                            session *session, stepper *stepper, tanda_error *error);

#endif
