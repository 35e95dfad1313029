#include "cli/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "tanda_lab.h"

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

void report_free(report *report) {
    json_drop(report);
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
    json_put_text(report, "device", information->name);
    json_put_text(report, "device_id", information->id);
    json_put_text(report, "requested_device", options->device != NULL ? options->device : "auto");
    json_put(report, "fallback", json_boolean(tanda_device_is_fallback(device, NULL)));
    json_put_text(report, "backend", information->backend);
    json_put_text(report, "math", math_name(options->math));
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
