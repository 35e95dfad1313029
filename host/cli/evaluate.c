/* tanda evaluate */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/apply.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/ranks.h"
#include "cli/report.h"
#include "tanda_lab.h"

#define CLASSES_IN_REPORT 30 /* more, and only the worst are shown */
#define WORST_CLASSES 20
#define CLASSES_IN_MATRIX 20 /* more, and only the most frequent confusions are shown */
#define WORST_CONFUSIONS 10
#define MATRIX_WIDTH 110 /* a wider one has numbers over its columns */
#define NAME_CHARACTERS 24

static const char weighted_average[] = "weighted avg"; /* the longest of the names below the classes */

/* ---- names -------------------------------------------------------------------------------------------- */

static size_t characters(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* A class name fit for a column: no control characters, at most NAME_CHARACTERS long. */
static const char *label(const char *name, char buffer[SHOWN_SIZE]) {
    size_t end = 0, count = 0;
    shown(name, strlen(name), buffer);
    if (characters(buffer) <= NAME_CHARACTERS) return buffer;
    for (; count < NAME_CHARACTERS - 2 || ((unsigned char)buffer[end] & 0xc0) == 0x80; end++)
        count += ((unsigned char)buffer[end + 1] & 0xc0) != 0x80;
    memcpy(buffer + end, "..", sizeof "..");
    return buffer;
}

/* Right-aligned by characters, as printf counts bytes. */
static void print_label(const char *text, size_t width) {
    size_t length = characters(text);
    printf("%*s%s", (int)(width > length ? width - length : 0), "", text);
}

static size_t label_width(char *const *names, size_t count, size_t least) {
    char buffer[SHOWN_SIZE];
    for (size_t i = 0; i < count; i++) {
        size_t length = characters(label(names[i], buffer));
        if (length > least) least = length;
    }
    return least;
}

/* ---- the report --------------------------------------------------------------------------------------- */

static bool occurs(const tanda_class_metrics *class) {
    return class->support + class->predicted > 0;
}

static void print_line(const char *name, size_t width, const tanda_average *rates, uint64_t support) {
    print_label(name, width);
    printf("  %9.4f %9.4f %9.4f %9llu\n", rates->precision, rates->recall, rates->f1,
           (unsigned long long)support);
}

static void print_class(const tanda_metrics *metrics, char *const *names, size_t i, size_t width) {
    char buffer[SHOWN_SIZE];
    const tanda_class_metrics *class = &metrics->classes[i];
    print_line(label(names[i], buffer), width, &(tanda_average){class->precision, class->recall, class->f1},
               class->support);
}

/* Whether class i comes before class j: by f1, then by number. */
static bool is_worse(const tanda_metrics *metrics, size_t i, size_t j) {
    double a = metrics->classes[i].f1, b = metrics->classes[j].f1;
    return a < b || (a == b && i < j);
}

/* The worst class that is better than `last`; SIZE_MAX for the first and for none. */
static size_t next_worst(const tanda_metrics *metrics, size_t last) {
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < metrics->class_count; i++) {
        if (!occurs(&metrics->classes[i])) continue;
        if (last != SIZE_MAX && !is_worse(metrics, last, i)) continue;
        if (found == SIZE_MAX || is_worse(metrics, i, found)) found = i;
    }
    return found;
}

