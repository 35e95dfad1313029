#include "data/npy_load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_pass.h"
#include "data/format.h"
#include "data/npy_feed.h"
#include "data/npy_look.h"
#include "data/origin.h"
#include "support/memory.h"

#define INTEGERS_SEEN 65536
#define ROWS_LOOKED_AT 65536

/* ---- classes ----------------------------------------------------------------------------------------------- */

/* The labels as they are in memory, but for the rows: each is added in place of the one before. */
typedef struct finding {
    labels labels;
    size_t column;
    bool seen[INTEGERS_SEEN]; /* small whole numbers that were added */
    target_fault fault;
} finding;

static tanda_status find_label(finding *found, array_number label, const place *place, tanda_error *error) {
    if (label.exact >= 0.0 && label.exact < INTEGERS_SEEN) {
        const size_t whole = (size_t)label.exact;
        if ((double)whole == label.exact && found->seen[whole]) return TANDA_OK;
        if ((double)whole == label.exact) found->seen[whole] = true;
    }
    if (isnan(label.value)) {
        if (found->fault.count++ == 0) found->fault.row = place->row;
        return TANDA_OK;
    }
    const tanda_status status = array_check_number(label, place, error);
    return status == TANDA_OK ? labels_add_number(&found->labels, 0, label.exact, label.value, place, error)
                              : status;
}

static tanda_status find_labels(void *context, const npy_piece *piece, tanda_error *error) {
    finding *found = context;
    const array *array = &piece->array;
    const unsigned char *at = array->data + found->column * array->size;
    place place = {.path = array->path, .column = found->column};
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < array->rows; row++) {
        place.row = piece->first + row;
        status = find_label(found, array_number_at(array, at), &place, error);
        at += array->columns * array->size;
    }
    return status;
}

/* Each integer's class: its rank, or its number among those that are expected. */
static tanda_status map_classes(const labels *labels, const tanda_dataset *dataset, class_map *map,
                                tanda_error *error) {
    map->count = labels->distinct;
    map->is_identity = true;
    tanda_status status = allocate(&map->values, map->count, sizeof *map->values, "classes", error);
    if (status == TANDA_OK)
        status = allocate(&map->classes, map->count, sizeof *map->classes, "classes", error);
    for (size_t i = 0; status == TANDA_OK && i < map->count; i++) {
        char name[24];
        text_put(name, sizeof name, "%lld", (long long)labels->values[i]);
        map->values[i] = labels->values[i];
        for (size_t c = 0; c < dataset->class_count; c++)
            if (strcmp(dataset->class_names[c], name) == 0) map->classes[i] = (int32_t)c;
        map->is_identity = map->is_identity && map->values[i] == (int64_t)i && map->classes[i] == (int32_t)i;
    }
    return status;
}

/* A model's classes, each taken for found, so that no row has to be looked at; *known: whether they are numbers. */
static tanda_status expect_classes(const request *request, finding *found, bool *known, tanda_error *error) {
    const dataset_expectation *expected = request_classes(request);
    const place place = {.path = "the model's classes"};
    tanda_status status = TANDA_OK;
    *known = request->options->in_place && expected != NULL && expected->class_count > 0 &&
             !labels_expect_text(expected);
    for (size_t i = 0; *known && status == TANDA_OK && i < expected->class_count; i++) {
        const double number = (double)strtoll(expected->class_names[i], NULL, 10);
        status = labels_add_number(&found->labels, 0, number, (float)number, &place, error);
    }
    return status;
}

