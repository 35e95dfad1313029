/*
 * The kernels of executors for GPUs on oclgrind, which sees two work-items that come to the same place of memory without a
 * barrier or atomics between them: small trainings run each kernel without a report, to the bits of the CPU. Where a
 * barrier is left out it must tell. Skipped without oclgrind.
 *
 * The functions of OpenCL that are defined here stand before the real ones, which they call.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_lockstep.h"
#include "support_oclgrind.h"

#define SIGMOID ACTIVATION_SIGMOID
#define TANH ACTIVATION_TANH
#define RELU ACTIVATION_RELU
#define SOFTMAX ACTIVATION_SOFTMAX
#define IDENTITY ACTIVATION_IDENTITY
#define BINARY LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL
#define CATEGORICAL LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL
#define SQUARED LOSS_MSE, TANDA_TASK_REGRESSION, CONTENT_REAL

/* ---- between tanda and oclgrind ----------------------------------------------------------------------------------- */

/* Kernels of programs for GPUs, between line ends. */
static char held[8192] = "\n", launched[8192] = "\n";

static void *real_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    cr_assert_not_null(function, "%s", name);
    return function;
}

static bool is_in(const char *list, const char *name) {
    char line[112];
    snprintf(line, sizeof line, "\n%s\n", name);
    return strstr(list, line) != NULL;
}

static void add(char *list, size_t size, const char *name) {
    const size_t used = strlen(list);
    if (strncmp(name, "gpu_", 4) != 0 || is_in(list, name)) return;
    cr_assert_lt(snprintf(list + used, size - used, "%s\n", name), (int)(size - used));
}

cl_kernel clCreateKernel(cl_program program, const char *name, cl_int *code) {
    const __typeof__(&clCreateKernel) real = real_function("clCreateKernel");
    char names[8192] = "";
    clGetProgramInfo(program, CL_PROGRAM_KERNEL_NAMES, sizeof names, names, NULL);
    for (const char *one = strtok(names, ";"); one != NULL; one = strtok(NULL, ";"))
        add(held, sizeof held, one);
    return real(program, name, code);
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                              const size_t *offset, const size_t *items, const size_t *group,
                              cl_uint wait_count, const cl_event *wait, cl_event *event) {
    const __typeof__(&clEnqueueNDRangeKernel) real = real_function("clEnqueueNDRangeKernel");
    char name[96] = "";
    clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
    add(launched, sizeof launched, name);
    return real(queue, kernel, dimensions, offset, items, group, wait_count, wait, event);
}

/* ---- trainings ---------------------------------------------------------------------------------------------------- */

typedef struct training {
    network network;
    const char *executor;
    size_t units, batch_rows, steps; /* batch_rows 0: all */
} training;

/* Blocks of few rows are what runs quickest here. */
static const training of_perceptrons[] = {
    /* Steps in a launch, of a group; slots of three, by a second launch and by the last of them; chunks of features. */
    {{40, 3, 1, {1}, {SIGMOID}, BINARY}, "gpu_perceptron", 1, 20, 3},
    {{1030, 1, 1, {1}, {IDENTITY}, SQUARED}, "gpu_perceptron", 8, 0, 2},
    {{1030, 1, 1, {1}, {IDENTITY}, SQUARED}, "gpu_perceptron_one", 8, 0, 2},
    {{10, 260, 1, {3}, {SOFTMAX}, CATEGORICAL}, "gpu_perceptron", 8, 0, 1},
};

static const training of_small_networks[] = {
    {{40, 5, 3, {17, 3, 2}, {RELU, TANH, SOFTMAX}, CATEGORICAL}, "gpu_small", 8, 20, 2},
    {{300, 1, 2, {2, 1}, {TANH, IDENTITY}, SQUARED}, "gpu_small", 1, 0, 1},
};

/* Many units: small blocks, and chunks for groups of their own. Rows that can be read in 16 bytes, and others. */
static const training of_any_width[] = {
    {{3, 4, 2, {16, 16}, {RELU, SOFTMAX}, CATEGORICAL}, "gpu_dense", 1, 0, 1},
    {{3, 5, 1, {16}, {SOFTMAX}, CATEGORICAL}, "gpu_dense", 1, 0, 1},
    {{3, 4, 1, {3}, {SOFTMAX}, CATEGORICAL}, "gpu_dense", 8, 0, 1},
    {{3, 5, 1, {1}, {SIGMOID}, BINARY}, "gpu_dense", 8, 0, 1},
    {{260, 40, 2, {16, 2}, {RELU, SOFTMAX}, CATEGORICAL}, "gpu_dense", 1, 0, 1}, /* two tiles, one slot */
    {{3, 4, 2, {16, 16}, {RELU, SOFTMAX}, CATEGORICAL}, "gpu_dense", 132, 0, 1},
    {{3, 5, 2, {16, 3}, {RELU, SOFTMAX}, CATEGORICAL}, "gpu_dense", 132, 0, 1},
    {{3, 516, 1, {16}, {SOFTMAX}, CATEGORICAL}, "gpu_dense", 132, 0, 1},
    {{3, 4, 3, {16, 516, 3}, {RELU, TANH, SOFTMAX}, CATEGORICAL}, "gpu_dense", 132, 0, 1},
};

