/*
 * Losses and label smoothing: their formulas against double precision and differences, Keras's figures, every path of
 * both backends against the reference and each other, recorded weights, and what models and commands make of them.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/loss.h"
#include "model/model_file.h"
#include "reference.h"
#include "support_checks.h"
#include "train/session.h"

/* ---- formulas ----------------------------------------------------------------------------------------- */

typedef struct element_row {
    const char *name;
    loss loss;
    float (*value)(float, float, float);
    float (*delta)(float, float, float);
} element_row;

static const element_row elements[] = {
#define ELEMENT_ROW(name, NAME) {#name, LOSS_##NAME, element_##name, element_##name##_delta},
    ELEMENT_LOSS_LIST(ELEMENT_ROW)};
#define ELEMENTS (sizeof elements / sizeof *elements)

static bool is_hinge(loss loss) {
    return loss == LOSS_HINGE || loss == LOSS_SQUARED_HINGE;
}

/* Sums and products of a few roundings of what goes in; log, tanh and reciprocal err by at most 2 ulp. */
Test(losses, elements_agree_with_double) {
    for (size_t i = 0; i < ELEMENTS; i++)
        for (float o = elements[i].loss == LOSS_POISSON ? 0.0f : -8.0f; o < 8.0f; o += 0.0371f)
            for (float y = is_hinge(elements[i].loss) ? -1.0f : -3.0f; y <= 3.0f; y += 2.0f) {
                double slope, value = reference_element(elements[i].loss, o, y, 0.75, &slope);
                double size = 1.0 + fabs((double)o) + fabs((double)y);
                cr_assert_float_eq(elements[i].value(o, y, 0.75f), value, 4e-7 * (size + fabs(value)),
                                   "%s(%g, %g)", elements[i].name, (double)o, (double)y);
                cr_assert_float_eq(elements[i].delta(o, y, 0.75f), slope, 4e-7 * (size + fabs(slope)),
                                   "%s'(%g, %g)", elements[i].name, (double)o, (double)y);
            }
}

/* Within 5 ulp where the loss is small, which |x| + log(1 + e^(-2|x|)) - log 2 alone would not be. */
Test(losses, log_cosh_keeps_its_digits_near_zero) {
    for (float x = 1e-12f; x < 1e-2f; x *= 1.07f) {
        double exact = (double)x * (double)x / 2.0 - pow((double)x, 4.0) / 12.0;
        cr_assert_float_eq(element_log_cosh(x, 0.0f, 1.0f), exact, 6e-7 * exact, "%g", (double)x);
    }
    cr_expect_float_eq(element_log_cosh(1e30f, 0.0f, 1.0f), 1e30, 1e24);
}

Test(losses, nan_stays_nan) {
    for (size_t i = 0; i < ELEMENTS; i++) {
        cr_expect(isnan(elements[i].value(NAN, 1.0f, 1.0f)), "%s", elements[i].name);
        if (elements[i].loss != LOSS_HINGE)
            cr_expect(isnan(elements[i].delta(NAN, 1.0f, 1.0f)), "%s'", elements[i].name);
    }
}

/* ---- whole trainings ---------------------------------------------------------------------------------- */

typedef struct training {
    const char *name;
    network network;
    loss_settings settings;
    size_t batch_rows;
    const char *recorded; /* weights after 12 steps */
} training;

#define LIST(...) \
    { __VA_ARGS__ }
