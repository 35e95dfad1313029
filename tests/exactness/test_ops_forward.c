/*
 * Each op of the forward pass and the losses against double precision, given the inputs that the op itself read:
 * bounds are those of docs/exactness.md and the ulps that kernels/exact.h states.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "reference.h"
#include "support_checks.h"

#define ULP (2.0 * U) /* one unit in the last place is at most this much of a value */
#define EXP_ERROR (0.91 * ULP)
#define LOG_ERROR (0.89 * ULP)
#define RECIPROCAL_ERROR (0.68 * ULP)
#define SIGMOID_ERROR (2.0 * ULP)
#define SOFTPLUS_ERROR (2.0 * ULP)
#define TANH_ERROR (2.0 * ULP)
#define LEAST 0x1p-126 /* exp, sigmoid and softplus give 0 for results below it */

/* ---- forward ------------------------------------------------------------------------------------------ */

static void check_gather(const trial *trial) {
    const float *input = captured(&trial->capture, TENSOR_INPUT, 0);
    const tanda_dataset *dataset = &trial->problem->dataset;
    for (size_t i = 0; i < dataset->rows * dataset->features; i++)
        if (!within(trial, 0, i, (double)input[i], (double)dataset->values[i], 0.0)) return;
}

static bool check_logits(const trial *trial, const layer_data *data) {
    size_t count = data->rows * data->H;
    const float *logits = captured(&trial->capture, TENSOR_LOGITS, data->index);
    double *expected = reference_array(count), *magnitude = reference_array(count);
    double *a = reference_magnitudes(data->a, data->rows * data->K);
    double *w = reference_magnitudes(data->w, data->K * data->H), *b = reference_magnitudes(data->b, data->H);
    reference_dense(data->rows, data->K, data->H, data->a, data->w, data->b, expected);
    reference_dense(data->rows, data->K, data->H, a, w, b, magnitude);
    bool fits = true;
    for (size_t i = 0; fits && i < count; i++)
        fits = within(trial, data->index, i, (double)logits[i], expected[i],
                      rounding_bound(chunked(data->K)) * magnitude[i]);
    free(expected);
    free(magnitude);
    free(a);
    free(w);
    free(b);
    return fits;
}

static void check_dense_forward(const trial *trial) {
    for (size_t l = 0; l < trial->problem->model->layer_count; l++) {
        layer_data data = layer_data_of(trial, l);
        check_logits(trial, &data);
        layer_data_free(&data);
    }
}

static double activation_error(activation function, double value) {
    switch (function) {
    case ACTIVATION_SIGMOID:
        return SIGMOID_ERROR * value + LEAST;
    case ACTIVATION_TANH:
        return TANH_ERROR * fabs(value);
    case ACTIVATION_LEAKY_RELU:
    case ACTIVATION_ELU:
    case ACTIVATION_SELU:
    case ACTIVATION_GELU:
    case ACTIVATION_SWISH:
    case ACTIVATION_SOFTPLUS:
    case ACTIVATION_SOFTSIGN:
    case ACTIVATION_HARD_SIGMOID:
    case ACTIVATION_EXPONENTIAL:
        return 2.0 * TANH_ERROR * fabs(value) + LEAST; /* at most 4 ulp; test_scalars.c has their own */
    default:
        return 0.0;
    }
}

static void check_activation_forward(const trial *trial) {
    const tanda_model *model = trial->problem->model;
    for (size_t l = 0; l < model->layer_count; l++) {
        activation function = model->layers[l].activation;
        if (function == ACTIVATION_SOFTMAX) continue;
        const float *z = captured(&trial->capture, TENSOR_LOGITS, l);
        const float *a = captured(&trial->capture, TENSOR_OUTPUT, l);
        for (size_t i = 0; i < trial->capture.rows * model->layers[l].outputs; i++) {
            double expected = reference_activate(function, (double)z[i]);
            if (!within(trial, l, i, (double)a[i], expected, activation_error(function, expected))) break;
        }
    }
}

/* ---- softmax and losses ------------------------------------------------------------------------------- */

/*
 * The relative error of sum_c exp(z_c - m): rounding z_c - m moves an exponential by |z_c - m| u of itself, exp
 * adds its ulp, and the chain its gamma; what exp flushes is below LEAST a class.
 */
static double error_of_exponential(double z, double maximum) {
    return fabs(z - maximum) * U + EXP_ERROR;
}

static double error_of_sum(size_t H, const double *z, double *sum, double *maximum) {
    *maximum = z[0];
    *sum = 0.0;
    for (size_t h = 1; h < H; h++)
        *maximum = z[h] > *maximum ? z[h] : *maximum;
    double error = 0.0;
    for (size_t h = 0; h < H; h++) {
        double e = exp(z[h] - *maximum);
        *sum += e;
        error += e * error_of_exponential(z[h], *maximum) + LEAST;
    }
    return error / *sum + rounding_bound(chunked(H));
}

/* Of a probability p: its exponential, the sum, the reciprocal and the product. */
static double error_of_probability(double z, double maximum, double sum_error, double p) {
    return p * (error_of_exponential(z, maximum) + sum_error + RECIPROCAL_ERROR + 4.0 * U) + 2.0 * LEAST;
}

