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
    device_spec *spec;
} setting;

static tanda_status set_threads(const setting *setting, tanda_error *error) {
    uint64_t threads = 0;
    tanda_status status = value_count(setting->flag, setting->value, 1, THREADS_MAX, &threads, error);
    if (status == TANDA_OK) setting->spec->device.threads = (size_t)threads;
    return status;
}

static tanda_status set_isa(const setting *setting, tanda_error *error) {
    (void)error; /* the device knows the names */
    setting->spec->device.isa = setting->value;
    return TANDA_OK;
}

static tanda_status set_kernels(const setting *setting, tanda_error *error) {
    (void)error;
    setting->spec->device.kernel_folder = setting->value;
    return TANDA_OK;
}

static tanda_status set_math(const setting *setting, tanda_error *error) {
    static const char *const names[] = {[TANDA_MATH_EXACT] = "exact", [TANDA_MATH_FAST] = "fast"};
    size_t index = 0;
    tanda_status status = value_choice(setting->flag, setting->value, names, COUNT_OF(names), &index, error);
    if (status == TANDA_OK) setting->spec->math = (tanda_math)index;
    return status;
}

static tanda_status set_gemm(const setting *setting, tanda_error *error) {
    static const char *const names[] = {
        [TANDA_GEMM_AUTO] = "auto", [TANDA_GEMM_TANDA] = "tanda", [TANDA_GEMM_CLBLAST] = "clblast"};
    size_t index = 0;
    tanda_status status = value_choice(setting->flag, setting->value, names, COUNT_OF(names), &index, error);
    if (status == TANDA_OK) setting->spec->gemm = (tanda_gemm)index;
    return status;
}

static const struct {
    const char *name;
    tanda_status (*set)(const setting *setting, tanda_error *error);
} keys[] = {
    {"threads", set_threads}, {"isa", set_isa},         {"math", set_math},
    {"gemm", set_gemm},       {"kernels", set_kernels},
};

/* part is "key=value" and is cut in two. */
static tanda_status read_part(const char *flag, char *part, device_spec *spec, tanda_error *error) {
    char buffer[SHOWN_SIZE], name[64];
    char *equals = strchr(part, '=');
    if (equals != NULL) *equals = '\0';
    for (size_t i = 0; equals != NULL && i < COUNT_OF(keys); i++) {
        if (strcmp(part, keys[i].name) != 0) continue;
        text_put(name, sizeof name, "%s %s", flag, part);
        const setting setting = {.flag = name, .value = equals + 1, .spec = spec};
        return keys[i].set(&setting, error);
    }
    return fail(error, TANDA_USAGE,
                "%s: '%s' is none of threads=N, isa=NAME, math=MODE, gemm=NAME, kernels=FOLDER", flag,
                shown(part, strlen(part), buffer));
}

tanda_status device_spec_read(const char *flag, const char *text, const common_options *common,
                              device_spec *spec, tanda_error *error) {
    *spec = (device_spec){
        .device = common->device, .math = common->device.math, .gemm = common->gemm, .quiet = common->quiet};
    tanda_status status = copy_text(&spec->text, text, error);
    if (status != TANDA_OK) return status;
    char *rest = spec->text;
    spec->device.device = spec->requested = strsep(&rest, ",");
    while (status == TANDA_OK && rest != NULL)
        status = read_part(flag, strsep(&rest, ","), spec, error);
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
    side->math = spec->math;
    side->gemm = spec->gemm;
    return opening_of(&options, spec->quiet, &side->backend, NULL, error);
}
