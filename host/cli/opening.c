#include "cli/opening.h"

#include <stdio.h>
#include <string.h>

#include "cli/bar.h"

bar opening_show(const char *device, bool quiet) {
    bar line = bar_begin();
    if (quiet || (device != NULL && strcmp(device, "cpu") == 0) || !line.enabled) return line;
    fputs("opening the device; OpenCL compiles the kernels the first time ...", stderr);
    fflush(stderr);
    line.visible = true;
    return line;
}

tanda_status opening_of(const tanda_device_options *options, bool quiet, tanda_device **device, char *reason,
                        tanda_error *error) {
    bar line = opening_show(options->device, quiet);
    const tanda_status status = tanda_device_open(options, device, reason, error);
    bar_clear(&line);
    return status;
}
