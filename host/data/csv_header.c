/* Whether the first row of a CSV file holds names. */
#include "data/csv_rows.h"

#include <ctype.h>
#include <stdlib.h>

#include "data/dialect.h"
#include "data/preparation.h"
#include "support/memory.h"

#define ENOUGH_ROWS 8     /* in which a habit of the writer shows */
#define LARGE_NUMBER 1000 /* consecutive numbers above this, such as years, are rare in a row of data */

/* Whether text can be a name: it has a letter, or is of another script. */
static bool is_word(const csv_field *field) {
    for (size_t i = 0; i < field->length; i++)
        if (isalpha((unsigned char)field->text[i]) || field->text[i] == '_' || (field->text[i] & 0x80) != 0)
            return true;
    return false;
}

/* The first row held against the rows below. */
typedef struct evidence {
    size_t words;         /* texts that can be names */
    size_t others;        /* fields that cannot, such as dates over text, true over true and false, and NA */
    size_t recurring;     /* words that stand in their column again */
    size_t above_numbers; /* words over columns of numbers */
    size_t numbers;
    size_t numbers_recurring;
    size_t above_points; /* of the numbers, digits alone over numbers that all have a decimal sign */
    size_t above_many;   /* and over so many that this is how they are written */
    size_t above_text;   /* numbers over columns without one */
    size_t above_texts;  /* of these, over several values */
    bool in_order;       /* the numbers are a, a + 1, a + 2, ... */
    bool from_zero;      /* and a is 0 */
    uint64_t expected;   /* the number that would go on */
    bool is_distinct;    /* the numbers are digits alone, no two alike */
    bool above_index;    /* an empty first field over whole numbers, none of which is missing */
    bool counts_rows;    /* and these are 0, 1, ..., as pandas writes an index */
} evidence;

static size_t values_of(const column_sample *column) {
    size_t values = 0;
    for (size_t kind = 0; kind < FIELD_KIND_COUNT; kind++)
        values += kind == FIELD_MISSING ? 0 : column->counts[kind];
    return values;
}

static void look_at_number(const reading *reading, size_t index, evidence *found) {
    const csv_field *field = &reading->first[index];
    const column_sample *column = &reading->of[index];
    size_t values = values_of(column), points = column->counts[FIELD_POINT] + column->counts[FIELD_COMMA];
    uint64_t number = 0;
    bool plain = number_to_whole(field->text, field->length, &number);
    if (found->numbers == 0) found->from_zero = plain && number == 0;
    found->in_order = found->in_order && plain && (found->numbers == 0 || number == found->expected);
    found->expected = number + 1;
    found->is_distinct = found->is_distinct && plain;
    for (size_t i = 0; found->is_distinct && i < index; i++)
        found->is_distinct = reading->first[i].length != field->length ||
                             memcmp(reading->first[i].text, field->text, field->length) != 0;
    found->numbers_recurring += column->first_recurs;
    found->above_points += plain && values > 0 && points == values;
    found->above_many += plain && values >= ENOUGH_ROWS && points == values;
    bool texts = values > 0 && column->counts[FIELD_TEXT] + column->counts[FIELD_BOOLEAN] == values;
    found->above_text += texts && reading->records > 1;
    found->above_texts += texts && values > 1;
    found->numbers++;
}

/* Whether the first column of the two rows behind the first holds 0 and 1. */
static bool counts_rows(const reading *reading) {
    csv_cursor cursor = reading->start;
    csv_field field, first;
    for (uint64_t row = 0; row < 3 && row < reading->records && csv_find_record(&cursor); row++) {
        uint64_t number = 0;
        csv_any_field(&cursor, &first);
        for (field = first; !field.is_last;)
            csv_any_field(&cursor, &field);
        if (row > 0 && (!number_to_whole(first.text, first.length, &number) || number + 1 != row))
            return false;
    }
    return true;
}

