#include "data/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/sum_tree.h"
#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

#define SLOTS 8192 /* a power of two: the table is at most half full */
#define SLOT_BITS 13
#define COLUMNS_AT_ONCE 64
#define CHUNKS_OF_BLOCK 64 /* a power of two, so that sums of blocks are parts of the tree of all rows */
#define BLOCK_ROWS ((size_t)CHUNKS_OF_BLOCK * SUM_CHUNK_ROWS)
#define WHOLE_MAX 16777216.0f
#define READ_BYTES ((size_t)4 << 20) /* of rows that lie elsewhere, by each thread */
#define FRACTION_MAX 0x1p52          /* from here on every binary64 is whole */

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

double shortest_decimal(float value) {
    const double exact = (double)value, size = exact < 0.0 ? -exact : exact;
    if (size <= (double)WHOLE_MAX && (double)(int64_t)exact == exact) return exact;
    /* the quotient of two exact numbers is the binary64 that the decimal number is read as */
    for (double power = 10.0; size * power < 1e9; power *= 10.0) {
        const double read = (double)(int64_t)(size * power + 0.5) / power;
        if (power > 1e22) break;
        if ((float)read == (float)size) return exact < 0.0 ? -read : read;
    }
    char text[TEXT_NUMBER_SIZE];
    return strtod(text_shortest_float(value, text), NULL);
}

typedef struct counted_value {
    double value;
    size_t rows;      /* 0: a free slot */
    size_t first_row; /* as if missing values came last in each chunk */
} counted_value;

/* The values of a column, until there are too many. */
typedef struct value_set {
    size_t count;
    bool has_more;
    counted_value slots[SLOTS];
} value_set;

/* The slot of a value, free or its own. */
static counted_value *find_slot(value_set *set, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    size_t at = (size_t)((bits * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - SLOT_BITS));
    while (set->slots[at].rows != 0 && set->slots[at].value != value)
        at = (at + 1) % SLOTS;
    return &set->slots[at];
}

/* Takes a free slot for a value. One too many is not added. */
static bool add_value(value_set *set, counted_value *slot, double value, size_t row) {
    set->has_more = set->count == PROFILE_DISTINCT_MAX;
    if (set->has_more) return false;
    set->count++;
    *slot = (counted_value){.value = value, .first_row = row};
    return true;
}

/* Of equals the one that came first. */
static const counted_value *most_frequent(const value_set *set) {
    const counted_value *found = &set->slots[0];
    for (const counted_value *slot = found; slot < set->slots + SLOTS; slot++)
        if (slot->rows > found->rows || (slot->rows == found->rows && slot->first_row < found->first_row))
            found = slot;
    return found;
}

/* Columns in binary64 or, where that is all there is, in binary32. */
typedef struct column_group {
    const exact_columns *exact; /* or NULL: */
    const float *values;        /* of the first column, rows `step` apart, or NULL: */
    const feed *feed;           /* where rows of `step` values are read, piece by piece */
    size_t first;               /* of the exact columns */
    size_t rows, step, count;
    size_t features[COLUMNS_AT_ONCE]; /* which these are in the data set */
} column_group;

/* Rows of a feed, (rows, group->step). */
typedef struct piece {
    size_t first, rows;
    size_t most; /* rows at once, whole chunks */
    float *values;
} piece;

/* Some rows of them, (rows, count). */
typedef struct chunk {
    size_t first, rows;
    const float *values;                            /* rows `step` apart, or NULL: */
    double exact[SUM_CHUNK_ROWS * COLUMNS_AT_ONCE]; /* `count` apart */
} chunk;

/* What some rows hold, but for sums. */
typedef struct figures {
    double minimum[COLUMNS_AT_ONCE], maximum[COLUMNS_AT_ONCE];
    size_t missing[COLUMNS_AT_ONCE];
    bool has_fraction[COLUMNS_AT_ONCE];
    value_set sets[]; /* one for each column */
} figures;

/* What came of a part of the rows. */
typedef struct part {
    figures *figures;
    tanda_status status;
    tanda_error error;
} part;

typedef struct group_work {
    const column_group *group;
    size_t blocks_of_part;
    part *parts;  /* of so many blocks each */
    double *sums; /* (blocks, group->count) */
} group_work;

/*
 * Extremes and sums of at most SUM_CHUNK_ROWS rows without missing values; where there are some, the sum is NaN. Four rows
 * at once, as the figures of a column are loaded and stored for each.
 */
