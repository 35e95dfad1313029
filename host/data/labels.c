#include "data/labels.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/arithmetic.h"
#include "support/memory.h"
#include "support/text.h"

#define FIRST_CAPACITY 16
#define INTEGER_TEXT_SIZE 24
#define WHOLE_MAX 0x1p53 /* integers up to here are exact in binary64 */

bool labels_expect_text(const dataset_expectation *expected) {
    char text[INTEGER_TEXT_SIZE]; /* that an integer label gets as a class name */
    for (size_t i = 0; i < expected->class_count; i++) {
        text_put(text, sizeof text, "%lld", strtoll(expected->class_names[i], NULL, 10));
        if (strcmp(text, expected->class_names[i]) != 0) return true;
    }
    return false;
}

tanda_status labels_begin(labels *labels, tanda_task task, const dataset_expectation *expected, size_t rows,
                          bool text, tanda_error *error) {
    *labels = (struct labels){.task = task, .expected = expected, .rows = rows, .text = text};
    labels->capacity = FIRST_CAPACITY;
    tanda_status status = TANDA_OK;
    if (text) {
        status = allocate(&labels->ids, rows, sizeof *labels->ids, "labels", error);
        if (status == TANDA_OK)
            status = allocate(&labels->known, labels->capacity, sizeof *labels->known, "classes", error);
        if (status == TANDA_OK) status = text_set_begin(&labels->names, "a class name", error);
    } else {
        labels->is_quantity = task == TANDA_TASK_REGRESSION;
        status = allocate(&labels->numbers, rows, sizeof *labels->numbers, "targets", error);
        if (status == TANDA_OK && !labels->is_quantity)
            status = allocate(&labels->integers, rows, sizeof *labels->integers, "labels", error);
        if (status == TANDA_OK && !labels->is_quantity)
            status = allocate(&labels->values, labels->capacity, sizeof *labels->values, "classes", error);
    }
    if (status != TANDA_OK) labels_free(labels);
    return status;
}

void labels_free(labels *labels) {
    free(labels->ids);
    free(labels->numbers);
    free(labels->integers);
    text_set_free(&labels->names);
    free(labels->known);
    free(labels->values);
    *labels = (struct labels){0};
}

/* Room for one more class in *memory, which has an item for each. */
static tanda_status grow(labels *labels, void *memory, size_t size, tanda_error *error) {
    void *old = NULL, *block = NULL;
    if (labels->distinct < labels->capacity) return TANDA_OK;
    tanda_status status = allocate(&block, 2 * labels->capacity, size, "classes", error);
    if (status != TANDA_OK) return status;
    memcpy(&old, memory, sizeof old);
    memcpy(block, old, labels->distinct * size);
    free(old);
    memcpy(memory, &block, sizeof block);
    labels->capacity *= 2;
    return TANDA_OK;
}

static tanda_status too_many_classes(const place *place, tanda_error *error) {
    return fail_at(error, place,
                   "more than %d classes so far: is this column an identifier or a quantity? "
                   "Choose another --target, or --task regression for numbers",
                   LABELS_CLASSES_MAX);
}

static tanda_status check_expected(const labels *labels, const char *name, int32_t *index, const place *place,
                                   tanda_error *error) {
    char shown_name[SHOWN_SIZE];
    char first[SHOWN_SIZE];
    const dataset_expectation *expected = labels->expected;
    *index = -1;
    if (expected == NULL) return TANDA_OK;
    for (size_t i = 0; i < expected->class_count && *index < 0; i++)
        if (texts_are_same(expected->class_names[i], name)) *index = (int32_t)i;
    if (*index >= 0) return TANDA_OK;
    shown(name, strlen(name), shown_name);
    if (expected->class_count == 0) return fail_at(error, place, "'%s' is no number", shown_name);
    shown(expected->class_names[0], strlen(expected->class_names[0]), first);
    return fail_at(error, place, "'%s' is none of the model's %zu classes, the first of which is '%s'",
                   shown_name, expected->class_count, first);
}

