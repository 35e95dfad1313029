/*
 * The fingerprint of a training: hashes of its data, of its first weights, of its weights after each step, and
 * the bits of each step's loss sum. A build or device that repeats them computes the same bits.
 *
 * The file is JSON: {"tanda_golden": 1, "version", "device", "arguments": [...], "settings": {...}, "rows",
 * "features", "parameters", "batch", "steps", "data_sha256", "start_sha256", "final_sha256", "trace": ["STEP LOSS
 * WEIGHTS", ...]}, LOSS being the bits and WEIGHTS the first 16 digits of the SHA-256. Steps are numbered from 1;
 * the trace has every step up to 1,000, then every k-th such that at most 1,000 more are kept, and the last.
 */
#ifndef TANDA_VERIFY_GOLDEN_H
#define TANDA_VERIFY_GOLDEN_H

#include <jansson.h>

#include "backend/backend.h"
#include "data/dataset.h"
#include "support/digest.h"
#include "train/schedule.h"
#include "verify/lockstep_types.h"

#define GOLDEN_DENSE_STEPS 1000
#define GOLDEN_WEIGHT_DIGITS 16

/* The state after a step. */
typedef struct golden_entry {
    uint64_t step; /* from 1 */
    uint32_t loss; /* bits of its loss sum */
    char weights[GOLDEN_WEIGHT_DIGITS + 1];
} golden_entry;

typedef struct golden {
    char *device;     /* on which it was made, for people */
    char **arguments; /* of the command line, to repeat it; golden_run does not read them */
    size_t argument_count;
    char *settings; /* JSON object, or NULL */
    size_t rows, features, parameters, batch_rows;
    uint64_t steps;
    char data[DIGEST_TEXT_SIZE], start[DIGEST_TEXT_SIZE], final[DIGEST_TEXT_SIZE];
    size_t entry_count;
    golden_entry *entries;
} golden;

typedef struct golden_options {
    uint64_t steps;
    size_t batch_rows;         /* 0: all */
    enum shuffle_kind shuffle; /* windows of blocks of so many rows: */
    size_t shuffle_block, shuffle_window;
    uint64_t seed;
    float learning_rate;
    update_settings update;
    bool has_rates; /* each step has its own, from `rates`; else the learning rate */
    rates rates;
    const double *dropout; /* of each layer's inputs; NULL: none */
} golden_options;

/* What differed first from the expected fingerprint. */
typedef enum golden_verdict {
    GOLDEN_EQUAL,
    GOLDEN_LOSS,    /* the loss sum of `step` */
    GOLDEN_WEIGHTS, /* its loss sum is equal, the weights after it are not */
} golden_verdict;

typedef struct golden_difference {
    golden_verdict verdict;
    uint64_t after; /* the last step known to be equal; 0: none */
    uint64_t step;
    golden_entry expected, found;
} golden_difference;

/*
 * Trains the model in place with exact arithmetic and notes its fingerprint. With `expected` (else NULL) it stops
 * at the first entry that is not there as well, told in *difference. TANDA_BAD_INPUT when data or first weights
 * are not the expected ones, TANDA_FAILED when the training diverges. result is released with golden_free
 * whatever is returned.
 */
tanda_status golden_run(backend *backend, tanda_model *model, const tanda_dataset *dataset,
                        const golden_options *options, const golden *expected, golden *result,
                        golden_difference *difference, tanda_error *error);
void golden_free(golden *golden);

/* The step, from 1, of the entry that follows the one after `step` steps (0: the first). */
uint64_t golden_next_entry(uint64_t step, uint64_t steps);

/* Entries of the trace of so many steps. */
size_t golden_entries(uint64_t steps);

/* TANDA_BAD_INPUT when the data set is not the one of the fingerprint. */
tanda_status golden_check_data(const golden *expected, const tanda_dataset *dataset, tanda_error *error);

/* Atomic; TANDA_FAILED when the file cannot be written. */
tanda_status golden_save(const golden *golden, const char *path, tanda_error *error);

/* TANDA_BAD_INPUT, with what is wrong, for a file that is damaged or no golden file. Release with golden_free. */
tanda_status golden_load(const char *path, golden *golden, tanda_error *error);

/* ---- what a golden file keeps of settings and options --------------------------------------------------- */

/* The settings kept in the model, without the paths of files, as sorted JSON; free(). NULL without memory. */
char *golden_settings(const tanda_model *model);

/* Whether a golden file keeps the option of this name: what decides a training or names its data, not the machine. */
bool golden_keeps(const char *name);

/*
 * The value of an option as the file keeps it, for free(): a name of optimizers, losses and so on is that of the settings,
 * which is ours whatever was given; all else as given. NULL for want of memory.
 */
char *golden_value(const json_t *settings, const char *option, const char *given);

/* The options of a training for golden_run; steps as given. */
tanda_status golden_options_of(const tanda_train_options *train, size_t rows, uint64_t steps,
                               golden_options *result, tanda_error *error);

/* The same training for a lockstep or a trace. */
lockstep_options lockstep_options_of(const golden_options *training);

/* epochs times steps per epoch. TANDA_USAGE when that is too many. */
tanda_status golden_all_steps(const tanda_train_options *train, size_t rows, uint64_t *steps,
                              tanda_error *error);

#endif
