#include "train/checkpoint_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_file.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/optimizer.h"
#include "train/order.h"

#define STATE_NAME MODEL_FILE_EXTRA_PREFIX "state.%zu"
#define NAME_SIZE 48
#define BEST_NAME MODEL_FILE_EXTRA_PREFIX "best"

/* ---- numbers ------------------------------------------------------------------------------------------- */

static json_t *bits_of(uint64_t bits) {
    return json_sprintf("%016" PRIx64, bits);
}

static json_t *double_of(double value) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits_of(bits);
}

static bool read_bits(const json_t *value, uint64_t *bits) {
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != 16 || text[strspn(text, "0123456789abcdef")] != '\0') return false;
    *bits = strtoull(text, NULL, 16);
    return true;
}

static bool read_double(const json_t *value, double *number) {
    uint64_t bits = 0;
    if (!read_bits(value, &bits)) return false;
    memcpy(number, &bits, sizeof bits);
    return true;
}

static bool read_count(const json_t *value, uint64_t *count) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *count = (uint64_t)json_integer_value(value);
    return true;
}

/* ---- what a training is -------------------------------------------------------------------------------- */

static json_t *describe_dropout(const trainer *trainer) {
    const double *dropout = trainer->options->dropout;
    json_builder rates = json_array_begin();
    for (size_t i = 0; i < trainer->model->layer_count; i++)
        json_push(&rates, json_real(dropout != NULL ? dropout[i] : 0.0));
    return json_end(&rates);
}

static void describe_order(const trainer *trainer, json_builder *made) {
    const tanda_shuffle shuffle = shuffle_asked(trainer->options);
    if (shuffle != TANDA_SHUFFLE_WINDOW) {
        json_put(made, "shuffle", json_boolean(shuffle == TANDA_SHUFFLE_FULL));
        return;
    }
    json_put(made, "shuffle", json_string(shuffle_names[shuffle]));
    json_put(made, "shuffle_block", json_integer((json_int_t)trainer->shuffle_block));
    json_put(made, "shuffle_window", json_integer((json_int_t)trainer->shuffle_window));
}

static json_t *describe_options(const trainer *trainer) {
    const tanda_train_options *options = trainer->options;
    json_builder made = json_object_begin();
    json_put(&made, "seed", json_sprintf("%" PRIu64, options->seed));
    json_put(&made, "batch_rows", json_integer((json_int_t)trainer->batch_rows));
    describe_order(trainer, &made);
    json_put(&made, "learning_rate", json_real(options->learning_rate));
    json_put(&made, "math", json_string(options->math == TANDA_MATH_FAST ? "fast" : "exact"));
    json_put(&made, "patience", json_integer((json_int_t)options->patience));
    json_put(&made, "min_delta", json_real(options->min_delta));
    json_put(&made, "restore_best", json_boolean(options->restore_best));
    json_put(&made, "dropout", describe_dropout(trainer));
    tanda_optimizer_options optimizer = trainer->options->optimizer;
    const tanda_schedule_options *schedule = &trainer->options->schedule;
    json_put(&made, "optimizer", json_string(optimizer_name(optimizer.kind)));
    json_put(&made, "amsgrad", json_boolean(optimizer.amsgrad));
    json_put(&made, "centered", json_boolean(optimizer.centered));
    for (size_t i = 0; i < optimizer_constant_count; i++)
        json_put(&made, optimizer_constants[i].name,
                 json_real(*constant_of(&optimizer, &optimizer_constants[i])));
    json_put(&made, "schedule", json_string(schedule_name(schedule->kind)));
    for (size_t i = 0; i < schedule_member_count; i++)
        json_put(&made, schedule_members[i].name, json_real(schedule_value(schedule, &schedule_members[i])));
    if (schedule->kind == TANDA_SCHEDULE_COSINE || schedule->kind == TANDA_SCHEDULE_ONE_CYCLE)
        json_put(&made, "steps in all", json_integer((json_int_t)trainer->total_steps));
    return json_end(&made);
}

