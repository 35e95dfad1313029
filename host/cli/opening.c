#include "cli/opening.h"

#include <stdio.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/print.h"
#include "tanda_lab.h"

bar opening_show(const char *device, bool quiet) {
    bar line = bar_begin();
    if (quiet || device_name_is_cpu(device) || !line.enabled) return line;
    fputs("opening the device; OpenCL compiles the kernels the first time ...", stderr);
    fflush(stderr);
    line.visible = true;
    return line;
}

/* Without a banner nothing else tells it. */
static void print_fallback(const tanda_device *device) {
    const char *failure = "";
    if (!tanda_device_is_fallback(device, &failure)) return;
    fputs("note: fallback to cpu: ", stderr);
    print_name(stderr, failure);
    fputc('\n', stderr);
}

tanda_status opening_of(const tanda_device_options *options, bool quiet, tanda_device **device, char *reason,
                        tanda_error *error) {
    bar line = opening_show(options->device, quiet);
    const tanda_status status = tanda_device_open(options, device, reason, error);
    bar_clear(&line);
    if (status == TANDA_OK && quiet && !device_name_is_automatic(options->device)) print_fallback(*device);
    return status;
}
