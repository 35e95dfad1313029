/*
 * Whole networks: the gradient that a backend computes against central differences of the reference's loss, which
 * know nothing of back-propagation. The bound is a running error analysis (Higham, Accuracy and Stability of
 * Numerical Algorithms, 2002, section 3.3; docs/exactness.md, Bounds): errors of activations and deltas are carried from
 * layer to layer in double, beside the reference.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "reference.h"
#include "support_checks.h"

#define STEP 0x1p-16             /* of the differences */
#define LOSS_ROUNDOFF 0x1p-43    /* of the reference's loss, relative: some 1000 roundings of 2^-53 */
#define FUNCTION_ERROR (4.0 * U) /* 2 ulp: exp, log, sigmoid, tanh, softplus, reciprocal (kernels/exact.h) */

/* ---- error analysis ----------------------------------------------------------------------------------- */

/* What the device's values may be off by, beside the reference's values. */
typedef struct analysis {
    const tanda_model *model;
    size_t rows;
    const double *values; /* (rows, features) */
    const reference *reference;
    double **logits, **outputs, **deltas; /* per layer (rows, outputs) */
    size_t kinks;                         /* rows of ReLU units whose side of 0 is not sure */
} analysis;

static double *sum_of_sizes(const double *values, const double *errors, size_t count) {
    double *made = reference_array(count);
    for (size_t i = 0; i < count; i++)
        made[i] = fabs(values[i]) + (errors == NULL ? 0.0 : errors[i]);
    return made;
}

