#include "data/format.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "data/packed.h"
#include "data/pipe.h"

#define FORMAT_ENTRY(name, title, extension, bound) \
    {#name, title, extension, name##_looks_right, bound, name##_read},
static const format formats[] = {FORMAT_LIST(FORMAT_ENTRY)};
#define TEXT_LOOKED_AT 64
#define FORMAT_COUNT (sizeof formats / sizeof *formats)

static bool begins(const char *bytes, size_t size, const char *text) {
    const size_t length = strlen(text);
    return size >= length && memcmp(bytes, text, length) == 0;
}

static bool ends(const char *text, size_t length, const char *end) {
    const size_t end_length = strlen(end);
    return length >= end_length && strncasecmp(text + length - end_length, end, end_length) == 0;
}

/* More strictly than its readers, which take what nothing else can be. */
static bool begins_like_text(const unsigned char *data, size_t size) {
    for (size_t i = 0; i < size && i < TEXT_LOOKED_AT; i++)
        if (data[i] >= 0xf8 || (data[i] < ' ' && strchr("\t\r\n", data[i]) == NULL) || data[i] == '\0')
            return false;
    return size > 0;
}

const char *format_title(const unsigned char *data, size_t size) {
    const bool is_text = begins_like_text(data, size);
    if (is_text && data[0] == '{') return "JSON text";
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i].looks_right(data, size) &&
            (is_text || (formats[i].read != csv_read && formats[i].read != libsvm_read)))
            return formats[i].title;
    return NULL;
}

bool safetensors_looks_right(const unsigned char *data, size_t size) {
    uint64_t length = 0;
    if (size <= sizeof length || data[sizeof length] != '{') return false;
    for (size_t i = sizeof length; i > 0; i--)
        length = length << 8 | data[i - 1];
    return length >= 2 && length <= SAFETENSORS_HEADER_LIMIT;
}

static tanda_status find_format(const char *path, const char *name, const file_view *view,
                                const format **result, tanda_error *error) {
    char list[100] = "", asked[SHOWN_SIZE];
    size_t at = 0;
    for (size_t i = 0; name != NULL && i < FORMAT_COUNT; i++) {
        at += text_put(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ", formats[i].name);
        if (strcmp(formats[i].name, name) != 0) continue;
        *result = &formats[i];
        return TANDA_OK;
    }
    if (name != NULL)
        return fail(error, TANDA_USAGE, "--format: '%s' is none of %s", shown(name, strlen(name), asked),
                    list);
    const char *foreign = foreign_kind(path, view->data, view->size);
    if (foreign != NULL)
        return fail(error, TANDA_BAD_INPUT,
                    "%s: is %s, which is not read; write it as CSV (to_csv of pandas) or .npy (numpy.save)",
                    path, foreign);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (!formats[i].looks_right(view->data, view->size)) continue;
        *result = &formats[i];
        return TANDA_OK;
    }
    if (safetensors_looks_right(view->data, view->size))
        return fail(error, TANDA_BAD_INPUT, "%s: is a model (a safetensors file), not data", path);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (!ends(path, strlen(path), formats[i].extension)) continue;
        *result = &formats[i]; /* it will say what is wrong with the content */
        return TANDA_OK;
    }
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: is neither CSV or libsvm text, nor .npy, .npz or IDX (as they are, or packed by gzip, xz, "
        "zstd or bzip2)",
        path);
}

/* packed_bound: what a packed file of any format declares. */
static size_t format_bound(const unsigned char *data, size_t size) {
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        if (formats[i].bound != NULL && formats[i].looks_right(data, size))
            return formats[i].bound(data, size);
    return SIZE_MAX;
}

tanda_status format_read_view(const char *path, file_view *view, const char *name, const request *request,
                              table *table, tanda_error *error) {
    const format *format = NULL;
    const char *packing = packed_name(view->data, view->size);
    tanda_status status = packing != NULL ? packed_open(path, format_bound, view, error) : TANDA_OK;
    if (status == TANDA_OK && view->size == 0)
        status = fail(error, TANDA_BAD_INPUT, "%s: the %s file holds nothing", path, packing);
    if (status == TANDA_OK) status = find_format(path, name, view, &format, error);
    if (status == TANDA_OK && request->options->copy_count > 0 && format->read != csv_read)
        status = fail(error, TANDA_USAGE, "--copy: it passes the text of CSV columns on, and %s is %s", path,
                      format->name);
    return status == TANDA_OK ? format->read(path, view, request, table, error) : status;
}

