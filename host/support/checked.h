/*
 * Included before every file of host/ by the build: what tells whether something was kept may not be ignored. Text goes
 * through text_put and text_fit (support/text.h), JSON through builders (support/json.h).
 */
#ifndef TANDA_SUPPORT_CHECKED_H
#define TANDA_SUPPORT_CHECKED_H

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define CHECKED __attribute__((warn_unused_result))

int snprintf(char *restrict text, size_t size, const char *restrict format, ...) CHECKED;
size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict stream) CHECKED;
char *strdup(const char *text) CHECKED;
char *strndup(const char *text, size_t size) CHECKED;
int json_object_set_new(json_t *object, const char *key, json_t *value) CHECKED;
int json_array_append_new(json_t *array, json_t *value) CHECKED;

#endif
