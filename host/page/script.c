#include "page/script.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/text.h"

const char *const picture_format_names[PICTURE_FORMATS] = {"svg", "png", "pdf", "text"};

#define DEFAULT_WIDTH 720
#define DEFAULT_HEIGHT 430
#define DEFAULT_LEVELS 12
#define PIXELS_PER_INCH 100.0
#define TEXT_WIDTH 79
#define TEXT_HEIGHT 24
#define TEXT_FRAME_WIDTH 20 /* what axes take of a terminal */
#define TEXT_FRAME_HEIGHT 8
#define TEXT_CELL 3 /* letters of a cell of a heat map, at most */

/* Colours that can be read on white and on black. */
static const char *const colors[PICTURE_COLORS] = {"#2f7ed8", "#d9730d", "#2a9d5c", "#c2489b",
                                                   "#8a63d2", "#d64545", "#1f9aa8", "#8a8f98"};

/* What SVG is written in; svg.c has a reader's dark colours take their place. */
#define INK "#000000"
#define GRID "#b4bcc4"
#define DARK_INK "#d8dee4"
#define DARK_GRID "#3d454d"
#define DARK_PAPER "#14181d"
#define LEVEL_INK "#333a42" /* of one level, on tints that are light for all readers */

static bool has_kind(const picture *picture, series_kind kind) {
    for (size_t i = 0; i < picture->series_count; i++)
        if (picture->series[i].kind == kind && !series_is_empty(&picture->series[i])) return true;
    return false;
}

/* ---- what the picture is drawn on ---------------------------------------------------------------------- */

/* In single quotes, where gnuplot looks for nothing but their end. */
static void put_quoted(FILE *stream, const char *text) {
    bool may_be_shown = false;
    fputc('\'', stream);
    for (size_t left = strlen(text), step = 0; left > 0; left -= step, text += step) {
        step = text_character(text, left, &may_be_shown);
        if (may_be_shown) fprintf(stream, "%s%.*s", *text == '\'' ? "'" : "", (int)step, text);
        if (!may_be_shown) fputc('?', stream);
    }
    fputc('\'', stream);
}

static size_t or_default(size_t value, size_t otherwise) {
    return value != 0 ? value : otherwise;
}

/* Letters that a cell of the widest heat map takes in text; 0 without one. */
static size_t text_cell(const picture *picture, size_t *rows, size_t *columns) {
    *rows = *columns = 0;
    for (size_t i = 0; i < picture->series_count; i++) {
        const picture_series *series = &picture->series[i];
        if (series->kind != SERIES_HEAT_MAP) continue;
        if (series->rows > *rows) *rows = series->rows;
        if (series->columns > *columns) *columns = series->columns;
    }
    if (*columns == 0) return 0;
    const size_t fits = (or_default(picture->text_width, TEXT_WIDTH) - TEXT_FRAME_WIDTH) / *columns;
    return fits < 1 ? 1 : fits > TEXT_CELL ? TEXT_CELL : fits;
}

/* A heat map in letters has a letter or three for each cell, and no more. */
static void put_text_terminal(FILE *stream, const picture *picture) {
    size_t rows, columns, width = or_default(picture->text_width, TEXT_WIDTH);
    size_t height = or_default(picture->text_height, TEXT_HEIGHT);
    const size_t cell = text_cell(picture, &rows, &columns);
    const size_t frame_width = picture->is_bare ? 1 : TEXT_FRAME_WIDTH;
    const size_t frame_height = picture->is_bare ? 1 : TEXT_FRAME_HEIGHT;
    if (cell > 0 && columns * cell + frame_width < width) width = columns * cell + frame_width;
    if (cell > 0 && rows + frame_height < 2 * height) height = rows + frame_height;
    if (picture->panel_count > 0) height *= picture->panel_count;
    fprintf(stream, "set terminal dumb mono noenhanced size %zu,%zu\n", width, height);
}

