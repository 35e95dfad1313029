/* Manual pages and completion are made of the tables that --help is made of. */
#include "program.h"

TestSuite(documents, .init = enter_folder, .fini = leave_folder);

static const char *const commands[] = {"train", "evaluate", "predict", "verify",  "record",
                                       "trace", "generate", "shuffle", "inspect", "devices",
                                       "bench", "report",   "lab",     "surface"};
#define COMMANDS (sizeof commands / sizeof commands[0])

/* Calls visit with each option in a command's help, without its dashes. */
static size_t each_option(const char *command, void (*visit)(const char *name, const char *text),
                          const char *text) {
    size_t count = 0;
    for (const char *line = RUN(command, "--help").out; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *name = line + strspn(line, " ");
        if (*name == '-' && strncmp(name + 2, ", ", 2) == 0) name += 4; /* a letter before it */
        if (strncmp(name, "--", 2) != 0 || name == line || name - line > 6) continue;
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
        cr_expect_geq(each_option(commands[i], expect_documented, manual(commands[i])), 7, "%s", commands[i]);
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
    expect_between(text, ".SS \"Data\"", "\\-\\-target", ".SS \"Network\"");
    expect_between(text, ".SS \"Network\"", "\\-\\-hidden", ".SS \"Training\"");
    expect_between(text, ".SS \"Training\"", "\\-\\-folds", ".SS \"Optimizer and schedule\"");
    expect_between(text, ".SS \"Training\"", "\\-\\-stratify", ".SS \"Optimizer and schedule\"");
    expect_between(text, ".SS \"Output\"", "\\-\\-checkpoint", ".SS \"Device\"");
    expect_between(text, ".SS \"Device\"", "\\-\\-device", ".SS \"Common\"");
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

Test(documents, the_manual_tells_the_rules_of_delimiters_and_every_default) {
    static const char *const sections[] = {"train", "record", "verify", "trace", "surface"};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        const char *text = manual(sections[i]), *rules = strstr(text, ".SH DELIMITERS\n");
        const char *defaults = strstr(text, ".SH DEFAULTS\n");
        cr_assert(rules != NULL && defaults != NULL, "%s", sections[i]);
        cr_expect_not_null(strstr(rules, "\n  semicolon ;\n"));
        cr_expect_not_null(strstr(defaults, "\n  sgd         \\-\\-learning\\-rate 0.1 "));
        cr_expect_not_null(strstr(defaults, "\n  adamw       \\-\\-learning\\-rate 0.001 \\-\\-beta1 0.9 "));
        cr_expect_not_null(
            strstr(defaults, "\n  one\\-cycle   \\-\\-warmup\\-steps 0 \\-\\-cycle\\-rise 0.3 "));
    }
    cr_expect_not_null(strstr(manual("predict"), ".SH DELIMITERS\n"));
    cr_expect_null(strstr(manual("predict"), ".SH DEFAULTS\n"));
    cr_expect_not_null(strstr(manual("train"), ", \\fB\\-\\-max\\-iter\\fR"), "a further name is missing");
}

/* ---- completion --------------------------------------------------------------------------------------- */

static bool has_shell(const char *shell) {
    char command[60];
    snprintf(command, sizeof command, "command -v %s >/dev/null", shell);
    if (system(command) == 0) return true;
    printf("SKIPPED: completion: there is no %s\n", shell);
    return false;
}

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

Test(documents, bash_completes_commands_options_values_and_files) {
    if (!has_shell("bash")) return;
    cr_expect_str_eq(complete("tanda trai"), "train\n");
    cr_expect_str_eq(complete("tanda train --learn"), "--learning-rate\n");
    cr_expect_str_eq(complete("tanda train --shuffle \"\""), "full\nwindow\nnone\n");
    cr_expect_str_eq(complete("tanda train --shuffle ="), "full\nwindow\nnone\n");
    cr_expect_str_eq(complete("tanda train --scale = mi"), "minmax\n");
    cr_expect_str_eq(complete("tanda train --device ope"), "opencl\n");
    cr_expect_str_eq(complete("tanda train --activation ta"), "tanh\n");
    cr_expect_str_eq(complete("tanda train --quiet --epo"), "--epochs\n");
    cr_expect_str_eq(complete("tanda train --epochs \"\""), "\n");
    cr_expect_str_eq(complete("tanda train --optim ada"), "adagrad\nadam\nadamw\n");
    cr_expect_str_eq(complete("tanda generate spi"), "spirals\n");
    write_text("rows.csv", "a,b\n");
    cr_expect_str_eq(complete("tanda train --data ro"), "rows.csv\n");
    cr_expect_str_eq(complete("tanda inspect ro"), "rows.csv\n");
    cr_expect_str_eq(complete("tanda train ro"), "rows.csv\n");
    cr_expect_str_eq(complete("tanda train -o ro"), "rows.csv\n");
    cr_expect_str_eq(complete("tanda inspect --set"), "--settings\n");
}

static void expect_completed(const char *name, const char *text) {
    char option[80];
    snprintf(option, sizeof option, "--%s\n", name);
    cr_expect_not_null(strstr(text, option), "no %s", option);
}

Test(documents, bash_knows_every_option_of_the_help) {
    if (!has_shell("bash")) return;
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

/* ---- zsh and fish --------------------------------------------------------------------------------------- */

/* What fish offers, without its descriptions; one a line. */
static const char *complete_in_fish(const char *words) {
    char script[600];
    write_text("tanda.fish", RUN("help", "--completion", "fish").out);
    snprintf(script, sizeof script,
             "HOME=$PWD fish -N -c 'source ./tanda.fish; complete -C \"%s\"' 2>&1 | cut -f1 >answer.txt",
             words);
    cr_assert_eq(system(script), 0, "%s", file_text("answer.txt"));
    return file_text("answer.txt");
}

Test(documents, fish_completes_commands_options_values_and_files) {
    if (!has_shell("fish")) return;
    cr_expect_str_eq(complete_in_fish("tanda trai"), "train\n");
    cr_expect_str_eq(complete_in_fish("tanda train --learn"), "--learning-rate\n");
    cr_expect_str_eq(complete_in_fish("tanda train --shuffle "), "full\nnone\nwindow\n");
    cr_expect_str_eq(complete_in_fish("tanda train --scale=mi"), "--scale=minmax\n");
    cr_expect_str_eq(complete_in_fish("tanda train --activation ta"), "tanh\n");
    cr_expect_str_eq(complete_in_fish("tanda train --epochs "), "");
    cr_expect_str_eq(complete_in_fish("tanda generate spi"), "spirals\n");
    write_text("rows.csv", "a,b\n");
    cr_expect_str_eq(complete_in_fish("tanda train ro"), "rows.csv\n");
    cr_expect_str_eq(complete_in_fish("tanda train -o ro"), "rows.csv\n");
    cr_expect_str_eq(complete_in_fish("tanda devices ro"), "");
}

/*
 * What zsh offers: an interactive shell is asked on a terminal of its own, with the widget that a key calls, in which
 * compadd tells what it is given.
 */
static const char ask_zsh[] =
    "zmodload zsh/zpty\n"
    "zpty shell zsh -f -i\n"
    "zpty -w shell 'PROMPT=; stty -echo; autoload -U compinit; compinit -u -D; source ./_tanda'\n"
    "zpty -w shell 'compadd () { local -a found; builtin compadd -O found \"$@\"; print -rl -- $found "
    ">>answer.txt; "
    "builtin compadd \"$@\" }'\n"
    "zpty -w shell 'ask () { zle complete-word; print >end.txt }; zle -C complete-word complete-word "
    "_main_complete; "
    "zle -N ask; bindkey \"^I\" ask; : >ready.txt'\n"
    "wait_for () { for i in {1..100}; do [[ -e $1 ]] && return; sleep 0.1; done }\n"
    "wait_for ready.txt\n"
    "zpty -w -n shell \"$1\"$'\\t'\n"
    "wait_for end.txt\n"
    "zpty -d shell\n";

static const char *complete_in_zsh(const char *words) {
    char script[400];
    write_text("_tanda", RUN("help", "--completion", "zsh").out);
    write_text("ask.zsh", ask_zsh);
    write_text("answer.txt", "");
    remove("ready.txt");
    remove("end.txt");
    snprintf(script, sizeof script,
             "HOME=$PWD zsh -f ask.zsh '%s' >zsh.txt 2>&1; sort -u answer.txt | sed /^$/d >words.txt", words);
    cr_assert_eq(system(script), 0, "%s", file_text("zsh.txt"));
    return file_text("words.txt");
}

Test(documents, zsh_completes_commands_options_values_and_files, .timeout = 120) {
    if (!has_shell("zsh")) return;
    cr_expect_str_eq(complete_in_zsh("tanda trai"), "train\n");
    cr_expect_str_eq(complete_in_zsh("tanda train --learn"), "--learning-rate\n");
    cr_expect_str_eq(complete_in_zsh("tanda train --shuffle "), "full\nnone\nwindow\n");
    cr_expect_str_eq(complete_in_zsh("tanda train --scale=mi"), "minmax\n");
    cr_expect_str_eq(complete_in_zsh("tanda generate spi"), "spirals\n");
    write_text("rows.csv", "a,b\n");
    cr_expect_str_eq(complete_in_zsh("tanda train row"), "rows.csv\n");
    cr_expect_str_eq(complete_in_zsh("tanda train -o row"), "rows.csv\n");
}

static void expect_described(const char *name, const char *text) {
    char with_value[80], without[80];
    snprintf(with_value, sizeof with_value, "--%s=[", name);
    snprintf(without, sizeof without, "--%s[", name);
    cr_expect(strstr(text, with_value) != NULL || strstr(text, without) != NULL, "zsh: no --%s", name);
}

static void expect_described_in_fish(const char *name, const char *text) {
    char option[80];
    snprintf(option, sizeof option, " -l %s ", name);
    cr_expect_not_null(strstr(text, option), "fish: no --%s", name);
}

Test(documents, zsh_and_fish_know_every_option_of_the_help) {
    for (size_t i = 0; i < COMMANDS; i++) {
        each_option(commands[i], expect_described, RUN("help", "--completion", "zsh").out);
        each_option(commands[i], expect_described_in_fish, RUN("help", "--completion", "fish").out);
    }
}
