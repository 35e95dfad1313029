#include <string.h>

#include "lab/page_parts.h"

/* ---- the machine ------------------------------------------------------------------------------------------ */

/* 0 is not measured, or there is no such thing. */
static void put_limit(page *page, double value) {
    if (value > 0.0)
        page_cell(page, "%.4g", value);
    else
        page_cell(page, "–");
}

void lab_put_machine(page *page, const lab_run *run) {
    const char *const titles[] = {SAY(lab_device), SAY(lab_name),   SAY(lab_units),        SAY(lab_reads),
                                  SAY(lab_fma),    SAY(lab_launch), SAY(lab_transfer_rate)};
    page_heading(page, "%s", SAY(lab_machine));
    page_paragraph(page, SAY(lab_host), run->host.name, run->host.cpus, run->host.megahertz);
    if (run->host.is_scaling) page_note(page, MARK_DOUBTFUL, "%s", SAY(lab_scaling_clock));
    page_table_begin(page, "wlrrrrr", titles);
    for (size_t i = 0; i < run->device_count; i++) {
        const lab_device *device = &run->devices[i];
        if (device->role != LAB_ASKED) continue;
        page_cell(page, "%s", device->label);
        page_cell(page, "%s (%s)", device->name, device->platform);
        page_cell(page, "%zu", device->compute_units);
        put_limit(page, device->limits.read_bandwidth * 1e-9);
        put_limit(page, device->limits.fma_peak * 1e-9);
        put_limit(page, device->limits.launch_seconds * MICRO);
        put_limit(page, device->limits.upload * 1e-9);
    }
    page_table_end(page);
    for (size_t i = 0; i < run->device_count; i++)
        if (run->devices[i].missed[0] != '\0')
            page_note(page, MARK_DOUBTFUL, SAY(lab_missed), run->devices[i].label, run->devices[i].missed);
}

/* ---- verdicts --------------------------------------------------------------------------------------------- */

void lab_put_verdict_cell(page *page, lab_verdict verdict) {
    const char *const texts[] = {
        [LAB_FASTER] = SAY(lab_is_faster), [LAB_SLOWER] = SAY(lab_is_slower),   [LAB_SAME] = SAY(lab_is_same),
        [LAB_BUSY] = SAY(lab_is_busy),     [LAB_OVERLAP] = SAY(lab_is_overlap), [LAB_NEAR] = SAY(lab_is_near),
        [LAB_UNSURE] = SAY(lab_is_unsure)};
    const page_mark mark = verdict == LAB_FASTER ? MARK_GOOD
                           : verdict >= LAB_BUSY ? MARK_DOUBTFUL
                                                 : MARK_NONE;
    page_marked_cell(page, mark, "%s", texts[verdict]);
}

static void put_bits(page *page, const lab_run *run, const lab_cell *cell) {
    if (cell->differs)
        page_marked_cell(page, MARK_BAD, "%s", SAY(lab_other_bits));
    else
        page_cell(page, "%s", run->devices[cell->device].is_exact ? SAY(lab_same_bits) : SAY(lab_fast_bits));
}

/* Three digits, and never an exponent. */
static int decimals_of(double value) {
    return value < 10.0 ? 2 : value < 100.0 ? 1 : 0;
}

/* In the unit that the median calls for. */
static void put_time(page *page, const lab_cell *cell) {
    const stat_summary time = stat_summarise(cell->seconds, cell->count);
    const bool is_micro = time.median < 1e-3, is_milli = time.median < 1.0;
    const double by = is_micro ? MICRO : is_milli ? 1e3 : 1.0;
    page_cell(page, "%.*f %s [%.*f, %.*f]", decimals_of(by * time.median), by * time.median,
              is_micro   ? "µs"
              : is_milli ? "ms"
                         : "s",
              decimals_of(by * time.low_quartile), by * time.low_quartile,
              decimals_of(by * time.high_quartile), by * time.high_quartile);
}

