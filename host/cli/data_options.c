/* Options on the rows: where they are, how text is read, and how columns become features. */
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/report.h"

#define TEXT(member) TEXT_AT(data_options, member)
#define SWITCH(member) SWITCH_AT(data_options, member)
#define VALUE(member) VALUE_AT(data_options, member)
#define FORMAT_NAME(name, title, extension, bound) #name,
#define FORMAT_WORD(name, title, extension, bound) ", " #name

enum {
    FLAG_DATA = FLAG_OWN + 0xd00,
    FLAG_FORMAT,
    FLAG_DELIMITER,
    FLAG_DECIMAL,
    FLAG_COMMENT,
    FLAG_CATEGORICAL,
    FLAG_MISSING_VALUES,
    FLAG_UNKNOWN,
};

static const vocabulary header_words = {.names = header_names, .count = HEADER_NAMES};
static const vocabulary missing_words = {.names = missing_names, .count = 2};

static const option_place places[] = {
    {VALUE(features), .kind = PLACE_LIST, .flag = "--features"},
    {VALUE(ignore), .kind = PLACE_LIST, .flag = "--ignore"},
    {VALUE(read.header), .kind = PLACE_WORD, .flag = "--header", .words = &header_words},
    {VALUE(read.skip_lines), .kind = PLACE_SIZE, .flag = "--skip-lines"},
    {VALUE(read.memory), .kind = PLACE_BYTES, .flag = "--memory"},
    {VALUE(read.missing), .kind = PLACE_WORD, .flag = "--missing", .words = &missing_words},
    {0},
};

/* ---- how rows are read ---------------------------------------------------------------------------------- */

static const struct argp_option reading_table[] = {
    {"labels", TEXT(read.labels), "FILE", 0,
     "one label per row (.npy, one-hot .npy, IDX, a CSV column) in a file of its own", 0},
    {"target", TEXT(read.target), "COLUMN", 0,
     "the column to learn, by name or index from 0, or several, quantities or labels of 0 and 1, e.g. x,y; "
     "default: the last",
     0},
    ELSEWHERE("target-column"),
    {"drop-missing-targets", SWITCH(read.drop_missing_targets), NULL, 0,
     "leave out rows whose target is missing; default: they are refused", 0},
    {"sample-weight", TEXT(read.sample_weight), "COLUMN", 0,
     "a column of weights, each 0 or more, that the rows' losses are multiplied by", 0},
    {"features", VALUE(features), "LIST", 0,
     "the columns to learn from, e.g. age,height; default: all others", 0},
    ELSEWHERE("feature-columns"),
    {"ignore", VALUE(ignore), "LIST", 0,
     "columns to leave out, whatever they hold, e.g. id,note; may be given several times", 0},
    {"format", FLAG_FORMAT, "NAME", 0, "auto (default: told from the content)" FORMAT_LIST(FORMAT_WORD), 0},
    {"header", VALUE(read.header), "MODE", 0, "CSV column names: auto (default), none or first-row", 0},
    {"delimiter", FLAG_DELIMITER, "NAME", 0,
     "between the fields of CSV: auto (default: found out), comma, semicolon, tab, bar or blanks", 0},
    ELSEWHERE("sep"),
    ELSEWHERE("separator"),
    {"decimal", FLAG_DECIMAL, "NAME", 0, "decimal sign of CSV: auto (default: found out), point or comma", 0},
    {"comment", FLAG_COMMENT, "TEXT", 0,
     "lines of CSV that begin with TEXT are skipped; default: found out for #; none: there are none", 0},
    {"skip-lines", VALUE(read.skip_lines), "N", 0, "lines of CSV above the names or the first row; default 0",
     0},
    ELSEWHERE("skiprows"),
    ELSEWHERE("skip-rows"),
    {"memory", VALUE(read.memory), "SIZE", 0,
     "memory for rows, e.g. 500M or 8G; what is more is read piece by piece, .npy and synthetic data, and "
     "text with --data-cache; default: three quarters of what is free, divided by the ranks of a host",
     0},
    {"data-cache", TEXT(read.cache), "DIR", 0,
     "a folder where text of more rows than --memory holds is kept as .npy, made once for each way of "
     "reading it, and anew where the text has changed; default: such text is refused",
     0},
    {0},
};

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

tanda_status data_format_read(const char *argument, tanda_dataset_options *read, tanda_error *error) {
    static const char *const formats[] = {"auto", FORMAT_LIST(FORMAT_NAME)};
    size_t index = 0;
    const tanda_status status =
        value_choice("--format", argument, formats, sizeof formats / sizeof *formats, &index, error);
    if (status == TANDA_OK) read->format = index == 0 ? NULL : formats[index];
    return status;
}

