/* Text made an entry of the cache: .npy of its rows, and meta.json. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/cache_learn.h"
#include "data/cache_rows.h"
#include "data/data_cache.h"
#include "data/format.h"
#include "data/origin.h"
#include "support/file_writer.h"
#include "support/memory.h"

#define PIECE_LEAST ((size_t)64 << 10) /* bytes of text that are read at once */
#define PIECE_MOST ((size_t)16 << 20)
#define MEMORY_SHARE 8 /* what is made of a piece takes some times as much as the piece */

/* A file of the text. */
typedef struct text_file {
    text_pieces *pieces; /* or NULL: it is not open yet */
    later_part later;    /* how it is read, of all but the first */
    size_t size;
} text_file;

typedef struct conversion {
    const char *folder, *path;
    const request *request;
    const text_files *of;
    text_file *files; /* (of->count) */
    size_t at;        /* the file that is read now: */
    text_pieces *pieces;
    piece_reader *reader;
    size_t done, all; /* bytes of the files before it, and of all */
    learning learning;
    double *origins; /* (features) that are subtracted, or NULL */
    char *origin_note;
    bool origins_are_known;
    cache_rows rows;
    shards_meta meta;
} conversion;

/* What labels are in their file: quantities, whole numbers, or the numbers of texts in the order in which they came. */
static label_form form_of_labels(const learning *learning) {
    return !learning->has_labels || learning->labels.is_quantity ? FORM_QUANTITIES
           : learning->labels.text                               ? FORM_TEXTS
                                                                 : FORM_INTEGERS;
}

/* ---- walks ------------------------------------------------------------------------------------------------- */

static void show_progress(const conversion *work) {
    const tanda_dataset_options *options = work->request->options;
    if (options->on_progress != NULL)
        options->on_progress(work->done + text_pieces_done(work->pieces), work->all, options->context);
}

static tanda_status describe_files(conversion *work, tanda_error *error) {
    char remark[40];
    if (work->of->count == 1) return copy_text(&work->meta.remark, work->reader->remark, error);
    text_put(remark, sizeof remark, "%zu files", work->of->count);
    return copy_text(&work->meta.remark, remark, error);
}

/* Everything of the first table that is not of its rows. */
static tanda_status describe(conversion *work, const table *table, tanda_error *error) {
    shards_meta *meta = &work->meta;
    const size_t features = table->features;
    meta->target_count = table->target_count;
    meta->columns = work->reader->columns;
    meta->dialect = table->dialect.is_text ? table->dialect : work->reader->dialect;
    meta->has_weights = table->has_weights;
    tanda_status status = copy_texts(&meta->feature_names, table->feature_names, features, error);
    if (status == TANDA_OK) meta->features = features;
    if (status == TANDA_OK) status = copy_text(&meta->target_name, table->target_name, error);
    if (status == TANDA_OK)
        status = copy_texts(&meta->target_names, table->target_names, table->target_count, error);
    if (status == TANDA_OK) status = describe_files(work, error);
    if (status == TANDA_OK) status = raw_columns_copy(&table->raw, features, &meta->raw, error);
    if (status == TANDA_OK && work->of->count > 1) {
        status = copy_texts(&meta->raw.part_paths, work->of->paths, work->of->count, error);
        meta->raw.part_count = status == TANDA_OK ? work->of->count : 0;
    }
    if (status == TANDA_OK)
        status = allocate(&meta->positions, table->position_count, sizeof *meta->positions, "columns", error);
    if (status != TANDA_OK) return status;
    meta->position_count = table->position_count;
    memcpy(meta->positions, table->positions, table->position_count * sizeof *meta->positions);
    return TANDA_OK;
}

static tanda_status join_categories(conversion *work, table *table, tanda_error *error) {
    raw_columns *raw = &work->meta.raw;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && raw->categories != NULL && i < table->features; i++)
        if (raw->is_category[i])
            status =
                table_join_categories(&raw->categories[i], table, work->at, i, work->reader->path, error);
    return status;
}

/* The rows less the origins that are known. */
static tanda_status subtract(const conversion *work, table *table, tanda_error *error) {
    const dataset_expectation origins = {.feature_count = table->features, .origins = work->origins};
    request request = *work->request;
    request.origins = &origins;
    return work->origins == NULL ? TANDA_OK : origin_apply(&request, &table->exact, table, error);
}

