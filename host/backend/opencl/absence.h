/* Why a platform has no device, as far as can be told from outside, and what helps. */
#ifndef TANDA_OPENCL_ABSENCE_H
#define TANDA_OPENCL_ABSENCE_H

#include <stdbool.h>
#include <stddef.h>

/* The reason, as "has no device: ..."; true when it is a failure, which that of hardware that is not there is not. */
bool opencl_explain_absence(const char *platform, char *text, size_t size);

#endif
