/* Small files in which Linux tells of itself: below /sys and /proc. */
#ifndef TANDA_SYSTEM_FILE_H
#define TANDA_SYSTEM_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The start of such a file, at most size - 1 bytes and a final 0; false, and "", where there is none. Wants no memory,
   as stdio would: what a machine tells must not depend on what is left of it. */
bool read_system_file(const char *path, char *text, size_t size);

/* The least of the machine's memory, the limit of the control group and that of the address space, in bytes. */
size_t memory_limit(void);

/* The least of what the machine has free, caches of files counted, and what its control groups leave this process. */
size_t memory_free(void);

#endif
