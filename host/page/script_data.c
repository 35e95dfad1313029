/* The data of a picture, as gnuplot reads it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/script.h"
#include "support/text.h"

static void put_number(FILE *stream, double value) {
    char text[TEXT_NUMBER_SIZE];
    fprintf(stream, "%s ", isfinite(value) ? text_shortest(value, text) : "NaN");
}

/* In double quotes, as data is read: without what would end them or a line. */
static void put_label(FILE *stream, const char *label) {
    bool may_be_shown = false;
    fputc('"', stream);
    for (size_t left = strlen(label), step = 0; left > 0; left -= step, label += step) {
        step = text_character(label, left, &may_be_shown);
        if (!may_be_shown || *label == '"' || *label == '\\')
            fputc(*label == '"' ? '\'' : '?', stream);
        else
            fprintf(stream, "%.*s", (int)step, label);
    }
    fputc('"', stream);
}

static void put_grid(FILE *stream, const picture_series *series) {
    for (size_t row = 0; row < series->rows; row++) {
        if (row > 0) fputc('\n', stream);
        for (size_t column = 0; column < series->columns; column++) {
            put_number(stream, series->x != NULL ? series->x[column] : (double)column);
            put_number(stream, series->y != NULL ? series->y[row] : (double)row);
            put_number(stream, series->values[row * series->columns + column]);
            fputc('\n', stream);
        }
    }
}

static void put_points(FILE *stream, const picture_series *series) {
    for (size_t i = 0; i < series->count; i++) {
        put_number(stream, series->x != NULL ? series->x[i] : (double)i);
        if (series->y != NULL) put_number(stream, series->y[i]);
        if (series->z != NULL) put_number(stream, series->z[i]);
        if (series->low != NULL) put_number(stream, series->low[i]);
        if (series->high != NULL) put_number(stream, series->high[i]);
        if (series->labels != NULL) put_label(stream, series->labels[i]);
        fputc('\n', stream);
    }
}

static void put_columns(FILE *stream, const picture_series *series) {
    fputs("#", stream);
    if (series_is_grid(series)) fputs(" x y value", stream);
    if (!series_is_grid(series))
        fprintf(stream, " x%s%s%s%s%s", series->y != NULL ? " y" : "", series->z != NULL ? " z" : "",
                series->low != NULL ? " low" : "", series->high != NULL ? " high" : "",
                series->labels != NULL ? " label" : "");
    if (series->title != NULL) {
        fputs(": ", stream);
        put_label(stream, series->title);
    }
    fputc('\n', stream);
}

/* Blocks, in the order of the series: two empty lines lie between them. */
void picture_put_data(FILE *stream, const picture *picture) {
    bool is_first = true;
    for (size_t i = 0; i < picture->series_count; i++) {
        const picture_series *series = &picture->series[i];
        if (series_is_empty(series)) continue;
        if (!is_first) fputs("\n\n", stream);
        is_first = false;
        put_columns(stream, series);
        if (series_is_grid(series))
            put_grid(stream, series);
        else
            put_points(stream, series);
    }
}

tanda_status picture_data(const picture *picture, char **data, tanda_error *error) {
    size_t size = 0;
    *data = NULL;
    FILE *stream = open_memstream(data, &size);
    if (stream == NULL) return fail(error, TANDA_FAILED, "no memory for a picture");
    picture_put_data(stream, picture);
    return picture_text_end(stream, data, error);
}

tanda_status picture_text_end(FILE *stream, char **text, tanda_error *error) {
    if (text_stream_end(stream, text)) return TANDA_OK;
    free(*text);
    *text = NULL;
    return fail(error, TANDA_FAILED, "no memory for a picture");
}
