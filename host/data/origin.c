#include "data/origin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "data/preparation.h"
#include "data/table.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/text.h"

#define OF_A_PART \
    0x1p-9 /* whatever is ruined in several files together is so in each, by a bound this wide */

/* The origin of a column of what is expected; its categories stand in origins as features. */
static double origin_of_column(const dataset_expectation *expected, size_t column) {
    size_t feature = column;
    for (size_t i = 0; expected->columns != NULL && i < column; i++)
        if (expected->columns[i].category_count > 0) feature += expected->columns[i].category_count - 1;
    return expected->origins[feature];
}

static double origin_expected(const dataset_expectation *expected, char *const *names, size_t feature) {
    if (expected->origins == NULL) return 0.0;
    if (names == NULL || expected->feature_names == NULL)
        return feature < expected->feature_count ? origin_of_column(expected, feature) : 0.0;
    for (size_t i = 0; i < expected->feature_count; i++)
        if (strcmp(names[feature], expected->feature_names[i]) == 0) return origin_of_column(expected, i);
    return 0.0;
}

tanda_status origins_expected(const dataset_expectation *known, char *const *names, size_t features,
                              double **origins, tanda_error *error) {
    bool some = false;
    *origins = NULL;
    for (size_t i = 0; known != NULL && i < features; i++)
        some = some || origin_expected(known, names, i) != 0.0;
    if (!some) return TANDA_OK;
    const tanda_status status = allocate(origins, features, sizeof **origins, "origins", error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++)
        (*origins)[i] = origin_expected(known, names, i);
    return status;
}

/* Whether a column's values, those of rows that stay, are ruined; table NULL: all do. */
static bool is_ruined(const float *values, size_t rows, size_t step, const table *table, double bound) {
    column_spread found = column_spread_begin(0);
    for (size_t row = 0; row < rows && !found.is_fine; row++)
        if (table == NULL || !target_is_missing(table, row))
            column_spread_add(&found, (double)values[row * step], bound);
    return column_spread_is_ruined(&found);
}

tanda_status origin_choose(const request *request, table *table, tanda_error *error) {
    exact_columns *exact = &table->exact;
    const dataset_expectation *origins = request->origins;
    const double bound = request->has_parts ? OF_A_PART : ORIGIN_RUINED;
    const struct tanda_dataset *drops = request->options->drop_missing_targets ? table : NULL;
    if (origins != NULL && origins->origins == NULL) return TANDA_OK;
    const tanda_status status =
        allocate(&exact->features, table->features, sizeof *exact->features, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < table->features; i++) {
        if (table->raw.is_category != NULL && table->raw.is_category[i]) continue;
        if (request->is_look ||
            (origins != NULL ? origin_expected(origins, table->feature_names, i) != 0.0
                             : is_ruined(table->values + i, table->rows, table->features, drops, bound)))
            exact->features[exact->count++] = i;
    }
    return status;
}

tanda_status origin_join(const request *request, const table *tables, size_t count, table *joined,
                         tanda_error *error) {
    struct request whole = *request;
    size_t first = 0;
    bool some = false;
    whole.has_parts = false;
    for (size_t i = 0; i < count; i++)
        some = some || tables[i].exact.count > 0;
    if (!some) return TANDA_OK;
    tanda_status status = origin_choose(&whole, joined, error);
    exact_columns *exact = &joined->exact;
    if (status == TANDA_OK) status = exact_columns_make(joined->rows, exact, error);
    for (size_t i = 0; status == TANDA_OK && i < count; first += tables[i++].rows) {
        for (size_t c = 0; c < exact->count; c++) {
            const exact_columns *own = &tables[i].exact;
            const size_t feature = exact->features[c];
            size_t at = 0; /* own->count: the table has the feature in binary32 alone */
            while (at < own->count && own->features[at] != feature)
                at++;
            for (size_t row = 0; row < tables[i].rows; row++)
                exact->values[(first + row) * exact->count + c] =
                    at < own->count ? own->values[row * own->count + at]
                                    : (double)joined->values[(first + row) * joined->features + feature];
        }
    }
    return status;
}

/* A column of binary64 values, (rows) `step` apart. */
typedef struct exact_column {
    const double *values;
    size_t rows, step;
} exact_column;

