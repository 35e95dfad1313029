/*
 * The figures must be the same bits everywhere: all sums are of binary64 in a fixed order, and only + - * /
 * and sqrt are used.
 */
#include "data/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_pass.h"
#include "data/place.h"
#include "data/sum_tree.h"
#include "support/floating_mode.h"
#include "support/memory.h"

static const char *const kind_names[] = {
    [TANDA_SCALE_NONE] = "none",
    [TANDA_SCALE_STANDARD] = "standard",
    [TANDA_SCALE_MINMAX] = "minmax",
};

/* All have the population's deviation, and the range from 0 to 1. */
static const synonym synonyms[] = {
    {"standard_scaler", "standard", NULL},
    {"standardize", "standard", NULL},
    {"standardise", "standard", NULL},
    {"normalization", "standard", NULL},
    {"zscore", "standard", NULL},
    {"min_max_scaler", "minmax", NULL},
    {"minmax_scale", "minmax", NULL},
    {"passthrough", "none", NULL},
    {"normalizer", NULL, "scikit-learn's makes each row's length 1; standard and minmax scale columns"},
    {"normalize", NULL, "scikit-learn's makes each row's length 1; standard and minmax scale columns"},
};

const vocabulary scaling_words = WORDS_OF(kind_names, synonyms);

const char *scaling_name(tanda_scale kind) {
    return (size_t)kind < scaling_words.count ? kind_names[kind] : "unknown";
}

bool scaling_from_name(const char *name, tanda_scale *kind) {
    const size_t index = vocabulary_index(&scaling_words, name);
    if (index == scaling_words.count) return false;
    *kind = (tanda_scale)index;
    return true;
}

void scaling_free(scaling *scaling) {
    free(scaling->center);
    free(scaling->factor);
    free(scaling->origin);
    *scaling = (struct scaling){0};
}

size_t scaling_constant_count(const scaling *scaling) {
    size_t count = 0;
    for (size_t i = 0; i < scaling->features; i++)
        count += scaling->factor[i] == 0.0f;
    return count;
}

tanda_status origin_copy(const double *origins, size_t features, double **copy, tanda_error *error) {
    *copy = NULL;
    if (origins == NULL) return TANDA_OK;
    const tanda_status status = allocate(copy, features, sizeof **copy, "origins", error);
    if (status == TANDA_OK) memcpy(*copy, origins, features * sizeof **copy);
    return status;
}

