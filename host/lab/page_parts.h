/* What the files of the lab's page share. */
#ifndef TANDA_LAB_PAGE_PARTS_H
#define TANDA_LAB_PAGE_PARTS_H

#include "lab/analysis.h"
#include "lab/lab_texts.h"
#include "page/page.h"

#define SAY(id) TEXT_IN(page->language, id)
#define MICRO 1e6

/* page_pictures.c: each puts its picture, or nothing where the run has no such figures. */
tanda_status lab_put_roofline(page *page, const lab_run *run, tanda_error *error);
tanda_status lab_put_map(page *page, const lab_run *run, size_t device, tanda_error *error);
tanda_status lab_put_rows(page *page, const lab_run *run, tanda_error *error);
tanda_status lab_put_threads(page *page, const lab_run *run, tanda_error *error);

/* page_tables.c */
void lab_put_machine(page *page, const lab_run *run);
void lab_put_verdicts(page *page, const lab_run *run);
void lab_put_fits(page *page, const lab_run *run);
void lab_put_shares(page *page, const lab_run *run);
void lab_put_splits(page *page, const lab_run *run);
void lab_put_fast(page *page, const lab_run *run);
void lab_put_energy(page *page, const lab_run *run);
void lab_put_verdict_cell(page *page, lab_verdict verdict);

/* page_questions.c */
void lab_put_questions(page *page, const lab_run *run, bool with_solutions);

static inline double lab_median(const lab_cell *cell) {
    return stat_summarise(cell->seconds, cell->count).median;
}

#endif
