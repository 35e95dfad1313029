/* tanda surface */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/page_words.h"
#include "cli/surface_report.h"
#include "cli/trace_symbols.h"
#include "cli/train_options.h"

#define OPTIMIZERS 16 /* that there may be */
#define DEFAULT_SIDE 41
#define DEFAULT_POINTS 200
#define DEFAULT_FRAMES 6
#define MOST_FRAMES 24

/* One run of the command. */
typedef struct surfacing {
    train_options train;
    tanda_optimizer kinds[OPTIMIZERS]; /* of the paths */
    size_t kind_count;
    optimizer_options optimizing; /* as given, for all of them */
    tanda_train_options trainings[OPTIMIZERS];
    const char *axes; /* or NULL */
    surface_options plane;
    size_t frames;
    size_t only; /* a part, from 1; 0: all */
    picture_format format;
    bool has_format;
    language language;
    fit fit;
    tanda_device *device;
    char reason[256];
    surface surface;
} surfacing;

/* ---- options --------------------------------------------------------------------------------------------- */

#define TEXT(member) TEXT_AT(surfacing, member)
#define VALUE(member) VALUE_AT(surfacing, member)

enum { FLAG_OPTIMIZERS = FLAG_OWN + 0x100, FLAG_ONLY, FLAG_PICTURE_FORMAT, FLAG_RANGE };

static const struct argp_option table[] = {
    {"optimizer", FLAG_OPTIMIZERS, "NAME,...", 0,
     "trainings, a path each, from the same first weights: sgd (default)" STATEFUL_OPTIMIZERS
     " or lbfgs; other options are for all that have them, without --learning-rate each has its own",
     SECTION_OPTIMIZER},
    {"axes", TEXT(axes), "random|A,B", 0,
     "two random directions, or two weights, each as LAYER.UNIT.INPUT from 1 with input 0 for the bias; "
     "default: both weights of a model that has no more, else random",
     0},
    {"range", FLAG_RANGE, "X:X,Y:Y", 0,
     "of the plane, from least to most on both axes; default: around the paths, of directions at least -1 "
     "to 1",
     0},
    {"grid", VALUE(plane.side), "N", 0, "costs on each axis; default 41", 0},
    {"points", VALUE(plane.points), "N", 0, "steps of a path that are looked at, at most; default 200", 0},
    {"frames", VALUE(frames), "N", 0, "moments of the decision regions; default 6", 0},
    {"only", FLAG_ONLY, "NAME", 0,
     "one picture: contour, surface, descent, sigmoid or regions; to --output, or to standard output", 0},
    {"format", FLAG_PICTURE_FORMAT, "FORMAT", 0,
     "of --only: svg (default with --output), png, pdf or text (default without); or that of the data, as "
     "tanda train takes it",
     0},
    {"language", VALUE(language), "LANGUAGE", 0, "of text, page and pictures: en (default) or es", 0},
    WITHOUT_OPTIONS("optimizer format report-every math gemm"),
    {0},
};

static const option_place places[] = {
    {VALUE(plane.side), .kind = PLACE_SIZE, .flag = "--grid", .least = 2, .most = SURFACE_MOST_SIDE},
    {VALUE(plane.points), .kind = PLACE_SIZE, .flag = "--points", .least = 2, .most = SURFACE_MOST_POINTS},
    {VALUE(frames), .kind = PLACE_SIZE, .flag = "--frames", .least = 1, .most = MOST_FRAMES},
    {VALUE(language), .kind = PLACE_WORD, .flag = "--language", .words = &language_words},
    {0},
};

static tanda_status add_optimizer(surfacing *run, const char *name, tanda_error *error) {
    size_t index = 0;
    const tanda_status status =
        vocabulary_read(&optimizer_words, "--optimizer", name, &index, &run->train.optimizing.remark, error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < run->kind_count; i++)
        if (run->kinds[i] == (tanda_optimizer)index)
            return fail(error, TANDA_USAGE, "--optimizer: %s stands twice; its path would be the same",
                        optimizer_name(run->kinds[i]));
    if (run->kind_count == OPTIMIZERS) return fail(error, TANDA_USAGE, "--optimizer: these are too many");
    run->kinds[run->kind_count++] = (tanda_optimizer)index;
    return TANDA_OK;
}

