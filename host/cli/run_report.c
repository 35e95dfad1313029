/* tanda report */
#include "cli/run_report.h"

#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "cli/page_words.h"
#include "cli/report.h"
#include "cli/run_report_texts.h"

/* One run of the command. */
typedef struct reporting {
    common_options common;
    data_options data;
    text_list logs;
    const char *model, *image, *output; /* or NULL */
    size_t only;                        /* a part, from 1; 0: all */
    picture_format format;
    bool has_format;
    run_report report;
} reporting;

/* ---- parts ----------------------------------------------------------------------------------------------- */

/* What a report consists of, in its order. */
typedef struct part {
    const char *name; /* for --only */
    bool is_of_model;
    report_drawer *draw; /* NULL: it is a table */
    const char *caption[LANGUAGE_COUNT];
} part;

#define BOTH(id) \
    { id##_en, id##_es }

static const part parts[] = {
    {"loss", false, draw_loss, BOTH(report_loss_caption)},
    {"accuracy", false, draw_accuracy, BOTH(report_accuracy_caption)},
    {"learning-rate", false, draw_learning_rate, BOTH(report_rate_caption)},
    {"confusion", true, draw_confusion, BOTH(report_confusion_caption)},
    {"roc", true, draw_roc, BOTH(report_roc_caption)},
    {"precision-recall", true, draw_precision_recall, BOTH(report_pr_caption)},
    {"reliability", true, draw_reliability, BOTH(report_reliability_caption)},
    {"predicted", true, draw_predicted, BOTH(report_predicted_caption)},
    {"residuals", true, draw_residuals, BOTH(report_residuals_caption)},
    {"weights", true, draw_weights, {NULL, NULL}}, /* its caption has numbers */
    {"mistakes", true, NULL, {NULL, NULL}},
};
#define PARTS (sizeof parts / sizeof *parts)

/* ---- options --------------------------------------------------------------------------------------------- */

#define VALUE(member) VALUE_AT(reporting, member)
#define TEXT(member) TEXT_AT(reporting, member)

enum { FLAG_ONLY = FLAG_OWN, FLAG_PICTURE_FORMAT, FLAG_ROWS };

static const struct argp_option table[] = {
    {"model", TEXT(model), "MODEL", 0, "a model to be judged on --data", 0},
    {"data", FLAG_ROWS, "FILE", OPTION_REPEATS,
     "the rows that the model is judged on, as evaluate takes them", 0},
    {"image", TEXT(image), "WxH", 0,
     "the features are images of this width and height; default: a square of 8 x 8 or more, where they make "
     "one",
     0},
    {"only", FLAG_ONLY, "NAME", 0,
     "one part: loss, accuracy, learning-rate, confusion, roc, precision-recall, reliability, predicted, "
     "residuals, weights or mistakes; to --output, or to standard output",
     0},
    {"format", FLAG_PICTURE_FORMAT, "FORMAT", 0,
     "of --only: svg (default with --output), png, pdf or text (default without)", 0},
    {"language", VALUE(report.language), "LANGUAGE", 0, "of text, page and pictures: en (default) or es", 0},
    {"output", LETTER_OUTPUT, "FILE", 0,
     "write a page of HTML here, with scripts and data of its pictures in FILE.pictures; with --only one "
     "picture",
     SECTION_OUTPUT},
    WITHOUT_OPTIONS("format seed gemm json"),
    {0},
};

static const option_place places[] = {
    {VALUE(report.language), .kind = PLACE_WORD, .flag = "--language", .words = &language_words},
    {0},
};

static tanda_status set_only(reporting *run, const char *argument) {
    const char *names[PARTS];
    size_t index = 0;
    for (size_t i = 0; i < PARTS; i++)
        names[i] = parts[i].name;
    const tanda_status status = value_choice("--only", argument, names, PARTS, &index, run->common.error);
    if (status == TANDA_OK) run->only = index + 1;
    return status;
}

static tanda_status set_format(reporting *run, const char *argument) {
    size_t index = 0;
    const tanda_status status =
        vocabulary_read(&picture_format_words, "--format", argument, &index, NULL, run->common.error);
    run->format = (picture_format)index;
    run->has_format = true;
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    reporting *run = state->input;
    tanda_error *error = run->common.error;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &run->data;
        state->child_inputs[1] = &run->common;
        state->child_inputs[2] = &run->data;
        return 0;
    case ARGP_KEY_ARG:
        return parsed(value_append("RUN.jsonl", argument, strlen(argument), &run->logs, error));
    case FLAG_ROWS:
        if (run->data.path == NULL) run->data.path = argument;
        return parsed(value_append("--data", argument, strlen(argument), &run->data.paths, error));
    case FLAG_ONLY:
        return parsed(set_only(run, argument));
    case FLAG_PICTURE_FORMAT:
        return parsed(set_format(run, argument));
    case LETTER_OUTPUT:
        run->output = argument;
        return 0;
    default:
        return option_put(places, key, argument, run, error);
    }
}