/* takes_text: of columns whose texts are values; or NULL. */
static evidence compare_rows(const reading *reading, const tanda_dataset_options *options,
                             const bool *takes_text) {
    evidence found = {.in_order = true, .is_distinct = true};
    for (size_t i = 0; i < reading->columns; i++) {
        const csv_field *field = &reading->first[i];
        field_kind kind = field_kind_of(options, field);
        if (kind == FIELD_WHOLE || kind == FIELD_POINT || kind == FIELD_COMMA)
            look_at_number(reading, i, &found);
        if (field->length == 0 && i == 0 && reading->of[0].counts[FIELD_WHOLE] > 0 &&
            reading->of[0].counts[FIELD_WHOLE] == values_of(&reading->of[0])) {
            found.above_index = reading->of[0].counts[FIELD_MISSING] == 0;
            found.counts_rows = found.above_index && counts_rows(reading);
        }
        if (kind == FIELD_TEXT && !is_word(field)) found.others += !column_is_numeric(&reading->of[i]);
        found.others += kind == FIELD_BOOLEAN && reading->of[i].counts[FIELD_BOOLEAN] > 0;
        found.others += kind == FIELD_MISSING && field->length > 0;
        if (kind != FIELD_TEXT || !is_word(field)) continue;
        found.words++;
        found.recurring += reading->of[i].first_recurs;
        found.above_numbers += reading->records > 1 && column_is_numeric(&reading->of[i]) &&
                               (takes_text == NULL || !takes_text[i]);
    }
    return found;
}

typedef enum verdict { IS_DATA, IS_HEADER, IS_DOUBTFUL } verdict;

/* Numbers, and words that no column of numbers contradicts. What pandas names columns: 0, 1, 2, as no other row. */
static verdict judge_numbers(const reading *reading, const evidence *found) {
    const bool is_habit = found->from_zero || found->expected > LARGE_NUMBER;
    bool as_no_other = found->in_order && reading->other_runs == 0;
    if (found->recurring > 0 || !found->is_distinct || reading->records < 2) return IS_DATA;
    if (found->above_text > 0 && found->others == 0) return found->above_texts > 0 ? IS_HEADER : IS_DOUBTFUL;
    if (as_no_other && found->from_zero && (found->numbers > 2 || found->above_many > 0))
        return found->numbers_recurring == found->numbers ? IS_DOUBTFUL : IS_HEADER;
    if (as_no_other && found->numbers > 2 && found->above_points > 0) return IS_HEADER; /* years */
    if (as_no_other && found->numbers > 1 && found->numbers_recurring < found->numbers && is_habit)
        return IS_DOUBTFUL;
    if (found->numbers > 2 && found->above_points == found->numbers)
        return IS_DOUBTFUL; /* in another order */
    if (found->in_order && is_habit && found->numbers > 1 && found->numbers == reading->columns &&
        reading->other_runs + 1 < reading->records)
        return IS_DOUBTFUL; /* some rows are like it by chance, it may be */
    return as_no_other && found->from_zero && found->above_points > 0 ? IS_DOUBTFUL : IS_DATA;
}

static verdict judge(const reading *reading, const evidence *found) {
    if (found->above_numbers > 0) return found->is_distinct ? IS_HEADER : IS_DOUBTFUL;
    if (found->above_index && found->recurring == 0 && found->words > 0) return IS_HEADER;
    if (found->above_index && found->recurring == 0 && found->is_distinct)
        return found->counts_rows ? IS_HEADER : IS_DOUBTFUL;
    if (found->numbers > 0) return judge_numbers(reading, found);
    /* words alone: those that stand again in their columns are data; over a single row of words either may be */
    if (found->words == 0 || found->others > 0) return IS_DATA;
    if (found->recurring == 0) return reading->records == 2 ? IS_DOUBTFUL : IS_HEADER;
    return found->recurring == found->words || found->recurring > 1 ? IS_DATA : IS_DOUBTFUL;
}

static tanda_status tell(const csv_reader *reader, verdict verdict, bool *header, tanda_error *error) {
    *header = verdict == IS_HEADER;
    if (verdict != IS_DOUBTFUL) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "%s:%zu: the first row may hold names or data; say which with --header first-row or none",
                reader->path, reader->start.line);
}

static bool has_name(const csv_reader *reader, const char *name) {
    for (size_t i = 0; i < reader->columns; i++)
        if (strcmp(reader->names[i], name) == 0) return true;
    return false;
}

/* Whether the first row has all of the expected features' names, or any. */
static bool has_names(const csv_reader *reader, bool all) {
    const dataset_expectation *expected = reader->request->expected;
    for (size_t i = 0; expected->feature_names != NULL && i < expected->feature_count; i++)
        if (has_name(reader, expected->feature_names[i]) != all) return !all;
    return all && expected->feature_names != NULL;
}

static bool is_among(char *const *texts, size_t count, const char *text) {
    for (size_t i = 0; i < count; i++)
        if (texts_are_same(texts[i], text)) return true;
    return false;
}

