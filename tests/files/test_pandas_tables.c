/*
 * Tables that pandas wrote in all dialects are read as pandas reads them, which is in pandas.json beside them.
 * tests/files/pandas_tables.py --record makes both.
 */
#include <jansson.h>
#include <math.h>

#include "data/profile.h"
#include "data_files.h"

#define FOLDER TANDA_SOURCE_DIR "/tests/files/pandas/"

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

static void check_number(const column_profile *found, const json_t *wanted) {
    const json_t *exact = json_object_get(wanted, "exact");
    const double mean = figure(exact, "mean");
    cr_expect_eq((double)found->missing, figure(wanted, "missing"));
    if (!found->has_more) cr_expect_eq((double)found->distinct, figure(wanted, "distinct"));
    if (exact == NULL) return;
    cr_expect_eq(found->minimum, figure(exact, "min"), "%.17g, not %.17g", found->minimum,
                 figure(exact, "min"));
    cr_expect_eq(found->maximum, figure(exact, "max"), "%.17g, not %.17g", found->maximum,
                 figure(exact, "max"));
    cr_expect_leq(fabs(found->mean - mean), fmax(1e-12 * fabs(mean), 0x1p-51 * figure(exact, "size")),
                  "%.17g, not %.17g", found->mean, mean);
}

static void check_column(const tanda_dataset *dataset, const column_profile *profiles, size_t feature,
                         const json_t *wanted) {
    const char *name = json_string_value(json_object_get(wanted, "name"));
    bool is_text = strcmp(json_string_value(json_object_get(wanted, "kind")), "text") == 0;
    bool is_category = dataset->raw.is_category != NULL && dataset->raw.is_category[feature];
    cr_expect_eq(name == NULL, dataset->feature_names == NULL);
    if (name != NULL && dataset->feature_names != NULL)
        cr_expect_str_eq(dataset->feature_names[feature], name);
    cr_expect_eq(is_category, is_text, "column %zu is %s", feature, is_category ? "text" : "numbers");
    if (is_category && is_text) check_category(dataset, feature, wanted);
    if (!is_category && !is_text) check_number(&profiles[feature], wanted);
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
    const tanda_dataset_options options = {0};
    tanda_dataset *dataset = NULL;
    column_profile *profiles = NULL;
    tanda_error error;
    snprintf(path, sizeof path, FOLDER "%s", file);
    cr_assert_eq(dataset_load_columns(path, &options, &dataset, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(profile_columns(dataset, &profiles, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq((double)dataset->rows, figure(wanted, "rows"), "%s: %zu rows", file, dataset->rows);
    cr_assert_eq(dataset->features + 1, json_array_size(columns), "%s: %zu features", file,
                 dataset->features);
    for (size_t i = 0; i < dataset->features; i++)
        check_column(dataset, profiles, i, json_array_get(columns, i));
    check_target(dataset, json_array_get(columns, dataset->features));
    free(profiles);
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