/* again is told by what was learnt; the status only ends the walk. */
static tanda_status stop(tanda_error *error) {
    return fail(error, TANDA_FAILED, "the text is to be read again");
}

static tanda_status take_table(conversion *work, table *table, tanda_error *error) {
    const bool is_first = work->meta.features == 0;
    tanda_status status = learn_piece(&work->learning, work->reader, table, error);
    if (status == TANDA_OK && work->learning.again) return stop(error);
    if (status == TANDA_OK && is_first) status = describe(work, table, error);
    if (status == TANDA_OK && !is_first) status = join_categories(work, table, error);
    if (status == TANDA_OK) status = subtract(work, table, error);
    if (status == TANDA_OK && is_first)
        status = cache_rows_begin(&work->rows, work->folder, work->meta.identity, table,
                                  form_of_labels(&work->learning), error);
    return status == TANDA_OK ? cache_rows_add(&work->rows, table, error) : status;
}

static tanda_status write_piece(void *context, const text_piece *piece, tanda_error *error) {
    conversion *work = context;
    table table = {0};
    tanda_status status = work->reader->kind->read(work->reader, piece, &table, error);
    if (status == TANDA_OK && work->reader->is_unread) {
        work->learning.again = true;
        return stop(error);
    }
    if (status == TANDA_OK && table.rows > 0) status = take_table(work, &table, error);
    table_free(&table);
    show_progress(work);
    return status;
}

static tanda_status survey_piece(void *context, const text_piece *piece, tanda_error *error) {
    conversion *work = context;
    show_progress(work);
    return work->reader->kind->survey(work->reader, piece, error);
}

static tanda_status learn_columns(void *context, const text_piece *piece, tanda_error *error) {
    conversion *work = context;
    table table = {0};
    tanda_status status = work->reader->kind->read(work->reader, piece, &table, error);
    if (status == TANDA_OK && table.rows > 0) status = table_drop_missing(&table, &table, error);
    if (status == TANDA_OK && table.rows > 0) learn_exact(&work->learning, &table);
    table_free(&table);
    show_progress(work);
    return status;
}

/* ---- files ------------------------------------------------------------------------------------------------- */

static size_t piece_bytes(size_t memory) {
    const size_t share = memory / MEMORY_SHARE;
    return share < PIECE_LEAST ? PIECE_LEAST : share > PIECE_MOST ? PIECE_MOST : share;
}

/* A later file is read as the first one says, of which a table was read. */
static tanda_status open_file(conversion *work, size_t i, tanda_error *error) {
    text_file *file = &work->files[i];
    const request *request = work->request;
    if (file->pieces != NULL) return TANDA_OK;
    if (i > 0) {
        const shards_meta *meta = &work->meta;
        const table first = {.features = meta->features,
                             .feature_names = meta->feature_names,
                             .raw = meta->raw,
                             .target_name = meta->target_name,
                             .target_names = meta->target_names,
                             .target_count = meta->target_count};
        part_follow(work->of->paths[0], &first, request, &file->later);
        request = &file->later.request;
    }
    return text_pieces_open(work->of->paths[i], request, piece_bytes(request->options->memory), &file->pieces,
                            error);
}

static tanda_status go_to_file(conversion *work, size_t i, tanda_error *error) {
    tanda_status status = open_file(work, i, error);
    if (status != TANDA_OK) return status;
    work->at = i;
    work->pieces = work->files[i].pieces;
    work->reader = text_pieces_reader(work->pieces);
    work->reader->request.text_labels = work->learning.labels_as_text;
    if (work->reader->wants_survey) {
        status = text_pieces_each(work->pieces, survey_piece, work, error);
        if (status == TANDA_OK) status = work->reader->kind->settle(work->reader, error);
    }
    if (status != TANDA_OK || i == 0) return status;
    return part_check(work->of->paths[i], work->reader->columns, work->of->paths[0], work->meta.columns,
                      error);
}

static tanda_status find_sizes(conversion *work, tanda_error *error) {
    tanda_status status = allocate(&work->files, work->of->count, sizeof *work->files, "files", error);
    for (size_t i = 0; status == TANDA_OK && i < work->of->count; i++) {
        struct stat information;
        if (stat(work->of->paths[i], &information) == 0)
            work->all += work->files[i].size = (size_t)information.st_size;
    }
    return status;
}

