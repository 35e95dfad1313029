/* Where a step that diverged shows it first. */
#ifndef TANDA_TRAIN_DIVERGENCE_H
#define TANDA_TRAIN_DIVERGENCE_H

#include "train/trainer.h"

#define DIVERGENCE_PLACE_SIZE 128

/*
 * The trainer stands before the step that is known to diverge, which is done again with all of its tensors kept: they
 * are looked through in the order of the data's way, then the weights after the update. place becomes such as
 * "layer 2 (relu, 32 units), its weighted sums", or "" when it cannot be found, e.g. for want of memory. The snapshot is
 * room for one. The trainer is of no more use afterwards, but to be freed.
 */
void divergence_examine(trainer *trainer, snapshot *snapshot, char place[DIVERGENCE_PLACE_SIZE]);

#define DIVERGENCE_ADVICE_SIZE 160

/* What may help: "a smaller learning rate than 0.1 may help", and for large quantities that they be standardised. */
void divergence_advise(const tanda_model *model, const tanda_dataset *training, double learning_rate,
                       char text[DIVERGENCE_ADVICE_SIZE]);

#endif
