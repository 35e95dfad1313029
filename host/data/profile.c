#include "data/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

#define SLOTS 8192 /* a power of two: the table is at most half full */
#define SLOT_BITS 13
#define COLUMNS_AT_ONCE 64
#define ROWS_AT_ONCE 512 /* of COLUMNS_AT_ONCE columns they fit a core's cache */
#define WHOLE_MAX 16777216.0f

bool profile_is_constant(const column_profile *profile) {
    return profile->distinct == 1;
}

const char *column_type_name(column_type type) {
    static const char *const names[] = {[COLUMN_EMPTY] = "empty",
                                        [COLUMN_INTEGER] = "integer",
                                        [COLUMN_REAL] = "real",
                                        [COLUMN_TEXT] = "text"};
    return names[type];
}

/* ---- digits ------------------------------------------------------------------------------------------- */

static double shortest_by_printing(float value) {
    char text[32];
    double read = (double)value;
    for (int digits = 1; digits <= 9; digits++) {
        text_put(text, sizeof text, "%.*e", digits - 1, (double)value);
        read = strtod(text, NULL);
        if ((float)read == value) break;
    }
    return read;
}

double shortest_decimal(float value) {
    const double exact = (double)value, size = exact < 0.0 ? -exact : exact;
    if (size <= (double)WHOLE_MAX && (double)(int64_t)exact == exact) return exact;
    /* the quotient of two exact numbers is the binary64 that the decimal number is read as */
    for (double power = 10.0; size * power < 1e9; power *= 10.0) {
        const double read = (double)(int64_t)(size * power + 0.5) / power;
        if (power > 1e22) break;
        if ((float)read == (float)size) return exact < 0.0 ? -read : read;
    }
    return shortest_by_printing(value);
}

/* A number before it was rounded to binary32, as far as that is known. */
static double as_it_came(const tanda_dataset *dataset, size_t feature, float value) {
    return dataset_origin(dataset, feature) + shortest_decimal(value);
}

/* ---- distinct values ---------------------------------------------------------------------------------- */

typedef struct counted_value {
    float value;
    size_t rows;
} counted_value;

/* The values of a column in order of appearance, until there are too many. */
typedef struct value_set {
    size_t count;
    bool has_more;
    uint16_t slots[SLOTS]; /* index + 1 into values, 0 is free */
    counted_value values[PROFILE_DISTINCT_MAX];
} value_set;

/* The slot of a value, free or its own. */
static size_t find_slot(const value_set *set, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    size_t at = (bits * UINT32_C(2654435769)) >> (32 - SLOT_BITS);
    while (set->slots[at] != 0 && set->values[set->slots[at] - 1].value != value)
        at = (at + 1) % SLOTS;
    return at;
}

/* False for one value too many. */
static bool count_value(value_set *set, float value) {
    const size_t at = find_slot(set, value);
    if (set->slots[at] == 0) {
        if (set->count == PROFILE_DISTINCT_MAX) return false;
        set->values[set->count] = (counted_value){.value = value};
        set->slots[at] = (uint16_t)++set->count;
    }
    set->values[set->slots[at] - 1].rows++;
    return true;
}

static const counted_value *most_frequent(const value_set *set) {
    const counted_value *found = &set->values[0];
    for (size_t i = 1; i < set->count; i++)
        if (set->values[i].rows > found->rows) found = &set->values[i];
    return found;
}

/* ---- a few neighbouring columns ----------------------------------------------------------------------- */

typedef struct column_group {
    size_t first, count;
    float minimum[COLUMNS_AT_ONCE], maximum[COLUMNS_AT_ONCE];
    double sum[COLUMNS_AT_ONCE];
    uint32_t missing[COLUMNS_AT_ONCE]; /* in the rows at hand */
    bool has_fraction[COLUMNS_AT_ONCE];
    value_set sets[]; /* count entries */
} column_group;

typedef struct profile_work {
    const tanda_dataset *dataset;
    column_profile *profiles;
    bool failed;
} profile_work;

/* Rows of the columns, all columns at once: comparisons with NaN, a missing value, change nothing. */
static void add_extremes(column_group *group, const float *values, size_t rows, size_t features) {
    for (size_t row = 0; row < rows; row++, values += features) {
        for (size_t i = 0; i < group->count; i++) {
            const float value = values[i];
            const bool is_there = value == value;
            group->minimum[i] = value < group->minimum[i] ? value : group->minimum[i];
            group->maximum[i] = value > group->maximum[i] ? value : group->maximum[i];
            group->sum[i] += is_there ? (double)value : 0.0;
            group->missing[i] += !is_there;
        }
    }
}

static bool is_whole(float value) {
    const float size = value < 0.0f ? -value : value;
    return size >= WHOLE_MAX || (float)(int32_t)value == value;
}

