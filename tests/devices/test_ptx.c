/*
 * Kernels as GPUs get them: the PTX code that clang makes of them runs on this machine, by an OpenCL device of these tests
 * (ptx/opencl.c). It takes work-items and groups in random order, and fills memory that nobody has written with random
 * numbers: what depends on either ends in other bits. Skipped without clang-15, libclc-15 or python3.
 *
 * To try more kernels, add a training that runs them to `of_ops` or `of_gpus`.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <signal.h>

#include "program.h"
#include "ptx_device.h"

#define TRIAL_SEEDS 20 /* of a kernel of our own */

/* ---- the device --------------------------------------------------------------------------------------------- */

static void skip(const char *why) {
    fprintf(stderr, "SKIPPED: kernels as PTX: %s\n", why);
    leave_folder();
    cr_skip_test("%s", why);
}

static void set_up(void) {
    enter_folder();
    if (lack_of_ptx() != NULL) skip(lack_of_ptx());
    show_ptx("vendors");
    setenv("TANDA_PTX_LOG", "log", 1);
}

TestSuite(ptx, .init = set_up, .fini = leave_folder, .timeout = 300);

/* ---- trainings ---------------------------------------------------------------------------------------------- */

#define MOST_OPTIONS 24

/* The weights' hash of a training, its loss and accuracy. The options are words between single blanks. */
static const char *train(const char *options, const char *device) {
    const char *arguments[MOST_OPTIONS] = {TANDA_PROGRAM, "train", "--device", device, "--quiet", "--json"};
    size_t count = 6;
    char *words = strdup(options);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        cr_assert_lt(count, MOST_OPTIONS - 1);
        arguments[count++] = word;
    }
    const outcome outcome = run_to(-1, arguments);
    cr_assert_eq(outcome.status, 0, "train %s on %s: exit %d: %s", options, device, outcome.status,
                 outcome.err);
    json_t *result = only_object(&outcome);
    static char hashes[2][160];
    static int next;
    char *hash = hashes[next++ % 2];
    snprintf(hash, sizeof hashes[0], "%s, %.17g, %.17g", json_words(result, "weights_sha256"),
             json_figure(result, "loss"), json_number_value(json_object_get(result, "accuracy")));
    json_decref(result);
    free(words);
    return hash;
}

/* A training, and the executor that it is forced onto; of what forms depend on, the device's compute units; and seeds. */
typedef struct training {
    const char *options, *executor;
    unsigned units, seeds;
} training;

static const training of_ops[] = {
    {"--data " IRIS
     " --epochs 2 --hidden 20,18 --dropout 0.25,0.5 --input-dropout 0.1 --optimizer adam --clip-norm 1",
     "ops", 8, 2},
    {"--data " IRIS " --epochs 1 --hidden 9,9,9,9,9,9,9,9,9,9,9,9,9 --batch full --activation "
     "identity,sigmoid,tanh,relu,leaky_relu,elu,selu,gelu,swish,softplus,softsign,hard_sigmoid,exponential",
     "ops", 8, 2},
    {"--data " BREAST_CANCER " --epochs 3 --batch full --class-weight balanced", "ops", 8, 2},
    {"--data " BREAST_CANCER " --epochs 1 --batch full --hidden 4 --loss mse", "ops", 8, 2},
    {"--data " IRIS " --epochs 1 --loss hinge", "ops", 8, 2},
};

#define SLOTS "--data synthetic:regression,rows=1300,features=20 --epochs 2 --batch full"
#define WIDE "--epochs 1 --hidden 33,260,34 --data synthetic:blobs,classes=3,rows=16,features="
#define LAYERS "--epochs 1 --hidden 70,280,70,70 --data synthetic:blobs,classes=3,rows=16,features="
#define LAYER "--epochs 1 --hidden 70 --data synthetic:blobs,classes=3,rows=16,features="
#define TILES "--epochs 1 --batch full --hidden 18 --data synthetic:blobs,classes=3,rows="
#define NARROW "--epochs 1 --hidden 20,3 --data synthetic:blobs,classes=2,rows=30,features="

