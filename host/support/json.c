#include "support/json.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"
#include "support/text.h"

static json_builder begin(json_t *value) {
    return (json_builder){.object = value, .failed = value == NULL};
}

json_builder json_object_begin(void) {
    return begin(json_object());
}

json_builder json_array_begin(void) {
    return begin(json_array());
}

/* jansson drops the value, too, when it fails. */
void json_put(json_builder *builder, const char *key, json_t *value) {
    if (json_object_set_new(builder->object, key, value) != 0) builder->failed = true;
}

void json_push(json_builder *builder, json_t *value) {
    if (json_array_append_new(builder->object, value) != 0) builder->failed = true;
}

void json_drop(json_builder *builder) {
    json_decref(builder->object);
    *builder = (json_builder){.failed = true};
}

json_t *json_text(const char *text) {
    if (is_plain_utf8(text, strlen(text))) return json_string(text);
    char *copy = strdup(text);
    if (copy == NULL) return NULL;
    for (char *at = copy; *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80) *at = '?';
    json_t *value = json_string(copy);
    free(copy);
    return value;
}

json_t *json_texts(char *const *texts, size_t count) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++)
        json_push(&array, json_text(texts[i]));
    return json_end(&array);
}

json_t *json_strings(char *const *texts, size_t count) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++)
        json_push(&array, json_string(texts[i]));
    return json_end(&array);
}

json_t *json_reals(const float *values, size_t count) {
    json_builder array = json_array_begin();
    for (size_t i = 0; i < count; i++)
        json_push(&array, json_real((double)values[i]));
    return json_end(&array);
}

void json_put_text(json_builder *builder, const char *key, const char *text) {
    if (text != NULL) json_put(builder, key, json_text(text));
}

void json_put_count(json_builder *builder, const char *key, uint64_t value) {
    json_put(builder, key, json_integer((json_int_t)value));
}

void json_put_real(json_builder *builder, const char *key, double value) {
    if (isfinite(value)) json_put(builder, key, json_real(value));
}

json_t *json_end(json_builder *builder) {
    json_t *whole = builder->failed ? NULL : json_incref(builder->object);
    json_drop(builder);
    return whole;
}

/* ---- memory -------------------------------------------------------------------------------------------- */

#define RESERVE_BYTES ((size_t)256 << 10)

static json_malloc_t source = malloc;
static json_free_t sink = free;
static bool has_reserve;
static _Thread_local size_t failures;

/* Blocks of the reserve lie one after the other; it is empty again when the last of them was given back. */
static _Alignas(MEMORY_ALIGNMENT) unsigned char reserve[RESERVE_BYTES];
static size_t reserve_used, reserve_blocks;
static pthread_mutex_t reserve_lock = PTHREAD_MUTEX_INITIALIZER;

static void *take_reserve(size_t size) {
    void *block = NULL;
    pthread_mutex_lock(&reserve_lock);
    if (size < RESERVE_BYTES - reserve_used) {
        block = reserve + reserve_used;
        reserve_used = round_up(reserve_used + size, 16);
        reserve_blocks++;
    }
    pthread_mutex_unlock(&reserve_lock);
    return block;
}

static void *take(size_t size) {
    void *block = source(size);
    failures += block == NULL;
    return block == NULL && has_reserve ? take_reserve(size) : block;
}

static void give(void *block) {
    const unsigned char *at = block;
    if (at < reserve || at >= reserve + RESERVE_BYTES) {
        sink(block);
        return;
    }
    pthread_mutex_lock(&reserve_lock);
    if (--reserve_blocks == 0) reserve_used = 0;
    pthread_mutex_unlock(&reserve_lock);
}

/* A program's own allocator, if it has given jansson one, stays in use. */
static void begin_to_count(void) {
    json_get_alloc_funcs(&source, &sink);
    json_set_alloc_funcs(take, give);
}

size_t json_memory_failures(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_to_count);
    return failures;
}

void json_use_reserve(void *(*allocate)(size_t)) {
    json_memory_failures();
    source = allocate;
    has_reserve = true;
}

tanda_status json_memory_check(size_t before, const char *path, tanda_status status, tanda_error *error) {
    return failures == before ? status : fail(error, TANDA_FAILED, "%s: no memory for its JSON", path);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

json_t *json_read(const char *text, size_t size, size_t flags, json_error_t *problem) {
    json_error_t unused;
    if (problem == NULL) problem = &unused;
    const size_t before = json_memory_failures();
    json_t *value = json_loadb(text, size, flags, problem);
    if (failures == before) return value;
    json_decref(value);
    problem->text[0] = '\0';
    return NULL;
}

char *json_write(const json_t *value, size_t flags) {
    const size_t size = json_dumpb(value, NULL, 0, flags);
    char *text = size == 0 ? NULL : malloc(size + 1);
    if (text == NULL) return NULL;
    if (json_dumpb(value, text, size, flags) != size) {
        free(text);
        return NULL;
    }
    text[size] = '\0';
    return text;
}

/* In the form of jansson: with a point or an exponent, and none of what an exponent can do without. */
static size_t put_real(double value, char *to) {
    char text[TEXT_NUMBER_SIZE];
    text_shortest(value, text);
    const size_t digits = strcspn(text, "e");
    if (text[digits] == '\0')
        return text_put(to, TEXT_NUMBER_SIZE, "%s%s", text, strchr(text, '.') == NULL ? ".0" : "");
    return text_put(to, TEXT_NUMBER_SIZE, "%.*se%ld", (int)digits, text, strtol(text + digits + 1, NULL, 10));
}

/* Of the text that begins at `from`: a string, a number, or a character between them. */
static size_t token_length(const char *from) {
    const size_t number = strspn(from, "+-.0123456789eE");
    size_t length = 1;
    if (*from != '"') return number > 0 && *from != 'e' ? number : 1;
    while (from[length] != '"')
        length += from[length] == '\\' ? 2 : 1;
    return length + 1;
}

/* All digits first, in whose place the fewer are put. */
char *json_write_shortest(const json_t *value) {
    char *text = json_write(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)), *to = text;
    if (text == NULL) return NULL;
    for (size_t at = 0, length = 0; text[at] != '\0'; at += length) {
        const char *from = text + at;
        char number[TEXT_NUMBER_SIZE];
        length = token_length(from);
        const bool is_real = *from != '"' && length > 1 && strcspn(from, ".eE") < length;
        const size_t kept = is_real ? put_real(strtod(from, NULL), number) : length;
        memmove(to, is_real ? number : from, kept);
        to += kept;
    }
    *to = '\0';
    return text;
}

bool json_lacked_memory(const json_error_t *problem) {
    return problem->text[0] == '\0' || json_error_code(problem) == json_error_out_of_memory;
}
