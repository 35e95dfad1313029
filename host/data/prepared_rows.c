#include "data/prepared_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/category_marks.h"
#include "data/feed_wrap.h"
#include "support/memory.h"

void prepared_rows_make(const prepared_rows *how, const float *values, size_t rows, float *made) {
    memset(made, 0, rows * how->features * sizeof *made);
    for (const float *end = values + rows * how->columns; values < end; values += how->columns)
        for (size_t i = 0; i < how->columns; i++) {
            const prepared_column *column = &how->preparation.of[i];
            const bool absent = isnan(values[i]);
            if (column->category_count == 0) {
                *made++ = absent ? column->mean : values[i];
                continue;
            }
            const uint32_t rank = absent ? RANK_UNKNOWN : how->ranks[i][(size_t)values[i]];
            if (rank != RANK_UNKNOWN) made[rank] = 1.0f;
            made += column->category_count;
        }
}

void prepared_rows_free(prepared_rows *how) {
    if (how == NULL) return;
    for (size_t i = 0; how->ranks != NULL && i < how->columns; i++)
        free(how->ranks[i]);
    free(how->ranks);
    raw_columns_free(&how->raw, how->columns);
    preparation_free(&how->preparation);
    free(how);
}

/* ---- rows that lie elsewhere ------------------------------------------------------------------------------- */

typedef struct prepared_feed {
    feed feed;
    prepared_rows *how;
} prepared_feed;

static void free_prepared(feed *feed) {
    prepared_rows_free(((prepared_feed *)feed)->how);
    free(feed);
}

static tanda_status read_prepared(const feed *feed, size_t first, size_t rows, const row_block *block,
                                  tanda_error *error) {
    const prepared_rows *how = ((const prepared_feed *)feed)->how;
    row_block columns = *block;
    if (block->values == NULL) return feed_read(feed->source, first, rows, block, error);
    columns.values = allocate_untouched(rows * how->columns * sizeof *columns.values);
    if (columns.values == NULL) return fail(error, TANDA_FAILED, "no memory for %zu rows of columns", rows);
    tanda_status status = feed_read(feed->source, first, rows, &columns, error);
    if (status == TANDA_OK)
        status = categories_check(&how->raw, how->columns, columns.values, first, rows, error);
    if (status == TANDA_OK) prepared_rows_make(how, columns.values, rows, block->values);
    free(columns.values);
    return status;
}

tanda_status feed_prepared(feed *source, prepared_rows *how, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_prepared, .free = free_prepared};
    prepared_feed *made = NULL;
    const tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status != TANDA_OK) return status;
    made->feed.features = how->features;
    made->how = how;
    *result = &made->feed;
    return TANDA_OK;
}
