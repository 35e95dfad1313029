/* Walking the cases of the op tests: each captures one step on a backend and hands it to the checks. */
#ifndef TANDA_TESTS_SUPPORT_CHECKS_H
#define TANDA_TESTS_SUPPORT_CHECKS_H

#include "support_network.h"

#define U 0x1p-24     /* the unit roundoff of binary32 */
#define TINY 0x1p-100 /* flush_tiny: below it stored deltas and gradients become 0 */

/* n U / (1 - n U): the bound of a product of n factors 1 + e, |e| <= U (docs/exactness.md, Bounds). */
double rounding_bound(double n);

/* Roundings of n terms in chunks of 256, the chunks added to a start (contract 2). */
double chunked(size_t n);

/* Roundings of a sum over rows in 16 lanes, then over the tiles (contract 3, 4). */
double lanes_and_tree(size_t rows);

/* One captured step. */
typedef struct trial {
    size_t number; /* of the case */
    const char *op, *backend;
    capture capture;
    const problem *problem;
} trial;

/* What is demanded of one op. */
typedef struct op_check {
    const char *op;
    void (*check)(const trial *trial);
} op_check;

/*
 * Runs the checks on every case of `networks`, or on the one that the environment's TANDA_CASE names. The backend
 * is an ISA's name or an OpenCL implementation's; where it is missing nothing is done but a line printed.
 */
void check_cases(const char *backend_name, const char *executor, const op_check *checks, size_t count);

/* The backend of that name, or NULL with a printed line. */
backend *open_named(const char *name);

/* False, with the line that runs this case again, unless |got - expected| <= bound. */
bool within(const trial *trial, size_t layer, size_t index, double got, double expected, double bound);

/* A layer's inputs and parameters as the device had them, in double. */
typedef struct layer_data {
    const layer *layer;
    size_t index, rows, K, H;
    double *a, *w, *b; /* inputs (rows, K), weight (H, K), bias (H) */
} layer_data;

layer_data layer_data_of(const trial *trial, size_t index);
void layer_data_free(layer_data *data);

/*
 * One test per op and instruction set, named SUITE/OP_fact, and one for all ops on PoCL, where building the kernels
 * costs seconds. X(op, fact) is a list of the checks named check_OP.
 */
#define OP_TEST_ON(suite, backend_name, op, fact) \
    Test(suite, op##_##fact) { \
        const op_check only = {#op, check_##op}; \
        check_cases(backend_name, NULL, &only, 1); \
    }
#define OP_TEST(op, fact) \
    OP_TEST_ON(x86_64_v4, "x86-64-v4", op, fact) \
    OP_TEST_ON(x86_64_v3, "x86-64-v3", op, fact) \
    OP_TEST_ON(generic, "generic", op, fact)
#define OP_ENTRY(op, fact) {#op, check_##op},
#define OP_TESTS(LIST) \
    LIST(OP_TEST) \
    Test(pocl, every_op_here_is_within_its_bound, .fini = forget_opencl) { \
        static const op_check checks[] = {LIST(OP_ENTRY)}; \
        check_cases("pocl", NULL, checks, sizeof checks / sizeof *checks); \
    } \
    Test(pocl, every_op_of_gpu_dense_is_within_its_bound, .fini = forget_opencl) { \
        static const op_check checks[] = {LIST(OP_ENTRY)}; \
        check_cases("pocl", "gpu_dense", checks, sizeof checks / sizeof *checks); \
    }

#endif
