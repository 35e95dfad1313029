/*
 * tanda predict: CSV (RFC 4180) on standard output. For classes the predicted class, then either one column
 * of probabilities per class or, with --top K, the K most probable classes; for regression a column per
 * target, for several labels the probability of each.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/apply.h"
#include "cli/command.h"
#include "cli/dialect_options.h"
#include "cli/option_table.h"
#include "cli/report.h"
#include "support/memory.h"

enum { FLAG_TOP = FLAG_OWN };

typedef struct prediction {
    application application;
    size_t top;         /* 0: all classes in their order */
    size_t columns;     /* classes, or targets of a regression */
    size_t *order;      /* columns indices, most probable first */
    size_t rows_before; /* of a stream: in the blocks before */
    dialect dialect;    /* of the data, or of the first block */
    json_t *rows;       /* --json: what would be lines, else NULL */
    tanda_error *error;
} prediction;

static const struct argp_option table[] = {
    {"top", FLAG_TOP, "K", 0, "only the K most probable classes: class_1,probability_1,...", 0},
    WITHOUT_OPTIONS("seed gemm drop-missing-targets"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    prediction *prediction = state->input;
    if (key == FLAG_TOP) return parsed(value_size("--top", argument, 1, &prediction->top, prediction->error));
    return application_parse(key, state, &prediction->application);
}

const struct argp predict_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "MODEL DATA",
    .doc =
        "Class and probabilities, the probability of each label, or the value, of every row, as CSV on "
        "standard output.\v"
        "Rows of CSV that come through a pipe (DATA is -) are answered as they come, in blocks of what has "
        "arrived. "
        "The data needs no target; a column that the model learned is left out. Columns are found by the "
        "model's names where the data has names, else by position.\n"
        "Example: tanda predict iris.safetensors datasets/iris.csv --top 1",
    .children = application_children,
};

static void print_field(const char *text) {
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"') putchar('"');
        putchar(*text);
    }
    putchar('"');
}

/* One target: prediction; several: their names, else prediction_1 and so on. */
static void print_targets(const prediction *prediction) {
    const tanda_model *model = prediction->application.model;
    for (size_t i = 0; i < prediction->columns; i++) {
        if (i > 0) putchar(',');
        if (model->target_names != NULL)
            print_field(model->target_names[i]);
        else if (prediction->columns > 1)
            printf("prediction_%zu", i + 1);
        else
            fputs("prediction", stdout);
    }
}

static void print_header(const prediction *prediction) {
    const tanda_model *model = prediction->application.model;
    if (model->task != TANDA_TASK_CLASSES) {
        print_targets(prediction);
    } else if (prediction->top > 0) {
        for (size_t i = 1; i <= prediction->top; i++)
            printf("%sclass_%zu,probability_%zu", i == 1 ? "" : ",", i, i);
    } else {
        fputs("class", stdout);
        for (size_t i = 0; i < prediction->columns; i++) {
            putchar(',');
            print_field(model->class_names[i]);
        }
    }
    putchar('\n');
}

/* The most probable class; of equals the first (kernels/README.md). */
static size_t best_class(const float *row, size_t columns) {
    size_t best = 0;
    for (size_t i = 1; i < columns; i++)
        if (row[i] > row[best]) best = i;
    return best;
}

/* The first `top` places of order become the most probable classes; of equals the lower comes first. */
static void order_classes(size_t *order, const float *row, size_t columns, size_t top) {
    for (size_t i = 0; i < columns; i++) {
        size_t place = i < top ? i : top;
        while (place > 0 && row[i] > row[order[place - 1]]) {
            if (place < top) order[place] = order[place - 1];
            place--;
        }
        if (place < top) order[place] = i;
    }
}

static void print_row(const prediction *prediction, const float *row) {
    const tanda_model *model = prediction->application.model;
    if (model->task != TANDA_TASK_CLASSES) {
        for (size_t i = 0; i < prediction->columns; i++)
            printf("%s%.9g", i == 0 ? "" : ",", (double)row[i]);
        putchar('\n');
        return;
    }
    if (prediction->top == 0) {
        print_field(model->class_names[best_class(row, prediction->columns)]);
        for (size_t i = 0; i < prediction->columns; i++)
            printf(",%.9g", (double)row[i]);
    }
    for (size_t i = 0; i < prediction->top; i++) {
        if (i > 0) putchar(',');
        print_field(model->class_names[prediction->order[i]]);
        printf(",%.9g", (double)row[prediction->order[i]]);
    }
    putchar('\n');
}

static json_t *targets_array(const float *row, size_t columns) {
    json_builder values = json_array_begin();
    for (size_t i = 0; i < columns; i++)
        json_push(&values, json_real((double)row[i]));
    return json_end(&values);
}

/* {"labels": [name, ...] of those above 1/2, "probabilities": {name: p, ...}} */
static json_t *labels_object(const tanda_model *model, const float *row) {
    report probabilities = json_object_begin();
    json_builder labels = json_array_begin();
    for (size_t i = 0; i < model_outputs(model); i++) {
        report_real(&probabilities, model->target_names[i], (double)row[i]);
        if (row[i] > 0.5f) json_push(&labels, report_string(model->target_names[i]));
    }
    return json_pack("{so so}", "labels", json_end(&labels), "probabilities", json_end(&probabilities));
}

