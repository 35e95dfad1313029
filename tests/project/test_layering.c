/* The folders of host/ depend on one another in one direction, and only the command line prints and exits. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HOST TANDA_SOURCE_DIR "/host"

/* ---- walking the sources ------------------------------------------------------------------------------ */

/* path is relative to host/, text the file without comments and the contents of its literals. */
typedef void visit_function(const char *path, const char *text);

/* The end of a comment or literal that starts at `at`, or NULL when none does. */
static char *end_of_quiet(char *at) {
    if (at[0] == '/' && at[1] == '*') {
        char *end = strstr(at + 2, "*/");
        return end == NULL ? at + strlen(at) : end + 2;
    }
    if (at[0] == '/' && at[1] == '/') return at + strcspn(at, "\n");
    if (*at != '"' && *at != '\'') return NULL;
    char quote = *at++;
    while (*at != quote && *at != '\0')
        at += *at == '\\' ? 2 : 1;
    return *at == '\0' ? at : at + 1;
}

/* Blanks what the compiler does not run; #include lines keep their names. */
static void quieten(char *text) {
    for (char *at = text; *at != '\0';) {
        bool is_include = (at == text || at[-1] == '\n') && strncmp(at, "#include", strlen("#include")) == 0;
        char *end = is_include ? at + strcspn(at, "\n") : end_of_quiet(at);
        if (end == NULL) {
            at++;
            continue;
        }
        for (; at < end; at++)
            if (!is_include && *at != '\n') *at = ' ';
    }
}

static char *read_source(const char *path) {
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s cannot be read", path);
    char *text = calloc(1, 1 << 20);
    cr_assert_not_null(text);
    cr_assert_lt(fread(text, 1, (1 << 20) - 1, file), (1 << 20) - 1);
    fclose(file);
    quieten(text);
    return text;
}

/* Calls visit for every .c and .h below a folder of host/; how many there were. */
static size_t walk(const char *folder, visit_function *visit) {
    char path[1024], relative[600];
    struct stat information;
    size_t count = 0;
    snprintf(path, sizeof path, HOST "/%s", folder);
    DIR *entries = opendir(path);
    cr_assert_not_null(entries, "%s cannot be read", path);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        if (entry->d_name[0] == '.') continue;
        snprintf(relative, sizeof relative, "%s%s%s", folder, *folder == '\0' ? "" : "/", entry->d_name);
        snprintf(path, sizeof path, HOST "/%s", relative);
        cr_assert_eq(stat(path, &information), 0);
        const char *suffix = strrchr(entry->d_name, '.');
        if (S_ISDIR(information.st_mode)) {
            count += walk(relative, visit);
        } else if (suffix != NULL && (strcmp(suffix, ".c") == 0 || strcmp(suffix, ".h") == 0)) {
            char *text = read_source(path);
            visit(relative, text);
            free(text);
            count++;
        }
    }
    closedir(entries);
    return count;
}

static bool is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

/* Calls visit for the name in each #include of a text. */
static void for_each_include(const char *path, const char *text,
                             void (*visit)(const char *path, const char *name)) {
    for (const char *at = strstr(text, "#include"); at != NULL; at = strstr(at + 1, "#include")) {
        char name[256];
        const char *start = at + strcspn(at, "<\"\n");
        if (*start == '\n' || *start == '\0') continue;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(start + 1, ">\"\n"), start + 1);
        visit(path, name);
    }
}

/* ---- devices ------------------------------------------------------------------------------------------ */

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static void check_device_header(const char *path, const char *name) {
    if (starts_with(name, "CL/") || starts_with(name, "OpenCL/") || starts_with(name, "clblast"))
        cr_expect(is_below(path, "backend/opencl"), "host/%s includes <%s>: only host/backend/opencl may",
                  path, name);
    if (strcmp(name, "omp.h") == 0)
        cr_expect(is_below(path, "backend/openmp"), "host/%s includes <%s>: only host/backend/openmp may",
                  path, name);
}

static void check_device_headers(const char *path, const char *text) {
    for_each_include(path, text, check_device_header);
}

Test(layering, only_backends_know_opencl_clblast_and_openmp) {
    cr_assert_gt(walk("", check_device_headers), 60);
}

/* ---- the order of the folders ------------------------------------------------------------------------- */

static const char *const folders[] = {"support", "page", "data",   "model", "backend", "hosts",
                                      "train",   "fit",  "verify", "bench", "lab",     "cli"};
#define FOLDERS (sizeof folders / sizeof *folders)

/* FOLDERS for a file that lies in none of them: the public header, libraries. */
static size_t folder_of(const char *path) {
    size_t folder = 0;
    while (folder < FOLDERS && !is_below(path, folders[folder]))
        folder++;
    return folder;
}

static void check_direction(const char *path, const char *name) {
    size_t from = folder_of(path), to = folder_of(name);
    if (from == FOLDERS || to == FOLDERS) return;
    cr_expect_leq(to, from, "host/%s includes \"%s\": %s comes before %s", path, name, folders[from],
                  folders[to]);
}

