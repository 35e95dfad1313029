/* What `tanda verify` is told, shared by the lockstep (verify.c) and golden files (verify_golden.c). */
#ifndef TANDA_CLI_VERIFY_OPTIONS_H
#define TANDA_CLI_VERIFY_OPTIONS_H

#include "cli/device_spec.h"
#include "cli/train_options.h"
#include "tanda.h"

typedef struct verify_options {
    train_options train;
    const char *against; /* a spec, or NULL */
    bool has_steps, all_steps;
    size_t steps;
    const char *golden; /* or NULL */
} verify_options;

/* Whatever it returns, options->train is released with train_options_free. */
tanda_status verify_options_parse(int argc, char **argv, verify_options *options, tanda_error *error);

/* The device that --device names; by default the best OpenCL device, else the CPU. */
tanda_status open_side_a(const common_options *common, device_spec *spec, lockstep_side *side,
                         tanda_error *error);

/* The banner's line of a side, with the probe that its self-test missed. */
void print_side_line(char name, const lockstep_side *side, const device_spec *spec);

/* The other side: what --against names, else the CPU. */
tanda_status open_side_b(const verify_options *options, const lockstep_side *a, device_spec *spec,
                         lockstep_side *side, tanda_error *error);

/* The file that --golden names, found before parsing, as it holds more arguments; NULL without one. */
const char *golden_argument(int argc, char **argv);

/* verify --golden: repeats what the file tells. TANDA_FAILED names the first step that differs. */
tanda_status verify_golden(const char *path, int argc, char **argv, tanda_error *error);

#endif
