#include "data/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/sum_tree.h"
#include "data/value_set.h"
#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

#define COLUMNS_AT_ONCE 64
#define GROUPS_AT_ONCE \
    8 /* of rows that are read, by all threads together: their values take 100 MB at most */
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

/* Columns in binary64 or, where that is all there is, in binary32, that lie side by side. */
typedef struct column_group {
    const exact_columns *exact; /* or NULL */
    size_t first_exact;         /* of the exact columns */
    size_t first, count;        /* of the features */
} column_group;

/* Some rows of the data set, which lie in memory or were read. */
typedef struct piece {
    size_t first, rows;
    size_t most;         /* rows at once, whole chunks */
    const float *values; /* (rows, features), or NULL: nobody wants them */
    float *read;         /* where they are read to, or NULL */
} piece;

/* Some rows of a group. */
typedef struct chunk {
    size_t first, rows;
    const float *values;                            /* rows `step` apart */
    double exact[SUM_CHUNK_ROWS * COLUMNS_AT_ONCE]; /* `count` apart */
    size_t step;
} chunk;

/* What some rows of a group hold, but for sums. */
typedef struct figures {
    double minimum[COLUMNS_AT_ONCE], maximum[COLUMNS_AT_ONCE];
    size_t missing[COLUMNS_AT_ONCE];
    bool has_fraction[COLUMNS_AT_ONCE];
    value_set sets[COLUMNS_AT_ONCE];
} figures;

/* What came of a part of the rows. */
typedef struct part {
    figures *figures; /* (groups) */
    tanda_status status;
    tanda_error error;
} part;

/* Groups that are looked at in one pass over the rows. */
typedef struct pass_work {
    const tanda_dataset *dataset;
    column_group groups[GROUPS_AT_ONCE];
    size_t count, columns;
    bool reads; /* some group is not exact, and the rows lie elsewhere */
    size_t blocks_of_part;
    part *parts;  /* of so many blocks each */
    double *sums; /* (blocks, columns) */
} pass_work;

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
                                                  : (double)chunk->values[row * chunk->step + column];
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
    for (; i < rows->count && !set->has_more; i++)
        if (value_set_add(set, rows->values[i], 1, rows->first + i))
            *has_fraction = *has_fraction || !is_whole(rows->values[i]);
    for (; i < rows->count && !*has_fraction; i++)
        *has_fraction = !is_whole(rows->values[i]);
}

