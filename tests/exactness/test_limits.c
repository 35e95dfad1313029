/* The ends of what a step may meet: large logits, many classes, one row, NaN. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "support_checks.h"

static void on_every_cpu_backend(void (*test)(backend *backend)) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_named(isa_names[i]);
        if (backend == NULL) continue;
        test(backend);
        tanda_device_close(backend);
    }
}

/* ---- large logits ------------------------------------------------------------------------------------- */

static const float extremes[] = {0.0f,  0x1p-140f, 1.0f,  -1.0f,  17.0f,    -17.0f,   80.0f,  -80.0f,
                                 87.4f, -87.4f,    88.8f, -88.8f, 104.0f,   -104.0f,  200.0f, -200.0f,
                                 1e4f,  -1e4f,     1e20f, -1e20f, 0x1p127f, -0x1p127f};
#define EXTREMES (sizeof extremes / sizeof *extremes)

/* Inputs are the extremes and the weight is 1, so they come out as logits; both labels, twice each. */
static problem extreme_problem(const network *network) {
    problem made = problem_create(network);
    for (size_t i = 0; i < made.model->parameter_count; i++)
        made.model->parameters[i] = 0.0f;
    for (size_t i = 0; i < network->units[0]; i++) /* an identity matrix */
        made.model->parameters[made.model->layers[0].weight + i * network->features + i % network->features] =
            1.0f;
    for (size_t i = 0; i < network->rows * network->features; i++)
        made.dataset.owned[i] = extremes[i / 2 % EXTREMES];
    for (size_t row = 0; row < network->rows; row++)
        made.dataset.classes[row] = (int32_t)(row % 2);
    return made;
}

static void check_binary_extremes(backend *backend) {
    static const network network = {
        2 * EXTREMES,       1,           1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY,
        TANDA_TASK_CLASSES, CONTENT_REAL};
    problem problem = extreme_problem(&network);
    capture capture = capture_step(backend, &problem, NULL);
    const float *z = captured(&capture, TENSOR_LOGITS, 0), *losses = captured(&capture, TENSOR_LOSS, 0);
    const float *delta = captured(&capture, TENSOR_DELTA, 0);
    for (size_t row = 0; row < network.rows; row++) {
        double logit = (double)z[row], expected_delta;
        double expected =
            reference_loss(network.loss, ACTIVATION_SIGMOID, 1, &logit, (double)(row % 2), &expected_delta);
        cr_assert_eq(z[row], extremes[row / 2]);
        cr_assert_leq(fabs((double)losses[row] - expected), 4.0 * U * expected + 0x1p-126,
                      "%s: z %a, label %zu: loss %a, not %a", backend_title(backend), logit, row % 2,
                      (double)losses[row], expected);
        cr_assert_leq(fabs((double)delta[row] - expected_delta), 6.0 * U, "%s: z %a: delta %a, not %a",
                      backend_title(backend), logit, (double)delta[row], expected_delta);
    }
    capture_free(&capture);
    problem_free(&problem);
}

Test(limits, binary_losses_of_huge_logits_are_finite_and_right) {
    on_every_cpu_backend(check_binary_extremes);
}

