/* A picture as gnuplot's script and data. */
#ifndef TANDA_PAGE_SCRIPT_H
#define TANDA_PAGE_SCRIPT_H

#include <stdio.h>

#include "page/picture.h"
#include "support/status.h"

/*
 * Texts to be freed. The script lies at stem.gnuplot and reads stem.dat beside it (stem has no folder); NULL: it holds its data.
 * TANDA_FAILED without memory, and for a picture without a point.
 */
tanda_status picture_script(const picture *picture, picture_format format, const char *stem, char **script,
                            tanda_error *error);
tanda_status picture_data(const picture *picture, char **data, tanda_error *error);

/* What both are made of: blocks in the order of the series, two empty lines between them; and the end of a stream. */
void picture_put_data(FILE *stream, const picture *picture);
tanda_status picture_text_end(FILE *stream, char **text, tanda_error *error);

#endif