static column_spread look_at(const exact_column *column, size_t feature) {
    column_spread found = column_spread_begin(feature);
    for (size_t row = 0; row < column->rows; row++)
        column_spread_add_exact(&found, column->values[row * column->step]);
    return found;
}

static float distance(double value, double origin) {
    const float rounded = (float)(value - origin);
    return rounded == 0.0f ? 0.0f : rounded;
}

static void put_distances(const exact_column *column, double origin, size_t feature, tanda_dataset *dataset) {
    for (size_t row = 0; row < column->rows; row++)
        dataset->owned[row * dataset->features + feature] =
            distance(column->values[row * column->step], origin);
    dataset->origins[feature] = origin;
}

/* Keeps features as distances, or only notes what collapses. */
static tanda_status find_origins(const request *request, const exact_columns *exact, tanda_dataset *dataset,
                                 tanda_error *error) {
    const bool kept = request->options->keep_origins;
    double *values = NULL;
    column_spread *found = NULL;
    tanda_status status = allocate(&values, dataset->rows, sizeof *values, "a column", error);
    if (status == TANDA_OK) status = allocate(&found, exact->count, sizeof *found, "columns", error);
    for (size_t c = 0; status == TANDA_OK && c < exact->count; c++) {
        const exact_column column = {values, dataset->rows, 1};
        const size_t feature = exact->features[c];
        if (request->is_look &&
            !is_ruined(dataset->values + feature, dataset->rows, dataset->features, NULL, ORIGIN_RUINED))
            continue;
        exact_columns_take(exact, c, 1, 0, dataset->rows, values);
        found[c] = look_at(&column, feature);
        if (kept && column_spread_is_kept(&found[c]))
            put_distances(&column, found[c].first, feature, dataset);
    }
    if (status == TANDA_OK) status = column_spreads_tell(found, exact->count, kept, dataset, error);
    free(values);
    free(found);
    return status;
}

/* Features that the source had in binary32 are subtracted from, too. */
static void take_origins(const request *request, const exact_columns *exact, tanda_dataset *dataset) {
    size_t next = 0;
    for (size_t i = 0; i < dataset->features; i++) {
        const double origin = origin_expected(request->origins, dataset->feature_names, i);
        const bool is_exact = next < exact->count && exact->features[next] == i;
        const exact_column column = {exact->values + next, dataset->rows, exact->count};
        next += is_exact;
        if (origin == 0.0) continue;
        if (is_exact) {
            put_distances(&column, origin, i, dataset);
            continue;
        }
        for (size_t row = 0; row < dataset->rows; row++) {
            float *value = &dataset->owned[row * dataset->features + i];
            *value = distance((double)*value, origin);
        }
        dataset->origins[i] = origin;
    }
}

tanda_status origin_apply(const request *request, const exact_columns *exact, tanda_dataset *dataset,
                          tanda_error *error) {
    const dataset_expectation *known = request->origins;
    bool some = known == NULL && exact->count > 0;
    for (size_t i = 0; known != NULL && !some && i < dataset->features; i++)
        some = origin_expected(known, dataset->feature_names, i) != 0.0;
    if (!some) return TANDA_OK;
    tanda_status status = dataset_own_values(dataset, error);
    if (status == TANDA_OK)
        status = allocate(&dataset->origins, dataset->features, sizeof *dataset->origins, "origins", error);
    if (status != TANDA_OK) return status;
    const unsigned mode = enter_exact_mode();
    if (known != NULL)
        take_origins(request, exact, dataset);
    else
        status = find_origins(request, exact, dataset, error);
    leave_exact_mode(mode);
    for (size_t i = 0; i < dataset->features; i++)
        if (dataset->origins[i] != 0.0) return status;
    free(dataset->origins); /* without one that is not 0 there are none */
    dataset->origins = NULL;
    return status;
}

tanda_status origin_subtract(tanda_dataset *dataset, const double *origins, tanda_error *error) {
    tanda_status status = dataset_own_values(dataset, error);
    if (status == TANDA_OK) status = origin_copy(origins, dataset->features, &dataset->origins, error);
    if (status == TANDA_OK) origins_subtract(origins, dataset->owned, dataset->rows, dataset->features);
    return status;
}
