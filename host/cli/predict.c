/*
 * tanda predict: CSV (RFC 4180) on standard output or in a file, or the numbers alone as .npy. For classes the predicted
 * class, then either one column of probabilities per class or, with --top K, the K most probable classes; for regression
 * a column per target, for several labels the probability of each.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/apply.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/ranks.h"
#include "cli/report.h"
#include "tanda_lab.h"

enum { FLAG_TOP = FLAG_OWN, FLAG_COPY };

/* ---- where predictions go: standard output, a file of CSV, or one of binary32 ------------------------ */

typedef struct prediction_output {
    const char *path; /* borrowed; NULL: standard output */
    bool is_array;    /* .npy */
    file_writer writer;
} prediction_output;

/* By the ending of path; a device or a pipe takes CSV by any other name. TANDA_USAGE for another ending. */
static tanda_status prediction_output_choose(const char *path, prediction_output *output,
                                             tanda_error *error) {
    char text[SHOWN_SIZE];
    file_target target;
    *output = (prediction_output){.path = path};
    if (path == NULL || *path == '\0') return TANDA_OK; /* an empty name is refused with the other files */
    const char *dot = strrchr(path, '.');
    output->is_array = dot != NULL && strcasecmp(dot, ".npy") == 0;
    if (output->is_array || (dot != NULL && strcasecmp(dot, ".csv") == 0)) return TANDA_OK;
    if (file_target_find(path, &target) == 0 && target.kind == FILE_SPECIAL) return TANDA_OK;
    return fail(error, TANDA_USAGE, "--output: '%s' ends neither in .csv nor in .npy, and these are written",
                shown(path, strlen(path), text));
}

static tanda_status prediction_output_add(prediction_output *output, const void *data, size_t size,
                                          tanda_error *error) {
    if (output->path != NULL) return file_writer_add(&output->writer, data, size, error);
    return report_write(data, size, error);
}

/* ---- options ------------------------------------------------------------------------------------------ */

typedef struct prediction {
    application application;
    size_t top;               /* 0: all classes in their order */
    size_t rows_before;       /* of a stream: in the blocks before */
    dialect dialect;          /* of the data, or of the first block */
    prediction_text text;     /* how a row is written */
    csv_lines made;           /* of rows: lines, or else their binary32 */
    bool is_handed_over;      /* those bytes, so that others begin */
    prediction_output output; /* where to */
    json_t *rows;             /* --json without a file: what would be lines, else NULL */
    tanda_error *error;
} prediction;

static const struct argp_option table[] = {
    {"top", FLAG_TOP, "K", 0, "only the K most probable classes: class_1,probability_1,...", SECTION_OUTPUT},
    {"output", LETTER_OUTPUT, "FILE", 0,
     "a file for the predictions: .csv has what standard output would get, .npy the probabilities or values "
     "alone, binary32 of (rows, columns)",
     SECTION_OUTPUT},
    {"copy", FLAG_COPY, "COLUMNS", 0,
     "columns of CSV data whose text goes before the predictions as it came, e.g. id,name; by name or index",
     SECTION_OUTPUT},
    WITHOUT_OPTIONS("seed gemm drop-missing-targets"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    prediction *prediction = state->input;
    switch (key) {
    case FLAG_TOP:
        return parsed(value_size("--top", argument, 1, SIZE_MAX, &prediction->top, prediction->error));
    case LETTER_OUTPUT:
        return parsed(prediction_output_choose(argument, &prediction->output, prediction->error));
    case FLAG_COPY:
        return parsed(value_list("--copy", argument, &prediction->application.data.copy, prediction->error));
    default:
        return application_parse(key, state, &prediction->application);
    }
}

const struct argp predict_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "MODEL DATA",
    .doc = "Class and probabilities, the probability of each label, or the value, of every row, as CSV on "
           "standard output.\v"
           "Rows of CSV that come through a pipe (DATA is -) are answered as they come, in blocks of what "
           "has arrived. The data needs no target; a column that the model learned is left out. Columns are "
           "found by the model's names where the data has names, else by position.\n"
           "Example: tanda predict iris.safetensors datasets/iris.csv --top 1",
    .children = application_children,
};

/* ---- what goes together --------------------------------------------------------------------------------- */

static tanda_status check_options(const prediction *prediction, tanda_error *error) {
    const application *application = &prediction->application;
    if (prediction->output.is_array && application->data.copy.count > 0)
        return fail(error, TANDA_USAGE, "--copy: .npy holds numbers, and no text of columns; write .csv");
    if (prediction->output.is_array && prediction->top > 0)
        return fail(error, TANDA_USAGE,
                    "--top: .npy holds the probabilities of all classes, and not which they are; write .csv");
    if (application->data.copy.count > 0 && application->common.json && prediction->output.path == NULL)
        return fail(error, TANDA_USAGE, "--copy: --json has no columns of text; name a file with --output");
    if (prediction->output.path == NULL) return TANDA_OK;
    const named_file model = {"MODEL", application->model_path, FILE_READ, NULL};
    const named_file output = {"--output", prediction->output.path, FILE_REPLACED, NULL};
    file_list list = {0};
    tanda_status status = file_list_add_read(&application->data, &application->common, &list, error);
    if (status == TANDA_OK) status = file_list_add(&model, &list, error);
    if (status == TANDA_OK) status = file_list_add(&output, &list, error);
    if (status == TANDA_OK) status = files_check(list.files, list.count, error);
    file_list_free(&list);
    return status;
}

