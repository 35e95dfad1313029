#include "cli/surface_report.h"

#include "cli/surface_texts.h"

#define SAY(id) TEXT_IN(view->language, id)

static surface_drawer *const drawers[SURFACE_PARTS] = {draw_contour, draw_landscape, draw_descent,
                                                       draw_output, draw_regions};
const char *const surface_parts[SURFACE_PARTS] = {"contour", "surface", "descent", "sigmoid", "regions"};

/* The model has nothing of the kind. */
static bool has_nothing(const surface_view *view, surface_drawer *draw) {
    return (draw == draw_regions && !has_regions(view)) ||
           (draw == draw_output && output_drawn(view) == OUTPUT_NONE);
}

/* Sentences of one picture, with what belongs into them. */
static const char *caption_of(const surface_view *view, surface_drawer *draw, drawing *drawing) {
    const char *name = path_name(&view->surface->paths[0]);
    if (draw == draw_contour) return SAY(surface_contour_caption);
    if (draw == draw_landscape) return SAY(surface_surface_caption);
    if (draw == draw_descent) return SAY(surface_descent_caption);
    return drawing_text(drawing,
                        output_drawn(view) == OUTPUT_BORDER ? SAY(surface_border_caption)
                                                            : SAY(surface_sigmoid_caption),
                        name);
}

static void put_lack(const surface_view *view, surface_drawer *draw, document *document) {
    char shape[SHAPE_SIZE];
    document_paragraph(document, draw == draw_regions ? SAY(surface_no_regions) : SAY(surface_no_sigmoid),
                       model_shape(view->model, shape));
}

/* A strip of moments, which a narrow page breaks. */
static tanda_status put_regions(const surface_view *view, document *document, tanda_error *error) {
    drawing words = {0};
    tanda_status status = TANDA_OK;
    document_heading(document, "%s", SAY(surface_regions));
    document_paragraph(document, SAY(surface_regions_caption), path_name(&view->surface->paths[0]),
                       region_classes(view, &words));
    if (document->page != NULL) page_strip_begin(document->page);
    for (size_t i = 0; status == TANDA_OK && i < region_frames(view); i++) {
        drawing drawing = {0};
        status = draw_region(view, i, &drawing, error);
        if (status == TANDA_OK) status = document_picture(document, &drawing, NULL, error);
        drawing_free(&drawing);
    }
    if (document->page != NULL) page_strip_end(document->page);
    drawing_free(&words);
    return status;
}

static tanda_status put_part(const surface_view *view, surface_drawer *draw, document *document,
                             tanda_error *error) {
    drawing drawing = {0};
    if (has_nothing(view, draw)) {
        put_lack(view, draw, document);
        return TANDA_OK;
    }
    if (draw == draw_regions) return put_regions(view, document, error);
    tanda_status status = draw(view, &drawing, error);
    if (status == TANDA_OK)
        status = document_picture(document, &drawing, caption_of(view, draw, &drawing), error);
    drawing_free(&drawing);
    return status;
}

static void put_plane(const surface_view *view, document *document) {
    const surface *surface = view->surface;
    const char *name = path_name(&surface->paths[0]);
    char shape[SHAPE_SIZE], x[AXIS_NAME_SIZE], y[AXIS_NAME_SIZE];
    plane_axis(view, 0, x);
    plane_axis(view, 1, y);
    document_paragraph(document, SAY(surface_network), model_shape(view->model, shape),
                       view->model->parameter_count, loss_name(view->model->loss), view->training->rows,
                       view->path, tanda_device_describe(view->device)->name);
    if (surface->axes == SURFACE_DIRECTIONS)
        document_paragraph(document, SAY(surface_of_directions), name, (unsigned long long)view->seed);
    else if (surface->is_projected)
        document_paragraph(document, SAY(surface_of_weights), x, y, name);
    else
        document_paragraph(document, SAY(surface_of_both), x, y);
    if (view->l1 > 0.0 || view->l2 > 0.0)
        document_paragraph(document, SAY(surface_penalised), view->l1, view->l2);
}

static void put_path(const surface_view *view, const surface_path *path, document *document) {
    const size_t last = path->count - 1;
    document_cell(document, "%s", path_name(path));
    if (path->training->optimizer.kind == TANDA_OPTIMIZER_LBFGS)
        document_cell(document, "%s", "");
    else
        document_cell(document, "%g", path->training->learning_rate);
    document_cell(document, "%zu", batch_rows_of(path->training->batch_rows, view->training->rows));
    document_cell(document, "%llu", (unsigned long long)path->steps[last]);
    document_cell(document, "%.6g", path->costs[0]);
    document_cell(document, "%.6g", path->costs[last]);
    document_cell(document, "%.6g", path->x[last]);
    document_cell(document, "%.6g", path->y[last]);
}

static void put_paths(const surface_view *view, document *document) {
    const surface *surface = view->surface;
    char x[AXIS_NAME_SIZE], y[AXIS_NAME_SIZE];
    const char *const titles[] = {SAY(surface_optimizer), SAY(surface_rate),     SAY(surface_batch),
                                  SAY(surface_steps),     SAY(surface_first),    SAY(surface_last),
                                  plane_axis(view, 0, x), plane_axis(view, 1, y)};
    document_heading(document, "%s", SAY(surface_trainings));
    document_table_begin(document, "lrrrrrrr", titles);
    for (size_t i = 0; i < surface->path_count; i++)
        put_path(view, &surface->paths[i], document);
    document_table_end(document);
    for (size_t i = 0; i < surface->path_count; i++) {
        const surface_path *path = &surface->paths[i];
        if (path->diverged)
            document_note(document, MARK_DOUBTFUL, SAY(surface_diverged), path_name(path),
                          (unsigned long long)path->steps[path->count - 1]);
    }
}

tanda_status write_surface(const void *content, document *document, tanda_error *error) {
    const surface_view *view = content;
    tanda_status status = TANDA_OK;
    put_plane(view, document);
    put_paths(view, document);
    for (size_t i = 0; status == TANDA_OK && i < SURFACE_PARTS; i++)
        status = put_part(view, drawers[i], document, error);
    return status;
}

void surface_title_text(const surface_view *view, char title[SURFACE_TITLE_SIZE]) {
    char shape[SHAPE_SIZE];
    text_put(title, SURFACE_TITLE_SIZE, SAY(surface_title), model_shape(view->model, shape));
}

tanda_status draw_surface_part(const surface_view *view, size_t part, drawing *drawing, tanda_error *error) {
    surface_drawer *draw = drawers[part];
    char shape[SHAPE_SIZE];
    if (!has_nothing(view, draw)) return draw(view, drawing, error);
    return fail(
        error, TANDA_USAGE,
        draw == draw_regions
            ? "--only regions: they are of models that tell classes by two features, and this one is %s"
            : "--only sigmoid: it is of one feature and one output, or of a perceptron of two features "
              "and two classes, and this model is %s",
        model_shape(view->model, shape));
}
