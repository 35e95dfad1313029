#include "data/feed_wrap.h"

#include <stdlib.h>
#include <string.h>

#include "data/recipe.h"
#include "support/floating_mode.h"
#include "support/memory.h"

tanda_status feed_wrap(feed *source, const feed_kind *kind, size_t size, void *wrapper, tanda_error *error) {
    feed *made = NULL;
    const tanda_status status = allocate(&made, 1, size, "feed", error);
    if (status != TANDA_OK) return status;
    *made = *source;
    made->kind = kind;
    made->source = source;
    made->shares = 0;
    memcpy(wrapper, &made, sizeof made);
    return TANDA_OK;
}

/* Of a wrapper that is not whole: the source stays the caller's. */
static void unwrap(feed *wrapper) {
    if (wrapper == NULL) return;
    wrapper->source = NULL;
    feed_free(wrapper);
}

/* ---- scaled ------------------------------------------------------------------------------------------------ */

typedef struct scaled_feed {
    feed feed;
    scaling scaling;
    double *origins; /* (features), or NULL */
} scaled_feed;

static void free_scaled(feed *feed) {
    scaled_feed *own = (scaled_feed *)feed;
    scaling_free(&own->scaling);
    free(own->origins);
    free(own);
}

static tanda_status read_scaled(const feed *feed, size_t first, size_t rows, const row_block *block,
                                tanda_error *error) {
    const scaled_feed *own = (const scaled_feed *)feed;
    tanda_status status = feed_read(feed->source, first, rows, block, error);
    if (status != TANDA_OK || block->values == NULL) return status;
    const unsigned mode = enter_exact_mode();
    if (own->origins != NULL) origins_subtract(own->origins, block->values, rows, feed->features);
    if (own->scaling.kind != TANDA_SCALE_NONE)
        status = scaling_apply(&own->scaling, NULL, first, rows, block->values, error);
    leave_exact_mode(mode);
    return status;
}

/* No scaled value may be beyond binary32, which would have to be told: numbers of such a size, and their sums, are far from that. */
#define TAME 1e10f

static bool is_small(float value) {
    return value < TAME && value > -TAME;
}

static bool is_tame(const synthetic *data, const scaling *scaling) {
    const float sizes[] = {data->noise, data->separation, data->margin};
    bool tame = true;
    for (size_t i = 0; i < 3; i++)
        tame &= is_small(sizes[i]);
    for (size_t i = 0; i < scaling->features; i++)
        tame &= is_small(scaling->center[i]) && is_small(scaling->factor[i]);
    return tame;
}

static bool give_scaled_recipe(const feed *feed, row_recipe *recipe) {
    const scaled_feed *own = (const scaled_feed *)feed;
    if (own->origins != NULL || !feed_recipe(feed->source, recipe) || recipe->center != NULL) return false;
    if (own->scaling.kind == TANDA_SCALE_NONE) return true;
    recipe->center = own->scaling.center;
    recipe->factor = own->scaling.factor;
    return is_tame(&recipe->data, &own->scaling);
}

tanda_status feed_scaled(feed *source, const scaling *scaling, const double *origins, feed **result,
                         tanda_error *error) {
    static const feed_kind kind = {.read = read_scaled, .free = free_scaled, .recipe = give_scaled_recipe};
    scaled_feed *made = NULL;
    tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status == TANDA_OK) status = scaling_copy(scaling, NULL, &made->scaling, error);
    if (status == TANDA_OK) status = origin_copy(origins, source->features, &made->origins, error);
    if (status == TANDA_OK)
        *result = &made->feed;
    else
        unwrap(&made->feed);
    return status;
}

/* ---- standardised targets ---------------------------------------------------------------------------------- */

typedef struct standardised_feed {
    feed feed;
    target_scaling scaling;
} standardised_feed;

static void free_standardised(feed *feed) {
    standardised_feed *own = (standardised_feed *)feed;
    target_scaling_free(&own->scaling);
    free(own);
}

static tanda_status read_standardised(const feed *feed, size_t first, size_t rows, const row_block *block,
                                      tanda_error *error) {
    const standardised_feed *own = (const standardised_feed *)feed;
    const tanda_status status = feed_read(feed->source, first, rows, block, error);
    if (status == TANDA_OK && block->labels != NULL)
        target_scaling_apply(&own->scaling, block->labels, rows, block->labels);
    return status;
}

