/* Arrays of text: what a number is in CSV is one here. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/array_read.h"
#include "data/dialect.h"
#include "data/number.h"
#include "data/origin.h"
#include "support/memory.h"

#define REPLACEMENT 0xfffdu /* what is no character is none in UTF-8 either */

/* One array of text and room for one element of it as UTF-8. */
typedef struct reading {
    const array *array;
    const request *request;
    const selection *selection;
    table *table;
    char *text; /* (array->size), which is enough: UTF-32 takes 4 bytes for each character */
} reading;

/* Writes a character as UTF-8 (RFC 3629) and returns how many bytes it takes. */
static size_t write_utf8(uint32_t code, char *text) {
    if (code > 0x10ffffu || (code >= 0xd800u && code < 0xe000u)) code = REPLACEMENT;
    if (code < 0x80u) {
        text[0] = (char)code;
        return 1;
    }
    const size_t length = code < 0x800u ? 2 : code < 0x10000u ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        text[i] = (char)(0x80u | (code & 0x3fu));
    text[0] = (char)(leads[length] | code);
    return length;
}

/* The element's text, without the zeros and blanks behind it and the blanks before it. */
static const char *element_text(const reading *reading, size_t row, size_t column, size_t *length) {
    const array *array = reading->array;
    const array_column where = array_find_column(array, column);
    const unsigned char *at = where.at + row * where.step;
    char *text = reading->text;
    size_t end = 0;
    if (array->kind == ELEMENT_BYTES)
        memcpy(text, at, end = array->size);
    else
        for (size_t i = 0; i < array->size; i += 4) {
            uint32_t code;
            memcpy(&code, at + i, sizeof code);
            end += write_utf8(array->big_endian ? __builtin_bswap32(code) : code, text + end);
        }
    while (end > 0 && (text[end - 1] == '\0' || text[end - 1] == ' '))
        end--;
    while (end > 0 && *text == ' ') {
        text++;
        end--;
    }
    *length = end;
    return text;
}

static tanda_status read_number(const reading *reading, const place *place, const char *hint, double *exact,
                                float *value, tanda_error *error) {
    char quoted[SHOWN_SIZE];
    size_t length = 0;
    const char *text = element_text(reading, place->row, place->column, &length);
    number_status problem = number_to_float(text, length, value);
    if (problem == NUMBER_OK) problem = number_to_double(text, length, exact);
    if (problem == NUMBER_OK) return TANDA_OK;
    if (problem == NUMBER_EMPTY)
        return fail_at(error, place, "empty text: missing values are not accepted%s", hint);
    return fail_at(error, place, "'%s' %s%s", shown(text, length, quoted), number_problem(problem), hint);
}

static tanda_status read_feature(const reading *reading, const place *place, size_t feature,
                                 tanda_error *error) {
    table *table = reading->table;
    float *value = &table->owned[place->row * table->features + feature];
    const bool is_category = table->raw.categories != NULL && table->raw.is_category[feature];
    size_t length = 0, index = 0;
    double exact;
    const char *text = element_text(reading, place->row, place->column, &length);
    if (table->raw.fills_missing && missing_is_word(reading->request->options, text, length)) {
        *value = NAN;
        return TANDA_OK;
    }
    if (!is_category)
        return read_number(reading, place,
                           reading->request->expected == NULL ? "; --categorical takes text" : "", &exact,
                           value, error);
    if (length == 0) return fail_at(error, place, "empty text: missing values are not accepted");
    const tanda_status status =
        categories_add(&table->raw.categories[feature], text, length, place, &index, error);
    *value = (float)index;
    return status;
}

/* Features that binary32 would ruin, again. */
static tanda_status read_exact(const reading *reading, tanda_error *error) {
    table *table = reading->table;
    exact_columns *exact = &table->exact;
    tanda_status status = origin_choose(reading->request, table, error);
    if (status == TANDA_OK && exact->count > 0) status = exact_columns_make(table->rows, exact, error);
    size_t length = 0;
    for (size_t row = 0; status == TANDA_OK && exact->count > 0 && row < table->rows; row++)
        for (size_t i = 0; i < exact->count; i++) {
            const size_t feature = exact->features[i];
            double value = (double)table->owned[row * table->features + feature];
            const char *text = element_text(reading, row, reading->selection->features[feature], &length);
            if (!isnan(value)) number_to_double(text, length, &value);
            exact->values[row * exact->count + i] = value;
        }
    return status;
}