#define DEFINE_ADD_ROWS(name, real) \
    static void name(const real *values, size_t rows, size_t step, size_t count, double *minimum, \
                     double *maximum, double *restrict sum) { \
        real low[COLUMNS_AT_ONCE], high[COLUMNS_AT_ONCE]; \
        size_t row = 0; \
        for (size_t i = 0; i < count; i++) \
            low[i] = high[i] = values[i]; \
        for (; row + 4 <= rows; row += 4) { \
            const real *a = values + row * step, *b = a + step, *c = b + step, *d = c + step; \
            for (size_t i = 0; i < count; i++) { \
                const real low_a = a[i] < b[i] ? a[i] : b[i], low_c = c[i] < d[i] ? c[i] : d[i]; \
                const real high_a = a[i] > b[i] ? a[i] : b[i], high_c = c[i] > d[i] ? c[i] : d[i]; \
                const real lower = low_a < low_c ? low_a : low_c, \
                           higher = high_a > high_c ? high_a : high_c; \
                low[i] = lower < low[i] ? lower : low[i]; \
                high[i] = higher > high[i] ? higher : high[i]; \
                sum[i] += ((double)a[i] + (double)b[i]) + ((double)c[i] + (double)d[i]); \
            } \
        } \
        for (; row < rows; row++) \
            for (size_t i = 0; i < count; i++) { \
                const real value = values[row * step + i]; \
                low[i] = value < low[i] ? value : low[i]; \
                high[i] = value > high[i] ? value : high[i]; \
                sum[i] += (double)value; \
            } \
        for (size_t i = 0; i < count; i++) { \
            minimum[i] = (double)low[i]; \
            maximum[i] = (double)high[i]; \
        } \
    }

DEFINE_ADD_ROWS(add_exact_rows, double)
DEFINE_ADD_ROWS(add_binary32_rows, float)

/* The values that some rows of a column hold. */
typedef struct column_rows {
    size_t first, count;
    double values[SUM_CHUNK_ROWS];
} column_rows;

static void gather(const column_group *group, const chunk *chunk, size_t column, column_rows *found) {
    found->first = chunk->first;
    found->count = 0;
    for (size_t row = 0; row < chunk->rows; row++) {
        const double value = group->exact != NULL ? chunk->exact[row * group->count + column]
                                                  : (double)chunk->values[row * group->step + column];
        found->values[found->count] = value + 0.0; /* which makes 0 of -0 */
        found->count += value == value;
    }
}

static void find_extremes(const column_rows *rows, double *minimum, double *maximum, double *sum) {
    *minimum = INFINITY;
    *maximum = -INFINITY;
    *sum = 0.0;
    for (size_t i = 0; i < rows->count; i++) {
        const double value = rows->values[i];
        *minimum = value < *minimum ? value : *minimum;
        *maximum = value > *maximum ? value : *maximum;
        *sum += value;
    }
}

static bool is_whole(double value) {
    return value >= FRACTION_MAX || value <= -FRACTION_MAX || (double)(int64_t)value == value;
}

/* Values are left as soon as nothing can be learnt of them. */
static void add_values(const column_rows *rows, bool *has_fraction, value_set *set) {
    size_t i = 0;
    for (; i < rows->count && !set->has_more; i++) {
        const double value = rows->values[i];
        counted_value *slot = find_slot(set, value);
        if (slot->rows == 0) {
            *has_fraction = *has_fraction || !is_whole(value);
            if (!add_value(set, slot, value, rows->first + i)) continue;
        }
        slot->rows++;
    }
    for (; i < rows->count && !*has_fraction; i++)
        *has_fraction = !is_whole(rows->values[i]);
}

static tanda_status piece_make(const column_group *group, piece *piece, tanda_error *error) {
    const size_t chunk = SUM_CHUNK_ROWS * group->step * sizeof(float);
    if (group->feed == NULL) return TANDA_OK;
    piece->most = (chunk < READ_BYTES ? READ_BYTES / chunk : 1) * SUM_CHUNK_ROWS;
    return allocate(&piece->values, piece->most * group->step, sizeof(float), "rows", error);
}

/* Where the chunk's rows lie; of a feed, which is read up to row `end`, as many more as there is room for. */
static tanda_status find_rows(const column_group *group, size_t end, piece *piece, chunk *chunk,
                              tanda_error *error) {
    if (group->feed == NULL) {
        if (group->exact == NULL) chunk->values = group->values + chunk->first * group->step;
        return TANDA_OK;
    }
    if (chunk->first >= piece->first + piece->rows) {
        const row_block block = {.values = piece->values};
        piece->first = chunk->first;
        piece->rows = end - chunk->first < piece->most ? end - chunk->first : piece->most;
        const tanda_status status = feed_read(group->feed, piece->first, piece->rows, &block, error);
        if (status != TANDA_OK) return status;
    }
    chunk->values = piece->values + (chunk->first - piece->first) * group->step + group->features[0];
    return TANDA_OK;
}

