/* Programs that run while a test goes on: starting, waiting for what they save, ending. */
#ifndef TANDA_TESTS_BACKGROUND_H
#define TANDA_TESTS_BACKGROUND_H

#include <dirent.h>
#include <signal.h>
#include <time.h>

#include "program.h"

/* Its output goes to out.txt and err.txt. */
static inline pid_t start(const char *const *arguments) {
    posix_spawn_file_actions_t actions;
    pid_t child;
    if (may_need_kernels(arguments)) need_kernels();
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, "err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(posix_spawnp(&child, arguments[0], &actions, NULL, (char *const *)arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* Its exit code; 128 + signal when a signal ended it. */
static inline int wait_for(pid_t child) {
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void pause_for(double seconds) {
    usleep((useconds_t)(seconds * 1e6));
}

static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* The step of the newest checkpoint of a folder, 0 for none; path may be NULL. */
static inline unsigned long newest_step(const char *folder, char *path) {
    unsigned long newest = 0, step = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;) {
        if (sscanf(entry->d_name, "step-%12lu", &step) != 1 || strstr(entry->d_name, "unfinished") != NULL ||
            step < newest)
            continue;
        newest = step;
        if (path != NULL) sprintf(path, "%s/%s", folder, entry->d_name);
    }
    if (directory != NULL) closedir(directory);
    return newest;
}

static inline void wait_for_checkpoint(const char *folder, unsigned long after) {
    const double begun = seconds_now();
    while (newest_step(folder, NULL) <= after) {
        cr_assert_lt(seconds_now() - begun, 60.0, "no checkpoint: %s", file_text("err.txt"));
        pause_for(0.002);
    }
}

/* Until the file holds something: of a log, until the training has ended an epoch. */
static inline void wait_for_text(const char *path) {
    const double begun = seconds_now();
    struct stat file;
    while (stat(path, &file) != 0 || file.st_size == 0) {
        cr_assert_lt(seconds_now() - begun, 60.0, "nothing in %s: %s", path, file_text("err.txt"));
        pause_for(0.001);
    }
}

/* How many names in a folder have `part` in them. */
static inline size_t count_names(const char *folder, const char *part) {
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *entry; directory != NULL && (entry = readdir(directory)) != NULL;)
        count += strstr(entry->d_name, part) != NULL;
    if (directory != NULL) closedir(directory);
    return count;
}

#endif
