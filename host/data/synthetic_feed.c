/* Synthetic rows that are made when they are needed. */
#include <stdlib.h>
#include <string.h>

#include "data/recipe.h"
#include "data/synthetic.h"
#include "support/floating_mode.h"
#include "support/memory.h"

#define READ_BYTES ((size_t)4 << 20) /* of rows that are best asked for at once */

typedef struct synthetic_feed {
    feed feed;
    synthetic_source source;
    uint64_t first; /* row of the source */
    bool as_reals;  /* classes are wanted as numbers */
} synthetic_feed;

void synthetic_labels_as_reals(uint32_t *labels, size_t rows) {
    for (size_t i = 0; i < rows; i++) {
        const float value = (float)labels[i];
        memcpy(&labels[i], &value, sizeof value);
    }
}

static tanda_status read_rows(const feed *feed, size_t first, size_t rows, const row_block *block,
                              tanda_error *error) {
    const synthetic_feed *own = (const synthetic_feed *)feed;
    float *values = NULL; /* what is not wanted is made all the same */
    uint32_t *labels = NULL;
    tanda_status status = TANDA_OK;
    if (block->values == NULL)
        status = allocate(&values, rows * feed->features, sizeof *values, "rows", error);
    if (status == TANDA_OK && block->labels == NULL)
        status = allocate(&labels, rows, sizeof *labels, "labels", error);
    if (status == TANDA_OK) {
        const unsigned mode = enter_exact_mode();
        synthetic_make_here(&own->source, own->first + first, rows,
                            block->values != NULL ? block->values : values,
                            block->labels != NULL ? block->labels : labels);
        leave_exact_mode(mode);
        if (own->as_reals && block->labels != NULL) synthetic_labels_as_reals(block->labels, rows);
    }
    free(values);
    free(labels);
    return status;
}

static bool give_recipe(const feed *feed, row_recipe *recipe) {
    const synthetic_feed *own = (const synthetic_feed *)feed;
    *recipe = (row_recipe){.data = own->source.data,
                           .table = own->source.table,
                           .table_size = own->source.table_size,
                           .first = own->source.skip + own->first,
                           .as_reals = own->as_reals};
    return true;
}

static void free_rows(feed *feed) {
    synthetic_close(&((synthetic_feed *)feed)->source);
    free(feed);
}

tanda_status synthetic_feed_make(synthetic_source *source, uint64_t first, size_t rows,
                                 synthetic_labels labels, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_rows, .free = free_rows, .recipe = give_recipe};
    synthetic_feed *made = NULL;
    const tanda_status status = allocate(&made, 1, sizeof *made, "feed", error);
    if (status != TANDA_OK) return status;
    const size_t row = source->data.features * sizeof(float);
    made->source = *source;
    *source = (synthetic_source){0};
    made->first = first;
    made->as_reals = labels == SYNTHETIC_LABELS_REAL && made->source.data.classes > 0;
    made->feed = (feed){.kind = &kind,
                        .rows = rows,
                        .features = made->source.data.features,
                        .label_width = labels != SYNTHETIC_LABELS_NONE,
                        .read_rows = row < READ_BYTES ? READ_BYTES / row : 1};
    *result = &made->feed;
    return TANDA_OK;
}
