/* Manual pages. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/help.h"
#include "cli/optimizer_options.h"
#include "cli/option_table.h"
#include "cli/options.h"

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

static void put_name(const struct argp_option *name, const char *argument) {
    printf("\\fB\\-\\-");
    put_text(name->name, strlen(name->name));
    printf("\\fR");
    if (argument == NULL) return;
    printf("=\\fI");
    put_text(argument, strlen(argument));
    printf("\\fR");
}

/* With every name that it has. */
static void put_option(const struct argp_option *option, void *context) {
    (void)context;
    printf(".TP\n");
    put_name(option, option->arg);
    for (const struct argp_option *name = option_next_name(option); name != NULL;
         name = option_next_name(name)) {
        printf(", ");
        put_name(name, NULL);
    }
    if (option_letter(option) != '\0') printf(", \\fB\\-%c\\fR", option_letter(option));
    putchar('\n');
    put_lines(option->doc == NULL ? "" : option->doc);
}

/* A section that another file words, where the command has the option which it is about. */
static void put_part(const command *command, const char *option, const char *title,
                     void (*write)(FILE *stream)) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = option_exists(command->argp, option) ? open_memstream(&text, &size) : NULL;
    if (stream == NULL) return;
    write(stream);
    if (text_stream_end(stream, &text)) {
        printf(".SH %s\n", title);
        put_lines(text);
    }
    free(text);
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
    for (option_section section = 0; section < SECTION_COUNT; section++) { /* in the order of --help */
        const char *title = option_section_title(section);
        if (*title != '\0' && option_section_is_there(command->argp, section)) printf(".SS \"%s\"\n", title);
        option_visit_section(command->argp, section, put_option, NULL);
    }
    char *notes = help_notes(command->argp);
    if (notes != NULL && *notes != '\0') puts(".SH NOTES");
    if (notes != NULL) put_lines(notes);
    free(notes);
    put_part(command, "delimiter", "DELIMITERS", dialect_write_rules);
    put_part(command, "optimizer", "DEFAULTS", optimizer_write_defaults);
    put_exit_codes();
    puts(".SH SEE ALSO\n.BR tanda (1)");
    free(first);
}

void manual_print_program(void) {
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
