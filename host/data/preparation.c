#include "data/preparation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/category_marks.h"
#include "data/feed_pass.h"
#include "data/number.h"
#include "data/place.h"
#include "data/sum_tree.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/text.h"

void preparation_free(preparation *preparation) {
    for (size_t i = 0; preparation->of != NULL && i < preparation->columns; i++)
        free_texts(preparation->of[i].categories, preparation->of[i].category_count);
    free(preparation->of);
    free_texts(preparation->names, preparation->columns);
    free(preparation->is_category);
    free_texts(preparation->missing_values, preparation->missing_value_count);
    *preparation = (struct preparation){0};
}

tanda_status preparation_copy(const preparation *source, const size_t *from, preparation *copy,
                              tanda_error *error) {
    const size_t columns = source->columns;
    preparation made = {
        .columns = columns, .fills_missing = source->fills_missing, .zero_unknown = source->zero_unknown};
    tanda_status status = TANDA_OK;
    if (columns > 0) status = allocate(&made.of, columns, sizeof *made.of, "columns", error);
    if (status == TANDA_OK && source->names != NULL)
        status = allocate(&made.names, columns, sizeof *made.names, "columns", error);
    if (status == TANDA_OK && source->is_category != NULL)
        status = allocate(&made.is_category, columns, sizeof *made.is_category, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < columns; i++) {
        const size_t own = from == NULL ? i : from[i];
        const prepared_column *of = &source->of[own];
        if (source->names != NULL) status = copy_text(&made.names[i], source->names[own], error);
        if (source->is_category != NULL) made.is_category[i] = source->is_category[own];
        made.of[i].mean = of->mean;
        if (status == TANDA_OK && of->category_count > 0)
            status = copy_texts(&made.of[i].categories, of->categories, of->category_count, error);
        if (status == TANDA_OK) made.of[i].category_count = of->category_count;
    }
    if (status == TANDA_OK)
        *copy = made;
    else
        preparation_free(&made);
    return status;
}

static tanda_status no_value(const tanda_dataset *training, size_t column, tanda_error *error) {
    char title[SHOWN_SIZE];
    text_put(title, sizeof title, "%zu (from 0)", column);
    if (training->feature_names != NULL)
        shown(training->feature_names[column], strlen(training->feature_names[column]), title);
    return fail(error, TANDA_BAD_INPUT,
                "%s: feature %s has no value in the training rows; leave it out with --ignore",
                training->raw.path, title);
}

/* Numbers by value, and of equal value, as 1 and 1.0, by bytes. */
static int compare_numbers(const void *a, const void *b) {
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    double x = 0.0, y = 0.0;
    number_to_double(left, strlen(left), &x);
    number_to_double(right, strlen(right), &y);
    return x < y ? -1 : x > y ? 1 : strcmp(left, right);
}

/* Those that occur. */
static tanda_status fit_categories(const tanda_dataset *training, size_t column, const category_marks *marks,
                                   prepared_column *result, tanda_error *error) {
    const text_set *texts = &training->raw.categories[column].texts;
    const unsigned char *occurs = marks->of[column];
    size_t count = 0;
    bool numbers = true;
    double value;
    for (size_t i = 0; i < texts->count; i++)
        count += occurs[i];
    if (count == 0) return no_value(training, column, error);
    tanda_status status =
        allocate(&result->categories, count, sizeof *result->categories, "categories", error);
    for (size_t i = 0; status == TANDA_OK && i < texts->count; i++) {
        if (!occurs[i]) continue;
        status = copy_text(&result->categories[result->category_count++], texts->texts[i], error);
        numbers = numbers && number_to_double(texts->texts[i], strlen(texts->texts[i]), &value) == NUMBER_OK;
    }
    if (status == TANDA_OK)
        qsort(result->categories, count, sizeof *result->categories,
              numbers ? compare_numbers : text_compare);
    return status;
}

/* Sums and counts of the values that there are. */
typedef struct mean_work {
    sum_tree tree;
    size_t *counts; /* (columns) */
    size_t columns;
} mean_work;

/* Blocks but the last are whole chunks of the tree. */
static tanda_status add_block(void *context, void *state, const pass_block *block, tanda_error *error) {
    mean_work *work = context;
    const float *values = block->at.values;
    (void)state, (void)error;
    for (size_t row = 0; row < block->rows;) {
        double *chunk = tree_top(&work->tree);
        for (size_t i = 0; i < SUM_CHUNK_ROWS && row < block->rows; i++, row++, values += work->columns)
            for (size_t column = 0; column < work->columns; column++) {
                const bool present = !isnan(values[column]);
                chunk[column] += present ? (double)values[column] : 0.0;
                work->counts[column] += present;
            }
        tree_push(&work->tree);
    }
    return TANDA_OK;
}

