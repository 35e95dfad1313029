/* What the files that measure share. */
#ifndef TANDA_LAB_SWEEP_H
#define TANDA_LAB_SWEEP_H

#include "lab/lab.h"

typedef struct sweep {
    const lab_options *options;
    lab_run *run;
    backend *backends[LAB_MOST_DEVICES];
    tanda_math math[LAB_MOST_DEVICES];
    bench_trial *trials[LAB_MOST_CELLS]; /* that stay open from round to round; NULL: opened each time */
    bench_data data[LAB_MOST_WORKLOADS]; /* of those, each shape once, */
    bench_data other_data;               /* and of one of the others */
    double kept_bytes;                   /* of trials and their data */
    double start;
    tanda_error *error;
} sweep;

/* open.c: all devices with their limits, and the plan of workloads. */
tanda_status lab_open(sweep *sweep, tanda_error *error);
void lab_tell(const sweep *sweep, const char *what, double part);

/*
 * trials.c: the trial of a cell, open already or opened now; where memory allows it stays open, and otherwise *is_kept is
 * false and the caller closes it. The result is filled in by opening alone, with its digest.
 */
tanda_status lab_open_trial(sweep *sweep, size_t cell, bench_result *result, bench_trial **trial,
                            bool *is_kept);
void lab_close_trials(sweep *sweep);

/* What every measurement of a cell is made with; steps and time are to be filled in. */
bench_options lab_bench_options(const sweep *sweep, const lab_cell *cell);

/* splits.c: while there is time left, until so many seconds after the start. */
tanda_status lab_measure_splits(sweep *sweep, double until);

#endif
