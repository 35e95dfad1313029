#include "verify/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

/* ---- memory ------------------------------------------------------------------------------------------- */

static tanda_status make_bounded(size_t units, size_t rows, bounded *result, tanda_error *error) {
    if (multiply_overflows(units, rows, &result->count))
        return fail(error, TANDA_FAILED, "reference: %zu x %zu values are too many", units, rows);
    tanda_status status = allocate(&result->value, result->count, sizeof(double), "reference", error);
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++)
        status = allocate(&result->bound[side], result->count, sizeof(double), "reference", error);
    return status;
}

static void free_bounded(bounded *bounded) {
    free(bounded->value);
    for (int side = 0; side < SIDE_COUNT; side++)
        free(bounded->bound[side]);
}

static tanda_status make_layer(const layer *layer, size_t capacity, layer_reference *result,
                               tanda_error *error) {
    bounded *const tensors[] = {&result->logits, &result->output, &result->output_delta, &result->delta};
    tanda_status status = make_bounded(layer->outputs, layer->inputs, &result->weight_gradient, error);
    if (status == TANDA_OK) status = make_bounded(layer->outputs, 1, &result->bias_gradient, error);
    for (size_t i = 0; status == TANDA_OK && i < sizeof tensors / sizeof *tensors; i++)
        status = make_bounded(layer->outputs, capacity, tensors[i], error);
    return status;
}

static tanda_status make_memory(step_reference *reference, size_t capacity, tanda_error *error) {
    const tanda_model *model = reference->model;
    tanda_status status =
        allocate(&reference->layers, model->layer_count, sizeof *reference->layers, "reference", error);
    for (size_t i = 0; status == TANDA_OK && i < model->layer_count; i++)
        status = make_layer(&model->layers[i], capacity, &reference->layers[i], error);
    if (status == TANDA_OK) status = make_bounded(model->features, capacity, &reference->input, error);
    if (status == TANDA_OK) status = make_bounded(1, capacity, &reference->losses, error);
    if (status == TANDA_OK) status = make_bounded(1, 1, &reference->loss_sum, error);
    if (status == TANDA_OK) status = make_bounded(1, 1, &reference->correct, error);
    if (status == TANDA_OK)
        status = allocate(&reference->labels, capacity, sizeof(double), "reference", error);
    if (status == TANDA_OK) status = allocate(&reference->line, capacity, sizeof(double), "reference", error);
    return status;
}

tanda_status step_reference_create(const tanda_model *model, const arithmetic arithmetic[SIDE_COUNT],
                                   size_t capacity, step_reference *result, tanda_error *error) {
    step_reference made = {.model = model, .arithmetic = {arithmetic[SIDE_A], arithmetic[SIDE_B]}};
    tanda_status status = make_memory(&made, capacity, error);
    if (status == TANDA_OK)
        *result = made;
    else
        step_reference_free(&made);
    return status;
}

void step_reference_free(step_reference *reference) {
    for (size_t i = 0; reference->layers != NULL && i < reference->model->layer_count; i++) {
        layer_reference *layer = &reference->layers[i];
        bounded *const arrays[] = {&layer->logits, &layer->output,          &layer->output_delta,
                                   &layer->delta,  &layer->weight_gradient, &layer->bias_gradient};
        for (size_t j = 0; j < sizeof arrays / sizeof *arrays; j++)
            free_bounded(arrays[j]);
    }
    free_bounded(&reference->input);
    free_bounded(&reference->losses);
    free_bounded(&reference->loss_sum);
    free_bounded(&reference->correct);
    free(reference->layers);
    free(reference->labels);
    free(reference->line);
    *reference = (step_reference){0};
}

/* ---- sums of products --------------------------------------------------------------------------------- */

/*
 * result[j] = start[j] + sum over t of lines[t] * factor(t, j), line by line of `rows`. An error d of the lines and
 * n roundings give |A| d + gamma_n (|A| (|a| + d) + |start|), which is (1 + gamma_n) |A| (|a| + d) - |A||a| +
 * gamma_n |start|.
 */
