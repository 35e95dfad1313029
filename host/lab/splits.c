/* What the time of some workloads goes into: steps that are run once more, with the device's account kept. */
#include <stdlib.h>

#include "backend/profile.h"
#include "lab/sweep.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define LEAST_SECONDS 0.01 /* of a split */

/* Of threads, whose times are together, each has its part of the wall time. What waits is the rest of that. */
static void take_profile(const device_profile *profile, lab_split *split) {
    const double part = profile->threads > 0 ? 1.0 / (double)profile->threads : 1.0;
    for (size_t i = 0; i < profile->line_count; i++) {
        const profile_line *from = &profile->lines[i];
        if (from->kind == PROFILE_COMPUTES) split->compute += part * from->seconds;
        if (from->kind == PROFILE_TRANSFERS) split->transfer += part * from->seconds;
        if (split->line_count == LAB_MOST_LINES) continue;
        lab_line *line = &split->lines[split->line_count++];
        *line = (lab_line){.kind = from->kind, .count = from->count, .seconds = part * from->seconds};
        text_put(line->name, sizeof line->name, "%s", from->name);
    }
    const double told = split->compute + split->transfer;
    split->launch = split->wall > told ? split->wall - told : 0.0;
}

static tanda_status measure_split(sweep *sweep, size_t index, double seconds, bench_result *result) {
    lab_run *run = sweep->run;
    const lab_cell *cell = &run->cells[index];
    device_profile profile = {0};
    bench_trial *trial = NULL;
    bool is_kept = false;
    bench_options options = lab_bench_options(sweep, cell);
    options.profile = &profile;
    const double most = seconds / cell->seconds[0];
    options.steps = most < 1.0 ? 1 : most < (double)cell->steps ? (size_t)most : cell->steps;
    tanda_status status = lab_open_trial(sweep, index, result, &trial, &is_kept);
    if (status == TANDA_OK) status = bench_again(trial, &options, result, sweep->error);
    if (!is_kept) bench_close(trial);
    if (status == TANDA_OK) {
        lab_split *split = &run->splits[run->split_count++];
        *split = (lab_split){.workload = cell->workload,
                             .device = cell->device,
                             .steps = result->steps,
                             .wall = result->profiled_seconds,
                             .load = cell->load,
                             .compile = cell->compile,
                             .first_transfer = cell->transfer};
        take_profile(&profile, split);
    }
    profile_free(&profile);
    return status;
}

/* The smallest and the largest of the map and of the rows, and all of the user's. */
static bool is_split(const lab_run *run, size_t workload) {
    const lab_workload *asked = &run->workloads[workload];
    double least = asked->flop, most = asked->flop;
    if (asked->family == LAB_OWN) return true;
    if (asked->family != LAB_MAP && asked->family != LAB_ROWS) return false;
    for (size_t i = 0; i < run->workload_count; i++) {
        const lab_workload *other = &run->workloads[i];
        if (other->family != asked->family) continue;
        least = other->flop < least ? other->flop : least;
        most = other->flop > most ? other->flop : most;
    }
    return asked->flop <= least || asked->flop >= most;
}

static bool is_wanted(const lab_run *run, const lab_cell *cell) {
    return cell->count > 0 && run->devices[cell->device].role == LAB_ASKED && is_split(run, cell->workload);
}

/* Two runs each, of which the first warms up, share what time is left; none is upset by LEAST_SECONDS. */
tanda_status lab_measure_splits(sweep *sweep, double until) {
    const lab_run *run = sweep->run;
    size_t left = 0;
    bench_result *result = NULL;
    tanda_status status = allocate(&result, 1, sizeof *result, "figures", sweep->error);
    for (size_t i = 0; i < run->cell_count; i++)
        left += is_wanted(run, &run->cells[i]);
    for (size_t i = 0; status == TANDA_OK && i < run->cell_count; i++) {
        if (!is_wanted(run, &run->cells[i]) || run->split_count == LAB_MOST_SPLITS) continue;
        const double share = (until - (seconds_now() - sweep->start)) / (2.0 * (double)left--);
        status = measure_split(sweep, i, share > LEAST_SECONDS ? share : LEAST_SECONDS, result);
    }
    free(result);
    return status;
}
