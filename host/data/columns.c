#include "data/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

#define NAME_COMPARED 64 /* bytes of a name that the search for the closest one looks at */
#define NAMES_LISTED 6
#define LIST_SIZE 400

typedef enum use { USE_FREE, USE_IGNORED, USE_TARGET, USE_FEATURE } use;

/* One selection on its way. */
typedef struct chooser {
    const request *request;
    const tanda_dataset_options *options;
    const dataset_expectation *expected;
    const char *path;
    char *const *names;
    size_t columns;
    unsigned char *uses; /* columns entries of enum use */
    selection selection;
} chooser;

/* ---- finding one column ------------------------------------------------------------------------------- */

/* Edits that turn a into b (Levenshtein 1966), over at most NAME_COMPARED bytes of each. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[NAME_COMPARED + 1];
    size_t length_a = strnlen(a, NAME_COMPARED);
    size_t length_b = strnlen(b, NAME_COMPARED);
    for (size_t j = 0; j <= length_b; j++)
        row[j] = j;
    for (size_t i = 1; i <= length_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length_b; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            size_t gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < gap ? change : gap;
        }
    }
    return row[length_b];
}

/* The name most like text, or NULL when none is like it. */
static const char *closest_name(const chooser *chooser, const char *text) {
    const char *closest = NULL;
    size_t best = strnlen(text, NAME_COMPARED) / 3 + 2;
    for (size_t i = 0; i < chooser->columns; i++) {
        size_t distance = edit_distance(text, chooser->names[i]);
        if (distance < best) {
            best = distance;
            closest = chooser->names[i];
        }
    }
    return closest;
}

/* "the columns are a, b, c, ... (30 in all)", or what indexes there are. */
static void list_columns(const chooser *chooser, char list[LIST_SIZE]) {
    char name[SHOWN_SIZE];
    if (chooser->names == NULL) {
        snprintf(list, LIST_SIZE, "it names no columns; their indexes are 0 to %zu", chooser->columns - 1);
        return;
    }
    size_t at = (size_t)snprintf(list, LIST_SIZE, "its columns are ");
    size_t listed = chooser->columns < NAMES_LISTED ? chooser->columns : NAMES_LISTED;
    for (size_t i = 0; i < listed; i++)
        at += (size_t)snprintf(list + at, LIST_SIZE - at, "%s%s", i == 0 ? "" : ", ",
                               shown(chooser->names[i], strlen(chooser->names[i]), name));
    if (listed < chooser->columns)
        snprintf(list + at, LIST_SIZE - at, ", ... (%zu in all)", chooser->columns);
}

static tanda_status unknown_column(const chooser *chooser, tanda_status status, const char *what,
                                   const char *text, tanda_error *error) {
    char list[LIST_SIZE];
    char asked[SHOWN_SIZE];
    char like[SHOWN_SIZE];
    const char *closest = chooser->names == NULL ? NULL : closest_name(chooser, text);
    list_columns(chooser, list);
    shown(text, strlen(text), asked);
    if (closest == NULL)
        return fail(error, status, "%s '%s': no such column in %s; %s", what, asked, chooser->path, list);
    return fail(error, status, "%s '%s': no such column in %s; did you mean '%s'? %s", what, asked,
                chooser->path, shown(closest, strlen(closest), like), list);
}

