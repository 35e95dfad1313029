/* JSON in the making: what could not be added is remembered, and what is not whole never leaves. */
#ifndef TANDA_SUPPORT_JSON_H
#define TANDA_SUPPORT_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "support/status.h"

/* An object or array in the making. One that could not be begun has failed, too. */
typedef struct json_builder {
    json_t *object; /* or array; NULL without memory */
    bool failed;    /* something is missing from it */
} json_builder;

json_builder json_object_begin(void);
json_builder json_array_begin(void);

/* Take value over; NULL, which jansson gives without memory or for text that is not UTF-8, fails the builder. */
void json_put(json_builder *builder, const char *key, json_t *value);
void json_push(json_builder *builder, json_t *value);

/* The same of a text (NULL: left out), a count, and a number (NaN and infinity: left out). */
void json_put_text(json_builder *builder, const char *key, const char *text);
void json_put_count(json_builder *builder, const char *key, uint64_t value);
void json_put_real(json_builder *builder, const char *key, double value);

/* A JSON string of any text: what is not UTF-8 becomes '?'; and an array of such. NULL without memory. */
json_t *json_text(const char *text);
json_t *json_texts(char *const *texts, size_t count);

/* The same of texts as they are: NULL for one that is not UTF-8, too. */
json_t *json_strings(char *const *texts, size_t count);

/* An array of numbers, which are finite. NULL without memory. */
json_t *json_reals(const float *values, size_t count);

/* The whole, which is the caller's, or NULL when something failed. The builder is then empty. */
json_t *json_end(json_builder *builder) __attribute__((warn_unused_result));

/* Of one that is not wanted any more. */
void json_drop(json_builder *builder);

/* json_loadb, which for want of memory gives NULL and nothing else: jansson drops letters. problem may be NULL. */
json_t *json_read(const char *text, size_t size, size_t flags, json_error_t *problem);

/* json_dumps whose text is for free(), wherever jansson's memory comes from. NULL without memory. */
char *json_write(const json_t *value, size_t flags) __attribute__((warn_unused_result));

/* Compact JSON of any value, each number in the fewest digits that keep it; free(). NULL without memory. */
char *json_write_shortest(const json_t *value) __attribute__((warn_unused_result));

/* Whether json_read failed for want of memory: jansson often says no more than that it could not. */
bool json_lacked_memory(const json_error_t *problem);

/* How often this thread's jansson got no memory so far, the reserve's help not counted. */
size_t json_memory_failures(void);

/*
 * Returns status, unless there were more failures than `before`: then TANDA_FAILED, whatever status says, as what was
 * read or made is not what it should be. path is for the message.
 */
tanda_status json_memory_check(size_t before, const char *path, tanda_status status, tanda_error *error);

/*
 * For a program, at its start: jansson's memory comes from `allocate` (malloc) and, where that has none, from a small
 * reserve. Without it jansson 2.14 may abort when the buffer of its reader cannot grow.
 */
void json_use_reserve(void *(*allocate)(size_t));

#endif
