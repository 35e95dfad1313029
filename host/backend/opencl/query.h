/* What OpenCL says of platforms and devices, and the names of its errors. */
#ifndef TANDA_OPENCL_QUERY_H
#define TANDA_OPENCL_QUERY_H

#include <CL/cl.h>

#include "support/status.h"

#define CODE_TEXT_SIZE 64
#define POCL_NAME "Portable Computing Language" /* of its platform */

/* An error of OpenCL as "CL_OUT_OF_RESOURCES (-5)". */
const char *opencl_code_text(cl_int code, char text[CODE_TEXT_SIZE]);

/*
 * The answer of clGetDeviceInfo, or for text also of clGetPlatformInfo, whose question is `what`, its name `name`. Texts
 * lose the spaces around them and what must not go to a terminal. They fail with TANDA_DEVICE, naming call, question and
 * error.
 */
tanda_status opencl_platform_text(cl_platform_id platform, cl_platform_info what, const char *name,
                                  char *text, size_t size, tanda_error *error);
tanda_status opencl_device_text(cl_device_id device, cl_device_info what, const char *name, char *text,
                                size_t size, tanda_error *error);
tanda_status opencl_device_value(cl_device_id device, cl_device_info what, const char *name, void *value,
                                 size_t size, tanda_error *error);

/* The same for an array of characters, and for a variable. */
#define PLATFORM_TEXT(platform, what, text, error) \
    opencl_platform_text(platform, what, #what, text, sizeof(text), error)
#define DEVICE_TEXT(device, what, text, error) \
    opencl_device_text(device, what, #what, text, sizeof(text), error)
#define DEVICE_VALUE(device, what, value, error) \
    opencl_device_value(device, what, #what, value, sizeof *(value), error)

#endif
