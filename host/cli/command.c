/* The commands, in the order in which tanda --help lists them. */
#include "cli/command.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

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

const command commands[] = {
    {"train", "fit a model to data and write it", &train_argp, train_command, NULL},
    {"evaluate", "loss and metrics of a model on data", &evaluate_argp, evaluate_command, wait_passively},
    {"predict", "class and probabilities, or the value, of every row", &predict_argp, predict_command,
     wait_passively},
    {"verify", "the same training on two devices: name the first difference", &verify_argp, verify_command,
     wait_passively},
    {"record", "keep the fingerprint of a training, for verify --golden", &record_argp, record_command, NULL},
    {"generate", "write synthetic data as .npy or CSV files", &generate_argp, generate_command, NULL},
    {"inspect", "what a model file or a data file holds", &inspect_argp, inspect_command, NULL},
    {"devices", "what there is to train on, and what each is good for", &devices_argp, devices_command, NULL},
    {"bench", "the limits of this machine, and how near trainings come to them", &bench_argp, bench_command,
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

const command *command_find(const char *name) {
    for (size_t i = 0; commands[i].name != NULL; i++)
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    return NULL;
}

const command *command_elsewhere(const char *name) {
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
