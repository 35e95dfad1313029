/*
 * Op tests on a device whose buffers are watched: every buffer is longer than asked for and ends in a canary that
 * must be alive when the buffer goes, and the tensors are NaN before the first op, so that one which is read
 * before it is written, or not written at all, shows. Executors that keep no tensors run in test_ptx, where unwritten
 * memory is random and a page behind each buffer is forbidden, and in test_gpu_races.
 *
 * The functions of OpenCL that are defined here stand before the real ones, which they call.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <string.h>

#include "support_checks.h"
#include "support_devices.h"

#define CANARY_BYTES 256
#define CANARY 0xcacacaca
#define PREFILL 0x7fc0beef /* a NaN */
#define MOST_BUFFERS 4096

typedef struct watched_buffer {
    cl_mem memory;
    size_t size;
    bool has_canary;
} watched_buffer;

static watched_buffer watched[MOST_BUFFERS];
static size_t watched_count, canaries_read, prefilled;
static cl_command_queue last_queue;
static size_t tensor_bytes; /* of the buffer that holds a program's tensors */

static void *real_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    cr_assert_not_null(function, "%s", name);
    return function;
}

static watched_buffer *find_buffer(cl_mem memory) {
    for (size_t i = watched_count; i-- > 0;)
        if (watched[i].memory == memory) return &watched[i];
    return NULL;
}

cl_command_queue clCreateCommandQueue(cl_context context, cl_device_id device,
                                      cl_command_queue_properties what, cl_int *code) {
    const __typeof__(&clCreateCommandQueue) real = real_function("clCreateCommandQueue");
    return last_queue = real(context, device, what, code);
}

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size, void *host, cl_int *code) {
    const __typeof__(&clCreateBuffer) real = real_function("clCreateBuffer");
    if (host != NULL) return real(context, flags, size, host, code);
    cl_mem made = real(context, flags, size + CANARY_BYTES, NULL, code);
    cr_assert_lt(watched_count, MOST_BUFFERS);
    watched[watched_count++] = (watched_buffer){made, size, false};
    return made;
}

/* tanda fills every buffer whole before its first use: that is when the canary is set. */
cl_int clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern, size_t pattern_size,
                           size_t offset, size_t size, cl_uint wait_count, const cl_event *wait,
                           cl_event *event) {
    const __typeof__(&clEnqueueFillBuffer) real = real_function("clEnqueueFillBuffer");
    watched_buffer *buffer = find_buffer(memory);
    const cl_uint canary = CANARY, nan = PREFILL;
    if (buffer != NULL && !buffer->has_canary) {
        buffer->has_canary = true;
        real(queue, memory, &canary, sizeof canary, buffer->size, CANARY_BYTES, 0, NULL, NULL);
    }
    bool tensors = buffer != NULL && offset == 0 && size == tensor_bytes && buffer->size == tensor_bytes;
    prefilled += tensors;
    return real(queue, memory, tensors ? &nan : pattern, pattern_size, offset, size, wait_count, wait, event);
}

cl_int clReleaseMemObject(cl_mem memory) {
    const __typeof__(&clReleaseMemObject) real = real_function("clReleaseMemObject");
    watched_buffer *buffer = find_buffer(memory);
    if (buffer == NULL) return real(memory);
    cl_uint words[CANARY_BYTES / sizeof(cl_uint)] = {0};
    cr_expect(buffer->has_canary, "a buffer of %zu bytes was never filled", buffer->size);
    cr_expect_eq(
        clEnqueueReadBuffer(last_queue, memory, CL_TRUE, buffer->size, sizeof words, words, 0, NULL, NULL),
        CL_SUCCESS);
    for (size_t i = 0; buffer->has_canary && i < sizeof words / sizeof *words; i++)
        if (words[i] != CANARY) {
            cr_expect_fail("something was written %zu bytes past a buffer of %zu", i * sizeof *words,
                           buffer->size);
            break;
        }
    canaries_read++;
    *buffer = watched[--watched_count];
    return real(memory);
}

/* Bytes of the tensors that capture_step keeps: those of the whole step in one wave. */
static size_t bytes_of_tensors(const problem *problem) {
    const plan_options options = {.training = true, .with_prediction = true, .keep = true};
    plan *plan = NULL;
    MUST(plan_create(problem->model, &options, &plan, error));
    size_t rows = problem->network->rows, tiles = 1,
           width = rows < TILE_ROWS ? (rows + 15) / 16 * 16 : TILE_ROWS;
    while (tiles * TILE_ROWS < rows)
        tiles *= 2;
    size_t bytes = tiles * plan->workspace_units * width * sizeof(float);
    plan_free(plan);
    return bytes;
}

static bool case_agrees(backend *device, backend *cpu, const network *network, char *difference,
                        size_t size) {
    problem problem = problem_create(network);
    tensor_bytes = bytes_of_tensors(&problem);
    capture expected = capture_step(cpu, &problem, NULL), got = capture_step(device, &problem, NULL);
    bool agree = captures_agree(&expected, &got, difference, size);
    capture_free(&expected);
    capture_free(&got);
    problem_free(&problem);
    return agree;
}

/* In every network, on the executor that is taken by itself (NULL), or forced onto one. */
static void check_canaries(const char *executor) {
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL), *cpu = open_best_openmp(1);
    char difference[200], text[NETWORK_TEXT_SIZE];
    device->executor = executor;
    for (size_t i = 0; i < network_count; i++)
        cr_expect(case_agrees(device, cpu, &networks[i], difference, sizeof difference), "%s: %s",
                  network_text(&networks[i], text), difference);
    cr_expect_geq(prefilled, network_count, "only %zu of %zu plans began with NaN", prefilled, network_count);
    cr_expect_gt(canaries_read, 4 * network_count);
    tanda_device_close(cpu);
    tanda_device_close(device);
}

Test(canaries, no_op_writes_past_a_buffer_or_reads_what_nothing_wrote, .fini = forget_opencl,
     .timeout = 300) {
    check_canaries(NULL);
}

Test(canaries, nor_does_an_op_of_gpu_dense, .fini = forget_opencl, .timeout = 300) {
    check_canaries("gpu_dense");
}
