#include "verify/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "fit/settings.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/divergence.h"
#include "train/evaluator.h"
#include "train/optimizer.h"
#include "train/order.h"
#include "verify/compare.h"

void golden_free(golden *golden) {
    for (size_t i = 0; i < golden->argument_count; i++)
        free(golden->arguments[i]);
    free(golden->arguments);
    free(golden->device);
    free(golden->settings);
    free(golden->entries);
    *golden = (struct golden){0};
}

/* SHA-256 over values and labels as training sees them. */ static void
data_digest(const tanda_dataset *dataset, char *text) {
    char values[DIGEST_TEXT_SIZE], labels[DIGEST_TEXT_SIZE], weights[DIGEST_TEXT_SIZE] = "", whole[320];
    bool classes = dataset->task == TANDA_TASK_CLASSES;
    digest_sha256(dataset->values, dataset->rows * dataset->features * sizeof(float), values);
    digest_sha256(classes ? (const void *)dataset->classes : (const void *)dataset->targets,
                  dataset->rows * dataset->target_count * sizeof(float), labels);
    if (dataset->weights != NULL) digest_sha256(dataset->weights, dataset->rows * sizeof(float), weights);
    int length = snprintf(whole, sizeof whole, "%zu %zu %s %s %s%s%s", dataset->rows, dataset->features,
                          task_name(dataset->task), values, labels, weights[0] == '\0' ? "" : " ", weights);
    digest_sha256(whole, (size_t)length, text);
}

/* ---- which steps --------------------------------------------------------------------------------------- */

/* Steps between entries after the first GOLDEN_DENSE_STEPS. */
static uint64_t distance_of(uint64_t steps) {
    if (steps <= GOLDEN_DENSE_STEPS) return 1;
    return (steps - GOLDEN_DENSE_STEPS + GOLDEN_DENSE_STEPS - 1) / GOLDEN_DENSE_STEPS;
}

uint64_t golden_next_entry(uint64_t step, uint64_t steps) {
    uint64_t next = step < GOLDEN_DENSE_STEPS ? step + 1 : step + distance_of(steps);
    return next < steps ? next : steps;
}

size_t golden_entries(uint64_t steps) {
    uint64_t distance = distance_of(steps);
    if (steps <= GOLDEN_DENSE_STEPS) return (size_t)steps;
    return GOLDEN_DENSE_STEPS + (size_t)((steps - GOLDEN_DENSE_STEPS + distance - 1) / distance);
}

/* ---- running ------------------------------------------------------------------------------------------- */

/* A training that is watched. */
typedef struct watched {
    backend *backend;
    tanda_model *model;
    const tanda_dataset *dataset;
    const golden_options *options;
    resident resident;
    session session;
    float *packed;
    step_result *results; /* of the steps up to the next entry */
    rates rates;
    update_rates *step_rates; /* likewise; NULL: the learning rate */
} watched;

static tanda_status watch(watched *watched, const tanda_dataset *dataset, size_t batch_rows,
                          tanda_error *error) {
    const golden_options *options = watched->options;
    const plan_options plan = {
        .training = true, .dropout = options->dropout, .weighted = dataset->weights != NULL};
    const program_options program = {.batch_rows = batch_rows,
                                     .shuffle = options->shuffle,
                                     .shuffle_block = options->shuffle_block,
                                     .shuffle_window = options->shuffle_window,
                                     .seed = options->seed,
                                     .learning_rate = options->learning_rate,
                                     .update = options->update};
    tanda_status status = allocate(&watched->results, distance_of(options->steps), sizeof *watched->results,
                                   "step results", error);
    if (status == TANDA_OK && options->has_rates) {
        watched->rates = options->rates;
        status = allocate(&watched->step_rates, distance_of(options->steps), sizeof *watched->step_rates,
                          "learning rates", error);
    }
    if (status == TANDA_OK)
        status = resident_of_dataset(watched->backend, watched->model, dataset, true, false,
                                     &watched->resident, error);
    if (status == TANDA_OK)
        status = session_create(watched->model, &watched->resident, &plan, &program, NULL, &watched->session,
                                error);
    if (status != TANDA_OK) return status;
    return allocate(&watched->packed, watched->session.plan->parameter_count, sizeof(float), "parameters",
                    error);
}

