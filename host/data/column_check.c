#include "data/column_check.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

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

static bool goes_up_by_one(const column *column) {
    const float first = value_at(column, 0);
    if (!is_whole(first)) return false;
    for (size_t row = 1; row < column->rows; row++)
        if (value_at(column, row) != (float)((double)first + (double)row)) return false;
    return true;
}

/* Numbers of a file of identifiers mostly ascend: then no memory is needed. */
static bool is_ascending(const column *column) {
    for (size_t row = 1; row < column->rows; row++)
        if (!(value_at(column, row) > value_at(column, row - 1)) || !is_whole(value_at(column, row)))
            return false;
    return is_whole(value_at(column, 0));
}

/* ---- distinct numbers --------------------------------------------------------------------------------- */

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

static tanda_status grow(number_set *set, tanda_error *error) {
    number_set larger = {.slot_count = set->slot_count == 0 ? FIRST_SLOTS : 2 * set->slot_count};
    tanda_status status =
        allocate(&larger.slots, larger.slot_count, sizeof *larger.slots, "distinct numbers", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i] != 0) insert(&larger, set->slots[i]);
    free(set->slots);
    *set = larger;
    return TANDA_OK;
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
        if (2 * set.count >= set.slot_count) status = grow(&set, error);
        if (status == TANDA_OK) *result = is_whole(value) && insert(&set, bits ^ UINT32_C(0x80000000));
    }
    free(set.slots);
    return status;
}

/* ---- the columns of a file ---------------------------------------------------------------------------- */

static size_t file_index(const tanda_dataset *dataset, size_t column) {
    return column < dataset->position_count ? dataset->positions[column] : column;
}

static tanda_status add(doubtful_columns *list, doubtful_column found, const char *name, tanda_error *error) {
    doubtful_column *more = reallocarray(list->columns, list->count + 1, sizeof *more);
    if (more == NULL) return fail(error, TANDA_FAILED, "no memory for notes on %zu columns", list->count + 1);
    list->columns = more;
    const tanda_status status = copy_text(&found.name, name, error);
    if (status == TANDA_OK) list->columns[list->count++] = found;
    return status;
}

static bool is_unnamed(const char *name) {
    return name != NULL && (*name == '\0' || strncmp(name, PANDAS_UNNAMED, strlen(PANDAS_UNNAMED)) == 0);
}

static tanda_status check_numbers(const tanda_dataset *dataset, size_t feature, doubtful_columns *list,
                                  tanda_error *error) {
    const column column = {
        .values = dataset->values + feature, .rows = dataset->rows, .stride = dataset->features};
    const char *name = dataset->feature_names == NULL ? NULL : dataset->feature_names[feature];
    doubtful_column found = {.doubt = DOUBT_COUNTS_ROWS, .index = file_index(dataset, feature)};
    if (is_unnamed(name) && column.rows >= ROWS_COUNTED && goes_up_by_one(&column))
        return add(list, found, name, error);
    bool is_identifier = false;
    tanda_status status = TANDA_OK;
    if (column.rows < ROWS_IDENTIFIED || dataset_origin_has_fraction(dataset, feature)) return TANDA_OK;
    if (is_ascending(&column))
        is_identifier = true;
    else
        status = find_distinct(&column, &is_identifier, error);
    found.doubt = DOUBT_IDENTIFIER;
    return status == TANDA_OK && is_identifier ? add(list, found, name, error) : status;
}

/* ---- names -------------------------------------------------------------------------------------------- */

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

static const char *target_name(const tanda_dataset *dataset, size_t target) {
    return dataset->target_names != NULL ? dataset->target_names[target] : dataset->target_name;
}

/* Features and, where they stand in the same file, targets. */
static tanda_status check_names(const tanda_dataset *dataset, doubtful_columns *list, tanda_error *error) {
    named_column *columns = NULL;
    const size_t count = dataset->position_count;
    if (dataset->feature_names == NULL || count < dataset->features) return TANDA_OK;
    tanda_status status = allocate(&columns, count, sizeof *columns, "column names", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < count; i++)
        columns[i] =
            (named_column){.name = i < dataset->features ? dataset->feature_names[i]
                                                         : target_name(dataset, i - dataset->features),
                           .index = dataset->positions[i]};
    qsort(columns, count, sizeof *columns, compare_names);
    for (size_t i = 1; status == TANDA_OK && i < count; i++) {
        const named_column *one = &columns[i - 1], *other = &columns[i];
        const doubtful_column found = {.doubt = DOUBT_SAME_NAME, .index = one->index, .other = other->index};
        if (strcmp(one->name, other->name) == 0) status = add(list, found, one->name, error);
    }
    free(columns);
    return status;
}

tanda_status columns_check(const tanda_dataset *dataset, doubtful_columns *result, tanda_error *error) {
    doubtful_columns found = {0};
    tanda_status status = check_names(dataset, &found, error);
    for (size_t i = 0; status == TANDA_OK && !dataset->from_bytes && i < dataset->features; i++)
        if (dataset->raw.is_category == NULL || !dataset->raw.is_category[i])
            status = check_numbers(dataset, i, &found, error);
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
