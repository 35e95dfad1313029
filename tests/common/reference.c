#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double *reference_array(size_t count) {
    double *made = calloc(count > 0 ? count : 1, sizeof *made);
    if (made == NULL) abort();
    return made;
}

double *reference_widen(const float *values, size_t count) {
    double *made = reference_array(count);
    for (size_t i = 0; i < count; i++)
        made[i] = (double)values[i];
    return made;
}

double *reference_magnitudes(const double *values, size_t count) {
    double *made = reference_array(count);
    for (size_t i = 0; i < count; i++)
        made[i] = fabs(values[i]);
    return made;
}

void reference_dense(size_t rows, size_t K, size_t H, const double *a, const double *w, const double *b,
                     double *z) {
    for (size_t row = 0; row < rows; row++)
        for (size_t h = 0; h < H; h++) {
            double sum = b[h];
            for (size_t k = 0; k < K; k++)
                sum += a[row * K + k] * w[h * K + k];
            z[row * H + h] = sum;
        }
}

void reference_dense_backward(size_t rows, size_t K, size_t H, const double *delta, const double *w,
                              double *result) {
    memset(result, 0, rows * K * sizeof *result);
    for (size_t row = 0; row < rows; row++)
        for (size_t h = 0; h < H; h++)
            for (size_t k = 0; k < K; k++)
                result[row * K + k] += delta[row * H + h] * w[h * K + k];
}

void reference_dense_gradient(size_t rows, size_t K, size_t H, const double *a, const double *delta,
                              double *dw, double *db) {
    memset(dw, 0, H * K * sizeof *dw);
    memset(db, 0, H * sizeof *db);
    for (size_t row = 0; row < rows; row++)
        for (size_t h = 0; h < H; h++) {
            double d = delta[row * H + h];
            db[h] += d;
            for (size_t k = 0; k < K; k++)
                dw[h * K + k] += a[row * K + k] * d;
        }
}

double reference_activate(activation function, double z) {
    switch (function) {
    case ACTIVATION_IDENTITY:
        return z;
    case ACTIVATION_SIGMOID:
        return 1.0 / (1.0 + exp(-z));
    case ACTIVATION_TANH:
        return tanh(z);
    case ACTIVATION_RELU:
        return z > 0.0 ? z : 0.0;
    case ACTIVATION_LEAKY_RELU:
        return z > 0.0 ? z : 0.2 * z;
    case ACTIVATION_ELU:
        return z > 0.0 ? z : expm1(z);
    case ACTIVATION_SELU:
        return 1.0507009873554805 * (z > 0.0 ? z : 1.6732632423543772 * expm1(z));
    case ACTIVATION_GELU:
        return z * 0.5 * (1.0 + erf(z / sqrt(2.0)));
    case ACTIVATION_SWISH:
        return z / (1.0 + exp(-z));
    case ACTIVATION_SOFTPLUS:
        return z > 0.0 ? z + log1p(exp(-z)) : log1p(exp(z));
    case ACTIVATION_SOFTSIGN:
        return z / (1.0 + fabs(z));
    case ACTIVATION_HARD_SIGMOID:
        return z < -3.0 ? 0.0 : z > 3.0 ? 1.0 : z / 6.0 + 0.5;
    case ACTIVATION_EXPONENTIAL:
        return exp(z);
    default:
        abort();
    }
}