static error_t parse_reading(int key, char *argument, struct argp_state *state) {
    data_options *options = state->input;
    tanda_dataset_options *read = &options->read;
    tanda_error *error = options->error;
    tanda_status status = TANDA_OK;
    char buffer[SHOWN_SIZE];
    size_t index = 0;
    switch (key) {
    case FLAG_FORMAT:
        return parsed(data_format_read(argument, read, error));
    case FLAG_DELIMITER:
        return parsed(set_delimiter(options, argument));
    case FLAG_DECIMAL:
        status = value_choice("--decimal", argument, decimal_names, DECIMAL_NAMES, &index, error);
        read->decimal = dialect_decimals[index];
        return parsed(status);
    case FLAG_COMMENT:
        read->comment = strcmp(argument, "none") == 0 ? "" : argument;
        if (*argument != '\0' && strlen(argument) < DIALECT_COMMENT_SIZE) return 0;
        return parsed(fail(error, TANDA_USAGE, "--comment: '%s' has not 1 to %d characters; use #, or none",
                           shown(argument, strlen(argument), buffer), DIALECT_COMMENT_SIZE - 1));
    case ARGP_KEY_END:
        if (read->labels == NULL || read->target == NULL) return 0;
        return parsed(fail(error, TANDA_USAGE,
                           "--target and --labels both say where the labels are; give one of them"));
    default:
        return option_put(places, key, argument, options, options->error);
    }
}

const struct argp reading_argp = {.options = reading_table, .parser = parse_reading};

/* In the order in which data/dialect_choose.c decides. */
static const char delimiter_rules[] =
    "It is found out from the first 64 KiB of the file, on to 1 MiB where these leave a doubt. Each "
    "delimiter that occurs outside of quotes reads them in its way; of the ways with more than one column is "
    "taken\n"
    "  1. that in which every row has as many fields as the others;\n"
    "  2. with a model, that which has its names, or as many columns as it takes;\n"
    "  3. that which explains the others: they stand within its numbers alone, as a decimal comma does;\n"
    "  4. that with fewer lines above the table that do not fit, such as titles;\n"
    "  5. another than blanks, where these may be a part of texts;\n"
    "  6. that with more columns of numbers.\n"
    "Where two are left the file is refused, and the message names both. Runs of blanks count as one "
    "delimiter, and are one only where half of the columns or more hold numbers or are in quotes; single "
    "blanks with empty fields between them are found too. Where no row is like another, the delimiter that "
    "fits in most is taken. A first line sep=; as Excel writes it decides.\n";

void dialect_write_rules(FILE *stream) {
    fprintf(stream, "--delimiter takes auto, or a name, or the character itself:\n");
    for (size_t i = 0; i < DELIMITER_COUNT; i++) {
        const char sign = dialect_delimiters[i];
        fprintf(stream, "  %-10s%c\n", dialect_delimiter_name(sign), sign > ' ' ? sign : ' ');
    }
    fprintf(stream, "%s", delimiter_rules);
}

/* ---- where they are ------------------------------------------------------------------------------------- */

static const struct argp_option data_table[] = {
    {"data", FLAG_DATA, "FILE", OPTION_REPEATS,
     "the rows: CSV or libsvm text, .npy, .npz, FILE.npz:NAME or IDX, also packed (gzip, xz, zstd, bzip2), a "
     "folder of CSV files or of shards (tanda generate --shards), - for standard input, or "
     "synthetic:KIND,key=value,... (tanda generate --help); "
     "the argument DATA is another way to write it; given several times, rows follow one another (needed)",
     0},
    {"test-rows", TEXT(test_rows), "N", 0,
     "of synthetic data: hold out the N rows behind the others, to validate, evaluate or predict; as "
     ",test-rows=N in --data",
     0},
    {0},
};

/* The flag is another way to write the key, so it is put into the description; both mean and refuse the same. */
static tanda_status join_test_rows(data_options *options) {
    uint64_t rows = 0;
    if (!synthetic_is_named(options->path))
        return fail(options->error, TANDA_USAGE,
                    "--test-rows: %s is a file; it is for --data synthetic:KIND,... (a part of a file is a "
                    "file of its own, or train's --validation FRACTION)",
                    options->path);
    tanda_status status =
        value_count("--test-rows", options->test_rows, 0, SYNTHETIC_ROWS_MOST, &rows, options->error);
    if (status != TANDA_OK) return status;
    const size_t size = strlen(options->path) + sizeof ",test-rows=" + strlen(options->test_rows);
    char *joined = NULL;
    status = allocate(&joined, size, 1, "the data's description", options->error);
    if (status != TANDA_OK) return status;
    text_put(joined, size, "%s,test-rows=%s", options->path, options->test_rows);
    options->path = options->joined_path = joined;
    return TANDA_OK;
}

