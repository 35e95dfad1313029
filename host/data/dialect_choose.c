#include "data/dialect_sample.h"

#include <string.h>

#include "data/number.h"

typedef struct candidates {
    const request *request;
    const char *path;
    size_t count;
    reading of[DELIMITER_COUNT];
} candidates;

/* ---- comparing ---------------------------------------------------------------------------------------- */

static unsigned bit_of(char delimiter) {
    const char *found = memchr(dialect_delimiters, delimiter, DELIMITER_COUNT);
    return 1u << (found - dialect_delimiters);
}

static bool lacks_name(const reading *reading) {
    return reading->start.delimiter == RUN_OF_BLANKS && reading->lacks_name && reading->records > 2;
}

/* Whether all rows agree; over rows between blanks a name may lack, which the reading will tell. */
static bool is_full(const reading *reading) {
    return reading->agreeing + lacks_name(reading) == reading->records;
}

/* Lines above the table that do not fit; one that lacks a name is no better than a title. */
static size_t lines_above(const reading *reading) {
    return reading->titles + lacks_name(reading);
}

static size_t numeric_columns(const reading *reading) {
    size_t count = 0;
    for (size_t i = 0; i < reading->columns; i++)
        count += column_is_numeric(&reading->of[i]);
    return count;
}

/* Whether the other's delimiter is explained: it stands within numbers alone. Blanks stand between words, too. */
static bool explains(const reading *reading, const struct reading *other) {
    bool within_numbers = (reading->inside & bit_of(other->start.delimiter)) == 0;
    if (reading->start.delimiter != RUN_OF_BLANKS) return within_numbers;
    size_t numeric = numeric_columns(reading), other_numeric = numeric_columns(other);
    if (numeric == reading->columns) return true;
    return within_numbers && other->start.delimiter != '\t' &&
           (lines_above(reading) < lines_above(other) ||
            numeric * other->columns > other_numeric * reading->columns);
}

static bool beats(const reading *reading, const struct reading *other) {
    bool explained = explains(reading, other), other_explained = explains(other, reading);
    if (explained != other_explained) return explained;
    if (lines_above(reading) != lines_above(other)) return lines_above(reading) < lines_above(other);
    size_t numeric = numeric_columns(reading), others = numeric_columns(other);
    bool blanks = reading->start.delimiter == RUN_OF_BLANKS;
    if (blanks == (other->start.delimiter == RUN_OF_BLANKS)) return numeric > others;
    /* blanks are rather a part of the texts; but commas may be one, too, or decimal signs */
    bool in_texts = (other->inside & bit_of(reading->start.delimiter)) != 0;
    return !blanks &&
           (reading->start.delimiter != ',' || numeric > others || (numeric == others && in_texts));
}

static bool field_is(const csv_field *field, const char *text) {
    return field->length == strlen(text) && memcmp(field->text, text, field->length) == 0;
}

static bool has_name(const reading *reading, const char *name) {
    for (size_t i = 0; i < reading->columns; i++)
        if (field_is(&reading->first[i], name)) return true;
    return false;
}

/* By name or index. What such a column holds decides nothing. */
static bool is_ignored(const candidates *candidates, const reading *reading, size_t column) {
    const tanda_dataset_options *options = candidates->request->options;
    uint64_t index = 0;
    for (size_t i = 0; i < options->ignore_count; i++) {
        const char *text = options->ignore[i];
        if (field_is(&reading->first[column], text)) return true;
        if (number_to_whole(text, strlen(text), &index) && index == column && !has_name(reading, text))
            return true;
    }
    return false;
}

/* Whether the first row has the model's names, or there are as many columns as it takes. */
static bool fits_model(const reading *reading, const dataset_expectation *expected) {
    size_t targets = expected->target_count == 0 ? 1 : expected->target_count, found = 0;
    for (size_t i = 0; expected->feature_names != NULL && i < expected->feature_count; i++)
        found += has_name(reading, expected->feature_names[i]);
    if (expected->feature_names != NULL && found == expected->feature_count) return true;
    return reading->columns == expected->feature_count ||
           reading->columns == expected->feature_count + targets;
}

/* ---- candidates --------------------------------------------------------------------------------------- */

static void drop(candidates *candidates, size_t index) {
    reading_free(&candidates->of[index]);
    candidates->of[index] = candidates->of[--candidates->count];
}

