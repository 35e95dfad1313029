/* Activations, elementwise. See activation.cl; the functions are in kernels/activation.h. */
#include "kernels/activation.h"
#include "backend/openmp/tile.h"
#include "kernels/exact.h"

typedef void forward_line(const float *z, float *a, size_t count);
typedef void backward_line(const float *delta, const float *from, float *result, size_t count);

/* source and target may be the same, hence no restrict; simd tells that each lane stands alone. */
#define DEFINE_LINES(name, NAME, FROM) \
    static void forward_##name(const float *z, float *a, size_t count) { \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++) a[i] = canonical(activation_##name(z[i])); \
    } \
    static void backward_##name(const float *delta, const float *from, float *result, size_t count) { \
        _Pragma("omp simd") for (size_t i = 0; i < count; i++) result[i] = \
            flush_tiny(activation_##name##_backward(delta[i], from[i])); \
    }
ACTIVATION_LIST(DEFINE_LINES)

#define FORWARD_ENTRY(name, NAME, FROM) [ACTIVATION_##NAME] = forward_##name,
#define BACKWARD_ENTRY(name, NAME, FROM) [ACTIVATION_##NAME] = backward_##name,
static forward_line *const forward_lines[] = {ACTIVATION_LIST(FORWARD_ENTRY)};
static backward_line *const backward_lines[] = {ACTIVATION_LIST(BACKWARD_ENTRY)};

typedef void run_function(const tile *tile, size_t column, size_t at, size_t floats, const op *op);

/* Calls run for the share's units of each column: once where all its lanes hold rows, else unit by unit. */
static inline void for_runs(const tile_group *group, const op *op, size_t units, run_function *run) {
    const share share = share_of(group, units);
    for (size_t c = share.first_column; c < share.end_column; c++) {
        const tile *tile = &group->tiles[c / TILE_COLUMNS];
        const size_t column = c % TILE_COLUMNS, lanes = lanes_in(tile, column);
        if (lanes == COLUMN_LANES)
            run(tile, column, share.first * COLUMN_LANES, (share.end - share.first) * COLUMN_LANES, op);
        else
            for (size_t unit = share.first; unit < share.end; unit++)
                run(tile, column, unit * COLUMN_LANES, lanes, op);
    }
}

static void run_forward(const tile *tile, size_t column, size_t at, size_t floats, const op *op) {
    const activation_forward_op *forward = &op->activation_forward;
    forward_lines[forward->function](tensor_at(tile, column, forward->logits) + at,
                                     tensor_at(tile, column, forward->output) + at, floats);
}

static void run_backward(const tile *tile, size_t column, size_t at, size_t floats, const op *op) {
    const activation_backward_op *backward = &op->activation_backward;
    backward_lines[backward->function](tensor_at(tile, column, backward->output_delta) + at,
                                       tensor_at(tile, column, backward->from) + at,
                                       tensor_at(tile, column, backward->delta) + at, floats);
}

/*
 * +0 in lanes without rows, whose logits are sums of biases: exp of one may be infinite where no row's is, and a delta of 0
 * times that is no number.
 */
static void clear_idle_lanes(const tile_group *group, const op *op) {
    const share share = share_of(group, op->activation_forward.units);
    for (size_t c = share.first_column; c < share.end_column; c++) {
        const tile *tile = &group->tiles[c / TILE_COLUMNS];
        const size_t column = c % TILE_COLUMNS, rows = rows_in(tile, column), lanes = lanes_in(tile, column);
        float *output = tensor_at(tile, column, op->activation_forward.output);
        for (size_t unit = share.first; rows < lanes && unit < share.end; unit++)
            for (size_t lane = rows; lane < lanes; lane++)
                output[unit * COLUMN_LANES + lane] = 0.0f;
    }
}

void ISA_NAME(activation_forward)(const tile_group *group, const op *op) {
    for_runs(group, op, op->activation_forward.units, run_forward);
    clear_idle_lanes(group, op);
}

void ISA_NAME(activation_backward)(const tile_group *group, const op *op) {
    for_runs(group, op, op->activation_backward.units, run_backward);
}
