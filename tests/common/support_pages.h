/* What holds for every page and every list of texts. */
#ifndef TANDA_TESTS_SUPPORT_PAGES_H
#define TANDA_TESTS_SUPPORT_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "page/texts.h"

/* Fails the test where an id lacks a sentence, stands twice, or its sentences have other printf specifiers. */
void check_texts(const text_pair *pairs, size_t count);

/* Fails where a page has a sentence of the language that it is not in; figures and short words are no sentence. */
void check_language(const char *page, language language, const text_pair *pairs, size_t count);

/* Fails where tags of HTML or SVG do not close one another, or an id stands twice. */
void check_markup(const char *text);

/* Fails where a page names another place than itself, holds a script, or is larger than 400 KB. */
void check_offline(const char *page);

/* Whether the test needs gnuplot, and there is none: says so. */
bool skipped_without_gnuplot(const char *test);

#endif
