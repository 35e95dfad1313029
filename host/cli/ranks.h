/*
 * Several processes that mpirun or srun has started: the first one, rank 0, speaks and writes for all. What is not shared
 * among ranks is its work alone, and the others have nothing to do.
 */
#ifndef TANDA_CLI_RANKS_H
#define TANDA_CLI_RANKS_H

#include "cli/train_options.h"

/* Before the command is run: reads --mpi. True: this rank has nothing to do with the command. */
bool ranks_begin(int argc, char **argv);

/*
 * Joins the others for a training, by its options, which this changes: who keeps silent, how many threads, which device.
 * All agree on status, which is how it went so far.
 */
tanda_status ranks_join(train_options *options, tanda_status status, tanda_error *error);

/*
 * The same for evaluate and predict; what comes through a pipe is rank 0's work alone, and the others are finished. Rank 0
 * writes.
 */
tanda_status ranks_join_application(common_options *common, const data_options *data, tanda_status status,
                                    tanda_error *error);

/* The ranks of a host share its memory, unless --memory says what each has. Before ranks_join* it does nothing. */
void ranks_share_memory(const data_options *data, tanda_dataset_options *reading);

/* All agree on how it went: to be called by all ranks. */
tanda_status ranks_agree(tanda_status status, tanda_error *error);

/* Whether MPI has begun, which ends the process by itself where it fails, with words of its own. */
bool ranks_have_mpi(void);

/* NULL for one process. */
tanda_hosts *ranks_hosts(void);

/* By all ranks: who there are, and how many have tiles of a batch of so many rows; rank 0 prints it unless it is quiet. */
tanda_status ranks_tell(const tanda_device *device, size_t batch_rows, bool quiet, tanda_error *error);

/* A failure before the ranks have met: now they do, as the others may have none. */
tanda_status ranks_share_failure(tanda_status status, tanda_error *error);

/* Whether this process is the one that words a failure: the first rank, or one whose failure no other knows of. */
bool ranks_speak(void);

/* At the end of the program. */
void ranks_end(tanda_status status);

#endif
