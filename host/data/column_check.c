#include "data/column_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/category_marks.h"
#include "data/dataset.h"
#include "data/place.h"
#include "support/memory.h"
#include "support/text.h"

#define HEAD_BYTES ((size_t)16 << 20)

#define ROWS_COUNTED 3      /* of fewer rows, counting means nothing */
#define ROWS_IDENTIFIED 100 /* nor do distinct numbers */
#define FIRST_SLOTS 1024
#define WHOLE_MAX 16777216.0f
#define PANDAS_UNNAMED "Unnamed: "

/* The values of one column. */
typedef struct column {
    const float *values;
    size_t rows, stride;
} column;

static float value_at(const column *column, size_t row) {
    return column->values[row * column->stride];
}

/* False for NaN, too. */
static bool is_whole(float value) {
    return value >= WHOLE_MAX || value <= -WHOLE_MAX ||
           (value > -WHOLE_MAX && value < WHOLE_MAX && (float)(int32_t)value == value);
}

/* Numbers of a file of identifiers mostly ascend: then no memory is needed. */
static bool is_ascending(const column *column) {
    for (size_t row = 1; row < column->rows; row++)
        if (!(value_at(column, row) > value_at(column, row - 1)) || !is_whole(value_at(column, row)))
            return false;
    return is_whole(value_at(column, 0));
}

/* Bits of numbers but for the sign, which makes 0, of which there is no negative one, differ from a free slot. */
typedef struct number_set {
    uint32_t *slots;
    size_t slot_count; /* a power of two, at least twice the numbers */
    size_t count;
} number_set;

static bool insert(number_set *set, uint32_t key) {
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (set->slot_count - 1);
    for (; set->slots[at] != 0; at = (at + 1) & (set->slot_count - 1))
        if (set->slots[at] == key) return false;
    set->slots[at] = key;
    set->count++;
    return true;
}

/* Whether every value is whole and another one; most columns are not within a few rows. */
static tanda_status find_distinct(const column *column, bool *result, tanda_error *error) {
    number_set set = {0};
    tanda_status status = TANDA_OK;
    *result = true;
    for (size_t row = 0; status == TANDA_OK && *result && row < column->rows; row++) {
        const float value = value_at(column, row);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        if (2 * set.count >= set.slot_count) {
            number_set larger = {.slot_count = set.slot_count == 0 ? FIRST_SLOTS : 2 * set.slot_count};
            status =
                allocate(&larger.slots, larger.slot_count, sizeof *larger.slots, "distinct numbers", error);
            if (status != TANDA_OK) break;
            for (size_t i = 0; i < set.slot_count; i++)
                if (set.slots[i] != 0) insert(&larger, set.slots[i]);
            free(set.slots);
            set = larger;
        }
        *result = is_whole(value) && insert(&set, bits ^ UINT32_C(0x80000000));
    }
    free(set.slots);
    return status;
}

static tanda_status add(doubtful_columns *list, doubtful_column found, const char *name, tanda_error *error) {
    doubtful_column *more = reallocarray(list->columns, list->count + 1, sizeof *more);
    if (more == NULL) return fail(error, TANDA_FAILED, "no memory for notes on %zu columns", list->count + 1);
    list->columns = more;
    const tanda_status status = copy_text(&found.name, name, error);
    if (status == TANDA_OK) list->columns[list->count++] = found;
    return status;
}