const struct argp report_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "[RUN.jsonl...]",
    .doc = "What trainings did, epoch by epoch, and how good a model is, in pictures: of the logs that train "
           "--log wrote loss, accuracy and learning rate, several in one picture; of a model on data the "
           "confusion matrix, ROC and precision-recall curves, reliability, of quantities what is predicted "
           "against what is true, weights of the first layer as images, and the most confident mistakes. "
           "Pictures are drawn by gnuplot.\v"
           "Example: tanda report run.jsonl --output report.html",
    .children = (const struct argp_child[]){{&reading_argp, 0, NULL, SECTION_DATA},
                                            {&common_argp, 0, NULL, SECTION_COMMON},
                                            {&unknown_argp, 0, NULL, SECTION_DATA},
                                            {0}}};

static tanda_status check_only(reporting *run, tanda_error *error) {
    const part *part = &parts[run->only - 1];
    if (part->is_of_model && run->model == NULL)
        return fail(error, TANDA_USAGE, "--only %s is of a model; give --model MODEL and --data FILE",
                    part->name);
    if (!part->is_of_model && run->logs.count == 0)
        return fail(error, TANDA_USAGE, "--only %s is of trainings; name a log that train --log wrote",
                    part->name);
    if (!run->has_format)
        run->format = run->output == NULL || part->draw == NULL ? PICTURE_TEXT : PICTURE_SVG;
    if (part->draw == NULL && (run->format != PICTURE_TEXT || run->output != NULL))
        return fail(error, TANDA_USAGE,
                    "--only %s is a table, for standard output; leave --format and --output away",
                    part->name);
    return TANDA_OK;
}

static tanda_status check_options(reporting *run, tanda_error *error) {
    if (run->logs.count == 0 && run->model == NULL)
        return fail(error, TANDA_USAGE, "no log and no model; for example: %s", option_example(&report_argp));
    if ((run->model == NULL) != (run->data.path == NULL))
        return fail(error, TANDA_USAGE, "--model and --data go together; give --%s, too",
                    run->model == NULL ? "model" : "data");
    if (run->image != NULL && run->model == NULL)
        return fail(error, TANDA_USAGE, "--image is of a model's features; give --model MODEL, too");
    if (run->only > 0) return check_only(run, error);
    if (run->has_format) return fail(error, TANDA_USAGE, "--format is of one picture; give --only NAME, too");
    return TANDA_OK;
}

static tanda_status check_files(const reporting *run, tanda_error *error) {
    file_list list = {0};
    tanda_status status = file_list_add_read(&run->data, &run->common, &list, error);
    for (size_t i = 0; status == TANDA_OK && i < run->logs.count; i++)
        status = file_list_add(&(named_file){"RUN.jsonl", run->logs.texts[i], FILE_READ, NULL}, &list, error);
    if (status == TANDA_OK)
        status = file_list_add(&(named_file){"--model", run->model, FILE_READ, NULL}, &list, error);
    if (status == TANDA_OK) status = file_list_add_output(run->output, run->only == 0, &list, error);
    if (status == TANDA_OK) status = files_check(list.files, list.count, error);
    file_list_free(&list);
    return status;
}

