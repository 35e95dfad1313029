/* `tanda inspect`: of a data file (inspect.c), and of a model file (inspect_model.c). */
#ifndef TANDA_CLI_INSPECT_H
#define TANDA_CLI_INSPECT_H

#include "cli/options.h"

typedef struct inspection {
    common_options common;
    data_options data; /* path is the argument */
    tanda_task task;
    bool settings; /* only these */
} inspection;

tanda_status inspect_model(const inspection *inspection, tanda_error *error);

#endif
