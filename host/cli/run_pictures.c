/* Trainings, epoch by epoch. */
#include <math.h>
#include <stdlib.h>

#include "cli/report.h"
#include "cli/run_report.h"
#include "cli/run_report_texts.h"

#define SAY(id) TEXT_IN(report->language, id)
#define FAR_APART 20.0
#define RATE_ROOM 1.1 /* above the greatest */

/* A figure of one training, named by both where there are several. */
static void add_line(const run_report *report, size_t run, history_figure figure, bool is_faint,
                     drawing *drawing) {
    const history *history = &report->histories[run];
    const char *name = history_figure_names[figure];
    if (!history_has(history, figure)) return;
    if (report->count > 1) name = drawing_text(drawing, "%s: %s", report->names[run], name);
    drawing_add(drawing, &(picture_series){.kind = history->count > 1 ? SERIES_LINES : SERIES_POINTS,
                                           .title = name,
                                           .count = history->count,
                                           .x = history->epochs,
                                           .y = history->figures[figure],
                                           .color = report->is_text ? 0 : (int)(run % PICTURE_COLORS) + 1,
                                           .is_faint = is_faint});
}

static tanda_status draw_figures(const run_report *report, const char *name, const char *title,
                                 history_figure figure, history_figure of_validation, drawing *drawing,
                                 tanda_error *error) {
    drawing->picture = (picture){.name = name, .title = title, .x = {.label = SAY(report_epoch)}};
    for (size_t run = 0; run < report->count; run++) {
        add_line(report, run, figure, false, drawing);
        if (of_validation != figure) add_line(report, run, of_validation, true, drawing);
    }
    return drawing_end(drawing, error);
}

tanda_status draw_loss(const run_report *report, drawing *drawing, tanda_error *error) {
    return draw_figures(report, "loss", SAY(report_loss), HISTORY_LOSS, HISTORY_VAL_LOSS, drawing, error);
}

tanda_status draw_accuracy(const run_report *report, drawing *drawing, tanda_error *error) {
    return draw_figures(report, "accuracy", SAY(report_accuracy), HISTORY_ACCURACY, HISTORY_VAL_ACCURACY,
                        drawing, error);
}

/* Rates that lie far apart are drawn on a logarithmic axis; one that a schedule takes to 0 is not. */
static void choose_rate_axis(const run_report *report, picture_axis *axis) {
    double least = INFINITY, most = 0.0; /* of the greatest rates */
    for (size_t run = 0; run < report->count; run++) {
        double greatest = 0.0;
        for (size_t i = 0; i < report->histories[run].count; i++) {
            const double rate = report->histories[run].figures[HISTORY_LEARNING_RATE][i];
            if (rate > greatest) greatest = rate;
        }
        if (greatest < least) least = greatest;
        if (greatest > most) most = greatest;
    }
    axis->is_log = least > 0.0 && most > FAR_APART * least;
    if (!axis->is_log) axis->most = RATE_ROOM * most; /* and from 0 */
}

tanda_status draw_learning_rate(const run_report *report, drawing *drawing, tanda_error *error) {
    const tanda_status status = draw_figures(report, "learning-rate", SAY(report_rate), HISTORY_LEARNING_RATE,
                                             HISTORY_LEARNING_RATE, drawing, error);
    choose_rate_axis(report, &drawing->picture.y);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------------------- */

/* The epoch of the least val_loss or loss. */
static size_t best_epoch(const history *history) {
    const history_figure figure = history_has(history, HISTORY_VAL_LOSS) ? HISTORY_VAL_LOSS : HISTORY_LOSS;
    size_t best = 0;
    for (size_t i = 1; i < history->count; i++) {
        const double here = history->figures[figure][i], there = history->figures[figure][best];
        if (here < there || isnan(there)) best = i;
    }
    return (size_t)history->epochs[best];
}

static void put_number(document *document, double value) {
    if (isnan(value))
        document_cell(document, "%s", "");
    else
        document_cell(document, "%.4g", value);
}

static double run_number(const history *history, const char *key) {
    const json_t *value = json_object_get(history->run, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void put_run(const run_report *report, size_t run, document *document) {
    const history *history = &report->histories[run];
    const char *optimizer = json_string_value(json_object_get(history->run, "optimizer"));
    document_cell(document, "%s", report->names[run]);
    document_cell(document, "%s", optimizer == NULL ? "" : optimizer);
    document_cell(document, "%.0f", history->epochs[history->count - 1]);
    document_cell(document, "%zu", best_epoch(history));
    for (size_t i = HISTORY_LOSS; i <= HISTORY_VAL_ACCURACY; i++)
        put_number(document, history->figures[i][history->count - 1]);
    put_number(document, run_number(history, "seconds_train"));
}

void write_runs(const run_report *report, document *document) {
    const char *const titles[] = {
        SAY(report_run), SAY(report_optimizer), SAY(report_epochs), SAY(report_best), "loss", "val_loss",
        "accuracy",      "val_accuracy",        SAY(report_seconds)};
    bool goes_on = false;
    for (size_t run = 0; run < report->count; run++)
        goes_on = goes_on || json_object_get(report->histories[run].run, "optimizer") == NULL;
    document_heading(document, "%s", SAY(report_runs));
    document_table_begin(document, "llrrrrrrr", titles);
    for (size_t run = 0; run < report->count; run++)
        put_run(report, run, document);
    document_table_end(document);
    document_paragraph(document, "%s", SAY(report_best_why));
    if (goes_on) document_paragraph(document, "%s", SAY(report_going_on));
}
