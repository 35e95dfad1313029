/* How much memory this process may use, so that a file cannot take it all. */
#ifndef TANDA_SUPPORT_MEMORY_LIMIT_H
#define TANDA_SUPPORT_MEMORY_LIMIT_H

#include <stddef.h>

/* The least of the machine's memory, the limit of the control group and that of the address space, in bytes. */
size_t memory_limit(void);

#endif
