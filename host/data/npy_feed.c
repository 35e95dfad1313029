#include "data/npy_feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/npy.h"
#include "support/arithmetic.h"
#include "support/floating_mode.h"
#include "support/memory.h"

#define HEADER_MOST ((size_t)1 << 16) /* bytes that a header and what stands before it are looked for in */
#define PIECE ((size_t)4 << 20)       /* bytes that are read at once, and then converted */
#define PLAIN_PIECE ((size_t)1 << 20) /* bytes of rows that are read right to where they go */
#define READ_BYTES ((size_t)8 << 20)  /* of rows that are best asked for at once */
#define MINUS_ZERO 0x80000000u
#define EXPONENT_ALL_ONES 0x7f800000u

/* ---- a file ------------------------------------------------------------------------------------------------ */

void npy_rows_close(npy_rows *rows) {
    file_range_close(rows->file);
    *rows = (npy_rows){0};
}

size_t npy_rows_size(const npy_rows *rows) {
    return rows->array.columns * rows->array.size;
}

static tanda_status describe(npy_rows *rows, tanda_error *error) {
    const size_t size = file_range_size(rows->file), begin = size < HEADER_MOST ? size : HEADER_MOST;
    const char *path = file_range_path(rows->file);
    unsigned char *bytes = NULL;
    if (size == 0) return fail(error, TANDA_BAD_INPUT, "%s: the file is empty", path);
    tanda_status status = allocate(&bytes, begin, 1, "the begin of a file", error);
    if (status == TANDA_OK) status = file_range_read(rows->file, 0, bytes, begin, error);
    const file_view view = {.data = bytes, .size = begin};
    if (status == TANDA_OK) status = npy_describe(path, &view, size, &rows->array, &rows->offset, error);
    free(bytes);
    return status;
}

static bool is_text(const array *array) {
    return array->kind == ELEMENT_UTF32 || array->kind == ELEMENT_BYTES;
}

bool npy_rows_are_plain(const npy_rows *rows) {
    return !is_text(&rows->array) && !rows->array.by_columns;
}

tanda_status npy_rows_check(const npy_rows *rows, tanda_error *error) {
    const char *path = rows->array.path;
    if (is_text(&rows->array))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: holds text, which is read in memory alone: give a greater --memory, or save numbers",
                    path);
    if (rows->array.by_columns)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: lies column by column (Fortran order), which is read in memory alone: give a greater "
            "--memory, or save it by rows (numpy.ascontiguousarray)",
            path);
    return TANDA_OK;
}

tanda_status npy_rows_describe(const char *path, bool keeps, npy_rows *rows, tanda_error *error) {
    *rows = (npy_rows){0};
    tanda_status status = file_range_open(path, keeps, &rows->file, error);
    if (status == TANDA_OK) status = describe(rows, error);
    if (status != TANDA_OK) npy_rows_close(rows);
    return status;
}

tanda_status npy_rows_open(const char *path, bool keeps, npy_rows *rows, tanda_error *error) {
    tanda_status status = npy_rows_describe(path, keeps, rows, error);
    if (status == TANDA_OK) status = npy_rows_check(rows, error);
    if (status != TANDA_OK) npy_rows_close(rows);
    return status;
}

tanda_status npy_for_pieces(const npy_rows *of, size_t first, size_t rows, npy_on_piece *take, void *context,
                            tanda_error *error) {
    const size_t row = npy_rows_size(of), most = row < PIECE ? PIECE / row : 1;
    unsigned char *bytes = NULL;
    tanda_status status = allocate(&bytes, most < rows ? most : rows, row, "rows of a file", error);
    for (size_t done = 0; status == TANDA_OK && done < rows;) {
        const size_t count = rows - done < most ? rows - done : most;
        npy_piece piece = {.array = of->array, .first = first + done};
        piece.array.data = bytes;
        piece.array.rows = count;
        status = file_range_read(of->file, of->offset + piece.first * row, bytes, count * row, error);
        if (status == TANDA_OK) status = take(context, &piece, error);
        done += count;
    }
    free(bytes);
    return status;
}

/* ---- classes ----------------------------------------------------------------------------------------------- */

void class_map_free(class_map *map) {
    free(map->values);
    free(map->classes);
    *map = (class_map){0};
}