bool labels_expects(const labels *labels, const char *text, size_t length) {
    const dataset_expectation *expected = labels->expected;
    for (size_t i = 0; expected != NULL && i < expected->class_count; i++)
        if (strlen(expected->class_names[i]) == length && memcmp(expected->class_names[i], text, length) == 0)
            return true;
    return false;
}

void labels_add_missing(labels *labels, size_t row) {
    if (labels->text)
        labels->ids[row] = LABELS_MISSING;
    else
        labels->numbers[row] = NAN;
}

tanda_status labels_add_text(labels *labels, size_t row, const char *text, size_t length, const place *place,
                             tanda_error *error) {
    const size_t index = text_set_find(&labels->names, text, length);
    if (index != TEXT_SET_NONE) {
        labels->ids[row] = (int32_t)index;
        return TANDA_OK;
    }
    if (!is_plain_utf8(text, length)) return fail_at(error, place, "the label is not UTF-8 text");
    if (labels->distinct == LABELS_CLASSES_MAX) return too_many_classes(place, error);
    tanda_status status = grow(labels, &labels->known, sizeof *labels->known, error);
    if (status == TANDA_OK) status = text_set_add(&labels->names, text, length, "a class name", error);
    if (status != TANDA_OK) return status;
    const size_t added = labels->distinct++;
    labels->ids[row] = (int32_t)added;
    return check_expected(labels, labels->names.texts[added], &labels->known[added], place, error);
}

void labels_become_quantity(labels *labels) {
    labels->is_quantity = true;
    free(labels->integers);
    labels->integers = NULL;
}

static tanda_status add_value(labels *labels, size_t index, int64_t value, const place *place,
                              tanda_error *error) {
    char name[INTEGER_TEXT_SIZE];
    int32_t known = 0;
    text_put(name, sizeof name, "%" PRId64, value);
    tanda_status status = check_expected(labels, name, &known, place, error);
    if (status != TANDA_OK) return status;
    if (labels->distinct == LABELS_CLASSES_MAX) return too_many_classes(place, error);
    status = grow(labels, &labels->values, sizeof *labels->values, error);
    if (status != TANDA_OK) return status;
    memmove(labels->values + index + 1, labels->values + index,
            (labels->distinct - index) * sizeof *labels->values);
    labels->values[index] = value;
    labels->distinct++;
    return TANDA_OK;
}

tanda_status labels_add_number(labels *labels, size_t row, double exact, float value, const place *place,
                               tanda_error *error) {
    labels->numbers[row] = value;
    if (labels->is_quantity) return TANDA_OK;
    bool whole = exact >= -WHOLE_MAX && exact <= WHOLE_MAX && exact == (double)(int64_t)exact;
    if (!whole && labels->task == TANDA_TASK_AUTO) {
        labels_become_quantity(labels);
        return TANDA_OK;
    }
    if (!whole)
        return fail_at(error, place, "%.9g is no class: classes are whole numbers or text%s", exact,
                       labels->expected == NULL ? "; --task regression takes any number" : "");
    int64_t integer = (int64_t)exact;
    labels->integers[row] = integer;
    size_t index = find_ascending(labels->values, labels->distinct, integer);
    if (index < labels->distinct && labels->values[index] == integer) return TANDA_OK;
    if (labels->task == TANDA_TASK_AUTO && labels->distinct == LABELS_AUTO_CLASSES) {
        labels_become_quantity(labels);
        return TANDA_OK;
    }
    return add_value(labels, index, integer, place, error);
}

/* Own classes from text: names are sorted, rows get the rank of their name. */
static tanda_status number_texts(labels *labels, size_t rows, tanda_dataset *dataset, tanda_error *error) {
    char **names = NULL;
    const text_set *set = &labels->names;
    tanda_status status = copy_texts(&names, set->texts, set->count, error);
    if (status != TANDA_OK) return status;
    qsort(names, set->count, sizeof *names, text_compare);
    for (size_t rank = 0; rank < set->count; rank++)
        labels->known[text_set_find(set, names[rank], strlen(names[rank]))] = (int32_t)rank;
    for (size_t row = 0; row < rows; row++)
        labels->ids[row] = labels->known[labels->ids[row]];
    dataset->class_names = names;
    dataset->class_count = set->count;
    dataset->classes = labels->ids;
    labels->ids = NULL;
    return TANDA_OK;
}

