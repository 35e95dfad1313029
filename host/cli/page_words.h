/* What --language and --format take, for every command that writes a page or a picture. */
#ifndef TANDA_CLI_PAGE_WORDS_H
#define TANDA_CLI_PAGE_WORDS_H

#include "tanda_lab.h"

extern const vocabulary language_words, picture_format_words;

#endif
