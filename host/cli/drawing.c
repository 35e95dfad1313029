#include "cli/drawing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/report.h"

void drawing_own(drawing *drawing, void *memory) {
    void **larger = reallocarray(drawing->owned, drawing->owned_count + 1, sizeof *larger);
    if (larger != NULL) drawing->owned = larger;
    if (larger != NULL && memory != NULL) {
        larger[drawing->owned_count++] = memory;
        return;
    }
    free(memory);
    drawing->failed = true;
}

static void *own_zeros(drawing *drawing, size_t count, size_t size) {
    void *zeros = calloc(count > 0 ? count : 1, size);
    drawing_own(drawing, zeros);
    return drawing->failed ? NULL : zeros;
}

double *drawing_numbers(drawing *drawing, size_t count) {
    return own_zeros(drawing, count, sizeof(double));
}

const char **drawing_texts(drawing *drawing, size_t count) {
    return own_zeros(drawing, count, sizeof(char *));
}

const char *drawing_text(drawing *drawing, const char *format, ...) {
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    drawing_own(drawing, text);
    return drawing->failed ? NULL : text;
}

void drawing_add(drawing *drawing, const picture_series *series) {
    picture_series *larger = reallocarray(drawing->series, drawing->count + 1, sizeof *larger);
    if (larger == NULL) {
        drawing->failed = true;
        return;
    }
    drawing->series = larger;
    larger[drawing->count++] = *series;
}

tanda_status drawing_end(drawing *drawing, tanda_error *error) {
    drawing->picture.series = drawing->series;
    drawing->picture.series_count = drawing->count;
    return drawing->failed ? fail(error, TANDA_FAILED, "no memory for a picture") : TANDA_OK;
}

void drawing_free(drawing *drawing) {
    for (size_t i = 0; i < drawing->owned_count; i++)
        free(drawing->owned[i]);
    free(drawing->owned);
    free(drawing->series);
    *drawing = (struct drawing){0};
}

void print_drawing(FILE *stream, const drawing *drawing) {
    char *letters = NULL;
    size_t size = 0;
    tanda_error problem = {0};
    if (picture_draw(&drawing->picture, PICTURE_TEXT, &letters, &size, &problem) == TANDA_OK)
        fprintf(stream, "\n%s", letters);
    else
        print_note(problem.message);
    free(letters);
}

tanda_status drawing_write(const drawing *drawing, picture_format format, const char *output,
                           tanda_error *error) {
    char *bytes = NULL;
    size_t size = 0;
    if (output != NULL) return picture_save(&drawing->picture, format, output, error);
    if (format != PICTURE_TEXT && isatty(STDOUT_FILENO))
        return fail(error, TANDA_USAGE, "--format %s is no text for a terminal; give --output FILE",
                    picture_format_names[format]);
    tanda_status status = picture_draw(&drawing->picture, format, &bytes, &size, error);
    if (status == TANDA_OK) status = report_write(bytes, size, error);
    free(bytes);
    return status;
}
