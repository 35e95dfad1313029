/* Where predictions go: standard output, a file of CSV, or one of binary32. */
#ifndef TANDA_CLI_PREDICTION_OUTPUT_H
#define TANDA_CLI_PREDICTION_OUTPUT_H

#include "support/file_writer.h"

typedef struct prediction_output {
    const char *path; /* borrowed; NULL: standard output */
    bool is_array;    /* .npy */
    file_writer writer;
} prediction_output;

/*
 * By the ending of path: .csv, or .npy; a device or a pipe takes CSV by any other name. TANDA_USAGE for another ending.
 */
tanda_status prediction_output_choose(const char *path, prediction_output *output, tanda_error *error);

/* Opens it; rows and columns are those of the array. */
tanda_status prediction_output_begin(prediction_output *output, size_t rows, size_t columns,
                                     tanda_error *error);
tanda_status prediction_output_add(prediction_output *output, const void *data, size_t size,
                                   tanda_error *error);

/* A file is there when this has returned TANDA_OK, and not before. */
tanda_status prediction_output_finish(prediction_output *output, tanda_error *error);

#endif