typedef struct product {
    size_t terms, results, rows;
    const bounded *lines;
    const float *factors;
    size_t step, apart; /* factor(t, j) = factors[t * step + j * apart] */
    const float *start; /* NULL: 0 */
    double roundings[SIDE_COUNT];
} product;

static void add_term(const product *product, size_t t, double factor, double *restrict value,
                     double *restrict size, double *restrict wide_a, double *restrict wide_b) {
    const bounded *lines = product->lines;
    const double *restrict line = lines->value + t * product->rows;
    const double *restrict bound_a = lines->bound[SIDE_A] + t * product->rows;
    const double *restrict bound_b = lines->bound[SIDE_B] + t * product->rows;
    double weight = fabs(factor);
    for (size_t row = 0; row < product->rows; row++) {
        double magnitude = fabs(line[row]);
        value[row] += factor * line[row];
        size[row] += weight * magnitude;
        wide_a[row] += weight * (magnitude + bound_a[row]);
        wide_b[row] += weight * (magnitude + bound_b[row]);
    }
}

static void run_product(const step_reference *reference, const product *product, bounded *result) {
    size_t rows = product->rows;
    for (size_t j = 0; j < product->results; j++) {
        double *value = result->value + j * rows, *wide[SIDE_COUNT], *size = reference->line;
        double start = product->start != NULL ? (double)product->start[j] : 0.0;
        for (size_t row = 0; row < rows; row++)
            value[row] = start;
        memset(size, 0, rows * sizeof *size);
        for (int side = 0; side < SIDE_COUNT; side++) {
            wide[side] = result->bound[side] + j * rows;
            memset(wide[side], 0, rows * sizeof *size);
        }
        for (size_t t = 0; t < product->terms; t++)
            add_term(product, t, (double)product->factors[t * product->step + j * product->apart], value,
                     size, wide[SIDE_A], wide[SIDE_B]);
        for (int side = 0; side < SIDE_COUNT; side++) {
            double gamma = gamma_of(product->roundings[side]),
                   lost = (double)(product->terms + 1) * reference->arithmetic[side].underflow;
            for (size_t row = 0; row < rows; row++)
                wide[side][row] += gamma * (wide[side][row] + fabs(start)) - size[row] + lost;
        }
    }
}

/* ---- forward ------------------------------------------------------------------------------------------ */

static void take_rows(step_reference *reference, const tanda_dataset *dataset, const size_t *row) {
    size_t rows = reference->rows;
    for (size_t i = 0; i < rows; i++) {
        const float *values = dataset->values + row[i] * dataset->features;
        for (size_t k = 0; k < dataset->features; k++)
            reference->input.value[k * rows + i] = (double)values[k];
        reference->labels[i] = dataset->task == TANDA_TASK_CLASSES ? (double)dataset->classes[row[i]]
                                                                   : (double)dataset->targets[row[i]];
    }
}

static void run_dense(step_reference *reference, size_t index, const float *parameters) {
    const layer *layer = &reference->model->layers[index];
    product product = {.terms = layer->inputs,
                       .results = layer->outputs,
                       .rows = reference->rows,
                       .lines = index == 0 ? &reference->input : &reference->layers[index - 1].output,
                       .factors = parameters + layer->weight,
                       .step = 1,
                       .apart = layer->inputs,
                       .start = parameters + layer->bias};
    for (int side = 0; side < SIDE_COUNT; side++)
        product.roundings[side] = dense_roundings(&reference->arithmetic[side], layer->inputs);
    run_product(reference, &product, &reference->layers[index].logits);
}

static double activate(activation function, double z) {
    switch (function) {
    case ACTIVATION_IDENTITY:
        return z;
    case ACTIVATION_SIGMOID:
        return 1.0 / (1.0 + exp(-z));
    case ACTIVATION_TANH:
        return tanh(z);
    case ACTIVATION_RELU:
        return z > 0.0 ? z : 0.0;
    default:
        abort();
    }
}