static void add_chunk(const column_group *group, chunk *chunk, figures *figures, double *sum) {
    const size_t rows = chunk->rows, count = group->count;
    double minimum[COLUMNS_AT_ONCE], maximum[COLUMNS_AT_ONCE];
    column_rows found;
    if (group->exact != NULL) {
        exact_columns_take(group->exact, group->first, count, chunk->first, rows, chunk->exact);
        add_exact_rows(chunk->exact, rows, count, count, minimum, maximum, sum);
    } else
        add_binary32_rows(chunk->values, rows, group->step, count, minimum, maximum, sum);
    for (size_t i = 0; i < count; i++) {
        const bool some_missing = isnan(sum[i]);
        if (some_missing || !figures->has_fraction[i] || !figures->sets[i].has_more) {
            gather(group, chunk, i, &found);
            add_values(&found, &figures->has_fraction[i], &figures->sets[i]);
            figures->missing[i] += rows - found.count;
        }
        if (some_missing) find_extremes(&found, &minimum[i], &maximum[i], &sum[i]);
        if (minimum[i] < figures->minimum[i]) figures->minimum[i] = minimum[i];
        if (maximum[i] > figures->maximum[i]) figures->maximum[i] = maximum[i];
    }
}

static tanda_status figures_make(size_t columns, figures **made, tanda_error *error) {
    *made = calloc(1, sizeof **made + columns * sizeof(*made)->sets[0]);
    if (*made == NULL)
        return fail(error, TANDA_FAILED, "no memory for the distinct values of %zu columns", columns);
    for (size_t i = 0; i < columns; i++) {
        (*made)->minimum[i] = INFINITY;
        (*made)->maximum[i] = -INFINITY;
    }
    return TANDA_OK;
}

/* A thread's part of the rows, as a whole number of blocks. */
static void profile_part(void *context, size_t first, size_t end) {
    group_work *work = context;
    part *part = &work->parts[first / work->blocks_of_part];
    tanda_error *error = &part->error;
    const column_group *group = work->group;
    const size_t columns = group->count, rows = group->rows;
    const size_t last_row = end * BLOCK_ROWS < rows ? end * BLOCK_ROWS : rows;
    chunk *chunk = NULL;
    piece piece = {0};
    sum_tree tree = {0};
    tanda_status status = figures_make(columns, &part->figures, error);
    if (status == TANDA_OK) status = allocate(&chunk, 1, sizeof *chunk, "rows", error);
    if (status == TANDA_OK) status = tree_make(&tree, BLOCK_ROWS, columns, error);
    if (status == TANDA_OK) status = piece_make(group, &piece, error);
    for (size_t block = first; status == TANDA_OK && block < end; block++) {
        const size_t last = (block + 1) * BLOCK_ROWS < rows ? (block + 1) * BLOCK_ROWS : rows;
        for (size_t row = block * BLOCK_ROWS; status == TANDA_OK && row < last; row += SUM_CHUNK_ROWS) {
            chunk->first = row;
            chunk->rows = last - row < SUM_CHUNK_ROWS ? last - row : SUM_CHUNK_ROWS;
            status = find_rows(group, last_row, &piece, chunk, error);
            if (status != TANDA_OK) break;
            add_chunk(group, chunk, part->figures, tree_top(&tree));
            tree_push(&tree);
        }
        if (status == TANDA_OK)
            memcpy(work->sums + block * columns, tree_sum(&tree), columns * sizeof *work->sums);
    }
    free(piece.values);
    free(tree.stack);
    free(chunk);
    part->status = status;
}

static void join_figures(figures *all, const figures *part, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        if (part->minimum[i] < all->minimum[i]) all->minimum[i] = part->minimum[i];
        if (part->maximum[i] > all->maximum[i]) all->maximum[i] = part->maximum[i];
        all->missing[i] += part->missing[i];
        all->has_fraction[i] = all->has_fraction[i] || part->has_fraction[i];
        value_set *set = &all->sets[i];
        const value_set *other = &part->sets[i];
        set->has_more = set->has_more || other->has_more;
        for (const counted_value *from = other->slots; from < other->slots + SLOTS && !set->has_more;
             from++) {
            counted_value *slot = find_slot(set, from->value);
            if (from->rows == 0 || (slot->rows == 0 && !add_value(set, slot, from->value, from->first_row)))
                continue;
            slot->rows += from->rows;
            if (from->first_row < slot->first_row) slot->first_row = from->first_row;
        }
    }
}

/* Of a source in binary32 the decimal that it stands for, with what a cache has subtracted. */
static double as_it_came(const column_group *group, double origin, double value) {
    return (group->exact != NULL ? value : shortest_decimal((float)value) + origin) + 0.0; /* 0, not -0 */
}

