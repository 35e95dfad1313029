/*
 * tanda trace: its numbers are a training's own bits, on both backends, for every activation and loss; every derivative
 * agrees with its finite difference; and the first step of the perceptron is what plain arithmetic makes of it.
 */
#include <math.h>

#include "cli/trace_texts.h"
#include "program.h"
#include "support_network.h"
#include "support_pages.h"
#include "verify/difference.h"
#include "verify/trace.h"

TestSuite(trace, .init = enter_folder, .fini = leave_folder);

/* ---- bits -------------------------------------------------------------------------------------------------- */

#define CLASSES TANDA_TASK_CLASSES, CONTENT_REAL
#define QUANTITY TANDA_TASK_REGRESSION, CONTENT_REAL
#define LABELS TANDA_TASK_LABELS, CONTENT_REAL

/* Each loss with the outputs that go with it. */
static const network losses[] = {
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, CLASSES},
    {9, 3, 1, {3}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, LABELS},
    {9, 3, 2, {4, 3}, {ACTIVATION_TANH, ACTIVATION_SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, CLASSES},
    {9, 3, 1, {3}, {ACTIVATION_SOFTMAX}, LOSS_KL_DIVERGENCE, CLASSES},
    {9, 3, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_MSE, CLASSES},
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_IDENTITY}, LOSS_MSE, QUANTITY},
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_IDENTITY}, LOSS_MAE, QUANTITY},
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_IDENTITY}, LOSS_HUBER, QUANTITY},
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_SOFTPLUS}, LOSS_LOG_COSH, QUANTITY},
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_EXPONENTIAL}, LOSS_POISSON, QUANTITY},
    {9, 3, 2, {4, 1}, {ACTIVATION_TANH, ACTIVATION_IDENTITY}, LOSS_HINGE, CLASSES},
    {9, 3, 2, {4, 3}, {ACTIVATION_TANH, ACTIVATION_TANH}, LOSS_SQUARED_HINGE, CLASSES},
};
#define LOSSES (sizeof losses / sizeof *losses)

/* Of one tensor, the row that is traced. */
static void expect_row(const capture *capture, tensor_role role, size_t layer, size_t row, const void *values,
                       size_t stride, size_t count, const char *what) {
    const float *expected = captured(capture, role, layer) + row * count;
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(memcmp((const char *)values + i * stride, expected + i, sizeof(float)), 0,
                     "%s of layer %zu, %zu", what, layer, i);
}

static void expect_layer(const capture *capture, const trace *trace, size_t layer, size_t row) {
    const trace_layer *of = &trace->layers[layer];
    const size_t count = trace->model->layers[layer].outputs;
    expect_row(capture, TENSOR_LOGITS, layer, row, of->logits, sizeof(float), count, "z");
    expect_row(capture, TENSOR_DELTA, layer, row, of->delta, sizeof(derivative), count, "delta");
    if (plan_tensor(capture->plan, TENSOR_OUTPUT, layer) != NULL)
        expect_row(capture, TENSOR_OUTPUT, layer, row, of->output, sizeof(float), count, "a");
    if (of->output_delta != NULL)
        expect_row(capture, TENSOR_DELTA_OUTPUT, layer, row, of->output_delta, sizeof(derivative), count,
                   "dL/da");
}

static void expect_parameters(const capture *capture, const trace *trace) {
    const size_t count = trace->model->parameter_count;
    float *values = calloc(count, sizeof *values);
    cr_assert_not_null(values);
    plan_unpack(capture->plan, capture->before, values);
    cr_expect_eq(memcmp(values, trace->before, count * sizeof *values), 0, "weights before");
    plan_unpack(capture->plan, capture->after, values);
    cr_expect_eq(memcmp(values, trace->after, count * sizeof *values), 0, "weights after");
    plan_unpack(capture->plan, capture->gradient, values);
    cr_expect_eq(memcmp(values, trace->used, count * sizeof *values), 0, "gradient");
    for (size_t i = 0; i < count; i++)
        cr_expect_eq(memcmp(&values[i], &trace->gradient[i].value, sizeof(float)), 0, "derivative %zu", i);
    free(values);
}

