/* tanda generate */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/report.h"
#include "tanda_lab.h"

enum { FLAG_LABELS = FLAG_OWN, FLAG_SHARDS, FLAG_SHARD_ROWS, FLAG_KEY };

/* One run of the command. */
typedef struct generation {
    common_options common;
    const char *kind;
    const char *output;
    const char *labels;
    const char *shards, *shard_rows;   /* as given: --output is a folder, */
    size_t rows_of_shard;              /* with so many in each shard; else 0 */
    const char *given[SYNTHETIC_KEYS]; /* values of the flags, in the order of the table */
    char *test_output;                 /* NAME-test.npy */
    char *test_labels;
    synthetic_source source;
    double seconds;
} generation;

static const struct argp_option table[] = {
    {"rows", FLAG_KEY + KEY_ROWS, "N", 0, "rows to make; default 10000", SECTION_DATA},
    {"test-rows", FLAG_KEY + KEY_TEST_ROWS, "N", 0,
     "more rows of the same source, to files of their own: NAME-test.npy beside NAME.npy", SECTION_DATA},
    {"skip", FLAG_KEY + KEY_SKIP, "N", 0, "begin at this row of the source; default 0", SECTION_DATA},
    {"features", FLAG_KEY + KEY_FEATURES, "N", 0, "columns", SECTION_DATA},
    {"classes", FLAG_KEY + KEY_CLASSES, "N", 0, "classes", SECTION_DATA},
    {"noise", FLAG_KEY + KEY_NOISE, "X", 0,
     "linear, logistic, classification, teacher: share of the labels that are wrong; else the standard "
     "deviation",
     SECTION_DATA},
    {"separation", FLAG_KEY + KEY_SEPARATION, "X", 0,
     "how far classes lie apart (logistic: deviation of the logit)", SECTION_DATA},
    {"margin", FLAG_KEY + KEY_MARGIN, "X", 0, "linear: half the gap; images: how far strokes move",
     SECTION_DATA},
    {"balance", FLAG_KEY + KEY_BALANCE, "X", 0, "share of class 0; default: that of the others",
     SECTION_DATA},
    {"informative", FLAG_KEY + KEY_INFORMATIVE, "N", 0, "columns that tell something", SECTION_DATA},
    {"redundant", FLAG_KEY + KEY_REDUNDANT, "N", 0, "columns that mix the informative ones", SECTION_DATA},
    {"hidden", FLAG_KEY + KEY_HIDDEN, "N", 0, "teacher: units of a layer; default 32", SECTION_DATA},
    {"layers", FLAG_KEY + KEY_LAYERS, "N", 0, "teacher: hidden layers; default 2", SECTION_DATA},
    {"turns", FLAG_KEY + KEY_TURNS, "X", 0, "spirals: turns of an arm; default 1", SECTION_DATA},
    {"distribution", FLAG_KEY + KEY_DISTRIBUTION, "NAME", 0,
     "of the features of linear, logistic, regression, teacher: normal (default) or uniform", SECTION_DATA},
    {"output", LETTER_OUTPUT, "FILE", 0, "the features, binary32 as .npy, or CSV where FILE ends in .csv",
     SECTION_OUTPUT},
    {"labels", FLAG_LABELS, "FILE", 0,
     "the labels as .npy or .csv; default: they are the last column of --output, where tanda train looks for "
     "them",
     SECTION_OUTPUT},
    {"shards", FLAG_SHARDS, "N", 0,
     "--output is a folder of N .npy files with their labels and meta.json, for more rows than memory holds; "
     "where it "
     "holds a part of them, that is gone on with",
     SECTION_OUTPUT},
    {"shard-rows", FLAG_SHARD_ROWS, "ROWS", 0, "the same, with so many rows in each file", SECTION_OUTPUT},
    WITHOUT_OPTIONS("device require-device accept-flush threads isa math gemm kernels executor"),
    {0},
};

