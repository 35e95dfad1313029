#include "model/row_stream.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/format.h"
#include "data/packed.h"
#include "data/pipe.h"
#include "support/memory.h"
#include "support/options.h"

dataset_expectation model_expect(const tanda_model *model) {
    const preparation *preparation = &model->preparation;
    const bool raw = preparation->columns > 0;
    return (dataset_expectation){.feature_count = raw ? preparation->columns : model->features,
                                 .feature_names = raw ? preparation->names : model->feature_names,
                                 .is_category = preparation->is_category,
                                 .columns = raw ? preparation->of : NULL,
                                 .fills_missing = preparation->fills_missing,
                                 .missing_values = preparation->missing_values,
                                 .missing_value_count = preparation->missing_value_count,
                                 .class_count = model->class_count,
                                 .class_names = model->class_names,
                                 .task = model->task,
                                 .target_name = model->target_name,
                                 .target_count = model_targets(model),
                                 .target_names = model->target_names,
                                 .origins = model->scaling.origin};
}

/* Makes the model's features of rows that were read as it expects; they are then scaled. */
static tanda_status prepare_rows(const tanda_model *model, tanda_unknown unknown, tanda_dataset *dataset,
                                 tanda_error *error) {
    const tanda_status status = dataset_prepare(dataset, &model->preparation, unknown, error);
    return status == TANDA_OK ? dataset_scale(dataset, &model->scaling, error) : status;
}

tanda_status tanda_dataset_load_for_model(const char *path, const tanda_dataset_options *options,
                                          const tanda_model *model, tanda_dataset **dataset,
                                          tanda_error *error) {
    tanda_dataset_options reading;
    const dataset_expectation expected = model_expect(model);
    tanda_dataset *loaded = NULL;
    tanda_status status = TAKE_OPTIONS(tanda_dataset_options, options, &reading, error);
    reading.task = model->task;
    if (status == TANDA_OK) status = dataset_load(path, &reading, &expected, &loaded, error);
    if (status == TANDA_OK) status = prepare_rows(model, reading.unknown, loaded, error);
    if (status != TANDA_OK) {
        tanda_dataset_free(loaded);
        return status;
    }
    *dataset = loaded;
    return TANDA_OK;
}

/* ---- rows through a pipe --------------------------------------------------------------------------------- */

#define LOOKED_AT ((size_t)4 << 10)

struct row_stream {
    tanda_dataset_options options;
    const tanda_model *model;
    text_blocks blocks;
    bool is_text;    /* else everything is one block */
    bool is_begun;   /* the first block was read */
    dialect dialect; /* of the first block, and so of all */
    char *names;     /* the names, to stand before the rows of each block */
    size_t names_size, names_lines;
    size_t lines; /* of the blocks so far */
    char *joined; /* (joined_size): names and rows */
    size_t joined_size;
};

bool row_stream_is_possible(const char *path, const tanda_dataset_options *options) {
    return options->more_count == 0 && pipe_is_named(path);
}

/* Goes by what came first. Text that is no libsvm comes in lines; UTF-16 has zeros among the first bytes. */
static bool looks_like_rows(const row_stream *stream) {
    const unsigned char *data = stream->blocks.bytes.data;
    const size_t size = stream->blocks.bytes.size;
    if (stream->options.format != NULL && strcmp(stream->options.format, "csv") != 0) return false;
    return packed_name(data, size) == NULL && csv_looks_right(data, size) && memchr(data, 0, size) == NULL &&
           (stream->options.format != NULL || !libsvm_looks_right(data, size));
}

tanda_status row_stream_open(const char *path, const tanda_dataset_options *options, const tanda_model *model,
                             row_stream **stream, tanda_error *error) {
    row_stream *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "the rows", error);
    if (status != TANDA_OK) return status;
    made->options = *options;
    made->options.task = model->task;
    made->model = model;
    made->blocks = (text_blocks){.path = path, .descriptor = -1, .bytes.limit = bytes_most()};
    status = pipe_open(path, &made->blocks.descriptor, error);
    if (status == TANDA_OK) {
        /* Enough to tell what comes: a line, or some bytes. */
        text_blocks *blocks = &made->blocks;
        status = TANDA_OK;
        while (status == TANDA_OK && !blocks->ended && blocks->bytes.size < LOOKED_AT &&
               (blocks->bytes.size == 0 || memchr(blocks->bytes.data, '\n', blocks->bytes.size) == NULL))
            status = text_blocks_fill(blocks, LOOKED_AT, error);
        if (status == TANDA_OK && blocks->bytes.size == 0)
            status = fail(error, TANDA_BAD_INPUT, "%s: nothing came", blocks->path);
        if (status == TANDA_OK) made->is_text = looks_like_rows(made);
    }
    if (status == TANDA_OK)
        *stream = made;
    else
        row_stream_close(made);
    return status;
}

