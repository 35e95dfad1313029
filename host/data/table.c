#include "data/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "support/memory.h"

tanda_task request_task(const request *request) {
    return request->expected != NULL ? request->expected->task : request->options->task;
}

bool request_wants_labels(const request *request) {
    const tanda_task task = request_task(request);
    return task == TANDA_TASK_LABELS || (task == TANDA_TASK_AUTO && request->options->labels_of_several);
}

bool request_fills_missing(const request *request) {
    return request->expected != NULL ? request->expected->fills_missing
                                     : request->options->missing == TANDA_MISSING_MEAN;
}

/* *memory becomes (rows, columns) values. */
static tanda_status make_matrix(float **memory, const table *table, size_t columns, const char *what,
                                const char *path, tanda_error *error) {
    size_t count = 0;
    if (multiply_overflows(table->rows, columns, &count))
        return fail(error, TANDA_BAD_INPUT, "%s: %zu rows of %zu %s are more than this machine can address",
                    path, table->rows, columns, what);
    return allocate(memory, count, sizeof **memory, what, error);
}

tanda_status table_begin(table *table, const request *request, const char *path, bool text_labels,
                         const bool *is_category, tanda_error *error) {
    tanda_status status = raw_columns_make(path, is_category, request_fills_missing(request), table->features,
                                           &table->raw, error);
    /* what stood for a missing value in training does so in every file that the model sees */
    const tanda_dataset_options *options = request->options;
    if (status == TANDA_OK && table->raw.fills_missing && options->missing_value_count > 0) {
        status = copy_texts(&table->raw.missing_values, (char *const *)options->missing_values,
                            options->missing_value_count, error);
        if (status == TANDA_OK) table->raw.missing_value_count = options->missing_value_count;
    }
    if (status == TANDA_OK)
        status = make_matrix(&table->owned, table, table->features, "features", path, error);
    for (size_t i = 0; table->raw.categories != NULL && i < table->features; i++)
        table->raw.categories[i].takes_more = request->is_look;
    table->values = table->owned;
    if (status == TANDA_OK && table->has_weights)
        status = make_matrix(&table->weights, table, 1, "weights", path, error);
    if (status == TANDA_OK && table->target_count > 1)
        status = make_matrix(&table->targets, table, table->target_count, "targets", path, error);
    if (status != TANDA_OK || table->target_count != 1) return status;
    status = allocate(&table->labels, 1, sizeof *table->labels, "labels", error);
    if (status != TANDA_OK) return status;
    return labels_begin(table->labels, request_task(request), request_classes(request), table->rows,
                        text_labels, error);
}

tanda_status table_add_weight(table *table, size_t row, float weight, const place *place,
                              tanda_error *error) {
    table->weights[row] = weight;
    if (weight >= 0.0f) return TANDA_OK;
    return fail_at(error, place, "%.9g is no weight: weights are 0 or more", (double)weight);
}

void table_take_labels(table *labels, table *data) {
    data->target_count = labels->target_count;
    data->target_name = labels->target_name;
    data->target_names = labels->target_names;
    data->labels = labels->labels;
    data->targets = labels->targets;
    labels->target_name = NULL;
    labels->target_names = NULL;
    labels->labels = NULL;
    labels->targets = NULL;
    table_free(labels);
}

void table_free_labels(table *table) {
    if (table->labels != NULL) labels_free(table->labels);
    free(table->labels);
    table->labels = NULL;
}

void table_free(table *table) {
    table_free_labels(table);
    dataset_clear(table);
}

/* Whether a row has no target; of several, the first that is missing goes to *target. */
static bool is_missing(const table *table, size_t row, size_t *target) {
    const float *targets = table->targets == NULL ? NULL : table->targets + row * table->target_count;
    *target = 0;
    if (targets != NULL)
        while (*target < table->target_count && !isnan(targets[*target]))
            ++*target;
    if (targets != NULL) return *target < table->target_count;
    if (table->labels == NULL) return false;
    return table->labels->text ? table->labels->ids[row] == LABELS_MISSING
                               : isnan(table->labels->numbers[row]);
}

bool target_is_missing(const table *table, size_t row) {
    size_t target;
    return is_missing(table, row, &target);
}

static target_fault find_missing(const table *table, bool dropped) {
    target_fault fault = {.rows = table->rows};
    for (size_t row = table->rows; row-- > 0;) {
        size_t target = 0;
        if (!is_missing(table, row, &target)) continue;
        fault.row = row;
        fault.target = target;
        fault.count++;
    }
    if (fault.count > 0 && (!dropped || fault.count == table->rows)) fault.kind = TARGET_MISSING;
    return fault;
}

