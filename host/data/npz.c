/* NumPy's .npz: a zip archive whose members are .npy files, one for each array (numpy.savez). */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/format.h"
#include "data/packed.h"
#include "support/memory.h"
#include "support/text.h"

#define ARRAYS_MOST 4096
#define LIST_SIZE 300

typedef struct npz {
    const char *path;
    const file_view *view;
    char **names; /* (count), without .npy */
    size_t count;
} npz;

/* One array on its way into memory. */
typedef struct member {
    const npz *npz;
    struct archive *archive;
} member;

bool npz_looks_right(const unsigned char *data, size_t size) {
    return size >= 4 && (memcmp(data, "PK\3\4", 4) == 0 || memcmp(data, "PK\5\6", 4) == 0);
}

static tanda_status damaged(const npz *npz, struct archive *archive, tanda_error *error) {
    if (archive_errno(archive) == ENOMEM)
        return fail(error, TANDA_FAILED, "%s: no memory to read it", npz->path);
    const char *reason = archive_error_string(archive); /* some end in a line end */
    if (reason == NULL) reason = "its end is missing";
    return fail(error, TANDA_BAD_INPUT, "%s: the zip archive is damaged or cut off: %.*s", npz->path,
                (int)strcspn(reason, "\n"), reason);
}

static tanda_status open_archive(const npz *npz, struct archive **archive, tanda_error *error) {
    *archive = archive_read_new();
    if (*archive == NULL) return fail(error, TANDA_FAILED, "%s: no memory to read it", npz->path);
    archive_read_support_format_zip(*archive);
    if (archive_read_open_memory(*archive, npz->view->data, npz->view->size) == ARCHIVE_OK) return TANDA_OK;
    const tanda_status status = damaged(npz, *archive, error);
    archive_read_free(*archive);
    return status;
}

/* The array's name, or NULL for a member that is no .npy. length leaves the .npy out. */
static const char *array_name(struct archive_entry *entry, size_t *length) {
    const char *name = archive_entry_pathname_utf8(entry);
    if (name == NULL) name = archive_entry_pathname(entry);
    const size_t whole = name == NULL ? 0 : strlen(name);
    if (whole <= 4 || strcmp(name + whole - 4, ".npy") != 0) return NULL;
    *length = whole - 4;
    return name;
}

static tanda_status list_arrays(npz *npz, tanda_error *error) {
    struct archive *archive = NULL;
    struct archive_entry *entry = NULL;
    size_t length = 0;
    int code = ARCHIVE_OK;
    tanda_status status = allocate(&npz->names, ARRAYS_MOST, sizeof *npz->names, "names", error);
    if (status == TANDA_OK) status = open_archive(npz, &archive, error);
    if (status != TANDA_OK) return status;
    while (status == TANDA_OK && (code = archive_read_next_header(archive, &entry)) == ARCHIVE_OK) {
        const char *name = array_name(entry, &length);
        if (name == NULL) continue;
        if (npz->count == ARRAYS_MOST)
            status = fail(error, TANDA_BAD_INPUT, "%s: more than %d arrays", npz->path, ARRAYS_MOST);
        else if ((npz->names[npz->count] = strndup(name, length)) == NULL)
            status = fail(error, TANDA_FAILED, "%s: out of memory", npz->path);
        else
            npz->count++;
    }
    if (status == TANDA_OK && code != ARCHIVE_EOF) status = damaged(npz, archive, error);
    archive_read_free(archive);
    if (status == TANDA_OK && npz->count == 0)
        status = fail(error, TANDA_BAD_INPUT, "%s: the zip archive holds no array (.npy)", npz->path);
    return status;
}

static tanda_status take_bytes(void *source, unsigned char *out, size_t size, size_t *got,
                               tanda_error *error) {
    const member *member = source;
    *got = 0;
    while (*got < size) {
        const la_ssize_t length = archive_read_data(member->archive, out + *got, size - *got);
        if (length < 0) return damaged(member->npz, member->archive, error);
        if (length == 0) break;
        *got += (size_t)length;
    }
    return TANDA_OK;
}

/* The array's .npy in memory, which is there. path is "FILE.npz:NAME", for messages. */
static tanda_status open_array(const npz *npz, const char *name, const char *path, file_view *view,
                               tanda_error *error) {
    member member = {.npz = npz};
    struct archive_entry *entry = NULL;
    bool found = false;
    tanda_status status = open_archive(npz, &member.archive, error);
    if (status != TANDA_OK) return status;
    while (!found && archive_read_next_header(member.archive, &entry) == ARCHIVE_OK) {
        size_t length = 0;
        const char *of_entry = array_name(entry, &length);
        found = of_entry != NULL && strlen(name) == length && memcmp(of_entry, name, length) == 0;
    }
    if (!found)
        status = damaged(npz, member.archive, error);
    else if (archive_entry_is_encrypted(entry))
        status = fail(error, TANDA_BAD_INPUT, "%s: is encrypted; save it without a password", path);
    else
        status = packed_take(path, take_bytes, &member, npz->view->size, SIZE_MAX, npy_bound, view, error);
    archive_read_free(member.archive);
    return status;
}

/* The array of this name, in any case: x_train, X_train; NULL if there is none. */
static const char *find_array(const npz *npz, const char *name) {
    for (size_t i = 0; i < npz->count; i++)
        if (strcasecmp(npz->names[i], name) == 0) return npz->names[i];
    return NULL;
}