/* *index of the column with this name; NO_COLUMN when there is none. Two of one name are an error. */
static tanda_status find_name(const chooser *chooser, tanda_status failure, const char *what,
                              const char *text, size_t *index, tanda_error *error) {
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

/* The column that an option means: by name, else by index. */
static tanda_status find_column(const chooser *chooser, const char *flag, const char *text, size_t *index,
                                tanda_error *error) {
    tanda_status status = find_name(chooser, TANDA_USAGE, flag, text, index, error);
    if (status != TANDA_OK || *index != NO_COLUMN) return status;
    size_t length = strlen(text);
    if (length > 0 && length < 19 && strspn(text, "0123456789") == length) *index = strtoul(text, NULL, 10);
    if (*index < chooser->columns) return TANDA_OK;
    return unknown_column(chooser, TANDA_USAGE, flag, text, error);
}

/* ---- what the options say ----------------------------------------------------------------------------- */

static tanda_status mark_ignored(chooser *chooser, tanda_error *error) {
    for (size_t i = 0; i < chooser->options->ignore_count; i++) {
        size_t index = 0;
        tanda_status status = find_column(chooser, "--ignore", chooser->options->ignore[i], &index, error);
        if (status != TANDA_OK) return status;
        chooser->uses[index] = USE_IGNORED;
    }
    return TANDA_OK;
}

static tanda_status mark_target(chooser *chooser, size_t index, tanda_error *error) {
    if (chooser->uses[index] == USE_IGNORED)
        return fail(error, TANDA_USAGE, "--target: column %zu is also in --ignore; leave it out of one",
                    index);
    if (chooser->uses[index] == USE_FEATURE)
        return fail(error, TANDA_USAGE, "--target: column %zu is also a feature; choose another target",
                    index);
    chooser->uses[index] = USE_TARGET;
    chooser->selection.target = index;
    return TANDA_OK;
}

/* The last column that is not ignored, or NO_COLUMN. */
static size_t last_free(const chooser *chooser) {
    for (size_t i = chooser->columns; i > 0; i--)
        if (chooser->uses[i - 1] == USE_FREE) return i - 1;
    return NO_COLUMN;
}

static size_t count_free(const chooser *chooser) {
    size_t count = 0;
    for (size_t i = 0; i < chooser->columns; i++)
        count += chooser->uses[i] == USE_FREE;
    return count;
}

/* The target by position: the last column, or none where labels come from elsewhere or are not needed. */
static size_t default_target(const chooser *chooser) {
    if (chooser->options->labels != NULL) return NO_COLUMN;
    if (chooser->expected == NULL) return chooser->options->without_target ? NO_COLUMN : last_free(chooser);
    bool one_more = count_free(chooser) == chooser->expected->feature_count + 1;
    if (chooser->options->without_target && !one_more) return NO_COLUMN;
    return last_free(chooser);
}

static tanda_status choose_target(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    size_t index = NO_COLUMN;
    chooser->selection.target = NO_COLUMN;
    if (options->target != NULL && options->labels != NULL && !options->without_target)
        return fail(error, TANDA_USAGE, "--target: --labels gives the labels; leave out one of the two");
    if (options->target != NULL) {
        tanda_status status = find_column(chooser, "--target", options->target, &index, error);
        if (status != TANDA_OK && !options->without_target) return status;
        if (status != TANDA_OK) index = NO_COLUMN;
    } else {
        index = default_target(chooser);
    }
    return index == NO_COLUMN ? TANDA_OK : mark_target(chooser, index, error);
}

static void add_feature(chooser *chooser, size_t index) {
    chooser->uses[index] = USE_FEATURE;
    chooser->selection.features[chooser->selection.feature_count++] = index;
}

/* The columns of --features in their order, or all that are left. */
static tanda_status choose_features(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    for (size_t i = 0; options->features == NULL && i < chooser->columns; i++)
        if (chooser->uses[i] == USE_FREE) add_feature(chooser, i);
    for (size_t i = 0; options->features != NULL && i < options->feature_count; i++) {
        size_t index = 0;
        tanda_status status = find_column(chooser, "--features", options->features[i], &index, error);
        if (status != TANDA_OK) return status;
        char text[SHOWN_SIZE];
        shown(options->features[i], strlen(options->features[i]), text);
        if (chooser->uses[index] == USE_TARGET)
            return fail(error, TANDA_USAGE, "--features: '%s' is the target; name another with --target",
                        text);
        if (chooser->uses[index] == USE_IGNORED)
            return fail(error, TANDA_USAGE, "--features: '%s' is also in --ignore; leave it out of one",
                        text);
        if (chooser->uses[index] == USE_FEATURE)
            return fail(error, TANDA_USAGE, "--features: '%s' is there twice; name each column once", text);
        add_feature(chooser, index);
    }
    if (chooser->selection.feature_count > 0) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: no column is left as a feature; the file has %zu%s",
                chooser->path, chooser->columns, chooser->columns == 1 ? ", the target" : "");
}

/* ---- what is expected --------------------------------------------------------------------------------- */

/* True when the first columns bear exactly the expected names: then names that occur twice do not matter. */
static bool names_are_in_order(const chooser *chooser) {
    const dataset_expectation *expected = chooser->expected;
    if (chooser->columns < expected->feature_count) return false;
    for (size_t i = 0; i < expected->feature_count; i++)
        if (strcmp(chooser->names[i], expected->feature_names[i]) != 0) return false;
    return true;
}

static tanda_status choose_expected_features(chooser *chooser, tanda_error *error) {
    const dataset_expectation *expected = chooser->expected;
    bool in_order = names_are_in_order(chooser);
    for (size_t i = 0; i < expected->feature_count; i++) {
        const char *name = expected->feature_names[i];
        size_t index = i;
        if (!in_order) {
            tanda_status status =
                find_name(chooser, TANDA_BAD_INPUT, "the model's feature", name, &index, error);
            if (status != TANDA_OK) return status;
        }
        if (index == NO_COLUMN)
            return unknown_column(chooser, TANDA_BAD_INPUT, "the model's feature", name, error);
        if (chooser->uses[index] == USE_FEATURE)
            return fail(error, TANDA_BAD_INPUT, "%s: the model has two features of one name, column %zu",
                        chooser->path, index);
        add_feature(chooser, index);
    }
    return TANDA_OK;
}

