/*
 * The performance lab: what tanda bench runs. Everything is timed in runs of many steps after a warm-up; loading,
 * transfer and compiling are told apart from the steps themselves.
 */
#ifndef TANDA_BENCH_BENCH_H
#define TANDA_BENCH_BENCH_H

#include "backend/backend.h"
#include "support/digest.h"

#define BENCH_MOST_REPETITIONS 1000
#define BENCH_MOST_LAYERS 8
#define BENCH_CHECK_STEPS 5 /* whose losses a peer can be held against */

typedef enum bench_kind {
    BENCH_TRAINING,  /* steps of gradient descent */
    BENCH_ASSEMBLE,  /* rows of batches become tiles, and nothing else */
    BENCH_MEMCPY,    /* copying memory, all cores */
    BENCH_CSV,       /* reading a file of numbers */
    BENCH_SYNTHETIC, /* making synthetic rows, all cores; the rate counts their features */
    BENCH_START,     /* this program, started to tell its version */
    BENCH_FIRST,     /* this program, started to do one training step */
    BENCH_BUSY,      /* this program, started to use a model beside a process that keeps a core busy */
} bench_kind;

typedef struct bench_workload {
    const char *name;
    bench_kind kind;
    size_t rows;
    size_t batch;  /* 0: all rows */
    bool in_order; /* mini-batches: not shuffled */
    bool without_loss;
    size_t
        units[BENCH_MOST_LAYERS + 2]; /* features, hidden layers, outputs; 0 ends them. 1 output: sigmoid */
    bool on_request;                  /* only where a filter takes it */
    const char *description;          /* of synthetic rows: "synthetic:..." */
    const char *command;              /* beside a busy process: evaluate or predict, */
    const char *threads;              /* and its --threads */
    const char *packing;              /* of a file of numbers, as libarchive calls it; NULL: none */
} bench_workload;

extern const bench_workload bench_workloads[];
extern const size_t bench_workload_count;

typedef struct bench_options {
    const char *program;  /* to start as a process; NULL: /proc/self/exe */
    double least_seconds; /* of one repetition */
    size_t repetitions;   /* 1 ... BENCH_MOST_REPETITIONS */
    bool with_limits;     /* of the device, beside each repetition */
    size_t rounds;        /* at most, where others take too much of the machine; 0: 4 */
    size_t steps;         /* of one repetition; 0: as many as fill least_seconds */
    size_t digest_steps;  /* of a training, whose losses and last weights make result->digest; 0: none */
    tanda_math math;      /* of a training */
    struct device_profile *profile; /* NULL, or of a training's further repetition, to be freed: profile.h */
    bool shares_data;               /* of a training: others may use the data at the same time */
    const char *export_folder; /* NULL, or where data, initial model and losses of trainings are written */
} bench_options;

/* Of the repetitions: deviation of a sample (n - 1, and 0 of one), variation the deviation by the mean. */
typedef struct bench_spread {
    double mean, deviation, variation;
} bench_spread;

/* Figures of one workload on one device; times are of one step, file or start. */
typedef struct bench_result {
    const char *executor;      /* who computed the steps; NULL where there are none */
    size_t repetitions, steps; /* steps of each repetition */
    double seconds[BENCH_MOST_REPETITIONS], cpu_seconds[BENCH_MOST_REPETITIONS];
    double median, least, most, cpu; /* of those: cpu belongs to the median */
    bench_spread wall_spread, cpu_spread;
    double others;                  /* cores that others took meanwhile; 0 where that is not known */
    double others_seconds, span;    /* their time, below 0 by what clocks are off, in so many seconds */
    double first;                   /* the first step, not among them */
    double load, transfer, compile; /* making the data, handing it over, preparing the plan */
    double bytes, operations;       /* that a step must at least read and do */
    bool has_limit;                 /* the limits of the device say how long that must take */
    device_limits limits;           /* the best that were measured beside the repetitions */
    double part;       /* of the limit that repetitions reach, each of the better one beside it: the median */
    const char *bound; /* by what: "read" or "fma" */
    bool is_disturbed; /* part would be above 1, also by limits that were measured again: it is 0 */
    bool has_loss;
    double loss;                      /* of the last step, per row */
    double losses[BENCH_CHECK_STEPS]; /* of the first steps in order, with export_folder */
    size_t losses_count;
    double profiled_seconds;       /* that the repetition with options->profile took */
    char digest[DIGEST_TEXT_SIZE]; /* with digest_steps, else "" */
} bench_result;

/* Made-up data, kept from one workload to the next. All zero is none. */
typedef struct bench_data {
    size_t rows, features, classes;
    float *values;
    int32_t *labels;
} bench_data;

/*
 * Runs a workload on a device, which memcpy, CSV, synthetic rows and starting look at only for its name. Fails with what the device or the
 * memory says, or TANDA_USAGE for repetitions out of range.
 */
tanda_status bench_run(const bench_workload *workload, backend *device, const bench_options *options,
                       bench_data *data, bench_result *result, tanda_error *error);

/*
 * The same for a training that is measured again and again: it stays open, and `data` stays as it is. Opening fills in load,
 * transfer, compile, executor, work and, with digest_steps, the digest and the first step; measuring all else, and is what it
 * was last asked for. The workload's name is borrowed.
 */
typedef struct bench_trial bench_trial;
tanda_status bench_open(const bench_workload *workload, backend *device, const bench_options *options,
                        bench_data *data, bench_result *result, bench_trial **trial, tanda_error *error);
tanda_status bench_again(bench_trial *trial, const bench_options *options, bench_result *result,
                         tanda_error *error);
/* From the first weights on, the same steps once more; *first: the seconds of the first of them. */
tanda_status bench_digest(bench_trial *trial, size_t steps, double *first, char digest[DIGEST_TEXT_SIZE],
                          tanda_error *error);
void bench_close(bench_trial *trial);

/* Whether the workload needs the device at all: those that do not are run once. */
bool bench_needs_device(const bench_workload *workload);

void bench_data_free(bench_data *data);

/* Of two measurements, the better of each figure: what a device can do varies with what else its machine does. */
device_limits bench_better_limits(const device_limits *a, const device_limits *b);

/* The part of the limits that a step of so many seconds reaches, 0 where none applies; *bound is "read" or "fma". */
double bench_part_of_limits(const bench_result *result, double seconds, const device_limits *limits,
                            const char **bound);

/* Of `count` values, 1 or more. */
bench_spread bench_spread_of(const double *values, size_t count);

/* True for the names of files that a training's export writes into its folder. */
bool bench_export_holds(const char *name);

#endif
