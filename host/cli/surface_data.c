/* A model of one or two features over its data: the sigmoid with its border, and decision regions as training goes on. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/surface_report.h"
#include "cli/surface_texts.h"

#define SAY(id) TEXT_IN(view->language, id)
#define CURVE_POINTS 241
#define REGION_SIDE 72
#define REGION_TEXT_COLUMNS 56
#define REGION_TEXT_ROWS 20
#define SHOWN_ROWS 800     /* more would hide the picture */
#define SHOWN_IN_FRAME 200 /* of several */
#define TICS 4
#define SPACE 0.08 /* around the data */
#define FRAME_WIDTH 340
#define FRAME_HEIGHT 320
#define PANEL_SIDE 270

/* ---- the data -------------------------------------------------------------------------------------------- */

/* In the units of the data. */
static double unscaled(const tanda_model *model, size_t feature, double value) {
    const scaling *scaling = &model->scaling;
    if (scaling->features == 0) return value;
    const double factor = (double)scaling->factor[feature];
    const double origin = scaling->origin != NULL ? scaling->origin[feature] : 0.0;
    return (factor != 0.0 ? value / factor : 0.0) + (double)scaling->center[feature] + origin;
}

static const char *feature_name(const surface_view *view, size_t feature) {
    static const char *const symbols[] = {"x₁", "x₂"};
    char *const *names = view->model->feature_names;
    return names != NULL ? names[feature] : symbols[feature];
}

static const char *class_name(const surface_view *view, size_t index, drawing *drawing) {
    char *const *names = view->model->class_names;
    return names != NULL ? names[index] : drawing_text(drawing, "%zu", index);
}

/* Of a feature in the rows, as they are scaled, with some space around. */
static void find_range(const tanda_dataset *rows, size_t feature, double range[2]) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < rows->rows; i++) {
        const double value = (double)rows->values[i * rows->features + feature];
        if (value < least) least = value;
        if (value > most) most = value;
    }
    const double space = most > least ? SPACE * (most - least) : 1.0;
    range[0] = least - space;
    range[1] = most + space;
}

static double between(const double range[2], size_t i, size_t count) {
    return range[0] + (range[1] - range[0]) * (double)i / (double)(count - 1);
}

/* The rows of a class, or of quantities all; heights: of one feature, where they are to stand. */
static void add_rows(const surface_view *view, int index, size_t most, size_t panel, drawing *drawing) {
    const tanda_dataset *rows = view->training;
    const bool is_margin = !objective_gives_probabilities(view->model->loss);
    size_t count = 0, found = 0;
    for (size_t i = 0; i < rows->rows; i++)
        found += rows->classes == NULL || rows->classes[i] == index;
    const size_t stride = found / most + 1, shown = (found + stride - 1) / stride;
    double *x = drawing_numbers(drawing, shown), *y = drawing_numbers(drawing, shown);
    found = 0;
    for (size_t i = 0; !drawing->failed && i < rows->rows; i++) {
        const float *values = rows->values + i * rows->features;
        if ((rows->classes != NULL && rows->classes[i] != index) || found++ % stride != 0) continue;
        x[count] = unscaled(view->model, 0, (double)values[0]);
        y[count++] = rows->features == 2     ? unscaled(view->model, 1, (double)values[1])
                     : rows->classes == NULL ? (double)rows->targets[i]
                     : is_margin             ? 2.0 * index - 1.0
                                             : (double)index;
    }
    drawing_add(drawing,
                &(picture_series){.kind = SERIES_POINTS,
                                  .title = index < 0 ? NULL : class_name(view, (size_t)index, drawing),
                                  .count = count,
                                  .x = x,
                                  .y = y,
                                  .color = (index < 0 ? 0 : index % PICTURE_COLORS) + 1,
                                  .panel = panel});
}

/* One of several pictures, which are small. */
static bool is_frame(const drawing *drawing) {
    return drawing->picture.has_no_key || drawing->picture.panel_count > 0;
}

static void add_all_rows(const surface_view *view, size_t panel, drawing *drawing) {
    const size_t classes = view->training->classes == NULL ? 0 : model_classes(view->model);
    const size_t most = is_frame(drawing) ? SHOWN_IN_FRAME : SHOWN_ROWS;
    if (classes == 0) add_rows(view, -1, most, panel, drawing);
    for (size_t index = 0; index < classes; index++)
        add_rows(view, (int)index, most / classes + 1, panel, drawing);
}

