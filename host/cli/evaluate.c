/* tanda evaluate */
#include "cli/apply.h"
#include "cli/command.h"
#include "cli/metrics_report.h"
#include "cli/option_table.h"
#include "cli/reading_options.h"
#include "cli/report.h"
#include "tanda_lab.h"

enum { FLAG_TOP_K = FLAG_OWN };

typedef struct evaluation {
    application application;
    size_t top_k; /* 0: not asked */
    tanda_evaluation figures;
    tanda_metrics *metrics;
    double evaluate_seconds, metrics_seconds;
    tanda_error *error;
} evaluation;

static const struct argp_option table[] = {
    {"top-k", FLAG_TOP_K, "K", 0, "tell also how many rows have their class among the K most probable", 0},
    WITHOUT_OPTIONS("seed gemm"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    evaluation *evaluation = state->input;
    if (key == FLAG_TOP_K)
        return parsed(value_size("--top-k", argument, 1, &evaluation->top_k, evaluation->error));
    return application_parse(key, state, &evaluation->application);
}

const struct argp evaluate_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "MODEL DATA",
    .doc = "Loss and metrics of a model on data that it has not necessarily seen.\v"
           "For classes: precision, recall and f1-score as scikit-learn's classification_report has them, "
           "ROC AUC, "
           "log loss and the confusion matrix; for several labels: the same of each label, accuracy of whole "
           "rows, and "
           "Hamming loss; for a quantity: mse, mae and r2. "
           "Columns are found by the model's names where the data has names, else by position.\n"
           "Example: tanda evaluate iris.safetensors datasets/iris.csv",
    .children = application_children,
};

/* Of classes or of labels. */
static char *const *outcome_names(const tanda_model *model) {
    return model->task == TANDA_TASK_LABELS ? model->target_names : model->class_names;
}

static tanda_status print_json(const evaluation *evaluation, tanda_error *error) {
    char digest[DIGEST_TEXT_SIZE];
    const application *application = &evaluation->application;
    const tanda_model *model = application->model;
    model_digest(model, digest);
    report report = report_begin("evaluate");
    report_device(&report, application->device, &application->common.device);
    json_put_text(&report, "task", task_name(model->task));
    json_put_text(&report, "loss_function", loss_name(model->loss));
    report_dialect(&report, &application->dataset->dialect);
    report_target_scaling(&report, model);
    json_put_count(&report, "rows", evaluation->figures.rows);
    json_put_count(&report, "features", model->features);
    json_put_count(&report, "parameters", model->parameter_count);
    report_evaluation(&report, "", &evaluation->figures);
    json_put(&report, "metrics", metrics_json(evaluation->metrics, outcome_names(model)));
    json_put(&report, "seconds",
             json_pack("{sf sf sf}", "load", application->load_seconds, "evaluate",
                       evaluation->evaluate_seconds, "metrics", evaluation->metrics_seconds));
    json_put_text(&report, "weights_sha256", digest);
    json_put_text(&report, "model", application->model_path);
    return report_print(&report, error);
}

static tanda_status compute(evaluation *evaluation, tanda_error *error) {
    const application *application = &evaluation->application;
    const double begin = seconds_now();
    tanda_status status = tanda_evaluate(application->device, application->model, application->dataset,
                                         &evaluation->figures, error);
    const double between = seconds_now();
    if (status == TANDA_OK)
        status = tanda_metrics_evaluate(application->device, application->model, application->dataset,
                                        evaluation->top_k, &evaluation->metrics, error);
    evaluation->evaluate_seconds = between - begin;
    evaluation->metrics_seconds = seconds_now() - between;
    return status;
}

static tanda_status evaluate(evaluation *evaluation, tanda_error *error) {
    application *application = &evaluation->application;
    tanda_status status = application_open(application, false, error);
    if (status != TANDA_OK) return status;
    if (evaluation->top_k > 0 && application->model->task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--top-k is for classes, and the model predicts %s",
                    application->model->task == TANDA_TASK_LABELS ? "several labels" : "a quantity");
    status = compute(evaluation, error);
    if (status != TANDA_OK) return status;
    if (application->common.json) return print_json(evaluation, error);
    print_evaluation("", &evaluation->figures);
    print_metrics(evaluation->metrics, outcome_names(application->model));
    return TANDA_OK;
}

tanda_status evaluate_command(int argc, char **argv, tanda_error *error) {
    evaluation evaluation = {.error = error};
    application *application = &evaluation.application;
    application_begin(application, error);
    tanda_status status = options_parse(&evaluate_argp, argc, argv, &evaluation, &application->common, error);
    if (status == TANDA_OK && !application->common.finished) status = evaluate(&evaluation, error);
    tanda_metrics_free(evaluation.metrics);
    application_free(application);
    return status;
}
