#include "cli/cross_validation.h"

#include <math.h>
#include <stdlib.h>

#include "cli/column_notes.h"
#include "cli/print.h"
#include "data/held_out.h"
#include "support/memory.h"

typedef struct figure {
    const char *name;
    double (*of)(const fold *fold);
} figure;

static double loss_of(const fold *fold) {
    return fold->result.training.loss;
}

static double accuracy_of(const fold *fold) {
    return fold->result.training.accuracy;
}

static double validation_loss_of(const fold *fold) {
    return fold->result.validation.loss;
}

static double validation_accuracy_of(const fold *fold) {
    return fold->result.validation.accuracy;
}

static const figure figures[] = {{"loss", loss_of},
                                 {"accuracy", accuracy_of},
                                 {"val_loss", validation_loss_of},
                                 {"val_accuracy", validation_accuracy_of}};
#define FIGURES (sizeof figures / sizeof figures[0])

/* ---- mean and spread ---------------------------------------------------------------------------------- */

static double mean_of(const cross_validation *validation, const figure *figure) {
    double sum = 0.0;
    for (size_t i = 0; i < validation->done; i++)
        sum += figure->of(&validation->folds[i]);
    return sum / (double)validation->done;
}

/* Of the population, as NumPy's std has it and users of scikit-learn's cross_val_score take it. */
static double deviation_of(const cross_validation *validation, const figure *figure) {
    const double mean = mean_of(validation, figure);
    double sum = 0.0;
    for (size_t i = 0; i < validation->done; i++) {
        const double distance = figure->of(&validation->folds[i]) - mean;
        sum += distance * distance;
    }
    return sqrt(sum / (double)validation->done);
}

/* ---- the work ----------------------------------------------------------------------------------------- */

static void print_fold(const cross_validation *validation, const fold *fold) {
    printf("fold %zu/%zu:", validation->done, validation->count);
    for (size_t i = 0; i < FIGURES; i++)
        if (isfinite(figures[i].of(fold))) printf(" %s: %.9g", figures[i].name, figures[i].of(fold));
    putchar('\n');
    fflush(stdout);
}

/* A class with fewer rows than folds is missing in some of them. */
static void note_small_classes(const tanda_dataset *all, size_t folds) {
    size_t *counts = all->class_count > 0 ? class_counts(all) : NULL;
    size_t smallest = 0;
    for (size_t i = 1; counts != NULL && i < all->class_count; i++)
        if (counts[i] < counts[smallest]) smallest = i;
    if (counts != NULL && counts[smallest] < folds) {
        fputs("note: class ", stderr);
        print_name(stderr, all->class_names[smallest]);
        fprintf(stderr, " has %zu rows, fewer than the %zu folds: some hold out none of it\n",
                counts[smallest], folds);
    }
    free(counts);
}

static tanda_status find_fold_lacks(const train_options *options, const tanda_dataset *all,
                                    const cross_validation *result, lacks *lacks, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < result->count; i++) {
        tanda_dataset *training = NULL, *held_out = NULL;
        status = dataset_fold(all, result->count, i, result->by_class, options->common.seed, &training,
                              &held_out, error);
        if (status == TANDA_OK) status = lacks_find(lacks, training, held_out, i + 1, error);
        tanda_dataset_free(training);
        tanda_dataset_free(held_out);
    }
    return status;
}

/* What a fold's training would stumble over is told before the first one. */
static tanda_status look_ahead(const train_options *options, const tanda_dataset *all,
                               const cross_validation *result, tanda_error *error) {
    lacks lacks;
    char *note = NULL;
    if (options->init != NULL || raw_columns_are_features(&all->raw)) return TANDA_OK;
    tanda_status status = lacks_begin(&lacks, error);
    if (status == TANDA_OK) status = find_fold_lacks(options, all, result, &lacks, error);
    const bool accepted = status != TANDA_OK || options->data.read.unknown == TANDA_UNKNOWN_ZERO;
    const tanda_status ended =
        lacks_end(&lacks, options->data.path, accepted, &note, status == TANDA_OK ? error : NULL);
    if (note != NULL && !options->common.quiet) print_note(stderr, note);
    free(note);
    return status == TANDA_OK ? ended : status;
}