static void put_terminal(FILE *stream, const picture *picture, picture_format format) {
    const size_t width = or_default(picture->width, DEFAULT_WIDTH);
    const size_t height = or_default(picture->height, DEFAULT_HEIGHT);
    const char *paper = picture->is_dark ? DARK_PAPER : "#ffffff";
    switch (format) {
    case PICTURE_PNG:
        fprintf(stream, "set terminal pngcairo noenhanced font 'sans,11' background rgb '%s' size %zu,%zu\n",
                paper, width, height);
        break;
    case PICTURE_PDF:
        fprintf(stream,
                "set terminal pdfcairo noenhanced font 'sans,11' background rgb '%s' size %.2fin,%.2fin\n",
                paper, (double)width / PIXELS_PER_INCH, (double)height / PIXELS_PER_INCH);
        break;
    case PICTURE_TEXT:
        put_text_terminal(stream, picture);
        break;
    default:
        fprintf(stream, "set terminal svg noenhanced font 'sans-serif,15' dynamic size %zu,%zu\n", width,
                height);
    }
}

/* ---- axes ------------------------------------------------------------------------------------------------ */

static void put_range(FILE *stream, const char *name, const picture_axis *axis) {
    const bool is_given = axis->least != 0.0 || axis->most != 0.0;
    if (!is_given && !axis->is_reversed) return;
    fprintf(stream, "set %srange ", name);
    if (is_given)
        fprintf(stream, "[%.17g:%.17g]", axis->least, axis->most);
    else
        fputs("[*:*]", stream);
    fputs(axis->is_reversed ? " reverse\n" : "\n", stream);
}

/* offset: of the label, "" or as gnuplot writes it. */
static void put_axis(FILE *stream, const char *name, const picture_axis *axis, const char *ink,
                     const char *offset) {
    if (axis->label != NULL) {
        fprintf(stream, "set %slabel ", name);
        put_quoted(stream, axis->label);
        fprintf(stream, "%s textcolor rgb '%s'\n", offset, ink);
    }
    if (axis->is_log) fprintf(stream, "set logscale %s\n", name);
    if (axis->step > 0.0) fprintf(stream, "set %stics %.17g\n", name, axis->step);
    put_range(stream, name, axis);
    if (axis->names == NULL) return;
    fprintf(stream, "set %stics (", name);
    for (size_t i = 0; i < axis->name_count; i++) {
        if (i > 0) fputs(", ", stream);
        put_quoted(stream, axis->names[i]);
        fprintf(stream, " %zu", i);
    }
    fputs(")\n", stream);
}

static void put_palette(FILE *stream, const picture *picture) {
    static const char *const definitions[] = {
        [PALETTE_SEQUENTIAL] = "0 '#440154', 1 '#3b528b', 2 '#21918c', 3 '#5ec962', 4 '#fde725'",
        [PALETTE_DIVERGING] = "0 '#2166ac', 1 '#92c5de', 2 '#f7f7f7', 3 '#f4a582', 4 '#b2182b'",
        [PALETTE_GRAY] = "0 '#000000', 1 '#ffffff'",
        [PALETTE_CLASSES] = ("0 '#cfe2f6', 1 '#f8dcc0', 2 '#cceadb', 3 '#f0d2e7', 4 '#e0d6f3', 5 '#f5d1d1', "
                             "6 '#cbe9ed', 7 '#dfe1e4'")};
    /* Lines have to be seen on white and on black, and beside paths in colours. */
    static const char lines[] = "0 '#b4bcc4', 1 '#6a737c'";
    const bool has_lines = has_kind(picture, SERIES_CONTOUR) && picture->palette == PALETTE_SEQUENTIAL;
    fprintf(stream, "set palette defined (%s)\n", has_lines ? lines : definitions[picture->palette]);
}

