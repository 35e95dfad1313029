/* A model on data, in pictures and tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "cli/run_report.h"
#include "cli/run_report_texts.h"

#define SAY(id) TEXT_IN(report->language, id)
#define CURVES 8           /* of a picture */
#define DRAWN_POINTS 400   /* of a curve */
#define BINS 10            /* of reliability */
#define NAMED_CLASSES 20   /* of a confusion matrix, each with its name */
#define COUNTED_CLASSES 12 /* with counts in its cells, too */
#define NAMES_WIDTH 72     /* letters below a picture */
#define LONGEST_NAME 16
#define SHOWN_IMAGES 64
#define IMAGES_IN_LINE 8
#define LEAST_SIDE 8 /* of a square that is taken for an image */
#define MISTAKES 20

/* The names of classes or labels; NULL for quantities. */
static char *const *names_of(const judged *judged) {
    const tanda_model *model = judged->model;
    return model->task == TANDA_TASK_LABELS ? model->target_names : model->class_names;
}

/* At most so many letters of UTF-8. */
static const char *short_name(drawing *drawing, const char *name, size_t most) {
    size_t end = 0;
    for (size_t count = 0; name[end] != '\0' && count < most; count++) {
        bool may_be_shown = false;
        end += text_character(name + end, strlen(name + end), &may_be_shown);
    }
    return drawing_text(drawing, "%.*s%s", (int)end, name, name[end] == '\0' ? "" : ".");
}

/* ---- confusion ------------------------------------------------------------------------------------------- */

static const char **axis_names(drawing *drawing, char *const *names, size_t count, size_t most) {
    const char **made = drawing_texts(drawing, count);
    for (size_t i = 0; made != NULL && i < count; i++)
        made[i] = short_name(drawing, names[i], most);
    return made;
}

/* Counts of cells that are darker, or brighter, than the middle; those of 0 are left out. */
static void add_counts(const tanda_metrics *metrics, const double *shares, bool is_bright, drawing *drawing) {
    const size_t classes = metrics->class_count, cells = classes * classes;
    double *x = drawing_numbers(drawing, cells), *y = drawing_numbers(drawing, cells);
    const char **texts = drawing_texts(drawing, cells);
    size_t count = 0;
    for (size_t i = 0; !drawing->failed && i < cells; i++) {
        if (metrics->confusion[i] == 0 || (shares[i] >= 0.5) != is_bright) continue;
        x[count] = (double)(i % classes);
        y[count] = (double)(i / classes);
        texts[count++] = drawing_text(drawing, "%llu", (unsigned long long)metrics->confusion[i]);
    }
    drawing_add(drawing, &(picture_series){.kind = SERIES_LABELS,
                                           .count = count,
                                           .x = x,
                                           .y = y,
                                           .labels = texts,
                                           .color = is_bright ? 5 : 2});
}

tanda_status draw_confusion(const run_report *report, drawing *drawing, tanda_error *error) {
    const tanda_metrics *metrics = report->judged.metrics;
    const size_t classes = metrics->class_count;
    char *const *names = names_of(&report->judged);
    drawing->picture = (picture){.name = "confusion",
                                 .title = SAY(report_confusion),
                                 .x = {.label = SAY(report_prediction)},
                                 .y = {.label = SAY(report_truth), .is_reversed = true},
                                 .color = {.label = SAY(report_share), .most = 1.0}};
    if (metrics->confusion == NULL) return TANDA_OK;
    double *shares = drawing_numbers(drawing, classes * classes);
    for (size_t i = 0; shares != NULL && i < classes * classes; i++) {
        const uint64_t support = metrics->classes[i / classes].support;
        shares[i] = support == 0 ? NAN : (double)metrics->confusion[i] / (double)support;
    }
    drawing_add(drawing, &(picture_series){
                             .kind = SERIES_HEAT_MAP, .rows = classes, .columns = classes, .values = shares});
    if (classes <= COUNTED_CLASSES && shares != NULL) {
        add_counts(metrics, shares, false, drawing);
        add_counts(metrics, shares, true, drawing);
    }
    if (names != NULL && classes <= NAMED_CLASSES) {
        const size_t below = NAMES_WIDTH / classes > 2 ? NAMES_WIDTH / classes - 1 : 2;
        picture_axis *x = &drawing->picture.x, *y = &drawing->picture.y;
        x->names = axis_names(drawing, names, classes, below < LONGEST_NAME ? below : LONGEST_NAME);
        y->names = axis_names(drawing, names, classes, LONGEST_NAME);
        x->name_count = y->name_count = classes;
    }
    return drawing_end(drawing, error);
}

/* ---- curves ---------------------------------------------------------------------------------------------- */

