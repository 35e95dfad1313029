/* The losses of one column that perceptron.c computes too. */
#ifndef TANDA_OPENMP_COLUMN_H
#define TANDA_OPENMP_COLUMN_H

#include "backend/openmp/tile.h"
#include "kernels/loss.h"

/* One column of a tile: lanes [0, rows) hold rows, those up to `lanes` none. */
typedef struct column {
    const float *z; /* (H, 32) */
    float *losses;
    float *delta; /* (H, 32), or NULL */
    const int32_t *classes;
    const float *targets; /* (rows, targets of the loss) */
    size_t outputs;       /* H */
    size_t rows, lanes;
    bool with_loss;
    uint32_t correct;
} column;

/* Element losses: in loss.c, as perceptrons of one are rare. */
void ISA_NAME(elements_column)(column *column, const loss_op *op);

static inline void clear_unused(const column *column, float *line) {
    for (size_t i = column->rows; i < column->lanes; i++)
        line[i] = 0.0f;
}

static inline void smoothed_column(column *column, const loss_op *op) {
    const float half = op->constants.half;
    uint32_t correct = 0;
    for (size_t i = 0; i < column->rows; i++)
        correct += (column->z[i] > 0.0f) == (column->classes[i] == 1);
    column->correct = column->with_loss ? correct : 0;
#pragma omp simd
    for (size_t i = 0; i < column->rows; i++) {
        const float y = (float)column->classes[i];
        column->losses[i] = loss_binary_smoothed(column->z[i], y, half);
        if (column->delta != NULL)
            column->delta[i] = loss_binary_delta(column->z[i], loss_binary_label(y, half));
    }
    clear_unused(column, column->losses);
    if (column->delta != NULL) clear_unused(column, column->delta);
}

static inline void binary_column(column *column, const loss_op *op) {
    const float *z = column->z;
    const int32_t *classes = column->classes;
    float *losses = column->losses, *delta = column->delta;
    uint32_t correct = 0;
    if (op->constants.smooth) {
        smoothed_column(column, op);
        return;
    }
    if (column->with_loss) {
#pragma omp simd reduction(+ : correct)
        for (size_t i = 0; i < column->rows; i++) {
            losses[i] = loss_binary(z[i], (float)classes[i]);
            correct += (z[i] > 0.0f) == (classes[i] == 1);
        }
        clear_unused(column, losses);
        column->correct = correct;
    }
    if (delta == NULL) return;
#pragma omp simd
    for (size_t i = 0; i < column->rows; i++)
        delta[i] = loss_binary_delta(z[i], (float)classes[i]);
    clear_unused(column, delta);
}

static inline void mse_column(column *column, const loss_op *op) {
    const bool sigmoid = op->output_function == ACTIVATION_SIGMOID;
    const float threshold = sigmoid ? 0.0f : 0.5f; /* of the second class */
    float target[COLUMN_LANES] = {0}, output[COLUMN_LANES];
    uint32_t correct = 0;
    for (size_t i = 0; i < column->rows; i++)
        target[i] = column->classes != NULL ? (float)column->classes[i] : column->targets[i];
#pragma omp simd
    for (size_t i = 0; i < COLUMN_LANES; i++)
        output[i] = sigmoid ? activation_sigmoid(column->z[i]) : column->z[i];
    for (size_t i = 0; column->with_loss && i < column->rows; i++)
        column->losses[i] = loss_squared(output[i], target[i]);
    for (size_t i = 0; column->classes != NULL && i < column->rows; i++)
        correct += (column->z[i] > threshold) == (column->classes[i] == 1);
    column->correct = correct;
    if (column->with_loss) clear_unused(column, column->losses);
    if (column->delta == NULL) return;
#pragma omp simd
    for (size_t i = 0; i < COLUMN_LANES; i++) {
        float of_output = loss_squared_delta(output[i], target[i]);
        column->delta[i] =
            flush_tiny(sigmoid ? activation_sigmoid_backward(of_output, output[i]) : of_output);
    }
    clear_unused(column, column->delta);
}

#endif
