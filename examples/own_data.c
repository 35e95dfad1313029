/*
 * A CSV file of yours to a model: columns, classes and text are found out, a fifth of the rows is held out, features are
 * standardised.
 *
 *   cc examples/own_data.c $(pkg-config --cflags --libs tanda) -o own_data && ./own_data datasets/iris.csv
 */
#include <stdio.h>
#include <tanda.h>

static void print_epoch(const tanda_epoch *epoch, void *context) {
    (void)context;
    printf("epoch %zu: loss %.4f, on the rows held out %.4f\n", epoch->epoch, epoch->loss,
           epoch->validation.loss);
}

int main(int argc, char **argv) {
    const tanda_dataset_options reading = {
        .size = sizeof reading, .categorical_auto = true, .missing = TANDA_MISSING_MEAN};
    const tanda_train_options options = {.size = sizeof options,
                                         .epochs = 50,
                                         .batch_rows = 32,
                                         .learning_rate = 0.1,
                                         .report_every = 25,
                                         .on_epoch = print_epoch};
    tanda_error error = {0};
    tanda_dataset *all = NULL, *training = NULL, *validation = NULL;
    tanda_model *model = NULL;
    tanda_device *device = NULL;
    tanda_train_result result;
    char digest[TANDA_DIGEST_SIZE];
    if (argc != 2) {
        fputs("usage: own_data FILE.csv\n", stderr);
        return TANDA_USAGE;
    }

    /* What is learned of the data, categories, means and scaling, is learned of the training rows alone. */
    if (tanda_dataset_load(argv[1], &reading, &all, &error) ||
        tanda_dataset_split(all, 0.2, 0, &training, &validation, &error) ||
        tanda_model_create_for(training, NULL, &model, &error) ||
        tanda_dataset_prepare(training, model, &error) || tanda_dataset_prepare(validation, model, &error) ||
        tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, training, &error) ||
        tanda_dataset_scale(training, model, &error) || tanda_dataset_scale(validation, model, &error))
        goto end;
    printf("%zu rows to train on, %zu features, %zu classes\n", tanda_dataset_rows(training),
           tanda_dataset_features(training), tanda_dataset_class_count(training));

    tanda_model_initialise(model, 0);
    if (tanda_device_open(NULL, &device, NULL, &error) ||
        tanda_train(device, model, training, validation, &options, &result, &error) ||
        tanda_model_save(model, "own.safetensors", &error))
        goto end;
    tanda_model_digest(model, digest);
    printf("accuracy %.4f, on the rows held out %.4f\n", result.training.accuracy,
           result.validation.accuracy);
    printf("weights_sha256: %s\n", digest);

end:
    if (error.status != TANDA_OK) fprintf(stderr, "own_data: %s\n", error.message);
    tanda_device_close(device);
    tanda_model_free(model);
    tanda_dataset_free(validation);
    tanda_dataset_free(training);
    tanda_dataset_free(all);
    return (int)error.status;
}