static const training of_gpus[] = {
    /* One group for three tiles; many steps a launch; slots of several groups, in blocks; several chunks; many sums. */
    {"--data " BREAST_CANCER " --epochs 3 --batch full --class-weight balanced", "gpu_perceptron", 8, 2},
    {"--data " IRIS " --epochs 2", "gpu_perceptron", 8, 2},
    {"--data " IRIS " --epochs 1 --loss hinge", "gpu_perceptron", 8, 1},
    {SLOTS, "gpu_perceptron", 8, 1},
    {SLOTS, "gpu_perceptron_one", 8, 2},
    {"--data synthetic:logistic,rows=66000,features=1 --epochs 1 --batch full", "gpu_perceptron_one", 64, 1},
    {"--data synthetic:logistic,rows=40,features=300 --epochs 2", "gpu_perceptron", 8, 1},
    {"--data synthetic:blobs,classes=10,rows=40,features=64 --epochs 2", "gpu_perceptron", 8, 1},

    /* Layers of all widths, with dropout, in groups of 16 rows; two tiles. */
    {"--data " IRIS " --epochs 1 --hidden 20,5 --dropout 0.25,0.5 --activation tanh,gelu --batch 100",
     "gpu_small", 8, 2},
    {"--data synthetic:regression,rows=300,features=5 --epochs 1 --batch full --hidden 17", "gpu_small", 1,
     1},

    /* Large blocks, medium ones between them, small ones, and chunks with groups of their own, of rows that can be read in 16 bytes and others. */
    {LAYERS "260", "gpu_dense", 1, 1},
    {WIDE "260", "gpu_dense", 3, 1},
    {WIDE "260", "gpu_dense", 132, 1},
    {LAYERS "261", "gpu_dense", 1, 1},
    {LAYER "72", "gpu_dense", 1, 1},
    {WIDE "261", "gpu_dense", 3, 1},
    {WIDE "261", "gpu_dense", 132, 1},
    {LAYERS "260", "gpu_dense", 2, 1},
    {LAYERS "261", "gpu_dense", 2, 1},
    {LAYER "72", "gpu_dense", 2, 1},
    {LAYER "73", "gpu_dense", 2, 1},
    {"--data " IRIS
     " --epochs 1 --hidden 20,18 --dropout 0.25,0.5 --input-dropout 0.1 --optimizer adam --clip-norm 1",
     "gpu_dense", 8, 2},
    /* A slot of four tiles, the whole step, whose parameters change at once; pairs of tiles; the update by itself. */
    {TILES "1000,features=40 --optimizer adam --l2 0.01", "gpu_dense", 1, 2},
    {TILES "600,features=70 --optimizer momentum", "gpu_dense", 1, 1},
    {TILES "1100,features=9", "gpu_dense", 1, 1},
    {NARROW "4", "gpu_dense", 1, 1},
    {NARROW "4", "gpu_dense", 132, 1},
    {NARROW "5", "gpu_dense", 1, 1},
    {NARROW "5", "gpu_dense", 132, 1},
    {"--data synthetic:regression,rows=300,features=4 --epochs 1 --batch full", "gpu_dense", 8, 1},
    {"--data synthetic:regression,rows=30,features=5 --epochs 1 --loss huber", "gpu_dense", 8, 1},
    {"--data synthetic:blobs,classes=17,rows=40,features=5 --epochs 1 --class-weight balanced", "gpu_dense",
     8, 1},
};

/*
 * Kernels that none of them runs: of `--math fast`, of CPUs, of what changes nothing, of layers of one unit, of steps
 * that device memory does not hold, and of `tanda bench`.
 */
static const char *const left_out[] = {
    "fill_bias", "dense_backward_small",        "dense_gradient_small",         "add_partials",
    "limits_",   "activation_forward_identity", "activation_backward_identity",
};

static bool is_left_out(const char *name) {
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (strncmp(name, left_out[i], strlen(left_out[i])) == 0) return true;
    return false;
}

/* Every kernel of executors of GPUs, or of the others, that was built has run, by the device's log. */
static void expect_every_kernel(bool is_of_gpus) {
    const char *log = file_text("log");
    char name[96], holds[112], runs[112];
    for (const char *line = strstr(log, "\nholds "); line != NULL; line = strstr(line + 1, "\nholds ")) {
        cr_assert_eq(sscanf(line, "\nholds %95s", name), 1);
        snprintf(holds, sizeof holds, "\nholds %s\n", name);
        snprintf(runs, sizeof runs, "\nruns %s\n", name);
        if (is_left_out(name) || (strncmp(name, "gpu_", 4) == 0) != is_of_gpus) continue;
        if (strstr(log, holds) != line) continue; /* a program is built again by each training */
        cr_expect(strstr(log, runs) != NULL, "no training runs the kernel %s", name);
    }
}

