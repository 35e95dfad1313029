#include "cli/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/page_words.h"
#include "cli/report.h"

#define WIDTH 79
#define INDENT 2
#define HANGING 8 /* of the lines that a formula goes on in */
#define GAP 2

/* ---- a terminal's lines ---------------------------------------------------------------------------------- */

/* Letters of UTF-8, each one column wide. */
static int letters(const char *text, size_t length) {
    int count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    return count;
}

static void spaces(int count) {
    printf("%*s", count > 0 ? count : 0, "");
}

/* The width of a word; an equals sign takes the next one with it. */
static int word_width(const char *text, size_t length) {
    const int width = letters(text, length);
    if (length != 1 || *text != '=' || text[1] == '\0') return width;
    return width + 1 + letters(text + 2, strcspn(text + 2, " \n"));
}

/* Words, each as long as it is: a line ends before one that does not fit. */
static void put_wrapped(const char *text, int indent, int hanging) {
    int column = indent;
    bool is_first = true;
    spaces(indent);
    while (*text != '\0') {
        const size_t length = strcspn(text, " \n");
        const int width = letters(text, length);
        if (!is_first && column + 1 + word_width(text, length) > WIDTH) {
            putchar('\n');
            spaces(hanging);
            column = hanging;
        } else if (!is_first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)length, text);
        column += width;
        is_first = false;
        text += length + strspn(text + length, " \n");
    }
    putchar('\n');
}

static char *formatted(document *document, const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0) {
        document->failed = true;
        return NULL;
    }
    text_clean(text);
    return text;
}

/* The text of a function that takes a format and its arguments; to be freed, NULL without memory. */
#define FORMATTED(document, format, text) \
    char *text = NULL; \
    do { \
        va_list arguments; \
        va_start(arguments, format); \
        text = formatted(document, format, arguments); \
        va_end(arguments); \
        if (text == NULL) return; \
    } while (0)

static void underline(const char *text, char with) {
    puts(text);
    for (int i = letters(text, strlen(text)); i > 0; i--)
        putchar(with);
    putchar('\n');
}

void document_heading(document *document, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL) {
        page_heading(document->page, "%s", text);
    } else {
        putchar('\n');
        underline(text, '=');
    }
    free(text);
}

void document_subheading(document *document, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL) {
        page_subheading(document->page, "%s", text);
    } else {
        putchar('\n');
        puts(text);
    }
    free(text);
}

void document_paragraph(document *document, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL)
        page_paragraph(document->page, "%s", text);
    else
        put_wrapped(text, 0, 0);
    free(text);
}

void document_note(document *document, page_mark mark, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL) {
        page_note(document->page, mark, "%s", text);
    } else {
        putchar('\n');
        put_wrapped(text, 0, 0);
    }
    free(text);
}

void document_formula(document *document, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL)
        page_formula(document->page, "%s", text);
    else
        put_wrapped(text, INDENT, HANGING);
    free(text);
}

/* ---- tables ---------------------------------------------------------------------------------------------- */

static void keep_cell(document *document, const char *text) {
    char **cells = reallocarray(document->cells, document->cell_count + 1, sizeof *cells);
    char *copy = strdup(text);
    if (cells != NULL) document->cells = cells;
    if (cells == NULL || copy == NULL) {
        document->failed = true;
        free(copy);
        return;
    }
    cells[document->cell_count++] = copy;
}

void document_table_begin(document *document, const char *alignment, const char *const *titles) {
    if (document->page != NULL) {
        page_table_begin(document->page, alignment, titles);
        return;
    }
    document->alignment = alignment;
    for (size_t i = 0; i < strlen(alignment); i++)
        keep_cell(document, titles[i]);
}

void document_cell(document *document, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL)
        page_cell(document->page, "%s", text);
    else
        keep_cell(document, text);
    free(text);
}

void document_marked_cell(document *document, page_mark mark, const char *format, ...) {
    FORMATTED(document, format, text);
    if (document->page != NULL)
        page_marked_cell(document->page, mark, "%s", text);
    else
        keep_cell(document, text);
    free(text);
}