static void check_categorical_row(const trial *trial, size_t row, const double *z, size_t y) {
    const capture *capture = &trial->capture;
    size_t last = capture->plan->layer_count - 1, H = trial->problem->model->layers[last].outputs;
    const float *p = captured(capture, TENSOR_OUTPUT, last) + row * H;
    const float *delta = captured(capture, TENSOR_DELTA, last) + row * H;
    double loss = (double)captured(capture, TENSOR_LOSS, last)[row];
    double *expected = reference_array(H), sum, maximum;
    double sum_error = error_of_sum(H, z, &sum, &maximum), apart = maximum - z[y];
    double expected_loss =
        reference_loss(LOSS_CATEGORICAL_CROSSENTROPY, ACTIVATION_SOFTMAX, H, z, (double)y, expected);
    double loss_error = sum_error * 1.01 + LOG_ERROR * fabs(log(sum)) + U * (apart + expected_loss * 1.01);
    within(trial, last, row, loss, expected_loss, loss_error);
    for (size_t h = 0; h < H; h++) {
        double probability = expected[h] + (h == y);
        double error = error_of_probability(z[h], maximum, sum_error, probability);
        if (!within(trial, last, row * H + h, (double)p[h], probability, error)) break;
        if (!within(trial, last, row * H + h, (double)delta[h], expected[h],
                    error + U * fabs(expected[h]) + TINY))
            break;
    }
    free(expected);
}

static void check_softmax(const trial *trial) {
    const tanda_model *model = trial->problem->model;
    size_t last = model->layer_count - 1, H = model->layers[last].outputs;
    if (model->loss != LOSS_CATEGORICAL_CROSSENTROPY) return;
    double *z = reference_widen(captured(&trial->capture, TENSOR_LOGITS, last), trial->capture.rows * H);
    size_t correct = 0;
    for (size_t row = 0; row < trial->capture.rows; row++) {
        size_t y = (size_t)problem_label(trial->problem, row), best = 0;
        for (size_t h = 1; h < H; h++)
            best = z[row * H + h] > z[row * H + best] ? h : best;
        correct += best == y;
        check_categorical_row(trial, row, z + row * H, y);
    }
    within(trial, last, 0, trial->capture.result.correct, (double)correct, 0.0);
    free(z);
}

static void check_loss_binary_crossentropy(const trial *trial) {
    const tanda_model *model = trial->problem->model;
    size_t last = model->layer_count - 1, correct = 0;
    if (model->loss != LOSS_BINARY_CROSSENTROPY) return;
    const float *logits = captured(&trial->capture, TENSOR_LOGITS, last);
    for (size_t row = 0; row < trial->capture.rows; row++) {
        double z = (double)logits[row], y = problem_label(trial->problem, row), delta;
        double loss = reference_loss(model->loss, ACTIVATION_SIGMOID, 1, &z, y, &delta);
        double delta_error = SIGMOID_ERROR * (delta + y) + U * fabs(delta) + TINY;
        within(trial, last, row, (double)captured(&trial->capture, TENSOR_LOSS, last)[row], loss,
               SOFTPLUS_ERROR * loss + LEAST);
        within(trial, last, row, (double)captured(&trial->capture, TENSOR_DELTA, last)[row], delta,
               delta_error);
        correct += (z > 0.0) == (y > 0.5);
    }
    within(trial, last, 0, trial->capture.result.correct, (double)correct, 0.0);
}

/* A relative error e of the output s leaves (s - y)^2 off by 2 |s - y| e s + (e s)^2, and three roundings. */
static void check_loss_mse(const trial *trial) {
    const tanda_model *model = trial->problem->model;
    size_t last = model->layer_count - 1, correct = 0;
    if (model->loss != LOSS_MSE) return;
    activation function = model->layers[last].activation;
    bool classes = model->task == TANDA_TASK_CLASSES;
    const float *logits = captured(&trial->capture, TENSOR_LOGITS, last);
    for (size_t row = 0; row < trial->capture.rows; row++) {
        double z = (double)logits[row], y = problem_label(trial->problem, row), delta;
        double loss = reference_loss(model->loss, function, 1, &z, y, &delta);
        double output = reference_activate(function, z), slope = reference_slope(function, z);
        double off = activation_error(function, output), apart = fabs(output - y);
        double apart_error = off + U * (apart + off);
        within(trial, last, row, (double)captured(&trial->capture, TENSOR_LOSS, last)[row], loss,
               2.0 * apart * apart_error + apart_error * apart_error + U * 1.01 * loss);
        double slope_error = function == ACTIVATION_SIGMOID ? off + rounding_bound(3) * (slope + off) : 0.0;
        within(trial, last, row, (double)captured(&trial->capture, TENSOR_DELTA, last)[row], delta,
               2.0 * (apart_error * (slope + slope_error) + apart * slope_error) + TINY);
        correct += classes && (z > 0.0) == (y > 0.5);
    }
    within(trial, last, 0, trial->capture.result.correct, (double)correct, 0.0);
}

static void check_loss_sum(const trial *trial) {
    size_t last = trial->capture.plan->layer_count - 1, rows = trial->capture.rows;
    const float *losses = captured(&trial->capture, TENSOR_LOSS, last);
    double sum = 0.0;
    for (size_t row = 0; row < rows; row++)
        sum += (double)losses[row];
    within(trial, last, 0, (double)trial->capture.result.loss, sum,
           rounding_bound(lanes_and_tree(rows)) * sum);
    within(trial, last, 0, trial->capture.result.not_finite, 0.0, 0.0);
}

#define CHECKS(X) \
    X(gather, gives_the_rows_of_the_data_set) \
    X(dense_forward, is_within_the_bound_of_its_chains) \
    X(activation_forward, is_within_the_stated_ulps) \
    X(softmax, and_categorical_loss_are_within_their_bounds) \
    X(loss_binary_crossentropy, is_within_the_stated_ulps) \
    X(loss_mse, is_within_its_bound) \
    X(loss_sum, is_within_the_bound_of_lanes_and_tree)

OP_TESTS(CHECKS)
