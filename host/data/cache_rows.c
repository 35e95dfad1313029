#include "data/cache_rows.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/npy.h"
#include "support/digest.h"
#include "support/memory.h"
#include "support/text.h"

#define ID_DIGITS 12

static tanda_status begin_file(const char *folder, const char *kind, const char *id, array_file *file,
                               tanda_error *error) {
    text_put(file->name, sizeof file->name, "%s-%.*s.npy", kind, ID_DIGITS, id);
    tanda_status status = shards_path(folder, file->name, &file->path, error);
    if (status == TANDA_OK) status = file_writer_begin(file->path, &file->writer, error);
    file->size = NPY_HEADER_SIZE;
    return status;
}

/* The disk begins with them at once. */
static tanda_status add_rows(array_file *file, const void *rows, size_t count, tanda_error *error) {
    const size_t size = count * file->row_size;
    const tanda_status status = file_writer_put(&file->writer, file->size, rows, size, error);
    if (status != TANDA_OK) return status;
    (void)sync_file_range(file->writer.descriptor, (off_t)file->size, (off_t)size, SYNC_FILE_RANGE_WRITE);
    file->size += size;
    return TANDA_OK;
}

static tanda_status add_header(array_file *file, size_t rows, tanda_error *error) {
    char header[NPY_HEADER_SIZE];
    if (!file->writer.is_open) return TANDA_OK;
    npy_make_header(header, file->type, rows, file->width);
    return file_writer_put(&file->writer, 0, header, sizeof header, error);
}

tanda_status cache_rows_begin(cache_rows *rows, const char *folder, const char *identity, const table *first,
                              label_form form, tanda_error *error) {
    static const char types[] = {[FORM_QUANTITIES] = 'f', [FORM_INTEGERS] = 'l', [FORM_TEXTS] = 'i'};
    char id[DIGEST_TEXT_SIZE];
    digest_sha256(identity, strlen(identity), id);
    rows->values.type = rows->weights.type = 'f';
    rows->values.width = first->features;
    rows->values.row_size = first->features * sizeof(float);
    rows->weights.row_size = sizeof(float);
    rows->labels.type = types[form];
    rows->labels.width = first->target_count > 1 ? first->target_count : 0;
    rows->labels.row_size = form == FORM_INTEGERS ? sizeof(int64_t) : first->target_count * sizeof(float);
    tanda_status status = begin_file(folder, "shard", id, &rows->values, error);
    if (status == TANDA_OK && first->target_count > 0)
        status = begin_file(folder, "labels", id, &rows->labels, error);
    if (status == TANDA_OK && first->has_weights)
        status = begin_file(folder, "weights", id, &rows->weights, error);
    return status;
}

static tanda_status write_rows(cache_rows *work, const table *table, tanda_error *error) {
    const labels *of = table->labels;
    const void *rows = work->labels.type == 'i'   ? (const void *)of->ids
                       : work->labels.type == 'l' ? (const void *)of->integers
                       : of != NULL               ? (const void *)of->numbers
                                                  : (const void *)table->targets;
    tanda_status status = add_rows(&work->values, table->values, table->rows, error);
    if (status == TANDA_OK && table->target_count > 0)
        status = add_rows(&work->labels, rows, table->rows, error);
    if (status == TANDA_OK && table->has_weights)
        status = add_rows(&work->weights, table->weights, table->rows, error);
    return status;
}

static void write_table(void *context) {
    cache_rows *rows = context;
    rows->status = write_rows(rows, &rows->written, &rows->error);
}

tanda_status cache_rows_wait(cache_rows *rows, tanda_status status, tanda_error *error) {
    side_job_wait(&rows->writing);
    table_free(&rows->written);
    const tanda_status written = rows->status;
    rows->status = TANDA_OK;
    if (status != TANDA_OK || written == TANDA_OK) return status;
    return fail(error, written, "%s", rows->error.message);
}

tanda_status cache_rows_add(cache_rows *rows, table *table, tanda_error *error) {
    const tanda_status status = cache_rows_wait(rows, TANDA_OK, error);
    if (status != TANDA_OK) return status;
    rows->written = *table;
    *table = (struct tanda_dataset){0};
    side_job_begin(&rows->writing, write_table, rows);
    return TANDA_OK;
}

/* ---- when all rows are there ------------------------------------------------------------------------------- */

tanda_status cache_rows_close(cache_rows *rows, size_t count, tanda_error *error) {
    tanda_status status = add_header(&rows->values, count, error);
    if (status == TANDA_OK) status = add_header(&rows->labels, count, error);
    return status == TANDA_OK ? add_header(&rows->weights, count, error) : status;
}

tanda_status cache_rows_name(const cache_rows *rows, bool whole, shard *shard, tanda_error *error) {
    const array_file *files[] = {&rows->values, &rows->labels, &rows->weights};
    char **names[] = {&shard->features, &shard->labels, &shard->weights};
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < sizeof files / sizeof *files; i++) {
        if (files[i]->path == NULL) continue;
        const char *temporary = strrchr(files[i]->writer.temporary.path, '/');
        free(*names[i]);
        *names[i] = NULL;
        status = copy_text(names[i], whole || temporary == NULL ? files[i]->name : temporary + 1, error);
    }
    return status;
}

static tanda_status finish_file(array_file *file, tanda_error *error) {
    return file->writer.is_open ? file_writer_finish(&file->writer, error) : TANDA_OK;
}

tanda_status cache_rows_finish(cache_rows *rows, tanda_error *error) {
    tanda_status status = finish_file(&rows->values, error);
    if (status == TANDA_OK) status = finish_file(&rows->labels, error);
    return status == TANDA_OK ? finish_file(&rows->weights, error) : status;
}

void cache_rows_remove(const cache_rows *rows) {
    const array_file *files[] = {&rows->values, &rows->labels, &rows->weights};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i]->path != NULL) unlink(files[i]->path);
}

static void abandon(array_file *file) {
    file_writer_abandon(&file->writer);
    free(file->path);
    *file = (array_file){0};
}

void cache_rows_abandon(cache_rows *rows) {
    side_job_wait(&rows->writing);
    table_free(&rows->written);
    abandon(&rows->values);
    abandon(&rows->labels);
    abandon(&rows->weights);
    *rows = (cache_rows){0};
}