/* A line ends with the options, or a star behind them. */
static bool is_judged(const char *judged, const char *options) {
    for (const char *at = strstr(judged, options); at != NULL; at = strstr(at + 1, options)) {
        const char *end = at + strlen(options);
        if (*end == '\n' || strncmp(end, " *\n", 3) == 0) return true;
    }
    return false;
}

/* Programs of kernels/gpu with options of their own are among those that gpu_code.sh judges. */
static void expect_judged_options(void) {
    static const char of_all[] = "\nprogram -cl-std=CL1.2 -DVECTOR=1";
    const char *log = file_text("log"), *judged = file_text(TANDA_SOURCE_DIR "/tests/devices/gpu_programs");
    for (const char *line = strstr(log, of_all); line != NULL; line = strstr(line + 1, of_all)) {
        const char *options = line + strlen(of_all);
        char wanted[256];
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(options, "\n"), options);
        cr_expect(options[0] == '\n' || is_judged(judged, wanted),
                  "tests/devices/gpu_programs has no line with%s", wanted);
    }
}

static void expect_predictions(const char *device) {
    train("--data " IRIS " --epochs 1 --output model", "cpu");
    const char *right = RUN("predict", "model", IRIS, "--device", "cpu").out;
    const outcome outcome = RUN("predict", "model", IRIS, "--device", device);
    cr_expect(outcome.status == 0 && strcmp(outcome.out, right) == 0, "predictions differ: %s", outcome.err);
}

static void expect_bits_of_the_cpu(const training *training) {
    const char *right = train(training->options, "cpu");
    char device[64];
    snprintf(device, sizeof device, "opencl,executor=%s", training->executor);
    set_number("TANDA_PTX_UNITS", training->units);
    for (unsigned seed = 1; seed <= training->seeds; seed++) {
        set_seed(seed);
        cr_expect_str_eq(train(training->options, device), right, "train %s on %s, %u units, seed %u",
                         training->options, training->executor, training->units, seed);
    }
}

Test(ptx, trainings_run_every_kernel_and_end_in_the_bits_of_the_cpu_in_any_order_of_work_items) {
    for (size_t i = 0; i < sizeof of_ops / sizeof *of_ops; i++)
        expect_bits_of_the_cpu(&of_ops[i]);
    expect_predictions("opencl,executor=ops");
    expect_every_kernel(false);
}

Test(ptx, executors_of_gpus_run_every_kernel_of_theirs_to_the_same_end) {
    for (size_t i = 0; i < sizeof of_gpus / sizeof *of_gpus; i++)
        expect_bits_of_the_cpu(&of_gpus[i]);
    expect_predictions("opencl,executor=gpu");
    expect_every_kernel(true);
    expect_judged_options();
}

/* ---- kernels of our own: what is right stays right, and each fault is seen ------------------------------------- */

#define TRIAL_GROUPS 23
#define TRIAL_ITEMS 64
#define TRIAL_VALUES (TRIAL_GROUPS * TRIAL_ITEMS)

/*
 * Sums x by a tree in local memory, and the sums of groups, which cross by atomics, in the order of the groups, by the group
 * that comes last. scratch: TRIAL_GROUPS sums, the count of those who came, a sum by arrival.
 */