/* ---- one row as JSON ------------------------------------------------------------------------------------ */

/* {"labels": [name, ...] of those above 1/2, "probabilities": {name: p, ...}} */
static json_t *labels_object(const tanda_model *model, const float *row) {
    report probabilities = json_object_begin();
    json_builder labels = json_array_begin();
    for (size_t i = 0; i < model_outputs(model); i++) {
        json_put_real(&probabilities, model->target_names[i], (double)row[i]);
        if (row[i] > 0.5f) json_push(&labels, json_text(model->target_names[i]));
    }
    return json_pack("{so so}", "labels", json_end(&labels), "probabilities", json_end(&probabilities));
}

/*
 * {"class", "probabilities": {name: p, ...}}, most probable first with --top; of several labels as above; or the number,
 * or an array of one for each target.
 */
static json_t *row_object(const prediction *prediction, const float *row) {
    const tanda_model *model = prediction->application.model;
    const size_t columns = prediction->text.columns;
    if (model->task == TANDA_TASK_LABELS) return labels_object(model, row);
    if (model->task == TANDA_TASK_REGRESSION && columns == 1) return json_real((double)row[0]);
    if (model->task == TANDA_TASK_REGRESSION) {
        json_builder values = json_array_begin();
        for (size_t i = 0; i < columns; i++)
            json_push(&values, json_real((double)row[i]));
        return json_end(&values);
    }
    if (prediction->text.top > 0) order_classes(prediction->text.order, row, columns, prediction->text.top);
    report probabilities = json_object_begin();
    const size_t count = prediction->text.top == 0 ? columns : prediction->text.top;
    for (size_t i = 0; i < count; i++) {
        const size_t class = prediction->text.top == 0 ? i : prediction->text.order[i];
        json_put_real(&probabilities, model->class_names[class], (double)row[class]);
    }
    return json_pack("{so so}", "class", json_text(model->class_names[best_class(row, columns)]),
                     "probabilities", json_end(&probabilities));
}

/* ---- rows ----------------------------------------------------------------------------------------------- */

static bool is_text(const prediction *prediction) {
    return prediction->rows == NULL && !prediction->output.is_array;
}

static tanda_status check_row(const prediction *prediction, size_t index, const float *row) {
    for (size_t i = 0; i < prediction->text.columns; i++)
        if (!isfinite(row[i]))
            return fail(prediction->error, TANDA_FAILED,
                        "%s: row %zu (from 0): the prediction is not finite; its features are too large for "
                        "the model",
                        prediction->application.data.path, prediction->rows_before + index);
    return TANDA_OK;
}

/* Each rank, of its rows. */
static tanda_status make_rows(size_t first_row, size_t rows, const float *predictions, void *context) {
    prediction *prediction = context;
    const size_t columns = prediction->text.columns;
    if (prediction->is_handed_over) prediction->made.size = 0;
    prediction->is_handed_over = false;
    for (size_t i = 0, length = 0; i < rows; i++) {
        const float *row = predictions + i * columns;
        const tanda_status status = check_row(prediction, first_row + i, row);
        if (status != TANDA_OK) return status;
        if (!is_text(prediction)) continue;
        const char *copied = tanda_dataset_copied(prediction->application.dataset, first_row + i, &length);
        prediction_text_row(&prediction->text, row, copied, length, &prediction->made);
    }
    if (!is_text(prediction))
        csv_add(&prediction->made, (const char *)predictions, rows * columns * sizeof *predictions);
    return csv_lines_check(&prediction->made, prediction->error);
}

static const void *made_bytes(void *context, size_t *size) {
    prediction *prediction = context;
    *size = prediction->is_handed_over ? 0 : prediction->made.size;
    prediction->is_handed_over = true;
    return prediction->made.data;
}

static tanda_status add_object(prediction *prediction, const float *row, tanda_error *error) {
    if (json_array_append_new(prediction->rows, row_object(prediction, row)) == 0) return TANDA_OK;
    return fail(error, TANDA_FAILED, "out of memory for %zu predictions as JSON",
                prediction->rows_before + prediction->application.dataset->rows);
}

/* The first rank, of all rows in their order. */
static tanda_status take_bytes(void *context, const void *bytes, size_t size, tanda_error *error) {
    prediction *prediction = context;
    const size_t columns = prediction->text.columns;
    const float *row = bytes, *end = row + size / sizeof *row;
    tanda_status status = TANDA_OK;
    if (prediction->rows == NULL) return prediction_output_add(&prediction->output, bytes, size, error);
    for (; status == TANDA_OK && row < end; row += columns)
        status = add_object(prediction, row, error);
    return status;
}

