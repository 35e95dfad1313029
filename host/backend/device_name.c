#include "backend/device_name.h"

#include <ctype.h>
#include <string.h>

#include "support/text.h"

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

bool device_name_fits(const char *name, const tanda_device_information *information) {
    const char *part = name + PREFIX_LENGTH;
    if (strcasecmp(name, information->id) == 0) return true;
    if (strcmp(information->backend, "opencl") != 0) return false;
    if (strcasecmp(name, "opencl") == 0) return true;
    if (strcasecmp(name, "gpu") == 0) return strcmp(information->kind, "CPU") != 0;
    return has_prefix(name) && !isdigit((unsigned char)*part) &&
           (contains_ignoring_case(information->name, part) ||
            contains_ignoring_case(information->platform, part));
}