/* |W| e_a + gamma (|W| (|a| + e_a) + |b|); e_a is NULL for the exact features. */
static void analyse_logits(analysis *made, const double *parameters, size_t l) {
    const layer *layer = &made->model->layers[l];
    size_t K = layer->inputs, H = layer->outputs, rows = made->rows;
    const double *a = l == 0 ? made->values : made->reference->outputs[l - 1];
    const double *a_error = l == 0 ? NULL : made->outputs[l - 1];
    double *w = reference_magnitudes(parameters + layer->weight, K * H);
    double *b = reference_magnitudes(parameters + layer->bias, H), *none = reference_array(H);
    double *a_size = sum_of_sizes(a, a_error, rows * K), *size = reference_array(rows * H);
    made->logits[l] = reference_array(rows * H);
    if (a_error != NULL) reference_dense(rows, K, H, a_error, w, none, made->logits[l]);
    reference_dense(rows, K, H, a_size, w, b, size);
    for (size_t i = 0; i < rows * H; i++)
        made->logits[l][i] += rounding_bound(chunked(K)) * size[i];
    double *const owned[] = {w, b, none, a_size, size};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

/* f's largest slope times e_z, and the error of f itself. */
static double output_error(activation function, double a, double z_error) {
    switch (function) {
    case ACTIVATION_IDENTITY:
    case ACTIVATION_RELU:
        return z_error;
    case ACTIVATION_SIGMOID:
    case ACTIVATION_HARD_SIGMOID:
        return z_error / 4.0 + FUNCTION_ERROR * (fabs(a) + z_error / 4.0);
    case ACTIVATION_EXPONENTIAL:
        return a * expm1(z_error) + FUNCTION_ERROR * a * exp(z_error);
    default: /* slopes up to 1.76 and errors up to 4 ulp */
        return 1.76 * z_error + 2.0 * FUNCTION_ERROR * (fabs(a) + 1.76 * z_error);
    }
}

/*
 * Of f'(z) taken from the output: |1 - 2a| e + e^2 for a (1 - a), |2a| e + e^2 for 1 - a^2, 2 (1 - |a|) e + e^2 for
 * (1 - |a|)^2. Of GELU and swish, from the logit, f'' < 0.8 times its error. One with a kink may be on the other side.
 */
static double slope_error(activation function, double a, double a_error, double z_error, bool kink) {
    switch (function) {
    case ACTIVATION_LEAKY_RELU:
        return U + (kink ? 0.8 : 0.0);
    case ACTIVATION_ELU:
        return a_error + U;
    case ACTIVATION_SELU:
        return a_error + 4.0 * U + (kink ? 0.7074 : 0.0);
    case ACTIVATION_GELU:
    case ACTIVATION_SWISH:
        return 0.8 * z_error + 12.0 * U;
    case ACTIVATION_SOFTPLUS:
        return a_error + FUNCTION_ERROR;
    case ACTIVATION_SOFTSIGN:
        return 2.0 * (1.0 - fabs(a)) * a_error + a_error * a_error + U;
    case ACTIVATION_HARD_SIGMOID:
        return U + (kink ? 1.0 / 6.0 : 0.0);
    case ACTIVATION_EXPONENTIAL:
        return a_error;
    case ACTIVATION_SIGMOID:
        return fabs(1.0 - 2.0 * a) * a_error + a_error * a_error;
    case ACTIVATION_TANH:
        return 2.0 * fabs(a) * a_error + a_error * a_error;
    case ACTIVATION_RELU:
        return kink ? 1.0 : 0.0;
    default:
        return 0.0;
    }
}

/* Of p_h: p_h (e_h + sum_j p_j e_j) by the derivative of softmax, and its roundings. */
static void analyse_softmax(size_t H, const double *z, const double *z_error, double *error) {
    double *p = reference_array(H), weighted = 0.0, lowest = z[0], highest = z[0];
    reference_softmax(H, z, p);
    for (size_t h = 0; h < H; h++) {
        weighted += p[h] * z_error[h];
        lowest = fmin(lowest, z[h]);
        highest = fmax(highest, z[h]);
    }
    for (size_t h = 0; h < H; h++)
        error[h] =
            1.01 * p[h] * (z_error[h] + weighted + rounding_bound(chunked(H) + highest - lowest + 12.0)) + U +
            TINY;
    free(p);
}

static void analyse_loss(analysis *made, const double *labels) {
    size_t last = made->model->layer_count - 1, H = made->model->layers[last].outputs;
    activation function = made->model->layers[last].activation;
    made->deltas[last] = reference_array(made->rows * H);
    for (size_t row = 0; row < made->rows; row++) {
        const double *z = made->reference->logits[last] + row * H, *z_error = made->logits[last] + row * H;
        double *error = made->deltas[last] + row * H;
        if (made->model->loss == LOSS_CATEGORICAL_CROSSENTROPY) {
            analyse_softmax(H, z, z_error, error);
            continue;
        }
        double output = reference_activate(function, *z), apart = fabs(output - labels[row]);
        double off = output_error(function, output, *z_error);
        *error = off + U * (apart + off) + TINY;
        if (made->model->loss == LOSS_BINARY_CROSSENTROPY) continue;
        double slope = reference_slope(function, *z),
               slope_off = slope_error(function, output, off, *z_error, false);
        *error = 2.0 * (*error * slope + (apart + *error) * slope_off) +
                 rounding_bound(4) * 2.0 * (apart + off) * (slope + slope_off) + TINY;
    }
}

/* From the delta of layer l + 1 to that of layer l. */
static void analyse_delta(analysis *made, const double *parameters, size_t l) {
    const layer *above = &made->model->layers[l + 1];
    size_t K = above->inputs, H = above->outputs, count = made->rows * K;
    activation function = made->model->layers[l].activation;
    double *w = reference_magnitudes(parameters + above->weight, K * H);
    double *size = sum_of_sizes(made->reference->deltas[l + 1], made->deltas[l + 1], made->rows * H);
    double *moved = reference_array(count), *rounded = reference_array(count);
    reference_dense_backward(made->rows, K, H, made->deltas[l + 1], w, moved);
    reference_dense_backward(made->rows, K, H, size, w, rounded);
    made->deltas[l] = reference_array(count);
    for (size_t i = 0; i < count; i++) {
        double off = moved[i] + rounding_bound(chunked(H)) * rounded[i] + TINY,
               z = made->reference->logits[l][i];
        bool kink = reference_kink_distance(function, z) <= made->logits[l][i];
        double slope = reference_slope(function, z);
        double slope_off = slope_error(function, made->reference->outputs[l][i], made->outputs[l][i],
                                       made->logits[l][i], kink);
        double given = fabs(made->reference->output_deltas[l][i]) + off;
        made->deltas[l][i] = off * fabs(slope) + given * slope_off +
                             rounding_bound(3) * given * (fabs(slope) + slope_off) + TINY;
        made->kinks += kink;
    }
    double *const owned[] = {w, size, moved, rounded};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

/* bound (model order) on the mean gradient: sums of |a| e_d + e_a (|d| + e_d), then the roundings of the sum. */
static void bound_gradient(const analysis *made, size_t l, double *bound) {
    const layer *layer = &made->model->layers[l];
    size_t K = layer->inputs, H = layer->outputs, rows = made->rows, weights = K * H;
    double *a = sum_of_sizes(l == 0 ? made->values : made->reference->outputs[l - 1], NULL, rows * K);
    double *a_error =
        l == 0 ? reference_array(rows * K) : reference_magnitudes(made->outputs[l - 1], rows * K);
    double *delta = sum_of_sizes(made->reference->deltas[l], made->deltas[l], rows * H);
    double *part[3], *unused = reference_array(H), terms = (double)(rows < 256 ? rows : 256);
    for (size_t i = 0; i < 3; i++)
        part[i] = reference_array(weights);
    reference_dense_gradient(rows, K, H, a_error, delta, part[1], unused);
    reference_dense_gradient(rows, K, H, a, delta, part[2], unused); /* unused becomes the bias' sizes */
    double *bias = bound + layer->bias, rounding = rounding_bound(lanes_and_tree(rows) + terms + 3.0);
    for (size_t h = 0; h < H; h++)
        bias[h] = rounding * unused[h];
    reference_dense_gradient(rows, K, H, a, made->deltas[l], part[0], unused);
    for (size_t h = 0; h < H; h++)
        bias[h] = (bias[h] + unused[h]) / (double)rows + TINY;
    for (size_t i = 0; i < weights; i++)
        bound[layer->weight + i] =
            (part[0][i] + part[1][i] + rounding * (part[1][i] + part[2][i])) / (double)rows + TINY;
    double *const owned[] = {a, a_error, delta, part[0], part[1], part[2], unused};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
}

/* The bound of every element of the mean gradient, in model order; kinks are added up. */
static double *analyse(const problem *problem, const double *parameters, const double *values,
                       const double *labels, const reference *reference, size_t *kinks) {
    double *lists[3][MOST_LAYERS] = {{NULL}};
    const tanda_model *model = problem->model;
    analysis made = {model, problem->dataset.rows, values, reference, lists[0], lists[1], lists[2], 0};
    double *bound = reference_array(model->parameter_count);
    for (size_t l = 0; l < model->layer_count; l++) {
        analyse_logits(&made, parameters, l);
        if (l + 1 == model->layer_count) break;
        size_t count = made.rows * model->layers[l].outputs;
        made.outputs[l] = reference_array(count);
        for (size_t i = 0; i < count; i++)
            made.outputs[l][i] =
                output_error(model->layers[l].activation, reference->outputs[l][i], made.logits[l][i]);
    }
    analyse_loss(&made, labels);
    for (size_t l = model->layer_count; l-- > 0;) {
        if (l + 1 < model->layer_count) analyse_delta(&made, parameters, l);
        bound_gradient(&made, l, bound);
    }
    *kinks += made.kinks;
    for (size_t i = 0; i < 3 * MOST_LAYERS; i++)
        free(lists[i / MOST_LAYERS][i % MOST_LAYERS]);
    return bound;
}

/* ---- differences -------------------------------------------------------------------------------------- */

/* A network in double, and what the differences meet. */
typedef struct comparison {
    const problem *problem;
    double *parameters, *values, *labels;
    reference reference; /* at the parameters */
    size_t kinks, skipped, checked;
} comparison;

/* Whether some unit is on another side of a kink than at the parameters themselves. */
static bool crosses_kink(const comparison *c, const reference *moved) {
    const tanda_model *model = c->problem->model;
    for (size_t l = 0; l + 1 < model->layer_count; l++) {
        activation function = model->layers[l].activation;
        for (size_t i = 0; i < c->problem->dataset.rows * model->layers[l].outputs; i++)
            if (reference_crosses_kink(function, moved->logits[l][i], c->reference.logits[l][i])) return true;
    }
    return false;
}

/* The mean loss with one parameter moved. */
static double loss_at(comparison *c, size_t parameter, double move, bool *kink) {
    double kept = c->parameters[parameter];
    c->parameters[parameter] += move;
    reference moved =
        reference_run(c->problem->model, c->parameters, c->problem->dataset.rows, c->values, c->labels);
    c->parameters[parameter] = kept;
    double loss = moved.loss / (double)c->problem->dataset.rows;
    *kink |= crosses_kink(c, &moved);
    reference_free(&moved);
    return loss;
}

/*
 * The central difference. Its error falls as the square of the step, so the difference to the one of twice the step
 * is three times it; the losses' own roundoff is divided by the step.
 */
static double difference(comparison *c, size_t parameter, double *error, bool *kink) {
    double near = (loss_at(c, parameter, STEP, kink) - loss_at(c, parameter, -STEP, kink)) / (2.0 * STEP);
    double far =
        (loss_at(c, parameter, 2.0 * STEP, kink) - loss_at(c, parameter, -2.0 * STEP, kink)) / (4.0 * STEP);
    double loss = c->reference.loss / (double)c->problem->dataset.rows;
    *error = fabs(far - near) / 2.0 + LOSS_ROUNDOFF * (1.0 + loss) / STEP;
    return near;
}

static void check_gradient(comparison *c, const float *gradient, const double *bound) {
    char text[NETWORK_TEXT_SIZE];
    for (size_t i = 0; i < c->problem->model->parameter_count; i++) {
        bool kink = false;
        double error, expected = difference(c, i, &error, &kink);
        c->skipped += kink;
        if (kink) continue;
        c->checked++;
        cr_expect(fabs((double)gradient[i] - expected) <= bound[i] + error,
                  "%s: gradient of parameter %zu is %a, the difference %a, the bound %g + %g",
                  network_text(c->problem->network, text), i, (double)gradient[i], expected, bound[i], error);
        if (!(fabs((double)gradient[i] - expected) <= bound[i] + error)) return;
        /* a bound that lets everything pass would be no test */
        cr_assert_leq(bound[i], 1e-3, "%s: the bound %g is too wide", network_text(c->problem->network, text),
                      bound[i]);
    }
}

static void check_network(backend *backend, const network *network, comparison *total) {
    problem problem = problem_create(network);
    const tanda_model *model = problem.model;
    comparison c = {.problem = &problem};
    c.parameters = reference_widen(model->parameters, model->parameter_count);
    c.values = reference_widen(problem.dataset.values, network->rows * network->features);
    c.labels = reference_array(network->rows);
    for (size_t row = 0; row < network->rows; row++)
        c.labels[row] = problem_label(&problem, row);
    c.reference = reference_run(model, c.parameters, network->rows, c.values, c.labels);
    double *bound = analyse(&problem, c.parameters, c.values, c.labels, &c.reference, &c.kinks);
    capture capture = capture_step(backend, &problem, NULL);
    float *gradient = calloc(model->parameter_count, sizeof *gradient);
    cr_assert_not_null(gradient);
    plan_unpack(capture.plan, capture.gradient, gradient);
    check_gradient(&c, gradient, bound);
    total->kinks += c.kinks;
    total->skipped += c.skipped;
    total->checked += c.checked;
    double *const owned[] = {bound, c.parameters, c.values, c.labels};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(gradient);
    reference_free(&c.reference);
    capture_free(&capture);
    problem_free(&problem);
}

/* ---- the networks ------------------------------------------------------------------------------------- */

/* Every loss with the output function and task that go with it. */
static const struct {
    loss loss;
    activation output;
    tanda_task task;
    size_t units;
} heads[] = {{LOSS_BINARY_CROSSENTROPY, ACTIVATION_SIGMOID, TANDA_TASK_CLASSES, 1},
             {LOSS_CATEGORICAL_CROSSENTROPY, ACTIVATION_SOFTMAX, TANDA_TASK_CLASSES, 2},
             {LOSS_CATEGORICAL_CROSSENTROPY, ACTIVATION_SOFTMAX, TANDA_TASK_CLASSES, 18},
             {LOSS_MSE, ACTIVATION_SIGMOID, TANDA_TASK_CLASSES, 1},
             {LOSS_MSE, ACTIVATION_SIGMOID, TANDA_TASK_REGRESSION, 1},
             {LOSS_MSE, ACTIVATION_IDENTITY, TANDA_TASK_REGRESSION, 1}};
#define HEADS (sizeof heads / sizeof *heads)

static network network_with(activation hidden, size_t head, size_t depth) {
    static const size_t widths[] = {5, 17, 16, 3};
    network made = {.rows = 19, .features = 6, .layer_count = depth + 1, .loss = heads[head].loss};
    made.task = heads[head].task;
    for (size_t l = 0; l < depth; l++) {
        made.units[l] = widths[(l + head) % 4]; /* narrow and wide, in every order */
        made.activations[l] = hidden;
    }
    made.units[depth] = heads[head].units;
    made.activations[depth] = heads[head].output;
    return made;
}

static void check_activation(backend *backend, activation hidden) {
    comparison total = {0};
    /* exponentials of exponentials: their bounds would be as great */
    const size_t deepest = hidden == ACTIVATION_EXPONENTIAL ? 1 : MOST_LAYERS - 1;
    for (size_t head = 0; head < HEADS; head++)
        for (size_t depth = hidden == ACTIVATION_IDENTITY ? 0 : 1; depth <= deepest; depth++) {
            network network = network_with(hidden, head, depth);
            check_network(backend, &network, &total);
        }
    cr_log_info("%zu elements checked, %zu skipped at kinks, %zu kinks in the bounds", total.checked,
                total.skipped, total.kinks);
    cr_assert_leq(total.skipped, total.checked / 20, "%zu of %zu are skipped", total.skipped, total.checked);
    tanda_device_close(backend);
}

#define GRADIENT_TEST(name, NAME, FROM) \
    Test(gradients, are_central_differences_with_##name) { \
        check_activation(open_best_openmp(1), ACTIVATION_##NAME); \
    }
ACTIVATION_LIST(GRADIENT_TEST)

Test(gradients, of_gpu_dense_are_central_differences, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    backend *backend = open_opencl(NULL);
    backend->executor = "gpu_dense";
    check_activation(backend, ACTIVATION_TANH);
}
