/*
 * tanda_fit: what `tanda train` does, in one call, with the same settings in the model and the same bits.
 *
 *   cc examples/fit.c $(pkg-config --cflags --libs tanda) -o fit && ./fit datasets/iris.csv
 *
 * It ends where this does: tanda train datasets/iris.csv --hidden 16 --validation 0.2 --epochs 30
 */
#include <stdio.h>
#include <tanda.h>

static void print_epoch(const tanda_epoch *epoch, void *context) {
    (void)context;
    printf("epoch %zu: loss %.4f, on the rows held out %.4f\n", epoch->epoch, epoch->loss,
           epoch->validation.loss);
}

int main(int argc, char **argv) {
    const size_t hidden[] = {16};
    const tanda_model_options layers = {.size = sizeof layers, .hidden = hidden, .hidden_count = 1};
    tanda_train_options training = {.size = sizeof training, .report_every = 10, .on_epoch = print_epoch};
    tanda_train_defaults(TANDA_OPTIMIZER_SGD, &training);
    training.epochs = 30;
    const tanda_fit_options options = {.size = sizeof options,
                                       .data = argc == 2 ? argv[1] : NULL,
                                       .validation_fraction = 0.2,
                                       .model = &layers,
                                       .training = &training};
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_device *device = NULL;
    tanda_train_result result;
    char digest[TANDA_DIGEST_SIZE];

    if (tanda_device_open(NULL, &device, NULL, &error) ||
        tanda_fit(device, &options, &model, &result, &error) ||
        tanda_model_save(model, "fit.safetensors", &error))
        goto end;
    tanda_model_digest(model, digest);
    printf("accuracy %.4f, on the rows held out %.4f\n", result.training.accuracy,
           result.validation.accuracy);
    printf("weights_sha256: %s\n", digest);

end:
    if (error.status != TANDA_OK) fprintf(stderr, "fit: %s\n", error.message);
    tanda_device_close(device);
    tanda_model_free(model);
    return (int)error.status;
}