/* One column, which is left as soon as nothing can be learnt of its values. */
static void add_values(column_group *group, size_t column, const float *values, size_t rows,
                       size_t features) {
    value_set *set = &group->sets[column];
    for (size_t row = 0; row < rows && (!set->has_more || !group->has_fraction[column]); row++) {
        const float value = values[row * features + column];
        if (value != value) continue;
        if (!group->has_fraction[column]) group->has_fraction[column] = !is_whole(value);
        if (!set->has_more) set->has_more = !count_value(set, value);
    }
}

static void add_rows(column_group *group, const profile_work *work, size_t row, size_t rows) {
    const size_t features = work->dataset->features;
    const float *values = work->dataset->values + row * features + group->first;
    memset(group->missing, 0, sizeof group->missing);
    add_extremes(group, values, rows, features);
    for (size_t i = 0; i < group->count; i++) {
        work->profiles[group->first + i].missing += group->missing[i];
        add_values(group, i, values, rows, features);
    }
}

/* ---- what is told ------------------------------------------------------------------------------------- */

static bool is_text(const tanda_dataset *dataset, size_t feature) {
    return dataset->raw.is_category != NULL && dataset->raw.is_category[feature];
}

/* Of values that are all known, by their digits. */
static double mean_of_digits(const value_set *set, size_t rows) {
    double sum = 0.0;
    for (size_t i = 0; i < set->count; i++)
        sum += shortest_decimal(set->values[i].value) * (double)set->values[i].rows;
    return sum / (double)rows;
}

static void finish_numbers(const column_group *group, size_t column, const tanda_dataset *dataset,
                           column_profile *profile) {
    const size_t feature = group->first + column, rows = dataset->rows - profile->missing;
    const value_set *set = &group->sets[column];
    profile->type = group->has_fraction[column] ? COLUMN_REAL : COLUMN_INTEGER;
    profile->minimum = as_it_came(dataset, feature, group->minimum[column]);
    profile->maximum = as_it_came(dataset, feature, group->maximum[column]);
    profile->mean = dataset_origin(dataset, feature) +
                    (set->has_more ? group->sum[column] / (double)rows : mean_of_digits(set, rows));
}

static void finish_frequent(const value_set *set, const tanda_dataset *dataset, size_t feature,
                            column_profile *profile) {
    const counted_value *frequent = most_frequent(set);
    if (set->has_more || (frequent->rows == 1 && set->count > 1)) return;
    profile->most_frequent_rows = frequent->rows;
    if (is_text(dataset, feature))
        profile->most_frequent_text = dataset->raw.categories[feature].texts.texts[(size_t)frequent->value];
    else
        profile->most_frequent = as_it_came(dataset, feature, frequent->value);
}

static void finish_column(const column_group *group, size_t column, const tanda_dataset *dataset,
                          column_profile *profile) {
    const value_set *set = &group->sets[column];
    profile->minimum = profile->mean = profile->maximum = profile->most_frequent = NAN;
    profile->distinct = set->count;
    profile->has_more = set->has_more;
    if (set->count == 0) return;
    if (is_text(dataset, group->first + column))
        profile->type = COLUMN_TEXT;
    else
        finish_numbers(group, column, dataset, profile);
    finish_frequent(set, dataset, group->first + column, profile);
}

static void profile_group(void *context, size_t first, size_t end) {
    profile_work *work = context;
    const tanda_dataset *dataset = work->dataset;
    column_group *group = calloc(1, sizeof *group + (end - first) * sizeof group->sets[0]);
    if (group == NULL) {
        __atomic_store_n(&work->failed, true, __ATOMIC_RELAXED);
        return;
    }
    group->first = first;
    group->count = end - first;
    for (size_t i = 0; i < group->count; i++) {
        group->minimum[i] = INFINITY;
        group->maximum[i] = -INFINITY;
        /* the origin is the first value */
        group->has_fraction[i] = dataset_origin_has_fraction(dataset, first + i);
    }
    for (size_t row = 0; row < dataset->rows; row += ROWS_AT_ONCE)
        add_rows(group, work, row, dataset->rows - row < ROWS_AT_ONCE ? dataset->rows - row : ROWS_AT_ONCE);
    for (size_t i = 0; i < group->count; i++)
        finish_column(group, i, dataset, &work->profiles[first + i]);
    free(group);
}

/* Each thread reads all rows of its columns, so that the order of every sum is that of the rows. */
tanda_status profile_columns(const tanda_dataset *dataset, column_profile **profiles, tanda_error *error) {
    profile_work work = {.dataset = dataset};
    const size_t threads = parallel_threads();
    size_t grain = (dataset->features + threads - 1) / threads;
    if (grain > COLUMNS_AT_ONCE) grain = COLUMNS_AT_ONCE;
    const tanda_status status =
        allocate(&work.profiles, dataset->features, sizeof *work.profiles, "columns", error);
    if (status != TANDA_OK) return status;
    parallel_ranges(dataset->features, grain, profile_group, &work);
    if (work.failed) {
        free(work.profiles);
        return fail(error, TANDA_FAILED, "no memory for the distinct values of the columns");
    }
    *profiles = work.profiles;
    return TANDA_OK;
}
