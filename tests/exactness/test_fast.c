/*
 * The fast mode's caution: CLBlast's answer is checked before it is used. The check must be able to fail, so this
 * program puts its own CLBlastSgemmStridedBatched in front of the library's, which can spoil one element.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <clblast_c.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "backend/executor.h"
#include "backend/opencl/state.h"
#include "support_devices.h"
#include "support_network.h"

#include <criterion/criterion.h>

typedef CLBlastStatusCode gemm_function(const CLBlastLayout, const CLBlastTranspose, const CLBlastTranspose,
                                        const size_t, const size_t, const size_t, const float, const cl_mem,
                                        const size_t, const size_t, const size_t, const cl_mem, const size_t,
                                        const size_t, const size_t, const float, cl_mem, const size_t,
                                        const size_t, const size_t, const size_t, cl_command_queue *,
                                        cl_event *);

static bool spoils; /* adds 1 to the first element of every product with so many rows: */
static size_t spoiled_m;
static size_t calls;

CLBlastStatusCode CLBlastSgemmStridedBatched(
    const CLBlastLayout layout, const CLBlastTranspose a_transpose, const CLBlastTranspose b_transpose,
    const size_t m, const size_t n, const size_t k, const float alpha, const cl_mem a, const size_t a_offset,
    const size_t a_ld, const size_t a_stride, const cl_mem b, const size_t b_offset, const size_t b_ld,
    const size_t b_stride, const float beta, cl_mem c, const size_t c_offset, const size_t c_ld,
    const size_t c_stride, const size_t batches, cl_command_queue *queue, cl_event *event) {
    gemm_function *real =
        (gemm_function *)dlsym(dlopen("libclblast.so.1", RTLD_NOW), "CLBlastSgemmStridedBatched");
    cr_assert_not_null(real);
    calls++;
    CLBlastStatusCode code =
        real(layout, a_transpose, b_transpose, m, n, k, alpha, a, a_offset, a_ld, a_stride, b, b_offset, b_ld,
             b_stride, beta, c, c_offset, c_ld, c_stride, batches, queue, event);
    if (!spoils || m != spoiled_m) return code;
    float value = 0.0f;
    size_t at = c_offset * sizeof value;
    clEnqueueReadBuffer(*queue, c, CL_TRUE, at, sizeof value, &value, 0, NULL, NULL);
    value += 1.0f;
    clEnqueueWriteBuffer(*queue, c, CL_TRUE, at, sizeof value, &value, 0, NULL, NULL);
    return code;
}

static const network network_here = {300,
                                     23,
                                     3,
                                     {40, 18, 4},
                                     {ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX},
                                     LOSS_CATEGORICAL_CROSSENTROPY,
                                     TANDA_TASK_CLASSES,
                                     CONTENT_REAL};

typedef struct outcome {
    char note[512];
    char digest[TANDA_DIGEST_SIZE];
    double loss;
} outcome;

static void keep_note(const char *note, void *context) {
    snprintf(((outcome *)context)->note, sizeof((outcome *)context)->note, "%s", note);
}

static outcome train(tanda_device *device, tanda_math math, tanda_gemm gemm) {
    outcome made = {.note = ""};
    tanda_error error = {0};
    tanda_train_result result;
    problem problem = problem_create(&network_here);
    const tanda_train_options options = {.size = sizeof options,
                                         .epochs = 3,
                                         .batch_rows = 290,
                                         .learning_rate = 0.25,
                                         .math = math,
                                         .gemm = gemm,
                                         .on_note = keep_note,
                                         .context = &made};
    calls = 0;
    cr_assert_eq(tanda_train(device, problem.model, &problem.dataset, NULL, &options, &result, &error),
                 TANDA_OK, "%s", error.message);
    tanda_model_digest(problem.model, made.digest);
    made.loss = result.training.loss;
    problem_free(&problem);
    return made;
}

Test(fast, clblast_computes_every_product_when_told_to, .fini = forget_opencl, .timeout = 300) {
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL);
    outcome exact = train(device, TANDA_MATH_EXACT, TANDA_GEMM_AUTO);
    cr_expect_eq(calls, 0, "exact mode called CLBlast");
    cr_expect_str_eq(exact.note, "");
    outcome fast = train(device, TANDA_MATH_FAST, TANDA_GEMM_CLBLAST);
    cr_expect_not_null(strstr(fast.note, "CLBlast computes 8 of 8 matrix products"), "%s", fast.note);
    cr_expect_gt(calls, 8 * 6, "%zu calls", calls);
    cr_expect_float_eq(fast.loss, exact.loss, 1e-4, "%.9g and %.9g", fast.loss, exact.loss);
    tanda_device_close(device);
}

