#include "backend/opencl/find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/text.h"

#define MOST_PLATFORMS 32

size_t opencl_find_devices(found_device found[MOST_DEVICES], unsigned *platform_count) {
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint platforms_found = 0;
    size_t count = 0;
    *platform_count = 0;
    if (clGetPlatformIDs(MOST_PLATFORMS, platforms, &platforms_found) != CL_SUCCESS) return 0;
    if (platforms_found > MOST_PLATFORMS) platforms_found = MOST_PLATFORMS;
    *platform_count = platforms_found;
    for (cl_uint p = 0; p < platforms_found; p++) {
        cl_device_id devices[MOST_DEVICES];
        cl_uint devices_found = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MOST_DEVICES, devices, &devices_found) !=
            CL_SUCCESS)
            continue;
        for (cl_uint d = 0; d < devices_found && d < MOST_DEVICES && count < MOST_DEVICES; d++) {
            found_device *entry = &found[count++];
            *entry = (found_device){platforms[p], devices[d], p, d, 0};
            clGetDeviceInfo(devices[d], CL_DEVICE_TYPE, sizeof entry->type, &entry->type, NULL);
        }
    }
    return count;
}

/* Device texts come with stray spaces, and go to terminals. */
static void read_text(cl_device_id device, cl_device_info what, char *text, size_t size) {
    char raw[512] = "";
    if (clGetDeviceInfo(device, what, sizeof raw, raw, NULL) != CL_SUCCESS) raw[0] = '\0';
    raw[sizeof raw - 1] = '\0';
    size_t start = strspn(raw, " ");
    size_t length = strlen(raw + start);
    while (length > 0 && raw[start + length - 1] == ' ')
        length--;
    text_put(text, size, "%.*s", (int)length, raw + start);
    text_clean(text);
}

void opencl_describe(const found_device *found, tanda_device_information *information) {
    char platform[64] = "", version[64] = "";
    memset(information, 0, sizeof *information);
    text_put(information->backend, sizeof information->backend, "opencl");
    text_put(information->id, sizeof information->id, "opencl:%u.%u", found->platform_index,
             found->device_index);
    read_text(found->device, CL_DEVICE_NAME, information->name, sizeof information->name);
    read_text(found->device, CL_DRIVER_VERSION, information->driver, sizeof information->driver);
    clGetPlatformInfo(found->platform, CL_PLATFORM_NAME, sizeof platform - 1, platform, NULL);
    read_text(found->device, CL_DEVICE_VERSION, version, sizeof version);
    text_put(information->platform, sizeof information->platform, "%s, %s", platform, version);
    text_clean(information->platform);
    const char *kind = found->type & CL_DEVICE_TYPE_GPU           ? "GPU"
                       : found->type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator"
                                                                  : "CPU";
    text_put(information->kind, sizeof information->kind, "%s", kind);
    cl_uint units = 0;
    cl_ulong memory = 0;
    clGetDeviceInfo(found->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    clGetDeviceInfo(found->device, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    information->compute_units = units;
    information->memory = memory;
}

/* GPUs before accelerators before CPUs, each in the platforms' order. */
static int rank_of(const tanda_device_information *information) {
    return strcmp(information->kind, "GPU") == 0 ? 0 : strcmp(information->kind, "accelerator") == 0 ? 1 : 2;
}

tanda_status opencl_list(tanda_device_information **devices, size_t *count, char *remark,
                         tanda_error *error) {
    found_device found[MOST_DEVICES];
    unsigned platforms = 0;
    size_t found_count = opencl_find_devices(found, &platforms);
    if (found_count == 0) {
        if (remark != NULL && platforms == 0) text_put(remark, 256, "no OpenCL platform is installed");
        if (remark != NULL && platforms > 0)
            text_put(remark, 256, "%u OpenCL platform%s, but none has a device", platforms,
                     platforms > 1 ? "s" : "");
        return TANDA_OK;
    }
    tanda_device_information *grown = realloc(*devices, (*count + found_count) * sizeof *grown);
    if (grown == NULL) return fail(error, TANDA_FAILED, "no memory for the list of devices");
    *devices = grown;
    for (int rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < found_count; i++) {
            tanda_device_information information;
            opencl_describe(&found[i], &information);
            if (rank_of(&information) == rank) grown[(*count)++] = information;
        }
    return TANDA_OK;
}
