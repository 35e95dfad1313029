/* tanda inspect: which kind of file it is decides which half does the work. */
#include "cli/inspect.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/report.h"
#include "tanda_lab.h"

#define FEATURES_SHOWN 64
#define NAME_WIDTH 20
#define NUMBER_WIDTH 11 /* at least */
#define DIGITS_MOST 17  /* a binary64 needs no more */
#define DIGITS_OF_MEAN 6
#define TEXT_SHOWN 12 /* bytes of a most frequent text */

/* What was read, and what its columns hold. */
typedef struct inspected {
    const char *path;
    const tanda_dataset *dataset;
    column_profile *profiles;   /* (dataset->features) */
    size_t *counts;             /* rows of each class, or NULL: there are none */
    const char *remark;         /* why there is no target, or "" */
    const shards_facts *shards; /* of a folder of them, or NULL */
} inspected;

/* In as few digits, but no fewer than of a mean, as bring it within `error`. */
static const char *mean_text(double number, double error, char text[TEXT_NUMBER_SIZE]) {
    int digits = DIGITS_OF_MEAN;
    if (isnan(number)) return "-";
    do
        text_put(text, TEXT_NUMBER_SIZE, "%.*g", digits, number);
    while (fabs(strtod(text, NULL) - number) > error && digits++ < DIGITS_MOST);
    return text;
}

static const char *number_text(double number, char text[TEXT_NUMBER_SIZE]) {
    return isnan(number) ? "-" : text_shortest(number, text);
}

/* Minimum, mean and maximum. */
enum { MINIMUM, MEAN, MAXIMUM, FIGURES };

typedef struct figure_texts {
    char memory[FIGURES][TEXT_NUMBER_SIZE];
    const char *texts[FIGURES];
} figure_texts;

/* Those that a column holds in all digits; of a mean what tells it from the extremes. */
static figure_texts *figures_of(const column_profile *profile, figure_texts *figures) {
    const double error = (profile->maximum - profile->minimum) * 0x1p-16;
    figures->texts[MINIMUM] = number_text(profile->minimum, figures->memory[MINIMUM]);
    figures->texts[MEAN] = mean_text(profile->mean, error, figures->memory[MEAN]);
    figures->texts[MAXIMUM] = number_text(profile->maximum, figures->memory[MAXIMUM]);
    return figures;
}

static void print_frequent(const column_profile *profile) {
    char text[TEXT_SHOWN + 4];
    if (profile->most_frequent_rows == 0) return;
    if (profile->most_frequent_text == NULL) {
        char number[TEXT_NUMBER_SIZE];
        printf("  %s", number_text(profile->most_frequent, number));
    } else {
        const size_t used = text_put(text, sizeof text, "%.*s", TEXT_SHOWN, profile->most_frequent_text);
        if (strlen(profile->most_frequent_text) > used) strcpy(text + used, "...");
        print_named(stdout, "  ", text, "");
    }
    printf(" (%zu)", profile->most_frequent_rows);
}

static void print_feature(const inspected *inspected, size_t feature, const int widths[FIGURES]) {
    const column_profile *profile = &inspected->profiles[feature];
    figure_texts figures;
    char number[32];
    const char *name = number;
    text_put(number, sizeof number, "%zu", feature);
    if (inspected->dataset->feature_names != NULL) name = inspected->dataset->feature_names[feature];
    print_named(stdout, "  ", name, "");
    printf("%*s", strlen(name) < NAME_WIDTH ? (int)(NAME_WIDTH - strlen(name)) : 0, "");
    printf(" %-8s %8zu", column_type_name(profile->type), profile->missing);
    if (profile->has_more)
        printf(" %8s", "more");
    else
        printf(" %8zu", profile->distinct);
    figures_of(profile, &figures);
    for (size_t i = 0; i < FIGURES; i++)
        printf(" %*s", widths[i], figures.texts[i]);
    print_frequent(profile);
    puts(profile_is_constant(profile) ? " constant" : "");
}

