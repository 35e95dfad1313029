#include "verify/difference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/plan.h"
#include "support/memory.h"
#include "verify/bounds.h"

#define STEP_SIZE 0x1p-17    /* near the third root of binary64's precision */
#define LOST_OF_LOSS 0x1p-32 /* what rounding of a loss of 1 does to a difference of that size */
#define LOST_OF_SINGLE \
    0x1p-19 /* of the scale of a derivative: some roundings of binary32 one after the other */

/* What is moved a little: a parameter, or a logit or output of one row. */
typedef enum place_kind { PLACE_PARAMETER, PLACE_LOGIT, PLACE_OUTPUT } place_kind;

typedef struct nudge {
    place_kind kind;
    size_t layer, unit; /* of a logit or output; unit: of a parameter, too */
    double size;
} nudge;

typedef struct network {
    const tanda_model *model;
    const difference_rows *rows;
    double *parameters;
    double *lines[2]; /* of the widest layer */
    double *outputs;  /* of the last one */
    double *scales;   /* (layers): what roundings of a layer's deltas are measured by */
} network;

/* ---- losses ---------------------------------------------------------------------------------------------- */

/* Whether the loss is a function of the outputs and not of the logits. */
static bool is_of_output(const tanda_model *model) {
    return model->loss != LOSS_BINARY_CROSSENTROPY && model->loss != LOSS_CATEGORICAL_CROSSENTROPY &&
           model->loss != LOSS_KL_DIVERGENCE;
}

/* One class of two: 1 or 0; of several: 1 for its own output. Margins have -1 for 0. */
float difference_label(const tanda_model *model, const tanda_dataset *dataset, size_t row, size_t output) {
    const size_t outputs = model_outputs(model);
    if (model->task != TANDA_TASK_CLASSES) return dataset->targets[row * dataset->target_count + output];
    const size_t class = (size_t)dataset->classes[row];
    const bool is_margin = model->loss == LOSS_HINGE || model->loss == LOSS_SQUARED_HINGE;
    return class == (outputs == 1 ? 1 : output) ? 1.0f : is_margin ? -1.0f : 0.0f;
}

/* Of an output and its target. */
static double element(const tanda_model *model, double output, double y) {
    const double x = output - y, size = fabs(x), margin = fmax(1.0 - y * output, 0.0);
    const double delta = model->loss_settings.huber_delta == 0.0 ? 1.0 : model->loss_settings.huber_delta;
    switch (model->loss) {
    case LOSS_MSE:
        return x * x;
    case LOSS_MAE:
        return size;
    case LOSS_HUBER:
        return size <= delta ? 0.5 * x * x : delta * (size - 0.5 * delta);
    case LOSS_LOG_COSH:
        return size + log1p(exp(-2.0 * size)) - log(2.0);
    case LOSS_POISSON:
        return output - y * log(output + 1e-7);
    case LOSS_HINGE:
        return margin;
    case LOSS_SQUARED_HINGE:
        return margin * margin;
    default:
        return NAN;
    }
}

/* A label of 0 or 1 among `classes`, smoothed. */
static double smoothed(const tanda_model *model, double y, size_t classes) {
    const double smoothing = model->loss_settings.label_smoothing;
    return y * (1.0 - smoothing) + smoothing / (double)classes;
}

/* -y log s(z) - (1 - y) log(1 - s(z)), the mean over the logits. */
static double binary_loss(const tanda_model *model, const double *logits, const float *labels,
                          size_t outputs) {
    double sum = 0.0;
    for (size_t i = 0; i < outputs; i++)
        sum += fmax(logits[i], 0.0) + log1p(exp(-fabs(logits[i]))) -
               smoothed(model, (double)labels[i], 2) * logits[i];
    return sum / (double)outputs;
}

static double categorical_loss(const tanda_model *model, const double *logits, const float *labels,
                               size_t outputs) {
    double most = logits[0], sum = 0.0, loss = 0.0;
    for (size_t i = 1; i < outputs; i++)
        most = fmax(most, logits[i]);
    for (size_t i = 0; i < outputs; i++)
        sum += exp(logits[i] - most);
    for (size_t i = 0; i < outputs; i++) {
        const double y = smoothed(model, (double)labels[i], outputs);
        loss += y * (log(sum) + most - logits[i]);
        if (model->loss == LOSS_KL_DIVERGENCE && y > 0.0) loss += y * log(y);
    }
    return loss;
}