static bool is_name(const csv_reader *reader, const csv_field *field) {
    return field_kind_of(reader->request->options, field) == FIELD_TEXT && is_word(field);
}

/* Whether a field of the first row can be a value of this feature. */
static bool can_be_feature(const csv_reader *reader, const reading *reading, size_t column, size_t feature) {
    const dataset_expectation *expected = reader->request->expected;
    const csv_field *field = &reading->first[column];
    if (missing_is_word(reader->request->options, field->text, field->length)) return true;
    if (expected->is_category == NULL || !expected->is_category[feature]) return !is_name(reader, field);
    if (expected->columns == NULL) return !is_name(reader, field) || reading->of[column].first_recurs;
    return is_among(expected->columns[feature].categories, expected->columns[feature].category_count,
                    reader->names[column]);
}

/* Whether the first row, by position, is one that the model takes. */
static bool can_be_data(const csv_reader *reader, const reading *reading) {
    const dataset_expectation *expected = reader->request->expected;
    selection by_position = {0};
    if (columns_select(reader->request, reader->path, NULL, reader->columns, &by_position, NULL) != TANDA_OK)
        return false;
    bool fits = true;
    for (size_t i = 0; fits && i < by_position.feature_count; i++)
        fits = can_be_feature(reader, reading, by_position.features[i], i);
    const bool is_class = expected->task == TANDA_TASK_CLASSES && labels_expect_text(expected);
    for (size_t i = 0; !reader->request->options->without_target && fits && i < by_position.target_count;
         i++) {
        const size_t column = by_position.targets[i];
        fits = is_class ? is_among(expected->class_names, expected->class_count, reader->names[column])
                        : !is_name(reader, &reading->first[column]);
    }
    selection_free(&by_position);
    return fits;
}

static tanda_status decide_with_model(const csv_reader *reader, const reading *reading, bool *header,
                                      tanda_error *error) {
    evidence found = compare_rows(reading, reader->request->options, NULL);
    *header = has_names(reader, true);
    if (*header) return TANDA_OK;
    verdict verdict = judge(reading, &found);
    if (can_be_data(reader, reading)) verdict = found.words > 0 ? IS_DATA : verdict;
    return tell(reader, verdict, header, error);
}

/* Whether columns can be selected so; marks those whose texts are values. */
static bool selects(const csv_reader *reader, char *const *names, bool *takes_text) {
    selection chosen = {0};
    if (columns_select(reader->request, reader->path, names, reader->columns, &chosen, NULL) != TANDA_OK)
        return false;
    for (size_t i = 0; i < chosen.feature_count; i++)
        if (chosen.is_category[i]) takes_text[chosen.features[i]] = true;
    selection_free(&chosen);
    return true;
}

/* Options that only make sense with names ask for them; else the rows decide. */
static tanda_status decide_by_rows(const csv_reader *reader, const reading *reading, bool *header,
                                   tanda_error *error) {
    bool *takes_text = NULL;
    tanda_status status = allocate(&takes_text, reader->columns, sizeof *takes_text, "columns", error);
    if (status != TANDA_OK) return status;
    bool plain_fits = selects(reader, NULL, takes_text),
         names_fit = selects(reader, reader->names, takes_text);
    evidence found = compare_rows(reading, reader->request->options, takes_text);
    verdict verdict = judge(reading, &found);
    if (!plain_fits && (names_fit || found.words > 0)) verdict = IS_HEADER;
    free(takes_text);
    return tell(reader, verdict, header, error);
}

tanda_status csv_decide_header(const csv_reader *reader, const reading *reading, bool *header,
                               tanda_error *error) {
    const request *request = reader->request;
    *header = request->options->header == TANDA_HEADER_FIRST_ROW;
    if (request->options->header != TANDA_HEADER_AUTO) return TANDA_OK;
    if (request
            ->is_part) { /* it has the names of the file that it follows, or none; one that differs is told */
        *header = has_names(reader, false);
        return TANDA_OK;
    }
    if (request->labels_only) { /* one for each row, and perhaps a name above */
        const size_t rows = request->label_rows;
        const size_t records = reading->is_whole ? reading->records : csv_count_records(&reader->start);
        *header = records == rows + 1 && is_name(reader, &reading->first[0]);
        if (records == rows || *header) return TANDA_OK;
    }
    if (reading->columns != reader->columns) return TANDA_OK; /* the reading will say what is wrong */
    if (request->expected != NULL && !request->labels_only)
        return decide_with_model(reader, reading, header, error);
    return decide_by_rows(reader, reading, header, error);
}
