/* Rows that a program hands over as they are needed. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "support/memory.h"
#include "support/options.h"

#define READ_BYTES ((size_t)4 << 20) /* of rows that are best asked for at once */

typedef struct caller_feed {
    feed feed;
    tanda_dataset_reader reader;
    bool are_labels; /* several, each 0 or 1 */
} caller_feed;

/* Numbers of `width` a row; -0 becomes 0. */
static tanda_status check_numbers(const char *what, float *values, size_t first, size_t rows, size_t width,
                                  tanda_error *error) {
    for (size_t i = 0; i < rows * width; i++) {
        if (!isfinite(values[i]))
            return fail(error, TANDA_BAD_INPUT, "%s: row %zu, number %zu (from 0) is not finite", what,
                        first + i / width, i % width);
        values[i] = values[i] == 0.0f ? 0.0f : values[i];
    }
    return TANDA_OK;
}

static tanda_status check_classes(const caller_feed *own, const int32_t *classes, size_t first, size_t rows,
                                  tanda_error *error) {
    for (size_t row = 0; row < rows; row++)
        if (classes[row] < 0 || (size_t)classes[row] >= own->reader.class_count)
            return fail(error, TANDA_BAD_INPUT,
                        "classes: row %zu (from 0) has %" PRId32 "; classes are 0 to %zu", first + row,
                        classes[row], own->reader.class_count - 1);
    return TANDA_OK;
}

static tanda_status check_targets(const caller_feed *own, float *targets, size_t first, size_t rows,
                                  tanda_error *error) {
    const size_t width = own->feed.label_width;
    const tanda_status status = check_numbers("targets", targets, first, rows, width, error);
    for (size_t i = 0; status == TANDA_OK && own->are_labels && i < rows * width; i++)
        if (targets[i] != 0.0f && targets[i] != 1.0f)
            return fail(error, TANDA_BAD_INPUT,
                        "targets: row %zu, label %zu (from 0) is %g; labels are 0 or 1", first + i / width,
                        i % width, (double)targets[i]);
    return status;
}

static tanda_status check_weights(float *weights, size_t first, size_t rows, tanda_error *error) {
    for (size_t row = 0; row < rows; row++) {
        if (!isfinite(weights[row]) || weights[row] < 0.0f)
            return fail(error, TANDA_BAD_INPUT, "sample_weights: row %zu (from 0) has %g; give 0 or more",
                        first + row, (double)weights[row]);
        weights[row] = weights[row] == 0.0f ? 0.0f : weights[row];
    }
    return TANDA_OK;
}

static tanda_status read_rows(const feed *feed, size_t first, size_t rows, const row_block *block,
                              tanda_error *error) {
    const caller_feed *own = (const caller_feed *)feed;
    const tanda_dataset_reader *reader = &own->reader;
    tanda_status status =
        reader->read(first, rows, block->values, block->labels, block->weights, reader->context);
    if (status != TANDA_OK)
        return fail(error, status,
                    "rows %zu to %zu (from 0) could not be read: the program's function failed", first,
                    first + rows - 1);
    if (block->values != NULL)
        status = check_numbers("values", block->values, first, rows, feed->features, error);
    if (status == TANDA_OK && block->labels != NULL)
        status = reader->class_count > 0 ? check_classes(own, block->labels, first, rows, error)
                                         : check_targets(own, block->labels, first, rows, error);
    if (status == TANDA_OK && block->weights != NULL)
        status = check_weights(block->weights, first, rows, error);
    return status;
}

static void free_rows(feed *feed) {
    free(feed);
}

static tanda_status check_reader(const tanda_dataset_reader *reader, tanda_error *error) {
    size_t bytes = 0;
    if (reader->rows == 0 || reader->features == 0)
        return fail(error, TANDA_USAGE,
                    "a data set of %zu rows and %zu features; it needs at least 1 of each", reader->rows,
                    reader->features);
    if (multiply_overflows(reader->rows, reader->features, &bytes))
        return fail(error, TANDA_USAGE, "%zu x %zu values are more than this machine can address",
                    reader->rows, reader->features);
    if (reader->read == NULL) return fail(error, TANDA_USAGE, "read is NULL; it hands the rows over");
    if (reader->class_count > 0 && reader->target_count > 0)
        return fail(error, TANDA_USAGE, "class_count and target_count are both there; give one of them");
    if (reader->class_count == 1 || reader->class_count > LABELS_CLASSES_MAX)
        return fail(error, TANDA_USAGE, "class_count: %zu; there must be 2 to %d", reader->class_count,
                    LABELS_CLASSES_MAX);
    if (reader->targets_are_labels && reader->target_count < 2)
        return fail(error, TANDA_USAGE, "targets_are_labels: %zu targets; labels are 2 or more",
                    reader->target_count);
    return TANDA_OK;
}

static tanda_status make_feed(const tanda_dataset_reader *reader, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_rows, .free = free_rows};
    const size_t row = reader->features * sizeof(float);
    caller_feed *made = NULL;
    const tanda_status status = allocate(&made, 1, sizeof *made, "feed", error);
    if (status != TANDA_OK) return status;
    made->reader = *reader;
    made->are_labels = reader->targets_are_labels;
    made->feed = (feed){.kind = &kind,
                        .rows = reader->rows,
                        .features = reader->features,
                        .label_width = reader->class_count > 0 ? 1 : reader->target_count,
                        .has_weights = reader->has_sample_weights,
                        .read_rows = row < READ_BYTES ? READ_BYTES / row : 1};
    *result = &made->feed;
    return TANDA_OK;
}

static tanda_status fill(const tanda_dataset_reader *reader, tanda_dataset *dataset, tanda_error *error) {
    const bool classes = reader->class_count > 0;
    dataset->rows = reader->rows;
    dataset->features = reader->features;
    dataset->target_count = classes ? 1 : reader->target_count;
    dataset->task = classes                      ? TANDA_TASK_CLASSES
                    : reader->target_count == 0  ? TANDA_TASK_AUTO
                    : reader->targets_are_labels ? TANDA_TASK_LABELS
                                                 : TANDA_TASK_REGRESSION;
    tanda_status status = make_feed(reader, &dataset->feed, error);
    if (status == TANDA_OK)
        status = copy_texts(&dataset->feature_names, (char *const *)reader->feature_names, reader->features,
                            error);
    if (status == TANDA_OK && classes && reader->class_names == NULL)
        status = dataset_number_classes(dataset, reader->class_count, error);
    if (status == TANDA_OK && classes && reader->class_names != NULL) {
        status =
            copy_texts(&dataset->class_names, (char *const *)reader->class_names, reader->class_count, error);
        if (status == TANDA_OK) dataset->class_count = reader->class_count;
    }
    if (status == TANDA_OK) status = dataset_name_targets(dataset, reader->target_names, error);
    return status;
}

tanda_status tanda_dataset_create_reader(const tanda_dataset_reader *given, tanda_dataset **dataset,
                                         tanda_error *error) {
    tanda_dataset_reader reader;
    tanda_dataset *made = NULL;
    tanda_status status = TAKE_OPTIONS(tanda_dataset_reader, given, &reader, error);
    if (status == TANDA_OK) status = check_reader(&reader, error);
    if (status == TANDA_OK) status = allocate(&made, 1, sizeof *made, "data set", error);
    if (status == TANDA_OK) status = fill(&reader, made, error);
    if (status == TANDA_OK)
        *dataset = made;
    else
        tanda_dataset_free(made);
    return status;
}
