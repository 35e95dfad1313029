/* CSV files: a table of numbers in text, with or without a header, and a target of text or numbers. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_rows.h"
#include "data/format.h"
#include "data/number.h"
#include "data/target_check.h"
#include "support/memory.h"

#define LOOKED_AT 4096         /* bytes in which NUL tells that a file is no text */
#define RECORDS_LOOKED_AT 1000 /* for columns of text */
#define LOOKED_AT_ALREADY 1

bool csv_looks_right(const unsigned char *data, size_t size) {
    return size > 0 && memchr(data, '\0', size < LOOKED_AT ? size : LOOKED_AT) == NULL && data[0] != 0x1f &&
           data[0] != 0x93;
}

/* ---- the first row ------------------------------------------------------------------------------------ */

/* Text that can only be a name: no number, and no missing value either. */
static bool is_name(const csv_reader *reader, const char *text) {
    float value;
    csv_field field = {.text = text, .length = strlen(text)};
    if (reader->fills_missing && csv_is_missing(&field)) return false;
    return number_to_float(text, field.length, &value) == NUMBER_NOT;
}

/* The texts of the record at `start`, for names. */
static tanda_status read_names(csv_reader *reader, csv_cursor *cursor, tanda_error *error) {
    reader->columns = csv_count_fields(*cursor);
    size_t room = reader->columns == 0 ? 1 : reader->columns; /* 0: the reading below finds what is wrong */
    tanda_status status = allocate(&reader->names, room, sizeof *reader->names, "column names", error);
    csv_field field = {0};
    for (size_t i = 0; status == TANDA_OK && !field.is_last; i++) {
        place place = {.path = reader->path, .line = cursor->line, .column = i + 1};
        status = csv_next_field(cursor, i, &field, error);
        if (status != TANDA_OK || i >= reader->columns) continue;
        char *name = malloc(field.length + 1);
        if (name == NULL) return fail(error, TANDA_FAILED, "no memory for a name of %zu bytes", field.length);
        size_t length = csv_unquote(&field, name);
        name[length] = '\0';
        reader->names[i] = name;
        if (!is_plain_utf8(name, length))
            status = fail_at(error, &place, "the text is not UTF-8; save the file as UTF-8");
    }
    return status;
}

static bool selects(const csv_reader *reader, bool with_names, selection *selection) {
    return columns_select(reader->request, reader->path, with_names ? reader->names : NULL, reader->columns,
                          selection, NULL) == TANDA_OK;
}

/* Whether columns of text are looked for. */
static bool may_hold_text(const csv_reader *reader) {
    return reader->request->options->categorical_auto && reader->request->expected == NULL;
}

/* Whether the second row, from 1, has a number in a column. */
static bool holds_number(const csv_reader *reader, size_t column) {
    csv_cursor cursor = reader->start;
    csv_field field = {0};
    float value;
    for (size_t record = 0; record < 2; record++) {
        if (csv_at_end(&cursor)) return false;
        for (size_t i = 0; i < reader->columns; i++) {
            if (csv_next_field(&cursor, i, &field, NULL) != TANDA_OK ||
                field.is_last != (i + 1 == reader->columns))
                return false;
            if (record == 1 && i == column)
                return number_to_float(field.text, field.length, &value) == NUMBER_OK;
        }
    }
    return false;
}

static bool takes_text(const selection *selection, size_t column) {
    for (size_t i = 0; i < selection->feature_count; i++)
        if (selection->features[i] == column) return selection->is_category[i];
    return false;
}

/*
 * A first row is a header when all its fields are names, when one that would be a feature of numbers is, or when the
 * options only make sense with names.
 */