/* Both sides have names: order and other columns do not matter. */
static tanda_status select_by_name(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    size_t index = NO_COLUMN;
    chooser->selection.target = NO_COLUMN;
    tanda_status status = choose_expected_features(chooser, error);
    if (status != TANDA_OK || options->without_target || options->labels != NULL) return status;
    if (options->target != NULL) {
        status = find_column(chooser, "--target", options->target, &index, error);
    } else if (chooser->expected->target_name != NULL) {
        status = find_name(chooser, TANDA_BAD_INPUT, "the model's target", chooser->expected->target_name,
                           &index, error);
        if (status == TANDA_OK && index == NO_COLUMN)
            return unknown_column(chooser, TANDA_BAD_INPUT, "the model's target",
                                  chooser->expected->target_name, error);
    } else {
        return fail(error, TANDA_USAGE,
                    "--target: the model does not name its target; say which column of %s it is",
                    chooser->path);
    }
    return status != TANDA_OK ? status : mark_target(chooser, index, error);
}

/* No names on one side: the number of columns must fit. */
static tanda_status check_expected_count(const chooser *chooser, tanda_error *error) {
    const dataset_expectation *expected = chooser->expected;
    bool needs_target = !chooser->options->without_target && chooser->options->labels == NULL;
    if (chooser->selection.feature_count == expected->feature_count) return TANDA_OK;
    size_t found = chooser->selection.feature_count + (chooser->selection.target != NO_COLUMN);
    return fail(error, TANDA_BAD_INPUT, "%s: has %zu columns to use; the model takes %zu features%s",
                chooser->path, found, expected->feature_count, needs_target ? " and the target" : "");
}

static tanda_status select_by_options(chooser *chooser, tanda_error *error) {
    tanda_status status = mark_ignored(chooser, error);
    if (status == TANDA_OK) status = choose_target(chooser, error);
    if (status == TANDA_OK) status = choose_features(chooser, error);
    if (status == TANDA_OK && chooser->expected != NULL) status = check_expected_count(chooser, error);
    return status;
}

static tanda_status select_labels(chooser *chooser, tanda_error *error) {
    if (chooser->columns == 1) return mark_target(chooser, 0, error);
    return fail(error, TANDA_BAD_INPUT, "%s: has %zu columns; a file of labels has one", chooser->path,
                chooser->columns);
}

tanda_status columns_select(const request *request, const char *path, char *const *names, size_t columns,
                            selection *result, tanda_error *error) {
    chooser chooser = {.request = request,
                       .options = request->options,
                       .expected = request->expected,
                       .path = path,
                       .names = names,
                       .columns = columns};
    tanda_status status = allocate(&chooser.uses, columns, 1, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&chooser.selection.features, columns, sizeof(size_t), "columns", error);
    if (status == TANDA_OK) {
        bool by_name = request->expected != NULL && request->expected->feature_names != NULL && names != NULL;
        status = request->labels_only ? select_labels(&chooser, error)
                 : by_name            ? select_by_name(&chooser, error)
                                      : select_by_options(&chooser, error);
    }
    free(chooser.uses);
    if (status == TANDA_OK)
        *result = chooser.selection;
    else
        selection_free(&chooser.selection);
    return status;
}

void selection_free(selection *selection) {
    free(selection->features);
    *selection = (struct selection){0};
}

tanda_status columns_name(const selection *selection, char *const *names, table *table, tanda_error *error) {
    if (names == NULL) return TANDA_OK;
    tanda_status status = TANDA_OK;
    if (selection->target != NO_COLUMN)
        status = copy_text(&table->target_name, names[selection->target], error);
    if (status != TANDA_OK || selection->feature_count == 0) return status;
    char **chosen = NULL; /* borrowed */
    status = allocate(&chosen, selection->feature_count, sizeof *chosen, "column names", error);
    for (size_t i = 0; status == TANDA_OK && i < selection->feature_count; i++)
        chosen[i] = names[selection->features[i]];
    if (status == TANDA_OK)
        status = copy_texts(&table->feature_names, chosen, selection->feature_count, error);
    free(chosen);
    return status;
}

bool selection_is_whole(const selection *selection, size_t columns) {
    for (size_t i = 0; i < selection->feature_count; i++)
        if (selection->features[i] != i) return false;
    return selection->feature_count == columns;
}
