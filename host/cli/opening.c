#include "cli/opening.h"

#include <stdio.h>
#include <string.h>

#include "cli/bar.h"

static bool is_shown;

void opening_show(const char *device, bool quiet) {
    if (quiet || (device != NULL && strcmp(device, "cpu") == 0) || !bar_can_be_erased()) return;
    fputs("opening the device; OpenCL compiles the kernels the first time ...", stderr);
    fflush(stderr);
    is_shown = true;
}

void opening_clear(void) {
    if (is_shown) fputs("\r\033[K", stderr);
    is_shown = false;
}

tanda_status opening_of(const common_options *options, tanda_device **device, char *reason,
                        tanda_error *error) {
    opening_show(options->device.device, options->quiet);
    const tanda_status status = tanda_device_open(&options->device, device, reason, error);
    opening_clear();
    return status;
}