/* Two logits of every size against each other: rows hold pairs (extreme, extreme of 7 places on). */
static void check_categorical_extremes(backend *backend) {
    static const network network = {
        2 * EXTREMES,       2,           1, {2}, {ACTIVATION_SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY,
        TANDA_TASK_CLASSES, CONTENT_REAL};
    problem problem = extreme_problem(&network);
    for (size_t row = 0; row < network.rows; row++) {
        problem.dataset.owned[2 * row] = extremes[row / 2];
        problem.dataset.owned[2 * row + 1] = extremes[(row / 2 + 7) % EXTREMES];
    }
    capture capture = capture_step(backend, &problem, NULL);
    const float *losses = captured(&capture, TENSOR_LOSS, 0), *delta = captured(&capture, TENSOR_DELTA, 0);
    for (size_t row = 0; row < network.rows; row++) {
        double z[2] = {(double)problem.dataset.owned[2 * row], (double)problem.dataset.owned[2 * row + 1]},
               wanted[2];
        double expected = reference_loss(network.loss, ACTIVATION_SOFTMAX, 2, z, (double)(row % 2), wanted);
        double apart = fabs(z[0] - z[1]);
        double e = exp(-apart), relative = (apart + 6.0) * 2.0 * U; /* of the smaller exponential */
        cr_assert(isfinite(losses[row]) && isfinite(delta[2 * row]) && isfinite(delta[2 * row + 1]));
        cr_assert_leq(fabs((double)losses[row] - expected), e * relative + 8.0 * U * (e + expected) + 2.0 * U,
                      "%s: z %a and %a, label %zu: loss %a, not %a", backend_title(backend), z[0], z[1],
                      row % 2, (double)losses[row], expected);
        for (size_t h = 0; h < 2; h++)
            cr_assert_leq(fabs((double)delta[2 * row + h] - wanted[h]), e * relative + 8.0 * U,
                          "%s: z %a and %a: delta %a, not %a", backend_title(backend), z[0], z[1],
                          (double)delta[2 * row + h], wanted[h]);
    }
    capture_free(&capture);
    problem_free(&problem);
}

Test(limits, categorical_losses_of_huge_logits_are_finite_and_right) {
    on_every_cpu_backend(check_categorical_extremes);
}

/* ---- many classes ------------------------------------------------------------------------------------- */

#define MANY_CLASSES 5000

/* Labels 0 and the last are the first two rows'; u (1 + classes / 256 + 256) bounds the sum of exponentials. */
static void check_many_classes(backend *backend) {
    static const network network = {18,
                                    3,
                                    1,
                                    {MANY_CLASSES},
                                    {ACTIVATION_SOFTMAX},
                                    LOSS_CATEGORICAL_CROSSENTROPY,
                                    TANDA_TASK_CLASSES,
                                    CONTENT_REAL};
    problem problem = problem_create(&network);
    capture capture = capture_step(backend, &problem, NULL);
    cr_assert_eq(problem.dataset.classes[0], 0);
    cr_assert_eq(problem.dataset.classes[1], MANY_CLASSES - 1);
    double *z = reference_widen(captured(&capture, TENSOR_LOGITS, 0), network.rows * MANY_CLASSES);
    double *wanted = reference_array(MANY_CLASSES);
    for (size_t row = 0; row < network.rows; row++) {
        const float *delta = captured(&capture, TENSOR_DELTA, 0) + row * MANY_CLASSES;
        double loss = (double)captured(&capture, TENSOR_LOSS, 0)[row],
               error = rounding_bound(chunked(MANY_CLASSES) + 16);
        double expected = reference_loss(network.loss, ACTIVATION_SOFTMAX, MANY_CLASSES,
                                         z + row * MANY_CLASSES, problem_label(&problem, row), wanted);
        cr_assert_leq(fabs(loss - expected), error + 8.0 * U * expected, "row %zu: loss %a, not %a", row,
                      loss, expected);
        for (size_t h = 0; h < MANY_CLASSES; h++) {
            double probability = wanted[h] + (h == (size_t)problem.dataset.classes[row]);
            cr_assert_leq(fabs((double)delta[h] - wanted[h]), error * probability + U * fabs(wanted[h]),
                          "row %zu, class %zu: delta %a, not %a", row, h, (double)delta[h], wanted[h]);
        }
    }
    free(z);
    free(wanted);
    capture_free(&capture);
    problem_free(&problem);
}

Test(limits, softmax_of_5000_classes_is_right) {
    on_every_cpu_backend(check_many_classes);
}

/* ---- batches of one ----------------------------------------------------------------------------------- */

/* One row a step is stochastic gradient descent: here, once more, in double. */
static void check_single_rows(backend *backend) {
    static const network network = {37,
                                    4,
                                    2,
                                    {3, 1},
                                    {ACTIVATION_TANH, ACTIVATION_SIGMOID},
                                    LOSS_BINARY_CROSSENTROPY,
                                    TANDA_TASK_CLASSES,
                                    CONTENT_REAL};
    problem problem = problem_create(&network);
    size_t count = problem.model->parameter_count;
    const step_options options = {.batch_rows = 1};
    execution execution = execution_create(backend, &problem, &options);
    execution_run(&execution, 0, network.rows, NULL);
    float *packed = execution_parameters(&execution), *got = calloc(count, sizeof *got);
    double *weights = reference_widen(problem.model->parameters, count);
    double *values = reference_widen(problem.dataset.values, network.rows * network.features);
    cr_assert_not_null(got);
    for (size_t row = 0; row < network.rows; row++) {
        double label = problem_label(&problem, row);
        reference step = reference_run(problem.model, weights, 1, values + row * network.features, &label);
        for (size_t i = 0; i < count; i++)
            weights[i] -= 0.125 * step.gradient[i];
        reference_free(&step);
    }
    plan_unpack(execution.session.plan, packed, got);
    for (size_t i = 0; i < count; i++) /* 37 steps of a contraction, some 10 roundings each */
        cr_assert_leq(fabs((double)got[i] - weights[i]), 370.0 * U, "parameter %zu: %a, not %a", i,
                      (double)got[i], weights[i]);
    free(packed);
    free(got);
    free(weights);
    free(values);
    execution_free(&execution);
    problem_free(&problem);
}

Test(limits, batches_of_one_row_descend_row_by_row) {
    on_every_cpu_backend(check_single_rows);
}

/* ---- not finite --------------------------------------------------------------------------------------- */

/* A NaN or an infinity in any weight is told by the step that meets it, and only then. */
static void check_not_finite(backend *backend) {
    static const network network = {300,
                                    5,
                                    2,
                                    {17, 3},
                                    {ACTIVATION_RELU, ACTIVATION_SOFTMAX},
                                    LOSS_CATEGORICAL_CROSSENTROPY,
                                    TANDA_TASK_CLASSES,
                                    CONTENT_REAL};
    problem problem = problem_create(&network);
    const float bad[] = {NAN, INFINITY, -INFINITY};
    const size_t places[] = {0, 3, 5 * 17 - 1, 5 * 17 + 2, problem.model->parameter_count - 1};
    capture capture = capture_step(backend, &problem, NULL);
    cr_assert_eq(capture.result.not_finite, 0);
    capture_free(&capture);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++) {
            float kept = problem.model->parameters[places[i]];
            problem.model->parameters[places[i]] = bad[b];
            capture = capture_step(backend, &problem, NULL);
            cr_assert_eq(capture.result.not_finite, 1, "%s: %f in weight %zu is not told",
                         backend_title(backend), (double)bad[b], places[i]);
            capture_free(&capture);
            problem.model->parameters[places[i]] = kept;
        }
    problem_free(&problem);
}

