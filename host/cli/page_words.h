/* What every command that writes a page or a picture has in common. */
#ifndef TANDA_CLI_PAGE_WORDS_H
#define TANDA_CLI_PAGE_WORDS_H

#include "tanda_lab.h"

extern const vocabulary language_words, picture_format_words;

/* Behind a page: a note where its pictures are missing for want of gnuplot; none with --quiet. */
void note_gnuplot(bool lacks_gnuplot, bool quiet);

#endif
