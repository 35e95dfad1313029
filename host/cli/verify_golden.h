/* `tanda verify --golden`. */
#ifndef TANDA_CLI_VERIFY_GOLDEN_H
#define TANDA_CLI_VERIFY_GOLDEN_H

#include "tanda.h"

/* The file that --golden names, found before parsing, as it holds more arguments; NULL without one. */
const char *golden_argument(int argc, char **argv);

/* verify --golden: repeats what the file tells. TANDA_FAILED names the first step that differs. */
tanda_status verify_golden(const char *path, int argc, char **argv, tanda_error *error);

#endif
