/*
 * Compiled kernels, kept in files from one start to the next. Nothing here fails: what cannot be kept is built again.
 * They are code that will run, so folder and file must belong to the effective user and be writable by no other;
 * elsewhere nothing is read, and nothing written.
 */
#ifndef TANDA_OPENCL_CACHE_H
#define TANDA_OPENCL_CACHE_H

#include <CL/cl.h>
#include <limits.h>
#include <stdbool.h>

#include "support/digest.h"

#define OPENCL_CACHE_NAME_SIZE (DIGEST_TEXT_SIZE + sizeof ".bin")

typedef struct opencl_cache {
    char folder[PATH_MAX];
    char name[OPENCL_CACHE_NAME_SIZE]; /* of the file in it that belongs to a text, options and a device */
} opencl_cache;

/*
 * In the folder TANDA_CACHE_DIR, else $XDG_CACHE_HOME/tanda, else ~/.cache/tanda. False when TANDA_CACHE_DIR is empty
 * or there is no such place: then nothing is kept.
 */
bool opencl_cache_find(cl_device_id device, const char *text, const char *options, opencl_cache *cache);

/* The program, built from its file, or NULL when that is missing, damaged, another's, or refused by the driver. */
cl_program opencl_cache_load(const opencl_cache *cache, cl_context context, cl_device_id device,
                             const char *options);

/* Writes a program that has been built. */
void opencl_cache_keep(const opencl_cache *cache, cl_program program);

#endif
