#include "cli/option_table.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/suggest.h"
#include "support/text.h"

void option_visit(const struct argp *argp, option_visitor *visit, void *context) {
    for (const struct argp_option *option = argp->options; option != NULL && (option->name || option->doc);
         option++)
        if (option->name != NULL && (option->flags & OPTION_DOC) == 0) visit(option, context);
    for (const struct argp_child *child = argp->children; child != NULL && child->argp != NULL; child++)
        option_visit(child->argp, visit, context);
}

static void compare_option(const struct argp_option *option, void *context) {
    option_search *search = context;
    const size_t distance = edit_distance(option->name, search->name);
    if (strcmp(option->name, search->name) == 0) search->exact = option;
    if (strncmp(option->name, search->name, strlen(search->name)) == 0) {
        if (search->exact == NULL || search->exact == option) search->match = option;
        search->matches++;
    }
    if (distance < search->distance) {
        search->distance = distance;
        search->closest = option->name;
    }
}

option_search option_find(const struct argp *argp, const char *name) {
    option_search search = {.name = name, .distance = SIZE_MAX};
    option_visit(argp, compare_option, &search);
    return search;
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
