/* Data sets and models that a program makes of what it has in memory. */
#include <math.h>

#include "program.h"
#include "tanda.h"

TestSuite(library, .init = enter_folder, .fini = leave_folder);

static void expect_ok(tanda_status status, const tanda_error *error) {
    cr_assert_eq(status, TANDA_OK, "%d: %s", status, error->message);
}

/* Six rows of two features, with classes. */
static const float values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12};
static const int32_t classes[] = {0, 1, 2, 0, 1, 2};
static const float targets[] = {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7};

static tanda_dataset_arrays rows_of_classes(void) {
    return (tanda_dataset_arrays){
        .size = sizeof(tanda_dataset_arrays), .rows = 6, .features = 2, .values = values, .classes = classes};
}

/* ---- data sets ----------------------------------------------------------------------------------------- */

Test(library, a_data_set_holds_what_the_arrays_hold) {
    static const char *const names[] = {"a", "b", "c", "d"}, *const columns[] = {"x", "y"};
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    tanda_dataset_arrays arrays = rows_of_classes();
    arrays.class_names = names;
    arrays.class_count = 4;
    arrays.feature_names = columns;
    expect_ok(tanda_dataset_create(&arrays, &dataset, &error), &error);
    cr_expect_eq(tanda_dataset_rows(dataset), 6);
    cr_expect_eq(tanda_dataset_features(dataset), 2);
    cr_expect_eq(tanda_dataset_task(dataset), TANDA_TASK_CLASSES);
    cr_expect_eq(tanda_dataset_class_count(dataset), 4);
    cr_expect_str_eq(tanda_dataset_class_name(dataset, 3), "d");
    cr_expect_null(tanda_dataset_class_name(dataset, 4));
    cr_expect_str_eq(tanda_dataset_feature_name(dataset, 1), "y");
    cr_expect_arr_eq(tanda_dataset_values(dataset), values, sizeof values);
    cr_expect_arr_eq(tanda_dataset_classes(dataset), classes, sizeof classes);
    cr_expect_null(tanda_dataset_target_values(dataset));
    cr_expect_neq(tanda_dataset_values(dataset), values);
    tanda_dataset_free(dataset);
}

Test(library, several_targets_and_weights_are_kept) {
    static const float weights[] = {1, 0, 2, 1, 1, 1};
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    const tanda_dataset_arrays arrays = {.size = sizeof arrays,
                                         .rows = 6,
                                         .features = 2,
                                         .values = values,
                                         .targets = targets,
                                         .target_count = 2,
                                         .sample_weights = weights};
    expect_ok(tanda_dataset_create(&arrays, &dataset, &error), &error);
    cr_expect_eq(tanda_dataset_task(dataset), TANDA_TASK_REGRESSION);
    cr_expect_eq(tanda_dataset_targets(dataset), 2);
    cr_expect_arr_eq(tanda_dataset_target_values(dataset), targets, sizeof targets);
    cr_expect_arr_eq(tanda_dataset_sample_weights(dataset), weights, sizeof weights);
    tanda_dataset_free(dataset);
}

/* Neither scaling nor training writes to an array that is only lent. */
Test(library, borrowed_values_stay_the_callers) {
    float own[12], with_negative_zero[12];
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    tanda_model *model = NULL;
    memcpy(own, values, sizeof own);
    tanda_dataset_arrays arrays = rows_of_classes();
    arrays.values = own;
    arrays.borrow_values = true;
    expect_ok(tanda_dataset_create(&arrays, &dataset, &error), &error);
    cr_expect_eq(tanda_dataset_values(dataset), own);
    expect_ok(tanda_model_create_for(dataset, NULL, &model, &error), &error);
    expect_ok(tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, dataset, &error), &error);
    expect_ok(tanda_dataset_scale(dataset, model, &error), &error);
    cr_expect_arr_eq(own, values, sizeof own);
    cr_expect_neq(tanda_dataset_values(dataset), own);
    tanda_dataset_free(dataset);
    tanda_model_free(model);

    memcpy(with_negative_zero, values, sizeof values);
    with_negative_zero[0] = -0.0f;
    arrays.values = with_negative_zero;
    expect_ok(tanda_dataset_create(&arrays, &dataset, &error), &error);
    cr_expect_not(signbit(tanda_dataset_values(dataset)[0]));
    cr_expect(signbit(with_negative_zero[0]));
    tanda_dataset_free(dataset);
}

