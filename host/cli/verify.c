/* tanda verify */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/verify.h"
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

/* Whatever grade its self-test gives, and no other in its place. */
static tanda_status open_side(device_spec *spec, lockstep_side *side, tanda_error *error) {
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

/* What --against names; else the CPU, or where that is the other one the plainest code on one thread of it. */
static tanda_status open_side_b(const verify_options *options, const lockstep_side *a, device_spec *spec,
                                lockstep_side *side, tanda_error *error) {
    const bool is_cpu = strcmp(tanda_device_describe(a->backend)->backend, "openmp") == 0;
    const char *other = is_cpu ? "cpu,threads=1,isa=generic" : "cpu";
    common_options common = options->train.common;
    common.device.math = TANDA_MATH_EXACT; /* --math is for the side under test */
    const tanda_status status = device_spec_read(
        "--against", options->against != NULL ? options->against : other, &common, spec, error);
    return status == TANDA_OK ? open_side(spec, side, error) : status;
}

void print_side_line(char name, const lockstep_side *side, const device_spec *spec) {
    const char *missed = NULL;
    fprintf(stderr, "%c: ", name);
    print_device_line(side->backend, side->math, spec->reason);
    if (tanda_device_grade(side->backend, &missed) != TANDA_GRADE_EXACT)
        fprintf(stderr, "%c: its self-test missed '%s'\n", name, missed);
}

/* ---- the command ---------------------------------------------------------------------------------------- */

/* One run of the command. */
typedef struct verification {
    verify_options options;
    fit fit;
    device_spec specs[SIDE_COUNT];
    comparison comparison;
} verification;

/* A live line; only for a terminal. */
static void print_step(uint64_t step, uint64_t steps, void *context) {
    (void)context;
    fprintf(stderr, "\rstep %llu of %llu compared%s", (unsigned long long)step + 1, (unsigned long long)steps,
            step + 1 == steps ? "\n" : "");
}

static tanda_status compare(verification *run, tanda_error *error) {
    const tanda_train_options *train = &run->fit.train;
    comparison *comparison = &run->comparison;
    const size_t rows = run->fit.training->rows;
    const size_t batch = train->batch_rows == 0 || train->batch_rows > rows ? rows : train->batch_rows;
    comparison->steps_per_epoch = steps_per_epoch(rows, batch);
    comparison->steps = run->options.steps;
    if (run->options.all_steps) {
        uint64_t steps = 0;
        const tanda_status status = golden_all_steps(train, rows, &steps, error);
        if (status != TANDA_OK) return status;
        comparison->steps = (size_t)steps;
    }
    golden_options training; /* the same but for its bounds and reports */
    const tanda_status status = golden_options_of(train, rows, comparison->steps, &training, error);
    if (status != TANDA_OK) return status;
    const lockstep_options options = {
        .steps = comparison->steps,
        .batch_rows = batch,
        .shuffle = !train->no_shuffle,
        .seed = train->seed,
        .learning_rate = training.learning_rate,
        .update = training.update,
        .has_rates = training.has_rates,
        .rates = training.rates,
        .dropout = train->dropout,
        .on_step = run->options.train.common.quiet || !isatty(STDERR_FILENO) ? NULL : print_step};
    comparison->model = run->fit.model;
    return lockstep_run(comparison->sides, run->fit.model, run->fit.training, &options, &comparison->result,
                        error);
}

static tanda_status run_verification(verification *run, tanda_error *error) {
    lockstep_side *sides = run->comparison.sides;
    tanda_status status = fit_begin(&run->options.train.fit, &run->fit, error);
    if (status == TANDA_OK) status = fit_make(&run->fit, error);
    if (status == TANDA_OK)
        status = open_side_a(&run->options.train.common, &run->specs[SIDE_A], &sides[SIDE_A], error);
    if (status == TANDA_OK)
        status = open_side_b(&run->options, &sides[SIDE_A], &run->specs[SIDE_B], &sides[SIDE_B], error);
    if (status != TANDA_OK) return status;
    for (int side = 0; side < SIDE_COUNT; side++)
        run->comparison.requested[side] = run->specs[side].requested;
    if (!run->options.train.common.quiet) {
        print_data_line(run->options.train.data.path, run->fit.training, "as asked",
                        run->fit.model->scaling.kind, run->fit.scale_note);
        print_model_line(run->fit.model);
        print_optimizer_remark(stderr, &run->options.train.optimizing);
        print_side_line('a', &sides[SIDE_A], &run->specs[SIDE_A]);
        print_side_line('b', &sides[SIDE_B], &run->specs[SIDE_B]);
    }
    status = compare(run, error);
    if (status != TANDA_OK) return status;
    if (run->options.train.common.json) {
        report report = report_begin("verify");
        report_comparison(&report, &run->comparison);
        status = report_print(&report, error);
        if (status != TANDA_OK) return status;
    } else {
        print_comparison(&run->comparison);
    }
    return comparison_holds(&run->comparison) ? TANDA_OK : TANDA_FAILED;
}

/* The file that --golden names, found before parsing, as it holds more arguments; NULL without one. */
static const char *golden_argument(int argc, char **argv) {
    static const char flag[] = "--golden";
    for (int i = 1; i < argc; i++) {
        const size_t length = strcspn(argv[i], "=");
        if (length != strlen(flag) || strncmp(argv[i], flag, length) != 0) continue;
        return argv[i][length] == '=' ? argv[i] + length + 1 : i + 1 < argc ? argv[i + 1] : NULL;
    }
    return NULL;
}

tanda_status verify_command(int argc, char **argv, tanda_error *error) {
    const char *golden = golden_argument(argc, argv);
    if (golden != NULL) return verify_golden(golden, argc, argv, error);
    verification run = {0};
    tanda_status status = verify_options_parse(argc, argv, &run.options, error);
    if (status == TANDA_OK && !run.options.train.common.finished) status = run_verification(&run, error);
    lockstep_result_free(&run.comparison.result);
    for (int side = 0; side < SIDE_COUNT; side++) {
        tanda_device_close(run.comparison.sides[side].backend);
        device_spec_free(&run.specs[side]);
    }
    fit_free(&run.fit);
    train_options_free(&run.options.train);
    return status;
}
