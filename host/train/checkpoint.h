/*
 * When checkpoints are written, under which names, and which are kept. One is due every so many epochs or seconds, at
 * an interruption and at the end. In a folder they are named step-NNNNNNNNNNNN.safetensors after the steps done; beside
 * them lies best.safetensors, a plain model of the best epoch so far.
 */
#ifndef TANDA_TRAIN_CHECKPOINT_H
#define TANDA_TRAIN_CHECKPOINT_H

#include "train/checkpoint_place.h"
#include "train/snapshot.h"

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
