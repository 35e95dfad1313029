#include "data/selection.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/number.h"
#include "data/vocabulary.h"
#include "support/edit_distance.h"
#include "support/memory.h"
#include "support/text.h"

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

tanda_status columns_name(const selection *selection, char *const *names, table *table, tanda_error *error) {
    const size_t features = selection->feature_count,
                 targets = table->target_count > 0 ? selection->target_count : 0;
    tanda_status status =
        allocate(&table->positions, features + targets, sizeof *table->positions, "columns", error);
    if (status != TANDA_OK) return status;
    table->position_count = features + targets;
    memcpy(table->positions, selection->features, features * sizeof *table->positions);
    memcpy(table->positions + features, selection->targets, targets * sizeof *table->positions);
    if (names == NULL) return TANDA_OK;
    if (selection->target != NO_COLUMN)
        status = copy_text(&table->target_name, names[selection->target], error);
    if (status == TANDA_OK && table->target_count > 1)
        status =
            name_columns(selection->targets, selection->target_count, names, &table->target_names, error);
    if (status != TANDA_OK || features == 0) return status;
    return name_columns(selection->features, features, names, &table->feature_names, error);
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

#define NAMES_LISTED 6
#define LIST_SIZE 400

/* "the columns are a, b, c, ... (30 in all)", or what indexes there are. */
static void list_columns(const chooser *chooser, char list[LIST_SIZE]) {
    char name[SHOWN_SIZE];
    if (chooser->names == NULL) {
        text_put(list, LIST_SIZE, "it names no columns; their indexes are 0 to %zu", chooser->columns - 1);
        return;
    }
    size_t at = text_put(list, LIST_SIZE, "its columns are ");
    size_t listed = chooser->columns < NAMES_LISTED ? chooser->columns : NAMES_LISTED;
    for (size_t i = 0; i < listed; i++)
        at += text_put(list + at, LIST_SIZE - at, "%s%s", i == 0 ? "" : ", ",
                       shown(chooser->names[i], strlen(chooser->names[i]), name));
    if (listed < chooser->columns)
        text_put(list + at, LIST_SIZE - at, ", ... (%zu in all)", chooser->columns);
}

tanda_status unknown_column(const chooser *chooser, tanda_status status, const char *what, const char *text,
                            tanda_error *error) {
    char list[LIST_SIZE], asked[SHOWN_SIZE], like[SHOWN_SIZE];
    const char *closest = NULL; /* the name most like text */
    size_t best = SIZE_MAX;
    for (size_t i = 0; chooser->names != NULL && i < chooser->columns; i++) {
        const size_t distance = edit_distance(text, chooser->names[i]);
        if (distance >= best || !is_suggestion(distance, text)) continue;
        best = distance;
        closest = chooser->names[i];
    }
    list_columns(chooser, list);
    shown(text, strlen(text), asked);
    if (closest == NULL)
        return fail(error, status, "%s '%s': no such column in %s; %s", what, asked, chooser->path, list);
    return fail(error, status, "%s '%s': no such column in %s; did you mean '%s'? %s", what, asked,
                chooser->path, shown(closest, strlen(closest), like), list);
}

tanda_status find_name(const chooser *chooser, tanda_status failure, const char *what, const char *text,
                       size_t *index, tanda_error *error) {
    char asked[SHOWN_SIZE];
    *index = NO_COLUMN;
    for (size_t i = 0; chooser->names != NULL && i < chooser->columns; i++) {
        if (strcmp(chooser->names[i], text) != 0) continue;
        if (*index != NO_COLUMN)
            return fail(error, TANDA_BAD_INPUT, "%s '%s': columns %zu and %zu of %s both have this name%s",
                        what, shown(text, strlen(text), asked), *index, i, chooser->path,
                        failure == TANDA_USAGE ? "; use an index" : "");
        *index = i;
    }
    return TANDA_OK;
}

tanda_status find_column(const chooser *chooser, const char *flag, const char *text, size_t *index,
                         tanda_error *error) {
    tanda_status status = find_name(chooser, TANDA_USAGE, flag, text, index, error);
    if (status == TANDA_OK && *index == NO_COLUMN && *text == '"') { /* quoted as in a list */
        const char *at = text;
        char *name = name_list_next(&at);
        if (name == NULL) return fail(error, TANDA_FAILED, "%s: out of memory", flag);
        status = find_name(chooser, TANDA_USAGE, flag, name, index, error);
        free(name);
    }
    if (status != TANDA_OK || *index != NO_COLUMN) return status;
    uint64_t number = 0;
    if (!number_to_whole(text, strlen(text), &number) || number >= chooser->columns)
        return unknown_column(chooser, TANDA_USAGE, flag, text, error);
    *index = (size_t)number;
    return TANDA_OK;
}
