#include "cli/option_table.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/suggest.h"
#include "tanda_lab.h"

const char *option_section_title(option_section section) {
    static const char *const titles[SECTION_COUNT] = {
        [SECTION_OWN] = "",
        [SECTION_DATA] = "Data",
        [SECTION_NETWORK] = "Network",
        [SECTION_TRAINING] = "Training",
        [SECTION_OPTIMIZER] = "Optimizer and schedule",
        [SECTION_OUTPUT] = "Output",
        [SECTION_DEVICE] = "Device",
        [SECTION_COMMON] = "Common",
    };
    return titles[section];
}

/* ---- going through the tables --------------------------------------------------------------------------- */

typedef struct visit {
    const struct argp *root;
    option_section section; /* SECTION_COUNT: every one */
    option_visitor *visit;
    void *context;
} visit;

static bool is_end(const struct argp_option *row) {
    return row->name == NULL && row->doc == NULL;
}

static bool is_option(const struct argp_option *row) {
    return row->name != NULL && (row->flags & (OPTION_DOC | OPTION_ALIAS)) == 0;
}

/* How many of the words begin with a text; *is_one: whether one of them is the text. */
static size_t count_words(const char *words, const char *text, bool *is_one) {
    const size_t length = strlen(text);
    size_t count = 0;
    for (const char *at = words; *at != '\0'; at += strspn(at, " ")) {
        const size_t size = strcspn(at, " ");
        const bool begins = size >= length && strncmp(at, text, length) == 0;
        *is_one |= begins && size == length;
        count += begins;
        at += size;
    }
    return count;
}

/* The same of the options that a command has no use for. */
static size_t count_without(const struct argp *root, const char *text, bool *is_one) {
    size_t count = 0;
    *is_one = false;
    for (const struct argp_option *row = root->options; row != NULL && !is_end(row); row++)
        if ((row->flags & OPTION_WITHOUT) != 0) count += count_words(row->name, text, is_one);
    return count;
}

static bool is_without(const struct argp *root, const char *name) {
    bool is_one = false;
    count_without(root, name, &is_one);
    return is_one;
}

static void visit_tables(const struct argp *argp, int outer, const visit *work) {
    for (const struct argp_option *row = argp->options; row != NULL && !is_end(row); row++) {
        const int group = row->group != 0 ? row->group : outer;
        if (!is_option(row) || (work->section != SECTION_COUNT && (int)work->section != group)) continue;
        if (argp == work->root || !is_without(work->root, row->name)) work->visit(row, work->context);
    }
    for (const struct argp_child *child = argp->children; child != NULL && child->argp != NULL; child++)
        visit_tables(child->argp, child->group != 0 ? child->group : outer, work);
}

void option_visit(const struct argp *argp, option_visitor *visit, void *context) {
    option_visit_section(argp, SECTION_COUNT, visit, context);
}

void option_visit_section(const struct argp *argp, option_section section, option_visitor *visit,
                          void *context) {
    const struct visit work = {.root = argp, .section = section, .visit = visit, .context = context};
    visit_tables(argp, 0, &work);
}

static void note(const struct argp_option *option, void *context) {
    (void)option;
    *(bool *)context = true;
}

bool option_section_is_there(const struct argp *argp, option_section section) {
    bool is_there = false;
    option_visit_section(argp, section, note, &is_there);
    return is_there;
}

const struct argp_option *option_next_name(const struct argp_option *name) {
    return !is_end(name + 1) && (name[1].flags & OPTION_ALIAS) != 0 ? name + 1 : NULL;
}

char option_letter(const struct argp_option *option) {
    return option->key > 0 && option->key <= UINT8_MAX && isalpha(option->key) ? (char)option->key : '\0';
}

/* ---- finding -------------------------------------------------------------------------------------------- */

static void compare_option(const struct argp_option *option, void *context) {
    option_search *search = context;
    bool begins = false;
    for (const struct argp_option *name = option; name != NULL; name = option_next_name(name)) {
        const size_t distance = edit_distance(name->name, search->name);
        if (strcmp(name->name, search->name) == 0) search->exact = option;
        begins |= (name->flags & OPTION_HIDDEN) == 0 &&
                  strncmp(name->name, search->name, strlen(search->name)) == 0;
        if (distance >= search->distance) continue;
        search->distance = distance;
        search->closest = option->name;
    }
    if (begins && (search->exact == NULL || search->exact == option)) search->match = option;
    if (search->exact == option) search->match = option;
    search->matches += begins;
}

option_search option_find(const struct argp *argp, const char *name) {
    option_search search = {.name = name, .distance = SIZE_MAX};
    option_visit(argp, compare_option, &search);
    bool is_left_out = false;
    const size_t without = count_without(argp, name, &is_left_out);
    if (search.exact != NULL) return search;
    /* An option that is left out is no beginning of another, and its beginning could still be meant for it. */
    search.matches = is_left_out ? 0 : search.matches + without;
    if (is_left_out) search.match = NULL;
    return search;
}

/* Which option has the letter. */
typedef struct letter_search {
    char letter;
    const struct argp_option *found;
} letter_search;

static void compare_letter(const struct argp_option *option, void *context) {
    letter_search *search = context;
    if (option_letter(option) == search->letter) search->found = option;
}

const struct argp_option *option_find_letter(const struct argp *argp, char letter) {
    letter_search search = {.letter = letter};
    if (letter != '\0') option_visit(argp, compare_letter, &search);
    return search.found;
}

const struct argp_option *option_of_argument(const struct argp *argp, const char *argument) {
    char name[SUGGEST_LENGTH_MAX + 1];
    const size_t length = strcspn(argument, "=");
    if (strncmp(argument, "--", 2) != 0 || length <= 2 || length - 2 > SUGGEST_LENGTH_MAX) return NULL;
    text_put(name, sizeof name, "%.*s", (int)(length - 2), argument + 2);
    const option_search search = option_find(argp, name);
    return search.exact != NULL || search.matches == 1 ? search.match : NULL;
}

bool option_exists(const struct argp *argp, const char *name) {
    return option_find(argp, name).exact != NULL;
}

const char *option_example(const struct argp *argp) {
    static const char mark[] = "Example: ";
    const char *found = argp->doc == NULL ? NULL : strstr(argp->doc, mark);
    return found == NULL ? "" : found + strlen(mark);
}
