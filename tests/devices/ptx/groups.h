/* Runs the work-items of a launch in random order. */
#ifndef TANDA_TESTS_PTX_GROUPS_H
#define TANDA_TESTS_PTX_GROUPS_H

#include <stddef.h>

#include "work_item.h"

#define PARAMETER_BYTES 4096
#define MOST_LOCAL_POINTERS 32

/* Where, in its parameters, a kernel finds the address of a part of local memory. */
typedef struct local_pointer {
    uint32_t parameter, local;
} local_pointer;

typedef struct launch {
    uint32_t groups[3], items[3]; /* groups, and work-items of a group */
    size_t local_bytes;           /* of a group, those of the kernel's own variables first */
    unsigned char parameters[PARAMETER_BYTES];
    local_pointer local_pointers[MOST_LOCAL_POINTERS];
    size_t local_pointer_count;
} launch;

/* The next random number; *state is any number but 0. */
uint64_t next_random(uint64_t *state);

/*
 * Memory whose first byte after the end, rounded up to 16, belongs to nobody: who touches it ends the program. Holds
 * random numbers at first. NULL: there is none.
 */
void *guarded_memory(size_t bytes, uint64_t *random);
void free_guarded(void *memory, size_t bytes);

/*
 * Runs all groups, those of a kernel with barriers three at a time, and always a random one of the work-items that can
 * go on. Returns what is wrong, else NULL.
 */
const char *run_groups(const kernel_code *code, const launch *launch, uint64_t *random);

#endif
