/* Data that is made, not read: kernels/synthetic.h says how, docs/manual/synthetic.md what kinds. */
#ifndef TANDA_DATA_SYNTHETIC_H
#define TANDA_DATA_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/dataset.h"
#include "kernels/synthetic.h"

#define SYNTHETIC_PREFIX "synthetic:"
#define SYNTHETIC_ROWS_MOST (1ull << 48)

typedef enum synthetic_key {
    KEY_ROWS,
    KEY_TEST_ROWS,
    KEY_SKIP,
    KEY_SEED,
    KEY_FEATURES,
    KEY_CLASSES,
    KEY_NOISE,
    KEY_SEPARATION,
    KEY_MARGIN,
    KEY_BALANCE,
    KEY_INFORMATIVE,
    KEY_REDUNDANT,
    KEY_HIDDEN,
    KEY_LAYERS,
    KEY_TURNS,
    KEY_DISTRIBUTION,
    SYNTHETIC_KEYS
} synthetic_key;

#define KEY_BIT(key) (1u << (key))

typedef struct synthetic_limits {
    uint64_t usual, least, most;
} synthetic_limits;

/* Defaults and limits. Keys that are not in the mask, and not common to all, are refused. */
typedef struct synthetic_kind_row {
    const char *name;
    const char *summary;
    uint32_t keys;
    synthetic_limits features;
    uint64_t classes, classes_most; /* classes 0: a quantity; at least 2 otherwise */
    bool noise_is_share;            /* of the labels that are wrong, else a standard deviation */
    float noise;
    float separation;
    float margin;
} synthetic_kind_row;

extern const synthetic_kind_row synthetic_kinds[SYNTHETIC_KINDS];

/* True when the kind takes the key. */
bool synthetic_takes(enum synthetic_kind kind, synthetic_key key);

/* For --help: NULL beyond the last. */
const char *synthetic_kind_name(size_t index);
const char *synthetic_kind_summary(size_t index);

/* What is asked for: "synthetic:KIND,key=value,..." or the flags of `tanda generate`. */
typedef struct synthetic_request {
    char title[40]; /* stands before messages: "synthetic:blobs" */
    enum synthetic_kind kind;
    uint32_t given; /* bit per key */
    uint64_t whole[SYNTHETIC_KEYS];
    float real[SYNTHETIC_KEYS];
} synthetic_request;

/* A request that has been checked, with the table that its rows share. */
typedef struct synthetic_source {
    synthetic data;
    uint64_t rows;
    uint64_t test_rows; /* held-out rows, behind the others */
    uint64_t skip;      /* rows left out before the first */
    float *table;
    size_t table_size; /* entries, at least one */
} synthetic_source;

/* True for a --data that begins with SYNTHETIC_PREFIX. */
bool synthetic_is_named(const char *path);

/*
 * An empty request for a kind; then its keys, one at a time. TANDA_USAGE for a kind or key that does not exist, with
 * those that do, and for a value out of range.
 */
tanda_status synthetic_begin(const char *kind, size_t length, synthetic_request *request, tanda_error *error);
tanda_status synthetic_set(synthetic_request *request, const char *key, size_t key_length, const char *value,
                           size_t value_length, tanda_error *error);

/* Both for the whole text of a --data. */
tanda_status synthetic_parse(const char *path, synthetic_request *request, tanda_error *error);

/* Puts in defaults, checks what belongs together, makes the table. Closed whatever it returns. */
tanda_status synthetic_open(const synthetic_request *request, synthetic_source *source, tanda_error *error);
void synthetic_close(synthetic_source *source);

/*
 * Rows first ... first + rows - 1 (from skip on) into features (rows, features) and labels (rows): int32 classes or
 * binary32 quantities. On all threads; neither they nor the instruction set change the bits. isa is NULL, the best
 * there is, or "x86-64-v4", "x86-64-v3", "generic", for tests; false when the processor lacks it.
 */
bool synthetic_make(const synthetic_source *source, const char *isa, uint64_t first, size_t rows,
                    float *features, uint32_t *labels);

/* The same by the thread that calls it, in the exact floating-point mode, as a feed does it. */
void synthetic_make_here(const synthetic_source *source, uint64_t first, size_t rows, float *features,
                         uint32_t *labels);

/* Classes become binary32 numbers. */
void synthetic_labels_as_reals(uint32_t *labels, size_t rows);

typedef enum synthetic_labels {
    SYNTHETIC_LABELS_NONE,
    SYNTHETIC_LABELS_OWN, /* classes, or quantities */
    SYNTHETIC_LABELS_REAL /* quantities, whatever they are */
} synthetic_labels;

/* Rows first ... first + rows - 1 as a feed, which takes the source over where it can be made. */
tanda_status synthetic_feed_make(synthetic_source *source, uint64_t first, size_t rows,
                                 synthetic_labels labels, feed **result, tanda_error *error);

/*
 * dataset_load for a --data of this kind; held_out: its test rows, NULL when it has none (options->held_out: the others
 * then).
 */
tanda_status synthetic_load(const char *path, const tanda_dataset_options *options,
                            const dataset_expectation *expected, bool held_out, tanda_dataset **dataset,
                            tanda_error *error);

/*
 * Rows first ... first + rows - 1: features as binary32 (rows, features) to `path`, and labels (rows) to
 * label_path, int32 classes or binary32 quantities. label_path NULL: the label is one more column of the features,
 * the last. A name that ends in .csv makes a CSV file of x1,x2,...,class (or target), in whose digits all bits are kept.
 * Each file appears whole or not at all.
 */
tanda_status synthetic_write(const synthetic_source *source, uint64_t first, uint64_t rows, const char *path,
                             const char *label_path, tanda_error *error);

#endif