/* What the device is held against, itself, has no verdict. */
static void put_verdict(page *page, const lab_run *run, const lab_cell *cell, const lab_cell *reference) {
    const bool is_held = reference != NULL && reference != cell;
    page_cell(page, "%s", is_held ? "" : run->workloads[cell->workload].name);
    page_cell(page, "%s", run->devices[cell->device].label);
    if (is_held) {
        const lab_comparison found = lab_compare(cell, reference, run->host.cpus, true);
        lab_put_verdict_cell(page, found.verdict);
        page_cell(page, "%.3g", found.ratio.median);
        put_time(page, cell);
        page_cell(page, "%.2g", found.p);
    } else {
        page_cell(page, "–");
        page_cell(page, "–");
        put_time(page, cell);
        page_cell(page, "–");
    }
    put_bits(page, run, cell);
}

static bool is_shown(const lab_run *run, const lab_cell *cell) {
    return cell->differs || run->devices[cell->device].role == LAB_ASKED;
}

void lab_put_verdicts(page *page, const lab_run *run) {
    const char *const titles[] = {SAY(lab_workload), SAY(lab_device), SAY(lab_verdict_title), SAY(lab_ratio),
                                  SAY(lab_time),     SAY(lab_p),      SAY(lab_bits)};
    page_heading(page, "%s", SAY(lab_verdicts));
    page_paragraph(page, SAY(lab_verdicts_how), run->devices[0].label);
    page_table_begin(page, "wwwrrrw", titles);
    for (size_t i = 0; i < run->cell_count; i++)
        if (is_shown(run, &run->cells[i]))
            put_verdict(page, run, &run->cells[i], lab_cell_of(run, run->cells[i].workload, 0));
    page_table_end(page);
}

/* ---- t0 + n / r --------------------------------------------------------------------------------------------- */

static void put_series_name(page *page, size_t width) {
    if (width == 0)
        page_cell(page, "%s", SAY(lab_rows_series));
    else
        page_cell(page, SAY(lab_width_series), width);
}

static void put_fit(page *page, const lab_run *run, const lab_series *series, size_t width, size_t device) {
    const lab_line_fit fit = lab_fit(run, series, device);
    if (fit.row.count == 0) return;
    put_series_name(page, width);
    page_cell(page, "%s", run->devices[device].label);
    page_cell(page, "%.3g [%.3g, %.3g]", fit.start.median * MICRO, fit.start.low_quartile * MICRO,
              fit.start.high_quartile * MICRO);
    page_cell(page, "%.4g", fit.row.median > 0.0 ? 1.0 / (fit.row.median * MICRO) : 0.0);
}

static void put_place(page *page, const stat_summary *place) {
    if (place->count == 0)
        page_cell(page, "%s", SAY(lab_no_tie));
    else
        page_cell(page, "%.4g [%.4g, %.4g]", place->median, place->low_quartile, place->high_quartile);
}

static void put_crossing(page *page, const lab_run *run, const lab_series *series, size_t width,
                         size_t other) {
    const lab_crossing crossing = lab_crossing_of(run, series, 0, other);
    put_series_name(page, width);
    page_cell(page, "%s, %s", run->devices[0].label, run->devices[other].label);
    put_place(page, &crossing.predicted);
    put_place(page, &crossing.measured);
    page_cell(page, "%zu, %zu / %zu", crossing.predicted.count, crossing.measured.count, crossing.rounds);
}

typedef void series_visitor(page *page, const lab_run *run, const lab_series *series, size_t width,
                            size_t device);

/* Each series on each device that was asked for, from the `first`. */
static void each_series(page *page, const lab_run *run, size_t first, series_visitor *visit) {
    size_t widths[LAB_MOST_WORKLOADS + 1] = {0};
    const size_t count = 1 + lab_widths(run, widths + 1);
    for (size_t i = 0; i < count; i++) {
        const lab_series series = lab_series_of(run, i == 0 ? LAB_ROWS : LAB_MAP, widths[i]);
        for (size_t d = first; series.count >= 2 && d < run->device_count; d++)
            if (run->devices[d].role == LAB_ASKED) visit(page, run, &series, widths[i], d);
    }
}

