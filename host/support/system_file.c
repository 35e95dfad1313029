#include "support/system_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/arithmetic.h"
#include "support/text.h"

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

size_t memory_limit(void) {
    struct rlimit space;
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    size_t limit = pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
    if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY)
        limit = least(limit, (size_t)space.rlim_cur);
    limit = least(limit, read_limit("/sys/fs/cgroup/memory.max"));
    return least(limit, read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
}

/* ---- what is free ------------------------------------------------------------------------------------------------ */

#define GROUP_PATH_SIZE 1024

/* The number behind a name at the beginning of a line, or `otherwise`. */
static size_t number_named(const char *text, const char *name, size_t otherwise) {
    const size_t length = strlen(name);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, length) == 0) return (size_t)strtoull(line + length, NULL, 10);
    }
    return otherwise;
}

static size_t machine_free(void) {
    char text[4096];
    if (!read_system_file("/proc/meminfo", text, sizeof text)) return SIZE_MAX;
    const size_t kibibytes = number_named(text, "MemAvailable:", SIZE_MAX);
    return kibibytes == SIZE_MAX ? SIZE_MAX : kibibytes * 1024;
}

/* How a version of control groups names its files. */
typedef struct group_files {
    const char *root, *limit, *usage, *cache;
} group_files;

static const group_files version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                      "memory.usage_in_bytes", "total_inactive_file "};
static const group_files version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};

static size_t read_group(const group_files *files, const char *group, const char *name) {
    char path[GROUP_PATH_SIZE + 64];
    text_put(path, sizeof path, "%s%s/%s", files->root, group, name);
    return read_limit(path);
}

/* Of one group: its limit less what is used, but for files that the kernel can forget. */
static size_t group_free(const group_files *files, const char *group) {
    char path[GROUP_PATH_SIZE + 64], text[4096];
    const size_t limit = read_group(files, group, files->limit);
    size_t used = read_group(files, group, files->usage);
    if (limit == SIZE_MAX || used == SIZE_MAX) return limit;
    text_put(path, sizeof path, "%s%s/memory.stat", files->root, group);
    const size_t cache = read_system_file(path, text, sizeof text) ? number_named(text, files->cache, 0) : 0;
    used -= cache < used ? cache : used;
    return used < limit ? limit - used : 0;
}

/* Of a group and those that it lies in; a container sees its own as the root. */
static size_t groups_free(const group_files *files, char *group) {
    size_t free = group_free(files, "");
    while (*group == '/' && group[1] != '\0') {
        free = least(free, group_free(files, group));
        *strrchr(group, '/') = '\0';
    }
    return free;
}

/* "0::/path" of version 2, "4:memory:/path" of version 1. */
static size_t control_groups_free(void) {
    char text[GROUP_PATH_SIZE], *rest = text;
    size_t free = SIZE_MAX;
    if (!read_system_file("/proc/self/cgroup", text, sizeof text)) return free;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *names = strchr(line, ':'), *path = names == NULL ? NULL : strchr(names + 1, ':');
        if (path == NULL) continue;
        *path++ = '\0';
        if (names[1] == '\0') free = least(free, groups_free(&version_2, path));
        if (strcmp(names + 1, "memory") == 0) free = least(free, groups_free(&version_1, path));
    }
    return free;
}

size_t memory_free(void) {
    return least(machine_free(), control_groups_free());
}
