/* What the kernels of reduce.cl and update.cl are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_ARGUMENTS_UPDATE_H
#define TANDA_KERNELS_ARGUMENTS_UPDATE_H

#include "kernels/portable.h"
#include "kernels/update.h"

/* `count` slots, `distance` slots apart. */
typedef struct merge_arguments {
    ulong slot_floats;
    uint count, distance;
} merge_arguments;

typedef struct add_arguments {
    ulong sum, other, floats;
} add_arguments;

/* How parameters are updated: a number of update.h's rules with so many vectors of state. */
typedef struct rule_arguments {
    update_constants constants;
    uint rule, states;
} rule_arguments;

/* step: whose rates and results are meant. bias_count: of the ranges of biases, 0 where there is no penalty. */
typedef struct update_arguments {
    merge_arguments merge;
    rule_arguments rule;
    uint bias_count, step;
    float inverse_rows;
} update_arguments;

typedef struct square_arguments {
    uint floats;
    float inverse_rows, zero;
} square_arguments;

/* Where the parameters of a layer's bias lie, which no penalty is put on. */
typedef struct bias_range {
    ulong first, end;
} bias_range;

#endif
