/*
 * Pictures are drawn by gnuplot, a program beside tanda (Debian's gnuplot-nox): where there is none, only pictures are
 * missing.
 */
#ifndef TANDA_PAGE_DRAW_H
#define TANDA_PAGE_DRAW_H

#include <limits.h>

#include "page/picture.h"
#include "support/status.h"

/*
 * Draws into memory, *bytes to be freed. TANDA_FAILED where gnuplot is not there, naming the package, or fails, and for a
 * picture in which there is nothing. SVG is tidied: see svg.h.
 */
tanda_status picture_draw(const picture *picture, picture_format format, char **bytes, size_t *size,
                          tanda_error *error);

/* SVG as a part of an HTML page, without the style that the page has: see page_picture of page.h. To be freed. */
tanda_status picture_draw_inline(const picture *picture, char **svg, tanda_error *error);

/*
 * Draws into a file, and puts script and data beside it (loss.svg: loss.gnuplot, loss.dat), which draw it again by
 * `gnuplot loss.gnuplot > loss.svg` in that folder. A device or pipe gets the picture alone. TANDA_USAGE for a path that
 * is one of its own sources.
 */
tanda_status picture_save(const picture *picture, picture_format format, const char *path,
                          tanda_error *error);

/* The path of such a source, for files_check and messages: suffix ".gnuplot" or ".dat". False where it does not fit. */
bool picture_beside(const char *path, const char *suffix, char beside[PATH_MAX]);

/* Writes script and data alone: STEM.gnuplot and STEM.dat. */
tanda_status picture_save_sources(const picture *picture, picture_format format, const char *stem,
                                  tanda_error *error);

#endif