static void expect_network(backend *backend, const network *network) {
    const size_t row = 4;
    char text[NETWORK_TEXT_SIZE];
    tanda_error error = {0};
    problem problem = problem_create(network);
    for (size_t i = 0; network->loss == LOSS_POISSON && i < network->rows; i++)
        problem.dataset.targets[i] = fabsf(problem.dataset.targets[i]);
    capture capture = capture_step(backend, &problem, NULL);
    const trace_options options = {.row = row + 1, .training = {.learning_rate = 0.125f}};
    trace trace = {0};
    cr_assert_eq(trace_run(backend, problem.model, &problem.dataset, &options, &trace, &error), TANDA_OK,
                 "%s: %s", network_text(network, text), error.message);
    expect_row(&capture, TENSOR_INPUT, 0, row, trace.inputs, sizeof(float), network->features, "x");
    expect_row(&capture, TENSOR_LOSS, network->layer_count - 1, row, &trace.loss, sizeof(float), 1, "loss");
    for (size_t i = 0; i < network->layer_count; i++)
        expect_layer(&capture, &trace, i, row);
    expect_parameters(&capture, &trace);
    const derivative_counts counts = trace_count(&trace);
    cr_expect_eq(counts.differing, 0, "%s: %zu of %zu derivatives differ", network_text(network, text),
                 counts.differing, counts.all);
    cr_expect_eq(counts.corners, 0, "%s: %zu corners", network_text(network, text), counts.corners);
    trace_free(&trace);
    capture_free(&capture);
    problem_free(&problem);
}

static void expect_all_networks(backend *backend) {
    for (size_t i = 0; i < LOSSES; i++)
        expect_network(backend, &losses[i]);
    for (activation function = 0; function < ACTIVATION_SOFTMAX; function++) {
        const network network = {9,        3,       3, {4, 3, 1}, {function, function, ACTIVATION_IDENTITY},
                                 LOSS_MSE, QUANTITY};
        expect_network(backend, &network);
    }
}

Test(trace, equals_the_tensors_of_a_training_for_each_activation_and_loss_on_the_cpu) {
    backend *backend = open_best_openmp(2);
    expect_all_networks(backend);
    tanda_device_close(backend);
}

Test(trace, equals_the_tensors_of_a_training_for_each_activation_and_loss_on_opencl, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    backend *backend = open_opencl(NULL);
    expect_all_networks(backend);
    tanda_device_close(backend);
}

/* ---- finite differences -------------------------------------------------------------------------------------- */

/* One that is off by a part in a thousand is seen, wherever it stands. */
Test(trace, a_wrong_derivative_differs_from_its_finite_difference) {
    static const float inputs[] = {0.5f, -1.0f, 2.0f}, labels[] = {1.0f};
    const network network = {1, 3, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, CLASSES};
    const difference_rows rows = {.rows = 1, .inputs = inputs, .labels = labels};
    backend *backend = open_best_openmp(1);
    problem problem = problem_create(&network);
    const trace_options options = {.training = {.learning_rate = 0.5f}};
    tanda_error error = {0};
    trace trace = {0};
    cr_assert_eq(trace_run(backend, problem.model, &problem.dataset, &options, &trace, &error), TANDA_OK);
    cr_assert_eq(difference_check(&trace, &rows, 0, &error), TANDA_OK); /* of another row: all are wrong */
    cr_expect_gt(trace_count(&trace).differing, 0);
    trace_free(&trace);
    cr_assert_eq(trace_run(backend, problem.model, &problem.dataset, &options, &trace, &error), TANDA_OK);
    cr_expect_eq(trace_count(&trace).differing, 0);
    trace_free(&trace);
    problem_free(&problem);
    tanda_device_close(backend);
}

/* ReLU at 0 has two slopes, and neither is wrong. */
Test(trace, a_corner_is_no_mistake) {
    write_text("zero.csv", "x,y\n0,5\n0,10\n0,5\n");
    json_t *object = RUN_JSON("trace", "zero.csv", "--task", "regression", "--scale", "none", "--hidden", "2",
                              "--batch", "full", "--device", "cpu");
    cr_expect_eq(json_figure(object, "differing"), 0);
    cr_expect_gt(json_figure(object, "corners"), 0);
    json_decref(object);
}

