#include "data/array_read.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "data/origin.h"
#include "data/selection.h"
#include "data/table.h"
#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

#define MINUS_ZERO 0x80000000u
#define EXPONENT_ALL_ONES 0x7f800000u
#define TILE_ROWS 64
#define TILE_COLUMNS 64

static tanda_status bad_element(const array *array, double exact, size_t row, size_t column,
                                tanda_error *error) {
    place place = {.path = array->path, .row = row, .column = column};
    if (isfinite(exact))
        return fail_at(error, &place, "%.9g is beyond the range of binary32 (3.4e38)", exact);
    return fail_at(error, &place, "%s is not finite: missing and infinite values are not accepted",
                   isnan(exact) ? "nan"
                   : exact > 0  ? "inf"
                                : "-inf");
}

static const unsigned char *element_at(const array *array, size_t row, size_t column) {
    const array_column found = array_find_column(array, column);
    return found.at + row * found.step;
}

/* One value of a feature. A category of an array is a number, written in as few digits as a CSV file would have. */
static tanda_status read_value(const array *array, const place *place, size_t feature, table *table,
                               tanda_error *error) {
    array_number element = array_number_at(array, element_at(array, place->row, place->column));
    float *value = &table->owned[place->row * table->features + feature];
    bool missing = table->raw.fills_missing && isnan(element.value);
    *value = element.value == 0.0f ? 0.0f : element.value;
    if (!isfinite(element.value) && !missing)
        return bad_element(array, element.exact, place->row, place->column, error);
    if (missing || table->raw.categories == NULL || !table->raw.is_category[feature]) return TANDA_OK;
    char text[32];
    size_t index = 0;
    const size_t length = text_put(text, sizeof text, "%.9g", element.exact == 0.0 ? 0.0 : element.exact);
    const tanda_status status =
        categories_add(&table->raw.categories[feature], text, length, place, &index, error);
    *value = (float)index;
    return status;
}

/* An array on its way to rows. */
typedef struct turning {
    const array *array;
    const selection *selection;
    table *table;
    bool failed;
} turning;

/* What is read of one column lies together, and what is written of some columns is used again while it is near. */
static bool turn_tile(const turning *work, size_t row, size_t row_end, size_t first, size_t end) {
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
    turning *work = context;
    const size_t features = work->table->features;
    for (size_t row = first_row; row < end_row; row += TILE_ROWS) {
        const size_t row_end = row + TILE_ROWS < end_row ? row + TILE_ROWS : end_row;
        for (size_t i = 0; i < features; i += TILE_COLUMNS)
            if (!turn_tile(work, row, row_end, i, i + TILE_COLUMNS < features ? i + TILE_COLUMNS : features))
                __atomic_store_n(&work->failed, true, __ATOMIC_RELAXED);
    }
}

/* Values that are not finite are read one by one, as categories are: that tells the first that is wrong. */
static tanda_status read_features(const array *array, const selection *selection, table *table,
                                  tanda_error *error) {
    turning work = {.array = array, .selection = selection, .table = table};
    if (table->raw.categories == NULL) parallel_ranges(array->rows, 16 * TILE_ROWS, turn_rows, &work);
    if (table->raw.categories == NULL && !work.failed) return TANDA_OK;
    place place = {.path = array->path};
    tanda_status status = TANDA_OK;
    for (; status == TANDA_OK && place.row < array->rows; place.row++) {
        for (size_t i = 0; status == TANDA_OK && i < table->features; i++) {
            place.column = selection->features[i];
            status = read_value(array, &place, i, table, error);
        }
    }
    return status;
}

static tanda_status read_labels(const array *array, size_t column, table *table, tanda_error *error) {
    place place = {.path = array->path, .column = column};
    for (place.row = 0; place.row < array->rows; place.row++) {
        array_number element = array_number_at(array, element_at(array, place.row, column));
        if (isnan(element.value)) {
            labels_add_missing(&table->labels, place.row);
            continue;
        }
        if (!isfinite(element.value)) return bad_element(array, element.exact, place.row, column, error);
        float value = element.value == 0.0f ? 0.0f : element.value;
        tanda_status status =
            labels_add_number(&table->labels, place.row, element.exact, value, &place, error);
        if (status != TANDA_OK) return status;
    }
    return TANDA_OK;
}

/* Several targets, (rows, target_count). */
static tanda_status read_targets(const array *array, const selection *selection, table *table,
                                 tanda_error *error) {
    float *target = table->targets;
    for (size_t row = 0; row < array->rows; row++) {
        for (size_t i = 0; i < table->target_count; i++, target++) {
            array_number element = array_number_at(array, element_at(array, row, selection->targets[i]));
            if (!isfinite(element.value) && !isnan(element.value))
                return bad_element(array, element.exact, row, selection->targets[i], error);
            *target = element.value == 0.0f ? 0.0f : element.value;
        }
    }
    return TANDA_OK;
}

static tanda_status check_targets(const array *array, const request *request, const selection *selection,
                                  const table *table, tanda_error *error) {
    const target_fault fault = target_fault_find(table, request);
    if (fault.kind == TARGET_FINE) return TANDA_OK;
    const place place = {.path = array->path, .row = fault.row, .column = selection->targets[fault.target]};
    return target_fault_tell(&fault, &place, error);
}

