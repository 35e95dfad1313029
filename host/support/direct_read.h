/* Reading a file past the system's memory (O_DIRECT): at the disk's speed and little cost, and what lies there stays. */
#ifndef TANDA_SUPPORT_DIRECT_READ_H
#define TANDA_SUPPORT_DIRECT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

/* A descriptor for direct_read alone, or -1: it is another file by now, or its file system cannot do so. */
int direct_read_open(const char *path, const struct stat *expected);

/* Whether all of these bytes of a file lie in the system's memory. False where nobody knows. */
bool direct_read_is_cached(int descriptor, size_t at, size_t size);

/* Reads from `at` on, and returns how many bytes it could: size, or fewer, whatever the reason. */
size_t direct_read(int descriptor, size_t at, void *data, size_t size);

#endif
