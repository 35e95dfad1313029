/* A preparation and a scaling applied to rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/feed_wrap.h"
#include "data/origin.h"
#include "data/place.h"
#include "data/preparation.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/parallel.h"

#define UNKNOWN UINT32_MAX
#define ROWS_AT_ONCE 1024

/* One data set on its way. */
typedef struct work {
    tanda_dataset *dataset;
    const preparation *preparation;
    size_t features;
    uint32_t **
        ranks; /* (columns): of a column of categories, where each of the data set's is among the known ones */
    float *made; /* (rows, features) */
    size_t missing;
} work;

/* Refuses the unknown category that comes first in the file, if a row is of one. */
static tanda_status refuse_unknown(const work *work, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    const place *first = NULL;
    size_t at_column = 0, at_category = 0;
    for (size_t row = 0; row < dataset->rows; row++) {
        const float *values = dataset->values + row * dataset->features;
        for (size_t i = 0; i < dataset->features; i++) {
            if (work->ranks[i] == NULL || isnan(values[i]) || work->ranks[i][(size_t)values[i]] != UNKNOWN)
                continue;
            const place *found = &dataset->raw.categories[i].places[(size_t)values[i]];
            if (first != NULL && !(found->part != first->part   ? found->part < first->part
                                   : found->line != first->line ? found->line < first->line
                                   : found->row != first->row   ? found->row < first->row
                                                                : found->column < first->column))
                continue;
            first = found;
            at_column = i;
            at_category = (size_t)values[i];
        }
    }
    if (first == NULL) return TANDA_OK;
    char text[SHOWN_SIZE], such[SHOWN_SIZE];
    const prepared_column *known = &work->preparation->of[at_column];
    const char *unknown = dataset->raw.categories[at_column].texts.texts[at_category];
    place place = *first;
    place.path = raw_columns_path(&dataset->raw, &place);
    if (dataset->feature_names != NULL) place.name = dataset->feature_names[at_column];
    return fail_at(error, &place,
                   "'%s' is none of the %zu categories of the training rows, such as '%s'; "
                   "--unknown-category zero takes it",
                   shown(unknown, strlen(unknown), text), known->category_count,
                   shown(known->categories[0], strlen(known->categories[0]), such));
}

static tanda_status find_ranks(work *work, bool zero_unknown, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    tanda_status status = allocate(&work->ranks, dataset->features, sizeof *work->ranks, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < dataset->features; i++) {
        const prepared_column *known = &work->preparation->of[i];
        if (!dataset->raw.is_category[i]) continue;
        const text_set *texts = &dataset->raw.categories[i].texts;
        status = allocate(&work->ranks[i], texts->count, sizeof *work->ranks[i], "categories", error);
        for (size_t t = 0; status == TANDA_OK && t < texts->count; t++) {
            uint32_t rank = 0;
            while (rank < known->category_count && !texts_are_same(known->categories[rank], texts->texts[t]))
                rank++;
            work->ranks[i][t] = rank < known->category_count ? rank : UNKNOWN;
        }
    }
    return status == TANDA_OK && !zero_unknown ? refuse_unknown(work, error) : status;
}

/* Rows from columns to features. */
static void prepare_rows(void *context, size_t first, size_t end) {
    work *work = context;
    const size_t columns = work->dataset->features;
    size_t missing = 0;
    float *features = work->made + first * work->features;
    memset(features, 0, (end - first) * work->features * sizeof *features);
    for (size_t row = first; row < end; row++) {
        const float *values = work->dataset->values + row * columns;
        for (size_t i = 0; i < columns; i++) {
            const prepared_column *column = &work->preparation->of[i];
            bool absent = isnan(values[i]);
            missing += absent;
            if (column->category_count == 0) {
                *features++ = absent ? column->mean : values[i];
                continue;
            }
            uint32_t rank = absent ? UNKNOWN : work->ranks[i][(size_t)values[i]];
            if (rank != UNKNOWN) features[rank] = 1.0f;
            features += column->category_count;
        }
    }
    __atomic_fetch_add(&work->missing, missing, __ATOMIC_RELAXED);
}

static tanda_status make_features(work *work, tanda_error *error) {
    tanda_dataset *dataset = work->dataset;
    char **names = NULL;
    if (!preparation_count(work->preparation, dataset->rows, &work->features))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: %zu rows of %zu features are more than this machine can address", dataset->raw.path,
                    dataset->rows, work->features);
    tanda_status status = preparation_names(work->preparation, &names, error);
    if (status != TANDA_OK) return status;
    work->made = allocate_untouched(dataset->rows * work->features * sizeof *work->made);
    if (work->made == NULL) {
        free_texts(names, work->features);
        return fail(error, TANDA_FAILED, "%s: no memory for %zu rows of %zu features, one for each category",
                    dataset->raw.path, dataset->rows, work->features);
    }
    parallel_ranges(dataset->rows, ROWS_AT_ONCE, prepare_rows, work);
    status = dataset_check(dataset, TANDA_OK, error);
    if (status == TANDA_OK && dataset->origins != NULL) { /* categories have none */
        double *spread = NULL;
        status = allocate(&spread, work->features, sizeof *spread, "origins", error);
        for (size_t i = 0, feature = 0; status == TANDA_OK && i < dataset->features; i++) {
            const size_t count = work->preparation->of[i].category_count;
            spread[feature] = dataset->origins[i];
            feature += count == 0 ? 1 : count;
        }
        if (status == TANDA_OK) free(dataset->origins);
        if (status == TANDA_OK) dataset->origins = spread;
    }
    free_texts(dataset->feature_names, dataset->features);
    raw_columns_free(&dataset->raw, dataset->features);
    free(dataset->owned);
    file_view_close(&dataset->mapping);
    dataset->feature_names = names;
    dataset->features = work->features;
    dataset->values = dataset->owned = work->made;
    dataset->missing = work->missing;
    return status;
}

