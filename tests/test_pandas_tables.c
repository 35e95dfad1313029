/*
 * Tables that pandas wrote in all dialects are read as pandas reads them, which is in pandas.json beside them.
 * tests/pandas_tables.py --record makes both.
 */
#include <jansson.h>
#include <math.h>

#include "data_files.h"

#define FOLDER TANDA_SOURCE_DIR "/tests/data/pandas/"

static double figure(const json_t *of, const char *key) {
    return json_number_value(json_object_get(of, key));
}

/* Each text stands in so many rows; found counts them by their index. */
static void check_texts(const json_t *texts, char *const *names, const size_t *found, size_t count) {
    cr_expect_eq(count, json_object_size(texts), "%zu texts, not %zu", count, json_object_size(texts));
    for (size_t i = 0; i < count; i++) {
        const json_t *rows = json_object_get(texts, names[i]);
        cr_expect_not_null(rows, "pandas found no '%s'", names[i]);
        cr_expect_eq((json_int_t)found[i], json_integer_value(rows), "'%s'", names[i]);
    }
}

static void check_category(const tanda_dataset *dataset, size_t feature, const json_t *wanted) {
    const text_set *texts = &dataset->raw.categories[feature].texts;
    size_t *found = calloc(texts->count + 1, sizeof *found), missing = 0;
    for (size_t row = 0; row < dataset->rows; row++) {
        float value = dataset->values[row * dataset->features + feature];
        missing += isnan(value) != 0;
        if (!isnan(value)) found[(size_t)value]++;
    }
    cr_expect_eq((double)missing, figure(wanted, "missing"));
    check_texts(json_object_get(wanted, "texts"), texts->texts, found, texts->count);
    free(found);
}

static void check_number(const tanda_dataset *dataset, size_t feature, const json_t *wanted) {
    const json_t *kept = json_object_get(wanted, "kept");
    double minimum = INFINITY, maximum = -INFINITY, sum = 0;
    size_t count = 0;
    for (size_t row = 0; row < dataset->rows; row++) {
        double value = (double)dataset->values[row * dataset->features + feature];
        if (isnan(value)) continue;
        minimum = fmin(minimum, value);
        maximum = fmax(maximum, value);
        sum += value;
        count++;
    }
    cr_expect_eq((double)(dataset->rows - count), figure(wanted, "missing"));
    cr_expect_eq(minimum, figure(kept, "min"), "%.9g, not %.9g", minimum, figure(kept, "min"));
    cr_expect_eq(maximum, figure(kept, "max"), "%.9g, not %.9g", maximum, figure(kept, "max"));
    cr_expect_leq(fabs(sum / (double)count - figure(kept, "mean")), 1e-12 * figure(kept, "size"));
}

static void check_column(const tanda_dataset *dataset, size_t feature, const json_t *wanted) {
    const char *name = json_string_value(json_object_get(wanted, "name"));
    bool is_text = strcmp(json_string_value(json_object_get(wanted, "kind")), "text") == 0;
    bool is_category = dataset->raw.is_category != NULL && dataset->raw.is_category[feature];
    cr_expect_eq(name == NULL, dataset->feature_names == NULL);
    if (name != NULL && dataset->feature_names != NULL)
        cr_expect_str_eq(dataset->feature_names[feature], name);
    cr_expect_eq(is_category, is_text, "column %zu is %s", feature, is_category ? "text" : "numbers");
    if (is_category && is_text) check_category(dataset, feature, wanted);
    if (!is_category && !is_text) check_number(dataset, feature, wanted);
}

/* Texts and truth values are classes. */
static void check_target(const tanda_dataset *dataset, const json_t *wanted) {
    const json_t *texts = json_object_get(wanted, "texts");
    if (texts == NULL) return;
    size_t *found = calloc(dataset->class_count + 1, sizeof *found);
    cr_assert_eq(dataset->task, TANDA_TASK_CLASSES);
    for (size_t row = 0; row < dataset->rows; row++)
        found[dataset->classes[row]]++;
    check_texts(texts, dataset->class_names, found, dataset->class_count);
    free(found);
}

static void check_table(const char *file, const json_t *wanted) {
    char path[512];
    const json_t *columns = json_object_get(wanted, "columns");
    tanda_dataset_options options = {.categorical_auto = true, .missing = TANDA_MISSING_MEAN};
    snprintf(path, sizeof path, FOLDER "%s", file);
    tanda_dataset *dataset = load(path, &options);
    cr_assert_eq((double)dataset->rows, figure(wanted, "rows"), "%s: %zu rows", file, dataset->rows);
    cr_assert_eq(dataset->features + 1, json_array_size(columns), "%s: %zu features", file,
                 dataset->features);
    for (size_t i = 0; i < dataset->features; i++)
        check_column(dataset, i, json_array_get(columns, i));
    check_target(dataset, json_array_get(columns, dataset->features));
    tanda_dataset_free(dataset);
}

Test(pandas_tables, what_pandas_wrote_is_read_as_pandas_reads_it) {
    json_error_t error;
    json_t *tables = json_load_file(FOLDER "pandas.json", 0, &error), *wanted;
    const char *file;
    cr_assert_not_null(tables, "%s", error.text);
    cr_assert_geq(json_object_size(tables), 30);
    json_object_foreach(tables, file, wanted) check_table(file, wanted);
    json_decref(tables);
}
