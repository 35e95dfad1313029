/* What the device says of itself. */
#include <stdlib.h>

#include "opencl.h"

#define UNITS 8

static struct _cl_platform_id the_platform = {&dispatch};
static struct _cl_device_id the_device = {&dispatch};

cl_int get_platform_ids(cl_uint size, cl_platform_id *platforms, cl_uint *count) {
    if (count != NULL) *count = 1;
    if (platforms != NULL && size > 0) platforms[0] = &the_platform;
    return CL_SUCCESS;
}

cl_int get_platform_info(cl_platform_id platform, cl_platform_info what, size_t size, void *target,
                         size_t *needed) {
    (void)platform;
    switch (what) {
    case CL_PLATFORM_PROFILE:
        return answer_text("FULL_PROFILE", size, target, needed);
    case CL_PLATFORM_VERSION:
        return answer_text("OpenCL 1.2 PTX", size, target, needed);
    case CL_PLATFORM_NAME:
        return answer_text("PTX on the host", size, target, needed);
    case CL_PLATFORM_VENDOR:
        return answer_text("tanda", size, target, needed);
    case CL_PLATFORM_EXTENSIONS:
        return answer_text("cl_khr_icd", size, target, needed);
    case CL_PLATFORM_ICD_SUFFIX_KHR:
        return answer_text("PTX", size, target, needed);
    default:
        return CL_INVALID_VALUE;
    }
}

cl_int get_device_ids(cl_platform_id platform, cl_device_type type, cl_uint size, cl_device_id *devices,
                      cl_uint *count) {
    (void)platform;
    if ((type & (CL_DEVICE_TYPE_GPU | CL_DEVICE_TYPE_DEFAULT)) == 0) return CL_DEVICE_NOT_FOUND;
    if (count != NULL) *count = 1;
    if (devices != NULL && size > 0) devices[0] = &the_device;
    return CL_SUCCESS;
}

static cl_uint compute_units(void) {
    const char *units = getenv("TANDA_PTX_UNITS");
    return units == NULL ? UNITS : (cl_uint)strtoul(units, NULL, 10);
}

cl_int get_device_info(cl_device_id device, cl_device_info what, size_t size, void *target, size_t *needed) {
    static const size_t most_items[3] = {1024, 1024, 64};
    (void)device;
    switch (what) {
    case CL_DEVICE_TYPE:
        ANSWER(cl_device_type, CL_DEVICE_TYPE_GPU);
    case CL_DEVICE_NAME:
        return answer_text("PTX in random order", size, target, needed);
    case CL_DEVICE_VENDOR:
        return answer_text("tanda", size, target, needed);
    case CL_DEVICE_VERSION:
        return answer_text("OpenCL 1.2 PTX", size, target, needed);
    case CL_DEVICE_OPENCL_C_VERSION:
        return answer_text("OpenCL C 1.2", size, target, needed);
    case CL_DRIVER_VERSION:
        return answer_text("1", size, target, needed);
    case CL_DEVICE_PROFILE:
        return answer_text("FULL_PROFILE", size, target, needed);
    case CL_DEVICE_EXTENSIONS:
        return answer_text("", size, target, needed);
    case CL_DEVICE_PLATFORM:
        ANSWER(cl_platform_id, &the_platform);
    case CL_DEVICE_GLOBAL_MEM_SIZE:
        ANSWER(cl_ulong, (cl_ulong)2 << 30);
    case CL_DEVICE_MAX_MEM_ALLOC_SIZE:
        ANSWER(cl_ulong, (cl_ulong)1 << 30);
    case CL_DEVICE_LOCAL_MEM_SIZE:
        ANSWER(cl_ulong, LOCAL_BYTES);
    case CL_DEVICE_LOCAL_MEM_TYPE:
        ANSWER(cl_device_local_mem_type, CL_LOCAL);
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        ANSWER(size_t, 1024);
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        return answer(most_items, sizeof most_items, size, target, needed);
    case CL_DEVICE_MAX_WORK_ITEM_DIMENSIONS:
        ANSWER(cl_uint, 3);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
        ANSWER(cl_uint, compute_units());
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
        ANSWER(cl_uint, 1000);
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT:
        ANSWER(cl_uint, 1);
    case CL_DEVICE_VENDOR_ID: /* NVIDIA's, whose code it is */
        ANSWER(cl_uint, 0x10de);
    case CL_DEVICE_ADDRESS_BITS:
        ANSWER(cl_uint, 64);
    case CL_DEVICE_MEM_BASE_ADDR_ALIGN:
        ANSWER(cl_uint, 128);
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
        ANSWER(cl_bool, CL_FALSE);
    case CL_DEVICE_AVAILABLE:
        ANSWER(cl_bool, CL_TRUE);
    case CL_DEVICE_COMPILER_AVAILABLE:
        ANSWER(cl_bool, CL_TRUE);
    default:
        return CL_INVALID_VALUE;
    }
}
