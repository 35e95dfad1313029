#include "support/file_view.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/file_same.h"

/*
 * Records are never freed, as the signal handler may be looking at them; closed ones are taken again. begin is set last
 * and cleared first.
 */
typedef struct mapped_file {
    struct mapped_file *next;
    atomic_bool is_taken;
    _Atomic(uintptr_t) begin, end; /* what is mapped; begin is 0 where nothing is */
    atomic_bool is_damaged;        /* zeros lie where a page could not be read */
    int descriptor;
    struct stat opened;
    char *path;
} mapped_file;

static _Atomic(mapped_file *) files;
static struct sigaction before; /* what happened at a SIGBUS without us */
static uintptr_t page_size;

/* ---- a page that cannot be read ------------------------------------------------------------------------ */

/* Zeros take the place of the rest of the file that lies at this address, so that whoever reads there goes on. */
static bool replace_by_zeros(uintptr_t address) {
    const uintptr_t page = address / page_size * page_size;
    for (mapped_file *file = atomic_load(&files); file != NULL; file = file->next) {
        const uintptr_t begin = atomic_load(&file->begin), end = atomic_load(&file->end);
        if (begin == 0 || address < begin || address >= end || begin != atomic_load(&file->begin)) continue;
        atomic_store(&file->is_damaged, true);
        return mmap((void *)page, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
               MAP_FAILED;
    }
    return false;
}

/* What the signal did before. */
static void pass_on(int number, siginfo_t *information, void *context) {
    const bool was_sent = information->si_code <= 0; /* by a process: returning does not raise it again */
    if (before.sa_flags & SA_SIGINFO) {
        before.sa_sigaction(number, information, context);
    } else if (before.sa_handler == SIG_DFL || (before.sa_handler == SIG_IGN && !was_sent)) {
        signal(number, SIG_DFL);
        if (was_sent) raise(number);
    } else if (before.sa_handler != SIG_IGN) {
        before.sa_handler(number);
    }
}

/* Only what POSIX allows in a handler, and mmap, which is nothing but a system call. */
static void on_bus_error(int number, siginfo_t *information, void *context) {
    const int kept = errno;
    if (information->si_code <= 0 || !replace_by_zeros((uintptr_t)information->si_addr))
        pass_on(number, information, context);
    errno = kept;
}

static void install_handler(void) {
    struct sigaction ours = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
    sigemptyset(&ours.sa_mask);
    sigaction(SIGBUS, NULL, &before);
    sigaction(SIGBUS, &ours, NULL);
}

/* ---- records ------------------------------------------------------------------------------------------- */

/* One that nobody has taken, or a new one; NULL for want of memory. */
static mapped_file *take_record(void) {
    for (mapped_file *file = atomic_load(&files); file != NULL; file = file->next)
        if (!atomic_exchange(&file->is_taken, true)) return file;
    mapped_file *made = calloc(1, sizeof *made);
    if (made == NULL) return NULL;
    atomic_store(&made->is_taken, true);
    made->next = atomic_load(&files);
    while (!atomic_compare_exchange_weak(&files, &made->next, made)) {
    }
    return made;
}

static void give_back(mapped_file *file) {
    free(file->path);
    file->path = NULL;
    if (file->descriptor >= 0) close(file->descriptor);
    atomic_store(&file->is_taken, false);
}

/* ---- opening ------------------------------------------------------------------------------------------- */

/* The open waits for nothing: neither for the other end of a FIFO nor for a device. */
static tanda_status open_regular(const char *path, mapped_file *file, tanda_error *error) {
    file->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file->descriptor < 0 && errno != ENXIO) return fail_path(error, path, "", errno);
    if (file->descriptor >= 0 && fstat(file->descriptor, &file->opened) != 0)
        return fail_path(error, path, "", errno);
    if (file->descriptor >= 0 && S_ISREG(file->opened.st_mode)) return TANDA_OK;
    return fail(error, TANDA_BAD_INPUT, "%s: is not a regular file", path); /* ENXIO: a socket */
}

static tanda_status map(const char *path, mapped_file *file, file_view *view, tanda_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const size_t size = (size_t)file->opened.st_size;
    file->path = strdup(path);
    if (file->path == NULL) return fail(error, TANDA_FAILED, "%s: no memory to open it", path);
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file->descriptor, 0);
    if (data == MAP_FAILED) return fail_path(error, path, "cannot be mapped: ", errno);
    pthread_once(&once, install_handler);
    atomic_store(&file->is_damaged, false);
    atomic_store(&file->end, (uintptr_t)data + size);
    atomic_store(&file->begin, (uintptr_t)data);
    *view = (file_view){.data = data, .size = size, .file = file};
    return TANDA_OK;
}

tanda_status file_view_open(const char *path, file_view *view, tanda_error *error) {
    mapped_file *file = take_record();
    if (file == NULL) return fail(error, TANDA_FAILED, "%s: no memory to open it", path);
    tanda_status status = open_regular(path, file, error);
    const bool is_empty = status == TANDA_OK && file->opened.st_size == 0;
    if (status == TANDA_OK && !is_empty) status = map(path, file, view, error);
    if (status != TANDA_OK || is_empty) give_back(file);
    if (is_empty) *view = (file_view){0};
    return status;
}

void file_view_close(file_view *view) {
    if (view->is_memory) munmap((void *)view->data, view->size);
    if (view->file != NULL) {
        atomic_store(&view->file->begin, 0);
        munmap((void *)view->data, view->size);
        give_back(view->file);
    }
    *view = (file_view){0};
}

void file_view_pass(const file_view *view, size_t begin, size_t end) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    begin = begin / page * page;
    end = end / page * page;
    if (view->file != NULL && begin < end) madvise((void *)(view->data + begin), end - begin, MADV_DONTNEED);
}

/* ---- checking ------------------------------------------------------------------------------------------ */

tanda_status file_view_check(const file_view *view, tanda_status status, tanda_error *error) {
    const mapped_file *file = view->file;
    struct stat now;
    if (file == NULL) return status;
    if (fstat(file->descriptor, &now) != 0) return fail_path(error, file->path, "", errno);
    const tanda_status compared = file_compare(file->path, &file->opened, &now, error);
    if (compared != TANDA_OK) return compared;
    if (atomic_load(&file->is_damaged))
        return fail(error, TANDA_BAD_INPUT,
                    "%s: a part of it could not be read: its disk fails, or it was shorter for "
                    "a while",
                    file->path);
    return status;
}
