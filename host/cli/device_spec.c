#include "cli/device_spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/opening.h"
#include "tanda_lab.h"

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))
#define THREADS_MAX 4096

typedef struct setting {
    const char *flag, *value;
    tanda_device_options *device;
    tanda_gemm *gemm;
} setting;

static tanda_status set_threads(const setting *setting, tanda_error *error) {
    uint64_t threads = 0;
    tanda_status status = value_count(setting->flag, setting->value, 1, THREADS_MAX, &threads, error);
    if (status == TANDA_OK) setting->device->threads = (size_t)threads;
    return status;
}

static tanda_status set_isa(const setting *setting, tanda_error *error) {
    (void)error; /* the device knows the names */
    setting->device->isa = setting->value;
    return TANDA_OK;
}

static tanda_status set_kernels(const setting *setting, tanda_error *error) {
    (void)error;
    setting->device->kernel_folder = setting->value;
    return TANDA_OK;
}

static tanda_status set_executor(const setting *setting, tanda_error *error) {
    (void)error; /* the device knows the names */
    setting->device->executor = setting->value;
    return TANDA_OK;
}

static tanda_status set_math(const setting *setting, tanda_error *error) {
    static const char *const names[] = {[TANDA_MATH_EXACT] = "exact", [TANDA_MATH_FAST] = "fast"};
    size_t index = 0;
    tanda_status status = value_choice(setting->flag, setting->value, names, COUNT_OF(names), &index, error);
    if (status == TANDA_OK) setting->device->math = (tanda_math)index;
    return status;
}

static tanda_status set_gemm(const setting *setting, tanda_error *error) {
    static const char *const names[] = {
        [TANDA_GEMM_AUTO] = "auto", [TANDA_GEMM_TANDA] = "tanda", [TANDA_GEMM_CLBLAST] = "clblast"};
    size_t index = 0;
    tanda_status status = value_choice(setting->flag, setting->value, names, COUNT_OF(names), &index, error);
    if (status == TANDA_OK) *setting->gemm = (tanda_gemm)index;
    return status;
}

static const struct {
    const char *name;
    tanda_status (*set)(const setting *setting, tanda_error *error);
} keys[] = {
    {"threads", set_threads}, {"isa", set_isa},         {"math", set_math},
    {"gemm", set_gemm},       {"kernels", set_kernels}, {"executor", set_executor},
};

/* part is "key=value" and is cut in two. */
static tanda_status read_part(const char *flag, char *part, tanda_device_options *device, tanda_gemm *gemm,
                              tanda_error *error) {
    char buffer[SHOWN_SIZE], name[64];
    char *equals = strchr(part, '=');
    if (equals != NULL) *equals = '\0';
    for (size_t i = 0; equals != NULL && i < COUNT_OF(keys); i++) {
        if (strcmp(part, keys[i].name) != 0) continue;
        text_put(name, sizeof name, "%s %s", flag, part);
        const setting setting = {.flag = name, .value = equals + 1, .device = device, .gemm = gemm};
        return keys[i].set(&setting, error);
    }
    return fail(
        error, TANDA_USAGE,
        "%s: '%s' is none of threads=N, isa=NAME, math=MODE, gemm=NAME, kernels=FOLDER, executor=NAME", flag,
        shown(part, strlen(part), buffer));
}

tanda_status device_spec_take(const char *flag, char *text, tanda_device_options *device, tanda_gemm *gemm,
                              tanda_error *error) {
    char *rest = text;
    tanda_status status = TANDA_OK;
    device->device = strsep(&rest, ",");
    while (status == TANDA_OK && rest != NULL)
        status = read_part(flag, strsep(&rest, ","), device, gemm, error);
    return status;
}

tanda_status device_spec_read(const char *flag, const char *text, const common_options *common,
                              device_spec *spec, tanda_error *error) {
    *spec = (device_spec){.device = common->device, .gemm = common->gemm, .quiet = common->quiet};
    tanda_status status = copy_text(&spec->text, text, error);
    if (status == TANDA_OK) status = device_spec_take(flag, spec->text, &spec->device, &spec->gemm, error);
    spec->requested = spec->device.device;
    return status;
}

void device_spec_free(device_spec *spec) {
    free(spec->text);
    *spec = (device_spec){0};
}

tanda_status device_spec_open(device_spec *spec, lockstep_side *side, tanda_error *error) {
    tanda_device_options options = spec->device;
    options.require_device = true;
    options.math = TANDA_MATH_FAST; /* which takes any grade: this is the tool that finds out why it is low */
    side->math = spec->device.math;
    side->gemm = spec->gemm;
    return opening_of(&options, spec->quiet, &side->backend, NULL, error);
}
