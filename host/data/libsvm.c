/*
 * libsvm's text: a label, then index:value for what is not 0, indexes ascending, from 0 or from 1 (Chang and Lin). Rows
 * are stored dense. The columns are called by their indexes, so that a model knows them again; behind them is the label.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/format.h"
#include "data/libsvm.h"
#include "data/number.h"
#include "data/origin.h"
#include "data/pipe.h"
#include "support/memory.h"
#include "support/text.h"

#define LOOKED_AT ((size_t)64 << 10)
#define LINES_LOOKED_AT 20
#define INDEX_MOST ((uint64_t)1 << 31)
#define LABEL_NAME "label"
#define NAME_BYTES 40 /* that a short name takes, with its pointer */

typedef struct word {
    const char *text;
    size_t length;
} word;

typedef struct entry {
    uint64_t index;
    float value; /* NaN: missing, and exact is 0 */
    double exact;
} entry;

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line; false at its end or at a comment. */
static bool next_word(svm_cursor *cursor, word *word) {
    while (cursor->at < cursor->end && is_blank(*cursor->at))
        cursor->at++;
    if (cursor->at == cursor->end || *cursor->at == '\n' || *cursor->at == '#') return false;
    word->text = cursor->at;
    while (cursor->at < cursor->end && !is_blank(*cursor->at) && *cursor->at != '\n')
        cursor->at++;
    word->length = (size_t)(cursor->at - word->text);
    cursor->word++;
    return true;
}

/* Goes to the next line with words, and takes the first; false at the end of the text. */
static bool next_row(svm_cursor *cursor, word *label) {
    while (!next_word(cursor, label)) {
        if (cursor->at == cursor->end) return false;
        const char *line_end = memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at));
        cursor->at = line_end == NULL ? cursor->end : line_end + 1;
        cursor->line++;
        cursor->word = 0;
    }
    return true;
}

static bool split(const word *word, uint64_t *index, struct word *value) {
    const char *colon = memchr(word->text, ':', word->length);
    if (colon == NULL || !number_to_whole(word->text, (size_t)(colon - word->text), index)) return false;
    value->text = colon + 1;
    value->length = word->length - (size_t)(colon + 1 - word->text);
    return true;
}

static bool is_query(const word *word) {
    return word->length > 4 && memcmp(word->text, "qid:", 4) == 0;
}

/* One row of a label, or of several behind commas, as data of several labels have, and pairs; *pairs counts them. */
static bool looks_like_row(svm_cursor *cursor, const word *label, size_t *pairs) {
    word word, value;
    uint64_t index;
    float number;
    const char *comma = memchr(label->text, ',', label->length);
    const size_t length = comma == NULL ? label->length : (size_t)(comma - label->text);
    if (number_to_float(label->text, length, &number) != NUMBER_OK) return false;
    while (next_word(cursor, &word)) {
        if (is_query(&word)) continue;
        if (!split(&word, &index, &value) || number_to_float(value.text, value.length, &number) == NUMBER_NOT)
            return false;
        ++*pairs;
    }
    return true;
}

bool libsvm_looks_right(const unsigned char *data, size_t size) {
    const char *text = (const char *)data;
    size_t length = size < LOOKED_AT ? size : LOOKED_AT, pairs = 0;
    while (length > 0 && length < size && text[length - 1] != '\n')
        length--; /* the last line is not whole */
    svm_cursor cursor = {.at = text, .end = text + length};
    word label;
    for (int line = 0; line < LINES_LOOKED_AT && next_row(&cursor, &label); line++)
        if (!looks_like_row(&cursor, &label, &pairs)) return false;
    return pairs > 0;
}

static place place_of(const svm *svm, const svm_cursor *cursor) {
    return (place){.path = svm->path, .line = cursor->line, .column = cursor->word};
}

static tanda_status refuse_word(const svm *svm, const svm_cursor *cursor, const word *word,
                                const char *problem, tanda_error *error) {
    char text[SHOWN_SIZE];
    const place place = place_of(svm, cursor);
    return fail_at(error, &place, "'%s' %s", shown(word->text, word->length, text), problem);
}