/* Own classes from integers, whose rank is their index among the ascending values. */
static tanda_status number_integers(labels *labels, size_t rows, tanda_dataset *dataset, tanda_error *error) {
    char **names = NULL;
    int32_t *classes = NULL;
    tanda_status status = allocate(&names, labels->distinct, sizeof *names, "classes", error);
    if (status == TANDA_OK) status = allocate(&classes, rows, sizeof *classes, "labels", error);
    for (size_t i = 0; status == TANDA_OK && i < labels->distinct; i++) {
        char text[INTEGER_TEXT_SIZE];
        text_put(text, sizeof text, "%" PRId64, labels->values[i]);
        status = copy_text(&names[i], text, error);
    }
    if (status != TANDA_OK) {
        free_texts(names, labels->distinct);
        free(classes);
        return status;
    }
    for (size_t row = 0; row < rows; row++)
        classes[row] = (int32_t)find_ascending(labels->values, labels->distinct, labels->integers[row]);
    dataset->class_names = names;
    dataset->class_count = labels->distinct;
    dataset->classes = classes;
    return TANDA_OK;
}

/* The expected classes' numbering: every label is known to be one of them. */
static tanda_status number_as_expected(labels *labels, size_t rows, tanda_dataset *dataset,
                                       tanda_error *error) {
    const dataset_expectation *expected = labels->expected;
    int32_t *ranks = NULL; /* of each own class among the expected */
    tanda_status status = TANDA_OK;
    if (labels->text) {
        ranks = labels->known;
        dataset->classes = labels->ids;
        labels->known = NULL;
        labels->ids = NULL;
    } else {
        status = number_integers(labels, rows, dataset, error);
        if (status == TANDA_OK) status = allocate(&ranks, labels->distinct, sizeof *ranks, "classes", error);
        for (size_t i = 0; status == TANDA_OK && i < labels->distinct; i++)
            for (size_t j = 0; j < expected->class_count; j++)
                if (strcmp(dataset->class_names[i], expected->class_names[j]) == 0) ranks[i] = (int32_t)j;
        free_texts(dataset->class_names, dataset->class_count);
        dataset->class_names = NULL;
        dataset->class_count = 0;
    }
    for (size_t row = 0; status == TANDA_OK && row < rows; row++)
        dataset->classes[row] = ranks[dataset->classes[row]];
    free(ranks);
    if (status != TANDA_OK) return status;
    status = copy_texts(&dataset->class_names, expected->class_names, expected->class_count, error);
    if (status == TANDA_OK) dataset->class_count = expected->class_count;
    return status;
}

tanda_status labels_finish(labels *labels, size_t rows, const char *path, tanda_dataset *dataset,
                           tanda_error *error) {
    dataset->task_was_found = labels->task == TANDA_TASK_AUTO;
    dataset->task = labels->is_quantity ? TANDA_TASK_REGRESSION : TANDA_TASK_CLASSES;
    if (labels->is_quantity) {
        dataset->targets = labels->numbers;
        labels->numbers = NULL;
        return TANDA_OK;
    }
    if (labels->expected != NULL) return number_as_expected(labels, rows, dataset, error);
    tanda_status status = labels->text ? number_texts(labels, rows, dataset, error)
                                       : number_integers(labels, rows, dataset, error);
    if (status != TANDA_OK || dataset->class_count > 1) return status;
    char only[SHOWN_SIZE];
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: every label is '%s': classification needs at least two classes (is --target the right column?)",
        path, shown(dataset->class_names[0], strlen(dataset->class_names[0]), only));
}
