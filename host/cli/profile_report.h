/* --profile: what the device was busy with. */
#ifndef TANDA_CLI_PROFILE_REPORT_H
#define TANDA_CLI_PROFILE_REPORT_H

#include "cli/report.h"

/* A table on standard output: a line per kernel and transfer, then what the device waited for. */
void print_profile(const device_profile *profile);

/* The same as an object of --json. NULL without memory. */
json_t *profile_json(const device_profile *profile);

#endif