/* ---- optimizers and options ------------------------------------------------------------------------------------ */

static double weight_figure(const json_t *object, size_t index, const char *key) {
    return json_figure(json_array_get(json_object_get(object, "weights"), index), key);
}

/* Up to step 4, what is new is what step 5 begins with: the training goes on as without being watched. */
Test(trace, steps_follow_one_another_with_every_optimizer) {
    static const char *const optimizers[] = {"sgd",     "momentum", "nesterov", "adagrad",
                                             "rmsprop", "adam",     "adamw"};
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
        json_t *one = RUN_JSON("trace", IRIS, "--step", "4", "--optimizer", optimizers[i], "--l2", "0.01",
                               "--clip-norm", "0.5", "--device", "cpu");
        json_t *next = RUN_JSON("trace", IRIS, "--step", "5", "--optimizer", optimizers[i], "--l2", "0.01",
                                "--clip-norm", "0.5", "--device", "cpu");
        for (size_t k = 0; k < json_array_size(json_object_get(one, "weights")); k++)
            cr_expect_eq(weight_figure(one, k, "after"), weight_figure(next, k, "before"), "%s %zu",
                         optimizers[i], k);
        cr_expect_eq(json_figure(next, "differing"), 0, "%s", optimizers[i]);
        json_decref(one);
        json_decref(next);
    }
}

Test(trace, weights_of_rows_and_smoothed_labels_and_scaled_targets_agree_too) {
    write_text("rows.csv", "a,b,w,y\n1,2,0.5,3\n2,1,2,4\n-1,0,1,100\n0.5,3,3,7\n");
    const outcome weighted =
        RUN("trace", "rows.csv", "--sample-weight", "w", "--task", "regression", "--loss", "huber",
            "--scale-target", "standard", "--hidden", "2", "--activation", "tanh", "-q", "--device", "cpu");
    cr_expect_eq(weighted.status, 0, "%s%s", weighted.out, weighted.err);
    const outcome smoothed =
        RUN("trace", IRIS, "--label-smoothing", "0.2", "--class-weight", "setosa=3", "--device", "cpu", "-q");
    cr_expect_eq(smoothed.status, 0, "%s%s", smoothed.out, smoothed.err);
    cr_expect_not_null(strstr(smoothed.out, "Labels are smoothed by 0.2 first."));
}

Test(trace, a_row_is_found_in_its_step_and_refused_in_another) {
    const outcome found = RUN("trace", IRIS, "--row", "150", "--device", "cpu", "-q");
    cr_expect_eq(found.status, 0, "%s", found.err);
    cr_expect_not_null(strstr(found.out, "Row 150 of "));
    const outcome other =
        RUN("trace", IRIS, "--row", "1", "--step", "2", "--shuffle", "none", "--device", "cpu", "-q");
    cr_expect_eq(other.status, 2);
    cr_expect_not_null(strstr(other.err, "row 1 is not in step 2; in that epoch it is in step 1"), "%s",
                       other.err);
    cr_expect_eq(RUN("trace", IRIS, "--row", "151", "--device", "cpu").status, 2);
    cr_expect_eq(RUN("trace", IRIS, "--optimizer", "lbfgs", "--device", "cpu").status, 2);
    const outcome large = RUN("trace", DIGITS, "--hidden", "64", "--device", "cpu", "-q");
    cr_expect_eq(large.status, 2);
    cr_expect_not_null(strstr(large.err, "4810 parameters are too many to be followed by hand; at most 250"),
                       "%s", large.err);
}

/* ---- the lecture ------------------------------------------------------------------------------------------------ */

typedef struct student {
    double hours, passed;
} student;

static size_t read_students(student *students, size_t most) {
    FILE *file = fopen(TANDA_SOURCE_DIR "/datasets/perceptron.csv", "r");
    char line[100], result[40];
    size_t count = 0;
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(line, sizeof line, file));
    while (count < most && fscanf(file, "%lf,%39s", &students[count].hours, result) == 2)
        students[count++].passed = strcmp(result, "passed") == 0;
    fclose(file);
    return count;
}

static double sigmoid(double z) {
    return 1.0 / (1.0 + exp(-z));
}

