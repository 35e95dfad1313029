/* A data file: its rows, columns and target. */
#include <stdlib.h>
#include <string.h>

#include "cli/dialect_options.h"
#include "cli/encoding_options.h"
#include "cli/inspect.h"
#include "cli/print.h"
#include "cli/report.h"
#include "data/pipe.h"
#include "model/names.h"
#include "support/text.h"

#define FEATURES_SHOWN 64
#define NAME_WIDTH 24

typedef struct column {
    float minimum, maximum;
    double mean;
} column;

static column describe_column(const tanda_dataset *dataset, size_t feature) {
    const float *values = dataset->values + feature;
    column found = {.minimum = values[0], .maximum = values[0]};
    for (size_t row = 0; row < dataset->rows; row++) {
        const float value = values[row * dataset->features];
        if (value < found.minimum) found.minimum = value;
        if (value > found.maximum) found.maximum = value;
        found.mean += (double)value;
    }
    found.mean /= (double)dataset->rows;
    return found;
}

static void print_feature(const tanda_dataset *dataset, size_t feature) {
    const column found = describe_column(dataset, feature);
    char number[32];
    const char *name = number;
    text_put(number, sizeof number, "%zu", feature);
    if (dataset->feature_names != NULL) name = dataset->feature_names[feature];
    const size_t length = strlen(name);
    fputs("  ", stdout);
    print_name(stdout, name);
    printf("%*s %14.6g %14.6g %14.6g\n", length < NAME_WIDTH ? (int)(NAME_WIDTH - length) : 0, "",
           (double)found.minimum, found.mean, (double)found.maximum);
}

static void print_target(const tanda_dataset *dataset, const char *remark) {
    printf(dataset->target_count > 1 ? "Targets: " : "Target: ");
    char *const *names = dataset->target_names != NULL ? dataset->target_names : &dataset->target_name;
    const size_t count = dataset->target_names != NULL ? dataset->target_count : dataset->target_name != NULL;
    for (size_t i = 0; i < count; i++) {
        print_name(stdout, names[i]);
        fputs(", ", stdout);
    }
    print_task(stdout, dataset, "as asked");
    if (remark[0] != '\0') printf(" (%s)", remark);
    putchar('\n');
}

static void print_lines(const char *path, const tanda_dataset *dataset, const char *remark) {
    char written[DIALECT_TEXT_SIZE];
    fputs("Data: ", stdout);
    print_name(stdout, path);
    if (dataset->remark != NULL) printf(" (%s)", dataset->remark);
    fputs(", ", stdout);
    print_counted(stdout, dataset->rows, "row");
    fputs(" x ", stdout);
    print_counted(stdout, dataset->features, "feature");
    puts(dataset->from_bytes ? ", bytes" : "");
    if (dialect_describe(&dataset->dialect, written)[0] != '\0') printf("Text: %s\n", written);
    print_target(dataset, remark);
    printf("\n  %-*s %14s %14s %14s\n", NAME_WIDTH, "Feature", "min", "mean", "max");
    for (size_t i = 0; i < dataset->features && i < FEATURES_SHOWN; i++)
        print_feature(dataset, i);
    if (dataset->features > FEATURES_SHOWN)
        printf("  ... (%zu features; --json has them all)\n", dataset->features);
}

static json_t *feature_object(const tanda_dataset *dataset, size_t feature) {
    const column found = describe_column(dataset, feature);
    report report = json_object_begin();
    if (dataset->feature_names != NULL) report_text(&report, "name", dataset->feature_names[feature]);
    report_real(&report, "min", (double)found.minimum);
    report_real(&report, "mean", found.mean);
    report_real(&report, "max", (double)found.maximum);
    return json_end(&report);
}

static json_t *class_object(const char *name, size_t count) {
    report report = json_object_begin();
    report_text(&report, "name", name);
    report_count(&report, "rows", count);
    return json_end(&report);
}

