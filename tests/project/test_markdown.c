/*
 * README.md and docs/ show what happens: their commands are run, and give the output that stands below them; links and
 * paths lead to files; the table of ops is that of the source.
 *
 * A block that begins with ```bash is run, the blocks of one document by one shell, in a folder that looks like the project's;
 * ```sh is shown only: it installs, downloads, runs tests, takes long or tells of the machine. A block without a name right
 * behind one of bash is all that it writes, and ... in it is anything, on a line of its own any number of lines.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <glob.h>
#include <regex.h>

#include "program.h"

#define BLOCKS 64

/* ---- the documents ------------------------------------------------------------------------------------- */

typedef struct document {
    char path[200]; /* below the root */
} document;

/* Calls visit for README.md and every .md below docs/; how many there are. */
static size_t each_document(void (*visit)(const char *path, void *context), void *context) {
    static const char *const patterns[] = {"README.md", "CONTRIBUTING.md", "docs/*.md", "docs/*/*.md"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char pattern[300];
        glob_t found;
        snprintf(pattern, sizeof pattern, TANDA_SOURCE_DIR "/%s", patterns[i]);
        if (glob(pattern, 0, NULL, &found) != 0) continue;
        for (size_t k = 0; k < found.gl_pathc; k++, count++)
            visit(found.gl_pathv[k] + strlen(TANDA_SOURCE_DIR "/"), context);
        globfree(&found);
    }
    return count;
}

static const char *document_text(const char *path) {
    char whole[400];
    snprintf(whole, sizeof whole, TANDA_SOURCE_DIR "/%s", path);
    return file_text(whole);
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

typedef struct block {
    char *commands, *output; /* output: NULL where none is shown */
    size_t line;             /* of the document, where the commands begin */
} block;

static bool begins(const char *line, const char *with) {
    return strncmp(line, with, strlen(with)) == 0;
}

/* The text from `at` to the fence that ends it; *end is behind that. */
static char *fenced(const char *at, const char **end) {
    const char *fence = strstr(at, "\n```");
    if (at[0] == '`') fence = at - 1; /* nothing in it */
    cr_assert_not_null(fence, "a block without an end: %.60s", at);
    *end = strchr(fence + 1, '\n');
    cr_assert_not_null(*end);
    (*end)++;
    char *text = strndup(at, (size_t)(fence + 1 - at));
    cr_assert_not_null(text);
    return text;
}

static size_t read_blocks(const char *text, block *blocks) {
    size_t count = 0, line = 1;
    for (const char *at = text, *next = text; at != NULL && *at != '\0'; at = next) {
        const char *end = strchr(at, '\n');
        next = end == NULL ? NULL : end + 1;
        if (begins(at, "```") && next != NULL) {
            const bool is_run = begins(at, "```bash\n");
            char *inside = fenced(end + 1, &next);
            const char *behind = next + (*next == '\n');
            cr_assert_lt(count, BLOCKS);
            if (is_run) {
                blocks[count] = (block){.commands = inside, .line = line};
                if (begins(behind, "```\n")) blocks[count].output = fenced(behind + 4, &next);
                count++;
            } else {
                free(inside);
            }
        }
        for (const char *passed = at; next != NULL && passed < next; passed++)
            line += *passed == '\n';
    }
    return count;
}

/* ---- what they write ----------------------------------------------------------------------------------- */

/* Times and devices are the machine's: these pieces of a line are replaced by their names. */
static const struct {
    const char *pattern, *name;
} pieces[] = {
    {"^device: .*", "DEVICE"},
    {" - [0-9.e+-]+m?s [0-9]+(us|ms|s)/step - ", " - TIME - "},
    {"^seconds: .*", "SECONDS"},
    {"\"seconds\": \\{[^}]*\\}", "SECONDS"},
};

static void mask(char *line, size_t size) {
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        regex_t regex;
        regmatch_t match;
        cr_assert_eq(regcomp(&regex, pieces[i].pattern, REG_EXTENDED), 0);
        if (regexec(&regex, line, 1, &match, 0) == 0) {
            char rest[4000];
            snprintf(rest, sizeof rest, "%s", line + match.rm_eo);
            snprintf(line + match.rm_so, size - (size_t)match.rm_so, "%s%s", pieces[i].name, rest);
        }
        regfree(&regex);
    }
}