static void print_features(const inspected *inspected) {
    const size_t features = inspected->dataset->features;
    const size_t count = features < FEATURES_SHOWN ? features : FEATURES_SHOWN;
    int widths[FIGURES] = {NUMBER_WIDTH, NUMBER_WIDTH, NUMBER_WIDTH};
    figure_texts figures;
    for (size_t i = 0; i < count; i++) {
        figures_of(&inspected->profiles[i], &figures);
        for (size_t j = 0; j < FIGURES; j++)
            if (strlen(figures.texts[j]) > (size_t)widths[j]) widths[j] = (int)strlen(figures.texts[j]);
    }
    printf("\n  %-*s %-8s %8s %8s %*s %*s %*s  most frequent\n", NAME_WIDTH, "Feature", "type", "missing",
           "distinct", widths[MINIMUM], "min", widths[MEAN], "mean", widths[MAXIMUM], "max");
    for (size_t i = 0; i < count; i++)
        print_feature(inspected, i, widths);
    if (features > count) printf("  ... (%zu features; --json has them all)\n", features);
}

static void print_shards(const shards_facts *shards) {
    if (shards == NULL) return;
    printf(" in %zu shard%s, %zu bytes", shards->shards, plural(shards->shards), shards->bytes);
}

static void print_lines(const inspected *inspected) {
    const tanda_dataset *dataset = inspected->dataset;
    char written[DIALECT_TEXT_SIZE];
    print_named(stdout, "Data: ", inspected->path, "");
    if (dataset->remark != NULL) printf(" (%s)", dataset->remark);
    printf(", %zu row%s x %zu feature%s%s", dataset->rows, plural(dataset->rows), dataset->features,
           plural(dataset->features), dataset->from_bytes ? ", bytes" : "");
    print_shards(inspected->shards);
    putchar('\n');
    if (dialect_describe(&dataset->dialect, written)[0] != '\0') printf("Text: %s\n", written);
    printf(dataset->target_count > 1 ? "Targets: " : "Target: ");
    char *const *names = dataset->target_names != NULL ? dataset->target_names : &dataset->target_name;
    const size_t count = dataset->target_names != NULL ? dataset->target_count : dataset->target_name != NULL;
    for (size_t i = 0; i < count; i++)
        print_named(stdout, "", names[i], ", ");
    print_task(stdout, dataset, inspected->counts, "as asked");
    if (inspected->remark[0] != '\0') printf(" (%s)", inspected->remark);
    putchar('\n');
    if (inspected->shards != NULL && inspected->shards->source[0] != '\0')
        print_named(stdout, "Source: ", inspected->shards->source, "\n");
    if (inspected->shards != NULL) puts("Whole: every shard has the rows and the hash that meta.json says");
    print_features(inspected);
}

static json_t *feature_object(const inspected *inspected, size_t feature) {
    const column_profile *profile = &inspected->profiles[feature];
    report report = json_object_begin();
    if (inspected->dataset->feature_names != NULL)
        json_put_text(&report, "name", inspected->dataset->feature_names[feature]);
    json_put_text(&report, "type", column_type_name(profile->type));
    json_put_count(&report, "missing", profile->missing);
    if (profile->has_more)
        json_put_text(&report, "distinct", "more");
    else
        json_put_count(&report, "distinct", profile->distinct);
    json_put(&report, "constant", json_boolean(profile_is_constant(profile)));
    json_put_real(&report, "min", profile->minimum);
    json_put_real(&report, "mean", profile->mean);
    json_put_real(&report, "max", profile->maximum);
    if (profile->most_frequent_rows > 0) {
        json_put_text(&report, "most_frequent", profile->most_frequent_text);
        json_put_real(&report, "most_frequent", profile->most_frequent);
        json_put_count(&report, "most_frequent_rows", profile->most_frequent_rows);
    }
    return json_end(&report);
}

