/* A profile as Chrome's trace (the "Trace Event Format", its JSON array). */
#include "backend/profile.h"
#include "support/file_writer.h"
#include "support/text.h"

#define BUFFER_SIZE 65536
#define EVENT_SIZE 320

enum { ROW_QUEUE = 1, ROW_HOST = 2, ROW_COPIES = 3 };

typedef struct trace {
    file_writer writer;
    char text[BUFFER_SIZE];
    size_t used;
} trace;

static tanda_status flush(trace *trace, tanda_error *error) {
    const size_t used = trace->used;
    trace->used = 0;
    return used == 0 ? TANDA_OK : file_writer_add(&trace->writer, trace->text, used, error);
}

static const char *name_of(const device_profile *profile, const profile_span *span) {
    if (span->line == PROFILE_COMPILE) return "compile";
    return span->line == PROFILE_WAIT ? "wait" : profile->lines[span->line].name;
}

typedef long long nanoseconds;

/* Microseconds in no locale. */
#define MICROSECONDS "%lld.%03lld"
#define AS_MICROSECONDS(seconds) (nanoseconds)(1e9 * (seconds)) / 1000, (nanoseconds)(1e9 * (seconds)) % 1000

/* Names are kernels' and ours: nothing in them has to be escaped. */
static tanda_status add_span(trace *trace, const device_profile *profile, const profile_span *span,
                             tanda_error *error) {
    const bool is_transfer = !span->on_host && span->line < profile->line_count &&
                             profile->lines[span->line].kind == PROFILE_TRANSFERS;
    const char *category = span->on_host ? "host" : is_transfer ? "transfer" : "kernel";
    trace->used += text_put(trace->text + trace->used, BUFFER_SIZE - trace->used,
                            ",\n{\"name\":\"%s\",\"cat\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":%d,"
                            "\"ts\":" MICROSECONDS ",\"dur\":" MICROSECONDS "}",
                            name_of(profile, span), category,
                            span->on_host     ? ROW_HOST
                            : span->is_beside ? ROW_COPIES
                                              : ROW_QUEUE,
                            AS_MICROSECONDS(span->begin), AS_MICROSECONDS(span->seconds));
    return trace->used > BUFFER_SIZE - EVENT_SIZE ? flush(trace, error) : TANDA_OK;
}

static void name_rows(trace *trace) {
    trace->used = text_put(
        trace->text, BUFFER_SIZE,
        "[\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":\"queue\"}},\n"
        "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":\"host\"}},\n"
        "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%d,\"args\":{\"name\":\"copies\"}}",
        ROW_QUEUE, ROW_HOST, ROW_COPIES);
}

tanda_status profile_write_trace(const device_profile *profile, const char *path, tanda_error *error) {
    trace trace = {.used = 0};
    tanda_status status = file_writer_begin(path, &trace.writer, error);
    if (status != TANDA_OK) return status;
    name_rows(&trace);
    for (size_t i = 0; status == TANDA_OK && i < profile->span_count; i++)
        status = add_span(&trace, profile, &profile->spans[i], error);
    trace.used += text_put(trace.text + trace.used, BUFFER_SIZE - trace.used, "\n]\n");
    if (status == TANDA_OK) status = flush(&trace, error);
    if (status == TANDA_OK) return file_writer_finish(&trace.writer, error);
    file_writer_abandon(&trace.writer);
    return status;
}
