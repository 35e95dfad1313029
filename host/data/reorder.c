#include "data/reorder.h"

#include "data/format.h"
#include "data/packed.h"
#include "data/reorder_parts.h"

tanda_status reorder_begin(reordering *work, tanda_error *error) {
    file_view view = {0};
    tanda_status status = file_view_open(work->input, &view, error);
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