/* Inside backend/, nothing outside an implementation's folder includes its headers, nor one the other's. */
static void check_seam(const char *path, const char *name) {
    static const char *const implementations[] = {"backend/openmp", "backend/opencl"};
    for (size_t i = 0; i < 2; i++)
        if (is_below(name, implementations[i]))
            cr_expect(is_below(path, implementations[i]), "host/%s includes \"%s\", which is private", path,
                      name);
}

static void check_order(const char *path, const char *text) {
    for_each_include(path, text, check_direction);
    for_each_include(path, text, check_seam);
}

Test(layering, folders_depend_in_one_direction) {
    cr_assert_gt(walk("", check_order), 60);
}

/* ---- circles ------------------------------------------------------------------------------------------ */

#define MOST_ROOMS 600

/* A room is a .c with its .h: path, without the suffix, below host/. */
static struct room {
    char path[200];
    bool includes[MOST_ROOMS]; /* and, in the end, what those include */
} rooms[MOST_ROOMS];
static size_t room_count;

static size_t room_of(const char *path) {
    const size_t length = strlen(path) - strlen(".c");
    size_t room = 0;
    while (room < room_count &&
           (strncmp(rooms[room].path, path, length) != 0 || rooms[room].path[length] != '\0'))
        room++;
    if (room < room_count) return room;
    cr_assert_lt(room_count, MOST_ROOMS);
    snprintf(rooms[room].path, sizeof rooms[room].path, "%.*s", (int)length, path);
    return room_count++;
}

static void note_include(const char *path, const char *name) {
    char inside[300];
    struct stat information;
    snprintf(inside, sizeof inside, HOST "/%s", name);
    if (stat(inside, &information) != 0 || strcmp(name + strlen(name) - 2, ".h") != 0) return;
    const size_t from = room_of(path), to = room_of(name);
    rooms[from].includes[to] |= from != to;
}

static void note_includes(const char *path, const char *text) {
    for_each_include(path, text, note_include);
}

/* Floyd and Warshall's closure. */
static void include_all_below(void) {
    for (size_t via = 0; via < room_count; via++)
        for (size_t from = 0; from < room_count; from++)
            for (size_t to = 0; rooms[from].includes[via] && to < room_count; to++)
                rooms[from].includes[to] |= rooms[via].includes[to];
}

/* The rooms of a circle, once: where none before this one is in it. */
static void tell_circle(size_t room) {
    char names[4096] = "";
    for (size_t other = 0; other < room_count; other++) {
        if (!rooms[room].includes[other] || !rooms[other].includes[room]) continue;
        if (other < room) return;
        const size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%shost/%.199s", used == 0 ? "" : ", ",
                 rooms[other].path);
    }
    cr_expect(names[0] == '\0', "these include one another in a circle: %s", names);
}

Test(layering, no_files_include_one_another_in_a_circle) {
    cr_assert_gt(walk("", note_includes), 60);
    include_all_below();
    for (size_t room = 0; room < room_count; room++)
        tell_circle(room);
}

/* ---- the command line is a program like another --------------------------------------------------------- */

/* Beside its own headers and the system's, it has what every program has, and tanda_lab.h for what looks inside. */
static void check_program(const char *path, const char *name) {
    char inside[300];
    struct stat information;
    snprintf(inside, sizeof inside, HOST "/%s", name);
    if (!is_below(path, "cli") || is_below(name, "cli") || stat(inside, &information) != 0) return;
    cr_expect(false, "host/%s includes \"%s\": host/cli has tanda.h and tanda_lab.h", path, name);
}

static void check_programs(const char *path, const char *text) {
    for_each_include(path, text, check_program);
}

Test(layering, the_command_line_sees_the_library_through_two_headers) {
    cr_assert_gt(walk("", check_programs), 60);
}

/* ---- printing and ending ------------------------------------------------------------------------------ */

/* Whether `name(` stands in the text as a call: not as the end of a longer name, nor as a member. */
static bool calls(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        char before = at == text ? ' ' : at[-1];
        const char *after = at + length + strspn(at + length, " ");
        if (!isalnum((unsigned char)before) && before != '_' && before != '.' && before != '>' &&
            *after == '(')
            return true;
    }
    return false;
}

static bool mentions(const char *text, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        char before = at == text ? ' ' : at[-1], after = at[length];
        if (!isalnum((unsigned char)before) && before != '_' && !isalnum((unsigned char)after) &&
            after != '_')
            return true;
    }
    return false;
}

static void check_quiet(const char *path, const char *text) {
    static const char *const calling[] = {
        "printf",     "vprintf", "puts", "putchar", "perror", "exit",  "_exit",  "_Exit",   "abort",
        "quick_exit", "err",     "errx", "warn",    "warnx",  "error", "assert", "psignal", "pthread_exit"};
    static const char *const streams[] = {"stdout", "stderr"};
    if (is_below(path, "cli")) return;
    for (size_t i = 0; i < sizeof calling / sizeof *calling; i++)
        cr_expect(!calls(text, calling[i]), "host/%s calls %s: the library never prints and never exits",
                  path, calling[i]);
    for (size_t i = 0; i < sizeof streams / sizeof *streams; i++)
        cr_expect(!mentions(text, streams[i]), "host/%s uses %s: the library never prints", path, streams[i]);
}

Test(layering, only_the_command_line_prints_and_exits) {
    cr_assert_gt(walk("", check_quiet), 60);
}