double reference_slope(activation function, double z) {
    double f = reference_activate(function, z);
    switch (function) {
    case ACTIVATION_IDENTITY:
        return 1.0;
    case ACTIVATION_SIGMOID:
        return f * (1.0 - f);
    case ACTIVATION_TANH:
        return 1.0 - f * f;
    case ACTIVATION_RELU:
        return z > 0.0 ? 1.0 : 0.0;
    case ACTIVATION_LEAKY_RELU:
        return z > 0.0 ? 1.0 : 0.2;
    case ACTIVATION_ELU:
        return z > 0.0 ? 1.0 : exp(z);
    case ACTIVATION_SELU:
        return z > 0.0 ? 1.0507009873554805 : 1.0507009873554805 * 1.6732632423543772 * exp(z);
    case ACTIVATION_GELU:
        return 0.5 * (1.0 + erf(z / sqrt(2.0))) + z * exp(-0.5 * z * z) / sqrt(2.0 * acos(-1.0));
    case ACTIVATION_SWISH: {
        double s = 1.0 / (1.0 + exp(-z));
        return s * (1.0 + z * (1.0 - s));
    }
    case ACTIVATION_SOFTPLUS:
        return 1.0 / (1.0 + exp(-z));
    case ACTIVATION_SOFTSIGN:
        return 1.0 / ((1.0 + fabs(z)) * (1.0 + fabs(z)));
    case ACTIVATION_HARD_SIGMOID:
        return fabs(z) < 3.0 ? 1.0 / 6.0 : 0.0;
    case ACTIVATION_EXPONENTIAL:
        return f;
    default:
        abort();
    }
}

double reference_kink_distance(activation function, double z) {
    switch (function) {
    case ACTIVATION_RELU:
    case ACTIVATION_LEAKY_RELU:
    case ACTIVATION_ELU: /* of f'' alone */
    case ACTIVATION_SELU:
        return fabs(z);
    case ACTIVATION_HARD_SIGMOID:
        return fabs(fabs(z) - 3.0);
    default:
        return INFINITY;
    }
}

bool reference_crosses_kink(activation function, double from, double to) {
    if (isinf(reference_kink_distance(function, from))) return false;
    if (function == ACTIVATION_HARD_SIGMOID)
        return (fabs(from) < 3.0) != (fabs(to) < 3.0) || (from > 0.0) != (to > 0.0);
    return (from > 0.0) != (to > 0.0);
}

static double largest(size_t count, const double *values) {
    double maximum = values[0];
    for (size_t i = 1; i < count; i++)
        maximum = values[i] > maximum ? values[i] : maximum;
    return maximum;
}

void reference_softmax(size_t H, const double *z, double *p) {
    double maximum = largest(H, z), sum = 0.0;
    for (size_t h = 0; h < H; h++)
        sum += p[h] = exp(z[h] - maximum);
    for (size_t h = 0; h < H; h++)
        p[h] /= sum;
}

/* -log softmax(z)[y] = log(sum exp z) - z[y] */
static double categorical_loss(size_t H, const double *z, size_t y, double *delta) {
    double maximum = largest(H, z), sum = 0.0;
    for (size_t h = 0; h < H; h++)
        sum += exp(z[h] - maximum);
    if (delta != NULL) {
        reference_softmax(H, z, delta);
        delta[y] -= 1.0;
    }
    return log(sum) + (maximum - z[y]);
}

/* -y log s - (1 - y) log(1 - s) with s the sigmoid of z */
static double binary_loss(double z, double y, double *delta) {
    if (delta != NULL) *delta = reference_activate(ACTIVATION_SIGMOID, z) - y;
    double wrong = y > 0.5 ? -z : z;
    return (wrong > 0.0 ? wrong : 0.0) + log1p(exp(-fabs(z)));
}

static double squared_loss(activation function, double z, double y, double *delta) {
    double difference = reference_activate(function, z) - y;
    if (delta != NULL) *delta = 2.0 * difference * reference_slope(function, z);
    return difference * difference;
}

double reference_loss(loss loss, activation function, size_t H, const double *z, double y, double *delta) {
    switch (loss) {
    case LOSS_BINARY_CROSSENTROPY:
        return binary_loss(z[0], y, delta);
    case LOSS_CATEGORICAL_CROSSENTROPY:
        return categorical_loss(H, z, (size_t)y, delta);
    case LOSS_MSE:
        return squared_loss(function, z[0], y, delta);
    default:
        abort();
    }
}

