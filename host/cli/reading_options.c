#include "cli/reading_options.h"

#include <string.h>

#include "cli/option_table.h"
#include "tanda_lab.h"

enum { FLAG_HEADER = FLAG_OWN + 0xd00, FLAG_DELIMITER, FLAG_DECIMAL, FLAG_COMMENT, FLAG_SKIP_LINES };

static const struct argp_option table[] = {
    {"header", FLAG_HEADER, "MODE", 0, "CSV column names: auto (default), none or first-row", 0},
    {"delimiter", FLAG_DELIMITER, "NAME", 0,
     "between the fields of CSV: auto (default: found out), comma, semicolon, tab, bar or blanks", 0},
    ELSEWHERE("sep"),
    ELSEWHERE("separator"),
    {"decimal", FLAG_DECIMAL, "NAME", 0, "decimal sign of CSV: auto (default: found out), point or comma", 0},
    {"comment", FLAG_COMMENT, "TEXT", 0,
     "lines of CSV that begin with TEXT are skipped; default: found out for #; none: there are none", 0},
    {"skip-lines", FLAG_SKIP_LINES, "N", 0, "lines of CSV above the names or the first row; default 0", 0},
    ELSEWHERE("skiprows"),
    ELSEWHERE("skip-rows"),
    {0},
};

static tanda_status set_header(data_options *options, const char *argument) {
    size_t index = 0;
    const tanda_status status =
        value_choice("--header", argument, header_names, HEADER_NAMES, &index, options->error);
    if (status == TANDA_OK) options->read.header = (tanda_header)index;
    return status;
}

/* By its name, or the character itself. */
static tanda_status set_delimiter(data_options *options, const char *argument) {
    const char *names[DELIMITER_COUNT + 1] = {"auto"};
    size_t index = 0;
    if (argument[0] != '\0' && argument[1] == '\0' && dialect_delimiter_name(argument[0]) != NULL) {
        options->read.delimiter = argument[0];
        return TANDA_OK;
    }
    for (size_t i = 0; i < DELIMITER_COUNT; i++)
        names[i + 1] = dialect_delimiter_name(dialect_delimiters[i]);
    const tanda_status status =
        value_choice("--delimiter", argument, names, DELIMITER_COUNT + 1, &index, options->error);
    if (status == TANDA_OK) options->read.delimiter = index == 0 ? '\0' : dialect_delimiters[index - 1];
    return status;
}

static tanda_status set_decimal(data_options *options, const char *argument) {
    size_t index = 0;
    const tanda_status status =
        value_choice("--decimal", argument, decimal_names, DECIMAL_NAMES, &index, options->error);
    if (status == TANDA_OK) options->read.decimal = dialect_decimals[index];
    return status;
}