/* Whether each row is of a class, or a label holds in it. (rows) */
static tanda_status find_truth(const judged *judged, size_t outcome, int32_t **truth, tanda_error *error) {
    const tanda_dataset *dataset = judged->dataset;
    const tanda_status status = allocate(truth, dataset->rows, sizeof **truth, "labels", error);
    for (size_t row = 0; status == TANDA_OK && row < dataset->rows; row++)
        (*truth)[row] = dataset->classes != NULL ? dataset->classes[row] == (int32_t)outcome
                                                 : dataset->targets[row * judged->columns + outcome] == 1.0f;
    return status;
}

/* Which curves are drawn: of two classes the second; else those of the least area. */
static size_t choose_curves(const tanda_metrics *metrics, bool is_roc, size_t chosen[CURVES]) {
    double areas[CURVES];
    size_t count = 0;
    const size_t first = metrics->task == TANDA_TASK_CLASSES && metrics->class_count == 2;
    for (size_t i = first; i < metrics->class_count; i++) {
        const double area = is_roc ? metrics->classes[i].roc_auc : metrics->classes[i].pr_auc;
        size_t place = count;
        if (isnan(area)) continue;
        while (place > 0 && areas[place - 1] > area)
            place--;
        if (place == CURVES) continue;
        if (count < CURVES) count++;
        memmove(areas + place + 1, areas + place, (count - place - 1) * sizeof *areas);
        memmove(chosen + place + 1, chosen + place, (count - place - 1) * sizeof *chosen);
        areas[place] = area;
        chosen[place] = i;
    }
    return count;
}

/* Every so many points and the last: more cannot be seen. */
static void thin(curve *curve) {
    const size_t stride = curve->count / DRAWN_POINTS + 1, count = curve->count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i % stride != 0 && i + 1 != count) continue;
        curve->x[kept] = curve->x[i];
        curve->y[kept++] = curve->y[i];
    }
    curve->count = kept;
}

/* The arrays become the drawing's. */
static void add_curve(drawing *drawing, curve *curve, series_kind kind, const char *title) {
    thin(curve);
    drawing_add(
        drawing,
        &(picture_series){.kind = kind, .title = title, .count = curve->count, .x = curve->x, .y = curve->y});
    drawing_own(drawing, curve->x);
    drawing_own(drawing, curve->y);
    *curve = (struct curve){0};
}

static tanda_status add_ranked(const run_report *report, size_t outcome, bool is_roc, drawing *drawing,
                               tanda_error *error) {
    const judged *judged = &report->judged;
    const tanda_class_metrics *class = &judged->metrics->classes[outcome];
    int32_t *truth = NULL;
    ranking ranking = {0};
    curve curve = {0};
    tanda_status status = find_truth(judged, outcome, &truth, error);
    if (status == TANDA_OK) status = ranking_create(judged->dataset->rows, &ranking, error);
    if (status == TANDA_OK) {
        ranking_sort(&ranking, judged->predictions + outcome, judged->columns, truth, 1);
        status = (is_roc ? curve_roc : curve_precision_recall)(&ranking, &curve, error);
    }
    if (status == TANDA_OK) {
        const char *name = short_name(drawing, names_of(judged)[outcome], LONGEST_NAME);
        const double area = is_roc ? class->roc_auc : class->pr_auc;
        add_curve(drawing, &curve, SERIES_LINES, drawing_text(drawing, SAY(report_area), name, area));
    }
    ranking_free(&ranking);
    free(truth);
    return status;
}

static void add_diagonal(drawing *drawing) {
    static const double ends[] = {0.0, 1.0};
    drawing_add(
        drawing,
        &(picture_series){
            .kind = SERIES_LINES, .count = 2, .x = ends, .y = ends, .color = PICTURE_INK, .is_faint = true});
}

static tanda_status draw_ranked(const run_report *report, bool is_roc, drawing *drawing, tanda_error *error) {
    size_t chosen[CURVES];
    const size_t count = choose_curves(report->judged.metrics, is_roc, chosen);
    tanda_status status = TANDA_OK;
    drawing->picture.y.most = 1.02;
    drawing->picture.x.most = 1.0;
    if (names_of(&report->judged) == NULL) return TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = add_ranked(report, chosen[i], is_roc, drawing, error);
    if (count > 0 && is_roc) add_diagonal(drawing);
    return status == TANDA_OK ? drawing_end(drawing, error) : status;
}

tanda_status draw_roc(const run_report *report, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = "roc",
                                 .title = SAY(report_roc),
                                 .x = {.label = SAY(report_false_positives)},
                                 .y = {.label = SAY(report_true_positives)}};
    return draw_ranked(report, true, drawing, error);
}

