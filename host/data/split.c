/* Holding out rows for validation. */
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "kernels/philox.h"
#include "kernels/shuffle.h"
#include "support/memory.h"

/* Marks the first `held` rows of the seed's order. */
static tanda_status mark_held(size_t rows, size_t held, uint64_t seed, unsigned char **marks,
                              tanda_error *error) {
    tanda_status status = allocate(marks, rows, 1, "marks of the split", error);
    if (status != TANDA_OK) return status;
    shuffle_key key = shuffle_make_key(seed, 0, philox_stream(PURPOSE_SPLIT, 0), rows);
    for (size_t i = 0; i < held; i++)
        (*marks)[shuffle_position(key, i)] = 1;
    return TANDA_OK;
}

static tanda_status allocate_part(const tanda_dataset *source, size_t rows, tanda_dataset *part,
                                  tanda_error *error) {
    part->rows = rows;
    part->features = source->features;
    part->from_bytes = source->from_bytes;
    part->task = source->task;
    part->task_was_found = source->task_was_found;
    part->target_count = source->target_count;
    tanda_status status =
        allocate(&part->owned, rows * source->features, sizeof *part->owned, "rows of the split", error);
    part->values = part->owned;
    if (status == TANDA_OK && source->classes != NULL)
        status = allocate(&part->classes, rows, sizeof *part->classes, "labels of the split", error);
    if (status == TANDA_OK && source->targets != NULL)
        status = allocate(&part->targets, rows * source->target_count, sizeof *part->targets,
                          "targets of the split", error);
    if (status == TANDA_OK && source->weights != NULL)
        status = allocate(&part->weights, rows, sizeof *part->weights, "weights of the split", error);
    if (status == TANDA_OK)
        status = copy_texts(&part->feature_names, source->feature_names, source->features, error);
    if (status == TANDA_OK) status = copy_text(&part->target_name, source->target_name, error);
    if (status == TANDA_OK)
        status = copy_texts(&part->target_names, source->target_names, source->target_count, error);
    if (status == TANDA_OK)
        status = copy_texts(&part->class_names, source->class_names, source->class_count, error);
    if (status == TANDA_OK) part->class_count = source->class_count;
    return status;
}

/* A data set of the rows whose mark is `mark`, in the source's order. */
static tanda_status make_part(const tanda_dataset *source, const unsigned char *marks, unsigned char mark,
                              size_t rows, tanda_dataset **result, tanda_error *error) {
    tanda_dataset *part = NULL;
    tanda_status status = allocate(&part, 1, sizeof *part, "a part of the split", error);
    if (status == TANDA_OK) status = allocate_part(source, rows, part, error);
    if (status != TANDA_OK) {
        tanda_dataset_free(part);
        return status;
    }
    size_t next = 0;
    for (size_t row = 0; row < source->rows; row++) {
        if (marks[row] != mark) continue;
        memcpy(part->owned + next * part->features, source->values + row * part->features,
               part->features * sizeof *part->owned);
        if (part->classes != NULL) part->classes[next] = source->classes[row];
        for (size_t t = 0; part->targets != NULL && t < part->target_count; t++)
            part->targets[next * part->target_count + t] = source->targets[row * source->target_count + t];
        if (part->weights != NULL) part->weights[next] = source->weights[row];
        next++;
    }
    *result = part;
    return TANDA_OK;
}

tanda_status dataset_split(const tanda_dataset *source, double fraction, uint64_t seed,
                           tanda_dataset **training, tanda_dataset **validation, tanda_error *error) {
    unsigned char *marks = NULL;
    tanda_dataset *first = NULL;
    tanda_dataset *second = NULL;
    if (!(fraction > 0.0 && fraction < 1.0))
        return fail(error, TANDA_USAGE, "--validation: the fraction %g must lie between 0 and 1", fraction);
    if (source->rows < 2)
        return fail(error, TANDA_BAD_INPUT, "--validation: a data set of %zu row cannot be split",
                    source->rows);
    size_t held = (size_t)(fraction * (double)source->rows + 0.5);
    if (held < 1) held = 1;
    if (held > source->rows - 1) held = source->rows - 1;
    tanda_status status = mark_held(source->rows, held, seed, &marks, error);
    if (status == TANDA_OK) status = make_part(source, marks, 0, source->rows - held, &first, error);
    if (status == TANDA_OK) status = make_part(source, marks, 1, held, &second, error);
    free(marks);
    if (status != TANDA_OK) {
        tanda_dataset_free(first);
        return status;
    }
    *training = first;
    *validation = second;
    return TANDA_OK;
}