#define TRAINING(name, rows, features, count, units, activations, loss, task, delta, smoothing, batch, \
                 recorded) \
    { \
        name, {rows, features, count, units, activations, LOSS_##loss, TANDA_TASK_##task, CONTENT_REAL}, \
            {delta, smoothing}, batch, recorded \
    }
#define ID ACTIVATION_IDENTITY
#define TANH ACTIVATION_TANH
#define GELU ACTIVATION_GELU
#define SOFTMAX ACTIVATION_SOFTMAX

static const training trainings[] = {
    TRAINING("mae, perceptron", 700, 9, 1, LIST(1), LIST(ID), MAE, REGRESSION, 0, 0, 0,
             "40f2522962d7447a472da477a661b7200c844a983b13666064f21ed6474c0c28"),
    TRAINING("mae, deep", 300, 7, 2, LIST(17, 1), LIST(TANH, ID), MAE, REGRESSION, 0, 0, 100,
             "170680c728a0de6117f6ba9955810db856c25369feeb64d9d1801b56a1bf5c5d"),
    TRAINING("huber, delta 0.25", 300, 7, 2, LIST(17, 1), LIST(TANH, ID), HUBER, REGRESSION, 0.25, 0, 100,
             "6b27651be203a5f1ea5d012364aa2ea5c669ec073f6f7a69bd90b8f96c4c858c"),
    TRAINING("huber, delta 1, softplus output", 97, 6, 2, LIST(5, 1), LIST(GELU, ACTIVATION_SOFTPLUS), HUBER,
             REGRESSION, 0, 0, 40, "e6890dd99dff6914b5d9c0d9e71b2b007d682e8d0cfc0e9d6b6aba68a68b6ccd"),
    TRAINING("log_cosh", 300, 7, 2, LIST(17, 1), LIST(TANH, ID), LOG_COSH, REGRESSION, 0, 0, 100,
             "537f941e793dba7e503963b62478533c944145af8fe7adaa0ecbbe1d91e4fd00"),
    TRAINING("poisson, exponential output", 300, 7, 1, LIST(1), LIST(ACTIVATION_EXPONENTIAL), POISSON,
             REGRESSION, 0, 0, 100, "a257cac4911a27883bd256862cc422050392caffcae2a8e4757866f128975307"),
    TRAINING("poisson, deep, softplus output", 300, 7, 2, LIST(18, 1), LIST(TANH, ACTIVATION_SOFTPLUS),
             POISSON, REGRESSION, 0, 0, 100,
             "df6f699a01f91aeefd5a3a1a2b5912482eaa69e16662772ccb84ea2868ab27f9"),
    TRAINING("mse, tanh output", 257, 7, 2, LIST(18, 1), LIST(TANH, TANH), MSE, REGRESSION, 0, 0, 100,
             "2b722b4e01452f57692b52356c22e5fffff7b8c7712bed619516b09745c2cee8"),
    TRAINING("mse, gelu output", 257, 7, 2, LIST(18, 1), LIST(TANH, GELU), MSE, REGRESSION, 0, 0, 100,
             "be080c4ed276fe17bd821684c5a3e8be5da8c65a81517951a44176057c064e4a"),
    TRAINING("hinge, perceptron", 700, 9, 1, LIST(1), LIST(ID), HINGE, CLASSES, 0, 0, 0,
             "5458667f7e7b9ea389ea89b0294334e0d2fca6a9d6f8c5a89cf159d2bd3000a1"),
    TRAINING("hinge, tanh output", 300, 9, 2, LIST(6, 1), LIST(TANH, TANH), HINGE, CLASSES, 0, 0, 100,
             "aa418e730b1634f05f0726e63621c17915d301bd759e0a25210b14c07c82627b"),
    TRAINING("hinge, 5 classes", 300, 9, 2, LIST(6, 5), LIST(TANH, ID), HINGE, CLASSES, 0, 0, 100,
             "f359b17a523671bdd3380951aa0406b23fb870a35bc74e62407c20db7f353976"),
    TRAINING("squared_hinge, 18 classes", 300, 9, 1, LIST(18), LIST(ID), SQUARED_HINGE, CLASSES, 0, 0, 100,
             "7376a728f831861f88bfe40434cfc0d13d4ce51b9a291c3fd75b7f6fe5f27663"),
    TRAINING("squared_hinge, deep", 300, 9, 2, LIST(16, 1), LIST(TANH, ID), SQUARED_HINGE, CLASSES, 0, 0, 100,
             "5e938c0924c0ab4603f6327dabcdf6bdca02dd5a43b0d2874397cf11eaff330b"),
    TRAINING("kl_divergence", 300, 9, 2, LIST(16, 3), LIST(TANH, SOFTMAX), KL_DIVERGENCE, CLASSES, 0, 0, 100,
             "a23a0acc64cb6cec135b8fbb76ab7d994bd439e92d59338766d6d569b09f3898"),
    TRAINING("kl_divergence, smoothed", 300, 9, 2, LIST(16, 3), LIST(TANH, SOFTMAX), KL_DIVERGENCE, CLASSES,
             0, 0.2, 100, "3ba9617a4a201cc1399a42c2c32bcdbf614752174b9b40adb4e63c48cd0ab6b0"),
    TRAINING("binary_crossentropy, smoothed perceptron", 700, 9, 1, LIST(1), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 0, 0.1, 0,
             "879e71e8c49b412e5dd7c02c9799f4ee79775828598f45d3582cfccd4e9e57d4"),
    TRAINING("binary_crossentropy, smoothed", 300, 9, 2, LIST(16, 1), LIST(TANH, ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 0, 0.1, 100,
             "7eb78e411d2a85657cb1e2874f836bd8b1c649569159dc130e8104d4219d87f5"),
    TRAINING("categorical_crossentropy, smoothed", 300, 9, 2, LIST(16, 3), LIST(TANH, SOFTMAX),
             CATEGORICAL_CROSSENTROPY, CLASSES, 0, 0.1, 100,
             "5609108059fa51b889a7dcbf4d73a45472d88d85e12d99c948a30643eccc00d9"),
    TRAINING("categorical_crossentropy, smoothed, 300 classes", 310, 4, 1, LIST(300), LIST(SOFTMAX),
             CATEGORICAL_CROSSENTROPY, CLASSES, 0, 0.3, 0,
             "472bb9c70c8b247c2563357c9d883bfc4cc287701bf015585a154c73fa1da482"),
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static problem problem_of(const training *training) {
    problem made = problem_create(&training->network);
    MUST(model_set_loss(made.model, &training->settings, error));
    return made;
}

static void check_recorded(backend *backend, const char *how) {
    for (size_t i = 0; i < TRAININGS; i++) {
        char digest[TANDA_DIGEST_SIZE];
        problem problem = problem_of(&trainings[i]);
        const step_options options = {
            .batch_rows = trainings[i].batch_rows, .shuffle = trainings[i].batch_rows > 0, .seed = 3};
        digest_after(backend, &problem, &options, 12, digest);
        cr_expect_str_eq(digest, trainings[i].recorded, "%s on %s, %s: %s", trainings[i].name,
                         backend_title(backend), how, digest);
        problem_free(&problem);
    }
    tanda_device_close(backend);
}

Test(losses, weights_are_the_recorded_ones_for_any_number_of_threads) {
    static const size_t threads[] = {1, 2, 3, 8};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        char how[32];
        snprintf(how, sizeof how, "%zu threads", threads[i]);
        check_recorded(open_best_openmp(threads[i]), how);
    }
}

Test(losses, weights_are_the_recorded_ones_on_every_instruction_set) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_openmp(isa_names[i], 2);
        if (backend != NULL) check_recorded(backend, "2 threads");
    }
}

