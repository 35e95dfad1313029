#include "data/origin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "data/preparation.h"
#include "data/table.h"
#include "support/floating_mode.h"
#include "support/memory.h"
#include "support/text.h"

#define RUINED 0x1p-10 /* of the greatest absolute value: values that lie closer are too coarse in binary32 */
#define OF_A_PART \
    0x1p-9 /* whatever is ruined in several files together is so in each, by a bound this wide */
#define COLUMNS_SHOWN 8

/* ---- which columns ------------------------------------------------------------------------------------ */

/* The origin of a column of what is expected; its categories stand in origins as features. */
static double expected_origin(const dataset_expectation *expected, size_t column) {
    size_t feature = column;
    for (size_t i = 0; expected->columns != NULL && i < column; i++)
        if (expected->columns[i].category_count > 0) feature += expected->columns[i].category_count - 1;
    return expected->origins[feature];
}

/* By name where both sides have names. 0 where there is none. */
static double known_origin(const dataset_expectation *expected, char *const *names, size_t feature) {
    if (expected->origins == NULL) return 0.0;
    if (names == NULL || expected->feature_names == NULL)
        return feature < expected->feature_count ? expected_origin(expected, feature) : 0.0;
    for (size_t i = 0; i < expected->feature_count; i++)
        if (strcmp(names[feature], expected->feature_names[i]) == 0) return expected_origin(expected, i);
    return 0.0;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* The least and greatest values of a column so far. */
typedef struct range {
    double low, high;
} range;

/* More values only make a column less likely to be ruined: what adds to the greatest absolute value adds no less to the spread. */
static bool is_wide_enough(range *range, double value, double bound) {
    if (!(value < range->low) && !(value > range->high)) return false;
    if (value < range->low) range->low = value;
    if (value > range->high) range->high = value;
    return range->high - range->low >= bound * larger(fabs(range->low), fabs(range->high));
}

/* Whether the feature's values, those of rows that stay, are ruined. So most columns are done with after two rows. */
static bool is_ruined(const request *request, const table *table, size_t feature) {
    const double bound = request->has_parts ? OF_A_PART : RUINED;
    const bool drops = request->options->drop_missing_targets;
    range range = {INFINITY, -INFINITY};
    for (size_t row = 0; row < table->rows; row++)
        if ((!drops || !target_is_missing(table, row)) &&
            is_wide_enough(&range, table->values[row * table->features + feature], bound))
            return false;
    return range.high >= range.low;
}

/* The same of a column that stays as it is. */
static bool is_ruined_column(const tanda_dataset *dataset, size_t feature) {
    range range = {INFINITY, -INFINITY};
    for (size_t row = 0; row < dataset->rows; row++)
        if (is_wide_enough(&range, dataset->values[row * dataset->features + feature], RUINED)) return false;
    return range.high >= range.low;
}

static bool is_wanted(const request *request, const table *table, size_t feature) {
    if (table->raw.is_category != NULL && table->raw.is_category[feature]) return false;
    if (request->is_look) return true;
    if (request->origins != NULL) return known_origin(request->origins, table->feature_names, feature) != 0.0;
    return is_ruined(request, table, feature);
}

tanda_status origin_choose(const request *request, table *table, tanda_error *error) {
    exact_columns *exact = &table->exact;
    if (request->origins != NULL && request->origins->origins == NULL) return TANDA_OK;
    const tanda_status status =
        allocate(&exact->features, table->features, sizeof *exact->features, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < table->features; i++)
        if (is_wanted(request, table, i)) exact->features[exact->count++] = i;
    return status;
}

/* ---- several files ------------------------------------------------------------------------------------ */

/* One feature of a table in binary64, `step` apart; NULL where the table has it in binary32 alone. */
static const double *find_exact(const table *table, size_t feature) {
    for (size_t i = 0; i < table->exact.count; i++)
        if (table->exact.features[i] == feature) return table->exact.values + i;
    return NULL;
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
            const double *values = find_exact(&tables[i], exact->features[c]);
            for (size_t row = 0; row < tables[i].rows; row++)
                exact->values[(first + row) * exact->count + c] =
                    values != NULL
                        ? values[row * tables[i].exact.count]
                        : (double)joined->values[(first + row) * joined->features + exact->features[c]];
        }
    }
    return status;
}

/* ---- the origins -------------------------------------------------------------------------------------- */

/* A column of binary64 values, (rows) `step` apart. */
typedef struct exact_column {
    const double *values;
    size_t rows, step;
} exact_column;

/* What a note says of a column. */
typedef struct finding {
    double origin;   /* the first value that is there */
    double spread;   /* 0: constant */
    double rounding; /* by how much binary32 would change a value */
} finding;

