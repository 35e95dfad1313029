#include "verify/reference_state.h"

#include <math.h>

/* ---- categorical cross-entropy ------------------------------------------------------------------------- */

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

/* A product by the weight of the row; a weight of 1 is exact, or there is none. */
static void weigh(bounded *tensor, size_t i, double weight) {
    if (weight == 1.0) return;
    tensor->value[i] *= weight;
    for (int side = 0; side < SIDE_COUNT; side++) {
        double moved = tensor->bound[side][i] * weight;
        tensor->bound[side][i] = moved + UNIT_ROUNDOFF * (fabs(tensor->value[i]) + moved) + FLUSHED;
    }
}

static void weigh_row(step_reference *reference, size_t row) {
    size_t last = reference->model->layer_count - 1;
    weigh(&reference->losses, row, reference->weights[row]);
    for (size_t c = 0; c < reference->model->layers[last].outputs; c++)
        weigh(&reference->layers[last].delta, c * reference->rows + row, reference->weights[row]);
}

void reference_activation(step_reference *reference, size_t index) {
    const activation function = reference->model->layers[index].activation;
    const bounded *logits = &reference->layers[index].logits;
    bounded *output = &reference->layers[index].output;
    size_t count = reference->model->layers[index].outputs * reference->rows;
    for (size_t i = 0; i < count; i++) {
        output->value[i] = activation_value(function, logits->value[i]);
        for (int side = 0; side < SIDE_COUNT; side++)
            output->bound[side][i] = activation_bound(&reference->arithmetic[side], function,
                                                      output->value[i], logits->bound[side][i]);
    }
}

void reference_losses(step_reference *reference) {
    const tanda_model *model = reference->model;
    bounded *correct = &reference->correct;
    if (model->loss != LOSS_CATEGORICAL_CROSSENTROPY) reference_activation(reference, model->layer_count - 1);
    correct->value[0] = correct->bound[SIDE_A][0] = correct->bound[SIDE_B][0] = 0.0;
    for (size_t row = 0; row < reference->rows; row++) {
        logits_row logits = read_logits(reference, row);
        if (model->loss == LOSS_CATEGORICAL_CROSSENTROPY)
            categorical_row(reference, row, &logits);
        else if (model->loss == LOSS_BINARY_CROSSENTROPY)
            binary_row(reference, row, &logits);
        else
            squared_row(reference, row);
        count_correct(reference, row, &logits);
        weigh_row(reference, row);
    }
}

void reference_loss_sum(step_reference *reference) {
    bounded *sum = &reference->loss_sum;
    const bounded *losses = &reference->losses;
    sum->value[0] = 0.0;
    for (size_t row = 0; row < reference->rows; row++)
        sum->value[0] += losses->value[row];
    for (int side = 0; side < SIDE_COUNT; side++) {
        double d = 0.0, gamma = gamma_of(lane_roundings(&reference->arithmetic[side], reference->rows));
        for (size_t row = 0; row < reference->rows; row++)
            d += losses->bound[side][row];
        sum->bound[side][0] = d + gamma * (sum->value[0] + d); /* losses are not negative */
    }
}