static error_t parse_data(int key, char *argument, struct argp_state *state) {
    data_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case FLAG_DATA:
        if (options->path == NULL) options->path = argument;
        return parsed(value_append("--data", argument, strlen(argument), &options->paths, options->error));
    case ARGP_KEY_END:
        if (options->path == NULL) return parsed(options_lack(state->root_argp, "data", options->error));
        return options->test_rows == NULL ? 0 : parsed(join_test_rows(options));
    default:
        return option_put(places, key, argument, options, options->error);
    }
}

const struct argp data_argp = {.options = data_table,
                               .parser = parse_data,
                               .children = (const struct argp_child[]){{&reading_argp, 0, NULL, 0}, {0}}};

/* ---- how columns become features ------------------------------------------------------------------------ */

static const struct argp_option unknown_table[] = {
    {"missing-values", FLAG_MISSING_VALUES, "LIST", 0,
     "CSV: further words or numbers that stand for a missing value, e.g. -,unknown,-999", 0},
    ELSEWHERE("na-values"),
    {"unknown-category", FLAG_UNKNOWN, "MODE", 0,
     "a category that no training row had: refuse (default) or zero: the row is of none; a model keeps what "
     "its training was told",
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
    {"missing", VALUE(read.missing), "MODE", 0,
     "of features, empty fields, ? and the words that pandas takes for a missing value, such as NA, N/A, "
     "NULL and None: refuse (default) or mean of the training rows",
     0},
    {0},
};

static error_t parse_encoding(int key, char *argument, struct argp_state *state) {
    data_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case FLAG_CATEGORICAL:
        text_list_free(&options->categorical);
        options->read.categorical_auto = strcmp(argument, "auto") == 0;
        if (options->read.categorical_auto) return 0;
        return parsed(value_list("--categorical", argument, &options->categorical, options->error));
    default:
        return option_put(places, key, argument, options, options->error);
    }
}

const struct argp encoding_argp = {.options = encoding_table,
                                   .parser = parse_encoding,
                                   .children = (const struct argp_child[]){{&unknown_argp, 0, NULL, 0}, {0}}};

/* ---- what was taken ------------------------------------------------------------------------------------- */

/* Of text on its way to the cache, one at a time. */
static bar text_bar;
static size_t text_bar_done = SIZE_MAX; /* of the walk that it shows; less is another one */

static void show_text(size_t done, size_t all, void *context) {
    (void)context;
    if (done < text_bar_done) text_bar = bar_begin();
    text_bar_done = done;
    bar_show_text(&text_bar, done, all);
    if (done == all) bar_clear(&text_bar);
}

static void show_note(const char *text, void *context) {
    (void)context;
    bar_clear(&text_bar);
    print_note(text);
}

tanda_dataset_options options_reading(const data_options *options, bool quiet) {
    tanda_dataset_options reading = options->read;
    reading.size = sizeof reading;
    if (reading.memory == 0) reading.memory = memory_free() / 4 * 3;
    reading.ignore = (const char *const *)options->ignore.texts;
    reading.ignore_count = options->ignore.count;
    reading.features = (const char *const *)options->features.texts;
    reading.feature_count = options->features.count;
    reading.more_count = options->paths.count > 1 ? options->paths.count - 1 : 0;
    reading.more_files = (const char *const *)options->paths.texts + (reading.more_count > 0);
    reading.categorical = (const char *const *)options->categorical.texts;
    reading.categorical_count = options->categorical.count;
    reading.copy = (const char *const *)options->copy.texts;
    reading.copy_count = options->copy.count;
    reading.missing_values = (const char *const *)options->missing_values.texts;
    reading.missing_value_count = options->missing_values.count;
    if (quiet) return reading;
    reading.on_note = show_note;
    reading.on_progress = show_text;
    return reading;
}

void data_options_free(data_options *options) {
    text_list_free(&options->paths);
    text_list_free(&options->ignore);
    text_list_free(&options->features);
    text_list_free(&options->categorical);
    text_list_free(&options->missing_values);
    text_list_free(&options->copy);
    free(options->joined_path);
    options->joined_path = NULL;
}
