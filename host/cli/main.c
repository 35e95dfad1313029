/* The program: finds the command, and reports what went wrong with one line and an exit code. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/config.h"
#include "cli/help.h"
#include "cli/interrupt.h"
#include "cli/option_table.h"
#include "cli/report.h"
#include "tanda_lab.h"

#define OUTPUT_BUFFER 65536

/*
 * An OpenMP thread that waits for its next work spins for milliseconds. In a comparison that is in the way of an OpenCL
 * driver on the same cores, which then takes three times as long; where another process has a core, it is in the way of
 * the very thread that is waited for. A training has a step every few microseconds and is worth it, one pass over the rows
 * is not. libgomp reads the setting when it is loaded: the program starts once more, with these arguments.
 */
static void wait_passively(char **argv) {
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv("/proc/self/exe", argv); /* comes back only when that is impossible, which does no harm */
}

/* In the order in which tanda --help lists them. */
const command commands[] = {
    {"train", "fit a model to data and write it", &train_argp, train_command, NULL},
    {"evaluate", "loss and metrics of a model on data", &evaluate_argp, evaluate_command, wait_passively},
    {"predict", "class and probabilities, or the value, of every row", &predict_argp, predict_command,
     wait_passively},
    {"verify", "the same training on two devices: name the first difference", &verify_argp, verify_command,
     wait_passively},
    {"record", "keep the fingerprint of a training, for verify --golden", &record_argp, record_command, NULL},
    {"trace", "one row through one step, with formulas, numbers and finite differences", &trace_argp,
     trace_command, NULL},
    {"surface", "the cost over the weights, and the paths that trainings take over it", &surface_argp,
     surface_command, NULL},
    {"report", "trainings epoch by epoch, and a model on data, in pictures", &report_argp, report_command,
     NULL},
    {"generate", "write synthetic data as .npy or CSV files", &generate_argp, generate_command, NULL},
    {"shuffle", "mix the rows of a data set once, and write them again", &shuffle_argp, shuffle_command,
     NULL},
    {"inspect", "what a model file or a data file holds", &inspect_argp, inspect_command, NULL},
    {"devices", "what there is to train on, and what each is good for", &devices_argp, devices_command, NULL},
    {"bench", "the limits of this machine, and how near trainings come to them", &bench_argp, bench_command,
     NULL},
    {"lab", "devices held against one another on one page", &lab_argp, lab_command, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const command *command_find(const char *name) {
    for (size_t i = 0; commands[i].name != NULL; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

/* The command that does what Keras, scikit-learn or PyTorch call so, or NULL. */
static const command *command_elsewhere(const char *name) {
    static const struct {
        const char *theirs, *ours;
    } words[] = {
        {"fit", "train"},
        {"fit_predict", "train"},
        {"partial_fit", "train"},
        {"compile", "train"},
        {"test", "evaluate"},
        {"eval", "evaluate"},
        {"score", "evaluate"},
        {"validate", "evaluate"},
        {"cross_val_score", "train"},
        {"infer", "predict"},
        {"transform", "predict"},
        {"predict_proba", "predict"},
        {"forward", "predict"},
        {"info", "inspect"},
        {"summary", "inspect"},
        {"describe", "inspect"},
        {"show", "inspect"},
        {"get_params", "inspect"},
        {"benchmark", "bench"},
        {"list_devices", "devices"},
        {"make_classification", "generate"},
        {"make_regression", "generate"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].theirs, name) == 0) return command_find(words[i].ours);
    return NULL;
}

static void print_help(void) {
    puts("Usage: tanda COMMAND [ARGUMENT...] [OPTION...]\n\n"
         "Trains perceptrons, logistic regression and dense networks on OpenCL devices and CPU cores,\n"
         "with the same bits on all of them.\n");
    for (size_t i = 0; commands[i].name != NULL; i++)
        printf("  tanda %-10s %s\n", commands[i].name, commands[i].summary);
    puts("\n  tanda COMMAND --help lists the options of a command; tanda --version tells the version.\n\n"
         "Example: tanda train datasets/iris.csv --epochs 50 --output iris.safetensors\n\n"
         "Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 bad input, 4 device or driver, 130 "
         "interrupted.");
}

static tanda_status fail_unknown(const char *name, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    size_t closest = 0, best = SIZE_MAX;
    const command *same = command_elsewhere(name);
    shown(name, strlen(name), buffer);
    if (same != NULL)
        return fail(error, TANDA_USAGE, "'%s' is no command; here it is %s: %s (tanda %s --help)", buffer,
                    same->name, same->summary, same->name);
    for (size_t i = 0; commands[i].name != NULL; i++) {
        const size_t distance = edit_distance(commands[i].name, name);
        if (distance < best) closest = i;
        if (distance < best) best = distance;
    }
    if (!is_suggestion(best, name))
        return fail(error, TANDA_USAGE, "'%s' is no command (tanda --help lists them)", buffer);
    return fail(error, TANDA_USAGE, "'%s' is no command; the closest is %s (tanda --help lists them)", buffer,
                commands[closest].name);
}

/* tanda help [COMMAND]; with --man the manual page, with --completion the script of a shell, which the build installs. */
static tanda_status help(int argc, char **argv, tanda_error *error) {
    const bool is_manual = argc > 2 && strcmp(argv[2], "--man") == 0;
    const char *name = argc > 2 + is_manual ? argv[2 + is_manual] : NULL;
    if (name != NULL && strcmp(name, "--completion") == 0)
        return completion_print(argc > 3 ? argv[3] : NULL, error);
    const command *found = name == NULL ? NULL : command_find(name);
    if (name != NULL && found == NULL) return fail_unknown(name, error);
    char help_flag[] = "--help", *arguments[] = {(char *)name, help_flag, NULL};
    if (is_manual && found != NULL)
        manual_print_command(found);
    else if (is_manual)
        manual_print_program();
    else if (found != NULL)
        return found->run(2, arguments, error);
    else
        print_help();
    return TANDA_OK;
}

static tanda_status dispatch(int argc, char **argv, config *config, tanda_error *error) {
    if (argc < 2 || strcmp(argv[1], "--json") == 0)
        return fail(error, TANDA_USAGE, "no command; tanda --help lists them");
    const command *found = command_find(argv[1]);
    if (found != NULL) {
        if (found->prepare != NULL) found->prepare(argv);
        tanda_status status = config_expand(found->argp, argc, argv, config, error);
        if (status != TANDA_OK) return status;
        status = found->run(config->line.argc - 1, config->line.argv + 1, error);
        if (status != TANDA_OK) config_blame(config, error);
        return status;
    }
    if (strcmp(argv[1], "help") == 0) return help(argc, argv, error);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        print_help();
    else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-v") == 0)
        printf("tanda %s\n", tanda_version());
    else
        return fail_unknown(argv[1], error);
    return TANDA_OK;
}

/* Told without parsing, so that a mistake in another option is reported as JSON too. --js is --json to argp. */
static bool wants_json(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strlen(argv[i]) > 2 && strncmp("--json", argv[i], strlen(argv[i])) == 0) return true;
    return false;
}

static bool has_ended;

/* OpenMP's runtime ends the process by itself where it gets no memory or no thread. */
static void explain_exit(int status, void *context) {
    (void)context;
    if (status != 0 && !has_ended)
        fputs("tanda: the OpenMP runtime gave up, for want of memory or threads; --threads takes fewer\n",
              stderr);
}

/* A closed pipe is a write error like any other, until the command has done what it could. */
static volatile sig_atomic_t pipe_was_closed;

static void note_closed_pipe(int number) {
    (void)number;
    pipe_was_closed = 1;
}

/* Whoever read standard output has gone before its end, as head does: what a program then does is end in silence. */
static void end_with_reader(void) {
    struct pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT};
    if (!pipe_was_closed || poll(&output, 1, 0) != 1 || (output.revents & (POLLERR | POLLHUP)) == 0) return;
    unfinished_remove_all();
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
}

int main(int argc, char **argv) {
    on_exit(explain_exit, NULL);
    tanda_error error = {0};
    config config = {0};
    json_use_reserve(malloc);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = note_closed_pipe, .sa_flags = SA_RESTART}, NULL);
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow */
    cleanup_watch();
    /* PoCL ends the process where its folder is named and empty; elsewhere an empty variable is none. */
    const char *folder = getenv("POCL_CACHE_DIR");
    if (folder != NULL && folder[0] == '\0') unsetenv("POCL_CACHE_DIR");
    if (!isatty(STDOUT_FILENO)) setvbuf(stdout, NULL, _IOFBF, OUTPUT_BUFFER);
    tanda_status status = dispatch(argc, argv, &config, &error);
    if (status == TANDA_OK) status = report_flush(&error);
    if (status == TANDA_FAILED) end_with_reader();
    if (status != TANDA_OK && error.message[0] != '\0') {
        fprintf(stderr, "tanda: %s\n", error.message);
        if (wants_json(argc, argv) || wants_json(config.line.argc, config.line.argv))
            report_failure(argc < 2 || argv[1][0] == '-' ? "" : argv[1], &error);
    }
    config_free(&config);
    has_ended = true;
    return (int)status;
}