static tanda_status read_weights(const array *array, size_t column, table *table, tanda_error *error) {
    place place = {.path = array->path, .column = column};
    tanda_status status = TANDA_OK;
    for (; status == TANDA_OK && place.row < array->rows; place.row++) {
        array_number element = array_number_at(array, element_at(array, place.row, column));
        if (!isfinite(element.value)) return bad_element(array, element.exact, place.row, column, error);
        float value = element.value == 0.0f ? 0.0f : element.value;
        status = table_add_weight(table, place.row, value, &place, error);
    }
    return status;
}

static void take_exact_rows(void *context, size_t first_row, size_t end_row) {
    const turning *work = context;
    const exact_columns *exact = &work->table->exact;
    for (size_t row = first_row; row < end_row; row += TILE_ROWS)
        array_take(work->array, exact->columns, exact->count, row,
                   end_row - row < TILE_ROWS ? end_row - row : TILE_ROWS, exact->values + row * exact->count);
}

/* Features that are needed in binary64. Rows that stay as they are, in a file of their own, need no copy for a look. */
static tanda_status read_exact(const array *array, file_view *view, const selection *selection,
                               const request *request, table *table, tanda_error *error) {
    turning work = {.array = array, .selection = selection, .table = table};
    exact_columns *exact = &table->exact;
    tanda_status status = origin_choose(request, table, error);
    if (status != TANDA_OK || exact->count == 0) return status;
    status = allocate(&exact->columns, exact->count, sizeof *exact->columns, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < exact->count; i++)
        exact->columns[i] = selection->features[exact->features[i]];
    if (status == TANDA_OK && request->is_look && view != NULL && !request->has_parts &&
        !request->options->drop_missing_targets) {
        status = allocate(&exact->source, 1, sizeof *exact->source, "columns", error);
        if (status != TANDA_OK) return status;
        *exact->source = *array;
        table->mapping = *view;
        *view = (file_view){0};
        return TANDA_OK;
    }
    if (status == TANDA_OK) status = exact_columns_make(array->rows, exact, error);
    if (status == TANDA_OK) parallel_ranges(array->rows, 16 * TILE_ROWS, take_exact_rows, &work);
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

static tanda_status read_selected(const array *array, file_view *view, const request *request,
                                  selection *selection, table *table, tanda_error *error) {
    table->rows = array->rows;
    table->columns = array->columns;
    selection_shape(selection, request, table);
    if (array->kind == ELEMENT_UTF32 || array->kind == ELEMENT_BYTES) {
        const tanda_status read = array_read_text(array, request, selection, table, error);
        return read == TANDA_OK ? check_targets(array, request, selection, table, error) : read;
    }
    table->from_bytes = array->kind == ELEMENT_UNSIGNED && array->size == 1;
    if (can_be_mapped(array, selection, view)) {
        table->values = (const float *)(const void *)array->data;
        table->mapping = *view;
        *view = (file_view){0};
        return raw_columns_make(array->path, NULL, request_fills_missing(request), table->features,
                                &table->raw, error);
    }
    tanda_status status = columns_name(selection, NULL, table, error);
    if (status == TANDA_OK)
        status = table_begin(table, request, array->path, false, selection->is_category, error);
    if (status == TANDA_OK) status = read_features(array, selection, table, error);
    if (status == TANDA_OK && table->has_labels) status = read_labels(array, selection->target, table, error);
    if (status == TANDA_OK && table->targets != NULL) status = read_targets(array, selection, table, error);
    if (status == TANDA_OK && table->has_weights)
        status = read_weights(array, selection->weight, table, error);
    const bool is_wide =
        array->kind == ELEMENT_FLOAT ? array->size > sizeof(float) : array->size >= sizeof(int32_t);
    if (status == TANDA_OK && is_wide) status = read_exact(array, view, selection, request, table, error);
    return status == TANDA_OK ? check_targets(array, request, selection, table, error) : status;
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

static bool is_one_hot(const array *array, const request *request) {
    const bool is_text = array->kind == ELEMENT_UTF32 || array->kind == ELEMENT_BYTES;
    if (!request->labels_only || array->columns < 2 || is_text ||
        request_task(request) == TANDA_TASK_REGRESSION || request_wants_labels(request))
        return false;
    for (size_t row = 0; row < array->rows; row++)
        if (find_one(array, row) == array->columns) return false;
    return true;
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
        status = labels_add_number(&table->labels, place.row, (double)place.column, (float)place.column,
                                   &place, error);
    }
    if (status != TANDA_OK) table_free(table);
    return status;
}

tanda_status array_read(const array *array, file_view *view, const request *request, table *table,
                        tanda_error *error) {
    selection selection = {0};
    if (is_one_hot(array, request)) return read_one_hot(array, request, table, error);
    tanda_status status = columns_select(request, array->path, NULL, array->columns, &selection, error);
    if (status != TANDA_OK) return status;
    status = read_selected(array, view, request, &selection, table, error);
    selection_free(&selection);
    if (status != TANDA_OK) table_free(table);
    return status;
}
