#include "page/draw.h"

#include <stdlib.h>
#include <string.h>

#include "page/gnuplot.h"
#include "page/script.h"
#include "page/svg.h"
#include "support/file_writer.h"
#include "support/text.h"

/* Without the form feed and the empty line that a page of letters begins with, and without spaces at the ends of lines. */
static void trim_text(char *text, size_t *size) {
    const char *at = text + strspn(text, "\f");
    char *end = text;
    while (*at != '\0') {
        size_t length = strcspn(at, "\n");
        const char *next = at + length + (at[length] == '\n');
        while (length > 0 && at[length - 1] == ' ')
            length--;
        if (length > 0 || end > text) {
            memmove(end, at, length);
            end += length;
            *end++ = '\n';
        }
        at = next;
    }
    while (end - text >= 2 && end[-1] == '\n' && end[-2] == '\n')
        end--;
    *end = '\0';
    *size = (size_t)(end - text);
}

/* As gnuplot makes it but for letters and SVG, which is_alone is about. */
static tanda_status draw(const picture *picture, picture_format format, bool is_alone, char **bytes,
                         size_t *size, tanda_error *error) {
    char *script = NULL;
    *bytes = NULL;
    tanda_status status = picture_script(picture, format, NULL, &script, error);
    if (status == TANDA_OK) status = gnuplot_run(script, bytes, size, error);
    free(script);
    if (status == TANDA_OK && format == PICTURE_TEXT) trim_text(*bytes, size);
    if (status != TANDA_OK || format != PICTURE_SVG) return status;
    status = svg_tidy(bytes, picture->name, picture->title, is_alone, error);
    if (status == TANDA_OK) {
        *size = strlen(*bytes);
        return TANDA_OK;
    }
    free(*bytes);
    *bytes = NULL;
    return status;
}

tanda_status picture_draw(const picture *picture, picture_format format, char **bytes, size_t *size,
                          tanda_error *error) {
    return draw(picture, format, true, bytes, size, error);
}

tanda_status picture_draw_inline(const picture *picture, char **svg, tanda_error *error) {
    size_t size = 0;
    return draw(picture, PICTURE_SVG, false, svg, &size, error);
}

/* ---- files ----------------------------------------------------------------------------------------------- */

static tanda_status write_whole(const char *path, const char *data, size_t size, tanda_error *error) {
    const file_part part = {.data = data, .size = size};
    return file_write_atomically(path, &part, 1, error);
}

/* The length of a path without its suffix. */
static size_t stem_length(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    const char *point = strrchr(name, '.');
    return point == NULL || point == name ? strlen(path) : (size_t)(point - path);
}

bool picture_beside(const char *path, const char *suffix, char beside[PATH_MAX]) {
    return text_fit(beside, PATH_MAX, "%.*s%s", (int)stem_length(path), path, suffix);
}

tanda_status picture_save_sources(const picture *picture, picture_format format, const char *stem,
                                  tanda_error *error) {
    char script_path[PATH_MAX], data_path[PATH_MAX];
    char *script = NULL, *data = NULL;
    const char *slash = strrchr(stem, '/');
    if (!text_fit(script_path, PATH_MAX, "%s.gnuplot", stem) ||
        !text_fit(data_path, PATH_MAX, "%s.dat", stem))
        return fail(error, TANDA_FAILED, "%s: the name is too long", stem);
    tanda_status status = picture_script(picture, format, slash == NULL ? stem : slash + 1, &script, error);
    if (status == TANDA_OK) status = picture_data(picture, &data, error);
    if (status == TANDA_OK) status = write_whole(data_path, data, strlen(data), error);
    if (status == TANDA_OK) status = write_whole(script_path, script, strlen(script), error);
    free(script);
    free(data);
    return status;
}

static tanda_status check_names(const char *path, tanda_error *error) {
    static const char *const suffixes[] = {".gnuplot", ".dat"};
    char beside[PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        if (!picture_beside(path, suffixes[i], beside))
            return fail(error, TANDA_FAILED, "%s: the name is too long", path);
        if (strcmp(path, beside) == 0)
            return fail(error, TANDA_USAGE,
                        "%s: a picture's %s lies beside it; give the picture another suffix", path,
                        i == 0 ? "script" : "data");
    }
    return TANDA_OK;
}

tanda_status picture_save(const picture *picture, picture_format format, const char *path,
                          tanda_error *error) {
    char *bytes = NULL, stem[PATH_MAX];
    size_t size = 0;
    file_target target;
    const int code = file_target_find(path, &target);
    if (code != 0) return fail_path(error, path, "", code);
    tanda_status status = check_names(path, error);
    if (status == TANDA_OK) status = draw(picture, format, true, &bytes, &size, error);
    if (status == TANDA_OK) status = write_whole(path, bytes, size, error);
    free(bytes);
    if (status != TANDA_OK || target.kind == FILE_SPECIAL) return status;
    if (!picture_beside(path, "", stem)) return fail(error, TANDA_FAILED, "%s: the name is too long", path);
    return picture_save_sources(picture, format, stem, error);
}
