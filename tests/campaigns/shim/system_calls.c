/* Calls of the C library that can fail. The 64 in a name is how libraries call it on some machines. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faults.h"

static int refuse(int usual) {
    errno = fault_code(usual);
    return -1;
}

static void *refuse_pointer(int usual) {
    errno = fault_code(usual);
    return NULL;
}

/* ---- memory: strdup, asprintf, open_memstream and getdelim come here too ------------------------------- */

/* dlsym itself asks for memory, so the next malloc is not looked for but named. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    return fault_is_due("malloc", CALLER) ? refuse_pointer(ENOMEM) : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fault_is_due("malloc", CALLER) ? refuse_pointer(ENOMEM) : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    return fault_is_due("malloc", CALLER) ? refuse_pointer(ENOMEM) : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fault_is_due("malloc", CALLER) ? refuse_pointer(ENOMEM) : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *found = fault_is_due("malloc", CALLER) ? NULL : __libc_memalign(alignment, size);
    if (found == NULL) return ENOMEM;
    *memory = found;
    return 0;
}

#define MAPPING(name) \
    FAILING("mmap", void *, (refuse(ENOMEM), MAP_FAILED), name, \
            (void *address, size_t size, int protection, int flags, int descriptor, off_t offset), \
            (address, size, protection, flags, descriptor, offset))
MAPPING(mmap)
MAPPING(mmap64)

/* ---- files --------------------------------------------------------------------------------------------- */

/* What describes the machine may be missing: then it has no name. */
static bool open_is_due(const char *path, const void *caller) {
    if (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0) return false;
    return fault_is_due("open", caller);
}

