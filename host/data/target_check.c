#include "data/target_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "support/memory.h"

/* Whether a row has no target; of several, the first that is missing goes to *target. */
static bool is_missing(const table *table, size_t row, size_t *target) {
    const float *targets = table->targets == NULL ? NULL : table->targets + row * table->target_count;
    *target = 0;
    if (targets != NULL)
        while (*target < table->target_count && !isnan(targets[*target]))
            ++*target;
    if (targets != NULL) return *target < table->target_count;
    if (!table->has_labels) return false;
    return table->labels.text ? table->labels.ids[row] == LABELS_MISSING : isnan(table->labels.numbers[row]);
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

/* ---- words among numbers ------------------------------------------------------------------------------ */

static bool is_number(const char *text) {
    double value;
    return number_to_double(text, strlen(text), &value) == NUMBER_OK;
}

/* numbers (count of texts): which of them are. */
static void count_numbers(const labels *labels, const bool *numbers, size_t rows, target_fault *fault) {
    bool found = false;
    for (size_t row = 0; row < rows; row++) {
        const int32_t id = labels->ids[row];
        if (id == LABELS_MISSING) continue;
        fault->rows++;
        fault->count += numbers[id];
        if (numbers[id] || found) continue;
        found = true;
        fault->row = row;
        fault->word = labels->names.texts[id];
    }
    if (found && fault->count >= fault->rows - fault->rows / 10) fault->kind = TARGET_WORD;
}

static target_fault find_word(const table *table, const request *request) {
    const labels *labels = &table->labels;
    target_fault fault = {0};
    bool *numbers = NULL;
    if (!table->has_labels || !labels->text || request_task(request) != TANDA_TASK_AUTO ||
        request_classes(request) != NULL ||
        allocate(&numbers, labels->names.count, sizeof *numbers, "classes", NULL) != TANDA_OK)
        return fault;
    for (size_t i = 0; i < labels->names.count; i++)
        numbers[i] = is_number(labels->names.texts[i]);
    count_numbers(labels, numbers, table->rows, &fault);
    free(numbers);
    return fault;
}

/* ---- labels ------------------------------------------------------------------------------------------- */

static target_fault find_no_label(const table *table, const request *request) {
    const size_t count = table->targets != NULL && request_wants_labels(request) ? table->target_count : 0;
    for (size_t i = 0; i < table->rows * count; i++) {
        const float value = table->targets[i];
        if (isnan(value) || value == 0.0f || value == 1.0f) continue;
        return (target_fault){.kind = TARGET_NO_LABEL, .row = i / count, .target = i % count, .value = value};
    }
    return (target_fault){0};
}

target_fault target_fault_find(const table *table, const request *request) {
    target_fault fault = find_missing(table, request->options->drop_missing_targets);
    if (fault.kind == TARGET_FINE) fault = find_word(table, request);
    return fault.kind == TARGET_FINE ? find_no_label(table, request) : fault;
}

/* ---- messages ----------------------------------------------------------------------------------------- */

static tanda_status tell_missing(const target_fault *fault, const place *place, tanda_error *error) {
    if (fault->count == fault->rows) return fail_at(error, place, "the target is missing in every row");
    if (fault->count == 1)
        return fail_at(error, place, "the target is missing; --drop-missing-targets leaves this row out");
    return fail_at(
        error, place,
        "the target is missing here and in %zu more of %zu rows; --drop-missing-targets leaves them "
        "out",
        fault->count - 1, fault->rows);
}

tanda_status target_fault_tell(const target_fault *fault, const place *place, tanda_error *error) {
    char text[SHOWN_SIZE];
    switch (fault->kind) {
    case TARGET_MISSING:
        return tell_missing(fault, place, error);
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

/* ---- leaving out -------------------------------------------------------------------------------------- */

/* One row of `width` floats; nothing of what is not there. */
static void move(float *values, size_t width, size_t from, size_t to) {
    if (values != NULL && from != to)
        memmove(values + to * width, values + from * width, width * sizeof *values);
}

static void move_row(table *data, table *from, size_t row, size_t to) {
    labels *labels = &from->labels;
    exact_columns *exact = &data->exact;
    move(data->owned, data->features, row, to);
    move(data->weights, 1, row, to);
    if (exact->values != NULL)
        memmove(exact->values + to * exact->count, exact->values + row * exact->count,
                exact->count * sizeof *exact->values);
    move(from->targets, from->target_count, row, to);
    if (!from->has_labels) return;
    move(labels->numbers, 1, row, to);
    if (labels->ids != NULL) labels->ids[to] = labels->ids[row];
    if (labels->integers != NULL) labels->integers[to] = labels->integers[row];
}

/* Values that lie in the mapped file are copied first. */
static tanda_status own_values(table *data, tanda_error *error) {
    const size_t count = data->rows * data->features;
    if (data->owned != NULL) return TANDA_OK;
    const tanda_status status = allocate(&data->owned, count, sizeof *data->owned, "values", error);
    if (status != TANDA_OK) return status;
    memcpy(data->owned, data->values, count * sizeof *data->owned);
    data->values = data->owned;
    const tanda_status unchanged = file_view_check(&data->mapping, TANDA_OK, error);
    file_view_close(&data->mapping);
    return unchanged;
}

tanda_status table_drop_missing(table *data, table *labels, tanda_error *error) {
    size_t next = 0;
    const target_fault missing = find_missing(labels, true);
    if (missing.count == 0) return TANDA_OK;
    const tanda_status status = own_values(data, error);
    if (status != TANDA_OK) return status;
    for (size_t row = 0; row < data->rows; row++)
        if (!target_is_missing(labels, row)) move_row(data, labels, row, next++);
    data->dropped = data->rows - next;
    data->rows = labels->rows = next;
    return TANDA_OK;
}
