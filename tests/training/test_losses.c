/*
 * Losses and label smoothing: their formulas against double precision and differences, Keras's figures, every path of
 * both backends against the reference and each other, recorded weights, and what models and commands make of them.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/loss.h"
#include "model/model_file.h"
#include "reference.h"
#include "support_checks.h"
#include "train/evaluator.h"

/* ---- formulas ----------------------------------------------------------------------------------------- */

typedef struct element_row {
    const char *name;
    loss loss;
    float (*value)(float, float, float);
    float (*delta)(float, float, float);
} element_row;

static const element_row elements[] = {
#define ELEMENT_ROW(name, NAME, op) {#name, LOSS_##NAME, element_##name, element_##name##_delta},
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
    TRAINING("binary_crossentropy, 5 labels", 300, 9, 1, LIST(5), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, LABELS, 0, 0, 0,
             "8676b04aff32831e31b50a2193cc79e3c5852cd95313057491a5498603c16497"),
    TRAINING("binary_crossentropy, 2 labels, deep", 700, 9, 2, LIST(6, 2), LIST(TANH, ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, LABELS, 0, 0, 100,
             "17c39a6db47454719c2d5f4f0a884f9fe50604d999558085194d976773a36bc7"),
    TRAINING("binary_crossentropy, 19 labels, smoothed", 300, 9, 2, LIST(16, 19),
             LIST(TANH, ACTIVATION_SIGMOID), BINARY_CROSSENTROPY, LABELS, 0, 0.2, 100,
             "195644607856237422ee32875ff6a7ff0e224747f410d2a9039a8168ff63674b"),
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

static void check_recorded(backend *backend, size_t wave_tiles, const char *how) {
    for (size_t i = 0; i < TRAININGS; i++) {
        char digest[TANDA_DIGEST_SIZE];
        problem problem = problem_of(&trainings[i]);
        const step_options options = {.batch_rows = trainings[i].batch_rows,
                                      .shuffle = trainings[i].batch_rows > 0,
                                      .seed = 3,
                                      .wave_tiles = wave_tiles};
        digest_after(backend, &problem, &options, 12, digest);
        cr_expect_str_eq(digest, trainings[i].recorded, "%s on %s, %s: %s", trainings[i].name,
                         backend_title(backend), how, digest);
        problem_free(&problem);
    }
}

Test(losses, weights_are_the_recorded_ones_for_any_number_of_threads) {
    static const size_t threads[] = {1, 2, 3, 8};
    check_threads(check_recorded, threads, sizeof threads / sizeof *threads);
}

Test(losses, weights_are_the_recorded_ones_on_every_instruction_set) {
    check_instruction_sets(check_recorded);
}

Test(losses, weights_are_the_recorded_ones_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_recorded(backend, 0, "its own waves");
    tanda_device_close(backend);
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

/* ---- against Keras ------------------------------------------------------------------------------------ */

/*
 * What Keras 3.15.1 computes on JAX 0.10.2 in binary32: of each function of keras.losses for one output o and target y,
 * and of each of keras.activations, the value and jax.grad of it. Where f' jumps it may be on the other side.
 */
typedef struct keras_figure {
    float o, y, value, slope;
} keras_figure;

static void check_figures(const char *name, float (*value)(float, float, float),
                          float (*delta)(float, float, float), float parameter,
                          const keras_figure figures[4]) {
    for (size_t i = 0; i < 4; i++) {
        const keras_figure f = figures[i];
        const float of_value = value(f.o, f.y, parameter), of_slope = delta(f.o, f.y, parameter);
        cr_expect_float_eq(of_value, f.value, 1e-6f * (1.0f + fabsf(f.value)), "%s(%g, %g) = %.9g", name,
                           (double)f.o, (double)f.y, (double)of_value);
        cr_expect_float_eq(of_slope, f.slope, 1e-6f * (1.0f + fabsf(f.slope)), "%s'(%g, %g) = %.9g", name,
                           (double)f.o, (double)f.y, (double)of_slope);
    }
}

#define CHECK_FIGURES(name, parameter, ...) \
    check_figures(#name, element_##name, element_##name##_delta, parameter, \
                  (const keras_figure[4]){__VA_ARGS__})

Test(keras, element_losses_are_its_own) {
    CHECK_FIGURES(mse, 1.0f, {0.3f, 0.5f, 0.0399999954f, -0.399999976f},
                  {-1.7f, 0.9f, 6.75999928f, -5.19999981f}, {2.9f, -0.6f, 12.25f, 7.0f},
                  {0.04f, 0.0f, 0.00159999996f, 0.0799999982f});
    CHECK_FIGURES(mae, 1.0f, {0.3f, 0.5f, 0.199999988f, -1.0f}, {-1.7f, 0.9f, 2.5999999f, -1.0f},
                  {2.9f, -0.6f, 3.5f, 1.0f}, {0.04f, 0.0f, 0.0399999991f, 1.0f});
    CHECK_FIGURES(huber, 0.75f, {0.3f, 0.5f, 0.0199999977f, -0.199999988f},
                  {-1.7f, 0.9f, 1.66874993f, -0.75f}, {2.9f, -0.6f, 2.34375f, 0.75f},
                  {0.04f, 0.0f, 0.00079999998f, 0.0399999991f});
    CHECK_FIGURES(log_cosh, 1.0f, {0.3f, 0.5f, 0.0198680758f, -0.197375298f},
                  {-1.7f, 0.9f, 1.91235399f, -0.989027619f}, {2.9f, -0.6f, 2.80776429f, 0.998177886f},
                  {0.04f, 0.0f, 0.000799775124f, 0.0399786234f});
    CHECK_FIGURES(poisson, 1.0f, {0.3f, 1.0f, 1.50397253f, -2.3333323f}, {1.7f, 0.0f, 1.70000005f, 1.0f},
                  {2.9f, 3.0f, -0.294132233f, -0.0344827175f}, {0.04f, 2.0f, 6.47774649f, -48.9998741f});
    CHECK_FIGURES(hinge, 1.0f, {0.3f, 1.0f, 0.699999988f, -1.0f}, {-1.7f, -1.0f, 0.0f, 0.0f},
                  {2.9f, -1.0f, 3.9000001f, 1.0f}, {0.04f, 1.0f, 0.959999979f, -1.0f});
    CHECK_FIGURES(squared_hinge, 1.0f, {0.3f, 1.0f, 0.48999998f, -1.39999998f}, {-1.7f, -1.0f, 0.0f, 0.0f},
                  {2.9f, -1.0f, 15.210001f, 7.80000019f}, {0.04f, 1.0f, 0.921599984f, -1.91999996f});
}

/* One layer that hands its inputs on, of which z (rows, units) are the logits. */
static void check_cross_entropy(loss loss, double smoothing, size_t rows, size_t units, const float *z,
                                const int32_t *classes, const float *losses, const float *deltas) {
    const network network = {
        rows,        units, 1, {units}, {units == 1 ? ACTIVATION_SIGMOID : SOFTMAX}, loss, TANDA_TASK_CLASSES,
        CONTENT_REAL};
    const loss_settings settings = {.label_smoothing = smoothing};
    backend *cpu = open_best_openmp(1);
    problem problem = problem_create(&network);
    MUST(model_set_loss(problem.model, &settings, error));
    for (size_t i = 0; i < problem.model->parameter_count; i++)
        problem.model->parameters[i] = i < units * units && i / units == i % units ? 1.0f : 0.0f;
    memcpy(problem.dataset.owned, z, rows * units * sizeof *z);
    memcpy(problem.dataset.classes, classes, rows * sizeof *classes);
    capture capture = capture_step(cpu, &problem, NULL);
    for (size_t i = 0; i < rows; i++)
        cr_expect_float_eq(captured(&capture, TENSOR_LOSS, 0)[i], losses[i], 1e-6, "%s, row %zu",
                           loss_name(loss), i);
    for (size_t i = 0; i < rows * units; i++)
        cr_expect_float_eq(captured(&capture, TENSOR_DELTA, 0)[i], deltas[i], 1e-6, "%s, delta %zu",
                           loss_name(loss), i);
    capture_free(&capture);
    problem_free(&problem);
    tanda_device_close(cpu);
}

Test(keras, label_smoothing_and_divergence_are_its_own) {
    static const float z[] = {0.3f, -1.7f, 2.9f, 0.04f, 0.5f, -0.6f}, o[] = {0.3f, -1.7f, 2.9f, 0.04f};
    static const int32_t of_three[] = {2, 0}, of_two[] = {1, 0, 0, 1};
    check_cross_entropy(
        LOSS_CATEGORICAL_CROSSENTROPY, 0.0, 2, 3, z, of_three, (float[]){0.0809580758f, 1.13506198f},
        (float[]){0.068497479f, 0.00927012414f, -0.0777676702f, -0.678597808f, 0.509124875f, 0.169472948f});
    check_cross_entropy(
        LOSS_CATEGORICAL_CROSSENTROPY, 0.1, 2, 3, z, of_three, (float[]){0.320958108f, 1.1410619f},
        (float[]){0.0351641476f, -0.0240632109f, -0.0111010075f, -0.611931145f, 0.475791544f, 0.136139616f});
    check_cross_entropy(
        LOSS_KL_DIVERGENCE, 0.2, 2, 3, z, of_three, (float[]){0.0758640915f, 0.661967933f},
        (float[]){0.00183080626f, -0.0573965497f, 0.0555657148f, -0.545264542f, 0.442458212f, 0.102806278f});
    check_cross_entropy(LOSS_BINARY_CROSSENTROPY, 0.1, 4, 1, o, of_two,
                        (float[]){0.569355249f, 0.252786011f, 2.80856299f, 0.675347149f},
                        (float[]){-0.375557452f, 0.104465246f, 0.897846341f, -0.440001309f});
}

/* At z = -4.5, -3, -1.25, -0.1, 0.7, 2.5 and 3.5. */
#define POINTS 7
static const float points[POINTS] = {-4.5f, -3.0f, -1.25f, -0.1f, 0.7f, 2.5f, 3.5f};

static void check_activation(const char *name, float (*f)(float), float (*backward)(float, float),
                             bool from_logits, const float values[POINTS], const float slopes[POINTS]) {
    for (size_t i = 0; i < POINTS; i++) {
        const float value = f(points[i]), slope = backward(1.0f, from_logits ? points[i] : value);
        cr_expect_float_eq(value, values[i], 5e-7f * (1.0f + fabsf(values[i])), "%s(%g) = %.9g", name,
                           (double)points[i], (double)value);
        cr_expect_float_eq(slope, slopes[i], 5e-7f * (1.0f + fabsf(slopes[i])), "%s'(%g) = %.9g", name,
                           (double)points[i], (double)slope);
    }
}

#define CHECK_ACTIVATION(name, NAME, values, slopes) \
    check_activation(#name, activation_##name, activation_##name##_backward, \
                     activation_needs_logits(ACTIVATION_##NAME), (const float[POINTS])values, \
                     (const float[POINTS])slopes)

Test(keras, activations_are_its_own) {
    CHECK_ACTIVATION(leaky_relu, LEAKY_RELU,
                     LIST(-0.900000036f, -0.600000024f, -0.25f, -0.0200000014f, 0.7f, 2.5f, 3.5f),
                     LIST(0.2f, 0.2f, 0.2f, 0.2f, 1.0f, 1.0f, 1.0f));
    CHECK_ACTIVATION(elu, ELU,
                     LIST(-0.988891006f, -0.950212955f, -0.713495195f, -0.095162563f, 0.7f, 2.5f, 3.5f),
                     LIST(0.0111089945f, 0.0497870445f, 0.286504805f, 0.90483743f, 1.0f, 1.0f, 1.0f));
    CHECK_ACTIVATION(
        selu, SELU,
        LIST(-1.73856854f, -1.67056882f, -1.25439548f, -0.167305246f, 0.73549068f, 2.62675261f, 3.67745352f),
        LIST(0.0195307154f, 0.0875305682f, 0.503703892f, 1.59079409f, 1.05070102f, 1.05070102f, 1.05070102f));
    CHECK_ACTIVATION(gelu, GELU,
                     LIST(-1.52895445e-05f, -0.00404969603f, -0.132062256f, -0.0460172184f, 0.530625403f,
                          2.48447585f, 3.4991858f),
                     LIST(-6.85292252e-05f, -0.0119456518f, -0.122661576f, 0.420476913f, 0.976614058f,
                          1.03761113f, 1.0028218f));
    CHECK_ACTIVATION(swish, SWISH,
                     LIST(-0.0494412407f, -0.142277628f, -0.278375179f, -0.0475020818f, 0.467731416f,
                          2.31035447f, 3.39740705f),
                     LIST(-0.0379110947f, -0.0881041065f, 0.00631915033f, 0.450083196f, 0.823386788f,
                          1.09940112f, 1.0702734f));
    CHECK_ACTIVATION(
        softplus, SOFTPLUS,
        LIST(0.0110477451f, 0.048587352f, 0.251929075f, 0.644396663f, 1.10318613f, 2.57888985f, 3.52975035f),
        LIST(0.0109869419f, 0.0474258736f, 0.222700149f, 0.475020796f, 0.668187737f, 0.924141705f,
             0.970687866f));
    CHECK_ACTIVATION(
        softsign, SOFTSIGN,
        LIST(-0.818181813f, -0.75f, -0.555555582f, -0.0909090936f, 0.411764681f, 0.714285731f, 0.777777791f),
        LIST(0.0330578685f, 0.0625f, 0.197530866f, 0.826446235f, 0.346020728f, 0.0816326737f, 0.0493827164f));
    CHECK_ACTIVATION(hard_sigmoid, HARD_SIGMOID,
                     LIST(0.0f, 0.0f, 0.291666687f, 0.483333349f, 0.616666675f, 0.916666687f, 1.0f),
                     LIST(0.0f, 0.0f, 0.166666672f, 0.166666672f, 0.166666672f, 0.166666672f, 0.0f));
    CHECK_ACTIVATION(
        exponential, EXPONENTIAL,
        LIST(0.0111089963f, 0.0497870669f, 0.286504805f, 0.90483743f, 2.0137527f, 12.1824942f, 33.1154518f),
        LIST(0.0111089963f, 0.0497870669f, 0.286504805f, 0.90483743f, 2.0137527f, 12.1824942f, 33.1154518f));
}

/* ---- models ------------------------------------------------------------------------------------------- */

static tanda_status keep_values(size_t first_row, size_t rows, const float *predictions, void *context) {
    memcpy((float *)context + 2 * first_row, predictions, 2 * rows * sizeof *predictions);
    return TANDA_OK;
}

/* -f(x) and f(x): the greater is the class, and neither is a probability. */
Test(losses, a_hinge_predicts_decision_values_and_has_no_log_loss) {
    const network network = {40, 3, 1, {1}, {ID}, LOSS_HINGE, TANDA_TASK_CLASSES, CONTENT_REAL};
    backend *cpu = open_best_openmp(1);
    problem problem = problem_create(&network);
    capture capture = capture_step(cpu, &problem, NULL);
    float values[80];
    tanda_metrics *metrics = NULL;
    MUST(tanda_predict(cpu, problem.model, &problem.dataset, keep_values, values, error));
    for (size_t row = 0; row < 40; row++) {
        cr_expect_eq(values[2 * row + 1], captured(&capture, TENSOR_LOGITS, 0)[row]);
        cr_expect_eq(values[2 * row], -values[2 * row + 1]);
    }
    MUST(tanda_metrics_evaluate(cpu, problem.model, &problem.dataset, 0, &metrics, error));
    cr_expect(isnan(metrics->log_loss));
    cr_expect_float_eq(metrics->accuracy, capture.result.correct / 40.0, 1e-12);
    tanda_metrics_free(metrics);
    capture_free(&capture);
    problem_free(&problem);
    tanda_device_close(cpu);
}

Test(losses, settings_of_another_loss_are_refused) {
    tanda_error error = {0};
    cr_expect_eq(loss_settings_check(&(loss_settings){.huber_delta = 1.0}, LOSS_MSE, &error), TANDA_USAGE);
    cr_expect_str_eq(error.message, "huber's delta is for loss huber, not for mse");
    cr_expect_eq(loss_settings_check(&(loss_settings){.label_smoothing = 0.1}, LOSS_HINGE, &error),
                 TANDA_USAGE);
    cr_expect_eq(loss_settings_check(&(loss_settings){.label_smoothing = 1.0}, LOSS_KL_DIVERGENCE, &error),
                 TANDA_USAGE);
    cr_expect_eq(loss_settings_check(&(loss_settings){.huber_delta = -1.0}, LOSS_HUBER, &error), TANDA_USAGE);
    cr_expect_eq(loss_settings_check(&(loss_settings){.huber_delta = NAN}, LOSS_HUBER, &error), TANDA_USAGE);
    cr_expect_eq(loss_settings_check(&(loss_settings){.huber_delta = 0.1}, LOSS_HUBER, &error), TANDA_OK);
}
