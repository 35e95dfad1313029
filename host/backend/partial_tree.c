#include "backend/partial_tree.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/tree.h"
#include "support/floating_mode.h"
#include "support/memory.h"

static tanda_status make_gradient(const partial_tree *tree, partial_sum *sum, tanda_error *error) {
    if (tree->floats == 0 || sum->gradient != NULL) return TANDA_OK;
    return allocate(&sum->gradient, tree->floats, sizeof *sum->gradient, "partial sums", error);
}

tanda_status partial_tree_create(const plan *plan, partial_tree *tree, tanda_error *error) {
    *tree = (partial_tree){.floats = plan->training ? plan->parameter_count : 0};
    return make_gradient(tree, &tree->sum, error);
}

void partial_tree_free(partial_tree *tree) {
    free(tree->sum.gradient);
    for (size_t i = 0; i < PARTIAL_LEVELS; i++)
        free(tree->waiting[i].gradient);
    *tree = (partial_tree){0};
}

static void add(const partial_tree *tree, const partial_sum *waiting, partial_sum *sum) {
    for (size_t i = 0; i < tree->floats; i++)
        sum->gradient[i] = waiting->gradient[i] + sum->gradient[i];
    sum->loss = waiting->loss + sum->loss;
    sum->correct += waiting->correct;
}

static tanda_status keep(partial_tree *tree, partial_sum *waiting, tanda_error *error) {
    const tanda_status status = make_gradient(tree, waiting, error);
    if (status != TANDA_OK) return status;
    if (tree->floats > 0) memcpy(waiting->gradient, tree->sum.gradient, tree->floats * sizeof(float));
    waiting->loss = tree->sum.loss;
    waiting->correct = tree->sum.correct;
    return TANDA_OK;
}

tanda_status partial_tree_add(partial_tree *tree, bool is_last, tanda_error *error) {
    const unsigned mode = enter_exact_mode();
    const size_t index = tree->index++;
    uint level = 0;
    for (; tree_climbs(index, is_last, level); level++)
        if (tree_takes(index, level)) add(tree, &tree->waiting[level], &tree->sum);
    leave_exact_mode(mode);
    if (!is_last) return keep(tree, &tree->waiting[level], error);
    tree->index = 0;
    return TANDA_OK;
}
