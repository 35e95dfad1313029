#include "support_pages.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "page/gnuplot.h"

#define MOST_BYTES 400000
#define SENTENCE 10 /* letters that cannot be there by chance */
#define DEPTH 64
#define MOST_IDS 4000

/* ---- texts ----------------------------------------------------------------------------------------------- */

/* Behind a printf specifier that `at` begins with. */
static const char *past_specifier(const char *at) {
    if (at[1] == '%') return at + 2;
    at++;
    while (*at != '\0' && strchr("diouxXeEfFgGcsp", *at) == NULL)
        at++;
    return *at == '\0' ? at : at + 1;
}

static void specifiers(const char *text, char *found, size_t size) {
    found[0] = '\0';
    for (const char *at = strchr(text, '%'); at != NULL; at = strchr(at, '%')) {
        const char *past = past_specifier(at);
        const size_t used = strlen(found);
        if (at[1] != '%') snprintf(found + used, size - used, "%.*s ", (int)(past - at), at);
        at = past;
    }
}

/* Three words: what is shorter may be the same in both. */
static bool is_sentence(const char *text) {
    const char *space = strchr(text, ' ');
    return space != NULL && strchr(space + 1, ' ') != NULL;
}

void check_texts(const text_pair *pairs, size_t count) {
    for (size_t i = 0; i < count; i++) {
        char english[200], spanish[200];
        for (int language = 0; language < LANGUAGE_COUNT; language++)
            cr_expect(pairs[i].texts[language] != NULL && pairs[i].texts[language][0] != '\0',
                      "%s: nothing in %s", pairs[i].id, language_names[language]);
        specifiers(pairs[i].texts[LANGUAGE_ENGLISH], english, sizeof english);
        specifiers(pairs[i].texts[LANGUAGE_SPANISH], spanish, sizeof spanish);
        cr_expect_str_eq(english, spanish, "%s: '%s' and '%s'", pairs[i].id, english, spanish);
        cr_expect(!is_sentence(pairs[i].texts[LANGUAGE_ENGLISH]) ||
                      strcmp(pairs[i].texts[LANGUAGE_ENGLISH], pairs[i].texts[LANGUAGE_SPANISH]) != 0,
                  "%s: one language twice", pairs[i].id);
        for (size_t k = 0; k < i; k++)
            cr_expect(strcmp(pairs[i].id, pairs[k].id) != 0, "%s stands twice", pairs[i].id);
    }
}

/* Whether a text holds the whole piece: not as a part of a longer word. */
static bool has_words(const char *text, const char *piece) {
    const size_t length = strlen(piece);
    for (const char *at = strstr(text, piece); at != NULL; at = strstr(at + 1, piece)) {
        const bool begins = at == text || !isalpha((unsigned char)at[-1]);
        if (begins && !isalpha((unsigned char)at[length])) return true;
    }
    return false;
}

static void check_sentence(const char *page, const char *id, const char *sentence, const char *translation) {
    for (const char *at = sentence; *at != '\0';) {
        const size_t length = strcspn(at, "%&<>\"'\n");
        char piece[600];
        snprintf(piece, sizeof piece, "%.*s", (int)length, at);
        if (length >= SENTENCE && strstr(translation, piece) == NULL)
            cr_expect(!has_words(page, piece), "%s is in the wrong language: '%s'", id, piece);
        at += length;
        at = *at == '%' ? past_specifier(at) : *at != '\0' ? at + 1 : at;
    }
}

void check_language(const char *page, language language, const text_pair *pairs, size_t count) {
    const int other = language == LANGUAGE_SPANISH ? LANGUAGE_ENGLISH : LANGUAGE_SPANISH;
    for (size_t i = 0; i < count; i++)
        check_sentence(page, pairs[i].id, pairs[i].texts[other], pairs[i].texts[language]);
}

/* ---- markup ---------------------------------------------------------------------------------------------- */

static bool is_void(const char *name) {
    return strcmp(name, "meta") == 0 || strcmp(name, "link") == 0 || strcmp(name, "br") == 0;
}

static void note_id(const char *tag, const char *end) {
    static char ids[MOST_IDS][60];
    static size_t count;
    const char *at = strstr(tag, " id=");
    if (at == NULL || at > end) return;
    char id[60];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(at + 5, "'\""), at + 5);
    for (size_t i = 0; i < count; i++)
        cr_expect(strcmp(ids[i], id) != 0, "the id %s stands twice", id);
    cr_assert_lt(count, MOST_IDS);
    strcpy(ids[count++], id);
}

void check_markup(const char *text) {
    char open[DEPTH][30];
    size_t depth = 0;
    for (const char *at = strchr(text, '<'); at != NULL; at = strchr(at, '<')) {
        const char *end = strchr(at, '>');
        char name[30];
        cr_assert_not_null(end, "a tag without an end: %.60s", at);
        const bool closes = at[1] == '/';
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at + 1 + closes, " \t\n/>"), at + 1 + closes);
        if (closes) {
            cr_assert_gt(depth, 0, "</%s> closes nothing", name);
            cr_assert_str_eq(name, open[--depth], "</%s> closes <%s>: %.100s", name, open[depth], at - 60);
        } else if (at[1] != '!' && at[1] != '?' && end[-1] != '/' && !is_void(name)) {
            cr_assert_lt(depth, DEPTH);
            strcpy(open[depth++], name);
        }
        note_id(at, end);
        at = end;
    }
    cr_assert_eq(depth, 0, "<%s> is not closed", depth > 0 ? open[depth - 1] : "");
}

void check_offline(const char *page) {
    static const char *const foreign[] = {"http:",   "https:", "//",         "<script",
                                          "@import", "src=",   "javascript", "url("};
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
        const char *found = strstr(page, foreign[i]);
        /* base64 has slashes */
        while (found != NULL && strcmp(foreign[i], "//") == 0 &&
               (isalnum((unsigned char)found[-1]) || found[-1] == '/' || found[-1] == '+'))
            found = strstr(found + 1, foreign[i]);
        cr_expect_null(found, "the page has '%s': %.80s", foreign[i], found == NULL ? "" : found);
    }
    cr_expect_not_null(strstr(page, "default-src 'none'"));
    cr_expect_lt(strlen(page), MOST_BYTES);
}

bool skipped_without_gnuplot(const char *test) {
    if (gnuplot_is_there()) return false;
    fprintf(stderr, "SKIPPED: %s: there is no gnuplot (Debian's " GNUPLOT_PACKAGE ")\n", test);
    return true;
}