static void add_chunk(const column_group *group, chunk *chunk, figures *figures, double *sum) {
    const size_t rows = chunk->rows, count = group->count;
    double minimum[COLUMNS_AT_ONCE], maximum[COLUMNS_AT_ONCE];
    column_rows found;
    if (group->exact != NULL) {
        exact_columns_take(group->exact, group->first_exact, count, chunk->first, rows, chunk->exact);
        add_exact_rows(chunk->exact, rows, count, count, minimum, maximum, sum);
    } else
        add_binary32_rows(chunk->values, rows, chunk->step, count, minimum, maximum, sum);
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

static tanda_status piece_make(const pass_work *work, piece *piece, tanda_error *error) {
    const size_t features = work->dataset->features, chunk = SUM_CHUNK_ROWS * features * sizeof(float);
    piece->most = (chunk < READ_BYTES ? READ_BYTES / chunk : 1) * SUM_CHUNK_ROWS;
    return work->reads ? allocate(&piece->read, piece->most * features, sizeof(float), "rows", error)
                       : TANDA_OK;
}

/* Rows from `first` on, as many as there is room for, and none from `end` on. */
static tanda_status find_rows(const pass_work *work, size_t first, size_t end, piece *piece,
                              tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    const row_block block = {.values = piece->read};
    piece->first = first;
    piece->rows = end - first < piece->most ? end - first : piece->most;
    piece->values = piece->read;
    if (dataset->feed == NULL) piece->values = dataset->values + first * dataset->features;
    return work->reads ? feed_read(dataset->feed, first, piece->rows, &block, error) : TANDA_OK;
}

/* Rows of a chunk, of all groups, and their sums. */
static void add_rows(const pass_work *work, const piece *piece, chunk *chunk, figures *figures,
                     double *sums) {
    chunk->step = work->dataset->features;
    for (size_t i = 0; i < work->count; i++) {
        const column_group *group = &work->groups[i];
        const size_t at = (chunk->first - piece->first) * chunk->step + group->first;
        if (group->exact == NULL) chunk->values = piece->values + at;
        add_chunk(group, chunk, &figures[i], sums);
        sums += group->count;
    }
}

static tanda_status figures_make(size_t groups, figures **made, tanda_error *error) {
    const tanda_status status = allocate(made, groups, sizeof **made, "figures of columns", error);
    for (size_t i = 0; status == TANDA_OK && i < groups; i++)
        for (size_t column = 0; column < COLUMNS_AT_ONCE; column++) {
            (*made)[i].minimum[column] = INFINITY;
            (*made)[i].maximum[column] = -INFINITY;
        }
    return status;
}

static void figures_free(size_t groups, figures *figures) {
    for (size_t i = 0; figures != NULL && i < groups; i++)
        for (size_t column = 0; column < COLUMNS_AT_ONCE; column++)
            value_set_free(&figures[i].sets[column]);
    free(figures);
}

/* The sums of a block go to the whole's as soon as its last chunk has been added. */
static tanda_status add_blocks(const pass_work *work, size_t first, size_t end, piece *piece, chunk *chunk,
                               sum_tree *tree, part *part) {
    tanda_status status = TANDA_OK;
    for (size_t row = first; status == TANDA_OK && row < end; row += chunk->rows) {
        if (row >= piece->first + piece->rows) status = find_rows(work, row, end, piece, &part->error);
        if (status != TANDA_OK) break;
        chunk->first = row;
        chunk->rows = end - row < SUM_CHUNK_ROWS ? end - row : SUM_CHUNK_ROWS;
        add_rows(work, piece, chunk, part->figures, tree_top(tree));
        tree_push(tree);
        const size_t next = row + chunk->rows;
        if (next % BLOCK_ROWS == 0 || next == end)
            memcpy(work->sums + row / BLOCK_ROWS * work->columns, tree_sum(tree),
                   work->columns * sizeof *work->sums);
    }
    return status;
}

/* A thread's part of the rows, as a whole number of blocks. */
static void profile_part(void *context, size_t first, size_t end) {
    const pass_work *work = context;
    part *part = &work->parts[first / work->blocks_of_part];
    const size_t rows = work->dataset->rows, last = end * BLOCK_ROWS < rows ? end * BLOCK_ROWS : rows;
    chunk *chunk = NULL;
    piece piece = {0};
    sum_tree tree = {0};
    part->status = figures_make(work->count, &part->figures, &part->error);
    if (part->status == TANDA_OK) part->status = allocate(&chunk, 1, sizeof *chunk, "rows", &part->error);
    if (part->status == TANDA_OK) part->status = tree_make(&tree, BLOCK_ROWS, work->columns, &part->error);
    if (part->status == TANDA_OK) part->status = piece_make(work, &piece, &part->error);
    if (part->status == TANDA_OK)
        part->status = add_blocks(work, first * BLOCK_ROWS, last, &piece, chunk, &tree, part);
    free(piece.read);
    free(tree.stack);
    free(chunk);
}

static void join_figures(figures *all, const figures *part, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        if (part->minimum[i] < all->minimum[i]) all->minimum[i] = part->minimum[i];
        if (part->maximum[i] > all->maximum[i]) all->maximum[i] = part->maximum[i];
        all->missing[i] += part->missing[i];
        all->has_fraction[i] = all->has_fraction[i] || part->has_fraction[i];
        value_set_join(&all->sets[i], &part->sets[i]);
    }
}

/* Of a source in binary32 the decimal that it stands for, with what a cache has subtracted. */
static double as_it_came(const column_group *group, double origin, double value) {
    return (group->exact != NULL ? value : shortest_decimal((float)value) + origin) + 0.0; /* 0, not -0 */
}

static void finish_column(const column_group *group, const figures *figures, size_t column, double sum,
                          const tanda_dataset *dataset, column_profile *profile) {
    const value_set *set = &figures->sets[column];
    const size_t feature = group->first + column;
    const bool is_text = dataset->raw.is_category != NULL && dataset->raw.is_category[feature];
    const double origin = group->exact != NULL || dataset->origins == NULL ? 0.0 : dataset->origins[feature];
    *profile = (column_profile){.type = set->count == 0                                      ? COLUMN_EMPTY
                                        : is_text                                            ? COLUMN_TEXT
                                        : figures->has_fraction[column] || !is_whole(origin) ? COLUMN_REAL
                                                                                             : COLUMN_INTEGER,
                                .missing = figures->missing[column],
                                .distinct = set->count,
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
                            : sum / (double)(dataset->rows - profile->missing) + origin;
    }
    const counted_value *frequent = value_set_most_frequent(set);
    if (set->has_more || (frequent->rows == 1 && set->count > 1)) return;
    profile->most_frequent_rows = frequent->rows;
    if (is_text)
        profile->most_frequent_text = dataset->raw.categories[feature].texts.texts[(size_t)frequent->value];
    else
        profile->most_frequent = as_it_came(group, origin, frequent->value);
}

