/* The sweep: rounds over all workloads, and in each the devices in turn. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/profile.h"
#include "lab/lab.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define BUDGET 180.0
#define QUICK_BUDGET 30.0
#define ROUNDS 9
#define QUICK_ROUNDS 5
#define LEAST_ROUNDS 3
#define FULL_LIMITS 20.0 /* seconds: a shorter budget has the limits measured briefly */
#define BRIEF_LIMITS 5.0 /* and one below this not at all */
#define WARM_UP 0.6      /* of a cell's time goes into what is not timed: data, plans, first steps */
#define PART_OF_BUDGET 0.9

typedef struct sweep {
    const lab_options *options;
    lab_run *run;
    backend *backends[LAB_MOST_DEVICES];
    tanda_math math[LAB_MOST_DEVICES];
    bench_data data;
    double start;
    tanda_error *error;
} sweep;

static void tell(const sweep *sweep, const char *what, double part) {
    if (sweep->options->tell != NULL) sweep->options->tell(sweep->options->context, what, part);
}

/* ---- devices ---------------------------------------------------------------------------------------------- */

/* Of any grade: what computes wrong is to be seen on the page. */
static tanda_status open_device(sweep *sweep, const char *label, const tanda_device_options *asked,
                                lab_role role, tanda_error *error) {
    lab_run *run = sweep->run;
    if (run->device_count == LAB_MOST_DEVICES)
        return fail(error, TANDA_USAGE, "--device: more than %d devices", LAB_MOST_DEVICES);
    tanda_device_options options = *asked;
    const char *missed = NULL;
    backend *opened = NULL;
    options.math = TANDA_MATH_FAST;
    options.require_device = true;
    tell(sweep, label, 0.0);
    const tanda_status status = tanda_device_open(&options, &opened, NULL, error);
    if (status != TANDA_OK) return status;
    const tanda_device_information *information = tanda_device_describe(opened);
    lab_device *device = &run->devices[run->device_count];
    sweep->backends[run->device_count] = opened;
    sweep->math[run->device_count++] = role == LAB_FAST ? TANDA_MATH_FAST : asked->math;
    *device = (lab_device){.role = role,
                           .compute_units = information->compute_units,
                           .is_exact = role != LAB_FAST && asked->math == TANDA_MATH_EXACT};
    if (tanda_device_grade(opened, &missed) != TANDA_GRADE_EXACT)
        text_put(device->missed, sizeof device->missed, "%s", missed);
    text_put(device->label, sizeof device->label, "%s", label);
    text_put(device->id, sizeof device->id, "%s", information->id);
    text_put(device->name, sizeof device->name, "%s", information->name);
    text_put(device->platform, sizeof device->platform, "%s", information->platform);
    return TANDA_OK;
}

static bool is_on_cpu(const lab_device *device) {
    return strcmp(device->id, "cpu") == 0;
}

static tanda_status open_scaling(sweep *sweep, tanda_error *error) {
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t cores = online > 0 ? (size_t)online : 1;
    tanda_status status = TANDA_OK;
    for (size_t threads = 1; status == TANDA_OK; threads = 2 * threads < cores ? 2 * threads : cores) {
        char label[LAB_TEXT];
        const tanda_device_options options = {.size = sizeof options, .device = "cpu", .threads = threads};
        text_put(label, sizeof label, "cpu,threads=%zu", threads);
        status = open_device(sweep, label, &options, LAB_SCALING, error);
        if (threads == cores) break;
    }
    return status;
}

/* Only OpenCL has it. */
static tanda_status open_fast(sweep *sweep, bool *has_fast, tanda_error *error) {
    const size_t count = sweep->run->device_count;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        char label[LAB_TEXT];
        if (is_on_cpu(&sweep->run->devices[i]) || !sweep->run->devices[i].is_exact) continue;
        text_put(label, sizeof label, "%.100s,math=fast", sweep->run->devices[i].label);
        status = open_device(sweep, label, &sweep->options->asked[i].options, LAB_FAST, error);
        if (status != TANDA_OK) return status;
        sweep->run->devices[sweep->run->device_count - 1].of = i;
        *has_fast = true;
    }
    return status;
}

static tanda_status measure_limits(sweep *sweep, tanda_error *error) {
    tanda_status status = TANDA_OK;
    if (sweep->run->budget < BRIEF_LIMITS) return TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < sweep->options->asked_count; i++) {
        tell(sweep, sweep->run->devices[i].label, 0.0);
        status = backend_limits(sweep->backends[i], sweep->run->budget < FULL_LIMITS,
                                &sweep->run->devices[i].limits, error);
    }
    return status;
}

