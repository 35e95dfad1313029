#include "data/cache_learn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "support/memory.h"

void learning_free(learning *learning) {
    labels_free(&learning->labels);
    free(learning->spreads);
    free(learning->word_text);
    learning->spreads = NULL;
    learning->word_text = NULL;
}

tanda_status learning_begin(learning *learning, const piece_reader *reader, bool finds_ruined,
                            tanda_error *error) {
    const request *request = learning->request;
    const selection *selection = &reader->selection;
    const size_t features = selection->feature_count;
    const bool as_text = learning->labels_as_text, as_quantities = learning->labels_as_quantities;
    learning_free(learning);
    *learning =
        (struct learning){.path = learning->path,
                          .request = request,
                          .labels_as_text = as_text,
                          .labels_as_quantities = as_quantities,
                          .has_labels = !request->options->without_target && selection->target_count == 1};
    tanda_status status = TANDA_OK;
    if (finds_ruined)
        status = allocate(&learning->spreads, features, sizeof *learning->spreads, "columns", error);
    for (size_t i = 0; learning->spreads != NULL && i < features; i++) {
        learning->spreads[i] = column_spread_begin(i);
        learning->spreads[i].is_fine = selection->is_category[i];
    }
    return status;
}

/* ---- labels ------------------------------------------------------------------------------------------------ */

static size_t first_row_of(const labels *labels, size_t rows, int64_t value) {
    size_t row = 0;
    while (row < rows && (labels->text ? labels->ids[row] != (int32_t)value
                                       : isnan(labels->numbers[row]) || labels->integers[row] != value))
        row++;
    return row;
}

/* For the message that there are too many. */
static place find_label(const piece_reader *reader, const table *table, int64_t value) {
    const size_t row = first_row_of(table->labels, table->rows, value);
    return reader->kind->find_place(reader, row, reader->selection.target);
}

/* ids of the piece become those of all pieces. */
static tanda_status learn_texts(learning *learning, const piece_reader *reader, table *table,
                                tanda_error *error) {
    const text_set *names = &table->labels->names;
    int32_t *numbers = NULL;
    tanda_status status = allocate(&numbers, names->count, sizeof *numbers, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < names->count; i++) {
        const bool may_fail = learning->labels.distinct == LABELS_CLASSES_MAX;
        const place place = may_fail ? find_label(reader, table, (int64_t)i) : (struct place){.path = ""};
        status =
            labels_add_text(&learning->labels, 0, names->texts[i], strlen(names->texts[i]), &place, error);
        if (status == TANDA_OK) numbers[i] = learning->labels.ids[0];
    }
    for (size_t row = 0; status == TANDA_OK && row < table->rows; row++) {
        int32_t *id = &table->labels->ids[row];
        if (*id != LABELS_MISSING) *id = numbers[*id];
    }
    free(numbers);
    return status;
}

/* Labels turn out to be no classes: what was written of them is of another kind. */
static void become_quantities(learning *learning) {
    if (!learning->labels.is_quantity) labels_become_quantity(&learning->labels);
    learning->labels_as_quantities = true;
    learning->again = learning->rows > 0;
}

static tanda_status learn_numbers(learning *learning, const piece_reader *reader, const table *table,
                                  tanda_error *error) {
    const labels *of = table->labels;
    tanda_status status = TANDA_OK;
    if (learning->labels.is_quantity) return TANDA_OK;
    for (size_t i = 0;
         status == TANDA_OK && !of->is_quantity && !learning->labels.is_quantity && i < of->distinct; i++) {
        const bool may_fail = learning->labels.distinct == LABELS_CLASSES_MAX;
        const place place = may_fail ? find_label(reader, table, of->values[i]) : (struct place){.path = ""};
        status = labels_add_number(&learning->labels, 0, (double)of->values[i], (float)of->values[i], &place,
                                   error);
    }
    if (status == TANDA_OK && (of->is_quantity || learning->labels.is_quantity)) become_quantities(learning);
    return status;
}

