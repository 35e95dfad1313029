/* A command of this program, started as a process of its own. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/parts.h"

extern char **environ;

typedef struct starting {
    const char *program;
    char *const *arguments;
} starting;

static tanda_status start_once(const starting *starting, tanda_error *error) {
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int ended = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    const int code = posix_spawn(&child, starting->program, &actions, NULL, starting->arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code != 0) return fail(error, TANDA_FAILED, "%s: %s", starting->program, strerror(code));
    while (waitpid(child, &ended, 0) < 0)
        if (errno != EINTR) return fail(error, TANDA_FAILED, "%s: %s", starting->program, strerror(errno));
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == 0) return TANDA_OK;
    return fail(error, TANDA_FAILED, "%s %s: ended with %d", starting->program, starting->arguments[1],
                WIFEXITED(ended) ? WEXITSTATUS(ended) : -1);
}

static tanda_status start_many(void *context, size_t count, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++)
        status = start_once(context, error);
    return status;
}

tanda_status bench_starts(char *const *arguments, const bench_options *options, bench_result *result,
                          tanda_error *error) {
    starting starting = {.program = options->program != NULL ? options->program : "/proc/self/exe",
                         .arguments = arguments};
    return bench_measure(&(bench_job){start_many, &starting, 100, NULL}, options, result, error);
}
