/* The sweep: rounds over all workloads, and in each the devices in turn. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lab/sweep.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define BUDGET 180.0
#define QUICK_BUDGET 30.0
#define ROUNDS 9
#define QUICK_ROUNDS 5
#define FIRST_ROUND \
    3.0 /* of the others, that the first one takes: it opens, and finds how many steps fill the time */
#define LEAST_SECONDS 0.002 /* of a measurement, */
#define MOST_SECONDS 0.2    /* as far as the time allows */
#define PART_OF_PLAN 0.85 /* of the time that is left, so that all rounds are whole where some take longer */
#define PART_OF_ROUNDS 0.84 /* of the time that is planned: splits and page come behind */
#define PART_OF_SPLITS 0.92

/* ---- cells ------------------------------------------------------------------------------------------------ */

static void plan_cells(lab_run *run) {
    for (size_t w = 0; w < run->workload_count; w++)
        for (size_t d = 0; d < run->device_count; d++)
            if (lab_takes_part(&run->devices[d], run->workloads[w].family) &&
                run->cell_count < LAB_MOST_CELLS)
                run->cells[run->cell_count++] = (lab_cell){.workload = w, .device = d};
}

static void take_opening(lab_run *run, lab_cell *cell, const bench_result *result) {
    run->workloads[cell->workload].flop = result->operations;
    run->workloads[cell->workload].bytes = result->bytes;
    cell->differs = cell->differs || (cell->digest[0] != '\0' && strcmp(cell->digest, result->digest) != 0);
    if (cell->count > 0) return;
    cell->first = result->first;
    cell->load = result->load;
    cell->transfer = result->transfer;
    cell->compile = result->compile;
    text_put(cell->executor, sizeof cell->executor, "%s", result->executor != NULL ? result->executor : "");
    text_put(cell->digest, sizeof cell->digest, "%s", result->digest);
}

static void take_figures(lab_cell *cell, const bench_result *result) {
    const size_t round = cell->count++;
    cell->seconds[round] = result->seconds[0];
    cell->cpu_seconds[round] = result->cpu_seconds[0];
    cell->others_seconds += result->others_seconds;
    cell->span += result->span;
    if (round == 0) cell->steps = result->steps;
}

/* What is opened already has told its digest in the first round. */
static tanda_status run_cell(sweep *sweep, size_t index, bench_result *result) {
    lab_cell *cell = &sweep->run->cells[index];
    const bench_options options = lab_bench_options(sweep, cell);
    const bool is_open = sweep->trials[index] != NULL;
    bench_trial *trial = NULL;
    bool is_kept = false;
    *result = (bench_result){0};
    tanda_status status = lab_open_trial(sweep, index, result, &trial, &is_kept);
    if (status == TANDA_OK && !is_open) take_opening(sweep->run, cell, result);
    if (status == TANDA_OK) status = bench_again(trial, &options, result, sweep->error);
    if (!is_kept) bench_close(trial);
    if (status == TANDA_OK) take_figures(cell, result);
    return status;
}

static tanda_status measure_cell(sweep *sweep, size_t index, bench_result *result) {
    lab_run *run = sweep->run;
    lab_device *device = &run->devices[run->cells[index].device];
    double before = 0.0, after = 0.0;
    const double begin = seconds_now();
    lab_read_energy("", &before, run->energy);
    const tanda_status status = run_cell(sweep, index, result);
    if (status == TANDA_OK && lab_read_energy("", &after, run->energy) && after > before) {
        device->has_energy = true;
        device->joules += after - before;
        device->energy_seconds += seconds_now() - begin;
    }
    return status;
}

/* ---- rounds ------------------------------------------------------------------------------------------------- */

static double seconds_left(const sweep *sweep) {
    return PART_OF_ROUNDS * sweep->run->budget - (seconds_now() - sweep->start);
}

/* A step warms up, and so many are measured. */
static double cost_of(const lab_cell *cell) {
    return (double)(cell->steps + 1) * cell->seconds[0];
}

/* Where the first round was slower or quicker than was planned, the steps of the others follow. */
static void plan_further_rounds(sweep *sweep) {
    lab_run *run = sweep->run;
    double round = 0.0;
    for (size_t i = 0; i < run->cell_count; i++)
        round += cost_of(&run->cells[i]);
    const double left = seconds_left(sweep);
    if (left <= 0.0) return; /* there are none */
    const double factor = PART_OF_PLAN * left / (round * (double)(run->planned_rounds - 1));
    for (size_t i = 0; i < run->cell_count; i++) {
        lab_cell *cell = &run->cells[i];
        const double wanted = factor * (double)cell->steps, most = MOST_SECONDS / cell->seconds[0];
        const double steps = wanted < most ? wanted : most;
        cell->steps = steps < 1.0 ? 1 : (size_t)steps;
    }
    const double planned = factor * run->least_seconds;
    run->least_seconds = planned < MOST_SECONDS ? planned : MOST_SECONDS;
}

