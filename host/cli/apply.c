#include "cli/apply.h"

#include "cli/bar.h"
#include "cli/interrupt.h"
#include "cli/option_table.h"
#include "cli/ranks.h"
#include "cli/report.h"
#include "tanda_lab.h"

enum { FLAG_MODEL = FLAG_OWN + 0xe00 };

static const struct argp_option model_table[] = {
    {"model", FLAG_MODEL, "MODEL", 0,
     "the model file; the argument MODEL is another way to write it (needed)", 0},
    {0},
};

static error_t parse_model(int key, char *argument, struct argp_state *state) {
    if (key != FLAG_MODEL) return ARGP_ERR_UNKNOWN;
    *(const char **)state->input = argument;
    return 0;
}

static const struct argp model_argp = {.options = model_table, .parser = parse_model};

const struct argp_child application_children[] = {{&model_argp, 0, NULL, SECTION_DATA},
                                                  {&data_argp, 0, NULL, SECTION_DATA},
                                                  {&common_argp, 0, NULL, SECTION_COMMON},
                                                  {&unknown_argp, 0, NULL, SECTION_DATA},
                                                  {0}};

error_t application_parse(int key, struct argp_state *state, application *application) {
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &application->model_path;
        state->child_inputs[1] = &application->data;
        state->child_inputs[2] = &application->common;
        state->child_inputs[3] = &application->data;
        return 0;
    case ARGP_KEY_END:
        if (application->model_path != NULL) return 0;
        return parsed(options_lack(state->root_argp, "model", application->common.error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

tanda_status application_open(application *application, bool without_target, tanda_error *error) {
    const double begin = seconds_now();
    tanda_dataset_options reading = options_reading(&application->data, application->common.quiet);
    reading.without_target = without_target;
    reading.held_out = true;
    reading.in_place = ranks_hosts() != NULL; /* each rank reads its own rows */
    ranks_share_memory(&application->data, &reading);
    tanda_status status =
        apply_load(application->model_path, application->data.path, &reading, !application->reads_whole,
                   &application->model, &application->stream, &application->dataset, error);
    application->load_seconds = seconds_now() - begin;
    if (status == TANDA_OK)
        status = opening_of(&application->common.device, application->common.quiet, &application->device,
                            application->reason, error);
    if (status != TANDA_OK || application->common.quiet) return status;
    if (application->stream != NULL) {
        print_named(stderr, "data: ", application->data.path, ", rows as they come\n");
    } else {
        print_data_line(application->data.path, application->dataset, "as the model",
                        application->model->scaling.kind, "as the model");
        print_dropped_note(application->data.path, application->dataset->dropped);
        print_encoding_line(&application->model->preparation, application->dataset);
    }
    print_model_line(application->model);
    print_device_line(application->device, application->common.device.math, application->reason);
    return TANDA_OK;
}

tanda_status application_begin_ranks(const application *application, tanda_error *error) {
    if (ranks_hosts() == NULL) return TANDA_OK;
    interrupt_begin();
    hosts_begin_work(ranks_hosts(), interrupt_came, NULL);
    return ranks_tell(application->device, application->dataset->rows, application->common.quiet, error);
}

void application_free(application *application) {
    tanda_device_close(application->device);
    tanda_dataset_free(application->dataset);
    row_stream_close(application->stream);
    tanda_model_free(application->model);
    data_options_free(&application->data);
}
