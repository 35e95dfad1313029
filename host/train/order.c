#include "train/order.h"

#include "support/memory.h"

/*
 * Blocks are as large as a disk reads them at its full speed, but so many that a hundredth of them mixes well. Never
 * change these: they are in the bits of every training whose window was not given (docs/exactness.md, rule 10).
 */
#define MOST_BLOCK_BYTES ((size_t)2 << 20)
#define LEAST_BLOCKS 32768
#define WINDOWS 100
#define LEAST_WINDOW_BLOCKS 256
#define LEAST_WINDOW_ROWS 16384

#define SAMPLE 4096 /* pairs of rows */

const char *const shuffle_names[] = {
    [TANDA_SHUFFLE_FULL] = "full", [TANDA_SHUFFLE_WINDOW] = "window", [TANDA_SHUFFLE_NONE] = "none"};

tanda_shuffle shuffle_asked(const tanda_train_options *options) {
    return options->no_shuffle ? TANDA_SHUFFLE_NONE : options->shuffle;
}

enum shuffle_kind shuffle_kind_of(const tanda_train_options *options) {
    static const enum shuffle_kind kinds[] = {[TANDA_SHUFFLE_FULL] = SHUFFLE_FULL,
                                              [TANDA_SHUFFLE_WINDOW] = SHUFFLE_WINDOW,
                                              [TANDA_SHUFFLE_NONE] = SHUFFLE_NONE};
    return kinds[shuffle_asked(options)];
}

/* The largest power of two of rows that is neither too long to read at once nor leaves too few blocks. */
static size_t default_block(size_t rows, size_t features) {
    const size_t of_bytes = MOST_BLOCK_BYTES / sizeof(float) / features, of_rows = rows / LEAST_BLOCKS;
    const size_t most = of_bytes < of_rows ? of_bytes : of_rows;
    size_t block = 1;
    while (block <= most / 2)
        block *= 2;
    return block;
}

/* A hundredth of the rows, or more where that were few, in whole blocks; all rows at most. */
static size_t default_window(size_t rows, size_t block) {
    size_t window = rows / WINDOWS + (rows % WINDOWS != 0);
    if (window < LEAST_WINDOW_ROWS) window = LEAST_WINDOW_ROWS;
    size_t blocks = (window - 1) / block + 1;
    const size_t all = (rows - 1) / block + 1;
    if (blocks < LEAST_WINDOW_BLOCKS) blocks = LEAST_WINDOW_BLOCKS;
    return (blocks < all ? blocks : all) * block;
}

tanda_status order_settle(tanda_train_options *options, size_t rows, size_t features, tanda_error *error) {
    if ((unsigned)options->shuffle > TANDA_SHUFFLE_NONE)
        return fail(error, TANDA_USAGE, "shuffle: %u is none of full, window, none",
                    (unsigned)options->shuffle);
    if (options->no_shuffle && options->shuffle == TANDA_SHUFFLE_WINDOW)
        return fail(error, TANDA_USAGE, "no_shuffle: there are to be windows, too; give one of them");
    if (shuffle_asked(options) != TANDA_SHUFFLE_WINDOW) {
        if (options->shuffle_block == 0 && options->shuffle_window == 0) return TANDA_OK;
        return fail(error, TANDA_USAGE, "--shuffle-%s goes with --shuffle window",
                    options->shuffle_block != 0 ? "block" : "window");
    }
    if (options->shuffle_block == 0) options->shuffle_block = default_block(rows, features);
    if (options->shuffle_window == 0) options->shuffle_window = default_window(rows, options->shuffle_block);
    if (options->shuffle_window % options->shuffle_block == 0) return TANDA_OK;
    return fail(error, TANDA_USAGE,
                "--shuffle-window: %zu rows are no multiple of a block's %zu; give one, or --shuffle-block",
                options->shuffle_window, options->shuffle_block);
}

tanda_status order_is_too_wide(tanda_error *error) {
    return fail(
        error, TANDA_USAGE,
        "--shuffle full mixes all rows, which are more than --memory holds; take --shuffle window, which "
        "mixes some at a time, or none");
}

tanda_status order_fits(const tanda_train_options *options, const tanda_dataset *dataset,
                        tanda_error *error) {
    const bool has_batches = options->batch_rows > 0 && options->batch_rows < dataset->rows;
    const bool is_mixed = has_batches && shuffle_asked(options) == TANDA_SHUFFLE_FULL;
    return dataset->feed != NULL && is_mixed ? order_is_too_wide(error) : TANDA_OK;
}

/* Of a sample's rows, how many differ in class from the row `distance` further on. */
static size_t count_changes(const tanda_dataset *dataset, size_t sample, size_t distance) {
    size_t changes = 0;
    for (size_t i = 0; i < sample; i++) {
        const size_t row = (size_t)((double)i / (double)sample * (double)dataset->rows);
        changes += dataset->classes[row] != dataset->classes[(row + distance) % dataset->rows];
    }
    return changes;
}

/* Neighbours then differ far more seldom than rows that are far apart. */
bool order_mixes_badly(const tanda_dataset *dataset, size_t block, size_t window) {
    const size_t rows = dataset->rows, sample = rows < SAMPLE ? rows : SAMPLE;
    if (dataset->classes == NULL || window >= rows || window / block >= LEAST_WINDOW_BLOCKS) return false;
    const size_t near = count_changes(dataset, sample, 1), far = count_changes(dataset, sample, rows / 2);
    return near < far / 4;
}