static bool holds_text(const reading *reading, size_t column) {
    float value;
    size_t length = 0;
    for (size_t row = 0; row < reading->array->rows; row++) {
        const char *text = element_text(reading, row, column, &length);
        if (number_to_float(text, length, &value) == NUMBER_NOT &&
            !missing_is_word(reading->request->options, text, length))
            return true;
    }
    return false;
}

/* Whether the only target has text that is no number, and may have it. */
static bool labels_are_text(const reading *reading) {
    const dataset_expectation *classes = request_classes(reading->request);
    if (reading->selection->target == NO_COLUMN || request_task(reading->request) == TANDA_TASK_REGRESSION)
        return false;
    if (reading->request->text_labels) return true;
    return classes != NULL ? labels_expect_text(classes) : holds_text(reading, reading->selection->target);
}

static tanda_status read_labels(const reading *reading, tanda_error *error) {
    labels *labels = &reading->table->labels;
    place place = {.path = reading->array->path, .column = reading->selection->target};
    tanda_status status = TANDA_OK;
    for (; status == TANDA_OK && place.row < reading->array->rows; place.row++) {
        double exact = 0.0;
        float value = 0.0f;
        size_t length = 0;
        const char *text = element_text(reading, place.row, place.column, &length);
        if (missing_is_word(reading->request->options, text, length) &&
            !labels_expects(labels, text, length)) {
            labels_add_missing(labels, place.row);
            continue;
        }
        if (labels->text) {
            status = labels_add_text(labels, place.row, text, length, &place, error);
            continue;
        }
        status = read_number(reading, &place, "", &exact, &value, error);
        if (status == TANDA_OK) status = labels_add_number(labels, place.row, exact, value, &place, error);
    }
    return status;
}

/* Several targets, NaN where one is missing, and weights. */
static tanda_status read_others(const reading *reading, tanda_error *error) {
    table *table = reading->table;
    place place = {.path = reading->array->path};
    tanda_status status = TANDA_OK;
    double exact;
    for (; status == TANDA_OK && place.row < reading->array->rows; place.row++) {
        for (size_t i = 0; status == TANDA_OK && table->targets != NULL && i < table->target_count; i++) {
            float *value = &table->targets[place.row * table->target_count + i];
            size_t length = 0;
            place.column = reading->selection->targets[i];
            const char *text = element_text(reading, place.row, place.column, &length);
            if (missing_is_word(reading->request->options, text, length))
                *value = NAN;
            else
                status = read_number(reading, &place, "", &exact, value, error);
        }
        if (status != TANDA_OK || !table->has_weights) continue;
        float weight = 0.0f;
        place.column = reading->selection->weight;
        status = read_number(reading, &place, "", &exact, &weight, error);
        if (status == TANDA_OK) status = table_add_weight(table, place.row, weight, &place, error);
    }
    return status;
}

tanda_status array_read_text(const array *array, const request *request, selection *selection, table *table,
                             tanda_error *error) {
    reading reading = {.array = array, .request = request, .selection = selection, .table = table};
    tanda_status status = allocate(&reading.text, array->size, 1, "text", error);
    const bool finds_text = request->options->categorical_auto && request->expected == NULL;
    for (size_t i = 0; status == TANDA_OK && finds_text && i < selection->feature_count; i++)
        if (holds_text(&reading, selection->features[i])) selection->is_category[i] = true;
    if (status == TANDA_OK)
        status = table_begin(table, request, array->path, labels_are_text(&reading), selection->is_category,
                             error);
    for (size_t row = 0; status == TANDA_OK && row < array->rows; row++)
        for (size_t i = 0; status == TANDA_OK && i < table->features; i++) {
            const place place = {.path = array->path, .row = row, .column = selection->features[i]};
            status = read_feature(&reading, &place, i, error);
        }
    if (status == TANDA_OK && table->has_labels) status = read_labels(&reading, error);
    if (status == TANDA_OK) status = read_others(&reading, error);
    if (status == TANDA_OK) status = read_exact(&reading, error);
    free(reading.text);
    return status;
}