Test(losses, weights_are_the_recorded_ones_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend != NULL) check_recorded(backend, "its own waves");
}

Test(losses, pocl_gives_the_same_bits_in_every_tensor, .fini = forget_opencl) {
    backend *opencl = open_named("pocl"), *cpu = open_best_openmp(1);
    if (opencl == NULL) return;
    for (size_t i = 0; i < TRAININGS; i++) {
        char difference[256] = "";
        problem problem = problem_of(&trainings[i]);
        capture one = capture_step(opencl, &problem, NULL), other = capture_step(cpu, &problem, NULL);
        cr_expect(captures_agree(&one, &other, difference, sizeof difference), "%s: %s", trainings[i].name,
                  difference);
        capture_free(&one);
        capture_free(&other);
        problem_free(&problem);
    }
    tanda_device_close(opencl);
    tanda_device_close(cpu);
}

/* ---- against double precision ------------------------------------------------------------------------- */

typedef struct numbers {
    double *parameters, *values, *labels;
} numbers;

static numbers numbers_of(const problem *problem) {
    const tanda_dataset *data = &problem->dataset;
    numbers made = {.parameters =
                        reference_widen(problem->model->parameters, problem->model->parameter_count),
                    .values = reference_widen(data->values, data->rows * data->features),
                    .labels = reference_array(data->rows)};
    for (size_t row = 0; row < data->rows; row++)
        made.labels[row] = problem_label(problem, row);
    return made;
}