tanda_status draw_precision_recall(const run_report *report, drawing *drawing, tanda_error *error) {
    drawing->picture = (picture){.name = "precision-recall",
                                 .title = SAY(report_pr),
                                 .x = {.label = SAY(report_recall)},
                                 .y = {.label = SAY(report_precision)}};
    return draw_ranked(report, false, drawing, error);
}

/* Of more than two classes: whether the class that is said is the true one, and the probability it is said with. */
static tanda_status calibrate_said(const judged *judged, curve *curve, tanda_error *error) {
    const size_t rows = judged->dataset->rows;
    float *said = NULL;
    int32_t *right = NULL;
    tanda_status status = allocate(&said, rows, sizeof *said, "probabilities", error);
    if (status == TANDA_OK) status = allocate(&right, rows, sizeof *right, "labels", error);
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        const float *at = judged->predictions + row * judged->columns;
        const size_t best = best_class(at, judged->columns);
        said[row] = at[best];
        right[row] = judged->dataset->classes[row] == (int32_t)best;
    }
    if (status == TANDA_OK) status = curve_calibration(said, 1, right, 1, rows, BINS, curve, error);
    free(said);
    free(right);
    return status;
}

static tanda_status add_calibration(const run_report *report, size_t outcome, drawing *drawing,
                                    tanda_error *error) {
    const judged *judged = &report->judged;
    int32_t *truth = NULL;
    curve curve = {0};
    tanda_status status = find_truth(judged, outcome, &truth, error);
    if (status == TANDA_OK)
        status = curve_calibration(judged->predictions + outcome, judged->columns, truth, 1,
                                   judged->dataset->rows, BINS, &curve, error);
    if (status == TANDA_OK)
        add_curve(drawing, &curve, SERIES_LINES_POINTS,
                  short_name(drawing, names_of(judged)[outcome], LONGEST_NAME));
    free(truth);
    return status;
}

tanda_status draw_reliability(const run_report *report, drawing *drawing, tanda_error *error) {
    const judged *judged = &report->judged;
    const bool is_of_labels = judged->model->task == TANDA_TASK_LABELS;
    curve curve = {0};
    tanda_status status = TANDA_OK;
    drawing->picture = (picture){.name = "reliability",
                                 .title = SAY(report_reliability),
                                 .x = {.label = SAY(report_probability), .most = 1.0},
                                 .y = {.label = SAY(report_right), .most = 1.02}};
    if (names_of(judged) == NULL || !objective_gives_probabilities(judged->model->loss)) return TANDA_OK;
    if (!is_of_labels && judged->columns > 2) {
        status = calibrate_said(judged, &curve, error);
        if (status == TANDA_OK) add_curve(drawing, &curve, SERIES_LINES_POINTS, SAY(report_top));
    }
    for (size_t i = is_of_labels ? 0 : 1; i < judged->columns && i < CURVES; i++)
        if (status == TANDA_OK && (is_of_labels || judged->columns == 2))
            status = add_calibration(report, i, drawing, error);
    add_diagonal(drawing);
    return status == TANDA_OK ? drawing_end(drawing, error) : status;
}

/* ---- weights --------------------------------------------------------------------------------------------- */

tanda_status judged_find_image(judged *judged, const char *image, tanda_error *error) {
    const size_t features = judged->model->features;
    const char *sign = image == NULL ? NULL : strpbrk(image, "xX");
    uint64_t width = 0, height = 0;
    if (image == NULL) {
        const size_t side = (size_t)sqrt((double)features);
        if (side >= LEAST_SIDE && side * side == features) judged->width = judged->height = side;
        return TANDA_OK;
    }
    if (sign == NULL || !number_to_whole(image, (size_t)(sign - image), &width) ||
        !number_to_whole(sign + 1, strlen(sign + 1), &height) || width == 0 || height == 0)
        return fail(error, TANDA_USAGE, "--image: '%s' is no width and height such as 28x28", image);
    if (height > features || width != features / height || features % height != 0)
        return fail(error, TANDA_USAGE, "--image: %s are not the %zu features of the model", image, features);
    judged->width = width;
    judged->height = height;
    return TANDA_OK;
}

size_t judged_images(const judged *judged) {
    const size_t units = judged->model->layers[0].outputs;
    return units < SHOWN_IMAGES ? units : SHOWN_IMAGES;
}