static tanda_status copy_figures(const float *source, const size_t *from, size_t count, float **copy,
                                 tanda_error *error) {
    const tanda_status status = allocate(copy, count, sizeof **copy, "scaling", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        (*copy)[i] = source[from == NULL ? i : from[i]];
    return status;
}

tanda_status scaling_copy(const scaling *source, const size_t *from, scaling *copy, tanda_error *error) {
    scaling made = {.kind = source->kind, .features = source->features};
    tanda_status status = TANDA_OK;
    if (source->kind != TANDA_SCALE_NONE)
        status = copy_figures(source->center, from, source->features, &made.center, error);
    if (status == TANDA_OK && source->kind != TANDA_SCALE_NONE)
        status = copy_figures(source->factor, from, source->features, &made.factor, error);
    if (status == TANDA_OK) status = origin_copy(source->origin, source->features, &made.origin, error);
    for (size_t i = 0; status == TANDA_OK && made.origin != NULL && from != NULL && i < source->features; i++)
        made.origin[i] = source->origin[from[i]];
    if (status == TANDA_OK)
        *copy = made;
    else
        scaling_free(&made);
    return status;
}

/* ---- figures of columns, in passes ------------------------------------------------------------------------- */

/* What is found of each column, and on the way to it. */
typedef struct column_figures {
    size_t columns;
    bool of_labels;     /* the columns are the labels, binary32 targets */
    float *low, *high;  /* (columns), or NULL: not looked for */
    const double *mean; /* or NULL: sums are of x, and not of (x - mean)^2 */
    sum_tree tree;      /* of blocks; without a stack no sums are made */
} column_figures;

/* Those of a block: its sums, a part of the tree of all rows as it has a power of two of chunks; then extremes. */
static double *block_sums(void *state) {
    return state;
}

static float *block_extremes(const column_figures *figures, void *state) {
    return (float *)(block_sums(state) + figures->columns);
}

static void add_chunk(const column_figures *figures, const float *values, size_t rows, double *sums) {
    const size_t columns = figures->columns;
    const double *mean = figures->mean;
    for (const float *row = values; row < values + rows * columns; row += columns)
        for (size_t i = 0; i < columns; i++) {
            double term = row[i];
            if (mean != NULL) {
                const double distance = term - mean[i];
                term = distance * distance;
            }
            sums[i] += term;
        }
}

static void find_extremes(const column_figures *figures, const float *values, size_t rows, float *low,
                          float *high) {
    const size_t columns = figures->columns;
    memcpy(low, values, columns * sizeof *low);
    memcpy(high, values, columns * sizeof *high);
    for (const float *row = values + columns; row < values + rows * columns; row += columns)
        for (size_t i = 0; i < columns; i++) {
            low[i] = row[i] < low[i] ? row[i] : low[i];
            high[i] = row[i] > high[i] ? row[i] : high[i];
        }
}

static tanda_status map_figures(void *context, void *state, const pass_block *block, tanda_error *error) {
    const column_figures *figures = context;
    const size_t columns = figures->columns;
    const float *values = figures->of_labels ? block->at.labels : block->at.values;
    if (figures->low != NULL) {
        float *low = block_extremes(figures, state);
        find_extremes(figures, values, block->rows, low, low + columns);
    }
    if (figures->tree.stack == NULL) return TANDA_OK;
    sum_tree tree = {0};
    const tanda_status status = tree_make(&tree, block->rows, columns, error);
    if (status != TANDA_OK) return status;
    for (size_t first = 0; first < block->rows; first += SUM_CHUNK_ROWS) {
        const size_t left = block->rows - first;
        add_chunk(figures, values + first * columns, left < SUM_CHUNK_ROWS ? left : SUM_CHUNK_ROWS,
                  tree_top(&tree));
        tree_push(&tree);
    }
    memcpy(block_sums(state), tree_sum(&tree), columns * sizeof(double));
    free(tree.stack);
    return TANDA_OK;
}

static tanda_status join_figures(void *context, void *state, const pass_block *block, tanda_error *error) {
    column_figures *figures = context;
    const size_t columns = figures->columns;
    const float *low = block_extremes(figures, state), *high = low + columns;
    (void)error;
    for (size_t i = 0; figures->low != NULL && i < columns; i++) {
        if (block->index == 0 || low[i] < figures->low[i]) figures->low[i] = low[i];
        if (block->index == 0 || high[i] > figures->high[i]) figures->high[i] = high[i];
    }
    if (figures->tree.stack == NULL) return TANDA_OK;
    memcpy(tree_top(&figures->tree), block_sums(state), columns * sizeof(double));
    tree_push(&figures->tree);
    return TANDA_OK;
}

static tanda_status figures_pass(const feed *rows, column_figures *figures, tanda_error *error) {
    const feed_pass pass = {.values = !figures->of_labels,
                            .labels = figures->of_labels,
                            .block_rows = feed_pass_rows(rows, SUM_CHUNK_ROWS),
                            .state_size = figures->columns * (sizeof(double) + 2 * sizeof(float)),
                            .map = map_figures,
                            .reduce = join_figures,
                            .context = figures};
    return feed_pass_run(rows, &pass, error);
}

/*
 * Mean and standard deviation (of the population) of each column, in two passes in double, and the extremes where figures
 * has room for them.
 */
static tanda_status column_moments(const feed *rows, column_figures *figures, double *mean, double *deviation,
                                   tanda_error *error) {
    const size_t columns = figures->columns;
    tanda_status status = tree_make(&figures->tree, rows->rows, columns, error);
    if (status == TANDA_OK) status = figures_pass(rows, figures, error);
    const double *sums = status == TANDA_OK ? tree_sum(&figures->tree) : NULL;
    for (size_t i = 0; status == TANDA_OK && i < columns; i++)
        mean[i] = sums[i] / (double)rows->rows;
    figures->mean = mean;
    figures->low = figures->high = NULL; /* they are found */
    if (status == TANDA_OK) status = figures_pass(rows, figures, error);
    if (status == TANDA_OK) sums = tree_sum(&figures->tree);
    for (size_t i = 0; status == TANDA_OK && i < columns; i++)
        deviation[i] = sqrt(sums[i] / (double)rows->rows);
    free(figures->tree.stack);
    return status;
}

/*
 * One feature's center and 1 / spread. A constant column gets factor 0: nothing is known of how it matters, so no value
 * of it may decide a prediction.
 */
static tanda_status set_feature(scaling *result, size_t feature, float low, float high, double center,
                                double spread, tanda_error *error) {
    bool constant = low == high;
    float middle = constant ? low : (float)center;
    float factor = constant ? 0.0f : (float)(1.0 / spread);
    if (!isfinite(factor))
        return fail(error, TANDA_BAD_INPUT,
                    "--scale %s: feature %zu (from 0) varies by only %.3g, which binary32 cannot scale; use "
                    "--scale none "
                    "or leave it out",
                    scaling_name(result->kind), feature, spread);
    result->center[feature] = middle == 0.0f ? 0.0f : middle;
    result->factor[feature] = factor;
    return TANDA_OK;
}

/* The center and factor of each feature. In the exact mode. */
static tanda_status fit(const feed *rows, double *moments, float *extremes, scaling *made,
                        tanda_error *error) {
    const size_t features = rows->features;
    const bool is_minmax = made->kind == TANDA_SCALE_MINMAX;
    double *mean = moments, *deviation = moments + features;
    float *low = extremes, *high = extremes + features;
    column_figures figures = {.columns = features, .low = low, .high = high};
    tanda_status status = is_minmax ? figures_pass(rows, &figures, error)
                                    : column_moments(rows, &figures, mean, deviation, error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++) {
        const double range = (double)high[i] - (double)low[i];
        status = set_feature(made, i, low[i], high[i], is_minmax ? (double)low[i] : mean[i],
                             is_minmax ? range : deviation[i], error);
    }
    return status;
}

tanda_status scaling_fit(tanda_scale kind, const feed *rows, scaling *result, tanda_error *error) {
    const size_t features = rows->features;
    if (kind == TANDA_SCALE_NONE || rows->rows == 0) {
        *result = (scaling){.kind = TANDA_SCALE_NONE};
        return TANDA_OK;
    }
    scaling made = {.kind = kind, .features = features};
    double *moments = NULL;
    float *extremes = NULL;
    tanda_status status = allocate(&made.center, features, sizeof(float), "scaling", error);
    if (status == TANDA_OK) status = allocate(&made.factor, features, sizeof(float), "scaling", error);
    if (status == TANDA_OK) status = allocate(&moments, 2 * features, sizeof *moments, "means", error);
    if (status == TANDA_OK) status = allocate(&extremes, 2 * features, sizeof *extremes, "scaling", error);
    if (status == TANDA_OK) {
        const unsigned mode = enter_exact_mode();
        status = fit(rows, moments, extremes, &made, error);
        leave_exact_mode(mode);
    }
    free(moments);
    free(extremes);
    if (status == TANDA_OK)
        *result = made;
    else
        scaling_free(&made);
    return status;
}

tanda_status scaling_apply(const scaling *scaling, char *const *names, size_t first, size_t rows,
                           float *values, tanda_error *error) {
    const size_t features = scaling->features;
    for (size_t row = 0; row < rows; row++, values += features) {
        float worst = 0.0f; /* becomes NaN, and stays so, as soon as one value is not finite */
        for (size_t i = 0; i < features; i++) {
            float distance = values[i] - scaling->center[i], factor = scaling->factor[i];
            float scaled = factor == 0.0f ? 0.0f : distance * factor;
            values[i] = scaled == 0.0f ? 0.0f : scaled;
            worst += scaled - scaled;
        }
        for (size_t i = 0; worst != 0.0f && i < features; i++)
            if (!isfinite(values[i])) {
                char name[SHOWN_SIZE] = "";
                if (names != NULL) shown(names[i], strlen(names[i]), name);
                return fail(
                    error, TANDA_BAD_INPUT,
                    "--scale: row %zu, feature %zu (from 0)%s%s: the scaled value is beyond the range of "
                    "binary32 (3.4e38)",
                    first + row, i, name[0] == '\0' ? "" : " ", name);
            }
    }
    return TANDA_OK;
}

/* Rounded once; -0 becomes 0. */
static float rounded(double value) {
    const float nearest = (float)value;
    return nearest == 0.0f ? 0.0f : nearest;
}

void origins_subtract(const double *origins, float *values, size_t rows, size_t features) {
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < features; i++)
            if (origins[i] != 0.0) {
                float *value = &values[row * features + i];
                *value = rounded((double)*value - origins[i]);
            }
}

