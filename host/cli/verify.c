/* tanda verify */
#include "cli/verify.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/device_spec.h"
#include "cli/golden_settings.h"
#include "cli/verify_report.h"

#define DEFAULT_STEPS 20

enum { FLAG_AGAINST = FLAG_OWN + 0x100, FLAG_STEPS, FLAG_GOLDEN };
enum { GROUP_VERIFY = 0 };

static const struct argp_option table[] = {
    {NULL, 0, NULL, 0, "Comparison:", GROUP_VERIFY},
    {"against", FLAG_AGAINST, "SPEC", 0,
     "the other side; default cpu. A SPEC is a DEVICE as for --device, which takes a SPEC here too (default: "
     "the best OpenCL device, else cpu), then settings: cpu,threads=1,isa=generic or "
     "opencl,math=fast,gemm=clblast,kernels=FOLDER",
     GROUP_VERIFY},
    {"steps", FLAG_STEPS, "N|all", 0, "steps to compare; default 20, all: those of --epochs", GROUP_VERIFY},
    {"golden", FLAG_GOLDEN, "FILE", 0,
     "repeat the training that tanda record has kept, on --device, and compare with that", GROUP_VERIFY},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    verify_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->train;
        return 0;
    case FLAG_AGAINST:
        options->against = argument;
        return 0;
    case FLAG_GOLDEN:
        options->golden = argument;
        return 0;
    case FLAG_STEPS:
        options->has_steps = true;
        options->all_steps = strcmp(argument, "all") == 0;
        if (options->all_steps) return 0;
        return parsed(value_size("--steps", argument, 1, &options->steps, options->train.common.error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&train_options_argp, 0, NULL, 1}, {0}};

static const struct argp verify_argp = {
    .options = table,
    .parser = parse,
    .doc =
        "The same training on two devices step by step, every tensor compared: names the first operation "
        "that differs, and ends with exit code 1 if there is one.\v"
        "Example: tanda verify --data datasets/iris.csv --hidden 16 --device opencl --against cpu,threads=1",
    .children = children,
};

tanda_status verify_options_parse(int argc, char **argv, verify_options *options, tanda_error *error) {
    *options = (verify_options){.steps = DEFAULT_STEPS};
    train_options_begin(&options->train, error);
    options->train.common.device_is_spec = true;
    tanda_status status = options_parse(&verify_argp, argc, argv, options, &options->train.common, error);
    if (status != TANDA_OK || options->train.common.finished) return status;
    if (options->golden != NULL && (options->has_steps || options->against != NULL))
        return fail(error, TANDA_USAGE,
                    "--golden: the file says what to compare with, and how many steps; leave "
                    "%s away",
                    options->has_steps ? "--steps" : "--against");
    if (options->train.output != NULL)
        return fail(error, TANDA_USAGE, "--output: verify writes no model; leave it away");
    return train_options_check(&options->train, error);
}

/* ---- the two sides ------------------------------------------------------------------------------------ */

static bool is_automatic(const char *text) {
    return text == NULL || strcmp(text, "auto") == 0;
}

tanda_status open_side_a(const common_options *common, device_spec *spec, lockstep_side *side,
                         tanda_error *error) {
    const char *wanted = common->device.device;
    tanda_status status =
        device_spec_read("--device", is_automatic(wanted) ? "opencl" : wanted, common, spec, error);
    if (status != TANDA_OK) return status;
    if (!is_automatic(wanted)) return device_spec_open(spec, side, error);
    if (device_spec_open(spec, side, NULL) == TANDA_OK) {
        snprintf(spec->reason, sizeof spec->reason, "the best OpenCL device");
        return TANDA_OK;
    }
    device_spec_free(spec);
    status = device_spec_read("--device", "cpu", common, spec, error);
    if (status == TANDA_OK) status = device_spec_open(spec, side, error);
    if (status == TANDA_OK) snprintf(spec->reason, sizeof spec->reason, "there is no OpenCL device");
    return status;
}

/* Without another device, the plainest code on one thread tells more than the same again. */
static const char *default_against(const lockstep_side *a) {
    return strcmp(tanda_device_describe(a->backend)->backend, "openmp") == 0 ? "cpu,threads=1,isa=generic"
                                                                             : "cpu";
}

static tanda_status open_side_b(const verify_options *options, const lockstep_side *a, device_spec *spec,
                                lockstep_side *side, tanda_error *error) {
    const char *wanted = options->against != NULL ? options->against : default_against(a);
    common_options common = options->train.common;
    common.device.math = TANDA_MATH_EXACT; /* --math is for the side under test */
    tanda_status status = device_spec_read("--against", wanted, &common, spec, error);
    return status == TANDA_OK ? device_spec_open(spec, side, error) : status;
}

/* ---- the command -------------------------------------------------------------------------------------- */

/* One run of the command. */
typedef struct verification {
    verify_options options;
    train_setup setup;
    device_spec specs[SIDE_COUNT];
    comparison comparison;
} verification;

void print_side_line(char name, const lockstep_side *side, const device_spec *spec) {
    const char *missed = NULL;
    fprintf(stderr, "%c: ", name);
    print_device_line(stderr, side->backend, side->math, spec->reason);
    if (tanda_device_grade(side->backend, &missed) != TANDA_GRADE_EXACT)
        fprintf(stderr, "%c: its self-test missed '%s'\n", name, missed);
}

static void print_banner(const verification *run) {
    print_data_line(stderr, run->options.train.data.path, run->setup.training, "as asked",
                    run->setup.model->scaling.kind, run->setup.scale_note);
    print_model_line(stderr, run->setup.model);
    for (int side = 0; side < SIDE_COUNT; side++)
        print_side_line(side == SIDE_A ? 'a' : 'b', &run->comparison.sides[side], &run->specs[side]);
}

/* A live line; only for a terminal. */
static void print_step(uint64_t step, uint64_t steps, void *context) {
    (void)context;
    fprintf(stderr, "\rstep %llu of %llu compared%s", (unsigned long long)step + 1, (unsigned long long)steps,
            step + 1 == steps ? "\n" : "");
}

static tanda_status compare(verification *run, tanda_error *error) {
    const train_options *train = &run->options.train;
    comparison *comparison = &run->comparison;
    const size_t rows = run->setup.training->rows;
    const size_t batch = train->full_batch || train->batch > rows ? rows : train->batch;
    comparison->steps_per_epoch = steps_per_epoch(rows, batch);
    comparison->steps = run->options.steps;
    if (run->options.all_steps) {
        uint64_t steps = 0;
        const tanda_status status = golden_all_steps(train, rows, &steps, error);
        if (status != TANDA_OK) return status;
        comparison->steps = (size_t)steps;
    }
    const lockstep_options options = {.steps = comparison->steps,
                                      .batch_rows = batch,
                                      .shuffle = !train->no_shuffle,
                                      .seed = train->common.seed,
                                      .learning_rate = (float)train->learning_rate,
                                      .on_step =
                                          train->common.quiet || !isatty(STDERR_FILENO) ? NULL : print_step};
    comparison->model = run->setup.model;
    return lockstep_run(comparison->sides, run->setup.model, run->setup.training, &options,
                        &comparison->result, error);
}

static tanda_status print_result(const verification *run, tanda_error *error) {
    if (run->options.train.common.json) {
        report report = report_begin("verify");
        report_comparison(&report, &run->comparison);
        const tanda_status status = report_print(&report, error);
        if (status != TANDA_OK) return status;
    } else {
        print_comparison(&run->comparison);
    }
    return comparison_holds(&run->comparison) ? TANDA_OK : TANDA_FAILED;
}

static tanda_status run_verification(verification *run, tanda_error *error) {
    lockstep_side *sides = run->comparison.sides;
    tanda_status status = train_setup_make(&run->options.train, &run->setup, error);
    if (status == TANDA_OK)
        status = open_side_a(&run->options.train.common, &run->specs[SIDE_A], &sides[SIDE_A], error);
    if (status == TANDA_OK)
        status = open_side_b(&run->options, &sides[SIDE_A], &run->specs[SIDE_B], &sides[SIDE_B], error);
    if (status != TANDA_OK) return status;
    if (!run->options.train.common.quiet) print_banner(run);
    status = compare(run, error);
    return status == TANDA_OK ? print_result(run, error) : status;
}

/*
 * An OpenMP thread that waits for its next step spins for milliseconds, in the way of an OpenCL driver on the same
 * cores: a comparison then takes three times as long. libgomp reads the setting when it is loaded, so the program
 * starts once more. argv[-1] is its name.
 */
static void wait_passively(char **argv) {
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv("/proc/self/exe", argv - 1); /* comes back only when that is impossible, which does no harm */
}

tanda_status verify_command(int argc, char **argv, tanda_error *error) {
    wait_passively(argv);
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
    train_setup_free(&run.setup);
    train_options_free(&run.options.train);
    return status;
}
