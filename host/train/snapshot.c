#include "train/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

tanda_status snapshot_create(const trainer *trainer, snapshot *snapshot, tanda_error *error) {
    const size_t count = trainer->session.plan->parameter_count;
    *snapshot = (struct snapshot){.state_count = trainer->state_count};
    tanda_status status = allocate(&snapshot->parameters, count, sizeof(float), "snapshot", error);
    if (status == TANDA_OK && trainer->best != NULL)
        status = allocate(&snapshot->best, count, sizeof(float), "snapshot", error);
    if (status == TANDA_OK)
        status =
            allocate(&snapshot->state, snapshot->state_count, sizeof *snapshot->state, "snapshot", error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++)
        status = allocate(&snapshot->state[i], count, sizeof(float), "snapshot", error);
    return status;
}

void snapshot_free(snapshot *snapshot) {
    free(snapshot->parameters);
    free(snapshot->best);
    for (size_t i = 0; snapshot->state != NULL && i < snapshot->state_count; i++)
        free(snapshot->state[i]);
    free(snapshot->state);
    *snapshot = (struct snapshot){0};
}

tanda_status snapshot_take(const trainer *trainer, snapshot *snapshot, tanda_error *error) {
    const size_t bytes = trainer->session.plan->parameter_count * sizeof(float);
    snapshot->progress = trainer->progress;
    if (snapshot->best != NULL) memcpy(snapshot->best, trainer->best, bytes);
    tanda_status status = session_read_parameters(&trainer->session, snapshot->parameters, error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++)
        status = trainer_read_state(trainer, i, snapshot->state[i], error);
    return status;
}

tanda_status snapshot_restore(trainer *trainer, const snapshot *snapshot, tanda_error *error) {
    const size_t bytes = trainer->session.plan->parameter_count * sizeof(float);
    trainer->progress = snapshot->progress;
    if (trainer->best != NULL && snapshot->best != NULL) memcpy(trainer->best, snapshot->best, bytes);
    tanda_status status = session_write_parameters(&trainer->session, snapshot->parameters, error);
    for (size_t i = 0; status == TANDA_OK && i < snapshot->state_count; i++)
        status = trainer_write_state(trainer, i, snapshot->state[i], error);
    return status == TANDA_OK ? backend_finish(trainer->backend, error) : status;
}
