/*
 * Runs the built program and keeps what it wrote. Every test has a folder of its own, which is also the
 * working folder, and in it one for PoCL's kernels.
 */
#ifndef TANDA_TESTS_PROGRAM_H
#define TANDA_TESTS_PROGRAM_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_kernels.h"

#define IRIS TANDA_SOURCE_DIR "/datasets/iris.csv"
#define BREAST_CANCER TANDA_SOURCE_DIR "/datasets/breast_cancer.csv"
#define DIGITS TANDA_SOURCE_DIR "/datasets/digits.csv"

extern char **environ;

typedef struct outcome {
    int status; /* exit code; 128 + signal when a signal ended it */
    char *out;
    char *err;
} outcome;

static char test_folder[64];
static char *kept_texts[512];
static size_t kept_count;

/* PoCL's, of this test. */
static char kernel_folder_of_test[sizeof test_folder + 8];
static bool has_borrowed;

static void enter_folder(void) {
    strcpy(test_folder, "/tmp/tanda_cli_XXXXXX");
    cr_assert_not_null(mkdtemp(test_folder));
    cr_assert_eq(chdir(test_folder), 0);
    snprintf(kernel_folder_of_test, sizeof kernel_folder_of_test, "%s/pocl", test_folder);
    keep_kernels(kernel_folder_of_test);
    setenv("TANDA_CACHE_DIR", "", 1); /* nothing is kept */
    unsetenv("TANDA_ISA");
    unsetenv("TANDA_KERNELS");
}

/* For what computes on OpenCL; once is enough. */
static inline void need_kernels(void) {
    if (!has_borrowed) borrow_kernels(kernel_folder_of_test);
    has_borrowed = true;
}

/* Whether a program that is started so may do so, too. Where this guesses wrongly, kernels are compiled once more. */
static inline bool may_need_kernels(const char *const *arguments) {
    static const char *const commands[] = {"verify", "devices", "bench", "lab"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (arguments[1] != NULL && strcmp(arguments[1], commands[i]) == 0) return true;
    for (; *arguments != NULL; arguments++)
        if (strstr(*arguments, "opencl") != NULL) return true;
    return false;
}

static int remove_entry(const char *path, const struct stat *information, int type, struct FTW *place) {
    (void)information, (void)type, (void)place;
    return remove(path);
}

static void leave_folder(void) {
    for (size_t i = 0; i < kept_count; i++)
        free(kept_texts[i]);
    give_kernels(kernel_folder_of_test);
    cr_assert_eq(chdir("/"), 0);
    nftw(test_folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* The whole file as text, kept until the test ends. */
static inline char *file_text(const char *path) {
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s cannot be read", path);
    cr_assert_eq(fseek(file, 0, SEEK_END), 0);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    char *text = calloc(size + 1, 1);
    cr_assert_not_null(text);
    cr_assert_eq(fread(text, 1, size, file), size);
    fclose(file);
    cr_assert_lt(kept_count, sizeof kept_texts / sizeof kept_texts[0]);
    return kept_texts[kept_count++] = text;
}

static inline void write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(text, 1, strlen(text), file), strlen(text));
    cr_assert_eq(fclose(file), 0);
}

/* out: the file that standard output goes to, or -1 to keep it. */
static inline outcome run_to(int out, const char *const *arguments) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    if (may_need_kernels(arguments)) need_kernels();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (out >= 0)
        posix_spawn_file_actions_adddup2(&actions, out, 1);
    else
        posix_spawn_file_actions_addopen(&actions, 1, "out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, "err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(posix_spawn(&child, TANDA_PROGRAM, &actions, NULL, (char *const *)arguments, environ), 0,
                 "%s cannot be started", TANDA_PROGRAM);
    posix_spawn_file_actions_destroy(&actions);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return (outcome){.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                     .out = out >= 0 ? NULL : file_text("out.txt"),
                     .err = file_text("err.txt")};
}

#define RUN_TO(out, ...) run_to(out, (const char *const[]){TANDA_PROGRAM, __VA_ARGS__, NULL})
#define RUN(...) RUN_TO(-1, __VA_ARGS__)

/* The one object on standard output, released with json_decref. */
static inline json_t *only_object(const outcome *outcome) {
    json_error_t error;
    json_t *object = json_loads(outcome->out, JSON_REJECT_DUPLICATES, &error); /* refuses anything after it */
    cr_assert_not_null(object, "standard output is not one JSON object (%s): %s", error.text, outcome->out);
    cr_assert(json_is_object(object));
    return object;
}

static inline double json_figure(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "no number '%s'", key);
    return json_number_value(value);
}

static inline const char *json_words(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_string(value), "no text '%s'", key);
    return json_string_value(value);
}

/* Runs a command that must succeed, with --json --quiet at its end. */
#define RUN_JSON(...) run_json((const char *const[]){TANDA_PROGRAM, __VA_ARGS__, "--json", "--quiet", NULL})
static inline json_t *run_json(const char *const *arguments) {
    const outcome outcome = run_to(-1, arguments);
    cr_assert_eq(outcome.status, 0, "exit %d: %s", outcome.status, outcome.err);
    return only_object(&outcome);
}

static inline size_t count_lines(const char *text) {
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

#endif