/* w0, w1 and a rate of 0.5: the mean of (a - y) and of (a - y) x over the students. */
Test(trace, the_perceptrons_first_step_is_what_plain_arithmetic_makes_of_it) {
    student students[40];
    const size_t count = read_students(students, 40);
    json_t *object = RUN_JSON("trace", TANDA_SOURCE_DIR "/datasets/perceptron.csv", "--row", "1", "--scale",
                              "none", "--batch", "full", "--learning-rate", "0.5", "--device", "cpu");
    const double w0 = weight_figure(object, 0, "before"), w1 = weight_figure(object, 1, "before");
    double g0 = 0.0, g1 = 0.0, loss = 0.0;
    cr_assert_eq(count, 20);
    for (size_t i = 0; i < count; i++) {
        const double a = sigmoid(w0 + w1 * students[i].hours), y = students[i].passed;
        g0 += (a - y) / (double)count;
        g1 += (a - y) * students[i].hours / (double)count;
        loss -= (y * log(a) + (1.0 - y) * log(1.0 - a)) / (double)count;
    }
    const json_t *unit =
        json_array_get(json_object_get(json_array_get(json_object_get(object, "layers"), 0), "units"), 0);
    const double z = w0 + w1 * students[0].hours;
    cr_expect_float_eq(json_figure(unit, "z"), z, 1e-7);
    cr_expect_float_eq(json_figure(unit, "a"), sigmoid(z), 1e-7);
    cr_expect_float_eq(json_figure(json_object_get(unit, "delta"), "value"), sigmoid(z) - students[0].passed,
                       1e-7);
    cr_expect_float_eq(json_figure(object, "row_loss"), -log(1.0 - sigmoid(z)), 2e-7);
    cr_expect_float_eq(json_figure(object, "mean_loss"), loss, 2e-7);
    cr_expect_float_eq(weight_figure(object, 0, "g"), g0, 2e-7);
    cr_expect_float_eq(weight_figure(object, 1, "g"), g1, 2e-7);
    cr_expect_float_eq(weight_figure(object, 0, "after"), w0 - 0.5 * g0, 2e-7);
    cr_expect_float_eq(weight_figure(object, 1, "after"), w1 - 0.5 * g1, 2e-7);
    json_decref(object);
}

/* As docs/kitchen.md writes it out for the first student alone, to seven digits. */
Test(trace, the_document_writes_out_what_plain_arithmetic_gives) {
    const char *document = file_text(TANDA_SOURCE_DIR "/docs/kitchen.md");
    student students[40];
    read_students(students, 40);
    json_t *object =
        RUN_JSON("trace", TANDA_SOURCE_DIR "/datasets/perceptron.csv", "--row", "1", "--batch", "1",
                 "--shuffle", "none", "--scale", "none", "--learning-rate", "0.5", "--device", "cpu");
    const double w1 = weight_figure(object, 1, "before"), x = students[0].hours, z = w1 * x,
                 delta = sigmoid(z);
    const double values[] = {delta, -log(1.0 - delta), delta * x, w1 - 0.5 * delta * x};
    static const char *const forms[] = {"δ = a - y = %.8f\n", "L = -ln(1 - 0.46508557) = %.7f,",
                                        "∂L/∂w₁ = 0.46508557 · 0.4 = %.8f\n",
                                        "w₁ = -0.34971344 - 0.5 · 0.18603423 = %.7f\n"};
    cr_expect_eq(weight_figure(object, 0, "before"), 0.0);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char line[100];
        snprintf(line, sizeof line, forms[i], values[i]);
        cr_expect_not_null(strstr(document, line), "%s", line);
    }
    json_decref(object);
}

/* Errors of 5, 10 and 5: squared 25 + 100 + 25 = 150 in total, 50 in the mean. */
Test(trace, three_errors_of_5_10_and_5_have_a_mean_square_of_50) {
    static const double squares[] = {25.0, 100.0, 25.0};
    write_text("errors.csv", "x,y\n0,5\n0,10\n0,5\n");
    for (int row = 1; row <= 3; row++) {
        char number[8];
        snprintf(number, sizeof number, "%d", row);
        json_t *object = RUN_JSON("trace", "errors.csv", "--task", "regression", "--loss", "mse", "--scale",
                                  "none", "--batch", "full", "--row", number, "--device", "cpu");
        cr_expect_eq(json_figure(object, "row_loss"), squares[row - 1]);
        cr_expect_eq(json_figure(object, "mean_loss"), 50.0);
        json_decref(object);
    }
}

