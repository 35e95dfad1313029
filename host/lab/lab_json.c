/* A run as JSON in Google Benchmark's shape: further members hold what only the lab has. */
#include <stdlib.h>

#include "lab/analysis.h"
#include "support/file_writer.h"
#include "support/json.h"
#include "support/text.h"

#define MICRO 1e6

static json_t *device_json(const lab_device *device) {
    json_builder entry = json_object_begin();
    const device_limits *limits = &device->limits;
    json_put_text(&entry, "label", device->label);
    json_put_count(&entry, "role", device->role);
    json_put_count(&entry, "of", device->of);
    json_put_text(&entry, "id", device->id);
    json_put_text(&entry, "name", device->name);
    json_put_text(&entry, "platform", device->platform);
    json_put_count(&entry, "compute_units", device->compute_units);
    json_put(&entry, "exact", json_boolean(device->is_exact));
    json_put_text(&entry, "missed_probe", device->missed);
    json_put_real(&entry, "read_bytes_per_second", limits->read_bandwidth);
    json_put_real(&entry, "fma_flops_per_second", limits->fma_peak);
    json_put_real(&entry, "launch_seconds", limits->launch_seconds);
    json_put_real(&entry, "queued_seconds", limits->queued_seconds);
    json_put_real(&entry, "upload_bytes_per_second", limits->upload);
    json_put_real(&entry, "download_bytes_per_second", limits->download);
    json_put(&entry, "has_energy", json_boolean(device->has_energy));
    json_put_real(&entry, "joules", device->joules);
    json_put_real(&entry, "energy_seconds", device->energy_seconds);
    return json_end(&entry);
}

static json_t *workload_json(const lab_workload *workload) {
    json_builder entry = json_object_begin(), units = json_array_begin();
    for (size_t i = 0; workload->units[i] != 0; i++)
        json_push(&units, json_integer((json_int_t)workload->units[i]));
    json_put_text(&entry, "name", workload->name);
    json_put_text(&entry, "family", lab_family_names[workload->family]);
    json_put_count(&entry, "rows", workload->rows);
    json_put_count(&entry, "batch", workload->batch);
    json_put(&entry, "units", json_end(&units));
    json_put_real(&entry, "flop", workload->flop);
    json_put_real(&entry, "bytes", workload->bytes);
    return json_end(&entry);
}

static json_t *split_json(const lab_split *split) {
    json_builder entry = json_object_begin(), lines = json_array_begin();
    json_put_count(&entry, "workload", split->workload);
    json_put_count(&entry, "device", split->device);
    json_put_count(&entry, "steps", split->steps);
    json_put_real(&entry, "wall", split->wall);
    json_put_real(&entry, "compute", split->compute);
    json_put_real(&entry, "transfer", split->transfer);
    json_put_real(&entry, "launch", split->launch);
    json_put_real(&entry, "load", split->load);
    json_put_real(&entry, "compile", split->compile);
    json_put_real(&entry, "first_transfer", split->first_transfer);
    for (size_t i = 0; i < split->line_count; i++) {
        json_builder line = json_object_begin();
        json_put_text(&line, "name", split->lines[i].name);
        json_put_text(&line, "kind", profile_kind_names[split->lines[i].kind]);
        json_put_count(&line, "count", split->lines[i].count);
        json_put_real(&line, "seconds", split->lines[i].seconds);
        json_push(&lines, json_end(&line));
    }
    json_put(&entry, "commands", json_end(&lines));
    return json_end(&entry);
}

static void put_place(json_builder *entry, const char *name, const stat_summary *place) {
    if (place->count == 0) return;
    json_builder made = json_object_begin();
    json_put_real(&made, "median", place->median);
    json_put_real(&made, "low_quartile", place->low_quartile);
    json_put_real(&made, "high_quartile", place->high_quartile);
    json_put_count(&made, "rounds", place->count);
    json_put(entry, name, json_end(&made));
}

/* Rows of a step at which the first device and another tie; neither figure where they do not. */
static json_t *crossings_json(const lab_run *run) {
    json_builder list = json_array_begin();
    size_t widths[LAB_MOST_WORKLOADS + 1] = {0};
    const size_t count = 1 + lab_widths(run, widths + 1);
    for (size_t i = 0; i < count; i++) {
        const lab_series series = lab_series_of(run, i == 0 ? LAB_ROWS : LAB_MAP, widths[i]);
        for (size_t d = 1; series.count >= 2 && d < run->device_count; d++) {
            if (run->devices[d].role != LAB_ASKED) continue;
            const lab_crossing crossing = lab_crossing_of(run, &series, 0, d);
            json_builder entry = json_object_begin();
            json_put_count(&entry, "width", widths[i]);
            json_put_text(&entry, "device", run->devices[d].label);
            put_place(&entry, "predicted", &crossing.predicted);
            put_place(&entry, "measured", &crossing.measured);
            json_push(&list, json_end(&entry));
        }
    }
    return json_end(&list);
}

