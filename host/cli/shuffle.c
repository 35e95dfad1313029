/* tanda shuffle */
#include <stdio.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/report.h"
#include "tanda_lab.h"

enum { FLAG_LABELS = FLAG_OWN, FLAG_LABELS_OUTPUT };

/* One run of the command. */
typedef struct shuffling {
    common_options common;
    const char *input, *output;
    const char *labels, *labels_output; /* of the input, and where they go; NULL: none */
    uint64_t rows;
    double seconds;
} shuffling;

static const struct argp_option table[] = {
    {"labels", FLAG_LABELS, "FILE", 0, "the labels that go with IN, a row of .npy or CSV for each row",
     SECTION_DATA},
    {"labels-output", FLAG_LABELS_OUTPUT, "FILE", 0, "where they go, in the same order", SECTION_OUTPUT},
    WITHOUT_OPTIONS("device require-device accept-flush threads isa math gemm kernels executor"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    shuffling *run = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &run->common;
        return 0;
    case FLAG_LABELS:
        run->labels = argument;
        return 0;
    case FLAG_LABELS_OUTPUT:
        run->labels_output = argument;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, run->input == NULL ? &run->input : &run->output,
                                run->common.error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp shuffle_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "IN OUT",
    .doc = "Mixes the rows of a data set once, and writes them again: what is sorted, by class or by date, "
           "is then "
           "well read by windows (tanda train --shuffle window). The order is a function of --seed and the "
           "number of "
           "rows. An array (.npy) keeps its type and may be larger than memory; CSV keeps its names.\v"
           "Example: tanda shuffle datasets/iris.csv mixed.csv --seed 1",
    .children = (const struct argp_child[]){{&common_argp, 0, NULL, SECTION_COMMON}, {0}},
};

static tanda_status check_files(const shuffling *run, tanda_error *error) {
    if (run->input == NULL) return options_lack(&shuffle_argp, "data", error);
    if (run->output == NULL)
        return fail(error, TANDA_USAGE, "no file to write: name it behind the data, tanda shuffle IN OUT");
    if ((run->labels != NULL) != (run->labels_output != NULL))
        return fail(error, TANDA_USAGE, "--labels and --labels-output go together");
    const named_file files[] = {{"IN", run->input, FILE_READ, NULL},
                                {"--labels", run->labels, FILE_READ, NULL},
                                {"OUT", run->output, FILE_REPLACED, NULL},
                                {"--labels-output", run->labels_output, FILE_REPLACED, NULL}};
    return files_check(files, sizeof files / sizeof *files, error);
}

static tanda_status shuffle_files(shuffling *run, tanda_error *error) {
    reordering data = {.input = run->input, .output = run->output, .seed = run->common.seed};
    reordering labels = {.input = run->labels, .output = run->labels_output, .seed = run->common.seed};
    const double begin = seconds_now();
    tanda_status status = reorder_begin(&data, error);
    if (status == TANDA_OK && run->labels != NULL) status = reorder_begin(&labels, error);
    if (status == TANDA_OK && run->labels != NULL && labels.rows != data.rows)
        status = fail(error, TANDA_BAD_INPUT, "%s: has %llu rows, and %s has %llu", run->labels,
                      (unsigned long long)labels.rows, run->input, (unsigned long long)data.rows);
    if (status == TANDA_OK) status = reorder_finish(&data, error);
    if (status == TANDA_OK && run->labels != NULL) status = reorder_finish(&labels, error);
    reorder_end(&data);
    reorder_end(&labels);
    run->rows = data.rows;
    run->seconds = seconds_now() - begin;
    return status;
}

static tanda_status print_result(const shuffling *run, tanda_error *error) {
    if (run->common.json) {
        report report = report_begin("shuffle");
        json_put_text(&report, "data", run->input);
        json_put_text(&report, "labels", run->labels);
        json_put_count(&report, "rows", run->rows);
        json_put_count(&report, "seed", run->common.seed);
        json_put_text(&report, "output", run->output);
        json_put_text(&report, "labels_output", run->labels_output);
        json_put_real(&report, "seconds", run->seconds);
        return report_print(&report, error);
    }
    print_named(stdout, "output: ", run->output, ", ");
    printf("%llu rows\n", (unsigned long long)run->rows);
    if (run->labels_output != NULL) print_named(stdout, "labels: ", run->labels_output, "\n");
    printf("seconds: %.3f\n", run->seconds);
    return TANDA_OK;
}

tanda_status shuffle_command(int argc, char **argv, tanda_error *error) {
    shuffling run = {.common.error = error};
    tanda_status status = options_parse(&shuffle_argp, argc, argv, &run, &run.common, error);
    if (status != TANDA_OK || run.common.finished) return status;
    status = check_files(&run, error);
    if (status == TANDA_OK) status = shuffle_files(&run, error);
    return status == TANDA_OK ? print_result(&run, error) : status;
}