tanda_status feed_standardised(feed *source, const target_scaling *scaling, feed **result,
                               tanda_error *error) {
    static const feed_kind kind = {.read = read_standardised, .free = free_standardised};
    const size_t targets = scaling->targets, size = targets * sizeof(double);
    standardised_feed *made = NULL;
    tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status == TANDA_OK) status = allocate(&made->scaling.mean, targets, sizeof(double), "means", error);
    if (status == TANDA_OK)
        status = allocate(&made->scaling.deviation, targets, sizeof(double), "deviations", error);
    if (status != TANDA_OK) {
        if (made != NULL) unwrap(&made->feed);
        return status;
    }
    made->scaling.targets = targets;
    memcpy(made->scaling.mean, scaling->mean, size);
    memcpy(made->scaling.deviation, scaling->deviation, size);
    *result = &made->feed;
    return TANDA_OK;
}

/* ---- weights of classes ------------------------------------------------------------------------------------ */

typedef struct weighted_feed {
    feed feed;
    double *weights; /* (class_count) */
} weighted_feed;

static void free_weighted(feed *feed) {
    free(((weighted_feed *)feed)->weights);
    free(feed);
}

static tanda_status read_weighted(const feed *feed, size_t first, size_t rows, const row_block *block,
                                  tanda_error *error) {
    const weighted_feed *own = (const weighted_feed *)feed;
    row_block wanted = *block;
    int32_t *made = NULL; /* labels that are not wanted but needed */
    tanda_status status = TANDA_OK;
    if (!feed->source->has_weights) wanted.weights = NULL;
    if (block->weights != NULL && block->labels == NULL) {
        status = allocate(&made, rows, sizeof *made, "labels", error);
        wanted.labels = made;
    }
    if (status == TANDA_OK) status = feed_read(feed->source, first, rows, &wanted, error);
    const int32_t *classes = wanted.labels;
    for (size_t row = 0; status == TANDA_OK && block->weights != NULL && row < rows; row++) {
        const double before = wanted.weights != NULL ? (double)wanted.weights[row] : 1.0;
        block->weights[row] = (float)(before * own->weights[classes[row]]);
    }
    free(made);
    return status;
}

tanda_status feed_weighted(feed *source, const double *weights, size_t class_count, feed **result,
                           tanda_error *error) {
    static const feed_kind kind = {.read = read_weighted, .free = free_weighted};
    weighted_feed *made = NULL;
    tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status == TANDA_OK)
        status = allocate(&made->weights, class_count, sizeof *made->weights, "weights", error);
    if (status != TANDA_OK) {
        if (made != NULL) unwrap(&made->feed);
        return status;
    }
    memcpy(made->weights, weights, class_count * sizeof *weights);
    made->feed.has_weights = true;
    *result = &made->feed;
    return TANDA_OK;
}

/* ---- a choice of rows -------------------------------------------------------------------------------------- */

typedef struct subset_feed {
    feed feed;
    row_marks *marks;
    bool marked;
} subset_feed;

static void free_subset(feed *feed) {
    row_marks_free(((subset_feed *)feed)->marks);
    free(feed);
}

static void move_row(void *values, size_t width, size_t from, size_t to) {
    float *at = values;
    if (values != NULL) memmove(at + to * width, at + from * width, width * sizeof *at);
}

/* Keeps the chosen ones of rows that lie in the block from source row `first` on, in their order; returns how many. */
static size_t keep_chosen(const subset_feed *own, size_t first, size_t rows, const row_block *block) {
    size_t kept = 0;
    for (size_t row = 0; row < rows; row++) {
        if (row_marks_has(own->marks, first + row) != own->marked) continue;
        if (kept != row) {
            move_row(block->values, own->feed.features, row, kept);
            move_row(block->labels, own->feed.label_width, row, kept);
            move_row(block->weights, 1, row, kept);
        }
        kept++;
    }
    return kept;
}

/* Source rows are read to where the chosen ones of them are to lie: there are never more than there is room for. */
static tanda_status read_subset(const feed *feed, size_t first, size_t rows, const row_block *block,
                                tanda_error *error) {
    const subset_feed *own = (const subset_feed *)feed;
    tanda_status status = TANDA_OK;
    for (size_t done = 0; status == TANDA_OK && done < rows;) {
        const size_t from = row_marks_find(own->marks, own->marked, first + done);
        const size_t wanted = rows - done, left = own->marks->rows - from;
        const size_t count = wanted < left ? wanted : left;
        const row_block rest = feed_block_from(feed, block, done);
        status = feed_read(feed->source, from, count, &rest, error);
        if (status == TANDA_OK) done += keep_chosen(own, from, count, &rest);
    }
    return status;
}

tanda_status feed_subset(feed *source, row_marks *marks, bool marked, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_subset, .free = free_subset};
    subset_feed *made = NULL;
    const tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status != TANDA_OK) return status;
    made->marks = row_marks_share(marks);
    made->marked = marked;
    made->feed.rows = marked ? marks->marked : marks->rows - marks->marked;
    *result = &made->feed;
    return TANDA_OK;
}

/* ---- rows in a row ----------------------------------------------------------------------------------------- */

