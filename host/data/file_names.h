/* What the names of data files tell, for those that do not read them. */
#ifndef TANDA_DATA_FILE_NAMES_H
#define TANDA_DATA_FILE_NAMES_H

#include <stdbool.h>

/* Where the name of an array begins in "FILE.npz:NAME"; NULL for the name of a file. */
const char *format_member(const char *path);

/* Whether a file of this name is one of a folder of data. */
bool parts_take(const char *name);

#endif
