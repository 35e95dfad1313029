/* A preparation and a scaling applied to rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- categories --------------------------------------------------------------------------------------- */

/* Of two places in one file, whether the first comes earlier. */
static bool is_before(const place *a, const place *b) {
    if (a->part != b->part) return a->part < b->part;
    if (a->line != b->line) return a->line < b->line;
    return a->row != b->row ? a->row < b->row : a->column < b->column;
}

/* The rank of a category among the known ones, or UNKNOWN. */
static uint32_t rank_of(const prepared_column *column, const char *category) {
    for (size_t i = 0; i < column->category_count; i++)
        if (texts_are_same(column->categories[i], category)) return (uint32_t)i;
    return UNKNOWN;
}

static tanda_status rank_categories(const work *work, size_t column, uint32_t **ranks, tanda_error *error) {
    const text_set *texts = &work->dataset->raw.categories[column].texts;
    tanda_status status = allocate(ranks, texts->count, sizeof **ranks, "categories", error);
    for (size_t i = 0; status == TANDA_OK && i < texts->count; i++)
        (*ranks)[i] = rank_of(&work->preparation->of[column], texts->texts[i]);
    return status;
}

static tanda_status refuse(const work *work, size_t column, size_t category, tanda_error *error) {
    char text[SHOWN_SIZE], first[SHOWN_SIZE];
    const tanda_dataset *dataset = work->dataset;
    const prepared_column *known = &work->preparation->of[column];
    const char *unknown = dataset->raw.categories[column].texts.texts[category];
    place place = dataset->raw.categories[column].places[category];
    place.path = raw_columns_path(&dataset->raw, &place);
    if (dataset->feature_names != NULL) place.name = dataset->feature_names[column];
    return fail_at(error, &place,
                   "'%s' is none of the %zu categories of the training rows, such as '%s'; "
                   "--unknown-category zero takes it",
                   shown(unknown, strlen(unknown), text), known->category_count,
                   shown(known->categories[0], strlen(known->categories[0]), first));
}

/* Refuses the unknown category that comes first in the file, if a row is of one. */
static tanda_status refuse_unknown(const work *work, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    const place *earliest = NULL;
    size_t at_column = 0, at_category = 0;
    for (size_t row = 0; row < dataset->rows; row++) {
        const float *values = dataset->values + row * dataset->features;
        for (size_t i = 0; i < dataset->features; i++) {
            if (work->ranks[i] == NULL || isnan(values[i]) || work->ranks[i][(size_t)values[i]] != UNKNOWN)
                continue;
            const place *found = &dataset->raw.categories[i].places[(size_t)values[i]];
            if (earliest != NULL && !is_before(found, earliest)) continue;
            earliest = found;
            at_column = i;
            at_category = (size_t)values[i];
        }
    }
    return earliest == NULL ? TANDA_OK : refuse(work, at_column, at_category, error);
}

static tanda_status find_ranks(work *work, bool zero_unknown, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    tanda_status status = allocate(&work->ranks, dataset->features, sizeof *work->ranks, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < dataset->features; i++)
        if (dataset->raw.is_category[i]) status = rank_categories(work, i, &work->ranks[i], error);
    return status == TANDA_OK && !zero_unknown ? refuse_unknown(work, error) : status;
}

/* ---- values ------------------------------------------------------------------------------------------- */