/*
 * Every other round goes the other way, so that none always comes behind the same. *is_whole: the time has not run out
 * before the end, as it cannot in the first.
 */
static tanda_status measure_round(sweep *sweep, size_t round, bench_result *result, bool *is_whole) {
    lab_run *run = sweep->run;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < run->cell_count; i++) {
        const size_t index = round % 2 == 0 ? i : run->cell_count - 1 - i;
        const double left = seconds_left(sweep);
        *is_whole = round == 0 || cost_of(&run->cells[index]) < left;
        if (!*is_whole) return TANDA_OK;
        if (round == 0 && left < 0.0) run->least_seconds = LEAST_SECONDS;
        lab_tell(sweep, run->workloads[run->cells[index].workload].name,
                 (seconds_now() - sweep->start) / run->budget);
        status = measure_cell(sweep, index, result);
    }
    return status;
}

static tanda_status measure_rounds(sweep *sweep) {
    lab_run *run = sweep->run;
    run->planned_rounds = run->is_quick ? QUICK_ROUNDS : ROUNDS;
    const double share =
        seconds_left(sweep) / ((double)run->cell_count * ((double)run->planned_rounds - 1.0 + FIRST_ROUND));
    bench_result *result = NULL;
    bool is_whole = true;
    run->least_seconds = share < LEAST_SECONDS ? LEAST_SECONDS : share > MOST_SECONDS ? MOST_SECONDS : share;
    tanda_status status = allocate(&result, 1, sizeof *result, "figures", sweep->error);
    for (size_t r = 0; status == TANDA_OK && is_whole && r < run->planned_rounds; r++) {
        if (r == 1) plan_further_rounds(sweep);
        status = measure_round(sweep, r, result, &is_whole);
        run->rounds += is_whole;
    }
    free(result);
    return status;
}

/* ---- do the bits agree? ----------------------------------------------------------------------------------------- */

/* Of what stayed open: the first steps once more, from the first weights on, have to end as they did. */
static tanda_status repeat_digests(sweep *sweep) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < sweep->run->cell_count; i++) {
        lab_cell *cell = &sweep->run->cells[i];
        char digest[DIGEST_TEXT_SIZE] = "";
        double first = 0.0;
        if (sweep->trials[i] == NULL) continue;
        status = bench_digest(sweep->trials[i], LAB_DIGEST_STEPS, &first, digest, sweep->error);
        cell->differs = cell->differs || (status == TANDA_OK && strcmp(cell->digest, digest) != 0);
    }
    return status;
}

static void compare_digests(lab_run *run) {
    const lab_cell *first[LAB_MOST_WORKLOADS] = {0};
    for (size_t i = 0; i < run->cell_count; i++) {
        lab_cell *cell = &run->cells[i];
        if (!run->devices[cell->device].is_exact) continue;
        if (first[cell->workload] == NULL) first[cell->workload] = cell;
        cell->differs = cell->differs || strcmp(cell->digest, first[cell->workload]->digest) != 0;
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void describe(lab_run *run, const lab_options *options) {
    const time_t now = time(NULL);
    struct tm local;
    if (localtime_r(&now, &local) != NULL)
        strftime(run->date, sizeof run->date, "%Y-%m-%dT%H:%M:%S%z", &local);
    text_put(run->version, sizeof run->version, "%s", tanda_version());
    bench_host_read("", &run->host);
    run->is_quick = options->is_quick;
    run->budget = options->budget > 0.0 ? options->budget : options->is_quick ? QUICK_BUDGET : BUDGET;
}

tanda_status lab_measure(const lab_options *options, lab_run **result, tanda_error *error) {
    sweep sweep = {.options = options, .start = seconds_now(), .error = error};
    tanda_status status = allocate(&sweep.run, 1, sizeof *sweep.run, "the lab", error);
    if (status != TANDA_OK) return status;
    describe(sweep.run, options);
    status = lab_open(&sweep, error);
    if (status == TANDA_OK) plan_cells(sweep.run);
    if (status == TANDA_OK) status = measure_rounds(&sweep);
    if (status == TANDA_OK) status = lab_measure_splits(&sweep, PART_OF_SPLITS * sweep.run->budget);
    if (status == TANDA_OK) status = repeat_digests(&sweep);
    lab_close_trials(&sweep);
    for (size_t i = 0; i < LAB_MOST_DEVICES; i++)
        tanda_device_close(sweep.backends[i]);
    compare_digests(sweep.run);
    sweep.run->seconds = seconds_now() - sweep.start;
    *result = status == TANDA_OK ? sweep.run : NULL;
    if (status != TANDA_OK) free(sweep.run);
    return status;
}