static void run_activation(step_reference *reference, size_t index) {
    const activation function = reference->model->layers[index].activation;
    const bounded *logits = &reference->layers[index].logits;
    bounded *output = &reference->layers[index].output;
    size_t count = reference->model->layers[index].outputs * reference->rows;
    for (size_t i = 0; i < count; i++) {
        output->value[i] = activate(function, logits->value[i]);
        for (int side = 0; side < SIDE_COUNT; side++)
            output->bound[side][i] = activation_bound(&reference->arithmetic[side], function,
                                                      output->value[i], logits->bound[side][i]);
    }
}

/* ---- losses ------------------------------------------------------------------------------------------- */

/* One row's logits; element c of every array is at [c * rows]. */
typedef struct logits_row {
    size_t outputs, rows;
    const double *z;
    const double *bound[SIDE_COUNT];
    double maximum, sum; /* of exp(z - maximum) */
    size_t best;         /* the first class with the maximum */
} logits_row;

static logits_row read_logits(const step_reference *reference, size_t row) {
    size_t last = reference->model->layer_count - 1, rows = reference->rows;
    const bounded *logits = &reference->layers[last].logits;
    logits_row made = {.outputs = reference->model->layers[last].outputs,
                       .rows = rows,
                       .z = logits->value + row,
                       .bound = {logits->bound[SIDE_A] + row, logits->bound[SIDE_B] + row}};
    made.maximum = made.z[0];
    for (size_t c = 1; c < made.outputs; c++)
        if (made.z[c * rows] > made.maximum) {
            made.maximum = made.z[c * rows];
            made.best = c;
        }
    for (size_t c = 0; c < made.outputs; c++)
        made.sum += exp(made.z[c * rows] - made.maximum);
    return made;
}

/* How rounding enters softmax and its loss on one side. */
typedef struct softmax_error {
    double shift; /* the largest error of a logit */
    double sum;   /* relative, of the sum of exponentials, the logits being given */
} softmax_error;

/* A difference t = z - maximum rounds, then exp errs by e ulp, at most 2 e u relative; then C terms are added. */
static double exponential_error(const arithmetic *arithmetic, double t) {
    return UNIT_ROUNDOFF * (fabs(t) + 2.0 * arithmetic->exp);
}

static softmax_error softmax_error_of(const arithmetic *arithmetic, const logits_row *logits, int side) {
    softmax_error made = {0.0, 0.0};
    for (size_t c = 0; c < logits->outputs; c++)
        made.shift = fmax(made.shift, logits->bound[side][c * logits->rows]);
    double total = 0.0;
    for (size_t c = 0; c < logits->outputs; c++) {
        double t = logits->z[c * logits->rows] - logits->maximum;
        double widened = fabs(t) + 2.0 * made.shift;
        total += exp(t) * exponential_error(arithmetic, widened) + 0x1p-126;
    }
    made.sum = expm1(1.01 * (total / logits->sum + gamma_of((double)logits->outputs + 1.0)));
    return made;
}

/*
 * The error of p = exp(z_c - maximum) / sum. Logits that are all within D of z change p and 1 - p by a factor
 * between exp(-2D) and exp(2D).
 */
static double probability_bound(const arithmetic *arithmetic, const softmax_error *error, double p,
                                double t) {
    double moved = fmin(p, 1.0 - p) * expm1(2.0 * error->shift);
    double rounded = exponential_error(arithmetic, fabs(t) + 2.0 * error->shift) + error->sum +
                     UNIT_ROUNDOFF * (2.0 * arithmetic->reciprocal + 1.0);
    return moved + (p + moved) * expm1(1.01 * rounded) + arithmetic->underflow;
}

/* loss = log sum + (maximum - z_y); the logarithm of the softmax changes by at most 2D. */
static double categorical_bound(const arithmetic *arithmetic, const softmax_error *error,
                                const logits_row *logits, double distance) {
    double logarithm = log(logits->sum), moved = 2.0 * error->shift;
    double log_error = 1.01 * error->sum + arithmetic->log * spacing_at(logarithm + moved + error->sum);
    return moved + log_error + UNIT_ROUNDOFF * 2.0 * (distance + logarithm + moved + log_error);
}