static tanda_status set_optimizers(surfacing *run, const char *argument, tanda_error *error) {
    text_list names = {0};
    run->kind_count = 0;
    tanda_status status = value_list("--optimizer", argument, &names, error);
    for (size_t i = 0; status == TANDA_OK && i < names.count; i++)
        status = add_optimizer(run, names.texts[i], error);
    text_list_free(&names);
    return status;
}

/* "-1:1,-2.5:3" */
static tanda_status set_range(surfacing *run, const char *argument, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    const char *at = argument;
    bool is_right = true;
    for (size_t axis = 0; is_right && axis < 2; axis++) {
        const char *colon = strchr(at, ':'), *end = at + strcspn(at, ",");
        double *least = &run->plane.least[axis], *most = &run->plane.most[axis];
        is_right = colon != NULL && colon < end && (axis == 0) == (*end == ',') &&
                   number_to_double(at, (size_t)(colon - at), least) == NUMBER_OK &&
                   number_to_double(colon + 1, (size_t)(end - colon - 1), most) == NUMBER_OK &&
                   isfinite((float)*least) && isfinite((float)*most) && (float)*least < (float)*most;
        at = end + 1;
    }
    run->plane.has_range = true;
    if (is_right) return TANDA_OK;
    return fail(error, TANDA_USAGE, "--range: '%s' is no two ranges from least to most such as -1:1,-2.5:3",
                shown(argument, strlen(argument), buffer));
}

static tanda_status set_only(surfacing *run, const char *argument, tanda_error *error) {
    size_t index = 0;
    const tanda_status status = value_choice("--only", argument, surface_parts, SURFACE_PARTS, &index, error);
    if (status == TANDA_OK) run->only = index + 1;
    return status;
}

/* Of a picture; or of the data, as settings have it. */
static tanda_status set_format(surfacing *run, const char *argument, tanda_error *error) {
    size_t index = 0;
    if (data_format_read(argument, &run->train.data.read, NULL) == TANDA_OK) return TANDA_OK;
    const tanda_status status =
        vocabulary_read(&picture_format_words, "--format", argument, &index, NULL, error);
    run->format = (picture_format)index;
    run->has_format = true;
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    surfacing *run = state->input;
    tanda_error *error = run->train.common.error;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &run->train;
        return 0;
    case FLAG_OPTIMIZERS:
        return parsed(set_optimizers(run, argument, error));
    case FLAG_RANGE:
        return parsed(set_range(run, argument, error));
    case FLAG_ONLY:
        return parsed(set_only(run, argument, error));
    case FLAG_PICTURE_FORMAT:
        return parsed(set_format(run, argument, error));
    default:
        return option_put(places, key, argument, run, error);
    }
}

const struct argp surface_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "DATA",
    .doc = "The cost over two weights, or over two random directions of a larger network, as contour and "
           "surface with the paths that trainings take over it; the sigmoid over the data of one feature, "
           "the border between two classes, and decision regions while a network of two features is "
           "trained. --output writes a page, --only NAME one picture, --json the numbers. Pictures are drawn "
           "by gnuplot.\v"
           "Example: tanda surface datasets/perceptron.csv --epochs 100 --output surface.html",
    .children = (const struct argp_child[]){{&train_options_argp, 0, NULL, 0}, {0}},
};

/* ---- a training for each path ---------------------------------------------------------------------------- */

/* What was given is for all, but L-BFGS in company takes all rows and finds its lengths itself. */
static tanda_status take_training(surfacing *run, size_t index, tanda_error *error) {
    tanda_train_options *training = &run->trainings[index];
    const tanda_optimizer kind = run->kinds[index];
    const optimizer_options own =
        optimizer_options_among(&run->optimizing, run->kinds, run->kind_count, index);
    const bool is_lbfgs = kind == TANDA_OPTIMIZER_LBFGS && run->kind_count > 1;
    tanda_train_options defaults = TANDA_OPTIONS(tanda_train_options, );
    tanda_train_defaults(kind, &defaults);
    if (training->epochs == 0) training->epochs = defaults.epochs;
    if (!run->train.has_batch || is_lbfgs) training->batch_rows = defaults.batch_rows;
    if (is_lbfgs) training->learning_rate = 0.0;
    return optimizer_options_finish(&own, training, error);
}

