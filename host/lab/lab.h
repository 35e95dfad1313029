/*
 * The lab: trainings of many shapes on several devices in turn, and all that was measured, as one struct. A page, JSON and
 * CSV are made of that struct, and a saved run is read into it: nothing is drawn that could not be drawn again.
 */
#ifndef TANDA_LAB_LAB_H
#define TANDA_LAB_LAB_H

#include "backend/profile.h"
#include "bench/bench.h"
#include "bench/host.h"
#include "lab/statistics.h"

#define LAB_MOST_DEVICES 24
#define LAB_MOST_WORKLOADS 96
#define LAB_MOST_CELLS 768
#define LAB_MOST_SPLITS 64
#define LAB_MOST_LINES 24
#define LAB_TEXT 128
#define LAB_UNITS (BENCH_MOST_LAYERS + 3)
#define LAB_DIGEST_STEPS 3

typedef enum lab_family {
    LAB_MAP,     /* batch by width of a hidden layer */
    LAB_ROWS,    /* full batches of more and more rows */
    LAB_THREADS, /* on 1, 2, 4... threads */
    LAB_MATH,    /* exact and fast */
    LAB_OWN,     /* the user's */
    LAB_FAMILIES
} lab_family;

/* "map", "rows", "threads", "math", "own". */
extern const char *const lab_family_names[LAB_FAMILIES];

typedef enum lab_role {
    LAB_ASKED,   /* takes part in all but LAB_THREADS; the others in LAB_OWN, too, and: */
    LAB_SCALING, /* a number of threads, in LAB_THREADS */
    LAB_FAST,    /* an asked one with fast mathematics, in LAB_MATH */
} lab_role;

typedef struct lab_device {
    char label[LAB_TEXT]; /* as it was asked for: cpu,threads=1 */
    lab_role role;
    size_t of; /* LAB_FAST: the device that it is the fast one of */
    char id[32], name[LAB_TEXT], platform[LAB_TEXT];
    size_t compute_units;
    bool is_exact;         /* its bits are to be those of all others */
    char missed[LAB_TEXT]; /* what its self-test missed, or "" */
    device_limits limits;
    bool has_energy;
    double joules, energy_seconds; /* while it was measured */
} lab_device;

typedef struct lab_workload {
    char name[LAB_TEXT];
    lab_family family;
    size_t rows, batch; /* of each step */
    size_t units[LAB_UNITS];
    double flop, bytes; /* of a step, at least */
} lab_workload;

/* A workload on a device. Times are of one step; one for each round. */
typedef struct lab_cell {
    size_t workload, device;
    size_t count;
    double seconds[STAT_MOST], cpu_seconds[STAT_MOST];
    size_t steps;                /* of each */
    double others_seconds, span; /* of the cores, that others took in so many seconds of measuring */
    double load, transfer, compile, first; /* of the first round */
    char executor[32];
    char digest[DIGEST_TEXT_SIZE]; /* of losses and weights of the first steps */
    bool differs;                  /* from the first exact device, or from round to round */
} lab_cell;

typedef struct lab_line {
    char name[64];
    profile_kind kind;
    size_t count;
    double seconds;
} lab_line;

/* What so many steps of a workload spend their time with; seconds. */
typedef struct lab_split {
    size_t workload, device, steps;
    double wall; /* of the steps, */
    double compute,
        transfer;  /* of which the device says that it computed and moved data; threads, on the mean, */
    double launch; /* and that they waited */
    double load, compile, first_transfer;
    size_t line_count;
    lab_line lines[LAB_MOST_LINES];
} lab_split;

typedef struct lab_run {
    char date[LAB_TEXT], version[LAB_TEXT];
    bench_host host;
    bool is_quick;
    double budget, seconds, least_seconds;
    size_t planned_rounds, rounds; /* whole ones; some cells may have one more */
    char energy[LAB_TEXT];         /* why there is none, or "" */
    size_t device_count, workload_count, cell_count, split_count;
    lab_device devices[LAB_MOST_DEVICES];
    lab_workload workloads[LAB_MOST_WORKLOADS];
    lab_cell cells[LAB_MOST_CELLS];
    lab_split splits[LAB_MOST_SPLITS];
} lab_run;

/* ---- measuring -------------------------------------------------------------------------------------------- */

typedef struct lab_asked {
    const char *label;
    tanda_device_options options;
} lab_asked;

typedef struct lab_options {
    const lab_asked *asked; /* one or more */
    size_t asked_count;
    bool is_quick;
    double budget;           /* seconds; 0: 30 quick, else 180 */
    const lab_workload *own; /* instead of all others; NULL: none */
    size_t own_count;
    void (*tell)(void *context, const char *what, double part); /* how far it is, 0 to 1; or NULL */
    void *context;
} lab_options;

/*
 * Measures all of it; *result is to be freed. Device, memory and usage failures of those it needs; splits that a device cannot
 * tell are left out.
 */
tanda_status lab_measure(const lab_options *options, lab_run **result, tanda_error *error);

/* An array of {"name", "rows", "batch", "units"}; *workloads is to be freed. TANDA_BAD_INPUT, naming file and entry. */
tanda_status lab_read_workloads(const char *path, lab_workload **workloads, size_t *count,
                                tanda_error *error);

/* ---- plan.c: what is measured -------------------------------------------------------------------------------- */

/* Puts the workloads of all families into the run. */
void lab_plan_workloads(const lab_options *options, bool has_fast, lab_run *run);

/* Whether a device takes part in a family. */
bool lab_takes_part(const lab_device *device, lab_family family);

/* ---- energy.c -------------------------------------------------------------------------------------------------- */

/* Joules that the processor has taken so far, by Linux's powercap; false, and why, where it does not tell. */
bool lab_read_energy(const char *root, double *joules, char why[LAB_TEXT]);

/* ---- files ------------------------------------------------------------------------------------------------ */

/* JSON in Google Benchmark's shape, and a table of the cells; written whole or not at all. */
tanda_status lab_save(const lab_run *run, const char *path, tanda_error *error);
tanda_status lab_save_csv(const lab_run *run, const char *path, tanda_error *error);

/* What lab_save wrote. TANDA_BAD_INPUT where it is something else. */
tanda_status lab_load(const char *path, lab_run **result, tanda_error *error);

#endif
