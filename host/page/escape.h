/* Text between the tags of HTML and SVG. */
#ifndef TANDA_PAGE_ESCAPE_H
#define TANDA_PAGE_ESCAPE_H

#include <stdio.h>

/* With & < > " ' as entities, and '?' for what may not be shown but line ends. */
void escape_put(FILE *stream, const char *text);

#endif