static tanda_status take_trainings(surfacing *run, tanda_error *error) {
    train_options *train = &run->train;
    const tanda_train_options given = train->training; /* of rates and epochs */
    if (run->kind_count == 0) run->kinds[run->kind_count++] = TANDA_OPTIMIZER_SGD;
    run->optimizing = train->optimizing;
    train->optimizing = optimizer_options_among(&run->optimizing, run->kinds, run->kind_count, 0);
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < run->kind_count; i++) {
        run->trainings[i] = given;
        status = take_training(run, i, error);
    }
    if (status == TANDA_OK && run->kinds[0] == TANDA_OPTIMIZER_LBFGS && run->kind_count > 1) {
        train->training.learning_rate = 0.0;
        train->training.batch_rows = 0;
    }
    return status == TANDA_OK ? train_options_check(train, error) : status;
}

/* What the fit makes of all options goes for every training. */
static void complete_trainings(surfacing *run) {
    for (size_t i = 0; i < run->kind_count; i++) {
        const tanda_train_options own = run->trainings[i];
        tanda_train_options *training = &run->trainings[i];
        *training = run->fit.train;
        training->epochs = own.epochs;
        training->batch_rows = own.batch_rows;
        training->learning_rate = own.learning_rate;
        training->optimizer = own.optimizer;
        training->schedule = own.schedule;
    }
}

static tanda_status check_pictures(surfacing *run, tanda_error *error) {
    if (run->only == 0 && run->has_format)
        return fail(error, TANDA_USAGE, "--format is of one picture; give --only NAME, too");
    if (run->only > 0 && run->train.common.json)
        return fail(error, TANDA_USAGE,
                    "--json tells all numbers, and --only draws one picture; give one of them");
    if (!run->has_format) run->format = run->train.output == NULL ? PICTURE_TEXT : PICTURE_SVG;
    run->train.with_pictures = true;
    run->train.is_picture = run->only > 0;
    return TANDA_OK;
}

static tanda_status parse_options(int argc, char **argv, surfacing *run, tanda_error *error) {
    train_options_begin(&run->train, error);
    tanda_status status = options_parse(&surface_argp, argc, argv, run, &run->train.common, error);
    if (status != TANDA_OK || run->train.common.finished) return status;
    status = take_trainings(run, error);
    return status == TANDA_OK ? check_pictures(run, error) : status;
}

/* ---- the plane ------------------------------------------------------------------------------------------- */

/* "2.1.0": a number of each, up to what there is. */
static bool read_place(const char *text, const tanda_model *model, size_t *place) {
    uint64_t numbers[3] = {0};
    for (size_t i = 0; i < 3; i++) {
        const size_t length = strcspn(text, ".");
        if ((text[length] == '.') != (i < 2) || !number_to_whole(text, length, &numbers[i])) return false;
        text += length + (i < 2);
    }
    if (numbers[0] == 0 || numbers[0] > model->layer_count || numbers[1] == 0) return false;
    const layer *layer = &model->layers[numbers[0] - 1];
    if (numbers[1] > layer->outputs || numbers[2] > layer->fan_in) return false;
    *place = weight_place(model, (size_t)numbers[0] - 1, (size_t)numbers[1] - 1, (size_t)numbers[2]);
    return true;
}

static tanda_status find_axes(surfacing *run, tanda_error *error) {
    const tanda_model *model = run->fit.model;
    const layer *last = &model->layers[model->layer_count - 1];
    char buffer[SHOWN_SIZE];
    text_list names = {0};
    if (run->axes == NULL) return TANDA_OK;
    run->plane.axes = strcmp(run->axes, "random") == 0 ? SURFACE_DIRECTIONS : SURFACE_WEIGHTS;
    if (run->plane.axes == SURFACE_DIRECTIONS) return TANDA_OK;
    tanda_status status = value_list("--axes", run->axes, &names, error);
    if (status == TANDA_OK && names.count != 2)
        status =
            fail(error, TANDA_USAGE, "--axes: '%s' is neither random nor two weights such as 1.1.0,1.1.1",
                 shown(run->axes, strlen(run->axes), buffer));
    for (size_t i = 0; status == TANDA_OK && i < 2; i++)
        if (!read_place(names.texts[i], model, &run->plane.weight[i]))
            status = fail(error, TANDA_USAGE,
                          "--axes: the model has no weight '%s'; they go from 1.1.0, a bias, to %zu.%zu.%zu",
                          shown(names.texts[i], strlen(names.texts[i]), buffer), model->layer_count,
                          last->outputs, last->fan_in);
    if (status == TANDA_OK && run->plane.weight[0] == run->plane.weight[1])
        status = fail(error, TANDA_USAGE, "--axes: both are the same weight; give two");
    text_list_free(&names);
    return status;
}

