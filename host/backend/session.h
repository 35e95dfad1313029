/*
 * A model at work on a device: rows that lie there, and a plan with its parameters and program over them. Training,
 * evaluation, prediction, verification, the lab and the self-test are sessions; none of them makes a program by itself.
 */
#ifndef TANDA_BACKEND_SESSION_H
#define TANDA_BACKEND_SESSION_H

#include "backend/backend.h"

/* Rows in the host's memory, which stay there and as they are until the resident is freed. */
typedef struct row_arrays {
    size_t rows, features;
    size_t targets;       /* labels of a row, of four bytes each */
    const float *values;  /* (rows, features) */
    const void *labels;   /* (rows) int32 classes or (rows, targets) binary32; NULL: none */
    const float *weights; /* (rows); NULL: none */
    bool
        awaited; /* what is to lie there comes by resident_refill: a device with memory of its own takes nothing yet */
    bool moved; /* values are the resident's to rearrange until it is freed: nobody else looks at them */
} row_arrays;

/* Rows on a device, for any number of sessions. */
typedef struct resident {
    backend *backend;
    size_t rows;
    size_t bytes; /* that it was made for */
    buffer *features;
    buffer *labels;  /* NULL: none */
    buffer *weights; /* NULL: none */
    void *kept;      /* memory of the host that goes with it, freed as it is; NULL: none */
} resident;

tanda_status resident_create(backend *backend, const row_arrays *arrays, resident *result,
                             tanda_error *error);

/*
 * Other rows, no more than it was made for, take the place of those of a resident, which a session at most is placed on; the
 * arrays stay as they are until resident_settle. On a device with memory of its own they are on their way, beside what is
 * computed: they wait for steps over the rows before them, and steps over them wait, too. Another device is done with
 * the rows before.
 */
tanda_status resident_refill(resident *resident, const row_arrays *arrays, tanda_error *error);

/* The same with rows that a maker makes on the device: those at places from `first` on of an epoch. */
tanda_status resident_make(resident *resident, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                           tanda_error *error);

/* Waits until the arrays of the latest refill are read no more. */
tanda_status resident_settle(resident *resident, tanda_error *error);
void resident_free(resident *resident); /* all zero: nothing; likewise session_free */

typedef struct session {
    backend *backend;
    plan *plan;
    buffer *parameters; /* laid out as the backend likes */
    bool shares_parameters;
    const executor *executor;
    program *program;
} session;

/*
 * options without buffers and rows, which are those of `rows`; that has to outlive the session. The parameters are the
 * model's or, with `of`, those of that session of the same model, which must live as long.
 */
tanda_status session_create(const tanda_model *model, const resident *rows, const plan_options *plan,
                            const program_options *options, const session *of, session *result,
                            tanda_error *error);
void session_free(session *session);

/* Who computes the steps: the executor's name. */
const char *session_executor(const session *session);

/* What a user should know of how the program was made, as one line; "" when there is nothing. */
const char *session_notes(const session *session);

/*
 * The session's steps go on over other rows, no more than it was made with and with options.exchanged; `rows` stays until
 * others are placed and what was queued is done. Step s is then batch s - place->first_step of them, and still has the
 * number s for what depends on it. A step that is more than these rows comes about by session_partial, whose tiles
 * count from the first of them, and session_apply, once over any of the step's rows.
 */
tanda_status session_place(session *session, const resident *rows, const rows_place *place,
                           tanda_error *error);

/*
 * Queues steps first_step ... first_step + steps - 1. Step s is batch s % steps_per_epoch of epoch
 * s / steps_per_epoch, with steps_per_epoch = ceil(rows / batch_rows). rates: of each step, copied; NULL:
 * options.learning_rate for all. Without with_loss a training may leave out what only its report needs (contract 7):
 * loss and correct of the results then mean nothing.
 */
tanda_status session_run(session *session, uint64_t first_step, size_t steps, const update_rates *rates,
                         bool with_loss, tanda_error *error);

/* The results of the steps of the latest run, in their order. */
tanda_status session_results(session *session, step_result *results, tanda_error *error);

/*
 * The two halves of a step, for hosts and devices that share one: the sum of tiles first_tile ... first_tile + tiles - 1
 * of a step, first_tile being 0 or a multiple of the power of two from `tiles` on; and the update from the sum of all,
 * added by the tree of contract 4. with_loss, rates: see session_run. Together they are that of one step, bit for bit.
 */
tanda_status session_partial(session *session, uint64_t step, size_t first_tile, size_t tiles, bool with_loss,
                             partial_sum *sum, tanda_error *error);
tanda_status session_apply(session *session, uint64_t step, const update_rates *rates, const partial_sum *sum,
                           step_result *result, tanda_error *error);

/*
 * Parts of a step on the device, where it has a way: session_part queues the sum of all rows that the session is placed on, a
 * step's part `index` from 0 on, which goes through the tree over parts; parts are runs of the same power of two of tiles, but
 * for the last. After that one session_apply without a sum updates from all.
 */
bool session_has_parts(const session *session);
tanda_status session_part(session *session, uint64_t step, size_t index, bool is_last, tanda_error *error);

/* Waits until all that was queued is done. */
tanda_status session_finish(session *session, tanda_error *error);

/* The packed parameters, plan->parameter_count floats. */
tanda_status session_read_parameters(const session *session, float *packed, tanda_error *error);
tanda_status session_write_parameters(session *session, const float *packed, tanda_error *error);

/* A tensor of the latest step as (rows of the step, units), row-major. Plans made with `keep` only. */
tanda_status session_read(const session *session, const tensor *tensor, float *values, tanda_error *error);

/* The gradient of the latest step as the update used it, packed. */
tanda_status session_read_gradient(const session *session, float *packed, tanda_error *error);

/*
 * Rows first_row ... first_row + rows - 1, in the order of storage, through a plan made with keep and for no training, and
 * a tensor of all of them: values (rows, units). first_row is where a batch begins, and the end is that of a batch.
 */
tanda_status session_sweep(session *session, const tensor *tensor, size_t first_row, size_t rows,
                           float *values, tanda_error *error);

/*
 * Vector `index` of the optimizer's state, below update_state_count of the program's rule: a float for each packed
 * parameter, +0 for padding. A program that is given weights and state of another, on any device, goes on as that one
 * would have. A new program begins with the initial state.
 */
tanda_status session_read_state(const session *session, size_t index, float *packed, tanda_error *error);
tanda_status session_write_state(session *session, size_t index, const float *packed, tanda_error *error);

#endif