void lab_put_fits(page *page, const lab_run *run) {
    const char *const titles[] = {SAY(lab_series_title), SAY(lab_device), SAY(lab_t0), SAY(lab_r)};
    const char *const pairs[] = {SAY(lab_series_title), SAY(lab_pair), SAY(lab_predicted),
                                 SAY(lab_tie_measured), SAY(lab_in_rounds)};
    page_subheading(page, "%s", SAY(lab_fit));
    page_paragraph(page, SAY(lab_fit_how), (int)(100.0 * (LAB_CLEAR - 1.0) + 0.5));
    page_table_begin(page, "wwrr", titles);
    each_series(page, run, 0, put_fit);
    page_table_end(page);
    page_table_begin(page, "wwrrr", pairs);
    each_series(page, run, 1, put_crossing);
    page_table_end(page);
}

/* ---- threads ------------------------------------------------------------------------------------------------ */

void lab_put_shares(page *page, const lab_run *run) {
    const char *const titles[] = {SAY(lab_workload), SAY(lab_share)};
    const lab_series series = lab_series_of_threads(run);
    page_paragraph(page, "%s", SAY(lab_threads_how));
    page_table_begin(page, "wr", titles);
    for (size_t i = 0; i < series.count; i++) {
        const stat_summary share = lab_parallel_share(run, series.workloads[i]);
        page_cell(page, "%s", run->workloads[series.workloads[i]].name);
        if (share.count > 0)
            page_cell(page, "%.3f [%.3f, %.3f]", share.median, share.low, share.high);
        else
            page_cell(page, "–");
    }
    page_table_end(page);
}

/* ---- the split ---------------------------------------------------------------------------------------------- */

static double percent(double part, double whole) {
    return whole > 0.0 ? 100.0 * part / whole : 0.0;
}

static void put_split(page *page, const lab_run *run, const lab_split *split) {
    const lab_line *most = NULL;
    for (size_t i = 0; i < split->line_count; i++)
        if (split->lines[i].kind != PROFILE_WAITS &&
            (most == NULL || split->lines[i].seconds > most->seconds))
            most = &split->lines[i];
    page_cell(page, "%s", run->workloads[split->workload].name);
    page_cell(page, "%s", run->devices[split->device].label);
    page_cell(page, "%.3g", split->load * 1e3);
    page_cell(page, "%.3g", split->first_transfer * 1e3);
    page_cell(page, "%.3g", split->compile * 1e3);
    page_cell(page, "%.4g", split->wall * 1e3);
    page_cell(page, "%.1f %%", percent(split->compute, split->wall));
    page_cell(page, "%.1f %%", percent(split->transfer, split->wall));
    page_cell(page, "%.1f %%", percent(split->launch, split->wall));
    page_cell(page, "%s", most != NULL ? most->name : "–");
}

/* Each op or kernel, opened by who wants to know. */
static void put_lines(page *page, const lab_run *run, const lab_split *split) {
    const char *const titles[] = {SAY(lab_line_name), SAY(lab_line_count), SAY(lab_line_time),
                                  SAY(lab_line_share)};
    page_subheading(page, "%s, %s", run->workloads[split->workload].name, run->devices[split->device].label);
    page_table_begin(page, "wrrr", titles);
    for (size_t i = 0; i < split->line_count; i++) {
        const lab_line *line = &split->lines[i];
        if (line->kind == PROFILE_WAITS) continue;
        page_cell(page, "%s", line->name);
        page_cell(page, "%.3g", (double)line->count / (double)split->steps);
        page_cell(page, "%.3g", line->seconds / (double)split->steps * MICRO);
        page_cell(page, "%.1f %%", percent(line->seconds, split->wall));
    }
    page_cell(page, "%s", SAY(lab_launching));
    page_cell(page, "–");
    page_cell(page, "%.3g", split->launch / (double)split->steps * MICRO);
    page_cell(page, "%.1f %%", percent(split->launch, split->wall));
    page_table_end(page);
}