/* -1 for a number that is none of them. */
static int32_t class_of(const class_map *map, int64_t value) {
    if (map->is_identity) return value >= 0 && (size_t)value < map->count ? (int32_t)value : -1;
    const size_t place = find_ascending(map->values, map->count, value);
    return place < map->count && map->values[place] == value ? map->classes[place] : -1;
}

/* ---- the feed ---------------------------------------------------------------------------------------------- */

typedef struct npy_source {
    feed feed;
    npy_feed_parts parts;
    bool is_binary32; /* features are numbers of the file as they lie there, */
    bool is_plain;    /* and whole rows of it rows of the feed */
} npy_source;

/* Where converted rows go. */
typedef struct converting {
    const npy_source *of;
    row_block block; /* from the row `first` of the file on */
    size_t first;
} converting;

static tanda_status convert_values(const converting *work, const npy_piece *piece, float *made,
                                   tanda_error *error) {
    const array *array = &piece->array;
    const selection *selection = &work->of->parts.selection;
    const double *origins = work->of->parts.origins;
    const bool takes_missing = work->of->parts.takes_missing;
    const size_t row_size = array->columns * array->size, features = selection->feature_count;
    for (size_t row = 0; row < array->rows; row++) {
        const unsigned char *at = array->data + row * row_size;
        for (size_t i = 0; i < features; i++) {
            const array_number number = array_number_at(array, at + selection->features[i] * array->size);
            const float value =
                origins == NULL || origins[i] == 0.0 ? number.value : (float)(number.exact - origins[i]);
            *made++ = value == 0.0f ? 0.0f : value;
            if (isfinite(number.value) || (takes_missing && isnan(number.value))) continue;
            const place place = {
                .path = array->path, .row = piece->first + row, .column = selection->features[i]};
            return array_check_number(number, &place, error);
        }
    }
    return TANDA_OK;
}

static tanda_status refuse_class(const class_map *map, array_number label, const place *place,
                                 tanda_error *error) {
    const tanda_status status = array_check_number(label, place, error);
    size_t first = 0;
    if (status != TANDA_OK) return status;
    if (!map->is_expected)
        return fail_at(error, place, "%.9g is none of the classes that were there when the file was opened",
                       label.exact);
    while (map->classes[first] != 0)
        first++;
    return fail_at(error, place, "'%.9g' is none of the model's %zu classes, the first of which is '%lld'",
                   label.exact, map->count, (long long)map->values[first]);
}

static tanda_status refuse_target(array_number label, const place *place, tanda_error *error) {
    const tanda_status status = array_check_number(label, place, error);
    if (status != TANDA_OK) return status;
    return fail_at(error, place, "%.9g is no label: several labels a row are 0 or 1 each",
                   (double)label.value);
}

static tanda_status convert_classes(const converting *work, const npy_piece *piece, size_t column,
                                    int32_t *made, tanda_error *error) {
    const array *array = &piece->array;
    for (size_t row = 0; row < array->rows; row++) {
        const unsigned char *at = array->data + (row * array->columns + column) * array->size;
        int64_t value;
        made[row] = array_whole_at(array, at, &value) ? class_of(&work->of->parts.classes, value) : -1;
        if (made[row] >= 0) continue;
        const place place = {.path = array->path, .row = piece->first + row, .column = column};
        return refuse_class(&work->of->parts.classes, array_number_at(array, at), &place, error);
    }
    return TANDA_OK;
}

static tanda_status convert_targets(const converting *work, const npy_piece *piece,
                                    const selection *selection, float *made, tanda_error *error) {
    const array *array = &piece->array;
    const label_kind kind = work->of->parts.kind;
    const size_t row_size = array->columns * array->size, count = selection->target_count;
    for (size_t row = 0; row < array->rows; row++)
        for (size_t i = 0; i < count; i++) {
            const unsigned char *at = array->data + row * row_size + selection->targets[i] * array->size;
            const array_number label = array_number_at(array, at);
            const bool fits = kind != LABELS_SEVERAL || label.value == 0.0f || label.value == 1.0f;
            *made++ = label.value == 0.0f ? 0.0f : label.value;
            if (fits && isfinite(label.value)) continue;
            const place place = {
                .path = array->path, .row = piece->first + row, .column = selection->targets[i]};
            return refuse_target(label, &place, error);
        }
    return TANDA_OK;
}

