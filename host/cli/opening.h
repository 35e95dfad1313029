/* Opening a device, which takes seconds where its driver compiles the kernels for the first time: a terminal tells so. */
#ifndef TANDA_CLI_OPENING_H
#define TANDA_CLI_OPENING_H

#include "cli/options.h"

/* Shows, on a terminal that can erase it and unless quiet, what the user waits for; nothing for the CPU. */
void opening_show(const char *device, bool quiet);

/* Erases it. */
void opening_clear(void);

/* tanda_device_open() of the device that the options ask for. */
tanda_status opening_of(const common_options *options, tanda_device **device, char *reason,
                        tanda_error *error);

#endif
