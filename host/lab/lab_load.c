/* What lab_json.c wrote, back into the struct. */
#include <stdlib.h>

#include "lab/lab.h"
#include "support/file_view.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"

#define MICRO 1e-6

static double real_of(const json_t *object, const char *key) {
    return json_number_value(json_object_get(object, key));
}

static size_t count_of(const json_t *object, const char *key) {
    const json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (size_t)value : 0;
}

static bool is_true(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key));
}

static void take_text(const json_t *object, const char *key, char *text, size_t size) {
    const char *found = json_string_value(json_object_get(object, key));
    text_put(text, size, "%s", found != NULL ? found : "");
}

#define TAKE_TEXT(object, key, member) take_text(object, key, member, sizeof(member))

static void take_device(const json_t *from, lab_device *device) {
    const size_t role = count_of(from, "role");
    TAKE_TEXT(from, "label", device->label);
    TAKE_TEXT(from, "id", device->id);
    TAKE_TEXT(from, "name", device->name);
    TAKE_TEXT(from, "platform", device->platform);
    TAKE_TEXT(from, "missed_probe", device->missed);
    device->role = role <= LAB_FAST ? (lab_role)role : LAB_ASKED;
    device->of = count_of(from, "of");
    device->compute_units = count_of(from, "compute_units");
    device->is_exact = is_true(from, "exact");
    device->limits = (device_limits){.read_bandwidth = real_of(from, "read_bytes_per_second"),
                                     .fma_peak = real_of(from, "fma_flops_per_second"),
                                     .launch_seconds = real_of(from, "launch_seconds"),
                                     .queued_seconds = real_of(from, "queued_seconds"),
                                     .upload = real_of(from, "upload_bytes_per_second"),
                                     .download = real_of(from, "download_bytes_per_second")};
    device->has_energy = is_true(from, "has_energy");
    device->joules = real_of(from, "joules");
    device->energy_seconds = real_of(from, "energy_seconds");
}

static bool take_units(const json_t *from, size_t units[LAB_UNITS]) {
    const size_t count = json_array_size(from);
    if (count < 2 || count > BENCH_MOST_LAYERS + 1) return false;
    for (size_t i = 0; i < count; i++) {
        const json_int_t value = json_integer_value(json_array_get(from, i));
        if (value < 1 || value > (1 << 24)) return false;
        units[i] = (size_t)value;
    }
    return true;
}

static bool take_workload(const json_t *from, lab_workload *workload) {
    char family[16];
    TAKE_TEXT(from, "name", workload->name);
    TAKE_TEXT(from, "family", family);
    workload->family = LAB_OWN;
    for (size_t i = 0; i < LAB_FAMILIES; i++)
        if (strcmp(family, lab_family_names[i]) == 0) workload->family = (lab_family)i;
    workload->rows = count_of(from, "rows");
    workload->batch = count_of(from, "batch");
    workload->flop = real_of(from, "flop");
    workload->bytes = real_of(from, "bytes");
    workload->batch = batch_rows_of(workload->batch, workload->rows);
    return workload->rows > 0 && take_units(json_object_get(from, "units"), workload->units);
}

static bool take_split(const json_t *from, const lab_run *run, lab_split *split) {
    const json_t *lines = json_object_get(from, "commands");
    *split = (lab_split){.workload = count_of(from, "workload"),
                         .device = count_of(from, "device"),
                         .steps = count_of(from, "steps"),
                         .wall = real_of(from, "wall"),
                         .compute = real_of(from, "compute"),
                         .transfer = real_of(from, "transfer"),
                         .launch = real_of(from, "launch"),
                         .load = real_of(from, "load"),
                         .compile = real_of(from, "compile"),
                         .first_transfer = real_of(from, "first_transfer")};
    for (size_t i = 0; i < json_array_size(lines) && i < LAB_MOST_LINES; i++) {
        const json_t *line = json_array_get(lines, i);
        char kind[16];
        lab_line *to = &split->lines[split->line_count++];
        TAKE_TEXT(line, "name", to->name);
        TAKE_TEXT(line, "kind", kind);
        for (size_t k = PROFILE_COMPUTES; k <= PROFILE_WAITS; k++)
            if (strcmp(kind, profile_kind_names[k]) == 0) to->kind = (profile_kind)k;
        to->count = count_of(line, "count");
        to->seconds = real_of(line, "seconds");
    }
    return split->workload < run->workload_count && split->device < run->device_count && split->steps > 0;
}

/* An entry of "iteration" belongs to the cell that the next "aggregate" describes. */
static bool take_benchmark(const json_t *from, lab_run *run) {
    lab_cell *cell = &run->cells[run->cell_count];
    char type[16];
    if (run->cell_count == LAB_MOST_CELLS) return false;
    TAKE_TEXT(from, "run_type", type);
    if (strcmp(type, "iteration") == 0) {
        const double seconds = MICRO * real_of(from, "real_time");
        if (cell->count == STAT_MOST || !(seconds > 0.0)) return false;
        cell->cpu_seconds[cell->count] = MICRO * real_of(from, "cpu_time");
        cell->seconds[cell->count++] = seconds;
        return true;
    }
    cell->workload = count_of(from, "workload");
    cell->device = count_of(from, "device");
    cell->steps = count_of(from, "iterations");
    TAKE_TEXT(from, "executor", cell->executor);
    TAKE_TEXT(from, "digest", cell->digest);
    cell->differs = is_true(from, "differs");
    cell->others_seconds = real_of(from, "others_seconds");
    cell->span = real_of(from, "span_seconds");
    cell->load = real_of(from, "load_seconds");
    cell->transfer = real_of(from, "transfer_seconds");
    cell->compile = real_of(from, "compile_seconds");
    cell->first = real_of(from, "first_step_seconds");
    run->cell_count++;
    return cell->count > 0 && cell->workload < run->workload_count && cell->device < run->device_count;
}