Test(limits, nan_and_infinity_in_a_weight_are_reported) {
    on_every_cpu_backend(check_not_finite);
}

/* ---- ties and tiny values ----------------------------------------------------------------------------- */

/* All logits alike: the prediction is the first class, and a logit of 0 means class 0. */
static void check_ties(backend *backend) {
    static const network ties[] = {
        {300,
         4,
         1,
         {7},
         {ACTIVATION_SOFTMAX},
         LOSS_CATEGORICAL_CROSSENTROPY,
         TANDA_TASK_CLASSES,
         CONTENT_REAL},
        {300, 4, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
        {300, 4, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_MSE, TANDA_TASK_CLASSES, CONTENT_REAL}};
    for (size_t i = 0; i < sizeof ties / sizeof *ties; i++) {
        problem problem = problem_create(&ties[i]);
        uint32_t of_first_class = 0;
        memset(problem.model->parameters, 0, problem.model->parameter_count * sizeof(float));
        for (size_t row = 0; row < ties[i].rows; row++)
            of_first_class += problem.dataset.classes[row] == 0;
        capture capture = capture_step(backend, &problem, NULL);
        cr_assert_eq(capture.result.correct, of_first_class, "%s, %s: %u correct, not %u",
                     backend_title(backend), loss_name(ties[i].loss), capture.result.correct, of_first_class);
        capture_free(&capture);
        problem_free(&problem);
    }
}

Test(limits, ties_go_to_the_first_class) {
    on_every_cpu_backend(check_ties);
}

/* How many of the values are not +0. */
static size_t count_nonzero(const float *values, size_t count) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += bits_of_float(values[i]) != 0;
    return found;
}

/* Deltas, then gradients, at 2^-97 or so stay; at 2^-107 they are stored as +0 (contract 6). */
static void check_tiny(backend *backend) {
    static const network network = {90,
                                    5,
                                    2,
                                    {18, 1},
                                    {ACTIVATION_TANH, ACTIVATION_SIGMOID},
                                    LOSS_BINARY_CROSSENTROPY,
                                    TANDA_TASK_CLASSES,
                                    CONTENT_REAL};
    for (int flushed = 0; flushed < 2; flushed++) {
        problem problem = problem_create(&network);
        size_t hidden = network.rows * network.units[0], weights = network.features * network.units[0];
        float *last = problem.model->parameters + problem.model->layers[1].weight;
        for (size_t i = 0; i < network.units[0]; i++)
            last[i] = flushed ? 0x1p-107f : 0x1p-93f;
        capture capture = capture_step(backend, &problem, NULL);
        size_t deltas = count_nonzero(captured(&capture, TENSOR_DELTA_OUTPUT, 0), hidden);
        cr_assert_eq(deltas, flushed ? 0 : hidden, "%s: %zu deltas", backend_title(backend), deltas);
        capture_free(&capture);
        for (size_t i = 0; i < network.units[0]; i++)
            last[i] = 1.0f;
        for (size_t i = 0; i < network.rows * network.features; i++)
            problem.dataset.owned[i] = flushed ? 0x1p-107f : 0x1p-90f;
        capture = capture_step(backend, &problem, NULL);
        size_t gradients = count_nonzero(capture.gradient, weights);
        cr_assert(flushed ? gradients == 0 : gradients > weights / 2, "%s: %zu gradients",
                  backend_title(backend), gradients);
        capture_free(&capture);
        problem_free(&problem);
    }
}

Test(limits, tiny_deltas_and_gradients_become_zero) {
    on_every_cpu_backend(check_tiny);
}

Test(limits, all_of_this_holds_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_binary_extremes(backend);
    check_categorical_extremes(backend);
    check_many_classes(backend);
    check_single_rows(backend);
    check_not_finite(backend);
    check_ties(backend);
    check_tiny(backend);
    tanda_device_close(backend);
}
