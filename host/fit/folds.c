#include "fit/folds.h"

#include <stdlib.h>

static tanda_status split(const folds *folds, size_t fold, tanda_dataset **training, tanda_dataset **held_out,
                          tanda_error *error) {
    return dataset_fold(folds->all.training, folds->count, fold, folds->by_class, folds->all.train.seed,
                        training, held_out, error);
}

tanda_status folds_begin(const tanda_fit_options *options, size_t count, bool wants_doubts, folds *folds,
                         tanda_error *error) {
    *folds = (struct folds){.count = count};
    tanda_status status = fit_begin(options, &folds->all, error);
    folds->all.wants_doubts = wants_doubts;
    if (status == TANDA_OK) status = fit_load(&folds->all, error);
    if (status == TANDA_OK) status = fit_by_class(&folds->all, &folds->by_class, error);
    if (status != TANDA_OK || !folds->by_class) return status;
    const tanda_dataset *all = folds->all.training;
    size_t *counts = NULL;
    status = class_counts(all, &counts, error);
    folds->smallest_rows = SIZE_MAX;
    for (size_t i = 0; status == TANDA_OK && i < all->class_count; i++) {
        if (counts[i] >= folds->smallest_rows) continue;
        folds->smallest_class = i;
        folds->smallest_rows = counts[i];
    }
    free(counts);
    return status;
}

tanda_status folds_look_ahead(folds *folds, tanda_error *error) {
    lacks lacks;
    if (!fit_may_lack(&folds->all)) return TANDA_OK;
    tanda_status status = lacks_begin(&lacks, error);
    for (size_t i = 0; status == TANDA_OK && i < folds->count; i++) {
        tanda_dataset *training = NULL, *held_out = NULL;
        status = split(folds, i, &training, &held_out, error);
        if (status == TANDA_OK) status = lacks_find(&lacks, training, held_out, i + 1, error);
        tanda_dataset_free(training);
        tanda_dataset_free(held_out);
    }
    return fit_note_lacks(&folds->all, &lacks, status, error);
}

tanda_status folds_next(folds *folds, fit *fit, tanda_error *error) {
    const struct fit *all = &folds->all;
    tanda_status status = fit_begin(&all->options, fit, error);
    fit->first = all->first;
    fit->task_note = all->task_note;
    fit->dropped = all->dropped;
    if (status == TANDA_OK) status = split(folds, folds->next, &fit->training, &fit->validation, error);
    folds->next++;
    return status == TANDA_OK ? fit_finish(fit, error) : status;
}

void folds_free(folds *folds) {
    fit_free(&folds->all);
    *folds = (struct folds){0};
}