const char *format_member(const char *path) {
    const char *colon = strrchr(path, ':');
    const bool is_npz = colon != NULL && colon - path > 4 && strncasecmp(colon - 4, ".npz", 4) == 0;
    return is_npz && colon[1] != '\0' && access(path, F_OK) != 0 ? colon + 1 : NULL;
}

static tanda_status open_and_read(const char *path, const char *name, const request *request, table *table,
                                  tanda_error *error) {
    file_view view = {0};
    const bool is_pipe = !request->labels_only && pipe_is_named(path);
    tanda_status status = is_pipe ? pipe_read_all(path, &view, error) : file_view_open(path, &view, error);
    if (status == TANDA_OK && view.size == 0)
        status =
            fail(error, TANDA_BAD_INPUT,
                 is_pipe ? "%s: nothing came; a pipe can be read only once" : "%s: the file is empty", path);
    if (status == TANDA_OK) status = format_read_view(path, &view, name, request, table, error);
    status = file_view_check(view.file != NULL ? &view : &table->mapping, status, error);
    if (status != TANDA_OK) table_free(table);
    file_view_close(&view);
    return status;
}

tanda_status format_read(const char *path, const char *name, const request *request, table *table,
                         tanda_error *error) {
    const char *member = format_member(path);
    if (member == NULL) return open_and_read(path, name, request, table, error);
    struct request of_member = *request;
    of_member.member = member;
    char *file = strndup(path, (size_t)(member - 1 - path));
    if (file == NULL) return fail(error, TANDA_FAILED, "%s: out of memory", path);
    const tanda_status status = open_and_read(file, "npz", &of_member, table, error);
    free(file);
    return status;
}

tanda_status format_read_labels(const char *label_path, file_view *view, const request *request,
                                const char *path, table *data, tanda_error *error) {
    tanda_dataset_options options = {.task = request->options->task,
                                     .validation = request->options->validation,
                                     .drop_missing_targets = request->options->drop_missing_targets,
                                     .labels_of_several = request->options->labels_of_several};
    const struct request label_request = {.options = &options,
                                          .expected = request->expected,
                                          .is_part = request->is_part,
                                          .text_labels = request->text_labels,
                                          .labels_only = true,
                                          .label_rows = data->rows};
    table labels = {0};
    tanda_status status = view == NULL ? format_read(label_path, NULL, &label_request, &labels, error)
                                       : npy_read(label_path, view, &label_request, &labels, error);
    if (status != TANDA_OK) return status;
    if (labels.rows == data->rows) {
        table_take_labels(&labels, data);
        return TANDA_OK;
    }
    status = fail(error, TANDA_BAD_INPUT, "%s: %zu labels for the %zu rows of %s; there must be one per row",
                  label_path, labels.rows, data->rows, path);
    table_free(&labels);
    return status;
}

#define ZIP_NAME 30 /* where the name of the first member stands; its length is at 26 */

typedef struct mark {
    const char *text, *kind;
} mark;

/* By the first member. */
static const char *zip_kind(const char *bytes, size_t size) {
    static const mark members[] = {
        {"[Content_Types].xml", "an Excel workbook"}, {"app.xml", "an Excel workbook"},
        {"workbook.xml", "an Excel workbook"},        {"data.pkl", "a PyTorch file"},
        {"metadata.json", "a Keras model"},           {"config.json", "a Keras model"},
    };
    if (size < ZIP_NAME || !begins(bytes, size, "PK\003\004")) return NULL;
    const size_t length = (unsigned char)bytes[26] + 256u * (unsigned char)bytes[27];
    if (length > size - ZIP_NAME) return NULL;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (ends(bytes + ZIP_NAME, length, members[i].text)) return members[i].kind;
    return NULL;
}

const char *foreign_kind(const char *path, const void *data, size_t size) {
    static const mark marks[] = {
        {"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras and pandas write"},
        {"PAR1", "a Parquet file"},
        {"ARROW1", "an Arrow file"},
        {"SQLite format 3", "an SQLite database"},
        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"},
    };
    const char *bytes = data;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (begins(bytes, size, marks[i].text)) return marks[i].kind;
    /* a pickle's protocol, and a frame, a dictionary, an array of joblib or PyTorch's magic number */
    if (size > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5 &&
        memchr("\x95}]c(\x8a", bytes[2], 6) != NULL)
        return "a pickle, as scikit-learn, joblib and PyTorch write";
    const size_t length = strlen(path);
    if ((ends(path, length, ".json") || ends(path, length, ".jsonl")) && size > 0 &&
        (*bytes == '{' || *bytes == '['))
        return "JSON";
    return zip_kind(bytes, size);
}