/* Whether text is what shown says; "..." stands for anything. */
static bool is_as_shown(const char *shown, const char *text) {
    const char *gap = strstr(shown, "...");
    if (gap == NULL) return strcmp(shown, text) == 0;
    const size_t length = (size_t)(gap - shown);
    if (strncmp(shown, text, length) != 0) return false;
    for (const char *at = text + length;; at++) {
        if (is_as_shown(gap + 3, at)) return true;
        if (*at == '\0') return false;
    }
}

typedef struct lines {
    char *line[400];
    size_t count;
} lines;

static lines split(const char *text) {
    lines made = {.count = 0};
    char *copy = strdup(text), *rest = copy;
    cr_assert_not_null(copy);
    for (char *line = strsep(&rest, "\n"); line != NULL && rest != NULL; line = strsep(&rest, "\n")) {
        cr_assert_lt(made.count, sizeof made.line / sizeof *made.line);
        char masked[4000];
        snprintf(masked, sizeof masked, "%s", line);
        mask(masked, sizeof masked);
        made.line[made.count++] = strdup(masked);
    }
    free(copy);
    return made;
}

/* The first line from `at` on that is not as shown, or the number of lines that are shown. */
static size_t first_difference(const lines *shown, size_t at, const lines *lines, size_t place) {
    for (; at < shown->count; at++, place++) {
        if (strcmp(shown->line[at], "...") == 0) {
            for (; place <= lines->count; place++)
                if (first_difference(shown, at + 1, lines, place) == shown->count) return shown->count;
            return at;
        }
        if (place >= lines->count || !is_as_shown(shown->line[at], lines->line[place])) return at;
    }
    return place == lines->count ? at : at - 1;
}

static void expect_shown(const document *document, const block *block, const char *text) {
    const lines shown = split(block->output), written = split(text);
    const size_t different = first_difference(&shown, 0, &written, 0);
    cr_expect(different == shown.count,
              "%s:%zu: line %zu below is not what the commands write:\n%s\nwhole:\n%s", document->path,
              block->line, different + 1,
              different < shown.count ? shown.line[different] : "(more than is shown)", text);
}

/* ---- running them -------------------------------------------------------------------------------------- */

static void shell(const char *command) {
    cr_assert_eq(system(command), 0, "%s", command);
}

/* What the commands find is the source, and copies where they might write. */
static void furnish(void) {
    shell("mkdir build-release datasets && ln -s '" TANDA_PROGRAM "' build-release/tanda && "
          "cp '" TANDA_SOURCE_DIR "'/datasets/*.csv datasets && cp -r '" TANDA_SOURCE_DIR "/kernels' . && "
          "for i in host tests docs examples bench cmake; do ln -s '" TANDA_SOURCE_DIR "'/$i; done");
}

static void write_script(const block *blocks, size_t count) {
    FILE *script = fopen("script.sh", "w");
    cr_assert_not_null(script);
    fputs("export HOME=$PWD\n", script);
    for (size_t i = 0; i < count; i++)
        fprintf(script, "exec >output.%zu 2>&1\n%s", i, blocks[i].commands);
    fclose(script);
}

typedef struct documents {
    document list[64];
    size_t count;
} documents;

static void keep(const char *path, void *context) {
    documents *documents = context;
    snprintf(documents->list[documents->count++].path, sizeof documents->list[0].path, "%s", path);
}

ParameterizedTestParameters(markdown, commands_give_the_output_that_stands_below_them) {
    static documents found;
    found.count = 0;
    each_document(keep, &found);
    return cr_make_param_array(document, found.list, found.count);
}