static void tell_part(double part, void *context) {
    bar *bar = context;
    if (!bar->enabled) return;
    fprintf(stderr, "\r\033[K%3.0f %% ", 100.0 * part);
    fflush(stderr);
}

static tanda_status survey(surfacing *run, tanda_error *error) {
    bar bar = bar_begin();
    surface_options *plane = &run->plane;
    bar.enabled &= !run->train.common.quiet;
    if (plane->side == 0) plane->side = DEFAULT_SIDE;
    if (plane->points == 0) plane->points = DEFAULT_POINTS;
    if (run->frames == 0) run->frames = DEFAULT_FRAMES;
    plane->seed = run->train.common.seed;
    plane->l1 = run->fit.train.optimizer.l1;
    plane->l2 = run->fit.train.optimizer.l2;
    plane->on_progress = tell_part;
    plane->context = &bar;
    complete_trainings(run);
    const tanda_status status =
        surface_run(run->device, run->fit.model, run->fit.training, run->fit.validation, run->trainings,
                    run->kind_count, plane, &run->surface, error);
    if (bar.enabled) fputs("\r\033[K", stderr);
    return status;
}

/* ---- telling --------------------------------------------------------------------------------------------- */

static tanda_status write_only(const surfacing *run, const surface_view *view, tanda_error *error) {
    drawing drawing = {0};
    tanda_status status = draw_surface_part(view, run->only - 1, &drawing, error);
    if (status == TANDA_OK) status = drawing_write(&drawing, run->format, run->train.output, error);
    drawing_free(&drawing);
    return status;
}

static tanda_status print_json(const surfacing *run, const surface_view *view, tanda_error *error) {
    report report = report_begin("surface");
    report_device(&report, run->device, &run->train.common.device);
    report_surface(&report, view);
    if (run->train.output != NULL) json_put_text(&report, "page", run->train.output);
    return report_print(&report, error);
}

static tanda_status tell(surfacing *run, tanda_error *error) {
    const surface_view view = {.surface = &run->surface,
                               .model = run->fit.model,
                               .training = run->fit.training,
                               .device = run->device,
                               .path = run->train.data.path,
                               .seed = run->train.common.seed,
                               .l1 = run->plane.l1,
                               .l2 = run->plane.l2,
                               .frames = run->frames,
                               .language = run->language,
                               .is_text =
                                   run->only > 0 ? run->format == PICTURE_TEXT : run->train.output == NULL};
    if (run->only > 0) return write_only(run, &view, error);
    char title[SURFACE_TITLE_SIZE];
    surface_title_text(&view, title);
    const document_source source = {.write = write_surface,
                                    .content = &view,
                                    .title = title,
                                    .path = run->train.output,
                                    .json = run->train.common.json,
                                    .language = run->language,
                                    .quiet = run->train.common.quiet};
    const tanda_status status = document_put(&source, error);
    return status == TANDA_OK && source.json ? print_json(run, &view, error) : status;
}

static tanda_status survey_and_tell(surfacing *run, tanda_error *error) {
    const common_options *common = &run->train.common;
    tanda_status status = fit_begin(&run->train.fit, &run->fit, error);
    run->fit.whole_for = "a surface";
    if (status == TANDA_OK) status = fit_make(&run->fit, error);
    if (status == TANDA_OK) status = find_axes(run, error);
    if (status == TANDA_OK)
        status = opening_of(&common->device, common->quiet, &run->device, run->reason, error);
    if (status == TANDA_OK && !common->quiet)
        print_device_line(run->device, common->device.math, run->reason);
    if (status == TANDA_OK) status = survey(run, error);
    return status == TANDA_OK ? tell(run, error) : status;
}

tanda_status surface_command(int argc, char **argv, tanda_error *error) {
    surfacing run = {0};
    tanda_status status = parse_options(argc, argv, &run, error);
    if (status == TANDA_OK && !run.train.common.finished) status = train_files_check(&run.train, error);
    if (status == TANDA_OK && !run.train.common.finished) status = survey_and_tell(&run, error);
    surface_free(&run.surface);
    tanda_device_close(run.device);
    fit_free(&run.fit);
    train_options_free(&run.train);
    return status;
}
