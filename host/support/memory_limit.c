#include "support/memory_limit.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/system_file.h"

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
