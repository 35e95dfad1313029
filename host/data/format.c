#include "data/format.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* In the order in which contents are looked at: text comes last. */
static const format formats[] = {
    {"npy", ".npy", npy_looks_right, npy_read},
    {"idx", "ubyte", idx_looks_right, idx_read},
    {"csv", ".csv", csv_looks_right, csv_read},
};
#define FORMAT_COUNT (sizeof formats / sizeof *formats)

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text);
    size_t end_length = strlen(end);
    return length >= end_length && strcasecmp(text + length - end_length, end) == 0;
}

static tanda_status unknown_format(const char *name, tanda_error *error) {
    char list[100] = "";
    char asked[SHOWN_SIZE];
    size_t at = 0;
    for (size_t i = 0; i < FORMAT_COUNT; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ", formats[i].name);
    return fail(error, TANDA_USAGE, "--format: '%s' is none of %s", shown(name, strlen(name), asked), list);
}

static tanda_status find_format(const char *path, const char *name, const file_view *view,
                                const format **result, tanda_error *error) {
    for (size_t i = 0; name != NULL && i < FORMAT_COUNT; i++) {
        if (strcmp(formats[i].name, name) != 0) continue;
        *result = &formats[i];
        return TANDA_OK;
    }
    if (name != NULL) return unknown_format(name, error);
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (!formats[i].looks_right(view->data, view->size)) continue;
        *result = &formats[i];
        return TANDA_OK;
    }
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (!ends_with(path, formats[i].extension)) continue;
        *result = &formats[i]; /* it will say what is wrong with the content */
        return TANDA_OK;
    }
    return fail(error, TANDA_BAD_INPUT, "%s: is neither CSV text, nor .npy, nor IDX (plain or .gz)", path);
}

tanda_status format_read(const char *path, const char *name, const request *request, table *table,
                         tanda_error *error) {
    file_view view = {0};
    const format *format = NULL;
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    if (view.size == 0) return fail(error, TANDA_BAD_INPUT, "%s: the file is empty", path);
    status = find_format(path, name, &view, &format, error);
    if (status == TANDA_OK) {
        status = format->read(path, &view, request, table, error);
        status = file_view_check(view.file != NULL ? &view : &table->mapping, status, error);
        if (status != TANDA_OK) table_free(table);
    }
    file_view_close(&view);
    return status;
}
