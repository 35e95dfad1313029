/* The text of columns as it came: read once more, when the rows are known to be well. */
#include <stdlib.h>
#include <string.h>

#include "data/columns_find.h"
#include "data/csv_rows.h"
#include "support/memory.h"
#include "support/text.h"

/* Columns in the order in which they were asked for. */
static tanda_status find_columns(const csv_reader *reader, size_t *columns, tanda_error *error) {
    const tanda_dataset_options *options = reader->request->options;
    const chooser chooser = {.request = reader->request,
                             .options = options,
                             .path = reader->path,
                             .names = reader->names,
                             .columns = reader->columns};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < options->copy_count; i++)
        status = find_column(&chooser, "--copy", options->copy[i], &columns[i], error);
    return status;
}

static void copy_names(const csv_reader *reader, const size_t *columns, csv_lines *names) {
    for (size_t i = 0; i < reader->request->options->copy_count; i++) {
        char index[32];
        const size_t length = text_put(index, sizeof index, "column_%zu", columns[i]);
        const char *name = reader->names == NULL ? index : reader->names[columns[i]];
        if (i > 0) csv_add(names, ",", 1);
        csv_add_field(names, name, reader->names == NULL ? length : strlen(name));
    }
}

/* What was quoted stays so, as the text in it does. */
static void copy_field(const csv_field *field, csv_lines *text) {
    if (!field->is_quoted) {
        csv_add_field(text, field->text, field->length);
        return;
    }
    csv_add(text, "\"", 1);
    csv_add(text, field->text, field->length);
    csv_add(text, "\"", 1);
}

/* fields: one for each column of the file. */
static void copy_record(const csv_reader *reader, csv_cursor *cursor, const size_t *columns,
                        csv_field *fields, csv_lines *text) {
    bool is_last = false;
    for (size_t i = 0; i < reader->columns && !is_last; i++) {
        csv_any_field(cursor, &fields[i]);
        is_last = fields[i].is_last;
    }
    for (size_t i = 0; i < reader->request->options->copy_count; i++) {
        if (i > 0) csv_add(text, ",", 1);
        copy_field(&fields[columns[i]], text);
    }
}

tanda_status csv_copy_columns(const csv_reader *reader, table *table, tanda_error *error) {
    copied_columns *copied = &table->copied;
    csv_cursor cursor = reader->start;
    csv_field *fields = NULL;
    size_t *columns = NULL;
    tanda_status status =
        allocate(&columns, reader->request->options->copy_count, sizeof *columns, "columns", error);
    if (status == TANDA_OK) status = find_columns(reader, columns, error);
    if (status == TANDA_OK) status = allocate(&fields, reader->columns, sizeof *fields, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&copied->ends, table->rows, sizeof *copied->ends, "rows of text", error);
    if (status == TANDA_OK) copy_names(reader, columns, &copied->names);
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
