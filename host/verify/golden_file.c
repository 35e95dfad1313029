/* Golden files: JSON, written and read. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/file.h"
#include "support/json_memory.h"
#include "support/memory.h"
#include "verify/golden.h"

#define GOLDEN_FORMAT 1

/* ---- writing ------------------------------------------------------------------------------------------- */

static json_t *trace_of(const golden *golden) {
    json_t *trace = json_array();
    for (size_t i = 0; trace != NULL && i < golden->entry_count; i++) {
        const golden_entry *entry = &golden->entries[i];
        char line[64];
        snprintf(line, sizeof line, "%" PRIu64 " %08" PRIx32 " %s", entry->step, entry->loss, entry->weights);
        if (json_array_append_new(trace, json_string(line)) == 0) continue;
        json_decref(trace);
        trace = NULL;
    }
    return trace;
}

static json_t *arguments_of(const golden *golden) {
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < golden->argument_count; i++) {
        if (json_array_append_new(array, json_string(golden->arguments[i])) == 0) continue;
        json_decref(array);
        array = NULL;
    }
    return array;
}

static json_t *object_of(const golden *golden) {
    json_t *settings = golden->settings != NULL ? json_loads(golden->settings, 0, NULL) : json_object();
    return json_pack("{si ss ss so so sI sI sI sI sI ss ss ss so}", "tanda_golden", GOLDEN_FORMAT, "version",
                     TANDA_VERSION, "device", golden->device, "arguments", arguments_of(golden), "settings",
                     settings, "rows", (json_int_t)golden->rows, "features", (json_int_t)golden->features,
                     "parameters", (json_int_t)golden->parameters, "batch", (json_int_t)golden->batch_rows,
                     "steps", (json_int_t)golden->steps, "data_sha256", golden->data, "start_sha256",
                     golden->start, "final_sha256", golden->final, "trace", trace_of(golden));
}

