/* Whether jansson had the memory that it asked for: it drops letters and members, or calls the text invalid, when not. */
#ifndef TANDA_SUPPORT_JSON_MEMORY_H
#define TANDA_SUPPORT_JSON_MEMORY_H

#include "support/status.h"

/* How often this thread's jansson got no memory so far. The first call begins to count, in jansson's own allocator. */
size_t json_memory_failures(void);

/*
 * Returns status, unless there were more failures than `before`: then TANDA_FAILED, whatever status says, as what was
 * read or made is not what it should be. path is for the message.
 */
tanda_status json_memory_check(size_t before, const char *path, tanda_status status, tanda_error *error);

#endif
