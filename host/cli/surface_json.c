/* A surface as JSON: the grid, and the paths over it. */
#include <math.h>

#include "cli/surface_report.h"

/* null where a cost is not finite, so that places in arrays keep their meaning. */
static json_t *numbers(const double *values, size_t count) {
    json_builder made = json_array_begin();
    for (size_t i = 0; i < count; i++)
        json_push(&made, isfinite(values[i]) ? json_real(values[i]) : json_null());
    return json_end(&made);
}

static json_t *axes_array(const surface_view *view) {
    const surface *surface = view->surface;
    json_builder axes = json_array_begin();
    char text[AXIS_NAME_SIZE];
    for (size_t axis = 0; axis < 2; axis++) {
        json_builder object = json_object_begin();
        const bool is_weight = surface->axes == SURFACE_WEIGHTS;
        json_put_text(&object, "kind", is_weight ? "weight" : "direction");
        json_put_text(&object, "name", plane_axis(view, axis, text));
        if (is_weight) json_put_count(&object, "parameter", surface->weight[axis]);
        json_push(&axes, json_end(&object));
    }
    return json_end(&axes);
}

static json_t *path_object(const surface_path *path) {
    const tanda_train_options *training = path->training;
    json_builder object = json_object_begin(), steps = json_array_begin();
    for (size_t i = 0; i < path->count; i++)
        json_push(&steps, json_integer((json_int_t)path->steps[i]));
    json_put_text(&object, "optimizer", path_name(path));
    if (training->optimizer.kind != TANDA_OPTIMIZER_LBFGS)
        json_put_real(&object, "learning_rate", training->learning_rate);
    json_put_count(&object, "batch_rows", training->batch_rows);
    json_put_count(&object, "epochs", training->epochs);
    json_put(&object, "steps", json_end(&steps));
    json_put(&object, "x", numbers(path->x, path->count));
    json_put(&object, "y", numbers(path->y, path->count));
    json_put(&object, "costs", numbers(path->costs, path->count));
    if (path->diverged) json_put_text(&object, "diverged", path->why);
    return json_end(&object);
}

void report_surface(report *report, const surface_view *shown) {
    surface_view english = *shown, *view = &english; /* for programs, whatever people read */
    english.language = LANGUAGE_ENGLISH;
    const surface *surface = view->surface;
    char shape[SHAPE_SIZE];
    json_builder costs = json_array_begin(), paths = json_array_begin();
    for (size_t i = 0; i < surface->side; i++)
        json_push(&costs, numbers(surface->costs + i * surface->side, surface->side));
    for (size_t i = 0; i < surface->path_count; i++)
        json_push(&paths, path_object(&surface->paths[i]));
    json_put_text(report, "data", view->path);
    json_put_count(report, "rows", view->training->rows);
    json_put_text(report, "model", model_shape(view->model, shape));
    json_put_text(report, "loss", loss_name(view->model->loss));
    json_put_real(report, "l1", view->l1);
    json_put_real(report, "l2", view->l2);
    json_put_count(report, "seed", view->seed);
    json_put(report, "axes", axes_array(view));
    json_put(report, "projected", json_boolean(surface->is_projected));
    json_put(report, "x", numbers(surface->x, surface->side));
    json_put(report, "y", numbers(surface->y, surface->side));
    json_put(report, "costs", json_end(&costs)); /* a row for each y */
    json_put(report, "paths", json_end(&paths));
}
