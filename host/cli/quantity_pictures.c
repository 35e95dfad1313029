/* A model of quantities on data, in pictures. */
#include <math.h>

#include "cli/run_report.h"
#include "cli/run_report_texts.h"

#define SAY(id) TEXT_IN(report->language, id)
#define TARGETS 8  /* of a picture */
#define POINTS 800 /* of all targets; more would hide one another */

static const char *target_name(const tanda_model *model, size_t target, drawing *drawing) {
    if (model->target_names != NULL) return model->target_names[target];
    return model->target_name != NULL ? model->target_name : drawing_text(drawing, "%zu", target);
}

static void hold(const double *values, size_t count, double range[2]) {
    for (size_t i = 0; i < count; i++) {
        if (values[i] < range[0]) range[0] = values[i];
        if (values[i] > range[1]) range[1] = values[i];
    }
}

/* Every so many rows of one target: what is predicted, and the truth or how far it lies above. */
static void add_target(const judged *judged, size_t target, bool of_residuals, double ranges[2][2],
                       drawing *drawing) {
    const size_t rows = judged->dataset->rows,
                 targets = judged->columns < TARGETS ? judged->columns : TARGETS;
    const size_t stride = rows * targets / POINTS + 1, count = (rows + stride - 1) / stride;
    double *x = drawing_numbers(drawing, count), *y = drawing_numbers(drawing, count);
    for (size_t i = 0; !drawing->failed && i < count; i++) {
        const size_t at = i * stride * judged->columns + target;
        const double truth = (double)judged->dataset->targets[at], said = (double)judged->predictions[at];
        x[i] = of_residuals ? said : truth;
        y[i] = of_residuals ? truth - said : said;
    }
    if (drawing->failed) return;
    hold(x, count, ranges[0]);
    hold(y, count, ranges[1]);
    drawing_add(drawing,
                &(picture_series){.kind = SERIES_POINTS,
                                  .title = targets > 1 ? target_name(judged->model, target, drawing) : NULL,
                                  .count = count,
                                  .x = x,
                                  .y = y,
                                  .color = (int)target + 1});
}

/* Where all rows would lie if the model were right. */
static void add_ideal(bool of_residuals, double ranges[2][2], drawing *drawing) {
    double *x = drawing_numbers(drawing, 2), *y = drawing_numbers(drawing, 2);
    if (drawing->failed) return;
    if (!of_residuals) hold(ranges[1], 2, ranges[0]);
    for (size_t i = 0; i < 2; i++) {
        x[i] = ranges[0][i];
        y[i] = of_residuals ? 0.0 : ranges[0][i];
    }
    drawing_add(
        drawing,
        &(picture_series){
            .kind = SERIES_LINES, .count = 2, .x = x, .y = y, .color = PICTURE_INK, .is_faint = true});
}

static tanda_status draw_quantities(const run_report *report, bool of_residuals, drawing *drawing,
                                    tanda_error *error) {
    const judged *judged = &report->judged;
    double ranges[2][2] = {{INFINITY, -INFINITY}, {INFINITY, -INFINITY}};
    if (judged->model->task != TANDA_TASK_REGRESSION) return TANDA_OK;
    for (size_t i = 0; i < judged->columns && i < TARGETS; i++)
        add_target(judged, i, of_residuals, ranges, drawing);
    add_ideal(of_residuals, ranges, drawing);
    return drawing_end(drawing, error);
}

tanda_status draw_predicted(const run_report *report, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = "predicted",
                                 .title = SAY(report_predicted),
                                 .x = {.label = SAY(report_truth)},
                                 .y = {.label = SAY(report_prediction)}};
    return draw_quantities(report, false, drawing, error);
}

tanda_status draw_residuals(const run_report *report, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = "residuals",
                                 .title = SAY(report_residuals),
                                 .x = {.label = SAY(report_prediction)},
                                 .y = {.label = SAY(report_residual)}};
    return draw_quantities(report, true, drawing, error);
}
