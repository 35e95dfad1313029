/* A work-item as the code of a kernel sees it, and that code: translate.py writes it, groups.c runs it. */
#ifndef TANDA_TESTS_PTX_WORK_ITEM_H
#define TANDA_TESTS_PTX_WORK_ITEM_H

#include <stdint.h>

typedef struct work_item work_item;
struct work_item {
    uint32_t tid[3], ntid[3], ctaid[3], nctaid[3];
    unsigned char *local;                     /* the group's local memory */
    void (*wait)(work_item *, int);           /* at a barrier, whose place in the code has that number */
    void (*pause)(work_item *);               /* others may run now */
    void (*fault)(work_item *, const char *); /* does not return */
};

enum { PARAMETER_VALUE, PARAMETER_LOCAL, PARAMETER_GLOBAL }; /* pointers, but for the first */

typedef struct kernel_parameter {
    uint32_t offset, size; /* in bytes, in what the kernel is called with */
    int kind;
} kernel_parameter;

/* The library of a program has a table `kernels` of these, which one without a name ends. */
typedef struct kernel_code {
    const char *name;
    void (*run)(work_item *item, unsigned char *parameters);
    const kernel_parameter *parameters;
    uint32_t parameter_count, local_bytes, barriers;
} kernel_code;

#endif
