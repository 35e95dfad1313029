/* What `tanda verify` says of a comparison: as lines for people, or as a JSON object. */
#ifndef TANDA_CLI_VERIFY_REPORT_H
#define TANDA_CLI_VERIFY_REPORT_H

#include "cli/report.h"
#include "tanda_lab.h"

/* A comparison with all that its report needs. */
typedef struct comparison {
    const tanda_model *model;
    lockstep_side sides[SIDE_COUNT];
    const char *requested[SIDE_COUNT]; /* devices as they were asked for */
    size_t steps, steps_per_epoch;
    lockstep_result result;
} comparison;

static inline bool comparison_holds(const comparison *comparison) {
    return comparison->result.first.place == LOCKSTEP_NONE;
}

/* The verdict as one line, e.g. "step 4, layer 1, weight [3, 17]: ..."; size is enough for 500 characters. */
void describe_verdict(const comparison *comparison, char *text, size_t size);

/* Verdict and table on standard output. */
void print_comparison(const comparison *comparison);

/* The members of the object; the caller prints it. */
void report_comparison(report *report, const comparison *comparison);

#endif
