/* CSV files: a table of numbers in text, with or without a header, and a target of text or numbers. */
#include <stdlib.h>
#include <string.h>

#include "data/columns.h"
#include "data/csv_text.h"
#include "data/format.h"
#include "data/number.h"
#include "support/memory.h"

#define LOOKED_AT 4096 /* bytes in which NUL tells that a file is no text */

/* What is done with a column; a value of 0 or more is the index of a feature. */
#define ROLE_IGNORED -1
#define ROLE_TARGET -2

typedef struct reader {
    const char *path;
    const request *request;
    csv_cursor start; /* the first record of data */
    size_t columns;
    char **names; /* columns entries, or NULL without a header */
    selection selection;
    ptrdiff_t *roles; /* columns entries */
    char *scratch;    /* for text with doubled quotes */
    size_t scratch_size;
    bool met_text; /* a label is text, while numbers were read: begin again */
} reader;

bool csv_looks_right(const unsigned char *data, size_t size) {
    return size > 0 && memchr(data, '\0', size < LOOKED_AT ? size : LOOKED_AT) == NULL && data[0] != 0x1f &&
           data[0] != 0x93;
}

/* ---- the first row ------------------------------------------------------------------------------------ */

/* Text that can only be a name: no number, and no missing value either. */
static bool is_name(const char *text) {
    float value;
    return number_to_float(text, strlen(text), &value) == NUMBER_NOT;
}