static tanda_status finish_pass(const pass_work *work, size_t parts, const double *sums,
                                column_profile *profiles, tanda_error *error) {
    for (size_t i = 0; i < work->count; i++) {
        const column_group *group = &work->groups[i];
        figures *all = &work->parts[0].figures[i];
        for (size_t part = 1; part < parts; part++)
            join_figures(all, &work->parts[part].figures[i], group->count);
        for (size_t column = 0; column < group->count; column++) {
            if (all->sets[column].failed)
                return fail(error, TANDA_FAILED, "no memory for the distinct values of the columns");
            finish_column(group, all, column, *sums++, work->dataset, &profiles[group->first + column]);
        }
    }
    return TANDA_OK;
}

/* Threads share the rows. What they find is the same however that is done, and sums are of blocks and of a tree over these. */
static tanda_status run_pass(pass_work *work, column_profile *profiles, tanda_error *error) {
    const size_t columns = work->columns, threads = parallel_threads();
    const size_t blocks = (work->dataset->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
    work->blocks_of_part = (blocks + threads - 1) / threads;
    const size_t parts = (blocks + work->blocks_of_part - 1) / work->blocks_of_part;
    sum_tree tree = {0};
    tanda_status status = allocate(&work->parts, parts, sizeof *work->parts, "columns", error);
    if (status == TANDA_OK)
        status = allocate(&work->sums, blocks * columns, sizeof *work->sums, "sums of columns", error);
    if (status == TANDA_OK) status = tree_make(&tree, blocks * SUM_CHUNK_ROWS, columns, error);
    if (status == TANDA_OK) parallel_ranges(blocks, work->blocks_of_part, profile_part, work);
    for (size_t part = 0; status == TANDA_OK && part < parts; part++) {
        status = work->parts[part].status;
        if (status != TANDA_OK && error != NULL) *error = work->parts[part].error;
    }
    for (size_t block = 0; status == TANDA_OK && block < blocks; block++) {
        memcpy(tree_top(&tree), work->sums + block * columns, columns * sizeof *work->sums);
        tree_push(&tree);
    }
    if (status == TANDA_OK) status = finish_pass(work, parts, tree_sum(&tree), profiles, error);
    for (size_t part = 0; work->parts != NULL && part < parts; part++)
        figures_free(work->count, work->parts[part].figures);
    free(work->parts);
    free(work->sums);
    free(tree.stack);
    return status;
}

/* Whether the next column in binary64 is that of the feature; both ascend. */
static bool is_next(const exact_columns *exact, size_t next, size_t feature) {
    return next < exact->count && exact->features[next] == feature;
}

/* The features from *first on that lie side by side; *next is that of the exact columns. */
static column_group take_group(const tanda_dataset *dataset, size_t *first, size_t *next) {
    const exact_columns *exact = &dataset->exact;
    const bool is_exact = is_next(exact, *next, *first);
    column_group group = {.exact = is_exact ? exact : NULL, .first_exact = *next, .first = *first};
    while (*first < dataset->features && group.count < COLUMNS_AT_ONCE &&
           is_next(exact, *next, *first) == is_exact) {
        group.count++;
        ++*first;
        *next += is_exact;
    }
    return group;
}

tanda_status profile_columns(const tanda_dataset *dataset, column_profile **profiles, tanda_error *error) {
    const size_t share = dataset->feed == NULL ? 1 : GROUPS_AT_ONCE / parallel_threads(),
                 most = share < 1 ? 1 : share;
    column_profile *made = NULL;
    tanda_status status = allocate(&made, dataset->features, sizeof *made, "columns", error);
    for (size_t first = 0, next = 0; status == TANDA_OK && first < dataset->features;) {
        pass_work work = {.dataset = dataset};
        while (first < dataset->features && work.count < most) {
            const column_group group = work.groups[work.count++] = take_group(dataset, &first, &next);
            work.columns += group.count;
            work.reads = work.reads || (group.exact == NULL && dataset->feed != NULL);
        }
        status = run_pass(&work, made, error);
    }
    if (status == TANDA_OK)
        *profiles = made;
    else
        free(made);
    return status;
}
