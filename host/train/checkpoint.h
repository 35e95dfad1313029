/*
 * When checkpoints are written, under which names, and which are kept. One is due every so many epochs or seconds, at
 * an interruption and at the end. In a folder they are named step-NNNNNNNNNNNN.safetensors after the steps done; beside
 * them lies best.safetensors, a plain model of the best epoch so far. Nobody else may save there meanwhile, and nothing
 * of an earlier training is lost.
 */
#ifndef TANDA_TRAIN_CHECKPOINT_H
#define TANDA_TRAIN_CHECKPOINT_H

#include "support/lock.h"
#include "train/trainer.h"

/* ---- where ---------------------------------------------------------------------------------------------- */

#define CHECKPOINT_SUFFIX ".safetensors"
#define CHECKPOINT_STEP_PREFIX "step-"
#define CHECKPOINT_STEP_DIGITS 12
#define CHECKPOINT_BEST "best" CHECKPOINT_SUFFIX
#define CHECKPOINT_LOCK ".lock" /* in a folder; behind the name of a file */

/* True for the names that a folder of checkpoints takes for its own, those of temporary files among them. */
bool checkpoint_holds(const char *name);

/* Names in a folder. */
typedef struct names {
    char **texts;
    size_t count;
} names;
void names_free(names *names);

/* Of the checkpoints in a folder, the newest first. TANDA_BAD_INPUT where it cannot be read. */
tanda_status checkpoint_list(const char *folder, names *names, tanda_error *error);

/* folder/name, to be freed. */
tanda_status path_join(const char *folder, const char *name, char **path, tanda_error *error);

/* Whether they are one file or folder, whatever it is called; not where one is not there. TANDA_FAILED: nobody can tell. */
tanda_status files_are_same(const char *a, const char *b, bool *same, tanda_error *error);

/* Whether `resume` (or NULL) is the folder or lies in it; fails as files_are_same. */
tanda_status resumes_from(const char *resume, const char *folder, bool *does, tanda_error *error);

typedef struct checkpoint_place {
    file_lock lock;
    char *made; /* the folder, where it was not there before; else NULL */
} checkpoint_place;

/*
 * Makes the folder, locks the place, and then removes what a dead process left unfinished there. The lock is the file
 * PATH.lock, in a folder .lock; links to a file are followed. TANDA_USAGE when another training has the lock, with its
 * process's number, or when something is there that `resume` (or NULL) does not go on from; TANDA_FAILED when nothing can
 * be written there, TANDA_BAD_INPUT when there is no `resume`. Left whatever it returns.
 */
tanda_status checkpoint_place_take(const char *path, const char *resume, checkpoint_place *place,
                                   tanda_error *error);

/* Gives the lock back, and removes the folder if it was made and is still empty. */
void checkpoint_place_leave(checkpoint_place *place);

/* ---- when ----------------------------------------------------------------------------------------------- */

typedef struct checkpoints {
    const char *path; /* NULL: none are written */
    bool in_folder;
    checkpoint_place place;
    double attempted; /* seconds_now of the latest attempt, or the start of the training */
    bool has_saved;   /* saved_step is one that lies on the disk, whole */
    uint64_t saved_step;
    char *saved_path;
    size_t saved_best_epoch; /* of best.safetensors */
} checkpoints;

/* Where this process saves: of several ranks, the first one alone does. NULL: nowhere. */
const char *checkpoints_path(const tanda_train_options *options);

/*
 * Takes the place (see checkpoint_place_take) until checkpoints_free, which is called whatever it returns. path is
 * borrowed, NULL for none; resume, or NULL, is what the training will go on from.
 */
tanda_status checkpoints_begin(const char *path, const char *resume, checkpoints *checkpoints,
                               tanda_error *error);

/* All zero is one, too. */
void checkpoints_free(checkpoints *checkpoints);

/* The training goes on from this file: if it lies where others will be written, it counts as saved. */
tanda_status checkpoints_resume(checkpoints *checkpoints, const char *file, uint64_t step,
                                tanda_error *error);

/* The next epoch from `epoch` on at whose end one is due; SIZE_MAX for none. */
size_t checkpoints_next_epoch(const checkpoints *checkpoints, const tanda_train_options *options,
                              size_t epoch);
bool checkpoints_due(const checkpoints *checkpoints, const trainer *trainer);

/*
 * Writes the snapshot, unless that moment is saved already, and tells on_checkpoint how it went. A file that cannot be
 * written is no failure of the training: it is TANDA_FAILED all the same, and the checkpoints before are as they were.
 */
tanda_status checkpoints_save(checkpoints *checkpoints, const trainer *trainer, const snapshot *snapshot,
                              tanda_error *error);

/*
 * *file, to be freed, becomes the checkpoint to resume from: path itself, or the newest whole one of a folder. on_note
 * (may be NULL) hears of damaged ones. TANDA_BAD_INPUT when there is none.
 */
tanda_status checkpoint_find(const char *path, void (*on_note)(const char *note, void *context),
                             void *context, char **file, tanda_error *error);

#endif