static void take_host(const json_t *context, bench_host *host) {
    TAKE_TEXT(context, "host_name", host->name);
    host->cpus = count_of(context, "num_cpus");
    host->megahertz = count_of(context, "mhz_per_cpu");
    host->is_scaling = is_true(context, "cpu_scaling_enabled");
    const json_t *caches = json_object_get(context, "caches");
    for (size_t i = 0; i < json_array_size(caches) && i < BENCH_MOST_CACHES; i++) {
        const json_t *cache = json_array_get(caches, i);
        bench_cache *to = &host->caches[host->cache_count++];
        TAKE_TEXT(cache, "type", to->type);
        to->level = count_of(cache, "level");
        to->bytes = count_of(cache, "size");
        to->sharing = count_of(cache, "num_sharing");
    }
}

static bool take_run(const json_t *whole, lab_run *run) {
    const json_t *context = json_object_get(whole, "context"), *devices = json_object_get(context, "devices"),
                 *workloads = json_object_get(context, "workloads"),
                 *splits = json_object_get(context, "splits"), *cells = json_object_get(whole, "benchmarks");
    char executable[16];
    TAKE_TEXT(context, "executable", executable);
    if (strcmp(executable, "tanda lab") != 0) return false;
    TAKE_TEXT(context, "date", run->date);
    TAKE_TEXT(context, "version", run->version);
    TAKE_TEXT(context, "energy_missing", run->energy);
    take_host(context, &run->host);
    run->is_quick = is_true(context, "quick");
    run->budget = real_of(context, "budget_seconds");
    run->seconds = real_of(context, "seconds");
    run->least_seconds = real_of(context, "least_seconds");
    run->planned_rounds = count_of(context, "planned_rounds");
    run->rounds = count_of(context, "rounds");
    run->device_count = json_array_size(devices);
    run->workload_count = json_array_size(workloads);
    run->split_count = json_array_size(splits);
    if (run->device_count - 1 >= LAB_MOST_DEVICES || run->workload_count - 1 >= LAB_MOST_WORKLOADS ||
        run->split_count > LAB_MOST_SPLITS)
        return false;
    bool is_whole = true;
    for (size_t i = 0; i < run->device_count; i++) {
        take_device(json_array_get(devices, i), &run->devices[i]);
        is_whole &= run->devices[i].of < run->device_count;
    }
    for (size_t i = 0; i < run->workload_count; i++)
        is_whole &= take_workload(json_array_get(workloads, i), &run->workloads[i]);
    for (size_t i = 0; is_whole && i < run->split_count; i++)
        is_whole = take_split(json_array_get(splits, i), run, &run->splits[i]);
    for (size_t i = 0; is_whole && i < json_array_size(cells); i++)
        is_whole = take_benchmark(json_array_get(cells, i), run);
    return is_whole;
}

/* ---- files ------------------------------------------------------------------------------------------------ */

static tanda_status read_json(const char *path, json_t **value, tanda_error *error) {
    file_view view;
    json_error_t problem;
    const size_t before = json_memory_failures();
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    *value = json_read((const char *)view.data, view.size, 0, &problem);
    file_view_close(&view);
    if (*value == NULL)
        status = fail(error, TANDA_BAD_INPUT, "%s:%d: no JSON: %s", path, problem.line, problem.text);
    return json_memory_check(before, path, status, error);
}

tanda_status lab_load(const char *path, lab_run **result, tanda_error *error) {
    json_t *whole = NULL;
    lab_run *run = NULL;
    *result = NULL;
    tanda_status status = read_json(path, &whole, error);
    if (status == TANDA_OK) status = allocate(&run, 1, sizeof *run, "the lab", error);
    if (status == TANDA_OK && !take_run(whole, run))
        status = fail(error, TANDA_BAD_INPUT, "%s: no run that tanda lab --json-file has saved", path);
    json_decref(whole);
    if (status == TANDA_OK)
        *result = run;
    else
        free(run);
    return status;
}

tanda_status lab_read_workloads(const char *path, lab_workload **workloads, size_t *count,
                                tanda_error *error) {
    json_t *list = NULL;
    *workloads = NULL;
    tanda_status status = read_json(path, &list, error);
    *count = json_array_size(list);
    if (status == TANDA_OK && *count - 1 >= LAB_MOST_WORKLOADS / 2)
        status = fail(error, TANDA_BAD_INPUT, "%s: not an array of 1 to %d workloads", path,
                      LAB_MOST_WORKLOADS / 2);
    if (status == TANDA_OK) status = allocate(workloads, *count, sizeof **workloads, "workloads", error);
    for (size_t i = 0; status == TANDA_OK && i < *count; i++) {
        lab_workload *workload = &(*workloads)[i];
        size_t values = 0;
        const bool is_whole = take_workload(json_array_get(list, i), workload) && workload->name[0] != '\0';
        workload->family = LAB_OWN;
        if (!is_whole || multiply_overflows(workload->rows, workload->units[0] * sizeof(float), &values))
            status =
                fail(error, TANDA_BAD_INPUT,
                     "%s: workload %zu is not such as {\"name\": \"mine\", \"rows\": 4096, \"batch\": 128, "
                     "\"units\": [64, 32, 10]}",
                     path, i + 1);
    }
    json_decref(list);
    if (status != TANDA_OK) {
        free(*workloads);
        *workloads = NULL;
    }
    return status;
}
