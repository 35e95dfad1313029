/*
 * Compiled kernels, kept in files from one start to the next. A file is named by everything that could make its
 * contents other ones, and begins with the digest of what follows: a damaged one is never shown to the driver.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "backend/opencl/cache.h"
#include "backend/opencl/query.h"
#include "support/file.h"
#include "support/text.h"

#define SIGNATURE "tanda kernels 1\n"
#define SIGNATURE_SIZE (sizeof SIGNATURE - 1)
#define HEADER_SIZE (SIGNATURE_SIZE + DIGEST_TEXT_SIZE) /* the signature, 64 digits, a line end */
#define INFORMATION_SIZE 512

/* ---- the place ---------------------------------------------------------------------------------------- */

/* False when nothing is to be kept, or there is no place for it. */
static bool find_folder(char *folder, size_t size) {
    const char *chosen = getenv("TANDA_CACHE_DIR");
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (chosen != NULL) return chosen[0] != '\0' && text_fit(folder, size, "%s", chosen);
    if (cache != NULL && cache[0] == '/') return text_fit(folder, size, "%s/tanda", cache);
    return home != NULL && home[0] == '/' && text_fit(folder, size, "%s/.cache/tanda", home);
}

/* Makes the folder and those that it lies in; what cannot be made shows when it is opened. */
static void make_folder(const char *path) {
    char folder[PATH_MAX];
    if (!text_fit(folder, sizeof folder, "%s", path)) return;
    for (char *at = folder + 1; *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        mkdir(folder, 0700);
        *at = '/';
    }
    mkdir(folder, 0700);
}

/* What OpenCL says of a device and its platform, as far as it decides the compiled kernels. */
typedef struct device_texts {
    char platform[INFORMATION_SIZE], platform_version[INFORMATION_SIZE];
    char name[INFORMATION_SIZE], vendor[INFORMATION_SIZE], version[INFORMATION_SIZE],
        driver[INFORMATION_SIZE];
    cl_uint vendor_id;
} device_texts;

/* False where a question fails: kernels are then not kept, as the name of their file might be that of others. */
static bool ask_texts(cl_device_id device, device_texts *texts) {
    cl_platform_id platform = NULL;
    *texts = (device_texts){0};
    return DEVICE_VALUE(device, CL_DEVICE_PLATFORM, &platform, NULL) == TANDA_OK &&
           DEVICE_VALUE(device, CL_DEVICE_VENDOR_ID, &texts->vendor_id, NULL) == TANDA_OK &&
           PLATFORM_TEXT(platform, CL_PLATFORM_NAME, texts->platform, NULL) == TANDA_OK &&
           PLATFORM_TEXT(platform, CL_PLATFORM_VERSION, texts->platform_version, NULL) == TANDA_OK &&
           DEVICE_TEXT(device, CL_DEVICE_NAME, texts->name, NULL) == TANDA_OK &&
           DEVICE_TEXT(device, CL_DEVICE_VENDOR, texts->vendor, NULL) == TANDA_OK &&
           DEVICE_TEXT(device, CL_DEVICE_VERSION, texts->version, NULL) == TANDA_OK &&
           DEVICE_TEXT(device, CL_DRIVER_VERSION, texts->driver, NULL) == TANDA_OK;
}

/*
 * PoCL keeps what it compiles by itself, and to hand a binary out it compiles every kernel for every size of work-group,
 * which takes seconds. Only a folder that was asked for is worth that.
 */