static void put_look(FILE *stream, const picture *picture, picture_format format) {
    const bool is_dark = picture->is_dark && format != PICTURE_SVG;
    const char *ink = is_dark ? DARK_INK : INK, *grid = is_dark ? DARK_GRID : GRID;
    for (size_t i = 0; i < PICTURE_COLORS; i++)
        fprintf(stream, "set linetype %zu linecolor rgb '%s' linewidth 2 pointtype %zu pointsize 0.6\n",
                i + 1, colors[i], (size_t[]){7, 5, 9, 13, 11, 6, 4, 8}[i]);
    if (has_kind(picture, SERIES_BOXES)) fputs("set boxwidth 0.7 relative\n", stream);
    fprintf(stream, "set border 3 linecolor rgb '%s'\n", ink);
    fprintf(stream, "set tics nomirror textcolor rgb '%s'\n", ink);
    if (format != PICTURE_TEXT)
        fprintf(stream, "set grid linetype 1 linewidth 0.5 linecolor rgb '%s'\n", grid);
    fprintf(stream, "set key outside %s center horizontal width 1 textcolor rgb '%s'\n",
            has_kind(picture, SERIES_SURFACE) ? "top" : "bottom", ink);
    if (picture->title != NULL) {
        fputs("set title ", stream);
        put_quoted(stream, picture->title);
        fprintf(stream, " textcolor rgb '%s'\n", ink);
    }
    /* The key lies below the label of x; letters have lines of their own for both. */
    put_axis(stream, "x", &picture->x, ink, format == PICTURE_TEXT ? "" : " offset 0,0.7");
    put_axis(stream, "y", &picture->y, ink, "");
    put_axis(stream, "z", &picture->z, ink, format == PICTURE_TEXT ? "" : " rotate by 90 offset 1,0");
    put_axis(stream, "cb", &picture->color, ink, "");
    if (has_kind(picture, SERIES_HEAT_MAP) || has_kind(picture, SERIES_CONTOUR) ||
        has_kind(picture, SERIES_SURFACE))
        put_palette(stream, picture);
    if (has_kind(picture, SERIES_HEAT_MAP)) fputs("unset grid\n", stream);
    if (has_kind(picture, SERIES_SURFACE))
        fprintf(stream, "set border 31\nset view 52,30,1.1,1.1\nset xyplane relative 0.1\nunset colorbox\n%s",
                format == PICTURE_TEXT ? "set hidden3d front\n" : ""); /* else paths are seen through it */
    if (picture->has_no_key) fputs("unset key\n", stream);
    if (picture->palette == PALETTE_CLASSES)
        fprintf(stream, "set cbrange [0:%d]\nunset colorbox\n", PICTURE_COLORS - 1);
    if (picture->has_square_units) fputs("set size ratio -1\n", stream);
    if (picture->is_bare)
        fputs("unset border\nunset tics\nunset grid\nunset colorbox\nset margins 0,0,0,0\n", stream);
}

/* ---- series ---------------------------------------------------------------------------------------------- */

/* What shades a cell in letters: dark to bright, where there are no colours. */
static void put_shades(FILE *stream, const picture *picture) {
    double least = picture->color.least, most = picture->color.most;
    size_t rows, columns;
    const size_t cell = text_cell(picture, &rows, &columns);
    if (cell == 0) return;
    for (size_t i = 0; least == most && i < picture->series_count; i++) {
        const picture_series *series = &picture->series[i];
        double low = INFINITY, high = -INFINITY;
        if (series->kind != SERIES_HEAT_MAP) continue;
        for (size_t k = 0; k < series->rows * series->columns; k++) {
            if (!isfinite(series->values[k])) continue;
            if (series->values[k] < low) low = series->values[k];
            if (series->values[k] > high) high = series->values[k];
        }
        if (low <= high) least = low, most = high;
    }
    const double step = most > least ? most - least : 1.0;
    fputs("shades = \".:-=+*#%@\"\n", stream);
    fprintf(stream, "place(v) = v <= %.17g ? 1 : v >= %.17g ? 9 : 1 + int(9 * (v - %.17g) / %.17g)\n", least,
            most, least, step);
    fputs("letter(v) = shades[place(v):place(v)]\n", stream);
    fputs("shade(v) = letter(v)", stream);
    for (size_t i = 1; i < cell; i++)
        fputs(" . letter(v)", stream);
    fputs("\nset offsets 0.5, 0.5, 0.5, 0.5\n", stream);
}