tanda_status scaling_take_origins(scaling *scaling, const double *origins, size_t features,
                                  tanda_error *error) {
    if (origins != NULL && scaling->kind == TANDA_SCALE_NONE)
        return fail(error, TANDA_USAGE,
                    "rows that are distances from origins go with a scaling; read them without keep_origins");
    return origin_copy(origins, features, &scaling->origin, error);
}

void target_scaling_free(target_scaling *scaling) {
    free(scaling->mean);
    free(scaling->deviation);
    *scaling = (target_scaling){0};
}

tanda_status target_scaling_fit(const feed *rows, target_scaling *result, tanda_error *error) {
    const size_t count = rows->label_width;
    target_scaling made = {.targets = count};
    column_figures figures = {.columns = count, .of_labels = true};
    tanda_status status = allocate(&made.mean, count, sizeof *made.mean, "means", error);
    if (status == TANDA_OK)
        status = allocate(&made.deviation, count, sizeof *made.deviation, "deviations", error);
    if (status == TANDA_OK) {
        const unsigned mode = enter_exact_mode();
        status = column_moments(rows, &figures, made.mean, made.deviation, error);
        leave_exact_mode(mode);
    }
    if (status != TANDA_OK) {
        target_scaling_free(&made);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        if (made.deviation[i] == 0.0) made.deviation[i] = 1.0;
    *result = made;
    return TANDA_OK;
}

void target_scaling_apply(const target_scaling *scaling, const float *targets, size_t rows, float *made) {
    const unsigned mode = enter_exact_mode();
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < scaling->targets; i++, targets++, made++)
            *made = rounded(((double)*targets - scaling->mean[i]) / scaling->deviation[i]);
    leave_exact_mode(mode);
}

void target_scaling_undo(const target_scaling *scaling, size_t rows, float *values) {
    const unsigned mode = enter_exact_mode();
    for (size_t row = 0; row < rows; row++)
        for (size_t i = 0; i < scaling->targets; i++, values++)
            *values = rounded(scaling->mean[i] + scaling->deviation[i] * (double)*values);
    leave_exact_mode(mode);
}
