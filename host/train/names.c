/* Optimizers and schedules by their names, for programs. */
#include "train/optimizer.h"
#include "train/schedule.h"

const char *tanda_optimizer_name(tanda_optimizer optimizer) {
    return (unsigned)optimizer > TANDA_OPTIMIZER_LBFGS ? NULL : optimizer_name(optimizer);
}

bool tanda_optimizer_from_name(const char *name, tanda_optimizer *optimizer) {
    return optimizer_from_name(name, optimizer);
}

const char *tanda_schedule_name(tanda_schedule schedule) {
    return (unsigned)schedule > TANDA_SCHEDULE_PLATEAU ? NULL : schedule_name(schedule);
}

bool tanda_schedule_from_name(const char *name, tanda_schedule *schedule) {
    return schedule_from_name(name, schedule);
}