/* A word among numbers. */
static target_fault find_word(const table *table, const request *request) {
    const labels *labels = table->labels;
    target_fault fault = {0};
    bool *numbers = NULL; /* which of the texts are */
    double value;
    if (table->labels == NULL || !labels->text || request_task(request) != TANDA_TASK_AUTO ||
        request_classes(request) != NULL ||
        allocate(&numbers, labels->names.count, sizeof *numbers, "classes", NULL) != TANDA_OK)
        return fault;
    for (size_t i = 0; i < labels->names.count; i++) {
        const char *text = labels->names.texts[i];
        numbers[i] = number_to_double(text, strlen(text), &value) == NUMBER_OK;
    }
    for (size_t row = 0; row < table->rows; row++) {
        const int32_t id = labels->ids[row];
        if (id == LABELS_MISSING) continue;
        fault.rows++;
        fault.count += numbers[id];
        if (numbers[id] || fault.word != NULL) continue;
        fault.row = row;
        fault.word = labels->names.texts[id];
    }
    if (fault.word != NULL && fault.count >= fault.rows - fault.rows / 10) fault.kind = TARGET_WORD;
    free(numbers);
    return fault;
}

target_fault target_fault_find(const table *table, const request *request) {
    target_fault fault = find_missing(table, request->options->drop_missing_targets);
    if (fault.kind == TARGET_FINE) fault = find_word(table, request);
    if (fault.kind != TARGET_FINE) return fault;
    const size_t count = table->targets != NULL && request_wants_labels(request) ? table->target_count : 0;
    for (size_t i = 0; i < table->rows * count; i++) {
        const float value = table->targets[i];
        if (isnan(value) || value == 0.0f || value == 1.0f) continue;
        return (target_fault){.kind = TARGET_NO_LABEL, .row = i / count, .target = i % count, .value = value};
    }
    return (target_fault){0};
}

tanda_status target_fault_tell(const target_fault *fault, const place *place, tanda_error *error) {
    char text[SHOWN_SIZE];
    switch (fault->kind) {
    case TARGET_MISSING:
        if (fault->count == fault->rows) return fail_at(error, place, "the target is missing in every row");
        if (fault->count == 1)
            return fail_at(error, place, "the target is missing; --drop-missing-targets leaves this row out");
        return fail_at(
            error, place,
            "the target is missing here and in %zu more of %zu rows; --drop-missing-targets leaves them "
            "out",
            fault->count - 1, fault->rows);
    case TARGET_WORD:
        return fail_at(error, place,
                       "'%s' is not a number, as %zu of %zu targets are; --task classes takes all as classes",
                       shown(fault->word, strlen(fault->word), text), fault->count, fault->rows);
    case TARGET_NO_LABEL:
        return fail_at(error, place, "%.9g is no label: several labels a row are 0 or 1 each",
                       (double)fault->value);
    case TARGET_FINE:
        break;
    }
    return TANDA_OK;
}

/* One row of `width` floats; nothing of what is not there. */
static void move(float *values, size_t width, size_t from, size_t to) {
    if (values != NULL && from != to)
        memmove(values + to * width, values + from * width, width * sizeof *values);
}

tanda_status table_drop_missing(table *data, table *labels, tanda_error *error) {
    size_t next = 0;
    exact_columns *exact = &data->exact;
    if (find_missing(labels, true).count == 0) return TANDA_OK;
    const tanda_status status = dataset_own_values(data, error);
    if (status != TANDA_OK) return status;
    for (size_t row = 0; row < data->rows; row++)
        if (!target_is_missing(labels, row)) {
            struct labels *of = labels->labels;
            move(data->owned, data->features, row, next);
            move(data->weights, 1, row, next);
            if (exact->values != NULL)
                memmove(exact->values + next * exact->count, exact->values + row * exact->count,
                        exact->count * sizeof *exact->values);
            move(labels->targets, labels->target_count, row, next);
            if (of != NULL) move(of->numbers, 1, row, next);
            if (of != NULL && of->ids != NULL) of->ids[next] = of->ids[row];
            if (of != NULL && of->integers != NULL) of->integers[next] = of->integers[row];
            next++;
        }
    data->dropped = data->rows - next;
    data->rows = labels->rows = next;
    return TANDA_OK;
}
