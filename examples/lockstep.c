/*
 * The same training on two devices, compared after every epoch: the best device there is, and plain CPU code without
 * any vector instructions beyond those that every x86-64 has. `tanda verify` does so for every tensor of every step.
 *
 *   cc examples/lockstep.c $(pkg-config --cflags --libs tanda) -o lockstep && ./lockstep
 */
#include <stdio.h>
#include <string.h>
#include <tanda.h>

enum { SIDES = 2, HIDDEN = 32, EPOCHS = 5 };

typedef struct side {
    tanda_device *device;
    tanda_model *model;
    char digest[TANDA_DIGEST_SIZE];
} side;

static tanda_status open_side(side *side, const tanda_device_options *device, const tanda_dataset *rows,
                              tanda_error *error) {
    const size_t hidden[] = {HIDDEN};
    const tanda_model_options layers = {.size = sizeof layers, .hidden = hidden, .hidden_count = 1};
    if (tanda_device_open(device, &side->device, NULL, error) ||
        tanda_model_create_for(rows, &layers, &side->model, error))
        return error->status;
    tanda_model_initialise(side->model, 1);
    return TANDA_OK;
}

/* One epoch from the weights that the side has; each epoch has an order of its own. */
static tanda_status train_epoch(side *side, const tanda_dataset *rows, uint64_t epoch, tanda_error *error) {
    const tanda_train_options options = {
        .size = sizeof options, .epochs = 1, .batch_rows = 32, .learning_rate = 0.1, .seed = epoch};
    tanda_train_result result;
    const tanda_status status = tanda_train(side->device, side->model, rows, NULL, &options, &result, error);
    tanda_model_digest(side->model, side->digest);
    return status;
}

int main(void) {
    const tanda_device_options devices[SIDES] = {
        {.size = sizeof *devices, .device = "auto"},
        {.size = sizeof *devices, .device = "cpu", .isa = "generic"}};
    tanda_error error = {0};
    tanda_dataset *rows = NULL;
    side sides[SIDES] = {{0}};
    bool equal = true;

    if (tanda_dataset_load("synthetic:spirals,rows=2000", NULL, &rows, &error)) goto end;
    for (size_t i = 0; i < SIDES; i++)
        if (open_side(&sides[i], &devices[i], rows, &error)) goto end;
    for (uint64_t epoch = 1; equal && epoch <= EPOCHS; epoch++) {
        for (size_t i = 0; i < SIDES; i++)
            if (train_epoch(&sides[i], rows, epoch, &error)) goto end;
        equal = strcmp(sides[0].digest, sides[1].digest) == 0;
        printf("epoch %d: %s %.16s...\n", (int)epoch, equal ? "equal" : "DIFFERENT", sides[0].digest);
    }

end:
    if (error.status != TANDA_OK) fprintf(stderr, "lockstep: %s\n", error.message);
    for (size_t i = 0; i < SIDES; i++) {
        tanda_model_free(sides[i].model);
        tanda_device_close(sides[i].device);
    }
    tanda_dataset_free(rows);
    return error.status != TANDA_OK ? (int)error.status : equal ? 0 : 1;
}
