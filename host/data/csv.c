/* CSV files: a table of numbers in text, with or without a header, and a target of text or numbers. */
#include <stdlib.h>
#include <string.h>

#include "data/csv_rows.h"
#include "data/dialect.h"
#include "data/dialect_sample.h"
#include "data/format.h"
#include "data/origin.h"
#include "data/table.h"
#include "support/memory.h"

#define LOOKED_AT 4096 /* bytes in which NUL tells that a file is no text */

bool csv_looks_right(const unsigned char *data, size_t size) {
    if (size == 0 || data[0] == 0x1f || data[0] == 0x93) return false;
    if (memchr(data, '\0', size < LOOKED_AT ? size : LOOKED_AT) == NULL) return true;
    return text_encoding_of(data, size) != TEXT_UTF8;
}

/* The texts of the record at the cursor, for names; steps over it. */
static tanda_status read_names(csv_reader *reader, csv_cursor *cursor, tanda_error *error) {
    csv_cursor counting = *cursor;
    csv_field field = {0};
    for (reader->columns = 0; !field.is_last && reader->columns <= CSV_COLUMNS_MAX; reader->columns++)
        csv_any_field(&counting, &field);
    if (reader->columns > CSV_COLUMNS_MAX) return csv_too_many_columns(reader->path, cursor->line, error);
    tanda_status status =
        allocate(&reader->names, reader->columns, sizeof *reader->names, "column names", error);
    for (size_t i = 0; status == TANDA_OK && i < reader->columns; i++) {
        csv_any_field(cursor, &field);
        char *name = malloc(field.length + 1);
        if (name == NULL) return fail(error, TANDA_FAILED, "no memory for a name of %zu bytes", field.length);
        size_t length = csv_unquote(&field, name);
        name[length] = '\0';
        reader->names[i] = name;
    }
    if (status == TANDA_OK && !field.is_last) /* they were counted a moment ago */
        return fail(error, TANDA_BAD_INPUT, "%s: changes while it is read", reader->path);
    return status;
}

/* The first row, be it of names or values, tells soonest that a file is in another encoding. */
static tanda_status check_encoding(const csv_reader *reader, size_t line, tanda_error *error) {
    const selection *selection = &reader->selection;
    for (size_t i = 0; i < reader->columns; i++) {
        bool is_used = selection->weight == i;
        for (size_t k = 0; !is_used && k < selection->feature_count; k++)
            is_used = selection->features[k] == i;
        for (size_t k = 0; !is_used && k < selection->target_count; k++)
            is_used = selection->targets[k] == i;
        place place = {.path = reader->path, .line = line, .column = i + 1};
        if (is_used && !is_plain_utf8(reader->names[i], strlen(reader->names[i])))
            return fail_at(error, &place, "the text is not UTF-8; save the file as UTF-8");
    }
    return TANDA_OK;
}

/* Decides whether the first row is a header, and selects columns; without a header the names are freed. */
static tanda_status read_first_row(csv_reader *reader, tanda_error *error) {
    const request *request = reader->request;
    csv_cursor cursor = reader->start;
    dialect *dialect = &reader->dialect;
    tanda_status status = read_names(reader, &cursor, error);
    if (status == TANDA_OK) status = csv_decide_header(reader, reader->sample, &dialect->has_header, error);
    if (status == TANDA_OK)
        status = columns_select(request, reader->path, dialect->has_header ? reader->names : NULL,
                                reader->columns, &reader->selection, error);
    if (status == TANDA_OK) status = check_encoding(reader, reader->start.line, error);
    if (status != TANDA_OK) return status;
    if (!dialect->has_header) {
        free_texts(reader->names, reader->columns);
        reader->names = NULL;
        return TANDA_OK;
    }
    for (size_t i = 0; i < reader->columns; i++) {
        float value;
        const char *name = reader->names[i];
        dialect->header_is_numbers |= number_to_float(name, strlen(name), &value) == NUMBER_OK;
    }
    reader->start = cursor;
    /* a model can be asked for no predictions, but nothing is learnt from no rows */
    if (csv_find_record(&cursor) || (request->expected != NULL && request->options->without_target))
        return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: has a header and no rows of data", reader->path);
}

static void take_categories(csv_reader *reader) {
    for (size_t i = 0; i < reader->selection.feature_count; i++) {
        if (!reader->selection.is_category[i]) continue;
        reader->roles[reader->selection.features[i]] = ROLE_CATEGORY;
        reader->places[reader->selection.features[i]] = i;
    }
}

