#include "page/page.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "page/escape.h"
#include "page/gnuplot.h"
#include "page/page_texts.h"
#include "page/style.h"
#include "page/svg.h"
#include "support/file.h"
#include "support/file_writer.h"
#include "support/text.h"

const char *const language_names[LANGUAGE_COUNT] = {"en", "es"};

/* ---- text ------------------------------------------------------------------------------------------------ */

static void put(page *page, const char *html) {
    if (page->stream != NULL) fputs(html, page->stream);
}

static void put_escaped(page *page, const char *text) {
    if (page->stream != NULL) escape_put(page->stream, text);
}

static void put_format(page *page, const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        page->failed = true;
        return;
    }
    put_escaped(page, text);
    free(text);
}

/* An element with a formatted text: the body of each function below. */
#define PUT_ELEMENT(page, before, format, after) \
    do { \
        va_list arguments; \
        va_start(arguments, format); \
        put(page, before); \
        put_format(page, format, arguments); \
        put(page, after); \
        va_end(arguments); \
    } while (0)

void page_heading(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<h2>", format, "</h2>\n");
}

void page_subheading(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<h3>", format, "</h3>\n");
}

void page_paragraph(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<p>", format, "</p>\n");
}

void page_formula(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<div class=\"formula\">", format, "</div>\n");
}

static const char *const mark_classes[] = {
    [MARK_NONE] = "plain", [MARK_GOOD] = "good", [MARK_BAD] = "bad", [MARK_DOUBTFUL] = "doubtful"};

void page_note(page *page, page_mark mark, const char *format, ...) {
    put(page, "<p class=\"note ");
    put(page, mark_classes[mark]);
    PUT_ELEMENT(page, "\">", format, "</p>\n");
}

void page_list_begin(page *page) {
    put(page, "<ul>\n");
}

void page_item(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<li>", format, "</li>\n");
}

void page_list_end(page *page) {
    put(page, "</ul>\n");
}

void page_details_begin(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<details><summary>", format, "</summary>\n");
}

void page_details_end(page *page) {
    put(page, "</details>\n");
}

/* ---- tables ---------------------------------------------------------------------------------------------- */

void page_table_begin(page *page, const char *alignment, const char *const *titles) {
    page->columns = strlen(alignment);
    page->cells = 0;
    put(page, "<div class=\"table\"><table>\n<thead><tr>");
    for (size_t i = 0; i < page->columns; i++) {
        page->alignment[i < PAGE_COLUMNS ? i : PAGE_COLUMNS - 1] = alignment[i];
        put(page, alignment[i] == 'r' ? "<th class=\"number\">" : "<th>");
        put_escaped(page, titles[i]);
        put(page, "</th>");
    }
    put(page, "</tr></thead>\n<tbody>\n");
}

static void begin_cell(page *page, page_mark mark) {
    const size_t column = page->cells % page->columns;
    const char letter = page->alignment[column < PAGE_COLUMNS ? column : PAGE_COLUMNS - 1];
    if (column == 0) put(page, "<tr>");
    put(page, "<td class=\"");
    put(page, letter == 'r' ? "number " : letter == 'w' ? "whole " : letter == 'l' ? "" : "math ");
    put(page, mark_classes[mark]);
    put(page, "\">");
}

static void end_cell(page *page) {
    put(page, ++page->cells % page->columns == 0 ? "</td></tr>\n" : "</td>");
}

void page_cell(page *page, const char *format, ...) {
    begin_cell(page, MARK_NONE);
    PUT_ELEMENT(page, "", format, "");
    end_cell(page);
}

void page_marked_cell(page *page, page_mark mark, const char *format, ...) {
    begin_cell(page, mark);
    PUT_ELEMENT(page, "", format, "");
    end_cell(page);
}

void page_table_end(page *page) {
    if (page->cells % page->columns != 0) put(page, "</tr>\n");
    put(page, "</tbody></table></div>\n");
}

/* ---- pictures -------------------------------------------------------------------------------------------- */

bool page_picture_holds(const char *name) {
    return text_ends(name, ".gnuplot") || text_ends(name, ".dat");
}

bool page_pictures_folder(const char *path, char folder[PATH_MAX]) {
    file_target target;
    folder[0] = '\0';
    if (file_target_find(path, &target) != 0) return true;
    if (target.kind != FILE_REGULAR && target.kind != FILE_ABSENT) return true;
    return picture_beside(path, PAGE_PICTURES, folder);
}

