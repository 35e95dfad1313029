/* A picture in the making, with what its series point to. */
#ifndef TANDA_CLI_DRAWING_H
#define TANDA_CLI_DRAWING_H

#include "tanda_lab.h"

/* All zero is an empty one. */
typedef struct drawing {
    picture picture; /* all but its series; drawing_end sets those */
    picture_series *series;
    size_t count;
    void **owned;
    size_t owned_count;
    bool failed; /* without memory */
} drawing;

/* Zeros, and a text, that live as long as the drawing; NULL without memory, which drawing_end tells. */
double *drawing_numbers(drawing *drawing, size_t count);
const char *drawing_text(drawing *drawing, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char **drawing_texts(drawing *drawing, size_t count);

/* Has the drawing free what malloc made. */
void drawing_own(drawing *drawing, void *memory);

void drawing_add(drawing *drawing, const picture_series *series);

/* Puts the series into the picture. TANDA_FAILED where memory was missing. */
tanda_status drawing_end(drawing *drawing, tanda_error *error);
void drawing_free(drawing *drawing);

/* The picture in letters, or why there is none. */
void print_drawing(FILE *stream, const drawing *drawing);

/* The picture into a file with script and data beside it, or (output: NULL) to standard output. */
tanda_status drawing_write(const drawing *drawing, picture_format format, const char *output,
                           tanda_error *error);

#endif