#define OPENING(name) \
    int name(const char *path, int flags, ...) { \
        static int (*next)(const char *, int, ...); \
        va_list list; \
        if (next == NULL) next = fault_next(#name); \
        va_start(list, flags); \
        const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; \
        va_end(list); \
        return open_is_due(path, CALLER) ? refuse(EMFILE) : next(path, flags, mode); \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        static int (*next)(int, const char *, int, ...); \
        va_list list; \
        if (next == NULL) next = fault_next(#name); \
        va_start(list, flags); \
        const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; \
        va_end(list); \
        return open_is_due(path, CALLER) ? refuse(EMFILE) : next(folder, path, flags, mode); \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

#define STREAM(name) \
    FILE *name(const char *path, const char *mode) { \
        static FILE *(*next)(const char *, const char *); \
        if (next == NULL) next = fault_next(#name); \
        return open_is_due(path, CALLER) ? refuse_pointer(EMFILE) : next(path, mode); \
    }
STREAM(fopen)
STREAM(fopen64)
FAILING("open", FILE *, refuse_pointer(ENOMEM), fdopen, (int descriptor, const char *mode),
        (descriptor, mode))
FAILING("open", DIR *, refuse_pointer(EMFILE), opendir, (const char *path), (path))
FAILING("open", int, refuse(EMFILE), mkstemp, (char *pattern), (pattern))
FAILING("open", int, refuse(EMFILE), mkstemp64, (char *pattern), (pattern))
FAILING("open", int, refuse(EMFILE), mkostemp, (char *pattern, int flags), (pattern, flags))

FAILING("stat", int, refuse(EIO), stat, (const char *restrict path, struct stat *restrict found),
        (path, found))
FAILING("stat", int, refuse(EIO), lstat, (const char *restrict path, struct stat *restrict found),
        (path, found))
FAILING("stat", int, refuse(EIO), fstat, (int descriptor, struct stat *found), (descriptor, found))
FAILING("stat", int, refuse(EIO), fstatat,
        (int folder, const char *restrict path, struct stat *restrict found, int flags),
        (folder, path, found, flags))
FAILING("stat", int, refuse(EACCES), access, (const char *path, int mode), (path, mode))
FAILING("stat", int, refuse(EACCES), faccessat, (int folder, const char *path, int mode, int flags),
        (folder, path, mode, flags))
FAILING("stat", char *, refuse_pointer(EIO), realpath, (const char *restrict path, char *restrict found),
        (path, found))

ssize_t read(int descriptor, void *data, size_t size) {
    static ssize_t (*next)(int, void *, size_t);
    if (next == NULL) next = fault_next("read");
    if (fault_is_due("read", CALLER)) return refuse(EIO);
    if (size > 1 && fault_is_due("short-read", CALLER)) size /= 2;
    return next(descriptor, data, size);
}

ssize_t pread(int descriptor, void *data, size_t size, off_t offset) {
    static ssize_t (*next)(int, void *, size_t, off_t);
    if (next == NULL) next = fault_next("pread");
    if (fault_is_due("read", CALLER)) return refuse(EIO);
    if (size > 1 && fault_is_due("short-read", CALLER)) size /= 2;
    return next(descriptor, data, size, offset);
}

/* What goes to a terminal's descriptors is written by stdio, which does not come here. */
ssize_t write(int descriptor, const void *data, size_t size) {
    static ssize_t (*next)(int, const void *, size_t);
    if (next == NULL) next = fault_next("write");
    if (fault_is_due("write", CALLER)) return refuse(ENOSPC);
    if (size > 1 && fault_is_due("short-write", CALLER)) size /= 2;
    return next(descriptor, data, size);
}

FAILING("fsync", int, refuse(EIO), fsync, (int descriptor), (descriptor))
FAILING("fsync", int, refuse(EIO), fdatasync, (int descriptor), (descriptor))
FAILING("truncate", int, refuse(EIO), ftruncate, (int descriptor, off_t size), (descriptor, size))
FAILING("seek", off_t, refuse(EIO), lseek, (int descriptor, off_t offset, int origin),
        (descriptor, offset, origin))
FAILING("rename", int, refuse(EACCES), rename, (const char *old_path, const char *new_path),
        (old_path, new_path))
FAILING("rename", int, refuse(EACCES), renameat,
        (int old_folder, const char *old_path, int new_folder, const char *new_path),
        (old_folder, old_path, new_folder, new_path))
FAILING("unlink", int, refuse(EACCES), unlink, (const char *path), (path))
FAILING("unlink", int, refuse(EACCES), unlinkat, (int folder, const char *path, int flags),
        (folder, path, flags))
FAILING("mkdir", int, refuse(EACCES), mkdir, (const char *path, mode_t mode), (path, mode))
FAILING("mode", int, refuse(EPERM), fchmod, (int descriptor, mode_t mode), (descriptor, mode))
FAILING("mode", int, refuse(EPERM), fchown, (int descriptor, uid_t user, gid_t group),
        (descriptor, user, group))
FAILING("lock", int, refuse(ENOLCK), flock, (int descriptor, int operation), (descriptor, operation))

/* As Linux does, it closes and then tells of a write that failed. */
int close(int descriptor) {
    static int (*next)(int);
    if (next == NULL) next = fault_next("close");
    const bool due = fault_is_due("close", CALLER);
    const int code = next(descriptor);
    return due && code == 0 ? refuse(EIO) : code;
}

/* A stream whose buffer could not be written: stdio remembers it, so ferror is true from then on. */
static int spoil(FILE *stream) {
    stream->_flags |= 0x20; /* glibc's _IO_ERR_SEEN */
    errno = fault_code(ENOSPC);
    return EOF;
}

int fflush(FILE *stream) {
    static int (*next)(FILE *);
    if (next == NULL) next = fault_next("fflush");
    if (stream == NULL || stream == stderr) return next(stream);
    return fault_is_due("flush", CALLER) ? spoil(stream) : next(stream);
}

int fclose(FILE *stream) {
    static int (*next)(FILE *);
    if (next == NULL) next = fault_next("fclose");
    const bool due = fault_is_due("flush", CALLER);
    const int code = next(stream);
    if (!due) return code;
    errno = fault_code(ENOSPC);
    return EOF;
}

/* ---- threads ------------------------------------------------------------------------------------------- */

FAILING("thread", int, fault_code(EAGAIN), pthread_create,
        (pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*routine)(void *),
         void *restrict argument),
        (thread, attributes, routine, argument))