static double elements_loss(const tanda_model *model, const double *values, const float *labels,
                            size_t outputs) {
    double sum = 0.0;
    for (size_t i = 0; i < outputs; i++)
        sum += element(model, values[i], (double)labels[i]);
    return sum / (double)outputs;
}

bool difference_is_known(const tanda_model *model) {
    return !is_of_output(model) || !isnan(element(model, 0.5, 1.0));
}

/* ---- the network ----------------------------------------------------------------------------------------- */

static void run_layer(const network *network, size_t index, const double *inputs, double *logits) {
    const layer *layer = &network->model->layers[index];
    for (size_t unit = 0; unit < layer->outputs; unit++) {
        const double *weights = network->parameters + layer->weight + unit * layer->fan_in;
        logits[unit] = network->parameters[layer->bias + unit];
        for (size_t k = 0; k < layer->fan_in; k++)
            logits[unit] += weights[k] * inputs[k];
    }
}

/* The nudge, where it is one of this kind and layer. */
static void move(const nudge *nudge, place_kind kind, size_t layer, double *values) {
    if (nudge != NULL && nudge->kind == kind && nudge->layer == layer) values[nudge->unit] += nudge->size;
}

static double row_loss(const network *network, size_t row, const nudge *nudge) {
    const tanda_model *model = network->model;
    const difference_rows *rows = network->rows;
    const size_t outputs = model_outputs(model);
    const float *labels = rows->labels + row * outputs;
    double *inputs = network->lines[0], *values = network->lines[1], *swap = NULL;
    for (size_t k = 0; k < model->features; k++)
        inputs[k] = (double)rows->inputs[row * model->features + k];
    for (size_t i = 0; i < model->layer_count; i++, swap = inputs, inputs = values, values = swap) {
        run_layer(network, i, inputs, values);
        move(nudge, PLACE_LOGIT, i, values);
        if (i + 1 == model->layer_count && !is_of_output(model)) continue;
        for (size_t unit = 0; unit < model->layers[i].outputs; unit++)
            values[unit] = activation_value(model->layers[i].activation, values[unit]);
        move(nudge, PLACE_OUTPUT, i, values);
    }
    memcpy(network->outputs, inputs, outputs * sizeof *inputs);
    const double weight = rows->weights != NULL ? (double)rows->weights[row] : 1.0;
    if (is_of_output(model)) return weight * elements_loss(model, inputs, labels, outputs);
    if (model->loss == LOSS_BINARY_CROSSENTROPY) return weight * binary_loss(model, inputs, labels, outputs);
    return weight * categorical_loss(model, inputs, labels, outputs);
}

/* The loss with something moved: of one row, or of a parameter the mean over all. */
static double loss_at(const network *network, size_t row, const nudge *nudge, double size) {
    struct nudge moved = *nudge;
    moved.size = size;
    if (nudge->kind != PLACE_PARAMETER) return row_loss(network, row, &moved);
    const double kept = network->parameters[nudge->unit];
    double sum = 0.0;
    network->parameters[nudge->unit] = kept + size;
    for (size_t i = 0; i < network->rows->rows; i++)
        sum += row_loss(network, i, NULL);
    network->parameters[nudge->unit] = kept;
    return sum / (double)network->rows->rows;
}

/* ---- one derivative -------------------------------------------------------------------------------------- */

static derivative_verdict judge(const derivative *derivative, double left, double right) {
    const double value = (double)derivative->value, allowed = derivative->allowed;
    if (fabs(value - derivative->difference) <= allowed) return DERIVATIVE_AGREES;
    const bool is_between = value >= fmin(left, right) - allowed && value <= fmax(left, right) + allowed;
    return is_between ? DERIVATIVE_CORNER : DERIVATIVE_DIFFERS;
}

/* at: the value of what is moved; scale: of what is added up to the derivative. */
static void check_one(const network *network, size_t row, const nudge *nudge, double at, double scale,
                      derivative *derivative) {
    const double h = STEP_SIZE * fmax(1.0, fabs(at));
    const double here = loss_at(network, row, nudge, 0.0);
    const double above = loss_at(network, row, nudge, h), below = loss_at(network, row, nudge, -h);
    const double near = (above - below) / (2.0 * h);
    const double wide =
        (loss_at(network, row, nudge, 2.0 * h) - loss_at(network, row, nudge, -2.0 * h)) / (4.0 * h);
    derivative->difference = near + (near - wide) / 3.0;
    derivative->allowed = fabs(near - wide) + LOST_OF_LOSS * fabs(here) +
                          LOST_OF_SINGLE * (fabs(derivative->difference) + scale);
    derivative->verdict = judge(derivative, (here - below) / h, (above - here) / h);
}