/* An element loss of output o and target y, as Keras writes it, and its derivative by o. */
static double element_loss(loss loss, double o, double y, double parameter, double *slope) {
    double x = o - y;
    switch (loss) {
    case LOSS_BINARY_CROSSENTROPY: { /* of a logit o, with half of a label's smoothing */
        const double label = y > 0.5 ? 1.0 - parameter : parameter;
        *slope = 1.0 / (1.0 + exp(-o)) - label;
        return (o > 0.0 ? o : 0.0) + log1p(exp(-fabs(o))) - label * o;
    }
    case LOSS_MSE:
        *slope = 2.0 * x;
        return x * x;
    case LOSS_MAE:
        *slope = (x > 0.0) - (x < 0.0);
        return fabs(x);
    case LOSS_HUBER:
        *slope = fmin(fmax(x, -parameter), parameter);
        return fabs(x) <= parameter ? 0.5 * x * x : parameter * fabs(x) - 0.5 * parameter * parameter;
    case LOSS_LOG_COSH:
        *slope = tanh(x);
        return log(cosh(x));
    case LOSS_POISSON:
        *slope = 1.0 - y / (o + 1e-7);
        return o - y * log(o + 1e-7);
    case LOSS_HINGE:
        *slope = 1.0 - y * o > 0.0 ? -y : 0.0;
        return fmax(1.0 - y * o, 0.0);
    case LOSS_SQUARED_HINGE:
        *slope = -2.0 * y * fmax(1.0 - y * o, 0.0);
        return fmax(1.0 - y * o, 0.0) * fmax(1.0 - y * o, 0.0);
    default:
        abort();
    }
}

double reference_element(loss loss, double o, double y, double parameter, double *slope) {
    return element_loss(loss, o, y, parameter, slope);
}

/* The mean over several labels; y has a bit for each. */
static double loss_of_labels(const tanda_model *model, size_t H, const double *z, double y, double *delta) {
    const unsigned long bits = (unsigned long)y;
    double sum = 0.0;
    for (size_t h = 0; h < H; h++) {
        double slope = 0.0;
        sum += element_loss(LOSS_BINARY_CROSSENTROPY, z[h], (double)(bits >> h & 1),
                            model->loss_settings.label_smoothing / 2.0, &slope);
        delta[h] = slope / (double)H;
    }
    return sum / (double)H;
}

/* The mean over the outputs; classes are 1 for a row's own output and 0, or -1 for hinges, for the others. */
static double loss_of_elements(const tanda_model *model, size_t H, const double *z, double y, double *delta) {
    const activation function = model->layers[model->layer_count - 1].activation;
    const bool classes = model->task == TANDA_TASK_CLASSES;
    const double other = model->loss == LOSS_HINGE || model->loss == LOSS_SQUARED_HINGE ? -1.0 : 0.0;
    const double huber = model->loss_settings.huber_delta == 0.0 ? 1.0 : model->loss_settings.huber_delta;
    double sum = 0.0;
    for (size_t h = 0; h < H; h++) {
        bool own = H == 1 ? y == 1.0 : y == (double)h;
        double slope, target = !classes ? y : own ? 1.0 : other;
        sum += element_loss(model->loss, reference_activate(function, z[h]), target, huber, &slope);
        delta[h] = slope * reference_slope(function, z[h]) / (double)H;
    }
    return sum / (double)H;
}

/* Cross-entropy or divergence of p from labels y (1 - S) + S / C, where binary means C = 2 and p = {1 - s, s}. */
static double smoothed_loss(const tanda_model *model, size_t H, const double *z, double y, double *delta) {
    const double smoothing = model->loss_settings.label_smoothing;
    double loss = 0.0, pair[2] = {0.0, z[0]}, *p = reference_array(H + 1);
    const size_t C = H == 1 ? 2 : H;
    reference_softmax(C, H == 1 ? pair : z, p);
    for (size_t c = 0; c < C; c++) {
        double label = (y == (double)c ? 1.0 - smoothing : 0.0) + smoothing / (double)C;
        loss -= label * log(p[c]);
        if (model->loss == LOSS_KL_DIVERGENCE && label > 0.0) loss += label * log(label);
        if (H > 1) delta[c] = p[c] - label;
        if (H == 1 && c == 1) delta[0] = p[1] - label;
    }
    free(p);
    return loss;
}