static void report_classes(report *report, const inspected *inspected) {
    json_builder classes = json_array_begin();
    for (size_t i = 0; i < inspected->dataset->class_count; i++) {
        json_builder class = json_object_begin();
        json_put_text(&class, "name", inspected->dataset->class_names[i]);
        json_put_count(&class, "rows", inspected->counts[i]);
        json_push(&classes, json_end(&class));
    }
    json_put(report, "classes", json_end(&classes));
}

static void report_shards(report *report, const shards_facts *shards) {
    json_put_count(report, "shards", shards->shards);
    json_put_count(report, "bytes", shards->bytes);
    json_put_text(report, "source", shards->source[0] == '\0' ? NULL : shards->source);
}

static tanda_status print_json(const inspected *inspected, tanda_error *error) {
    const tanda_dataset *dataset = inspected->dataset;
    json_builder columns = json_array_begin();
    report report = report_begin("inspect");
    for (size_t i = 0; i < dataset->features; i++)
        json_push(&columns, feature_object(inspected, i));
    json_put_text(&report, "kind", inspected->shards != NULL ? "shards" : "data");
    json_put_text(&report, "data", inspected->path);
    json_put_text(&report, "read_as", dataset->remark);
    report_dialect(&report, &dataset->dialect);
    json_put_count(&report, "rows", dataset->rows);
    json_put_count(&report, "features", dataset->features);
    if (inspected->shards != NULL) report_shards(&report, inspected->shards);
    json_put_text(&report, "target", dataset->target_name);
    if (dataset->target_names != NULL)
        json_put(&report, "targets", json_texts(dataset->target_names, dataset->target_count));
    if (dataset->task != TANDA_TASK_AUTO) json_put_text(&report, "task", task_name(dataset->task));
    if (inspected->counts != NULL) report_classes(&report, inspected);
    json_put(&report, "columns", json_end(&columns));
    return report_print(&report, error);
}

/*
 * Without options the last column is taken for the target. Where that cannot be (images without their
 * labels), the file is still worth showing, with the reason.
 */
static tanda_status load(const inspection *inspection, tanda_dataset **dataset, char *remark, size_t size,
                         tanda_error *error) {
    tanda_dataset_options reading = options_reading(&inspection->data, inspection->common.quiet);
    reading.task = inspection->task;
    const tanda_status status = dataset_load_columns(inspection->data.path, &reading, dataset, error);
    const bool is_about_target = status == TANDA_USAGE || status == TANDA_BAD_INPUT;
    if (!is_about_target || reading.target != NULL || reading.labels != NULL) return status;
    if (pipe_is_named(inspection->data.path)) return status; /* it is read once */
    reading.without_target = true;
    if (dataset_load_columns(inspection->data.path, &reading, dataset, NULL) != TANDA_OK) return status;
    text_put(remark, size, "%s", error->message);
    return TANDA_OK;
}

/* What the columns hold, and then what is doubtful of them. */
static tanda_status tell(const inspection *inspection, inspected *inspected, tanda_error *error) {
    const tanda_dataset *dataset = inspected->dataset;
    doubtful_columns doubtful = {0};
    tanda_status status = profile_columns(dataset, &inspected->profiles, error);
    if (status == TANDA_OK && dataset->task == TANDA_TASK_CLASSES)
        status = class_counts(dataset, &inspected->counts, error);
    if (status == TANDA_OK && inspection->common.json)
        status = print_json(inspected, error);
    else if (status == TANDA_OK)
        print_lines(inspected);
    if (status == TANDA_OK && !inspection->common.quiet) status = columns_check(dataset, &doubtful, error);
    if (doubtful.count > 0) fflush(stdout); /* the table comes first on a terminal */
    print_column_notes(&doubtful);
    doubtful_columns_free(&doubtful);
    free(inspected->profiles);
    free(inspected->counts);
    return status;
}

