/* A preparation and a scaling applied to rows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/category_marks.h"
#include "data/feed_wrap.h"
#include "data/origin.h"
#include "data/place.h"
#include "data/preparation.h"
#include "data/prepared_rows.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/parallel.h"

#define ROWS_AT_ONCE 1024

/* One data set on its way. */
typedef struct work {
    tanda_dataset *dataset;
    const preparation *preparation;
    prepared_rows *rows;
    float *made; /* (rows, features), of rows in memory */
    size_t missing;
} work;

static bool comes_before(const place *a, const place *b) {
    return a->part != b->part   ? a->part < b->part
           : a->line != b->line ? a->line < b->line
           : a->row != b->row   ? a->row < b->row
                                : a->column < b->column;
}

static tanda_status refuse(const work *work, size_t column, size_t category, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    char text[SHOWN_SIZE], such[SHOWN_SIZE];
    const prepared_column *known = &work->preparation->of[column];
    const char *unknown = dataset->raw.categories[column].texts.texts[category];
    place place = dataset->raw.categories[column].places[category];
    place.path = raw_columns_path(&dataset->raw, &place);
    if (dataset->feature_names != NULL) place.name = dataset->feature_names[column];
    return fail_at(error, &place,
                   "'%s' is none of the %zu categories of the training rows, such as '%s'; "
                   "--unknown-category zero takes it",
                   shown(unknown, strlen(unknown), text), known->category_count,
                   shown(known->categories[0], strlen(known->categories[0]), such));
}

/* Refuses the unknown category that comes first in the file, if a row is of one. */
static tanda_status refuse_unknown(const work *work, const category_marks *marks, tanda_error *error) {
    const raw_columns *raw = &work->dataset->raw;
    const place *first = NULL;
    size_t at_column = 0, at_category = 0;
    for (size_t i = 0; i < work->dataset->features; i++)
        for (size_t c = 0; marks->of[i] != NULL && c < raw->categories[i].texts.count; c++) {
            const place *found = &raw->categories[i].places[c];
            if (marks->of[i][c] == 0 || work->rows->ranks[i][c] != RANK_UNKNOWN ||
                (first != NULL && !comes_before(found, first)))
                continue;
            first = found;
            at_column = i;
            at_category = c;
        }
    return first == NULL ? TANDA_OK : refuse(work, at_column, at_category, error);
}

static tanda_status find_ranks(work *work, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    prepared_rows *rows = work->rows;
    tanda_status status = allocate(&rows->ranks, dataset->features, sizeof *rows->ranks, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < dataset->features; i++) {
        const prepared_column *known = &work->preparation->of[i];
        if (dataset->raw.is_category == NULL || !dataset->raw.is_category[i]) continue;
        const text_set *texts = &dataset->raw.categories[i].texts;
        status = allocate(&rows->ranks[i], texts->count, sizeof *rows->ranks[i], "categories", error);
        for (size_t t = 0; status == TANDA_OK && t < texts->count; t++) {
            uint32_t rank = 0;
            while (rank < known->category_count && !texts_are_same(known->categories[rank], texts->texts[t]))
                rank++;
            rows->ranks[i][t] = rank < known->category_count ? rank : RANK_UNKNOWN;
        }
    }
    return status;
}

/* How columns become features, for the rows of the data set. */
static tanda_status make_rows(work *work, tanda_error *error) {
    const tanda_dataset *dataset = work->dataset;
    prepared_rows *rows = work->rows;
    if (!preparation_count(work->preparation, dataset->rows, &rows->features))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: %zu rows of %zu features are more than this machine can address", dataset->raw.path,
                    dataset->rows, rows->features);
    rows->columns = dataset->features;
    tanda_status status = preparation_copy(work->preparation, NULL, &rows->preparation, error);
    if (status == TANDA_OK) status = find_ranks(work, error);
    return status == TANDA_OK ? raw_columns_copy(&dataset->raw, dataset->features, &rows->raw, error)
                              : status;
}

static void prepare_some(void *context, size_t first, size_t end) {
    work *work = context;
    const prepared_rows *rows = work->rows;
    prepared_rows_make(rows, work->dataset->values + first * rows->columns, end - first,
                       work->made + first * rows->features);
}

