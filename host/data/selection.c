#include "data/selection.h"

#include <stdlib.h>

#include "support/memory.h"

void selection_free(selection *selection) {
    free(selection->features);
    free(selection->targets);
    free(selection->is_category);
    *selection = (struct selection){0};
}

/* Copies of the names of some columns. */
static tanda_status name_columns(const size_t *indexes, size_t count, char *const *names, char ***copies,
                                 tanda_error *error) {
    char **chosen = NULL; /* borrowed */
    tanda_status status = allocate(&chosen, count, sizeof *chosen, "column names", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        chosen[i] = names[indexes[i]];
    if (status == TANDA_OK) status = copy_texts(copies, chosen, count, error);
    free(chosen);
    return status;
}

static tanda_status note_positions(const selection *selection, table *table, tanda_error *error) {
    const size_t features = selection->feature_count,
                 targets = table->target_count > 0 ? selection->target_count : 0;
    const tanda_status status =
        allocate(&table->positions, features + targets, sizeof *table->positions, "columns", error);
    if (status != TANDA_OK) return status;
    table->position_count = features + targets;
    for (size_t i = 0; i < features; i++)
        table->positions[i] = selection->features[i];
    for (size_t i = 0; i < targets; i++)
        table->positions[features + i] = selection->targets[i];
    return TANDA_OK;
}

tanda_status columns_name(const selection *selection, char *const *names, table *table, tanda_error *error) {
    tanda_status status = note_positions(selection, table, error);
    if (names == NULL || status != TANDA_OK) return status;
    if (selection->target != NO_COLUMN)
        status = copy_text(&table->target_name, names[selection->target], error);
    if (status == TANDA_OK && table->target_count > 1)
        status =
            name_columns(selection->targets, selection->target_count, names, &table->target_names, error);
    if (status != TANDA_OK || selection->feature_count == 0) return status;
    return name_columns(selection->features, selection->feature_count, names, &table->feature_names, error);
}

void selection_shape(const selection *selection, const request *request, table *table) {
    table->features = selection->feature_count;
    table->target_count = request->options->without_target ? 0 : selection->target_count;
    table->has_weights = selection->weight != NO_COLUMN;
}

bool selection_is_whole(const selection *selection, size_t columns) {
    for (size_t i = 0; i < selection->feature_count; i++)
        if (selection->features[i] != i) return false;
    return selection->feature_count == columns;
}
