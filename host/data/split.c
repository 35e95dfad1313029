/* Holding out rows for validation: a fraction, or one part of several. */
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/feed_pass.h"
#include "data/feed_wrap.h"
#include "kernels/philox.h"
#include "kernels/shuffle.h"
#include "support/memory.h"

/* Groups that are split each by itself: the classes, or one group of all rows. */
typedef struct groups {
    const int32_t *classes; /* or NULL: */
    uint16_t *found;        /* the classes of rows that lie elsewhere; or NULL: all rows are of group 0 */
    size_t count;
    size_t *rows;  /* (count): how many rows there are */
    size_t *held;  /* (count): how many of them are held out */
    size_t *order; /* (count): room to sort groups */
} groups;

static size_t group_of(const groups *groups, size_t row) {
    return groups->classes != NULL ? (size_t)groups->classes[row]
           : groups->found != NULL ? groups->found[row]
                                   : 0;
}

static tanda_status keep_classes(void *context, void *state, const pass_block *block, tanda_error *error) {
    const groups *groups = context;
    const int32_t *classes = block->at.labels;
    (void)state, (void)error;
    for (size_t row = 0; row < block->rows; row++)
        groups->found[block->first + row] = (uint16_t)classes[row];
    return TANDA_OK;
}

/* Rows are looked up one by one: of those that lie elsewhere two bytes each are kept, as classes are below 2^16. */
static tanda_status find_classes(const tanda_dataset *source, groups *groups, tanda_error *error) {
    const feed_pass pass = {.labels = true, .block_rows = 1 << 20, .map = keep_classes, .context = groups};
    _Static_assert(LABELS_CLASSES_MAX - 1 <= UINT16_MAX, "a class fits");
    groups->classes = source->classes;
    if (source->feed == NULL) return TANDA_OK;
    const tanda_status status =
        allocate(&groups->found, source->rows, sizeof *groups->found, "classes of rows", error);
    return status == TANDA_OK ? feed_pass_run(source->feed, &pass, error) : status;
}

static tanda_status groups_count(const tanda_dataset *source, bool by_class, groups *groups,
                                 row_marks **marks, tanda_error *error) {
    const bool classes = by_class && source->task == TANDA_TASK_CLASSES;
    *groups = (struct groups){.count = classes ? source->class_count : 1};
    tanda_status status = allocate(&groups->rows, groups->count, sizeof(size_t), "classes", error);
    if (status == TANDA_OK) status = allocate(&groups->held, groups->count, sizeof(size_t), "classes", error);
    if (status == TANDA_OK)
        status = allocate(&groups->order, groups->count, sizeof(size_t), "classes", error);
    if (status == TANDA_OK) status = row_marks_make(source->rows, marks, error);
    if (status == TANDA_OK && classes) status = find_classes(source, groups, error);
    for (size_t row = 0; status == TANDA_OK && row < source->rows; row++)
        groups->rows[group_of(groups, row)]++;
    return status;
}

/* held * rows of the group, of which a share of 1 / all rows is due. */
static unsigned __int128 due_of(const groups *groups, size_t group, size_t held) {
    return (unsigned __int128)held * groups->rows[group];
}

typedef struct remainders {
    const groups *groups;
    size_t held, all;
} remainders;

/* The largest remainder first, of equals the first group. */
static int compare_remainders(const void *a, const void *b, void *context) {
    const remainders *of = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    size_t x = (size_t)(due_of(of->groups, left, of->held) % of->all);
    size_t y = (size_t)(due_of(of->groups, right, of->held) % of->all);
    if (x != y) return x > y ? -1 : 1;
    return left < right ? -1 : left > right;
}

/* Shares out `held` rows in proportion to the groups, by largest remainders. */
static void share_out(groups *groups, size_t held, size_t all) {
    remainders remainders = {.groups = groups, .held = held, .all = all};
    size_t left = held;
    for (size_t i = 0; i < groups->count; i++) {
        groups->held[i] = (size_t)(due_of(groups, i, held) / all);
        groups->order[i] = i;
        left -= groups->held[i];
    }
    qsort_r(groups->order, groups->count, sizeof *groups->order, compare_remainders, &remainders);
    for (size_t i = 0; i < left; i++)
        groups->held[groups->order[i]]++;
}

