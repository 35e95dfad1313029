/* SVG as gnuplot writes it, made fit to be read: light or dark, small, and several of them in one page. */
#ifndef TANDA_PAGE_SVG_H
#define TANDA_PAGE_SVG_H

#include "support/status.h"

/* Rules that give a picture the reader's colours; a page has them once. */
extern const char svg_style[];

/*
 * *svg is gnuplot's, and becomes another text to be freed: from <svg> on, of class "picture", with ids that begin with
 * `name`, without empty groups, and with the title for who cannot see it. is_alone: a file of its own, which holds the style
 * and the names of XML; else part of an HTML page.
 */
tanda_status svg_tidy(char **svg, const char *name, const char *title, bool is_alone, tanda_error *error);

#endif