static void categorical_row(step_reference *reference, size_t row, const logits_row *logits) {
    size_t last = reference->model->layer_count - 1, rows = reference->rows,
           label = (size_t)reference->labels[row];
    bounded *output = &reference->layers[last].output, *delta = &reference->layers[last].delta;
    double distance = logits->maximum - logits->z[label * rows];
    reference->losses.value[row] = log(logits->sum) + distance;
    for (int side = 0; side < SIDE_COUNT; side++) {
        const arithmetic *arithmetic = &reference->arithmetic[side];
        softmax_error error = softmax_error_of(arithmetic, logits, side);
        reference->losses.bound[side][row] = categorical_bound(arithmetic, &error, logits, distance);
        for (size_t c = 0; c < logits->outputs; c++) {
            size_t i = c * rows + row;
            double t = logits->z[c * rows] - logits->maximum, p = exp(t) / logits->sum;
            output->value[i] = p;
            output->bound[side][i] = probability_bound(arithmetic, &error, p, t);
            delta->value[i] = p - (c == label ? 1.0 : 0.0);
            delta->bound[side][i] = output->bound[side][i] +
                                    UNIT_ROUNDOFF * (fabs(delta->value[i]) + output->bound[side][i]) +
                                    FLUSHED;
        }
    }
}

/* -y log s - (1 - y) log(1 - s) with s the sigmoid of z: softplus of z or -z, whose slope is at most 1. */
static void binary_row(step_reference *reference, size_t row, const logits_row *logits) {
    size_t last = reference->model->layer_count - 1;
    const bounded *output = &reference->layers[last].output;
    bounded *delta = &reference->layers[last].delta;
    double wrong = reference->labels[row] > 0.5 ? -logits->z[0] : logits->z[0];
    double loss = (wrong > 0.0 ? wrong : 0.0) + log1p(exp(-fabs(wrong)));
    reference->losses.value[row] = loss;
    delta->value[row] = output->value[row] - reference->labels[row];
    for (int side = 0; side < SIDE_COUNT; side++) {
        const arithmetic *arithmetic = &reference->arithmetic[side];
        double d = logits->bound[side][0], of_output = output->bound[side][row];
        reference->losses.bound[side][row] = d + arithmetic->softplus * spacing_at(loss + d) + 0x1p-126;
        delta->bound[side][row] = of_output + UNIT_ROUNDOFF * (fabs(delta->value[row]) + of_output) + FLUSHED;
    }
}

/* (a + da)(b + db)(1 + roundings u) - a b, for |a|, |b| and their bounds. */
static double product_bound(double a, double da, double b, double db, double roundings) {
    return (a + da) * (b + db) * (1.0 + roundings * UNIT_ROUNDOFF) - a * b;
}

static void squared_row(step_reference *reference, size_t row) {
    size_t last = reference->model->layer_count - 1;
    const activation function = reference->model->layers[last].activation;
    const bounded *output = &reference->layers[last].output;
    bounded *delta = &reference->layers[last].delta;
    double o = output->value[row], difference = o - reference->labels[row], slope = slope_of(function, o);
    reference->losses.value[row] = difference * difference;
    delta->value[row] = 2.0 * difference * slope;
    for (int side = 0; side < SIDE_COUNT; side++) {
        double d = output->bound[side][row], size = fabs(difference);
        double error = d + UNIT_ROUNDOFF * (size + d);
        reference->losses.bound[side][row] = product_bound(size, error, size, error, 2.0) + 0x1p-126;
        delta->bound[side][row] =
            product_bound(2.0 * size, 2.0 * error, slope, slope_bound(function, o, d, true), 2.0) + FLUSHED;
    }
}

