#include "cli/report.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tanda_lab.h"

void print_name(FILE *stream, const char *name) {
    bool may_be_shown = false;
    for (size_t left = strlen(name), step = 0; left > 0; left -= step, name += step) {
        step = text_character(name, left, &may_be_shown);
        fprintf(stream, "%.*s", may_be_shown ? (int)step : 1, may_be_shown ? name : "?");
    }
}

void print_named(FILE *stream, const char *before, const char *name, const char *after) {
    fputs(before, stream);
    print_name(stream, name);
    fputs(after, stream);
}

void print_note(const char *note) {
    print_named(stderr, "note: ", note, "\n");
}

/* The code point of a character of JSON that may not be shown: of 1 to 3 bytes, as JSON is UTF-8. */
static unsigned code_point(const char *text, size_t length) {
    unsigned code = (unsigned char)text[0] & (length == 1 ? 0x7f : length == 2 ? 0x1f : 0x0f);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

/* Outside of strings JSON has none of these characters but line ends, which stay. jansson never cuts a character. */
static int write_json(const char *text, size_t size, void *stream) {
    bool may_be_shown = false;
    for (size_t begin = 0, at = 0, step = 0; begin < size; begin = at) {
        for (; at < size; at += step) {
            step = text_character(text + at, size - at, &may_be_shown);
            if (!may_be_shown && text[at] != '\n') break;
        }
        if (fwrite(text + begin, 1, at - begin, stream) != at - begin) return -1;
        if (at == size) break;
        fprintf(stream, "\\u%04x", code_point(text + at, step));
        at += step;
    }
    return ferror((FILE *)stream) ? -1 : 0;
}

void print_json_text(FILE *stream, const char *text) {
    write_json(text, strlen(text), stream);
}

report report_begin(const char *command) {
    report made = json_object_begin();
    json_put_text(&made, "command", command);
    json_put_text(&made, "version", tanda_version());
    return made;
}

void report_outcome(report *report, tanda_status status, const tanda_error *error) {
    if (status == TANDA_OK) return;
    json_put_count(report, "status", (uint64_t)status);
    json_put_text(report, "error", error->message);
}

const char *grade_name(tanda_grade grade) {
    static const char *const names[] = {[TANDA_GRADE_EXACT] = "exact",
                                        [TANDA_GRADE_EXACT_BUT_SUBNORMALS] = "exact but for subnormals",
                                        [TANDA_GRADE_FAST_ONLY] = "fast only"};
    return names[grade];
}

void report_device(report *report, const tanda_device *device, const tanda_device_options *options) {
    const tanda_device_information *information = tanda_device_describe(device);
    const bool is_openmp = strcmp(information->backend, "openmp") == 0;
    json_put_text(report, "device", information->name);
    json_put_text(report, "device_id", information->id);
    json_put_text(report, "requested_device", options->device != NULL ? options->device : "auto");
    json_put(report, "fallback", json_boolean(tanda_device_is_fallback(device, NULL)));
    json_put_text(report, "backend", information->backend);
    json_put_text(report, "math", options->math == TANDA_MATH_FAST ? "fast" : "exact");
    json_put_text(report, "grade", grade_name(tanda_device_grade(device, NULL)));
    if (is_openmp) {
        json_put_count(report, "threads", information->compute_units);
        json_put_text(report, "isa", information->platform);
    } else {
        json_put_text(report, "platform", information->platform);
        json_put_text(report, "driver", information->driver);
        json_put_count(report, "compute_units", information->compute_units);
    }
}

static void report_prefixed(report *report, const char *prefix, const char *key, double value) {
    char name[64];
    text_put(name, sizeof name, "%s%s", prefix, key);
    json_put_real(report, name, value);
}

void report_evaluation(report *report, const char *prefix, const tanda_evaluation *evaluation) {
    report_prefixed(report, prefix, "loss", evaluation->loss);
    report_prefixed(report, prefix, "accuracy", evaluation->accuracy);
    report_prefixed(report, prefix, "squared_error", evaluation->squared_error);
}

void report_target_scaling(report *report, const tanda_model *model) {
    if (model->target_scaling.targets > 0) json_put_text(report, "scale_target", "standard");
}

void report_dialect(report *outer, const dialect *dialect) {
    if (!dialect->is_text) return;
    report report = json_object_begin();
    json_put_text(&report, "encoding", text_encoding_name(dialect->encoding));
    json_put_text(&report, "delimiter",
                  dialect->single_blanks ? "single blanks" : dialect_delimiter_name(dialect->delimiter));
    json_put_text(&report, "decimal", dialect_decimal_name(dialect->decimal));
    json_put_text(&report, "line_end", dialect->line_end == '\r' ? "CR" : dialect->has_crlf ? "CRLF" : "LF");
    json_put(&report, "byte_order_mark", json_boolean(dialect->encoding == TEXT_UTF8_MARK));
    json_put(&report, "quotes", json_boolean(dialect->has_quotes));
    json_put_text(&report, "comment", dialect->comment[0] == '\0' ? "none" : dialect->comment);
    json_put_count(&report, "skipped_lines", dialect->skipped_lines);
    json_put(&report, "header", json_boolean(dialect->has_header));
    json_put(outer, "dialect", json_end(&report));
}

/* After an earlier, failed write the reason is lost; a full pipe or disk is told by this one. */
static tanda_status fail_writing(tanda_error *error) {
    return fail(error, TANDA_FAILED, "cannot write to standard output: %s",
                errno == 0 ? "a write failed" : strerror(errno));
}

tanda_status report_write(const void *data, size_t size, tanda_error *error) {
    errno = 0;
    return size == 0 || fwrite(data, 1, size, stdout) == size ? TANDA_OK : fail_writing(error);
}

tanda_status report_flush(tanda_error *error) {
    errno = 0;
    return fflush(stdout) == 0 && !ferror(stdout) ? TANDA_OK : fail_writing(error);
}

static bool is_printed; /* one object is all that standard output gets */

tanda_status report_print(report *report, tanda_error *error) {
    const bool failed = report->failed || json_dump_callback(report->object, write_json, stdout,
                                                             JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY) != 0;
    json_drop(report);
    if (failed && !ferror(stdout)) return fail(error, TANDA_FAILED, "out of memory while writing the result");
    is_printed = !failed;
    putchar('\n');
    if (ferror(stdout)) return report_flush(error);
    if (failed) return fail(error, TANDA_FAILED, "out of memory while writing the result");
    return TANDA_OK;
}

void report_failure(const char *command, const tanda_error *error) {
    if (is_printed) return;
    report failure = json_object_begin();
    json_put_text(&failure, "command", command);
    report_outcome(&failure, error->status, error);
    report_print(&failure, NULL);
}

static void print_figure(const char *prefix, const char *name, double value) {
    if (isfinite(value)) printf("%s%s: %.9g\n", prefix, name, value);
}

void print_evaluation(const char *prefix, const tanda_evaluation *evaluation) {
    print_figure(prefix, "loss", evaluation->loss);
    if (isfinite(evaluation->accuracy))
        printf("%saccuracy: %.9g (%llu of %zu)\n", prefix, evaluation->accuracy,
               (unsigned long long)evaluation->correct, evaluation->rows);
    print_figure(prefix, "squared_error", evaluation->squared_error);
}
