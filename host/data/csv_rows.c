/* One row after the other, with an account of what is wrong. */
#include "data/csv_rows.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dialect.h"
#include "data/dialect_sample.h"
#include "data/number.h"
#include "data/selection.h"
#include "support/memory.h"
#include "support/text.h"

static tanda_status wrong_count(const csv_reader *reader, const csv_cursor *record, size_t count,
                                tanda_error *error) {
    bool like_comment = reader->start.comment == NULL && (*record->at == '#' || *record->at == '%');
    return fail(error, TANDA_BAD_INPUT, "%s:%zu: %zu field%s, the first row has %zu%s", reader->path,
                record->line, count, count == 1 ? "" : "s", reader->columns,
                like_comment ? "; --comment skips lines that begin so" : "");
}

static place field_place(const csv_reader *reader, size_t line, size_t column) {
    return (place){.path = reader->path,
                   .line = line,
                   .column = column + 1,
                   .name = reader->names == NULL ? NULL : reader->names[column]};
}

static bool is_missing(const csv_reader *reader, const csv_field *field) {
    return missing_is_word(reader->request->options, field->text, field->length);
}

/* How a field that is no number could be taken. Words are likely to be categories; what has digits is rather a slip. */
static const char *hint_for(const csv_reader *reader, size_t column, const csv_field *field,
                            number_status problem) {
    float value;
    bool comma = reader->start.decimal == ',', has_digits = false;
    field_kind kind = field_kind_of(reader->request->options, field);
    if (problem == NUMBER_NOT && kind == FIELD_GROUPED) return "; thousands separators are not read";
    if (problem == NUMBER_NOT && csv_to_float(field, comma ? '.' : ',', &value) == NUMBER_OK)
        return comma ? "; --decimal point reads it" : "; --decimal comma reads it";
    if (reader->roles[column] < 0 || request_classes(reader->request) != NULL) return "";
    if (kind == FIELD_MISSING) return "; --missing mean fills it in";
    for (size_t i = 0; i < field->length; i++)
        has_digits = has_digits || (field->text[i] >= '0' && field->text[i] <= '9');
    return problem == NUMBER_NOT && !has_digits ? "; --categorical takes text" : "";
}

/* The error for a field that is no number; a row of the wrong length is the better explanation. */
static tanda_status bad_number(const csv_reader *reader, const csv_cursor *record, size_t line, size_t column,
                               const csv_field *field, number_status problem, tanda_error *error) {
    char text[SHOWN_SIZE];
    size_t count = csv_count_fields(*record, SIZE_MAX);
    if (count != 0 && count != reader->columns) return wrong_count(reader, record, count, error);
    place place = field_place(reader, line, column);
    const char *hint = hint_for(reader, column, field, problem);
    if (problem == NUMBER_EMPTY)
        return fail_at(error, &place, "empty field: missing values are not accepted%s", hint);
    return fail_at(error, &place, "'%s' %s%s", shown(field->text, field->length, text),
                   number_problem(problem), hint);
}

