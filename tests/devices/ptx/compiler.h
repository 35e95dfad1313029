/*
 * OpenCL C becomes PTX by clang, with the options of gpu_code.sh, that C by translate.py, and code of this machine by clang.
 * It is kept in the folder TANDA_PTX_CACHE, under a hash of what it was made of.
 */
#ifndef TANDA_TESTS_PTX_COMPILER_H
#define TANDA_TESTS_PTX_COMPILER_H

#include <stddef.h>

#include "work_item.h"

/* The kernels of a program, for good, the last of which has no name; NULL, and why. */
const kernel_code *compile_kernels(const char *source, const char *options, char *why, size_t why_size);

#endif
