/* The plane of the cost, in pictures. */
#include <math.h>

#include "cli/surface_report.h"
#include "cli/surface_texts.h"
#include "cli/trace_symbols.h"

#define SAY(id) TEXT_IN(view->language, id)
#define STEEP 10.0     /* costs of the plane so far apart: their logarithm is drawn */
#define FAR_APART 50.0 /* the same of costs by step */
#define DRAWN_SIDE 25  /* of the surface; more would be large, and shows no more */
#define TEXT_SIDE 13
#define BESIDE 0.035     /* of the height */
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
    return least > 0.0 && most > STEEP * least;
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

/* Beside the first weights, where no path goes to. */
static void add_start(const surface_view *view, drawing *drawing) {
    const surface *surface = view->surface;
    const surface_path *path = &surface->paths[0];
    const double height = surface->y[surface->side - 1] - surface->y[0];
    const bool goes_down = path->count > 1 && path->y[1] < path->y[0];
    const char **labels = drawing_texts(drawing, 1);
    double *y = drawing_numbers(drawing, 1);
    if (drawing->failed) return;
    labels[0] = SAY(surface_start);
    y[0] = path->y[0] + (goes_down ? 1.0 : -1.0) * BESIDE * height;
    drawing_add(drawing,
                &(picture_series){.kind = SERIES_LABELS, .count = 1, .x = path->x, .y = y, .labels = labels});
}

/* So many rows and columns of the grid, the first and the last among them. */
static void add_grid(const surface *surface, bool in_space, bool is_log, size_t drawn, drawing *drawing) {
    double *x = drawing_numbers(drawing, drawn), *y = drawing_numbers(drawing, drawn);
    double *heights = drawing_numbers(drawing, drawn * drawn);
    for (size_t i = 0; !drawing->failed && i < drawn * drawn; i++) {
        const size_t row = i / drawn * (surface->side - 1) / (drawn - 1);
        const size_t column = i % drawn * (surface->side - 1) / (drawn - 1);
        y[i / drawn] = surface->y[row];
        x[i % drawn] = surface->x[column];
        heights[i] = height_of(surface->costs[row * surface->side + column], is_log);
    }
    drawing_add(drawing, &(picture_series){.kind = in_space ? SERIES_SURFACE : SERIES_CONTOUR,
                                           .rows = drawn,
                                           .columns = drawn,
                                           .x = x,
                                           .y = y,
                                           .values = heights});
}

static tanda_status draw_plane(const surface_view *view, bool in_space, drawing *drawing,
                               tanda_error *error) {
    const surface *surface = view->surface;
    const bool is_log = is_steep(surface);
    const size_t most = !in_space ? surface->side : view->is_text ? TEXT_SIDE : DRAWN_SIDE;
    const char *label = is_log ? SAY(surface_log_cost) : SAY(surface_cost);
    picture *picture = &drawing->picture;
    set_axes(view, drawing);
    picture->width = WIDTH;
    picture->height = HEIGHT;
    picture->text_height = 34;
    picture->color.label = in_space ? NULL : label;
    picture->z.label = in_space ? label : NULL;
    add_grid(surface, in_space, is_log, most < surface->side ? most : surface->side, drawing);
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
