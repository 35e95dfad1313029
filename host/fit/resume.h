/* The settings of a resumed training, against those of its checkpoint. */
#ifndef TANDA_FIT_RESUME_H
#define TANDA_FIT_RESUME_H

#include "model/model.h"

/*
 * model holds the settings of this run. Those that decide the bits must be the checkpoint's: TANDA_USAGE names the first
 * flag that differs. Paths may differ, the data itself is compared by its fingerprint, and so may the epochs. The
 * model's settings become the checkpoint's, with this run's epochs.
 */
tanda_status resume_settings(const char *checkpoint, tanda_model *model, tanda_error *error);

#endif
