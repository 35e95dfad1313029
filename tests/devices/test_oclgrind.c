/*
 * The kernels on oclgrind, an OpenCL device that interprets them and watches every access: outside a buffer, a
 * race, a value that nothing has written. Small networks run every kernel as CPUs take it (16 lanes a work-item)
 * and as GPUs do (one); the same watch must see damaged kernels. Skipped without oclgrind. Executors for GPUs:
 * test_gpu_races.c.
 *
 * The functions of OpenCL that are defined here stand before the real ones, which they call.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/state.h"
#include "support/file.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support_network.h"
#include "support_oclgrind.h"
#include "support_updates.h"

#define STEPS 2

/* ---- between tanda and oclgrind ----------------------------------------------------------------------- */

static cl_uint shown_vector_width = 1;
static bool fill_by_writing;

static name_list launched;

cl_int clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size, void *value,
                       size_t *size_needed) {
    const __typeof__(&clGetDeviceInfo) real = real_function("clGetDeviceInfo");
    if (what != CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT || value == NULL)
        return real(device, what, size, value, size_needed);
    *(cl_uint *)value = shown_vector_width;
    return CL_SUCCESS;
}

cl_int clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                              const size_t *offset, const size_t *items, const size_t *group,
                              cl_uint wait_count, const cl_event *wait, cl_event *event) {
    const __typeof__(&clEnqueueNDRangeKernel) real = real_function("clEnqueueNDRangeKernel");
    char name[48] = "";
    clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL);
    add_name(&launched, name);
    return real(queue, kernel, dimensions, offset, items, group, wait_count, wait, event);
}

/*
 * oclgrind 21.10 keeps, of a buffer that it sees filled in pieces, only what it knows of the last piece: it then
 * takes the rest for unwritten, and falls over itself. A write of the whole buffer it understands.
 */
cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
                           size_t offset, size_t size, cl_uint wait_count, const cl_event *wait,
                           cl_event *event) {
    const __typeof__(&clEnqueueFillBuffer) real = real_function("clEnqueueFillBuffer");
    if (!fill_by_writing)
        return real(queue, memory, pattern, pattern_size, offset, size, wait_count, wait, event);
    unsigned char *bytes = malloc(size);
    cr_assert_not_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = ((const unsigned char *)pattern)[i % pattern_size];
    cl_int code = clEnqueueWriteBuffer(queue, memory, CL_TRUE, offset, size, bytes, wait_count, wait, event);
    free(bytes);
    return code;
}

/* ---- watching ----------------------------------------------------------------------------------------- */

enum { RACES, UNINITIALIZED };

static void watch(int what, cl_uint vector_width) {
    watch_by_oclgrind(what == RACES ? OCLGRIND_RACES : OCLGRIND_UNWRITTEN);
    fill_by_writing = what == UNINITIALIZED;
    shown_vector_width = vector_width;
}

/* ---- a copy of kernels/ ------------------------------------------------------------------------------- */

static char kernel_folder[128];

static void copy_kernels(void) {
    char command[512];
    snprintf(kernel_folder, sizeof kernel_folder, "%s/kernels", temporary_folder());
    snprintf(command, sizeof command, "cp -r '%s/kernels' %s", TANDA_SOURCE_DIR, kernel_folder);
    cr_assert_eq(system(command), 0);
}

/* Puts `to` in the place of the one `from` in a file of the copy. */
static void replace(const char *file, const char *from, const char *to) {
    char path[256];
    file_view view = {0};
    snprintf(path, sizeof path, "%s/%s", kernel_folder, file);
    MUST(file_view_open(path, &view, error));
    const char *text = (const char *)view.data, *found = memmem(text, view.size, from, strlen(from));
    cr_assert_not_null(found, "\"%s\" is not in kernels/%s: the test must follow the kernels", from, file);
    const char *rest = found + strlen(from);
    const file_part parts[] = {
        {text, (size_t)(found - text)}, {to, strlen(to)}, {rest, (size_t)(text + view.size - rest)}};
    MUST(file_write_atomically(path, parts, 3, error));
    file_view_close(&view);
}

