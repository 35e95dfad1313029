/*
 * The rows of an array in another order, out of memory. The output is cut into parts that memory holds. The first pass
 * reads all rows as they lie, and appends each to the part where it belongs; the second sorts each part.
 */
#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "data/reorder.h"
#include "data/reorder_parts.h"
#include "kernels/shuffle.h"
#include "support/memory.h"

#define PASSED_BYTES ((size_t)8 << 20) /* of the input, that stay in memory */

/* A part on its way to the file: rows that wait, in its own piece of `waiting`. */
typedef struct part {
    size_t waiting, written; /* rows */
} part;

typedef struct array_work {
    array array;
    size_t row_bytes, header_bytes;
    shuffle_key key;
    file_writer *writer;
    size_t part_rows, parts, waiting_rows; /* of each part but the last; how many; room of each */
} array_work;

/* A row of a part: where it lies in the input, and where in the part. */
typedef struct moved_row {
    uint64_t from;
    size_t to;
} moved_row;

static uint64_t offset_of(const array_work *work, size_t row) {
    return work->header_bytes + (uint64_t)row * work->row_bytes;
}

/* Parts of which two fit into memory, with what they are sorted by; rows that wait take as much. */
static void divide(array_work *work, size_t memory) {
    const size_t row = 2 * work->row_bytes + sizeof(moved_row), rows = work->array.rows;
    work->part_rows = memory / row > 0 ? memory / row : 1;
    if (work->part_rows > rows) work->part_rows = rows;
    work->parts = (rows - 1) / work->part_rows + 1;
    work->waiting_rows = memory / work->parts / work->row_bytes;
    if (work->waiting_rows == 0) work->waiting_rows = 1;
    if (work->waiting_rows > work->part_rows) work->waiting_rows = work->part_rows;
}

/* ---- the first pass ------------------------------------------------------------------------------------------ */

static tanda_status write_waiting(array_work *work, size_t index, part *part, const unsigned char *rows,
                                  tanda_error *error) {
    const uint64_t offset = offset_of(work, index * work->part_rows + part->written);
    const size_t bytes = part->waiting * work->row_bytes;
    part->written += part->waiting;
    part->waiting = 0;
    return bytes == 0 ? TANDA_OK : file_writer_put(work->writer, offset, rows, bytes, error);
}

static tanda_status distribute(array_work *work, const file_view *view, part *parts, unsigned char *waiting,
                               tanda_error *error) {
    const size_t piece = work->waiting_rows * work->row_bytes, looked_at = PASSED_BYTES / work->row_bytes + 1;
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < work->array.rows; row++) {
        const size_t index = (size_t)shuffle_place(work->key, row) / work->part_rows;
        part *part = &parts[index];
        memcpy(waiting + index * piece + part->waiting * work->row_bytes,
               work->array.data + row * work->row_bytes, work->row_bytes);
        if (row % looked_at == 0 && row > 0)
            file_view_pass(view, offset_of(work, row - looked_at), offset_of(work, row));
        if (++part->waiting == work->waiting_rows)
            status = write_waiting(work, index, part, waiting + index * piece, error);
    }
    for (size_t index = 0; status == TANDA_OK && index < work->parts; index++)
        status = write_waiting(work, index, &parts[index], waiting + index * piece, error);
    return status;
}

static tanda_status first_pass(array_work *work, const file_view *view, tanda_error *error) {
    part *parts = NULL;
    unsigned char *waiting = NULL;
    tanda_status status = allocate(&parts, work->parts, sizeof *parts, "parts", error);
    if (status == TANDA_OK)
        status = allocate(&waiting, work->parts * work->waiting_rows, work->row_bytes, "rows", error);
    if (status == TANDA_OK) status = distribute(work, view, parts, waiting, error);
    free(parts);
    free(waiting);
    return status;
}

/* ---- the second ---------------------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b) {
    const uint64_t left = ((const moved_row *)a)->from, right = ((const moved_row *)b)->from;
    return (left > right) - (left < right);
}

/* The rows of a part lie in it as they lay in the input. */
static tanda_status sort_part(array_work *work, size_t index, moved_row *moved, unsigned char *before,
                              unsigned char *after, tanda_error *error) {
    const size_t first = index * work->part_rows, left = work->array.rows - first, bytes = work->row_bytes;
    const size_t rows = left < work->part_rows ? left : work->part_rows;
    for (size_t i = 0; i < rows; i++)
        moved[i] = (moved_row){.from = shuffle_position(work->key, first + i), .to = i};
    qsort(moved, rows, sizeof *moved, compare_rows);
    const tanda_status status =
        file_writer_get(work->writer, offset_of(work, first), before, rows * bytes, error);
    if (status != TANDA_OK) return status;
    for (size_t i = 0; i < rows; i++)
        memcpy(after + moved[i].to * bytes, before + i * bytes, bytes);
    return file_writer_put(work->writer, offset_of(work, first), after, rows * bytes, error);
}

static tanda_status second_pass(array_work *work, tanda_error *error) {
    moved_row *moved = NULL;
    unsigned char *before = NULL, *after = NULL;
    tanda_status status = allocate(&moved, work->part_rows, sizeof *moved, "rows", error);
    if (status == TANDA_OK) status = allocate(&before, work->part_rows, work->row_bytes, "rows", error);
    if (status == TANDA_OK) status = allocate(&after, work->part_rows, work->row_bytes, "rows", error);
    for (size_t index = 0; status == TANDA_OK && index < work->parts; index++)
        status = sort_part(work, index, moved, before, after, error);
    free(moved);
    free(before);
    free(after);
    return status;
}

/* ---- all of it ----------------------------------------------------------------------------------------------- */

static tanda_status open_array(const reordering *given, const file_view *view, array_work *work,
                               tanda_error *error) {
    const tanda_status status = npy_open(given->input, view, &work->array, error);
    if (status != TANDA_OK) return status;
    if (work->array.by_columns)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: its columns lie one after the other (Fortran order); save numpy.ascontiguousarray(...)",
            given->input);
    work->row_bytes = work->array.columns * work->array.size;
    work->header_bytes = (size_t)(work->array.data - view->data);
    work->key =
        shuffle_make_key(given->seed, 0, philox_stream(PURPOSE_SHUFFLE, REORDER_LAYER), work->array.rows);
    divide(work, given->memory_bytes != 0 ? given->memory_bytes : REORDER_BYTES);
    return TANDA_OK;
}

tanda_status reorder_array(reordering *given, const file_view *view, tanda_error *error) {
    array_work work = {.writer = &given->writer};
    tanda_status status = open_array(given, view, &work, error);
    if (status != TANDA_OK) return status;
    given->rows = work.array.rows;
    status = file_writer_begin(given->output, work.writer, error);
    if (status == TANDA_OK) status = file_writer_put(work.writer, 0, view->data, work.header_bytes, error);
    if (status == TANDA_OK) status = first_pass(&work, view, error);
    if (status == TANDA_OK) status = second_pass(&work, error);
    return file_view_check(view, status, error);
}
