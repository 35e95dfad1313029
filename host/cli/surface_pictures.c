/* The plane of the cost, in pictures. */
#include <math.h>

#include "cli/surface_report.h"
#include "cli/surface_texts.h"
#include "cli/trace_symbols.h"

#define SAY(id) TEXT_IN(view->language, id)
#define FAR_APART 100.0  /* costs: then their logarithm is drawn */
#define MARKED_POINTS 40 /* of a path; more would hide it */
#define WIDTH 720
#define HEIGHT 560

const char *path_name(const surface_path *path) {
    return optimizer_name(path->training->optimizer.kind);
}

/* ---- axes ------------------------------------------------------------------------------------------------ */

/* The symbol of a parameter by its place. */
static const char *symbol_of(const tanda_model *model, size_t place, bool *is_bias, char made[SYMBOL_SIZE]) {
    for (size_t i = 0; i < model->layer_count; i++)
        for (size_t unit = 0; unit < model->layers[i].outputs; unit++)
            for (size_t input = 0; input <= model->layers[i].fan_in; input++) {
                *is_bias = input == 0;
                if (weight_place(model, i, unit, input) == place)
                    return weight_symbol(model, i, unit, input, made);
            }
    return "";
}

const char *plane_axis(const surface_view *view, size_t axis, char text[AXIS_NAME_SIZE]) {
    char symbol[SYMBOL_SIZE];
    bool is_bias = false;
    if (view->surface->axes == SURFACE_DIRECTIONS) {
        text_put(text, AXIS_NAME_SIZE, SAY(surface_direction_name), (int)axis + 1);
        return text;
    }
    const char *name = symbol_of(view->model, view->surface->weight[axis], &is_bias, symbol);
    text_put(text, AXIS_NAME_SIZE, is_bias ? SAY(surface_bias) : "%s", name);
    return text;
}

static void set_axes(const surface_view *view, drawing *drawing) {
    const surface *surface = view->surface;
    picture_axis *const axes[] = {&drawing->picture.x, &drawing->picture.y};
    const double *const values[] = {surface->x, surface->y};
    char text[AXIS_NAME_SIZE];
    for (size_t axis = 0; axis < 2; axis++)
        *axes[axis] = (picture_axis){.label = drawing_text(drawing, "%s", plane_axis(view, axis, text)),
                                     .least = values[axis][0],
                                     .most = values[axis][surface->side - 1]};
}

/* ---- the plane ------------------------------------------------------------------------------------------- */

/* Whether the grid's costs are above 0 and lie so far apart that only their logarithm shows the valley. */
static bool is_steep(const surface *surface) {
    double least = INFINITY, most = 0.0;
    for (size_t i = 0; i < surface->side * surface->side; i++) {
        if (!isfinite(surface->costs[i])) continue;
        if (surface->costs[i] < least) least = surface->costs[i];
        if (surface->costs[i] > most) most = surface->costs[i];
    }
    return least > 0.0 && most > FAR_APART * least;
}

static double height_of(double cost, bool is_log) {
    return !is_log ? cost : cost > 0.0 ? log10(cost) : NAN;
}

static double *heights_of(drawing *drawing, const double *costs, size_t count, bool is_log) {
    double *heights = drawing_numbers(drawing, count);
    for (size_t i = 0; heights != NULL && i < count; i++)
        heights[i] = height_of(costs[i], is_log);
    return heights;
}

/* Points outside the grid are gaps; inside, the path in space has the height of the costs. */
static void add_path(const surface_view *view, const surface_path *path, bool in_space, bool is_log,
                     drawing *drawing) {
    const surface *surface = view->surface;
    double *z = heights_of(drawing, path->costs, path->count, is_log);
    double *x = heights_of(drawing, path->x, path->count, false);
    for (size_t i = 0; x != NULL && i < path->count; i++)
        if (path->x[i] < surface->x[0] || path->x[i] > surface->x[surface->side - 1] ||
            path->y[i] < surface->y[0] || path->y[i] > surface->y[surface->side - 1])
            x[i] = NAN;
    drawing_add(drawing,
                &(picture_series){.kind = path->count <= MARKED_POINTS ? SERIES_LINES_POINTS : SERIES_LINES,
                                  .title = path_name(path),
                                  .count = path->count,
                                  .x = x,
                                  .y = path->y,
                                  .z = in_space ? z : NULL,
                                  .color = view->is_text ? 0 : (int)(path - surface->paths) + 1});
}

static void add_start(const surface_view *view, drawing *drawing) {
    const surface_path *path = &view->surface->paths[0];
    const char **labels = drawing_texts(drawing, 1);
    if (labels == NULL) return;
    labels[0] = SAY(surface_start);
    drawing_add(
        drawing,
        &(picture_series){.kind = SERIES_LABELS, .count = 1, .x = path->x, .y = path->y, .labels = labels});
}

static tanda_status draw_plane(const surface_view *view, bool in_space, drawing *drawing,
                               tanda_error *error) {
    const surface *surface = view->surface;
    const bool is_log = is_steep(surface);
    const char *label = is_log ? SAY(surface_log_cost) : SAY(surface_cost);
    picture *picture = &drawing->picture;
    set_axes(view, drawing);
    picture->width = WIDTH;
    picture->height = HEIGHT;
    picture->text_height = 34;
    picture->color.label = in_space ? NULL : label;
    picture->z.label = in_space ? label : NULL;
    drawing_add(drawing, &(picture_series){.kind = in_space ? SERIES_SURFACE : SERIES_CONTOUR,
                                           .rows = surface->side,
                                           .columns = surface->side,
                                           .x = surface->x,
                                           .y = surface->y,
                                           .values = heights_of(drawing, surface->costs,
                                                                surface->side * surface->side, is_log)});
    for (size_t i = 0; i < surface->path_count; i++)
        add_path(view, &surface->paths[i], in_space, is_log, drawing);
    if (!in_space) add_start(view, drawing);
    return drawing_end(drawing, error);
}

tanda_status draw_contour(const surface_view *view, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = "contour",
                                 .title = view->surface->is_projected ? SAY(surface_contour_projected)
                                                                      : SAY(surface_contour),
                                 .levels = 20};
    return draw_plane(view, false, drawing, error);
}

tanda_status draw_landscape(const surface_view *view, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = "surface", .title = SAY(surface_surface)};
    return draw_plane(view, true, drawing, error);
}

/* ---- descent --------------------------------------------------------------------------------------------- */

tanda_status draw_descent(const surface_view *view, drawing *drawing, tanda_error *error) {
    double least = INFINITY, most = 0.0;
    drawing->picture = (picture){.name = "descent",
                                 .title = SAY(surface_descent),
                                 .x = {.label = SAY(surface_step)},
                                 .y = {.label = SAY(surface_cost)}};
    for (size_t i = 0; i < view->surface->path_count; i++) {
        const surface_path *path = &view->surface->paths[i];
        double *steps = drawing_numbers(drawing, path->count);
        for (size_t k = 0; steps != NULL && k < path->count; k++) {
            steps[k] = (double)path->steps[k];
            if (path->costs[k] < least) least = path->costs[k];
            if (path->costs[k] > most) most = path->costs[k];
        }
        drawing_add(drawing, &(picture_series){.kind = path->count > 1 ? SERIES_LINES : SERIES_POINTS,
                                               .title = path_name(path),
                                               .count = path->count,
                                               .x = steps,
                                               .y = path->costs,
                                               .color = view->is_text ? 0 : (int)i + 1});
    }
    drawing->picture.y.is_log = least > 0.0 && most > FAR_APART * least;
    return drawing_end(drawing, error);
}