void csv_settle_categories(csv_reader *reader, const size_t *totals) {
    csv_mark_text(reader, totals);
    reader->may_find_text = false;
    take_categories(reader);
}

static tanda_status find_categories(csv_reader *reader, const csv_chunks *chunks, tanda_error *error) {
    size_t *totals = NULL;
    tanda_status status =
        allocate(&totals, reader->columns, FIELD_KIND_COUNT * sizeof *totals, "columns", error);
    if (status == TANDA_OK) status = csv_count_text(reader, chunks, totals, error);
    if (status == TANDA_OK) csv_settle_categories(reader, totals);
    free(totals);
    return status;
}

tanda_status csv_assign_roles(csv_reader *reader, bool *holds_text, tanda_error *error) {
    const tanda_dataset_options *options = reader->request->options;
    tanda_status status = allocate(&reader->roles, reader->columns, sizeof *reader->roles, "columns", error);
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
    /* text further down shows when numbers are read */
    const reading *sample = reader->sample;
    *holds_text = false;
    for (size_t i = 0; i < sample->columns && i < reader->columns; i++)
        *holds_text |= reader->roles[i] >= 0 &&
                       sample->of[i].counts[FIELD_TEXT] + sample->of[i].counts[FIELD_GROUPED] > 0;
    reader->may_find_text = options->categorical_auto && reader->request->expected == NULL;
    take_categories(reader);
    return TANDA_OK;
}

/* Whether the labels are text, going by the first that is not missing; text in a later row makes the reading begin again. */
static bool begins_with_text(const csv_reader *reader) {
    const dataset_expectation *classes = request_classes(reader->request);
    if (request_task(reader->request) == TANDA_TASK_REGRESSION) return false;
    if (reader->request->text_labels) return true;
    if (classes != NULL) return labels_expect_text(classes);
    csv_cursor cursor = reader->start;
    csv_field field = {0};
    float value;
    while (csv_find_record(&cursor)) {
        csv_field found = {0};
        for (size_t i = 0; i < reader->columns && !found.is_last; i++) {
            csv_any_field(&cursor, &found);
            if (i == reader->selection.target) field = found;
        }
        if (!found.is_last) return false; /* the reading will say what is wrong */
        if (!missing_is_word(reader->request->options, field.text, field.length))
            return csv_to_float(&field, cursor.decimal, &value) == NUMBER_NOT;
    }
    return false;
}

static bool holds_categories(const csv_reader *reader) {
    for (size_t i = 0; i < reader->columns; i++)
        if (reader->roles[i] == ROLE_CATEGORY) return true;
    return false;
}

place csv_find_place(const csv_reader *reader, size_t row, size_t column) {
    csv_cursor cursor = reader->start;
    csv_field field = {0};
    place place = {.path = reader->path,
                   .column = column + 1,
                   .name = reader->names == NULL ? NULL : reader->names[column]};
    for (size_t record = 0; record <= row && csv_find_record(&cursor); record++) {
        field.is_last = false;
        for (size_t i = 0; !field.is_last; i++) {
            if (i == column) place.line = cursor.line;
            csv_any_field(&cursor, &field);
        }
    }
    return place;
}

tanda_status csv_read_rows(csv_reader *reader, const csv_chunks *chunks, table *table, tanda_error *error) {
    size_t target = reader->selection.target;
    bool has_labels = target != NO_COLUMN && reader->roles[target] == ROLE_TARGET;
    bool text = has_labels && begins_with_text(reader);
    const size_t most = csv_most_rows(&reader->start, reader->columns);
    const bool too_many = chunks->rows > most;
    bool alone =
        too_many || chunks->has_quotes || (reader->start.comment != NULL && holds_categories(reader));
    bool careful = alone;
    tanda_status status = TANDA_OK;
    for (;;) {
        table_free(table);
        selection_shape(&reader->selection, reader->request, table);
        table->rows = too_many ? most : chunks->rows;
        status =
            table_begin(table, reader->request, reader->path, text, reader->selection.is_category, error);
        if (status == TANDA_OK && reader->request->is_look) {
            status = origin_choose(reader->request, table, error);
            if (status == TANDA_OK) status = exact_columns_make(table->rows, &table->exact, error);
            csv_take_exact(reader, table);
        }
        if (status != TANDA_OK || (!careful && csv_read_chunks(reader, chunks, table))) return status;
        reader->is_unread = reader->may_find_text && reader->is_piece;
        if (reader->is_unread) return TANDA_OK;
        if (reader->may_find_text) {
            status = find_categories(reader, chunks, error);
            if (status != TANDA_OK) return status;
            alone = alone || (reader->start.comment != NULL && holds_categories(reader));
            careful = alone;
            continue;
        }
        if (!careful) {
            careful = true;
            continue;
        }
        reader->met_text = false;
        status = csv_read_records(reader, table, error);
        if (!reader->met_text) return status;
        text = true;
        careful = alone;
    }
}

