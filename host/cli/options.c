#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/option_table.h"

#define TEXT(member) TEXT_AT(common_options, member)
#define SWITCH(member) SWITCH_AT(common_options, member)
#define VALUE(member) VALUE_AT(common_options, member)
#define THREADS_MAX 4096

enum {
    FLAG_DEVICE = 0x100,
    FLAG_ISA,
    FLAG_SEED,
};

static const struct argp_option common_table[] = {
    {"device", FLAG_DEVICE, "DEVICE", 0,
     "auto, cpu, gpu, opencl, opencl:NAME or opencl:P.D (see tanda devices), and its settings behind commas, "
     "as in cpu,threads=1 or opencl,executor=ops; default auto: gpu, the first OpenCL GPU or accelerator, "
     "else OpenMP",
     SECTION_DEVICE},
    {"require-device", SWITCH(device.require_device), NULL, 0, "fail rather than fall back to OpenMP",
     SECTION_DEVICE},
    {"accept-flush", SWITCH(device.accept_flush), NULL, 0,
     "take a device that flushes subnormal numbers to zero", SECTION_DEVICE},
    {"threads", VALUE(device.threads), "N", 0, "OpenMP threads; default: one per core", SECTION_DEVICE},
    ELSEWHERE("n-jobs"),
    ELSEWHERE("num-threads"),
    ELSEWHERE("workers"),
    {"device-memory", VALUE(device.memory), "SIZE", 0,
     "memory of the device for rows, e.g. 8G; what is more is sent piece by piece; default: three quarters "
     "of the device's "
     "own",
     SECTION_DEVICE},
    {"isa", FLAG_ISA, "NAME", 0,
     "OpenMP code for x86-64-v4, x86-64-v3 or generic; default: the best there is", SECTION_DEVICE},
    {"math", VALUE(device.math), "MODE", 0,
     "exact: the same bits on every device (default); fast: what is quickest on this one (OpenCL)",
     SECTION_DEVICE},
    {"gemm", VALUE(gemm), "NAME", 0,
     "who multiplies matrices in fast mode: auto (default: measured per shape), tanda or clblast",
     SECTION_DEVICE},
    {"kernels", TEXT(device.kernel_folder), "FOLDER", 0,
     "take the OpenCL kernels from FOLDER, not the built-in ones", SECTION_DEVICE},
    {"executor", TEXT(device.executor), "NAME", 0,
     "the way of computing, of those that tanda devices lists; default: the best that fits", SECTION_DEVICE},
    {"mpi", VALUE(mpi), "MODE", 0,
     "of several processes that mpirun or srun has started: auto (default: by the launcher's variables), "
     "openmpi or mpich to work together, no for each by itself",
     SECTION_DEVICE},
    {"seed", FLAG_SEED, "N", 0, "seed of everything that is drawn; default 0", SECTION_COMMON},
    ELSEWHERE("random-state"),
    ELSEWHERE("random-seed"),
    {"quiet", LETTER_QUIET, NULL, 0, "no banner and no progress on standard error", SECTION_COMMON},
    {"json", SWITCH(json), NULL, 0, "one JSON object on standard output, and nothing else there",
     SECTION_COMMON},
    {"help", LETTER_HELP, NULL, 0, "this text", SECTION_COMMON},
    {"version", LETTER_VERSION, NULL, 0, "the version", SECTION_COMMON},
    {0},
};

static const char *const isa_names[] = {"x86-64-v4", "x86-64-v3", "generic"};
static const char *const math_names[] = {[TANDA_MATH_EXACT] = "exact", [TANDA_MATH_FAST] = "fast"};
static const char *const gemm_names[] = {
    [TANDA_GEMM_AUTO] = "auto", [TANDA_GEMM_TANDA] = "tanda", [TANDA_GEMM_CLBLAST] = "clblast"};
static const char *const mpi_names[] = {"auto", "no", "openmpi", "mpich"};
static const vocabulary mpi_words = {.names = mpi_names, .count = 4};
static const vocabulary math_words = {.names = math_names, .count = 2};
static const vocabulary gemm_words = {.names = gemm_names, .count = 3};

static const option_place places[] = {
    {VALUE(device.threads), .kind = PLACE_SIZE, .flag = "--threads", .least = 1, .most = THREADS_MAX},
    {VALUE(device.memory), .kind = PLACE_BYTES, .flag = "--device-memory"},
    {VALUE(device.math), .kind = PLACE_WORD, .flag = "--math", .words = &math_words},
    {VALUE(gemm), .kind = PLACE_WORD, .flag = "--gemm", .words = &gemm_words},
    {VALUE(mpi), .kind = PLACE_WORD, .flag = "--mpi", .words = &mpi_words},
    {0},
};

/* ---- a device with its settings ------------------------------------------------------------------------- */

/* The names of ISAs and executors are left to the device here. */
static const struct setting {
    const char *name;
    option_place place; /* without its flag */
} settings[] = {
    {"threads", {VALUE(device.threads), .kind = PLACE_SIZE, .least = 1, .most = THREADS_MAX}},
    {"isa", {.key = TEXT(device.isa)}},
    {"math", {VALUE(device.math), .kind = PLACE_WORD, .words = &math_words}},
    {"gemm", {VALUE(gemm), .kind = PLACE_WORD, .words = &gemm_words}},
    {"kernels", {.key = TEXT(device.kernel_folder)}},
    {"executor", {.key = TEXT(device.executor)}},
};