static const char trial_text[] =
    "#ifndef BARRIER\n"
    "#define BARRIER barrier(CLK_LOCAL_MEM_FENCE)\n"
    "#endif\n"
    "#pragma OPENCL FP_CONTRACT OFF\n"
    "kernel void trial(global const float *x, global float *result, global uint *scratch, local float *sums) "
    "{\n"
    "    local uint last;\n"
    "    uint i = get_local_id(0), groups = get_num_groups(0);\n"
    "    sums[i] = x[get_global_id(0)];\n"
    "    for (uint width = get_local_size(0) / 2; width > 0; width /= 2) {\n"
    "        BARRIER;\n"
    "        if (i < width) sums[i] = sums[i] + sums[i + width];\n"
    "    }\n"
    "    if (i == 0) {\n"
    "        atomic_xchg(scratch + get_group_id(0), as_uint(sums[0]));\n"
    "        mem_fence(CLK_GLOBAL_MEM_FENCE);\n"
    "        last = atomic_inc(scratch + groups) == groups - 1;\n"
    "    }\n"
    "    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);\n"
    "#ifdef BY_ARRIVAL\n"
    "    if (i == 0) {\n"
    "        uint old = atomic_or(scratch + groups + 1, 0u), seen;\n"
    "        while ((seen = atomic_cmpxchg(scratch + groups + 1, old, as_uint(as_float(old) + sums[0]))) != "
    "old)\n"
    "            old = seen;\n"
    "        *(global volatile float *)result = as_float(atomic_or(scratch + groups + 1, 0u));\n"
    "    }\n"
    "#else\n"
    "    if (last == 0 || i != 0) return;\n"
    "    float sum = as_float(atomic_or(scratch, 0u));\n"
    "    for (uint g = 1; g < groups; g++)\n"
    "        sum = sum + as_float(atomic_or(scratch + g, 0u));\n"
    "    *result = sum;\n"
    "#endif\n"
    "}\n"
    "kernel void unwritten(global const float *x, global float *result, global uint *scratch, local float "
    "*sums) {\n"
    "    result[0] = sums[get_local_id(0)];\n"
    "}\n"
    "kernel void divergent(global const float *x, global float *result, global uint *scratch, local float "
    "*sums) {\n"
    "    if (get_local_id(0) > 3) barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    result[0] = x[0];\n"
    "}\n"
    "kernel void apart(global const float *x, global float *result, global uint *scratch, local float *sums) "
    "{\n"
    "    sums[get_local_id(0)] = x[0];\n"
    "    if (get_local_id(0) > 3) {\n"
    "        scratch[1] = 1;\n"
    "        barrier(CLK_LOCAL_MEM_FENCE);\n"
    "        result[0] = sums[2];\n"
    "    } else {\n"
    "        scratch[0] = 1;\n"
    "        barrier(CLK_LOCAL_MEM_FENCE);\n"
    "        result[1] = sums[5];\n"
    "    }\n"
    "}\n"
    "kernel void outside(global const float *x, global float *result, global uint *scratch, local float "
    "*sums) {\n"
    "    result[get_global_id(0)] = x[get_global_id(0) + 1];\n"
    "}\n"
    "kernel void askew(global const float *x, global float *result, global uint *scratch, local float *sums) "
    "{\n"
    "    *(global float4 *)(result + 4) = *(global const float4 *)(x + 1);\n"
    "}\n";

static void fill_values(float values[TRIAL_VALUES]) {
    unsigned word = 1;
    for (size_t i = 0; i < TRIAL_VALUES; i++) {
        word = word * 1664525u + 1013904223u;
        values[i] = (float)(word >> 8) * 0x1p-24f * (i % 5 == 0 ? 1000.0f : 1.0f);
    }
}

/* The sum in the order of the kernel. */
static float right_sum(void) {
    float values[TRIAL_VALUES], sum = 0.0f;
    fill_values(values);
    for (size_t g = 0; g < TRIAL_GROUPS; g++) {
        float *group = values + g * TRIAL_ITEMS;
        for (size_t half = TRIAL_ITEMS / 2; half > 0; half /= 2)
            for (size_t i = 0; i < half; i++)
                group[i] = group[i] + group[i + half];
        sum = g == 0 ? group[0] : sum + group[0];
    }
    return sum;
}

typedef struct trial {
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    cl_int built;
    char log[2000];
} trial;

static trial build_trial(const char *text, const char *options, unsigned seed) {
    trial made = {0};
    cl_platform_id platform;
    cl_device_id device;
    set_seed(seed);
    cr_assert_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
    cr_assert_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_GPU, 1, &device, NULL), CL_SUCCESS);
    made.context = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
    made.queue = clCreateCommandQueue(made.context, device, 0, NULL);
    made.program = clCreateProgramWithSource(made.context, 1, &text, NULL, NULL);
    made.built = clBuildProgram(made.program, 1, &device, options, NULL, NULL);
    clGetProgramBuildInfo(made.program, device, CL_PROGRAM_BUILD_LOG, sizeof made.log, made.log, NULL);
    return made;
}

static void end_trial(const trial *trial) {
    clReleaseProgram(trial->program);
    clReleaseCommandQueue(trial->queue);
    clReleaseContext(trial->context);
}

