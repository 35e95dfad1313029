/* The commands, in the order in which tanda --help lists them. */
#include "cli/command.h"

#include "cli/waiting.h"

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
