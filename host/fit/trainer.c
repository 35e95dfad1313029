/* A training in the hands of the program, which says when it goes on. */
#include <stdlib.h>

#include "support/memory.h"
#include "support/options.h"
#include "train/train.h"

struct tanda_trainer {
    tanda_train_options options;
    checkpoints checkpoints;
    training_run run;
    bool has_ended; /* finished, or failed: there is nothing to go on with */
};

tanda_status tanda_trainer_create(tanda_device *device, tanda_model *model, const tanda_dataset *training,
                                  const tanda_dataset *validation, const tanda_train_options *options,
                                  tanda_trainer **trainer, tanda_error *error) {
    tanda_trainer *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "trainer", error);
    if (status == TANDA_OK) status = TAKE_OPTIONS(tanda_train_options, options, &made->options, error);
    if (status != TANDA_OK) {
        free(made);
        return status;
    }
    made->run =
        (training_run){.training = training, .validation = validation, .checkpoints = &made->checkpoints};
    status =
        checkpoints_begin(checkpoints_path(&made->options), made->options.resume, &made->checkpoints, error);
    if (status == TANDA_OK) status = training_run_begin(&made->run, device, model, &made->options, error);
    if (status == TANDA_OK)
        *trainer = made;
    else
        tanda_trainer_free(made);
    return status;
}

static tanda_status check_going(const tanda_trainer *trainer, tanda_error *error) {
    return trainer->has_ended ? fail(error, TANDA_USAGE, "the training has ended; make another trainer")
                              : TANDA_OK;
}

tanda_status tanda_trainer_step(tanda_trainer *trainer, uint64_t steps, tanda_error *error) {
    tanda_status status = check_going(trainer, error);
    if (status == TANDA_OK) status = training_run_advance(&trainer->run, steps, error);
    trainer->has_ended |= status != TANDA_OK;
    return status;
}

tanda_status tanda_trainer_read(tanda_trainer *trainer, tanda_progress *progress, tanda_error *error) {
    tanda_status status = check_going(trainer, error);
    if (status == TANDA_OK) status = training_run_read(&trainer->run, error);
    if (status != TANDA_OK || progress == NULL) return status;
    *progress = training_run_progress(&trainer->run);
    if (training_run_is_done(&trainer->run)) progress->steps_left = 0;
    return TANDA_OK;
}

tanda_status tanda_trainer_finish(tanda_trainer *trainer, tanda_train_result *result, tanda_error *error) {
    tanda_status status = check_going(trainer, error);
    if (status == TANDA_OK) status = training_run_end(&trainer->run, error);
    trainer->has_ended = true;
    if (status == TANDA_OK && result != NULL) *result = trainer->run.result;
    return status;
}

void tanda_trainer_free(tanda_trainer *trainer) {
    if (trainer == NULL) return;
    training_run_free(&trainer->run);
    checkpoints_free(&trainer->checkpoints);
    free(trainer);
}