/*
 * When watching for unwritten values, oclgrind 21.10 takes the upper half of 16 lanes for unwritten, or falls over
 * itself, where LLVM has a shufflevector. So a copy of the kernels takes vectors apart through memory, with the
 * same bits.
 */
static void avoid_swizzles(void) {
    copy_kernels();
    replace("tile.h", "float8 by_8 = x.lo + x.hi;",
            "float sums[16];\n"
            "vstore16(x, 0, sums);\n"
            "for (int n = 8; n > 0; n /= 2)\n"
            "    for (int i = 0; i < n; i++)\n"
            "        sums[i] = sums[i] + sums[i + n];\n"
            "return sums[0];\n"
            "float8 by_8 = x.lo + x.hi;");
    replace("tile.h", "int8 by_8 = condition.lo | condition.hi;",
            "int conditions[16], found = 0;\n"
            "vstore16(condition, 0, conditions);\n"
            "for (int i = 0; i < 16; i++)\n"
            "    found |= conditions[i];\n"
            "return found != 0;\n"
            "int8 by_8 = condition.lo | condition.hi;");
    replace("cpu/network_block.h", "static inline float16 fold_sixteen(float16 *x) {",
            "static inline float16 fold_sixteen(float16 *x) {\n"
            "float folded[16];\n"
            "for (int i = 0; i < 16; i++)\n"
            "    folded[i] = fold_lanes(x[i]);\n"
            "return vload16(0, folded);\n"
            "}\n"
            "static inline float16 unused_fold(float16 *x) {");
    replace("loss_rows.h", "int8 by_8 = condition.lo + condition.hi;",
            "int lanes[16], sum = 0;\n"
            "vstore16(condition, 0, lanes);\n"
            "for (int i = 0; i < 16; i++)\n"
            "    sum -= lanes[i];\n"
            "return (uint)sum;\n"
            "int8 by_8 = condition.lo + condition.hi;");
    replace("cpu/assemble.h", "return (uint16)(convert_uint8(",
            "uint lanes[16];\n"
            "vstore16(a, 0, lanes);\n"
            "for (int i = 0; i < 16; i++)\n"
            "    lanes[i] = mul_hi(lanes[i], b);\n"
            "return vload16(0, lanes);\n"
            "return (uint16)(convert_uint8(");
    replace("cpu/assemble.h", "#define INTERLEAVE_LOW(a, b) ",
            "static float16 interleave(float16 a, float16 b, int first) {\n"
            "    float from[32], to[16];\n"
            "    vstore16(a, 0, from);\n"
            "    vstore16(b, 1, from);\n"
            "    for (int i = 0; i < 8; i++) {\n"
            "        to[2 * i] = from[first + i];\n"
            "        to[2 * i + 1] = from[16 + first + i];\n"
            "    }\n"
            "    return vload16(0, to);\n"
            "}\n"
            "#define INTERLEAVE_LOW(a, b) interleave(a, b, 0)\n"
            "#define UNUSED_LOW(a, b) ");
    replace("cpu/assemble.h", "#define INTERLEAVE_HIGH(a, b) ",
            "#define INTERLEAVE_HIGH(a, b) interleave(a, b, 8)\n"
            "#define UNUSED_HIGH(a, b) ");
}

TestSuite(oclgrind, .fini = forget_opencl, .timeout = 200);

/* ---- the kernels as they are -------------------------------------------------------------------------- */

#define IDENTITY ACTIVATION_IDENTITY
#define SIGMOID ACTIVATION_SIGMOID
#define TANH ACTIVATION_TANH
#define RELU ACTIVATION_RELU
#define SOFTMAX ACTIVATION_SOFTMAX

