/* Structs of options as programs hand them over: their first member is the size that the program knows. */
#ifndef TANDA_SUPPORT_OPTIONS_H
#define TANDA_SUPPORT_OPTIONS_H

#include "support/status.h"

/*
 * *taken, of `size` bytes, becomes a copy of what is given, with zeros for what an older program does not know; all zero
 * for NULL. TANDA_USAGE, naming the struct, for a size that none has.
 */
tanda_status options_take(const char *name, const void *given, void *taken, size_t size, tanda_error *error);

#define TAKE_OPTIONS(type, given, taken, error) options_take(#type, given, taken, sizeof(type), error)

#endif