static int column_width(const document *document, size_t column, size_t columns) {
    int widest = 0;
    for (size_t i = column; i < document->cell_count; i += columns) {
        const int width = letters(document->cells[i], strlen(document->cells[i]));
        if (width > widest) widest = width;
    }
    return widest;
}

/* What a terminal leaves out for a table to fit: columns of 'n', and then of the gap between columns. */
typedef struct fit_of_table {
    bool is_narrow;
    int gap;
} fit_of_table;

static bool is_left_out(const document *document, size_t column, fit_of_table fit) {
    return fit.is_narrow && document->alignment[column] == 'n';
}

static bool fits(const document *document, size_t columns, fit_of_table fit) {
    int width = INDENT - fit.gap;
    for (size_t i = 0; i < columns; i++)
        if (!is_left_out(document, i, fit)) width += column_width(document, i, columns) + fit.gap;
    return width <= WIDTH;
}

static fit_of_table fit_table(const document *document, size_t columns) {
    fit_of_table fit = {.is_narrow = false, .gap = GAP};
    if (!fits(document, columns, fit)) fit.is_narrow = true;
    if (!fits(document, columns, fit)) fit.gap = 1;
    return fit;
}

/* No spaces at the end of a line. */
static void put_row(const document *document, size_t row, size_t columns, fit_of_table fit) {
    int owed = INDENT;
    for (size_t i = 0; i < columns; i++) {
        if (is_left_out(document, i, fit)) continue;
        const char *text = document->cells[row * columns + i];
        const int rest = column_width(document, i, columns) - letters(text, strlen(text));
        const bool is_right = document->alignment[i] == 'r';
        if (text[0] != '\0') {
            spaces(owed + (is_right ? rest : 0));
            fputs(text, stdout);
            owed = fit.gap + (is_right ? 0 : rest);
        } else {
            owed += rest + fit.gap;
        }
    }
    putchar('\n');
}

void document_table_end(document *document) {
    if (document->page != NULL) {
        page_table_end(document->page);
        return;
    }
    const size_t columns = strlen(document->alignment), rows = document->cell_count / columns;
    const fit_of_table fit = fit_table(document, columns);
    for (size_t row = 0; !document->failed && row < rows; row++)
        put_row(document, row, columns, fit);
    free_texts(document->cells, document->cell_count);
    document->cells = NULL;
    document->cell_count = 0;
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

tanda_status document_picture(document *document, const drawing *drawing, const char *caption,
                              tanda_error *error) {
    if (document->page != NULL) return page_picture(document->page, &drawing->picture, caption, error);
    print_drawing(stdout, drawing);
    return TANDA_OK;
}

static tanda_status write_all(const document_source *source, document *document, tanda_error *error) {
    const tanda_status status = source->write(source->content, document, error);
    return status == TANDA_OK && document->failed ? fail(error, TANDA_FAILED, "no memory for the text")
                                                  : status;
}

static tanda_status put_page(const document_source *source, tanda_error *error) {
    page page;
    document document = {.page = &page};
    page_begin(&page, source->path, source->language, source->title);
    const tanda_status status = write_all(source, &document, error);
    note_gnuplot(page.lacks_gnuplot, source->quiet);
    if (status == TANDA_OK) return page_finish(&page, error);
    page_abandon(&page);
    return status;
}

static tanda_status put_lines(const document_source *source, tanda_error *error) {
    document document = {0};
    if (source->title != NULL) printf("%s\n\n", source->title);
    const tanda_status status = write_all(source, &document, error);
    return status == TANDA_OK ? report_flush(error) : status;
}

tanda_status document_put(const document_source *source, tanda_error *error) {
    if (source->path == NULL) return source->json ? TANDA_OK : put_lines(source, error);
    const tanda_status status = put_page(source, error);
    if (status == TANDA_OK && !source->json) print_named(stdout, "page: ", source->path, "\n");
    return status;
}
