/* Golden files: JSON, written and read. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/file.h"
#include "support/file_writer.h"
#include "support/json.h"
#include "support/memory.h"
#include "support/text.h"
#include "verify/golden.h"

#define GOLDEN_FORMAT 1

/* ---- as JSON ------------------------------------------------------------------------------------------- */

static json_t *trace_of(const golden *golden) {
    json_builder trace = json_array_begin();
    for (size_t i = 0; i < golden->entry_count; i++) {
        const golden_entry *entry = &golden->entries[i];
        json_push(&trace,
                  json_sprintf("%" PRIu64 " %08" PRIx32 " %s", entry->step, entry->loss, entry->weights));
    }
    return json_end(&trace);
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

/* Files that say none are of the first. */
static void read_contract(reader *reader) {
    const json_t *value = json_object_get(reader->object, "contract");
    const json_int_t contract = value == NULL ? 1 : json_integer_value(value);
    if (contract == TANDA_CONTRACT || reader->status != TANDA_OK) return;
    reader->status =
        fail(reader->error, TANDA_BAD_INPUT, "%s: made under contract %lld, this tanda keeps contract %d",
             reader->path, (long long)contract, TANDA_CONTRACT);
}

static uint64_t read_count(reader *reader, const char *key) {
    const json_t *value = json_object_get(reader->object, key);
    char what[64];
    if (json_is_integer(value) && json_integer_value(value) > 0) return (uint64_t)json_integer_value(value);
    text_put(what, sizeof what, "\"%s\" is no positive whole number", key);
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
    text_put(what, sizeof what, "\"%s\" is no SHA-256", key);
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
    if (reader->status == TANDA_OK &&
        strncmp(golden->final, golden->entries[wanted - 1].weights, GOLDEN_WEIGHT_DIGITS) != 0)
        refuse(reader, "\"final_sha256\" is not that of the last entry of \"trace\"");
}

static void read_members(reader *reader, golden *golden) {
    const json_t *format = json_object_get(reader->object, "tanda_golden");
    const json_t *settings = json_object_get(reader->object, "settings");
    if (json_integer_value(format) != GOLDEN_FORMAT) refuse(reader, "\"tanda_golden\" is not 1");
    read_contract(reader);
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
    golden->settings = json_write(settings, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    if (golden->settings == NULL)
        reader->status =
            fail(reader->error, TANDA_FAILED, "%s: no memory to read its settings", reader->path);
    const char *device = json_string_value(json_object_get(reader->object, "device"));
    if (reader->status == TANDA_OK) reader->status = copy_text(&golden->device, device, reader->error);
    if (reader->status == TANDA_OK) read_arguments(reader, golden);
    if (reader->status == TANDA_OK) read_trace(reader, golden);
}

static tanda_status parse(const char *path, file_view view, golden *golden, tanda_error *error) {
    json_error_t problem;
    const size_t failures = json_memory_failures();
    *golden = (struct golden){0};
    reader reader = {.path = path, .error = error, .status = TANDA_OK};
    reader.object =
        json_read(view.size > 0 ? (const char *)view.data : "", view.size, JSON_REJECT_DUPLICATES, &problem);
    if (json_is_object(reader.object))
        read_members(&reader, golden);
    else
        reader.status =
            fail(error, TANDA_BAD_INPUT, "%s:%d:%d: not a golden file: %s", path,
                 reader.object != NULL ? 1 : problem.line, reader.object != NULL ? 1 : problem.column,
                 reader.object != NULL ? "not a JSON object" : problem.text);
    json_decref(reader.object);
    return json_memory_check(failures, path, reader.status, error);
}

tanda_status golden_load(const char *path, golden *golden, tanda_error *error) {
    file_view view;
    *golden = (struct golden){0};
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    status = file_view_check(&view, parse(path, view, golden, error), error);
    file_view_close(&view);
    return status;
}

/* ---- saving -------------------------------------------------------------------------------------------- */

static bool same_entries(const golden *a, const golden *b) {
    if (a->entry_count != b->entry_count) return false;
    for (size_t i = 0; i < a->entry_count; i++) {
        const golden_entry *x = &a->entries[i], *y = &b->entries[i];
        if (x->step != y->step || x->loss != y->loss || strcmp(x->weights, y->weights) != 0) return false;
    }
    return true;
}

static bool same_settings(const golden *a, const golden *b) {
    json_t *left = a->settings != NULL ? json_read(a->settings, strlen(a->settings), 0, NULL) : json_object();
    json_t *right = json_read(b->settings, strlen(b->settings), 0, NULL);
    const bool same = left != NULL && json_equal(left, right);
    json_decref(left);
    json_decref(right);
    return same;
}

/* What is to be written, read by the loader's own code. */
static tanda_status read_back(const golden *golden, const char *path, const char *text, tanda_error *error) {
    struct golden read;
    tanda_error reason = {0};
    const size_t failures = json_memory_failures();
    const file_view view = {.data = (const unsigned char *)text, .size = strlen(text)};
    const tanda_status status = parse(path, view, &read, &reason);
    const bool same = status == TANDA_OK && golden->rows == read.rows && golden->features == read.features &&
                      golden->parameters == read.parameters && golden->batch_rows == read.batch_rows &&
                      golden->steps == read.steps && strcmp(golden->data, read.data) == 0 &&
                      strcmp(golden->start, read.start) == 0 && strcmp(golden->final, read.final) == 0 &&
                      golden->argument_count == read.argument_count &&
                      equal_texts(golden->arguments, read.arguments, read.argument_count) &&
                      same_settings(golden, &read) && same_entries(golden, &read);
    golden_free(&read);
    if (same) return TANDA_OK;
    if (status == TANDA_OK && json_memory_failures() != failures)
        return fail(error, TANDA_FAILED, "%s: not saved: no memory to read it back", path);
    return fail(error, TANDA_FAILED, "%s: not saved, as it could not be loaded again%s%s", path,
                status != TANDA_OK ? ": " : "", reason.message);
}

tanda_status golden_save(const golden *golden, const char *path, tanda_error *error) {
    json_t *settings = golden->settings != NULL
                           ? json_read(golden->settings, strlen(golden->settings), 0, NULL)
                           : json_object();
    json_t *object =
        json_pack("{si si ss ss so so sI sI sI sI sI ss ss ss so}", "tanda_golden", GOLDEN_FORMAT, "contract",
                  TANDA_CONTRACT, "version", TANDA_VERSION, "device", golden->device, "arguments",
                  json_strings(golden->arguments, golden->argument_count), "settings", settings, "rows",
                  (json_int_t)golden->rows, "features", (json_int_t)golden->features, "parameters",
                  (json_int_t)golden->parameters, "batch", (json_int_t)golden->batch_rows, "steps",
                  (json_int_t)golden->steps, "data_sha256", golden->data, "start_sha256", golden->start,
                  "final_sha256", golden->final, "trace", trace_of(golden));
    char *text = object != NULL ? json_write(object, JSON_INDENT(1)) : NULL;
    json_decref(object);
    if (text == NULL)
        return fail(error, TANDA_FAILED,
                    "%s: cannot be put into JSON (no memory, or an argument is not UTF-8)", path);
    const file_part parts[] = {{text, strlen(text)}, {"\n", 1}};
    tanda_status status = read_back(golden, path, text, error);
    if (status == TANDA_OK) status = file_write_atomically(path, parts, 2, error);
    free(text);
    return status;
}