static tanda_status read_label(const svm *svm, const svm_cursor *cursor, const word *word, double *exact,
                               float *label, tanda_error *error) {
    number_status problem = number_to_float(word->text, word->length, label);
    if (problem == NUMBER_OK) problem = number_to_double(word->text, word->length, exact);
    if (problem == NUMBER_OK) return TANDA_OK;
    if (memchr(word->text, ',', word->length) != NULL)
        return refuse_word(svm, cursor, word, "is more than one label; a row has one", error);
    return refuse_word(svm, cursor, word, number_problem(problem), error);
}

/* before is the index of the pair before, or SIZE_MAX. */
static tanda_status read_entry(const svm *svm, const svm_cursor *cursor, const word *word, uint64_t before,
                               entry *entry, tanda_error *error) {
    struct word value;
    if (is_query(word))
        return refuse_word(svm, cursor, word, "groups rows for ranking, which is not learnt; leave it out",
                           error);
    if (!split(word, &entry->index, &value))
        return refuse_word(svm, cursor, word, "is no index:value, such as 3:0.5", error);
    if (entry->index > INDEX_MOST) return refuse_word(svm, cursor, word, "has an index beyond 2^31", error);
    if (before != SIZE_MAX && entry->index <= before)
        return refuse_word(svm, cursor, word, "does not ascend: each index stands once in a row, in order",
                           error);
    const number_status problem = number_to_float(value.text, value.length, &entry->value);
    if (problem == NUMBER_OK) {
        number_to_double(value.text, value.length, &entry->exact);
        return TANDA_OK;
    }
    entry->value = NAN;
    const bool is_nan = value.length == 3 && strncasecmp(value.text, "nan", 3) == 0;
    if (is_nan && request_fills_missing(svm->request)) return TANDA_OK;
    return refuse_word(svm, cursor, word, number_problem(problem), error);
}

tanda_status svm_survey(svm *svm, tanda_error *error) {
    svm_cursor cursor = svm->start;
    word word;
    double exact;
    float label;
    tanda_status status = TANDA_OK;
    for (; status == TANDA_OK && next_row(&cursor, &word); svm->rows++) {
        uint64_t before = SIZE_MAX;
        entry entry = {0};
        status = read_label(svm, &cursor, &word, &exact, &label, error);
        while (status == TANDA_OK && next_word(&cursor, &word)) {
            status = read_entry(svm, &cursor, &word, before, &entry, error);
            if (status != TANDA_OK) break;
            before = entry.index;
            if (before < svm->least) svm->least = before;
            if (before > svm->most) svm->most = before;
        }
    }
    return status;
}

tanda_status svm_check_rows(const svm *svm, tanda_error *error) {
    if (svm->rows == 0) return fail(error, TANDA_BAD_INPUT, "%s: holds no rows", svm->path);
    if (!svm->request->labels_only) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "%s: is libsvm text, which holds labels and features; --labels takes labels alone",
                svm->path);
}

/* Whether the model's features are called by indexes, as those of libsvm's text are; *last is the greatest. */
static bool find_last_index(const dataset_expectation *expected, uint64_t *last) {
    *last = 0;
    for (size_t i = 0; expected->feature_names != NULL && i < expected->feature_count; i++) {
        const char *name = expected->feature_names[i];
        uint64_t index = 0;
        if (!number_to_whole(name, strlen(name), &index) || index > INDEX_MOST) return false;
        if (index > *last) *last = index;
    }
    return expected->feature_names != NULL;
}

/* The index of the first column and the number of columns: as found, or as a model has them. */
static tanda_status find_columns(svm *svm, bool *has_names, tanda_error *error) {
    const dataset_expectation *expected = svm->request->expected;
    uint64_t last = svm->most;
    svm->base = svm->least == 0 ? 0 : 1;
    *has_names = expected == NULL || find_last_index(expected, &last);
    if (expected != NULL && *has_names) {
        svm->base = 1;
        for (size_t i = 0; i < expected->feature_count; i++)
            if (strcmp(expected->feature_names[i], "0") == 0) svm->base = 0;
    }
    if (!*has_names) last = svm->base + expected->feature_count - 1;
    if (svm->least <= svm->most && (svm->least < svm->base || svm->most > last))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: has the index %" PRIu64 "; those of the model are %" PRIu64 " to %" PRIu64,
                    svm->path, svm->least < svm->base ? svm->least : svm->most, svm->base, last);
    if (last < svm->base) return fail(error, TANDA_BAD_INPUT, "%s: no row has a value", svm->path);
    svm->columns = (size_t)(last - svm->base) + 2;
    return TANDA_OK;
}

