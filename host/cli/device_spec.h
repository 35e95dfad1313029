/*
 * What --device and --against take: DEVICE[,threads=N][,isa=NAME][,math=exact|fast][,gemm=auto|tanda|clblast]
 * [,kernels=FOLDER][,executor=NAME].
 */
#ifndef TANDA_CLI_DEVICE_SPEC_H
#define TANDA_CLI_DEVICE_SPEC_H

#include "cli/option_groups.h"
#include "tanda_lab.h"

/* Cuts a spec at its commas: device->device becomes the DEVICE in it, and its settings go into device and gemm. */
tanda_status device_spec_take(const char *flag, char *text, tanda_device_options *device, tanda_gemm *gemm,
                              tanda_error *error);

/* A device of several: one side of `tanda verify`, or one of those that are measured. */
typedef struct device_spec {
    char *text; /* what device's texts point into */
    tanda_device_options device;
    tanda_gemm gemm;
    bool quiet;
    const char *requested; /* what was asked for: the DEVICE, or "auto" */
    char reason[256];      /* why it is this device; "" when the spec names it */
} device_spec;

/*
 * Reads a spec; what it does not say comes from common. flag is for messages. Fails with TANDA_USAGE. Released
 * by device_spec_free whatever it returns.
 */
tanda_status device_spec_read(const char *flag, const char *text, const common_options *common,
                              device_spec *spec, tanda_error *error);
void device_spec_free(device_spec *spec);

/* Opens the device, whatever grade its self-test gives, and no other in its place. */
tanda_status device_spec_open(device_spec *spec, lockstep_side *side, tanda_error *error);

#endif