/* One image of the mosaic, which has a column and a row of nothing between images; returns its greatest weight. */
static double put_image(const judged *judged, size_t unit, double *mosaic, size_t columns) {
    const layer *layer = &judged->model->layers[0];
    const float *weights = judged->model->parameters + layer->weight + unit * layer->fan_in;
    const size_t top = unit / IMAGES_IN_LINE * (judged->height + 1);
    const size_t left = unit % IMAGES_IN_LINE * (judged->width + 1);
    double greatest = 0.0;
    for (size_t i = 0; i < judged->width * judged->height; i++) {
        const double weight = (double)weights[i];
        mosaic[(top + i / judged->width) * columns + left + i % judged->width] = weight;
        if (fabs(weight) > greatest) greatest = fabs(weight);
    }
    return greatest;
}

tanda_status draw_weights(const run_report *report, drawing *drawing, tanda_error *error) {
    const judged *judged = &report->judged;
    const layer *layer = &judged->model->layers[0];
    drawing->picture = (picture){.name = "weights",
                                 .title = SAY(report_weights),
                                 .palette = PALETTE_DIVERGING,
                                 .y = {.is_reversed = true},
                                 .has_square_units = true,
                                 .is_bare = true};
    if (judged->width == 0 || layer->fan_in != judged->width * judged->height) return TANDA_OK;
    const size_t images = judged_images(judged);
    const size_t in_line = images < IMAGES_IN_LINE ? images : IMAGES_IN_LINE;
    const size_t lines = (images + in_line - 1) / in_line;
    const size_t columns = in_line * (judged->width + 1) - 1, rows = lines * (judged->height + 1) - 1;
    double *mosaic = drawing_numbers(drawing, rows * columns), greatest = 0.0;
    for (size_t i = 0; mosaic != NULL && i < rows * columns; i++)
        mosaic[i] = NAN;
    for (size_t unit = 0; mosaic != NULL && unit < images; unit++) {
        const double here = put_image(judged, unit, mosaic, columns);
        if (here > greatest) greatest = here;
    }
    drawing->picture.color.least = -greatest;
    drawing->picture.color.most = greatest;
    drawing->picture.width = 720;
    drawing->picture.height = 40 + 720 * rows / columns;
    drawing->picture.text_height = rows + 2;
    drawing_add(drawing, &(picture_series){
                             .kind = SERIES_HEAT_MAP, .rows = rows, .columns = columns, .values = mosaic});
    return drawing_end(drawing, error);
}

/* ---- tables ---------------------------------------------------------------------------------------------- */

void write_metrics(const run_report *report, document *document) {
    const tanda_metrics *metrics = report->judged.metrics;
    const struct {
        const char *name;
        double value;
    } figures[] = {
        {"accuracy", metrics->accuracy},
        {"roc_auc", metrics->roc_auc},
        {"pr_auc", metrics->pr_auc},
        {"mcc", metrics->mcc},
        {"kappa", metrics->kappa},
        {"brier", metrics->brier},
        {"log_loss", metrics->log_loss},
        {"hamming_loss", metrics->hamming_loss},
        {"mse", metrics->mse},
        {"mae", metrics->mae},
        {"r2", metrics->r2},
    };
    document_table_begin(document, "lr", (const char *const[]){SAY(report_metric), SAY(report_value)});
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        if (isnan(figures[i].value)) continue;
        document_cell(document, "%s", figures[i].name);
        document_cell(document, "%.9g", figures[i].value);
    }
    document_table_end(document);
}

tanda_status write_mistakes(const run_report *report, document *document, tanda_error *error) {
    const judged *judged = &report->judged;
    const tanda_metrics *metrics = judged->metrics;
    mistake found[MISTAKES];
    uint64_t right = 0;
    if (metrics->task != TANDA_TASK_CLASSES)
        return document->page != NULL
                   ? TANDA_OK
                   : fail(error, TANDA_USAGE, "mistakes are of classes, and the model predicts none");
    for (size_t i = 0; i < metrics->class_count; i++)
        right += metrics->classes[i].correct;
    const size_t count = find_mistakes(judged->predictions, judged->dataset->classes, metrics->rows,
                                       judged->columns, found, MISTAKES);
    document_heading(document, "%s", SAY(report_mistakes));
    if (count == 0) document_paragraph(document, "%s", SAY(report_no_mistakes));
    if (count == 0) return TANDA_OK;
    document_paragraph(document, SAY(report_mistakes_why), metrics->rows - (size_t)right, metrics->rows);
    document_table_begin(document, "rllr",
                         (const char *const[]){SAY(report_row), SAY(report_truth), SAY(report_prediction),
                                               SAY(report_probability_said)});
    for (size_t i = 0; i < count; i++) {
        char *const *names = names_of(judged);
        document_cell(document, "%zu", found[i].row + 1);
        document_cell(document, "%s", names[judged->dataset->classes[found[i].row]]);
        document_cell(document, "%s", names[found[i].prediction]);
        document_cell(document, "%.4f", (double)found[i].probability);
    }
    document_table_end(document);
    return TANDA_OK;
}
