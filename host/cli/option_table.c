#include "cli/option_table.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

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

/* How many of the options that a command has no use for begin with a text; *is_one: whether one of them is the text. */
static size_t count_without(const struct argp *root, const char *text, bool *is_one) {
    const size_t length = strlen(text);
    size_t count = 0;
    *is_one = false;
    for (const struct argp_option *row = root->options; row != NULL && !is_end(row); row++) {
        const char *at = (row->flags & OPTION_WITHOUT) != 0 ? row->name : "";
        for (size_t size = 0; *at != '\0'; at += size, at += strspn(at, " ")) {
            size = strcspn(at, " ");
            const bool begins = size >= length && strncmp(at, text, length) == 0;
            *is_one |= begins && size == length;
            count += begins;
        }
    }
    return count;
}

static void visit_tables(const struct argp *argp, int outer, const visit *work) {
    for (const struct argp_option *row = argp->options; row != NULL && !is_end(row); row++) {
        const int group = row->group != 0 ? row->group : outer;
        if (row->name == NULL || (row->flags & (OPTION_DOC | OPTION_ALIAS)) != 0) continue;
        if ((work->section != SECTION_COUNT && (int)work->section != group)) continue;
        bool is_left_out = false;
        if (argp != work->root) count_without(work->root, row->name, &is_left_out);
        if (!is_left_out) work->visit(row, work->context);
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

static void compare_letter(const struct argp_option *option, void *context) {
    option_search *search = context;
    if (option_letter(option) == *search->name) search->exact = option;
}

const struct argp_option *option_find_letter(const struct argp *argp, char letter) {
    option_search search = {.name = &letter};
    if (letter != '\0') option_visit(argp, compare_letter, &search);
    return search.exact;
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

/* Names of scikit-learn, Keras and PyTorch whose meaning no option here has alone. */
static const struct {
    const char *name;
    const char *option; /* that the advice is about */
    const char *advice;
} foreign[] = {
    {"alpha", "l2",
     "scikit-learn's alpha is --l2 X: alpha / batch for its MLPs, alpha for its SGDs (RMSprop's in PyTorch "
     "is --rho)"},
    {"C", "l2", "scikit-learn's C is --l2 X, X = 1 / (C rows)"},
    {"penalty", "l2", "give --l1 X or --l2 X"},
    {"weight-decay", "l2", "PyTorch's weight_decay of SGD and Adam is --l2 X, which leaves out the biases"},
    {"tol", "min-delta", "of lbfgs it is --tolerance X; to stop early, --min-delta X with --patience N"},
    {"early-stopping", "patience", "it is --patience N, with --validation 0.1"},
    {"n-iter-no-change", "patience", "it is --patience N, which stops an epoch earlier than scikit-learn"},
    {"solver", "optimizer", "it is --optimizer NAME; scikit-learn's sgd is nesterov here, or momentum"},
    {"nesterov", "optimizer", "it is --optimizer nesterov"},
    {"nesterovs-momentum", "optimizer", "it is --optimizer nesterov"},
    {"betas", "beta1", "they are --beta1 X --beta2 X"},
    {"clipnorm", "clip-norm",
     "Keras's clipnorm is of each tensor; --clip-norm X is of all together, its global_clipnorm"},
    {"test-size", "validation", "a part that is held out is --validation FRACTION"},
    {"n-layers", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"num-layers", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"layers", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"units", "hidden", "--hidden 64,32 names the units of each hidden layer"},
    {"kernel-initializer", "hidden", "first weights are drawn by glorot_uniform, from --seed"},
    {"metrics", "patience", "all metrics that the task has are told"},
    {"callbacks", "patience", "there are --patience, --checkpoint, --schedule and --csv-log"},
    {"model", "init", "a model to go on from is --init MODEL; where the new one goes is --output MODEL"},
    {"save", "output", "it is --output MODEL"},
    {"verbose", "quiet", "progress is told unless --quiet is given"},
    {"gpu", "device", "it is --device gpu"},
    {"cuda", "device", "it is --device gpu"},
    {"warm-start", "init", "it is --init MODEL"},
    {"index-col", "ignore", "a column that is no feature is --ignore COLUMN"},
};

const char *option_advice(const struct argp *argp, const char *name) {
    for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strcmp(foreign[i].name, name) == 0 && option_exists(argp, foreign[i].option))
            return foreign[i].advice;
    return NULL;
}

tanda_status option_fault(const struct argp *argp, const char *command, const char *argument,
                          tanda_error *error) {
    char name[SUGGEST_LENGTH_MAX + 1], buffer[SHOWN_SIZE];
    const size_t dashes = strspn(argument, "-"), length = strcspn(argument, "=");
    const char *what = shown(argument, length, buffer);
    text_put(name, sizeof name, "%.*s", length > dashes ? (int)(length - dashes) : 0, argument + dashes);

    const option_search search = option_find(argp, name);
    const bool is_long = dashes == 2 && *name != '\0' && length <= SUGGEST_LENGTH_MAX;
    if (is_long && search.matches > 1 && search.exact == NULL)
        return fail(error, TANDA_USAGE, "%s could be several options of %s; write it in full", what, command);
    if (is_long && search.match != NULL && search.match->arg != NULL)
        return fail(error, TANDA_USAGE, "--%s needs a value: --%s %s", search.match->name, search.match->name,
                    search.match->arg);
    if (is_long && search.match != NULL)
        return fail(error, TANDA_USAGE, "--%s takes no value", search.match->name);
    const char *advice = option_advice(argp, name);
    if (advice != NULL) return fail(error, TANDA_USAGE, "%s is no option of %s; %s", what, command, advice);
    if (!is_suggestion(search.distance, name))
        return fail(error, TANDA_USAGE, "%s is no option of %s (tanda %s --help lists them)", what, command,
                    command);
    return fail(error, TANDA_USAGE, "%s is no option of %s; the closest is --%s (tanda %s --help lists them)",
                what, command, search.closest, command);
}
