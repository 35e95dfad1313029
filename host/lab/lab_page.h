/* A run as one HTML file. */
#ifndef TANDA_LAB_LAB_PAGE_H
#define TANDA_LAB_LAB_PAGE_H

#include "lab/lab.h"
#include "page/page.h"

/* *lacks_gnuplot: pictures are missing for want of it; may be NULL. */
tanda_status lab_write_page(const lab_run *run, const char *path, language language, bool with_solutions,
                            bool *lacks_gnuplot, tanda_error *error);

/* The second run held against the first. *differs: some exact row has other bits. */
tanda_status lab_write_comparison(const lab_run *before, const lab_run *after, const char *path,
                                  language language, bool *differs, tanda_error *error);

#endif