/* ---- the output of one feature --------------------------------------------------------------------------- */

output_kind output_drawn(const surface_view *view) {
    const tanda_model *model = view->model;
    const size_t columns = tanda_prediction_columns(model);
    const bool is_class = model->task == TANDA_TASK_CLASSES && columns == 2;
    const bool is_quantity = model->task == TANDA_TASK_REGRESSION && columns == 1;
    if (model->features == 1 && (is_class || is_quantity)) return OUTPUT_CURVE;
    return model->features == 2 && model->layer_count == 1 && is_class ? OUTPUT_BORDER : OUTPUT_NONE;
}

/* Between tics, 1, 2 or 5 times a power of 10, so that there are few. */
static double few_tics(const picture_axis *axis) {
    const double step = (axis->most - axis->least) / TICS, power = pow(10.0, floor(log10(step)));
    return step > 5.0 * power ? 10.0 * power : step > 2.0 * power ? 5.0 * power : 2.0 * power;
}

/* Where the model is of two minds. */
static double border_level(const surface_view *view) {
    return objective_gives_probabilities(view->model->loss) ? 0.5 : 0.0;
}

/* The last column of what is predicted along the feature. */
static tanda_status add_curve(const surface_view *view, const float *parameters, bool is_first,
                              drawing *drawing, tanda_error *error) {
    const size_t columns = tanda_prediction_columns(view->model);
    float values[CURVE_POINTS], *predictions = NULL;
    double range[2], *x = drawing_numbers(drawing, CURVE_POINTS), *y = drawing_numbers(drawing, CURVE_POINTS);
    if (drawing->failed) return TANDA_OK; /* told at the end */
    find_range(view->training, 0, range);
    for (size_t i = 0; i < CURVE_POINTS; i++) {
        values[i] = (float)between(range, i, CURVE_POINTS);
        x[i] = unscaled(view->model, 0, (double)values[i]);
    }
    const tanda_status status =
        surface_predict(view->device, view->model, parameters, values, CURVE_POINTS, &predictions, error);
    for (size_t i = 0; status == TANDA_OK && i < CURVE_POINTS; i++)
        y[i] = (double)predictions[(i + 1) * columns - 1];
    free(predictions);
    if (status != TANDA_OK) return status;
    drawing_add(drawing, &(picture_series){.kind = SERIES_LINES,
                                           .title = is_first ? SAY(surface_before) : SAY(surface_after),
                                           .count = CURVE_POINTS,
                                           .x = x,
                                           .y = y,
                                           .color = view->is_text ? 0
                                                    : is_first    ? PICTURE_INK
                                                                  : 3,
                                           .is_faint = is_first});
    return TANDA_OK;
}

/* A vertical line at each crossing of the last curve with the level. */
static void add_borders(const surface_view *view, drawing *drawing) {
    const picture_series curve = drawing->series[drawing->count - 1];
    const double level = border_level(view);
    for (size_t i = 1; i < curve.count; i++) {
        const double before = curve.y[i - 1] - level, after = curve.y[i] - level;
        if ((before < 0.0) == (after < 0.0)) continue;
        double *x = drawing_numbers(drawing, 2), *y = drawing_numbers(drawing, 2);
        if (drawing->failed) return;
        x[0] = x[1] = curve.x[i - 1] + (curve.x[i] - curve.x[i - 1]) * before / (before - after);
        y[0] = 2.0 * level - 1.0;
        y[1] = 1.0;
        drawing_add(drawing, &(picture_series){.kind = SERIES_LINES,
                                               .title = drawing_text(drawing, SAY(surface_border),
                                                                     feature_name(view, 0), x[0]),
                                               .count = 2,
                                               .x = x,
                                               .y = y,
                                               .color = view->is_text ? 0 : 6,
                                               .is_faint = true});
    }
}

