/*
 * Compiled kernels, kept in files from one start to the next. A file is named by everything that could make its
 * contents other ones, and begins with the digest of what follows: a damaged one is never shown to the driver.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "backend/opencl/cache.h"
#include "support/digest.h"
#include "support/file.h"
#include "support/file_writer.h"

#define SIGNATURE "tanda kernels 1\n"
#define SIGNATURE_SIZE (sizeof SIGNATURE - 1)
#define HEADER_SIZE (SIGNATURE_SIZE + DIGEST_TEXT_SIZE) /* the signature, 64 digits, a line end */
#define INFORMATION_SIZE 512

/* ---- the place ---------------------------------------------------------------------------------------- */

/* False when nothing is to be kept, or there is no place for it. */
static bool find_folder(char *folder, size_t size) {
    const char *chosen = getenv("TANDA_CACHE_DIR");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (chosen != NULL)
        length = chosen[0] != '\0' ? snprintf(folder, size, "%s", chosen) : -1;
    else if (cache != NULL && cache[0] == '/')
        length = snprintf(folder, size, "%s/tanda", cache);
    else if (home != NULL && home[0] == '/')
        length = snprintf(folder, size, "%s/.cache/tanda", home);
    return length > 0 && (size_t)length < size;
}

/* Makes the folder and those that it lies in; what cannot be made shows when the file is written. */
static void make_folder(char *folder) {
    for (char *at = folder + 1; *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        mkdir(folder, 0700);
        *at = '/';
    }
    mkdir(folder, 0700);
}

static void write_device_text(FILE *key, cl_device_id device, cl_device_info what) {
    char text[INFORMATION_SIZE] = "";
    clGetDeviceInfo(device, what, sizeof text, text, NULL);
    text[sizeof text - 1] = '\0';
    fprintf(key, "%s\n", text);
}

static void write_platform_text(FILE *key, cl_platform_id platform, cl_platform_info what) {
    char text[INFORMATION_SIZE] = "";
    clGetPlatformInfo(platform, what, sizeof text, text, NULL);
    text[sizeof text - 1] = '\0';
    fprintf(key, "%s\n", text);
}

/*
 * PoCL keeps what it compiles by itself, and to hand a binary out it compiles every kernel for every size of work-group,
 * which takes seconds. Only a folder that was asked for is worth that.
 */
static bool keeps_its_own(cl_device_id device) {
    char name[INFORMATION_SIZE] = "";
    cl_platform_id platform = NULL;
    clGetDeviceInfo(device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL);
    return strcmp(name, "Portable Computing Language") == 0 && getenv("TANDA_CACHE_DIR") == NULL;
}

/* Drivers for CPUs compile for the very processor, whose name may not tell it (a home folder shared by many). */
static void write_processor(FILE *key) {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    __get_cpuid(1, &a, &b, &c, &d); /* b holds the number of the core */
    fprintf(key, "%x %x %x\n", a, c, d);
    __get_cpuid_count(7, 0, &a, &b, &c, &d);
    fprintf(key, "%x %x %x\n", b, c, d);
#else
    fprintf(key, "\n");
#endif
}

static void write_key(FILE *key, cl_device_id device, const char *text, const char *options) {
    cl_platform_id platform = NULL;
    cl_uint vendor = 0;
    clGetDeviceInfo(device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    clGetDeviceInfo(device, CL_DEVICE_VENDOR_ID, sizeof vendor, &vendor, NULL);
    write_platform_text(key, platform, CL_PLATFORM_NAME);
    write_platform_text(key, platform, CL_PLATFORM_VERSION);
    write_device_text(key, device, CL_DEVICE_NAME);
    write_device_text(key, device, CL_DEVICE_VENDOR);
    write_device_text(key, device, CL_DEVICE_VERSION);
    write_device_text(key, device, CL_DRIVER_VERSION);
    write_processor(key);
    fprintf(key, "%u\n%s\n%s", vendor, options, text);
}

bool opencl_cache_find(cl_device_id device, const char *text, const char *options, opencl_cache *cache) {
    char folder[PATH_MAX - DIGEST_TEXT_SIZE - 8], digest[DIGEST_TEXT_SIZE];
    char *key = NULL;
    size_t size = 0;
    if (!find_folder(folder, sizeof folder) || keeps_its_own(device)) return false;
    FILE *stream = open_memstream(&key, &size);
    if (stream == NULL) return false;
    write_key(stream, device, text, options);
    bool written = fclose(stream) == 0;
    if (written) {
        digest_sha256(key, size, digest);
        snprintf(cache->path, sizeof cache->path, "%s/%s.bin", folder, digest);
    }
    free(key);
    return written;
}

/* ---- the files ---------------------------------------------------------------------------------------- */

/* Whether the file is whole; the binary follows the header. */
static bool is_whole(const file_view *view) {
    char digest[DIGEST_TEXT_SIZE];
    if (view->size <= HEADER_SIZE || memcmp(view->data, SIGNATURE, SIGNATURE_SIZE) != 0) return false;
    digest_sha256(view->data + HEADER_SIZE, view->size - HEADER_SIZE, digest);
    return memcmp(view->data + SIGNATURE_SIZE, digest, DIGEST_TEXT_SIZE - 1) == 0;
}

static cl_program build_binary(cl_context context, cl_device_id device, const unsigned char *binary,
                               size_t size, const char *options) {
    cl_int code = CL_SUCCESS, accepted = CL_SUCCESS;
    cl_program program = clCreateProgramWithBinary(context, 1, &device, &size, &binary, &accepted, &code);
    if (code == CL_SUCCESS && accepted == CL_SUCCESS)
        code = clBuildProgram(program, 1, &device, options, NULL, NULL);
    if (code == CL_SUCCESS && accepted == CL_SUCCESS) return program;
    if (program != NULL) clReleaseProgram(program);
    return NULL;
}

cl_program opencl_cache_load(const opencl_cache *cache, cl_context context, cl_device_id device,
                             const char *options) {
    file_view view = {0};
    cl_program program = NULL;
    if (file_view_open(cache->path, &view, NULL) != TANDA_OK) return NULL;
    if (is_whole(&view))
        program = build_binary(context, device, view.data + HEADER_SIZE, view.size - HEADER_SIZE, options);
    file_view_close(&view);
    return program;
}

static void write_file(const opencl_cache *cache, const void *binary, size_t size) {
    char header[HEADER_SIZE + 1], digest[DIGEST_TEXT_SIZE], folder[PATH_MAX];
    digest_sha256(binary, size, digest);
    snprintf(header, sizeof header, SIGNATURE "%s\n", digest);
    snprintf(folder, sizeof folder, "%s", cache->path);
    *strrchr(folder, '/') = '\0';
    make_folder(folder);
    const file_part parts[] = {{header, HEADER_SIZE}, {binary, size}};
    file_write_atomically(cache->path, parts, 2, NULL); /* a full disk is no reason to stop */
}

void opencl_cache_keep(const opencl_cache *cache, cl_program program) {
    size_t size = 0;
    cl_uint devices = 0;
    /* The arrays below have one entry per device of the program. */
    if (clGetProgramInfo(program, CL_PROGRAM_NUM_DEVICES, sizeof devices, &devices, NULL) != CL_SUCCESS ||
        devices != 1 ||
        clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof size, &size, NULL) != CL_SUCCESS ||
        size == 0)
        return;
    unsigned char *binary = malloc(size);
    if (binary == NULL) return;
    if (clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof binary, &binary, NULL) == CL_SUCCESS)
        write_file(cache, binary, size);
    free(binary);
}