static tanda_status check_finite(const watched *watched, uint64_t first, uint64_t steps, tanda_error *error) {
    char advice[DIVERGENCE_ADVICE_SIZE];
    uint64_t i = 0;
    while (i < steps && isfinite(watched->results[i].loss) && !watched->results[i].not_finite)
        i++;
    if (i == steps) return TANDA_OK;
    divergence_advise(watched->model, watched->dataset, (double)watched->options->learning_rate, advice);
    return fail(error, TANDA_FAILED, "diverged: a %s is not finite in step %llu; %s",
                isfinite(watched->results[i].loss) ? "weight" : "loss", (unsigned long long)(first + i + 1),
                advice);
}

/* Runs from after `first` steps to entry->step and notes the state there; digest is of the whole weights. */
static tanda_status advance(watched *watched, uint64_t first, golden_entry *entry, char *digest,
                            tanda_error *error) {
    uint64_t steps = entry->step - first;
    const plateau none = {0};
    if (watched->step_rates != NULL)
        rates_make(&watched->rates, &none, first, (size_t)steps, watched->step_rates);
    tanda_status status =
        session_run(&watched->session, first, (size_t)steps, watched->step_rates, true, error);
    if (status == TANDA_OK) status = session_results(&watched->session, watched->results, error);
    if (status == TANDA_OK) status = session_read_parameters(&watched->session, watched->packed, error);
    if (status == TANDA_OK) status = check_finite(watched, first, steps, error);
    if (status != TANDA_OK) return status;
    plan_unpack(watched->session.plan, watched->packed, watched->model->parameters);
    model_digest(watched->model, digest);
    entry->loss = bits_of(watched->results[steps - 1].loss);
    memcpy(entry->weights, digest, GOLDEN_WEIGHT_DIGITS);
    return TANDA_OK;
}

/* The weights that it ends in are compared by the whole of their hash. */
static golden_verdict judge(const golden *expected, const golden *made) {
    const size_t entry = made->entry_count;
    const golden_entry *theirs = &expected->entries[entry], *ours = &made->entries[entry];
    if (theirs->loss != ours->loss) return GOLDEN_LOSS;
    if (strcmp(theirs->weights, ours->weights) != 0) return GOLDEN_WEIGHTS;
    const bool differs = ours->step == made->steps && strcmp(expected->final, made->final) != 0;
    return differs ? GOLDEN_WEIGHTS : GOLDEN_EQUAL;
}

static tanda_status follow(watched *watched, const golden *expected, golden *made,
                           golden_difference *difference, tanda_error *error) {
    uint64_t done = 0;
    *difference = (golden_difference){.verdict = GOLDEN_EQUAL};
    while (done < made->steps) {
        golden_entry *entry = &made->entries[made->entry_count];
        entry->step = golden_next_entry(done, made->steps);
        tanda_status status = advance(watched, done, entry, made->final, error);
        if (status != TANDA_OK) return status;
        if (expected != NULL) {
            const golden_entry *other = &expected->entries[made->entry_count];
            *difference = (golden_difference){.verdict = judge(expected, made),
                                              .after = done,
                                              .step = entry->step,
                                              .expected = *other,
                                              .found = *entry};
            if (difference->verdict != GOLDEN_EQUAL) return TANDA_OK;
        }
        done = entry->step;
        made->entry_count++;
    }
    return TANDA_OK;
}

/* ---- checking ------------------------------------------------------------------------------------------ */

static tanda_status check_data(const golden *expected, size_t rows, size_t features, const char *digest,
                               tanda_error *error) {
    if (expected->rows != rows || expected->features != features)
        return fail(error, TANDA_BAD_INPUT,
                    "other data: %zu rows x %zu features, the recorded training had %zu x %zu", rows,
                    features, expected->rows, expected->features);
    if (strcmp(expected->data, digest) != 0)
        return fail(error, TANDA_BAD_INPUT,
                    "other data: the SHA-256 of scaled features and labels is %.16s..., recorded is %.16s...",
                    digest, expected->data);
    return TANDA_OK;
}

tanda_status golden_check_data(const golden *expected, const tanda_dataset *dataset, tanda_error *error) {
    char digest[DIGEST_TEXT_SIZE];
    data_digest(dataset, digest);
    const tanda_status status = check_data(expected, dataset->rows, dataset->features, digest, error);
    return dataset_check(dataset, status, error);
}

