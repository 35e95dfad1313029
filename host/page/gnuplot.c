#include "page/gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/memory.h"

extern char **environ;

/* Files in memory are its three streams: nobody has to read while another writes. */
enum { INPUT, OUTPUT, PROBLEMS, STREAMS };

static tanda_status fail_call(const char *what, int code, tanda_error *error) {
    return fail(error, TANDA_FAILED, "gnuplot: %s: %s", what, strerror(code));
}

static tanda_status open_streams(int streams[STREAMS], tanda_error *error) {
    for (int i = 0; i < STREAMS; i++)
        streams[i] = -1;
    for (int i = 0; i < STREAMS; i++) {
        streams[i] = memfd_create("gnuplot", MFD_CLOEXEC);
        if (streams[i] < 0) return fail_call("a file in memory", errno, error);
    }
    return TANDA_OK;
}

static tanda_status fill(int stream, const char *text, tanda_error *error) {
    for (size_t left = strlen(text); left > 0;) {
        const ssize_t written = write(stream, text, left);
        if (written < 0 && errno != EINTR) return fail_call("its script", errno, error);
        if (written < 0) continue;
        text += written;
        left -= (size_t)written;
    }
    return lseek(stream, 0, SEEK_SET) == 0 ? TANDA_OK : fail_call("its script", errno, error);
}

static tanda_status drain(int stream, char **text, size_t *size, tanda_error *error) {
    struct stat information;
    if (fstat(stream, &information) != 0) return fail_call("its output", errno, error);
    *size = (size_t)information.st_size;
    const tanda_status status = allocate(text, *size + 1, 1, "a picture", error);
    if (status != TANDA_OK) return status;
    for (size_t done = 0; done < *size;) {
        const ssize_t part = pread(stream, *text + done, *size - done, (off_t)done);
        if (part == 0 || (part < 0 && errno != EINTR)) return fail_call("its output", errno, error);
        if (part > 0) done += (size_t)part;
    }
    return TANDA_OK;
}

static tanda_status start(const int streams[STREAMS], pid_t *child, tanda_error *error) {
    static char *const arguments[] = {"gnuplot", "-d", "-", NULL}; /* -d: no settings of the user's */
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return fail_call("it cannot be started", code, error);
    for (int i = 0; code == 0 && i < STREAMS; i++)
        code = posix_spawn_file_actions_adddup2(&actions, streams[i], i);
    if (code == 0) code = posix_spawnp(child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (code == 0) return TANDA_OK;
    return fail(error, TANDA_FAILED,
                "gnuplot cannot be started (%s): pictures need it; Debian's package is " GNUPLOT_PACKAGE,
                strerror(code));
}

/* The first line of its complaint that is a sentence: it repeats the line it was at, and points at it. */
static tanda_status fail_script(int problems, tanda_error *error) {
    char *text = NULL;
    size_t size = 0;
    const tanda_status status = drain(problems, &text, &size, error);
    if (status == TANDA_OK) {
        const char *line = strstr(text, "line ");
        if (line == NULL) line = text;
        fail(error, TANDA_FAILED, "gnuplot drew nothing: %.*s", (int)strcspn(line, "\n"), line);
    }
    free(text);
    return TANDA_FAILED;
}

static tanda_status run(const int streams[STREAMS], char **output, size_t *size, tanda_error *error) {
    pid_t child = 0, ended = 0;
    int result = 0;
    tanda_status status = start(streams, &child, error);
    if (status != TANDA_OK) return status;
    do
        ended = waitpid(child, &result, 0);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) return fail_call("its end", errno, error);
    status = drain(streams[OUTPUT], output, size, error);
    if (status == TANDA_OK && (result != 0 || *size == 0)) status = fail_script(streams[PROBLEMS], error);
    return status;
}

tanda_status gnuplot_run(const char *script, char **output, size_t *size, tanda_error *error) {
    int streams[STREAMS];
    *output = NULL;
    tanda_status status = open_streams(streams, error);
    if (status == TANDA_OK) status = fill(streams[INPUT], script, error);
    if (status == TANDA_OK) status = run(streams, output, size, error);
    for (int i = 0; i < STREAMS; i++)
        if (streams[i] >= 0) close(streams[i]);
    if (status == TANDA_OK) return status;
    free(*output);
    *output = NULL;
    return status;
}

bool gnuplot_is_there(void) {
    char *output = NULL;
    size_t size = 0;
    const tanda_status status = gnuplot_run("set print '-'\nprint 1\n", &output, &size, NULL);
    free(output);
    return status == TANDA_OK;
}
