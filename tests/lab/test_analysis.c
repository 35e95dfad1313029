/* Verdicts and crossings of figures that are written here: what they say is known. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "lab/analysis.h"

#define ROUNDS 9
#define CPUS 2
#define POINTS 5

/* Rounds that differ by up to 1 %, as quiet machines have them. */
static lab_cell cell_of(double seconds, size_t workload, size_t device) {
    static const double noise[ROUNDS] = {1.0, 1.004, 0.997, 1.002, 0.999, 1.006, 0.995, 1.001, 0.998};
    lab_cell cell = {.workload = workload, .device = device, .steps = 10, .span = 1.0};
    for (size_t i = 0; i < ROUNDS; i++)
        cell.seconds[cell.count++] = seconds * noise[(i + 4 * device) % ROUNDS];
    return cell;
}

static lab_verdict verdict_of(double times) {
    const lab_cell a = cell_of(1e-5, 0, 0), b = cell_of(times * 1e-5, 0, 1);
    return lab_compare(&a, &b, CPUS, true).verdict;
}

Test(analysis, a_verdict_is_told_where_another_day_would_tell_the_same) {
    cr_expect_eq(verdict_of(1.0), LAB_SAME);
    cr_expect_eq(verdict_of(1.03), LAB_SAME);
    cr_expect_eq(verdict_of(1.075), LAB_NEAR);
    cr_expect_eq(verdict_of(1.2), LAB_FASTER);
    cr_expect_eq(verdict_of(0.93), LAB_NEAR);
    cr_expect_eq(verdict_of(0.8), LAB_SLOWER);
}

Test(analysis, a_verdict_is_withheld_where_others_used_the_cores_or_rounds_are_few) {
    lab_cell a = cell_of(1e-5, 0, 0), b = cell_of(2e-5, 0, 1);
    b.others_seconds = 0.12;
    cr_expect_eq(lab_compare(&a, &b, CPUS, true).verdict, LAB_FASTER, "6 %% of a core, and ticks");
    b.others_seconds = 0.14;
    cr_expect_eq(lab_compare(&a, &b, CPUS, true).verdict, LAB_BUSY);
    b.others_seconds = 0.0;
    a.count = b.count = 3;
    cr_expect_eq(lab_compare(&a, &b, CPUS, true).verdict, LAB_UNSURE);
    b = cell_of(2e-5, 0, 1);
    for (size_t i = 0; i < ROUNDS; i += 2)
        b.seconds[i] = 0.5e-5;
    a = cell_of(1e-5, 0, 0);
    cr_expect_eq(lab_compare(&a, &b, CPUS, true).verdict, LAB_OVERLAP);
}

/* Rows of a step 64, 512, 4096, 32768, 262144: t0 + n / r of two devices, of which the other waits for `knee` rows. */
static lab_run *make_run(double start, double row, double other_start, double other_row, size_t knee) {
    lab_run *run = calloc(1, sizeof *run);
    run->device_count = 2;
    run->rounds = run->planned_rounds = ROUNDS;
    run->host.cpus = CPUS;
    for (size_t i = 0, rows = 64; i < POINTS; i++, rows *= 8) {
        const bool is_same = rows < knee;
        run->workloads[run->workload_count++] =
            (lab_workload){.family = LAB_ROWS, .rows = rows, .batch = rows, .units = {28, 1}};
        run->cells[run->cell_count++] = cell_of(start + row * (double)rows, i, 0);
        run->cells[run->cell_count++] =
            cell_of((is_same ? start : other_start) + (is_same ? row : other_row) * (double)rows, i, 1);
    }
    return run;
}

Test(analysis, a_crossing_is_predicted_and_measured_where_there_is_one) {
    lab_run *run = make_run(1e-6, 4e-9, 20e-6, 2e-9, 0); /* at 9500 rows */
    const lab_series series = lab_series_of(run, LAB_ROWS, 0);
    const lab_crossing crossing = lab_crossing_of(run, &series, 0, 1);
    cr_expect_eq(crossing.predicted.count, ROUNDS);
    cr_expect_eq(crossing.measured.count, ROUNDS);
    cr_expect_float_eq(crossing.predicted.median, 9500.0, 300.0, "%g", crossing.predicted.median);
    cr_expect_float_eq(crossing.measured.median, 9500.0, 600.0, "%g", crossing.measured.median);
    free(run);
}

/* A cache that ends where they tie: the tie is measured, and the line knows nothing of it. */
Test(analysis, lines_that_are_off_the_times_around_a_tie_predict_none) {
    lab_run *run = make_run(1e-6, 4e-9, 20e-6, 2e-9, 0);
    const lab_series series = lab_series_of(run, LAB_ROWS, 0);
    for (size_t round = 0; round < ROUNDS; round++)
        run->cells[6].seconds[round] *= 1.6; /* of the first device, at 32768 rows */
    const lab_crossing crossing = lab_crossing_of(run, &series, 0, 1);
    cr_expect_eq(crossing.measured.count, ROUNDS);
    cr_expect_eq(crossing.predicted.count, 0, "%g", crossing.predicted.median);
    free(run);
}

Test(analysis, devices_that_are_as_fast_over_a_part_of_the_range_do_not_cross) {
    lab_run *run =
        make_run(1e-6, 4e-9, 1.5e-6, 2e-9, 4096); /* one thread alone until there is work for two */
    const lab_series series = lab_series_of(run, LAB_ROWS, 0);
    const lab_crossing crossing = lab_crossing_of(run, &series, 0, 1);
    cr_expect_eq(crossing.predicted.count, 0, "%g", crossing.predicted.median);
    cr_expect_eq(crossing.measured.count, 0, "%g", crossing.measured.median);
    free(run);
}
