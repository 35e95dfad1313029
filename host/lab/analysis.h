/* What the figures of a run say. Estimates are made in each round by itself; their median and quartiles are told. */
#ifndef TANDA_LAB_ANALYSIS_H
#define TANDA_LAB_ANALYSIS_H

#include "lab/lab.h"

#define LAB_BUSY_PART 0.05 /* of the cores: others who took more make a verdict worth nothing */
#define LAB_TIE 1.05       /* what is nearer than that is as fast, */
#define LAB_CLEAR \
    1.10 /* and what is farther than this is not: another day may tell otherwise of what lies between */

typedef enum lab_verdict {
    LAB_FASTER,
    LAB_SLOWER,
    LAB_SAME,
    LAB_BUSY,    /* withheld: others used the cores, */
    LAB_OVERLAP, /* the quartiles overlap, */
    LAB_NEAR,    /* they are neither far enough apart nor near enough, */
    LAB_UNSURE,  /* or chance may have done it */
    LAB_VERDICTS
} lab_verdict;

/* "faster", "slower", "tie", "busy", "overlap", "near", "unsure". */
extern const char *const lab_verdict_names[LAB_VERDICTS];

/* Of a held against b. */
typedef struct lab_comparison {
    stat_summary ratio; /* time of b by that of a: above 1, a is faster */
    double p;
    lab_verdict verdict;
} lab_comparison;

/* is_paired: round i of both was measured together. */
lab_comparison lab_compare(const lab_cell *a, const lab_cell *b, size_t cpus, bool is_paired);

/* NULL where it was not measured. */
const lab_cell *lab_cell_of(const lab_run *run, size_t workload, size_t device);

/* Whether exact rows differ: the page is red then. */
bool lab_has_difference(const lab_run *run);

/* Workloads of a family, of fewest rows in a step first; of one hidden width where that is not 0. */
typedef struct lab_series {
    size_t count, workloads[LAB_MOST_WORKLOADS];
} lab_series;
lab_series lab_series_of(const lab_run *run, lab_family family, size_t width);

/* Those that were measured on one thread and more. */
lab_series lab_series_of_threads(const lab_run *run);

/* The hidden widths of the map, ascending; how many. */
size_t lab_widths(const lab_run *run, size_t widths[LAB_MOST_WORKLOADS]);

/* t = t0 + n / r of a device over a series: seconds, and seconds for a row. count 0: there is no line. */
typedef struct lab_line_fit {
    stat_summary start, row;
} lab_line_fit;
lab_line_fit lab_fit(const lab_run *run, const lab_series *series, size_t device);

/*
 * Rows in a step at which two devices tie, by the fits and as measured; counts are rounds in which there was such a place.
 * There is none where neither is faster than the other, by more than LAB_CLEAR, at fewer rows, and slower at more: what is as
 * fast as the other over a part of the range crosses it by chance. Nor is one predicted by lines that are off the times
 * around it, by more than LAB_CLEAR.
 */
typedef struct lab_crossing {
    stat_summary predicted, measured;
    size_t rounds;
} lab_crossing;
lab_crossing lab_crossing_of(const lab_run *run, const lab_series *series, size_t a, size_t b);

/* The share of a workload's work that threads divide (Amdahl 1967), of the runs on LAB_SCALING devices. */
stat_summary lab_parallel_share(const lab_run *run, size_t workload);

#endif