/* Origins of features; categories have none. */
static tanda_status spread_origins(work *work, tanda_error *error) {
    tanda_dataset *dataset = work->dataset;
    double *spread = NULL;
    if (dataset->origins == NULL) return TANDA_OK;
    const tanda_status status = allocate(&spread, work->rows->features, sizeof *spread, "origins", error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0, feature = 0; i < dataset->features; i++) {
        const size_t count = work->preparation->of[i].category_count;
        spread[feature] = dataset->origins[i];
        feature += count == 0 ? 1 : count;
    }
    free(dataset->origins);
    dataset->origins = spread;
    return TANDA_OK;
}

/* Rows in memory are made at once, others as they are read. */
static tanda_status make_values(work *work, tanda_error *error) {
    tanda_dataset *dataset = work->dataset;
    const size_t features = work->rows->features;
    if (dataset->feed != NULL) {
        const tanda_status status = feed_prepared(dataset->feed, work->rows, &dataset->feed, error);
        if (status == TANDA_OK) work->rows = NULL;
        return status;
    }
    work->made = allocate_untouched(dataset->rows * features * sizeof *work->made);
    if (work->made == NULL)
        return fail(error, TANDA_FAILED, "%s: no memory for %zu rows of %zu features, one for each category",
                    dataset->raw.path, dataset->rows, features);
    parallel_ranges(dataset->rows, ROWS_AT_ONCE, prepare_some, work);
    return dataset_check(dataset, TANDA_OK, error);
}

static tanda_status make_features(work *work, tanda_error *error) {
    tanda_dataset *dataset = work->dataset;
    const size_t features = work->rows->features;
    char **names = NULL;
    tanda_status status = preparation_names(work->preparation, &names, error);
    if (status == TANDA_OK) status = spread_origins(work, error);
    if (status == TANDA_OK) status = make_values(work, error);
    if (status != TANDA_OK) {
        free_texts(names, features);
        free(work->made);
        return status;
    }
    free_texts(dataset->feature_names, dataset->features);
    raw_columns_free(&dataset->raw, dataset->features);
    free(dataset->owned);
    file_view_close(&dataset->mapping);
    dataset->feature_names = names;
    dataset->features = features;
    dataset->values = dataset->owned = work->made;
    dataset->missing = work->missing;
    return TANDA_OK;
}

static tanda_status check_kinds(const tanda_dataset *dataset, const preparation *preparation,
                                tanda_error *error) {
    const raw_columns *raw = &dataset->raw;
    const size_t columns = dataset->features;
    bool fits = preparation->columns == columns && (!raw->fills_missing || preparation->fills_missing);
    for (size_t i = 0; fits && i < columns; i++)
        fits = (raw->is_category != NULL && raw->is_category[i]) == (preparation->of[i].category_count > 0);
    if (fits) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: its columns are not of the kinds that the model was made for",
                raw->path != NULL ? raw->path : "data");
}

tanda_status dataset_prepare(tanda_dataset *dataset, const preparation *preparation, tanda_unknown unknown,
                             tanda_error *error) {
    work work = {.dataset = dataset, .preparation = preparation};
    category_marks marks = {0};
    if (preparation->columns == 0 && raw_columns_are_features(&dataset->raw)) return TANDA_OK;
    tanda_status status = check_kinds(dataset, preparation, error);
    if (status == TANDA_OK) status = category_marks_find(dataset, &marks, error);
    if (status != TANDA_OK) return status;
    work.missing = marks.missing;
    if (dataset->raw.is_category == NULL && marks.missing == 0) { /* values, which may be mapped, can stay */
        dataset->raw.fills_missing = false;
        category_marks_free(&marks);
        return TANDA_OK;
    }
    const bool zero =
        unknown == TANDA_UNKNOWN_AUTO ? preparation->zero_unknown : unknown == TANDA_UNKNOWN_ZERO;
    status = allocate(&work.rows, 1, sizeof *work.rows, "columns", error);
    if (status == TANDA_OK) status = make_rows(&work, error);
    if (status == TANDA_OK && !zero) status = refuse_unknown(&work, &marks, error);
    if (status == TANDA_OK) status = make_features(&work, error);
    category_marks_free(&marks);
    prepared_rows_free(work.rows);
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