static bool keeps_its_own(const device_texts *texts) {
    return strcmp(texts->platform, POCL_NAME) == 0 && getenv("TANDA_CACHE_DIR") == NULL;
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

static void write_key(FILE *key, const device_texts *texts, const char *text, const char *options) {
    fprintf(key, "%s\n%s\n", texts->platform, texts->platform_version);
    fprintf(key, "%s\n%s\n%s\n%s\n", texts->name, texts->vendor, texts->version, texts->driver);
    write_processor(key);
    fprintf(key, "%u\n%s\n%s", texts->vendor_id, options, text);
}

bool opencl_cache_find(cl_device_id device, const char *text, const char *options, opencl_cache *cache) {
    char digest[DIGEST_TEXT_SIZE];
    char *key = NULL;
    size_t size = 0;
    device_texts texts;
    if (!find_folder(cache->folder, sizeof cache->folder)) return false;
    if (!ask_texts(device, &texts) || keeps_its_own(&texts)) return false;
    FILE *stream = open_memstream(&key, &size);
    if (stream == NULL) return false;
    write_key(stream, &texts, text, options);
    bool written = text_stream_end(stream, &key);
    if (written) {
        digest_sha256(key, size, digest);
        written = text_fit(cache->name, sizeof cache->name, "%s.bin", digest);
    }
    free(key);
    return written;
}

/* ---- the files ---------------------------------------------------------------------------------------- */

/* Nobody but the user of this process can have put in what it holds (or root, who can do all). */
static bool is_ours(const struct stat *information) {
    return information->st_uid == geteuid() && (information->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* A descriptor of the folder, so that it stays the one that was looked at; -1 for none that is ours. Links lead on. */
static int open_folder(const char *path) {
    struct stat information;
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || (fstat(folder, &information) == 0 && is_ours(&information))) return folder;
    close(folder);
    return -1;
}

/* A regular file of ours, of *size bytes; no link, and no waiting for who writes to a FIFO. -1 for any other. */
static int open_file(int folder, const char *name, size_t *size) {
    struct stat information;
    const int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return -1;
    if (fstat(file, &information) == 0 && S_ISREG(information.st_mode) && is_ours(&information)) {
        *size = (size_t)information.st_size;
        return file;
    }
    close(file);
    return -1;
}

/* A copy, which stays as it was when its digest is taken; free(). NULL for a file that cannot be read whole. */
static unsigned char *read_file(int file, size_t size) {
    unsigned char *data = malloc(size + 1);
    size_t done = 0;
    while (data != NULL && done < size) {
        const ssize_t part = read(file, data + done, size - done);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) break;
        done += (size_t)part;
    }
    if (done == size) return data;
    free(data);
    return NULL;
}

/* Whether the file is whole; the binary follows the header. */
static bool is_whole(const unsigned char *data, size_t size) {
    char digest[DIGEST_TEXT_SIZE];
    if (data == NULL || size <= HEADER_SIZE || memcmp(data, SIGNATURE, SIGNATURE_SIZE) != 0) return false;
    digest_sha256(data + HEADER_SIZE, size - HEADER_SIZE, digest);
    return memcmp(data + SIGNATURE_SIZE, digest, DIGEST_TEXT_SIZE - 1) == 0;
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
    size_t size = 0;
    cl_program program = NULL;
    const int folder = open_folder(cache->folder);
    const int file = folder < 0 ? -1 : open_file(folder, cache->name, &size);
    unsigned char *data = file < 0 ? NULL : read_file(file, size);
    if (is_whole(data, size))
        program = build_binary(context, device, data + HEADER_SIZE, size - HEADER_SIZE, options);
    free(data);
    if (file >= 0) close(file);
    if (folder >= 0) close(folder);
    return program;
}

static bool write_all(int file, const void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        const ssize_t part = write(file, (const char *)data + done, size - done);
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return false;
        done += (size_t)part;
    }
    return true;
}

/* Beside the old file, then in its place, whatever that is. No flushing: what a crash damages is built again. */
static void write_file(int folder, const char *name, const void *binary, size_t size) {
    char header[HEADER_SIZE + 1], digest[DIGEST_TEXT_SIZE];
    char temporary[OPENCL_CACHE_NAME_SIZE + 40];
    digest_sha256(binary, size, digest);
    if (!text_fit(header, sizeof header, SIGNATURE "%s\n", digest) ||
        !text_fit(temporary, sizeof temporary, "%s.unfinished-%ld", name, (long)getpid()))
        return;
    unlinkat(folder, temporary, 0); /* of a process that was killed */
    const int file = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) return;
    const bool written = write_all(file, header, HEADER_SIZE) && write_all(file, binary, size);
    if (close(file) != 0 || !written || renameat(folder, temporary, folder, name) != 0)
        unlinkat(folder, temporary, 0); /* a full disk is no reason to stop */
}

static void keep_binary(const opencl_cache *cache, const void *binary, size_t size) {
    make_folder(cache->folder);
    const int folder = open_folder(cache->folder);
    if (folder < 0) return;
    write_file(folder, cache->name, binary, size);
    close(folder);
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
        keep_binary(cache, binary, size);
    free(binary);
}
