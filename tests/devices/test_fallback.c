/*
 * A program whose device has no room for a training: tanda_fit goes on without it where it may, and says so. The function
 * of OpenCL that is defined here stands before the real one.
 */
#include <CL/cl.h>
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support_devices.h"

#define DATA "synthetic:logistic,rows=6000,features=20" /* 480,000 bytes */
#define WHY "clCreateBuffer of 480000 bytes: CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)"

TestSuite(fallback, .fini = forget_opencl, .timeout = 300);

static size_t most_bytes = SIZE_MAX; /* of a buffer */

cl_mem clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *data, cl_int *code) {
    const __typeof__(&clCreateBuffer) real = dlsym(RTLD_NEXT, "clCreateBuffer");
    cr_assert_not_null(real);
    if (bytes <= most_bytes) return real(context, flags, bytes, data, code);
    *code = CL_MEM_OBJECT_ALLOCATION_FAILURE;
    return NULL;
}

static void keep_note(const char *note, void *context) {
    if (strstr(note, "fallback") != NULL) snprintf(context, 700, "%s", note);
}

/* Fits on a device with or without room; fall_back: NULL, or how to. */
static tanda_status fit_on(tanda_device *device, size_t room, const tanda_device_options *fall_back,
                           char *note, char *digest, tanda_train_result *result, tanda_error *error) {
    const tanda_train_options steps = {.size = sizeof steps,
                                       .epochs = 2,
                                       .batch_rows = 500,
                                       .learning_rate = 0.125,
                                       .on_note = keep_note,
                                       .context = note};
    const tanda_fit_options options = {
        .size = sizeof options, .data = DATA, .training = &steps, .fall_back = fall_back};
    tanda_model *model = NULL;
    note[0] = '\0';
    most_bytes = room;
    const tanda_status status = tanda_fit(device, &options, &model, result, error);
    if (status == TANDA_OK) tanda_model_digest(model, digest);
    tanda_model_free(model);
    return status;
}

Test(fallback, a_fit_goes_on_on_openmp_and_the_result_names_both_devices) {
    const tanda_device_options again = {.size = sizeof again, .threads = 1};
    char note[700], whole[TANDA_DIGEST_SIZE], other[TANDA_DIGEST_SIZE];
    tanda_train_result result;
    tanda_error error = {0};
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL);
    cr_assert_eq(fit_on(device, 400000, &again, note, other, &result, &error), TANDA_OK, "%s", error.message);
    cr_expect_str_eq(result.device, "cpu");
    cr_expect_not_null(strstr(result.failure, WHY), "%s", result.failure);
    cr_expect_eq(strncmp(note, "fallback to cpu: opencl:0.0 ", 28), 0, "%s", note);
    cr_expect_not(tanda_device_is_fallback(device, NULL), "the device is the caller's, and as it was");
    cr_assert_eq(fit_on(device, SIZE_MAX, &again, note, whole, &result, &error), TANDA_OK, "%s",
                 error.message);
    cr_expect_str_eq(result.device, "opencl:0.0");
    cr_expect_str_eq(result.failure, "");
    cr_expect_str_eq(note, "");
    cr_expect_str_eq(other, whole);
    tanda_device_close(device);
}

Test(fallback, without_leave_a_fit_fails_with_its_device) {
    const tanda_device_options required = {.size = sizeof required, .require_device = true};
    const tanda_device_options *const options[] = {NULL, &required};
    char note[700], digest[TANDA_DIGEST_SIZE];
    tanda_train_result result;
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL);
    for (size_t i = 0; i < 2; i++) {
        tanda_error error = {0};
        cr_expect_eq(fit_on(device, 400000, options[i], note, digest, &result, &error), TANDA_DEVICE);
        cr_expect_not_null(strstr(error.message, WHY), "%s", error.message);
        cr_expect_str_eq(note, "");
    }
    tanda_device_close(device);
}
