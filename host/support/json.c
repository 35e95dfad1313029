#include "support/json.h"

#include <pthread.h>
#include <stdlib.h>

#include "support/memory.h"

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

json_t *json_end(json_builder *builder) {
    json_t *whole = builder->failed ? NULL : json_incref(builder->object);
    json_drop(builder);
    return whole;
}

/* ---- memory -------------------------------------------------------------------------------------------- */

#define RESERVE_BYTES ((size_t)256 << 10)

static void *(*source)(size_t) = malloc;
static _Thread_local bool from_reserve; /* since the text that is being read was begun */

/* Blocks of the reserve lie one after the other; it is empty again when the last of them was given back. */
static _Alignas(MEMORY_ALIGNMENT) unsigned char reserve[RESERVE_BYTES];
static size_t reserve_used, reserve_blocks;
static pthread_mutex_t reserve_lock = PTHREAD_MUTEX_INITIALIZER;

static void *take_reserve(size_t size) {
    void *block = NULL;
    from_reserve = true;
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
    return block != NULL ? block : take_reserve(size);
}

static void give(void *block) {
    const unsigned char *at = block;
    if (at < reserve || at >= reserve + RESERVE_BYTES) {
        free(block);
        return;
    }
    pthread_mutex_lock(&reserve_lock);
    if (--reserve_blocks == 0) reserve_used = 0;
    pthread_mutex_unlock(&reserve_lock);
}

void json_use_reserve(void *(*allocate)(size_t)) {
    source = allocate;
    json_set_alloc_funcs(take, give);
}

json_t *json_read(const char *text, size_t size, size_t flags, json_error_t *problem) {
    json_error_t unused;
    if (problem == NULL) problem = &unused;
    from_reserve = false;
    json_t *value = json_loadb(text, size, flags, problem);
    if (!from_reserve) return value;
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

bool json_lacked_memory(const json_error_t *problem) {
    return problem->text[0] == '\0' || json_error_code(problem) == json_error_out_of_memory;
}