/* The texts of the record at `start`, for names. */
static tanda_status read_names(reader *reader, csv_cursor *cursor, tanda_error *error) {
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

static bool selects(const reader *reader, bool with_names, selection *selection) {
    return columns_select(reader->request, reader->path, with_names ? reader->names : NULL, reader->columns,
                          selection, NULL) == TANDA_OK;
}

/*
 * A first row is a header when all its fields are names, when one that would be a feature is, or when the
 * options only make sense with names.
 */
static bool find_header(const reader *reader, size_t records) {
    size_t names = 0;
    for (size_t i = 0; i < reader->columns; i++)
        names += is_name(reader->names[i]);
    if (reader->request->labels_only) return names > 0 && records == reader->request->label_rows + 1;
    if (names == reader->columns || names == 0) return names > 0;
    selection plain = {0};
    selection named = {0};
    bool plain_fits = selects(reader, false, &plain);
    bool names_fit = selects(reader, true, &named);
    const selection *chosen = names_fit ? &named : &plain;
    /* nothing fits: options speak of names, a model's expectation of a number of columns */
    bool header = !plain_fits && (names_fit || reader->request->expected == NULL);
    for (size_t i = 0; i < chosen->feature_count; i++)
        header = header || is_name(reader->names[chosen->features[i]]);
    selection_free(&plain);
    selection_free(&named);
    return header;
}

static tanda_status read_first_row(reader *reader, tanda_error *error) {
    csv_cursor cursor = reader->start;
    tanda_header header = reader->request->options->header;
    tanda_status status = read_names(reader, &cursor, error);
    if (status != TANDA_OK) return status;
    size_t records = csv_count_records(&reader->start);
    if (header == TANDA_HEADER_FIRST_ROW || (header == TANDA_HEADER_AUTO && find_header(reader, records))) {
        reader->start = cursor;
    } else {
        free_texts(reader->names, reader->columns);
        reader->names = NULL;
    }
    if (csv_at_end(&reader->start))
        return fail(error, TANDA_BAD_INPUT, "%s: has a header and no rows of data", reader->path);
    return TANDA_OK;
}

/* Decides what becomes of each column. */
static tanda_status assign_roles(reader *reader, tanda_error *error) {
    const tanda_dataset_options *options = reader->request->options;
    tanda_status status = columns_select(reader->request, reader->path, reader->names, reader->columns,
                                         &reader->selection, error);
    if (status == TANDA_OK)
        status = allocate(&reader->roles, reader->columns, sizeof *reader->roles, "columns", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < reader->columns; i++)
        reader->roles[i] = ROLE_IGNORED;
    for (size_t i = 0; i < reader->selection.feature_count; i++)
        reader->roles[reader->selection.features[i]] = (ptrdiff_t)i;
    if (reader->selection.target != NO_COLUMN && !options->without_target)
        reader->roles[reader->selection.target] = ROLE_TARGET;
    return TANDA_OK;
}

/* ---- rows --------------------------------------------------------------------------------------------- */

static tanda_status wrong_count(const reader *reader, const csv_cursor *record, size_t count,
                                tanda_error *error) {
    return fail(error, TANDA_BAD_INPUT, "%s:%zu: %zu field%s, the first row has %zu", reader->path,
                record->line, count, count == 1 ? "" : "s", reader->columns);
}

static place field_place(const reader *reader, size_t line, size_t column) {
    return (place){.path = reader->path,
                   .line = line,
                   .column = column + 1,
                   .name = reader->names == NULL ? NULL : reader->names[column]};
}

/* The error for a field that is no number; a row of the wrong length is the better explanation. */
static tanda_status bad_number(const reader *reader, const csv_cursor *record, size_t line, size_t column,
                               const csv_field *field, number_status problem, tanda_error *error) {
    char text[SHOWN_SIZE];
    size_t count = csv_count_fields(*record);
    if (count != 0 && count != reader->columns) return wrong_count(reader, record, count, error);
    place place = field_place(reader, line, column);
    if (problem == NUMBER_EMPTY)
        return fail_at(error, &place, "empty field: missing values are not accepted");
    return fail_at(error, &place, "'%s' %s", shown(field->text, field->length, text),
                   number_problem(problem));
}

/* The field's text, unquoted in scratch where that is needed. */
static tanda_status field_text(reader *reader, const csv_field *field, const char **text, size_t *length,
                               tanda_error *error) {
    *text = field->text;
    *length = field->length;
    if (!field->has_quotes) return TANDA_OK;
    if (field->length > reader->scratch_size) {
        free(reader->scratch);
        reader->scratch = NULL;
        reader->scratch_size = 0;
        tanda_status status = allocate(&reader->scratch, field->length, 1, "a label", error);
        if (status != TANDA_OK) return status;
        reader->scratch_size = field->length;
    }
    *length = csv_unquote(field, reader->scratch);
    *text = reader->scratch;
    return TANDA_OK;
}

/* Whether text among the labels is acceptable where numbers were read so far. */
static bool may_be_text(const reader *reader) {
    return request_task(reader->request) != TANDA_TASK_REGRESSION && reader->request->expected == NULL;
}

static tanda_status read_label(reader *reader, const csv_cursor *record, size_t line, size_t column,
                               const csv_field *field, size_t row, table *table, tanda_error *error) {
    const char *text = NULL;
    size_t length = 0;
    place place = field_place(reader, line, column);
    if (table->labels.text) {
        tanda_status status = field_text(reader, field, &text, &length, error);
        if (status != TANDA_OK) return status;
        return labels_add_text(&table->labels, row, text, length, &place, error);
    }
    float value = 0.0f;
    double exact = 0.0;
    number_status problem = number_to_float(field->text, field->length, &value);
    reader->met_text = problem == NUMBER_NOT && may_be_text(reader);
    if (problem == NUMBER_OK) problem = number_to_double(field->text, field->length, &exact);
    if (problem != NUMBER_OK) return bad_number(reader, record, line, column, field, problem, error);
    return labels_add_number(&table->labels, row, exact, value, &place, error);
}

/* One field at the cursor, the careful way. */
static tanda_status read_field(reader *reader, csv_cursor *cursor, const csv_cursor *record, size_t column,
                               size_t row, table *table, tanda_error *error) {
    csv_field field;
    size_t line = cursor->line;
    ptrdiff_t role = reader->roles[column];
    tanda_status status = csv_next_field(cursor, column, &field, error);
    if (status != TANDA_OK) return status;
    if (field.is_last != (column + 1 == reader->columns)) {
        size_t count = csv_count_fields(*record);
        return wrong_count(reader, record, count == 0 ? column + 1 : count, error);
    }
    if (role == ROLE_TARGET) return read_label(reader, record, line, column, &field, row, table, error);
    if (role == ROLE_IGNORED) return TANDA_OK;
    float *value = &table->owned[row * table->features + (size_t)role];
    number_status problem = number_to_float(field.text, field.length, value);
    if (problem == NUMBER_OK) return TANDA_OK;
    return bad_number(reader, record, line, column, &field, problem, error);
}

/* Takes a plain number that ends at the delimiter; false when the field needs the careful way. */
static inline bool read_quickly(csv_cursor *cursor, float *value) {
    const char *stop = number_scan(cursor->at, cursor->end, value);
    if (stop == NULL || stop == cursor->end || *stop != cursor->delimiter) return false;
    cursor->at = stop + 1;
    return true;
}

static tanda_status read_record(reader *reader, csv_cursor *cursor, size_t row, table *table,
                                tanda_error *error) {
    csv_cursor record = *cursor;
    if (*cursor->at == '\n' || (*cursor->at == '\r' && cursor->at + 1 < cursor->end && cursor->at[1] == '\n'))
        return fail(error, TANDA_BAD_INPUT, "%s:%zu: a blank line between rows; remove it", reader->path,
                    cursor->line);
    float *values = table->owned + row * table->features;
    for (size_t column = 0; column < reader->columns; column++) {
        ptrdiff_t role = reader->roles[column];
        if (role >= 0 && column + 1 < reader->columns && read_quickly(cursor, values + role)) continue;
        tanda_status status = read_field(reader, cursor, &record, column, row, table, error);
        if (status != TANDA_OK) return status;
    }
    return TANDA_OK;
}

static tanda_status read_records(reader *reader, table *table, tanda_error *error) {
    csv_cursor cursor = reader->start;
    size_t row = 0;
    for (; !csv_at_end(&cursor) && row < table->rows; row++) {
        tanda_status status = read_record(reader, &cursor, row, table, error);
        if (status != TANDA_OK) return status;
    }
    table->rows = row;
    return TANDA_OK;
}

/* Whether the labels are text, going by the first row; text in a later row makes the reading begin again. */
static bool begins_with_text(const reader *reader) {
    if (request_task(reader->request) == TANDA_TASK_REGRESSION) return false;
    if (reader->request->expected != NULL) return labels_expect_text(reader->request->expected);
    csv_cursor cursor = reader->start;
    csv_field field = {0};
    for (size_t i = 0; i <= reader->selection.target && !field.is_last; i++)
        if (csv_next_field(&cursor, i, &field, NULL) != TANDA_OK) return false;
    float value;
    return number_to_float(field.text, field.length, &value) == NUMBER_NOT;
}

static tanda_status read_table(reader *reader, table *table, tanda_error *error) {
    size_t target = reader->selection.target;
    bool has_labels = target != NO_COLUMN && reader->roles[target] == ROLE_TARGET;
    bool text = has_labels && begins_with_text(reader);
    tanda_status status = TANDA_OK;
    do {
        table_free(table);
        reader->met_text = false;
        table->features = reader->selection.feature_count;
        table->rows = csv_count_records(&reader->start);
        status = table_begin(table, reader->request, reader->path, has_labels, text, error);
        if (status == TANDA_OK) status = read_records(reader, table, error);
        text = true;
    } while (reader->met_text);
    if (status != TANDA_OK) return status;
    return columns_name(&reader->selection, reader->names, table, error);
}

tanda_status csv_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    if (view->size >= 2 && (memcmp(view->data, "\xff\xfe", 2) == 0 || memcmp(view->data, "\xfe\xff", 2) == 0))
        return fail(error, TANDA_BAD_INPUT, "%s: is UTF-16 text; save it as UTF-8", path);
    reader reader = {.path = path, .request = request, .start = csv_open(path, view->data, view->size)};
    if (csv_at_end(&reader.start)) return fail(error, TANDA_BAD_INPUT, "%s: holds no rows", path);
    tanda_status status = read_first_row(&reader, error);
    if (status == TANDA_OK) status = assign_roles(&reader, error);
    if (status == TANDA_OK) status = read_table(&reader, table, error);
    if (status != TANDA_OK) table_free(table);
    free_texts(reader.names, reader.columns);
    selection_free(&reader.selection);
    free(reader.roles);
    free(reader.scratch);
    return status;
}
