#include "train/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/model_file.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/checkpoint_file.h"

#define DEFAULT_SECONDS 60.0
#define DEFAULT_KEEP 3

/* ---- beginning ----------------------------------------------------------------------------------------- */

const char *checkpoints_path(const tanda_train_options *options) {
    return hosts_rank(options->hosts) == 0 ? options->checkpoint : NULL;
}

tanda_status checkpoints_begin(const char *path, const char *resume, checkpoints *checkpoints,
                               tanda_error *error) {
    *checkpoints = (struct checkpoints){.path = path};
    if (path == NULL) return TANDA_OK;
    checkpoints->in_folder = checkpoint_is_folder(path);
    return checkpoint_place_take(path, resume, &checkpoints->place, error);
}

/* ---- when ---------------------------------------------------------------------------------------------- */

size_t checkpoints_next_epoch(const checkpoints *checkpoints, const tanda_train_options *options,
                              size_t epoch) {
    const size_t every = options->checkpoint_epochs;
    if (checkpoints->path == NULL || every == 0 || epoch > SIZE_MAX - every) return SIZE_MAX;
    return (epoch + every - 1) / every * every;
}

bool checkpoints_due(const checkpoints *checkpoints, const trainer *trainer) {
    const tanda_train_options *options = trainer->options;
    if (checkpoints->path == NULL) return false;
    const size_t epoch = trainer_epoch(trainer);
    if (trainer->progress.step % trainer->steps_per_epoch == 0 &&
        checkpoints_next_epoch(checkpoints, options, epoch) == epoch)
        return true;
    const double seconds = options->checkpoint_seconds > 0.0 ? options->checkpoint_seconds
                           : options->checkpoint_epochs == 0 ? DEFAULT_SECONDS
                                                             : 0.0;
    return seconds > 0.0 && seconds_now() - checkpoints->attempted >= seconds;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static tanda_status prune(const char *folder, size_t keep, tanda_error *error) {
    names names = {0};
    tanda_status status = checkpoint_list(folder, &names, error);
    for (size_t i = keep; status == TANDA_OK && i < names.count; i++) {
        char *path = NULL;
        status = path_join(folder, names.texts[i], &path, error);
        if (status == TANDA_OK && unlink(path) != 0 && errno != ENOENT)
            status = fail(error, TANDA_FAILED, "%s: cannot be removed: %s", path, strerror(errno));
        free(path);
    }
    names_free(&names);
    return status;
}

static tanda_status write_best(checkpoints *checkpoints, const trainer *trainer, const snapshot *snapshot,
                               tanda_error *error) {
    const size_t epoch = snapshot->progress.stopping.best_epoch;
    if (snapshot->best == NULL || epoch == 0 || epoch == checkpoints->saved_best_epoch) return TANDA_OK;
    tanda_model model = *trainer->model;
    char *path = NULL;
    model.parameters = NULL;
    tanda_status status =
        allocate(&model.parameters, model.parameter_count, sizeof(float), "best model", error);
    if (status == TANDA_OK) status = path_join(checkpoints->path, CHECKPOINT_BEST, &path, error);
    if (status == TANDA_OK) {
        plan_unpack(trainer->session.plan, snapshot->best, model.parameters);
        status = model_file_save(&model, path, error);
    }
    if (status == TANDA_OK) checkpoints->saved_best_epoch = epoch;
    free(model.parameters);
    free(path);
    return status;
}

static tanda_status write_in_folder(checkpoints *checkpoints, const trainer *trainer,
                                    const snapshot *snapshot, char **path, tanda_error *error) {
    const size_t keep =
        trainer->options->checkpoint_keep > 0 ? trainer->options->checkpoint_keep : DEFAULT_KEEP;
    char name[64];
    text_put(name, sizeof name, CHECKPOINT_STEP_PREFIX "%0*" PRIu64 CHECKPOINT_SUFFIX, CHECKPOINT_STEP_DIGITS,
             snapshot->progress.step);
    tanda_status status = path_join(checkpoints->path, name, path, error);
    if (status == TANDA_OK) status = write_best(checkpoints, trainer, snapshot, error);
    if (status == TANDA_OK) status = checkpoint_file_write(trainer, snapshot, *path, error);
    return status == TANDA_OK ? prune(checkpoints->path, keep, error) : status;
}

tanda_status checkpoints_save(checkpoints *checkpoints, const trainer *trainer, const snapshot *snapshot,
                              tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    char *path = NULL;
    if (checkpoints->has_saved && checkpoints->saved_step == snapshot->progress.step) return TANDA_OK;
    checkpoints->attempted = seconds_now();
    tanda_error reason = {0};
    tanda_status status = TANDA_OK;
    if (checkpoints->in_folder)
        status = write_in_folder(checkpoints, trainer, snapshot, &path, &reason);
    else
        status = copy_text(&path, checkpoints->path, &reason);
    if (status == TANDA_OK && !checkpoints->in_folder)
        status = checkpoint_file_write(trainer, snapshot, path, &reason);
    checkpoints->has_saved = status == TANDA_OK;
    if (status == TANDA_OK) checkpoints->saved_step = snapshot->progress.step;
    const tanda_checkpoint told = {.path = path != NULL ? path : checkpoints->path,
                                   .epoch = trainer_epoch(trainer),
                                   .step = trainer_step_of_epoch(trainer),
                                   .steps = trainer->steps_per_epoch,
                                   .failure = status == TANDA_OK ? NULL : reason.message};
    if (options->on_checkpoint != NULL) options->on_checkpoint(&told, options->context);
    free(checkpoints->saved_path);
    checkpoints->saved_path = path;
    return status == TANDA_OK ? TANDA_OK : fail(error, status, "%s", reason.message);
}

tanda_status checkpoints_resume(checkpoints *checkpoints, const char *file, uint64_t step,
                                tanda_error *error) {
    bool same = false;
    if (checkpoints->path == NULL) return TANDA_OK;
    const tanda_status status = checkpoints->in_folder
                                    ? resumes_from(file, checkpoints->path, &same, error)
                                    : files_are_same(file, checkpoints->path, &same, error);
    if (status != TANDA_OK || !same) return status;
    checkpoints->has_saved = true;
    checkpoints->saved_step = step;
    return copy_text(&checkpoints->saved_path, file, error);
}

void checkpoints_free(checkpoints *checkpoints) {
    checkpoint_place_leave(&checkpoints->place);
    free(checkpoints->saved_path);
    checkpoints->saved_path = NULL;
}

/* ---- finding ------------------------------------------------------------------------------------------- */

static tanda_status find_in_folder(const char *folder, const names *names,
                                   void (*on_note)(const char *note, void *context), void *context,
                                   char **file, tanda_error *error) {
    for (size_t i = 0; i < names->count; i++) {
        tanda_error reason = {0};
        char *path = NULL;
        tanda_status status = path_join(folder, names->texts[i], &path, error);
        if (status != TANDA_OK) return status;
        status = checkpoint_file_check(path, NULL, &reason);
        if (status == TANDA_OK) {
            *file = path;
            return TANDA_OK;
        }
        free(path);
        if (status != TANDA_BAD_INPUT) return fail(error, status, "%s", reason.message);
        char note[sizeof reason.message + 64];
        text_put(note, sizeof note, "%s; the checkpoint before it is taken", reason.message);
        if (on_note != NULL && i + 1 < names->count) on_note(note, context);
        if (i + 1 == names->count)
            return fail(error, TANDA_BAD_INPUT, "%s; no other is left", reason.message);
    }
    return fail(error, TANDA_BAD_INPUT, "%s: the folder holds no checkpoints", folder);
}

tanda_status checkpoint_find(const char *path, void (*on_note)(const char *note, void *context),
                             void *context, char **file, tanda_error *error) {
    struct stat information;
    names names = {0};
    if (stat(path, &information) != 0) return fail_path(error, path, "", errno);
    if (!S_ISDIR(information.st_mode)) {
        const tanda_status status = checkpoint_file_check(path, NULL, error);
        return status == TANDA_OK ? copy_text(file, path, error) : status;
    }
    tanda_status status = checkpoint_list(path, &names, error);
    if (status == TANDA_OK) status = find_in_folder(path, &names, on_note, context, file, error);
    names_free(&names);
    return status;
}