/* ---- what is reported ------------------------------------------------------------------------------------ */

/* The file's name without folder and suffix. */
static tanda_status set_short_name(const char *path, char **name, tanda_error *error) {
    const char *slash = strrchr(path, '/'), *begin = slash == NULL ? path : slash + 1;
    const char *point = strrchr(begin, '.');
    *name = point == NULL || point == begin ? strdup(begin) : strndup(begin, (size_t)(point - begin));
    return *name != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for names");
}

static bool are_different(char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0) return false;
    return true;
}

/* Logs of one name in several folders are told apart by their paths. */
static tanda_status name_runs(const reporting *run, char **names, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < run->logs.count; i++)
        status = set_short_name(run->logs.texts[i], &names[i], error);
    if (status != TANDA_OK || are_different(names, run->logs.count)) return status;
    for (size_t i = 0; i < run->logs.count; i++) {
        free(names[i]);
        names[i] = strdup(run->logs.texts[i]);
        if (names[i] == NULL) return fail(error, TANDA_FAILED, "no memory for names");
    }
    return TANDA_OK;
}

static tanda_status read_runs(reporting *run, tanda_error *error) {
    run_report *report = &run->report;
    const size_t count = run->logs.count;
    tanda_status status =
        allocate(&report->histories, count, sizeof *report->histories, "the trainings", error);
    if (status == TANDA_OK) status = allocate(&report->names, count, sizeof *report->names, "names", error);
    if (status == TANDA_OK) report->count = count;
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = history_read(run->logs.texts[i], &report->histories[i], error);
    return status == TANDA_OK ? name_runs(run, report->names, error) : status;
}

static tanda_status judge(reporting *run, tanda_error *error) {
    judged *judged = &run->report.judged;
    const common_options *common = &run->common;
    tanda_dataset_options reading = options_reading(&run->data, common->quiet);
    row_stream *stream = NULL;
    reading.held_out = true;
    judged->path = run->model;
    judged->data_path = run->data.path;
    tanda_status status = apply_load(run->model, run->data.path, &reading, false, &judged->model, &stream,
                                     &judged->dataset, error);
    row_stream_close(stream);
    if (status == TANDA_OK) status = judged_find_image(judged, run->image, error);
    if (status == TANDA_OK) status = check_fit(judged->model, judged->dataset, true, error);
    if (status == TANDA_OK)
        status = opening_of(&common->device, common->quiet, &judged->device, judged->reason, error);
    if (status != TANDA_OK) return status;
    if (!common->quiet) print_device_line(judged->device, common->device.math, judged->reason);
    judged->columns = tanda_prediction_columns(judged->model);
    status = predict_all(judged->device, judged->model, judged->dataset, &judged->predictions, error);
    if (status == TANDA_OK)
        status = metrics_of_predictions(judged->model, judged->dataset, judged->predictions, 0,
                                        &judged->metrics, error);
    return status;
}

/* ---- telling --------------------------------------------------------------------------------------------- */

#define SAY(id) TEXT_IN(report->language, id)

/* A picture in a page, or in letters; nothing where there is nothing of the kind. */
static tanda_status put_part(const run_report *report, const part *part, document *document,
                             tanda_error *error) {
    drawing drawing = {0};
    char text[256];
    const char *caption = part->caption[report->language];
    if (part->draw == NULL) return write_mistakes(report, document, error);
    tanda_status status = part->draw(report, &drawing, error);
    if (part->draw == draw_weights) {
        const judged *judged = &report->judged;
        text_put(text, sizeof text, SAY(report_weights_caption), judged->width, judged->height,
                 judged_images(judged), judged->model->layers[0].outputs);
        caption = text;
    }
    if (status == TANDA_OK && drawing.count > 0)
        status = document_picture(document, &drawing, caption, error);
    drawing_free(&drawing);
    return status;
}

