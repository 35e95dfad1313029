#include "data/selection.h"

#include <stdlib.h>
#include <string.h>

#include "data/vocabulary.h"
#include "support/memory.h"
#include "support/text.h"

#define WHAT_SIZE 80

static const char *expectation_owner(const dataset_expectation *expected) {
    return expected->owner != NULL ? expected->owner : "the model";
}

/* The weight's column is left out of the features even where no weights are wanted. */
static tanda_status mark_weight(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    size_t index = NO_COLUMN;
    if (options->sample_weight == NULL) return TANDA_OK;
    tanda_status status = find_column(chooser, "--sample-weight", options->sample_weight, &index, error);
    if (status != TANDA_OK) return options->without_target ? TANDA_OK : status;
    if (chooser->uses[index] != USE_FREE)
        return fail(error, TANDA_USAGE, "--sample-weight: column %zu is also %s; a column has one use", index,
                    chooser->uses[index] == USE_IGNORED ? "in --ignore" : "a feature of the model");
    chooser->uses[index] = USE_WEIGHT;
    if (!options->without_target) chooser->selection.weight = index;
    return TANDA_OK;
}

static tanda_status mark_target(chooser *chooser, size_t index, tanda_error *error) {
    static const char *const clashes[] = {
        [USE_IGNORED] = "is also in --ignore; leave it out of one",
        [USE_TARGET] = "is there twice; name each target once",
        [USE_FEATURE] = "is also a feature; choose another target",
        [USE_WEIGHT] = "is also the --sample-weight; choose another target",
    };
    selection *selection = &chooser->selection;
    if (chooser->uses[index] != USE_FREE)
        return fail(error, TANDA_USAGE, "--target: column %zu %s", index, clashes[chooser->uses[index]]);
    chooser->uses[index] = USE_TARGET;
    selection->targets[selection->target_count++] = index;
    return TANDA_OK;
}

/* How many targets a model takes, or 1. */
static size_t expected_targets(const chooser *chooser) {
    return chooser->expected != NULL && chooser->expected->target_count > 1 ? chooser->expected->target_count
                                                                            : 1;
}

/* The targets by position: the last columns, or none where labels come from elsewhere or are not needed. */
static tanda_status choose_last_columns(chooser *chooser, tanda_error *error) {
    size_t wanted = expected_targets(chooser), left = 0;
    for (size_t i = 0; i < chooser->columns; i++)
        left += chooser->uses[i] == USE_FREE;
    if (chooser->options->labels != NULL) return TANDA_OK;
    if (chooser->options->without_target &&
        (chooser->expected == NULL || left != chooser->expected->feature_count + wanted))
        return TANDA_OK;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < chooser->columns; i++)
        if (chooser->uses[i] == USE_FREE && left-- <= wanted) status = mark_target(chooser, i, error);
    return status;
}

/* A name that --target lists. One that is missing does not matter where no target is needed. */
static tanda_status choose_named_target(chooser *chooser, const char *name, tanda_error *error) {
    size_t index = NO_COLUMN;
    tanda_status status = find_column(chooser, "--target", name, &index, error);
    if (status != TANDA_OK) return chooser->options->without_target ? TANDA_OK : status;
    return mark_target(chooser, index, error);
}

/* --target is the name or index of a column or, where no column has it for its name, several behind commas. */
static tanda_status choose_named_targets(chooser *chooser, tanda_error *error) {
    const char *text = chooser->options->target;
    size_t index = NO_COLUMN;
    tanda_status status = find_name(chooser, TANDA_USAGE, "--target", text, &index, error);
    if (status != TANDA_OK) return chooser->options->without_target ? TANDA_OK : status;
    if (index != NO_COLUMN || strchr(text, ',') == NULL) return choose_named_target(chooser, text, error);
    while (status == TANDA_OK && text != NULL) {
        char *name = name_list_next(&text);
        if (name == NULL) return fail(error, TANDA_FAILED, "--target: out of memory");
        status = choose_named_target(chooser, name, error);
        free(name);
    }
    return status;
}

/* Several targets are quantities or labels. */
static tanda_status check_targets(chooser *chooser, tanda_error *error) {
    selection *selection = &chooser->selection;
    size_t count = selection->target_count;
    if (count > 1 && request_task(chooser->request) == TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--target: %zu columns; classes come from one (several are for %s)",
                    count, "--task regression");
    if (count == 1 && request_task(chooser->request) == TANDA_TASK_LABELS && chooser->expected == NULL)
        return fail(error, TANDA_USAGE, "--task labels: 1 target; labels are several, each 0 or 1, as in %s",
                    "--target a,b,c (one is for --task classes)");
    if (chooser->expected != NULL && count > 0 && !chooser->options->without_target &&
        count != expected_targets(chooser))
        return fail(error, TANDA_USAGE, "--target: %zu column%s; the model has %zu target%s", count,
                    count == 1 ? "" : "s", expected_targets(chooser),
                    expected_targets(chooser) == 1 ? "" : "s");
    selection->target = count == 1 ? selection->targets[0] : NO_COLUMN;
    return TANDA_OK;
}