/* Runs a kernel of trial_text, and gives its result if it ends well. */
static cl_int run_trial(const char *name, const char *options, unsigned seed, float *result) {
    const trial trial = build_trial(trial_text, options, seed);
    const size_t items = TRIAL_VALUES, group = TRIAL_ITEMS;
    const cl_uint zeros[TRIAL_GROUPS + 2] = {0};
    float values[TRIAL_VALUES];
    cr_assert_eq(trial.built, CL_SUCCESS, "%s", trial.log);
    fill_values(values);
    cl_mem x = clCreateBuffer(trial.context, CL_MEM_COPY_HOST_PTR, sizeof values, values, NULL);
    cl_mem y = clCreateBuffer(trial.context, CL_MEM_READ_WRITE, sizeof values, NULL, NULL);
    cl_mem scratch = clCreateBuffer(trial.context, CL_MEM_COPY_HOST_PTR, sizeof zeros, (void *)zeros, NULL);
    cl_kernel kernel = clCreateKernel(trial.program, name, NULL);
    clSetKernelArg(kernel, 0, sizeof x, &x);
    clSetKernelArg(kernel, 1, sizeof y, &y);
    clSetKernelArg(kernel, 2, sizeof scratch, &scratch);
    clSetKernelArg(kernel, 3, TRIAL_ITEMS * sizeof(float), NULL);
    cl_int code = clEnqueueNDRangeKernel(trial.queue, kernel, 1, NULL, &items, &group, 0, NULL, NULL);
    if (code == CL_SUCCESS)
        code = clEnqueueReadBuffer(trial.queue, y, CL_TRUE, 0, sizeof *result, result, 0, NULL, NULL);
    clReleaseKernel(kernel);
    clReleaseMemObject(x);
    clReleaseMemObject(y);
    clReleaseMemObject(scratch);
    end_trial(&trial);
    return code;
}

/* Of so many seeds, how many give other bits than `right`. */
static unsigned count_wrong(const char *name, const char *options, float right) {
    unsigned wrong = 0;
    for (unsigned seed = 1; seed <= TRIAL_SEEDS; seed++) {
        float result = 0.0f;
        cr_assert_eq(run_trial(name, options, seed, &result), CL_SUCCESS);
        wrong += memcmp(&result, &right, sizeof right) != 0;
    }
    return wrong;
}

Test(ptx, local_memory_barriers_and_atomics_give_the_same_bits_in_every_order) {
    cr_expect_eq(count_wrong("trial", "", right_sum()), 0);
}

Test(ptx, a_missing_barrier_shows_in_the_bits) {
    cr_expect_gt(count_wrong("trial", "-DBARRIER=", right_sum()), TRIAL_SEEDS / 2);
}

Test(ptx, a_sum_by_arrival_shows_in_the_bits) {
    cr_expect_gt(count_wrong("trial", "-DBY_ARRIVAL", right_sum()), TRIAL_SEEDS / 4); /* some round alike */
}

Test(ptx, memory_that_nobody_has_written_shows_in_the_bits) {
    float first = 0.0f;
    cr_assert_eq(run_trial("unwritten", "", 1, &first), CL_SUCCESS);
    cr_expect_gt(count_wrong("unwritten", "", first), TRIAL_SEEDS / 2);
}

Test(ptx, barriers_that_not_all_reach_or_not_the_same_are_refused) {
    float result;
    cr_expect_eq(run_trial("divergent", "", 1, &result), CL_OUT_OF_RESOURCES);
    cr_expect_eq(run_trial("apart", "", 1, &result), CL_OUT_OF_RESOURCES);
}

Test(ptx, sixteen_bytes_at_once_from_four_are_refused) {
    float result;
    cr_expect_eq(run_trial("askew", "", 1, &result), CL_OUT_OF_RESOURCES);
}

Test(ptx, a_read_beyond_a_buffer_ends_the_program, .signal = SIGSEGV) {
    float result;
    run_trial("outside", "", 1, &result);
}

Test(ptx, what_rounds_otherwise_than_ptx_promises_does_not_build) {
    static const char *const texts[] = {
        "kernel void k(global float *x) { x[0] = x[1] / x[2]; }",
        "kernel void k(global float *x) { x[0] = __nvvm_ex2_approx_f(x[1]); }",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const trial trial = build_trial(texts[i], "", 1);
        cr_expect_eq(trial.built, CL_BUILD_PROGRAM_FAILURE, "%s", texts[i]);
        cr_expect_not_null(strstr(trial.log, "undefined reference to"), "%s", trial.log);
        end_trial(&trial);
    }
}