/* shards: of a folder of them, or NULL. */
static tanda_status inspect_data(const inspection *inspection, const shards_facts *shards,
                                 tanda_error *error) {
    tanda_dataset *dataset = NULL;
    char remark[sizeof error->message] = "";
    file_view whole = {0}; /* to be the same whenever it is read; that it is no file is told by the reading */
    if (!pipe_is_named(inspection->data.path)) (void)file_view_open(inspection->data.path, &whole, NULL);
    tanda_status status = load(inspection, &dataset, remark, sizeof remark, error);
    status = file_view_check(&whole, status, error);
    file_view_close(&whole);
    if (status == TANDA_OK) {
        inspected inspected = {
            .path = inspection->data.path, .dataset = dataset, .remark = remark, .shards = shards};
        status = tell(inspection, &inspected, error);
        status = dataset_check(dataset, status, error);
    }
    tanda_dataset_free(dataset);
    return status;
}

/* All of it is found to be whole before any of it is told. */
static tanda_status inspect_shards(const inspection *inspection, tanda_error *error) {
    shards_facts facts;
    const tanda_status status = shards_verify(inspection->data.path, &facts, error);
    return status == TANDA_OK ? inspect_data(inspection, &facts, error) : status;
}

/* ---- the command ---------------------------------------------------------------------------------------- */

#define SWITCH(member) SWITCH_AT(inspection, member)
#define VALUE(member) VALUE_AT(inspection, member)

static const struct argp_option table[] = {
    {"task", VALUE(task), "TASK", 0,
     "auto (default: told from the target), classes, regression or labels (several targets, each 0 or 1)", 0},
    {"settings", SWITCH(settings), NULL, 0,
     "only the settings of the model's training, as JSON that tanda train --config takes", 0},
    WITHOUT_OPTIONS("device require-device accept-flush threads isa math gemm kernels executor seed"),
    {0},
};

static const option_place places[] = {
    {VALUE(task), .kind = PLACE_WORD, .flag = "--task", .words = &task_words},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    inspection *inspection = state->input;
    tanda_error *error = inspection->common.error;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &inspection->data;
        state->child_inputs[1] = &inspection->common;
        state->child_inputs[2] = &inspection->data;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, &inspection->data.path, error);
    case ARGP_KEY_END:
        if (inspection->data.path != NULL) return 0;
        return parsed(options_lack(state->root_argp, "file", error));
    default:
        return option_put(places, key, argument, inspection, error);
    }
}

static const struct argp_child children[] = {{&reading_argp, 0, NULL, SECTION_DATA},
                                             {&common_argp, 0, NULL, SECTION_COMMON},
                                             {&encoding_argp, 0, NULL, SECTION_DATA},
                                             {0}};

const struct argp inspect_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "FILE",
    .doc =
        "What a model file holds, or each column of a data file: its type, missing and distinct values, "
        "minimum, mean, maximum and most frequent value; of a folder of shards, whether it is whole, too.\v"
        "Example: tanda inspect datasets/iris.csv",
    .children = children,
};

tanda_status inspect_command(int argc, char **argv, tanda_error *error) {
    inspection inspection = {.common.error = error, .data.error = error};
    bool is_model = false, is_folder = false;
    tanda_status status = options_parse(&inspect_argp, argc, argv, &inspection, &inspection.common, error);
    const bool is_asked = status == TANDA_OK && !inspection.common.finished;
    if (is_asked) status = model_file_looks_right(inspection.data.path, &is_model, error);
    if (is_asked && status == TANDA_OK) status = shards_are_in(inspection.data.path, &is_folder, error);
    if (is_asked && status == TANDA_OK) {
        if (is_model)
            status = inspect_model(&inspection, error);
        else if (inspection.settings)
            status = fail(error, TANDA_USAGE, "--settings: %s is no model file", inspection.data.path);
        else if (is_folder)
            status = inspect_shards(&inspection, error);
        else
            status = inspect_data(&inspection, NULL, error);
    }
    data_options_free(&inspection.data);
    return status;
}