static void numbers_free(numbers *numbers) {
    free(numbers->parameters);
    free(numbers->values);
    free(numbers->labels);
}

static double mean_loss(const problem *problem, const numbers *numbers) {
    reference moved = reference_run(problem->model, numbers->parameters, problem->dataset.rows,
                                    numbers->values, numbers->labels);
    double loss = moved.loss / (double)problem->dataset.rows;
    reference_free(&moved);
    return loss;
}

/* The difference of step h; where it and that of 2 h disagree, a kink (mae, huber, hinge, 0 slope) is near. */
static bool difference_of(const problem *problem, numbers *numbers, size_t i, double *slope) {
    const double kept = numbers->parameters[i], h = 0x1p-20;
    double loss[4], steps[4] = {-2.0 * h, -h, h, 2.0 * h};
    for (int s = 0; s < 4; s++) {
        numbers->parameters[i] = kept + steps[s];
        loss[s] = mean_loss(problem, numbers);
    }
    numbers->parameters[i] = kept;
    *slope = (loss[2] - loss[1]) / (2.0 * h);
    return fabs((loss[3] - loss[0]) / (4.0 * h) - *slope) < 1e-7;
}

static void check_gradient(const training *training, const problem *problem, numbers *numbers,
                           const float *gradient) {
    size_t checked = 0, count = problem->model->parameter_count, step = count / 60 + 1;
    for (size_t i = 0; i < count; i += step) {
        double slope;
        if (!difference_of(problem, numbers, i, &slope)) continue;
        checked++;
        cr_expect_float_eq(gradient[i], slope, 3e-6 * (1.0 + fabs(slope)), "%s: gradient %zu is %g, not %g",
                           training->name, i, (double)gradient[i], slope);
    }
    cr_expect_geq(4 * checked, count / step, "%s: only %zu of %zu are checked", training->name, checked,
                  count / step);
}

Test(losses, losses_and_gradients_are_those_of_double_precision, .timeout = 200) {
    backend *cpu = open_best_openmp(2);
    for (size_t i = 0; i < TRAININGS; i++) {
        problem problem = problem_of(&trainings[i]);
        numbers numbers = numbers_of(&problem);
        capture capture = capture_step(cpu, &problem, NULL);
        size_t last = problem.model->layer_count - 1, rows = problem.dataset.rows;
        reference expected =
            reference_run(problem.model, numbers.parameters, rows, numbers.values, numbers.labels);
        const float *losses = captured(&capture, TENSOR_LOSS, last);
        for (size_t row = 0; row < rows; row++)
            cr_assert_float_eq(losses[row], expected.losses[row], 3e-6 * (1.0 + fabs(expected.losses[row])),
                               "%s: loss of row %zu is %g, not %g", trainings[i].name, row,
                               (double)losses[row], expected.losses[row]);
        float *gradient = calloc(problem.model->parameter_count, sizeof *gradient);
        cr_assert_not_null(gradient);
        plan_unpack(capture.plan, capture.gradient, gradient);
        check_gradient(&trainings[i], &problem, &numbers, gradient);
        free(gradient);
        reference_free(&expected);
        capture_free(&capture);
        numbers_free(&numbers);
        problem_free(&problem);
    }
    tanda_device_close(cpu);
}