static tanda_status check_numbers(const tanda_dataset *dataset, size_t feature, doubtful_columns *list,
                                  tanda_error *error) {
    const column column = {
        .values = dataset->values + feature, .rows = dataset->rows, .stride = dataset->features};
    const char *name = dataset->feature_names == NULL ? NULL : dataset->feature_names[feature];
    doubtful_column found = {.doubt = DOUBT_COUNTS_ROWS,
                             .index =
                                 feature < dataset->position_count ? dataset->positions[feature] : feature};
    if (name != NULL && (*name == '\0' || strncmp(name, PANDAS_UNNAMED, strlen(PANDAS_UNNAMED)) == 0)) {
        const float first = value_at(&column, 0);
        size_t row = is_whole(first) ? 1 : SIZE_MAX;
        while (row < column.rows && value_at(&column, row) == (float)((double)first + (double)row))
            row++;
        if (column.rows >= ROWS_COUNTED && row == column.rows) return add(list, found, name, error);
    }
    if (column.rows < ROWS_IDENTIFIED || dataset_origin_has_fraction(dataset, feature)) return TANDA_OK;
    bool is_identifier = is_ascending(&column);
    tanda_status status = TANDA_OK;
    if (!is_identifier) status = find_distinct(&column, &is_identifier, error);
    found.doubt = DOUBT_IDENTIFIER;
    return status == TANDA_OK && is_identifier ? add(list, found, name, error) : status;
}

typedef struct named_column {
    const char *name;
    size_t index;
} named_column;

static int compare_names(const void *a, const void *b) {
    const named_column *first = a, *second = b;
    const int order = strcmp(first->name, second->name);
    if (order != 0) return order;
    return first->index < second->index ? -1 : first->index > second->index;
}

/* Features and, where they stand in the same file, targets. */
static tanda_status check_names(const tanda_dataset *dataset, doubtful_columns *list, tanda_error *error) {
    named_column *columns = NULL;
    const size_t count = dataset->position_count;
    if (dataset->feature_names == NULL || count < dataset->features) return TANDA_OK;
    tanda_status status = allocate(&columns, count, sizeof *columns, "column names", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < count; i++) {
        const char *name = i < dataset->features           ? dataset->feature_names[i]
                           : dataset->target_names != NULL ? dataset->target_names[i - dataset->features]
                                                           : dataset->target_name;
        columns[i] = (named_column){.name = name, .index = dataset->positions[i]};
    }
    qsort(columns, count, sizeof *columns, compare_names);
    for (size_t i = 1; status == TANDA_OK && i < count; i++) {
        const named_column *one = &columns[i - 1], *other = &columns[i];
        const doubtful_column found = {.doubt = DOUBT_SAME_NAME, .index = one->index, .other = other->index};
        if (strcmp(one->name, other->name) == 0) status = add(list, found, one->name, error);
    }
    free(columns);
    return status;
}

static tanda_status check_columns(const tanda_dataset *dataset, doubtful_columns *found, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && !dataset->from_bytes && i < dataset->features; i++)
        if (dataset->raw.is_category == NULL || !dataset->raw.is_category[i])
            status = check_numbers(dataset, i, found, error);
    return status;
}

/* The first rows of those that lie elsewhere, which tell as much. */
static tanda_status check_head(const tanda_dataset *dataset, doubtful_columns *found, tanda_error *error) {
    tanda_dataset head = *dataset;
    float *values = NULL;
    const size_t row = dataset->features * sizeof *values, most = HEAD_BYTES / row + 1;
    if (head.rows > most) head.rows = most;
    tanda_status status = allocate(&values, head.rows, row, "the first rows", error);
    const row_block block = {.values = values};
    if (status == TANDA_OK) status = feed_read(dataset->feed, 0, head.rows, &block, error);
    head.values = values;
    if (status == TANDA_OK) status = check_columns(&head, found, error);
    free(values);
    return status;
}

tanda_status columns_check(const tanda_dataset *dataset, doubtful_columns *result, tanda_error *error) {
    doubtful_columns found = {0};
    tanda_status status = check_names(dataset, &found, error);
    if (status == TANDA_OK)
        status = dataset->feed != NULL ? check_head(dataset, &found, error)
                                       : check_columns(dataset, &found, error);
    if (status == TANDA_OK)
        *result = found;
    else
        doubtful_columns_free(&found);
    return status;
}

void doubtful_columns_free(doubtful_columns *columns) {
    for (size_t i = 0; i < columns->count; i++)
        free(columns->columns[i].name);
    free(columns->columns);
    *columns = (doubtful_columns){0};
}

#define SHOWN_MOST 10