void lab_put_splits(page *page, const lab_run *run) {
    const char *const titles[] = {SAY(lab_workload),  SAY(lab_device), SAY(lab_load),    SAY(lab_hand_over),
                                  SAY(lab_compile),   SAY(lab_wall),   SAY(lab_compute), SAY(lab_transfer),
                                  SAY(lab_launching), SAY(lab_most)};
    if (run->split_count == 0) return; /* of a saved run that says so */
    page_heading(page, "%s", SAY(lab_split_title));
    page_paragraph(page, "%s", SAY(lab_split_how));
    page_table_begin(page, "wwrrrrrrrw", titles);
    for (size_t i = 0; i < run->split_count; i++)
        put_split(page, run, &run->splits[i]);
    page_table_end(page);
    page_details_begin(page, "%s", SAY(lab_split_lines));
    for (size_t i = 0; i < run->split_count; i++)
        put_lines(page, run, &run->splits[i]);
    page_details_end(page);
}

/* ---- exact and fast, and energy ------------------------------------------------------------------------------ */

static void put_fast_rows(page *page, const lab_run *run, size_t fast) {
    for (size_t w = 0; w < run->workload_count; w++) {
        const lab_cell *exact_cell = lab_cell_of(run, w, run->devices[fast].of),
                       *fast_cell = lab_cell_of(run, w, fast);
        if (exact_cell == NULL || fast_cell == NULL) continue;
        const lab_comparison found = lab_compare(fast_cell, exact_cell, run->host.cpus, true);
        page_cell(page, "%s", run->workloads[w].name);
        page_cell(page, "%s", run->devices[fast].label);
        put_time(page, exact_cell);
        put_time(page, fast_cell);
        page_cell(page, "%.3g", found.ratio.median);
        lab_put_verdict_cell(page, found.verdict);
    }
}

/* Where fast is nothing else, as on PoCL. */
static void note_same(page *page, const lab_run *run, size_t fast) {
    for (size_t w = 0; w < run->workload_count; w++) {
        const lab_cell *exact_cell = lab_cell_of(run, w, run->devices[fast].of),
                       *fast_cell = lab_cell_of(run, w, fast);
        if (exact_cell != NULL && fast_cell != NULL && strcmp(exact_cell->digest, fast_cell->digest) == 0)
            page_paragraph(page, SAY(lab_fast_same), run->workloads[w].name, run->devices[fast].label);
    }
}

void lab_put_fast(page *page, const lab_run *run) {
    const char *const titles[] = {SAY(lab_workload),  SAY(lab_device), SAY(lab_exact_time),
                                  SAY(lab_fast_time), SAY(lab_ratio),  SAY(lab_verdict_title)};
    bool is_there = false;
    page_heading(page, "%s", SAY(lab_fast));
    for (size_t i = 0; i < run->device_count; i++)
        is_there |= run->devices[i].role == LAB_FAST;
    if (!is_there) {
        page_paragraph(page, "%s", SAY(lab_fast_none));
        return;
    }
    page_table_begin(page, "wwrrrw", titles);
    for (size_t i = 0; i < run->device_count; i++)
        if (run->devices[i].role == LAB_FAST) put_fast_rows(page, run, i);
    page_table_end(page);
    for (size_t i = 0; i < run->device_count; i++)
        if (run->devices[i].role == LAB_FAST) note_same(page, run, i);
}

void lab_put_energy(page *page, const lab_run *run) {
    page_heading(page, "%s", SAY(lab_energy_title));
    if (run->energy[0] != '\0') page_paragraph(page, SAY(lab_energy_none), run->energy);
    for (size_t i = 0; i < run->device_count; i++) {
        const lab_device *device = &run->devices[i];
        if (device->has_energy && device->role == LAB_ASKED)
            page_paragraph(page, SAY(lab_watts), device->label, device->joules / device->energy_seconds,
                           device->joules);
    }
}
