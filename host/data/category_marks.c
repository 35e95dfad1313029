#include "data/category_marks.h"

#include <math.h>
#include <stdlib.h>

#include "data/feed_pass.h"
#include "data/place.h"
#include "support/memory.h"

tanda_status categories_check(const raw_columns *raw, size_t columns, const float *values, size_t first,
                              size_t rows, tanda_error *error) {
    if (raw->is_category == NULL) return TANDA_OK;
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < columns; i++) {
            const float value = values[row * columns + i];
            if (!raw->is_category[i] || isnan(value)) continue;
            if (value >= 0.0f && value < (float)raw->categories[i].texts.count) continue;
            const place place = {.path = raw->path, .row = first + row, .column = i};
            return fail_at(error, &place, "%.9g is none of the column's %zu categories", (double)value,
                           raw->categories[i].texts.count);
        }
    return TANDA_OK;
}

typedef struct marking {
    const tanda_dataset *dataset;
    category_marks *marks;
} marking;

/* Several threads write the same. */
static void mark(unsigned char *at) {
    if (__atomic_load_n(at, __ATOMIC_RELAXED) == 0) __atomic_store_n(at, 1, __ATOMIC_RELAXED);
}

static tanda_status mark_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    const marking *work = context;
    category_marks *marks = work->marks;
    const float *value = block->at.values;
    size_t missing = 0;
    const tanda_status status =
        categories_check(&work->dataset->raw, marks->columns, value, block->first, block->rows, error);
    (void)state;
    for (size_t row = 0; status == TANDA_OK && row < block->rows; row++)
        for (size_t i = 0; i < marks->columns; i++, value++) {
            missing += isnan(*value);
            if (isnan(*value)) continue;
            mark(&marks->some[i]);
            if (marks->of[i] != NULL) mark(&marks->of[i][(size_t)*value]);
        }
    __atomic_fetch_add(&marks->missing, missing, __ATOMIC_RELAXED);
    return status;
}

tanda_status category_marks_find(const tanda_dataset *dataset, category_marks *marks, tanda_error *error) {
    const raw_columns *raw = &dataset->raw;
    const size_t columns = dataset->features;
    marking work = {dataset, marks};
    const feed_pass pass = {.values = true, .map = mark_block, .context = &work};
    feed *rows = NULL;
    *marks = (category_marks){.columns = columns};
    tanda_status status = allocate(&marks->some, columns, 1, "columns", error);
    if (status == TANDA_OK) status = allocate(&marks->of, columns, sizeof *marks->of, "columns", error);
    for (size_t i = 0; status == TANDA_OK && raw->is_category != NULL && i < columns; i++)
        if (raw->is_category[i])
            status = allocate(&marks->of[i], raw->categories[i].texts.count, 1, "categories", error);
    if (status == TANDA_OK) status = dataset_feed(dataset, NULL, &rows, error);
    if (status == TANDA_OK) status = feed_pass_run(rows, &pass, error);
    feed_free(rows);
    if (status != TANDA_OK) category_marks_free(marks);
    return status;
}

void category_marks_free(category_marks *marks) {
    for (size_t i = 0; marks->of != NULL && i < marks->columns; i++)
        free(marks->of[i]);
    free(marks->of);
    free(marks->some);
    *marks = (category_marks){0};
}
