/* Devices as users name them: listing, choosing, falling back. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/executor.h"
#include "backend/selftest.h"
#include "support/options.h"
#include "support/text.h"

/* ---- names -------------------------------------------------------------------------------------------------- */

static const char prefix[] = "opencl:";
#define PREFIX_LENGTH (sizeof prefix - 1)

static bool has_prefix(const char *name) {
    return strncasecmp(name, prefix, PREFIX_LENGTH) == 0 && name[PREFIX_LENGTH] != '\0';
}

static bool is_one_of(const char *name, size_t length, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strlen(words[i]) == length && strncasecmp(name, words[i], length) == 0) return true;
    return false;
}

/* What PyTorch, TensorFlow and JAX call devices: cuda:0, mps, /GPU:0. */
static bool is_name_elsewhere(const char *name) {
    static const char *const words[] = {"cpu", "gpu", "cuda", "mps", "xpu", "hip", "rocm", "metal", "tpu"};
    name += *name == '/';
    name += strncasecmp(name, "device:", strlen("device:")) == 0 ? strlen("device:") : 0;
    return is_one_of(name, strcspn(name, ":"), words, sizeof words / sizeof *words);
}

tanda_status device_name_check(const char *name, tanda_error *error) {
    static const char *const words[] = {"auto", "cpu", "gpu", "opencl"};
    if (has_prefix(name) || is_one_of(name, strlen(name), words, sizeof words / sizeof *words))
        return TANDA_OK;
    if (is_name_elsewhere(name))
        return fail(error, TANDA_USAGE,
                    "--device: '%.40s' is a name of other programs; here gpu is the first OpenCL GPU or "
                    "accelerator, opencl:P.D one that tanda devices lists, cpu the processor",
                    name);
    return fail(error, TANDA_USAGE,
                "--device: '%.40s' is unknown; use auto, cpu, gpu, opencl, opencl:NAME or opencl:P.D (tanda "
                "devices lists them)",
                name);
}

bool device_name_is_automatic(const char *name) {
    return name == NULL || strcasecmp(name, "auto") == 0;
}

bool device_name_is_cpu(const char *name) {
    return name != NULL && strcasecmp(name, "cpu") == 0;
}

static bool contains_ignoring_case(const char *text, const char *part) {
    for (const size_t length = strlen(part); *text != '\0'; text++)
        if (strncasecmp(text, part, length) == 0) return true;
    return false;
}

/* Whether a device is one that the name, which is not automatic, asks for. */
static bool device_name_fits(const char *name, const tanda_device_information *information) {
    if (strcasecmp(name, information->id) == 0) return true;
    if (strcmp(information->backend, "opencl") != 0) return false;
    if (strcasecmp(name, "opencl") == 0) return true;
    if (strcasecmp(name, "gpu") == 0) return strcmp(information->kind, "CPU") != 0;
    if (!has_prefix(name)) return false;
    const char *part = name + PREFIX_LENGTH;
    return !isdigit((unsigned char)*part) && (contains_ignoring_case(information->name, part) ||
                                              contains_ignoring_case(information->platform, part));
}

#define REASON_SIZE sizeof(((tanda_error *)NULL)->message) /* a failure is a reason, too */
#define REMARK_SIZE 256                                    /* of tanda.h */

tanda_status device_list(bool with_opencl, tanda_device_information **devices, size_t *count,
                         device_remarks *remarks, tanda_error *error) {
    tanda_device_information *found = NULL;
    size_t found_count = 0;
    tanda_status status = openmp_backend.list(&found, &found_count, remarks, error);
    if (status == TANDA_OK && with_opencl) status = opencl_backend.list(&found, &found_count, remarks, error);
    if (status != TANDA_OK) {
        free(found);
        return status;
    }
    *devices = found;
    *count = found_count;
    return TANDA_OK;
}

tanda_status tanda_device_list(tanda_device_information **devices, size_t *count, char *remark,
                               tanda_error *error) {
    device_remarks remarks = {0};
    const tanda_status status = device_list(true, devices, count, &remarks, error);
    if (status == TANDA_OK && remark != NULL) remarks_join(&remarks, *count == 1, remark, REMARK_SIZE);
    return status;
}

/* What was chosen, and why. */
typedef struct choice {
    const tanda_device_information *device; /* NULL: none fits */
    char reason[REASON_SIZE];
} choice;

