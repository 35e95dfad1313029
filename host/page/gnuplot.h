/* gnuplot as a program. */
#ifndef TANDA_PAGE_GNUPLOT_H
#define TANDA_PAGE_GNUPLOT_H

#include "support/status.h"

#define GNUPLOT_PACKAGE "gnuplot-nox"

/* Whether there is a gnuplot on the PATH. */
bool gnuplot_is_there(void);

/*
 * Runs a script; *output, to be freed and ended by a 0 that *size does not count, is what it wrote. No file of the user's
 * is read, nothing is left. TANDA_FAILED, naming the package, where it cannot be started; with its own first line where it
 * fails.
 */
tanda_status gnuplot_run(const char *script, char **output, size_t *size, tanda_error *error);

#endif