static tanda_status read_table(csv_reader *reader, table *table, tanda_error *error) {
    csv_chunks chunks = {0};
    bool holds_text = false;
    tanda_status status = csv_find_chunks(&reader->start, &chunks, error);
    if (status == TANDA_OK) status = csv_assign_roles(reader, &holds_text, error);
    if (status == TANDA_OK && reader->may_find_text && (holds_text || chunks.has_quotes))
        status = find_categories(reader, &chunks, error);
    if (status == TANDA_OK) status = csv_read_rows(reader, &chunks, table, error);
    if (status == TANDA_OK) {
        const target_fault fault = target_fault_find(table, reader->request);
        const place place = fault.kind == TARGET_FINE
                                ? (struct place){0}
                                : csv_find_place(reader, fault.row, reader->selection.targets[fault.target]);
        status = target_fault_tell(&fault, &place, error);
    }
    table->columns = reader->columns;
    table->dialect = reader->dialect;
    if (status == TANDA_OK) status = columns_name(&reader->selection, reader->names, table, error);
    if (status == TANDA_OK && !reader->request->is_look) { /* features that binary32 would ruin, again */
        status = origin_choose(reader->request, table, error);
        if (status == TANDA_OK) status = csv_read_exact(reader, &chunks, table, error);
    }
    free(chunks.chunks);
    return status;
}

tanda_status csv_begin_text(csv_reader *reader, const char *text, size_t size, text_encoding encoding,
                            tanda_error *error) {
    const request *request = reader->request;
    reading *sample = (reading *)(uintptr_t)reader->sample; /* a reader's own while it begins */
    reader->dialect.encoding = encoding;
    reader->fills_missing = request_fills_missing(request);
    reader->is_careful = missing_has_number(request->options);
    tanda_status status = dialect_find(reader->path, request, text, size, &reader->dialect, sample, error);
    reader->start = sample->start;
    if (reader->dialect.delimiter == reader->dialect.decimal)
        reader->is_careful = true; /* numbers are in quotes */
    if (status == TANDA_OK && request->lines_before > 0 && sample->titles > 0) {
        csv_cursor first =
            csv_open(reader->path, text, size); /* titles are in the first piece of a text, if at all */
        first.comment = reader->start.comment;
        csv_find_record(&first);
        status = fail(error, TANDA_BAD_INPUT, "%s:%zu: the line has fewer fields than the rows behind it",
                      reader->path, first.line + request->lines_before);
    }
    return status == TANDA_OK ? read_first_row(reader, error) : status;
}

/* All but the sample. */
static void free_reader(csv_reader *reader) {
    free_texts(reader->names, reader->columns);
    selection_free(&reader->selection);
    free(reader->roles);
    free(reader->places);
    free(reader->scratch);
}

static tanda_status read_text(const char *path, const request *request, const char *text, size_t size,
                              text_encoding encoding, table *table, tanda_error *error) {
    reading sample = {0};
    csv_reader reader = {.path = path, .request = request, .sample = &sample};
    tanda_status status = csv_begin_text(&reader, text, size, encoding, error);
    if (status == TANDA_OK && request->names != NULL)
        *request->names =
            (text_span){.begin = (size_t)(sample.start.at - text), .end = (size_t)(reader.start.at - text)};
    reader.start.line += request->lines_before;
    if (status == TANDA_OK) status = read_table(&reader, table, error);
    if (status == TANDA_OK && request->options->copy_count > 0)
        status = csv_copy_columns(&reader, table, error);
    if (status != TANDA_OK) table_free(table);
    free_reader(&reader);
    reading_free(&sample);
    return status;
}

tanda_status csv_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    text_encoding encoding = text_encoding_of(view->data, view->size);
    const char *text = (const char *)view->data;
    size_t size = view->size;
    char *converted = NULL;
    if (encoding == TEXT_UTF16_LITTLE || encoding == TEXT_UTF16_BIG) {
        tanda_status status =
            text_from_utf16(path, view->data, view->size, encoding, &converted, &size, error);
        if (status != TANDA_OK) return status;
        text = converted;
    }
    tanda_status status = read_text(path, request, text, size, encoding, table, error);
    free(converted);
    return status;
}