static tanda_status check_expected(const golden *expected, const golden *made, tanda_error *error) {
    tanda_status status = check_data(expected, made->rows, made->features, made->data, error);
    if (status != TANDA_OK) return status;
    if (expected->parameters != made->parameters || strcmp(expected->start, made->start) != 0)
        return fail(error, TANDA_BAD_INPUT,
                    "another start: the first %zu weights hash to %.16s..., recorded are %zu and %.16s...",
                    made->parameters, made->start, expected->parameters, expected->start);
    if (expected->batch_rows != made->batch_rows || expected->steps != made->steps)
        return fail(error, TANDA_BAD_INPUT,
                    "another training: %llu steps of %zu rows, recorded are %llu of %zu",
                    (unsigned long long)made->steps, made->batch_rows, (unsigned long long)expected->steps,
                    expected->batch_rows);
    return TANDA_OK;
}

tanda_status golden_run(backend *backend, tanda_model *model, const tanda_dataset *dataset,
                        const golden_options *options, const golden *expected, golden *result,
                        golden_difference *difference, tanda_error *error) {
    watched watched = {.backend = backend, .model = model, .dataset = dataset, .options = options};
    bool all = options->batch_rows == 0 || options->batch_rows > dataset->rows;
    *result = (golden){.rows = dataset->rows,
                       .features = dataset->features,
                       .parameters = model->parameter_count,
                       .batch_rows = all ? dataset->rows : options->batch_rows,
                       .steps = options->steps};
    if (options->steps == 0) return fail(error, TANDA_USAGE, "steps: 0 is too few, give 1 or more");
    tanda_status status = dataset_in_memory(dataset, "a record", error);
    if (status == TANDA_OK) status = check_fit(model, dataset, true, error);
    if (status != TANDA_OK) return status;
    data_digest(dataset, result->data);
    model_digest(model, result->start);
    if (expected != NULL) status = check_expected(expected, result, error);
    if (status == TANDA_OK) status = copy_text(&result->device, backend->information.name, error);
    if (status == TANDA_OK)
        status = allocate(&result->entries, golden_entries(options->steps), sizeof *result->entries,
                          "golden trace", error);
    if (status == TANDA_OK) status = watch(&watched, dataset, result->batch_rows, error);
    if (status == TANDA_OK) status = follow(&watched, expected, result, difference, error);
    status = dataset_check(dataset, status, error);
    session_free(&watched.session);
    resident_free(&watched.resident);
    free(watched.packed);
    free(watched.results);
    free(watched.step_rates);
    return status;
}

/* ---- settings and options ----------------------------------------------------------------------------------- */

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
    const size_t batch = batch_rows_of(train->batch_rows, rows);
    size_t count = 0;
    if (multiply_overflows(train->epochs, steps_per_epoch(rows, batch), &count))
        return fail(error, TANDA_USAGE, "--epochs: %zu epochs have too many steps", train->epochs);
    *steps = count;
    return TANDA_OK;
}

tanda_status golden_options_of(const tanda_train_options *train, size_t rows, uint64_t steps,
                               golden_options *result, tanda_error *error) {
    const size_t batch = batch_rows_of(train->batch_rows, rows);
    uint64_t all = 0;
    const tanda_status status = golden_all_steps(train, rows, &all, error);
    if (status != TANDA_OK) return status;
    *result = (golden_options){.steps = steps,
                               .batch_rows = train->batch_rows,
                               .shuffle = shuffle_kind_of(train),
                               .shuffle_block = train->shuffle_block,
                               .shuffle_window = train->shuffle_window,
                               .seed = train->seed,
                               .learning_rate = (float)train->learning_rate,
                               .update = optimizer_settings(&train->optimizer),
                               .has_rates = !rates_are_constant(&train->optimizer, &train->schedule),
                               .rates = rates_begin(&train->optimizer, &train->schedule, train->learning_rate,
                                                    steps_per_epoch(rows, batch), all),
                               .dropout = train->dropout};
    return TANDA_OK;
}

lockstep_options lockstep_options_of(const golden_options *training) {
    return (lockstep_options){.steps = (size_t)training->steps,
                              .batch_rows = training->batch_rows,
                              .shuffle = training->shuffle,
                              .shuffle_block = training->shuffle_block,
                              .shuffle_window = training->shuffle_window,
                              .seed = training->seed,
                              .learning_rate = training->learning_rate,
                              .update = training->update,
                              .has_rates = training->has_rates,
                              .rates = training->rates,
                              .dropout = training->dropout};
}