/* The field's text, unquoted in scratch where that is needed. */
static tanda_status field_text(csv_reader *reader, const csv_field *field, const char **text, size_t *length,
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

/* A class of the model is none, whatever it looks like. */
static bool is_missing_label(const csv_reader *reader, const csv_field *field, const table *table) {
    return is_missing(reader, field) && !labels_expects(table->labels, field->text, field->length);
}

/* As read_label, for readers of chunks. */
static number_status put_label_aside(const csv_reader *reader, const csv_field *field, size_t row,
                                     const table *table) {
    const csv_aside *aside = reader->aside;
    if (aside->texts != NULL) {
        aside->texts[row].text = is_missing_label(reader, field, table) ? NULL : field->text;
        aside->texts[row].length = field->length;
        return NUMBER_OK;
    }
    float *value = &table->labels->numbers[row];
    number_status problem = csv_to_float(field, reader->start.decimal, value);
    const bool missing =
        (problem != NUMBER_OK || reader->is_careful) && is_missing_label(reader, field, table);
    if (missing) *value = NAN;
    if (missing && aside->exact != NULL) aside->exact[row] = NAN;
    if (missing || problem != NUMBER_OK || aside->exact == NULL) return missing ? NUMBER_OK : problem;
    return csv_to_double(field, reader->start.decimal, &aside->exact[row]);
}

static tanda_status read_label(csv_reader *reader, const csv_cursor *record, size_t line, size_t column,
                               const csv_field *field, size_t row, table *table, tanda_error *error) {
    const char *text = NULL;
    size_t length = 0;
    place place = field_place(reader, line, column);
    if (reader->aside != NULL)
        return put_label_aside(reader, field, row, table) == NUMBER_OK ? TANDA_OK : TANDA_BAD_INPUT;
    if (is_missing_label(reader, field, table)) {
        labels_add_missing(table->labels, row);
        return TANDA_OK;
    }
    if (table->labels->text) {
        tanda_status status = field_text(reader, field, &text, &length, error);
        if (status != TANDA_OK) return status;
        return labels_add_text(table->labels, row, text, length, &place, error);
    }
    float value = 0.0f;
    double exact = 0.0;
    number_status problem = csv_to_float(field, reader->start.decimal, &value);
    reader->met_text = problem == NUMBER_NOT && request_task(reader->request) != TANDA_TASK_REGRESSION &&
                       request_classes(reader->request) == NULL;
    if (problem == NUMBER_OK) problem = csv_to_double(field, reader->start.decimal, &exact);
    if (problem != NUMBER_OK) return bad_number(reader, record, line, column, field, problem, error);
    return labels_add_number(table->labels, row, exact, value, &place, error);
}

/* The index of the field's category becomes the feature's value, NaN where it is missing. */
static tanda_status read_category(csv_reader *reader, size_t line, size_t column, const csv_field *field,
                                  size_t row, table *table, tanda_error *error) {
    size_t feature = reader->places[column];
    place place = field_place(reader, line, column);
    bool missing = reader->fills_missing ? is_missing(reader, field) : field->length == 0;
    csv_text text = {0};
    size_t index = 0;
    if (missing && !reader->fills_missing)
        return fail_at(error, &place, "empty field: missing values are not accepted%s",
                       request_classes(reader->request) == NULL ? "; --missing mean takes it" : "");
    tanda_status status = missing ? TANDA_OK : field_text(reader, field, &text.text, &text.length, error);
    if (reader->aside != NULL) {
        reader->aside->categories[column][row] = text;
        return status;
    }
    if (status == TANDA_OK && !missing)
        status =
            categories_add(&table->raw.categories[feature], text.text, text.length, &place, &index, error);
    table->owned[row * table->features + feature] = missing ? NAN : (float)index;
    return status;
}

void csv_take_exact(csv_reader *reader, const table *table) {
    reader->reads_exact = true;
    for (size_t i = 0; i < table->exact.count; i++)
        reader->places[reader->selection.features[table->exact.features[i]]] = i;
}

/* A number that is no label. */
static tanda_status read_number(csv_reader *reader, const csv_cursor *record, size_t line, size_t column,
                                const csv_field *field, size_t row, table *table, tanda_error *error) {
    ptrdiff_t role = reader->roles[column];
    float value = 0.0f;
    place place = field_place(reader, line, column);
    number_status problem = csv_to_float(field, reader->start.decimal, &value);
    const bool takes_booleans = role >= 0 || (role == ROLE_QUANTITY && request_wants_labels(reader->request));
    if (problem == NUMBER_NOT && takes_booleans && column < reader->sample->columns) {
        const size_t *counts = reader->sample->of[column].counts;
        const size_t others =
            counts[FIELD_WHOLE] + counts[FIELD_POINT] + counts[FIELD_COMMA] + counts[FIELD_TEXT];
        if (others == 0 && field_is_boolean(field->text, field->length, &value)) problem = NUMBER_OK;
    }
    bool may_miss = (role >= 0 || role == ROLE_QUANTITY) && (problem != NUMBER_OK || reader->is_careful) &&
                    is_missing(reader, field);
    bool missing = may_miss && (role == ROLE_QUANTITY || reader->fills_missing);
    if (may_miss && !missing && problem == NUMBER_OK) problem = NUMBER_NOT;
    if (problem != NUMBER_OK && !missing)
        return bad_number(reader, record, line, column, field, problem, error);
    if (missing) value = NAN;
    if (role == ROLE_WEIGHT) return table_add_weight(table, row, value, &place, error);
    if (role == ROLE_QUANTITY) {
        table->targets[row * table->target_count + reader->places[column]] = value;
        return TANDA_OK;
    }
    double exact = (double)value; /* of a boolean, too */
    table->owned[row * table->features + (size_t)role] = value;
    if (!reader->reads_exact) return TANDA_OK;
    if (!isnan(value)) csv_to_double(field, reader->start.decimal, &exact);
    table->exact.values[row * table->exact.count + reader->places[column]] = exact;
    return TANDA_OK;
}

/* One field at the cursor, the careful way. */
static tanda_status read_field(csv_reader *reader, csv_cursor *cursor, const csv_cursor *record,
                               size_t column, size_t row, table *table, tanda_error *error) {
    csv_field field;
    size_t line = cursor->line;
    ptrdiff_t role = reader->roles[column];
    tanda_status status = TANDA_OK;
    if (role == ROLE_IGNORED)
        csv_any_field(cursor, &field);
    else
        status = csv_next_field(cursor, column, &field, error);
    if (status != TANDA_OK) return status;
    if (field.is_last != (column + 1 == reader->columns)) {
        size_t count = csv_count_fields(*record, SIZE_MAX);
        return wrong_count(reader, record, count == 0 ? column + 1 : count, error);
    }
    if (role == ROLE_TARGET) return read_label(reader, record, line, column, &field, row, table, error);
    if (role == ROLE_IGNORED) return TANDA_OK;
    if (role == ROLE_CATEGORY) return read_category(reader, line, column, &field, row, table, error);
    return read_number(reader, record, line, column, &field, row, table, error);
}

/* Whether what a scanner stopped at ends a field as it should; else the field needs the careful way. */
static inline bool ends_field(const char *stop, const csv_cursor *record, bool is_last) {
    return stop != NULL && stop != record->end && *stop == (is_last ? record->line_end : record->delimiter);
}

/* A label that is such a number, where numbers are put aside. */
static const char *scan_label(const csv_reader *reader, const csv_cursor *cursor, const csv_cursor *record,
                              bool is_last, size_t row, const table *table) {
    const csv_aside *aside = reader->aside;
    if (aside == NULL || aside->exact == NULL || record->decimal != '.') return NULL;
    const char *stop = number_scan(cursor->at, record->end, &table->labels->numbers[row]);
    if (!ends_field(stop, record, is_last)) return NULL;
    size_t length = (size_t)(stop - cursor->at);
    return number_to_double(cursor->at, length, &aside->exact[row]) == NUMBER_OK ? stop : NULL;
}

tanda_status csv_read_record(csv_reader *reader, csv_cursor *cursor, size_t row, table *table,
                             tanda_error *error) {
    const csv_cursor record = *cursor;
    const size_t last = reader->columns - 1;
    const ptrdiff_t *roles = reader->roles;
    number_scanner *scan = record.decimal == '.' ? number_scan : number_scan_comma;
    exact_scanner *scan_exact = record.decimal == '.' ? number_scan_exact : number_scan_exact_comma;
    const bool careful = reader->is_careful || record.decimal == record.delimiter; /* 1,5 would be a number */
    if (csv_at_line_end(cursor))
        return fail(error, TANDA_BAD_INPUT, "%s:%zu: a blank line between rows; remove it", reader->path,
                    cursor->line);
    float *values = table->owned + row * table->features;
    double *exact = reader->reads_exact ? table->exact.values + row * table->exact.count : NULL;
    for (size_t column = 0; column <= last; column++) {
        ptrdiff_t role = careful ? ROLE_IGNORED : roles[column];
        const char *stop = NULL;
        if (role >= 0 && exact != NULL) { /* its binary32 follows from that */
            double *number = exact + reader->places[column];
            stop = scan_exact(cursor->at, record.end, number);
            if (stop != NULL && *number != 0.0 &&
                !(fabs(*number) >= (double)FLT_MIN && fabs(*number) <= (double)FLT_MAX))
                stop = NULL;
            if (stop != NULL) values[role] = (float)*number;
        } else if (role >= 0) {
            stop = scan(cursor->at, record.end, values + role);
        } else if (role == ROLE_TARGET) {
            stop = scan_label(reader, cursor, &record, column == last, row, table);
        }
        if (ends_field(stop, &record, column == last)) {
            cursor->at = stop + 1;
            cursor->line += column == last;
            continue;
        }
        tanda_status status = read_field(reader, cursor, &record, column, row, table, error);
        if (status != TANDA_OK) return status;
    }
    return TANDA_OK;
}

tanda_status csv_read_records(csv_reader *reader, table *table, tanda_error *error) {
    csv_cursor cursor = reader->start;
    size_t row = 0;
    for (; csv_find_record(&cursor); row++) {
        if (row == table->rows) /* they were counted a moment ago */
            return fail(error, TANDA_BAD_INPUT, "%s: changes while it is read", reader->path);
        tanda_status status = csv_read_record(reader, &cursor, row, table, error);
        if (status != TANDA_OK) return status;
    }
    table->rows = row;
    return TANDA_OK;
}

/* ---- text that is copied ------------------------------------------------------------------------------- */

/* fields: one for each column of the file. What was quoted stays so, as the text in it does. */
static void copy_record(const csv_reader *reader, csv_cursor *cursor, const size_t *columns,
                        csv_field *fields, csv_lines *text) {
    bool is_last = false;
    for (size_t i = 0; i < reader->columns && !is_last; i++) {
        csv_any_field(cursor, &fields[i]);
        is_last = fields[i].is_last;
    }
    for (size_t i = 0; i < reader->request->options->copy_count; i++) {
        const csv_field *field = &fields[columns[i]];
        if (i > 0) csv_add(text, ",", 1);
        if (!field->is_quoted) {
            csv_add_field(text, field->text, field->length);
            continue;
        }
        csv_add(text, "\"", 1);
        csv_add(text, field->text, field->length);
        csv_add(text, "\"", 1);
    }
}

tanda_status csv_copy_columns(const csv_reader *reader, table *table, tanda_error *error) {
    const tanda_dataset_options *options = reader->request->options;
    const chooser chooser = {.request = reader->request,
                             .options = options,
                             .path = reader->path,
                             .names = reader->names,
                             .columns = reader->columns};
    copied_columns *copied = &table->copied;
    csv_cursor cursor = reader->start;
    csv_field *fields = NULL;
    size_t *columns = NULL; /* in the order in which they were asked for */
    tanda_status status = allocate(&columns, options->copy_count, sizeof *columns, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < options->copy_count; i++)
        status = find_column(&chooser, "--copy", options->copy[i], &columns[i], error);
    if (status == TANDA_OK) status = allocate(&fields, reader->columns, sizeof *fields, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&copied->ends, table->rows, sizeof *copied->ends, "rows of text", error);
    for (size_t i = 0; status == TANDA_OK && i < options->copy_count; i++) {
        char index[32];
        text_put(index, sizeof index, "column_%zu", columns[i]);
        const char *name = reader->names == NULL ? index : reader->names[columns[i]];
        if (i > 0) csv_add(&copied->names, ",", 1);
        csv_add_field(&copied->names, name, strlen(name));
    }
    for (; status == TANDA_OK && copied->count < table->rows && csv_find_record(&cursor); copied->count++) {
        copy_record(reader, &cursor, columns, fields, &copied->rows);
        copied->ends[copied->count] = copied->rows.size;
    }
    if (status == TANDA_OK && copied->count < table->rows) /* they were counted a moment ago */
        status = fail(error, TANDA_BAD_INPUT, "%s: changes while it is read", reader->path);
    if (status == TANDA_OK) status = csv_lines_check(&copied->names, error);
    if (status == TANDA_OK) status = csv_lines_check(&copied->rows, error);
    free(columns);
    free(fields);
    return status;
}