/* One mistake in arrays that are else right. */
typedef struct mistake {
    tanda_dataset_arrays arrays;
    tanda_status status;
    const char *message;
} mistake;

Test(library, arrays_that_say_nothing_are_refused_with_the_row) {
    static const float infinite[] = {0, 1, 2, INFINITY}, nan_targets[] = {1, NAN};
    static const float negative[] = {1, -1}, none[] = {0, 0};
    static const int32_t below[] = {0, -1}, above[] = {0, 2}, same[] = {0, 0};
    static const char *const names[] = {"a", "b"};
    const mistake mistakes[] = {
        {{.rows = 0, .features = 2, .values = values}, TANDA_USAGE, "0 rows"},
        {{.rows = 2, .features = 0, .values = values}, TANDA_USAGE, "0 features"},
        {{.rows = 2, .features = 2}, TANDA_USAGE, "values is NULL"},
        {{.rows = SIZE_MAX / 2, .features = 4, .values = values}, TANDA_USAGE, "more than this machine"},
        {{.rows = 2, .features = 2, .values = infinite},
         TANDA_BAD_INPUT,
         "row 1, feature 1 (from 0) is not finite"},
        {{.rows = 2, .features = 2, .values = infinite, .borrow_values = true},
         TANDA_BAD_INPUT,
         "row 1, feature 1"},
        {{.rows = 2, .features = 2, .values = values, .classes = below},
         TANDA_BAD_INPUT,
         "row 1 (from 0) has -1"},
        {{.rows = 2, .features = 2, .values = values, .classes = above, .class_count = 2},
         TANDA_BAD_INPUT,
         "row 1 (from 0) has 2; classes are 0 to 1"},
        {{.rows = 2, .features = 2, .values = values, .classes = same},
         TANDA_BAD_INPUT,
         "there must be 2 to"},
        {{.rows = 2, .features = 2, .values = values, .classes = same, .class_names = names},
         TANDA_USAGE,
         "class_names goes with class_count"},
        {{.rows = 2, .features = 2, .values = values, .classes = same, .targets = targets},
         TANDA_USAGE,
         "one of them"},
        {{.rows = 2, .features = 2, .values = values, .targets = nan_targets},
         TANDA_BAD_INPUT,
         "targets: row 1"},
        {{.rows = 2, .features = 2, .values = values, .sample_weights = negative},
         TANDA_BAD_INPUT,
         "row 1 (from 0) has -1"},
        {{.rows = 2, .features = 2, .values = values, .sample_weights = none},
         TANDA_BAD_INPUT,
         "every one is 0"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        tanda_error error = {0};
        tanda_dataset *dataset = NULL;
        tanda_dataset_arrays arrays = mistakes[i].arrays;
        arrays.size = sizeof arrays;
        cr_expect_eq(tanda_dataset_create(&arrays, &dataset, &error), mistakes[i].status, "%zu", i);
        cr_expect_not_null(strstr(error.message, mistakes[i].message), "%zu: %s", i, error.message);
        cr_expect_null(dataset);
    }
}

Test(library, a_split_shares_out_every_row) {
    tanda_error error = {0};
    tanda_dataset *all = NULL, *training = NULL, *validation = NULL;
    const tanda_dataset_arrays arrays = rows_of_classes();
    expect_ok(tanda_dataset_create(&arrays, &all, &error), &error);
    expect_ok(tanda_dataset_split(all, 0.5, 1, &training, &validation, &error), &error);
    cr_expect_eq(tanda_dataset_rows(training), 3);
    cr_expect_eq(tanda_dataset_rows(validation), 3);
    cr_expect_eq(tanda_dataset_class_count(validation), 3);
    cr_expect_eq(tanda_dataset_split(all, 1.0, 1, &training, &validation, &error), TANDA_USAGE);
    tanda_dataset_free(all);
    tanda_dataset_free(training);
    tanda_dataset_free(validation);
}

Test(library, every_row_is_held_out_by_one_fold) {
    tanda_error error = {0};
    tanda_dataset *all = NULL;
    size_t held = 0;
    const tanda_dataset_arrays arrays = rows_of_classes();
    expect_ok(tanda_dataset_create(&arrays, &all, &error), &error);
    for (size_t fold = 0; fold < 3; fold++) {
        tanda_dataset *training = NULL, *validation = NULL;
        expect_ok(tanda_dataset_fold(all, 3, fold, 1, &training, &validation, &error), &error);
        cr_expect_eq(tanda_dataset_rows(training) + tanda_dataset_rows(validation), 6);
        held += tanda_dataset_rows(validation);
        tanda_dataset_free(training);
        tanda_dataset_free(validation);
    }
    cr_expect_eq(held, 6);
    tanda_dataset *none = NULL;
    cr_expect_eq(tanda_dataset_fold(all, 3, 3, 1, &none, &none, &error), TANDA_USAGE);
    cr_expect_eq(tanda_dataset_fold(all, 1, 0, 1, &none, &none, &error), TANDA_USAGE);
    cr_expect_eq(tanda_dataset_fold(all, 7, 0, 1, &none, &none, &error), TANDA_USAGE);
    tanda_dataset_free(all);
}

Test(library, class_weights_become_weights_of_rows) {
    static const int32_t few[] = {0, 1, 1, 1, 1, 1};
    static const double given[] = {2, 0.5}, negative[] = {1, -1}, none[] = {0, 0};
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    tanda_dataset_arrays arrays = rows_of_classes();
    arrays.classes = few;
    expect_ok(tanda_dataset_create(&arrays, &dataset, &error), &error);
    cr_expect_eq(tanda_dataset_weigh_classes(dataset, negative, &error), TANDA_USAGE);
    cr_expect_eq(tanda_dataset_weigh_classes(dataset, none, &error), TANDA_BAD_INPUT);
    cr_expect_null(tanda_dataset_sample_weights(dataset));
    expect_ok(tanda_dataset_weigh_classes(dataset, NULL, &error), &error);
    cr_expect_eq(tanda_dataset_sample_weights(dataset)[0], 3.0f);
    cr_expect_eq(tanda_dataset_sample_weights(dataset)[1], 0.6f);
    expect_ok(tanda_dataset_weigh_classes(dataset, given, &error), &error);
    cr_expect_eq(tanda_dataset_sample_weights(dataset)[0], 6.0f);
    tanda_dataset_free(dataset);
}

/* ---- models -------------------------------------------------------------------------------------------- */

Test(library, a_model_is_made_of_named_layers) {
    static const tanda_layer layers[] = {{3, "relu"}, {1, "sigmoid"}};
    static const char *const names[] = {"no", "yes"};
    const float weights[] = {1, 2, 3, 4, 5, 6, -0.0f, 8, 9, 10, 11, 12, 13};
    tanda_error error = {0};
    tanda_model *model = NULL;
    tanda_layer_information layer;
    size_t count = 0;
    expect_ok(tanda_model_create(2, layers, 2, "binary_crossentropy", TANDA_TASK_CLASSES, &model, &error),
              &error);
    expect_ok(tanda_model_set_weights(model, weights, 13, &error), &error);
    expect_ok(tanda_model_set_class_names(model, names, 2, &error), &error);
    cr_expect_eq(tanda_model_layers(model), 2);
    cr_assert(tanda_model_layer(model, 0, &layer));
    cr_expect_eq(layer.inputs, 2);
    cr_expect_eq(layer.outputs, 3);
    cr_expect_str_eq(layer.activation, "relu");
    cr_expect_str_eq(layer.kind, "dense");
    cr_expect_eq(layer.fan_in, 2);
    cr_expect_eq(layer.weight[4], 5);
    cr_expect_eq(layer.bias[1], 8);
    cr_expect_not(signbit(layer.bias[0]));
    cr_expect_not(tanda_model_layer(model, 2, &layer));
    cr_expect_eq(tanda_model_weights(model, &count)[12], 13);
    cr_expect_eq(count, 13);
    cr_expect_str_eq(tanda_model_loss(model), "binary_crossentropy");
    cr_expect_eq(tanda_model_task(model), TANDA_TASK_CLASSES);
    cr_expect_eq(tanda_model_class_count(model), 2);
    cr_expect_str_eq(tanda_model_class_name(model, 1), "yes");
    cr_expect_null(tanda_model_feature_name(model, 0));
    cr_expect_null(tanda_model_settings(model));
    cr_expect_eq(tanda_model_scaling(model, NULL, NULL), TANDA_SCALE_NONE);
    tanda_model_free(model);
}

Test(library, a_model_that_cannot_be_is_refused) {
    static const tanda_layer odd[] = {{3, "relu"}, {1, "softmix"}}, wide[] = {{2, "sigmoid"}};
    static const char *const name[] = {"a"};
    const float infinite[] = {1, NAN, 1};
    tanda_error error = {0};
    tanda_model *model = NULL;
    cr_expect_eq(tanda_model_create(2, odd, 2, "mse", TANDA_TASK_CLASSES, &model, &error), TANDA_USAGE);
    cr_expect_not_null(strstr(error.message, "'softmix' is unknown; use identity"), "%s", error.message);
    cr_expect_eq(tanda_model_create(2, wide, 1, "mze", TANDA_TASK_CLASSES, &model, &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_create(2, wide, 1, NULL, TANDA_TASK_CLASSES, &model, &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_create(2, wide, 0, "mse", TANDA_TASK_CLASSES, &model, &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_create(2, wide, 1, "binary_crossentropy", TANDA_TASK_CLASSES, &model, NULL),
                 TANDA_USAGE);
    cr_expect_null(model);
    expect_ok(tanda_model_create(2, (const tanda_layer[]){{1, "identity"}}, 1, "mse", TANDA_TASK_REGRESSION,
                                 &model, &error),
              &error);
    cr_expect_eq(tanda_model_set_weights(model, infinite, 2, &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_set_weights(model, infinite, 3, &error), TANDA_BAD_INPUT);
    cr_expect_eq(tanda_model_set_class_names(model, name, 1, &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_set_feature_names(model, name, 1, &error), TANDA_USAGE);
    tanda_model_free(model);
}

/* What tanda train makes of a file, a program makes of the same arrays: the same weights. */
Test(library, a_training_from_arrays_has_the_bits_of_the_program) {
    tanda_error error = {0};
    tanda_dataset *loaded = NULL, *dataset = NULL;
    tanda_model *model = NULL;
    tanda_device *device = NULL;
    tanda_train_result result;
    char digest[TANDA_DIGEST_SIZE];
    const size_t hidden[] = {8};
    const tanda_model_options layers = {.size = sizeof layers, .hidden = hidden, .hidden_count = 1};
    const tanda_train_options options = {
        .size = sizeof options, .epochs = 5, .batch_rows = 32, .learning_rate = 0.1, .seed = 3};
    json_t *trained =
        RUN_JSON("train", "--data", IRIS, "--hidden", "8", "--epochs", "5", "--seed", "3", "--output", "m");
    expect_ok(tanda_dataset_load(IRIS, NULL, &loaded, &error), &error);
    const tanda_dataset_arrays arrays = {.size = sizeof arrays,
                                         .rows = tanda_dataset_rows(loaded),
                                         .features = tanda_dataset_features(loaded),
                                         .values = tanda_dataset_values(loaded),
                                         .borrow_values = true,
                                         .classes = tanda_dataset_classes(loaded)};
    expect_ok(tanda_dataset_create(&arrays, &dataset, &error), &error);
    expect_ok(tanda_model_create_for(dataset, &layers, &model, &error), &error);
    expect_ok(tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, dataset, &error), &error);
    expect_ok(tanda_dataset_scale(dataset, model, &error), &error);
    expect_ok(tanda_device_open(NULL, &device, NULL, &error), &error);
    tanda_model_initialise(model, 3);
    expect_ok(tanda_train(device, model, dataset, NULL, &options, &result, &error), &error);
    tanda_model_digest(model, digest);
    cr_expect_str_eq(digest, json_words(trained, "weights_sha256"));
    json_decref(trained);
    tanda_device_close(device);
    tanda_model_free(model);
    tanda_dataset_free(dataset);
    tanda_dataset_free(loaded);
}

/* Categories and missing values, in the order that the header asks for. */
Test(library, columns_of_categories_become_features) {
    tanda_error error = {0};
    tanda_dataset *training = NULL, *rows = NULL;
    tanda_model *model = NULL, *loaded = NULL;
    tanda_device *device = NULL;
    tanda_train_result result;
    char digest[TANDA_DIGEST_SIZE];
    const tanda_dataset_options reading = {
        .size = sizeof reading, .categorical_auto = true, .missing = TANDA_MISSING_MEAN};
    const tanda_model_options layers = {.size = sizeof layers, .unknown = TANDA_UNKNOWN_ZERO};
    const tanda_train_options options = {
        .size = sizeof options, .epochs = 10, .batch_rows = 32, .learning_rate = 0.1};
    write_text("a.csv", "colour,size,kind\nred,1,a\nblue,2,b\nred,,a\nblue,4,b\ngreen,5,a\nred,3,b\n");
    write_text("b.csv", "colour,size,kind\nred,1,a\nblack,2,b\n");
    json_t *trained = RUN_JSON("train", "--data", "a.csv", "--categorical", "auto", "--missing", "mean",
                               "--unknown-category", "zero", "--output", "m");
    expect_ok(tanda_dataset_load("a.csv", &reading, &training, &error), &error);
    expect_ok(tanda_model_create_for(training, &layers, &model, &error), &error);
    cr_expect_eq(tanda_model_features(model), 4);
    cr_expect_str_eq(tanda_model_feature_name(model, 0), "colour=blue");
    cr_expect_str_eq(tanda_model_feature_name(model, 3), "size");
    cr_expect_eq(tanda_dataset_scale(training, model, &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, training, &error), TANDA_BAD_INPUT);
    expect_ok(tanda_device_open(NULL, &device, NULL, &error), &error);
    cr_expect_eq(tanda_train(device, model, training, NULL, &options, &result, &error), TANDA_BAD_INPUT);

    expect_ok(tanda_dataset_prepare(training, model, &error), &error);
    expect_ok(tanda_dataset_prepare(training, model, &error), &error); /* once more is no harm */
    expect_ok(tanda_model_fit_scaling(model, TANDA_SCALE_STANDARD, training, &error), &error);
    expect_ok(tanda_dataset_scale(training, model, &error), &error);
    tanda_model_initialise(model, 0);
    expect_ok(tanda_train(device, model, training, NULL, &options, &result, &error), &error);
    tanda_model_digest(model, digest);
    cr_expect_str_eq(digest, json_words(trained, "weights_sha256"));
    expect_ok(tanda_model_save(model, "own", &error), &error);
    expect_ok(tanda_model_load("own", &loaded, &error), &error);
    expect_ok(tanda_dataset_load_for_model("b.csv", NULL, loaded, &rows, &error), &error);
    cr_expect_eq(tanda_dataset_values(rows)[4 + 0], 0.0f); /* black is none of them */
    json_decref(trained);
    tanda_device_close(device);
    tanda_model_free(model);
    tanda_model_free(loaded);
    tanda_dataset_free(training);
    tanda_dataset_free(rows);
}

Test(library, a_model_tells_the_settings_of_its_training) {
    tanda_error error = {0};
    tanda_model *model = NULL;
    json_decref(RUN_JSON("train", "--data", IRIS, "--epochs", "3", "--output", "m"));
    expect_ok(tanda_model_load("m", &model, &error), &error);
    cr_expect_not_null(strstr(tanda_model_settings(model), "\"epochs\":3"));
    cr_expect_str_eq(tanda_model_class_name(model, 0), "setosa");
    cr_expect_str_eq(tanda_model_feature_name(model, 0), "sepal_length");
    const float *center = NULL, *factor = NULL;
    cr_expect_eq(tanda_model_scaling(model, &center, &factor), TANDA_SCALE_STANDARD);
    cr_expect_float_eq(center[0], 5.84333f, 1e-4f);
    cr_expect_gt(factor[0], 0.0f);
    cr_expect_eq(tanda_model_set_settings(model, "[1]", &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_set_settings(model, "{", &error), TANDA_USAGE);
    cr_expect_eq(tanda_model_set_settings(model, "{\"a\":1,\"a\":2}", NULL), TANDA_USAGE);
    expect_ok(tanda_model_set_settings(model, "{\"a\": 1}", &error), &error);
    cr_expect_str_eq(tanda_model_settings(model), "{\"a\": 1}");
    expect_ok(tanda_model_set_settings(model, NULL, &error), &error);
    cr_expect_null(tanda_model_settings(model));
    tanda_model_free(model);
}

/* ---- names --------------------------------------------------------------------------------------------- */

Test(library, names_and_numbers_go_back_and_forth) {
    tanda_task task = TANDA_TASK_AUTO;
    tanda_scale scale = TANDA_SCALE_NONE;
    size_t activations = 0, losses = 0;
    cr_expect(tanda_task_from_name(tanda_task_name(TANDA_TASK_REGRESSION), &task));
    cr_expect_eq(task, TANDA_TASK_REGRESSION);
    cr_expect_not(tanda_task_from_name("regress", &task));
    cr_expect_null(tanda_task_name((tanda_task)4));
    cr_expect(tanda_scale_from_name(tanda_scale_name(TANDA_SCALE_MINMAX), &scale));
    cr_expect_eq(scale, TANDA_SCALE_MINMAX);
    cr_expect_null(tanda_scale_name((tanda_scale)-1));
    tanda_optimizer optimizer = TANDA_OPTIMIZER_SGD;
    tanda_schedule schedule = TANDA_SCHEDULE_CONSTANT;
    cr_expect(tanda_optimizer_from_name(tanda_optimizer_name(TANDA_OPTIMIZER_LBFGS), &optimizer));
    cr_expect_eq(optimizer, TANDA_OPTIMIZER_LBFGS);
    cr_expect_null(tanda_optimizer_name((tanda_optimizer)(TANDA_OPTIMIZER_LBFGS + 1)));
    cr_expect(tanda_schedule_from_name(tanda_schedule_name(TANDA_SCHEDULE_PLATEAU), &schedule));
    cr_expect_eq(schedule, TANDA_SCHEDULE_PLATEAU);
    cr_expect_null(tanda_schedule_name((tanda_schedule)(TANDA_SCHEDULE_PLATEAU + 1)));
    while (tanda_activation_name(activations) != NULL)
        activations++;
    while (tanda_loss_name(losses) != NULL)
        losses++;
    cr_expect_geq(activations, 5);
    cr_expect_geq(losses, 3);
    cr_expect_str_eq(tanda_activation_name(activations - 1), "softmax");
}