Test(fast, a_wrong_answer_of_clblast_switches_that_product_back_and_is_told, .fini = forget_opencl,
     .timeout = 300) {
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL);
    spoils = true;
    spoiled_m = 23; /* the weight gradient of the first layer, and nothing else */
    outcome fast = train(device, TANDA_MATH_FAST, TANDA_GEMM_CLBLAST);
    cr_expect_not_null(strstr(fast.note, "CLBlast computes 7 of 8 matrix products"), "%s", fast.note);
    cr_expect_not_null(strstr(fast.note, "CLBlast is wrong in layer 1 gradient: element (0, 0)"), "%s",
                       fast.note);
    spoils = false;
    outcome exact = train(device, TANDA_MATH_EXACT, TANDA_GEMM_AUTO);
    cr_expect_float_eq(fast.loss, exact.loss, 1e-4, "%.9g and %.9g", fast.loss, exact.loss);
    tanda_device_close(device);
}

/* Of the wide second layer alone, whose inputs are no rows of the data set. */
Test(fast, gpu_dense_leaves_products_to_clblast, .fini = forget_opencl, .timeout = 300) {
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL);
    device->executor = "gpu_dense";
    outcome exact = train(device, TANDA_MATH_EXACT, TANDA_GEMM_AUTO);
    outcome fast = train(device, TANDA_MATH_FAST, TANDA_GEMM_CLBLAST);
    cr_expect_str_eq(fast.note, "fast: CLBlast computes 3 of 8 matrix products");
    cr_expect_gt(calls, 3 * 6, "%zu calls", calls);
    cr_expect_float_eq(fast.loss, exact.loss, 1e-4, "%.9g and %.9g", fast.loss, exact.loss);
    spoils = true;
    spoiled_m = 18;
    fast = train(device, TANDA_MATH_FAST, TANDA_GEMM_CLBLAST);
    cr_expect_not_null(
        strstr(fast.note, "computes 2 of 8 matrix products; CLBlast is wrong in layer 2 forward"), "%s",
        fast.note);
    cr_expect_float_eq(fast.loss, exact.loss, 1e-4, "%.9g and %.9g", fast.loss, exact.loss);
    spoils = false;
    outcome own = train(device, TANDA_MATH_FAST, TANDA_GEMM_TANDA);
    cr_expect_str_eq(own.digest, exact.digest);
    tanda_device_close(device);
}

/* ---- who computes on a GPU ------------------------------------------------------------------------------------ */

/* The executor that a GPU of 100 compute units takes by itself. */
static const char *taken(const network *network, tanda_math math, tanda_gemm gemm) {
    static const backend_interface interface = {.executors = opencl_executors};
    opencl_backend_state gpu = {.base = {.interface = &interface, .information.compute_units = 100},
                                .has_local = true,
                                .local_bytes = 32768,
                                .most_group = 256,
                                .vector = 1};
    const program_options options = {.rows = 40000, .batch_rows = 4000, .math = math, .gemm = gemm};
    const executor *executor = NULL;
    tanda_error error = {0};
    problem problem = problem_create(network);
    plan *plan = NULL;
    cr_assert_eq(
        plan_create(problem.model, &(plan_options){.training = true, .with_loss = true}, &plan, &error),
        TANDA_OK, "%s", error.message);
    cr_assert_eq(executor_choose(&gpu.base, plan, &options, &executor, &error), TANDA_OK, "%s",
                 error.message);
    plan_free(plan);
    problem_free(&problem);
    return executor->name;
}

Test(fast, gpus_keep_their_executors_unless_who_multiplies_is_asked) {
    static const network perceptron = {
        20, 20, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL};
    static const network large = {20,
                                  300,
                                  2,
                                  {700, 10},
                                  {ACTIVATION_RELU, ACTIVATION_SOFTMAX},
                                  LOSS_CATEGORICAL_CROSSENTROPY,
                                  TANDA_TASK_CLASSES,
                                  CONTENT_REAL};
    const network *const left_to[] = {&perceptron, &network_here, &large};
    static const char *const names[] = {"gpu_perceptron", "gpu_small", "gpu_dense"};
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(taken(left_to[i], TANDA_MATH_EXACT, TANDA_GEMM_AUTO), names[i]);
        cr_expect_str_eq(taken(left_to[i], TANDA_MATH_FAST, TANDA_GEMM_AUTO), names[i]);
        cr_expect_str_eq(taken(left_to[i], TANDA_MATH_FAST, TANDA_GEMM_CLBLAST), "ops");
    }
}

Test(fast, openmp_is_exact) {
    backend *cpu = open_best_openmp(2);
    outcome exact = train(cpu, TANDA_MATH_EXACT, TANDA_GEMM_AUTO),
            fast = train(cpu, TANDA_MATH_FAST, TANDA_GEMM_AUTO);
    cr_expect_str_eq(exact.digest, fast.digest);
    tanda_device_close(cpu);
}