static json_t *describe_plateau(const plateau *plateau) {
    return json_pack("{s:I, s:I, s:b, s:o, s:o}", "waited", (json_int_t)plateau->waited, "cooling",
                     (json_int_t)plateau->cooling, "has_best", plateau->has_best, "best",
                     double_of(plateau->best), "rate", double_of(plateau->rate));
}

static bool read_plateau(const json_t *facts, plateau *plateau) {
    const json_t *has_best = json_object_get(facts, "has_best");
    uint64_t waited = 0, cooling = 0;
    if (!read_count(json_object_get(facts, "waited"), &waited) ||
        !read_count(json_object_get(facts, "cooling"), &cooling) || !json_is_boolean(has_best) ||
        !read_double(json_object_get(facts, "best"), &plateau->best) ||
        !read_double(json_object_get(facts, "rate"), &plateau->rate))
        return false;
    plateau->waited = (size_t)waited;
    plateau->cooling = (size_t)cooling;
    plateau->has_best = json_is_true(has_best);
    return true;
}

static json_t *describe_data(const tanda_dataset *dataset, uint64_t fingerprint) {
    return json_pack("{s:I, s:I, s:o}", "rows", (json_int_t)dataset->rows, "features",
                     (json_int_t)dataset->features, "fingerprint", bits_of(fingerprint));
}

static json_t *describe_validation(const trainer *trainer) {
    if (trainer->validation_set == NULL) return json_null();
    return describe_data(trainer->validation_set, trainer->validation_fingerprint);
}

static json_t *describe(const trainer *trainer, const progress *progress) {
    const stopping *stopping = &progress->stopping;
    return json_pack("{s:i, s:I, s:I, s:o, s:I, s:I, s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:I}", "format",
                     CHECKPOINT_FORMAT, "step", (json_int_t)progress->step, "steps_per_epoch",
                     (json_int_t)trainer->steps_per_epoch, "running_loss", double_of(progress->running.loss),
                     "running_correct", (json_int_t)progress->running.correct, "best_epoch",
                     (json_int_t)stopping->best_epoch, "best_score", double_of(stopping->best), "waited",
                     (json_int_t)stopping->waited, "stopped", stopping->stopped, "plateau",
                     describe_plateau(&progress->plateau), "data",
                     describe_data(trainer->dataset, trainer->training_fingerprint), "validation",
                     describe_validation(trainer), "options", describe_options(trainer), "pairs",
                     (json_int_t)progress->pairs);
}

/* ---- writing ------------------------------------------------------------------------------------------- */

/* The tensors beside the model's, which are of the same memory as their values. */
#define MOST_EXTRAS (2 * MOST_HISTORY + 1) /* the state of L-BFGS, and the best weights */
typedef struct extras {
    size_t count;
    char names[MOST_EXTRAS][NAME_SIZE];
    safetensors_tensor tensors[MOST_EXTRAS];
} extras;

static tanda_status add_extra(const trainer *trainer, extras *extras, const char *name, const float *packed,
                              tanda_error *error) {
    const size_t count = trainer->session.plan->model_parameter_count;
    float *values = NULL;
    const tanda_status status = allocate(&values, count, sizeof *values, "checkpoint", error);
    if (status != TANDA_OK) return status;
    plan_unpack(trainer->session.plan, packed, values);
    char *kept_name = extras->names[extras->count];
    text_put(kept_name, sizeof extras->names[0], "%s", name);
    extras->tensors[extras->count++] = (safetensors_tensor){.name = kept_name,
                                                            .type = "F32",
                                                            .rank = 1,
                                                            .shape = {count},
                                                            .data = values,
                                                            .size = count * sizeof *values};
    return TANDA_OK;
}