double reference_model_loss(const tanda_model *model, size_t H, const double *z, double y, double *delta) {
    const activation function = model->layers[model->layer_count - 1].activation;
    if (model->task == TANDA_TASK_LABELS) return loss_of_labels(model, H, z, y, delta);
    switch (model->loss) {
    case LOSS_BINARY_CROSSENTROPY:
    case LOSS_CATEGORICAL_CROSSENTROPY:
    case LOSS_KL_DIVERGENCE:
        if (model->loss_settings.label_smoothing > 0.0 || model->loss == LOSS_KL_DIVERGENCE)
            return smoothed_loss(model, H, z, y, delta);
        return reference_loss(model->loss, function, H, z, y, delta);
    default:
        return loss_of_elements(model, H, z, y, delta);
    }
}

static double **pointers(size_t count) {
    double **made = calloc(count, sizeof *made);
    if (made == NULL) abort();
    return made;
}

static void forward(reference *result, const tanda_model *model, const double *parameters, size_t rows,
                    const double *values) {
    const double *a = values;
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        size_t count = rows * layer->outputs;
        result->logits[i] = reference_array(count);
        reference_dense(rows, layer->inputs, layer->outputs, a, parameters + layer->weight,
                        parameters + layer->bias, result->logits[i]);
        if (i + 1 == model->layer_count) return;
        result->outputs[i] = reference_array(count);
        for (size_t j = 0; j < count; j++)
            result->outputs[i][j] = reference_activate(layer->activation, result->logits[i][j]);
        a = result->outputs[i];
    }
}

static void lose(reference *result, const tanda_model *model, size_t rows, const double *labels) {
    size_t last = model->layer_count - 1, H = model->layers[last].outputs;
    result->deltas[last] = reference_array(rows * H);
    result->losses = reference_array(rows);
    for (size_t row = 0; row < rows; row++) {
        result->losses[row] = reference_model_loss(model, H, result->logits[last] + row * H, labels[row],
                                                   result->deltas[last] + row * H);
        result->loss += result->losses[row];
    }
}

static void backward(reference *result, const tanda_model *model, const double *parameters, size_t rows,
                     const double *values) {
    result->gradient = reference_array(model->parameter_count);
    for (size_t i = model->layer_count; i-- > 0;) {
        const layer *layer = &model->layers[i];
        reference_dense_gradient(rows, layer->inputs, layer->outputs, i > 0 ? result->outputs[i - 1] : values,
                                 result->deltas[i], result->gradient + layer->weight,
                                 result->gradient + layer->bias);
        if (i == 0) return;
        size_t count = rows * layer->inputs;
        double *of_output = reference_array(count), *delta = reference_array(count);
        reference_dense_backward(rows, layer->inputs, layer->outputs, result->deltas[i],
                                 parameters + layer->weight, of_output);
        for (size_t j = 0; j < count; j++)
            delta[j] =
                of_output[j] * reference_slope(model->layers[i - 1].activation, result->logits[i - 1][j]);
        result->output_deltas[i - 1] = of_output;
        result->deltas[i - 1] = delta;
    }
}

static reference reference_begin(const tanda_model *model) {
    size_t count = model->layer_count;
    return (reference){.layer_count = count,
                       .logits = pointers(count),
                       .outputs = pointers(count),
                       .output_deltas = pointers(count),
                       .deltas = pointers(count)};
}

reference reference_run(const tanda_model *model, const double *parameters, size_t rows, const double *values,
                        const double *labels) {
    reference result = reference_begin(model);
    forward(&result, model, parameters, rows, values);
    lose(&result, model, rows, labels);
    backward(&result, model, parameters, rows, values);
    return result;
}

void reference_free(reference *reference) {
    double **const lists[] = {reference->logits, reference->outputs, reference->output_deltas,
                              reference->deltas};
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++) {
        for (size_t i = 0; i < reference->layer_count; i++)
            free(lists[list][i]);
        free(lists[list]);
    }
    free(reference->losses);
    free(reference->gradient);
}