static tanda_status fit_means(const tanda_dataset *training, preparation *result, tanda_error *error) {
    const size_t features = training->features;
    mean_work work = {.columns = features};
    feed *rows = NULL;
    tanda_status status = tree_make(&work.tree, training->rows, features, error);
    if (status == TANDA_OK) status = allocate(&work.counts, features, sizeof *work.counts, "means", error);
    if (status == TANDA_OK) status = dataset_feed(training, NULL, &rows, error);
    if (status == TANDA_OK) {
        const feed_pass pass = {.values = true,
                                .block_rows = feed_pass_rows(rows, SUM_CHUNK_ROWS),
                                .reduce = add_block,
                                .context = &work};
        status = feed_pass_run(rows, &pass, error);
    }
    const double *sums = status == TANDA_OK ? tree_sum(&work.tree) : NULL;
    for (size_t i = 0; status == TANDA_OK && i < features; i++) {
        if (result->of[i].category_count > 0) continue;
        if (work.counts[i] == 0) {
            status = no_value(training, i, error);
        } else {
            const float mean = (float)(sums[i] / (double)work.counts[i]);
            result->of[i].mean = mean == 0.0f ? 0.0f : mean;
        }
    }
    feed_free(rows);
    free(work.tree.stack);
    free(work.counts);
    return status;
}

tanda_status preparation_fit(const tanda_dataset *training, bool zero_unknown, preparation *result,
                             tanda_error *error) {
    const raw_columns *raw = &training->raw;
    const size_t columns = training->features;
    preparation made = {
        .columns = columns, .fills_missing = raw->fills_missing, .zero_unknown = zero_unknown};
    category_marks marks = {0};
    *result = (preparation){0};
    if (raw_columns_are_features(raw)) return TANDA_OK;
    unsigned mode = enter_exact_mode();
    tanda_status status = allocate(&made.of, columns, sizeof *made.of, "columns", error);
    if (status == TANDA_OK && raw->is_category != NULL) status = category_marks_find(training, &marks, error);
    if (status == TANDA_OK) status = copy_texts(&made.names, training->feature_names, columns, error);
    if (status == TANDA_OK)
        status = copy_texts(&made.missing_values, raw->missing_values, raw->missing_value_count, error);
    if (status == TANDA_OK) made.missing_value_count = raw->missing_value_count;
    if (status == TANDA_OK && raw->is_category != NULL)
        status = allocate(&made.is_category, columns, sizeof(bool), "columns", error);
    for (size_t i = 0; status == TANDA_OK && raw->is_category != NULL && i < columns; i++) {
        made.is_category[i] = raw->is_category[i];
        if (made.is_category[i]) status = fit_categories(training, i, &marks, &made.of[i], error);
    }
    if (status == TANDA_OK && made.fills_missing) status = fit_means(training, &made, error);
    leave_exact_mode(mode);
    category_marks_free(&marks);
    if (status == TANDA_OK)
        *result = made;
    else
        preparation_free(&made);
    return status;
}

bool preparation_count(const preparation *preparation, size_t rows, size_t *features) {
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < preparation->columns; i++) {
        size_t of_column = preparation->of[i].category_count;
        if (add_overflows(count, of_column == 0 ? 1 : of_column, &count)) return false;
    }
    *features = count;
    return !multiply_overflows(count, sizeof(float), &bytes) && !multiply_overflows(bytes, rows, &bytes);
}

tanda_status preparation_names(const preparation *preparation, char ***names, tanda_error *error) {
    size_t count = 0, next = 0;
    char **made = NULL, number[24];
    if (!preparation_count(preparation, 1, &count))
        return fail(error, TANDA_FAILED, "no memory for the names of features");
    tanda_status status = allocate(&made, count, sizeof *made, "names of features", error);
    for (size_t i = 0; status == TANDA_OK && i < preparation->columns; i++) {
        const prepared_column *of = &preparation->of[i];
        const char *name = preparation->names != NULL ? preparation->names[i] : number;
        text_put(number, sizeof number, "%zu", i);
        if (of->category_count == 0) status = copy_text(&made[next++], name, error);
        for (size_t c = 0; status == TANDA_OK && c < of->category_count; c++, next++)
            if (asprintf(&made[next], "%s=%s", name, of->categories[c]) < 0) {
                made[next] = NULL;
                status = fail(error, TANDA_FAILED, "no memory for the names of features");
            }
    }
    if (status == TANDA_OK)
        *names = made;
    else
        free_texts(made, count);
    return status;
}

void preparation_spare(const preparation *preparation, scaling *scaling) {
    size_t feature = 0;
    if (scaling->kind == TANDA_SCALE_NONE) return;
    for (size_t i = 0; i < preparation->columns; i++) {
        size_t count = preparation->of[i].category_count;
        for (size_t c = 0; c < count; c++) {
            scaling->center[feature + c] = 0.0f;
            scaling->factor[feature + c] = 1.0f;
        }
        feature += count == 0 ? 1 : count;
    }
}
