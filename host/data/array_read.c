/* From a matrix of plain elements to a table: the common part of .npy and IDX. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/number.h"
#include "data/origin.h"
#include "data/selection.h"
#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

#define MINUS_ZERO 0x80000000u
#define EXPONENT_ALL_ONES 0x7f800000u
#define TILE_ROWS 64
#define TILE_COLUMNS 64
#define REPLACEMENT 0xfffdu   /* what is no character is none in UTF-8 either */
#define ELEMENT_TEXT_LEAST 32 /* room for any number */

/* An array on its way to rows. */
typedef struct reading {
    const array *array;
    const request *request;
    const selection *selection;
    table *table;
    char *text; /* room for an element as UTF-8: UTF-32 takes 4 bytes for each character */
    bool failed;
} reading;

static bool is_text(const array *array) {
    return array->kind == ELEMENT_UTF32 || array->kind == ELEMENT_BYTES;
}

static const unsigned char *element_at(const array *array, size_t row, size_t column) {
    const array_column found = array_find_column(array, column);
    return found.at + row * found.step;
}

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

/*
 * The element's text, without the zeros and blanks behind it and the blanks before it. A number is written in as few digits
 * as a CSV file would have.
 */
static const char *element_text(const reading *reading, const place *place, size_t *length) {
    const array *array = reading->array;
    const unsigned char *at = element_at(array, place->row, place->column);
    char *text = reading->text;
    size_t end = 0;
    if (!is_text(array)) {
        const double exact = array_number_at(array, at).exact;
        *length = text_put(text, ELEMENT_TEXT_LEAST, "%.9g", exact == 0.0 ? 0.0 : exact);
        return text;
    }
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

static bool is_missing(const reading *reading, const place *place) {
    size_t length = 0;
    if (!is_text(reading->array))
        return isnan(
            array_number_at(reading->array, element_at(reading->array, place->row, place->column)).value);
    const char *text = element_text(reading, place, &length);
    return missing_is_word(reading->request->options, text, length);
}

tanda_status array_check_number(array_number element, const place *place, tanda_error *error) {
    if (isfinite(element.value)) return TANDA_OK;
    if (isfinite(element.exact))
        return fail_at(error, place, "%.9g is beyond the range of binary32 (3.4e38)", element.exact);
    return fail_at(error, place, "%s is not finite: missing and infinite values are not accepted",
                   isnan(element.exact)  ? "nan"
                   : element.exact > 0.0 ? "inf"
                                         : "-inf");
}

/* The hint says how text could be taken. */
static tanda_status read_number(const reading *reading, const place *place, const char *hint, double *exact,
                                float *value, tanda_error *error) {
    const array *array = reading->array;
    char quoted[SHOWN_SIZE];
    size_t length = 0;
    if (!is_text(array)) {
        const array_number element = array_number_at(array, element_at(array, place->row, place->column));
        *exact = element.exact;
        *value = element.value == 0.0f ? 0.0f : element.value;
        return array_check_number(element, place, error);
    }
    const char *text = element_text(reading, place, &length);
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
    tanda_status status = TANDA_OK;
    if (table->raw.fills_missing && is_missing(reading, place)) {
        *value = NAN;
        return TANDA_OK;
    }
    if (!is_category || !is_text(reading->array)) /* a category of an array of numbers is one */
        status = read_number(reading, place,
                             reading->request->expected == NULL ? "; --categorical takes text" : "", &exact,
                             value, error);
    if (status != TANDA_OK || !is_category) return status;
    const char *text = element_text(reading, place, &length);
    if (length == 0) return fail_at(error, place, "empty text: missing values are not accepted");
    status = categories_add(&table->raw.categories[feature], text, length, place, &index, error);
    *value = (float)index;
    return status;
}

/* Whether a column has text that is no number. */
static bool holds_text(const reading *reading, size_t column) {
    float value;
    size_t length = 0;
    place place = {.column = column};
    for (; is_text(reading->array) && place.row < reading->array->rows; place.row++) {
        const char *text = element_text(reading, &place, &length);
        if (number_to_float(text, length, &value) == NUMBER_NOT &&
            !missing_is_word(reading->request->options, text, length))
            return true;
    }
    return false;
}

/* What is read of one column lies together, and what is written of some columns is used again while it is near. */
static bool turn_tile(const reading *work, size_t row, size_t row_end, size_t first, size_t end) {
    const size_t features = work->table->features;
    const bool fills_missing = work->table->raw.fills_missing;
    bool finite = true;
    for (size_t i = first; i < end; i++) {
        const array_column column = array_find_column(work->array, work->selection->features[i]);
        for (size_t r = row; r < row_end; r++) {
            const float value = array_number_at(work->array, column.at + r * column.step).value;
            finite = finite && (isfinite(value) || (fills_missing && isnan(value)));
            work->table->owned[r * features + i] = value == 0.0f ? 0.0f : value;
        }
    }
    return finite;
}

static void turn_rows(void *context, size_t first_row, size_t end_row) {
    reading *work = context;
    const size_t features = work->table->features;
    for (size_t row = first_row; row < end_row; row += TILE_ROWS) {
        const size_t row_end = row + TILE_ROWS < end_row ? row + TILE_ROWS : end_row;
        for (size_t i = 0; i < features; i += TILE_COLUMNS)
            if (!turn_tile(work, row, row_end, i, i + TILE_COLUMNS < features ? i + TILE_COLUMNS : features))
                __atomic_store_n(&work->failed, true, __ATOMIC_RELAXED);
    }
}

/* Values that are not finite are read one by one, as categories and text are: that tells the first that is wrong. */
static tanda_status read_features(reading *reading, tanda_error *error) {
    const array *array = reading->array;
    const table *table = reading->table;
    place place = {.path = array->path};
    tanda_status status = TANDA_OK;
    if (table->raw.categories == NULL && !is_text(array)) {
        parallel_ranges(array->rows, 16 * TILE_ROWS, turn_rows, reading);
        if (!reading->failed) return TANDA_OK;
    }
    for (; status == TANDA_OK && place.row < array->rows; place.row++) {
        for (size_t i = 0; status == TANDA_OK && i < table->features; i++) {
            place.column = reading->selection->features[i];
            status = read_feature(reading, &place, i, error);
        }
    }
    return status;
}

static void take_exact_rows(void *context, size_t first_row, size_t end_row) {
    const reading *work = context;
    const exact_columns *exact = &work->table->exact;
    for (size_t row = first_row; row < end_row; row += TILE_ROWS)
        array_take(work->array, exact->columns, exact->count, row,
                   end_row - row < TILE_ROWS ? end_row - row : TILE_ROWS, exact->values + row * exact->count);
}

/* Features that are needed in binary64. Rows that stay as they are, in a file of their own, need no copy for a look. */
static tanda_status read_exact(reading *reading, file_view *view, tanda_error *error) {
    const array *array = reading->array;
    const request *request = reading->request;
    table *table = reading->table;
    exact_columns *exact = &table->exact;
    tanda_status status = origin_choose(request, table, error);
    if (status != TANDA_OK || exact->count == 0) return status;
    status = allocate(&exact->columns, exact->count, sizeof *exact->columns, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < exact->count; i++)
        exact->columns[i] = reading->selection->features[exact->features[i]];
    if (status == TANDA_OK && request->is_look && view != NULL && !is_text(array) && !request->has_parts &&
        !request->options->drop_missing_targets) {
        status = allocate(&exact->source, 1, sizeof *exact->source, "columns", error);
        if (status != TANDA_OK) return status;
        *exact->source = *array;
        table->mapping = *view;
        *view = (file_view){0};
        return TANDA_OK;
    }
    if (status == TANDA_OK) status = exact_columns_make(array->rows, exact, error);
    if (status == TANDA_OK && !is_text(array))
        parallel_ranges(array->rows, 16 * TILE_ROWS, take_exact_rows, reading);
    place place = {.row = 0};
    for (; status == TANDA_OK && is_text(array) && place.row < table->rows; place.row++)
        for (size_t i = 0, length = 0; i < exact->count; i++) {
            double value = (double)table->owned[place.row * table->features + exact->features[i]];
            place.column = exact->columns[i];
            const char *text = element_text(reading, &place, &length);
            if (!isnan(value)) number_to_double(text, length, &value);
            exact->values[place.row * exact->count + i] = value;
        }
    return status;
}

static tanda_status read_label(const reading *reading, const place *place, tanda_error *error) {
    labels *labels = reading->table->labels;
    double exact = 0.0;
    float value = 0.0f;
    size_t length = 0;
    const char *text = is_text(reading->array) ? element_text(reading, place, &length) : NULL;
    const bool missing = text == NULL ? is_missing(reading, place)
                                      : missing_is_word(reading->request->options, text, length) &&
                                            !labels_expects(labels, text, length);
    if (missing) {
        labels_add_missing(labels, place->row);
        return TANDA_OK;
    }
    if (labels->text) return labels_add_text(labels, place->row, text, length, place, error);
    const tanda_status status = read_number(reading, place, "", &exact, &value, error);
    return status == TANDA_OK ? labels_add_number(labels, place->row, exact, value, place, error) : status;
}

/* Labels, or several targets, NaN where one is missing; and weights. */
static tanda_status read_targets(const reading *reading, tanda_error *error) {
    const selection *selection = reading->selection;
    table *table = reading->table;
    place place = {.path = reading->array->path};
    tanda_status status = TANDA_OK;
    double exact;
    place.column = selection->target;
    for (; status == TANDA_OK && table->labels != NULL && place.row < table->rows; place.row++)
        status = read_label(reading, &place, error);
    for (place.row = 0; status == TANDA_OK && place.row < table->rows; place.row++) {
        for (size_t i = 0; status == TANDA_OK && table->targets != NULL && i < table->target_count; i++) {
            float *value = &table->targets[place.row * table->target_count + i];
            place.column = selection->targets[i];
            if (is_missing(reading, &place))
                *value = NAN;
            else
                status = read_number(reading, &place, "", &exact, value, error);
        }
        if (status != TANDA_OK || !table->has_weights) continue;
        float weight = 0.0f;
        place.column = selection->weight;
        status = read_number(reading, &place, "", &exact, &weight, error);
        if (status == TANDA_OK) status = table_add_weight(table, place.row, weight, &place, error);
    }
    return status;
}

/* True when every value can be used as it lies: finite and not -0. A row of bits is looked at as a whole. */
static bool is_clean(const float *values, size_t count) {
    uint32_t dirty = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof bits);
        dirty |= (uint32_t)(bits == MINUS_ZERO) | (uint32_t)((bits & EXPONENT_ALL_ONES) == EXPONENT_ALL_ONES);
    }
    return dirty == 0;
}

