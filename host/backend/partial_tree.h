/*
 * Sums of runs of tiles become the sum of a step by the tree of contract 4, on the host. Runs are of 2^k tiles each but for
 * the last, and come in their order.
 */
#ifndef TANDA_BACKEND_PARTIAL_TREE_H
#define TANDA_BACKEND_PARTIAL_TREE_H

#include "backend/backend.h"

#define PARTIAL_LEVELS 48 /* of the tree over runs: more than there can be */

typedef struct partial_tree {
    size_t floats; /* of a gradient; 0: there are none */
    size_t index;  /* of the next run */
    partial_sum sum;
    partial_sum waiting[PARTIAL_LEVELS];
} partial_tree;

/* TANDA_FAILED for want of memory. Released with partial_tree_free whatever it returns. */
tanda_status partial_tree_create(const plan *plan, partial_tree *tree, tanda_error *error);
void partial_tree_free(partial_tree *tree);

/* tree->sum is that of the next run. With is_last it becomes the step's, and the tree is as new. */
tanda_status partial_tree_add(partial_tree *tree, bool is_last, tanda_error *error);

#endif