/* A reason, and behind it what failed; for want of a device also what is not there. */
static void __attribute__((format(printf, 4, 5)))
give_reason(choice *choice, const device_remarks *remarks, bool with_absences, const char *format, ...) {
    char told[REASON_SIZE / 2];
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(choice->reason, REASON_SIZE, format, arguments) < 0) choice->reason[0] = '\0';
    va_end(arguments);
    const size_t used = strlen(choice->reason);
    if (remarks_join(remarks, with_absences, told, sizeof told) > 0)
        text_put(choice->reason + used, REASON_SIZE - used, "; %s", told);
}

/* Of the devices that a name asks for, the one whose turn it is; NULL for none. */
static const tanda_device_information *find_named(const tanda_device_information *devices, size_t count,
                                                  const char *wanted, size_t turn) {
    size_t fitting = 0;
    for (size_t i = 0; i < count; i++)
        fitting += device_name_fits(wanted, &devices[i]);
    if (fitting == 0) return NULL;
    size_t left = turn % fitting, i = 0;
    while (!device_name_fits(wanted, &devices[i]) || left-- > 0)
        i++;
    return &devices[i];
}

static void choose_automatically(const tanda_device_information *devices, size_t count, size_t turn,
                                 const device_remarks *remarks, choice *choice) {
    choice->device = find_named(devices, count, "gpu", turn);
    if (choice->device != NULL) {
        const bool is_first = choice->device == find_named(devices, count, "gpu", 0);
        give_reason(choice, remarks, false, is_first ? "the first OpenCL %s" : "an OpenCL %s, by turns",
                    choice->device->kind);
        return;
    }
    choice->device = &devices[0];
    give_reason(choice, remarks, false,
                find_named(devices, count, "opencl", 0) != NULL
                    ? "no OpenCL GPU or accelerator, only CPU devices"
                    : "no OpenCL device (see tanda devices)");
}

static void choose_named(const tanda_device_information *devices, size_t count, const char *wanted,
                         size_t turn, choice *choice) {
    choice->device = find_named(devices, count, wanted, turn);
    if (choice->device != NULL) text_put(choice->reason, REASON_SIZE, "as --device asks");
}

/* The ids of what there is, for a message. */
static void list_ids(const tanda_device_information *devices, size_t count, char *text, size_t size) {
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used += text_put(text + used, size - used, "%s%s (%s)", i > 0 ? ", " : "", devices[i].id,
                         devices[i].name);
}

/* Refuses a device below the grade that exact mode needs. */
static tanda_status check_grade(const backend *backend, const tanda_device_options *options,
                                tanda_error *error) {
    const tanda_device_information *information = &backend->information;
    if (options->math == TANDA_MATH_FAST) return TANDA_OK;
    if (backend->grade == TANDA_GRADE_FAST_ONLY)
        return fail(error, TANDA_DEVICE, "%s (%s): not exact: the self-test missed '%s'", information->id,
                    information->name, backend->missed_probe);
    if (backend->grade == TANDA_GRADE_EXACT_BUT_SUBNORMALS && !options->accept_flush)
        return fail(error, TANDA_DEVICE,
                    "%s (%s): exact but for subnormals ('%s' missed): --accept-flush takes it all the same",
                    information->id, information->name, backend->missed_probe);
    return TANDA_OK;
}

const backend_kind *backend_kind_of(const tanda_device_information *device) {
    return strcmp(device->backend, "opencl") == 0 ? &opencl_backend : &openmp_backend;
}

/* A device that computes in the host's memory holds what the host does. */
static size_t row_memory_of(const backend *backend, const tanda_device_options *options) {
    const tanda_device_information *information = &backend->information;
    if (options->memory > 0) return options->memory;
    const bool is_host = strcmp(information->kind, "CPU") == 0;
    return is_host ? 0 : (size_t)(information->memory / 4 * 3);
}

static tanda_status open_accepted(const tanda_device_information *information,
                                  const tanda_device_options *options, backend **result, tanda_error *error) {
    backend *made = NULL;
    tanda_status status = backend_kind_of(information)->open(information->id, options, &made, error);
    if (status == TANDA_OK) status = selftest_run(made, NULL, error); /* by the executors that suit it */
    if (status == TANDA_OK) status = executor_find_name(made, options->executor, &made->executor, error);
    if (status == TANDA_OK) status = check_grade(made, options, error);
    if (status == TANDA_OK) made->row_memory = row_memory_of(made, options);
    if (status == TANDA_OK)
        *result = made;
    else
        tanda_device_close(made);
    return status;
}

/* OpenMP, which keeps the failure. */
static tanda_status open_instead(const tanda_device_information *cpu, const tanda_device_options *options,
                                 const tanda_error *failure, backend **result, tanda_error *error) {
    const tanda_status status = open_accepted(cpu, options, result, error);
    if (status == TANDA_OK) text_put((*result)->instead_of, sizeof failure->message, "%s", failure->message);
    return status;
}

