#include "cli/apply.h"

#include "cli/data_notes.h"
#include "cli/encoding_options.h"
#include "cli/opening.h"
#include "cli/print.h"
#include "cli/report.h"
#include "model/model_file.h"
#include "support/clock.h"

const struct argp_child application_children[] = {
    {&data_argp, 0, "Data:", 1}, {&common_argp, 0, "Common:", 2}, {&unknown_argp, 0, NULL, 1}, {0}};

void application_begin(application *application, tanda_error *error) {
    application->common.error = application->data.error = error;
}

error_t application_parse(int key, char *argument, struct argp_state *state, application *application) {
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &application->data;
        state->child_inputs[1] = &application->common;
        state->child_inputs[2] = &application->data;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, &application->model_path, application->common.error);
    case ARGP_KEY_END:
        if (application->model_path != NULL) return 0;
        return parsed(fail(application->common.error, TANDA_USAGE, "no model: tanda %s MODEL --data FILE",
                           state->argv[0]));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_banner(const application *application) {
    if (application->stream != NULL) {
        fputs("data: ", stderr);
        print_name(stderr, application->data.path);
        fputs(", rows as they come\n", stderr);
    } else {
        print_data_line(stderr, application->data.path, application->dataset, "as the model",
                        application->model->scaling.kind, "as the model");
        print_dropped_note(stderr, application->data.path, application->dataset->dropped);
        print_encoding_line(stderr, &application->model->preparation, application->dataset);
    }
    print_model_line(stderr, application->model);
    print_device_line(stderr, application->device, application->common.device.math, application->reason);
}

/* Rows to predict may come through a pipe. */
static tanda_status load_rows(application *application, const tanda_dataset_options *reading,
                              tanda_error *error) {
    if (!reading->without_target || application->reads_whole ||
        !row_stream_is_possible(application->data.path, reading))
        return tanda_dataset_load_for_model(application->data.path, reading, application->model,
                                            &application->dataset, error);
    tanda_status status =
        row_stream_open(application->data.path, reading, application->model, &application->stream, error);
    if (status == TANDA_OK) status = row_stream_next(application->stream, &application->dataset, error);
    if (status == TANDA_OK && application->dataset == NULL)
        status = fail(error, TANDA_BAD_INPUT, "%s: holds no rows", application->data.path);
    return status;
}

tanda_status application_open(application *application, bool without_target, tanda_error *error) {
    const double begin = seconds_now();
    tanda_status status = model_file_load(application->model_path, &application->model, error);
    if (status != TANDA_OK) return status;
    tanda_dataset_options reading = options_reading(&application->data);
    reading.without_target = without_target;
    reading.held_out = true;
    status = load_rows(application, &reading, error);
    application->load_seconds = seconds_now() - begin;
    if (status == TANDA_OK)
        status = opening_of(&application->common.device, application->common.quiet, &application->device,
                            application->reason, error);
    if (status == TANDA_OK && !application->common.quiet) print_banner(application);
    return status;
}

void application_free(application *application) {
    tanda_device_close(application->device);
    tanda_dataset_free(application->dataset);
    row_stream_close(application->stream);
    tanda_model_free(application->model);
    data_options_free(&application->data);
}
