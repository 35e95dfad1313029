/*
 * tanda surface: its costs are those that evaluate gives for a model with these weights, its paths those of trainings, to
 * the bit and on both devices; directions are what plain arithmetic makes of them; and what cannot be drawn is refused.
 */
#include <math.h>

#include "cli/surface_texts.h"
#include "kernels/normal.h"
#include "kernels/philox.h"
#include "program.h"
#include "support_network.h"
#include "support_pages.h"
#include "train/optimizer.h"
#include "verify/surface.h"

#define PERCEPTRON TANDA_SOURCE_DIR "/datasets/perceptron.csv"
#define LECTURE PERCEPTRON, "--scale", "none", "--batch", "full", "--learning-rate", "0.5", "--device", "cpu"
#define MOONS "synthetic:moons,rows=150"

TestSuite(surface, .init = enter_folder, .fini = leave_folder);

static const json_t *item(const json_t *array, size_t index) {
    const json_t *found = json_array_get(array, index);
    cr_assert_not_null(found, "no item %zu", index);
    return found;
}

static double number_at(const json_t *object, const char *key, size_t index) {
    return json_number_value(item(json_object_get(object, key), index));
}

static double cost_at(const json_t *object, size_t row, size_t column) {
    return json_number_value(item(item(json_object_get(object, "costs"), row), column));
}

static const json_t *path_at(const json_t *object, size_t index) {
    return item(json_object_get(object, "paths"), index);
}

static tanda_model *load(const char *path) {
    tanda_model *model = NULL;
    tanda_error error = {0};
    cr_assert_eq(tanda_model_load(path, &model, &error), TANDA_OK, "%s", error.message);
    return model;
}

/* ---- bits -------------------------------------------------------------------------------------------------- */