static tanda_status check_files(const conversion *work, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < work->of->count; i++)
        status = text_pieces_check(work->files[i].pieces, error);
    return status;
}

static void close_files(conversion *work, size_t first) {
    for (size_t i = first; work->files != NULL && i < work->of->count; i++) {
        text_pieces_close(work->files[i].pieces);
        work->files[i].pieces = NULL;
    }
}

/* ---- columns that binary32 would ruin ---------------------------------------------------------------------- */

static tanda_status choose_exact(const conversion *work, size_t **exact, size_t *count, tanda_error *error) {
    const size_t features = work->reader->selection.feature_count;
    if (work->origins == NULL) return TANDA_OK;
    const tanda_status status = allocate(exact, features, sizeof **exact, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < features; i++)
        if (work->origins[i] != 0.0) (*exact)[(*count)++] = i;
    return status;
}

/* The origins of what is expected, if that has any. */
static tanda_status expect_origins(conversion *work, tanda_error *error) {
    const piece_reader *reader = work->reader;
    const selection *selection = &reader->selection;
    char **names = NULL;
    tanda_status status = TANDA_OK;
    if (work->request->origins == NULL || work->origins_are_known) return TANDA_OK;
    work->origins_are_known = true;
    if (reader->names != NULL)
        status = allocate(&names, selection->feature_count, sizeof *names, "names", error);
    for (size_t i = 0; names != NULL && i < selection->feature_count; i++)
        names[i] = reader->names[selection->features[i]];
    if (status == TANDA_OK)
        status =
            origins_expected(work->request->origins, names, selection->feature_count, &work->origins, error);
    free(names);
    return status;
}

static tanda_status choose_origins(conversion *work, tanda_error *error) {
    tanda_dataset named = {.feature_names = work->meta.feature_names};
    const tanda_status status =
        column_spreads_origins(work->learning.spreads, work->meta.features,
                               work->request->options->keep_origins, &named, &work->origins, error);
    work->origin_note = named.origin_note;
    work->learning.again |= work->origins != NULL;
    return status;
}

static tanda_status learn_files(conversion *work, const size_t *exact, size_t count, tanda_error *error) {
    tanda_status status = TANDA_OK;
    work->done = 0;
    for (size_t i = 0; status == TANDA_OK && i < work->of->count; i++) {
        status = go_to_file(work, i, error);
        if (status != TANDA_OK) return status;
        work->reader->exact = exact;
        work->reader->exact_count = count;
        status = text_pieces_each(work->pieces, learn_columns, work, error);
        work->reader->exact = NULL;
        work->reader->exact_count = 0;
        work->done += work->files[i].size;
    }
    return status;
}

