#include "data/synthetic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csv_write.h"
#include "data/npy.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support/text.h"

#define BLOCK_VALUES (4u << 20)         /* features in memory at a time */
#define LINES_AT_ONCE ((size_t)1 << 20) /* bytes of text that are written together */

/* .npy, or CSV by the ending of its name. */
typedef struct rows_file {
    file_writer writer;
    bool is_text;
    csv_lines lines; /* written next */
} rows_file;

typedef struct writing {
    const synthetic_source *source;
    rows_file features, labels;
    bool has_label_file;
    size_t block_rows;
    float *values;   /* (block_rows, features) */
    float *joined;   /* (block_rows, features + 1), without a label file */
    uint32_t *marks; /* (block_rows) */
} writing;

static tanda_status write_lines(rows_file *file, tanda_error *error) {
    tanda_status status = csv_lines_check(&file->lines, error);
    if (status == TANDA_OK)
        status = file_writer_add(&file->writer, file->lines.data, file->lines.size, error);
    file->lines.size = 0;
    return status;
}

/* columns 0: one number a row, for the label. */
static tanda_status begin_file(rows_file *file, const char *path, const writing *work, char type,
                               uint64_t rows, uint64_t columns, tanda_error *error) {
    char header[NPY_HEADER_SIZE], name[32];
    const synthetic *data = &work->source->data;
    const tanda_status status = file_writer_begin(path, &file->writer, error);
    if (status != TANDA_OK) return status;
    const char *dot = strrchr(path, '.');
    file->is_text = dot != NULL && strcasecmp(dot, ".csv") == 0;
    if (file->is_text) {
        /* x1,x2,...,class: a name for each feature, then one for the label */
        for (uint64_t i = 1; columns > 0 && i <= data->features; i++)
            csv_add(&file->lines, name, text_put(name, sizeof name, "%sx%" PRIu64, i == 1 ? "" : ",", i));
        if (columns > data->features) csv_add(&file->lines, ",", 1);
        if (columns != data->features)
            csv_add(&file->lines, data->classes > 0 ? "class" : "target", data->classes > 0 ? 5 : 6);
        csv_add(&file->lines, "\n", 1);
        return write_lines(file, error);
    }
    npy_make_header(header, type, rows, columns);
    return file_writer_add(&file->writer, header, sizeof header, error);
}

/* (rows, columns), as its bytes or as lines. */
static tanda_status add_rows(rows_file *file, const float *values, size_t rows, size_t columns,
                             tanda_error *error) {
    if (!file->is_text) return file_writer_add(&file->writer, values, rows * columns * sizeof *values, error);
    tanda_status status = TANDA_OK;
    for (size_t row = 0; status == TANDA_OK && row < rows; row++) {
        for (size_t i = 0; i < columns; i++) {
            if (i > 0) csv_add(&file->lines, ",", 1);
            csv_add_number(&file->lines, values[row * columns + i]);
        }
        csv_add(&file->lines, "\n", 1);
        if (file->lines.size >= LINES_AT_ONCE || row + 1 == rows) status = write_lines(file, error);
    }
    return status;
}

/* A label as a number; a class becomes one, which is exact. */
static float label_of(const writing *work, size_t row) {
    return work->source->data.classes > 0 ? (float)work->marks[row] : as_real(work->marks[row]);
}

static tanda_status write_block(writing *work, uint64_t first, size_t rows, tanda_error *error) {
    const size_t features = work->source->data.features;
    rows_file *file = &work->labels;
    synthetic_make(work->source, NULL, first, rows, work->values, work->marks);
    if (!work->has_label_file) { /* features and label side by side */
        for (size_t i = 0; i < rows; i++) {
            float *row = work->joined + i * (features + 1);
            memcpy(row, work->values + i * features, features * sizeof *row);
            row[features] = label_of(work, i);
        }
        return add_rows(&work->features, work->joined, rows, features + 1, error);
    }
    const tanda_status status = add_rows(&work->features, work->values, rows, features, error);
    if (status != TANDA_OK) return status;
    if (!file->is_text) return file_writer_add(&file->writer, work->marks, rows * sizeof *work->marks, error);
    for (size_t i = 0; i < rows; i++) {
        csv_add_number(&file->lines, label_of(work, i));
        csv_add(&file->lines, "\n", 1);
    }
    return write_lines(file, error);
}

tanda_status synthetic_write(const synthetic_source *source, uint64_t first, uint64_t rows, const char *path,
                             const char *label_path, tanda_error *error) {
    const synthetic *data = &source->data;
    writing work = {.source = source, .has_label_file = label_path != NULL};
    const size_t columns = data->features + (size_t)!work.has_label_file;
    work.block_rows = BLOCK_VALUES / data->features + 1;
    if (work.block_rows > rows) work.block_rows = rows;
    const size_t block = work.block_rows;
    tanda_status status =
        allocate(&work.values, block * data->features, sizeof(float), "a block of rows", error);
    if (status == TANDA_OK) status = allocate(&work.marks, block, sizeof *work.marks, "labels", error);
    if (status == TANDA_OK && !work.has_label_file)
        status = allocate(&work.joined, block * columns, sizeof(float), "a block of rows", error);
    if (status == TANDA_OK) status = begin_file(&work.features, path, &work, 'f', rows, columns, error);
    if (status == TANDA_OK && work.has_label_file)
        status = begin_file(&work.labels, label_path, &work, data->classes > 0 ? 'i' : 'f', rows, 0, error);
    for (uint64_t done = 0; status == TANDA_OK && done < rows; done += work.block_rows) {
        const uint64_t left = rows - done;
        status = write_block(&work, first + done, left < work.block_rows ? left : work.block_rows, error);
    }
    if (status == TANDA_OK) status = file_writer_finish(&work.features.writer, error);
    if (status == TANDA_OK && work.has_label_file) status = file_writer_finish(&work.labels.writer, error);
    file_writer_abandon(&work.features.writer);
    file_writer_abandon(&work.labels.writer);
    csv_lines_free(&work.features.lines);
    csv_lines_free(&work.labels.lines);
    free(work.values);
    free(work.joined);
    free(work.marks);
    return status;
}
