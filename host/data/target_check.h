/*
 * The targets of a table, once all rows are read: which are missing, and what is wrong with the others. Readers put NaN or,
 * for text, no class where a target is missing (labels_add_missing).
 */
#ifndef TANDA_DATA_TARGET_CHECK_H
#define TANDA_DATA_TARGET_CHECK_H

#include "data/table.h"

typedef enum target_fault_kind {
    TARGET_FINE,
    TARGET_MISSING, /* and rows without one are not to be left out, or there is none at all */
    TARGET_WORD, /* text among targets nine of ten of which are numbers, where classes were not asked for */
    TARGET_NO_LABEL, /* of several labels a row, one that is neither 0 nor 1 */
} target_fault_kind;

typedef struct target_fault {
    target_fault_kind kind;
    size_t row, target; /* the first */
    size_t count;       /* rows without a target, or targets that are numbers */
    size_t rows;        /* that there are, or that have a target */
    const char *word;   /* of the table */
    float value;        /* that is no label */
} target_fault;

/* Whether a row has no target, or lacks one of several. */
bool target_is_missing(const table *table, size_t row);

/* The first fault of the kind that comes first above. */
target_fault target_fault_find(const table *table, const request *request);

/* TANDA_BAD_INPUT with what is wrong at the place, which is that of fault->row and fault->target; for TARGET_FINE, TANDA_OK. */
tanda_status target_fault_tell(const target_fault *fault, const place *place, tanda_error *error);

/*
 * Leaves out the rows of data whose target in labels (which may be data itself) is missing. Both have the same rows.
 * TANDA_FAILED for want of memory.
 */
tanda_status table_drop_missing(table *data, table *labels, tanda_error *error);

#endif
