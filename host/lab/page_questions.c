/* Questions of a course, with this machine's numbers. */
#include "lab/page_parts.h"

static void answer_begin(page *page) {
    page_details_begin(page, "%s", SAY(lab_answer));
}

static void ask_limits(page *page, const lab_device *device, bool with_solutions) {
    const device_limits *limits = &device->limits;
    const double launch = limits->launch_seconds * MICRO, fma = limits->fma_peak * 1e-9,
                 reads = limits->read_bandwidth * 1e-9;
    if (!(launch > 0.0) || !(fma > 0.0) || !(reads > 0.0)) return;
    page_paragraph(page, SAY(lab_q1), device->label, launch, fma);
    if (with_solutions) {
        answer_begin(page);
        page_paragraph(page, SAY(lab_a1), launch, fma, limits->launch_seconds * limits->fma_peak);
        page_details_end(page);
    }
    page_paragraph(page, SAY(lab_q2), device->label, reads, fma);
    if (with_solutions) {
        answer_begin(page);
        page_paragraph(page, SAY(lab_a2), fma, reads, fma / reads);
        page_details_end(page);
    }
}

static void ask_rows(page *page, const lab_run *run, size_t device, bool with_solutions) {
    const lab_series series = lab_series_of(run, LAB_ROWS, 0);
    const lab_line_fit fit = lab_fit(run, &series, device);
    if (!(fit.row.median > 0.0) || !(fit.start.median > 0.0)) return;
    page_paragraph(page, SAY(lab_q3), run->devices[device].label, fit.start.median * MICRO,
                   fit.row.median * 1e9);
    if (!with_solutions) return;
    answer_begin(page);
    page_paragraph(page, SAY(lab_a3), fit.start.median / fit.row.median);
    page_details_end(page);
}

static void ask_threads(page *page, const lab_run *run, size_t workload, bool with_solutions) {
    const stat_summary share = lab_parallel_share(run, workload);
    if (share.count == 0) return;
    page_paragraph(page, SAY(lab_q4), run->workloads[workload].name, share.median);
    if (!with_solutions) return;
    answer_begin(page);
    if (share.median < 0.995)
        page_paragraph(page, SAY(lab_a4), share.median, 1.0 / (1.0 - share.median));
    else
        page_paragraph(page, "%s", SAY(lab_a4_none));
    page_details_end(page);
}

void lab_put_questions(page *page, const lab_run *run, bool with_solutions) {
    const lab_series threads = lab_series_of_threads(run);
    page_heading(page, "%s", SAY(lab_questions));
    for (size_t i = 0; i < run->device_count; i++) {
        if (run->devices[i].role != LAB_ASKED) continue;
        ask_limits(page, &run->devices[i], with_solutions);
        ask_rows(page, run, i, with_solutions);
    }
    for (size_t i = 0; i < threads.count; i++)
        ask_threads(page, run, threads.workloads[i], with_solutions);
}
