#include "data/sum_tree.h"

#include <string.h>

#include "kernels/tree.h"
#include "support/memory.h"

tanda_status tree_make(sum_tree *tree, size_t rows, size_t features, tanda_error *error) {
    size_t partials = 2;
    for (size_t chunks = rows / SUM_CHUNK_ROWS + 1; chunks > 0; chunks /= 2)
        partials++;
    *tree = (sum_tree){.features = features};
    return allocate(&tree->stack, partials * features, sizeof *tree->stack, "sums of columns", error);
}

double *tree_top(sum_tree *tree) {
    double *top = tree->stack + tree->depth * tree->features;
    memset(top, 0, tree->features * sizeof *top);
    return top;
}

/* Adds the uppermost partial to the one below it. */
static void tree_fold(sum_tree *tree) {
    double *right = tree->stack + --tree->depth * tree->features;
    double *left = right - tree->features;
    for (size_t i = 0; i < tree->features; i++)
        left[i] += right[i];
}

void tree_push(sum_tree *tree) {
    tree->depth++;
    for (uint level = 0; tree_climbs(tree->pushed, 0, level); level++)
        tree_fold(tree);
    tree->pushed++;
}

const double *tree_sum(sum_tree *tree) {
    while (tree->depth > 1)
        tree_fold(tree);
    tree->depth = 0;
    tree->pushed = 0;
    return tree->stack;
}
