/*
 * A training that is stopped in the middle, goes on from its checkpoint, and ends with the bits of one that was not.
 *
 *   cc examples/resume.c $(pkg-config --cflags --libs tanda) -o resume && ./resume
 */
#include <stdio.h>
#include <string.h>
#include <tanda.h>

enum { HIDDEN = 16, STOP_AFTER = 7, EPOCHS = 20 };

/* All that the three trainings share. */
typedef struct work {
    tanda_device *device;
    tanda_dataset *rows;
    tanda_model *model;
    size_t epoch;
} work;

static void count_epoch(const tanda_epoch *epoch, void *context) {
    ((work *)context)->epoch = epoch->epoch;
}

static bool is_time_to_stop(void *context) {
    return ((work *)context)->epoch >= STOP_AFTER;
}

/* Trains from new weights, or goes on from a checkpoint, and gives the digest of the weights. */
static tanda_status train(work *work, const tanda_train_options *changes, char *digest, tanda_error *error) {
    tanda_train_options options = *changes;
    tanda_train_result result;
    options.epochs = EPOCHS;
    options.batch_rows = 32;
    options.learning_rate = 0.1;
    options.on_epoch = count_epoch;
    options.context = work;
    work->epoch = 0;
    tanda_model_initialise(work->model, 1);
    const tanda_status status =
        tanda_train(work->device, work->model, work->rows, NULL, &options, &result, error);
    tanda_model_digest(work->model, digest);
    return status;
}

int main(void) {
    const size_t hidden[] = {HIDDEN};
    const tanda_model_options layers = {.size = sizeof layers, .hidden = hidden, .hidden_count = 1};
    const tanda_train_options plain = {.size = sizeof plain, .seed = 1};
    const tanda_train_options stopped = {
        .size = sizeof stopped, .seed = 1, .checkpoint = "half.safetensors", .should_stop = is_time_to_stop};
    const tanda_train_options resumed = {.size = sizeof resumed, .seed = 1, .resume = "half.safetensors"};
    char whole[TANDA_DIGEST_SIZE], half[TANDA_DIGEST_SIZE], both[TANDA_DIGEST_SIZE];
    tanda_error error = {0};
    work work = {0};
    int code = 0;

    remove("half.safetensors"); /* of an earlier run; another training never writes over a checkpoint */
    remove("half.safetensors"); /* of an earlier run: a new training never writes over a checkpoint */
    if (tanda_dataset_load("synthetic:moons,rows=2000", NULL, &work.rows, &error) ||
        tanda_model_create_for(work.rows, &layers, &work.model, &error) ||
        tanda_device_open(NULL, &work.device, NULL, &error) || train(&work, &plain, whole, &error))
        goto end;
    if (train(&work, &stopped, half, &error) != TANDA_INTERRUPTED) goto end;
    printf("stopped after epoch %zu\n", work.epoch);
    error = (tanda_error){0};
    if (train(&work, &resumed, both, &error)) goto end;
    printf("resumed to epoch %zu\n", work.epoch);
    code = strcmp(whole, both) == 0 ? 0 : 1;
    printf("%s: %s\n", code == 0 ? "the same bits" : "other bits", both);

end:
    if (error.status != TANDA_OK) fprintf(stderr, "resume: %s\n", error.message);
    tanda_device_close(work.device);
    tanda_model_free(work.model);
    tanda_dataset_free(work.rows);
    return error.status != TANDA_OK ? (int)error.status : code;
}
