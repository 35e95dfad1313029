/*
 * A data set: rows of features as they came, and one label per row.
 * Rows stay rows (a memory-mapped .npy of binary32 needs no copy); tiles are made by the backends.
 * More rows than memory is to hold lie elsewhere, and come through a feed; so can those in memory, see dataset_feed.
 */
#ifndef TANDA_DATA_DATASET_H
#define TANDA_DATA_DATASET_H

#include "data/array.h"
#include "data/categories.h"
#include "data/csv_write.h"
#include "data/dialect.h"
#include "data/feed.h"
#include "data/scaling.h"
#include "support/file.h"
#include "support/status.h"

/* More classes than this are taken for a mistake, such as an identifier chosen as the target. */
#define LABELS_CLASSES_MAX 65536

struct tanda_dataset {
    size_t rows;
    size_t features;
    dialect dialect;     /* of a text */
    raw_columns raw;     /* what the values are until dataset_prepare makes features of them */
    size_t dropped;      /* rows that were left out, as they had no target */
    size_t missing;      /* values that dataset_prepare filled in */
    feed *feed;          /* rows that lie elsewhere, with labels and weights; values, classes, targets and
                            weights are NULL then; or NULL: the rows are in memory */
    const float *values; /* (rows, features); points into owned or into mapping */
    size_t memory;       /* bytes that rows of the feed may take at a time; 0: unbounded */
    float *owned;        /* NULL while values lie in the mapped file */
    file_view mapping;
    exact_columns exact; /* of dataset_load_columns: features of a source wider than binary32, as they came */
    double *origins;     /* features entries: what was subtracted of them (data/origin.h), or NULL: nothing */
    char *origin_note;   /* which, or what binary32 ruins, or NULL */
    char *remark;        /* how the file was read, where that is worth telling, or NULL */
    copied_columns copied; /* the columns that options->copy names, as text */
    bool from_bytes;       /* the values came as 8-bit integers, e.g. images */
    char **feature_names;  /* features entries, or NULL when the file names none */
    size_t *
        positions; /* where the features, then the targets stand in the file, until dataset_prepare; or NULL */
    size_t position_count;
    size_t target_count; /* 1; more for several quantities; 0 without a target */
    char *target_name;   /* of one target, or NULL */
    char **target_names; /* of several: target_count entries, or NULL when the file names none */
    tanda_task task;     /* TANDA_TASK_AUTO when there is no target */
    bool task_was_found; /* the task was told from the labels, not asked for */
    int32_t *classes;    /* rows entries for TANDA_TASK_CLASSES, else NULL */
    size_t class_count;
    char **class_names; /* class_count entries: text sorted by bytes, numbers by value */
    float *targets;     /* (rows, target_count) of quantities, or of labels, each 0 or 1; else NULL */
    float *weights;     /* (rows) of the loss, finite and not below 0, some above; or NULL: all are 1 */
    /* while it is read (data/table.h): */
    size_t columns;        /* of the file */
    struct labels *labels; /* of one target, or NULL */
    bool has_weights;
};

/*
 * What a model (or a training set) expects of another file. Columns are found by name when both sides have
 * names, in any order, and others are left out; else by position, and then their number must fit. Class
 * labels must be among class_names. Borrowed: the texts stay the giver's.
 */
typedef struct dataset_expectation {
    size_t feature_count;
    char *const *feature_names; /* or NULL */
    size_t class_count;
    char *const *class_names; /* class_count entries, or NULL for regression */
    tanda_task task;
    const char *target_name; /* of one target, or NULL */
    const bool *is_category; /* feature_count entries, or NULL: all columns are numbers */
    const struct prepared_column
        *columns; /* feature_count entries with the categories (data/preparation.h), or NULL */
    bool fills_missing;
    char *const *missing_values; /* missing_value_count texts; those of the options go before them */
    size_t missing_value_count;
    size_t target_count;       /* 0 counts as 1 */
    char *const *target_names; /* of several, or NULL */
    const double *origins;     /* of the features that the columns make, or NULL: all are 0 */
    const char *owner;         /* who expects it, for messages; NULL: "the model" */
} dataset_expectation;

/*
 * Returns status, unless the file that values still lie in has changed since it was opened: then TANDA_BAD_INPUT, as
 * nothing made of the values counts (support/file_view.h). dataset may be NULL.
 */
tanda_status dataset_check(const tanda_dataset *dataset, tanda_status status, tanda_error *error);

/* The expectation that a training set, not prepared yet, sets for its validation file. Borrowed from the dataset. */
dataset_expectation dataset_expect(const tanda_dataset *training);

/*
 * tanda_dataset_load, with an expectation (NULL: none). options may be NULL. Fails with TANDA_BAD_INPUT for a
 * file that is damaged or does not fit, TANDA_USAGE for an option that names nothing, TANDA_FAILED for want
 * of memory.
 */
tanda_status dataset_load(const char *path, const tanda_dataset_options *options,
                          const dataset_expectation *expected, tanda_dataset **dataset, tanda_error *error);

/*
 * tanda_dataset_load for a look at the columns as they are: missing values are kept, numbers are in binary64, too, where
 * the source is wider than binary32, columns of text are categories unless some are named, and those with more than
 * CATEGORIES_MAX are kept, too: all further ones are number CATEGORIES_MAX, which has no text. Not for dataset_prepare.
 * options is not NULL.
 */
tanda_status dataset_load_columns(const char *path, const tanda_dataset_options *options,
                                  tanda_dataset **dataset, tanda_error *error);

