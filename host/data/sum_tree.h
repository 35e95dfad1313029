/*
 * Sums of columns in the order of contract 4: chunks of SUM_CHUNK_ROWS rows, and over chunks a tree whose left side
 * holds the largest power of two of them.
 */
#ifndef TANDA_DATA_SUM_TREE_H
#define TANDA_DATA_SUM_TREE_H

#include "support/status.h"

#define SUM_CHUNK_ROWS 256

/*
 * Sums of chunks as a binary counter: partial i of the stack stands for a power of two of chunks, smaller
 * ones above larger ones.
 */
typedef struct sum_tree {
    size_t features;
    size_t pushed; /* chunks so far */
    size_t depth;  /* partials on the stack */
    double *stack; /* (partials, features), for free() */
} sum_tree;

/* Room for the sums of `rows` rows. */
tanda_status tree_make(sum_tree *tree, size_t rows, size_t features, tanda_error *error);

/* The zeroed partial on top, (features), to be filled and then pushed. */
double *tree_top(sum_tree *tree);
void tree_push(sum_tree *tree);

/* The sum of everything pushed, (features). The tree is empty again. */
const double *tree_sum(sum_tree *tree);

#endif
