#include "cli/option_groups.h"

#include <errno.h>
#include <stdlib.h>

error_t parsed(tanda_status status) {
    return status == TANDA_OK ? 0 : EINVAL;
}

tanda_dataset_options options_reading(const data_options *options) {
    tanda_dataset_options reading = options->read;
    reading.size = sizeof reading;
    reading.ignore = (const char *const *)options->ignore.texts;
    reading.ignore_count = options->ignore.count;
    reading.features = (const char *const *)options->features.texts;
    reading.feature_count = options->features.count;
    reading.more_count = options->paths.count > 1 ? options->paths.count - 1 : 0;
    reading.more_files = (const char *const *)options->paths.texts + (reading.more_count > 0);
    reading.categorical = (const char *const *)options->categorical.texts;
    reading.categorical_count = options->categorical.count;
    reading.copy = (const char *const *)options->copy.texts;
    reading.copy_count = options->copy.count;
    reading.missing_values = (const char *const *)options->missing_values.texts;
    reading.missing_value_count = options->missing_values.count;
    return reading;
}

void data_options_free(data_options *options) {
    text_list_free(&options->paths);
    text_list_free(&options->ignore);
    text_list_free(&options->features);
    text_list_free(&options->categorical);
    text_list_free(&options->missing_values);
    text_list_free(&options->copy);
    free(options->joined_path);
    options->joined_path = NULL;
}