static json_t *context_json(const lab_run *run) {
    json_builder context = json_object_begin(), devices = json_array_begin(), workloads = json_array_begin(),
                 splits = json_array_begin();
    json_put_text(&context, "date", run->date);
    bench_host_put(&run->host, &context);
    json_put_text(&context, "executable", "tanda lab");
    json_put_text(&context, "version", run->version);
    json_put(&context, "quick", json_boolean(run->is_quick));
    json_put_real(&context, "budget_seconds", run->budget);
    json_put_real(&context, "seconds", run->seconds);
    json_put_real(&context, "least_seconds", run->least_seconds);
    json_put_count(&context, "planned_rounds", run->planned_rounds);
    json_put_count(&context, "rounds", run->rounds);
    json_put_text(&context, "energy_missing", run->energy);
    for (size_t i = 0; i < run->device_count; i++)
        json_push(&devices, device_json(&run->devices[i]));
    for (size_t i = 0; i < run->workload_count; i++)
        json_push(&workloads, workload_json(&run->workloads[i]));
    for (size_t i = 0; i < run->split_count; i++)
        json_push(&splits, split_json(&run->splits[i]));
    json_put(&context, "devices", json_end(&devices));
    json_put(&context, "workloads", json_end(&workloads));
    json_put(&context, "splits", json_end(&splits));
    json_put(&context, "crossings", crossings_json(run));
    return json_end(&context);
}

/* ---- cells ------------------------------------------------------------------------------------------------ */

static json_builder begin_entry(const lab_run *run, const lab_cell *cell, const char *suffix,
                                const char *type) {
    char name[2 * LAB_TEXT + 8], entry_name[2 * LAB_TEXT + 32];
    json_builder entry = json_object_begin();
    text_put(name, sizeof name, "%s/%s", run->workloads[cell->workload].name,
             run->devices[cell->device].label);
    text_put(entry_name, sizeof entry_name, "%s%s", name, suffix);
    json_put_text(&entry, "name", entry_name);
    json_put_text(&entry, "run_name", name);
    json_put_text(&entry, "run_type", type);
    json_put_count(&entry, "repetitions", cell->count);
    json_put_count(&entry, "iterations", cell->steps);
    return entry;
}

static void put_times(json_builder *entry, double real, double cpu) {
    json_put_real(entry, "real_time", MICRO * real);
    json_put_real(entry, "cpu_time", MICRO * cpu);
    json_put_text(entry, "time_unit", "us");
}

/* Against the first device, as the page has it. */
static void put_verdict(json_builder *entry, const lab_run *run, const lab_cell *cell) {
    const lab_cell *reference = lab_cell_of(run, cell->workload, 0);
    if (reference == NULL || reference == cell) return;
    const lab_comparison found = lab_compare(cell, reference, run->host.cpus, true);
    json_put_text(entry, "verdict", lab_verdict_names[found.verdict]);
    json_put_real(entry, "times_as_fast", found.ratio.median);
    json_put_real(entry, "p_value", found.p);
}

static json_t *median_json(const lab_run *run, const lab_cell *cell) {
    json_builder entry = begin_entry(run, cell, "_median", "aggregate");
    const stat_summary wall = stat_summarise(cell->seconds, cell->count);
    json_put_text(&entry, "aggregate_name", "median");
    json_put_text(&entry, "aggregate_unit", "time");
    put_times(&entry, wall.median, stat_summarise(cell->cpu_seconds, cell->count).median);
    json_put_count(&entry, "workload", cell->workload);
    json_put_count(&entry, "device", cell->device);
    json_put_text(&entry, "executor", cell->executor);
    json_put_text(&entry, "digest", cell->digest);
    json_put(&entry, "differs", json_boolean(cell->differs));
    put_verdict(&entry, run, cell);
    json_put_real(&entry, "others_seconds", cell->others_seconds);
    json_put_real(&entry, "span_seconds", cell->span);
    json_put_real(&entry, "load_seconds", cell->load);
    json_put_real(&entry, "transfer_seconds", cell->transfer);
    json_put_real(&entry, "compile_seconds", cell->compile);
    json_put_real(&entry, "first_step_seconds", cell->first);
    return json_end(&entry);
}

static void push_cell(json_builder *benchmarks, const lab_run *run, const lab_cell *cell) {
    for (size_t i = 0; i < cell->count; i++) {
        json_builder entry = begin_entry(run, cell, "", "iteration");
        json_put_count(&entry, "repetition_index", i);
        put_times(&entry, cell->seconds[i], cell->cpu_seconds[i]);
        json_push(benchmarks, json_end(&entry));
    }
    json_push(benchmarks, median_json(run, cell));
}

tanda_status lab_save(const lab_run *run, const char *path, tanda_error *error) {
    json_builder whole = json_object_begin(), benchmarks = json_array_begin();
    for (size_t i = 0; i < run->cell_count; i++)
        push_cell(&benchmarks, run, &run->cells[i]);
    json_put(&whole, "context", context_json(run));
    json_put(&whole, "benchmarks", json_end(&benchmarks));
    json_t *object = json_end(&whole);
    char *text = object != NULL ? json_write(object, JSON_INDENT(1)) : NULL;
    json_decref(object);
    if (text == NULL) return fail(error, TANDA_FAILED, "%s: no memory for the figures as JSON", path);
    const file_part parts[] = {{text, strlen(text)}, {"\n", 1}};
    const tanda_status status = file_write_atomically(path, parts, 2, error);
    free(text);
    return status;
}