static tanda_status draw_curve(const surface_view *view, drawing *drawing, tanda_error *error) {
    const surface_path *path = &view->surface->paths[0];
    const tanda_model *model = view->model;
    picture_axis *y = &drawing->picture.y;
    drawing->picture.x.label = feature_name(view, 0);
    y->label = model->target_name;
    if (model->task == TANDA_TASK_CLASSES) {
        const char *index = class_name(view, 1, drawing);
        y->label = drawing_text(
            drawing, objective_gives_probabilities(model->loss) ? SAY(surface_probability) : "%s", index);
        y->least = border_level(view) > 0.0 ? -0.05 : -1.5;
        y->most = border_level(view) > 0.0 ? 1.05 : 1.5;
    }
    add_all_rows(view, 0, drawing);
    tanda_status status = add_curve(view, path->weights, true, drawing, error);
    if (status == TANDA_OK) status = add_curve(view, view->surface->centre, false, drawing, error);
    if (status == TANDA_OK && !drawing->failed) {
        const picture_series *curve = &drawing->series[drawing->count - 1];
        drawing->picture.x.least = curve->x[0];
        drawing->picture.x.most = curve->x[CURVE_POINTS - 1];
        if (model->task == TANDA_TASK_CLASSES) add_borders(view, drawing);
    }
    return status == TANDA_OK ? drawing_end(drawing, error) : status;
}

/* ---- the plane of two features --------------------------------------------------------------------------- */

/* The class at each place, or of two what stands for the second: its probability. (rows, columns) */
static tanda_status predict_plane(const surface_view *view, const float *parameters, picture_series *grid,
                                  drawing *drawing, tanda_error *error) {
    const size_t cells = grid->rows * grid->columns, columns = tanda_prediction_columns(view->model);
    double ranges[2][2], *x = drawing_numbers(drawing, grid->columns),
                         *y = drawing_numbers(drawing, grid->rows);
    double *values = drawing_numbers(drawing, cells);
    float *places = NULL, *predictions = NULL;
    if (drawing->failed) return TANDA_OK; /* told at the end */
    tanda_status status = allocate(&places, 2 * cells, sizeof *places, "places", error);
    if (status != TANDA_OK) return status;
    find_range(view->training, 0, ranges[0]);
    find_range(view->training, 1, ranges[1]);
    for (size_t i = 0; i < cells; i++) {
        places[2 * i] = (float)between(ranges[0], i % grid->columns, grid->columns);
        places[2 * i + 1] = (float)between(ranges[1], i / grid->columns, grid->rows);
        x[i % grid->columns] = unscaled(view->model, 0, (double)places[2 * i]);
        y[i / grid->columns] = unscaled(view->model, 1, (double)places[2 * i + 1]);
    }
    status = surface_predict(view->device, view->model, parameters, places, cells, &predictions, error);
    for (size_t i = 0; status == TANDA_OK && i < cells; i++) {
        const float *at = predictions + i * columns;
        size_t best = 0;
        for (size_t k = 1; k < columns; k++)
            if (at[k] > at[best]) best = k;
        values[i] = columns == 2 ? (double)at[1] : (double)(best % PICTURE_COLORS);
    }
    free(places);
    free(predictions);
    grid->x = x;
    grid->y = y;
    grid->values = values;
    return status;
}

/* The picture of one moment: what is said at each place, the border of two classes, the rows. */
static tanda_status add_moment(const surface_view *view, const float *parameters, size_t panel,
                               drawing *drawing, tanda_error *error) {
    picture_series grid = {.kind = SERIES_HEAT_MAP,
                           .rows = view->is_text ? REGION_TEXT_ROWS : REGION_SIDE,
                           .columns = view->is_text ? REGION_TEXT_COLUMNS : REGION_SIDE,
                           .panel = panel};
    const size_t columns = tanda_prediction_columns(view->model);
    const tanda_status status = predict_plane(view, parameters, &grid, drawing, error);
    if (status != TANDA_OK || drawing->failed) return status;
    drawing->picture.x =
        (picture_axis){.label = feature_name(view, 0), .least = grid.x[0], .most = grid.x[grid.columns - 1]};
    drawing->picture.y =
        (picture_axis){.label = feature_name(view, 1), .least = grid.y[0], .most = grid.y[grid.rows - 1]};
    if (is_frame(drawing)) {
        drawing->picture.x.step = few_tics(&drawing->picture.x);
        drawing->picture.y.step = few_tics(&drawing->picture.y);
    }
    drawing->picture.palette = PALETTE_CLASSES;
    drawing->picture.levels = 1;
    drawing->picture.level = border_level(view);
    drawing->picture.color.most = columns == 2 ? 1.0 : (double)columns - 1.0;
    drawing_add(drawing, &grid);
    grid.kind = SERIES_CONTOUR;
    if (columns == 2 && !view->is_text) drawing_add(drawing, &grid);
    add_all_rows(view, panel, drawing);
    return TANDA_OK;
}