static tanda_status write_file(const trainer *trainer, const snapshot *snapshot, const extras *extras,
                               const char *path, tanda_error *error) {
    tanda_model model = *trainer->model;
    json_t *facts = describe(trainer, &snapshot->progress);
    char *text = facts == NULL ? NULL : json_write(facts, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(facts);
    if (text == NULL) return fail(error, TANDA_FAILED, "%s: no memory for a checkpoint", path);
    tanda_status status =
        allocate(&model.parameters, model.parameter_count, sizeof(float), "checkpoint", error);
    if (status == TANDA_OK) {
        plan_unpack(trainer->session.plan, snapshot->parameters, model.parameters);
        const model_file_extra extra = {.text = text, .tensors = extras->tensors, .count = extras->count};
        status = model_file_save_with(&model, &extra, path, error);
        free(model.parameters);
    }
    free(text);
    return status;
}

tanda_status checkpoint_file_write(const trainer *trainer, const snapshot *snapshot, const char *path,
                                   tanda_error *error) {
    extras extras = {0};
    char name[NAME_SIZE];
    tanda_status status = TANDA_OK;
    if (snapshot->best != NULL && snapshot->progress.stopping.best_epoch > 0)
        status = add_extra(trainer, &extras, BEST_NAME, snapshot->best, error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++) {
        text_put(name, sizeof name, STATE_NAME, i);
        status = add_extra(trainer, &extras, name, snapshot->state[i], error);
    }
    if (status == TANDA_OK) status = write_file(trainer, snapshot, &extras, path, error);
    for (size_t i = 0; i < extras.count; i++)
        free((void *)extras.tensors[i].data);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* An open checkpoint. */
typedef struct opened {
    const char *path;
    file_view view;
    safetensors file;
    tanda_model *model;
    json_t *facts;
} opened;

/* What was read counts when there was memory for it and the file is still what it was. */
static tanda_status end_reading(opened *file, size_t failures, tanda_status status, tanda_error *error) {
    status = json_memory_check(failures, file->path, status, error);
    status = file_view_check(&file->view, status, error);
    json_decref(file->facts);
    tanda_model_free(file->model);
    safetensors_close(&file->file);
    file_view_close(&file->view);
    return status;
}

/* model_file_parse checks all sums. */
static tanda_status open_file(const char *path, opened *file, tanda_error *error) {
    *file = (opened){.path = path};
    tanda_status status = file_view_open(path, &file->view, error);
    if (status == TANDA_OK) status = model_file_parse(path, file->view, &file->model, error);
    if (status == TANDA_OK) status = safetensors_parse(path, file->view, &file->file, error);
    if (status != TANDA_OK) return status;
    const char *text = safetensors_metadata(&file->file, MODEL_FILE_EXTRA);
    if (text == NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: is a model but no checkpoint; --init starts from its weights", path);
    file->facts = json_read(text, strlen(text), JSON_REJECT_DUPLICATES, NULL);
    uint64_t format = 0;
    if (!read_count(json_object_get(file->facts, "format"), &format) || format != CHECKPOINT_FORMAT)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: a checkpoint of another format; this version reads format %d", path,
                    CHECKPOINT_FORMAT);
    return TANDA_OK;
}

static tanda_status read_progress(const opened *file, progress *progress, tanda_error *error) {
    const json_t *facts = file->facts, *stopped = json_object_get(facts, "stopped");
    stopping *stopping = &progress->stopping;
    uint64_t best_epoch = 0, waited = 0, pairs = 0;
    if (!read_count(json_object_get(facts, "step"), &progress->step) ||
        !read_double(json_object_get(facts, "running_loss"), &progress->running.loss) ||
        !read_count(json_object_get(facts, "running_correct"), &progress->running.correct) ||
        !read_count(json_object_get(facts, "best_epoch"), &best_epoch) ||
        !read_double(json_object_get(facts, "best_score"), &stopping->best) ||
        !read_count(json_object_get(facts, "waited"), &waited) || !json_is_boolean(stopped) ||
        !read_plateau(json_object_get(facts, "plateau"), &progress->plateau) ||
        !read_count(json_object_get(facts, "pairs"), &pairs) || pairs > MOST_HISTORY)
        return fail(error, TANDA_BAD_INPUT, "%s: the facts of its checkpoint are not complete", file->path);
    stopping->best_epoch = (size_t)best_epoch;
    stopping->waited = (size_t)waited;
    progress->pairs = (size_t)pairs;
    stopping->stopped = json_is_true(stopped);
    return TANDA_OK;
}

static tanda_status read_tensor(const trainer *trainer, const opened *file, const char *name, float *packed,
                                tanda_error *error) {
    const safetensors_tensor *tensor = safetensors_find(&file->file, name);
    const size_t count = trainer->session.plan->model_parameter_count;
    if (tensor == NULL || strcmp(tensor->type, "F32") != 0 || tensor->size != count * sizeof(float))
        return fail(error, TANDA_BAD_INPUT, "%s: it has no tensor \"%s\" of %zu numbers", file->path, name,
                    count);
    float *values = NULL; /* the file's are not aligned */
    const tanda_status status = allocate(&values, count, sizeof *values, "checkpoint", error);
    if (status != TANDA_OK) return status;
    memcpy(values, tensor->data, tensor->size);
    plan_pack(trainer->session.plan, values, packed);
    free(values);
    return TANDA_OK;
}

static tanda_status read_tensors(const trainer *trainer, const opened *file, snapshot *snapshot,
                                 tanda_error *error) {
    char name[NAME_SIZE];
    tanda_status status = TANDA_OK;
    plan_pack(trainer->session.plan, file->model->parameters, snapshot->parameters);
    /* A training that keeps no best weights may go on from one that did; the other way round they begin anew. */
    if (snapshot->best != NULL && safetensors_find(&file->file, BEST_NAME) != NULL)
        status = read_tensor(trainer, file, BEST_NAME, snapshot->best, error);
    else if (snapshot->best != NULL)
        snapshot->progress.stopping = (stopping){0};
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++) {
        text_put(name, sizeof name, STATE_NAME, i);
        status = read_tensor(trainer, file, name, snapshot->state[i], error);
    }
    return status;
}

/* ---- is it the same training? -------------------------------------------------------------------------- */

static tanda_status check_layers(const trainer *trainer, const opened *file, tanda_error *error) {
    const tanda_model *ours = trainer->model, *theirs = file->model;
    bool same = ours->features == theirs->features && ours->layer_count == theirs->layer_count &&
                ours->loss == theirs->loss && ours->task == theirs->task;
    for (size_t i = 0; same && i < ours->layer_count; i++)
        same = ours->layers[i].kind == theirs->layers[i].kind &&
               ours->layers[i].outputs == theirs->layers[i].outputs &&
               ours->layers[i].activation == theirs->layers[i].activation;
    if (same) return TANDA_OK;
    return fail(error, TANDA_USAGE, "%s: its model has other layers or another loss than this training's",
                file->path);
}

static tanda_status check_options(const trainer *trainer, const opened *file, tanda_error *error) {
    json_t *ours = describe_options(trainer), *value = NULL;
    if (ours == NULL) return fail(error, TANDA_FAILED, "%s: no memory to compare its options", file->path);
    const json_t *theirs = json_object_get(file->facts, "options");
    const char *key = NULL;
    tanda_status status = TANDA_OK;
    json_object_foreach(ours, key, value) {
        const json_t *other = json_object_get(theirs, key);
        if (status != TANDA_OK || json_equal(value, other)) continue;
        char *there = json_write(other, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9)),
             *here = json_write(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
        status = fail(error, TANDA_USAGE, "%s: its %s is %s, this training's is %s", file->path, key,
                      there == NULL ? "missing" : there, here == NULL ? "another" : here);
        free(there);
        free(here);
    }
    json_decref(ours);
    return status;
}

/* key is "data" or "validation"; dataset NULL: there is none. */
static tanda_status check_data(const opened *file, const char *key, const tanda_dataset *dataset,
                               uint64_t fingerprint, tanda_error *error) {
    const json_t *theirs = json_object_get(file->facts, key);
    const char *what = strcmp(key, "data") == 0 ? "training" : "validation";
    uint64_t rows = 0, features = 0, stated = 0;
    if (dataset == NULL && json_is_null(theirs)) return TANDA_OK;
    if (dataset == NULL || json_is_null(theirs))
        return fail(error, TANDA_USAGE, "%s: it was trained %s a validation set, this training is %s one",
                    file->path, dataset == NULL ? "with" : "without", dataset == NULL ? "without" : "with");
    if (!read_count(json_object_get(theirs, "rows"), &rows) ||
        !read_count(json_object_get(theirs, "features"), &features) ||
        !read_bits(json_object_get(theirs, "fingerprint"), &stated))
        return fail(error, TANDA_BAD_INPUT, "%s: the facts of its checkpoint are not complete", file->path);
    if (rows != dataset->rows || features != dataset->features)
        return fail(error, TANDA_USAGE,
                    "%s: its %s set has %" PRIu64 " rows x %" PRIu64 " features, this one %zu x %zu",
                    file->path, what, rows, features, dataset->rows, dataset->features);
    if (stated == fingerprint) return TANDA_OK;
    return fail(
        error, TANDA_USAGE,
        "%s: its %s set has as many rows and features as this one, but other values, scaling or labels",
        file->path, what);
}

static tanda_status check_training(const trainer *trainer, const opened *file, tanda_error *error) {
    uint64_t step = 0;
    tanda_status status = check_layers(trainer, file, error);
    if (status == TANDA_OK) status = check_options(trainer, file, error);
    if (status == TANDA_OK)
        status = check_data(file, "data", trainer->dataset, trainer->training_fingerprint, error);
    if (status == TANDA_OK)
        status =
            check_data(file, "validation", trainer->validation_set, trainer->validation_fingerprint, error);
    if (status == TANDA_OK && read_count(json_object_get(file->facts, "step"), &step) &&
        step > trainer->total_steps)
        status = fail(error, TANDA_USAGE,
                      "%s: it has done %" PRIu64 " steps of %zu per epoch, more than %zu epochs", file->path,
                      step, trainer->steps_per_epoch, trainer->options->epochs);
    return status;
}

tanda_status checkpoint_file_read(const trainer *trainer, snapshot *snapshot, const char *path,
                                  tanda_error *error) {
    opened file;
    const size_t failures = json_memory_failures();
    tanda_status status = open_file(path, &file, error);
    if (status == TANDA_OK) status = check_training(trainer, &file, error);
    if (status == TANDA_OK) status = read_progress(&file, &snapshot->progress, error);
    if (status == TANDA_OK) status = read_tensors(trainer, &file, snapshot, error);
    return end_reading(&file, failures, status, error);
}

tanda_status checkpoint_file_check(const char *path, checkpoint_facts *facts, tanda_error *error) {
    opened file;
    checkpoint_facts found = {0};
    uint64_t steps = 0;
    const size_t failures = json_memory_failures();
    tanda_status status = open_file(path, &file, error);
    if (status == TANDA_OK) status = read_progress(&file, &found.progress, error);
    if (status == TANDA_OK &&
        (!read_count(json_object_get(file.facts, "steps_per_epoch"), &steps) || steps == 0))
        status = fail(error, TANDA_BAD_INPUT, "%s: the facts of its checkpoint are not complete", path);
    found.steps_per_epoch = (size_t)steps;
    status = end_reading(&file, failures, status, error);
    if (status == TANDA_OK && facts != NULL) *facts = found;
    return status;
}
