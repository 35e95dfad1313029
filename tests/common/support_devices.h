/*
 * The backends that tests run on. Nothing outside a test's own temporary folder decides which OpenCL
 * implementation is seen, and PoCL keeps its kernels there: tests run side by side, in processes of their own.
 */
#ifndef TANDA_TESTS_SUPPORT_DEVICES_H
#define TANDA_TESTS_SUPPORT_DEVICES_H

#include "backend/backend.h"

#define ISA_COUNT 3
extern const char *const isa_names[ISA_COUNT]; /* "x86-64-v4", "x86-64-v3", "generic": best first */

/*
 * Makes OpenCL see the one implementation whose vendor file's name begins with `name` ("pocl", "rusticl"), or
 * none for "". To be called before the first OpenCL call of the process. False, with a printed line, when it
 * is not installed: the test then has nothing to try.
 */
bool use_opencl(const char *name);

/* Removes what use_opencl made; fit for .fini of a suite. */
void forget_opencl(void);

/* The OpenMP backend, without its self-test. NULL, with a printed line, when the processor lacks the ISA. */
backend *open_openmp(const char *isa, size_t threads);

/* The OpenMP backend with the best ISA that there is. */
backend *open_best_openmp(size_t threads);

/* What is to hold for a backend, and waves of so many tiles (0: the backend's own). how: for the message. */
typedef void device_check(backend *backend, size_t wave_tiles, const char *how);

/* Checks the OpenMP backend with each of these numbers of threads, and with each instruction set that there is. */
void check_threads(device_check *check, const size_t *threads, size_t count);
void check_instruction_sets(device_check *check);

/* The first device that use_opencl made visible, without its self-test; a test fails if it does not open. */
backend *open_opencl(const char *kernel_folder);

/* "x86-64-v4", ... or the OpenCL platform. */
const char *backend_title(const backend *backend);

/* A temporary folder that forget_opencl removes with all that is in it. */
const char *temporary_folder(void);

#endif
