/* The options of tanda verify, and the two sides that they name. */
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/verify_options.h"
#include "tanda_lab.h"

#define DEFAULT_STEPS 20

enum { FLAG_STEPS = FLAG_OWN + 0x100 };

static const struct argp_option table[] = {
    {"against", TEXT_AT(verify_options, against), "SPEC", 0,
     "the other side; default cpu. A SPEC is a DEVICE as for --device, which takes a SPEC here too (default: "
     "the best OpenCL device, else cpu), then settings: cpu,threads=1,isa=generic or "
     "opencl,math=fast,kernels=FOLDER",
     0},
    {"steps", FLAG_STEPS, "N|all", 0, "steps to compare; default 20, all: those of --epochs", 0},
    {"golden", TEXT_AT(verify_options, golden), "FILE", 0,
     "repeat the training that tanda record has kept, on --device, and compare with that", 0},
    WITHOUT_OPTIONS("output report-every accept-flush require-device"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    verify_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->train;
        return 0;
    case FLAG_STEPS:
        options->has_steps = true;
        options->all_steps = strcmp(argument, "all") == 0;
        if (options->all_steps) return 0;
        return parsed(
            value_size("--steps", argument, 1, SIZE_MAX, &options->steps, options->train.common.error));
    default:
        return option_put(NULL, key, argument, options, NULL);
    }
}

const struct argp verify_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "DATA",
    .doc = "The same training on two devices step by step, every tensor compared: names the first operation "
           "that differs, and ends with exit code 1 if there is one.\v"
           "Example: tanda verify datasets/iris.csv --hidden 16 --device opencl --against cpu,threads=1",
    .children = (const struct argp_child[]){{&train_options_argp, 0, NULL, 0}, {0}},
};

tanda_status verify_options_parse(int argc, char **argv, verify_options *options, tanda_error *error) {
    *options = (verify_options){.steps = DEFAULT_STEPS};
    train_options_begin(&options->train, error);
    options->train.common.keeps_spec = true;
    tanda_status status = options_parse(&verify_argp, argc, argv, options, &options->train.common, error);
    if (status != TANDA_OK || options->train.common.finished) return status;
    if (options->golden != NULL && (options->has_steps || options->against != NULL))
        return fail(error, TANDA_USAGE,
                    "--golden: the file says what to compare with, and how many steps; leave "
                    "%s away",
                    options->has_steps ? "--steps" : "--against");
    status = train_options_check(&options->train, error);
    return status == TANDA_OK ? optimizer_options_check_fixed(&options->train.optimizing, "verify", error)
                              : status;
}

/* ---- the two sides ------------------------------------------------------------------------------------ */

tanda_status open_side(device_spec *spec, lockstep_side *side, tanda_error *error) {
    tanda_device_options options = spec->common.device;
    options.require_device = true;
    options.math = TANDA_MATH_FAST; /* which takes any grade: this is the tool that finds out why it is low */
    side->math = spec->common.device.math;
    side->gemm = spec->common.gemm;
    return opening_of(&options, spec->common.quiet, &side->backend, NULL, error);
}

tanda_status open_side_a(const common_options *common, device_spec *spec, lockstep_side *side,
                         tanda_error *error) {
    const char *wanted = common->device.device;
    const bool automatic = device_name_is_automatic(wanted);
    tanda_error failure = {0};
    tanda_status status = device_spec_read("--device", automatic ? "opencl" : wanted, common, spec, error);
    if (status != TANDA_OK) return status;
    if (!automatic) return open_side(spec, side, error);
    spec->requested = "auto";
    if (open_side(spec, side, &failure) == TANDA_OK) {
        text_put(spec->reason, sizeof spec->reason, "the best OpenCL device");
        return TANDA_OK;
    }
    device_spec_free(spec);
    status = device_spec_read("--device", "cpu", common, spec, error);
    if (status == TANDA_OK) status = open_side(spec, side, error);
    spec->requested = "auto";
    if (status == TANDA_OK) text_put(spec->reason, sizeof spec->reason, "%s", failure.message);
    return status;
}

void print_side_line(char name, const lockstep_side *side, const device_spec *spec) {
    const char *missed = NULL;
    fprintf(stderr, "%c: ", name);
    print_device_line(side->backend, side->math, spec->reason);
    if (tanda_device_grade(side->backend, &missed) != TANDA_GRADE_EXACT)
        fprintf(stderr, "%c: its self-test missed '%s'\n", name, missed);
}