/*
 * Blanks stand between words, too: they are delimiters where half of the columns or more are certain, being of numbers or
 * with every field in quotes, or where quotes enclose fields and none is a letter.
 */
static bool may_be_blanks(const candidates *candidates, const reading *reading) {
    size_t numeric = numeric_columns(reading), certain = 0, quoted = 0;
    if (candidates->request->labels_only && candidates->request->options->task != TANDA_TASK_REGRESSION)
        return false;
    if (reading->titles > 0 && numeric < reading->columns) return false;
    for (size_t i = 0; i < reading->columns; i++) {
        quoted += reading->of[i].quoted;
        certain += column_is_numeric(&reading->of[i]) ||
                   (reading->records > 1 && reading->of[i].quoted + 1 == reading->records);
    }
    return is_full(reading) && (2 * certain >= reading->columns || (quoted > 0 && reading->damaged == 0));
}

/* Where each blank as a delimiter makes all rows agree, some fields are empty; runs hide these. */
static tanda_status try_single_blanks(const candidates *candidates, csv_cursor sample, bool is_whole,
                                      bool is_asked, reading *runs, tanda_error *error) {
    reading single = {0};
    bool both = runs->agreeing == runs->records && runs->columns > 1;
    if (sample.delimiter != RUN_OF_BLANKS || (both && is_asked)) return TANDA_OK;
    sample.is_single = true;
    tanda_status status = reading_shape(&sample, is_whole, &single, error);
    bool fits = status == TANDA_OK && single.records > 1 && single.columns > 2 &&
                single.agreeing == single.records && single.titles == 0 &&
                (!both || single.columns > runs->columns);
    if (fits) status = reading_fields(candidates->request->options, &single, error);
    fits = fits && status == TANDA_OK;
    for (size_t i = 0; fits && i < single.columns;
         i++) /* nothing at all lies between columns of aligned text */
        fits = single.first[i].length > 0 || single.of[i].counts[FIELD_MISSING] + 1 != single.records;
    if (fits && both)
        status =
            fail(error, TANDA_BAD_INPUT,
                 "%s: runs of blanks and single blanks with empty fields between them fit alike, %zu and %zu "
                 "columns; --delimiter blanks takes runs",
                 sample.path, runs->columns, single.columns);
    if (fits) reading_free(runs);
    if (fits && !both)
        *runs = single;
    else
        reading_free(&single);
    return status;
}

/* Reads the sample with this delimiter; of what has a column alone, nothing is kept. */
static tanda_status try_delimiter(candidates *candidates, csv_cursor sample, bool is_whole, char delimiter,
                                  tanda_error *error) {
    reading *tried = &candidates->of[candidates->count];
    sample.delimiter = delimiter;
    tanda_status status = reading_shape(&sample, is_whole, tried, error);
    if (status == TANDA_OK && tried->columns > CSV_COLUMNS_MAX) return status;
    if (status == TANDA_OK && tried->columns > 1)
        status = reading_fields(candidates->request->options, tried, error);
    if (status == TANDA_OK) status = try_single_blanks(candidates, sample, is_whole, false, tried, error);
    if (status == TANDA_OK && tried->columns < 2) return status;
    if (status == TANDA_OK && (delimiter != RUN_OF_BLANKS || may_be_blanks(candidates, tried)))
        candidates->count++;
    else
        reading_free(tried);
    return status;
}

/* Where some fit in every row, or the model, the others go. */
static void keep_fitting(candidates *candidates, bool (*fits)(const reading *, const dataset_expectation *)) {
    const dataset_expectation *expected = candidates->request->expected;
    size_t fitting = 0;
    for (size_t i = 0; i < candidates->count; i++)
        fitting += fits(&candidates->of[i], expected);
    for (size_t i = candidates->count; fitting > 0 && i > 0; i--)
        if (!fits(&candidates->of[i - 1], expected)) drop(candidates, i - 1);
}

static bool fits_rows(const reading *reading, const dataset_expectation *expected) {
    (void)expected;
    return is_full(reading);
}

static bool fits_quotes(const reading *reading, const dataset_expectation *expected) {
    (void)expected;
    return reading->damaged == 0;
}

