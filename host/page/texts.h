/*
 * Sentences in two languages. A command lists its own once, as id, English and Spanish, in a header:
 *
 *     #define TRACE_TEXTS(TEXT) \
 *         TEXT(trace_title, "Row %zu, step %llu", "Fila %zu, paso %llu") \
 *         TEXT(trace_loss, "loss", "coste")
 *     TRACE_TEXTS(TEXT_DEFINE)
 *
 * and says printf(TEXT_IN(language, trace_title), row, step): the compiler checks the arguments against both sentences.
 * Numbers are written alike in both, with a point. tests/common/support_pages.h has the checks of such a list.
 */
#ifndef TANDA_PAGE_TEXTS_H
#define TANDA_PAGE_TEXTS_H

typedef enum language { LANGUAGE_ENGLISH, LANGUAGE_SPANISH, LANGUAGE_COUNT } language;

/* "en" and "es": for --language and for <html lang>. */
extern const char *const language_names[LANGUAGE_COUNT];

#define TEXT_DEFINE(id, english, spanish) \
    static const char id##_en[] __attribute__((unused)) = english; \
    static const char id##_es[] __attribute__((unused)) = spanish;

#define TEXT_IN(language, id) ((language) == LANGUAGE_SPANISH ? id##_es : id##_en)

/* A list as rows of a table, for tests: const text_pair pairs[] = {TRACE_TEXTS(TEXT_PAIR)}. */
typedef struct text_pair {
    const char *id, *texts[LANGUAGE_COUNT];
} text_pair;

#define TEXT_PAIR(id, english, spanish) {#id, {english, spanish}},

#endif
