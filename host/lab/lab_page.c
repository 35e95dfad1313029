#include "lab/lab_page.h"

#include <string.h>

#include "lab/page_parts.h"

/* ---- one run -------------------------------------------------------------------------------------------------- */

/* Red, with each row that differs; or that none does. */
static void put_outcome(page *page, const lab_run *run) {
    if (!lab_has_difference(run)) {
        page_note(page, MARK_GOOD, SAY(lab_equal), LAB_DIGEST_STEPS);
        return;
    }
    for (size_t i = 0; i < run->cell_count; i++)
        if (run->cells[i].differs)
            page_note(page, MARK_BAD, SAY(lab_red), run->workloads[run->cells[i].workload].name,
                      run->devices[run->cells[i].device].label, run->devices[0].label);
}

static tanda_status put_crossover(page *page, const lab_run *run, tanda_error *error) {
    tanda_status status = TANDA_OK;
    page_heading(page, "%s", SAY(lab_crossover));
    for (size_t i = 1; status == TANDA_OK && i < run->device_count; i++)
        if (run->devices[i].role == LAB_ASKED) status = lab_put_map(page, run, i, error);
    if (status == TANDA_OK) lab_put_fits(page, run);
    return status == TANDA_OK ? lab_put_rows(page, run, error) : status;
}

static tanda_status put_run(page *page, const lab_run *run, bool with_solutions, tanda_error *error) {
    put_outcome(page, run);
    page_paragraph(page, SAY(lab_measured), run->date, run->version, run->rounds, run->seconds, run->budget,
                   run->least_seconds * 1e3);
    if (run->rounds < run->planned_rounds)
        page_note(page, MARK_DOUBTFUL, SAY(lab_cut), run->rounds, run->planned_rounds);
    page_paragraph(page, "%s", SAY(lab_how));
    lab_put_machine(page, run);
    lab_put_verdicts(page, run);
    page_heading(page, "%s", SAY(lab_roofline));
    tanda_status status = lab_put_roofline(page, run, error);
    if (status == TANDA_OK) status = put_crossover(page, run, error);
    page_heading(page, "%s", SAY(lab_threads));
    if (status == TANDA_OK) status = lab_put_threads(page, run, error);
    if (status != TANDA_OK) return status;
    lab_put_shares(page, run);
    lab_put_splits(page, run);
    lab_put_fast(page, run);
    lab_put_energy(page, run);
    lab_put_questions(page, run, with_solutions);
    return TANDA_OK;
}

tanda_status lab_write_page(const lab_run *run, const char *path, language language, bool with_solutions,
                            bool *lacks_gnuplot, tanda_error *error) {
    page page;
    page_begin(&page, path, language, TEXT_IN(language, lab_title));
    const tanda_status status = put_run(&page, run, with_solutions, error);
    if (lacks_gnuplot != NULL) *lacks_gnuplot = page.lacks_gnuplot;
    if (status == TANDA_OK) return page_finish(&page, error);
    page_abandon(&page);
    return status;
}

/* ---- two runs ------------------------------------------------------------------------------------------------- */

static const lab_cell *same_cell(const lab_run *run, const char *workload, const char *device) {
    for (size_t i = 0; i < run->cell_count; i++)
        if (strcmp(run->workloads[run->cells[i].workload].name, workload) == 0 &&
            strcmp(run->devices[run->cells[i].device].label, device) == 0)
            return &run->cells[i];
    return NULL;
}

static bool bits_differ(const lab_run *before, const lab_cell *old, const lab_run *after,
                        const lab_cell *new) {
    return before->devices[old->device].is_exact && after->devices[new->device].is_exact &&
           (old->differs || new->differs || strcmp(old->digest, new->digest) != 0);
}

static void put_pair(page *page, const lab_run *before, const lab_cell *old, const lab_run *after,
                     const lab_cell *new) {
    const lab_comparison found = lab_compare(new, old, after->host.cpus, false);
    const bool differ = bits_differ(before, old, after, new);
    page_cell(page, "%s", after->workloads[new->workload].name);
    page_cell(page, "%s", after->devices[new->device].label);
    page_cell(page, "%.4g", lab_median(old) * MICRO);
    page_cell(page, "%.4g", lab_median(new) * MICRO);
    page_cell(page, "%.3g", lab_median(old) / lab_median(new));
    page_cell(page, "%.2g", found.p);
    lab_put_verdict_cell(page, found.verdict);
    page_marked_cell(page, differ ? MARK_BAD : MARK_NONE, "%s",
                     differ ? SAY(lab_other_bits) : SAY(lab_same_bits));
}

typedef void pair_visitor(page *page, const lab_run *before, const lab_cell *old, const lab_run *after,
                          const lab_cell *new);

static size_t each_pair(page *page, const lab_run *before, const lab_run *after, pair_visitor *visit) {
    size_t count = 0;
    for (size_t i = 0; i < after->cell_count; i++) {
        const lab_cell *new = &after->cells[i];
        const lab_cell *old =
            same_cell(before, after->workloads[new->workload].name, after->devices[new->device].label);
        if (old == NULL) continue;
        visit(page, before, old, after, new);
        count++;
    }
    return count;
}

static void note_pair(page *page, const lab_run *before, const lab_cell *old, const lab_run *after,
                      const lab_cell *new) {
    if (bits_differ(before, old, after, new))
        page_note(page, MARK_BAD, SAY(lab_two_differ), after->workloads[new->workload].name,
                  after->devices[new->device].label);
}

static bool any_differs(const lab_run *before, const lab_run *after) {
    for (size_t i = 0; i < after->cell_count; i++) {
        const lab_cell *new = &after->cells[i];
        const lab_cell *old =
            same_cell(before, after->workloads[new->workload].name, after->devices[new->device].label);
        if (old != NULL && bits_differ(before, old, after, new)) return true;
    }
    return false;
}

tanda_status lab_write_comparison(const lab_run *before, const lab_run *after, const char *path,
                                  language language, bool *differs, tanda_error *error) {
    struct page made, *page = &made;
    page_begin(page, path, language, TEXT_IN(language, lab_title_two));
    const char *const titles[] = {SAY(lab_workload), SAY(lab_device), SAY(lab_old),           SAY(lab_new),
                                  SAY(lab_ratio),    SAY(lab_p),      SAY(lab_verdict_title), SAY(lab_bits)};
    *differs = any_differs(before, after);
    page_paragraph(page, SAY(lab_two_how), before->date, after->date);
    each_pair(page, before, after, note_pair);
    page_table_begin(page, "wwrrrrww", titles);
    const size_t count = each_pair(page, before, after, put_pair);
    page_table_end(page);
    if (count == 0) page_note(page, MARK_DOUBTFUL, "%s", SAY(lab_nothing_common));
    return page_finish(page, error);
}
