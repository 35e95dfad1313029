#include "data/held_out.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/place.h"
#include "support/memory.h"
#include "support/text.h"

#define SHOWN_MOST 10

tanda_status lacks_begin(lacks *lacks, tanda_error *error) {
    *lacks = (struct lacks){0};
    lacks->stream = open_memstream(&lacks->text, &lacks->size);
    return lacks->stream != NULL ? TANDA_OK : fail(error, TANDA_FAILED, "no memory for a note on categories");
}

static void add(lacks *lacks, const tanda_dataset *dataset, size_t column, size_t category, size_t fold) {
    char text[SHOWN_SIZE];
    const categories *of = &dataset->raw.categories[column];
    const place *place = &of->places[category];
    FILE *out = lacks->stream;
    if (lacks->count++ >= SHOWN_MOST) return;
    if (lacks->count > 1) fputs(", ", out);
    if (dataset->feature_names != NULL)
        fputs(shown(dataset->feature_names[column], strlen(dataset->feature_names[column]), text), out);
    else
        fprintf(out, "%zu", column);
    fprintf(out, " '%s' (", shown(of->texts.texts[category], strlen(of->texts.texts[category]), text));
    if (place->line > 0)
        fprintf(out, "line %zu", place->line);
    else
        fprintf(out, "row %zu", place->row);
    if (dataset->raw.part_count > 1)
        fprintf(out, " of %s",
                shown(raw_columns_path(&dataset->raw, place), strlen(raw_columns_path(&dataset->raw, place)),
                      text));
    if (fold > 0) fprintf(out, ", fold %zu", fold);
    fputc(')', out);
}

/* marks[category] gets the bit for each row's category; returns whether there is a value. */
static bool mark(const tanda_dataset *dataset, size_t column, unsigned char bit, unsigned char *marks) {
    const bool is_category = dataset->raw.is_category != NULL && dataset->raw.is_category[column];
    bool some = false;
    for (size_t row = 0; row < dataset->rows && (is_category || !some); row++) {
        const float value = dataset->values[row * dataset->features + column];
        if (isnan(value)) continue;
        some = true;
        if (is_category) marks[(size_t)value] |= bit;
    }
    return some;
}

static tanda_status no_value(const tanda_dataset *training, size_t column, size_t fold, tanda_error *error) {
    char name[SHOWN_SIZE], of_fold[40] = "";
    text_put(name, sizeof name, "%zu (from 0)", column);
    if (training->feature_names != NULL)
        shown(training->feature_names[column], strlen(training->feature_names[column]), name);
    if (fold > 0) text_put(of_fold, sizeof of_fold, " of fold %zu", fold);
    return fail(error, TANDA_BAD_INPUT,
                "%s: feature %s has no value in the training rows%s; leave it out with --ignore",
                training->raw.path, name, of_fold);
}

tanda_status lacks_find(lacks *lacks, const tanda_dataset *training, const tanda_dataset *held_out,
                        size_t fold, tanda_error *error) {
    unsigned char marks[CATEGORIES_MAX];
    if (raw_columns_are_features(&training->raw)) return TANDA_OK;
    for (size_t column = 0; column < training->features; column++) {
        memset(marks, 0, sizeof marks);
        if (!mark(training, column, 1, marks)) return no_value(training, column, fold, error);
        if (training->raw.is_category == NULL || !training->raw.is_category[column]) continue;
        mark(held_out, column, 2, marks);
        for (size_t i = 0; i < training->raw.categories[column].texts.count; i++)
            if (marks[i] == 2) add(lacks, training, column, i, fold);
    }
    return TANDA_OK;
}

static tanda_status tell(const lacks *lacks, const char *path, bool accepted, char **note,
                         tanda_error *error) {
    char more[40] = "";
    if (lacks->count > SHOWN_MOST) text_put(more, sizeof more, ", ... (%zu of them)", lacks->count);
    if (!accepted)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: held-out rows have categories that their training rows lack "
                    "(--unknown-category zero takes them): %s%s",
                    path, lacks->text, more);
    if (asprintf(note, "held-out rows are of no category where their training rows lack it: %s%s",
                 lacks->text, more) >= 0)
        return TANDA_OK;
    *note = NULL;
    return fail(error, TANDA_FAILED, "no memory for a note on categories");
}

tanda_status lacks_end(lacks *lacks, const char *path, bool accepted, char **note, tanda_error *error) {
    const bool closed = lacks->stream != NULL && text_stream_end(lacks->stream, &lacks->text);
    tanda_status status = TANDA_OK;
    *note = NULL;
    if (!closed)
        status = fail(error, TANDA_FAILED, "no memory for a note on categories");
    else if (lacks->count > 0)
        status = tell(lacks, path, accepted, note, error);
    free(lacks->text);
    *lacks = (struct lacks){0};
    return status;
}
