/* tanda verify --golden */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/verify_options.h"
#include "tanda_lab.h"

/* One repetition of a recorded training. */
typedef struct repetition {
    golden recorded;
    char **arguments; /* the command, the recorded arguments, the user's; borrowed texts */
    verify_options options;
    fit fit;
    device_spec spec;
    lockstep_side side;
    golden made;
    golden_difference difference;
} repetition;

/*
 * What the file says of its training: the data and the settings that tanda record keeps, whole, and nothing else. They
 * stand for themselves: none is left to the user's arguments to complete.
 */
static tanda_status check_arguments(const char *path, const golden *recorded, tanda_error *error) {
    char command[] = "verify", **arguments = NULL, buffer[SHOWN_SIZE];
    const size_t count = recorded->argument_count;
    tanda_error reason = {0};
    verify_options options = {0};
    for (size_t i = 0, next = 0; i < count; i = next) {
        const char *word = recorded->arguments[i];
        const struct argp_option *option = option_of_argument(&verify_argp, word);
        if (option == NULL || !golden_keeps(option->name))
            return fail(
                error, TANDA_BAD_INPUT,
                "%s: its arguments hold '%s', which is no setting of a training; tanda record makes a "
                "new one",
                path, shown(word, strlen(word), buffer));
        next = i + 1 + (option->arg != NULL && strchr(word, '=') == NULL);
    }
    tanda_status status = allocate(&arguments, count + 2, sizeof *arguments, "arguments", error);
    if (status != TANDA_OK) return status;
    arguments[0] = command;
    if (count > 0) memcpy(arguments + 1, recorded->arguments, count * sizeof *arguments);
    status = verify_options_parse((int)count + 1, arguments, &options, &reason);
    train_options_free(&options.train);
    free(arguments);
    if (status == TANDA_OK) return TANDA_OK;
    return fail(error, status == TANDA_USAGE ? TANDA_BAD_INPUT : status, "%s: its arguments: %s", path,
                reason.message);
}

static bool is_data(const char *word) {
    const struct argp_option *option = option_of_argument(&verify_argp, word);
    return option != NULL && strcmp(option->name, "data") == 0;
}

/*
 * The user's arguments come last, so that they win: another path of the data, a device. As --data adds to what it has,
 * the recorded ones are left out then.
 */
static tanda_status join_arguments(repetition *run, int argc, char **argv, int *count, tanda_error *error) {
    const size_t recorded = run->recorded.argument_count;
    char *const *words = run->recorded.arguments;
    bool other_data = false;
    for (int i = 1; i < argc; i++)
        other_data |= is_data(argv[i]);
    size_t kept = 1;
    const tanda_status status =
        allocate(&run->arguments, recorded + (size_t)argc + 1, sizeof *run->arguments, "arguments", error);
    if (status != TANDA_OK) return status;
    run->arguments[0] = argv[0];
    for (size_t i = 0; i < recorded; i++)
        if (other_data && is_data(words[i]))
            i += strchr(words[i], '=') == NULL;
        else
            run->arguments[kept++] = words[i];
    memcpy(run->arguments + kept, argv + 1, (size_t)(argc - 1) * sizeof *run->arguments);
    *count = (int)kept + argc - 1;
    return TANDA_OK;
}

static void describe(const repetition *run, char *text, size_t size) {
    const golden_difference *found = &run->difference;
    if (found->verdict == GOLDEN_EQUAL) {
        text_put(text, size, "equal: %" PRIu64 " steps, %zu entries of the trace, final weights %s",
                 run->made.steps, run->made.entry_count, run->made.final);
        return;
    }
    const char *what = found->verdict == GOLDEN_LOSS ? "loss sum" : "weights";
    char values[120];
    if (found->verdict == GOLDEN_LOSS)
        text_put(values, sizeof values, "bits 0x%08" PRIx32 ", recorded 0x%08" PRIx32, found->found.loss,
                 found->expected.loss);
    else
        text_put(values, sizeof values, "hash %s..., recorded %s...", found->found.weights,
                 found->expected.weights);
    if (found->step == found->after + 1)
        text_put(text, size, "first difference: step %" PRIu64 ", %s: %s", found->step, what, values);
    else
        text_put(text, size,
                 "first difference: between step %" PRIu64 " and step %" PRIu64
                 ", where the trace has its next "
                 "entry, %s: %s",
                 found->after + 1, found->step, what, values);
}