/* Whether this row's class is right, and whether rounding on a side could change that. */
static void count_correct(step_reference *reference, size_t row, const logits_row *logits) {
    const tanda_model *model = reference->model;
    const double label = reference->labels[row];
    bool undecided[SIDE_COUNT] = {false, false};
    if (model->task != TANDA_TASK_CLASSES) return;
    if (logits->outputs == 1) {
        bool identity = model->layers[model->layer_count - 1].activation == ACTIVATION_IDENTITY;
        double margin = logits->z[0] - (identity ? 0.5 : 0.0);
        reference->correct.value[0] += (margin > 0.0) == (label > 0.5);
        for (int side = 0; side < SIDE_COUNT; side++)
            undecided[side] = fabs(margin) <= logits->bound[side][0];
    } else {
        reference->correct.value[0] += (double)logits->best == label;
        for (int side = 0; side < SIDE_COUNT; side++)
            for (size_t c = 0; c < logits->outputs; c++)
                if (c != logits->best && logits->maximum - logits->z[c * logits->rows] <=
                                             logits->bound[side][logits->best * logits->rows] +
                                                 logits->bound[side][c * logits->rows])
                    undecided[side] = true;
    }
    for (int side = 0; side < SIDE_COUNT; side++)
        reference->correct.bound[side][0] += undecided[side];
}

static void run_losses(step_reference *reference) {
    const tanda_model *model = reference->model;
    bounded *sum = &reference->loss_sum, *correct = &reference->correct;
    if (model->loss != LOSS_CATEGORICAL_CROSSENTROPY) run_activation(reference, model->layer_count - 1);
    sum->value[0] = correct->value[0] = 0.0;
    for (int side = 0; side < SIDE_COUNT; side++)
        sum->bound[side][0] = correct->bound[side][0] = 0.0;
    for (size_t row = 0; row < reference->rows; row++) {
        logits_row logits = read_logits(reference, row);
        if (model->loss == LOSS_CATEGORICAL_CROSSENTROPY)
            categorical_row(reference, row, &logits);
        else if (model->loss == LOSS_BINARY_CROSSENTROPY)
            binary_row(reference, row, &logits);
        else
            squared_row(reference, row);
        count_correct(reference, row, &logits);
        sum->value[0] += reference->losses.value[row];
        for (int side = 0; side < SIDE_COUNT; side++)
            sum->bound[side][0] += reference->losses.bound[side][row];
    }
    for (int side = 0; side < SIDE_COUNT;
         side++) /* losses are not negative: their sum is that of their sizes */
        sum->bound[side][0] += gamma_of(lane_roundings(&reference->arithmetic[side], reference->rows)) *
                               (sum->value[0] + sum->bound[side][0]);
}

/* ---- backward ----------------------------------------------------------------------------------------- */

/* The mean over the rows: (sum)(1 / B), both rounded, flushed below 2^-100. */
static void finish_gradient(const step_reference *reference, bounded *gradient, size_t i, double size,
                            const double wide[SIDE_COUNT], size_t outputs) {
    double rows = (double)reference->rows, value = gradient->value[i] / rows;
    for (int side = 0; side < SIDE_COUNT; side++) {
        const arithmetic *arithmetic = &reference->arithmetic[side];
        double gamma = gamma_of(gradient_roundings(arithmetic, reference->rows, outputs));
        double error = (wide[side] * (1.0 + gamma) - size) / rows + rows * arithmetic->underflow;
        gradient->bound[side][i] = error + 2.01 * UNIT_ROUNDOFF * (fabs(value) + error) + FLUSHED;
    }
    gradient->value[i] = value;
}

/* One element of dW = delta^T a: d and a are lines of rows. */
static void weight_gradient(const step_reference *reference, bounded *gradient, size_t i,
                            const bounded *deltas, size_t h, const bounded *inputs, size_t k,
                            size_t outputs) {
    size_t rows = reference->rows;
    const double *d = deltas->value + h * rows, *a = inputs->value + k * rows;
    const double *da = deltas->bound[SIDE_A] + h * rows, *aa = inputs->bound[SIDE_A] + k * rows;
    const double *db = deltas->bound[SIDE_B] + h * rows, *ab = inputs->bound[SIDE_B] + k * rows;
    double sum = 0.0, size = 0.0, wide_a = 0.0, wide_b = 0.0;
#pragma omp simd reduction(+ : sum, size, wide_a, wide_b)
    for (size_t row = 0; row < rows; row++) {
        double of_delta = fabs(d[row]), of_input = fabs(a[row]);
        sum += d[row] * a[row];
        size += of_delta * of_input;
        wide_a += (of_delta + da[row]) * (of_input + aa[row]);
        wide_b += (of_delta + db[row]) * (of_input + ab[row]);
    }
    const double wide[SIDE_COUNT] = {wide_a, wide_b};
    gradient->value[i] = sum;
    finish_gradient(reference, gradient, i, size, wide, outputs);
}

