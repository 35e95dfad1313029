/* tanda evaluate */
#include "cli/apply.h"
#include "cli/command.h"
#include "cli/report.h"
#include "support/clock.h"
#include "support/digest.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
    return application_parse(key, argument, state, state->input);
}

static const struct argp evaluate_argp = {
    .parser = parse,
    .args_doc = "MODEL",
    .doc = "Loss and accuracy of a model on data that it has not necessarily seen.\v"
           "Columns are found by the model's names where the data has names, else by position.",
    .children = application_children,
};

static tanda_status print_json(const application *application, const tanda_evaluation *evaluation,
                               double seconds, tanda_error *error) {
    char digest[DIGEST_TEXT_SIZE];
    const tanda_model *model = application->model;
    model_digest(model, digest);
    report report = report_begin("evaluate");
    report_device(&report, application->device, application->common.device.math);
    report_text(&report, "task", task_name(model->task));
    report_text(&report, "loss_function", loss_name(model->loss));
    report_count(&report, "rows", evaluation->rows);
    report_count(&report, "features", model->features);
    report_count(&report, "parameters", model->parameter_count);
    report_evaluation(&report, "", evaluation);
    report_value(&report, "seconds",
                 json_pack("{sf sf}", "load", application->load_seconds, "evaluate", seconds));
    report_text(&report, "weights_sha256", digest);
    report_text(&report, "model", application->model_path);
    return report_print(&report, error);
}

static tanda_status evaluate(application *application, tanda_error *error) {
    tanda_evaluation evaluation;
    tanda_status status = application_open(application, false, error);
    if (status != TANDA_OK) return status;
    const double begin = seconds_now();
    status =
        tanda_evaluate(application->device, application->model, application->dataset, &evaluation, error);
    if (status != TANDA_OK) return status;
    if (application->common.json) return print_json(application, &evaluation, seconds_now() - begin, error);
    print_evaluation("", &evaluation);
    return TANDA_OK;
}

tanda_status evaluate_command(int argc, char **argv, tanda_error *error) {
    application application = {0};
    application_begin(&application, error);
    tanda_status status = options_parse(&evaluate_argp, argc, argv, &application, &application.common, error);
    if (status == TANDA_OK && !application.common.finished) status = evaluate(&application, error);
    application_free(&application);
    return status;
}