static tanda_status check_memory(const svm *svm, tanda_error *error) {
    /* before memory is asked for: rows that are nearly empty take as much as full ones */
    size_t bytes = 0, names = 0;
    const bool overflows = multiply_overflows(svm->rows, svm->columns, &bytes) ||
                           multiply_overflows(bytes, sizeof(float), &bytes) ||
                           multiply_overflows(svm->columns, NAME_BYTES, &names) ||
                           add_overflows(bytes, names, &bytes);
    if (!overflows && bytes <= bytes_most()) return TANDA_OK;
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: %zu rows of %zu features are stored dense, which takes %s%zu MiB with the features' names; the "
        "memory allows %zu MiB",
        svm->path, svm->rows, svm->columns - 1, overflows ? "more than " : "",
        (overflows ? SIZE_MAX : bytes) >> 20, bytes_most() >> 20);
}

/* The row's values, (columns), that of the label last. */
static tanda_status read_row(const svm *svm, svm_cursor *cursor, const word *label, double *exact,
                             tanda_error *error) {
    word word;
    uint64_t before = SIZE_MAX;
    entry entry = {0};
    memset(svm->values, 0, svm->columns * sizeof *svm->values);
    if (svm->exact != NULL) memset(svm->exact, 0, svm->columns * sizeof *svm->exact);
    tanda_status status = read_label(svm, cursor, label, exact, &svm->values[svm->columns - 1], error);
    while (status == TANDA_OK && next_word(cursor, &word)) {
        status = read_entry(svm, cursor, &word, before, &entry, error);
        if (status != TANDA_OK) break;
        if (entry.index < svm->base || entry.index - svm->base + 1 >= svm->columns) /* the file changed */
            return refuse_word(svm, cursor, &word, "was not there before", error);
        svm->values[entry.index - svm->base] = entry.value;
        if (svm->exact != NULL) svm->exact[entry.index - svm->base] = isnan(entry.value) ? NAN : entry.exact;
        before = entry.index;
    }
    return status;
}

static tanda_status put_row(const svm *svm, const selection *selection, size_t row, double exact,
                            table *table, const svm_cursor *cursor, tanda_error *error) {
    const place place = {.path = svm->path, .line = cursor->line, .column = 1};
    const float *values = svm->values;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; i < table->features; i++)
        table->owned[row * table->features + i] = values[selection->features[i]];
    for (size_t i = 0; table->targets != NULL && i < table->target_count; i++)
        table->targets[row * table->target_count + i] = values[selection->targets[i]];
    if (table->labels != NULL && isnan(values[selection->target])) {
        labels_add_missing(table->labels, row);
    } else if (table->labels != NULL) {
        const float value = values[selection->target];
        status = labels_add_number(table->labels, row,
                                   selection->target + 1 == svm->columns ? exact : (double)value, value,
                                   &place, error);
    }
    if (status != TANDA_OK || !table->has_weights) return status;
    if (isnan(values[selection->weight])) return fail_at(error, &place, "a weight is missing");
    return table_add_weight(table, row, values[selection->weight], &place, error);
}

/* Rows into the table or, once that is read, the features that binary32 would ruin into its exact columns. */
static tanda_status read_rows(svm *svm, const selection *selection, table *table, tanda_error *error) {
    exact_columns *exact = svm->exact != NULL ? &table->exact : NULL;
    svm_cursor cursor = svm->start;
    word label;
    double number = 0.0;
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < svm->rows && next_row(&cursor, &label); row++) {
        status = read_row(svm, &cursor, &label, &number, error);
        if (status == TANDA_OK && exact == NULL)
            status = put_row(svm, selection, row, number, table, &cursor, error);
        for (size_t i = 0; exact != NULL && i < exact->count; i++)
            exact->values[row * exact->count + i] = svm->exact[selection->features[exact->features[i]]];
    }
    return status;
}

