/* A text that is read piece by piece, each into a table of its own, as it would be read in memory as a whole. */
#ifndef TANDA_DATA_TEXT_PIECES_H
#define TANDA_DATA_TEXT_PIECES_H

#include "data/selection.h"

/* Whole rows of a text. */
typedef struct text_piece {
    const char *text;
    size_t size;
    size_t line; /* of the first row, from 1 */
} text_piece;

/* How the text is read: begun with its first part, then given pieces in their order, again and again from the first. */
typedef struct piece_reader {
    const struct piece_reader_kind *kind;
    const char *path;
    request request;     /* text_labels may be set before a first piece is read */
    selection selection; /* of the columns, as names are: when it is opened or, with wants_survey, settled */
    char **names;        /* (columns), or NULL */
    size_t columns;
    dialect dialect;
    char *remark;        /* as a data set's, or NULL */
    const size_t *exact; /* (exact_count) features whose numbers are wanted in binary64, too; the giver's */
    size_t exact_count;
    bool
        wants_survey; /* all pieces are to be surveyed, and then it is to be settled, before the first is read */
    bool is_unread;           /* the latest piece was not read, as wants_survey is true by now */
    size_t begin, begin_line; /* where the rows begin in the text */
    size_t table_bytes;       /* that the values of a piece may take */
} piece_reader;

/* Errors name file, line and column, as in memory. */
struct piece_reader_kind {
    /* How many bytes of whole rows the text begins with; is_last: what is left of the file, which is a row, too. */
    size_t (*cut)(const piece_reader *reader, const char *text, size_t size, bool is_last);
    tanda_status (*survey)(piece_reader *reader, const text_piece *piece, tanda_error *error);
    tanda_status (*settle)(piece_reader *reader, tanda_error *error);
    /* Faults of the targets are left to the caller. The table is for table_free, and all zero after a failure. */
    tanda_status (*read)(piece_reader *reader, const text_piece *piece, table *table, tanda_error *error);
    /* Of a row and a column of the piece that was read last. */
    place (*find_place)(const piece_reader *reader, size_t row, size_t column);
    void (*free)(piece_reader *reader);
};

/* text: the file's first part, to the end of a line, or all of it. */
tanda_status csv_pieces_open(const char *path, const request *request, const char *text, size_t size,
                             piece_reader **reader, tanda_error *error);
tanda_status libsvm_pieces_open(const char *path, const request *request, const char *text, size_t size,
                                piece_reader **reader, tanda_error *error);
void piece_reader_free(piece_reader *reader); /* NULL is nothing */

/* For readers: table->exact are the features that are wanted so, without their values. */
tanda_status piece_choose_exact(const piece_reader *reader, table *table, tanda_error *error);

/* ---- a file ------------------------------------------------------------------------------------------------ */

typedef struct text_pieces text_pieces;

/* bytes: of a piece, more or less. */
tanda_status text_pieces_open(const char *path, const request *request, size_t bytes, text_pieces **pieces,
                              tanda_error *error);
piece_reader *text_pieces_reader(const text_pieces *pieces);

/* Calls it for all pieces in their order, from the first one; a status other than TANDA_OK ends that. */
typedef tanda_status text_on_piece(void *context, const text_piece *piece, tanda_error *error);
tanda_status text_pieces_each(text_pieces *pieces, text_on_piece *on_piece, void *context,
                              tanda_error *error);

/* How far the present walk is, in bytes of the file. */
size_t text_pieces_done(const text_pieces *pieces);

/* Whether the file is as it was when it was opened. */
tanda_status text_pieces_check(const text_pieces *pieces, tanda_error *error);
void text_pieces_close(text_pieces *pieces); /* NULL is nothing */

#endif