static void add_feature(chooser *chooser, size_t index) {
    chooser->uses[index] = USE_FEATURE;
    chooser->selection.features[chooser->selection.feature_count++] = index;
}

/* The columns of --features in their order, or all that are left. */
static tanda_status choose_features(chooser *chooser, tanda_error *error) {
    static const char *const clashes[] = {
        [USE_IGNORED] = "is also in --ignore; leave it out of one",
        [USE_TARGET] = "is the target; name another with --target",
        [USE_FEATURE] = "is there twice; name each column once",
        [USE_WEIGHT] = "is the --sample-weight; leave it out of one",
    };
    const tanda_dataset_options *options = chooser->options;
    for (size_t i = 0; options->features == NULL && i < chooser->columns; i++)
        if (chooser->uses[i] == USE_FREE) add_feature(chooser, i);
    for (size_t i = 0; options->features != NULL && i < options->feature_count; i++) {
        const char *name = options->features[i];
        char text[SHOWN_SIZE];
        size_t index = 0;
        tanda_status status = find_column(chooser, "--features", name, &index, error);
        if (status != TANDA_OK) return status;
        if (chooser->uses[index] != USE_FREE)
            return fail(error, TANDA_USAGE, "--features: '%s' %s", shown(name, strlen(name), text),
                        clashes[chooser->uses[index]]);
        add_feature(chooser, index);
    }
    if (chooser->selection.feature_count > 0) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: no column is left as a feature; the file has %zu%s",
                chooser->path, chooser->columns, chooser->columns == 1 ? ", the target" : "");
}

static tanda_status choose_expected_features(chooser *chooser, tanda_error *error) {
    const dataset_expectation *expected = chooser->expected;
    char what[WHAT_SIZE];
    text_put(what, sizeof what, "%s's feature", expectation_owner(expected));
    /* where the first columns bear exactly the expected names, names that occur twice do not matter */
    bool in_order = chooser->columns >= expected->feature_count;
    for (size_t i = 0; in_order && i < expected->feature_count; i++)
        in_order = strcmp(chooser->names[i], expected->feature_names[i]) == 0;
    for (size_t i = 0; i < expected->feature_count; i++) {
        const char *name = expected->feature_names[i];
        size_t index = i;
        tanda_status status =
            in_order ? TANDA_OK : find_name(chooser, TANDA_BAD_INPUT, what, name, &index, error);
        if (status != TANDA_OK) return status;
        if (index == NO_COLUMN) return unknown_column(chooser, TANDA_BAD_INPUT, what, name, error);
        if (chooser->uses[index] == USE_FEATURE)
            return fail(error, TANDA_BAD_INPUT, "%s: %s has two features of one name, column %zu",
                        chooser->path, expectation_owner(expected), index);
        add_feature(chooser, index);
    }
    return TANDA_OK;
}

/* The model's targets by their names. */
static tanda_status choose_expected_targets(chooser *chooser, tanda_error *error) {
    const dataset_expectation *expected = chooser->expected;
    size_t count = expected_targets(chooser);
    if (expected->target_name == NULL && expected->target_names == NULL)
        return fail(error, TANDA_USAGE, "--target: %s does not name its target; say which column of %s it is",
                    expectation_owner(expected), chooser->path);
    tanda_status status = TANDA_OK;
    char what[WHAT_SIZE];
    text_put(what, sizeof what, "%s's target", expectation_owner(expected));
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const char *name = expected->target_names != NULL ? expected->target_names[i] : expected->target_name;
        size_t index = NO_COLUMN;
        status = find_name(chooser, TANDA_BAD_INPUT, what, name, &index, error);
        if (status == TANDA_OK && index == NO_COLUMN)
            return unknown_column(chooser, TANDA_BAD_INPUT, what, name, error);
        if (status == TANDA_OK) status = mark_target(chooser, index, error);
    }
    return status;
}

/* Both sides have names: order and other columns do not matter. */
static tanda_status select_by_name(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    tanda_status status = choose_expected_features(chooser, error);
    if (status == TANDA_OK) status = mark_weight(chooser, error);
    if (status != TANDA_OK || options->without_target || options->labels != NULL) return status;
    status = options->target != NULL ? choose_named_targets(chooser, error)
                                     : choose_expected_targets(chooser, error);
    return status == TANDA_OK ? check_targets(chooser, error) : status;
}