static const char *find_first(const npz *npz, char kind, bool validation) {
    static const char *const endings[] = {"_train", "", NULL}, *const held_out[] = {"_test", "_val", "",
                                                                                    NULL};
    char name[16];
    const char *found = NULL;
    for (const char *const *ending = validation ? held_out : endings; *ending != NULL && found == NULL;
         ending++) {
        text_put(name, sizeof name, "%c%s", kind, *ending);
        found = find_array(npz, name);
    }
    return found;
}

static tanda_status not_there(const npz *npz, const char *wanted, tanda_error *error) {
    char list[LIST_SIZE] = "", text[SHOWN_SIZE];
    size_t at = 0;
    for (size_t i = 0; i < npz->count && at + SHOWN_SIZE + 8 < sizeof list; i++)
        at += text_put(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ",
                       shown(npz->names[i], strlen(npz->names[i]), text));
    return fail(error, TANDA_BAD_INPUT, "%s: holds no array %s; its arrays are %s (%s:NAME takes one)",
                npz->path, wanted, list, npz->path);
}

static tanda_status choose_rows(const npz *npz, const request *request, const char **rows,
                                tanda_error *error) {
    const bool validation = request->options->validation;
    char text[SHOWN_SIZE];
    if (request->member != NULL)
        for (size_t i = 0; i < npz->count; i++)
            if (strcmp(npz->names[i], request->member) == 0) *rows = npz->names[i];
    if (request->member != NULL && *rows == NULL)
        return not_there(npz, shown(request->member, strlen(request->member), text), error);
    if (*rows == NULL) *rows = find_first(npz, request->labels_only ? 'y' : 'x', validation);
    if (*rows == NULL && npz->count == 1) *rows = npz->names[0];
    if (*rows != NULL) return TANDA_OK;
    return not_there(npz,
                     request->labels_only ? (validation ? "y_test and no y" : "y_train and no y")
                     : validation         ? "x_test and no x"
                                          : "x_train and no x",
                     error);
}

/* The labels that go with x or x_... are y or y_...; NULL for an array of another name. */
static tanda_status choose_labels(const npz *npz, const request *request, const char *rows,
                                  const char **labels, tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    char name[SHOWN_SIZE];
    const bool is_x = (rows[0] == 'x' || rows[0] == 'X') && (rows[1] == '\0' || rows[1] == '_');
    *labels = NULL;
    if (request->labels_only || options->labels != NULL || options->target != NULL ||
        options->without_target || !is_x)
        return TANDA_OK;
    text_put(name, sizeof name, "y%s", rows + 1);
    *labels = find_array(npz, name);
    return *labels != NULL ? TANDA_OK : not_there(npz, name, error);
}

/* "FILE.npz:NAME", for free(); NULL for want of memory. */
static char *array_path(const npz *npz, const char *name) {
    char text[SHOWN_SIZE], *path = NULL;
    return asprintf(&path, "%s:%s", npz->path, shown(name, strlen(name), text)) < 0 ? NULL : path;
}

static tanda_status read_labels(const npz *npz, const char *name, const char *rows, const request *request,
                                table *table, tanda_error *error) {
    file_view view = {0};
    char *path = array_path(npz, name), *rows_path = array_path(npz, rows);
    tanda_status status = TANDA_OK;
    if (path == NULL || rows_path == NULL) status = fail(error, TANDA_FAILED, "%s: out of memory", npz->path);
    if (status == TANDA_OK) status = open_array(npz, name, path, &view, error);
    if (status == TANDA_OK) status = format_read_labels(path, &view, request, rows_path, table, error);
    file_view_close(&view);
    free(path);
    free(rows_path);
    return status;
}

/* rows is read with its labels elsewhere, where there are such. */
static tanda_status read_rows(const npz *npz, const char *rows, const char *labels, const request *request,
                              table *table, tanda_error *error) {
    file_view view = {0};
    char *path = array_path(npz, rows);
    tanda_dataset_options options = *request->options;
    struct request of_rows = *request;
    if (labels != NULL) options.labels = labels;
    of_rows.options = &options;
    if (path == NULL) return fail(error, TANDA_FAILED, "%s: out of memory", npz->path);
    tanda_status status = open_array(npz, rows, path, &view, error);
    if (status == TANDA_OK) status = npy_read(path, &view, &of_rows, table, error);
    file_view_close(&view);
    free(path);
    return status;
}

tanda_status npz_read(const char *path, file_view *view, const request *request, table *table,
                      tanda_error *error) {
    npz npz = {.path = path, .view = view};
    char first[SHOWN_SIZE] = "", second[SHOWN_SIZE] = "";
    const char *rows = NULL, *labels = NULL;
    tanda_status status = list_arrays(&npz, error);
    if (status == TANDA_OK) status = choose_rows(&npz, request, &rows, error);
    if (status == TANDA_OK) status = choose_labels(&npz, request, rows, &labels, error);
    if (status == TANDA_OK) status = read_rows(&npz, rows, labels, request, table, error);
    if (status == TANDA_OK && labels != NULL) status = read_labels(&npz, labels, rows, request, table, error);
    if (status == TANDA_OK && request->member == NULL) {
        shown(rows, strlen(rows), first);
        if (labels != NULL) shown(labels, strlen(labels), second);
        if (asprintf(&table->remark, "%s%s%s", first, labels != NULL ? ", " : "", second) < 0) {
            table->remark = NULL;
            status = fail(error, TANDA_FAILED, "out of memory for names");
        }
    }
    if (status != TANDA_OK) table_free(table);
    free_texts(npz.names, npz.count);
    return status;
}