/* The names of the flags that synthetic_set takes. */
static const char *key_name(size_t key) {
    for (const struct argp_option *option = table; option->name != NULL || option->doc != NULL; option++)
        if (option->name != NULL && option->key == (int)(FLAG_KEY + key)) return option->name;
    return "";
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    generation *run = state->input;
    if (key >= FLAG_KEY && key < FLAG_KEY + SYNTHETIC_KEYS) {
        run->given[key - FLAG_KEY] = argument;
        return 0;
    }
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &run->common;
        return 0;
    case LETTER_OUTPUT:
        run->output = argument;
        return 0;
    case FLAG_LABELS:
        run->labels = argument;
        return 0;
    case FLAG_SHARDS:
        run->shards = argument;
        return 0;
    case FLAG_SHARD_ROWS:
        run->shard_rows = argument;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, &run->kind, run->common.error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The kinds, behind the options. */
static char *list_kinds(int key, const char *text, void *input) {
    char *made = NULL;
    size_t size = 0;
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
    FILE *stream = open_memstream(&made, &size);
    if (stream == NULL) return (char *)text;
    fputs("Kinds:\n", stream);
    for (size_t i = 0; synthetic_kind_name(i) != NULL; i++)
        fprintf(stream, "  %-15s %s\n", synthetic_kind_name(i), synthetic_kind_summary(i));
    fprintf(stream, "\n%s", text);
    if (text_stream_end(stream, &made)) return made;
    free(made);
    return (char *)text;
}

const struct argp generate_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "KIND",
    .doc =
        "Writes synthetic data. Every value depends on kind, options, seed and row alone, so the same "
        "command gives "
        "the same bytes on every machine; --data synthetic:KIND,rows=N,... makes the same rows in memory.\v"
        "Example: tanda generate moons --rows 1000 --test-rows 200 --output moons.npy",
    .children = (const struct argp_child[]){{&common_argp, 0, NULL, SECTION_COMMON}, {0}},
    .help_filter = list_kinds,
};

static tanda_status open_source(generation *run, tanda_error *error) {
    synthetic_request request;
    if (run->kind == NULL) return options_lack(&generate_argp, "kind (--help lists them)", error);
    tanda_status status = synthetic_begin(run->kind, strlen(run->kind), &request, error);
    for (size_t i = 0; status == TANDA_OK && i < SYNTHETIC_KEYS; i++)
        if (run->given[i] != NULL)
            status = synthetic_set(&request, key_name(i), strlen(key_name(i)), run->given[i],
                                   strlen(run->given[i]), error);
    if (status != TANDA_OK) return status;
    request.whole[KEY_SEED] = run->common.seed;
    if (run->output == NULL)
        return fail(error, TANDA_USAGE, "no file to write: name it with --output FILE.npy");
    return synthetic_open(&request, &run->source, error);
}

/* NAME-test.npy for NAME.npy, NAME-test.csv for NAME.csv. */
static tanda_status name_test_file(const char *path, char **result, tanda_error *error) {
    if (path == NULL) return TANDA_OK;
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash == NULL ? path : slash, '.');
    const size_t size = strlen(path) + sizeof "-test";
    const int stem = (int)(dot == NULL ? strlen(path) : (size_t)(dot - path));
    tanda_status status = allocate(result, size, 1, "a file name", error);
    if (status == TANDA_OK) text_put(*result, size, "%.*s-test%s", stem, path, path + stem);
    return status;
}

/* ---- shards -------------------------------------------------------------------------------------------- */

/* "synthetic:KIND,rows=...,seed=...", which makes the same rows. */
static tanda_status describe(const generation *run, char **text, tanda_error *error) {
    size_t size = 0;
    FILE *stream = open_memstream(text, &size);
    if (stream == NULL) return fail(error, TANDA_FAILED, "no memory for a text");
    fprintf(stream, "synthetic:%s", run->kind);
    for (size_t i = 0; i < SYNTHETIC_KEYS; i++)
        if (run->given[i] != NULL) fprintf(stream, ",%s=%s", key_name(i), run->given[i]);
    fprintf(stream, ",seed=%llu", (unsigned long long)run->common.seed);
    return text_stream_end(stream, text) ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for a text");
}

static tanda_status find_shard_rows(generation *run, tanda_error *error) {
    const char *flag = run->shards != NULL ? "--shards" : "--shard-rows";
    const char *text = run->shards != NULL ? run->shards : run->shard_rows;
    uint64_t count = 0;
    if (run->shards != NULL && run->shard_rows != NULL)
        return fail(error, TANDA_USAGE, "--shards and --shard-rows both say how large a shard is; give one");
    if (run->output[0] == '\0') return fail(error, TANDA_USAGE, "--output: the name is empty; name a folder");
    if (run->labels != NULL)
        return fail(error, TANDA_USAGE, "--labels: with %s they go to the folder, too; leave it away", flag);
    if (!number_to_whole(text, strlen(text), &count) || count == 0)
        return fail(error, TANDA_USAGE, "%s: '%s' is no count above 0", flag, text);
    const uint64_t rows = run->source.rows;
    run->rows_of_shard = run->shards == NULL ? count : rows / count + (rows % count > 0);
    return TANDA_OK;
}

static void show_rows(size_t rows, size_t all, void *context) {
    bar_show_rows(context, rows, all);
}

