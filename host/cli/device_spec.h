/*
 * One side of `tanda verify`: DEVICE[,threads=N][,isa=NAME][,math=exact|fast][,gemm=auto|tanda|clblast]
 * [,kernels=FOLDER], DEVICE as in --device.
 */
#ifndef TANDA_CLI_DEVICE_SPEC_H
#define TANDA_CLI_DEVICE_SPEC_H

#include "cli/options.h"
#include "tanda_lab.h"

typedef struct device_spec {
    char *text; /* what device's texts point into */
    tanda_device_options device;
    tanda_math math;
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
