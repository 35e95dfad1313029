#include "train/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/model_file.h"
#include "support/clock.h"
#include "support/file.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "train/checkpoint_file.h"

#define DEFAULT_SECONDS 60.0
#define DEFAULT_KEEP 3
#define SUFFIX ".safetensors"
#define STEP_PREFIX "step-"
#define STEP_DIGITS 12
#define BEST_FILE "best" SUFFIX

/* ---- names --------------------------------------------------------------------------------------------- */

static bool ends_in(const char *text, const char *end) {
    const size_t length = strlen(text), size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

static bool is_step_name(const char *name, size_t length) {
    const size_t prefix = sizeof STEP_PREFIX - 1, suffix = sizeof SUFFIX - 1;
    if (strncmp(name, STEP_PREFIX, prefix) != 0) return false;
    const size_t digits = strspn(name + prefix, "0123456789");
    return digits >= STEP_DIGITS && length == prefix + digits + suffix &&
           strncmp(name + prefix + digits, SUFFIX, suffix) == 0;
}

static bool is_step_file(const char *name) {
    return is_step_name(name, strlen(name));
}

static bool is_own_name(const char *name, size_t length, const void *context) {
    (void)context;
    const bool is_best = length == sizeof BEST_FILE - 1 && strncmp(name, BEST_FILE, length) == 0;
    return is_best || is_step_name(name, length);
}

bool checkpoint_holds(const char *name) {
    const ssize_t stem = unfinished_stem(name);
    return is_own_name(name, stem < 0 ? strlen(name) : (size_t)stem, NULL);
}

/* folder/name, to be freed. */
static tanda_status join(const char *folder, const char *name, char **path, tanda_error *error) {
    if (asprintf(path, "%s%s%s", folder, ends_in(folder, "/") ? "" : "/", name) >= 0) return TANDA_OK;
    *path = NULL;
    return fail(error, TANDA_FAILED, "out of memory for a path");
}

/* ---- listing ------------------------------------------------------------------------------------------- */

typedef struct names {
    char **texts;
    size_t count;
} names;

static void names_free(names *names) {
    free_texts(names->texts, names->count);
    *names = (struct names){0};
}

/* By step, the newest first: longer numbers are larger. */
static int newest_first(const void *a, const void *b) {
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    const size_t lengths[] = {strlen(left), strlen(right)};
    if (lengths[0] != lengths[1]) return lengths[0] < lengths[1] ? 1 : -1;
    return strcmp(right, left);
}

static tanda_status list_steps(const char *folder, names *names, tanda_error *error) {
    tanda_status status = TANDA_OK;
    DIR *directory = opendir(folder);
    if (directory == NULL) return fail(error, TANDA_BAD_INPUT, "%s: %s", folder, strerror(errno));
    for (const struct dirent *entry; status == TANDA_OK && (entry = readdir(directory)) != NULL;) {
        if (!is_step_file(entry->d_name)) continue;
        char **more = reallocarray(names->texts, names->count + 1, sizeof *more);
        if (more != NULL) names->texts = more;
        char *name = more == NULL ? NULL : strdup(entry->d_name);
        if (name == NULL) status = fail(error, TANDA_FAILED, "out of memory for the names in %s", folder);
        if (name != NULL) names->texts[names->count++] = name;
    }
    closedir(directory);
    if (names->count > 1) qsort(names->texts, names->count, sizeof *names->texts, newest_first);
    return status;
}

/* ---- beginning ----------------------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* True when `resume` is the folder or lies in it. */
static bool resumes_from(const char *resume, const char *folder) {
    char *around = NULL;
    if (resume == NULL) return false;
    if (is_same_file(resume, folder)) return true;
    const bool same = file_folder(resume, &around, NULL) == TANDA_OK && is_same_file(around, folder);
    free(around);
    return same;
}

static tanda_status begin_folder(const tanda_train_options *options, tanda_error *error) {
    const char *folder = options->checkpoint;
    names names = {0};
    tanda_status status = file_make_folder(folder, error);
    if (status == TANDA_OK) status = list_steps(folder, &names, error);
    if (status == TANDA_OK && names.count > 0 && !resumes_from(options->resume, folder))
        status =
            fail(error, TANDA_USAGE,
                 "checkpoint %s: it holds checkpoints of an earlier training; resume that, or name another "
                 "folder",
                 folder);
    names_free(&names);
    return status;
}

tanda_status checkpoints_begin(const tanda_train_options *options, checkpoints *checkpoints,
                               tanda_error *error) {
    *checkpoints = (struct checkpoints){.path = options->checkpoint, .attempted = seconds_now()};
    if (options->checkpoint == NULL) return TANDA_OK;
    checkpoints->in_folder = checkpoint_is_folder(options->checkpoint);
    if (!checkpoints->in_folder) return file_writer_check(options->checkpoint, error);
    char *file = NULL;
    tanda_status status = begin_folder(options, error);
    if (status == TANDA_OK) status = join(options->checkpoint, BEST_FILE, &file, error);
    if (status == TANDA_OK) status = file_writer_check(file, error);
    if (status == TANDA_OK) unfinished_remove_dead(options->checkpoint, geteuid(), is_own_name, NULL);
    free(file);
    return status;
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
    tanda_status status = list_steps(folder, &names, error);
    for (size_t i = keep; status == TANDA_OK && i < names.count; i++) {
        char *path = NULL;
        status = join(folder, names.texts[i], &path, error);
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
    if (status == TANDA_OK) status = join(checkpoints->path, BEST_FILE, &path, error);
    if (status == TANDA_OK) {
        plan_unpack(trainer->plan, snapshot->best, model.parameters);
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
    snprintf(name, sizeof name, STEP_PREFIX "%0*" PRIu64 SUFFIX, STEP_DIGITS, snapshot->progress.step);
    tanda_status status = join(checkpoints->path, name, path, error);
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
    if (checkpoints->path == NULL) return TANDA_OK;
    if (checkpoints->in_folder ? !resumes_from(file, checkpoints->path)
                               : !is_same_file(file, checkpoints->path))
        return TANDA_OK;
    checkpoints->has_saved = true;
    checkpoints->saved_step = step;
    return copy_text(&checkpoints->saved_path, file, error);
}

void checkpoints_free(checkpoints *checkpoints) {
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
        tanda_status status = join(folder, names->texts[i], &path, error);
        if (status != TANDA_OK) return status;
        status = checkpoint_file_check(path, NULL, &reason);
        if (status == TANDA_OK) {
            *file = path;
            return TANDA_OK;
        }
        free(path);
        if (status != TANDA_BAD_INPUT) return fail(error, status, "%s", reason.message);
        char note[sizeof reason.message + 64];
        snprintf(note, sizeof note, "%s; the checkpoint before it is taken", reason.message);
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
    if (stat(path, &information) != 0) return fail(error, TANDA_BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(information.st_mode)) {
        const tanda_status status = checkpoint_file_check(path, NULL, error);
        return status == TANDA_OK ? copy_text(file, path, error) : status;
    }
    tanda_status status = list_steps(path, &names, error);
    if (status == TANDA_OK) status = find_in_folder(path, &names, on_note, context, file, error);
    names_free(&names);
    return status;
}
