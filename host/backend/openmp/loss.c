/* Losses and their deltas, one lane a row. See loss.cl; the formulas are in kernels/loss.h. */
#include <string.h>

#include "backend/openmp/tile.h"
#include "kernels/loss.h"

#define CLASS_CHUNK TILE_ROWS /* a sum over classes goes in chunks like a dense sum (contract 2) */

/* Lanes [first, end) are this task's; those from valid_end on hold no row. */
typedef struct lane_range {
    size_t first, end, valid_end;
} lane_range;

static inline lane_range lanes_of(const tile_task *task) {
    lane_range range;
    share_of(task, task->lanes, TILE_LANES, &range.first, &range.end);
    range.valid_end = range.end < task->rows ? range.end : task->rows;
    if (range.valid_end < range.first) range.valid_end = range.first;
    return range;
}

static void clear_unused(float *line, const lane_range *range) {
    for (size_t i = range->valid_end; i < range->end; i++)
        line[i] = 0.0f;
}

static void count_correct(const tile_task *task, uint32_t correct) {
    __atomic_fetch_add(task->correct, correct, __ATOMIC_RELAXED);
}

void ISA_NAME(loss_binary_crossentropy)(const tile_task *task, const op *op) {
    const lane_range range = lanes_of(task);
    const float *z = tensor_at(task, op->source);
    float *losses = tensor_at(task, op->other), *delta = tensor_at(task, op->target);
    const int32_t *classes = task->classes;
    uint32_t correct = 0;
#pragma omp simd reduction(+ : correct)
    for (size_t i = range.first; i < range.valid_end; i++) {
        losses[i] = loss_binary(z[i], (float)classes[i]);
        correct += (z[i] > 0.0f) == (classes[i] == 1);
    }
    clear_unused(losses, &range);
    count_correct(task, correct);
    if (!op->with_delta) return;
#pragma omp simd
    for (size_t i = range.first; i < range.valid_end; i++)
        delta[i] = loss_binary_delta(z[i], (float)classes[i]);
    clear_unused(delta, &range);
}

/* What the first pass over the classes finds for each lane. */
typedef struct class_scan {
    float maximum[TILE_ROWS];
    float true_logit[TILE_ROWS];
    float sum[TILE_ROWS];
    int32_t best[TILE_ROWS];
} class_scan;

static void find_maximum(const tile_task *task, const op *op, const lane_range *range, class_scan *scan) {
    const float *z = tensor_at(task, op->source);
    for (size_t i = range->first; i < range->valid_end; i++) {
        scan->maximum[i] = z[i];
        scan->best[i] = 0;
    }
    for (size_t c = 1; c < op->outputs; c++) {
        const float *line = z + c * task->width;
#pragma omp simd
        for (size_t i = range->first; i < range->valid_end; i++) {
            bool greater = line[i] > scan->maximum[i];
            scan->maximum[i] = greater ? line[i] : scan->maximum[i];
            scan->best[i] = greater ? (int32_t)c : scan->best[i];
        }
    }
}

/* scan->sum = sum over classes of exp(z - maximum); the terms are kept in `terms` unless that is NULL. */
static void sum_exponentials(const tile_task *task, const op *op, const lane_range *range, class_scan *scan,
                             float *terms) {
    const float *z = tensor_at(task, op->source);
    float chunk[TILE_ROWS], unused[TILE_ROWS];
    memset(scan->sum, 0, sizeof scan->sum);
    for (size_t from = 0; from < op->outputs; from += CLASS_CHUNK) {
        size_t to = from + CLASS_CHUNK < op->outputs ? from + CLASS_CHUNK : op->outputs;
        memset(chunk, 0, sizeof chunk);
        for (size_t c = from; c < to; c++) {
            const float *line = z + c * task->width;
            float *kept = terms == NULL ? unused : terms + c * task->width;
#pragma omp simd
            for (size_t i = range->first; i < range->valid_end; i++) {
                kept[i] = exact_exp_nonpositive(line[i] - scan->maximum[i]);
                chunk[i] += kept[i];
            }
        }
        for (size_t i = range->first; i < range->valid_end; i++)
            scan->sum[i] += chunk[i];
    }
}