/* The lines of a grid, as data of their own: gnuplot finds them by drawing into a table. */
static void put_contours(FILE *stream, const picture *picture, const char *data) {
    size_t index = 0;
    for (size_t i = 0; i < picture->series_count; i++) {
        const picture_series *series = &picture->series[i];
        if (series_is_empty(series)) continue;
        if (series->kind == SERIES_CONTOUR) {
            fputs("set contour base\nunset surface\n", stream);
            if (picture->levels == 1)
                fprintf(stream, "set cntrparam levels discrete %.17g\n", picture->level);
            else
                fprintf(stream, "set cntrparam levels auto %zu\n",
                        or_default(picture->levels, DEFAULT_LEVELS));
            fprintf(stream, "set table $contour%zu\nsplot %s index %zu using 1:2:3\n", index, data, index);
            fputs("unset table\nunset contour\nset surface\n", stream);
        }
        index++;
    }
}

/* Which columns, and how they are drawn. */
static const char *style_of(const picture *picture, const picture_series *series, picture_format format) {
    const bool has_z = series->z != NULL, is_text = format == PICTURE_TEXT;
    switch (series->kind) {
    case SERIES_POINTS:
        return has_z ? "using 1:2:3 with points" : "using 1:2 with points";
    case SERIES_LINES_POINTS:
        return has_z ? "using 1:2:3 with linespoints" : "using 1:2 with linespoints";
    case SERIES_STEPS:
        return "using 1:2 with steps";
    case SERIES_BOXES:
        return "using 1:2 with boxes fill solid 0.5";
    case SERIES_ERROR_BARS:
        return "using 1:2:3:4 with yerrorbars";
    case SERIES_BAND:
        return is_text ? "using 1:2:3 with filledcurves"
                       : "using 1:2:3 with filledcurves fill transparent solid 0.25 noborder";
    case SERIES_LABELS:
        return has_z ? "using 1:2:3:4 with labels" : "using 1:2:3 with labels";
    case SERIES_HEAT_MAP:
        return is_text                 ? "using 1:2:(valid(3) ? shade($3) : ' ') with labels"
               : format == PICTURE_SVG ? "using 1:2:3 with image"
                                       : "using 1:2:3 with image pixels";
    case SERIES_CONTOUR:
        return is_text || picture->levels == 1 ? "using 1:2 with lines"
                                               : "using 1:2:3 with lines linewidth 1.2 linecolor palette";
    case SERIES_SURFACE:
        return is_text ? "using 1:2:3 with lines" : "using 1:2:3 with pm3d";
    default:
        return has_z ? "using 1:2:3 with lines" : "using 1:2 with lines";
    }
}

static void put_color(FILE *stream, const picture *picture, const picture_series *series, size_t place,
                      picture_format format) {
    const bool is_dark = picture->is_dark && format != PICTURE_SVG;
    const bool is_line = series->kind == SERIES_CONTOUR && picture->levels == 1;
    if (series->kind >= SERIES_HEAT_MAP && !is_line) return;
    const char *attribute = series->kind == SERIES_LABELS ? "textcolor" : "linecolor";
    if (is_line)
        fprintf(stream, " linecolor rgb '%s' linewidth 2", LEVEL_INK);
    else if (series->color == PICTURE_INK || (series->kind == SERIES_LABELS && series->color == 0))
        fprintf(stream, " %s rgb '%s'", attribute, is_dark ? DARK_INK : INK);
    else if (series->kind == SERIES_LABELS)
        fprintf(stream, " textcolor linetype %d", series->color);
    else
        fprintf(stream, " linetype %zu",
                series->color > 0 ? (size_t)series->color : place % PICTURE_COLORS + 1);
    if (series->is_faint) fputs(" dashtype 2 linewidth 1", stream);
}

