/* Which OpenCL devices there are. */
#ifndef TANDA_OPENCL_FIND_H
#define TANDA_OPENCL_FIND_H

#include <CL/cl.h>

#include "backend/backend.h"

#define MOST_DEVICES 64

typedef struct found_device {
    cl_platform_id platform;
    cl_device_id device;
    cl_device_type type;
    tanda_device_information information;
} found_device;

/*
 * Every device of every platform, in their order. A platform or device that fails, or a platform without devices, is
 * passed over, and remarks tells of it. Returns how many there are.
 */
size_t opencl_find_devices(found_device found[MOST_DEVICES], device_remarks *remarks);

/* The list of a backend_kind. */
tanda_status opencl_list(tanda_device_information **devices, size_t *count, device_remarks *remarks,
                         tanda_error *error);

#endif
