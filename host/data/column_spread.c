#include "data/column_spread.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/place.h"
#include "support/arithmetic.h"
#include "support/memory.h"
#include "support/text.h"

#define COLUMNS_SHOWN 8

column_spread column_spread_begin(size_t feature) {
    return (column_spread){.feature = feature, .low = INFINITY, .high = -INFINITY, .first = NAN};
}

/*
 * More values only make it less likely that a column is ruined, as what adds to the greatest absolute value adds no less to
 * the spread: so most columns are done with after two rows.
 */
void column_spread_add(column_spread *spread, double value, double bound) {
    if (!(value < spread->low) && !(value > spread->high)) return;
    spread->low = smaller(value, spread->low);
    spread->high = larger(value, spread->high);
    spread->is_fine = spread->high - spread->low >= bound * larger(fabs(spread->low), fabs(spread->high));
}

void column_spread_add_exact(column_spread *spread, double value) {
    if (isnan(value)) return;
    if (isnan(spread->first)) spread->first = spread->exact_low = spread->exact_high = value;
    spread->exact_low = smaller(value, spread->exact_low);
    spread->exact_high = larger(value, spread->exact_high);
    spread->rounding = larger(spread->rounding, fabs((double)(float)value - value));
}

bool column_spread_is_ruined(const column_spread *spread) {
    return !spread->is_fine && spread->high >= spread->low;
}

bool column_spread_is_kept(const column_spread *spread) {
    return !spread->is_fine && spread->exact_high > spread->exact_low;
}

static void put_column(FILE *stream, const tanda_dataset *dataset, const column_spread *found, bool kept) {
    const double span = found->exact_high - found->exact_low;
    char name[SHOWN_SIZE];
    if (dataset->feature_names != NULL) {
        const char *own = dataset->feature_names[found->feature];
        fputs(shown(own, strlen(own), name), stream);
    } else {
        fprintf(stream, "%zu", found->feature);
    }
    if (kept)
        fprintf(stream, " from %.17g (binary32 would round by up to %.6g of a span of %.6g)", found->first,
                found->rounding, span);
    else
        fprintf(stream, " by up to %.6g of a span of %.6g", found->rounding, span);
}

tanda_status column_spreads_tell(const column_spread *spreads, size_t count, bool kept,
                                 tanda_dataset *dataset, tanda_error *error) {
    char *text = NULL;
    size_t size = 0, told = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) return fail(error, TANDA_FAILED, "no memory for a note on columns");
    fputs(kept ? "kept as distances: " : "rounded in binary32: ", stream);
    for (size_t i = 0; i < count; i++) {
        if (!column_spread_is_kept(&spreads[i]) || (!kept && spreads[i].rounding == 0.0) ||
            told++ >= COLUMNS_SHOWN)
            continue;
        if (told > 1) fputs(", ", stream);
        put_column(stream, dataset, &spreads[i], kept);
    }
    if (told > COLUMNS_SHOWN) fprintf(stream, ", ... (%zu columns)", told);
    if (!kept) fputs("; --scale standard keeps such columns as distances", stream);
    if (!text_stream_end(stream, &text)) {
        free(text);
        return fail(error, TANDA_FAILED, "no memory for a note on columns");
    }
    if (told > 0)
        dataset->origin_note = text;
    else
        free(text);
    return TANDA_OK;
}

tanda_status column_spreads_origins(const column_spread *spreads, size_t features, bool kept,
                                    tanda_dataset *dataset, double **origins, tanda_error *error) {
    bool some = false;
    *origins = NULL;
    for (size_t i = 0; kept && i < features; i++)
        some = some || (column_spread_is_kept(&spreads[i]) && spreads[i].first != 0.0);
    tanda_status status = column_spreads_tell(spreads, features, kept, dataset, error);
    if (status == TANDA_OK && some) status = allocate(origins, features, sizeof **origins, "origins", error);
    for (size_t i = 0; *origins != NULL && i < features; i++)
        if (column_spread_is_kept(&spreads[i])) (*origins)[i] = spreads[i].first;
    return status;
}