/* Those of a panel, of those that lie in the data. */
static void put_series(FILE *stream, const picture *picture, size_t panel, picture_format format,
                       const char *data) {
    size_t index = 0;
    bool is_first = true;
    fputs(has_kind(picture, SERIES_SURFACE) ? "splot " : "plot ", stream);
    for (size_t i = 0; i < picture->series_count; i++) {
        const picture_series *series = &picture->series[i];
        if (series_is_empty(series)) continue;
        if (series->panel != panel) {
            index++;
            continue;
        }
        if (!is_first) fputs(", \\\n     ", stream);
        is_first = false;
        if (series->kind == SERIES_CONTOUR)
            fprintf(stream, "$contour%zu %s", index, style_of(picture, series, format));
        else
            fprintf(stream, "%s index %zu %s", data, index, style_of(picture, series, format));
        put_color(stream, picture, series, i, format);
        fputs(series->title != NULL ? " title " : " notitle", stream);
        if (series->title != NULL) put_quoted(stream, series->title);
        index++;
    }
    fputc('\n', stream);
}

/* Panels are laid out as a square, or a wide rectangle; letters have no room for two beside one another. */
static size_t panel_columns(const picture *picture, picture_format format) {
    size_t columns = 1;
    while (columns * (columns - 1) < picture->panel_count)
        columns++;
    if (picture->panel_count < 4) columns = picture->panel_count;
    return format == PICTURE_TEXT ? 1 : columns;
}

static void put_panels(FILE *stream, const picture *picture, picture_format format, const char *data) {
    const size_t columns = panel_columns(picture, format);
    fprintf(stream, "set multiplot layout %zu,%zu", (picture->panel_count + columns - 1) / columns, columns);
    if (picture->title != NULL) {
        fputs(" title ", stream);
        put_quoted(stream, picture->title);
    }
    fputs("\nunset key\nunset colorbox\n", stream);
    for (size_t i = 0; i < picture->panel_count; i++) {
        fputs("set title ", stream);
        put_quoted(stream, picture->panels[i]);
        fputc('\n', stream);
        put_series(stream, picture, i, format, data);
    }
    fputs("unset multiplot\n", stream);
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

static tanda_status check(const picture *picture, tanda_error *error) {
    for (size_t i = 0; i < picture->series_count; i++)
        if (!series_is_empty(&picture->series[i])) return TANDA_OK;
    return fail(error, TANDA_FAILED, "%s: there is nothing to draw", picture->name);
}

/* Where the data is; and for who opens the file, what it is for. */
static void put_source(FILE *stream, const picture *picture, picture_format format, const char *stem) {
    if (stem == NULL) {
        fputs("$data << end\n", stream);
        picture_put_data(stream, picture);
        fputs("end\n", stream);
        return;
    }
    const char *suffix = picture_format_names[format];
    fprintf(stream, "# gnuplot %s.gnuplot", stem);
    if (format != PICTURE_TEXT) fprintf(stream, " > %s.%s", stem, suffix);
    fputs("\ndata = './' . ", stream);
    put_quoted(stream, stem);
    fputs(" . '.dat'\n", stream);
}

static void put_script(FILE *stream, const picture *picture, picture_format format, const char *stem) {
    const char *data = stem != NULL ? "data" : "$data";
    put_source(stream, picture, format, stem);
    fputs("set encoding utf8\n", stream);
    put_contours(stream, picture, data);
    put_terminal(stream, picture, format);
    put_look(stream, picture, format);
    if (format == PICTURE_TEXT) put_shades(stream, picture);
    if (picture->panel_count > 0)
        put_panels(stream, picture, format, data);
    else
        put_series(stream, picture, 0, format, data);
}

tanda_status picture_script(const picture *picture, picture_format format, const char *stem, char **script,
                            tanda_error *error) {
    size_t size = 0;
    *script = NULL;
    const tanda_status status = check(picture, error);
    if (status != TANDA_OK) return status;
    FILE *stream = open_memstream(script, &size);
    if (stream == NULL) return fail(error, TANDA_FAILED, "no memory for a picture");
    put_script(stream, picture, format, stem);
    return picture_text_end(stream, script, error);
}