/* ---- text and page ------------------------------------------------------------------------------------------------ */

static const text_pair texts[] = {TRACE_TEXTS(TEXT_PAIR)};
#define TEXTS (sizeof texts / sizeof *texts)

Test(trace, every_text_is_there_in_both_languages) {
    check_texts(texts, TEXTS);
}

Test(trace, text_and_page_are_in_one_language_and_the_page_asks_nobody) {
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        outcome outcome =
            RUN("trace", IRIS, "--hidden", "2", "--language", language_names[language], "--output",
                "page.html", "--l1", "0.1", "--optimizer", "adam", "--device", "cpu", "-q");
        cr_assert_eq(outcome.status, 0, "%s", outcome.err);
        const char *page = file_text("page.html");
        check_markup(page);
        check_offline(page);
        check_language(page, language, texts, TEXTS);
        outcome = RUN("trace", IRIS, "--batch", "1", "--language", language_names[language], "--device",
                      "cpu", "-q");
        check_language(outcome.out, language, texts, TEXTS);
    }
}

/* No activation and no loss is without its formula. */
static void expect_formulas(const char *option, const char *name, const char *target) {
    json_t *object = RUN_JSON("trace", IRIS, option, name, "--hidden", "2", "--target", target, "--ignore",
                              strcmp(target, "species") == 0 ? "sepal_length" : "species", "--device", "cpu");
    const json_t *layer = json_array_get(json_object_get(object, "layers"), 0);
    cr_expect_gt(strlen(json_words(layer, "formula")), 0, "%s", name);
    cr_expect_gt(strlen(json_words(layer, "slope_formula")), 0, "%s", name);
    cr_expect_gt(strlen(json_words(object, "loss_formula")), 0, "%s", name);
    json_decref(object);
}

Test(trace, every_activation_and_loss_has_its_formula) {
    static const char *const of_classes[] = {"categorical_crossentropy", "kl_divergence", "hinge",
                                             "squared_hinge"};
    static const char *const of_quantities[] = {"mse", "mae", "huber", "log_cosh", "poisson"};
    for (activation function = 0; function < ACTIVATION_SOFTMAX; function++)
        expect_formulas("--activation", activation_name(function), "species");
    for (size_t i = 0; i < sizeof of_classes / sizeof *of_classes; i++)
        expect_formulas("--loss", of_classes[i], "species");
    for (size_t i = 0; i < sizeof of_quantities / sizeof *of_quantities; i++)
        expect_formulas("--loss", of_quantities[i], "sepal_width");
}

static size_t letters(const char *line, size_t length) {
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)line[i] & 0xc0) != 0x80;
    return count;
}

Test(trace, text_fits_80_columns_with_every_activation) {
    for (activation function = 0; function < ACTIVATION_SOFTMAX; function++) {
        const outcome outcome =
            RUN("trace", IRIS, "--hidden", "3,2", "--activation", activation_name(function), "--optimizer",
                "rmsprop", "--device", "cpu", "-q");
        cr_assert_eq(outcome.status, 0, "%s: %s", activation_name(function), outcome.err);
        for (const char *line = outcome.out; *line != '\0'; line += strcspn(line, "\n") + 1)
            cr_expect_lt(letters(line, strcspn(line, "\n")), 80, "%.120s", line);
    }
}

Test(trace, both_devices_tell_the_same_numbers) {
    json_t *cpu = RUN_JSON("trace", IRIS, "--hidden", "3", "--step", "3", "--device", "cpu");
    json_t *opencl = RUN_JSON("trace", IRIS, "--hidden", "3", "--step", "3", "--device", "opencl");
    static const char *const members[] = {"row", "x", "y", "layers", "weights", "row_loss", "mean_loss"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        cr_expect(json_equal(json_object_get(cpu, members[i]), json_object_get(opencl, members[i])), "%s",
                  members[i]);
    json_decref(cpu);
    json_decref(opencl);
}