static void print_report(const tanda_metrics *metrics, char *const *names) {
    size_t occurring = 0;
    for (size_t i = 0; i < metrics->class_count; i++)
        occurring += occurs(&metrics->classes[i]);
    size_t width = label_width(names, metrics->class_count, sizeof weighted_average - 1);
    putchar('\n');
    if (occurring > CLASSES_IN_REPORT)
        printf("The %d of %zu classes with the lowest f1-score (--json has all):\n", WORST_CLASSES,
               occurring);
    printf("%*s  %9s %9s %9s %9s\n\n", (int)width, "", "precision", "recall", "f1-score", "support");
    for (size_t i = 0, class = SIZE_MAX; occurring > CLASSES_IN_REPORT && i < WORST_CLASSES; i++) {
        class = next_worst(metrics, class);
        print_class(metrics, names, class, width);
    }
    for (size_t i = 0; occurring <= CLASSES_IN_REPORT && i < metrics->class_count; i++)
        if (occurs(&metrics->classes[i])) print_class(metrics, names, i, width);
    putchar('\n');
    print_label("accuracy", width);
    printf("  %9s %9s %9.4f %9zu\n", "", "", metrics->accuracy, metrics->rows);
    print_line("macro avg", width, &metrics->macro, metrics->rows);
    print_line(weighted_average, width, &metrics->weighted, metrics->rows);
    if (occurring < metrics->class_count)
        printf("%zu of %zu classes have neither rows nor predictions: in no macro average\n",
               metrics->class_count - occurring, metrics->class_count);
}

/* ---- several labels ----------------------------------------------------------------------------------- */

/* The lines of scikit-learn's classification_report for multilabel indicators; their support is of all labels. */
static void print_label_report(const tanda_metrics *metrics, char *const *names) {
    const size_t width = label_width(names, metrics->class_count, sizeof weighted_average - 1);
    uint64_t support = 0;
    for (size_t i = 0; i < metrics->class_count; i++)
        support += metrics->classes[i].support;
    printf("\n%*s  %9s %9s %9s %9s\n\n", (int)width, "", "precision", "recall", "f1-score", "support");
    for (size_t i = 0; i < metrics->class_count; i++)
        print_class(metrics, names, i, width);
    putchar('\n');
    print_line("micro avg", width, &metrics->micro, support);
    print_line("macro avg", width, &metrics->macro, support);
    print_line(weighted_average, width, &metrics->weighted, support);
    print_line("samples avg", width, &metrics->samples, support);
}

/* What is not defined is left out. */
static void print_figure(const char *name, double value) {
    if (!isnan(value)) printf("%s: %.9g\n", name, value);
}

/* An area, or for which class or label there is none; area_of gives that of one. */
static void print_area(const char *title, double area, double (*area_of)(const tanda_class_metrics *class),
                       const tanda_metrics *metrics, char *const *names) {
    const bool is_of_labels = metrics->task == TANDA_TASK_LABELS;
    char buffer[SHOWN_SIZE];
    if (!isnan(area))
        printf("%s: %.9g%s\n", title, area,
               is_of_labels                ? " (mean over the labels)"
               : metrics->class_count == 2 ? ""
                                           : " (mean of each class against the rest)");
    for (size_t i = 0; isnan(area) && i < metrics->class_count; i++) {
        const tanda_class_metrics *class = &metrics->classes[i];
        if (is_of_labels ? !isnan(area_of(class)) : class->support > 0) continue;
        printf(is_of_labels ? "%s: not defined, label %s is the same in all rows\n"
                            : "%s: not defined, no row is of class %s\n",
               title, label(names[i], buffer));
        return;
    }
}

static double roc_area(const tanda_class_metrics *class) {
    return class->roc_auc;
}

static double pr_area(const tanda_class_metrics *class) {
    return class->pr_auc;
}

static void print_areas(const tanda_metrics *metrics, char *const *names) {
    print_area("roc_auc", metrics->roc_auc, roc_area, metrics, names);
    print_area("pr_auc", metrics->pr_auc, pr_area, metrics, names);
}

/* ---- the confusion matrix ----------------------------------------------------------------------------- */

static size_t digits(uint64_t number) {
    char text[24];
    return text_put(text, sizeof text, "%llu", (unsigned long long)number);
}

