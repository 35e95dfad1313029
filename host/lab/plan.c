#include <string.h>

#include "lab/lab.h"
#include "support/text.h"

#define FEATURES 64
#define CLASSES 10
#define ROWS_FEATURES 28
#define MOST_VALUES \
    ((size_t)4 << 20) /* of a workload's rows: 16 MB, so that making them takes no time that counts */

const char *const lab_family_names[LAB_FAMILIES] = {[LAB_MAP] = "map",
                                                    [LAB_ROWS] = "rows",
                                                    [LAB_THREADS] = "threads",
                                                    [LAB_MATH] = "math",
                                                    [LAB_OWN] = "own"};

bool lab_takes_part(const lab_device *device, lab_family family) {
    switch (device->role) {
    case LAB_SCALING:
        return family == LAB_THREADS || family == LAB_OWN;
    case LAB_FAST:
        return family == LAB_MATH || family == LAB_OWN;
    default:
        return family != LAB_THREADS;
    }
}

/* Work and traffic are bench's to count: they are filled in when the workload is measured. */
static lab_workload *add(lab_run *run, lab_family family, size_t rows, size_t batch) {
    if (run->workload_count == LAB_MOST_WORKLOADS) return NULL;
    lab_workload *added = &run->workloads[run->workload_count++];
    *added = (lab_workload){.family = family, .rows = rows, .batch = batch};
    return added;
}

static void add_network(lab_run *run, lab_family family, size_t batch, size_t width) {
    const size_t most = MOST_VALUES / FEATURES, rows = 4 * batch < most ? 4 * batch : most;
    lab_workload *added = add(run, family, rows, batch);
    if (added == NULL) return;
    memcpy(added->units, (const size_t[]){FEATURES, width, CLASSES}, 3 * sizeof *added->units);
    text_put(added->name, sizeof added->name, "%s/%d-%zu-%d/batch%zu", lab_family_names[family], FEATURES,
             width, CLASSES, batch);
}

static void add_logistic(lab_run *run, lab_family family, size_t rows) {
    lab_workload *added = add(run, family, rows, rows);
    if (added == NULL) return;
    memcpy(added->units, (const size_t[]){ROWS_FEATURES, 1}, 2 * sizeof *added->units);
    text_put(added->name, sizeof added->name, "%s/%zux%d", lab_family_names[family], rows, ROWS_FEATURES);
}

static void add_map(lab_run *run) {
    static const size_t batches[] = {32, 128, 512, 2048, 8192}, widths[] = {8, 32, 128, 512};
    for (size_t w = 0; w < 4; w += run->is_quick ? 2 : 1)
        for (size_t b = 0; b < 5; b += run->is_quick ? 2 : 1)
            add_network(run, LAB_MAP, batches[b], widths[w]);
}

static void add_rows(lab_run *run) {
    for (size_t rows = 256; rows <= 262144; rows *= run->is_quick ? 8 : 4)
        add_logistic(run, LAB_ROWS, rows);
}

static void add_threads(lab_run *run) {
    add_network(run, LAB_THREADS, 128, 32);
    add_network(run, LAB_THREADS, 2048, 128);
    add_logistic(run, LAB_THREADS, 262144 / (run->is_quick ? 4 : 1));
}

void lab_plan_workloads(const lab_options *options, bool has_fast, lab_run *run) {
    for (size_t i = 0; i < options->own_count; i++)
        run->workloads[run->workload_count++] = options->own[i];
    if (options->own_count > 0) return;
    add_map(run);
    add_rows(run);
    add_threads(run);
    if (!has_fast) return;
    add_network(run, LAB_MATH, 512, 128);
    add_network(run, LAB_MATH, 2048, 512);
}