static tanda_status open_all(sweep *sweep, tanda_error *error) {
    tanda_status status = TANDA_OK;
    bool has_fast = false;
    for (size_t i = 0; status == TANDA_OK && i < sweep->options->asked_count; i++)
        status = open_device(sweep, sweep->options->asked[i].label, &sweep->options->asked[i].options,
                             LAB_ASKED, error);
    if (status == TANDA_OK) status = open_fast(sweep, &has_fast, error);
    if (status == TANDA_OK) status = open_scaling(sweep, error);
    if (status == TANDA_OK) lab_plan_workloads(sweep->options, has_fast, sweep->run);
    return status == TANDA_OK ? measure_limits(sweep, error) : status;
}

/* ---- cells ------------------------------------------------------------------------------------------------ */

static void plan_cells(lab_run *run) {
    for (size_t w = 0; w < run->workload_count; w++)
        for (size_t d = 0; d < run->device_count; d++)
            if (lab_takes_part(&run->devices[d], run->workloads[w].family) &&
                run->cell_count < LAB_MOST_CELLS)
                run->cells[run->cell_count++] = (lab_cell){.workload = w, .device = d};
}

static bench_workload workload_of(const lab_workload *workload) {
    bench_workload made = {.name = workload->name, .kind = BENCH_TRAINING, .rows = workload->rows};
    made.batch = workload->batch < workload->rows ? workload->batch : 0;
    for (size_t i = 0; i < sizeof made.units / sizeof *made.units; i++)
        made.units[i] = workload->units[i];
    return made;
}

static void take_result(lab_run *run, lab_cell *cell, const bench_result *result) {
    const size_t round = cell->count++;
    cell->seconds[round] = result->seconds[0];
    cell->cpu_seconds[round] = result->cpu_seconds[0];
    cell->others += (result->others - cell->others) / (double)cell->count;
    run->workloads[cell->workload].flop = result->operations;
    run->workloads[cell->workload].bytes = result->bytes;
    if (round > 0) {
        cell->differs = cell->differs || strcmp(cell->digest, result->digest) != 0;
        return;
    }
    cell->steps = result->steps;
    cell->first = result->first;
    cell->load = result->load;
    cell->transfer = result->transfer;
    cell->compile = result->compile;
    text_put(cell->executor, sizeof cell->executor, "%s", result->executor != NULL ? result->executor : "");
    text_put(cell->digest, sizeof cell->digest, "%s", result->digest);
}

static tanda_status measure_cell(sweep *sweep, lab_cell *cell, bench_result *result) {
    lab_run *run = sweep->run;
    lab_device *device = &run->devices[cell->device];
    const bench_workload workload = workload_of(&run->workloads[cell->workload]);
    const bench_options options = {.least_seconds = run->least_seconds,
                                   .repetitions = 1,
                                   .rounds = 1,
                                   .steps = cell->steps,
                                   .digest_steps = LAB_DIGEST_STEPS,
                                   .math = sweep->math[cell->device]};
    double before = 0.0, after = 0.0;
    const double begin = seconds_now();
    lab_read_energy("", &before, run->energy);
    const tanda_status status =
        bench_run(&workload, sweep->backends[cell->device], &options, &sweep->data, result, sweep->error);
    if (status != TANDA_OK) return status;
    if (lab_read_energy("", &after, run->energy) && after > before) {
        device->has_energy = true;
        device->joules += after - before;
        device->energy_seconds += seconds_now() - begin;
    }
    take_result(run, cell, result);
    return TANDA_OK;
}

/* Every other round goes the other way, so that none always comes behind the same. */
static tanda_status measure_round(sweep *sweep, size_t round, bench_result *result) {
    lab_run *run = sweep->run;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < run->cell_count; i++) {
        lab_cell *cell = &run->cells[round % 2 == 0 ? i : run->cell_count - 1 - i];
        tell(sweep, run->workloads[cell->workload].name, (seconds_now() - sweep->start) / run->budget);
        status = measure_cell(sweep, cell, result);
    }
    return status;
}