typedef struct range_feed {
    feed feed;
    size_t first;
} range_feed;

static void free_range(feed *feed) {
    free(feed);
}

static tanda_status read_range(const feed *feed, size_t first, size_t rows, const row_block *block,
                               tanda_error *error) {
    return feed_read(feed->source, ((const range_feed *)feed)->first + first, rows, block, error);
}

tanda_status feed_range(feed *source, size_t first, size_t rows, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_range, .free = free_range};
    range_feed *made = NULL;
    const tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status != TANDA_OK) return status;
    made->first = first;
    made->feed.rows = rows;
    *result = &made->feed;
    return TANDA_OK;
}

/* ---- with weights ------------------------------------------------------------------------------------------- */

typedef struct paired_feed {
    feed feed;
    struct feed *weights;
} paired_feed;

static void free_paired(feed *feed) {
    feed_free(((paired_feed *)feed)->weights);
    free(feed);
}

static tanda_status read_paired(const feed *feed, size_t first, size_t rows, const row_block *block,
                                tanda_error *error) {
    const struct feed *weights = ((const paired_feed *)feed)->weights;
    const row_block of_weights = {.values = block->weights};
    tanda_status status = feed_read(feed->source, first, rows, block, error);
    if (status != TANDA_OK || block->weights == NULL) return status;
    status = feed_read(weights, first, rows, &of_weights, error);
    for (size_t row = 0; status == TANDA_OK && row < rows; row++)
        if (block->weights[row] < 0.0f)
            return fail(error, TANDA_BAD_INPUT, "row %zu (from 0): %.9g is no weight: weights are 0 or more",
                        first + row, (double)block->weights[row]);
    return status;
}

static tanda_status check_paired(const feed *feed, tanda_error *error) {
    return feed_check(((const paired_feed *)feed)->weights, TANDA_OK, error);
}

tanda_status feed_with_weights(feed *source, feed *weights, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_paired, .free = free_paired, .check = check_paired};
    paired_feed *made = NULL;
    const tanda_status status = feed_wrap(source, &kind, sizeof *made, &made, error);
    if (status != TANDA_OK) return status;
    made->weights = weights;
    made->feed.has_weights = true;
    *result = &made->feed;
    return TANDA_OK;
}

/* ---- several ----------------------------------------------------------------------------------------------- */

typedef struct joined_feed {
    feed feed;
    feed **of;     /* (count) */
    size_t *first; /* (count): which row the first of each is */
    size_t count;
} joined_feed;

static void free_joined(feed *feed) {
    joined_feed *own = (joined_feed *)feed;
    for (size_t i = 0; i < own->count; i++)
        feed_free(own->of[i]);
    free(own->of);
    free(own->first);
    free(own);
}

/* The last one that begins at the row or before it. */
static size_t find_joined(const joined_feed *own, size_t row) {
    size_t low = 0, high = own->count;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (own->first[middle] <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static tanda_status read_joined(const feed *feed, size_t first, size_t rows, const row_block *block,
                                tanda_error *error) {
    const joined_feed *own = (const joined_feed *)feed;
    tanda_status status = TANDA_OK;
    for (size_t i = find_joined(own, first), done = 0; status == TANDA_OK && done < rows; i++) {
        const size_t from = first + done - own->first[i], left = own->of[i]->rows - from;
        const size_t count = rows - done < left ? rows - done : left;
        const row_block rest = feed_block_from(feed, block, done);
        status = feed_read(own->of[i], from, count, &rest, error);
        done += count;
    }
    return status;
}

static tanda_status check_joined(const feed *feed, tanda_error *error) {
    const joined_feed *own = (const joined_feed *)feed;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < own->count; i++)
        status = feed_check(own->of[i], TANDA_OK, error);
    return status;
}

tanda_status feed_joined(feed *const *feeds, size_t count, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_joined, .free = free_joined, .check = check_joined};
    joined_feed *made = NULL;
    size_t rows = 0;
    tanda_status status = feed_wrap(feeds[0], &kind, sizeof *made, &made, error);
    if (status != TANDA_OK) return status;
    made->feed.source = NULL; /* it is the first of several */
    status = allocate(&made->of, count, sizeof *made->of, "feeds", error);
    if (status == TANDA_OK) status = allocate(&made->first, count, sizeof *made->first, "feeds", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        made->of[i] = feeds[i];
        made->first[i] = rows;
        if (add_overflows(rows, feeds[i]->rows, &rows))
            status = fail(error, TANDA_FAILED, "more rows than this machine can address");
    }
    if (status == TANDA_OK) {
        made->feed.rows = rows;
        made->count = count;
        *result = &made->feed;
    } else {
        free_joined(&made->feed);
    }
    return status;
}