ParameterizedTest(document *document, markdown, commands_give_the_output_that_stands_below_them,
                  .init = enter_folder, .fini = leave_folder, .timeout = 300) {
    block blocks[BLOCKS];
    const char *text = document_text(document->path);
    const size_t count = read_blocks(text, blocks);
    if (count == 0) return;
    if (strstr(text, "--device opencl") != NULL && strstr(RUN("devices").out, "\nopencl:") == NULL) {
        printf("SKIPPED: the commands of %s: there is no OpenCL device\n", document->path);
        return;
    }
    need_kernels();
    furnish();
    write_script(blocks, count);
    if (system("bash script.sh </dev/null") == -1) cr_assert_fail("no shell");
    for (size_t i = 0; i < count; i++) {
        char name[40];
        snprintf(name, sizeof name, "output.%zu", i);
        if (blocks[i].output != NULL) expect_shown(document, &blocks[i], file_text(name));
    }
}

/* ---- links and paths ----------------------------------------------------------------------------------- */

static void expect_file(const char *document, const char *path) {
    cr_expect_eq(access(path, F_OK), 0, "%s names %s, which is not there", document,
                 path + strlen(TANDA_SOURCE_DIR "/"));
}

/* Links to other files: [text](path) or [text](path#title). */
static void check_links(const char *document, void *context) {
    (void)context;
    const char *text = document_text(document), *slash = strrchr(document, '/');
    for (const char *at = strstr(text, "]("); at != NULL; at = strstr(at + 2, "](")) {
        const size_t length = strcspn(at + 2, "#)\n");
        if (length == 0 || begins(at + 2, "http")) continue;
        char path[600];
        snprintf(path, sizeof path, TANDA_SOURCE_DIR "/%.*s%.*s",
                 slash == NULL ? 0 : (int)(slash + 1 - document), document, (int)length, at + 2);
        expect_file(document, path);
    }
}

/* Paths from the root in backquotes: `host/data/csv.c`, `kernels/`. Those with *, NAME or the like stand for several. */
static void check_paths(const char *document, void *context) {
    static const char *const folders[] = {"host/",  "kernels/",  "tests/", "bench/",
                                          "cmake/", "examples/", "docs/"};
    (void)context;
    const char *text = document_text(document);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char start[20];
        snprintf(start, sizeof start, "`%s", folders[i]);
        for (const char *at = strstr(text, start); at != NULL; at = strstr(at + 1, start)) {
            const size_t length = strcspn(at + 1, "` \n");
            char path[600];
            snprintf(path, sizeof path, TANDA_SOURCE_DIR "/%.*s", (int)length, at + 1);
            const char *word = path + strlen(TANDA_SOURCE_DIR);
            if (strpbrk(word, "*<{") == NULL && strstr(word, "NAME") == NULL) expect_file(document, path);
        }
    }
}

Test(markdown, links_and_paths_lead_to_files, .init = enter_folder, .fini = leave_folder) {
    cr_expect_geq(each_document(check_links, NULL), 20);
    each_document(check_paths, NULL);
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

Test(markdown, the_table_of_ops_is_that_of_the_source, .init = enter_folder, .fini = leave_folder) {
    cr_assert_eq(system("'" TANDA_SOURCE_DIR "/docs/ops.sh' >ops.md"), 0);
    cr_expect_str_eq(file_text("ops.md"), document_text("docs/ops.md"),
                     "docs/ops.md is old; docs/ops.sh >docs/ops.md");
}

static void count_readme_lines(const char *path, void *context) {
    if (strcmp(path, "README.md") == 0) *(size_t *)context = count_lines(document_text(path));
}

Test(markdown, the_readme_is_short, .init = enter_folder, .fini = leave_folder) {
    size_t count = 0;
    each_document(count_readme_lines, &count);
    cr_expect(count > 50 && count <= 150, "%zu lines; what is more belongs into docs/", count);
}
