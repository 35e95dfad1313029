#include "cli/help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option_table.h"

#define WIDTH 79
#define NAME_COLUMN 6
#define TEXT_COLUMN 29

/* Words from a column on; further lines begin at the indent. */
static void put_words(const char *text, size_t length, size_t column, size_t indent) {
    bool is_first = true;
    for (size_t at = 0; at < length; at += strspn(text + at, " ")) {
        const size_t size = strcspn(text + at, " \n"), end = at + size < length ? at + size : length;
        const bool fits = column + !is_first + (end - at) <= WIDTH;
        if (!is_first && !fits) {
            putchar('\n');
            printf("%*s", (int)indent, "");
            column = indent;
        } else if (!is_first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)(end - at), text + at);
        column += end - at;
        is_first = false;
        at = end;
    }
    putchar('\n');
}

/* Paragraphs are wrapped; what is indented, and an example, stays as it is. */
static void put_text(const char *text) {
    for (const char *line = text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        if (*line == ' ' || strncmp(line, "Example: ", 9) == 0)
            printf("%.*s\n", (int)length, line);
        else
            put_words(line, length, 0, 0);
        line += length + (line[length] == '\n');
    }
}

/* "  -o, --output=MODEL" with its further names, and from a column on its text. */
static void put_option(const struct argp_option *option, void *context) {
    (void)context;
    const char letter = option_letter(option);
    size_t column = NAME_COLUMN;
    if (letter != '\0')
        printf("  -%c, ", letter);
    else
        printf("%*s", NAME_COLUMN, "");
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name)) {
        const char *value = name == option ? option->arg : NULL;
        if (name != option && (name->flags & OPTION_HIDDEN) != 0) continue;
        const int length = printf("%s--%s%s%s", name == option ? "" : ", ", name->name,
                                  value != NULL ? "=" : "", value != NULL ? value : "");
        column += length < 0 ? 0 : (size_t)length;
    }
    if (column + 2 > TEXT_COLUMN) {
        putchar('\n');
        column = 0;
    }
    printf("%*s", (int)(TEXT_COLUMN - column), "");
    put_words(option->doc, strlen(option->doc), TEXT_COLUMN, TEXT_COLUMN);
}

char *help_notes(const struct argp *argp) {
    const char *mark = argp->doc == NULL ? NULL : strchr(argp->doc, '\v');
    const char *text = mark == NULL ? "" : mark + 1;
    char *filtered = argp->help_filter == NULL ? NULL : argp->help_filter(ARGP_KEY_HELP_POST_DOC, text, NULL);
    return filtered == NULL || filtered == text ? strdup(text) : filtered;
}

void help_print(const struct argp *argp, const char *command) {
    const char *text = argp->doc == NULL ? "" : argp->doc;
    printf("Usage: tanda %s [OPTION...]%s%s\n", command, argp->args_doc == NULL ? "" : " ",
           argp->args_doc == NULL ? "" : argp->args_doc);
    put_words(text, strcspn(text, "\v"), 0, 0);
    for (option_section section = 0; section < SECTION_COUNT; section++) {
        const char *title = option_section_title(section);
        if (!option_section_is_there(argp, section)) continue;
        putchar('\n');
        if (*title != '\0') printf(" %s:\n", title);
        option_visit_section(argp, section, put_option, NULL);
    }
    char *notes = help_notes(argp);
    if (notes != NULL && *notes != '\0') putchar('\n');
    if (notes != NULL) put_text(notes);
    free(notes);
}
