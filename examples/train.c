/*
 * A training from arrays in memory to a saved model: XOR of the signs of two numbers, which no line can tell apart.
 *
 *   cc examples/train.c $(pkg-config --cflags --libs tanda) -o train && ./train
 */
#include <stdio.h>
#include <tanda.h>

enum { ROWS = 400, FEATURES = 2, HIDDEN = 16 };

static void print_epoch(const tanda_epoch *epoch, void *context) {
    (void)context;
    printf("epoch %zu: loss %.4f, accuracy %.4f, on the rows held out %.4f\n", epoch->epoch, epoch->loss,
           epoch->accuracy, epoch->validation.accuracy);
}

static tanda_status print_row(size_t first_row, size_t rows, const float *predictions, void *context) {
    (void)context;
    for (size_t row = 0; row < rows; row++) /* two columns: P(same), P(different) */
        printf("row %zu: P(different) = %.4f\n", first_row + row, (double)predictions[2 * row + 1]);
    return TANDA_OK;
}

/* Numbers from -1 to 1 by a congruential generator (Knuth, MMIX), so that everybody has the same. */
static float draw(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(*state >> 32) / 2147483648.0f;
}

int main(void) {
    static const char *const names[] = {"same", "different"};
    static const char *const columns[] = {"x", "y"};
    static float values[ROWS * FEATURES];
    static int32_t classes[ROWS];
    uint64_t state = 1;
    for (size_t row = 0; row < ROWS; row++) {
        float *at = values + row * FEATURES;
        at[0] = draw(&state);
        at[1] = draw(&state);
        classes[row] = (at[0] < 0) != (at[1] < 0);
    }

    const tanda_dataset_arrays arrays = {.size = sizeof arrays,
                                         .rows = ROWS,
                                         .features = FEATURES,
                                         .values = values,
                                         .borrow_values = true,
                                         .feature_names = columns,
                                         .classes = classes,
                                         .class_count = 2,
                                         .class_names = names};
    const size_t hidden[] = {HIDDEN};
    const char *const activations[] = {"tanh"};
    const tanda_model_options layers = {.size = sizeof layers,
                                        .hidden = hidden,
                                        .hidden_count = 1,
                                        .activations = activations,
                                        .activation_count = 1};
    const tanda_train_options options = {.size = sizeof options,
                                         .epochs = 100,
                                         .batch_rows = 16,
                                         .learning_rate = 0.3,
                                         .report_every = 20,
                                         .on_epoch = print_epoch};

    tanda_error error = {0};
    tanda_dataset *all = NULL, *training = NULL, *validation = NULL, *row = NULL;
    tanda_model *model = NULL, *loaded = NULL;
    tanda_device *device = NULL;
    tanda_train_result result;
    char digest[TANDA_DIGEST_SIZE];

    /* Rows, a fifth of them held out, and a model for them; both sets in the scaling of the first. */
    if (tanda_dataset_create(&arrays, &all, &error) ||
        tanda_dataset_split(all, 0.2, 7, &training, &validation, &error) ||
        tanda_model_create_for(training, &layers, &model, &error) ||
        tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, training, &error) ||
        tanda_dataset_scale(training, model, &error) || tanda_dataset_scale(validation, model, &error))
        goto end;

    /* The training, on the best device there is; the weights are the same on all. */
    tanda_model_initialise(model, 7);
    if (tanda_device_open(NULL, &device, NULL, &error) ||
        tanda_train(device, model, training, validation, &options, &result, &error) ||
        tanda_model_save(model, "xor.safetensors", &error))
        goto end;
    tanda_model_digest(model, digest);
    printf("weights_sha256: %s\n", digest);

    /* Later, elsewhere: the model from its file, on a row that it has not seen. */
    const float point[] = {0.5f, -0.5f};
    const tanda_dataset_arrays one = {.size = sizeof one, .rows = 1, .features = FEATURES, .values = point};
    if (tanda_model_load("xor.safetensors", &loaded, &error) || tanda_dataset_create(&one, &row, &error) ||
        tanda_dataset_scale(row, loaded, &error) ||
        tanda_predict(device, loaded, row, print_row, NULL, &error))
        goto end;

end:
    if (error.status != TANDA_OK) fprintf(stderr, "train: %s\n", error.message);
    tanda_device_close(device);
    tanda_model_free(loaded);
    tanda_model_free(model);
    tanda_dataset_free(row);
    tanda_dataset_free(validation);
    tanda_dataset_free(training);
    tanda_dataset_free(all);
    return (int)error.status;
}