/* The task, the classes and their names, found as in memory. */
static tanda_status find_classes(const npy_rows *of, const request *request, npy_feed_parts *parts,
                                 tanda_dataset *dataset, tanda_error *error) {
    const bool own = of == &parts->labels;
    const char *path = of->array.path;
    finding *found = NULL;
    tanda_status status = allocate(&found, 1, sizeof *found, "labels", error);
    if (status != TANDA_OK) return status;
    found->column = own ? parts->label_selection.target : parts->selection.target;
    status = labels_begin(&found->labels, request_task(request), request_classes(request), 1, false, error);
    if (status == TANDA_OK) status = expect_classes(request, found, &parts->classes.is_expected, error);
    if (status == TANDA_OK && !parts->classes.is_expected)
        status = npy_for_pieces(of, 0, of->array.rows, find_labels, found, error);
    if (status == TANDA_OK && found->fault.count > 0) {
        const place place = {.path = path, .row = found->fault.row, .column = found->column};
        found->fault.kind = TARGET_MISSING;
        found->fault.rows = dataset->rows;
        status = target_fault_tell(&found->fault, &place, error);
    }
    if (status == TANDA_OK) status = labels_finish(&found->labels, 0, path, dataset, error);
    parts->kind = dataset->task == TANDA_TASK_CLASSES ? LABELS_CLASSES : LABELS_QUANTITIES;
    if (status == TANDA_OK && parts->kind == LABELS_CLASSES)
        status = map_classes(&found->labels, dataset, &parts->classes, error);
    free(dataset->classes); /* of no rows */
    free(dataset->targets);
    dataset->classes = NULL;
    dataset->targets = NULL;
    labels_free(&found->labels);
    free(found);
    return status;
}

static tanda_status find_targets(const request *request, npy_feed_parts *parts, tanda_dataset *dataset,
                                 tanda_error *error) {
    const bool own = parts->labels.file != NULL;
    const size_t count = own ? parts->label_selection.target_count : parts->selection.target_count;
    const tanda_task task = request_task(request);
    dataset->target_count = request->options->without_target ? 0 : count;
    parts->kind = LABELS_NONE;
    if (dataset->target_count == 0) return TANDA_OK;
    if (count == 1 && task != TANDA_TASK_REGRESSION)
        return find_classes(own ? &parts->labels : &parts->features, request, parts, dataset, error);
    const bool several = count > 1 && request_wants_labels(request);
    parts->kind = several ? LABELS_SEVERAL : LABELS_QUANTITIES;
    dataset->task = several ? TANDA_TASK_LABELS : TANDA_TASK_REGRESSION;
    dataset->task_was_found = task == TANDA_TASK_AUTO;
    return TANDA_OK;
}

/* ---- origins ----------------------------------------------------------------------------------------------- */

typedef struct looking {
    const selection *selection;
    column_spread *spreads; /* (features) */
} looking;

static tanda_status look_at_piece(void *context, const npy_piece *piece, tanda_error *error) {
    const looking *looking = context;
    const array *array = &piece->array;
    (void)error;
    for (size_t row = 0; row < array->rows; row++)
        for (size_t i = 0; i < looking->selection->feature_count; i++) {
            const size_t column = looking->selection->features[i];
            const array_number number =
                array_number_at(array, array->data + (row * array->columns + column) * array->size);
            if (looking->spreads[i].is_fine) continue;
            column_spread_add(&looking->spreads[i], (double)number.value, ORIGIN_RUINED);
            column_spread_add_exact(&looking->spreads[i], number.exact);
        }
    return TANDA_OK;
}

static bool has_ruined(const looking *looking) {
    bool some = false;
    for (size_t i = 0; i < looking->selection->feature_count; i++)
        some = some || column_spread_is_ruined(&looking->spreads[i]);
    return some;
}

/* Columns are done with after some rows as a rule, and then only those rows are looked at. */
static tanda_status look_for_ruined(const npy_rows *of, looking *looking, tanda_error *error) {
    const size_t rows = of->array.rows;
    tanda_status status = TANDA_OK;
    for (size_t first = 0; status == TANDA_OK && first < rows; first += ROWS_LOOKED_AT) {
        const size_t left = rows - first;
        if (first > 0 && !has_ruined(looking)) break;
        status = npy_for_pieces(of, first, left < ROWS_LOOKED_AT ? left : ROWS_LOOKED_AT, look_at_piece,
                                looking, error);
    }
    return status;
}

