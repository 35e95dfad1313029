/* The files that a training's options name. */
#ifndef TANDA_CLI_TRAIN_FILES_H
#define TANDA_CLI_TRAIN_FILES_H

#include "cli/train_options.h"

/* files_check of them (support/file_check.h), before anything is opened. */
tanda_status train_files_check(const train_options *options, tanda_error *error);

#endif
