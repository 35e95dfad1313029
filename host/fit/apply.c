#include "fit/apply.h"

#include <string.h>

#include "model/model_file.h"

tanda_status apply_load(const char *model_path, const char *path, const tanda_dataset_options *reading,
                        bool as_they_come, tanda_model **model, row_stream **stream, tanda_dataset **dataset,
                        tanda_error *error) {
    char message[sizeof error->message];
    bool is_model = false;
    tanda_status status = model_file_load(model_path, model, error);
    if (status == TANDA_OK && reading->without_target && as_they_come &&
        row_stream_is_possible(path, reading)) {
        status = row_stream_open(path, reading, *model, stream, error);
        if (status == TANDA_OK) status = row_stream_next(*stream, dataset, error);
        if (status == TANDA_OK && *dataset == NULL)
            status = fail(error, TANDA_BAD_INPUT, "%s: holds no rows", path);
    } else if (status == TANDA_OK) {
        status = tanda_dataset_load_for_model(path, reading, *model, dataset, error);
    }
    /* A model in the place of the data was rather meant to be the other argument. */
    if (status != TANDA_BAD_INPUT || model_file_looks_right(path, &is_model, NULL) != TANDA_OK || !is_model)
        return status;
    memcpy(message, error->message, sizeof message);
    return fail(error, status, "%.560s; the arguments are MODEL DATA", message);
}