/* Those of what is expected, or else, of numbers that are wider than binary32, as the data ask for. */
static tanda_status find_origins(const request *request, npy_feed_parts *parts, tanda_dataset *dataset,
                                 tanda_error *error) {
    const dataset_expectation *known = request->origins;
    const array *array = &parts->features.array;
    looking looking = {.selection = &parts->selection};
    tanda_status status = origins_expected(known, NULL, dataset->features, &parts->origins, error);
    if (status == TANDA_OK && known == NULL && array_is_wide(array)) {
        status = allocate(&looking.spreads, dataset->features, sizeof *looking.spreads, "columns", error);
        for (size_t i = 0; status == TANDA_OK && i < dataset->features; i++)
            looking.spreads[i] = column_spread_begin(i);
        if (status == TANDA_OK) status = look_for_ruined(&parts->features, &looking, error);
        if (status == TANDA_OK)
            status = column_spreads_origins(looking.spreads, dataset->features,
                                            request->options->keep_origins, dataset, &parts->origins, error);
        free(looking.spreads);
    }
    return status == TANDA_OK ? origin_copy(parts->origins, dataset->features, &dataset->origins, error)
                              : status;
}

/* ---- .npy -------------------------------------------------------------------------------------------------- */

/* What is done in memory alone, and how to do without; NULL: nothing of the kind is asked for. */
static const char *find_obstacle(const request *request, const selection *selection) {
    const tanda_dataset_options *options = request->options;
    for (size_t i = 0; i < selection->feature_count; i++)
        if (selection->is_category[i]) return "columns of categories are";
    return request_fills_missing(request) && !request->is_look         ? "missing values are filled"
           : options->drop_missing_targets && !options->without_target ? "--drop-missing-targets is done"
           : options->copy_count > 0                                   ? "--copy is done"
                                                                       : NULL;
}

static tanda_status check_label_file(const char *path, tanda_error *error) {
    unsigned char begin[16];
    file_range *file = NULL;
    tanda_status status = file_range_open(path, true, &file, error);
    if (status != TANDA_OK) return status;
    const size_t size = file_range_size(file) < sizeof begin ? file_range_size(file) : sizeof begin;
    if (size > 0) status = file_range_read(file, 0, begin, size, error);
    if (status == TANDA_OK && !npy_looks_right(begin, size))
        status =
            fail(error, TANDA_BAD_INPUT,
                 "%s: beside rows that are more than --memory, labels are a .npy file, and it is none", path);
    file_range_close(file);
    return status;
}

static tanda_status open_labels(const char *path, const request *request, npy_feed_parts *parts,
                                tanda_error *error) {
    const char *label_path = request->options->labels;
    const tanda_dataset_options options = {.task = request->options->task,
                                           .labels_of_several = request->options->labels_of_several};
    const struct request labels = {.options = &options, .expected = request->expected, .labels_only = true};
    if (label_path == NULL || request->options->without_target) return TANDA_OK;
    tanda_status status = check_label_file(label_path, error);
    if (status == TANDA_OK) status = npy_rows_open(label_path, true, &parts->labels, error);
    if (status != TANDA_OK) return status;
    const size_t rows = parts->labels.array.rows, wanted = parts->features.array.rows;
    if (rows != wanted)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: %zu labels for the %zu rows of %s; there must be one per row", label_path, rows,
                    wanted, path);
    const size_t columns = parts->labels.array.columns;
    const bool quantities = request_task(request) == TANDA_TASK_REGRESSION || request_wants_labels(request);
    if (columns > 1 && !quantities)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: has %zu columns; beside rows that are more than --memory, classes are numbers, in one",
            label_path, columns);
    return columns_select(&labels, label_path, NULL, columns, &parts->label_selection, error);
}

