/* Which OpenCL devices there are. */
#ifndef TANDA_OPENCL_FIND_H
#define TANDA_OPENCL_FIND_H

#include <CL/cl.h>

#include "backend/backend.h"

#define MOST_DEVICES 64

typedef struct found_device {
    cl_platform_id platform;
    cl_device_id device;
    unsigned platform_index, device_index;
    cl_device_type type;
} found_device;

/* Every device of every platform; a platform that fails or has none is passed over. Returns how many there are. */
size_t opencl_find_devices(found_device found[MOST_DEVICES], unsigned *platform_count);

void opencl_describe(const found_device *found, tanda_device_information *information);

/* The list of a backend_kind. */
tanda_status opencl_list(tanda_device_information **devices, size_t *count, char *remark, tanda_error *error);

#endif