void ISA_NAME(softmax)(const tile_task *task, const op *op) {
    const lane_range range = lanes_of(task);
    class_scan scan;
    float *result = tensor_at(task, op->target);
    find_maximum(task, op, &range, &scan);
    sum_exponentials(task, op, &range, &scan, result);
    for (size_t i = range.first; i < range.valid_end; i++)
        scan.sum[i] = exact_reciprocal(scan.sum[i]);
    for (size_t c = 0; c < op->outputs; c++) {
        float *line = result + c * task->width;
#pragma omp simd
        for (size_t i = range.first; i < range.valid_end; i++)
            line[i] = canonical(line[i] * scan.sum[i]);
        clear_unused(line, &range);
    }
}

static void categorical_losses(const tile_task *task, const op *op, const lane_range *range,
                               class_scan *scan) {
    const float *z = tensor_at(task, op->source);
    float *losses = tensor_at(task, op->other);
    uint32_t correct = 0;
    for (size_t i = range->first; i < range->valid_end; i++) {
        scan->true_logit[i] = z[(size_t)task->classes[i] * task->width + i];
        correct += scan->best[i] == task->classes[i];
    }
    for (size_t i = range->first; i < range->valid_end; i++)
        losses[i] = loss_categorical(scan->sum[i], scan->maximum[i], scan->true_logit[i]);
    clear_unused(losses, range);
    count_correct(task, correct);
}

void ISA_NAME(loss_categorical_crossentropy)(const tile_task *task, const op *op) {
    const lane_range range = lanes_of(task);
    class_scan scan;
    float *delta = op->with_delta ? tensor_at(task, op->target) : NULL;
    find_maximum(task, op, &range, &scan);
    sum_exponentials(task, op, &range, &scan, delta);
    categorical_losses(task, op, &range, &scan);
    if (delta == NULL) return;
    for (size_t i = range.first; i < range.valid_end; i++)
        scan.sum[i] = exact_reciprocal(scan.sum[i]);
    for (size_t c = 0; c < op->outputs; c++) {
        float *line = delta + c * task->width;
#pragma omp simd
        for (size_t i = range.first; i < range.valid_end; i++)
            line[i] =
                loss_categorical_delta(line[i], scan.sum[i], task->classes[i] == (int32_t)c ? 1.0f : 0.0f);
        clear_unused(line, &range);
    }
}

/* Output function and its derivative for the squared error: identity or sigmoid. */
static inline float output_of(const op *op, float z) {
    return op->activation == ACTIVATION_SIGMOID ? activation_sigmoid(z) : z;
}

void ISA_NAME(loss_mse)(const tile_task *task, const op *op) {
    const lane_range range = lanes_of(task);
    const float *z = tensor_at(task, op->source);
    float *losses = tensor_at(task, op->other), *delta = tensor_at(task, op->target);
    const bool sigmoid = op->activation == ACTIVATION_SIGMOID;
    const float threshold = sigmoid ? 0.0f : 0.5f; /* of the second class */
    uint32_t correct = 0;
    for (size_t i = range.first; i < range.valid_end; i++) {
        float y = task->classes != NULL ? (float)task->classes[i] : task->targets[i];
        float output = output_of(op, z[i]);
        losses[i] = loss_squared(output, y);
        if (task->classes != NULL) correct += (z[i] > threshold) == (task->classes[i] == 1);
        if (!op->with_delta) continue;
        float of_output = loss_squared_delta(output, y);
        delta[i] = flush_tiny(sigmoid ? activation_sigmoid_backward(of_output, output) : of_output);
    }
    clear_unused(losses, &range);
    if (op->with_delta) clear_unused(delta, &range);
    count_correct(task, correct);
}
