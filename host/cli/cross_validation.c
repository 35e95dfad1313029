#include "cli/cross_validation.h"

#include <math.h>
#include <stdlib.h>

#include "tanda_lab.h"

typedef struct figure {
    const char *name;
    size_t place; /* in a fold */
} figure;

static const figure fold_figures[] = {{"loss", offsetof(fold, result.training.loss)},
                                      {"accuracy", offsetof(fold, result.training.accuracy)},
                                      {"val_loss", offsetof(fold, result.validation.loss)},
                                      {"val_accuracy", offsetof(fold, result.validation.accuracy)}};
#define FIGURES (sizeof fold_figures / sizeof fold_figures[0])

static double figure_of(const fold *fold, const figure *figure) {
    return *(const double *)((const char *)fold + figure->place);
}

static double mean_of(const cross_validation *validation, const figure *figure) {
    double sum = 0.0;
    for (size_t i = 0; i < validation->done; i++)
        sum += figure_of(&validation->folds[i], figure);
    return sum / (double)validation->done;
}

/* Of the population, as NumPy's std has it and users of scikit-learn's cross_val_score take it. */
static double deviation_of(const cross_validation *validation, const figure *figure) {
    const double mean = mean_of(validation, figure);
    double sum = 0.0;
    for (size_t i = 0; i < validation->done; i++) {
        const double distance = figure_of(&validation->folds[i], figure) - mean;
        sum += distance * distance;
    }
    return sqrt(sum / (double)validation->done);
}

tanda_status cross_validation_begin(const folds *folds, cross_validation *validation, tanda_error *error) {
    *validation = (cross_validation){.count = folds->count, .by_class = folds->by_class};
    return allocate(&validation->folds, folds->count, sizeof *validation->folds, "folds", error);
}

void cross_validation_add(cross_validation *validation, const fit *fit, const tanda_train_result *result,
                          bool prints) {
    fold *fold = &validation->folds[validation->done++];
    fold->rows = fit->training->rows;
    fold->validation_rows = fit->validation->rows;
    fold->result = *result;
    model_digest(fit->model, fold->digest);
    if (!prints) return;
    printf("fold %zu/%zu:", validation->done, validation->count);
    for (size_t i = 0; i < FIGURES; i++)
        if (isfinite(figure_of(fold, &fold_figures[i])))
            printf(" %s: %.9g", fold_figures[i].name, figure_of(fold, &fold_figures[i]));
    putchar('\n');
    fflush(stdout);
}

void cross_validation_free(cross_validation *validation) {
    free(validation->folds);
    *validation = (cross_validation){0};
}

void cross_validation_print(const cross_validation *validation) {
    for (size_t i = 0; i < FIGURES; i++)
        if (isfinite(mean_of(validation, &fold_figures[i])))
            printf("mean %s: %.9g (standard deviation %.9g)\n", fold_figures[i].name,
                   mean_of(validation, &fold_figures[i]), deviation_of(validation, &fold_figures[i]));
}

json_t *cross_validation_fold_json(const fold *fold) {
    report report = json_object_begin();
    json_put_count(&report, "rows", fold->rows);
    json_put_count(&report, "validation_rows", fold->validation_rows);
    json_put_count(&report, "epochs", fold->result.epochs);
    for (size_t i = 0; i < FIGURES; i++)
        json_put_real(&report, fold_figures[i].name, figure_of(fold, &fold_figures[i]));
    json_put_real(&report, "seconds", fold->result.train_seconds);
    json_put_text(&report, "weights_sha256", fold->digest);
    return json_end(&report);
}

json_t *cross_validation_json(const cross_validation *validation) {
    report report = json_object_begin();
    json_builder folds = json_array_begin();
    for (size_t i = 0; i < validation->done; i++)
        json_push(&folds, cross_validation_fold_json(&validation->folds[i]));
    json_put(&report, "folds", json_end(&folds));
    json_put_text(&report, "stratify", validation->by_class ? "yes" : "no");
    for (size_t i = 0; i < FIGURES; i++)
        if (isfinite(mean_of(validation, &fold_figures[i])))
            json_put(&report, fold_figures[i].name,
                     json_pack("{sf sf}", "mean", mean_of(validation, &fold_figures[i]), "std",
                               deviation_of(validation, &fold_figures[i])));
    return json_end(&report);
}
