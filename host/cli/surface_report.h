/* What tanda surface shows: a document, its pictures alone, and the same as JSON. */
#ifndef TANDA_CLI_SURFACE_REPORT_H
#define TANDA_CLI_SURFACE_REPORT_H

#include "cli/document.h"
#include "cli/drawing.h"
#include "cli/report.h"

typedef struct surface_view {
    const surface *surface;
    tanda_model *model;            /* its weights are exchanged for a moment where rows are predicted */
    const tanda_dataset *training; /* scaled */
    tanda_device *device;
    const char *path; /* of the data */
    uint64_t seed;
    double l1, l2;
    size_t frames; /* of decision regions, at most */
    language language;
    bool is_text; /* pictures are of letters */
} surface_view;

/* Makes a picture; without a series where the model has nothing of the kind. Freed by drawing_free whatever it returns. */
typedef tanda_status surface_drawer(const surface_view *view, drawing *drawing, tanda_error *error);

surface_drawer draw_contour, draw_landscape, draw_descent, draw_output, draw_regions;

/* The optimizer of a path. */
const char *path_name(const surface_path *path);

/* What the axes of the plane are called. */
#define AXIS_NAME_SIZE 96
const char *plane_axis(const surface_view *view, size_t axis, char text[AXIS_NAME_SIZE]);

/* Whether the model has decision regions; how many frames; and one of them alone. Its classes: "● setosa, ■ virginica". */
bool has_regions(const surface_view *view);
size_t region_frames(const surface_view *view);
tanda_status draw_region(const surface_view *view, size_t frame, drawing *drawing, tanda_error *error);
const char *region_classes(const surface_view *view, drawing *drawing);

/* What draw_output draws: nothing, a curve, or a border in the plane of two features. */
typedef enum output_kind { OUTPUT_NONE, OUTPUT_CURVE, OUTPUT_BORDER } output_kind;
output_kind output_drawn(const surface_view *view);

/* All but the title; content: const surface_view *. */
document_writer write_surface;
#define SURFACE_TITLE_SIZE 256
void surface_title_text(const surface_view *view, char title[SURFACE_TITLE_SIZE]);

/* The pictures' names, and one of them, as a surface_drawer; TANDA_USAGE, naming --only, where the model has nothing of the kind. */
#define SURFACE_PARTS 5
extern const char *const surface_parts[SURFACE_PARTS];
tanda_status draw_surface_part(const surface_view *view, size_t part, drawing *drawing, tanda_error *error);

/* The members of the object. */
void report_surface(report *report, const surface_view *view);

#endif