tanda_status draw_output(const surface_view *view, drawing *drawing, tanda_error *error) {
    const output_kind kind = output_drawn(view);
    const tanda_model *model = view->model;
    const bool is_sigmoid = model->layers[model->layer_count - 1].activation == ACTIVATION_SIGMOID;
    drawing->picture = (picture){
        .name = "sigmoid", .title = is_sigmoid ? SAY(surface_sigmoid) : SAY(surface_output), .height = 480};
    if (kind == OUTPUT_NONE) return TANDA_OK;
    if (kind == OUTPUT_CURVE) return draw_curve(view, drawing, error);
    const tanda_status status = add_moment(view, view->surface->centre, 0, drawing, error);
    return status == TANDA_OK ? drawing_end(drawing, error) : status;
}

/* ---- decision regions ------------------------------------------------------------------------------------ */

bool has_regions(const surface_view *view) {
    return view->model->features == 2 && view->model->task == TANDA_TASK_CLASSES;
}

size_t region_frames(const surface_view *view) {
    const size_t points = view->surface->paths[0].count;
    return view->frames < points ? view->frames : points;
}

/* The point of the path that a frame shows: most happens early, so the distances grow as squares. */
static size_t point_of_frame(const surface_view *view, size_t frame) {
    const size_t last = view->surface->paths[0].count - 1, frames = region_frames(view);
    const size_t least = frame, most = last - (frames - 1 - frame);
    const size_t point =
        frames < 2 ? last : (size_t)lround((double)last * pow((double)frame / (double)(frames - 1), 2));
    return point < least ? least : point > most ? most : point;
}

static const char *frame_title(const surface_view *view, size_t frame, drawing *drawing) {
    return drawing_text(drawing, SAY(surface_frame),
                        (unsigned long long)view->surface->paths[0].steps[point_of_frame(view, frame)]);
}

static const float *frame_weights(const surface_view *view, size_t frame) {
    return view->surface->paths[0].weights + point_of_frame(view, frame) * view->model->parameter_count;
}

const char *region_classes(const surface_view *view, drawing *drawing) {
    static const char *const marks[PICTURE_COLORS] = {"●", "■", "▲", "◆", "▼", "○", "□", "△"};
    const size_t classes = model_classes(view->model);
    const char *text = "";
    for (size_t index = 0; text != NULL && index < classes && index < PICTURE_COLORS; index++)
        text = drawing_text(drawing, "%s%s%s %s", text, index == 0 ? "" : ", ", marks[index],
                            class_name(view, index, drawing));
    return text != NULL && classes > PICTURE_COLORS ? drawing_text(drawing, "%s, ...", text) : text;
}

tanda_status draw_region(const surface_view *view, size_t frame, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = drawing_text(drawing, "regions-%zu", frame + 1),
                                 .title = frame_title(view, frame, drawing),
                                 .width = FRAME_WIDTH,
                                 .height = FRAME_HEIGHT,
                                 .has_no_key = true};
    const tanda_status status = add_moment(view, frame_weights(view, frame), 0, drawing, error);
    return status == TANDA_OK ? drawing_end(drawing, error) : status;
}

tanda_status draw_regions(const surface_view *view, drawing *drawing, tanda_error *error) {
    const size_t frames = has_regions(view) ? region_frames(view) : 0;
    const char **titles = drawing_texts(drawing, frames);
    const char *classes = has_regions(view) ? region_classes(view, drawing) : NULL;
    tanda_status status = TANDA_OK;
    drawing->picture = (picture){.name = "regions", .panels = titles, .panel_count = frames};
    if (classes != NULL) drawing->picture.title = drawing_text(drawing, SAY(surface_regions_of), classes);
    for (size_t i = 0; status == TANDA_OK && !drawing->failed && i < frames; i++) {
        titles[i] = frame_title(view, i, drawing);
        status = add_moment(view, frame_weights(view, i), i, drawing, error);
    }
    drawing->picture.width = PANEL_SIDE * (frames < 4 ? frames : (size_t)ceil(sqrt((double)frames)));
    drawing->picture.height = 40 + PANEL_SIDE * (frames < 4 ? 1 : (size_t)round(sqrt((double)frames)));
    return status == TANDA_OK ? drawing_end(drawing, error) : status;
}
