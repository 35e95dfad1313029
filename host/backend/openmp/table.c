/* The functions of one instruction set. */
#include "backend/openmp/tile.h"

#define TILE_OP_ENTRY(name) [OP_##name] = ISA_NAME(name),

const cpu_functions ISA_NAME(cpu_functions) = {
    .isa = TANDA_ISA_NAME,
    .tile_ops = {TILE_OP_LIST(TILE_OP_ENTRY)},
    .find_rows = ISA_NAME(find_rows),
    .perceptron = ISA_NAME(perceptron),
    .merge = ISA_NAME(merge_partials),
    .add = ISA_NAME(add_partials),
    .update = ISA_NAME(update),
    .mean = ISA_NAME(mean),
    .squares = ISA_NAME(squares),
    .probe = ISA_NAME(probe),
    .read_limit = ISA_NAME(read_limit),
    .fma_limit = ISA_NAME(fma_limit),
};
