/* Manual pages and completion are made of the tables that --help is made of. */
#include "program.h"

TestSuite(documents, .init = enter_folder, .fini = leave_folder);

static const char *const commands[] = {"train",    "evaluate", "predict", "verify", "record",
                                       "generate", "inspect",  "devices", "bench"};
#define COMMANDS (sizeof commands / sizeof commands[0])

/* Calls visit with each option in a command's help, without its dashes. */
static size_t each_option(const char *command, void (*visit)(const char *name, const char *text),
                          const char *text) {
    size_t count = 0;
    for (const char *line = RUN(command, "--help").out; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *name = line + strspn(line, " ");
        if (strncmp(name, "--", 2) != 0 || name == line) continue;
        const size_t length = strspn(name + 2, "abcdefghijklmnopqrstuvwxyz0123456789-");
        if (strchr("= \n", name[2 + length]) == NULL) continue;
        char option[64];
        snprintf(option, sizeof option, "%.*s", (int)length, name + 2);
        visit(option, text);
        count++;
    }
    return count;
}

static void expect_documented(const char *name, const char *text) {
    char entry[140] = ".TP\n\\fB\\-\\-";
    for (; *name != '\0'; name++)
        strcat(entry, *name == '-' ? "\\-" : (const char[]){*name, '\0'});
    strcat(entry, "\\fR");
    cr_expect_not_null(strstr(text, entry), "no %s", entry);
}

static const char *manual(const char *command) {
    const outcome outcome = command == NULL ? RUN("help", "--man") : RUN("help", "--man", command);
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    return outcome.out;
}

Test(documents, every_option_of_the_help_is_in_the_manual_page) {
    for (size_t i = 0; i < COMMANDS; i++)
        cr_expect_gt(each_option(commands[i], expect_documented, manual(commands[i])), 10, "%s", commands[i]);
}

static void expect_between(const char *text, const char *header, const char *entry, const char *next) {
    const char *begin = strstr(text, header), *end = begin == NULL ? NULL : strstr(begin + 1, ".SS ");
    const char *found = begin == NULL ? NULL : strstr(begin, entry);
    cr_expect(found != NULL && end != NULL && found < end, "%s is not under %s", entry, header);
    cr_expect(end != NULL && strncmp(end, next, strlen(next)) == 0, "%s does not come after %s", next,
              header);
}

/* --folds and --stratify stand in tables of their own, which join the group. */
Test(documents, options_stand_under_the_headers_of_the_help) {
    const char *text = manual("train");
    expect_between(text, ".SS \"Model\"", "\\-\\-hidden", ".SS \"Training\"");
    expect_between(text, ".SS \"Training\"", "\\-\\-folds", ".SS \"Data\"");
    expect_between(text, ".SS \"Training\"", "\\-\\-stratify", ".SS \"Data\"");
    expect_between(text, ".SS \"Data\"", "\\-\\-target", ".SS \"Common\"");
    expect_between(text, ".SS \"Common\"", "\\-\\-device", ".SS \"Run\"");
}

Test(documents, the_manual_pages_are_without_mistakes) {
    const bool has_groff = system("command -v groff >/dev/null") == 0;
    const bool has_mandoc = system("command -v mandoc >/dev/null") == 0;
    if (!has_groff && !has_mandoc) printf("SKIPPED: manual pages are not checked: no groff and no mandoc\n");
    for (size_t i = 0; i <= COMMANDS; i++) {
        write_text("page.1", manual(i == COMMANDS ? NULL : commands[i]));
        if (has_groff)
            cr_expect_eq(system("groff -man -ww -z -Tutf8 page.1 2>groff.txt && test ! -s groff.txt"), 0);
        if (has_groff) cr_expect_str_eq(file_text("groff.txt"), "");
        if (has_mandoc) cr_expect_eq(system("mandoc -T lint -W error page.1"), 0);
    }
}

/* ---- completion --------------------------------------------------------------------------------------- */

/* What bash offers for words, the last of which is being written; one a line. */
static const char *complete(const char *words) {
    char script[1000];
    write_text("tanda.bash", RUN("help", "--completion").out);
    snprintf(script, sizeof script,
             "bash --norc -c 'compopt() { :; }; source ./tanda.bash; COMP_WORDS=(%s); "
             "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tanda; printf \"%%s\\n\" \"${COMPREPLY[@]}\"' "
             ">answer.txt 2>&1",
             words);
    cr_assert_eq(system(script), 0, "%s", file_text("answer.txt"));
    return file_text("answer.txt");
}

static bool has_bash(void) {
    if (system("command -v bash >/dev/null") == 0) return true;
    printf("SKIPPED: completion: there is no bash\n");
    return false;
}

Test(documents, bash_completes_commands_options_values_and_files) {
    if (!has_bash()) return;
    cr_expect_str_eq(complete("tanda tr"), "train\n");
    cr_expect_str_eq(complete("tanda train --learn"), "--learning-rate\n");
    cr_expect_str_eq(complete("tanda train --shuffle \"\""), "full\nnone\n");
    cr_expect_str_eq(complete("tanda train --shuffle ="), "full\nnone\n");
    cr_expect_str_eq(complete("tanda train --scale = mi"), "minmax\n");
    cr_expect_str_eq(complete("tanda train --device ope"), "opencl\n");
    cr_expect_str_eq(complete("tanda train --activation ta"), "tanh\n");
    cr_expect_str_eq(complete("tanda train --quiet --epo"), "--epochs\n");
    cr_expect_str_eq(complete("tanda train --epochs \"\""), "\n");
    cr_expect_str_eq(complete("tanda generate spi"), "spirals\n");
    write_text("rows.csv", "a,b\n");
    cr_expect_str_eq(complete("tanda train --data ro"), "rows.csv\n");
    cr_expect_str_eq(complete("tanda inspect ro"), "rows.csv\n");
    cr_expect_str_eq(complete("tanda inspect --set"), "--settings\n");
}

static void expect_completed(const char *name, const char *text) {
    char option[80];
    snprintf(option, sizeof option, "--%s\n", name);
    cr_expect_not_null(strstr(text, option), "no %s", option);
}

Test(documents, bash_knows_every_option_of_the_help) {
    if (!has_bash()) return;
    for (size_t i = 0; i < COMMANDS; i++) {
        char words[40];
        snprintf(words, sizeof words, "tanda %s --", commands[i]);
        each_option(commands[i], expect_completed, complete(words));
    }
}

Test(documents, shellcheck_has_nothing_to_say) {
    write_text("tanda.bash", RUN("help", "--completion").out);
    if (system("command -v shellcheck >/dev/null") != 0)
        printf("SKIPPED: completion is not checked: there is no shellcheck\n");
    else
        cr_expect_eq(system("shellcheck tanda.bash"), 0);
}
