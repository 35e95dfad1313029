/* What every reader of a format is asked for, and the one shape in which it answers. */
#ifndef TANDA_DATA_TABLE_H
#define TANDA_DATA_TABLE_H

#include "data/dataset.h"
#include "data/labels.h"
#include "data/place.h"

/* What to read from a file. */
typedef struct request {
    const tanda_dataset_options *options; /* never NULL */
    const dataset_expectation *expected;  /* or NULL */
    bool labels_only;                     /* the file holds one label per row and no features */
    size_t label_rows;                    /* labels_only: how many rows wait for a label */
    bool
        is_look; /* a look at the columns: of text with any number of categories, of numbers in binary64 too */
    const char *member;  /* the array of an .npz, or NULL */
    bool is_part;        /* the rows follow those of a file whose columns are expected, but any labels */
    bool text_labels;    /* labels are taken for text, as those of another part are */
    size_t lines_before; /* rows of a pipe: lines of text that came between the names and these rows */
    const dataset_expectation *origins; /* whose origins hold, or NULL: what the data ask for */
    bool has_parts;                     /* other files' rows join those of this one */
    text_span *names; /* NULL, or where a CSV reader puts where the names are; empty without names */
} request;

/* What the labels must be among: the expectation's, or NULL. */
static inline const dataset_expectation *request_classes(const request *request) {
    return request->is_part ? NULL : request->expected;
}

/* The task that holds for a request: the expectation's, or the option's. */
tanda_task request_task(const request *request);

/* Whether several targets are labels, each 0 or 1. */
bool request_wants_labels(const request *request);

/*
 * The selected columns of a file: a data set on its way, all zero before a reader fills it. Its values are finite or as raw
 * says, its targets, of several, finite or missing; none is -0.
 */
typedef tanda_dataset table;

/* Whether missing values are to become means. */
bool request_fills_missing(const request *request);

/* Allocates what rows, features, target_count and has_weights ask for. is_category: features entries. */
tanda_status table_begin(table *table, const request *request, const char *path, bool text_labels,
                         const bool *is_category, tanda_error *error);

/* TANDA_BAD_INPUT with the place when the weight is negative. */
tanda_status table_add_weight(table *table, size_t row, float weight, const place *place, tanda_error *error);

/* Moves the labels or targets of a table of labels to the table of their rows, which has none. */
void table_take_labels(table *labels, table *data);

void table_free_labels(table *table);

/* Releases what the table still holds; all members are zero afterwards. */
void table_free(table *table);

/*
 * Numbers the categories of a table's feature as `all` has them, behind which new ones are put; their places are of this part,
 * and errors name the path.
 */
tanda_status table_join_categories(categories *all, table *later, size_t part, size_t feature,
                                   const char *path, tanda_error *error);

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