static tanda_status learn_labels(learning *learning, const piece_reader *reader, table *table,
                                 tanda_error *error) {
    const request *request = learning->request;
    const labels *of = table->labels;
    tanda_status status = TANDA_OK;
    if (!learning->has_labels) return TANDA_OK;
    if (learning->labels.capacity == 0) {
        status = labels_begin(&learning->labels, request_task(request), request_classes(request), 1, of->text,
                              error);
        if (status == TANDA_OK && learning->labels_as_quantities && !learning->labels.is_quantity)
            labels_become_quantity(&learning->labels);
    }
    if (status != TANDA_OK) return status;
    if (of->text && !learning->labels.text) {
        learning->labels_as_text = learning->again = true;
        return TANDA_OK;
    }
    return of->text ? learn_texts(learning, reader, table, error)
                    : learn_numbers(learning, reader, table, error);
}

/* ---- faults ------------------------------------------------------------------------------------------------ */

/* How many of the labels that are text are numbers. */
static tanda_status count_words(learning *learning, const piece_reader *reader, const table *table,
                                tanda_error *error) {
    const labels *of = table->labels;
    target_fault *word = &learning->word;
    bool *numbers = NULL;
    double value;
    if (!learning->has_labels || !of->text || request_task(learning->request) != TANDA_TASK_AUTO ||
        request_classes(learning->request) != NULL)
        return TANDA_OK;
    tanda_status status = allocate(&numbers, of->names.count, sizeof *numbers, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < of->names.count; i++)
        numbers[i] = number_to_double(of->names.texts[i], strlen(of->names.texts[i]), &value) == NUMBER_OK;
    for (size_t row = 0; status == TANDA_OK && row < table->rows; row++) {
        const int32_t id = of->ids[row];
        if (id == LABELS_MISSING) continue;
        word->rows++;
        word->count += numbers[id];
        if (numbers[id] || learning->word_text != NULL) continue;
        learning->word_place = reader->kind->find_place(reader, row, reader->selection.target);
        status = copy_text(&learning->word_text, of->names.texts[id], error);
    }
    free(numbers);
    return status;
}

static void note_faults(learning *learning, const piece_reader *reader, const table *table) {
    const target_fault fault = target_fault_find(table, learning->request);
    const size_t *targets = reader->selection.targets;
    learning->missing.rows += table->rows;
    learning->no_label.rows += table->rows;
    if (fault.kind == TARGET_MISSING && learning->missing.kind == TARGET_FINE) {
        learning->missing.kind = TARGET_MISSING;
        learning->missing_place = reader->kind->find_place(reader, fault.row, targets[fault.target]);
    }
    if (fault.kind == TARGET_MISSING) learning->missing.count += fault.count;
    if (fault.kind != TARGET_NO_LABEL || learning->no_label.kind != TARGET_FINE) return;
    learning->no_label = fault;
    learning->no_label_place = reader->kind->find_place(reader, fault.row, targets[fault.target]);
}

tanda_status learning_check(const learning *learning, tanda_error *error) {
    const bool drops = learning->request->options->drop_missing_targets;
    target_fault word = learning->word;
    if (learning->missing.kind != TARGET_FINE && (!drops || learning->rows == 0))
        return target_fault_tell(&learning->missing, &learning->missing_place, error);
    word.kind = TARGET_WORD;
    word.word = learning->word_text;
    if (word.word != NULL && word.count >= word.rows - word.rows / 10)
        return target_fault_tell(&word, &learning->word_place, error);
    return target_fault_tell(&learning->no_label, &learning->no_label_place, error);
}

/* ---- columns ----------------------------------------------------------------------------------------------- */

