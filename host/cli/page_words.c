#include "cli/page_words.h"

#include "cli/report.h"

const vocabulary language_words = {.names = language_names, .count = LANGUAGE_COUNT};
const vocabulary picture_format_words = {.names = picture_format_names, .count = PICTURE_FORMATS};

void note_gnuplot(bool lacks_gnuplot, bool quiet) {
    if (lacks_gnuplot && !quiet)
        print_note("the page has no pictures: gnuplot is not installed (Debian's package " GNUPLOT_PACKAGE
                   ")");
}