/* A stream's rows are answered before the next ones are waited for. */
static tanda_status next_block(prediction *prediction, bool *is_there, tanda_error *error) {
    application *application = &prediction->application;
    *is_there = false;
    prediction->rows_before += application->dataset->rows;
    if (application->stream == NULL) return TANDA_OK;
    tanda_status status = prediction->rows == NULL ? report_flush(error) : TANDA_OK;
    tanda_dataset_free(application->dataset);
    application->dataset = NULL;
    if (status == TANDA_OK) status = row_stream_next(application->stream, &application->dataset, error);
    *is_there = application->dataset != NULL;
    return status;
}

/* ---- the command ---------------------------------------------------------------------------------------- */

static tanda_status print_json(prediction *prediction, tanda_error *error) {
    const application *application = &prediction->application;
    report report = report_begin("predict");
    report_device(&report, application->device, &application->common.device);
    json_put_text(&report, "model", application->model_path);
    json_put_text(&report, "task", task_name(application->model->task));
    report_dialect(&report, &prediction->dialect);
    json_put_count(&report, "rows", prediction->rows_before);
    json_put_text(&report, "output", prediction->output.path);
    if (prediction->rows != NULL) json_put(&report, "predictions", json_incref(prediction->rows));
    return report_print(&report, error);
}

static tanda_status write_header(prediction *prediction, tanda_error *error) {
    const tanda_dataset *dataset = prediction->application.dataset;
    csv_lines header = {0};
    size_t length = 0;
    if (prediction->output.is_array) {
        char numbers[NPY_HEADER_SIZE];
        npy_make_header(numbers, 'f', dataset->rows, prediction->text.columns);
        csv_add(&header, numbers, sizeof numbers);
    } else {
        const char *copied = tanda_dataset_copied_names(dataset, &length);
        prediction_text_header(&prediction->text, copied, length, &header);
    }
    tanda_status status = csv_lines_check(&header, error);
    if (status == TANDA_OK)
        status = prediction_output_add(&prediction->output, header.data, header.size, error);
    csv_lines_free(&header);
    return status;
}

static tanda_status begin(prediction *prediction, tanda_error *error) {
    application *application = &prediction->application;
    tanda_status status = check_options(prediction, error);
    application->reads_whole = prediction->output.is_array; /* its header says how many rows there are */
    if (status == TANDA_OK) status = application_open(application, true, error);
    if (status != TANDA_OK) return status;
    const tanda_model *model = application->model;
    const size_t columns = tanda_prediction_columns(model);
    if (prediction->top > 0 && model->task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--top is for classes, and the model predicts %s",
                    model->task == TANDA_TASK_LABELS ? "several labels" : "a quantity");
    status = prediction_text_begin(model, columns, prediction->top < columns ? prediction->top : columns,
                                   &prediction->text, error);
    if (status != TANDA_OK) return status;
    prediction->dialect = application->dataset->dialect;
    if (application->common.json && prediction->output.path == NULL) prediction->rows = json_array();
    prediction_output *output = &prediction->output;
    if (tanda_hosts_rank(ranks_hosts()) > 0 || prediction->rows != NULL) return TANDA_OK;
    if (output->path != NULL) status = file_writer_begin(output->path, &output->writer, error);
    return status == TANDA_OK ? write_header(prediction, error) : status;
}

static tanda_status predict(prediction *prediction, tanda_error *error) {
    application *application = &prediction->application;
    tanda_status status = ranks_agree(begin(prediction, error), error);
    const size_t row = prediction->text.columns * sizeof(float);
    const prediction_taker taker = {.on_rows = make_rows,
                                    .bytes = made_bytes,
                                    .on_bytes = take_bytes,
                                    .unit = is_text(prediction) ? 1 : row,
                                    .context = prediction};
    if (status == TANDA_OK) status = application_begin_ranks(application, error);
    for (bool is_there = true; status == TANDA_OK && is_there;) {
        status = predict_together(ranks_hosts(), application->device, application->model,
                                  application->dataset, &taker, error);
        if (status == TANDA_OK) status = next_block(prediction, &is_there, error);
    }
    if (tanda_hosts_rank(ranks_hosts()) > 0) return status;
    if (status == TANDA_OK) /* a file is there from then on, and not before */
        status = prediction->output.path != NULL ? file_writer_finish(&prediction->output.writer, error)
                                                 : report_flush(error);
    if (status == TANDA_OK && application->common.json) status = print_json(prediction, error);
    return status;
}

tanda_status predict_command(int argc, char **argv, tanda_error *error) {
    prediction prediction = {.application = {.common.error = error, .data.error = error}, .error = error};
    tanda_status status =
        options_parse(&predict_argp, argc, argv, &prediction, &prediction.application.common, error);
    status =
        ranks_join_application(&prediction.application.common, &prediction.application.data, status, error);
    if (status == TANDA_OK && !prediction.application.common.finished) status = predict(&prediction, error);
    file_writer_abandon(&prediction.output.writer);
    json_decref(prediction.rows);
    prediction_text_free(&prediction.text);
    csv_lines_free(&prediction.made);
    application_free(&prediction.application);
    return status;
}
