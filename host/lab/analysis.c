#include "lab/analysis.h"

#include <stdlib.h>

#define OTHERS_UNSURE 0.03 /* seconds, as in bench */

const char *const lab_verdict_names[LAB_VERDICTS] = {
    [LAB_FASTER] = "faster",   [LAB_SLOWER] = "slower", [LAB_SAME] = "tie",     [LAB_BUSY] = "busy",
    [LAB_OVERLAP] = "overlap", [LAB_NEAR] = "near",     [LAB_UNSURE] = "unsure"};

const lab_cell *lab_cell_of(const lab_run *run, size_t workload, size_t device) {
    for (size_t i = 0; i < run->cell_count; i++)
        if (run->cells[i].workload == workload && run->cells[i].device == device) return &run->cells[i];
    return NULL;
}

bool lab_has_difference(const lab_run *run) {
    for (size_t i = 0; i < run->cell_count; i++)
        if (run->cells[i].differs) return true;
    return false;
}

/* ---- one against another -------------------------------------------------------------------------------------- */

/* The kernel counts in ticks, which make some time of others where there is none. */
static bool is_busy(const lab_cell *cell, size_t cpus) {
    return cell->others_seconds > OTHERS_UNSURE + LAB_BUSY_PART * (double)cpus * cell->span;
}

static lab_verdict judge(const lab_cell *a, const lab_cell *b, size_t cpus, const lab_comparison *found) {
    const stat_summary of_a = stat_summarise(a->seconds, a->count),
                       of_b = stat_summarise(b->seconds, b->count);
    if (is_busy(a, cpus) || is_busy(b, cpus)) return LAB_BUSY;
    if (found->ratio.low > 1.0 / LAB_TIE && found->ratio.high < LAB_TIE) return LAB_SAME;
    if (of_a.low_quartile <= of_b.high_quartile && of_b.low_quartile <= of_a.high_quartile)
        return LAB_OVERLAP;
    if (found->p > 0.05) return LAB_UNSURE;
    if (found->ratio.low < LAB_CLEAR && found->ratio.high > 1.0 / LAB_CLEAR) return LAB_NEAR;
    return found->ratio.median > 1.0 ? LAB_FASTER : LAB_SLOWER;
}

lab_comparison lab_compare(const lab_cell *a, const lab_cell *b, size_t cpus, bool is_paired) {
    double ratios[STAT_MOST];
    const size_t count = a->count < b->count ? a->count : b->count;
    const double median = stat_summarise(a->seconds, a->count).median;
    for (size_t i = 0; i < count; i++)
        ratios[i] = b->seconds[i] / (is_paired ? a->seconds[i] : median);
    lab_comparison found = {.ratio = stat_summarise(ratios, count)};
    found.p = stat_rank_test(a->seconds, a->count, b->seconds, b->count);
    found.verdict = judge(a, b, cpus, &found);
    return found;
}

/* ---- series ------------------------------------------------------------------------------------------------- */

lab_series lab_series_of(const lab_run *run, lab_family family, size_t width) {
    lab_series series = {0};
    for (size_t i = 0; i < run->workload_count; i++) {
        const lab_workload *workload = &run->workloads[i];
        if (workload->family != family || (width != 0 && workload->units[1] != width)) continue;
        size_t place = series.count++;
        for (; place > 0 && run->workloads[series.workloads[place - 1]].batch > workload->batch; place--)
            series.workloads[place] = series.workloads[place - 1];
        series.workloads[place] = i;
    }
    return series;
}

lab_series lab_series_of_threads(const lab_run *run) {
    const lab_series series = lab_series_of(run, LAB_THREADS, 0);
    return series.count > 0 ? series : lab_series_of(run, LAB_OWN, 0);
}

size_t lab_widths(const lab_run *run, size_t widths[LAB_MOST_WORKLOADS]) {
    size_t count = 0;
    for (size_t i = 0; i < run->workload_count; i++) {
        const size_t width = run->workloads[i].units[1];
        size_t place = 0;
        if (run->workloads[i].family != LAB_MAP) continue;
        while (place < count && widths[place] < width)
            place++;
        if (place < count && widths[place] == width) continue;
        for (size_t j = count++; j > place; j--)
            widths[j] = widths[j - 1];
        widths[place] = width;
    }
    return count;
}

/* The points of a round; how many. */
static size_t points_of(const lab_run *run, const lab_series *series, size_t device, size_t round,
                        double *rows, double *seconds) {
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++) {
        const lab_cell *cell = lab_cell_of(run, series->workloads[i], device);
        if (cell == NULL || round >= cell->count) continue;
        rows[count] = (double)run->workloads[series->workloads[i]].batch;
        seconds[count++] = cell->seconds[round];
    }
    return count;
}

static bool fit_round(const lab_run *run, const lab_series *series, size_t device, size_t round,
                      stat_line *line) {
    double rows[LAB_MOST_WORKLOADS], seconds[LAB_MOST_WORKLOADS];
    return stat_fit_line(rows, seconds, points_of(run, series, device, round, rows, seconds), line);
}

static size_t rounds_of(const lab_run *run) {
    return run->rounds < STAT_MOST ? run->rounds : STAT_MOST;
}

lab_line_fit lab_fit(const lab_run *run, const lab_series *series, size_t device) {
    double starts[STAT_MOST], rows[STAT_MOST];
    size_t count = 0;
    for (size_t round = 0; round < rounds_of(run); round++) {
        stat_line line;
        if (!fit_round(run, series, device, round, &line)) continue;
        starts[count] = line.intercept;
        rows[count++] = line.slope;
    }
    return (lab_line_fit){stat_summarise(starts, count), stat_summarise(rows, count)};
}