static void finish_column(const column_group *group, const figures *figures, size_t column, double sum,
                          const tanda_dataset *dataset, column_profile *profile) {
    const value_set *set = &figures->sets[column];
    const size_t feature = group->features[column];
    const bool is_text = dataset->raw.is_category != NULL && dataset->raw.is_category[feature];
    const bool is_itself = group->exact != NULL || dataset->origins == NULL;
    const double origin = is_itself ? 0.0 : dataset->origins[feature];
    *profile = (column_profile){.type = set->count == 0                                      ? COLUMN_EMPTY
                                        : is_text                                            ? COLUMN_TEXT
                                        : figures->has_fraction[column] || !is_whole(origin) ? COLUMN_REAL
                                                                                             : COLUMN_INTEGER,
                                .missing = figures->missing[column],
                                .distinct = set->has_more ? PROFILE_DISTINCT_MAX : set->count,
                                .has_more = set->has_more,
                                .minimum = NAN,
                                .mean = NAN,
                                .maximum = NAN,
                                .most_frequent = NAN};
    if (set->count == 0) return;
    if (!is_text) {
        profile->minimum = as_it_came(group, origin, figures->minimum[column]);
        profile->maximum = as_it_came(group, origin, figures->maximum[column]);
        profile->mean = profile_is_constant(profile)
                            ? profile->minimum
                            : sum / (double)(group->rows - profile->missing) + origin;
    }
    const counted_value *frequent = most_frequent(set);
    if (set->has_more || (frequent->rows == 1 && set->count > 1)) return;
    profile->most_frequent_rows = frequent->rows;
    if (is_text)
        profile->most_frequent_text = dataset->raw.categories[feature].texts.texts[(size_t)frequent->value];
    else
        profile->most_frequent = as_it_came(group, origin, frequent->value);
}

/* Threads share the rows. What they find is the same however that is done, and sums are of blocks and of a tree over these. */
static tanda_status profile_group(const column_group *group, const tanda_dataset *dataset,
                                  column_profile *profiles, tanda_error *error) {
    const size_t columns = group->count, threads = parallel_threads();
    const size_t blocks = (group->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    group_work work = {.group = group, .blocks_of_part = (blocks + threads - 1) / threads};
    const size_t parts = (blocks + work.blocks_of_part - 1) / work.blocks_of_part;
    sum_tree tree = {0};
    tanda_status status = allocate(&work.parts, parts, sizeof *work.parts, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&work.sums, blocks * columns, sizeof *work.sums, "sums of columns", error);
    if (status == TANDA_OK) status = tree_make(&tree, blocks * SUM_CHUNK_ROWS, columns, error);
    if (status == TANDA_OK) parallel_ranges(blocks, work.blocks_of_part, profile_part, &work);
    for (size_t part = 0; status == TANDA_OK && part < parts; part++) {
        status = work.parts[part].status;
        if (status != TANDA_OK && error != NULL) *error = work.parts[part].error;
    }
    if (status == TANDA_OK) {
        for (size_t block = 0; block < blocks; block++) {
            memcpy(tree_top(&tree), work.sums + block * columns, columns * sizeof *work.sums);
            tree_push(&tree);
        }
        const double *sums = tree_sum(&tree);
        for (size_t part = 1; part < parts; part++)
            join_figures(work.parts[0].figures, work.parts[part].figures, columns);
        for (size_t i = 0; i < columns; i++)
            finish_column(group, work.parts[0].figures, i, sums[i], dataset, &profiles[group->features[i]]);
    }
    for (size_t part = 0; work.parts != NULL && part < parts; part++)
        free(work.parts[part].figures);
    free(work.parts);
    free(work.sums);
    free(tree.stack);
    return status;
}

/* Whether the next column in binary64 is that of the feature; both ascend. */
static bool is_next(const exact_columns *exact, size_t next, size_t feature) {
    return next < exact->count && exact->features[next] == feature;
}

tanda_status profile_columns(const tanda_dataset *dataset, column_profile **profiles, tanda_error *error) {
    const exact_columns *exact = &dataset->exact;
    column_profile *made = NULL;
    tanda_status status = allocate(&made, dataset->features, sizeof *made, "columns", error);
    for (size_t first = 0, next = 0; status == TANDA_OK && first < dataset->features;) {
        const bool is_exact = is_next(exact, next, first);
        column_group group = {.exact = is_exact ? exact : NULL,
                              .first = next,
                              .values = dataset->feed != NULL ? NULL : dataset->values + first,
                              .feed = is_exact ? NULL : dataset->feed,
                              .rows = dataset->rows,
                              .step = dataset->features};
        /* the features from the first on that lie side by side */
        while (first < dataset->features && group.count < COLUMNS_AT_ONCE &&
               is_next(exact, next, first) == is_exact) {
            group.features[group.count++] = first++;
            next += is_exact;
        }
        status = profile_group(&group, dataset, made, error);
    }
    if (status == TANDA_OK)
        *profiles = made;
    else
        free(made);
    return status;
}
