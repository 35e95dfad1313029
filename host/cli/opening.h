/* Opening a device, which takes seconds where its driver compiles the kernels for the first time: a terminal tells so. */
#ifndef TANDA_CLI_OPENING_H
#define TANDA_CLI_OPENING_H

#include "cli/bar.h"

/* Shows what the user waits for, unless quiet or for the CPU; bar_clear() erases it. */
bar opening_show(const char *device, bool quiet);

/* tanda_device_open(), meanwhile shown; where the device was named and another came, a line says so even if quiet. */
tanda_status opening_of(const tanda_device_options *options, bool quiet, tanda_device **device, char *reason,
                        tanda_error *error);

#endif
