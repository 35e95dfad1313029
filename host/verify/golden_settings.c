#include "verify/golden_settings.h"

#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "fit/settings.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/optimizer.h"

char *golden_settings(const tanda_model *model) {
    static const char *const paths[] = {"data", "labels", "init", "validation_labels"};
    char shape[SHAPE_SIZE];
    json_t *noted = model->settings != NULL ? json_read(model->settings, strlen(model->settings), 0, NULL)
                                            : json_object();
    json_builder settings = {.object = noted, .failed = noted == NULL};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        json_object_del(noted, paths[i]);
    if (json_is_string(json_object_get(noted, "validation"))) json_object_del(noted, "validation");
    json_put(&settings, "model", json_string(model_shape(model, shape)));
    json_put(&settings, "loss", json_string(loss_name(model->loss)));
    json_t *whole = json_end(&settings);
    char *text =
        whole == NULL ? NULL : json_write(whole, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    json_decref(whole);
    return text;
}

bool golden_keeps(const char *name) {
    if (strcmp(name, "math") == 0 || strcmp(name, "gemm") == 0) return false; /* every one is exact */
    return settings_has_option(name) ||
           strcmp(name, "test-rows") == 0; /* which is a part of data's setting */
}

/* Of the options whose values are words, as the settings call them. */
static bool is_word(const char *key) {
    static const char *const keys[] = {"format",       "header",           "delimiter", "decimal",
                                       "missing",      "unknown_category", "task",      "scale",
                                       "stratify",     "scale_target",     "loss",      "activation",
                                       "optimizer",    "schedule",         "shuffle",   "output_activation",
                                       "restore_best", "class_weight",     "batch"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0) return true;
    return false;
}

/* The words of an array, with commas between them. */
static char *join_words(const json_t *array) {
    size_t size = 1;
    for (size_t i = 0; i < json_array_size(array); i++)
        size += strlen(json_string_value(json_array_get(array, i))) + 1;
    char *joined = calloc(size, 1), *at = joined;
    for (size_t i = 0; joined != NULL && i < json_array_size(array); i++)
        at = stpcpy(stpcpy(at, i == 0 ? "" : ","), json_string_value(json_array_get(array, i)));
    return joined;
}

char *golden_value(const json_t *settings, const char *option, const char *given) {
    char key[40];
    text_put(key, sizeof key, "%s", option);
    text_replace(key, '-', '_');
    const json_t *value = is_word(key) ? json_object_get(settings, key) : NULL;
    if (json_is_array(value) && strcmp(key, "activation") == 0) return join_words(value);
    return strdup(json_is_string(value) ? json_string_value(value) : given);
}

tanda_status golden_all_steps(const tanda_train_options *train, size_t rows, uint64_t *steps,
                              tanda_error *error) {
    const size_t batch = train->batch_rows == 0 || train->batch_rows > rows ? rows : train->batch_rows;
    size_t count = 0;
    if (multiply_overflows(train->epochs, steps_per_epoch(rows, batch), &count))
        return fail(error, TANDA_USAGE, "--epochs: %zu epochs have too many steps", train->epochs);
    *steps = count;
    return TANDA_OK;
}

tanda_status golden_options_of(const tanda_train_options *train, size_t rows, uint64_t steps,
                               golden_options *result, tanda_error *error) {
    const size_t batch = train->batch_rows == 0 || train->batch_rows > rows ? rows : train->batch_rows;
    uint64_t all = 0;
    const tanda_status status = golden_all_steps(train, rows, &all, error);
    if (status != TANDA_OK) return status;
    *result = (golden_options){.steps = steps,
                               .batch_rows = train->batch_rows,
                               .shuffle = !train->no_shuffle,
                               .seed = train->seed,
                               .learning_rate = (float)train->learning_rate,
                               .update = optimizer_settings(&train->optimizer),
                               .has_rates = !rates_are_constant(&train->optimizer, &train->schedule),
                               .rates = rates_begin(&train->optimizer, &train->schedule, train->learning_rate,
                                                    steps_per_epoch(rows, batch), all),
                               .dropout = train->dropout};
    return TANDA_OK;
}