/* Wide enough for every count, and for every name unless the columns are numbered. */
static size_t cell_width(const tanda_metrics *metrics, char *const *names, bool *numbered) {
    size_t classes = metrics->class_count, width = 1;
    for (size_t i = 0; i < classes; i++)
        width = digits(metrics->classes[i].support) > width ? digits(metrics->classes[i].support) : width;
    size_t named = label_width(names, classes, width), rows = label_width(names, classes, 0);
    *numbered = rows + classes * (named + 2) > MATRIX_WIDTH;
    if (!*numbered) return named;
    size_t number = digits(classes - 1) + 1;
    return number > width ? number : width;
}

static void print_matrix(const tanda_metrics *metrics, char *const *names) {
    char buffer[SHOWN_SIZE], number[32];
    bool numbered = false;
    size_t classes = metrics->class_count, cell = cell_width(metrics, names, &numbered);
    size_t first = label_width(names, classes, 0), last = numbered ? digits(classes - 1) + 2 : 0;
    printf("\nConfusion matrix (row: truth, column: prediction):\n%*s", (int)(first + last), "");
    for (size_t i = 0; i < classes; i++) {
        text_put(number, sizeof number, "#%zu", i);
        print_label(numbered ? number : label(names[i], buffer), cell + 2);
    }
    putchar('\n');
    for (size_t i = 0; i < classes; i++) {
        print_label(label(names[i], buffer), first);
        text_put(number, sizeof number, "#%zu", i);
        if (numbered) print_label(number, last);
        for (size_t j = 0; j < classes; j++)
            printf("  %*llu", (int)cell, (unsigned long long)metrics->confusion[i * classes + j]);
        putchar('\n');
    }
}

/* The place of the largest count off the diagonal that comes after `last`; SIZE_MAX for the first and for none. */
static size_t next_confusion(const tanda_metrics *metrics, size_t last) {
    const uint64_t *counts = metrics->confusion;
    size_t classes = metrics->class_count, found = SIZE_MAX;
    for (size_t i = 0; i < classes * classes; i++) {
        if (counts[i] == 0 || i / classes == i % classes) continue;
        if (last != SIZE_MAX && (counts[i] > counts[last] || (counts[i] == counts[last] && i <= last)))
            continue;
        if (found == SIZE_MAX || counts[i] > counts[found]) found = i;
    }
    return found;
}

static void print_confusions(const tanda_metrics *metrics, char *const *names) {
    size_t classes = metrics->class_count, at = next_confusion(metrics, SIZE_MAX);
    char truth[SHOWN_SIZE], prediction[SHOWN_SIZE];
    if (at == SIZE_MAX) return;
    puts("\nMost frequent confusions (--json has the matrix):");
    for (size_t i = 0; i < WORST_CONFUSIONS && at != SIZE_MAX; i++, at = next_confusion(metrics, at))
        printf("  %s taken for %s: %llu of %llu\n", label(names[at / classes], truth),
               label(names[at % classes], prediction), (unsigned long long)metrics->confusion[at],
               (unsigned long long)metrics->classes[at / classes].support);
}

/* As scikit-learn's classification_report lays them out. names: (class_count), or NULL for regression. */
static void print_metrics(const tanda_metrics *metrics, char *const *names) {
    if (metrics->task == TANDA_TASK_REGRESSION) {
        printf("mse: %.9g\nmae: %.9g\n", metrics->mse, metrics->mae);
        if (!isnan(metrics->r2)) printf("r2: %.9g\n", metrics->r2);
        return;
    }
    if (metrics->task == TANDA_TASK_LABELS) {
        print_label_report(metrics, names);
        printf("\nhamming_loss: %.9g\n", metrics->hamming_loss);
        print_areas(metrics, names);
        return;
    }
    print_report(metrics, names);
    putchar('\n');
    print_areas(metrics, names);
    print_figure("mcc", metrics->mcc);
    print_figure("kappa", metrics->kappa);
    print_figure("brier", metrics->brier);
    print_figure("log_loss", metrics->log_loss);
    if (metrics->top_k > 0) printf("top_%zu_accuracy: %.9g\n", metrics->top_k, metrics->top_accuracy);
    if (metrics->confusion == NULL) return;
    if (metrics->class_count <= CLASSES_IN_MATRIX)
        print_matrix(metrics, names);
    else
        print_confusions(metrics, names);
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static json_t *average_json(const tanda_average *average) {
    return json_pack("{sf sf sf}", "precision", average->precision, "recall", average->recall, "f1",
                     average->f1);
}

static json_t *classes_json(const tanda_metrics *metrics, char *const *names) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < metrics->class_count; i++) {
        const tanda_class_metrics *class = &metrics->classes[i];
        report made = json_object_begin();
        json_put_text(&made, "name", names[i]);
        json_put_count(&made, "support", class->support);
        json_put_count(&made, "predicted", class->predicted);
        json_put_real(&made, "precision", class->precision);
        json_put_real(&made, "recall", class->recall);
        json_put_real(&made, "f1", class->f1);
        json_put_real(&made, "roc_auc", class->roc_auc);
        json_put_real(&made, "pr_auc", class->pr_auc);
        json_push(&array, json_end(&made));
    }
    return json_end(&array);
}

