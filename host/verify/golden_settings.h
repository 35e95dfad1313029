/* What a golden file keeps of a training's settings, and what it takes from its options. */
#ifndef TANDA_VERIFY_GOLDEN_SETTINGS_H
#define TANDA_VERIFY_GOLDEN_SETTINGS_H

#include <jansson.h>

#include "model/model.h"
#include "verify/golden.h"

/* The settings kept in the model, without the paths of files, as sorted JSON; free(). NULL without memory. */
char *golden_settings(const tanda_model *model);

/* Whether a golden file keeps the option of this name: what decides a training or names its data, not the machine. */
bool golden_keeps(const char *name);

/*
 * The value of an option as the file keeps it, for free(): a name of optimizers, losses and so on is that of the settings,
 * which is ours whatever was given; all else as given. NULL for want of memory.
 */
char *golden_value(const json_t *settings, const char *option, const char *given);

/* The options of a training for golden_run; steps as given. */
tanda_status golden_options_of(const tanda_train_options *train, size_t rows, uint64_t steps,
                               golden_options *result, tanda_error *error);

/* epochs times steps per epoch. TANDA_USAGE when that is too many. */
tanda_status golden_all_steps(const tanda_train_options *train, size_t rows, uint64_t *steps,
                              tanda_error *error);

#endif