/* Without an expectation, but with the origins of one, by name where there are names; NULL: as the data ask for. */
tanda_status dataset_load_from_origins(const char *path, const tanda_dataset_options *options,
                                       const dataset_expectation *origins, tanda_dataset **dataset,
                                       tanda_error *error);

/* Whether what is to be added to a feature's values is no whole number. */
bool dataset_origin_has_fraction(const tanda_dataset *dataset, size_t feature);

/* Bytes of a text. */
typedef struct text_span {
    size_t begin, end;
} text_span;

/* Where a piece of a text with rows stands in the whole. */
typedef struct row_place {
    size_t lines_before; /* lines of other pieces between the names and these rows; 0: the first piece */
    text_span *names;    /* NULL, or: gets where the names are; empty without names */
} row_place;

/* The same for rows in memory, which are a piece of what comes through a pipe. */
tanda_status dataset_load_rows(const char *path, file_view *view, const row_place *place,
                               const tanda_dataset_options *options, const dataset_expectation *expected,
                               tanda_dataset **dataset, tanda_error *error);

/*
 * Holds out round(fraction * rows) rows (at least 1, at most rows - 1), chosen by the seed through the
 * shuffle of kernels/shuffle.h; both parts keep the file's order, and class numbering is shared. by_class: classes
 * are held out in proportion to their rows, whole rows going to the largest remainders (of equals to the first
 * class). 0 < fraction < 1, else TANDA_USAGE. The source is left as it is.
 */
tanda_status dataset_split(const tanda_dataset *source, double fraction, bool by_class, uint64_t seed,
                           tanda_dataset **training, tanda_dataset **validation, tanda_error *error);

/*
 * Part `fold` (from 0) of `folds` for validation, the others for training; over all folds every row is held out once.
 * Folds differ by at most one row, and with by_class by at most one row of each class. Both parts keep the file's
 * order. 2 <= folds <= rows, else TANDA_USAGE.
 */
tanda_status dataset_fold(const tanda_dataset *source, size_t folds, size_t fold, bool by_class,
                          uint64_t seed, tanda_dataset **training, tanda_dataset **validation,
                          tanda_error *error);

/* Releases what it holds, but for labels; all members are zero afterwards. */
void dataset_clear(tanda_dataset *dataset);

/*
 * The rows, wherever they lie, with labels and weights; targets are standardised where there is a scaling of them (NULL or
 * one of 0 targets: none). The data set must outlive the feed, which is for feed_free.
 */
tanda_status dataset_feed(const tanda_dataset *dataset, const target_scaling *targets, feed **rows,
                          tanda_error *error);

/* The scaling of its rows; see data/scaling.h. */
tanda_status dataset_fit_scaling(const tanda_dataset *dataset, tanda_scale kind, scaling *result,
                                 tanda_error *error);

/* Whether rows have weights in the loss. */
bool dataset_is_weighted(const tanda_dataset *dataset);

/* Whether rows of so many values each, labels and weights among them, are more than options->memory, if there is a limit. */
bool memory_exceeded(const tanda_dataset_options *options, size_t rows, size_t values);

/* The same, or options->in_place: where rows can be read in place they are. */
bool is_read_in_place(const tanda_dataset_options *options, size_t rows, size_t values);

/* For what needs all rows in memory, and cannot do without: TANDA_BAD_INPUT, naming `what` and --memory, where they lie elsewhere. */
tanda_status dataset_in_memory(const tanda_dataset *dataset, const char *what, tanda_error *error);

/* Copies the values of a mapped file, so that they can be changed. */
tanda_status dataset_own_values(tanda_dataset *dataset, tanda_error *error);

/* Replaces every value x by (x - center) * factor of its column, in place (a mapped file is copied first). Origins are subtracted
 * before where they were not yet; TANDA_BAD_INPUT where others were. */
tanda_status dataset_scale(tanda_dataset *dataset, const scaling *scaling, tanda_error *error);

/* Calls `count` classes 0, 1, 2, ... */
tanda_status dataset_number_classes(tanda_dataset *dataset, size_t count, tanda_error *error);

/* Takes copies of the names of its targets (target_count); NULL: they have none. */
tanda_status dataset_name_targets(tanda_dataset *dataset, const char *const *names, tanda_error *error);

/* Rows per class: *counts is (class_count), to be released with free(). The data set has classes. */
tanda_status class_counts(const tanda_dataset *dataset, size_t **counts, tanda_error *error);

/*
 * weights (class_count) = rows / (classes that occur * rows of the class), as scikit-learn's class_weight='balanced'
 * (utils.class_weight.compute_class_weight); 1 for a class without rows. The data set has classes.
 */
tanda_status class_weights_balanced(const tanda_dataset *dataset, double *weights, tanda_error *error);

/*
 * Multiplies each row's weight by that of its class; a data set without weights gets them. weights (class_count) are
 * finite and not below 0. TANDA_BAD_INPUT when every row would weigh 0 or one more than binary32 can hold, TANDA_FAILED
 * for want of memory; the data set is then as it was.
 */
tanda_status class_weights_apply(tanda_dataset *dataset, const double *weights, tanda_error *error);

/*
 * 64 bits of rows, features, values, labels and weights, and of the scaling of its targets, if there is
 * one (NULL: none), the same on every machine; names are left out. It is made to
 * notice mistakes, not forgeries: any changed value changes it but for a chance of 2^-64. Reads all values with all
 * threads, at about the speed of memory where they lie in it. TANDA_FAILED for want of memory.
 */
tanda_status dataset_fingerprint(const tanda_dataset *dataset, const target_scaling *scaling,
                                 uint64_t *fingerprint, tanda_error *error);

#endif