static json_t *confusion_json(const tanda_metrics *metrics) {
    size_t classes = metrics->class_count;
    json_builder rows = json_array_begin();
    for (size_t i = 0; i < classes; i++) {
        json_builder row = json_array_begin();
        for (size_t j = 0; j < classes; j++)
            json_push(&row, json_integer((json_int_t)metrics->confusion[i * classes + j]));
        json_push(&rows, json_end(&row));
    }
    return json_end(&rows);
}

/* With every class and the whole confusion matrix; NULL when memory runs out. */
static json_t *metrics_json(const tanda_metrics *metrics, char *const *names) {
    report made = json_object_begin();
    json_put_real(&made, "accuracy", metrics->accuracy);
    json_put_real(&made, "roc_auc", metrics->roc_auc);
    json_put_real(&made, "pr_auc", metrics->pr_auc);
    json_put_real(&made, "mcc", metrics->mcc);
    json_put_real(&made, "kappa", metrics->kappa);
    json_put_real(&made, "brier", metrics->brier);
    json_put_real(&made, "log_loss", metrics->log_loss);
    if (metrics->top_k > 0) json_put_count(&made, "top_k", metrics->top_k);
    json_put_real(&made, "top_k_accuracy", metrics->top_accuracy);
    json_put_real(&made, "hamming_loss", metrics->hamming_loss);
    json_put_real(&made, "mse", metrics->mse);
    json_put_real(&made, "mae", metrics->mae);
    json_put_real(&made, "r2", metrics->r2);
    if (metrics->task == TANDA_TASK_LABELS) {
        json_put(&made, "micro", average_json(&metrics->micro));
        json_put(&made, "samples", average_json(&metrics->samples));
    }
    if (metrics->task != TANDA_TASK_REGRESSION) {
        json_put(&made, "macro", average_json(&metrics->macro));
        json_put(&made, "weighted", average_json(&metrics->weighted));
        json_put(&made, metrics->task == TANDA_TASK_LABELS ? "labels" : "classes",
                 classes_json(metrics, names));
        if (metrics->confusion != NULL) json_put(&made, "confusion_matrix", confusion_json(metrics));
    }
    return json_end(&made);
}

/* ---- the command ---------------------------------------------------------------------------------------- */

enum { FLAG_TOP_K = FLAG_OWN };

typedef struct evaluation {
    application application;
    size_t top_k; /* 0: not asked */
    together_results results;
} evaluation;

