#include "cli/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "support/text.h"

report report_begin(const char *command) {
    report made = json_object_begin();
    report_text(&made, "command", command);
    report_text(&made, "version", tanda_version());
    return made;
}

void report_outcome(report *report, tanda_status status, const tanda_error *error) {
    if (status == TANDA_OK) return;
    report_count(report, "status", (uint64_t)status);
    report_text(report, "error", error->message);
}

void report_free(report *report) {
    json_drop(report);
}

void report_value(report *report, const char *key, json_t *value) {
    json_put(report, key, value);
}

json_t *report_string(const char *text) {
    if (is_plain_utf8(text, strlen(text))) return json_string(text);
    char *copy = strdup(text);
    if (copy == NULL) return NULL;
    for (char *at = copy; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80) *at = '?';
    json_t *value = json_string(copy);
    free(copy);
    return value;
}

json_t *report_strings(char *const *texts, size_t count) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++)
        json_push(&array, report_string(texts[i]));
    return json_end(&array);
}

void report_text(report *report, const char *key, const char *text) {
    if (text != NULL) report_value(report, key, report_string(text));
}

void report_count(report *report, const char *key, uint64_t value) {
    report_value(report, key, json_integer((json_int_t)value));
}

void report_real(report *report, const char *key, double value) {
    if (isfinite(value)) report_value(report, key, json_real(value));
}

const char *math_name(tanda_math math) {
    return math == TANDA_MATH_FAST ? "fast" : "exact";
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
    report_text(report, "device", information->name);
    report_text(report, "device_id", information->id);
    report_text(report, "requested_device", options->device != NULL ? options->device : "auto");
    report_value(report, "fallback", json_boolean(tanda_device_is_fallback(device, NULL)));
    report_text(report, "backend", information->backend);
    report_text(report, "math", math_name(options->math));
    report_text(report, "grade", grade_name(tanda_device_grade(device, NULL)));
    if (is_openmp) {
        report_count(report, "threads", information->compute_units);
        report_text(report, "isa", information->platform);
    } else {
        report_text(report, "platform", information->platform);
        report_text(report, "driver", information->driver);
        report_count(report, "compute_units", information->compute_units);
    }
}

static void report_prefixed(report *report, const char *prefix, const char *key, double value) {
    char name[64];
    text_put(name, sizeof name, "%s%s", prefix, key);
    report_real(report, name, value);
}

void report_evaluation(report *report, const char *prefix, const tanda_evaluation *evaluation) {
    report_prefixed(report, prefix, "loss", evaluation->loss);
    report_prefixed(report, prefix, "accuracy", evaluation->accuracy);
    report_prefixed(report, prefix, "squared_error", evaluation->squared_error);
}

void report_target_scaling(report *report, const tanda_model *model) {
    if (model->target_scaling.targets > 0) report_text(report, "scale_target", "standard");
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
    const bool failed = report->failed || print_json_value(report->object, stdout,
                                                           JSON_REAL_PRECISION(17) | JSON_ENCODE_ANY) != 0;
    report_free(report);
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
    report_text(&failure, "command", command);
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