static bool can_be_mapped(const array *array, const selection *selection, const file_view *view) {
    if (view == NULL || array->by_columns || array->kind != ELEMENT_FLOAT || array->size != sizeof(float) ||
        array->big_endian)
        return false;
    if (!selection_is_whole(selection, array->columns) || (uintptr_t)array->data % _Alignof(float) != 0)
        return false;
    for (size_t i = 0; i < selection->feature_count; i++)
        if (selection->is_category[i]) return false;
    return is_clean((const float *)(const void *)array->data, array->rows * array->columns);
}

static tanda_status read_columns(reading *reading, file_view *view, selection *selection,
                                 tanda_error *error) {
    const array *array = reading->array;
    const request *request = reading->request;
    table *table = reading->table;
    const size_t room = array->size < ELEMENT_TEXT_LEAST ? ELEMENT_TEXT_LEAST : array->size;
    const bool finds_text = request->options->categorical_auto && request->expected == NULL;
    const bool is_wide = array_is_wide(array);
    tanda_status status = allocate(&reading->text, room, 1, "text", error);
    for (size_t i = 0; status == TANDA_OK && finds_text && i < selection->feature_count; i++)
        selection->is_category[i] |= holds_text(reading, selection->features[i]);
    if (status == TANDA_OK && !is_text(array)) status = columns_name(selection, NULL, table, error);
    if (status != TANDA_OK) return status;
    /* whether the only target has text that is no number, and may have it */
    const dataset_expectation *classes = request_classes(request);
    const bool may_be_text =
        is_text(array) && selection->target != NO_COLUMN && request_task(request) != TANDA_TASK_REGRESSION;
    const bool text_labels =
        may_be_text && (request->text_labels || (classes != NULL ? labels_expect_text(classes)
                                                                 : holds_text(reading, selection->target)));
    status = table_begin(table, request, array->path, text_labels, selection->is_category, error);
    if (status == TANDA_OK) status = read_features(reading, error);
    if (status == TANDA_OK) status = read_targets(reading, error);
    if (status == TANDA_OK && (is_wide || is_text(array))) status = read_exact(reading, view, error);
    if (status != TANDA_OK) return status;
    const target_fault fault = target_fault_find(table, request);
    const place place = {.path = array->path,
                         .row = fault.row,
                         .column = fault.kind == TARGET_FINE ? 0 : selection->targets[fault.target]};
    return target_fault_tell(&fault, &place, error);
}

