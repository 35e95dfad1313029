/* Files whose rows follow one another in one table. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/format.h"
#include "data/origin.h"
#include "support/memory.h"
#include "support/text.h"

typedef struct part_list {
    char **paths;
    size_t count;
} part_list;

static tanda_status add_path(part_list *list, const char *path, tanda_error *error) {
    char **larger = realloc(list->paths, (list->count + 1) * sizeof *larger);
    if (larger == NULL)
        return fail(error, TANDA_FAILED, "no memory for the names of %zu files", list->count + 1);
    list->paths = larger;
    tanda_status status = copy_text(&larger[list->count], path, error);
    list->count += status == TANDA_OK;
    return status;
}

bool parts_take(const char *name) {
    return name[0] != '.' && name[0] != '_';
}

static int is_part(const struct dirent *entry) {
    return parts_take(entry->d_name);
}

static int compare_entries(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static tanda_status add_file_or_folder(part_list *list, const char *path, tanda_error *error) {
    struct stat information;
    struct dirent **entries = NULL;
    if (*path == '\0' || stat(path, &information) != 0 || !S_ISDIR(information.st_mode))
        return add_path(list, path, error);
    const int count = scandir(path, &entries, is_part, compare_entries);
    const bool slash = path[strlen(path) - 1] == '/';
    tanda_status status = TANDA_OK;
    if (count < 0) return fail_path(error, path, "", errno);
    if (count == 0) status = fail(error, TANDA_BAD_INPUT, "%s: is a folder without files", path);
    for (int i = 0; i < count; i++) {
        char *name = NULL;
        if (status == TANDA_OK && asprintf(&name, "%s%s%s", path, slash ? "" : "/", entries[i]->d_name) < 0) {
            name = NULL;
            status = fail(error, TANDA_FAILED, "%s: out of memory", path);
        }
        if (status == TANDA_OK) status = add_path(list, name, error);
        free(name);
        free(entries[i]);
    }
    free(entries);
    return status;
}

tanda_status parts_find(const char *path, const tanda_dataset_options *options, char ***paths, size_t *count,
                        tanda_error *error) {
    part_list list = {0};
    tanda_status status = add_file_or_folder(&list, path, error);
    for (size_t i = 0; status == TANDA_OK && i < options->more_count; i++)
        status = add_file_or_folder(&list, options->more_files[i], error);
    if (status != TANDA_OK) {
        free_texts(list.paths, list.count);
        return status;
    }
    *paths = list.paths;
    *count = list.count;
    return TANDA_OK;
}

/* The first says which columns there are, with any classes; a model at hand does so before it. */
void part_follow(const char *first_path, const table *first, const request *request, later_part *later) {
    char text[SHOWN_SIZE];
    later->request = *request;
    if (request->expected != NULL) return;
    later->options = *request->options;
    text_put(later->owner, sizeof later->owner, "%s", shown(first_path, strlen(first_path), text));
    later->expected = (dataset_expectation){.feature_count = first->features,
                                            .feature_names = first->feature_names,
                                            .task = request->options->task,
                                            .target_name = first->target_name,
                                            .is_category = first->raw.is_category,
                                            .fills_missing = first->raw.fills_missing,
                                            .target_count = first->target_count,
                                            .target_names = first->target_names,
                                            .owner = later->owner};
    later->request.is_part = true;
    later->request.expected = &later->expected;
    later->request.options = &later->options;
    if (later->options.header != TANDA_HEADER_NONE)
        later->options.header = first->feature_names != NULL ? TANDA_HEADER_AUTO : TANDA_HEADER_NONE;
}

tanda_status part_check(const char *path, size_t columns, const char *first_path, size_t first_columns,
                        tanda_error *error) {
    if (columns == first_columns) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: has %zu columns, and %s, which it follows, has %zu", path,
                columns, first_path, first_columns);
}

static tanda_status read_later(const part_list *list, const request *request, table *tables, size_t i,
                               tanda_error *error) {
    later_part later;
    part_follow(list->paths[0], &tables[0], request, &later);
    const tanda_status status =
        format_read(list->paths[i], request->options->format, &later.request, &tables[i], error);
    return status == TANDA_OK
               ? part_check(list->paths[i], tables[i].columns, list->paths[0], tables[0].columns, error)
               : status;
}

