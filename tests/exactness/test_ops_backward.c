/*
 * Each op of the backward pass and the update against double precision, given the inputs that the op itself read;
 * the bounds are those of docs/exactness.md.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "reference.h"
#include "support_checks.h"

/* ---- backward ----------------------------------------------------------------------------------------- */

/* expected and magnitude (rows, K) = delta w and |delta| |w|. */
static void check_output_delta(const trial *trial, const layer_data *data) {
    size_t inputs = data->rows * data->K, outputs = data->rows * data->H;
    const float *got = captured(&trial->capture, TENSOR_DELTA_OUTPUT, data->index - 1);
    double *delta = reference_widen(captured(&trial->capture, TENSOR_DELTA, data->index), outputs);
    double *delta_size = reference_magnitudes(delta, outputs),
           *w = reference_magnitudes(data->w, data->K * data->H);
    double *expected = reference_array(inputs), *magnitude = reference_array(inputs);
    reference_dense_backward(data->rows, data->K, data->H, delta, data->w, expected);
    reference_dense_backward(data->rows, data->K, data->H, delta_size, w, magnitude);
    double bound = rounding_bound(chunked(data->H));
    for (size_t i = 0; i < inputs; i++)
        if (!within(trial, data->index, i, (double)got[i], expected[i], bound * magnitude[i] + TINY)) break;
    free(delta);
    free(delta_size);
    free(w);
    free(expected);
    free(magnitude);
}

static void check_dense_backward(const trial *trial) {
    for (size_t l = 1; l < trial->problem->model->layer_count; l++) {
        layer_data data = layer_data_of(trial, l);
        check_output_delta(trial, &data);
        layer_data_free(&data);
    }
}

/*
 * f' from the output a that the device has: a (1 - a), 1 - a^2, or whether a > 0; at most three roundings. Or from
 * its logit a.
 */
static double slope_from(activation function, double a) {
    switch (function) {
    case ACTIVATION_LEAKY_RELU:
        return a > 0.0 ? 1.0 : 0.2;
    case ACTIVATION_ELU:
        return a > 0.0 ? 1.0 : a + 1.0;
    case ACTIVATION_SELU:
        return a > 0.0 ? 1.0507009873554805 : a + 1.7580993408473766;
    case ACTIVATION_GELU:
    case ACTIVATION_SWISH:
        return reference_slope(function, a);
    case ACTIVATION_SOFTPLUS:
        return -expm1(-a);
    case ACTIVATION_SOFTSIGN:
        return (1.0 - fabs(a)) * (1.0 - fabs(a));
    case ACTIVATION_HARD_SIGMOID:
        return a > 0.0 && a < 1.0 ? 1.0 / 6.0 : 0.0;
    case ACTIVATION_EXPONENTIAL:
        return a;
    case ACTIVATION_SIGMOID:
        return a * (1.0 - a);
    case ACTIVATION_TANH:
        return 1.0 - a * a;
    case ACTIVATION_RELU:
        return a > 0.0 ? 1.0 : 0.0;
    default:
        return 1.0;
    }
}

static void check_activation_backward(const trial *trial) {
    const tanda_model *model = trial->problem->model;
    for (size_t l = 0; l + 1 < model->layer_count; l++) {
        const float *given = captured(&trial->capture, TENSOR_DELTA_OUTPUT, l);
        const bool logits = activation_needs_logits(model->layers[l].activation);
        const float *a = captured(&trial->capture, logits ? TENSOR_LOGITS : TENSOR_OUTPUT, l);
        const float *delta = captured(&trial->capture, TENSOR_DELTA, l);
        for (size_t i = 0; i < trial->capture.rows * model->layers[l].outputs; i++) {
            double expected = (double)given[i] * slope_from(model->layers[l].activation, (double)a[i]);
            double bound =
                rounding_bound(4) * fabs(expected) + (logits ? 12.0 * U * fabs((double)given[i]) : 0.0);
            if (!within(trial, l, i, (double)delta[i], expected, bound + TINY)) break;
        }
    }
}

/* The gradient is the tree's sum times 1 / rows, which is rounded, as is the product. */
static void check_gradient(const trial *trial, const layer_data *data, const float *gradient) {
    size_t weights = data->K * data->H, rows = data->rows;
    double *delta = reference_widen(captured(&trial->capture, TENSOR_DELTA, data->index), rows * data->H);
    double *delta_size = reference_magnitudes(delta, rows * data->H);
    double *a = reference_magnitudes(data->a, rows * data->K);
    double *dw = reference_array(weights), *db = reference_array(data->H);
    double *dw_size = reference_array(weights), *db_size = reference_array(data->H);
    reference_dense_gradient(rows, data->K, data->H, data->a, delta, dw, db);
    reference_dense_gradient(rows, data->K, data->H, a, delta_size, dw_size, db_size);
    double narrow = lanes_and_tree(rows) + 2.0;
    double wide = narrow + (double)(rows < 256 ? rows : 256) + 1.0;
    double bound = rounding_bound(data->H < 16 ? narrow : wide), scale = 1.0 / (double)rows;
    const float *weight = gradient + data->layer->weight, *bias = gradient + data->layer->bias;
    for (size_t i = 0; i < weights; i++)
        if (!within(trial, data->index, i, (double)weight[i], dw[i] * scale,
                    bound * dw_size[i] * scale + TINY))
            break;
    for (size_t h = 0; h < data->H; h++)
        if (!within(trial, data->index, h, (double)bias[h], db[h] * scale,
                    rounding_bound(narrow) * db_size[h] * scale + TINY))
            break;
    double *const owned[] = {delta, delta_size, a, dw, db, dw_size, db_size};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

static void check_dense_gradient(const trial *trial) {
    float *gradient = calloc(trial->problem->model->parameter_count, sizeof *gradient);
    cr_assert_not_null(gradient);
    plan_unpack(trial->capture.plan, trial->capture.gradient, gradient);
    for (size_t l = 0; l < trial->problem->model->layer_count; l++) {
        layer_data data = layer_data_of(trial, l);
        check_gradient(trial, &data, gradient);
        layer_data_free(&data);
    }
    free(gradient);
}

/* w - 0.125 g with one rounding; padding stays +0. */
static void check_update(const trial *trial) {
    const capture *capture = &trial->capture;
    for (size_t i = 0; i < capture->plan->parameter_count; i++) {
        double expected = (double)capture->before[i] - 0.125 * (double)capture->gradient[i];
        if (!within(trial, 0, i, (double)capture->after[i], expected, U * fabs(expected))) return;
    }
    float *model = calloc(trial->problem->model->parameter_count, sizeof *model);
    float *packed = calloc(capture->plan->parameter_count, sizeof *packed);
    cr_assert(model != NULL && packed != NULL);
    plan_unpack(capture->plan, capture->after, model);
    plan_pack(capture->plan, model, packed);
    for (size_t i = 0; i < capture->plan->parameter_count; i++)
        if (bits_of_float(packed[i]) != bits_of_float(capture->after[i])) {
            within(trial, 0, i, 1.0, 0.0, 0.0);
            break;
        }
    free(model);
    free(packed);
}

#define CHECKS(X) \
    X(dense_backward, is_within_the_bound_of_its_chains) \
    X(activation_backward, is_within_three_roundings) \
    X(dense_gradient, is_within_the_bound_of_chains_lanes_and_tree) \
    X(update, rounds_once_and_keeps_padding_zero)

OP_TESTS(CHECKS)
