#include "data/synthetic_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "support/file_writer.h"
#include "support/memory.h"

#define BLOCK_VALUES (4u << 20) /* features in memory at a time */

typedef struct writing {
    const synthetic_source *source;
    file_writer features, labels;
    bool has_label_file;
    size_t block_rows;
    float *values;   /* (block_rows, features) */
    float *joined;   /* (block_rows, features + 1), without a label file */
    uint32_t *marks; /* (block_rows) */
} writing;

static tanda_status begin_file(file_writer *writer, const char *path, char type, uint64_t rows,
                               uint64_t columns, tanda_error *error) {
    char header[NPY_HEADER_SIZE];
    npy_make_header(header, type, rows, columns);
    tanda_status status = file_writer_begin(path, writer, error);
    return status == TANDA_OK ? file_writer_add(writer, header, sizeof header, error) : status;
}

static tanda_status begin(writing *work, uint64_t rows, const char *path, const char *label_path,
                          tanda_error *error) {
    const synthetic *data = &work->source->data;
    const size_t columns = data->features + (size_t)!work->has_label_file;
    work->block_rows = BLOCK_VALUES / data->features + 1;
    if (work->block_rows > rows) work->block_rows = rows;
    const size_t block = work->block_rows;
    tanda_status status =
        allocate(&work->values, block * data->features, sizeof(float), "a block of rows", error);
    if (status == TANDA_OK) status = allocate(&work->marks, block, sizeof *work->marks, "labels", error);
    if (status == TANDA_OK && !work->has_label_file)
        status = allocate(&work->joined, block * columns, sizeof(float), "a block of rows", error);
    if (status == TANDA_OK) status = begin_file(&work->features, path, 'f', rows, columns, error);
    if (status == TANDA_OK && work->has_label_file)
        status = begin_file(&work->labels, label_path, data->classes > 0 ? 'i' : 'f', rows, 0, error);
    return status;
}

/* Features and label side by side; a class becomes a number, which is exact. */
static void join(writing *work, size_t rows) {
    const synthetic *data = &work->source->data;
    const size_t features = data->features;
    for (size_t i = 0; i < rows; i++) {
        float *row = work->joined + i * (features + 1);
        memcpy(row, work->values + i * features, features * sizeof *row);
        row[features] = data->classes > 0 ? (float)work->marks[i] : as_real(work->marks[i]);
    }
}

static tanda_status write_block(writing *work, uint64_t first, size_t rows, tanda_error *error) {
    const size_t features = work->source->data.features;
    synthetic_make(work->source, NULL, first, rows, work->values, work->marks);
    if (!work->has_label_file) {
        join(work, rows);
        return file_writer_add(&work->features, work->joined, rows * (features + 1) * sizeof(float), error);
    }
    tanda_status status =
        file_writer_add(&work->features, work->values, rows * features * sizeof(float), error);
    return status == TANDA_OK ? file_writer_add(&work->labels, work->marks, rows * sizeof *work->marks, error)
                              : status;
}

tanda_status synthetic_write(const synthetic_source *source, uint64_t first, uint64_t rows, const char *path,
                             const char *label_path, tanda_error *error) {
    writing work = {.source = source, .has_label_file = label_path != NULL};
    tanda_status status = begin(&work, rows, path, label_path, error);
    for (uint64_t done = 0; status == TANDA_OK && done < rows; done += work.block_rows) {
        const uint64_t left = rows - done;
        status = write_block(&work, first + done, left < work.block_rows ? left : work.block_rows, error);
    }
    if (status == TANDA_OK) status = file_writer_finish(&work.features, error);
    if (status == TANDA_OK && work.has_label_file) status = file_writer_finish(&work.labels, error);
    file_writer_abandon(&work.features);
    file_writer_abandon(&work.labels);
    free(work.values);
    free(work.joined);
    free(work.marks);
    return status;
}
