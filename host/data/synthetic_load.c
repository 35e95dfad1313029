/* Synthetic rows as a data set. */
#include <stdlib.h>
#include <string.h>

#include "data/synthetic.h"
#include "support/memory.h"
#include "support/text.h"

/* Options that choose among the columns of a file mean nothing here. */
static tanda_status check_options(const char *title, const tanda_dataset_options *options,
                                  const synthetic_source *source, tanda_task task, tanda_error *error) {
    const char *flag = options->format != NULL                               ? "--format"
                       : options->labels != NULL                             ? "--labels"
                       : options->target != NULL && !options->without_target ? "--target"
                       : options->ignore_count > 0                           ? "--ignore"
                       : options->feature_count > 0                          ? "--features"
                       : options->sample_weight != NULL                      ? "--sample-weight"
                       : options->copy_count > 0                             ? "--copy"
                                                                             : NULL;
    if (flag != NULL) return fail(error, TANDA_USAGE, "%s: it is for files; %s is made whole", flag, title);
    if (task == TANDA_TASK_LABELS)
        return fail(error, TANDA_USAGE, "%s has one target, not several labels", title);
    if (task == TANDA_TASK_CLASSES && source->data.classes == 0)
        return fail(error, TANDA_USAGE, "%s has a quantity as its target, not classes", title);
    return TANDA_OK;
}

/* The classes as the model numbers them. */
static tanda_status check_expected(const char *title, const synthetic_source *source,
                                   const dataset_expectation *expected, tanda_error *error) {
    char name[24];
    if (expected->feature_count != source->data.features)
        return fail(error, TANDA_BAD_INPUT, "%s: it has %u features, expected are %zu", title,
                    source->data.features, expected->feature_count);
    if (expected->class_names == NULL) return TANDA_OK;
    for (size_t c = 0; c < expected->class_count; c++) {
        text_put(name, sizeof name, "%zu", c);
        if (strcmp(expected->class_names[c], name) != 0)
            return fail(error, TANDA_BAD_INPUT, "%s: its classes are 0 to %u, but class '%s' is expected",
                        title, source->data.classes - 1, expected->class_names[c]);
    }
    if (expected->class_count == source->data.classes) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: it has %u classes, expected are %zu", title,
                source->data.classes, expected->class_count);
}

/* Gives the labels to the dataset as what the task wants; classes may be wanted as numbers. */
static tanda_status take_labels(tanda_dataset *dataset, uint32_t *labels, size_t classes, tanda_task task,
                                tanda_error *error) {
    dataset->target_count = 1;
    dataset->task = classes > 0 && task != TANDA_TASK_REGRESSION ? TANDA_TASK_CLASSES : TANDA_TASK_REGRESSION;
    if (dataset->task == TANDA_TASK_CLASSES) {
        dataset->classes = (int32_t *)labels;
        return dataset_number_classes(dataset, classes, error);
    }
    dataset->targets = (float *)labels;
    if (classes > 0) synthetic_labels_as_reals(labels, dataset->rows);
    return TANDA_OK;
}

static tanda_status make_rows(const char *title, const synthetic_source *source, bool held_out,
                              tanda_task task, bool without_target, tanda_dataset *dataset,
                              tanda_error *error) {
    const size_t rows = held_out ? source->test_rows : source->rows;
    size_t bytes = 0;
    dataset->rows = rows;
    dataset->features = source->data.features;
    if (multiply_overflows(rows, dataset->features * sizeof *dataset->owned, &bytes)) bytes = 0;
    dataset->values = dataset->owned =
        bytes > 0 ? allocate_untouched(bytes) : NULL; /* threads touch it first */
    uint32_t *labels = bytes > 0 ? allocate_untouched(rows * sizeof *labels) : NULL;
    if (dataset->owned == NULL || labels == NULL) {
        free(labels);
        return fail(error, TANDA_FAILED, "%s: no memory for %zu rows of %zu features", title, rows,
                    dataset->features);
    }
    synthetic_make(source, NULL, held_out ? source->rows : 0, rows, dataset->owned, labels);
    if (!without_target) return take_labels(dataset, labels, source->data.classes, task, error);
    free(labels);
    return TANDA_OK;
}

/* Rows that are more than memory is to hold are made as they are needed. */
static tanda_status make_feed(synthetic_source *source, bool held_out, tanda_task task, bool without_target,
                              tanda_dataset *dataset, tanda_error *error) {
    const size_t classes = source->data.classes;
    const bool is_real = classes == 0 || task == TANDA_TASK_REGRESSION;
    dataset->rows = held_out ? source->test_rows : source->rows;
    dataset->features = source->data.features;
    const tanda_status status = synthetic_feed_make(source, held_out ? source->rows : 0, dataset->rows,
                                                    without_target ? SYNTHETIC_LABELS_NONE
                                                    : is_real      ? SYNTHETIC_LABELS_REAL
                                                                   : SYNTHETIC_LABELS_OWN,
                                                    &dataset->feed, error);
    if (status != TANDA_OK || without_target) return status;
    dataset->target_count = 1;
    dataset->task = is_real ? TANDA_TASK_REGRESSION : TANDA_TASK_CLASSES;
    return is_real ? TANDA_OK : dataset_number_classes(dataset, classes, error);
}

tanda_status synthetic_load(const char *path, const tanda_dataset_options *options,
                            const dataset_expectation *expected, bool held_out, tanda_dataset **dataset,
                            tanda_error *error) {
    synthetic_request request;
    synthetic_source source = {0};
    tanda_dataset *made = NULL;
    const tanda_task task = expected != NULL ? expected->task : options->task;
    tanda_status status = synthetic_parse(path, &request, error);
    if (status == TANDA_OK) status = synthetic_open(&request, &source, error);
    held_out |= options->held_out && source.test_rows > 0;
    if (status == TANDA_OK) status = check_options(request.title, options, &source, task, error);
    if (status == TANDA_OK && expected != NULL)
        status = check_expected(request.title, &source, expected, error);
    if (status == TANDA_OK && !(held_out && source.test_rows == 0)) {
        status = allocate(&made, 1, sizeof *made, "data set", error);
        const size_t values = source.data.features + (size_t)!options->without_target;
        if (status == TANDA_OK &&
            is_read_in_place(options, held_out ? source.test_rows : source.rows, values))
            status = make_feed(&source, held_out, task, options->without_target, made, error);
        else if (status == TANDA_OK)
            status = make_rows(request.title, &source, held_out, task, options->without_target, made, error);
    }
    synthetic_close(&source);
    if (status == TANDA_OK)
        *dataset = made;
    else
        tanda_dataset_free(made);
    return status;
}