static tanda_status write_folder(const char *folder, const char *source, bool held_out, size_t rows,
                                 tanda_error *error) {
    const tanda_dataset_options reading = {.size = sizeof reading, .held_out = held_out, .memory = 1};
    bar bar = bar_begin();
    const shards_options options = {
        .shard_rows = rows, .source = source, .on_progress = show_rows, .context = &bar};
    tanda_dataset *dataset = NULL;
    tanda_status status = tanda_dataset_load(source, &reading, &dataset, error);
    if (status == TANDA_OK) status = shards_write(folder, dataset, &options, error);
    bar_clear(&bar);
    tanda_dataset_free(dataset);
    return status;
}

static tanda_status write_folders(generation *run, tanda_error *error) {
    const double begin = seconds_now();
    char *source = NULL;
    tanda_status status = find_shard_rows(run, error);
    if (status == TANDA_OK) status = describe(run, &source, error);
    if (status == TANDA_OK) status = write_folder(run->output, source, false, run->rows_of_shard, error);
    if (status == TANDA_OK && run->source.test_rows > 0)
        status = name_test_file(run->output, &run->test_output, error);
    if (status == TANDA_OK && run->source.test_rows > 0)
        status = write_folder(run->test_output, source, true, run->rows_of_shard, error);
    free(source);
    run->seconds = seconds_now() - begin;
    return status;
}

static tanda_status write_files(generation *run, tanda_error *error) {
    const synthetic_source *source = &run->source;
    const double begin = seconds_now();
    tanda_status status = TANDA_OK;
    if (source->test_rows > 0) status = name_test_file(run->output, &run->test_output, error);
    if (status == TANDA_OK && source->test_rows > 0)
        status = name_test_file(run->labels, &run->test_labels, error);
    const named_file files[] = {{"--output", run->output, FILE_REPLACED, NULL},
                                {"--test-rows", run->test_output, FILE_REPLACED, NULL},
                                {"--labels", run->labels, FILE_REPLACED, NULL},
                                {"--test-rows", run->test_labels, FILE_REPLACED, NULL}};
    if (status == TANDA_OK) status = files_check(files, sizeof files / sizeof *files, error);
    if (status == TANDA_OK)
        status = synthetic_write(source, 0, source->rows, run->output, run->labels, error);
    if (status == TANDA_OK && source->test_rows > 0)
        status = synthetic_write(source, source->rows, source->test_rows, run->test_output, run->test_labels,
                                 error);
    run->seconds = seconds_now() - begin;
    return status;
}

static void print_file(const generation *run, const char *title, uint64_t rows, const char *path,
                       const char *labels) {
    print_named(stdout, title, path, ", ");
    printf("%llu rows x %u features", (unsigned long long)rows, run->source.data.features);
    if (run->rows_of_shard > 0) {
        printf(" and labels in shards of %zu rows\n", run->rows_of_shard);
        return;
    }
    print_named(stdout, labels == NULL ? " and the label" : "; labels: ", labels == NULL ? "" : labels, "\n");
}

static tanda_status print_result(const generation *run, tanda_error *error) {
    const synthetic_source *source = &run->source;
    if (run->common.json) {
        report report = report_begin("generate");
        json_put_text(&report, "kind", run->kind);
        json_put_count(&report, "rows", source->rows);
        json_put_count(&report, "test_rows", source->test_rows);
        json_put_count(&report, "features", source->data.features);
        json_put_count(&report, "classes", source->data.classes);
        json_put_count(&report, "seed", source->data.seed);
        if (run->rows_of_shard > 0) json_put_count(&report, "shard_rows", run->rows_of_shard);
        json_put_text(&report, "output", run->output);
        json_put_text(&report, "labels", run->labels);
        json_put_text(&report, "test_output", run->test_output);
        json_put_text(&report, "test_labels", run->test_labels);
        json_put_real(&report, "seconds", run->seconds);
        return report_print(&report, error);
    }
    print_file(run, "output: ", source->rows, run->output, run->labels);
    if (run->test_output != NULL)
        print_file(run, "test: ", source->test_rows, run->test_output, run->test_labels);
    printf("seconds: %.3f\n", run->seconds);
    return TANDA_OK;
}

tanda_status generate_command(int argc, char **argv, tanda_error *error) {
    generation run = {.common.error = error};
    tanda_status status = options_parse(&generate_argp, argc, argv, &run, &run.common, error);
    if (status == TANDA_OK && !run.common.finished) {
        status = open_source(&run, error);
        const bool in_shards = run.shards != NULL || run.shard_rows != NULL;
        if (status == TANDA_OK) status = in_shards ? write_folders(&run, error) : write_files(&run, error);
        if (status == TANDA_OK) status = print_result(&run, error);
    }
    synthetic_close(&run.source);
    free(run.test_output);
    free(run.test_labels);
    return status;
}