static void put_model_heading(const run_report *report, document *document) {
    const judged *judged = &report->judged;
    document_heading(document, "%s", SAY(report_model));
    document_paragraph(document, SAY(report_model_of), judged->path, judged->dataset->rows, judged->data_path,
                       tanda_device_describe(judged->device)->name);
    write_metrics(report, document);
}

static tanda_status write_report(const void *content, document *document, tanda_error *error) {
    const run_report *report = content;
    tanda_status status = TANDA_OK;
    bool has_heading = false;
    if (report->count > 0) write_runs(report, document);
    for (size_t i = 0; status == TANDA_OK && i < PARTS; i++) {
        if (parts[i].is_of_model ? report->judged.model == NULL : report->count == 0) continue;
        if (parts[i].is_of_model && !has_heading) put_model_heading(report, document);
        has_heading = has_heading || parts[i].is_of_model;
        status = put_part(report, &parts[i], document, error);
    }
    return status;
}

#define TITLE_SIZE 512

static void title_of(const reporting *run, char title[TITLE_SIZE]) {
    const run_report *report = &run->report;
    if (report->count > 1)
        text_put(title, TITLE_SIZE, SAY(report_title), report->count);
    else if (report->count == 1)
        text_put(title, TITLE_SIZE, SAY(report_title_one), report->names[0]);
    else
        text_put(title, TITLE_SIZE, SAY(report_title_model), run->model);
}

static tanda_status write_only(const reporting *run, tanda_error *error) {
    const part *part = &parts[run->only - 1];
    drawing drawing = {0};
    document document = {0};
    if (part->draw == NULL) return write_mistakes(&run->report, &document, error);
    tanda_status status = part->draw(&run->report, &drawing, error);
    if (status == TANDA_OK && drawing.count == 0)
        status = fail(error, TANDA_USAGE, "--only %s: there is nothing of the kind%s", part->name,
                      part->draw == draw_weights ? "; --image WxH says what image the features are" : "");
    if (status == TANDA_OK) status = drawing_write(&drawing, run->format, run->output, error);
    drawing_free(&drawing);
    return status;
}

static tanda_status tell(const reporting *run, tanda_error *error) {
    char title[TITLE_SIZE];
    if (run->only > 0) return write_only(run, error);
    title_of(run, title);
    const document_source source = {.write = write_report,
                                    .content = &run->report,
                                    .title = run->output != NULL ? title : NULL,
                                    .path = run->output,
                                    .language = run->report.language,
                                    .quiet = run->common.quiet};
    return document_put(&source, error);
}

static void free_report(run_report *report) {
    for (size_t i = 0; i < report->count; i++)
        history_free(&report->histories[i]);
    free(report->histories);
    free_texts(report->names, report->count);
    free(report->judged.predictions);
    tanda_metrics_free(report->judged.metrics);
    tanda_device_close(report->judged.device);
    tanda_dataset_free(report->judged.dataset);
    tanda_model_free(report->judged.model);
}

tanda_status report_command(int argc, char **argv, tanda_error *error) {
    reporting run = {.common.error = error, .data.error = error};
    tanda_status status = options_parse(&report_argp, argc, argv, &run, &run.common, error);
    if (status == TANDA_OK && !run.common.finished) {
        status = check_options(&run, error);
        if (status == TANDA_OK) status = check_files(&run, error);
        run.report.is_text = run.only > 0 ? run.format == PICTURE_TEXT : run.output == NULL;
        if (status == TANDA_OK) status = read_runs(&run, error);
        if (status == TANDA_OK && run.model != NULL) status = judge(&run, error);
        if (status == TANDA_OK) status = tell(&run, error);
    }
    free_report(&run.report);
    text_list_free(&run.logs);
    data_options_free(&run.data);
    return status;
}