/* ---- all of them ----------------------------------------------------------------------------------------- */

/* A delta of the last layer is a difference of outputs and labels; one below is a sum of products of those above. */
static void find_scales(const network *network, const trace *trace) {
    const tanda_model *model = network->model;
    const size_t last = model->layer_count - 1, outputs = model_outputs(model);
    double most = 1.0;
    for (size_t row = 0; row < network->rows->rows; row++) {
        row_loss(network, row, NULL);
        for (size_t i = 0; i < outputs; i++)
            most = fmax(most, fmax(fabs(network->outputs[i]),
                                   fabs((double)network->rows->labels[row * outputs + i])));
    }
    for (size_t i = 0; i < outputs; i++)
        most = fmax(most, fabs((double)trace->layers[last].delta[i].value));
    network->scales[last] = most;
    for (size_t i = last; i-- > 0;) {
        const layer *above = &model->layers[i + 1];
        double largest = 0.0;
        for (size_t k = 0; k < above->outputs * above->fan_in; k++)
            largest = fmax(largest, fabs(network->parameters[above->weight + k]));
        network->scales[i] = network->scales[i + 1] * fmax(1.0, (double)above->outputs * largest);
    }
}

static void check_row(const network *network, trace *trace, size_t place) {
    for (size_t i = 0; i < network->model->layer_count; i++) {
        trace_layer *layer = &trace->layers[i];
        for (size_t unit = 0; unit < network->model->layers[i].outputs; unit++) {
            nudge nudge = {.kind = PLACE_LOGIT, .layer = i, .unit = unit};
            check_one(network, place, &nudge, (double)layer->logits[unit], network->scales[i],
                      &layer->delta[unit]);
            nudge.kind = PLACE_OUTPUT;
            if (layer->output_delta != NULL)
                check_one(network, place, &nudge, (double)layer->output[unit], network->scales[i],
                          &layer->output_delta[unit]);
        }
    }
}

static void check_parameters(const network *network, trace *trace) {
    const tanda_model *model = network->model;
    double largest = 1.0; /* of what weights are multiplied by */
    for (size_t i = 0; i < network->rows->rows * model->features; i++)
        largest = fmax(largest, fabs((double)network->rows->inputs[i]));
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        for (size_t k = 0; k < layer->outputs * (layer->fan_in + 1); k++) {
            const size_t at = layer->weight + k; /* biases follow their weights */
            const bool is_bias = at >= layer->bias;
            const nudge nudge = {.kind = PLACE_PARAMETER, .unit = at};
            check_one(network, 0, &nudge, network->parameters[at],
                      network->scales[i] * (is_bias ? 1.0 : largest), &trace->gradient[at]);
        }
        for (size_t unit = 0; unit < layer->outputs; unit++)
            largest = fmax(largest, fabs((double)trace->layers[i].output[unit]));
    }
}

static tanda_status make_network(const trace *trace, network *network, tanda_error *error) {
    const tanda_model *model = trace->model;
    size_t widest = model->features;
    for (size_t i = 0; i < model->layer_count; i++)
        if (model->layers[i].outputs > widest) widest = model->layers[i].outputs;
    double **const lines[] = {&network->lines[0], &network->lines[1], &network->outputs};
    tanda_status status =
        allocate(&network->parameters, model->parameter_count, sizeof(double), "finite differences", error);
    for (size_t i = 0; status == TANDA_OK && i < 3; i++)
        status = allocate(lines[i], widest, sizeof(double), "finite differences", error);
    if (status == TANDA_OK)
        status = allocate(&network->scales, model->layer_count, sizeof(double), "finite differences", error);
    for (size_t i = 0; status == TANDA_OK && i < model->parameter_count; i++)
        network->parameters[i] = (double)trace->before[i];
    return status;
}

tanda_status difference_check(trace *trace, const difference_rows *rows, size_t place, tanda_error *error) {
    network network = {.model = trace->model, .rows = rows};
    const tanda_status status = make_network(trace, &network, error);
    if (status == TANDA_OK) {
        find_scales(&network, trace);
        check_row(&network, trace, place);
        check_parameters(&network, trace);
    }
    free(network.parameters);
    free(network.lines[0]);
    free(network.lines[1]);
    free(network.outputs);
    free(network.scales);
    return status;
}
