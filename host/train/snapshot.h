/* A training at one moment, in the host's memory: what a checkpoint holds, and what a diverged step is repeated from. */
#ifndef TANDA_TRAIN_SNAPSHOT_H
#define TANDA_TRAIN_SNAPSHOT_H

#include "train/trainer.h"

typedef struct snapshot {
    progress progress;
    float *parameters; /* packed, as all of these */
    float *best;       /* of the best epoch; NULL without */
    size_t state_count;
    float **state; /* of the optimizer */
} snapshot;

/* Memory for a snapshot of this trainer; contents are zero. Released whatever it returns. */
tanda_status snapshot_create(const trainer *trainer, snapshot *snapshot, tanda_error *error);
void snapshot_free(snapshot *snapshot);

/* From the trainer and its device, and back. */
tanda_status snapshot_take(const trainer *trainer, snapshot *snapshot, tanda_error *error);
tanda_status snapshot_restore(trainer *trainer, const snapshot *snapshot, tanda_error *error);

#endif
