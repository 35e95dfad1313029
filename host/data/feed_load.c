#include "data/feed_load.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/feed_pass.h"
#include "data/format.h"
#include "data/npy_load.h"
#include "data/pipe.h"
#include "data/shards.h"
#include "data/text_load.h"
#include "data/text_source.h"
#include "support/memory.h"

/* Of what is read into memory alone, and is no text: by its header. */
static tanda_status check_other(const char *path, const tanda_dataset_options *options, const char *name,
                                size_t size, tanda_error *error) {
    if (size <= options->memory) return TANDA_OK;
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: %zu bytes of %s, whose rows need about %zu in memory, and --memory is %zu; give a greater "
        "one, or save it as .npy (numpy.save), which is read in place",
        path, size, name, size, options->memory);
}

/* Where all rows are put. */
typedef struct taking {
    const feed *rows;
    row_block block;
} taking;

static void put(void *to, const void *from, size_t first, size_t rows, size_t width) {
    if (from != NULL) memcpy((char *)to + first * width * sizeof(float), from, rows * width * sizeof(float));
}

static tanda_status take_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    const taking *taking = context;
    (void)state, (void)error;
    put(taking->block.values, block->at.values, block->first, block->rows, taking->rows->features);
    put(taking->block.labels, block->at.labels, block->first, block->rows, taking->rows->label_width);
    put(taking->block.weights, block->at.weights, block->first, block->rows, 1);
    return TANDA_OK;
}

/* Puts all rows of a data set that lie elsewhere into memory. */
static tanda_status take_rows(tanda_dataset *dataset, tanda_error *error) {
    feed *rows = dataset->feed;
    const bool classes = dataset->task == TANDA_TASK_CLASSES;
    taking taking = {.rows = rows};
    row_block *block = &taking.block;
    const feed_pass pass = {
        .values = true, .labels = true, .weights = true, .map = take_block, .context = &taking};
    tanda_status status = allocate(&block->values, rows->rows * rows->features, sizeof(float), "rows", error);
    if (status == TANDA_OK && rows->label_width > 0)
        status = allocate(&block->labels, rows->rows * rows->label_width, sizeof(float), "labels", error);
    if (status == TANDA_OK && rows->has_weights)
        status = allocate(&block->weights, rows->rows, sizeof(float), "weights", error);
    if (status == TANDA_OK) status = feed_pass_run(rows, &pass, error);
    dataset->values = dataset->owned = block->values;
    dataset->weights = block->weights;
    if (classes)
        dataset->classes = block->labels;
    else
        dataset->targets = block->labels;
    if (status != TANDA_OK) return status;
    feed_free(rows);
    dataset->feed = NULL;
    return TANDA_OK;
}

/* Read in place, or into memory where they fit. */
static tanda_status load_shards(const char *folder, const request *request, tanda_dataset *dataset,
                                tanda_error *error) {
    const tanda_status status = shards_open(folder, request, dataset, error);
    if (status != TANDA_OK) return status;
    const size_t row = feed_row_size(dataset->feed) / sizeof(float);
    if (is_read_in_place(request->options, dataset->rows, row)) return TANDA_OK;
    return take_rows(dataset, error);
}

tanda_status feed_load(const char *path, const request *request, tanda_dataset *dataset, bool *taken,
                       tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    struct stat information;
    text_begin begin = {0};
    tanda_status status = shards_are_in(path, taken, error);
    if (status != TANDA_OK || *taken)
        return status == TANDA_OK ? load_shards(path, request, dataset, error) : status;
    if (options->memory == 0 || pipe_is_named(path)) return TANDA_OK;
    if (format_member(path) != NULL || stat(path, &information) != 0)
        return TANDA_OK; /* what is wrong with it the reader in memory tells */
    if (options->more_count > 0 || S_ISDIR(information.st_mode))
        return request->is_look ? TANDA_OK : text_load(path, request, dataset, taken, error);
    if (!S_ISREG(information.st_mode) || information.st_size == 0) return TANDA_OK;
    status = text_begin_read(path, &begin, error);
    if (status != TANDA_OK) return status;
    const char *title = format_title(begin.bytes, begin.count);
    const bool is_text = begin.is_packed || text_is_asked(options, begin.bytes, begin.count);
    if (is_text && !request->is_look)
        status = text_load(path, request, dataset, taken, error);
    else if (!is_text && title != NULL && npy_looks_right(begin.bytes, begin.count))
        status = npy_load(path, request, dataset, taken, error);
    else if (!is_text && title != NULL && !request->is_look)
        status = check_other(path, options, title, begin.size, error);
    free(begin.bytes);
    return status;
}