static tanda_status allocate_part(const tanda_dataset *source, size_t rows, tanda_dataset *part,
                                  tanda_error *error) {
    part->rows = rows;
    part->features = source->features;
    part->from_bytes = source->from_bytes;
    part->task = source->task;
    part->task_was_found = source->task_was_found;
    part->target_count = source->target_count;
    part->memory = source->memory;
    const bool in_memory = source->feed == NULL;
    tanda_status status = raw_columns_copy(&source->raw, source->features, &part->raw, error);
    if (status == TANDA_OK && in_memory)
        status =
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
    if (status == TANDA_OK) status = copy_text(&part->remark, source->remark, error);
    if (status == TANDA_OK) status = copy_text(&part->origin_note, source->origin_note, error);
    if (status == TANDA_OK) status = origin_copy(source->origins, source->features, &part->origins, error);
    if (status == TANDA_OK) status = copy_text(&part->target_name, source->target_name, error);
    if (status == TANDA_OK)
        status = copy_texts(&part->target_names, source->target_names, source->target_count, error);
    if (status == TANDA_OK)
        status = copy_texts(&part->class_names, source->class_names, source->class_count, error);
    if (status == TANDA_OK) part->class_count = source->class_count;
    return status;
}

static void copy_rows(const tanda_dataset *source, const row_marks *marks, bool marked, tanda_dataset *part) {
    size_t next = 0;
    for (size_t row = 0; row < source->rows; row++) {
        if (row_marks_has(marks, row) != marked) continue;
        memcpy(part->owned + next * part->features, source->values + row * part->features,
               part->features * sizeof *part->owned);
        if (part->classes != NULL) part->classes[next] = source->classes[row];
        for (size_t t = 0; part->targets != NULL && t < part->target_count; t++)
            part->targets[next * part->target_count + t] = source->targets[row * source->target_count + t];
        if (part->weights != NULL) part->weights[next] = source->weights[row];
        next++;
    }
}

/* A data set of the rows that are marked, or of the others, in the source's order. */
static tanda_status make_part(const tanda_dataset *source, row_marks *marks, bool marked,
                              tanda_dataset **result, tanda_error *error) {
    tanda_dataset *part = NULL;
    tanda_status status = allocate(&part, 1, sizeof *part, "a part of the split", error);
    if (status == TANDA_OK)
        status = allocate_part(source, marked ? marks->marked : marks->rows - marks->marked, part, error);
    if (status == TANDA_OK && source->feed != NULL) {
        feed *shared = feed_share(source->feed);
        status = feed_subset(shared, marks, marked, &part->feed, error);
        if (status != TANDA_OK) feed_free(shared);
    } else if (status == TANDA_OK) {
        copy_rows(source, marks, marked, part);
    }
    if (status == TANDA_OK) status = dataset_check(source, TANDA_OK, error);
    if (status == TANDA_OK)
        *result = part;
    else
        tanda_dataset_free(part);
    return status;
}

/* Both parts where the status so far is TANDA_OK; frees groups and marks. */
static tanda_status finish(const tanda_dataset *source, tanda_status status, groups *groups, row_marks *marks,
                           tanda_dataset **training, tanda_dataset **validation, tanda_error *error) {
    tanda_dataset *parts[2] = {NULL, NULL};
    if (status == TANDA_OK) row_marks_count(marks);
    if (status == TANDA_OK) status = make_part(source, marks, false, &parts[0], error);
    if (status == TANDA_OK) status = make_part(source, marks, true, &parts[1], error);
    row_marks_free(marks);
    free(groups->found);
    free(groups->rows);
    free(groups->held);
    free(groups->order);
    if (status != TANDA_OK) {
        tanda_dataset_free(parts[0]);
        return status;
    }
    *training = parts[0];
    *validation = parts[1];
    return TANDA_OK;
}