static tanda_status read_all(const part_list *list, const request *request, table *tables,
                             tanda_error *error) {
    struct request reading = *request;
    reading.has_parts = true;
    for (;;) {
        bool kinds_differ = false; /* some labels are text and others numbers */
        tanda_status status =
            format_read(list->paths[0], reading.options->format, &reading, &tables[0], error);
        for (size_t i = 1; status == TANDA_OK && i < list->count; i++) {
            status = read_later(list, &reading, tables, i, error);
            kinds_differ |= tables[i].labels != NULL && tables[i].labels->text != tables[0].labels->text;
        }
        if (status != TANDA_OK || reading.text_labels || !kinds_differ) return status;
        for (size_t i = 0; i < list->count; i++)
            table_free(&tables[i]);
        reading.text_labels = true; /* one word among the labels of one file makes all of them text */
    }
}

/* One matrix of all tables' (rows, columns); each is released when it is copied. member: where a table has its own. */
static tanda_status join_matrix(table *tables, size_t count, size_t rows, size_t columns, size_t member,
                                float **joined, tanda_error *error) {
    size_t values = 0, bytes = 0, at = 0;
    *joined = NULL;
    if (!multiply_overflows(rows, columns, &values) && !multiply_overflows(values, sizeof(float), &bytes))
        *joined = allocate_untouched(bytes);
    if (*joined == NULL)
        return fail(error, TANDA_FAILED, "no memory for %zu rows of %zu values", rows, columns);
    for (size_t i = 0; i < count; i++) {
        float **own = (float **)(void *)((char *)&tables[i] + member);
        const float *source = member == offsetof(table, owned) ? tables[i].values : *own;
        memcpy(*joined + at, source, tables[i].rows * columns * sizeof(float));
        at += tables[i].rows * columns;
        free(*own);
        *own = NULL;
    }
    return TANDA_OK;
}

static tanda_status join_labels(const part_list *list, const request *request, const table *tables,
                                size_t rows, labels *joined, tanda_error *error) {
    bool is_quantity = false;
    size_t row = 0;
    for (size_t i = 0; i < list->count; i++)
        is_quantity = is_quantity || tables[i].labels->is_quantity;
    tanda_status status = labels_begin(joined, request_task(request), request_classes(request), rows,
                                       tables[0].labels->text, error);
    if (status == TANDA_OK && is_quantity) labels_become_quantity(joined);
    for (size_t i = 0; status == TANDA_OK && i < list->count; i++) {
        const labels *of = tables[i].labels;
        place place = {.path = list->paths[i]};
        for (place.row = 0; status == TANDA_OK && place.row < tables[i].rows; place.row++, row++) {
            if (of->text ? of->ids[place.row] == LABELS_MISSING : isnan(of->numbers[place.row])) {
                labels_add_missing(joined, row);
            } else if (of->text) {
                const char *name = of->names.texts[of->ids[place.row]];
                status = labels_add_text(joined, row, name, strlen(name), &place, error);
            } else {
                const float value = of->numbers[place.row];
                const double exact = of->integers != NULL ? (double)of->integers[place.row] : (double)value;
                status = labels_add_number(joined, row, exact, value, &place, error);
            }
        }
    }
    return status;
}

tanda_status table_join_categories(categories *all, table *later, size_t part, size_t feature,
                                   const char *path, tanda_error *error) {
    const categories *theirs = &later->raw.categories[feature];
    size_t *numbers = NULL;
    tanda_status status = allocate(&numbers, theirs->texts.count + 1, sizeof *numbers, "categories", error);
    for (size_t i = 0; status == TANDA_OK && i < theirs->texts.count; i++) {
        place place = theirs->places[i];
        place.part = part;
        place.path = path;
        if (later->feature_names != NULL) place.name = later->feature_names[feature];
        status = categories_add(all, theirs->texts.texts[i], strlen(theirs->texts.texts[i]), &place,
                                &numbers[i], error);
    }
    if (status == TANDA_OK) numbers[theirs->texts.count] = CATEGORIES_MAX; /* those that are not kept */
    for (size_t row = 0; status == TANDA_OK && row < later->rows; row++) {
        float *value = &later->owned[row * later->features + feature];
        if (!isnan(*value)) *value = (float)numbers[(size_t)*value];
    }
    free(numbers);
    return status;
}