static tanda_status set_comment(data_options *options, const char *argument) {
    char buffer[SHOWN_SIZE];
    const size_t length = strlen(argument);
    options->read.comment = strcmp(argument, "none") == 0 ? "" : argument;
    if (length > 0 && length < DIALECT_COMMENT_SIZE) return TANDA_OK;
    return fail(options->error, TANDA_USAGE, "--comment: '%s' has not 1 to %d characters; use #, or none",
                shown(argument, length, buffer), DIALECT_COMMENT_SIZE - 1);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    data_options *options = state->input;
    switch (key) {
    case FLAG_HEADER:
        return parsed(set_header(options, argument));
    case FLAG_DELIMITER:
        return parsed(set_delimiter(options, argument));
    case FLAG_DECIMAL:
        return parsed(set_decimal(options, argument));
    case FLAG_COMMENT:
        return parsed(set_comment(options, argument));
    case FLAG_SKIP_LINES:
        return parsed(value_size("--skip-lines", argument, 0, &options->read.skip_lines, options->error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp dialect_argp = {.options = table, .parser = parse};

/* ---- what is noted and told --------------------------------------------------------------------------- */

void report_dialect(report *outer, const dialect *dialect) {
    if (!dialect->is_text) return;
    report report = json_object_begin();
    json_put_text(&report, "encoding", text_encoding_name(dialect->encoding));
    json_put_text(&report, "delimiter",
                  dialect->single_blanks ? "single blanks" : dialect_delimiter_name(dialect->delimiter));
    json_put_text(&report, "decimal", dialect_decimal_name(dialect->decimal));
    json_put_text(&report, "line_end", dialect->line_end == '\r' ? "CR" : dialect->has_crlf ? "CRLF" : "LF");
    json_put(&report, "byte_order_mark", json_boolean(dialect->encoding == TEXT_UTF8_MARK));
    json_put(&report, "quotes", json_boolean(dialect->has_quotes));
    json_put_text(&report, "comment", dialect->comment[0] == '\0' ? "none" : dialect->comment);
    json_put_count(&report, "skipped_lines", dialect->skipped_lines);
    json_put(&report, "header", json_boolean(dialect->has_header));
    json_put(outer, "dialect", json_end(&report));
}

/* ---- the manual --------------------------------------------------------------------------------------- */

/* In the order in which data/dialect_choose.c decides. */
static const char delimiter_rules[] =
    "It is found out from the first 64 KiB of the file, on to 1 MiB where these leave a doubt. Each "
    "delimiter "
    "that occurs outside of quotes reads them in its way; of the ways with more than one column is taken\n"
    "  1. that in which every row has as many fields as the others;\n"
    "  2. with a model, that which has its names, or as many columns as it takes;\n"
    "  3. that which explains the others: they stand within its numbers alone, as a decimal comma does;\n"
    "  4. that with fewer lines above the table that do not fit, such as titles;\n"
    "  5. another than blanks, where these may be a part of texts;\n"
    "  6. that with more columns of numbers.\n"
    "Where two are left the file is refused, and the message names both. Runs of blanks count as one "
    "delimiter, "
    "and are one only where half of the columns or more hold numbers or are in quotes; single blanks with "
    "empty "
    "fields between them are found too. Where no row is like another, the delimiter that fits in most is "
    "taken. "
    "A first line sep=; as Excel writes it decides.\n";

void dialect_write_rules(FILE *stream) {
    fprintf(stream, "--delimiter takes auto, or a name, or the character itself:\n");
    for (size_t i = 0; i < DELIMITER_COUNT; i++) {
        const char sign = dialect_delimiters[i];
        fprintf(stream, "  %-10s%c\n", dialect_delimiter_name(sign), sign > ' ' ? sign : ' ');
    }
    fprintf(stream, "%s", delimiter_rules);
}

#define COLUMNS_SHOWN 8

enum { FLAG_CATEGORICAL = FLAG_OWN + 0x900, FLAG_MISSING, FLAG_MISSING_VALUES, FLAG_UNKNOWN };

static const struct argp_option unknown_table[] = {
    {"missing-values", FLAG_MISSING_VALUES, "LIST", 0,
     "CSV: further words or numbers that stand for a missing value, e.g. -,unknown,-999", 0},
    ELSEWHERE("na-values"),
    {"unknown-category", FLAG_UNKNOWN, "MODE", 0,
     "a category that no training row had: refuse (default) or zero: the row is of none; a model keeps what "
     "its "
     "training was told",
     0},
    {0},
};

static error_t parse_unknown(int key, char *argument, struct argp_state *state) {
    static const char *const names[] = {"refuse", "zero"};
    static const synonym synonyms[] = {{"error", "refuse", NULL}, {"ignore", "zero", NULL}};
    static const vocabulary words = WORDS_OF(names, synonyms);
    data_options *options = state->input;
    size_t index = 0;
    if (key == FLAG_MISSING_VALUES) {
        text_list_free(&options->missing_values);
        return parsed(value_list("--missing-values", argument, &options->missing_values, options->error));
    }
    if (key != FLAG_UNKNOWN) return ARGP_ERR_UNKNOWN;
    const tanda_status status =
        vocabulary_read(&words, "--unknown-category", argument, &index, NULL, options->error);
    if (status == TANDA_OK) options->read.unknown = index == 0 ? TANDA_UNKNOWN_REFUSE : TANDA_UNKNOWN_ZERO;
    return parsed(status);
}

const struct argp unknown_argp = {.options = unknown_table, .parser = parse_unknown};

static const struct argp_option encoding_table[] = {
    {"categorical", FLAG_CATEGORICAL, "LIST", 0,
     "columns whose values become a feature each, 1 or 0, e.g. colour,size; or auto: those of text, where "
     "fewer than nine of ten values are numbers",
     0},
    {"missing", FLAG_MISSING, "MODE", 0,
     "of features, empty fields, ? and the words that pandas takes for a missing value, such as NA, N/A, "
     "NULL "
     "and None: refuse (default) or mean of the training rows",
     0},
    {0},
};

static tanda_status set_categorical(data_options *options, const char *argument) {
    text_list_free(&options->categorical);
    options->read.categorical_auto = strcmp(argument, "auto") == 0;
    return options->read.categorical_auto
               ? TANDA_OK
               : value_list("--categorical", argument, &options->categorical, options->error);
}

static tanda_status set_missing(data_options *options, const char *argument) {
    size_t index = 0;
    const tanda_status status = value_choice("--missing", argument, missing_names, 2, &index, options->error);
    if (status == TANDA_OK) options->read.missing = (tanda_missing)index;
    return status;
}

static error_t parse_encoding(int key, char *argument, struct argp_state *state) {
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->input;
        return 0;
    case FLAG_CATEGORICAL:
        return parsed(set_categorical(state->input, argument));
    case FLAG_MISSING:
        return parsed(set_missing(state->input, argument));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&unknown_argp, 0, NULL, 0}, {0}};

const struct argp encoding_argp = {.options = encoding_table, .parser = parse_encoding, .children = children};

void print_encoding_line(FILE *stream, const preparation *preparation, const tanda_dataset *dataset) {
    size_t columns = 0;
    char name[SHOWN_SIZE];
    if (preparation->columns == 0) return;
    fprintf(stream, "columns: %zu", preparation->columns);
    for (size_t i = 0; i < preparation->columns; i++) {
        const size_t count = preparation->of[i].category_count;
        if (count == 0 || ++columns > COLUMNS_SHOWN) continue;
        const char *title = name;
        if (preparation->names != NULL)
            shown(preparation->names[i], strlen(preparation->names[i]), name);
        else
            text_put(name, sizeof name, "%zu", i);
        fprintf(stream, "%s %s %zu", columns == 1 ? "; categories:" : ",", title, count);
    }
    if (columns > COLUMNS_SHOWN) fprintf(stream, ", ... (%zu such columns)", columns);
    if (preparation->fills_missing) fprintf(stream, "; missing values: %zu, become means", dataset->missing);
    fputc('\n', stream);
}