static const struct argp_option table[] = {
    {"top-k", FLAG_TOP_K, "K", 0, "tell also how many rows have their class among the K most probable", 0},
    WITHOUT_OPTIONS("seed gemm"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    evaluation *evaluation = state->input;
    if (key == FLAG_TOP_K)
        return parsed(value_size("--top-k", argument, 1, SIZE_MAX, &evaluation->top_k,
                                 evaluation->application.common.error));
    return application_parse(key, state, &evaluation->application);
}

const struct argp evaluate_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "MODEL DATA",
    .doc =
        "Loss and metrics of a model on data that it has not necessarily seen.\v"
        "For classes: precision, recall and f1-score as scikit-learn's classification_report has them, "
        "ROC AUC, PR AUC (average precision), Matthews's correlation (mcc), Cohen's kappa, Brier score, log "
        "loss and the confusion matrix; for several labels: rates and areas of each label, accuracy of "
        "whole rows, and Hamming loss; for a quantity: mse, mae and r2. Columns are found by the "
        "model's names where the data has names, else by position.\n"
        "Example: tanda evaluate iris.safetensors datasets/iris.csv",
    .children = application_children,
};

/* Of classes or of labels. */
static char *const *outcome_names(const tanda_model *model) {
    return model->task == TANDA_TASK_LABELS ? model->target_names : model->class_names;
}

static tanda_status print_json(const evaluation *evaluation, tanda_error *error) {
    char digest[DIGEST_TEXT_SIZE];
    const application *application = &evaluation->application;
    const tanda_model *model = application->model;
    model_digest(model, digest);
    report report = report_begin("evaluate");
    report_device(&report, application->device, &application->common.device);
    json_put_text(&report, "task", task_name(model->task));
    json_put_text(&report, "loss_function", loss_name(model->loss));
    report_dialect(&report, &application->dataset->dialect);
    report_target_scaling(&report, model);
    json_put_count(&report, "rows", evaluation->results.figures.rows);
    json_put_count(&report, "features", model->features);
    json_put_count(&report, "parameters", model->parameter_count);
    report_evaluation(&report, "", &evaluation->results.figures);
    json_put(&report, "metrics", metrics_json(evaluation->results.metrics, outcome_names(model)));
    json_put(&report, "seconds",
             json_pack("{sf sf sf}", "load", application->load_seconds, "evaluate",
                       evaluation->results.evaluate_seconds, "metrics", evaluation->results.metrics_seconds));
    json_put_text(&report, "weights_sha256", digest);
    json_put_text(&report, "model", application->model_path);
    return report_print(&report, error);
}

static tanda_status begin(evaluation *evaluation, tanda_error *error) {
    application *application = &evaluation->application;
    const tanda_status status = application_open(application, false, error);
    if (status != TANDA_OK || evaluation->top_k == 0 || application->model->task == TANDA_TASK_CLASSES)
        return status;
    return fail(error, TANDA_USAGE, "--top-k is for classes, and the model predicts %s",
                application->model->task == TANDA_TASK_LABELS ? "several labels" : "a quantity");
}

static tanda_status evaluate(evaluation *evaluation, tanda_error *error) {
    application *application = &evaluation->application;
    tanda_status status = ranks_agree(begin(evaluation, error), error);
    if (status == TANDA_OK) status = application_begin_ranks(application, error);
    if (status == TANDA_OK)
        status = evaluate_together(ranks_hosts(), application->device, application->model,
                                   application->dataset, evaluation->top_k, &evaluation->results, error);
    if (status != TANDA_OK || tanda_hosts_rank(ranks_hosts()) > 0) return status;
    if (application->common.json) return print_json(evaluation, error);
    print_evaluation("", &evaluation->results.figures);
    print_metrics(evaluation->results.metrics, outcome_names(application->model));
    return TANDA_OK;
}

tanda_status evaluate_command(int argc, char **argv, tanda_error *error) {
    evaluation evaluation = {.application = {.common.error = error, .data.error = error}};
    application *application = &evaluation.application;
    tanda_status status = options_parse(&evaluate_argp, argc, argv, &evaluation, &application->common, error);
    status = ranks_join_application(&application->common, &application->data, status, error);
    if (status == TANDA_OK && !application->common.finished) status = evaluate(&evaluation, error);
    tanda_metrics_free(evaluation.results.metrics);
    application_free(application);
    return status;
}
