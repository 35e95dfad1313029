#include "verify/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/plan.h"
#include "support/memory.h"

/* ---- memory -------------------------------------------------------------------------------------------- */

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

/* Those of reference_loss.c. */
static bool loss_has_bounds(const tanda_model *model) {
    return !loss_is_of_output(model) &&
           (model->loss == LOSS_BINARY_CROSSENTROPY || model->loss == LOSS_CATEGORICAL_CROSSENTROPY ||
            model->loss == LOSS_MSE);
}

tanda_status step_reference_create(const tanda_model *model, const arithmetic arithmetic[SIDE_COUNT],
                                   size_t capacity, step_reference *result, tanda_error *error) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i].kind != LAYER_dense)
            return fail(error, TANDA_USAGE,
                        "no bounds are known for the fast mode of %s layers; compare exact with exact",
                        layer_kind_name(model->layers[i].kind));
    if (!loss_has_bounds(model) || model->loss_settings.label_smoothing != 0.0)
        return fail(error, TANDA_USAGE,
                    "no bounds are known for the fast mode of loss %s%s; compare exact with exact",
                    loss_name(model->loss),
                    model->loss_settings.label_smoothing != 0.0 ? " with label smoothing" : "");
    step_reference made = {.model = model, .arithmetic = {arithmetic[SIDE_A], arithmetic[SIDE_B]}};
    tanda_status status = allocate(&made.layers, model->layer_count, sizeof *made.layers, "reference", error);
    for (size_t i = 0; status == TANDA_OK && i < model->layer_count; i++)
        status = make_layer(&model->layers[i], capacity, &made.layers[i], error);
    if (status == TANDA_OK) status = make_bounded(model->features, capacity, &made.input, error);
    if (status == TANDA_OK) status = make_bounded(1, capacity, &made.losses, error);
    if (status == TANDA_OK) status = make_bounded(1, 1, &made.loss_sum, error);
    if (status == TANDA_OK) status = make_bounded(1, 1, &made.correct, error);
    if (status == TANDA_OK) status = allocate(&made.labels, capacity, sizeof(double), "reference", error);
    if (status == TANDA_OK) status = allocate(&made.weights, capacity, sizeof(double), "reference", error);
    if (status == TANDA_OK) status = allocate(&made.line, capacity, sizeof(double), "reference", error);
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
    free(reference->weights);
    free(reference->line);
    *reference = (step_reference){0};
}

/* ---- sums of products ---------------------------------------------------------------------------------- */

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

/* ---- forward ------------------------------------------------------------------------------------------- */

/* A class, or the target as the model learns it. */
static double label_of(const step_reference *reference, const tanda_dataset *dataset, size_t row) {
    const target_scaling *scaling = &reference->model->target_scaling;
    if (dataset->task == TANDA_TASK_CLASSES) return (double)dataset->classes[row];
    float target = dataset->targets[row];
    if (scaling->targets > 0) target_scaling_apply(scaling, &target, 1, &target);
    return (double)target;
}