tanda_status svm_fill(svm *svm, const selection *selection, char *const *names, table *table,
                      tanda_error *error) {
    for (size_t i = 0; i < selection->feature_count; i++)
        if (selection->is_category[i])
            return fail(error, TANDA_USAGE,
                        "--categorical: %s is libsvm text, which holds numbers; make it CSV", svm->path);
    selection_shape(selection, svm->request, table);
    table->rows = svm->rows;
    table->columns = svm->columns;
    tanda_status status = table_begin(table, svm->request, svm->path, false, selection->is_category, error);
    if (status == TANDA_OK && svm->values == NULL)
        status = allocate(&svm->values, svm->columns, sizeof *svm->values, "a row", error);
    if (status == TANDA_OK) status = read_rows(svm, selection, table, error);
    return status == TANDA_OK ? columns_name(selection, names, table, error) : status;
}

tanda_status svm_fill_exact(svm *svm, const selection *selection, table *table, tanda_error *error) {
    if (table->exact.count == 0) return TANDA_OK;
    tanda_status status = exact_columns_make(svm->rows, &table->exact, error);
    if (status == TANDA_OK) status = allocate(&svm->exact, svm->columns, sizeof *svm->exact, "a row", error);
    if (status == TANDA_OK) status = read_rows(svm, selection, table, error);
    free(svm->exact);
    svm->exact = NULL;
    return status;
}

/* Steps over rows, to the label of the one after `wanted` others; how many there were. */
static size_t step_over(svm_cursor *cursor, size_t wanted) {
    size_t row = 0;
    word word;
    for (; next_row(cursor, &word) && row < wanted; row++)
        while (next_word(cursor, &word)) {
        }
    return row;
}

place svm_find_row(const svm *svm, size_t wanted) {
    svm_cursor cursor = svm->start;
    step_over(&cursor, wanted);
    return place_of(svm, &cursor);
}

size_t svm_count_rows(const svm *svm) {
    svm_cursor cursor = svm->start;
    return step_over(&cursor, SIZE_MAX);
}

static tanda_status check_targets(const svm *svm, const table *table, tanda_error *error) {
    const target_fault fault = target_fault_find(table, svm->request);
    if (fault.kind == TARGET_FINE) return TANDA_OK;
    place place = svm_find_row(svm, fault.row);
    if (table->target_names != NULL) place.name = table->target_names[fault.target];
    return target_fault_tell(&fault, &place, error);
}

tanda_status svm_describe_indexes(const svm *svm, char **remark, tanda_error *error) {
    return copy_text(remark, svm->base == 0 ? "libsvm, indexes from 0" : "libsvm, indexes from 1", error);
}

tanda_status svm_choose_columns(svm *svm, char ***names, selection *selection, tanda_error *error) {
    bool has_names = false;
    char name[24];
    tanda_status status = find_columns(svm, &has_names, error);
    if (status == TANDA_OK) status = check_memory(svm, error);
    if (status == TANDA_OK && has_names)
        status = allocate(names, svm->columns, sizeof **names, "column names", error);
    for (size_t i = 0; status == TANDA_OK && has_names && i < svm->columns; i++) {
        text_put(name, sizeof name, "%" PRIu64, svm->base + i);
        status = copy_text(&(*names)[i], i + 1 == svm->columns ? LABEL_NAME : name, error);
    }
    return status == TANDA_OK
               ? columns_select(svm->request, svm->path, *names, svm->columns, selection, error)
               : status;
}

tanda_status libsvm_read(const char *path, file_view *view, const request *request, table *table,
                         tanda_error *error) {
    const char *text = (const char *)view->data;
    svm svm = {.path = path, .request = request, .least = UINT64_MAX};
    char **names = NULL;
    selection selection = {0};
    svm.start = (svm_cursor){.at = text, .end = text + view->size, .line = 1};
    tanda_status status = svm_survey(&svm, error);
    if (status == TANDA_OK) status = svm_check_rows(&svm, error);
    if (status == TANDA_OK) status = svm_choose_columns(&svm, &names, &selection, error);
    if (status == TANDA_OK) status = svm_fill(&svm, &selection, names, table, error);
    if (status == TANDA_OK) status = check_targets(&svm, table, error);
    if (status == TANDA_OK) status = origin_choose(request, table, error);
    if (status == TANDA_OK) status = svm_fill_exact(&svm, &selection, table, error);
    if (status == TANDA_OK) status = svm_describe_indexes(&svm, &table->remark, error);
    selection_free(&selection);
    free_texts(names, svm.columns);
    free(svm.values);
    if (status != TANDA_OK) table_free(table);
    return status;
}