/* Opens the choice; when that fails and nothing is required, OpenMP, which keeps the failure. */
static tanda_status open_or_fall_back(const choice *choice, const tanda_device_information *cpu,
                                      const tanda_device_options *options, backend **result,
                                      tanda_error *error) {
    tanda_error failure = {0};
    tanda_status status = choice->device != NULL ? open_accepted(choice->device, options, result, &failure)
                                                 : fail(&failure, TANDA_DEVICE, "%s", choice->reason);
    if (status == TANDA_OK) return TANDA_OK;
    if (options->require_device || choice->device == cpu || status == TANDA_USAGE)
        return fail(error, status, "%s", failure.message);
    return open_instead(cpu, options, &failure, result, error);
}

tanda_status device_fall_back(const backend *device, const tanda_device_options *options,
                              const tanda_error *failure, backend **result, tanda_error *error) {
    tanda_device_information *devices = NULL;
    size_t count = 0;
    device_remarks remarks = {0};
    if (options->require_device || !device->has_failed)
        return fail(error, TANDA_DEVICE, "%s", failure->message);
    tanda_status status = device_list(false, &devices, &count, &remarks, error);
    if (status == TANDA_OK) status = open_instead(&devices[0], options, failure, result, error);
    free(devices);
    return status;
}

static void choose_device(const tanda_device_options *options, const tanda_device_information *devices,
                          size_t count, const device_remarks *remarks, choice *choice) {
    const char *wanted = options->device;
    if (!device_name_is_automatic(wanted)) {
        choose_named(devices, count, wanted, options->turn, choice);
        if (choice->device != NULL) return;
        char ids[REASON_SIZE / 3];
        list_ids(devices, count, ids, sizeof ids);
        give_reason(choice, remarks, true, "--device %.40s: there is no such device; there is %s", wanted,
                    ids);
        return;
    }
    choose_automatically(devices, count, options->turn, remarks, choice);
    /* --require-device without a name asks for an OpenCL device of any kind. */
    if (options->require_device && choice->device == &devices[0]) {
        choice->device = NULL;
        choose_named(devices, count, "opencl", options->turn, choice);
        if (choice->device == NULL)
            give_reason(choice, remarks, true, "--require-device: there is no OpenCL device");
        else
            text_put(choice->reason, REASON_SIZE, "the first OpenCL device, as --require-device asks");
    }
}

tanda_status tanda_device_open(const tanda_device_options *given, tanda_device **device, char *reason,
                               tanda_error *error) {
    tanda_device_information *devices = NULL;
    size_t count = 0;
    device_remarks remarks = {0};
    choice choice = {.device = NULL, .reason = ""};
    tanda_device_options taken;
    const tanda_device_options *options = &taken;
    tanda_status status = TAKE_OPTIONS(tanda_device_options, given, &taken, error);
    if (status == TANDA_OK && taken.device != NULL) status = device_name_check(taken.device, error);
    if (status != TANDA_OK) return status;
    status = device_list(!device_name_is_cpu(options->device), &devices, &count, &remarks, error);
    if (status != TANDA_OK) return status;
    choose_device(options, devices, count, &remarks, &choice);
    status = open_or_fall_back(&choice, &devices[0], options, device, error);
    const char *failure = "";
    if (status == TANDA_OK && reason != NULL)
        text_put(reason, REMARK_SIZE, "%s%s", tanda_device_is_fallback(*device, &failure) ? "fallback: " : "",
                 failure[0] != '\0' ? failure : choice.reason);
    free(devices);
    return status;
}

bool tanda_device_is_fallback(const tanda_device *device, const char **failure) {
    if (failure != NULL) *failure = device->instead_of;
    return device->instead_of[0] != '\0';
}

void tanda_device_close(tanda_device *device) {
    if (device != NULL) device->interface->close(device);
}

const tanda_device_information *tanda_device_describe(const tanda_device *device) {
    return &device->information;
}

const char *tanda_device_executor(const tanda_device *device, size_t index) {
    const executor *const *executors = device->interface->executors;
    for (size_t i = 0; i < index; i++)
        if (executors[i] == NULL) return NULL;
    return executors[index] != NULL ? executors[index]->name : NULL;
}

tanda_grade tanda_device_grade(const tanda_device *device, const char **missed_probe) {
    if (missed_probe != NULL) *missed_probe = device->missed_probe;
    return device->grade;
}
