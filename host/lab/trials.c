/* Trainings that stay open from round to round: opening them takes longer than measuring, on OpenCL above all. */
#include "lab/sweep.h"
#include "support/system_file.h"

#define PART_OF_MEMORY 0.125 /* of the host or the smallest device, that open trials may take */
#define COPIES 3.0 /* of a batch's activations: values, deltas, and what an executor has beside them */

static bench_workload workload_of(const lab_workload *workload) {
    bench_workload made = {.name = workload->name, .kind = BENCH_TRAINING, .rows = workload->rows};
    made.batch = workload->batch < workload->rows ? workload->batch : 0;
    for (size_t i = 0; i < sizeof made.units / sizeof *made.units; i++)
        made.units[i] = workload->units[i];
    return made;
}

bench_options lab_bench_options(const sweep *sweep, const lab_cell *cell) {
    return (bench_options){.least_seconds = sweep->run->least_seconds,
                           .repetitions = 1,
                           .rounds = 1,
                           .steps = cell->steps,
                           .digest_steps = LAB_DIGEST_STEPS,
                           .math = sweep->math[cell->device]};
}

/* Bytes of a trial, about: its rows as tiles, and what a step makes of a batch. */
static double bytes_of(const lab_workload *workload) {
    double units = 0.0, weights = 0.0;
    for (size_t i = 0; workload->units[i] != 0; i++) {
        units += (double)workload->units[i];
        weights += (double)workload->units[i] * (double)workload->units[i + 1];
    }
    return sizeof(float) * ((double)workload->rows * (double)workload->units[0] +
                            COPIES * (double)workload->batch * units + COPIES * weights);
}

static double most_bytes(const sweep *sweep) {
    double least = (double)memory_limit();
    for (size_t i = 0; i < sweep->run->device_count; i++) {
        const double memory = (double)sweep->backends[i]->information.memory;
        if (memory > 0.0 && memory < least) least = memory;
    }
    return PART_OF_MEMORY * least;
}

/* Where the rows of such a shape are, or are to be; NULL where nothing more is to stay. */
static bench_data *place_of(sweep *sweep, const lab_workload *workload) {
    const double rows = sizeof(float) * (double)workload->rows * (double)workload->units[0];
    size_t outputs = 0, at = 0;
    while (workload->units[outputs + 1] != 0)
        outputs++;
    const size_t classes = workload->units[outputs] == 1 ? 2 : workload->units[outputs];
    for (; at < LAB_MOST_WORKLOADS && sweep->data[at].rows != 0; at++)
        if (sweep->data[at].rows == workload->rows && sweep->data[at].features == workload->units[0] &&
            sweep->data[at].classes == classes)
            break;
    if (at == LAB_MOST_WORKLOADS) return NULL;
    const double wanted = bytes_of(workload) + (sweep->data[at].rows == 0 ? rows : 0.0);
    if (sweep->kept_bytes + wanted > most_bytes(sweep)) return NULL;
    sweep->kept_bytes += wanted;
    return &sweep->data[at];
}

tanda_status lab_open_trial(sweep *sweep, size_t cell, bench_result *result, bench_trial **trial,
                            bool *is_kept) {
    const lab_cell *of = &sweep->run->cells[cell];
    const bench_workload workload = workload_of(&sweep->run->workloads[of->workload]);
    bench_options options = lab_bench_options(sweep, of);
    *trial = sweep->trials[cell];
    *is_kept = true;
    if (*trial != NULL) return TANDA_OK;
    bench_data *data = place_of(sweep, &sweep->run->workloads[of->workload]);
    *is_kept = options.shares_data = data != NULL;
    const tanda_status status = bench_open(&workload, sweep->backends[of->device], &options,
                                           *is_kept ? data : &sweep->other_data, result, trial, sweep->error);
    if (*is_kept) sweep->trials[cell] = *trial;
    return status;
}

void lab_close_trials(sweep *sweep) {
    for (size_t i = 0; i < LAB_MOST_CELLS; i++)
        bench_close(sweep->trials[i]);
    for (size_t i = 0; i < LAB_MOST_WORKLOADS; i++)
        bench_data_free(&sweep->data[i]);
    bench_data_free(&sweep->other_data);
}