static tanda_status select_by_options(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    const dataset_expectation *expected = chooser->expected;
    tanda_status status = TANDA_OK;
    for (size_t i = 0, index = 0; status == TANDA_OK && i < options->ignore_count; i++) {
        status = find_column(chooser, "--ignore", options->ignore[i], &index, error);
        if (status == TANDA_OK) chooser->uses[index] = USE_IGNORED;
    }
    if (status == TANDA_OK) status = mark_weight(chooser, error);
    if (status == TANDA_OK && options->target != NULL && options->labels != NULL && !options->without_target)
        status = fail(error, TANDA_USAGE, "--target: --labels gives the labels; leave out one of the two");
    if (status == TANDA_OK)
        status = options->target != NULL ? choose_named_targets(chooser, error)
                                         : choose_last_columns(chooser, error);
    if (status == TANDA_OK) status = choose_features(chooser, error);
    if (status == TANDA_OK) status = check_targets(chooser, error);
    const size_t features = chooser->selection.feature_count;
    if (status != TANDA_OK || expected == NULL || features == expected->feature_count) return status;
    /* without names on one side the number of columns must fit */
    const bool needs_target = !options->without_target && options->labels == NULL;
    return fail(error, TANDA_BAD_INPUT, "%s: has %zu columns to use; %s takes %zu features%s", chooser->path,
                features + chooser->selection.target_count, expectation_owner(expected),
                expected->feature_count,
                !needs_target                    ? ""
                : expected_targets(chooser) == 1 ? " and the target"
                                                 : " and the targets");
}

/* A model knows which columns have categories; else the options say so. */
static tanda_status mark_categories(chooser *chooser, tanda_error *error) {
    const tanda_dataset_options *options = chooser->options;
    const dataset_expectation *expected = chooser->expected;
    selection *selection = &chooser->selection;
    char text[SHOWN_SIZE];
    if (expected != NULL && expected->is_category != NULL)
        memcpy(selection->is_category, expected->is_category, expected->feature_count * sizeof(bool));
    for (size_t i = 0; expected == NULL && i < options->categorical_count; i++) {
        const char *name = options->categorical[i];
        size_t index = 0, feature = 0;
        tanda_status status = find_column(chooser, "--categorical", name, &index, error);
        if (status != TANDA_OK) return status;
        while (feature < selection->feature_count && selection->features[feature] != index)
            feature++;
        if (feature == selection->feature_count)
            return fail(error, TANDA_USAGE, "--categorical: '%s' is none of the features; leave it away",
                        shown(name, strlen(name), text));
        selection->is_category[feature] = true;
    }
    return TANDA_OK;
}

static tanda_status select_labels(chooser *chooser, tanda_error *error) {
    bool quantities =
        request_task(chooser->request) == TANDA_TASK_REGRESSION || request_wants_labels(chooser->request);
    if (chooser->columns > 1 && !quantities)
        return fail(error, TANDA_BAD_INPUT, "%s: has %zu columns; a file of labels has one", chooser->path,
                    chooser->columns);
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < chooser->columns; i++)
        status = mark_target(chooser, i, error);
    return status == TANDA_OK ? check_targets(chooser, error) : status;
}

tanda_status columns_select(const request *request, const char *path, char *const *names, size_t columns,
                            selection *result, tanda_error *error) {
    chooser chooser = {.request = request,
                       .options = request->options,
                       .expected = request->expected,
                       .path = path,
                       .names = names,
                       .columns = columns};
    chooser.selection.target = chooser.selection.weight = NO_COLUMN;
    tanda_status status = allocate(&chooser.uses, columns, 1, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&chooser.selection.features, columns, sizeof(size_t), "columns", error);
    if (status == TANDA_OK)
        status = allocate(&chooser.selection.targets, columns, sizeof(size_t), "columns", error);
    if (status == TANDA_OK)
        status = allocate(&chooser.selection.is_category, columns, sizeof(bool), "columns", error);
    if (status == TANDA_OK) {
        bool by_name = request->expected != NULL && request->expected->feature_names != NULL && names != NULL;
        status = request->labels_only ? select_labels(&chooser, error)
                 : by_name            ? select_by_name(&chooser, error)
                                      : select_by_options(&chooser, error);
        if (status == TANDA_OK && !request->labels_only) status = mark_categories(&chooser, error);
    }
    free(chooser.uses);
    if (status == TANDA_OK)
        *result = chooser.selection;
    else
        selection_free(&chooser.selection);
    return status;
}