/* Layers of two chunks. */
static const training of_chunks[] = {
    {{3, 260, 3, {16, 257, 16}, {RELU, TANH, SOFTMAX}, CATEGORICAL}, "gpu_dense", 1, 0, 1},
    {{3, 257, 1, {16}, {SOFTMAX}, CATEGORICAL}, "gpu_dense", 1, 0, 1},
    {{3, 260, 3, {16, 257, 16}, {RELU, TANH, SOFTMAX}, CATEGORICAL}, "gpu_dense", 132, 0, 1},
    {{3, 257, 1, {16}, {SOFTMAX}, CATEGORICAL}, "gpu_dense", 132, 0, 1},
};

static void expect_no_race(backend *watched, backend *other, const training *training) {
    char text[NETWORK_TEXT_SIZE], digests[2][TANDA_DIGEST_SIZE];
    const step_options options = {.batch_rows = training->batch_rows, .shuffle = true, .seed = 3};
    problem problem = problem_create(&training->network);
    watched->executor = training->executor;
    watched->information.compute_units = training->units;
    digest_after(watched, &problem, &options, training->steps, digests[0]);
    digest_after(other, &problem, &options, training->steps, digests[1]);
    network_text(&training->network, text);
    cr_expect_str_eq(digests[0], digests[1], "%s: other bits than on OpenMP", text);
    expect_no_report(text);
    problem_free(&problem);
}

static void watch(void) {
    watch_by_oclgrind(OCLGRIND_RACES);
    /* It takes the local memory of all kernels of a program for each one's. */
    setenv("OCLGRIND_LOCAL_MEM_SIZE", "1048576", 1);
}

static void expect_every_kernel(void) {
    char name[96];
    for (const char *at = held + 1; sscanf(at, "%95[^\n]", name) == 1; at += strlen(name) + 1)
        cr_expect(is_in(launched, name), "%s did not run", name);
}

static void run(backend *watched, backend *other, const training *trainings, size_t count) {
    for (size_t i = 0; i < count; i++) {
        expect_no_race(watched, other, &trainings[i]);
    }
}

#define ALL_OF(trainings) trainings, sizeof trainings / sizeof *trainings

TestSuite(gpu_races, .fini = forget_opencl, .timeout = 300);

Test(gpu_races, there_are_none) {
    watch();
    backend *watched = open_opencl(NULL), *other = open_best_openmp(1);
    run(watched, other, ALL_OF(of_perceptrons));
    run(watched, other, ALL_OF(of_small_networks));
    run(watched, other, ALL_OF(of_any_width));
    run(watched, other, ALL_OF(of_chunks));
    tanda_device_close(watched);
    tanda_device_close(other);
    expect_every_kernel();
}

/* ---- damaged kernels ---------------------------------------------------------------------------------------------- */

/* A training with one edit is told to race in a kernel. oclgrind counts its reports in a process, so there is one. */
static void expect_race(const char *kernel, edit edit, const training *training) {
    const step_options options = {.seed = 3};
    char digest[TANDA_DIGEST_SIZE];
    problem problem = problem_create(&training->network);
    watch();
    backend *watched = open_opencl(damaged_kernels("damaged", &edit, 1));
    watched->executor = training->executor;
    watched->information.compute_units = training->units;
    digest_after(watched, &problem, &options, training->steps, digest);
    tanda_device_close(watched);
    problem_free(&problem);
    expect_report("data race", kernel);
}

static const training one_group = {{3, 3, 1, {1}, {SIGMOID}, BINARY}, "gpu_perceptron", 1, 0, 1};
static const training groups_that_meet = {
    {1030, 1, 1, {1}, {IDENTITY}, SQUARED}, "gpu_perceptron_one", 8, 0, 1};
static const training small = {{3, 5, 2, {17, 1}, {TANH, SIGMOID}, BINARY}, "gpu_small", 8, 0, 1};
static const training wide = {{3, 20, 1, {16}, {SOFTMAX}, CATEGORICAL}, "gpu_dense", 1, 0, 1};

#define RACE_TEST(name, kernel, training, file, from, to) \
    Test(gpu_races, name) { \
        expect_race(kernel, (edit){file, from, to}, &training); \
    }
#define NO_BARRIER_TEST(name, kernel, training, file, before, after) \
    RACE_TEST(name, kernel, training, file, before "barrier(CLK_LOCAL_MEM_FENCE);\n" after, before after)

NO_BARRIER_TEST(a_strip_that_is_read_too_soon_is_told, "gpu_perceptron", one_group, "gpu/perceptron.cl", "",
                "        if (next.steps > 0) ask_for(")
RACE_TEST(sums_that_cross_without_atomics_are_told, "gpu_perceptron", groups_that_meet, "gpu/slots.h",
          "    if (crosses)\n        atomic_xchg(", "    if (!crosses)\n        atomic_xchg(")
NO_BARRIER_TEST(outputs_that_are_activated_too_soon_are_told, "gpu_small_rows", small, "gpu/small.cl",
                "        ", "        activate_outputs(")
NO_BARRIER_TEST(terms_that_are_replaced_too_soon_are_told, "gpu_forward_rows_small", wide, "gpu/dense.inc",
                "&next);\n            ", "        }\n")