/* Everything but what is shared already, as names are. */
static tanda_status join_rows(const part_list *list, const request *request, table *tables, size_t rows,
                              table *joined, tanda_error *error) {
    table *first = &tables[0];
    const size_t count = list->count, features = first->features, targets = first->target_count;
    tanda_status status = copy_texts(&first->raw.part_paths, list->paths, count, error);
    if (status == TANDA_OK) first->raw.part_count = count;
    for (size_t i = 1; i < count && first->raw.categories != NULL; i++)
        for (size_t feature = 0; status == TANDA_OK && feature < features; feature++)
            if (first->raw.is_category[feature])
                status = table_join_categories(&first->raw.categories[feature], &tables[i], i, feature,
                                               list->paths[i], error);
    if (status == TANDA_OK && first->labels != NULL) {
        status = allocate(&joined->labels, 1, sizeof *joined->labels, "labels", error);
        if (status == TANDA_OK) status = join_labels(list, request, tables, rows, joined->labels, error);
    }
    if (status == TANDA_OK && first->targets != NULL)
        status = join_matrix(tables, count, rows, targets, offsetof(table, targets), &joined->targets, error);
    if (status == TANDA_OK && first->has_weights)
        status = join_matrix(tables, count, rows, 1, offsetof(table, weights), &joined->weights, error);
    if (status == TANDA_OK)
        status = join_matrix(tables, count, rows, features, offsetof(table, owned), &joined->owned, error);
    for (size_t i = 1; status == TANDA_OK && i < count; i++)
        status = copied_append(&first->copied, &tables[i].copied, error);
    for (size_t i = 0; i < count; i++)
        status = file_view_check(&tables[i].mapping, status, error);
    return status;
}

/* What the tables have in common goes over from the first, which keeps what is joined by itself. */
static void take_common(table *tables, size_t count, table *joined) {
    table *first = &tables[0], own = *joined;
    *joined = *first;
    *first = (table){.rows = first->rows,
                     .exact = first->exact,
                     .labels = first->labels,
                     .mapping = first->mapping,
                     .remark = first->remark};
    joined->rows = own.rows;
    joined->values = joined->owned = own.owned;
    joined->targets = own.targets;
    joined->weights = own.weights;
    joined->labels = own.labels;
    joined->exact = (exact_columns){0};
    joined->mapping = (file_view){0};
    for (size_t i = 1; i < count; i++)
        joined->from_bytes = joined->from_bytes && tables[i].from_bytes;
}

static tanda_status join(const part_list *list, const request *request, table *tables, table *joined,
                         tanda_error *error) {
    size_t rows = 0;
    char text[SHOWN_SIZE];
    for (size_t i = 0; i < list->count; i++)
        if (add_overflows(rows, tables[i].rows, &rows))
            return fail(error, TANDA_FAILED, "%s: more rows than this machine can address", list->paths[i]);
    tanda_status status = join_rows(list, request, tables, rows, joined, error);
    joined->rows = rows;
    /* a word among targets that are numbers in all files together, though not in its own */
    const target_fault fault =
        status == TANDA_OK ? target_fault_find(joined, request) : (target_fault){.kind = TARGET_FINE};
    size_t part = 0, end = tables[0].rows;
    while (fault.kind == TARGET_WORD && fault.row >= end)
        end += tables[++part].rows;
    if (fault.kind == TARGET_WORD)
        status = fail(
            error, TANDA_BAD_INPUT,
            "%s: the target '%s' is not a number, as %zu of %zu in all files are; --task classes takes all "
            "as classes",
            list->paths[part], shown(fault.word, strlen(fault.word), text), fault.count, fault.rows);
    take_common(tables, list->count, joined);
    if (status == TANDA_OK) status = origin_join(request, tables, list->count, joined, error);
    if (asprintf(&joined->remark, "%zu files", list->count) < 0) joined->remark = NULL;
    return status;
}

tanda_status parts_read(const char *path, const request *request, table *result, tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    part_list list = {0};
    table *tables = NULL, joined = {0};
    tanda_status status = parts_find(path, options, &list.paths, &list.count, error);
    if (status == TANDA_OK && list.count == 1)
        status = format_read(list.paths[0], options->format, request, result, error);
    if (status == TANDA_OK && list.count > 1) {
        status = allocate(&tables, list.count, sizeof *tables, "files", error);
        if (status == TANDA_OK) status = read_all(&list, request, tables, error);
        if (status == TANDA_OK) status = join(&list, request, tables, &joined, error);
        if (status == TANDA_OK)
            *result = joined;
        else
            table_free(&joined);
    }
    for (size_t i = 0; tables != NULL && i < list.count; i++)
        table_free(&tables[i]);
    free(tables);
    free_texts(list.paths, list.count);
    return status;
}