/* Once all rows are there: which columns are ruined by binary32, and then, in another walk, by how much. */
static tanda_status find_origins(conversion *work, tanda_error *error) {
    size_t *ruined = NULL, count = 0;
    if (work->origins_are_known) return TANDA_OK;
    work->origins_are_known = true;
    tanda_status status = learning_ruined(&work->learning, work->meta.features, &ruined, &count, error);
    if (status == TANDA_OK && count > 0) status = learn_files(work, ruined, count, error);
    if (status == TANDA_OK && count > 0) status = choose_origins(work, error);
    free(ruined);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------- */

static void forget(conversion *work) {
    char *identity = work->meta.identity;
    cache_rows_abandon(&work->rows);
    close_files(work, 1); /* they have names of meta */
    work->meta.identity = NULL;
    shards_meta_free(&work->meta);
    work->meta.identity = identity;
    work->meta.is_of_text = true;
}

static tanda_status write_file(conversion *work, const size_t *exact, size_t count, tanda_error *error) {
    piece_reader *reader = work->reader;
    reader->exact = exact;
    reader->exact_count = count;
    tanda_status status = text_pieces_each(work->pieces, write_piece, work, error);
    status = cache_rows_wait(&work->rows, status, error);
    reader->exact = NULL;
    reader->exact_count = 0;
    work->done += work->files[work->at].size;
    return status == TANDA_OK ? learning_check(&work->learning, error) : status;
}

/* One walk that writes; what it learns may make another one necessary. */
static tanda_status walk(conversion *work, tanda_error *error) {
    size_t *exact = NULL, count = 0;
    forget(work);
    work->done = 0;
    tanda_status status = go_to_file(work, 0, error);
    if (status == TANDA_OK) status = expect_origins(work, error);
    if (status == TANDA_OK) status = choose_exact(work, &exact, &count, error);
    if (status == TANDA_OK)
        status = learning_begin(&work->learning, work->reader, !work->origins_are_known, error);
    for (size_t i = 0; status == TANDA_OK && i < work->of->count; i++) {
        if (i > 0) status = go_to_file(work, i, error);
        if (status == TANDA_OK) status = write_file(work, exact, count, error);
    }
    free(exact);
    if (status == TANDA_OK) status = check_files(work, error);
    return status == TANDA_OK ? find_origins(work, error) : status;
}

static tanda_status check_rows(const conversion *work, tanda_error *error) {
    const char *path = work->path;
    if (work->learning.rows == 0) return fail(error, TANDA_BAD_INPUT, "%s: holds no rows", path);
    if (!work->meta.has_weights || work->learning.some_weight) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: every sample weight is 0; some must be above", path);
}

static tanda_status finish_meta(conversion *work, tanda_error *error) {
    shards_meta *meta = &work->meta;
    meta->rows = work->learning.rows;
    meta->dropped = work->learning.dropped;
    meta->origins = work->origins;
    meta->origin_note = work->origin_note;
    work->origins = NULL;
    work->origin_note = NULL;
    tanda_status status = learning_finish(&work->learning, meta, error);
    if (status == TANDA_OK) status = copy_text(&meta->source, work->path, error);
    if (status == TANDA_OK) status = allocate(&meta->shards, 1, sizeof *meta->shards, "shards", error);
    if (status != TANDA_OK) return status;
    meta->shard_count = 1;
    meta->shards->rows = meta->rows;
    return TANDA_OK;
}

/* meta.json last: then the entry is whole. Hashes are found before any file has its name. */
static tanda_status finish(conversion *work, tanda_error *error) {
    shards_meta *meta = &work->meta;
    char *text = NULL, *path = NULL;
    tanda_status status = finish_meta(work, error);
    if (status == TANDA_OK) status = cache_rows_close(&work->rows, meta->rows, error);
    if (status == TANDA_OK) status = cache_rows_name(&work->rows, false, meta->shards, error);
    if (status == TANDA_OK) status = shards_hash(work->folder, meta, error);
    if (status == TANDA_OK) status = cache_rows_name(&work->rows, true, meta->shards, error);
    if (status == TANDA_OK) status = shards_meta_text(meta, &text, error);
    if (status == TANDA_OK) status = shards_path(work->folder, SHARDS_META, &path, error);
    if (status == TANDA_OK) status = cache_rows_finish(&work->rows, error);
    if (status == TANDA_OK) {
        const file_part part = {text, strlen(text)};
        status = file_write_atomically(path, &part, 1, error);
    }
    free(text);
    free(path);
    return status;
}

tanda_status cache_write(const char *folder, const text_files *files, const request *request,
                         const cache_key *key, tanda_error *error) {
    conversion work = {.folder = folder, .path = files->path, .request = request, .of = files};
    work.learning = (learning){.path = files->path, .request = request};
    tanda_status status = copy_text(&work.meta.identity, key->identity, error);
    if (status == TANDA_OK) status = find_sizes(&work, error);
    if (status == TANDA_OK) {
        do {
            work.learning.again = false;
            status = walk(&work, error);
        } while (work.learning.again);
    }
    if (status == TANDA_OK) status = check_rows(&work, error);
    if (status == TANDA_OK) status = finish(&work, error);
    if (status == TANDA_OK) status = check_files(&work, error);
    if (status != TANDA_OK) cache_rows_remove(&work.rows);
    if (request->options->on_progress != NULL) request->options->on_progress(1, 1, request->options->context);
    forget(&work);
    close_files(&work, 0);
    free(work.files);
    learning_free(&work.learning);
    free(work.meta.identity);
    free(work.origins);
    free(work.origin_note);
    return status;
}
