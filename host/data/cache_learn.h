/* What only all rows of a text tell, learnt piece by piece: classes, faults of the targets, columns that binary32 would ruin. */
#ifndef TANDA_DATA_CACHE_LEARN_H
#define TANDA_DATA_CACHE_LEARN_H

#include "data/column_spread.h"
#include "data/shards_meta.h"
#include "data/text_pieces.h"

typedef struct learning {
    const char *path;
    const request *request;
    bool has_labels;     /* one target */
    bool labels_as_text; /* what is known from an earlier walk: a label is text, or labels are quantities */
    bool labels_as_quantities;
    labels labels; /* all of them, but for the rows */
    size_t rows;   /* that are kept */
    size_t dropped;
    target_fault missing, word, no_label; /* count is of the pieces so far */
    place missing_place, word_place, no_label_place;
    char *word_text;
    column_spread *spreads; /* (features), or NULL: not looked for */
    bool some_weight;
    bool again; /* the walk is to begin anew: what is known by now was not when it began */
} learning;

/* For a walk, with what is known. categories (features) are left out of the spreads. */
tanda_status learning_begin(learning *learning, const piece_reader *reader, bool finds_ruined,
                            tanda_error *error);

/*
 * Learns from a piece that was read, and leaves out the rows that are to be dropped. Text labels' ids become those of all
 * pieces. TANDA_BAD_INPUT with the place; with `again` true the message means nothing.
 */
tanda_status learn_piece(learning *learning, const piece_reader *reader, table *table, tanda_error *error);

/* When all pieces were: the fault that is told first, or none rows. */
tanda_status learning_check(const learning *learning, tanda_error *error);

/* The task, the classes, and what stands for them in the file of labels. */
tanda_status learning_finish(learning *learning, shards_meta *meta, tanda_error *error);

/* Which features are ruined, constant ones included: (count) for free(). */
tanda_status learning_ruined(const learning *learning, size_t features, size_t **ruined, size_t *count,
                             tanda_error *error);

/* Adds the columns of table->exact, which are those features, to their spreads. */
void learn_exact(learning *learning, const table *table);
void learning_free(learning *learning);

#endif
