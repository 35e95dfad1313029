/*
 * Small integers through whole steps: every sum stays below 2^24, where binary32 is exact in any order, so the bits
 * must be those of the double-precision reference. The sharpest test of indexing there is.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "reference.h"
#include "support_checks.h"

#define EXACT_LIMIT 0x1p24

/* The reference of the case, and the same with magnitudes, whose sums bound every partial sum. */
static reference run_reference(const problem *problem, bool magnitudes) {
    const tanda_dataset *dataset = &problem->dataset;
    size_t values = dataset->rows * dataset->features, parameters = problem->model->parameter_count;
    double *input = reference_widen(dataset->values, values), *labels = reference_array(dataset->rows);
    double *weights = reference_widen(problem->model->parameters, parameters);
    for (size_t row = 0; row < dataset->rows; row++)
        labels[row] = problem_label(problem, row);
    for (size_t i = 0; magnitudes && i < values; i++)
        input[i] = fabs(input[i]);
    for (size_t i = 0; magnitudes && i < parameters; i++)
        weights[i] = fabs(weights[i]);
    for (size_t i = 0; magnitudes && i < dataset->rows; i++)
        labels[i] = -fabs(labels[i]);
    reference made = reference_run(problem->model, weights, dataset->rows, input, labels);
    free(input);
    free(labels);
    free(weights);
    return made;
}

static void demand_exact_sums(const problem *problem) {
    reference bounds = run_reference(problem, true);
    char text[NETWORK_TEXT_SIZE];
    for (size_t i = 0; i < problem->model->parameter_count; i++)
        cr_assert_lt(bounds.gradient[i], EXACT_LIMIT, "%s: sums are too large for this test",
                     network_text(problem->network, text));
    reference_free(&bounds);
}

static void equal_bits(const problem *problem, const char *what, size_t layer, const float *got,
                       const double *expected, size_t count) {
    char text[NETWORK_TEXT_SIZE];
    for (size_t i = 0; i < count; i++) {
        float wanted = (float)expected[i] + 0.0f; /* -0 is stored as +0 */
        cr_assert_eq(bits_of_float(got[i]), bits_of_float(wanted),
                     "%s: %s of layer %zu, index %zu: %a, not %a", network_text(problem->network, text), what,
                     layer, i, (double)got[i], (double)wanted);
    }
}

/* The sum is exact, so sum * inverse rounds once, as the product of two binary32 in double does. */
static void check_parameters(const capture *capture, const reference *reference) {
    const problem *problem = capture->problem;
    size_t count = problem->model->parameter_count;
    float inverse = (float)(1.0 / (double)capture->rows), *got = calloc(count, sizeof *got);
    double *expected = reference_array(count);
    cr_assert_not_null(got);
    for (size_t i = 0; i < count; i++)
        expected[i] = (double)(float)(reference->gradient[i] * (double)inverse);
    plan_unpack(capture->plan, capture->gradient, got);
    equal_bits(problem, "gradient", 0, got, expected, count);
    for (size_t i = 0; i < count; i++)
        expected[i] = (double)(float)((double)problem->model->parameters[i] - 0.125 * expected[i]);
    plan_unpack(capture->plan, capture->after, got);
    equal_bits(problem, "new parameters", 0, got, expected, count);
    free(got);
    free(expected);
}

static void check_integers(backend *backend, const network *network) {
    problem problem = problem_create(network);
    demand_exact_sums(&problem);
    reference reference = run_reference(&problem, false);
    capture capture = capture_step(backend, &problem, NULL);
    for (size_t l = 0; l < problem.model->layer_count; l++) {
        size_t count = network->rows * problem.model->layers[l].outputs;
        equal_bits(&problem, "logits", l, captured(&capture, TENSOR_LOGITS, l), reference.logits[l], count);
        equal_bits(&problem, "delta", l, captured(&capture, TENSOR_DELTA, l), reference.deltas[l], count);
        if (l + 1 == problem.model->layer_count) break;
        equal_bits(&problem, "output", l, captured(&capture, TENSOR_OUTPUT, l), reference.outputs[l], count);
        equal_bits(&problem, "delta of the output", l, captured(&capture, TENSOR_DELTA_OUTPUT, l),
                   reference.output_deltas[l], count);
    }
    check_parameters(&capture, &reference);
    capture_free(&capture);
    reference_free(&reference);
    problem_free(&problem);
}

static void check_all(const char *name) {
    backend *backend = open_named(name);
    if (backend == NULL) return;
    for (size_t i = 0; i < integer_network_count; i++)
        check_integers(backend, &integer_networks[i]);
    tanda_device_close(backend);
}

Test(integers, are_exact_on_x86_64_v4) {
    check_all("x86-64-v4");
}

Test(integers, are_exact_on_x86_64_v3) {
    check_all("x86-64-v3");
}

Test(integers, are_exact_on_generic) {
    check_all("generic");
}

Test(integers, are_exact_on_pocl, .fini = forget_opencl) {
    check_all("pocl");
}
