/* libsvm's text piece by piece. */
#include <stdlib.h>
#include <string.h>

#include "data/libsvm.h"
#include "data/text_pieces.h"
#include "support/memory.h"

typedef struct libsvm_pieces {
    piece_reader base;
    svm svm; /* of all pieces, while they are surveyed; then of the piece that is read */
} libsvm_pieces;

/* Whole lines, of no more rows than may be dense in memory at a time. */
static size_t cut_libsvm(const piece_reader *base, const char *text, size_t size, bool is_last) {
    const size_t row = base->columns * sizeof(float);
    const size_t most = row == 0 ? SIZE_MAX : base->table_bytes / row + 1;
    const char *at = text, *end = text + size;
    for (size_t lines = 0; lines < most && at < end; lines++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        if (line_end == NULL) return is_last ? size : (size_t)(at - text);
        at = line_end + 1;
    }
    return (size_t)(at - text);
}

static svm *go_to(piece_reader *base, const text_piece *piece) {
    svm *svm = &((libsvm_pieces *)base)->svm;
    svm->start = (svm_cursor){.at = piece->text, .end = piece->text + piece->size, .line = piece->line};
    return svm;
}

static tanda_status survey_piece(piece_reader *base, const text_piece *piece, tanda_error *error) {
    return svm_survey(go_to(base, piece), error);
}

static tanda_status settle_pieces(piece_reader *base, tanda_error *error) {
    svm *svm = &((libsvm_pieces *)base)->svm;
    tanda_status status = svm_check_rows(svm, error);
    svm->rows = 1; /* that is dense in memory at a time, at least */
    if (status == TANDA_OK) status = svm_choose_columns(svm, &base->names, &base->selection, error);
    if (status == TANDA_OK) status = svm_describe_indexes(svm, &base->remark, error);
    base->columns = svm->columns;
    base->wants_survey = false;
    return status;
}

static tanda_status read_piece(piece_reader *base, const text_piece *piece, table *table,
                               tanda_error *error) {
    svm *svm = go_to(base, piece);
    svm->rows = svm_count_rows(svm);
    if (svm->rows == 0) return TANDA_OK;
    tanda_status status = svm_fill(svm, &base->selection, base->names, table, error);
    if (status == TANDA_OK) status = piece_choose_exact(base, table, error);
    if (status == TANDA_OK) status = svm_fill_exact(svm, &base->selection, table, error);
    if (status != TANDA_OK) table_free(table);
    return status;
}

static place find_piece_place(const piece_reader *base, size_t row, size_t column) {
    place place = svm_find_row(&((const libsvm_pieces *)base)->svm, row);
    if (base->names != NULL && base->selection.target_count > 1) place.name = base->names[column];
    return place;
}

static void free_pieces(piece_reader *base) {
    free(((libsvm_pieces *)base)->svm.values);
    free(base);
}

tanda_status libsvm_pieces_open(const char *path, const request *request, const char *text, size_t size,
                                piece_reader **reader, tanda_error *error) {
    static const struct piece_reader_kind kind = {.cut = cut_libsvm,
                                                  .survey = survey_piece,
                                                  .settle = settle_pieces,
                                                  .read = read_piece,
                                                  .find_place = find_piece_place,
                                                  .free = free_pieces};
    libsvm_pieces *own = NULL;
    const tanda_status status = allocate(&own, 1, sizeof *own, "a text", error);
    (void)text, (void)size;
    if (status != TANDA_OK) return status;
    own->base = (piece_reader){
        .kind = &kind, .path = path, .request = *request, .wants_survey = true, .begin_line = 1};
    own->svm = (svm){.path = path, .request = &own->base.request, .least = UINT64_MAX};
    *reader = &own->base;
    return TANDA_OK;
}