/* Who is clearly faster: 1 for a, -1 for b, 0 for neither. `least` and `most` of b's time by a's. */
static int side_of(double least, double most) {
    return least > LAB_CLEAR ? 1 : most < 1.0 / LAB_CLEAR ? -1 : 0;
}

/* The sides at the points of a series, as measured; 0 where others used the cores. */
static void find_sides(const lab_run *run, const lab_series *series, size_t a, size_t b,
                       int sides[LAB_MOST_WORKLOADS]) {
    for (size_t i = 0; i < series->count; i++) {
        const lab_cell *of_a = lab_cell_of(run, series->workloads[i], a),
                       *of_b = lab_cell_of(run, series->workloads[i], b);
        sides[i] = 0;
        if (of_a == NULL || of_b == NULL) continue;
        const lab_comparison found = lab_compare(of_a, of_b, run->host.cpus, true);
        if (found.verdict != LAB_BUSY)
            sides[i] = side_of(found.ratio.low_quartile, found.ratio.high_quartile);
    }
}

/* Indexes in a series between which another device is faster than before, the first such; end 0: there is none. */
typedef struct bracket {
    size_t first, end;
} bracket;

static bracket find_bracket(const lab_series *series, const int *sides) {
    size_t last = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (sides[i] * sides[last] < 0) return (bracket){last, i};
        if (sides[i] != 0) last = i;
    }
    return (bracket){0, 0};
}

static double time_at(const stat_line *line, double rows) {
    return line->intercept + rows * line->slope;
}

/* Whether a line tells the times of a round where the sides change, and the sides at the ends: elsewhere it may be wrong. */
static bool lines_hold(const lab_run *run, const lab_series *series, bracket within, const int *sides,
                       const stat_line lines[2], const size_t devices[2], size_t round) {
    for (size_t i = 0; i < series->count; i++) {
        const size_t workload = series->workloads[i];
        const double rows = (double)run->workloads[workload].batch;
        const double ratio = time_at(&lines[1], rows) / time_at(&lines[0], rows);
        if ((i == 0 || i + 1 == series->count) && side_of(ratio, ratio) != sides[i]) return false;
        for (size_t d = 0; d < 2 && i >= within.first && i <= within.end; d++) {
            const lab_cell *cell = lab_cell_of(run, workload, devices[d]);
            const double error = time_at(&lines[d], rows) / cell->seconds[round];
            if (error > LAB_CLEAR || error < 1.0 / LAB_CLEAR) return false;
        }
    }
    return true;
}

static bool predict_tie(const lab_run *run, const lab_series *series, bracket within, const int *sides,
                        const size_t devices[2], size_t round, double *place) {
    stat_line lines[2];
    for (size_t d = 0; d < 2; d++)
        if (!fit_round(run, series, devices[d], round, &lines[d])) return false;
    if (within.end == 0 || !lines_hold(run, series, within, sides, lines, devices, round)) return false;
    *place = (lines[1].intercept - lines[0].intercept) / (lines[0].slope - lines[1].slope);
    return *place > 0.0;
}

static bool measure_tie(const lab_run *run, const lab_series *series, bracket within, size_t a, size_t b,
                        size_t round, double *place) {
    double rows[LAB_MOST_WORKLOADS], of_a[LAB_MOST_WORKLOADS], of_b[LAB_MOST_WORKLOADS];
    const size_t count = points_of(run, series, a, round, rows, of_a);
    if (points_of(run, series, b, round, rows, of_b) != count) return false;
    for (size_t i = within.first; i < within.end && i + 1 < count; i++)
        if (stat_tie_between(&rows[i], &of_a[i], &of_b[i], place)) return true;
    return false;
}

lab_crossing lab_crossing_of(const lab_run *run, const lab_series *series, size_t a, size_t b) {
    double predicted[STAT_MOST], measured[STAT_MOST];
    int sides[LAB_MOST_WORKLOADS];
    size_t predictions = 0, measurements = 0;
    if (series->count < 2) return (lab_crossing){.rounds = rounds_of(run)};
    find_sides(run, series, a, b, sides);
    const bracket within = find_bracket(series, sides);
    for (size_t round = 0; round < rounds_of(run); round++) {
        predictions +=
            predict_tie(run, series, within, sides, (size_t[]){a, b}, round, &predicted[predictions]);
        measurements += measure_tie(run, series, within, a, b, round, &measured[measurements]);
    }
    return (lab_crossing){stat_summarise(predicted, predictions), stat_summarise(measured, measurements),
                          rounds_of(run)};
}

/* ---- limits --------------------------------------------------------------------------------------------------- */

/* T(n) = serial + divided / n: a line over 1 / n. */
stat_summary lab_parallel_share(const lab_run *run, size_t workload) {
    double shares[STAT_MOST];
    size_t found = 0;
    for (size_t round = 0; round < rounds_of(run); round++) {
        double parts[LAB_MOST_DEVICES], seconds[LAB_MOST_DEVICES];
        size_t count = 0;
        stat_line line;
        for (size_t d = 0; d < run->device_count; d++) {
            const lab_cell *cell = lab_cell_of(run, workload, d);
            if (run->devices[d].role != LAB_SCALING || cell == NULL || round >= cell->count) continue;
            parts[count] = 1.0 / (double)run->devices[d].compute_units;
            seconds[count++] = cell->seconds[round];
        }
        if (stat_fit_line(parts, seconds, count, &line))
            shares[found++] = line.slope / (line.slope + line.intercept);
    }
    return stat_summarise(shares, found);
}