static void look_at_column(const table *table, size_t feature, column_spread *found) {
    const float *value = table->values + feature;
    for (size_t row = 0; !found->is_fine && row < table->rows; row++, value += table->features)
        column_spread_add(found, (double)*value, ORIGIN_RUINED);
}

void learn_exact(learning *learning, const table *table) {
    const exact_columns *exact = &table->exact;
    for (size_t row = 0; row < table->rows; row++)
        for (size_t i = 0; i < exact->count; i++)
            column_spread_add_exact(&learning->spreads[exact->features[i]],
                                    exact->values[row * exact->count + i]);
}

tanda_status learning_ruined(const learning *learning, size_t features, size_t **ruined, size_t *count,
                             tanda_error *error) {
    *count = 0;
    if (learning->spreads == NULL) return TANDA_OK;
    const tanda_status status = allocate(ruined, features, sizeof **ruined, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++)
        if (column_spread_is_ruined(&learning->spreads[i])) (*ruined)[(*count)++] = i;
    return status;
}

/* ---- pieces ------------------------------------------------------------------------------------------------ */

tanda_status learn_piece(learning *learning, const piece_reader *reader, table *table, tanda_error *error) {
    note_faults(learning, reader, table);
    tanda_status status = count_words(learning, reader, table, error);
    if (status == TANDA_OK) status = learn_labels(learning, reader, table, error);
    if (status != TANDA_OK || learning->again) return status;
    status = table_drop_missing(table, table, error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; learning->spreads != NULL && i < table->features; i++)
        look_at_column(table, i, &learning->spreads[i]);
    for (size_t row = 0; table->weights != NULL && !learning->some_weight && row < table->rows; row++)
        learning->some_weight = table->weights[row] > 0.0f;
    learning->rows += table->rows;
    learning->dropped += table->dropped;
    return TANDA_OK;
}

/* Labels that are each of another class. */
static tanda_status number_labels(learning *learning, tanda_error *error) {
    labels *labels = &learning->labels;
    const size_t count = labels->distinct;
    tanda_status status = TANDA_OK;
    if (labels->text) {
        free(labels->ids);
        labels->ids = NULL;
        status = allocate(&labels->ids, count, sizeof *labels->ids, "classes", error);
        for (size_t i = 0; status == TANDA_OK && i < count; i++)
            labels->ids[i] = (int32_t)i;
    } else {
        free(labels->integers);
        labels->integers = NULL;
        status = allocate(&labels->integers, count, sizeof *labels->integers, "classes", error);
        for (size_t i = 0; status == TANDA_OK && i < count; i++)
            labels->integers[i] = labels->values[i];
    }
    return status;
}

tanda_status learning_finish(learning *learning, shards_meta *meta, tanda_error *error) {
    labels *labels = &learning->labels;
    const size_t count = labels->distinct;
    const bool text = labels->text;
    tanda_dataset found = {0};
    meta->task = learning->has_labels                      ? TANDA_TASK_CLASSES
                 : meta->target_count == 0                 ? TANDA_TASK_AUTO
                 : request_wants_labels(learning->request) ? TANDA_TASK_LABELS
                                                           : TANDA_TASK_REGRESSION;
    if (!learning->has_labels) return TANDA_OK;
    if (labels->is_quantity) {
        meta->task = TANDA_TASK_REGRESSION;
        return TANDA_OK;
    }
    tanda_status status = number_labels(learning, error);
    if (status == TANDA_OK)
        status = allocate(&meta->label_values, count, sizeof *meta->label_values, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        meta->label_values[i] = text ? (int64_t)i : labels->values[i];
    if (status == TANDA_OK) status = labels_finish(labels, count, learning->path, &found, error);
    if (status == TANDA_OK) {
        meta->label_count = count;
        meta->label_classes = found.classes;
        meta->class_names = found.class_names;
        meta->class_count = found.class_count;
        found.classes = NULL;
        found.class_names = NULL;
        found.class_count = 0;
    }
    dataset_clear(&found);
    return status;
}
