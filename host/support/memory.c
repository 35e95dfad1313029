#include "support/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

void *allocate_untouched(size_t bytes) {
    const bool large = bytes >= LARGE_PAGE / 2;
    const size_t alignment = large ? LARGE_PAGE : MEMORY_ALIGNMENT;
    size_t whole = 0;
    if (add_overflows(bytes, alignment - 1, &whole)) return NULL;
    whole = whole / alignment * alignment;
    void *block = aligned_alloc(alignment, whole > 0 ? whole : alignment);
    /* Fewer pages to fault in and to translate; where the kernel declines, nothing is lost. */
    if (block != NULL && large) madvise(block, whole, MADV_HUGEPAGE);
    return block;
}

tanda_status allocate(void *memory, size_t count, size_t size, const char *what, tanda_error *error) {
    size_t bytes = 0;
    if (multiply_overflows(count, size, &bytes) || add_overflows(bytes, MEMORY_ALIGNMENT - 1, &bytes))
        return fail(error, TANDA_FAILED, "%s: %zu items of %zu bytes are more than this machine can address",
                    what, count, size);
    bytes = bytes / MEMORY_ALIGNMENT * MEMORY_ALIGNMENT;
    if (bytes == 0) bytes = MEMORY_ALIGNMENT;
    void *block = allocate_untouched(bytes);
    if (block == NULL) return fail(error, TANDA_FAILED, "%s: no memory for %zu bytes", what, bytes);
    memset(block, 0, bytes);
    memcpy(memory, &block, sizeof block);
    return TANDA_OK;
}

tanda_status copy_text(char **copy, const char *text, tanda_error *error) {
    char *made = NULL;
    if (text != NULL) {
        made = strdup(text);
        if (made == NULL) return fail(error, TANDA_FAILED, "no memory for a text of %zu bytes", strlen(text));
    }
    *copy = made;
    return TANDA_OK;
}

tanda_status copy_texts(char ***copy, char *const *texts, size_t count, tanda_error *error) {
    char **made = NULL;
    if (texts != NULL) {
        tanda_status status = allocate(&made, count, sizeof *made, "names", error);
        if (status != TANDA_OK) return status;
        for (size_t i = 0; i < count; i++) {
            status = copy_text(&made[i], texts[i], error);
            if (status != TANDA_OK) {
                free_texts(made, count);
                return status;
            }
        }
    }
    *copy = made;
    return TANDA_OK;
}

bool equal_text(const char *a, const char *b) {
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool equal_texts(char *const *a, char *const *b, size_t count) {
    if (a == NULL || b == NULL) return a == b;
    for (size_t i = 0; i < count; i++)
        if (!equal_text(a[i], b[i])) return false;
    return true;
}

void free_texts(char **texts, size_t count) {
    if (texts == NULL) return;
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}