static tanda_status save_sources(page *page, const picture *picture, tanda_error *error) {
    char stem[PATH_MAX];
    if (page->pictures[0] == '\0') return TANDA_OK;
    if (!text_fit(stem, sizeof stem, "%s/%s", page->pictures, picture->name))
        return fail(error, TANDA_FAILED, "%s: the name is too long", page->pictures);
    const tanda_status status = file_make_folder(page->pictures, error);
    return status == TANDA_OK ? picture_save_sources(picture, PICTURE_SVG, stem, error) : status;
}

static void put_sources(page *page, const char *name) {
    char script[PATH_MAX], data[PATH_MAX];
    const char *slash = strrchr(page->pictures, '/'), *folder = slash == NULL ? page->pictures : slash + 1;
    if (page->pictures[0] == '\0') return;
    text_put(script, sizeof script, "%s/%s.gnuplot", folder, name);
    text_put(data, sizeof data, "%s.dat", name);
    put(page, "<small>");
    char *text = NULL;
    if (asprintf(&text, TEXT_IN(page->language, page_sources), script, data) < 0) {
        page->failed = true;
    } else {
        put_escaped(page, text);
        free(text);
    }
    put(page, "</small>");
}

static void put_figure(page *page, const picture *picture, const char *svg, const char *caption) {
    put(page, "<figure>\n");
    put(page, svg);
    put(page, "<figcaption>");
    if (caption != NULL) put_escaped(page, caption);
    if (caption != NULL) put(page, " ");
    put_sources(page, picture->name);
    put(page, "</figcaption></figure>\n");
}

tanda_status page_picture(page *page, const picture *picture, const char *caption, tanda_error *error) {
    char *svg = NULL;
    tanda_error problem = {0};
    const tanda_status status = save_sources(page, picture, error);
    if (status != TANDA_OK) return status;
    if (!page->lacks_gnuplot && picture_draw_inline(picture, &svg, &problem) == TANDA_OK) {
        put_figure(page, picture, svg, caption);
        free(svg);
        return TANDA_OK;
    }
    page->lacks_gnuplot = page->lacks_gnuplot || !gnuplot_is_there();
    if (page->lacks_gnuplot)
        page_note(page, MARK_DOUBTFUL, "%s", TEXT_IN(page->language, page_no_gnuplot));
    else
        page_note(page, MARK_DOUBTFUL, TEXT_IN(page->language, page_no_picture), problem.message);
    return TANDA_OK;
}

void page_strip_begin(page *page) {
    put(page, "<div class=\"strip\">\n");
}

void page_strip_end(page *page) {
    put(page, "</div>\n");
}

/* ---- the document ---------------------------------------------------------------------------------------- */

void page_begin(page *page, const char *path, language language, const char *title) {
    *page = (struct page){.language = language, .path = path};
    page->failed = !page_pictures_folder(path, page->pictures);
    page->stream = open_memstream(&page->text, &page->size);
    put(page, "<!DOCTYPE html>\n<html lang=\"");
    put(page, language_names[language]);
    put(page, "\">\n<head>\n<meta charset=\"utf-8\">\n"
              "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
              "style-src 'unsafe-inline'; img-src data:\">\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
              "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    put_escaped(page, title);
    put(page, "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n");
    put(page, page_style);
    put(page, svg_style);
    put(page, "</style>\n</head>\n<body>\n<main>\n<h1>");
    put_escaped(page, title);
    put(page, "</h1>\n");
}

static void put_foot(page *page, const char *format, ...) {
    PUT_ELEMENT(page, "<footer>", format, "</footer>\n</main>\n</body>\n</html>\n");
}

tanda_status page_finish(page *page, tanda_error *error) {
    put_foot(page, TEXT_IN(page->language, page_made_by), tanda_version());
    const bool is_whole = page->stream != NULL && text_stream_end(page->stream, &page->text) && !page->failed;
    page->stream = NULL;
    const file_part part = {.data = page->text, .size = page->size};
    const tanda_status status = is_whole
                                    ? file_write_atomically(page->path, &part, 1, error)
                                    : fail(error, TANDA_FAILED, "%s: no memory for the page", page->path);
    page_abandon(page);
    return status;
}

void page_abandon(page *page) {
    if (page->stream != NULL) fclose(page->stream);
    page->stream = NULL;
    free(page->text);
    page->text = NULL;
}