/* What evaluate says of the model with two of its weights exchanged. */
static double evaluated(tanda_model *model, const json_t *object, size_t row, size_t column,
                        const char *data) {
    tanda_error error = {0};
    size_t count = 0;
    float weights[64];
    const float *kept = tanda_model_weights(model, &count);
    cr_assert_leq(count, 64);
    memcpy(weights, kept, count * sizeof *weights);
    const json_t *axes = json_object_get(object, "axes");
    weights[(size_t)json_figure(item(axes, 0), "parameter")] = (float)number_at(object, "x", column);
    weights[(size_t)json_figure(item(axes, 1), "parameter")] = (float)number_at(object, "y", row);
    float before[64];
    memcpy(before, kept, count * sizeof *before);
    cr_assert_eq(tanda_model_set_weights(model, weights, count, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(tanda_model_save(model, "point.safetensors", &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(tanda_model_set_weights(model, before, count, &error), TANDA_OK);
    json_t *evaluation = RUN_JSON("evaluate", "point.safetensors", data, "--device", "cpu");
    const double loss = json_figure(evaluation, "loss");
    json_decref(evaluation);
    return loss;
}

static void expect_costs(json_t *object, const char *model_path, const char *data) {
    tanda_model *model = load(model_path);
    for (size_t i = 0; i < 9; i += 2)
        cr_expect_eq(cost_at(object, i / 3, i % 3), evaluated(model, object, i / 3, i % 3, data),
                     "row %zu, column %zu", i / 3, i % 3);
    tanda_model_free(model);
    json_decref(object);
}

Test(surface, costs_of_the_grid_are_what_evaluate_gives_for_these_weights) {
    cr_assert_eq(RUN("train", LECTURE, "--epochs", "7", "--output", "m", "-q").status, 0);
    expect_costs(RUN_JSON("surface", LECTURE, "--epochs", "7", "--grid", "3"), "m", PERCEPTRON);
}

/* Two weights of a network with layers: all others are the trained ones. */
Test(surface, costs_over_two_chosen_weights_are_what_evaluate_gives) {
    cr_assert_eq(
        RUN("train", IRIS, "--hidden", "3", "--epochs", "4", "--device", "cpu", "--output", "m", "-q").status,
        0);
    json_t *object = RUN_JSON("surface", IRIS, "--hidden", "3", "--epochs", "4", "--grid", "3", "--axes",
                              "1.2.3,2.1.0", "--range", "-2:2,-1:3", "--device", "cpu");
    cr_expect_eq(number_at(object, "x", 0), -2.0);
    cr_expect_eq(number_at(object, "y", 2), 3.0);
    cr_expect(json_is_true(json_object_get(object, "projected")));
    expect_costs(object, "m", IRIS);
}

/* The last point of the path against the model that train writes. */
static void expect_end(const json_t *object, size_t path, const char *model_path) {
    tanda_model *model = load(model_path);
    size_t count = 0;
    const float *weights = tanda_model_weights(model, &count);
    const json_t *found = path_at(object, path), *axes = json_object_get(object, "axes");
    const size_t last = json_array_size(json_object_get(found, "x")) - 1;
    cr_expect_eq(number_at(found, "x", last),
                 (double)weights[(size_t)json_figure(item(axes, 0), "parameter")]);
    cr_expect_eq(number_at(found, "y", last),
                 (double)weights[(size_t)json_figure(item(axes, 1), "parameter")]);
    tanda_model_free(model);
}

Test(surface, paths_end_with_the_weights_of_a_training_by_each_optimizer) {
    json_t *object =
        RUN_JSON("surface", PERCEPTRON, "--epochs", "9", "--batch", "8", "--grid", "2", "--optimizer",
                 "sgd,momentum,nesterov,adagrad,rmsprop,adam,adamw,lbfgs", "--device", "cpu");
    for (size_t i = 0; i < 8; i++) {
        const char *name = json_words(path_at(object, i), "optimizer");
        const outcome trained = strcmp(name, "lbfgs") == 0
                                    ? RUN("train", PERCEPTRON, "--epochs", "9", "--optimizer", name,
                                          "--device", "cpu", "-q", "--output", "m")
                                    : RUN("train", PERCEPTRON, "--epochs", "9", "--batch", "8", "--optimizer",
                                          name, "--device", "cpu", "-q", "--output", "m");
        cr_assert_eq(trained.status, 0, "%s", trained.err);
        expect_end(object, i, "m");
    }
    json_decref(object);
}

Test(surface, an_option_is_for_the_optimizers_in_company_that_have_it) {
    json_t *object =
        RUN_JSON("surface", PERCEPTRON, "--device", "cpu", "--epochs", "9", "--batch", "8", "--grid", "2",
                 "--optimizer", "sgd,rmsprop,adam", "--centered", "--amsgrad", "--beta1", "0.5");
    cr_assert_eq(
        RUN("train", PERCEPTRON, "--device", "cpu", "--epochs", "9", "--batch", "8", "-q", "--output", "m")
            .status,
        0);
    expect_end(object, 0, "m");
    cr_assert_eq(RUN("train", PERCEPTRON, "--device", "cpu", "--epochs", "9", "--batch", "8", "--optimizer",
                     "rmsprop", "--centered", "-q", "--output", "m")
                     .status,
                 0);
    expect_end(object, 1, "m");
    cr_assert_eq(RUN("train", PERCEPTRON, "--device", "cpu", "--epochs", "9", "--batch", "8", "--optimizer",
                     "adam", "--amsgrad", "--beta1", "0.5", "-q", "--output", "m")
                     .status,
                 0);
    expect_end(object, 2, "m");
    json_decref(object);
}

/* A full batch is a step an epoch: points of the path, and trainings that stop there. */
Test(surface, points_of_a_path_are_where_a_training_stops) {
    json_t *object =
        RUN_JSON("surface", LECTURE, "--epochs", "12", "--optimizer", "adam", "--grid", "2", "--points", "5");
    const json_t *path = path_at(object, 0), *steps = json_object_get(path, "steps");
    cr_assert_eq(json_array_size(steps), 5);
    for (size_t i = 1; i < 5; i++) {
        char epochs[20];
        snprintf(epochs, sizeof epochs, "%lld", (long long)json_integer_value(item(steps, i)));
        cr_expect_eq(atoi(epochs), (int)(3 * i));
        cr_assert_eq(
            RUN("train", LECTURE, "--epochs", epochs, "--optimizer", "adam", "-q", "--output", "m").status,
            0);
        tanda_model *model = load("m");
        size_t count = 0;
        const float *weights = tanda_model_weights(model, &count);
        cr_assert_eq(count, 2);
        cr_expect_eq(number_at(path, "x", i), (double)weights[1], "step %s", epochs); /* the bias */
        cr_expect_eq(number_at(path, "y", i), (double)weights[0], "step %s", epochs);
        tanda_model_free(model);
    }
    json_decref(object);
}

Test(surface, penalties_count_as_the_optimizers_have_them) {
    json_t *plain = RUN_JSON("surface", LECTURE, "--epochs", "2", "--grid", "3", "--range", "-1:1,-2:2");
    json_t *both = RUN_JSON("surface", LECTURE, "--epochs", "2", "--grid", "3", "--range", "-1:1,-2:2",
                            "--l1", "0.25", "--l2", "0.5");
    for (size_t row = 0; row < 3; row++)
        for (size_t column = 0; column < 3; column++) {
            const double w1 = number_at(plain, "y", row); /* the bias is free */
            cr_expect_eq(cost_at(both, row, column),
                         cost_at(plain, row, column) + (0.25 * fabs(w1) + 0.5 * 0.5 * w1 * w1));
        }
    json_decref(plain);
    json_decref(both);
}

/* As docs/manual/surface.md has it: each answer is 1/2. */
Test(surface, cost_where_both_weights_are_0_is_the_logarithm_of_2) {
    json_t *object = RUN_JSON("surface", LECTURE, "--epochs", "1", "--grid", "2", "--range", "0:1,0:1");
    cr_expect_float_eq(cost_at(object, 0, 0), log(2.0), 1e-7);
    json_decref(object);
}

/* ---- directions -------------------------------------------------------------------------------------------- */

static const network layers = {40,
                               3,
                               2,
                               {5, 1},
                               {ACTIVATION_TANH, ACTIVATION_SIGMOID},
                               LOSS_BINARY_CROSSENTROPY,
                               TANDA_TASK_CLASSES,
                               CONTENT_REAL};

/* In double: the drawn numbers of a row, as long together as the row; no direction for a bias. */
Test(surface, directions_have_the_lengths_of_the_models_rows) {
    problem problem = problem_create(&layers);
    const tanda_model *model = problem.model;
    float *direction = calloc(model->parameter_count, sizeof *direction);
    cr_assert_not_null(direction);
    for (uint32_t which = 0; which < 2; which++) {
        surface_direction(model, model->parameters, 7, which, direction);
        for (size_t i = 0; i < model->layer_count; i++)
            for (size_t unit = 0; unit < model->layers[i].outputs; unit++) {
                const size_t fan_in = model->layers[i].fan_in, row = model->layers[i].weight + unit * fan_in;
                double drawn[8], squares = 0.0, own = 0.0;
                for (size_t k = 0; k < fan_in; k++) {
                    drawn[k] = (double)exact_normal(
                        philox_word(7, row + k, which, philox_stream(PURPOSE_SURFACE, 0)));
                    squares += drawn[k] * drawn[k];
                    own += pow((double)model->parameters[row + k], 2);
                }
                for (size_t k = 0; k < fan_in; k++)
                    cr_expect_float_eq((double)direction[row + k], drawn[k] * sqrt(own / squares), 1e-6);
                cr_expect_eq(direction[model->layers[i].bias + unit], 0.0f);
            }
    }
    free(direction);
    problem_free(&problem);
}

/* What is left of the weights is at right angles to both directions; and the first path ends at the origin. */
Test(surface, paths_are_projected_where_the_plane_is_nearest) {
    problem problem = problem_create(&layers);
    backend *backend = open_best_openmp(1);
    tanda_train_options training = TANDA_OPTIONS(tanda_train_options, );
    tanda_error error = {0};
    surface made = {0};
    tanda_train_defaults(TANDA_OPTIMIZER_SGD, &training);
    const surface_options options = {.side = 2, .points = 6, .seed = 3};
    cr_assert_eq(
        surface_run(backend, problem.model, &problem.dataset, NULL, &training, 1, &options, &made, &error),
        TANDA_OK, "%s", error.message);
    const surface_path *path = &made.paths[0];
    const size_t count = problem.model->parameter_count;
    cr_expect_eq(path->count, 6);
    for (size_t i = 0; i < path->count; i++)
        for (size_t which = 0; which < 2; which++) {
            double product = 0.0, scale = 0.0;
            for (size_t k = 0; k < count; k++) {
                const double a = (double)made.directions[0][k], b = (double)made.directions[1][k];
                const double rest = (double)path->weights[i * count + k] - (double)made.centre[k] -
                                    path->x[i] * a - path->y[i] * b;
                product += rest * (which == 0 ? a : b);
                scale += a * a + b * b;
            }
            cr_expect_lt(fabs(product), 1e-9 * scale);
        }
    cr_expect_eq(path->x[5], 0.0);
    cr_expect_eq(path->y[5], 0.0);
    cr_expect_neq(path->x[0], 0.0);
    float *point = calloc(count, sizeof *point);
    cr_assert_not_null(point);
    surface_at(&made, 0.0f, 0.0f, point);
    cr_expect_eq(memcmp(point, path->weights + 5 * count, count * sizeof *point), 0);
    cr_expect_eq(memcmp(point, problem.model->parameters, count * sizeof *point), 0);
    free(point);
    surface_free(&made);
    tanda_device_close(backend);
    problem_free(&problem);
}

Test(surface, both_devices_tell_the_same_numbers) {
    static const char *const members[] = {"axes", "x", "y", "costs", "paths"};
    json_t *cpu = RUN_JSON("surface", MOONS, "--hidden", "3", "--epochs", "3", "--grid", "5", "--optimizer",
                           "sgd,adam", "--device", "cpu");
    json_t *opencl = RUN_JSON("surface", MOONS, "--hidden", "3", "--epochs", "3", "--grid", "5",
                              "--optimizer", "sgd,adam", "--device", "opencl");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cr_expect(json_equal(json_object_get(cpu, members[i]), json_object_get(opencl, members[i])), "%s",
                  members[i]);
    json_decref(cpu);
    json_decref(opencl);
}

/* ---- trainings that go wrong, and what is refused ---------------------------------------------------------- */

#define TARGETS "x,y\n1,100\n2,210\n3,290\n4,420\n"
#define TOO_FAST \
    "surface", "t.csv", "--task", "regression", "--scale", "none", "--learning-rate", "10", "-q", \
        "--epochs", "40", "--grid", "3", "--device", "cpu"

Test(surface, a_training_that_diverges_is_told_and_the_first_one_is_needed) {
    write_text("t.csv", TARGETS);
    json_t *object = RUN_JSON(TOO_FAST, "--optimizer", "adam,sgd");
    const json_t *path = path_at(object, 1);
    cr_expect_eq(strncmp(json_words(path, "diverged"), "diverged: ", 10), 0);
    cr_expect_lt(json_array_size(json_object_get(path, "steps")), 41);
    json_decref(object);
    const outcome text = RUN(TOO_FAST, "--optimizer", "adam,sgd", "--language", "es");
    cr_expect_eq(text.status, 0, "%s", text.err);
    cr_expect_not_null(strstr(text.out, "El entrenamiento con sgd divergió"), "%s", text.out);
    const outcome first = RUN(TOO_FAST, "--optimizer", "sgd,adam");
    cr_expect_eq(first.status, 1);
    cr_expect_eq(strncmp(first.err, "tanda: diverged: ", 17), 0, "%s", first.err);
}

/* A model's settings are options of this command, too: --format is of the data there. */
Test(surface, settings_of_a_model_train_it_again) {
    cr_assert_eq(RUN("train", LECTURE, "--epochs", "5", "--format", "csv", "--output", "m", "-q").status, 0);
    json_t *object = RUN_JSON("surface", "--config", "m", "--grid", "2", "--device", "cpu");
    expect_end(object, 0, "m");
    json_decref(object);
}

static void expect_refused(const char *const *arguments, int status, const char *told) {
    const outcome outcome = run_to(-1, arguments);
    cr_expect_eq(outcome.status, status, "%d: %s", outcome.status, outcome.err);
    cr_expect_not_null(strstr(outcome.err, told), "%s instead of %s", outcome.err, told);
    cr_expect_eq(count_lines(outcome.err), 1, "%s", outcome.err);
}

#define REFUSED(status, told, ...) \
    expect_refused( \
        (const char *const[]){TANDA_PROGRAM, "surface", "--quiet", "--device", "cpu", __VA_ARGS__, NULL}, \
        status, told)

Test(surface, what_cannot_be_drawn_is_refused_in_one_line) {
    write_text("three.csv", "a,b,c,y\n1,2,3,p\n2,1,5,q\n3,3,1,p\n4,1,1,q\n");
    write_text("nan.csv", "a,y\n1,p\nnan,q\n3,p\n");
    REFUSED(2, "--only regions: they are of models that tell classes by two features, and this one is 3 -> ",
            "three.csv", "--only", "regions");
    REFUSED(2, "--only sigmoid: it is of one feature and one output, or of a perceptron", IRIS, "--only",
            "sigmoid");
    REFUSED(3, "nan.csv:3:1: ", "nan.csv");
    REFUSED(2, "--optimizer: sgd stands twice", PERCEPTRON, "--optimizer", "sgd,SGD");
    REFUSED(2, "--optimizer: 'fast' is unknown; use sgd, ", PERCEPTRON, "--optimizer", "fast");
    REFUSED(2, "--momentum is for --optimizer momentum, nesterov or rmsprop, and this is sgd", PERCEPTRON,
            "--momentum", "0.5", "--optimizer", "sgd,adam");
    REFUSED(2, "--amsgrad", PERCEPTRON, "--amsgrad", "--optimizer", "sgd,momentum");
    REFUSED(2, "--range: '1:0,0:1' is no two ranges from least to most such as -1:1,-2.5:3", PERCEPTRON,
            "--range", "1:0,0:1");
    REFUSED(2, "--range: '0:1' is no two ranges", PERCEPTRON, "--range", "0:1");
    REFUSED(2, "--axes: the model has no weight '1.1.2'; they go from 1.1.0, a bias, to 1.1.1", PERCEPTRON,
            "--axes", "1.1.0,1.1.2");
    REFUSED(2, "--axes: 'both' is neither random nor two weights such as 1.1.0,1.1.1", PERCEPTRON, "--axes",
            "both");
    REFUSED(2, "--axes: both are the same weight", PERCEPTRON, "--axes", "1.1.1,1.1.1");
    REFUSED(2, "--grid: ", PERCEPTRON, "--grid", "1");
    REFUSED(2, "--grid: ", PERCEPTRON, "--grid", "99999999999");
    REFUSED(2, "--points: ", PERCEPTRON, "--points", "1");
    REFUSED(2, "--format is of one picture; give --only NAME, too", PERCEPTRON, "--format", "png");
    REFUSED(2, "--json tells all numbers", PERCEPTRON, "--json", "--only", "contour");
}

Test(surface, directions_of_weights_that_are_0_are_refused) {
    static const float zeros[2];
    tanda_error error = {0};
    write_text("zero.csv", "x,y\n0,0\n0,0\n0,0\n");
    cr_assert_eq(
        RUN("train", "zero.csv", "--task", "regression", "--output", "m", "--device", "cpu", "-q").status, 0);
    tanda_model *model = load("m");
    cr_assert_eq(tanda_model_set_weights(model, zeros, 2, &error), TANDA_OK);
    cr_assert_eq(tanda_model_save(model, "m", &error), TANDA_OK);
    tanda_model_free(model);
    REFUSED(1, "all weights are 0", "zero.csv", "--task", "regression", "--init", "m", "--axes", "random");
}

/* ---- text, pages and pictures ------------------------------------------------------------------------------- */

static const text_pair texts[] = {SURFACE_TEXTS(TEXT_PAIR)};
#define TEXTS (sizeof texts / sizeof *texts)

Test(surface, every_text_is_there_in_both_languages) {
    check_texts(texts, TEXTS);
}

/* pictures: names, with blanks between. */
static void check_page(language language, const char *const *arguments, const char *pictures) {
    const outcome outcome = run_to(-1, arguments);
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    const char *page = file_text("s.html");
    check_markup(page);
    check_offline(page);
    check_language(page, language, texts, TEXTS);
    for (; *pictures != '\0'; pictures += strspn(pictures, " ")) {
        const size_t length = strcspn(pictures, " ");
        char path[80];
        snprintf(path, sizeof path, "s.pictures/%.*s.gnuplot", (int)length, pictures);
        cr_expect_not_null(strstr(page, path), "no %s", path);
        cr_expect_eq(access(path, F_OK), 0);
        pictures += length;
    }
}

#define PAGE(language, pictures, ...) \
    check_page(language, \
               (const char *const[]){TANDA_PROGRAM, "surface", "--output", "s.html", "-q", "--device", \
                                     "cpu", "--language", language_names[language], __VA_ARGS__, NULL}, \
               pictures)

/* One page a test: check_markup knows the ids of all pages before. */
#define PAGE_TEST(name, language, pictures, ...) \
    Test(surface, name) { \
        if (!skipped_without_gnuplot(#name)) PAGE(language, pictures, __VA_ARGS__); \
    }

PAGE_TEST(page_of_a_perceptron_is_whole_and_asks_nobody, LANGUAGE_ENGLISH, "contour surface descent sigmoid",
          PERCEPTRON, "--optimizer", "sgd,lbfgs", "--l2", "0.01", "--epochs", "30")

PAGE_TEST(page_of_a_perceptron_in_spanish_has_no_english_sentence, LANGUAGE_SPANISH,
          "contour surface descent sigmoid", PERCEPTRON, "--optimizer", "sgd,lbfgs", "--l2", "0.01",
          "--epochs", "30")

PAGE_TEST(page_of_a_network_has_the_frames_of_its_regions, LANGUAGE_ENGLISH,
          "contour surface descent regions-1 regions-6", MOONS, "--hidden", "6", "--epochs", "8")

PAGE_TEST(page_of_two_weights_of_three_has_the_border, LANGUAGE_SPANISH, "contour sigmoid regions-2", MOONS,
          "--frames", "2", "--axes", "1.1.1,1.1.2")

PAGE_TEST(page_of_three_classes_has_regions, LANGUAGE_ENGLISH, "contour regions-3", IRIS, "--features",
          "petal_length,petal_width", "--epochs", "3")

PAGE_TEST(page_of_a_margin_has_a_curve, LANGUAGE_SPANISH, "sigmoid", PERCEPTRON, "--loss", "hinge",
          "--learning-rate", "0.1")

PAGE_TEST(page_of_a_quantity_has_a_curve, LANGUAGE_ENGLISH, "sigmoid", IRIS, "--features", "petal_length",
          "--target", "petal_width", "--hidden", "3")

Test(surface, page_of_many_features_says_what_it_lacks) {
    if (skipped_without_gnuplot("page_of_many_features_says_what_it_lacks")) return;
    PAGE(LANGUAGE_SPANISH, "contour", BREAST_CANCER, "--epochs", "2", "--grid", "5");
    cr_expect_not_null(strstr(file_text("s.html"), "No hay regiones de decisión"));
    cr_expect_not_null(strstr(file_text("s.html"), "No hay sigmoide sobre los datos"));
}

Test(surface, each_picture_is_drawn_in_each_format_with_its_sources) {
    if (skipped_without_gnuplot("each_picture_is_drawn_in_each_format_with_its_sources")) return;
    static const char *const names[] = {"contour", "surface", "descent", "sigmoid", "regions"};
    static const char *const formats[] = {"svg", "png", "pdf"}, *const begins[] = {"<svg", "\x89PNG", "%PDF"};
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 3; k++) {
            const outcome drawn =
                RUN("surface", MOONS, "--epochs", "3", "--grid", "9", "--device", "cpu", "-q", "--only",
                    names[i], "--format", formats[k], "--output", "picture.x");
            cr_expect_eq(drawn.status, 0, "%s %s: %s", names[i], formats[k], drawn.err);
            cr_expect_eq(strncmp(file_text("picture.x"), begins[k], strlen(begins[k])), 0, "%s", formats[k]);
            if (k == 0) check_markup(file_text("picture.x"));
            cr_expect_eq(system("gnuplot picture.gnuplot > again.txt 2>&1 && test -s again.txt"), 0);
        }
        const outcome letters =
            RUN("surface", MOONS, "--epochs", "3", "--device", "cpu", "-q", "--only", names[i]);
        cr_expect_eq(letters.status, 0, "%s", letters.err);
        cr_expect_gt(count_lines(letters.out), 15);
    }
}

/* Pictures are missing, and a line says so; all else is there. */
Test(surface, without_gnuplot_all_but_the_pictures_is_there) {
    setenv("PATH", "/nowhere", 1);
    outcome outcome = RUN("surface", PERCEPTRON, "--device", "cpu", "--output", "s.html");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.err, "gnuplot-nox"), "%s", outcome.err);
    cr_expect_not_null(strstr(file_text("s.html"), "No picture: gnuplot is not installed"));
    cr_expect_eq(access("s.pictures/contour.gnuplot", F_OK), 0);
    outcome = RUN("surface", PERCEPTRON, "--device", "cpu", "-q");
    cr_expect_eq(outcome.status, 0);
    cr_expect_not_null(strstr(outcome.out, "Trainings\n"));
}

Test(surface, an_output_that_would_overwrite_the_data_is_refused) {
    write_text("data.dat", "x,y\n1,a\n2,b\n3,a\n4,b\n");
    const outcome outcome =
        RUN("surface", "data.dat", "--device", "cpu", "-q", "--only", "contour", "--output", "data.svg");
    cr_expect_eq(outcome.status, 2, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.err, "the data of --output"), "%s", outcome.err);
}
