/* Files that other programs write and tanda does not read, so that a message can say what one is. */
#ifndef TANDA_DATA_FOREIGN_H
#define TANDA_DATA_FOREIGN_H

#include <stddef.h>

/* "an Excel workbook" and so on, by the first bytes (and .json by its name, too); or NULL. Static storage. */
const char *foreign_kind(const char *path, const void *bytes, size_t size);

#endif
