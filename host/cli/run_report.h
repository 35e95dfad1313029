/* What tanda report shows: its trainings, its model on data, and the parts that show them. */
#ifndef TANDA_CLI_RUN_REPORT_H
#define TANDA_CLI_RUN_REPORT_H

#include "cli/document.h"
#include "cli/drawing.h"
#include "cli/run_history.h"

/* A model and what it makes of rows. */
typedef struct judged {
    const char *path, *data_path; /* borrowed */
    tanda_model *model;           /* NULL: there is none */
    tanda_dataset *dataset;
    tanda_device *device;
    char reason[256];
    float *predictions; /* (rows, columns) */
    size_t columns;
    tanda_metrics *metrics;
    size_t width, height; /* of the images that the features are; 0: they are none */
} judged;

typedef struct run_report {
    history *histories;
    size_t count;
    char **names; /* (count), short ones */
    judged judged;
    language language;
    bool is_text; /* pictures are of letters, each series of its own */
} run_report;

/* Makes a picture; without a series where there is nothing of the kind. Freed by drawing_free whatever it returns. */
typedef tanda_status report_drawer(const run_report *report, drawing *drawing, tanda_error *error);

report_drawer draw_loss, draw_accuracy, draw_learning_rate;
report_drawer draw_confusion, draw_roc, draw_precision_recall, draw_reliability, draw_weights;
report_drawer draw_predicted, draw_residuals; /* of quantities */

/* Sets width and height from what --image says, or "" and NULL: a square of 8 x 8 or more. TANDA_USAGE. */
tanda_status judged_find_image(judged *judged, const char *image, tanda_error *error);

/* Units of the first layer that are shown. */
size_t judged_images(const judged *judged);

/* Tables. */
void write_runs(const run_report *report, document *document);
void write_metrics(const run_report *report, document *document);
tanda_status write_mistakes(const run_report *report, document *document, tanda_error *error);

#endif
