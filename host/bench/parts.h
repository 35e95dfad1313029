/* What the files of this folder share. */
#ifndef TANDA_BENCH_PARTS_H
#define TANDA_BENCH_PARTS_H

#include <sys/types.h>

#include "bench/bench.h"

/* Does `count` units of work and returns when they are done. */
typedef tanda_status bench_work(void *context, size_t count, tanda_error *error);

/* What is measured. */
typedef struct bench_job {
    bench_work *work;
    void *context;
    size_t most;      /* units at once */
    backend *limited; /* whose limits hold for it, or NULL */
} bench_job;

/*
 * One unit first, then as many at once as fill least_seconds, `repetitions` times, each between two brief measurements of
 * the limits, or more where it was faster than they allow. Where others took too much of the machine meanwhile, some
 * rounds of that, of which the quietest counts.
 */
tanda_status bench_measure(const bench_job *job, const bench_options *options, bench_result *result,
                           tanda_error *error);

/* From now on the time of this child, which still runs, is not that of others; 0: there is none. */
void bench_set_own_child(pid_t child);

#define BENCH_PATH_SIZE 512

/* An empty file in the temporary folder, open for writing; to be closed and unlinked. */
tanda_status bench_make_file(char path[BENCH_PATH_SIZE], int *descriptor, tanda_error *error);

/* Layers of a workload, its output among them. */
size_t bench_layers(const bench_workload *workload);

/* Data of the workload's shape; what is there already stays when it fits. */
tanda_status bench_data_make(const bench_workload *workload, bench_data *data, tanda_error *error);

/* Writes features and labels as FOLDER/NAME.features.npy and .labels.npy, slashes of the name as dashes. */
tanda_status bench_data_export(const bench_workload *workload, const bench_data *data, const char *folder,
                               tanda_error *error);
void bench_export_path(const bench_workload *workload, const char *folder, const char *ending,
                       char path[1024]);

tanda_status bench_training(const bench_workload *workload, backend *device, const bench_options *options,
                            bench_data *data, bench_result *result, tanda_error *error);
tanda_status bench_outside(const bench_workload *workload, backend *device, const bench_options *options,
                           bench_data *data, bench_result *result, tanda_error *error);
/* A network with the weights that it begins with. */
tanda_status bench_make_model(const bench_workload *workload, tanda_model **model, tanda_error *error);

#endif