/* One row from columns to features; the features are 0 before. Returns how many values were missing. */
static size_t prepare_row(const work *work, const float *values, float *features) {
    size_t missing = 0;
    for (size_t i = 0; i < work->dataset->features; i++) {
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
    return missing;
}

static void prepare_rows(void *context, size_t first, size_t end) {
    work *work = context;
    size_t missing = 0;
    memset(work->made + first * work->features, 0, (end - first) * work->features * sizeof *work->made);
    for (size_t row = first; row < end; row++)
        missing += prepare_row(work, work->dataset->values + row * work->dataset->features,
                               work->made + row * work->features);
    __atomic_fetch_add(&work->missing, missing, __ATOMIC_RELAXED);
}

/* The values' place is taken by the features. */
static void replace_values(work *work, char **names) {
    tanda_dataset *dataset = work->dataset;
    free_texts(dataset->feature_names, dataset->features);
    raw_columns_free(&dataset->raw, dataset->features);
    free(dataset->owned);
    file_view_close(&dataset->mapping);
    dataset->feature_names = names;
    dataset->features = work->features;
    dataset->values = dataset->owned = work->made;
    dataset->missing = work->missing;
}

/* Categories have none. */
static tanda_status spread_origins(const work *work, tanda_error *error) {
    tanda_dataset *dataset = work->dataset;
    double *spread = NULL;
    size_t feature = 0;
    if (dataset->origins == NULL) return TANDA_OK;
    const tanda_status status = allocate(&spread, work->features, sizeof *spread, "origins", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < dataset->features; i++) {
        const size_t count = work->preparation->of[i].category_count;
        spread[feature] = dataset->origins[i];
        feature += count == 0 ? 1 : count;
    }
    free(dataset->origins);
    dataset->origins = spread;
    return TANDA_OK;
}

static tanda_status make_features(work *work, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
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
    if (status == TANDA_OK) status = spread_origins(work, error);
    replace_values(work, names);
    return status;
}

/* Whether nothing is missing and nothing is a category: then the values, which may be mapped, can stay. */
static bool are_features(const tanda_dataset *dataset) {
    size_t count = dataset->rows * dataset->features;
    unsigned found = dataset->raw.is_category != NULL;
    for (size_t i = 0; found == 0 && i < count; i++)
        found |= isnan(dataset->values[i]) != 0;
    return found == 0;
}

static tanda_status prepare(work *work, bool zero_unknown, tanda_error *error) {
    tanda_status status = TANDA_OK;
    if (work->dataset->raw.is_category != NULL) status = find_ranks(work, zero_unknown, error);
    if (status == TANDA_OK) status = make_features(work, error);
    return status;
}

static bool same_kinds(const tanda_dataset *dataset, const preparation *preparation) {
    for (size_t i = 0; i < dataset->features; i++)
        if ((dataset->raw.is_category != NULL && dataset->raw.is_category[i]) !=
            (preparation->of[i].category_count > 0))
            return false;
    return true;
}

tanda_status dataset_prepare(tanda_dataset *dataset, const preparation *preparation, tanda_unknown unknown,
                             tanda_error *error) {
    work work = {.dataset = dataset, .preparation = preparation};
    size_t columns = dataset->features;
    if (preparation->columns == 0 && raw_columns_are_features(&dataset->raw)) return TANDA_OK;
    if (preparation->columns != columns || !same_kinds(dataset, preparation) ||
        (dataset->raw.fills_missing && !preparation->fills_missing))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: its columns are not of the kinds that the model was made for",
                    dataset->raw.path != NULL ? dataset->raw.path : "data");
    if (are_features(dataset)) {
        dataset->raw.fills_missing = false;
        return TANDA_OK;
    }
    bool zero = unknown == TANDA_UNKNOWN_AUTO ? preparation->zero_unknown : unknown == TANDA_UNKNOWN_ZERO;
    tanda_status status = prepare(&work, zero, error);
    for (size_t i = 0; work.ranks != NULL && i < columns; i++)
        free(work.ranks[i]);
    free(work.ranks);
    return status;
}

/* ---- scaling ------------------------------------------------------------------------------------------- */

static tanda_status not_finite(const tanda_dataset *dataset, size_t row, size_t feature, tanda_error *error) {
    char name[SHOWN_SIZE] = "";
    if (dataset->feature_names != NULL)
        shown(dataset->feature_names[feature], strlen(dataset->feature_names[feature]), name);
    return fail(error, TANDA_BAD_INPUT,
                "--scale: row %zu, feature %zu (from 0)%s%s: the scaled value is beyond the range of "
                "binary32 (3.4e38)",
                row, feature, name[0] == '\0' ? "" : " ", name);
}

static bool same_origins(const double *a, const double *b, size_t features) {
    return a != NULL && b != NULL && memcmp(a, b, features * sizeof *a) == 0;
}

/* Rows that came from memory have no origins yet. */
static tanda_status match_origins(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    if (dataset->origins == NULL && scaling->origin == NULL) return TANDA_OK;
    if (dataset->origins == NULL) return origin_subtract(dataset, scaling->origin, error);
    if (same_origins(dataset->origins, scaling->origin, dataset->features)) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT,
                "the rows are distances from other origins than the model's; read them for the model "
                "(tanda_dataset_load_for_model)");
}

static tanda_status scale_rows(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    if (scaling->kind == TANDA_SCALE_NONE) return match_origins(dataset, scaling, error);
    if (scaling->features != dataset->features)
        return fail(error, TANDA_BAD_INPUT, "--scale: the scaling has %zu features, the data %zu",
                    scaling->features, dataset->features);
    tanda_status status = match_origins(dataset, scaling, error);
    if (status == TANDA_OK) status = dataset_own_values(dataset, error);
    if (status != TANDA_OK) return status;
    dataset->from_bytes = false;
    for (size_t row = 0; row < dataset->rows; row++) {
        float *values = dataset->owned + row * dataset->features;
        float worst = 0.0f; /* becomes NaN, and stays so, as soon as one value is not finite */
        for (size_t i = 0; i < dataset->features; i++) {
            float distance = values[i] - scaling->center[i], factor = scaling->factor[i];
            float scaled = factor == 0.0f ? 0.0f : distance * factor;
            values[i] = scaled == 0.0f ? 0.0f : scaled;
            worst += scaled - scaled;
        }
        for (size_t i = 0; worst != 0.0f && i < dataset->features; i++)
            if (!isfinite(values[i])) return not_finite(dataset, row, i, error);
    }
    return TANDA_OK;
}

tanda_status dataset_scale(tanda_dataset *dataset, const scaling *scaling, tanda_error *error) {
    unsigned mode = enter_exact_mode();
    tanda_status status = scale_rows(dataset, scaling, error);
    leave_exact_mode(mode);
    return status;
}
