/* One text for a terminal of 80 columns or for a page: who writes it need not know which. */
#ifndef TANDA_CLI_DOCUMENT_H
#define TANDA_CLI_DOCUMENT_H

#include "cli/drawing.h"
#include "tanda_lab.h"

typedef struct document {
    page *page;            /* NULL: standard output */
    const char *alignment; /* of the table that is open on a terminal, and its cells, titles first */
    char **cells;
    size_t cell_count;
    bool failed; /* without memory */
} document;

void document_heading(document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));
void document_subheading(document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));
void document_paragraph(document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));
void document_note(document *document, page_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One formula; on a terminal it is broken before " = " and " + ". */
void document_formula(document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As page_table_begin; 'n' is a formula that a terminal leaves out where the table would be too wide for it. */
void document_table_begin(document *document, const char *alignment, const char *const *titles);
void document_cell(document *document, const char *format, ...) __attribute__((format(printf, 2, 3)));
void document_marked_cell(document *document, page_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void document_table_end(document *document);

/* caption: of a page, or NULL. */
tanda_status document_picture(document *document, const drawing *drawing, const char *caption,
                              tanda_error *error);

/* Who writes what is to be said, and where it goes. */
typedef tanda_status document_writer(const void *content, document *document, tanda_error *error);
typedef struct document_source {
    document_writer *write;
    const void *content;
    const char *title; /* or NULL, on standard output alone */
    const char *path;  /* of a page; NULL: standard output, */
    bool json;         /* which is for JSON, and gets nothing */
    language language;
    bool quiet; /* nothing is said of pictures that a page lacks */
} document_source;

tanda_status document_put(const document_source *source, tanda_error *error);

#endif
