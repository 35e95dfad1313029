/*
 * What the parts of `tanda verify` share: the lockstep (verify.c), golden files
 * (verify_golden.c), and what is said of a comparison (verify_report.c).
 */
#ifndef TANDA_CLI_VERIFY_OPTIONS_H
#define TANDA_CLI_VERIFY_OPTIONS_H

#include "cli/report.h"
#include "cli/train_options.h"

typedef struct verify_options {
    train_options train;
    const char *against; /* a spec, or NULL */
    bool has_steps, all_steps;
    size_t steps;
    const char *golden; /* or NULL */
} verify_options;

/* Whatever it returns, options->train is released with train_options_free. */
tanda_status verify_options_parse(int argc, char **argv, verify_options *options, tanda_error *error);

/* The device of a spec, whatever grade its self-test gives, and no other in its place. */
tanda_status open_side(device_spec *spec, lockstep_side *side, tanda_error *error);

/* The device that --device names; by default the best OpenCL device, else the CPU. */
tanda_status open_side_a(const common_options *common, device_spec *spec, lockstep_side *side,
                         tanda_error *error);

/* The banner's line of a side, with the probe that its self-test missed. */
void print_side_line(char name, const lockstep_side *side, const device_spec *spec);

/* verify --golden: repeats what the file tells. TANDA_FAILED names the first step that differs. */
tanda_status verify_golden(const char *path, int argc, char **argv, tanda_error *error);

/* A comparison with all that its report needs. */
typedef struct comparison {
    const tanda_model *model;
    lockstep_side sides[SIDE_COUNT];
    const char *requested[SIDE_COUNT]; /* devices as they were asked for */
    size_t steps, steps_per_epoch;
    lockstep_result result;
} comparison;

bool comparison_holds(const comparison *comparison);

/* Verdict and table on standard output. */
void print_comparison(const comparison *comparison);

/* The members of the object; the caller prints it. */
void report_comparison(report *report, const comparison *comparison);

#endif
