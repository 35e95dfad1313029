#include "support/system_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

bool read_system_file(const char *path, char *text, size_t size) {
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    for (ssize_t got = file < 0 ? 0 : 1; got != 0 && used + 1 < size;) {
        got = read(file, text + used, size - 1 - used);
        if (got < 0 && errno != EINTR) break;
        if (got > 0) used += (size_t)got;
    }
    text[used] = '\0';
    if (file >= 0) close(file);
    return used > 0;
}

/* The number that a file of the kernel holds; SIZE_MAX when it is not there, or says "max". */
static size_t read_limit(const char *path) {
    char text[64];
    const unsigned long long limit = read_system_file(path, text, sizeof text) ? strtoull(text, NULL, 10) : 0;
    return limit > 0 ? (size_t)limit : SIZE_MAX;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

size_t memory_limit(void) {
    struct rlimit space;
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t limit = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        limit = least(limit, (size_t)space.rlim_cur);
    limit = least(limit, read_limit("/sys/fs/cgroup/memory.max"));
    return least(limit, read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
}
