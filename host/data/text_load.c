#include "data/text_load.h"

#include <stdlib.h>
#include <string.h>

#include "data/data_cache.h"
#include "data/format.h"
#include "data/pipe.h"
#include "data/text_source.h"
#include "support/memory.h"

/* What the first part of a file tells of all of it. */
typedef struct text_look {
    const char *title;
    size_t size;   /* of the file */
    size_t needed; /* bytes of its values, about */
} text_look;

/* Bytes of the values that a text of this size holds, by how many there are in its first part. */
static size_t values_of_text(const unsigned char *data, size_t size, size_t whole) {
    size_t values = 1;
    for (size_t i = 0; i < size; i++)
        values += memchr(",;\t\n|", data[i], 5) != NULL || (data[i] == ' ' && i > 0 && data[i - 1] != ' ');
    const double bytes = (double)whole / (double)size * (double)values * sizeof(float);
    return bytes < (double)SIZE_MAX ? (size_t)bytes : SIZE_MAX;
}

/* More text than memory holds goes to the cache, and what can not is refused. */
static tanda_status load_text(const text_files *files, const request *request, const text_look *look,
                              tanda_dataset *dataset, bool *taken, tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    const char *path = files->path;
    if (look->needed <= options->memory) return TANDA_OK;
    *taken = options->cache != NULL;
    if (*taken) return data_cache_load(files, request, dataset, error);
    return fail(
        error, TANDA_BAD_INPUT,
        "%s: %zu bytes of %s, whose rows need about %zu in memory, and --memory is %zu; give a greater "
        "one, or a folder where it is kept as .npy, which is read in place: --data-cache DIR",
        path, look->size, look->title, look->needed, options->memory);
}

bool text_is_asked(const tanda_dataset_options *options, const unsigned char *bytes, size_t size) {
    const char *format = options->format;
    if (format != NULL) return strcmp(format, "csv") == 0 || strcmp(format, "libsvm") == 0;
    return format_title(bytes, size) != NULL &&
           (csv_looks_right(bytes, size) || libsvm_looks_right(bytes, size));
}

/*
 * Adds a text, packed or not, by what its first part holds, and how much smaller that is packed. *looks is false for what is no
 * text, and for what cannot be read: the reader in memory tells.
 */
static tanda_status look_at_text(const char *path, const tanda_dataset_options *options, text_look *look,
                                 bool *looks, tanda_error *error) {
    text_begin begin = {0};
    *looks = !pipe_is_named(path);
    if (!*looks) return TANDA_OK;
    const tanda_status status = text_begin_read(path, &begin, error);
    const char *title = format_title(begin.bytes, begin.count);
    *looks = begin.count > 0 && text_is_asked(options, begin.bytes, begin.count) &&
             foreign_kind(path, begin.bytes, begin.count) == NULL;
    if (*looks) {
        const size_t whole = begin.whole < 0x1p62 ? (size_t)begin.whole : (size_t)1 << 62;
        const size_t values = values_of_text(begin.bytes, begin.count, whole);
        if (add_overflows(look->needed, values, &look->needed)) look->needed = SIZE_MAX;
        look->title = (double)begin.size < begin.whole ? "packed text" : title != NULL ? title : "text";
        look->size += begin.size;
    }
    free(begin.bytes);
    return status;
}

tanda_status text_load(const char *path, const request *request, tanda_dataset *dataset, bool *taken,
                       tanda_error *error) {
    const tanda_dataset_options *options = request->options;
    text_look look = {.title = "text"};
    text_files files = {.path = path};
    char **paths = NULL;
    bool looks = parts_find(path, options, &paths, &files.count, NULL) == TANDA_OK;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && looks && i < files.count; i++)
        status = look_at_text(paths[i], options, &look, &looks, error);
    files.paths = paths;
    if (files.count > 1) look.title = "text in several files";
    if (status == TANDA_OK && looks) status = load_text(&files, request, &look, dataset, taken, error);
    free_texts(paths, files.count);
    return status;
}
