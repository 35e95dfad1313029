/* The OpenCL device of these tests that runs kernels as GPUs get them: see tests/devices/ptx/opencl.c. */
#ifndef TANDA_TESTS_PTX_DEVICE_H
#define TANDA_TESTS_PTX_DEVICE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#ifndef TANDA_PTX_DEVICE /* without python3, and with sanitizers */
#define TANDA_PTX_DEVICE ""
#define TANDA_PTX_CACHE ""
#endif

/* Why there is no such device here; NULL: there is. */
static inline const char *lack_of_ptx(void) {
    if (TANDA_PTX_DEVICE[0] == '\0') return "this build has no device for it: no python3, or sanitizers";
    if (system("command -v \"${CLANG:-clang-15}\" >/dev/null") != 0) return "there is no clang-15";
    if (system("\"${CLANG:-clang-15}\" --print-targets | grep -q nvptx64") != 0)
        return "clang-15 makes no code for nvptx64";
    if (system("test -e \"${LIBCLC:-/usr/lib/clc}/nvptx64--nvidiacl.bc\"") != 0)
        return "there is no libclc (Debian package libclc-15)";
    return NULL;
}

/* OpenCL sees the device alone, by a file in a folder, which is made. Before the first OpenCL call of the process. */
static inline void show_ptx(const char *folder) {
    char command[512];
    snprintf(command, sizeof command,
             "mkdir -p '%s' '" TANDA_PTX_CACHE "' && echo '" TANDA_PTX_DEVICE "' >'%s/ptx.icd'", folder,
             folder);
    cr_assert_eq(system(command), 0, "%s", command);
    setenv("OCL_ICD_VENDORS", folder, 1);
    setenv("TANDA_PTX_CACHE", TANDA_PTX_CACHE, 1);
}

static inline void set_number(const char *variable, unsigned number) {
    char text[16];
    snprintf(text, sizeof text, "%u", number);
    setenv(variable, text, 1);
}

/* What the order of work-items, and what unwritten memory holds, depend on: of contexts that are created from now on. */
static inline void set_seed(unsigned seed) {
    set_number("TANDA_PTX_SEED", seed);
}

#endif
