/* The names that --device and tanda_device_options take. */
#ifndef TANDA_BACKEND_DEVICE_NAME_H
#define TANDA_BACKEND_DEVICE_NAME_H

#include <stdbool.h>

#include "backend/backend.h"

/* Words count in any case. TANDA_USAGE for what is no name, with what is; the device need not be there. */
tanda_status device_name_check(const char *name, tanda_error *error);

/* Whether it leaves the choice to tanda: NULL or "auto". */
bool device_name_is_automatic(const char *name);

/* Whether it is "cpu", which needs no driver. */
bool device_name_is_cpu(const char *name);

/* Whether a device is one that the name, which is not automatic, asks for. */
bool device_name_fits(const char *name, const tanda_device_information *information);

#endif
