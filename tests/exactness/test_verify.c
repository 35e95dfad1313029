/* Lockstep: what must be equal is found equal, bounds hold and are not vacuous, and the command tells it. */
#include <math.h>
#include <stdio.h>

#include "program.h"
#include "support_lockstep.h"

#define ROWS 700
#define BATCH 300 /* two tiles, then a ragged batch of 100 */

/* ---- problems ----------------------------------------------------------------------------------------- */

/* Every activation, loss and output function; layers wide, narrow and longer than a chunk. */
static const network cases[] = {
    {ROWS,
     300,
     3,
     {33, 17, 10},
     {ACTIVATION_SIGMOID, ACTIVATION_TANH, ACTIVATION_SOFTMAX},
     LOSS_CATEGORICAL_CROSSENTROPY,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {ROWS,
     20,
     3,
     {40, 300, 3},
     {ACTIVATION_RELU, ACTIVATION_RELU, ACTIVATION_SOFTMAX},
     LOSS_CATEGORICAL_CROSSENTROPY,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {ROWS,
     9,
     3,
     {16, 5, 1},
     {ACTIVATION_TANH, ACTIVATION_IDENTITY, ACTIVATION_SIGMOID},
     LOSS_BINARY_CROSSENTROPY,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {ROWS,
     31,
     2,
     {64, 1},
     {ACTIVATION_RELU, ACTIVATION_IDENTITY},
     LOSS_MSE,
     TANDA_TASK_REGRESSION,
     CONTENT_REAL},
    {ROWS,
     31,
     2,
     {12, 1},
     {ACTIVATION_SIGMOID, ACTIVATION_SIGMOID},
     LOSS_MSE,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {ROWS,
     11,
     4,
     {16, 5, 17, 3},
     {ACTIVATION_LEAKY_RELU, ACTIVATION_ELU, ACTIVATION_SELU, ACTIVATION_SOFTMAX},
     LOSS_CATEGORICAL_CROSSENTROPY,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {ROWS,
     12,
     4,
     {17, 5, 16, 1},
     {ACTIVATION_GELU, ACTIVATION_SWISH, ACTIVATION_SOFTPLUS, ACTIVATION_IDENTITY},
     LOSS_MSE,
     TANDA_TASK_REGRESSION,
     CONTENT_REAL},
    {ROWS,
     14,
     4,
     {18, 7, 3, 1},
     {ACTIVATION_SOFTSIGN, ACTIVATION_HARD_SIGMOID, ACTIVATION_EXPONENTIAL, ACTIVATION_SIGMOID},
     LOSS_BINARY_CROSSENTROPY,
     TANDA_TASK_CLASSES,
     CONTENT_REAL},
    {ROWS, 13, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
};
enum { CASE_COUNT = sizeof cases / sizeof *cases };

static const lockstep_case ten_steps = {.steps = 10, .batch_rows = BATCH, .seed = 3};

/* Compares every case and expects not one bit of difference. */
static void expect_equal(backend *a, backend *b) {
    char network[NETWORK_TEXT_SIZE], difference[DIFFERENCE_SIZE];
    if (a == NULL || b == NULL) return;
    for (size_t i = 0; i < CASE_COUNT; i++) {
        problem problem = problem_create(&cases[i]);
        lockstep_result result = compare_exact(a, b, &problem, &ten_steps);
        cr_expect_eq(result.first.place, LOCKSTEP_NONE, "%s: %s", network_text(&cases[i], network),
                     difference_text(&result, difference));
        cr_expect_eq(result.steps, 10);
        for (size_t t = 0; t < result.tensor_count; t++)
            cr_expect_gt(result.tensors[t].figures.compared, 0, "%s",
                         quantity_name(result.tensors[t].quantity));
        lockstep_result_free(&result);
        problem_free(&problem);
    }
    tanda_device_close(a);
    tanda_device_close(b);
}

/* ---- equal bits --------------------------------------------------------------------------------------- */

Test(lockstep, one_thread_and_two_are_equal) {
    expect_equal(open_best_openmp(1), open_best_openmp(2));
}

Test(lockstep, plain_code_and_avx_512_are_equal) {
    expect_equal(open_openmp("generic", 1), open_openmp("x86-64-v4", 2));
}

Test(lockstep, pocl_and_openmp_are_equal, .fini = forget_opencl, .timeout = 200) {
    if (use_opencl("pocl")) expect_equal(open_opencl(NULL), open_best_openmp(2));
}

/* ---- what is compared --------------------------------------------------------------------------------- */

/* Every tensor that a step makes is in the list, in the order in which it makes it. */
Test(lockstep, the_list_follows_the_data) {
    static const struct {
        quantity quantity;
        size_t layer;
    } expected[] = {
        {QUANTITY_INPUT, 0},         {QUANTITY_LOGITS, 0},
        {QUANTITY_OUTPUT, 0},        {QUANTITY_LOGITS, 1}, /* identity: its output is the same storage */
        {QUANTITY_LOGITS, 2},        {QUANTITY_OUTPUT, 2},
        {QUANTITY_LOSS, 2},          {QUANTITY_DELTA, 2},
        {QUANTITY_DELTA_OUTPUT, 1},  {QUANTITY_DELTA_OUTPUT, 0},
        {QUANTITY_DELTA, 0},         {QUANTITY_LOSS_SUM, 2},
        {QUANTITY_CORRECT, 2},       {QUANTITY_WEIGHT_GRADIENT, 2},
        {QUANTITY_BIAS_GRADIENT, 2}, {QUANTITY_WEIGHT_GRADIENT, 1},
        {QUANTITY_BIAS_GRADIENT, 1}, {QUANTITY_WEIGHT_GRADIENT, 0},
        {QUANTITY_BIAS_GRADIENT, 0}, {QUANTITY_WEIGHT, 0},
        {QUANTITY_BIAS, 0},          {QUANTITY_WEIGHT, 1},
        {QUANTITY_BIAS, 1},          {QUANTITY_WEIGHT, 2},
        {QUANTITY_BIAS, 2},
    };
    backend *cpu = open_best_openmp(1);
    problem problem = problem_create(&cases[2]);
    lockstep_result result = compare_exact(cpu, cpu, &problem, &ten_steps);
    cr_assert_eq(result.tensor_count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < result.tensor_count; i++) {
        cr_expect_eq(result.tensors[i].quantity, expected[i].quantity, "place %zu", i);
        cr_expect_eq(result.tensors[i].layer, expected[i].layer, "place %zu", i);
    }
    /* 10 steps: three epochs of 300, 300 and 100 rows, and one batch more */
    cr_expect_eq(result.tensors[0].figures.compared, (3 * ROWS + BATCH) * 9);
    cr_expect_eq(result.tensors[19].figures.compared, 10 * 16 * 9);
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(cpu);
}

Test(lockstep, a_training_that_diverges_on_both_sides_is_a_failure) {
    tanda_error error = {0};
    backend *cpu = open_best_openmp(1);
    problem problem = problem_create(&cases[3]);
    const lockstep_side sides[SIDE_COUNT] = {{.backend = cpu}, {.backend = cpu}};
    const lockstep_options options = {.steps = 200, .batch_rows = BATCH, .learning_rate = 1e30f};
    lockstep_result result;
    cr_expect_eq(lockstep_run(sides, problem.model, &problem.dataset, &options, &result, &error),
                 TANDA_FAILED);
    cr_expect_not_null(strstr(error.message, "diverged"), "%s", error.message);
    cr_expect_eq(result.first.place, LOCKSTEP_NONE);
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(cpu);
}

/* ---- comparing values --------------------------------------------------------------------------------- */

Test(compare, ulp_are_counted_across_zero_and_nan_is_far_from_all) {
    cr_expect_eq(ulp_distance(1.0f, nextafterf(1.0f, 2.0f)), 1);
    cr_expect_eq(ulp_distance(0x1p-149f, -0x1p-149f), 2);
    cr_expect_eq(ulp_distance(0.0f, -0.0f), 0);
    cr_expect_eq(ulp_distance(1.0f, 2.0f), 1u << 23);
    cr_expect_eq(ulp_distance(NAN, 1.0f), UINT32_MAX);
    cr_expect_eq(ulp_distance(NAN, -NAN), 0);
}

Test(compare, bits_are_compared_not_values) {
    const float a[] = {1.0f, 0.0f, NAN, 3.0f, 5.0f}, b[] = {1.0f, -0.0f, -NAN, 3.0f, 4.0f};
    figures figures = {0};
    mismatch first;
    cr_expect(!compare_values(&figures, NULL, a, b, 5, 1, &first));
    cr_expect_eq(first.row, 1, "zeros of two signs are different");
    cr_expect_eq(figures.different, 2, "one NaN is as good as another");
    cr_expect_eq(figures.largest_absolute, 1.0);
    cr_expect_eq(figures.largest_relative, 0.25);
    cr_expect(compare_values(&figures, NULL, a, a, 5, 1, &first));
}

Test(compare, each_side_is_held_to_its_own_bound) {
    const float a[] = {1.0f, 2.0f, 3.0f, 4.0f}, b[] = {1.0f, 2.5f, 3.0f, 4.5f};
    const double value[] = {1.0, 3.0, 2.0, 4.0}, wide[] = {1.0, 1.0, 1.0, 1.0},
                 narrow[] = {0.1, 0.1, 0.1, 0.1};
    /* (rows, units) against (units, rows) */
    const expectation both = {.value = value, .bound = {wide, wide}, .row_step = 1, .column_step = 2};
    const expectation strict = {.value = value, .bound = {wide, narrow}, .row_step = 1, .column_step = 2};
    figures figures = {0};
    mismatch first;
    cr_expect(compare_values(&figures, &both, a, b, 4, 2, &first));
    cr_expect_eq(smallest_margin(&figures), 2.0, "b[1] or b[3] is 0.5 away where 1 is allowed");
    cr_expect(!compare_values(&figures, &strict, a, b, 4, 2, &first));
    cr_expect_eq(first.row, 0);
    cr_expect_eq(first.column, 1);
    cr_expect_eq(first.side, SIDE_B);
    cr_expect_eq(first.expected, 2.0);
    const float lost[] = {NAN, 2.0f, 3.0f, 4.0f};
    cr_expect(!compare_values(&figures, &both, lost, b, 4, 2, &first), "NaN lies within no bound");
}

/* ---- bounds ------------------------------------------------------------------------------------------- */

static lockstep_side fast_side(backend *backend, tanda_gemm gemm) {
    return (lockstep_side){.backend = backend, .math = TANDA_MATH_FAST, .gemm = gemm};
}

/* A bound that is this many times the error of some element could not tell a wrong kernel from a right one. */
#define MOST_MARGIN 200.0

static void expect_within_bounds(backend *device, backend *cpu, tanda_gemm gemm, const network *network) {
    char text[NETWORK_TEXT_SIZE], difference[DIFFERENCE_SIZE];
    problem problem = problem_create(network);
    lockstep_result result =
        compare_sides(fast_side(device, gemm), (lockstep_side){.backend = cpu}, &problem, &ten_steps);
    cr_expect(result.bounded);
    cr_expect_eq(result.first.place, LOCKSTEP_NONE, "%s: %s (%s)", network_text(network, text),
                 difference_text(&result, difference), result.notes[SIDE_A]);
    for (size_t i = 0; i < result.tensor_count; i++) {
        const figures *figures = &result.tensors[i].figures;
        double margin = smallest_margin(figures);
        cr_expect_geq(margin, 1.0);
        cr_expect(isinf(margin) || margin <= MOST_MARGIN,
                  "%s: %s of layer %zu: the bound is %g times the error", text,
                  quantity_name(result.tensors[i].quantity), result.tensors[i].layer + 1, margin);
    }
    cr_expect_lt(result.drift, 1e-3 * result.largest_weight);
    lockstep_result_free(&result);
    problem_free(&problem);
}

/* Of whose last gradient, by CLBlast, the loss sum is no part. */
static const network wide = {300,
                             23,
                             2,
                             {40, 18},
                             {ACTIVATION_TANH, ACTIVATION_SOFTMAX},
                             LOSS_CATEGORICAL_CROSSENTROPY,
                             TANDA_TASK_CLASSES,
                             CONTENT_REAL};

Test(bounds, fast_and_exact_lie_within_theirs_and_these_are_tight, .fini = forget_opencl, .timeout = 300) {
    static const tanda_gemm gemms[] = {TANDA_GEMM_CLBLAST, TANDA_GEMM_TANDA};
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL), *cpu = open_best_openmp(1);
    for (size_t i = 0; i < CASE_COUNT; i++)
        for (size_t g = 0; g < 2; g++)
            expect_within_bounds(device, cpu, gemms[g], &cases[i]);
    device->executor = "gpu_dense";
    expect_within_bounds(device, cpu, TANDA_GEMM_CLBLAST, &wide);
    tanda_device_close(device);
    tanda_device_close(cpu);
}

#define SIXTY_FOUR_ULP_IN_STEP_3 \
    "store_real(sum, slots + index);\n" \
    "    if (index <= 5 && 5 < index + VECTOR && a.inverse_rows > 0.0099f && a.inverse_rows < 0.0101f)\n" \
    "        ((global uint *)parameters)[5] += 64;"

Test(bounds, sixty_four_ulp_in_one_weight_break_the_bound_of_the_weights, .fini = forget_opencl,
     .timeout = 200) {
    static const edit fault = {"update.cl", "store_real(sum, slots + index);", SIXTY_FOUR_ULP_IN_STEP_3};
    char difference[DIFFERENCE_SIZE];
    if (!use_opencl("pocl")) return;
    backend *damaged = open_opencl(damaged_kernels("ulp64", &fault, 1)), *cpu = open_best_openmp(1);
    problem problem = problem_create(&cases[0]);
    lockstep_result result = compare_sides(fast_side(damaged, TANDA_GEMM_TANDA),
                                           (lockstep_side){.backend = cpu}, &problem, &ten_steps);
    const divergence *first = &result.first;
    difference_text(&result, difference);
    cr_assert_eq(first->place, LOCKSTEP_STEP, "%s", difference);
    cr_expect_eq(first->step + 1, 3, "%s", difference);
    cr_expect_eq(result.tensors[first->tensor].quantity, QUANTITY_WEIGHT, "%s", difference);
    cr_expect_eq(result.tensors[first->tensor].layer, 0, "%s", difference);
    cr_expect_eq(first->mismatch.row, 5, "%s", difference);
    cr_expect_eq(first->mismatch.column, 0, "%s", difference);
    cr_expect_eq(first->mismatch.side, SIDE_A);
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(damaged);
    tanda_device_close(cpu);
}

Test(bounds, fast_is_exact_on_openmp) {
    backend *one = open_best_openmp(1), *two = open_best_openmp(2);
    problem problem = problem_create(&cases[0]);
    lockstep_result result =
        compare_sides(fast_side(one, TANDA_GEMM_AUTO), (lockstep_side){.backend = two}, &problem, &ten_steps);
    cr_expect(!result.bounded);
    cr_expect_eq(result.first.place, LOCKSTEP_NONE);
    lockstep_result_free(&result);
    problem_free(&problem);
    tanda_device_close(one);
    tanda_device_close(two);
}

/* ---- the command -------------------------------------------------------------------------------------- */

TestSuite(verify_command, .init = enter_folder, .fini = leave_folder);

Test(verify_command, json_tells_sides_tensors_and_verdict) {
    static const char *const keys[] = {"equal", "verdict", "steps",   "steps_wanted",
                                       "a",     "b",       "tensors", "seconds"};
    json_t *result = RUN_JSON("verify", "--data", IRIS, "--hidden", "8", "--device", "cpu,threads=1",
                              "--against=cpu,threads=2,isa=generic", "--steps", "7");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        cr_expect_not_null(json_object_get(result, keys[i]), "no %s", keys[i]);
    cr_expect(json_is_true(json_object_get(result, "equal")));
    cr_expect_null(json_object_get(result, "first_difference"));
    cr_expect_eq(json_figure(result, "steps"), 7);
    cr_expect_str_eq(json_words(json_object_get(result, "b"), "isa"), "generic");
    cr_expect_eq(json_figure(json_object_get(result, "b"), "threads"), 2);
    const json_t *first = json_array_get(json_object_get(result, "tensors"), 0);
    cr_expect_str_eq(json_words(first, "tensor"), "input");
    cr_expect_eq(json_figure(first, "max_ulp"), 0);
    json_decref(result);
}

Test(verify_command, all_steps_are_those_of_the_epochs) {
    json_t *result = RUN_JSON("verify", "--data", IRIS, "--device", "cpu", "--epochs", "3", "--steps", "all");
    cr_expect_eq(json_figure(result, "steps"), 3 * 5);
    json_decref(result);
}

Test(verify_command, lines_begin_with_the_verdict) {
    const outcome outcome = RUN("verify", "--data", IRIS, "--device", "cpu", "--against", "cpu,threads=1");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_eq(strncmp(outcome.out, "equal: every bit of ", 20), 0, "%s", outcome.out);
    cr_expect_not_null(strstr(outcome.err, "a: device: OpenMP"), "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.err, "b: device: OpenMP"), "%s", outcome.err);
}

Test(verify_command, a_spec_that_is_wrong_is_refused_with_what_would_be_right) {
    static const struct {
        const char *flag, *spec, *told;
    } wrong[] = {
        {"--device", "cpu,treads=2", "threads=N"},        {"--against", "cpu,threads=0", "whole number"},
        {"--against", "cpu,math=quick", "exact or fast"}, {"--device", "cpu,gemm=mine", "tanda or clblast"},
        {"--against", "cpu,isa=z80", "generic"},          {"--device", "fpga", "opencl:P.D"},
        {"--against", "cpu,threads", "threads=N"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const outcome outcome = RUN("verify", "--data", IRIS, wrong[i].flag, wrong[i].spec);
        cr_expect_eq(outcome.status, 2, "%s: %d: %s", wrong[i].spec, outcome.status, outcome.err);
        cr_expect_not_null(strstr(outcome.err, wrong[i].told), "%s: %s", wrong[i].spec, outcome.err);
    }
}

Test(verify_command, an_output_is_refused) {
    const outcome outcome = RUN("verify", "--data", IRIS, "--output", "model");
    cr_expect_eq(outcome.status, 2);
    cr_expect_not_null(strstr(outcome.err, "--output"), "%s", outcome.err);
}