/* part is "key=value" and is cut in two. */
static tanda_status take_setting(const char *flag, char *part, common_options *options, tanda_error *error) {
    char buffer[SHOWN_SIZE], name[64];
    char *equals = strchr(part, '=');
    if (equals != NULL) *equals = '\0';
    for (size_t i = 0; equals != NULL && i < sizeof settings / sizeof *settings; i++) {
        if (strcmp(part, settings[i].name) != 0) continue;
        option_place place[] = {settings[i].place, {0}};
        text_put(name, sizeof name, "%s %s", flag, part);
        place->flag = name;
        return option_put(place, place->key, equals + 1, options, error) == 0 ? TANDA_OK : TANDA_USAGE;
    }
    return fail(
        error, TANDA_USAGE,
        "%s: '%s' is none of threads=N, isa=NAME, math=MODE, gemm=NAME, kernels=FOLDER, executor=NAME", flag,
        shown(part, strlen(part), buffer));
}

/* Cuts a spec at its commas. */
static tanda_status take_spec(const char *flag, char *text, common_options *options, tanda_error *error) {
    char *rest = text;
    tanda_status status = TANDA_OK;
    options->device.device = strsep(&rest, ",");
    while (status == TANDA_OK && rest != NULL)
        status = take_setting(flag, strsep(&rest, ","), options, error);
    return status;
}

tanda_status device_spec_read(const char *flag, const char *text, const common_options *common,
                              device_spec *spec, tanda_error *error) {
    *spec = (device_spec){.common = *common};
    tanda_status status = copy_text(&spec->text, text, error);
    if (status == TANDA_OK) status = take_spec(flag, spec->text, &spec->common, error);
    spec->requested = spec->common.device.device;
    return status;
}

tanda_status device_specs_split(const char *text, text_list *specs, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (const char *end; status == TANDA_OK && text != NULL; text = end != NULL ? end + 1 : NULL) {
        end = strchr(text, ',');
        while (end != NULL && memchr(end + 1, '=', strcspn(end + 1, ",")) != NULL)
            end = strchr(end + 1, ',');
        const size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
        status = value_append("--device", text, length, specs, error);
    }
    return status;
}

void device_spec_free(device_spec *spec) {
    free(spec->text);
    *spec = (device_spec){0};
}

/* ---- parsing -------------------------------------------------------------------------------------------- */

static error_t parse_common(int key, char *argument, struct argp_state *state) {
    common_options *options = state->input;
    tanda_status status = TANDA_OK;
    size_t index = 0;
    switch (key) {
    case FLAG_DEVICE:
        options->device.device = argument;
        if (options->keeps_spec) return 0;
        status = take_spec("--device", argument, options, options->error);
        return parsed(status == TANDA_OK ? device_name_check(argument, options->error) : status);
    case FLAG_ISA:
        status = value_choice("--isa", argument, isa_names, 3, &index, options->error);
        options->device.isa = isa_names[index];
        return parsed(status);
    case FLAG_SEED:
        return parsed(value_count("--seed", argument, 0, INT64_MAX, &options->seed, options->error));
    case LETTER_QUIET:
        options->quiet = true;
        return 0;
    case LETTER_HELP:
        options->help = true;
        return ECANCELED;
    case LETTER_VERSION:
        options->finished = true;
        printf("tanda %s\n", tanda_version());
        return ECANCELED;
    case ARGP_KEY_ERROR: /* getopt has just gone past what it could not take */
        options->stopped_at = state->argv[state->next - 1];
        return 0;
    default:
        return option_put(places, key, argument, options, options->error);
    }
}

const struct argp common_argp = {.options = common_table, .parser = parse_common};

tanda_status options_parse(const struct argp *argp, int argc, char **argv, void *input,
                           common_options *common, tanda_error *error) {
    common->device.size = sizeof common->device;
    const error_t result = argp_parse(argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, input);
    if (common->help) help_print(argp, argv[0]);
    common->finished |= common->help;
    if (common->finished || result == 0) return TANDA_OK;
    if (result == ENOMEM) return fail(error, TANDA_FAILED, "out of memory while reading the options");
    if (error->status != TANDA_OK) return error->status;
    return option_fault(argp, argv[0], common->stopped_at == NULL ? "" : common->stopped_at, error);
}

tanda_status options_lack(const struct argp *argp, const char *what, tanda_error *error) {
    return fail(error, TANDA_USAGE, "no %s; for example: %s", what, option_example(argp));
}

error_t options_argument(struct argp_state *state, const char *argument, const char **place,
                         tanda_error *error) {
    char buffer[SHOWN_SIZE];
    if (place != NULL && *place == NULL) {
        *place = argument;
        return 0;
    }
    return parsed(fail(error, TANDA_USAGE, "'%s' is one argument too many; see tanda %s --help",
                       shown(argument, strlen(argument), buffer), state->argv[0]));
}