static void bias_gradient(const step_reference *reference, bounded *gradient, size_t h,
                          const bounded *deltas) {
    size_t rows = reference->rows;
    double sum = 0.0, size = 0.0, wide[SIDE_COUNT] = {0.0, 0.0};
    for (size_t row = 0; row < rows; row++) {
        double delta = deltas->value[h * rows + row];
        sum += delta;
        size += fabs(delta);
        for (int side = 0; side < SIDE_COUNT; side++)
            wide[side] += fabs(delta) + deltas->bound[side][h * rows + row];
    }
    gradient->value[h] = sum;
    finish_gradient(reference, gradient, h, size, wide, 1); /* biases are always summed in lanes */
}

static void run_gradient(step_reference *reference, size_t index) {
    const layer *layer = &reference->model->layers[index];
    layer_reference *of_layer = &reference->layers[index];
    const bounded *inputs = index == 0 ? &reference->input : &reference->layers[index - 1].output;
    for (size_t h = 0; h < layer->outputs; h++) {
        bias_gradient(reference, &of_layer->bias_gradient, h, &of_layer->delta);
        for (size_t k = 0; k < layer->inputs; k++)
            weight_gradient(reference, &of_layer->weight_gradient, h * layer->inputs + k, &of_layer->delta, h,
                            inputs, k, layer->outputs);
    }
}

/* d loss / d output of the layer below. */
static void run_dense_backward(step_reference *reference, size_t index, const float *parameters) {
    const layer *layer = &reference->model->layers[index];
    bounded *result = &reference->layers[index - 1].output_delta;
    product product = {.terms = layer->outputs,
                       .results = layer->inputs,
                       .rows = reference->rows,
                       .lines = &reference->layers[index].delta,
                       .factors = parameters + layer->weight,
                       .step = layer->inputs,
                       .apart = 1};
    for (int side = 0; side < SIDE_COUNT; side++)
        product.roundings[side] = dense_roundings(&reference->arithmetic[side], layer->outputs);
    run_product(reference, &product, result);
    for (int side = 0; side < SIDE_COUNT; side++)
        for (size_t i = 0; i < layer->inputs * reference->rows; i++)
            result->bound[side][i] += FLUSHED;
}

static void run_activation_backward(step_reference *reference, size_t index) {
    const activation function = reference->model->layers[index].activation;
    layer_reference *layer = &reference->layers[index];
    size_t count = reference->model->layers[index].outputs * reference->rows;
    for (size_t i = 0; i < count; i++) {
        double slope = slope_of(function, layer->output.value[i]), above = layer->output_delta.value[i];
        bool kink = false;
        layer->delta.value[i] = above * slope;
        for (int side = 0; side < SIDE_COUNT; side++) {
            bool decided = fabs(layer->logits.value[i]) > layer->logits.bound[side][i];
            double error =
                slope_bound(function, layer->output.value[i], layer->output.bound[side][i], decided);
            kink = kink || !decided;
            layer->delta.bound[side][i] =
                product_bound(fabs(above), layer->output_delta.bound[side][i], slope, error, 2.0) + FLUSHED;
        }
        reference->kinks += kink && function == ACTIVATION_RELU;
    }
}

void step_reference_run(step_reference *reference, const float *parameters, const tanda_dataset *dataset,
                        const size_t *row, size_t rows) {
    size_t last = reference->model->layer_count - 1;
    reference->rows = rows;
    take_rows(reference, dataset, row);
    for (size_t i = 0; i <= last; i++) {
        run_dense(reference, i, parameters);
        if (i < last) run_activation(reference, i);
    }
    run_losses(reference);
    for (size_t i = last + 1; i-- > 0;) {
        run_gradient(reference, i);
        if (i == 0) break;
        run_dense_backward(reference, i, parameters);
        run_activation_backward(reference, i - 1);
    }
}
