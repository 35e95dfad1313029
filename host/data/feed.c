#include "data/feed.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

tanda_status feed_read(const feed *feed, size_t first, size_t rows, const row_block *block,
                       tanda_error *error) {
    row_block wanted = *block;
    if (feed->label_width == 0) wanted.labels = NULL;
    if (!feed->has_weights) wanted.weights = NULL;
    return rows == 0 ? TANDA_OK : feed->kind->read(feed, first, rows, &wanted, error);
}

feed *feed_share(feed *feed) {
    __atomic_fetch_add(&feed->shares, 1, __ATOMIC_RELAXED);
    return feed;
}

void feed_free(feed *feed) {
    while (feed != NULL && __atomic_fetch_sub(&feed->shares, 1, __ATOMIC_ACQ_REL) == 0) {
        struct feed *source = feed->source;
        feed->kind->free(feed);
        feed = source;
    }
}

tanda_status feed_check(const feed *feed, tanda_status status, tanda_error *error) {
    for (; feed != NULL; feed = feed->source) {
        if (feed->kind->check == NULL) continue;
        const tanda_status changed = feed->kind->check(feed, error);
        if (changed != TANDA_OK) return changed;
    }
    return status;
}

size_t feed_row_size(const feed *feed) {
    return (feed->features + feed->label_width + feed->has_weights) * sizeof(float);
}

row_block feed_block_from(const feed *feed, const row_block *block, size_t rows) {
    float *labels = block->labels;
    return (row_block){.values = block->values == NULL ? NULL : block->values + rows * feed->features,
                       .labels = labels == NULL ? NULL : labels + rows * feed->label_width,
                       .weights = block->weights == NULL ? NULL : block->weights + rows};
}

/* ---- memory ----------------------------------------------------------------------------------------------- */

typedef struct memory_feed {
    feed feed;
    feed_arrays arrays;
} memory_feed;

/* Four bytes a value, `width` values a row. */
static void copy_rows(void *to, const void *from, size_t first, size_t rows, size_t width) {
    if (to != NULL && from != NULL)
        memcpy(to, (const char *)from + first * width * sizeof(float), rows * width * sizeof(float));
}

static tanda_status read_memory(const feed *feed, size_t first, size_t rows, const row_block *block,
                                tanda_error *error) {
    const feed_arrays *arrays = &((const memory_feed *)feed)->arrays;
    (void)error;
    copy_rows(block->values, arrays->values, first, rows, arrays->features);
    copy_rows(block->labels, arrays->labels, first, rows, arrays->label_width);
    copy_rows(block->weights, arrays->weights, first, rows, 1);
    return TANDA_OK;
}

static row_view lend_memory(const feed *feed, size_t first) {
    const feed_arrays *arrays = &((const memory_feed *)feed)->arrays;
    const float *labels = arrays->labels, *weights = arrays->weights;
    return (row_view){.values = arrays->values + first * arrays->features,
                      .labels = labels == NULL ? NULL : labels + first * arrays->label_width,
                      .weights = weights == NULL ? NULL : weights + first};
}

static void free_memory(feed *feed) {
    free(feed);
}

tanda_status feed_of_memory(const feed_arrays *arrays, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_memory, .free = free_memory, .lend = lend_memory};
    memory_feed *made = NULL;
    const tanda_status status = allocate(&made, 1, sizeof *made, "feed", error);
    if (status != TANDA_OK) return status;
    made->arrays = *arrays;
    made->feed = (feed){.kind = &kind,
                        .rows = arrays->rows,
                        .features = arrays->features,
                        .label_width = arrays->labels == NULL ? 0 : arrays->label_width,
                        .has_weights = arrays->weights != NULL,
                        .read_rows = 1};
    *result = &made->feed;
    return TANDA_OK;
}