tanda_status dataset_prepare(tanda_dataset *dataset, const preparation *preparation, tanda_unknown unknown,
                             tanda_error *error) {
    work work = {.dataset = dataset, .preparation = preparation};
    const raw_columns *raw = &dataset->raw;
    const size_t columns = dataset->features;
    if (preparation->columns == 0 && raw_columns_are_features(raw)) return TANDA_OK;
    if (dataset->feed != NULL) /* of numbers, none of which is missing */
        return fail(error, TANDA_BAD_INPUT,
                    "the rows are more than --memory, and the model has columns of categories or missing "
                    "values, which are prepared in memory; give a greater --memory");
    bool fits = preparation->columns == columns && (!raw->fills_missing || preparation->fills_missing);
    for (size_t i = 0; fits && i < columns; i++)
        fits = (raw->is_category != NULL && raw->is_category[i]) == (preparation->of[i].category_count > 0);
    if (!fits)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: its columns are not of the kinds that the model was made for",
                    raw->path != NULL ? raw->path : "data");
    bool is_plain = raw->is_category == NULL; /* the values, which may be mapped, can then stay */
    for (size_t i = 0; is_plain && i < dataset->rows * columns; i++)
        is_plain = !isnan(dataset->values[i]);
    if (is_plain) {
        dataset->raw.fills_missing = false;
        return TANDA_OK;
    }
    bool zero = unknown == TANDA_UNKNOWN_AUTO ? preparation->zero_unknown : unknown == TANDA_UNKNOWN_ZERO;
    tanda_status status = raw->is_category != NULL ? find_ranks(&work, zero, error) : TANDA_OK;
    if (status == TANDA_OK) status = make_features(&work, error);
    for (size_t i = 0; work.ranks != NULL && i < columns; i++)
        free(work.ranks[i]);
    free(work.ranks);
    return status;
}

/* Whether the rows are distances from the scaling's origins; those from memory are of none yet. */
static tanda_status match_origins(const tanda_dataset *dataset, const scaling *scaling, bool *subtracts,
                                  tanda_error *error) {
    *subtracts = dataset->origins == NULL && scaling->origin != NULL;
    if (dataset->origins == NULL) return TANDA_OK;
    if (scaling->origin != NULL &&
        memcmp(dataset->origins, scaling->origin, dataset->features * sizeof *dataset->origins) == 0)
        return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "the rows are distances from other origins than the model's; read them for the model "
                "(tanda_dataset_load_for_model)");
}

/* Rows that lie elsewhere are scaled as they are read. */
static tanda_status scale_feed(tanda_dataset *dataset, const scaling *scaling, bool subtracts,
                               tanda_error *error) {
    double *origins = NULL;
    tanda_status status = TANDA_OK;
    if (!subtracts && scaling->kind == TANDA_SCALE_NONE) return TANDA_OK;
    if (subtracts) status = origin_copy(scaling->origin, dataset->features, &origins, error);
    if (status == TANDA_OK) status = feed_scaled(dataset->feed, scaling, origins, &dataset->feed, error);
    if (status == TANDA_OK && subtracts)
        dataset->origins = origins;
    else
        free(origins);
    return status;
}

static tanda_status scale_rows(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    const bool is_none = scaling->kind == TANDA_SCALE_NONE;
    bool subtracts = false;
    if (!is_none && scaling->features != dataset->features)
        return fail(error, TANDA_BAD_INPUT, "--scale: the scaling has %zu features, the data %zu",
                    scaling->features, dataset->features);
    tanda_status status = match_origins(dataset, scaling, &subtracts, error);
    if (status == TANDA_OK && !is_none) dataset->from_bytes = false;
    if (status != TANDA_OK || dataset->feed != NULL)
        return status == TANDA_OK ? scale_feed(dataset, scaling, subtracts, error) : status;
    if (subtracts) status = origin_subtract(dataset, scaling->origin, error);
    if (status != TANDA_OK || is_none) return status;
    status = dataset_own_values(dataset, error);
    if (status != TANDA_OK) return status;
    return scaling_apply(scaling, dataset->feature_names, 0, dataset->rows, dataset->owned, error);
}

tanda_status dataset_scale(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    unsigned mode = enter_exact_mode();
    tanda_status status = scale_rows(dataset, scaling, error);
    leave_exact_mode(mode);
    return status;
}
