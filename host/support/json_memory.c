#include "support/json_memory.h"

#include <jansson.h>
#include <pthread.h>

static json_malloc_t allocate_before; /* the allocator that was there */
static __thread size_t failures;

static void *allocate_and_count(size_t size) {
    void *block = allocate_before(size);
    failures += block == NULL;
    return block;
}

static void begin_to_count(void) {
    json_free_t free_before = NULL;
    json_get_alloc_funcs(&allocate_before, &free_before);
    json_set_alloc_funcs(allocate_and_count, free_before);
}

size_t json_memory_failures(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, begin_to_count);
    return failures;
}

tanda_status json_memory_check(size_t before, const char *path, tanda_status status, tanda_error *error) {
    return failures == before ? status : fail(error, TANDA_FAILED, "%s: no memory for its JSON", path);
}