/* A text in which no delimiter makes columns. */
static tanda_status take_single(const candidates *candidates, csv_cursor sample, bool is_whole,
                                char delimiter, reading *result, tanda_error *error) {
    sample.delimiter = delimiter;
    sample.skips_blank_lines = true;
    tanda_status status = reading_shape(&sample, is_whole, result, error);
    if (status == TANDA_OK && result->columns > CSV_COLUMNS_MAX)
        return csv_too_many_columns(candidates->path, result->start.line, error);
    if (status == TANDA_OK && result->records > 0)
        status = reading_fields(candidates->request->options, result, error);
    if (status == TANDA_OK) status = try_single_blanks(candidates, sample, is_whole, true, result, error);
    if (status != TANDA_OK) reading_free(result);
    return status;
}

/* Above two columns, a line of one field is a title, or names the one column of numbers with a decimal comma. */
static tanda_status check_title(const candidates *candidates, const csv_cursor *sample, bool is_whole,
                                reading *chosen, tanda_error *error) {
    const dataset_expectation *expected = candidates->request->expected;
    const tanda_dataset_options *options = candidates->request->options;
    if (chosen->titles != 1 || chosen->columns != 2 ||
        (field_kind_of(options, &chosen->first[0]) == FIELD_TEXT &&
         field_kind_of(options, &chosen->first[1]) == FIELD_TEXT))
        return TANDA_OK;
    csv_cursor line = chosen->start;
    const bool is_comma = line.delimiter == ',';
    csv_field title;
    line.at = chosen->title;
    csv_any_field(&line, &title);
    bool is_single = expected != NULL && expected->feature_count == 1 && expected->feature_names != NULL &&
                     field_is(&title, expected->feature_names[0]);
    char absent = '\0'; /* a delimiter that no line has, with which every line is a field */
    for (size_t i = DELIMITER_COUNT - 2; i > 0; i--)
        if (memchr(sample->at, dialect_delimiters[i], (size_t)(sample->end - sample->at)) == NULL)
            absent = dialect_delimiters[i];
    const size_t title_line = chosen->start.line - 1;
    reading_free(chosen);
    if (is_comma && is_single && absent != '\0')
        return take_single(candidates, *sample, is_whole, absent, chosen, error);
    return fail(
        error, TANDA_BAD_INPUT,
        "%s:%zu: one field above rows of two: a title (--skip-lines leaves it out), or one of two names "
        "(--header none with --skip-lines), or %s",
        candidates->path, title_line,
        is_comma ? "numbers with a decimal comma, in one column (--delimiter semicolon) or "
                   "in several with blanks between them (--delimiter blanks)"
                 : "a damaged row");
}

/* Lines that begin with # are comments unless they could be rows like the others. */
static tanda_status decide_comment(const candidates *candidates, reading *chosen, dialect *dialect,
                                   bool *again, tanda_error *error) {
    if (chosen->hashes == 0) return TANDA_OK;
    bool is_numeric = chosen->records > 0 && column_is_numeric(&chosen->of[0]);
    bool could_be_rows =
        is_numeric ? chosen->like_rows == chosen->hashes && chosen->hash_is_first : chosen->like_rows > 0;
    *again = chosen->records == 0 || (chosen->columns == 1 && !is_numeric) ||
             (could_be_rows && !is_numeric && is_ignored(candidates, chosen, 0));
    if (*again) return TANDA_OK;
    if (!could_be_rows || chosen->columns == 1) {
        strcpy(dialect->comment, "#");
        return TANDA_OK;
    }
    reading_free(chosen);
    return fail(error, TANDA_BAD_INPUT,
                "%s: the lines that begin with # have as many fields as the rows: say what they are, with "
                "--comment '#' or --comment none",
                candidates->path);
}

static tanda_status decide_decimal(const candidates *candidates, reading *chosen, dialect *dialect,
                                   tanda_error *error) {
    size_t points = 0, commas = 0;  /* columns of numbers with this sign */
    bool could_be_thousands = true; /* all numbers with a comma are like 1,234 */
    if (dialect->decimal != '\0') return TANDA_OK;
    for (size_t i = 0; i < chosen->columns; i++) {
        const column_sample *column = &chosen->of[i];
        if (!column_is_numeric(column) || is_ignored(candidates, chosen, i)) continue;
        points += column->counts[FIELD_POINT] > 0;
        commas += column->counts[FIELD_COMMA] > 0;
        if (column->counts[FIELD_COMMA] > column->like_thousands) could_be_thousands = false;
    }
    dialect->decimal = commas > 0 ? ',' : '.';
    if (commas == 0 || (points == 0 && !could_be_thousands)) return TANDA_OK;
    reading_free(chosen);
    if (could_be_thousands)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: numbers like 1,234 may have a decimal comma (--decimal comma) or a thousands separator, "
            "which is not read: write 1234",
            candidates->path);
    return fail(error, TANDA_BAD_INPUT,
                "%s: some columns have decimal points and others decimal commas; say which are numbers with "
                "--decimal",
                candidates->path);
}