/* Labels are columns of the piece that targets names. */
static tanda_status convert_labels(const converting *work, const npy_piece *piece, const selection *selection,
                                   void *made, tanda_error *error) {
    return work->of->parts.kind == LABELS_CLASSES
               ? convert_classes(work, piece, selection->targets[0], made, error)
               : convert_targets(work, piece, selection, made, error);
}

static tanda_status convert_weights(const npy_piece *piece, size_t column, float *made, tanda_error *error) {
    const array *array = &piece->array;
    for (size_t row = 0; row < array->rows; row++) {
        const place place = {.path = array->path, .row = piece->first + row, .column = column};
        const array_number weight =
            array_number_at(array, array->data + (row * array->columns + column) * array->size);
        *made++ = weight.value == 0.0f ? 0.0f : weight.value;
        const tanda_status status = array_check_number(weight, &place, error);
        if (status != TANDA_OK) return status;
        if (weight.value < 0.0f)
            return fail_at(error, &place, "%.9g is no weight: weights are 0 or more", (double)weight.value);
    }
    return TANDA_OK;
}

/* Values as they lie in the file: they are looked at whole rows at a time, and seldom one by one. */
static tanda_status clean(const npy_source *own, size_t first, size_t rows, float *values,
                          tanda_error *error) {
    const array *array = &own->parts.features.array;
    const size_t features = own->feed.features, *columns = own->parts.selection.features;
    for (size_t row = 0; row < rows; row++, values += features) {
        uint32_t dirty = 0;
        for (size_t i = 0; i < features; i++) {
            uint32_t bits;
            memcpy(&bits, values + i, sizeof bits);
            dirty |=
                (uint32_t)(bits == MINUS_ZERO) | (uint32_t)((bits & EXPONENT_ALL_ONES) == EXPONENT_ALL_ONES);
        }
        for (size_t i = 0; dirty != 0 && i < features; i++) {
            const place place = {.path = array->path, .row = first + row, .column = columns[i]};
            const array_number number = {(double)values[i], values[i]};
            if (own->parts.takes_missing && isnan(number.value)) continue;
            if (!isfinite(number.value)) return array_check_number(number, &place, error);
            values[i] = number.value == 0.0f ? 0.0f : number.value;
        }
    }
    return TANDA_OK;
}

/* Binary32 of some of the columns. */
static tanda_status copy_values(const npy_source *own, const npy_piece *piece, float *made,
                                tanda_error *error) {
    const size_t features = own->feed.features, *columns = own->parts.selection.features;
    for (size_t row = 0; row < piece->array.rows; row++) {
        const unsigned char *at = piece->array.data + row * piece->array.columns * sizeof *made;
        for (size_t i = 0; i < features; i++)
            memcpy(made + row * features + i, at + columns[i] * sizeof *made, sizeof *made);
    }
    return clean(own, piece->first, piece->array.rows, made, error);
}

static tanda_status convert_features(void *context, const npy_piece *piece, tanda_error *error) {
    const converting *work = context;
    const npy_feed_parts *parts = &work->of->parts;
    const row_block block = feed_block_from(&work->of->feed, &work->block, piece->first - work->first);
    tanda_status status = TANDA_OK;
    if (block.values != NULL && work->of->is_binary32)
        status = copy_values(work->of, piece, block.values, error);
    else if (block.values != NULL)
        status = convert_values(work, piece, block.values, error);
    if (status == TANDA_OK && block.labels != NULL && parts->labels.file == NULL)
        status = convert_labels(work, piece, &parts->selection, block.labels, error);
    if (status == TANDA_OK && block.weights != NULL)
        status = convert_weights(piece, parts->selection.weight, block.weights, error);
    return status;
}

static tanda_status convert_label_file(void *context, const npy_piece *piece, tanda_error *error) {
    const converting *work = context;
    const row_block block = feed_block_from(&work->of->feed, &work->block, piece->first - work->first);
    return convert_labels(work, piece, &work->of->parts.label_selection, block.labels, error);
}

/* In pieces that are still in the core's cache when they are looked at. */
static tanda_status read_plain(const npy_source *own, size_t first, size_t rows, float *values,
                               tanda_error *error) {
    const npy_rows *of = &own->parts.features;
    const size_t row = npy_rows_size(of), most = row < PLAIN_PIECE ? PLAIN_PIECE / row : 1;
    tanda_status status = TANDA_OK;
    for (size_t done = 0; status == TANDA_OK && done < rows;) {
        const size_t count = rows - done < most ? rows - done : most, at = first + done;
        float *made = values + done * own->feed.features;
        status = file_range_read(of->file, of->offset + at * row, made, count * row, error);
        if (status == TANDA_OK) status = clean(own, at, count, made, error);
        done += count;
    }
    return status;
}