/*
 * {"class", "probabilities": {name: p, ...}}, most probable first with --top; of several labels as above; or the number,
 * or an array of one for each target.
 */
static json_t *row_object(const prediction *prediction, const float *row) {
    const tanda_model *model = prediction->application.model;
    if (model->task == TANDA_TASK_LABELS) return labels_object(model, row);
    if (model->task == TANDA_TASK_REGRESSION)
        return prediction->columns == 1 ? json_real((double)row[0]) : targets_array(row, prediction->columns);
    report probabilities = json_object_begin();
    const size_t count = prediction->top == 0 ? prediction->columns : prediction->top;
    for (size_t i = 0; i < count; i++) {
        const size_t class = prediction->top == 0 ? i : prediction->order[i];
        report_real(&probabilities, model->class_names[class], (double)row[class]);
    }
    return json_pack("{so so}", "class",
                     report_string(model->class_names[best_class(row, prediction->columns)]), "probabilities",
                     json_end(&probabilities));
}

static bool all_finite(const float *row, size_t columns) {
    for (size_t i = 0; i < columns; i++)
        if (!isfinite(row[i])) return false;
    return true;
}

static tanda_status take_rows(size_t first_row, size_t rows, const float *predictions, void *context) {
    prediction *prediction = context;
    for (size_t i = 0; i < rows; i++) {
        const float *row = predictions + i * prediction->columns;
        if (!all_finite(row, prediction->columns))
            return fail(prediction->error, TANDA_FAILED,
                        "%s: row %zu (from 0): the prediction is not finite; its features are too large for "
                        "the model",
                        prediction->application.data.path, prediction->rows_before + first_row + i);
        if (prediction->top > 0) order_classes(prediction->order, row, prediction->columns, prediction->top);
        if (prediction->rows == NULL)
            print_row(prediction, row);
        else if (json_array_append_new(prediction->rows, row_object(prediction, row)) != 0)
            return fail(prediction->error, TANDA_FAILED, "out of memory for %zu predictions as JSON",
                        prediction->rows_before + prediction->application.dataset->rows);
    }
    return ferror(stdout) ? report_flush(prediction->error) : TANDA_OK;
}

static tanda_status check_top(prediction *prediction, tanda_error *error) {
    prediction->columns = tanda_prediction_columns(prediction->application.model);
    const tanda_task task = prediction->application.model->task;
    if (prediction->top > 0 && task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--top is for classes, and the model predicts %s",
                    task == TANDA_TASK_LABELS ? "several labels" : "a quantity");
    if (prediction->top > prediction->columns) prediction->top = prediction->columns;
    return allocate(&prediction->order, prediction->columns, sizeof *prediction->order, "classes", error);
}

static tanda_status print_json(prediction *prediction, tanda_error *error) {
    const application *application = &prediction->application;
    report report = report_begin("predict");
    report_device(&report, application->device, &application->common.device);
    report_text(&report, "model", application->model_path);
    report_text(&report, "task", task_name(application->model->task));
    report_dialect(&report, &prediction->dialect);
    report_count(&report, "rows", json_array_size(prediction->rows));
    report_value(&report, "predictions", json_incref(prediction->rows));
    return report_print(&report, error);
}

/* A stream's rows are answered before the next ones are waited for. */
static tanda_status next_block(prediction *prediction, bool *is_there, tanda_error *error) {
    application *application = &prediction->application;
    *is_there = false;
    if (application->stream == NULL) return TANDA_OK;
    tanda_status status = prediction->rows == NULL ? report_flush(error) : TANDA_OK;
    prediction->rows_before += application->dataset->rows;
    tanda_dataset_free(application->dataset);
    application->dataset = NULL;
    if (status == TANDA_OK) status = row_stream_next(application->stream, &application->dataset, error);
    *is_there = application->dataset != NULL;
    return status;
}

static tanda_status predict(prediction *prediction, tanda_error *error) {
    application *application = &prediction->application;
    tanda_status status = application_open(application, true, error);
    if (status == TANDA_OK) status = check_top(prediction, error);
    if (status != TANDA_OK) return status;
    prediction->dialect = application->dataset->dialect;
    if (application->common.json)
        prediction->rows = json_array();
    else
        print_header(prediction);
    for (bool is_there = true; status == TANDA_OK && is_there;) {
        status = tanda_predict(application->device, application->model, application->dataset, take_rows,
                               prediction, error);
        if (status == TANDA_OK) status = next_block(prediction, &is_there, error);
    }
    if (status == TANDA_OK && application->common.json) status = print_json(prediction, error);
    return status;
}

tanda_status predict_command(int argc, char **argv, tanda_error *error) {
    prediction prediction = {.error = error};
    application_begin(&prediction.application, error);
    tanda_status status =
        options_parse(&predict_argp, argc, argv, &prediction, &prediction.application.common, error);
    if (status == TANDA_OK && !prediction.application.common.finished) status = predict(&prediction, error);
    json_decref(prediction.rows);
    free(prediction.order);
    application_free(&prediction.application);
    return status;
}