static void report_classes(report *report, const tanda_dataset *dataset) {
    size_t *counts = class_counts(dataset);
    json_builder classes = json_array_begin();
    if (counts == NULL) classes.failed = true;
    for (size_t i = 0; counts != NULL && i < dataset->class_count; i++)
        json_push(&classes, class_object(dataset->class_names[i], counts[i]));
    report_value(report, "classes", json_end(&classes));
    free(counts);
}

static tanda_status print_json(const char *path, const tanda_dataset *dataset, tanda_error *error) {
    json_builder columns = json_array_begin();
    report report = report_begin("inspect");
    for (size_t i = 0; i < dataset->features; i++)
        json_push(&columns, feature_object(dataset, i));
    report_text(&report, "kind", "data");
    report_text(&report, "data", path);
    report_text(&report, "read_as", dataset->remark);
    report_dialect(&report, &dataset->dialect);
    report_count(&report, "rows", dataset->rows);
    report_count(&report, "features", dataset->features);
    report_text(&report, "target", dataset->target_name);
    if (dataset->target_names != NULL)
        report_value(&report, "targets", report_strings(dataset->target_names, dataset->target_count));
    if (dataset->task != TANDA_TASK_AUTO) report_text(&report, "task", task_name(dataset->task));
    if (dataset->task == TANDA_TASK_CLASSES) report_classes(&report, dataset);
    report_value(&report, "columns", json_end(&columns));
    return report_print(&report, error);
}

/* The features that a training on all rows would have. */
static tanda_status load_columns(const inspection *inspection, const tanda_dataset_options *reading,
                                 tanda_dataset **dataset, tanda_error *error) {
    preparation preparation = {0};
    tanda_dataset *loaded = NULL;
    tanda_status status = tanda_dataset_load(inspection->data.path, reading, &loaded, error);
    if (status == TANDA_OK) status = encode_data(&inspection->data, NULL, loaded, NULL, &preparation, error);
    preparation_free(&preparation);
    if (status == TANDA_OK)
        *dataset = loaded;
    else
        tanda_dataset_free(loaded);
    return status;
}

/*
 * Without options the last column is taken for the target. Where that cannot be (images without their
 * labels), the file is still worth showing, with the reason.
 */
static tanda_status load(const inspection *inspection, tanda_dataset **dataset, char *remark, size_t size,
                         tanda_error *error) {
    tanda_dataset_options reading = options_reading(&inspection->data);
    reading.task = inspection->task;
    const tanda_status status = load_columns(inspection, &reading, dataset, error);
    const bool is_about_target = status == TANDA_USAGE || status == TANDA_BAD_INPUT;
    if (!is_about_target || reading.target != NULL || reading.labels != NULL) return status;
    if (pipe_is_named(inspection->data.path)) return status; /* it is read once */
    reading.without_target = true;
    if (load_columns(inspection, &reading, dataset, NULL) != TANDA_OK) return status;
    text_put(remark, size, "%s", error->message);
    return TANDA_OK;
}

tanda_status inspect_data(const inspection *inspection, tanda_error *error) {
    tanda_dataset *dataset = NULL;
    char remark[sizeof error->message] = "";
    file_view whole = {0}; /* to be the same whenever it is read; that it is no file is told by the reading */
    if (!pipe_is_named(inspection->data.path)) (void)file_view_open(inspection->data.path, &whole, NULL);
    tanda_status status = load(inspection, &dataset, remark, sizeof remark, error);
    status = file_view_check(&whole, status, error);
    file_view_close(&whole);
    if (status != TANDA_OK) {
        tanda_dataset_free(dataset);
        return status;
    }
    if (inspection->common.json)
        status = print_json(inspection->data.path, dataset, error);
    else
        print_lines(inspection->data.path, dataset, remark);
    status = dataset_check(dataset, status, error);
    tanda_dataset_free(dataset);
    return status;
}