static tanda_status choose_delimiter(candidates *candidates, const csv_cursor *sample, bool is_whole,
                                     reading *result, tanda_error *error) {
    const size_t size = (size_t)(sample->end - sample->at);
    const reading *a = &candidates->of[0], *b = &candidates->of[1];
    for (size_t i = 0; i < DELIMITER_COUNT; i++) {
        char delimiter = dialect_delimiters[i];
        if (memchr(sample->at, delimiter, size) == NULL &&
            (delimiter != RUN_OF_BLANKS || memchr(sample->at, '\t', size) == NULL))
            continue;
        const tanda_status status = try_delimiter(candidates, *sample, is_whole, delimiter, error);
        if (status != TANDA_OK) return status;
    }
    if (candidates->count > 1) keep_fitting(candidates, fits_quotes);
    if (candidates->count > 1) keep_fitting(candidates, fits_rows);
    if (candidates->count > 1 && candidates->request->expected != NULL) keep_fitting(candidates, fits_model);
    if (candidates->count > 1 && is_full(a)) {
        bool is_beaten[DELIMITER_COUNT] = {false};
        for (size_t i = 0; i < candidates->count; i++)
            for (size_t j = 0; j < candidates->count; j++)
                is_beaten[i] = is_beaten[i] || (j != i && beats(&candidates->of[j], &candidates->of[i]));
        for (size_t i = candidates->count; i > 0; i--)
            if (is_beaten[i - 1] && candidates->count > 1) drop(candidates, i - 1);
    } else {
        while (candidates->count >
               1) /* of those that do not fit in every row, the one that fits in most stays */
            drop(candidates, a->agreeing * b->records >= b->agreeing * a->records ? 1 : 0);
    }
    if (candidates->count > 1)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: %s and %s as delimiter fit alike, %zu and %zu columns; say which with --delimiter",
                    candidates->path, dialect_delimiter_name(a->start.delimiter),
                    dialect_delimiter_name(b->start.delimiter), a->columns, b->columns);
    if (candidates->count == 0) return take_single(candidates, *sample, is_whole, ',', result, error);
    *result = *a;
    candidates->count = 0;
    return check_title(candidates, sample, is_whole, result, error);
}

static tanda_status choose(candidates *candidates, const csv_cursor *sample, bool is_whole, dialect *dialect,
                           reading *result, tanda_error *error) {
    tanda_status status = dialect->delimiter == '\0'
                              ? choose_delimiter(candidates, sample, is_whole, result, error)
                              : take_single(candidates, *sample, is_whole, dialect->delimiter, result, error);
    for (size_t i = 0; i < candidates->count; i++)
        reading_free(&candidates->of[i]);
    return status;
}

tanda_status dialect_choose(const request *request, const csv_cursor *start, bool is_whole, dialect *dialect,
                            reading *result, tanda_error *error) {
    csv_cursor sample = *start;
    bool again = false;
    const char asked = dialect->delimiter;
    candidates candidates = {.request = request, .path = sample.path};
    tanda_status status = choose(&candidates, &sample, is_whole, dialect, result, error);
    if (status == TANDA_OK) status = decide_comment(&candidates, result, dialect, &again, error);
    if (status == TANDA_OK && again) { /* # begins rows */
        reading_free(result);
        sample.comment = "";
        candidates.count = 0;
        dialect->delimiter = asked;
        status = choose(&candidates, &sample, is_whole, dialect, result, error);
    }
    if (status != TANDA_OK || (result->records == 0 && !is_whole)) return status;
    if (result->records == 0) {
        reading_free(result);
        return fail(error, TANDA_BAD_INPUT, "%s: holds no rows", sample.path);
    }
    dialect->delimiter = result->start.delimiter;
    dialect->has_quotes = memchr(sample.at, '"', (size_t)(sample.end - sample.at)) != NULL;
    return decide_decimal(&candidates, result, dialect, error);
}
