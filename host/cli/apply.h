/* What evaluate and predict share: a model, rows that fit it in its scaling, and an open device. */
#ifndef TANDA_CLI_APPLY_H
#define TANDA_CLI_APPLY_H

#include "cli/options.h"
#include "tanda_lab.h"

typedef struct application {
    common_options common;
    data_options data;
    const char *model_path;
    tanda_model *model;
    row_stream *stream;     /* of rows that come through a pipe and are predicted as they come, or NULL */
    bool reads_whole;       /* set before opening: such rows are waited for to the last */
    tanda_dataset *dataset; /* of a stream: the rows that have come first */
    tanda_device *device;
    char reason[256];
    double load_seconds;
} application;

/* Keys and children that both commands' argp tables are made of; input is the application,
 * whose common.error and data.error are set before. */
error_t application_parse(int key, struct argp_state *state, application *application);
extern const struct argp_child application_children[];

/* Loads model and rows, scales the rows and opens the device. Prints the banner unless --quiet. */
tanda_status application_open(application *application, bool without_target, tanda_error *error);

/* By all ranks, where there are several: from now on signals are noted and agreed, and rank 0 says who there are. */
tanda_status application_begin_ranks(const application *application, tanda_error *error);
void application_free(application *application);

#endif
