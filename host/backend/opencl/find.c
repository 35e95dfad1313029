#include "backend/opencl/find.h"

#include <CL/cl_ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/absence.h"
#include "backend/opencl/query.h"
#include "backend/opencl/vendors.h"
#include "support/text.h"

#define MOST_PLATFORMS 32
#define REASON_SIZE 400

/* A platform as it is asked for its devices. */
typedef struct platform {
    cl_platform_id id;
    unsigned index;
    char name[64];
} platform;

/* The devices that are found, and what went wrong meanwhile. */
typedef struct search {
    found_device *found;
    size_t count;
    device_remarks *remarks;
} search;

static const char *kind_of(cl_device_type type) {
    return type & CL_DEVICE_TYPE_GPU ? "GPU" : type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator" : "CPU";
}

/* found has its device; what it is called, and what it has. */
static tanda_status describe(const platform *platform, found_device *found, tanda_error *error) {
    const cl_device_id device = found->device;
    tanda_device_information *information = &found->information;
    char version[64] = "";
    cl_uint units = 0;
    cl_ulong memory = 0;
    tanda_status status = DEVICE_VALUE(device, CL_DEVICE_TYPE, &found->type, error);
    if (status == TANDA_OK) status = DEVICE_TEXT(device, CL_DEVICE_NAME, information->name, error);
    if (status == TANDA_OK) status = DEVICE_TEXT(device, CL_DRIVER_VERSION, information->driver, error);
    if (status == TANDA_OK) status = DEVICE_TEXT(device, CL_DEVICE_VERSION, version, error);
    if (status == TANDA_OK) status = DEVICE_VALUE(device, CL_DEVICE_MAX_COMPUTE_UNITS, &units, error);
    if (status == TANDA_OK) status = DEVICE_VALUE(device, CL_DEVICE_GLOBAL_MEM_SIZE, &memory, error);
    text_put(information->backend, sizeof information->backend, "opencl");
    text_put(information->platform, sizeof information->platform, "%s, %s", platform->name, version);
    text_put(information->kind, sizeof information->kind, "%s", kind_of(found->type));
    information->compute_units = units;
    information->memory = memory;
    return status;
}

static void take_device(search *search, const platform *platform, cl_device_id device, unsigned index) {
    tanda_error error;
    found_device *found = &search->found[search->count];
    *found = (found_device){.platform = platform->id, .device = device};
    tanda_device_information *information = &found->information;
    text_put(information->id, sizeof information->id, "opencl:%u.%u", platform->index, index);
    if (describe(platform, found, &error) == TANDA_OK)
        search->count++;
    else
        remark_add(search->remarks->failures, "device %u.%u: %s", platform->index, index, error.message);
}

static void remark_platform(search *search, bool failed, const platform *platform, const char *what) {
    const bool is_named = platform->name[0] != '\0';
    remark_add(failed ? search->remarks->failures : search->remarks->absences, "platform %u%s%s%s %s",
               platform->index, is_named ? " (" : "", platform->name, is_named ? ")" : "", what);
}

/* The devices of a platform whose name is known; 0 after a remark. */
static cl_uint list_platform(search *search, const platform *platform, cl_device_id devices[MOST_DEVICES]) {
    char what[REASON_SIZE], text[CODE_TEXT_SIZE];
    cl_uint count = 0;
    const cl_int code = clGetDeviceIDs(platform->id, CL_DEVICE_TYPE_ALL, MOST_DEVICES, devices, &count);
    if (code == CL_SUCCESS && count > 0) return count < MOST_DEVICES ? count : MOST_DEVICES;
    bool failed = code != CL_SUCCESS && code != CL_DEVICE_NOT_FOUND;
    if (failed)
        text_put(what, sizeof what, "fails: clGetDeviceIDs: %s", opencl_code_text(code, text));
    else
        failed = opencl_explain_absence(platform->name, what, sizeof what);
    remark_platform(search, failed, platform, what);
    return 0;
}

static void search_platform(search *search, platform *platform) {
    cl_device_id devices[MOST_DEVICES];
    char what[REASON_SIZE];
    tanda_error error;
    if (PLATFORM_TEXT(platform->id, CL_PLATFORM_NAME, platform->name, &error) != TANDA_OK) {
        text_put(what, sizeof what, "fails: %s", error.message);
        remark_platform(search, true, platform, what);
        return;
    }
    const cl_uint count = list_platform(search, platform, devices);
    for (cl_uint d = 0; d < count && search->count < MOST_DEVICES; d++)
        take_device(search, platform, devices[d], d);
}

size_t opencl_find_devices(found_device found[MOST_DEVICES], device_remarks *remarks) {
    cl_platform_id platforms[MOST_PLATFORMS];
    cl_uint count = 0;
    char text[CODE_TEXT_SIZE];
    search search = {.found = found, .remarks = remarks};
    const cl_int code = clGetPlatformIDs(MOST_PLATFORMS, platforms, &count);
    if (code == CL_PLATFORM_NOT_FOUND_KHR || (code == CL_SUCCESS && count == 0)) {
        remark_add(remarks->absences, "no platform is installed");
        return 0;
    }
    if (code != CL_SUCCESS) {
        remark_add(remarks->failures, "clGetPlatformIDs: %s", opencl_code_text(code, text));
        return 0;
    }
    for (cl_uint p = 0; p < count && p < MOST_PLATFORMS; p++)
        search_platform(&search, &(platform){.id = platforms[p], .index = p});
    return search.count;
}

/* GPUs before accelerators before CPUs, each in the platforms' order. */
static int rank_of(const tanda_device_information *information) {
    return strcmp(information->kind, "GPU") == 0 ? 0 : strcmp(information->kind, "accelerator") == 0 ? 1 : 2;
}

tanda_status opencl_list(tanda_device_information **devices, size_t *count, device_remarks *remarks,
                         tanda_error *error) {
    found_device found[MOST_DEVICES];
    const size_t found_count = opencl_find_devices(found, remarks);
    opencl_remark_vendors(remarks);
    if (found_count == 0) return TANDA_OK;
    tanda_device_information *grown = realloc(*devices, (*count + found_count) * sizeof *grown);
    if (grown == NULL) return fail(error, TANDA_FAILED, "no memory for the list of devices");
    *devices = grown;
    for (int rank = 0; rank < 3; rank++)
        for (size_t i = 0; i < found_count; i++)
            if (rank_of(&found[i].information) == rank) grown[(*count)++] = found[i].information;
    return TANDA_OK;
}
