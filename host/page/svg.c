#include "page/svg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/escape.h"
#include "support/text.h"

/* The presentation attributes of gnuplot give way to rules. The numbers are INK and GRID of script.c. */
const char svg_style[] = ".picture{max-width:100%;height:auto}.picture image{image-rendering:pixelated}\n"
                         "@media screen and (prefers-color-scheme:dark){"
                         ".picture [stroke=black],.picture [stroke=\"rgb(  0,   0,   0)\"]{stroke:#d8dee4}"
                         ".picture [fill=black],.picture [fill=\"rgb(0,0,0)\"]{fill:#d8dee4}"
                         ".picture [color=black],.picture [color=\"rgb(  0,   0,   0)\"]{color:#d8dee4}"
                         ".picture [stroke=\"rgb(180, 188, 196)\"]{stroke:#3d454d}}\n";

static bool starts(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

/* Behind a group without anything in it; NULL for another. */
static const char *past_empty_group(const char *at) {
    static const char end[] = "\n</g>\n";
    if (!starts(at, "<g ")) return NULL;
    const char *inside = strchr(at, '>');
    return inside != NULL && starts(inside + 1, end) ? inside + strlen(end) + 1 : NULL;
}

/* Behind what says nothing to a reader: tool tips with gnuplot's names, filters that are not used, what goes without saying. */
static const char *past_useless(const char *at) {
    static const char defaults[] = " stroke-linecap=\"butt\" stroke-linejoin=\"miter\"";
    static const char *const elements[][2] = {
        {"<title>", "</title>"}, {"<desc>", "</desc>"}, {"<filter ", "</filter>"}};
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        if (!starts(at, elements[i][0])) continue;
        const char *end = strstr(at, elements[i][1]);
        return end == NULL ? NULL : end + strlen(elements[i][1]);
    }
    if (starts(at, defaults)) return at + strlen(defaults);
    return past_empty_group(at);
}

/* Ids and what refers to them: id='gpPt1', '#gpPt1', id="gnuplot_canvas". */
static size_t id_prefix(const char *at) {
    static const char *const starts_of_ids[] = {"id='", "id=\"", "href='#"};
    for (size_t i = 0; i < sizeof starts_of_ids / sizeof *starts_of_ids; i++)
        if (starts(at, starts_of_ids[i])) return strlen(starts_of_ids[i]);
    return 0;
}

/* `view` is "0 0 720 430": what a page keeps free before it knows more. */
static void put_head(FILE *stream, const char *view, const char *title, bool is_alone) {
    unsigned width = 0, height = 0;
    if (sscanf(view, "%*u %*u %u %u", &width, &height) != 2) width = height = 0;
    fprintf(stream, "<svg class=\"picture\" viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\" role=\"img\"",
            width, height, width, height);
    if (is_alone)
        fputs(" xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\"", stream);
    fputs(">\n", stream);
    if (title != NULL) {
        fputs("<title>", stream);
        escape_put(stream, title);
        fputs("</title>\n", stream);
    }
    if (is_alone) fprintf(stream, "<style>%s</style>\n", svg_style);
}

static void put_rest(FILE *stream, const char *at, const char *name) {
    while (*at != '\0') {
        const char *past = past_useless(at);
        const size_t prefix = id_prefix(at);
        if (past != NULL) {
            at = past;
        } else if (prefix > 0) {
            fprintf(stream, "%.*s%s-", (int)prefix, at, name);
            at += prefix;
        } else {
            fputc(*at++, stream);
        }
    }
}

tanda_status svg_tidy(char **svg, const char *name, const char *title, bool is_alone, tanda_error *error) {
    static const char view_name[] = "viewBox=\"";
    char *made = NULL;
    size_t size = 0;
    const char *view = strstr(*svg, view_name), *rest = view == NULL ? NULL : strchr(view, '>');
    if (rest == NULL) return fail(error, TANDA_FAILED, "gnuplot's SVG is not what is expected: no viewBox");
    FILE *stream = open_memstream(&made, &size);
    if (stream == NULL) return fail(error, TANDA_FAILED, "no memory for a picture");
    put_head(stream, view + strlen(view_name), title, is_alone);
    put_rest(stream, rest + 1, name);
    if (!text_stream_end(stream, &made)) {
        free(made);
        return fail(error, TANDA_FAILED, "no memory for a picture");
    }
    free(*svg);
    *svg = made;
    return TANDA_OK;
}
