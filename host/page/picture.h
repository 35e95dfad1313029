/* A picture, described once; draw.h draws it as SVG, PNG, PDF or letters. */
#ifndef TANDA_PAGE_PICTURE_H
#define TANDA_PAGE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum picture_format {
    PICTURE_SVG, /* follows the reader's light or dark */
    PICTURE_PNG,
    PICTURE_PDF,
    PICTURE_TEXT, /* for a terminal */
    PICTURE_FORMATS
} picture_format;

/* "svg", "png", "pdf", "text": for --format. */
extern const char *const picture_format_names[PICTURE_FORMATS];

typedef enum series_kind {
    SERIES_LINES,
    SERIES_POINTS,
    SERIES_LINES_POINTS,
    SERIES_STEPS,
    SERIES_BOXES,
    SERIES_ERROR_BARS, /* points from low to high */
    SERIES_BAND,       /* the area between low and high */
    SERIES_LABELS,     /* a text at each point */
    SERIES_HEAT_MAP,   /* a grid in colours; of even steps, so not on a logarithmic axis */
    SERIES_CONTOUR,    /* lines of equal value of a grid */
    SERIES_SURFACE     /* a grid in three dimensions: all other series of the picture then have z */
} series_kind;

/*
 * One series; arrays are borrowed. What is not finite leaves a gap. A grid has values (rows, columns), x (columns) and
 * y (rows), where NULL is 0, 1, 2...
 */
typedef struct picture_series {
    series_kind kind;
    const char *title; /* in the key; NULL: not there */
    size_t count;      /* points; a grid has rows and columns instead. 0: the series is left out */
    const double *x, *y, *z;
    const double *low, *high;
    const char *const *labels;
    size_t rows, columns;
    const double *values;
    int color;     /* 1 to PICTURE_COLORS, PICTURE_INK; 0: by its place in the picture */
    size_t panel;  /* where the picture has panels */
    bool is_faint; /* dashed and thin: a limit, a prediction, a border */
} picture_series;

static inline bool series_is_grid(const picture_series *series) {
    return series->kind >= SERIES_HEAT_MAP;
}

static inline bool series_is_empty(const picture_series *series) {
    return series_is_grid(series) ? series->rows == 0 || series->columns == 0 : series->count == 0;
}

#define PICTURE_COLORS 8
#define PICTURE_INK (-1)

typedef struct picture_axis {
    const char *label; /* NULL: none */
    bool is_log;
    bool is_reversed;
    double least, most;       /* both 0: from the data */
    double step;              /* between two tics; 0: as gnuplot likes */
    const char *const *names; /* of the places 0, 1, 2...; NULL: numbers */
    size_t name_count;
} picture_axis;

typedef enum picture_palette {
    PALETTE_SEQUENTIAL,
    PALETTE_DIVERGING,
    PALETTE_GRAY,
    PALETTE_CLASSES /* of values 0 to PICTURE_COLORS - 1: a light tint of each colour, and what lies between */
} picture_palette;

typedef struct picture {
    const char *name;  /* of its files and of its ids in a page: letters, digits, '-' and '_' */
    const char *title; /* or NULL */
    picture_axis x, y, z;
    picture_axis color;      /* of a heat map: label and range; PALETTE_DIVERGING wants a symmetric range */
    picture_palette palette; /* of heat maps, contours and surfaces */
    size_t levels;           /* of contours; 0: 12; 1: at `level`, in ink */
    double level;
    const char *const
        *panels; /* titles of plots side by side, which have axes and looks in common; NULL: one plot */
    size_t panel_count;
    bool has_square_units; /* one unit is as long on y as on x */
    bool has_no_key;
    bool is_bare;                   /* no axes, as for weights that are shown as an image */
    bool is_dark;                   /* PNG and PDF; SVG follows its reader, text its terminal */
    size_t width, height;           /* pixels; 0: 720 x 430 */
    size_t text_width, text_height; /* letters; 0: 79 x 24 */
    const picture_series *series;
    size_t series_count;
} picture;

#endif
