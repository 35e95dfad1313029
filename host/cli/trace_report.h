/* What tanda trace tells: the step as a document in a terminal or a page, and as JSON. */
#ifndef TANDA_CLI_TRACE_REPORT_H
#define TANDA_CLI_TRACE_REPORT_H

#include "cli/document.h"
#include "cli/report.h"

typedef struct trace_view {
    const trace *trace;
    const char *path;      /* of the data */
    const char *optimizer; /* its name */
    const char *device;
    size_t data_rows; /* of the training */
    language language;
} trace_view;

#define TRACE_TITLE_SIZE 100
void trace_title_text(const trace_view *view, char title[TRACE_TITLE_SIZE]);

/* Its last part: the new weights. */
void write_update(const trace_view *view, document *document);

/* All but the title; content: const trace_view *. */
document_writer write_trace;

/* The members of the object; the caller prints it. */
void report_trace(report *report, const trace_view *view);

#endif
