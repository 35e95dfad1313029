/* What the kernel of synthetic.cl is told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_SYNTHETIC_H
#define TANDA_KERNELS_ARGUMENTS_SYNTHETIC_H

#include "kernels/shuffle.h"
#include "kernels/synthetic.h"

typedef struct synthetic_arguments {
    synthetic data;
    ulong count;
} synthetic_arguments;

enum made_labels { MADE_NONE, MADE_OWN, MADE_REAL };

/* Rows of a section: those at places first + from, ... of an epoch's order, behind `skip` rows of the data. */
typedef struct section_arguments {
    synthetic data;
    row_order order;
    ulong first, skip;
    ulong from, count; /* of the section: the work-items' first row, and the end */
    uint epoch;
    uint is_scaled;
    uint labels; /* enum made_labels; classes as numbers */
    uint reserved;
} section_arguments;

#endif