static bool find_header(const csv_reader *reader) {
    size_t names = 0;
    for (size_t i = 0; i < reader->columns; i++)
        names += is_name(reader, reader->names[i]);
    if (reader->request->labels_only)
        return names > 0 && csv_count_records(&reader->start) == reader->request->label_rows + 1;
    if (names == reader->columns || names == 0) return names > 0;
    selection plain = {0};
    selection named = {0};
    bool plain_fits = selects(reader, false, &plain);
    bool names_fit = selects(reader, true, &named);
    const selection *chosen = names_fit ? &named : &plain;
    /* nothing fits: options speak of names, a model's expectation of a number of columns */
    bool header = !plain_fits && (names_fit || reader->request->expected == NULL);
    for (size_t i = 0; i < chosen->feature_count; i++) {
        size_t column = chosen->features[i];
        header = header ||
                 (is_name(reader, reader->names[column]) && !takes_text(&plain, column) &&
                  !takes_text(&named, column) && (!may_hold_text(reader) || holds_number(reader, column)));
    }
    selection_free(&plain);
    selection_free(&named);
    return header;
}

static tanda_status read_first_row(csv_reader *reader, tanda_error *error) {
    csv_cursor cursor = reader->start;
    tanda_header header = reader->request->options->header;
    tanda_status status = read_names(reader, &cursor, error);
    if (status != TANDA_OK) return status;
    if (header == TANDA_HEADER_FIRST_ROW || (header == TANDA_HEADER_AUTO && find_header(reader))) {
        reader->start = cursor;
    } else {
        free_texts(reader->names, reader->columns);
        reader->names = NULL;
    }
    if (csv_at_end(&reader->start))
        return fail(error, TANDA_BAD_INPUT, "%s: has a header and no rows of data", reader->path);
    return TANDA_OK;
}

/*
 * Marks the features whose first value that is not missing is text. A faulty record ends the search: the reading will
 * say what is wrong.
 */
static void find_text(csv_reader *reader) {
    selection *selection = &reader->selection;
    size_t left = selection->feature_count;
    csv_cursor cursor = reader->start;
    csv_field field;
    float value;
    for (size_t record = 0; record < RECORDS_LOOKED_AT && left > 0; record++) {
        if (csv_at_end(&cursor)) return;
        for (size_t i = 0; i < reader->columns; i++) {
            if (csv_next_field(&cursor, i, &field, NULL) != TANDA_OK ||
                field.is_last != (i + 1 == reader->columns))
                return;
            ptrdiff_t feature = reader->roles[i];
            if (feature < 0 || reader->places[i] == LOOKED_AT_ALREADY || csv_is_missing(&field)) continue;
            number_status found = number_to_float(field.text, field.length, &value);
            if (found == NUMBER_NOT) selection->is_category[feature] = true;
            reader->places[i] = LOOKED_AT_ALREADY;
            left--;
        }
    }
}

/* Decides what becomes of each column. */
static tanda_status assign_roles(csv_reader *reader, tanda_error *error) {
    const tanda_dataset_options *options = reader->request->options;
    tanda_status status = columns_select(reader->request, reader->path, reader->names, reader->columns,
                                         &reader->selection, error);
    if (status == TANDA_OK)
        status = allocate(&reader->roles, reader->columns, sizeof *reader->roles, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&reader->places, reader->columns, sizeof *reader->places, "columns", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < reader->columns; i++)
        reader->roles[i] = ROLE_IGNORED;
    for (size_t i = 0; i < reader->selection.feature_count; i++)
        reader->roles[reader->selection.features[i]] = (ptrdiff_t)i;
    if (reader->selection.weight != NO_COLUMN) reader->roles[reader->selection.weight] = ROLE_WEIGHT;
    for (size_t i = 0; !options->without_target && i < reader->selection.target_count; i++) {
        size_t column = reader->selection.targets[i];
        reader->roles[column] = reader->selection.target_count == 1 ? ROLE_TARGET : ROLE_QUANTITY;
        reader->places[column] = i;
    }
    if (may_hold_text(reader)) find_text(reader);
    for (size_t i = 0; i < reader->selection.feature_count; i++) {
        if (!reader->selection.is_category[i]) continue;
        reader->roles[reader->selection.features[i]] = ROLE_CATEGORY;
        reader->places[reader->selection.features[i]] = i;
    }
    return TANDA_OK;
}

/* ---- rows --------------------------------------------------------------------------------------------- */

