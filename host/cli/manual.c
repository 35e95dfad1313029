#include "cli/manual.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/option_table.h"
#include "support/text.h"

#define SECTIONS_MAX 64

/* ---- roff --------------------------------------------------------------------------------------------- */

/* Text within a line: what roff reads as its own is escaped. A plain - would be a hyphen. */
static void put_text(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\\')
            fputs("\\e", stdout);
        else if (text[i] == '-')
            fputs("\\-", stdout);
        else
            putchar(text[i]);
    }
}

/* Lines of text; indented ones keep their columns. A . or ' at the start of a line would be a request. */
static void put_lines(const char *text) {
    bool is_table = false;
    for (const char *line = text; *line != '\0';) {
        const size_t length = strcspn(line, "\n");
        if ((*line == ' ') != is_table) puts(is_table ? ".fi" : ".nf");
        is_table = *line == ' ';
        if (length == 0) fputs(".PP", stdout);
        if (*line == '.' || *line == '\'') fputs("\\&", stdout);
        put_text(line, length);
        putchar('\n');
        line += length + (line[length] == '\n');
    }
    if (is_table) puts(".fi");
}

static void put_title(const char *name) {
    printf(".TH ");
    for (; *name != '\0'; name++)
        *name == '-' ? fputs("\\-", stdout) : putchar(toupper((unsigned char)*name));
    printf(" 1 \"\" \"tanda %s\" \"Manual of tanda\"\n", tanda_version());
}

/* ---- a command ---------------------------------------------------------------------------------------- */

static void put_option(const struct argp_option *option) {
    printf(".TP\n\\fB\\-\\-");
    put_text(option->name, strlen(option->name));
    printf("\\fR");
    if (option->arg != NULL) {
        printf("=\\fI");
        put_text(option->arg, strlen(option->arg));
        printf("\\fR");
    }
    putchar('\n');
    put_lines(option->doc == NULL ? "" : option->doc);
}

static void put_header(const char *text) {
    printf(".SS \"");
    put_text(text, strcspn(text, ":"));
    puts("\"");
}

/* Options that follow one another in a table. */
typedef struct section {
    int group;          /* sections come in the order of their groups, as in --help */
    const char *header; /* or NULL: it goes on with what is before it */
    const struct argp_option *first;
    size_t count;
} section;

typedef struct sections {
    section list[SECTIONS_MAX];
    size_t count;
} sections;

/* Behind those of the same group and of lower ones. */
static section *insert_section(sections *sections, int group, const char *header,
                               const struct argp_option *first) {
    size_t place = sections->count < SECTIONS_MAX - 1 ? sections->count++ : sections->count - 1;
    for (; place > 0 && sections->list[place - 1].group > group; place--)
        sections->list[place] = sections->list[place - 1];
    sections->list[place] = (section){.group = group, .header = header, .first = first};
    return &sections->list[place];
}

/* outer: the group of the child that the table belongs to, which counts then, or 0. */
static void collect_sections(const struct argp *argp, int outer, const char *header, sections *sections) {
    section *current = NULL;
    int group = 0;
    for (const struct argp_option *option = argp->options; option != NULL && (option->name || option->doc);
         option++) {
        const bool is_header = option->name == NULL;
        const bool is_new = current == NULL || is_header || (option->group != 0 && option->group != group);
        if (option->group != 0) group = option->group;
        if (is_new)
            current = insert_section(sections, outer != 0 ? outer : group, is_header ? option->doc : header,
                                     option + is_header);
        if (is_new) header = NULL;
        if (!is_header) current->count++;
    }
    for (const struct argp_child *child = argp->children; child != NULL && child->argp != NULL; child++)
        collect_sections(child->argp, outer != 0 ? outer : child->group,
                         child->header != NULL ? child->header : header, sections);
}

/* In the order of --help, but within a section in that of the table. */
static void put_options(const struct argp *argp) {
    sections sections = {0};
    collect_sections(argp, 0, NULL, &sections);
    for (const section *each = sections.list; each < sections.list + sections.count; each++) {
        if (each->header != NULL && *each->header != '\0') put_header(each->header);
        for (size_t i = 0; i < each->count; i++)
            if ((each->first[i].flags & OPTION_HIDDEN) == 0) put_option(&each->first[i]);
    }
}

/* The text behind the options, with what the command adds to it when help is asked for. */
static void put_notes(const struct argp *argp, const char *text) {
    char *filtered = (char *)text;
    if (argp->help_filter != NULL) filtered = argp->help_filter(ARGP_KEY_HELP_POST_DOC, text, NULL);
    if (filtered != NULL && *filtered != '\0') puts(".SH NOTES");
    if (filtered != NULL) put_lines(filtered);
    if (filtered != text) free(filtered);
}

static void put_exit_codes(void) {
    puts(".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nthe work failed: training diverged, a comparison does not "
         "hold, a file could not be written\n.TP\n2\nwrong usage\n.TP\n3\nbad data, model or configuration\n"
         ".TP\n4\ndevice or driver\n.TP\n130\ninterrupted");
}

void manual_print_command(const command *command) {
    char name[64];
    const char *text = command->argp->doc == NULL ? "" : command->argp->doc;
    const size_t before = strcspn(text, "\v");
    char *first = strndup(text, before);
    text_put(name, sizeof name, "tanda-%s", command->name);
    put_title(name);
    printf(".SH NAME\ntanda\\-%s \\- ", command->name);
    put_text(command->summary, strlen(command->summary));
    printf("\n.SH SYNOPSIS\n.B tanda %s\n[\\fIOPTION\\fR...]", command->name);
    if (command->argp->args_doc != NULL) printf(" \\fI%s\\fR", command->argp->args_doc);
    puts("\n.SH DESCRIPTION");
    put_lines(first == NULL ? "" : first);
    puts(".SH OPTIONS");
    put_options(command->argp);
    put_notes(command->argp, text[before] == '\0' ? "" : text + before + 1);
    put_exit_codes();
    puts(".SH SEE ALSO\n.BR tanda (1)");
    free(first);
}

/* ---- the program -------------------------------------------------------------------------------------- */

void manual_print_program(const command *commands) {
    put_title("tanda");
    puts(".SH NAME\ntanda \\- train dense networks, with the same bits on every device\n.SH SYNOPSIS\n"
         ".B tanda\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n.SH DESCRIPTION\n"
         "Trains perceptrons, logistic regression and dense networks in batches on OpenCL devices and CPU "
         "cores, with the same bits on all of them.\n.SH COMMANDS");
    for (const command *each = commands; each->name != NULL; each++) {
        printf(".TP\n.BR tanda\\-%s (1)\n", each->name);
        put_lines(each->summary);
    }
    puts(".SH ENVIRONMENT\n"
         ".TP\n.B TANDA_ISA\nas \\-\\-isa: x86\\-64\\-v4, x86\\-64\\-v3 or generic\n"
         ".TP\n.B TANDA_KERNELS\nas \\-\\-kernels: a folder with OpenCL kernels to take for the built\\-in "
         "ones\n"
         ".TP\n.B TANDA_CACHE_DIR\nwhere compiled kernels are kept; empty: nowhere. Default: "
         "$XDG_CACHE_HOME/tanda or ~/.cache/tanda\n"
         ".TP\n.B OMP_NUM_THREADS\nOpenMP threads, as \\-\\-threads");
    put_exit_codes();
    puts(".SH SEE ALSO");
    for (const command *each = commands; each->name != NULL; each++)
        printf(".BR tanda\\-%s (1)%s\n", each->name, each[1].name == NULL ? "" : ",");
}