/* A network of three hidden layers with these activations. */
#define THREE_HIDDEN(one, two, three) \
    { \
        {12, \
         2, \
         4, \
         {3, 16, 1, 2}, \
         {ACTIVATION_##one, ACTIVATION_##two, ACTIVATION_##three, SOFTMAX}, \
         LOSS_CATEGORICAL_CROSSENTROPY, \
         TANDA_TASK_CLASSES, \
         CONTENT_REAL}, \
            0, 0, false \
    }

typedef struct trial {
    network network;
    size_t batch_rows, wave_tiles;
    bool shuffle;
} trial;

/* Ragged tiles and groups of lanes, one tile, two and nine, narrow and wide layers, one chunk of a sum and two. */
static const trial trials[] = {
    {{1, 1, 1, {1}, {SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL}, 0, 0, false},
    {{40, 3, 2, {2, 1}, {SIGMOID, SIGMOID}, LOSS_MSE, TANDA_TASK_CLASSES, CONTENT_REAL}, 31, 0, true},
    {{33, 5, 3, {17, 3, 1}, {TANH, IDENTITY, IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION, CONTENT_REAL},
     0,
     0,
     false},
    {{19, 2, 2, {63, 3}, {RELU, SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
     9,
     0,
     true},
    {{3, 258, 1, {2}, {SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
     0,
     0,
     false},
    {{259, 1, 2, {16, 1}, {RELU, SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
     0,
     0,
     false},
    {{19, 3, 2, {2, 1}, {TANH, ACTIVATION_GELU}, LOSS_HUBER, TANDA_TASK_REGRESSION, CONTENT_REAL},
     9,
     0,
     true},
    {{33, 2, 1, {3}, {IDENTITY}, LOSS_SQUARED_HINGE, TANDA_TASK_CLASSES, CONTENT_REAL}, 0, 0, false},
    THREE_HIDDEN(LEAKY_RELU, ELU, SELU),
    THREE_HIDDEN(GELU, SWISH, SOFTPLUS),
    THREE_HIDDEN(SOFTSIGN, HARD_SIGMOID, EXPONENTIAL),
    {{20, 21, 1, {13}, {SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
     0,
     0,
     false},
    {{45, 17, 1, {1}, {SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL}, 20, 0, true},
    {{2049, 1, 1, {1}, {IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION, CONTENT_REAL}, 0, 0, false},
};

/* More tiles than a wave holds: partials are pushed on the stack and folded. */
static const trial waves = {
    {260, 1, 1, {1}, {SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL}, 0, 1, false};

/* Dropout, weights of rows, and a norm that is clipped. */
static const trial all_at_once = {
    {43, 3, 3, {16, 5, 1}, {RELU, TANH, SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
    40,
    0,
    true};

/* A narrow column in steps of several launches. */
static const trial clipped = {
    {20, 2, 2, {3, 1}, {RELU, SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL},
    0,
    0,
    false};

/* Trains on both, keeping every tensor, and demands no report and equal bits. */
static void run_trial(backend *watched, backend *other, const trial *trial) {
    char text[NETWORK_TEXT_SIZE], difference[256] = "";
    static const double dropout[] = {0.25, 0.5, 0.125};
    const update_case *update = trial == &all_at_once || trial == &clipped
                                    ? update_case_named("Adam, clipped by norm, with L1")
                                    : &update_cases[trial->network.rows % update_case_count];
    update_rates rates[UPDATE_STEPS];
    fill_rates(update, rates);
    const step_options options = {.dropout = trial == &all_at_once ? dropout : NULL,
                                  .update = update->settings,
                                  .rates = rates,
                                  .batch_rows = trial->batch_rows,
                                  .shuffle = trial->shuffle,
                                  .seed = 3,
                                  .wave_tiles = trial->wave_tiles};
    network_text(&trial->network, text);
    problem problem = problem_create(&trial->network);
    char digests[2][TANDA_DIGEST_SIZE];
    if (trial == &all_at_once) {
        MUST(allocate(&problem.dataset.weights, problem.dataset.rows, sizeof(float), "weights", error));
        for (size_t row = 0; row < problem.dataset.rows; row++)
            problem.dataset.weights[row] = (float)(row % 5) * 0.5f;
    }
    digest_after(watched, &problem, &options, STEPS, digests[0]);
    digest_after(other, &problem, &options, STEPS, digests[1]);
    cr_expect_str_eq(digests[0], digests[1], "%s: other bits than on OpenMP", text);
    if (trial->wave_tiles == 0) { /* plans that keep all have one wave */
        capture mine = capture_step(watched, &problem, &options),
                theirs = capture_step(other, &problem, &options);
        cr_expect(captures_agree(&mine, &theirs, difference, sizeof difference), "%s: %s", text, difference);
        capture_free(&mine);
        capture_free(&theirs);
    }
    expect_no_report(text);
    problem_free(&problem);
}

/* Every kernel of a training must have run; the self-test's and CLBlast's helper are none. */
static void expect_all_launched(cl_uint vector_width, bool with_waves) {
    static const char *const names[] = {
#define NAME(name) #name,
        KERNEL_LIST(NAME)
#define ACTIVATION_NAMES(name, NAME, FROM) "activation_forward_" #name, "activation_backward_" #name,
            ACTIVATION_LIST(ACTIVATION_NAMES)};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *name = names[i], *end = strrchr(name, '_');
        if (strcmp(name, "probe") == 0 || strcmp(name, "fill_bias") == 0) continue;
        if (end != NULL && strcmp(end, "_identity") == 0) continue; /* plans leave it out */
        if (!with_waves && strcmp(name, "add_partials") == 0) continue;
        cr_expect(is_in(&launched, name), "%s did not run", name);
    }
    static const char *const of_vectors[] = {VECTOR_KERNEL_LIST(NAME)};
    for (size_t i = 0; vector_width > 1 && i < sizeof of_vectors / sizeof *of_vectors; i++)
        cr_expect(is_in(&launched, of_vectors[i]), "%s did not run", of_vectors[i]);
}

static void run_trials(int what, cl_uint vector_width) {
    watch(what, vector_width);
    if (what == UNINITIALIZED) avoid_swizzles();
    backend *watched = open_opencl(what == UNINITIALIZED ? kernel_folder : NULL),
            *other = open_best_openmp(1);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        run_trial(watched, other, &trials[i]);
    run_trial(watched, other, &all_at_once);
    run_trial(watched, other, &clipped);
    if (what == RACES)
        run_trial(watched, other, &waves); /* copies a part of a buffer, see clEnqueueFillBuffer */
    tanda_device_close(watched);
    tanda_device_close(other);
    expect_no_report("closing");
    expect_all_launched(vector_width, what == RACES);
}

Test(oclgrind, kernels_of_one_lane_stay_within_buffers_and_do_not_race) {
    run_trials(RACES, 1);
}

Test(oclgrind, kernels_of_16_lanes_stay_within_buffers_and_do_not_race) {
    run_trials(RACES, 16);
}

Test(oclgrind, kernels_of_one_lane_use_no_value_that_nothing_wrote) {
    run_trials(UNINITIALIZED, 1);
}

Test(oclgrind, kernels_of_16_lanes_use_no_value_that_nothing_wrote) {
    run_trials(UNINITIALIZED, 16);
}

/* ---- damaged kernels ---------------------------------------------------------------------------------- */

/* Trains once on the damaged copy: 2 inputs, 3 hidden units and 2 classes, 20 rows. */
static void run_damaged(void) {
    static const network small = {
        20, 2, 2, {3, 2}, {TANH, SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL};
    const step_options options = {0};
    char digest[TANDA_DIGEST_SIZE];
    problem problem = problem_create(&small);
    backend *watched = open_opencl(kernel_folder);
    digest_after(watched, &problem, &options, 1, digest);
    tanda_device_close(watched);
    problem_free(&problem);
}

Test(oclgrind, an_index_past_the_end_is_reported) {
    watch(RACES, 1);
    copy_kernels();
    replace("apply.h", "store_real(w, t.parameters + at)", "store_real(w, t.parameters + at + t.floats)");
    run_damaged();
    expect_report("Invalid write of size 4 at global memory", "update");
}

Test(oclgrind, a_race_is_reported) {
    watch(RACES, 1);
    copy_kernels();
    replace("dense.cl", "h < lines) slots[sum_place(a, tile, h)]", "h < lines) slots[sum_place(a, tile, 0)]");
    run_damaged();
    expect_report("Write-write data race at global memory", "sum_rows");
}

Test(oclgrind, a_value_that_nothing_wrote_is_reported) {
    watch(UNINITIALIZED, 1);
    avoid_swizzles();
    replace("gather.cl", "float value = 0.0f;", "float value;"); /* of the lanes behind the last row */
    run_damaged();
    expect_report("Uninitialized value written to global memory", "gather");
}