static tanda_status read_npy(const feed *feed, size_t first, size_t rows, const row_block *block,
                             tanda_error *error) {
    const npy_source *own = (const npy_source *)feed;
    const npy_feed_parts *parts = &own->parts;
    converting work = {.of = own, .block = *block, .first = first};
    tanda_status status = TANDA_OK;
    const unsigned mode = enter_exact_mode();
    if (own->is_plain && block->values != NULL) {
        status = read_plain(own, first, rows, block->values, error);
        work.block.values = NULL;
    }
    const bool of_features = work.block.values != NULL || work.block.weights != NULL ||
                             (work.block.labels != NULL && parts->labels.file == NULL);
    if (status == TANDA_OK && of_features)
        status = npy_for_pieces(&parts->features, first, rows, convert_features, &work, error);
    if (status == TANDA_OK && work.block.labels != NULL && parts->labels.file != NULL)
        status = npy_for_pieces(&parts->labels, first, rows, convert_label_file, &work, error);
    leave_exact_mode(mode);
    return status;
}

static tanda_status check_npy(const feed *feed, tanda_error *error) {
    const npy_feed_parts *parts = &((const npy_source *)feed)->parts;
    const tanda_status status = file_range_check(parts->features.file, error);
    if (status != TANDA_OK || parts->labels.file == NULL) return status;
    return file_range_check(parts->labels.file, error);
}

void npy_feed_parts_free(npy_feed_parts *parts) {
    npy_rows_close(&parts->features);
    npy_rows_close(&parts->labels);
    selection_free(&parts->selection);
    selection_free(&parts->label_selection);
    class_map_free(&parts->classes);
    free(parts->origins);
    *parts = (npy_feed_parts){0};
}

static tanda_status select_columns(size_t count, size_t **columns, tanda_error *error) {
    const tanda_status status = allocate(columns, count, sizeof **columns, "columns", error);
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        (*columns)[i] = i;
    return status;
}

tanda_status npy_select_all_labels(npy_feed_parts *parts, tanda_error *error) {
    selection *labels = &parts->label_selection;
    labels->target_count = parts->labels.array.columns;
    return select_columns(labels->target_count, &labels->targets, error);
}

tanda_status npy_select_all(npy_feed_parts *parts, tanda_error *error) {
    selection *features = &parts->selection;
    features->feature_count = parts->features.array.columns;
    features->weight = NO_COLUMN;
    const tanda_status status = select_columns(features->feature_count, &features->features, error);
    if (status != TANDA_OK || parts->labels.file == NULL) return status;
    return npy_select_all_labels(parts, error);
}

static void free_npy(feed *feed) {
    npy_feed_parts_free(&((npy_source *)feed)->parts);
    free(feed);
}

static bool is_binary32(const npy_feed_parts *parts) {
    const array *array = &parts->features.array;
    return array->kind == ELEMENT_FLOAT && array->size == sizeof(float) && !array->big_endian &&
           parts->origins == NULL;
}

tanda_status npy_feed(npy_feed_parts *parts, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_npy, .free = free_npy, .check = check_npy};
    npy_source *made = NULL;
    const tanda_status status = allocate(&made, 1, sizeof *made, "feed", error);
    if (status != TANDA_OK) {
        npy_feed_parts_free(parts);
        return status;
    }
    made->parts = *parts;
    *parts = (npy_feed_parts){0};
    const selection *targets =
        made->parts.labels.file != NULL ? &made->parts.label_selection : &made->parts.selection;
    const size_t row = npy_rows_size(&made->parts.features);
    made->is_binary32 = is_binary32(&made->parts);
    made->is_plain =
        made->is_binary32 && selection_is_whole(&made->parts.selection, made->parts.features.array.columns);
    made->feed = (feed){.kind = &kind,
                        .rows = made->parts.features.array.rows,
                        .features = made->parts.selection.feature_count,
                        .label_width = made->parts.kind == LABELS_NONE ? 0 : targets->target_count,
                        .has_weights = made->parts.selection.weight != NO_COLUMN,
                        .waits = true,
                        .read_rows = row < READ_BYTES ? READ_BYTES / row : 1};
    *result = &made->feed;
    return TANDA_OK;
}