static tanda_status print_result(const repetition *run, tanda_error *error) {
    const golden_difference *found = &run->difference;
    char verdict[400];
    describe(run, verdict, sizeof verdict);
    if (!run->options.train.common.json) {
        puts(verdict);
    } else {
        report report = report_begin("verify");
        json_put_text(&report, "golden", run->options.golden);
        const tanda_device_options requested = {.device = run->spec.requested};
        report_device(&report, run->side.backend, &requested);
        json_put(&report, "equal", json_boolean(found->verdict == GOLDEN_EQUAL));
        json_put_text(&report, "verdict", verdict);
        json_put_text(&report, "recorded_on", run->recorded.device);
        json_put_count(&report, "steps", run->recorded.steps);
        if (found->verdict == GOLDEN_EQUAL) {
            json_put_text(&report, "weights_sha256", run->made.final);
        } else {
            json_put_text(&report, "differs", found->verdict == GOLDEN_LOSS ? "loss" : "weights");
            json_put_count(&report, "equal_steps", found->after);
            json_put_count(&report, "step", found->step);
        }
        const tanda_status status = report_print(&report, error);
        if (status != TANDA_OK) return status;
    }
    return found->verdict == GOLDEN_EQUAL ? TANDA_OK : TANDA_FAILED;
}

static tanda_status repeat(repetition *run, tanda_error *error) {
    const common_options *common = &run->options.train.common;
    tanda_status status = fit_begin(&run->options.train.fit, &run->fit, error);
    run->fit.whole_for = "verify";
    if (status == TANDA_OK) status = fit_make(&run->fit, error);
    if (status != TANDA_OK) return status;
    char *settings = golden_settings(run->fit.model);
    if (settings == NULL) return fail(error, TANDA_FAILED, "--golden: no memory for the settings");
    const bool same = strcmp(settings, run->recorded.settings) == 0;
    free(settings);
    /* Other data may well need another model: that is then the better thing to tell. */
    if (!same) status = golden_check_data(&run->recorded, run->fit.training, error);
    if (!same && status == TANDA_OK)
        status =
            fail(error, TANDA_USAGE,
                 "--golden: the other options are not those of the recorded training; give only where its "
                 "files are (--data, --labels, ...) and --device");
    if (status == TANDA_OK) status = open_side_a(common, &run->spec, &run->side, error);
    if (status == TANDA_OK && run->side.math != TANDA_MATH_EXACT)
        status =
            fail(error, TANDA_USAGE, "--golden: math=fast: only exact trainings can be repeated to the bit");
    if (status != TANDA_OK) return status;
    if (!common->quiet) print_side_line('a', &run->side, &run->spec);
    golden_options options;
    status =
        golden_options_of(&run->fit.train, run->fit.training->rows, run->recorded.steps, &options, error);
    if (status != TANDA_OK) return status;
    status = golden_run(run->side.backend, run->fit.model, run->fit.training, &options, &run->recorded,
                        &run->made, &run->difference, error);
    return status == TANDA_OK ? print_result(run, error) : status;
}

tanda_status verify_golden(const char *path, int argc, char **argv, tanda_error *error) {
    repetition run = {0};
    int count = 0;
    tanda_status status = golden_load(path, &run.recorded, error);
    if (status == TANDA_OK) status = check_arguments(path, &run.recorded, error);
    if (status == TANDA_OK) status = join_arguments(&run, argc, argv, &count, error);
    if (status == TANDA_OK) status = verify_options_parse(count, run.arguments, &run.options, error);
    if (status == TANDA_OK && !run.options.train.common.finished) status = repeat(&run, error);
    golden_free(&run.recorded);
    golden_free(&run.made);
    tanda_device_close(run.side.backend);
    device_spec_free(&run.spec);
    fit_free(&run.fit);
    train_options_free(&run.options.train);
    free(run.arguments);
    return status;
}