/* Whether the labels are text, going by the first that is not missing; text in a later row makes the reading begin again. */
static bool begins_with_text(const csv_reader *reader) {
    if (request_task(reader->request) == TANDA_TASK_REGRESSION) return false;
    if (reader->request->expected != NULL) return labels_expect_text(reader->request->expected);
    csv_cursor cursor = reader->start;
    csv_field field = {0};
    float value;
    while (!csv_at_end(&cursor)) {
        for (size_t i = 0; i < reader->columns; i++) {
            csv_field found = {0};
            if (csv_next_field(&cursor, i, &found, NULL) != TANDA_OK) return false;
            if (i == reader->selection.target) field = found;
            if (found.is_last) break;
        }
        if (!csv_is_missing(&field)) return number_to_float(field.text, field.length, &value) == NUMBER_NOT;
    }
    return false;
}

/* The place of a field of data, found by going there once more. */
static place find_place(const csv_reader *reader, size_t row, size_t column) {
    csv_cursor cursor = reader->start;
    csv_field field = {0};
    place place = {.path = reader->path,
                   .column = column + 1,
                   .name = reader->names == NULL ? NULL : reader->names[column]};
    for (size_t record = 0; record <= row; record++)
        for (size_t i = 0; i < reader->columns; i++) {
            if (i == column) place.line = cursor.line;
            if (csv_next_field(&cursor, i, &field, NULL) != TANDA_OK || field.is_last) break;
        }
    return place;
}

static tanda_status check_targets(const csv_reader *reader, const table *table, tanda_error *error) {
    const target_fault fault = target_fault_find(table, reader->request);
    if (fault.kind == TARGET_FINE) return TANDA_OK;
    const place place = find_place(reader, fault.row, reader->selection.targets[fault.target]);
    return target_fault_tell(&fault, &place, error);
}

/* In parallel where that can be; what is wrong, or unusual, is read again with care. */
static tanda_status read_rows(csv_reader *reader, const csv_chunks *chunks, table *table,
                              tanda_error *error) {
    size_t target = reader->selection.target;
    bool has_labels = target != NO_COLUMN && reader->roles[target] == ROLE_TARGET;
    bool text = has_labels && begins_with_text(reader);
    bool careful = chunks->has_quotes;
    tanda_status status = TANDA_OK;
    for (;;) {
        table_free(table);
        selection_shape(&reader->selection, reader->request, table);
        table->rows = chunks->rows;
        status =
            table_begin(table, reader->request, reader->path, text, reader->selection.is_category, error);
        if (status != TANDA_OK || (!careful && csv_read_chunks(reader, chunks, table))) return status;
        if (!careful) {
            careful = true;
            continue;
        }
        reader->met_text = false;
        status = csv_read_records(reader, table, error);
        if (!reader->met_text) return status;
        text = true;
        careful = chunks->has_quotes;
    }
}

static tanda_status read_table(csv_reader *reader, table *table, tanda_error *error) {
    csv_chunks chunks = {0};
    tanda_status status = csv_find_chunks(&reader->start, &chunks, error);
    if (status == TANDA_OK) status = read_rows(reader, &chunks, table, error);
    free(chunks.chunks);
    if (status == TANDA_OK) status = check_targets(reader, table, error);
    if (status != TANDA_OK) return status;
    return columns_name(&reader->selection, reader->names, table, error);
}

tanda_status csv_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    if (view->size >= 2 && (memcmp(view->data, "\xff\xfe", 2) == 0 || memcmp(view->data, "\xfe\xff", 2) == 0))
        return fail(error, TANDA_BAD_INPUT, "%s: is UTF-16 text; save it as UTF-8", path);
    csv_reader reader = {.path = path,
                         .request = request,
                         .start = csv_open(path, view->data, view->size),
                         .fills_missing = request_fills_missing(request)};
    if (csv_at_end(&reader.start)) return fail(error, TANDA_BAD_INPUT, "%s: holds no rows", path);
    tanda_status status = read_first_row(&reader, error);
    if (status == TANDA_OK) status = assign_roles(&reader, error);
    if (status == TANDA_OK) status = read_table(&reader, table, error);
    if (status != TANDA_OK) table_free(table);
    free_texts(reader.names, reader.columns);
    selection_free(&reader.selection);
    free(reader.roles);
    free(reader.places);
    free(reader.scratch);
    return status;
}