static finding look_at(const exact_column *column) {
    finding found = {.origin = NAN};
    double low = INFINITY, high = -INFINITY;
    for (size_t row = 0; row < column->rows; row++) {
        const double value = column->values[row * column->step];
        if (isnan(value)) continue;
        if (isnan(found.origin)) found.origin = value;
        if (value < low) low = value;
        high = larger(high, value);
        found.rounding = larger(found.rounding, fabs((double)(float)value - value));
    }
    found.spread = high > low ? high - low : 0.0;
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

/* A line for people, in the making. */
typedef struct note {
    char *text;
    size_t size;
    FILE *stream;
    size_t columns;
} note;

static void note_column(note *note, const tanda_dataset *dataset, size_t feature, const finding *found,
                        bool kept) {
    char name[SHOWN_SIZE];
    if (note->stream == NULL || note->columns++ >= COLUMNS_SHOWN) return;
    if (note->columns > 1) fputs(", ", note->stream);
    if (dataset->feature_names != NULL)
        fputs(shown(dataset->feature_names[feature], strlen(dataset->feature_names[feature]), name),
              note->stream);
    else
        fprintf(note->stream, "%zu", feature);
    if (kept)
        fprintf(note->stream, " from %.17g (binary32 would round by up to %.6g of a span of %.6g)",
                found->origin, found->rounding, found->spread);
    else
        fprintf(note->stream, " by up to %.6g of a span of %.6g", found->rounding, found->spread);
}

/* *text is left NULL where no column was noted. */
static tanda_status note_finish(note *note, bool kept, char **text, tanda_error *error) {
    int length = -1;
    if (note->stream == NULL || !text_stream_end(note->stream, &note->text)) {
        free(note->text);
        return fail(error, TANDA_FAILED, "no memory for a note on columns");
    }
    char more[40] = "";
    if (note->columns > COLUMNS_SHOWN) text_put(more, sizeof more, ", ... (%zu columns)", note->columns);
    if (note->columns > 0 && kept)
        length = asprintf(text, "kept as distances: %s%s", note->text, more);
    else if (note->columns > 0)
        length = asprintf(text, "rounded in binary32: %s%s; --scale standard keeps such columns as distances",
                          note->text, more);
    free(note->text);
    if (note->columns == 0 || length >= 0) return TANDA_OK;
    *text = NULL;
    return fail(error, TANDA_FAILED, "no memory for a note on columns");
}

/* Keeps the column of a feature as distances, or only notes what collapses. */
static void find_origin(const exact_column *column, size_t feature, bool kept, tanda_dataset *dataset,
                        note *note) {
    const finding found = look_at(column);
    if (found.spread == 0.0) return;
    if (kept) put_distances(column, found.origin, feature, dataset);
    if (kept || found.rounding > 0.0) note_column(note, dataset, feature, &found, kept);
}

static tanda_status find_origins(const request *request, const exact_columns *exact, tanda_dataset *dataset,
                                 tanda_error *error) {
    const bool kept = request->options->keep_origins;
    double *values = NULL;
    note note = {0};
    const tanda_status status = allocate(&values, dataset->rows, sizeof *values, "a column", error);
    if (status != TANDA_OK) return status;
    note.stream = open_memstream(&note.text, &note.size);
    for (size_t c = 0; c < exact->count; c++) {
        const exact_column column = {values, dataset->rows, 1};
        if (request->is_look && !is_ruined_column(dataset, exact->features[c])) continue;
        exact_columns_take(exact, c, 1, 0, dataset->rows, values);
        find_origin(&column, exact->features[c], kept, dataset, &note);
    }
    free(values);
    return note_finish(&note, kept, &dataset->origin_note, error);
}

/* Features that the source had in binary32 are subtracted from, too. */
static void take_origins(const request *request, const exact_columns *exact, tanda_dataset *dataset) {
    size_t next = 0;
    for (size_t i = 0; i < dataset->features; i++) {
        const double origin = known_origin(request->origins, dataset->feature_names, i);
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

static bool some_are_known(const dataset_expectation *expected, const tanda_dataset *dataset) {
    for (size_t i = 0; i < dataset->features; i++)
        if (known_origin(expected, dataset->feature_names, i) != 0.0) return true;
    return false;
}

/* Without one origin that is not 0 there are none. */
static void drop_zeros(tanda_dataset *dataset) {
    for (size_t i = 0; i < dataset->features; i++)
        if (dataset->origins[i] != 0.0) return;
    free(dataset->origins);
    dataset->origins = NULL;
}

tanda_status origin_apply(const request *request, const exact_columns *exact, tanda_dataset *dataset,
                          tanda_error *error) {
    const bool known = request->origins != NULL;
    if (known ? !some_are_known(request->origins, dataset) : exact->count == 0) return TANDA_OK;
    tanda_status status = dataset_own_values(dataset, error);
    if (status == TANDA_OK)
        status = allocate(&dataset->origins, dataset->features, sizeof *dataset->origins, "origins", error);
    if (status != TANDA_OK) return status;
    const unsigned mode = enter_exact_mode();
    if (known)
        take_origins(request, exact, dataset);
    else
        status = find_origins(request, exact, dataset, error);
    leave_exact_mode(mode);
    drop_zeros(dataset);
    return status;
}

tanda_status origin_subtract(tanda_dataset *dataset, const double *origins, tanda_error *error) {
    tanda_status status = dataset_own_values(dataset, error);
    if (status == TANDA_OK) status = origin_copy(origins, dataset->features, &dataset->origins, error);
    for (size_t row = 0; status == TANDA_OK && row < dataset->rows; row++)
        for (size_t i = 0; i < dataset->features; i++)
            if (origins[i] != 0.0) {
                float *value = &dataset->owned[row * dataset->features + i];
                *value = distance((double)*value, origins[i]);
            }
    return status;
}