static tanda_status run_fold(const train_options *options, const train_setup *all, fold_trainer *train,
                             void *context, cross_validation *result, tanda_error *error) {
    train_setup setup = {.first = all->first, .task_note = all->task_note, .dropped = all->dropped};
    fold *fold = &result->folds[result->done];
    tanda_status status = dataset_fold(all->training, result->count, result->done, result->by_class,
                                       options->common.seed, &setup.training, &setup.validation, error);
    if (status == TANDA_OK) status = train_setup_finish(options, &setup, error);
    if (status == TANDA_OK) status = train(&setup, result->done + 1, &fold->result, context, error);
    if (status == TANDA_OK) {
        fold->rows = setup.training->rows;
        fold->validation_rows = setup.validation->rows;
        model_digest(setup.model, fold->digest);
        result->done++;
        if (!options->common.json) print_fold(result, fold);
    }
    train_setup_free(&setup);
    return status;
}

tanda_status cross_validate(const train_options *options, fold_trainer *train, void *context,
                            cross_validation *result, tanda_error *error) {
    train_setup all = {0};
    *result = (cross_validation){.count = options->holding_out.folds};
    tanda_status status = train_setup_load(options, &all, error);
    if (status == TANDA_OK)
        status = validation_by_class(&options->holding_out, all.training, &result->by_class, error);
    if (status == TANDA_OK)
        status = allocate(&result->folds, result->count, sizeof *result->folds, "folds", error);
    if (status == TANDA_OK && result->by_class && !options->common.quiet)
        note_small_classes(all.training, result->count);
    if (status == TANDA_OK) print_column_notes(stderr, &all.doubtful);
    if (status == TANDA_OK) status = look_ahead(options, all.training, result, error);
    while (status == TANDA_OK && result->done < result->count)
        status = run_fold(options, &all, train, context, result, error);
    train_setup_free(&all);
    return status;
}

void cross_validation_free(cross_validation *validation) {
    free(validation->folds);
    *validation = (cross_validation){0};
}

/* ---- the results -------------------------------------------------------------------------------------- */

void cross_validation_print(const cross_validation *validation) {
    for (size_t i = 0; i < FIGURES; i++)
        if (isfinite(mean_of(validation, &figures[i])))
            printf("mean %s: %.9g (standard deviation %.9g)\n", figures[i].name,
                   mean_of(validation, &figures[i]), deviation_of(validation, &figures[i]));
}

json_t *cross_validation_fold_json(const fold *fold) {
    report report = json_object_begin();
    report_count(&report, "rows", fold->rows);
    report_count(&report, "validation_rows", fold->validation_rows);
    report_count(&report, "epochs", fold->result.epochs);
    for (size_t i = 0; i < FIGURES; i++)
        report_real(&report, figures[i].name, figures[i].of(fold));
    report_real(&report, "seconds", fold->result.train_seconds);
    report_text(&report, "weights_sha256", fold->digest);
    return json_end(&report);
}

json_t *cross_validation_json(const cross_validation *validation) {
    report report = json_object_begin();
    json_builder folds = json_array_begin();
    for (size_t i = 0; i < validation->done; i++)
        json_push(&folds, cross_validation_fold_json(&validation->folds[i]));
    report_value(&report, "folds", json_end(&folds));
    report_text(&report, "stratify", validation->by_class ? "yes" : "no");
    for (size_t i = 0; i < FIGURES; i++)
        if (isfinite(mean_of(validation, &figures[i])))
            report_value(&report, figures[i].name,
                         json_pack("{sf sf}", "mean", mean_of(validation, &figures[i]), "std",
                                   deviation_of(validation, &figures[i])));
    return json_end(&report);
}