tanda_status dataset_split(const tanda_dataset *source, double fraction, bool by_class, uint64_t seed,
                           tanda_dataset **training, tanda_dataset **validation, tanda_error *error) {
    const size_t rows = source->rows;
    row_marks *marks = NULL;
    groups groups = {0};
    if (!(fraction > 0.0 && fraction < 1.0))
        return fail(error, TANDA_USAGE, "--validation: the fraction %g must lie between 0 and 1", fraction);
    if (rows < 2)
        return fail(error, TANDA_BAD_INPUT, "--validation: a data set of %zu row cannot be split", rows);
    size_t held = (size_t)(fraction * (double)rows + 0.5);
    if (held < 1) held = 1;
    if (held > rows - 1) held = rows - 1;
    tanda_status status = groups_count(source, by_class, &groups, &marks, error);
    if (status == TANDA_OK) {
        shuffle_key key = shuffle_make_key(seed, 0, philox_stream(PURPOSE_SPLIT, 0), rows);
        share_out(&groups, held, rows);
        /* the first rows of each group in the seed's order are held out */
        for (size_t i = 0, left = held; left > 0; i++) {
            size_t row = shuffle_position(key, i), group = group_of(&groups, row);
            if (groups.held[group] == 0) continue;
            groups.held[group]--;
            row_marks_set(marks, row);
            left--;
        }
    }
    return finish(source, status, &groups, marks, training, validation, error);
}

/* Deals the sorted rows out to the folds in turn, those of a group in the seed's order. */
static void mark_fold(const tanda_dataset *source, size_t folds, size_t fold, groups *groups, uint64_t seed,
                      row_marks *marks) {
    shuffle_key key = shuffle_make_key(seed, 0, philox_stream(PURPOSE_SPLIT, 1), source->rows);
    size_t *next = groups->order, found = 0, begin = 0;
    /*
     * Where each group begins when all rows are sorted by group. Groups come in the order of their first rows, as in
     * scikit-learn's StratifiedKFold, whose folds then have as many rows of each class as ours.
     */
    memset(groups->held, 0, groups->count * sizeof *groups->held);
    for (size_t row = 0; row < source->rows && found < groups->count; row++) {
        size_t group = group_of(groups, row);
        if (groups->held[group]++ > 0) continue;
        next[group] = begin;
        begin += groups->rows[group];
        found++;
    }
    for (size_t i = 0; i < source->rows; i++) {
        size_t row = shuffle_position(key, i);
        if (next[group_of(groups, row)]++ % folds == fold) row_marks_set(marks, row);
    }
}

tanda_status dataset_fold(const tanda_dataset *source, size_t folds, size_t fold, bool by_class,
                          uint64_t seed, tanda_dataset **training, tanda_dataset **validation,
                          tanda_error *error) {
    row_marks *marks = NULL;
    groups groups = {0};
    if (folds < 2 || folds > source->rows)
        return fail(error, TANDA_USAGE, "--folds: %zu parts of %zu rows; there must be 2 to %zu", folds,
                    source->rows, source->rows);
    const tanda_status status = groups_count(source, by_class, &groups, &marks, error);
    if (status == TANDA_OK) mark_fold(source, folds, fold, &groups, seed, marks);
    return finish(source, status, &groups, marks, training, validation, error);
}

tanda_status tanda_dataset_split(const tanda_dataset *source, double fraction, uint64_t seed,
                                 tanda_dataset **training, tanda_dataset **validation, tanda_error *error) {
    return dataset_split(source, fraction, source->task == TANDA_TASK_CLASSES, seed, training, validation,
                         error);
}

tanda_status tanda_dataset_fold(const tanda_dataset *source, size_t folds, size_t fold, uint64_t seed,
                                tanda_dataset **training, tanda_dataset **validation, tanda_error *error) {
    if (fold >= folds) return fail(error, TANDA_USAGE, "fold %zu of %zu: they count from 0", fold, folds);
    return dataset_fold(source, folds, fold, source->task == TANDA_TASK_CLASSES, seed, training, validation,
                        error);
}
