/* tanda verify */
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/verify_options.h"
#include "tanda_lab.h"

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

static tanda_status compare(verification *run, tanda_error *error) {
    const tanda_train_options *train = &run->fit.train;
    comparison *comparison = &run->comparison;
    const size_t rows = run->fit.training->rows;
    const size_t batch = batch_rows_of(train->batch_rows, rows);
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
    lockstep_options options = lockstep_options_of(&training);
    if (!run->options.train.common.quiet && isatty(STDERR_FILENO)) options.on_step = print_step;
    comparison->model = run->fit.model;
    return lockstep_run(comparison->sides, run->fit.model, run->fit.training, &options, &comparison->result,
                        error);
}

static tanda_status run_verification(verification *run, tanda_error *error) {
    lockstep_side *sides = run->comparison.sides;
    tanda_status status = fit_begin(&run->options.train.fit, &run->fit, error);
    run->fit.whole_for = "verify";
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