void row_stream_close(row_stream *stream) {
    if (stream == NULL) return;
    if (stream->blocks.descriptor >= 0) close(stream->blocks.descriptor);
    text_blocks_free(&stream->blocks);
    free(stream->names);
    free(stream->joined);
    free(stream);
}

/* ---- blocks ------------------------------------------------------------------------------------------- */

static tanda_status keep_names(row_stream *stream, const text_block *block, text_span names,
                               tanda_error *error) {
    stream->names_size = names.end - names.begin;
    for (size_t i = names.begin; i < names.end; i++)
        stream->names_lines += block->text[i] == '\n';
    if (stream->names_size == 0) return TANDA_OK;
    const tanda_status status = allocate(&stream->names, stream->names_size, 1, "the names", error);
    if (status == TANDA_OK) memcpy(stream->names, block->text + names.begin, stream->names_size);
    return status;
}

/* The names and the block behind them; of the first one the block itself. */
static tanda_status join(row_stream *stream, const text_block *block, file_view *view, tanda_error *error) {
    const size_t size = stream->names_size + block->size;
    *view = (file_view){.data = (const unsigned char *)block->text, .size = block->size};
    if (stream->names_size == 0) return TANDA_OK;
    if (size > stream->joined_size) {
        char *larger = realloc(stream->joined, size);
        if (larger == NULL) return fail(error, TANDA_FAILED, "no memory for %zu bytes of rows", size);
        stream->joined = larger;
        stream->joined_size = size;
    }
    memcpy(stream->joined, stream->names, stream->names_size);
    memcpy(stream->joined + stream->names_size, block->text, block->size);
    *view = (file_view){.data = (const unsigned char *)stream->joined, .size = size};
    return TANDA_OK;
}

static tanda_status load(row_stream *stream, file_view *view, const row_place *place, tanda_dataset **rows,
                         tanda_error *error) {
    const dataset_expectation expected = model_expect(stream->model);
    return dataset_load_rows(stream->blocks.path, view, place, &stream->options, &expected, rows, error);
}

static tanda_status load_block(row_stream *stream, tanda_dataset **rows, tanda_error *error) {
    const size_t least = !stream->is_begun && stream->options.header != TANDA_HEADER_NONE ? 2 : 1;
    text_block block = {0};
    file_view view = {0};
    text_span names = {0};
    tanda_status status = text_blocks_next(&stream->blocks, least, &block, error);
    if (status != TANDA_OK || block.size == 0) return status;
    status = join(stream, &block, &view, error);
    const row_place place = {.lines_before = stream->lines - stream->names_lines * stream->is_begun,
                             .names = stream->is_begun ? NULL : &names};
    if (status == TANDA_OK) status = load(stream, &view, &place, rows, error);
    if (status == TANDA_OK && !stream->is_begun) {
        /* Later blocks are read as the first one was. */
        tanda_dataset_options *options = &stream->options;
        stream->dialect = (*rows)->dialect;
        options->header = stream->dialect.has_header ? TANDA_HEADER_FIRST_ROW : TANDA_HEADER_NONE;
        options->delimiter = stream->dialect.delimiter;
        options->decimal = stream->dialect.decimal;
        options->skip_lines = 0;
        if (stream->dialect.comment[0] != '\0') options->comment = stream->dialect.comment;
        status = keep_names(stream, &block, names, error);
    }
    stream->lines += block.lines;
    return status;
}

/* What cannot be cut into lines. */
static tanda_status load_whole(row_stream *stream, tanda_dataset **rows, tanda_error *error) {
    const row_place place = {0};
    file_view view = {0};
    if (stream->is_begun) return TANDA_OK;
    tanda_status status = text_blocks_rest(&stream->blocks, &view, error);
    if (status == TANDA_OK) status = load(stream, &view, &place, rows, error);
    file_view_close(&view);
    return status;
}

tanda_status row_stream_next(row_stream *stream, tanda_dataset **rows, tanda_error *error) {
    tanda_dataset *loaded = NULL;
    tanda_status status =
        stream->is_text ? load_block(stream, &loaded, error) : load_whole(stream, &loaded, error);
    stream->is_begun = true;
    if (status == TANDA_OK && loaded != NULL)
        status = prepare_rows(stream->model, stream->options.unknown, loaded, error);
    if (status == TANDA_OK)
        *rows = loaded;
    else
        tanda_dataset_free(loaded);
    return status;
}