/* ---- classes as rows of 0 and one 1 ------------------------------------------------------------------- */

/* The column of the only 1 in a row of zeros; columns for any other row. */
static size_t find_one(const array *array, size_t row) {
    size_t found = array->columns;
    for (size_t column = 0; column < array->columns; column++) {
        const double value = array_number_at(array, element_at(array, row, column)).exact;
        if (value != 0.0 && (value != 1.0 || found < array->columns)) return array->columns;
        if (value == 1.0) found = column;
    }
    return found;
}

/* The columns' indexes are the labels. */
static tanda_status read_one_hot(const array *array, const request *request, table *table,
                                 tanda_error *error) {
    place place = {.path = array->path};
    table->rows = array->rows;
    table->columns = array->columns;
    table->target_count = 1;
    tanda_status status = table_begin(table, request, array->path, false, NULL, error);
    for (; status == TANDA_OK && place.row < array->rows; place.row++) {
        place.column = find_one(array, place.row);
        status = labels_add_number(table->labels, place.row, (double)place.column, (float)place.column,
                                   &place, error);
    }
    if (status != TANDA_OK) table_free(table);
    return status;
}

tanda_status array_read(const array *array, file_view *view, const request *request, table *table,
                        tanda_error *error) {
    selection selection = {0};
    bool is_one_hot = request->labels_only && array->columns > 1 && !is_text(array) &&
                      request_task(request) != TANDA_TASK_REGRESSION && !request_wants_labels(request);
    for (size_t row = 0; is_one_hot && row < array->rows; row++)
        is_one_hot = find_one(array, row) < array->columns;
    if (is_one_hot) return read_one_hot(array, request, table, error);
    tanda_status status = columns_select(request, array->path, NULL, array->columns, &selection, error);
    if (status != TANDA_OK) return status;
    reading reading = {.array = array, .request = request, .selection = &selection, .table = table};
    table->rows = array->rows;
    table->columns = array->columns;
    table->from_bytes = array->kind == ELEMENT_UNSIGNED && array->size == 1;
    selection_shape(&selection, request, table);
    if (can_be_mapped(array, &selection, view)) {
        table->values = (const float *)(const void *)array->data;
        table->mapping = *view;
        *view = (file_view){0};
        status = raw_columns_make(array->path, NULL, request_fills_missing(request), table->features,
                                  &table->raw, error);
    } else {
        status = read_columns(&reading, view, &selection, error);
    }
    free(reading.text);
    selection_free(&selection);
    if (status != TANDA_OK) table_free(table);
    return status;
}
