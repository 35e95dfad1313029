#include "data/reorder.h"

#include "data/format.h"
#include "data/packed.h"
#include "data/reorder_parts.h"
#include "data/shards.h"

tanda_status reorder_begin(reordering *work, tanda_error *error) {
    file_view view = {0};
    bool is_folder = false;
    tanda_status status = shards_are_in(work->input, &is_folder, error);
    if (status == TANDA_OK && is_folder)
        status =
            fail(error, TANDA_BAD_INPUT,
                 "%s: is a folder of shards; name one of its files, or one .npy of all rows", work->input);
    if (status == TANDA_OK) status = file_view_open(work->input, &view, error);
    if (status != TANDA_OK) return status;
    const char *packing = packed_name(view.data, view.size), *title = format_title(view.data, view.size);
    if (npy_looks_right(view.data, view.size))
        status = reorder_array(work, &view, error);
    else if (packing == NULL && csv_looks_right(view.data, view.size))
        status = reorder_text(work, &view, error);
    else
        status = fail(error, TANDA_BAD_INPUT, "%s: is %s; rows of .npy and of CSV are mixed", work->input,
                      packing != NULL ? packing
                      : title != NULL ? title
                                      : "no data");
    file_view_close(&view);
    return status;
}

tanda_status reorder_finish(reordering *work, tanda_error *error) {
    return file_writer_finish(&work->writer, error);
}

void reorder_end(reordering *work) {
    file_writer_abandon(&work->writer);
}
