#include "cli/page_words.h"

const vocabulary language_words = {.names = language_names, .count = LANGUAGE_COUNT};
const vocabulary picture_format_words = {.names = picture_format_names, .count = PICTURE_FORMATS};