static void run_dense(step_reference *reference, size_t index) {
    const float *parameters = reference->parameters;
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

/* ---- backward ------------------------------------------------------------------------------------------ */

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
static void run_dense_backward(step_reference *reference, size_t index) {
    const float *parameters = reference->parameters;
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
    const bounded *known = activation_needs_logits(function) ? &layer->logits : &layer->output;
    size_t count = reference->model->layers[index].outputs * reference->rows;
    for (size_t i = 0; i < count; i++) {
        double from = known->value[i], above = layer->output_delta.value[i];
        double slope = slope_of(function, from);
        layer->delta.value[i] = above * slope;
        for (int side = 0; side < SIDE_COUNT; side++) {
            double d = known->bound[side][i];
            bool kink = is_kink(function, from, d);
            layer->delta.bound[side][i] =
                product_bound(fabs(above), layer->output_delta.bound[side][i], fabs(slope),
                              slope_bound(function, from, d, !kink), 2.0) +
                FLUSHED;
            reference->kinks += kink;
        }
    }
}

/* ---- in step with the sides ---------------------------------------------------------------------------- */

void step_reference_begin(step_reference *reference, const float *parameters, const tanda_dataset *dataset,
                          const size_t *row, size_t rows, int leader) {
    reference->parameters = parameters;
    reference->rows = rows;
    reference->leader = leader;
    for (size_t i = 0; i < rows; i++) {
        const float *values = dataset->values + row[i] * dataset->features;
        for (size_t k = 0; k < dataset->features; k++)
            reference->input.value[k * rows + i] = (double)values[k];
        reference->weights[i] = dataset->weights != NULL ? (double)dataset->weights[row[i]] : 1.0;
        reference->labels[i] = label_of(reference, dataset, row[i]);
    }
}

const bounded *step_reference_expect(step_reference *reference, quantity quantity, size_t layer) {
    layer_reference *of_layer = &reference->layers[layer];
    bool last = layer + 1 == reference->model->layer_count;
    switch (quantity) {
    case QUANTITY_INPUT:
        return &reference->input;
    case QUANTITY_LOGITS:
        run_dense(reference, layer);
        return &of_layer->logits;
    case QUANTITY_OUTPUT:
        if (!last) reference_activation(reference, layer);
        return &of_layer->output;
    case QUANTITY_LOSS:
        return &reference->losses;
    case QUANTITY_DELTA_OUTPUT:
        run_dense_backward(reference, layer + 1);
        return &of_layer->output_delta;
    case QUANTITY_DELTA:
        if (!last) run_activation_backward(reference, layer);
        return &of_layer->delta;
    case QUANTITY_LOSS_SUM:
        reference_loss_sum(reference);
        return &reference->loss_sum;
    case QUANTITY_CORRECT:
        return &reference->correct;
    case QUANTITY_WEIGHT_GRADIENT:
        run_gradient(reference, layer);
        return &of_layer->weight_gradient;
    default:
        return &of_layer->bias_gradient; /* made with the weight's */
    }
}

/* The leader's values, and how far the other side's are from them. */
static void take_values(bounded *tensor, size_t units, size_t rows, const float *const values[SIDE_COUNT],
                        int leader) {
    const float *of_leader = values[leader], *of_other = values[SIDE_COUNT - 1 - leader];
    double *other_bound = tensor->bound[SIDE_COUNT - 1 - leader];
    for (size_t row = 0; row < rows; row++)
        for (size_t unit = 0; unit < units; unit++) {
            size_t to = unit * rows + row, from = row * units + unit;
            tensor->value[to] = (double)of_leader[from];
            tensor->bound[leader][to] = 0.0;
            other_bound[to] = fabs((double)of_other[from] - (double)of_leader[from]);
        }
}

void step_reference_observe(step_reference *reference, quantity quantity, size_t layer,
                            const float *const values[SIDE_COUNT]) {
    const tanda_model *model = reference->model;
    layer_reference *of_layer = &reference->layers[layer];
    size_t units = model->layers[layer].outputs, rows = reference->rows;
    bool last = layer + 1 == model->layer_count,
         identity = model->layers[layer].activation == ACTIVATION_IDENTITY;
    bounded *const tensors[] = {[QUANTITY_LOGITS] = &of_layer->logits,
                                [QUANTITY_OUTPUT] = &of_layer->output,
                                [QUANTITY_LOSS] = &reference->losses,
                                [QUANTITY_DELTA_OUTPUT] = &of_layer->output_delta,
                                [QUANTITY_DELTA] = &of_layer->delta};
    if (quantity == QUANTITY_INPUT) return; /* no bound: it is what it should be, or all has failed */
    take_values(tensors[quantity], quantity == QUANTITY_LOSS ? 1 : units, rows, values, reference->leader);
    /* The identity keeps no tensor of its own. */
    if (quantity == QUANTITY_LOGITS && identity)
        take_values(&of_layer->output, units, rows, values, reference->leader);
    if (quantity == QUANTITY_DELTA_OUTPUT && identity)
        take_values(&of_layer->delta, units, rows, values, reference->leader);
    if (quantity == QUANTITY_LOGITS && last) reference_losses(reference);
}