tanda_status golden_save(const golden *golden, const char *path, tanda_error *error) {
    json_t *object = object_of(golden);
    char *text = object != NULL ? json_dumps(object, JSON_INDENT(1)) : NULL;
    json_decref(object);
    if (text == NULL)
        return fail(error, TANDA_FAILED,
                    "%s: cannot be put into JSON (no memory, or an argument is not UTF-8)", path);
    const file_part parts[] = {{text, strlen(text)}, {"\n", 1}};
    tanda_status status = file_write_atomically(path, parts, 2, error);
    free(text);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* A file being read; the first thing that is wrong is kept. */
typedef struct reader {
    const char *path;
    json_t *object;
    tanda_error *error;
    tanda_status status;
} reader;

static void refuse(reader *reader, const char *what) {
    if (reader->status != TANDA_OK) return;
    reader->status = fail(reader->error, TANDA_BAD_INPUT,
                          "%s: damaged golden file: %s; tanda record makes a new one", reader->path, what);
}

static uint64_t read_count(reader *reader, const char *key) {
    const json_t *value = json_object_get(reader->object, key);
    char what[64];
    if (json_is_integer(value) && json_integer_value(value) > 0) return (uint64_t)json_integer_value(value);
    snprintf(what, sizeof what, "\"%s\" is no positive whole number", key);
    refuse(reader, what);
    return 0;
}

static bool is_hexadecimal(const json_t *value, size_t digits) {
    const char *text = json_string_value(value);
    return text != NULL && strlen(text) == digits && strspn(text, "0123456789abcdef") == digits;
}

static void read_digest(reader *reader, const char *key, char text[DIGEST_TEXT_SIZE]) {
    const json_t *value = json_object_get(reader->object, key);
    char what[64];
    snprintf(what, sizeof what, "\"%s\" is no SHA-256", key);
    if (is_hexadecimal(value, DIGEST_TEXT_SIZE - 1))
        memcpy(text, json_string_value(value), DIGEST_TEXT_SIZE);
    else
        refuse(reader, what);
}

static void read_arguments(reader *reader, golden *golden) {
    const json_t *array = json_object_get(reader->object, "arguments");
    if (!json_is_array(array)) {
        refuse(reader, "\"arguments\" is no array");
        return;
    }
    reader->status = allocate(&golden->arguments, json_array_size(array), sizeof *golden->arguments,
                              "arguments", reader->error);
    for (size_t i = 0; reader->status == TANDA_OK && i < json_array_size(array); i++) {
        const char *text = json_string_value(json_array_get(array, i));
        if (text == NULL) {
            refuse(reader, "an argument is no text");
            return;
        }
        reader->status = copy_text(&golden->arguments[golden->argument_count++], text, reader->error);
    }
}

/* "STEP LOSS WEIGHTS", and the step is the one that comes next. */
static bool read_entry(const json_t *value, uint64_t step, golden_entry *entry) {
    const char *text = json_string_value(value);
    int end = 0;
    if (text == NULL || sscanf(text, "%" SCNu64 " %8" SCNx32 " %16[0-9a-f]%n", &entry->step, &entry->loss,
                               entry->weights, &end) != 3)
        return false;
    return text[end] == '\0' && entry->step == step && strlen(entry->weights) == GOLDEN_WEIGHT_DIGITS;
}

static void read_trace(reader *reader, golden *golden) {
    const json_t *trace = json_object_get(reader->object, "trace");
    size_t wanted = golden_entries(golden->steps);
    uint64_t step = 0;
    if (!json_is_array(trace) || json_array_size(trace) != wanted) {
        refuse(reader, "\"trace\" does not have the entries that its steps ask for");
        return;
    }
    reader->status =
        allocate(&golden->entries, wanted, sizeof *golden->entries, "golden trace", reader->error);
    for (size_t i = 0; reader->status == TANDA_OK && i < wanted; i++) {
        step = golden_next_entry(step, golden->steps);
        if (read_entry(json_array_get(trace, i), step, &golden->entries[i]))
            golden->entry_count++;
        else
            refuse(reader, "an entry of \"trace\" is not its step, 8 and 16 hexadecimal digits");
    }
}

static void read_members(reader *reader, golden *golden) {
    const json_t *format = json_object_get(reader->object, "tanda_golden");
    const json_t *settings = json_object_get(reader->object, "settings");
    if (json_integer_value(format) != GOLDEN_FORMAT) refuse(reader, "\"tanda_golden\" is not 1");
    golden->rows = (size_t)read_count(reader, "rows");
    golden->features = (size_t)read_count(reader, "features");
    golden->parameters = (size_t)read_count(reader, "parameters");
    golden->batch_rows = (size_t)read_count(reader, "batch");
    golden->steps = read_count(reader, "steps");
    read_digest(reader, "data_sha256", golden->data);
    read_digest(reader, "start_sha256", golden->start);
    read_digest(reader, "final_sha256", golden->final);
    if (!json_is_object(settings)) refuse(reader, "\"settings\" is no object");
    if (reader->status != TANDA_OK) return;
    golden->settings = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    const char *device = json_string_value(json_object_get(reader->object, "device"));
    reader->status = copy_text(&golden->device, device, reader->error);
    if (reader->status == TANDA_OK) read_arguments(reader, golden);
    if (reader->status == TANDA_OK) read_trace(reader, golden);
}

tanda_status golden_load(const char *path, golden *golden, tanda_error *error) {
    file_view view;
    json_error_t problem;
    const size_t failures = json_memory_failures();
    *golden = (struct golden){0};
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    reader reader = {.path = path, .error = error, .status = TANDA_OK};
    reader.object =
        json_loadb(view.size > 0 ? (const char *)view.data : "", view.size, JSON_REJECT_DUPLICATES, &problem);
    if (json_is_object(reader.object))
        read_members(&reader, golden);
    else
        reader.status =
            fail(error, TANDA_BAD_INPUT, "%s:%d:%d: not a golden file: %s", path,
                 reader.object != NULL ? 1 : problem.line, reader.object != NULL ? 1 : problem.column,
                 reader.object != NULL ? "not a JSON object" : problem.text);
    json_decref(reader.object);
    status = json_memory_check(failures, path, reader.status, error);
    status = file_view_check(&view, status, error);
    file_view_close(&view);
    return status;
}
