/* Activations, elementwise. See activation.cl; the functions are in kernels/activation.h. */
#include "kernels/activation.h"
#include "backend/openmp/tile.h"
#include "kernels/exact.h"

typedef void forward_line(const float *z, float *a, size_t lanes);
typedef void backward_line(const float *delta, const float *a, float *result, size_t lanes);

/* source and target may be the same, hence no restrict; simd tells that each lane stands alone. */
#define DEFINE_LINES(name, NAME) \
    static void forward_##name(const float *z, float *a, size_t lanes) { \
        _Pragma("omp simd") for (size_t i = 0; i < lanes; i++) a[i] = canonical(activation_##name(z[i])); \
    } \
    static void backward_##name(const float *delta, const float *a, float *result, size_t lanes) { \
        _Pragma("omp simd") for (size_t i = 0; i < lanes; i++) result[i] = \
            flush_tiny(activation_##name##_backward(delta[i], a[i])); \
    }
ACTIVATION_LIST(DEFINE_LINES)

#define FORWARD_ENTRY(name, NAME) [ACTIVATION_##NAME] = forward_##name,
#define BACKWARD_ENTRY(name, NAME) [ACTIVATION_##NAME] = backward_##name,
static forward_line *const forward_lines[] = {ACTIVATION_LIST(FORWARD_ENTRY)};
static backward_line *const backward_lines[] = {ACTIVATION_LIST(BACKWARD_ENTRY)};

void ISA_NAME(activation_forward)(const tile_task *task, const op *op) {
    size_t first = 0, end = 0;
    share_of(task, op->outputs, 1, &first, &end);
    const float *z = tensor_at(task, op->source);
    float *a = tensor_at(task, op->target);
    for (size_t unit = first; unit < end; unit++)
        forward_lines[op->activation](z + unit * task->width, a + unit * task->width, task->lanes);
}

void ISA_NAME(activation_backward)(const tile_task *task, const op *op) {
    size_t first = 0, end = 0;
    share_of(task, op->outputs, 1, &first, &end);
    const float *delta = tensor_at(task, op->source), *a = tensor_at(task, op->other);
    float *result = tensor_at(task, op->target);
    for (size_t unit = first; unit < end; unit++)
        backward_lines[op->activation](delta + unit * task->width, a + unit * task->width,
                                       result + unit * task->width, task->lanes);
}