tanda_status lacks_begin(lacks *lacks, tanda_error *error) {
    *lacks = (struct lacks){0};
    lacks->stream = open_memstream(&lacks->text, &lacks->size);
    return lacks->stream != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for a note on categories");
}

static void add_category(lacks *lacks, const tanda_dataset *dataset, size_t column, size_t category,
                         size_t fold) {
    char text[SHOWN_SIZE];
    const categories *of = &dataset->raw.categories[column];
    const place *place = &of->places[category];
    FILE *out = lacks->stream;
    if (lacks->count++ >= SHOWN_MOST) return;
    if (lacks->count > 1) fputs(", ", out);
    if (dataset->feature_names != NULL)
        fputs(shown(dataset->feature_names[column], strlen(dataset->feature_names[column]), text), out);
    else
        fprintf(out, "%zu", column);
    fprintf(out, " '%s' (", shown(of->texts.texts[category], strlen(of->texts.texts[category]), text));
    if (place->line > 0)
        fprintf(out, "line %zu", place->line);
    else
        fprintf(out, "row %zu", place->row);
    if (dataset->raw.part_count > 1)
        fprintf(out, " of %s",
                shown(raw_columns_path(&dataset->raw, place), strlen(raw_columns_path(&dataset->raw, place)),
                      text));
    if (fold > 0) fprintf(out, ", fold %zu", fold);
    fputc(')', out);
}

static tanda_status no_value(const tanda_dataset *training, size_t column, size_t fold, tanda_error *error) {
    char name[SHOWN_SIZE], of_fold[40] = "";
    text_put(name, sizeof name, "%zu (from 0)", column);
    if (training->feature_names != NULL)
        shown(training->feature_names[column], strlen(training->feature_names[column]), name);
    if (fold > 0) text_put(of_fold, sizeof of_fold, " of fold %zu", fold);
    return fail(error, TANDA_BAD_INPUT,
                "%s: feature %s has no value in the training rows%s; leave it out with --ignore",
                training->raw.path, name, of_fold);
}

tanda_status lacks_find(lacks *lacks, const tanda_dataset *training, const tanda_dataset *held_out,
                        size_t fold, tanda_error *error) {
    category_marks trained = {0}, held = {0};
    if (raw_columns_are_features(&training->raw)) return TANDA_OK;
    tanda_status status = category_marks_find(training, &trained, error);
    if (status == TANDA_OK) status = category_marks_find(held_out, &held, error);
    for (size_t column = 0; status == TANDA_OK && column < training->features; column++) {
        if (trained.some[column] == 0) status = no_value(training, column, fold, error);
        if (status != TANDA_OK || trained.of[column] == NULL) continue;
        for (size_t i = 0; i < training->raw.categories[column].texts.count; i++)
            if (held.of[column][i] != 0 && trained.of[column][i] == 0)
                add_category(lacks, training, column, i, fold);
    }
    category_marks_free(&trained);
    category_marks_free(&held);
    return status;
}

tanda_status lacks_end(lacks *lacks, const char *path, bool accepted, char **note, tanda_error *error) {
    tanda_status status = TANDA_OK;
    char more[40] = "";
    *note = NULL;
    if (lacks->count > SHOWN_MOST) text_put(more, sizeof more, ", ... (%zu of them)", lacks->count);
    if (lacks->stream == NULL || !text_stream_end(lacks->stream, &lacks->text))
        status = fail(error, TANDA_FAILED, "no memory for a note on categories");
    else if (lacks->count > 0 && !accepted)
        status = fail(error, TANDA_BAD_INPUT,
                      "%s: held-out rows have categories that their training rows lack "
                      "(--unknown-category zero takes them): %s%s",
                      path, lacks->text, more);
    else if (lacks->count > 0 &&
             asprintf(note, "held-out rows are of no category where their training rows lack it: %s%s",
                      lacks->text, more) < 0) {
        *note = NULL;
        status = fail(error, TANDA_FAILED, "no memory for a note on categories");
    }
    free(lacks->text);
    *lacks = (struct lacks){0};
    return status;
}
