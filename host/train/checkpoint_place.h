/*
 * Where checkpoints lie: one file, or a folder of them. Nobody else may save there meanwhile, and nothing of an earlier
 * training is lost.
 */
#ifndef TANDA_TRAIN_CHECKPOINT_PLACE_H
#define TANDA_TRAIN_CHECKPOINT_PLACE_H

#include "support/lock.h"

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

#endif
