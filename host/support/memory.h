/* Memory whose size is checked for overflow before it is asked for. */
#ifndef TANDA_SUPPORT_MEMORY_H
#define TANDA_SUPPORT_MEMORY_H

#include "support/status.h"

#define MEMORY_ALIGNMENT 64 /* one cache line, one AVX-512 register */

/* True when a * b (a + b) does not fit; *result is then not to be used. */
static inline bool multiply_overflows(size_t a, size_t b, size_t *result) {
    return __builtin_mul_overflow(a, b, result);
}
static inline bool add_overflows(size_t a, size_t b, size_t *result) {
    return __builtin_add_overflow(a, b, result);
}

/* Smallest multiple of `multiple` that is >= value; value must be far from SIZE_MAX. */
static inline size_t round_up(size_t value, size_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

/*
 * *memory becomes count * size zeroed bytes, aligned to MEMORY_ALIGNMENT, to be released with free().
 * A count of zero gives a valid pointer. Fails with TANDA_FAILED, naming `what`.
 */
tanda_status allocate(void *memory, size_t count, size_t size, const char *what, tanda_error *error);

/*
 * Uninitialised bytes, aligned to MEMORY_ALIGNMENT and in large pages where they are many, for free(); NULL for want of
 * memory. For what several threads fill: each page goes to the first that touches it.
 */
void *allocate_untouched(size_t bytes);

/* strdup that reports; text may be NULL, then so is *copy. */
tanda_status copy_text(char **copy, const char *text, tanda_error *error);

/* An array of copied strings; texts may be NULL, then so is *copy. Freed by free_texts, which accepts NULL. */
tanda_status copy_texts(char ***copy, char *const *texts, size_t count, tanda_error *error);
void free_texts(char **texts, size_t count);

/* NULL is the same as NULL alone. */
bool equal_text(const char *a, const char *b);
bool equal_texts(char *const *a, char *const *b, size_t count);

#endif