/* As many rounds as the budget holds, but enough for a test to tell something. */
static tanda_status measure_rounds(sweep *sweep) {
    lab_run *run = sweep->run;
    const size_t rounds = run->is_quick ? QUICK_ROUNDS : ROUNDS;
    const double left = PART_OF_BUDGET * run->budget - (seconds_now() - sweep->start);
    const double share = left / (double)(run->cell_count * rounds) * (1.0 - WARM_UP);
    bench_result *result = NULL;
    run->least_seconds = share < 0.002 ? 0.002 : share > 0.2 ? 0.2 : share;
    tanda_status status = allocate(&result, 1, sizeof *result, "figures", sweep->error);
    double longest = 0.0;
    for (size_t r = 0; status == TANDA_OK && r < rounds; r++) {
        const double begin = seconds_now();
        if (r >= LEAST_ROUNDS && begin - sweep->start + longest > PART_OF_BUDGET * run->budget) break;
        status = measure_round(sweep, r, result);
        run->rounds = r + 1;
        if (r == 0 || seconds_now() - begin > longest) longest = seconds_now() - begin;
        if (r == 1) longest = seconds_now() - begin; /* the first compiles */
    }
    free(result);
    return status;
}

/* ---- do the bits agree? ----------------------------------------------------------------------------------------- */

static void compare_digests(lab_run *run) {
    const lab_cell *first[LAB_MOST_WORKLOADS] = {0};
    for (size_t i = 0; i < run->cell_count; i++) {
        lab_cell *cell = &run->cells[i];
        if (!run->devices[cell->device].is_exact) continue;
        if (first[cell->workload] == NULL) first[cell->workload] = cell;
        cell->differs = cell->differs || strcmp(cell->digest, first[cell->workload]->digest) != 0;
    }
}

/* ---- what the time goes into --------------------------------------------------------------------------------- */

static void take_profile(const device_profile *profile, lab_split *split) {
    for (size_t i = 0; i < profile->line_count; i++) {
        const profile_line *from = &profile->lines[i];
        *(from->is_transfer ? &split->transfer : &split->compute) += from->seconds;
        if (split->line_count == LAB_MOST_LINES) continue;
        lab_line *line = &split->lines[split->line_count++];
        *line = (lab_line){.is_transfer = from->is_transfer, .count = from->count, .seconds = from->seconds};
        text_put(line->name, sizeof line->name, "%s", from->name);
    }
}

/* A device that keeps no account is left out. */
static tanda_status measure_split(sweep *sweep, const lab_cell *cell, bench_result *result) {
    lab_run *run = sweep->run;
    backend *backend = sweep->backends[cell->device];
    device_profile profile = {0};
    const bench_workload workload = workload_of(&run->workloads[cell->workload]);
    const bench_options options = {.repetitions = 1,
                                   .rounds = 1,
                                   .steps = cell->steps,
                                   .math = sweep->math[cell->device],
                                   .profile = &profile};
    if (backend->interface->profile_begin == NULL || run->split_count == LAB_MOST_SPLITS) return TANDA_OK;
    const tanda_status status = bench_run(&workload, backend, &options, &sweep->data, result, sweep->error);
    if (status == TANDA_OK) {
        lab_split *split = &run->splits[run->split_count++];
        *split = (lab_split){.workload = cell->workload,
                             .device = cell->device,
                             .steps = result->steps,
                             .wall = result->profiled_seconds,
                             .load = result->load,
                             .compile = result->compile,
                             .first_transfer = result->transfer};
        take_profile(&profile, split);
        const double told = split->compute + split->transfer;
        split->launch = split->wall > told ? split->wall - told : 0.0;
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

static tanda_status measure_splits(sweep *sweep) {
    const lab_run *run = sweep->run;
    bench_result *result = NULL;
    tanda_status status = allocate(&result, 1, sizeof *result, "figures", sweep->error);
    for (size_t i = 0; status == TANDA_OK && i < run->cell_count; i++)
        if (run->devices[run->cells[i].device].role == LAB_ASKED && is_split(run, run->cells[i].workload))
            status = measure_split(sweep, &run->cells[i], result);
    free(result);
    return status;
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
    status = open_all(&sweep, error);
    if (status == TANDA_OK) plan_cells(sweep.run);
    if (status == TANDA_OK) status = measure_rounds(&sweep);
    if (status == TANDA_OK) status = measure_splits(&sweep);
    for (size_t i = 0; i < LAB_MOST_DEVICES; i++)
        tanda_device_close(sweep.backends[i]);
    bench_data_free(&sweep.data);
    compare_digests(sweep.run);
    sweep.run->seconds = seconds_now() - sweep.start;
    *result = status == TANDA_OK ? sweep.run : NULL;
    if (status != TANDA_OK) free(sweep.run);
    return status;
}
