#include "cli/prediction_output.h"

#include <string.h>
#include <strings.h>

#include "cli/report.h"
#include "data/npy.h"
#include "data/place.h"

static bool is_special(const char *path) {
    file_target target;
    return file_target_find(path, &target) == 0 && target.kind == FILE_SPECIAL;
}

tanda_status prediction_output_choose(const char *path, prediction_output *output, tanda_error *error) {
    char text[SHOWN_SIZE];
    *output = (prediction_output){.path = path};
    if (path == NULL || *path == '\0') return TANDA_OK; /* an empty name is refused with the other files */
    const char *dot = strrchr(path, '.');
    output->is_array = dot != NULL && strcasecmp(dot, ".npy") == 0;
    if (output->is_array || (dot != NULL && strcasecmp(dot, ".csv") == 0) || is_special(path))
        return TANDA_OK;
    return fail(error, TANDA_USAGE, "--output: '%s' ends neither in .csv nor in .npy, and these are written",
                shown(path, strlen(path), text));
}

tanda_status prediction_output_begin(prediction_output *output, size_t rows, size_t columns,
                                     tanda_error *error) {
    char header[NPY_HEADER_SIZE];
    if (output->path == NULL) return TANDA_OK;
    const tanda_status status = file_writer_begin(output->path, &output->writer, error);
    if (status != TANDA_OK || !output->is_array) return status;
    npy_make_header(header, 'f', rows, columns);
    return prediction_output_add(output, header, sizeof header, error);
}

tanda_status prediction_output_add(prediction_output *output, const void *data, size_t size,
                                   tanda_error *error) {
    if (output->path != NULL) return file_writer_add(&output->writer, data, size, error);
    return report_write(data, size, error);
}

tanda_status prediction_output_finish(prediction_output *output, tanda_error *error) {
    return output->path != NULL ? file_writer_finish(&output->writer, error) : report_flush(error);
}