static tanda_status find_weight(void *context, void *state, const pass_block *block, tanda_error *error) {
    bool *some = context;
    (void)state, (void)error;
    for (size_t row = 0; row < block->rows && !*some; row++)
        *some = block->at.weights[row] > 0.0f;
    return TANDA_OK;
}

static tanda_status check_weights(const char *path, const feed *rows, tanda_error *error) {
    bool some = false;
    const feed_pass pass = {.weights = true, .reduce = find_weight, .context = &some};
    if (!rows->has_weights) return TANDA_OK;
    const tanda_status status = feed_pass_run(rows, &pass, error);
    if (status != TANDA_OK || some) return status;
    return fail(error, TANDA_BAD_INPUT, "%s: every sample weight is 0; some must be above", path);
}

static tanda_status make_feed(const char *path, const request *request, npy_feed_parts *parts,
                              tanda_dataset *dataset, tanda_error *error) {
    const array *array = &parts->features.array;
    const char *obstacle = find_obstacle(request, &parts->selection);
    dataset->rows = array->rows;
    dataset->columns = array->columns;
    dataset->features = parts->selection.feature_count;
    dataset->from_bytes = array->kind == ELEMENT_UNSIGNED && array->size == 1;
    if (obstacle != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: its rows are more than --memory %zu, and %s in memory alone; give a greater one",
                    path, request->options->memory, obstacle);
    tanda_status status = open_labels(path, request, parts, error);
    if (status == TANDA_OK) status = find_targets(request, parts, dataset, error);
    if (status == TANDA_OK) status = find_origins(request, parts, dataset, error);
    if (status == TANDA_OK && request->is_look)
        status = npy_look(&parts->features, &parts->selection, dataset, error);
    parts->takes_missing = request->is_look;
    if (status == TANDA_OK) status = npy_feed(parts, &dataset->feed, error);
    const feed_pass all = {.values = true}; /* which refuses what is not finite */
    if (status == TANDA_OK && dataset->exact.count > 0) status = feed_pass_run(dataset->feed, &all, error);
    return status == TANDA_OK ? check_weights(path, dataset->feed, error) : status;
}

/*
 * A look needs no row in memory; labels in a file of their own may be what is read in memory alone. *must: nothing else
 * would do.
 */
static bool stays_in_place(const request *request, const npy_feed_parts *parts, bool *must) {
    const tanda_dataset_options *options = request->options;
    const size_t labels =
        options->labels != NULL && parts->selection.target_count == 0 ? 1 : parts->selection.target_count;
    const size_t values = parts->selection.feature_count + labels + (parts->selection.weight != NO_COLUMN);
    *must = request->is_look || memory_exceeded(options, parts->features.array.rows, values);
    if (request->is_look && !npy_rows_are_plain(&parts->features)) return false;
    if (request->is_look && options->labels == NULL && find_obstacle(request, &parts->selection) == NULL)
        return true;
    return is_read_in_place(options, parts->features.array.rows, values);
}

tanda_status npy_load(const char *path, const request *request, tanda_dataset *dataset, bool *taken,
                      tanda_error *error) {
    npy_feed_parts parts = {0};
    bool must = true;
    tanda_status status = npy_rows_describe(path, true, &parts.features, error);
    if (status == TANDA_OK)
        status = columns_select(request, path, NULL, parts.features.array.columns, &parts.selection, error);
    if (status == TANDA_OK) *taken = stays_in_place(request, &parts, &must);
    if (status == TANDA_OK && *taken) status = npy_rows_check(&parts.features, error);
    if (status == TANDA_OK && *taken) status = make_feed(path, request, &parts, dataset, error);
    npy_feed_parts_free(&parts);
    if (status == TANDA_OK || must) return status;
    /* What fits is read in memory where it cannot be in place: a fault is told there. */
    dataset_clear(dataset);
    *taken = false;
    return TANDA_OK;
}
