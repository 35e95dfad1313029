#include "support/direct_read.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/file_same.h"

#define ALIGNMENT ((size_t)4096)                   /* of memory and file, which satisfies all disks */
#define BUFFER (((size_t)1 << 20) + 2 * ALIGNMENT) /* a MiB that lies anywhere is one read */

int direct_read_open(const char *path, const struct stat *expected) {
    struct stat found;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_DIRECT);
    if (descriptor < 0) return -1;
    if (fstat(descriptor, &found) == 0 && is_same_file(&found, expected)) return descriptor;
    close(descriptor);
    return -1;
}

/* RWF_NOWAIT would not do: it makes the system read ahead. */
bool direct_read_is_cached(int descriptor, size_t at, size_t size) {
#ifdef SYS_cachestat
    const long call = SYS_cachestat;
#else
    const long call = 451; /* on every architecture but Alpha; older headers lack it */
#endif
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), first = at / page * page;
    struct {
        uint64_t offset, length;
    } range = {first, at + size - first};
    struct {
        uint64_t cached, dirty, written, evicted, recently_evicted;
    } pages = {0};
    return syscall(call, descriptor, &range, &pages, 0) == 0 && pages.cached * page >= range.length;
}

/* ---- a buffer for each thread -------------------------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static void make_key(void) {
    has_key = pthread_key_create(&key, free) == 0;
}

/* The thread's, as long as it lives; NULL: there is none. */
static char *buffer_of_thread(void) {
    pthread_once(&once, make_key);
    if (!has_key) return NULL;
    void *buffer = pthread_getspecific(key);
    if (buffer != NULL || posix_memalign(&buffer, ALIGNMENT, BUFFER) != 0) return buffer;
    if (pthread_setspecific(key, buffer) == 0) return buffer;
    free(buffer);
    return NULL;
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

size_t direct_read(int descriptor, size_t at, void *data, size_t size) {
    char *buffer = descriptor < 0 ? NULL : buffer_of_thread();
    size_t done = 0;
    while (buffer != NULL && done < size) {
        const size_t skipped = (at + done) % ALIGNMENT, first = at + done - skipped;
        const size_t wanted = (skipped + size - done + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        const ssize_t got = pread(descriptor, buffer, wanted < BUFFER ? wanted : BUFFER, (off_t)first);
        if (got < 0 && errno == EINTR) continue;
        if (got <= (ssize_t)skipped) break;
        const size_t useful = (size_t)got - skipped, left = size - done, some = useful < left ? useful : left;
        memcpy((char *)data + done, buffer + skipped, some);
        done += some;
    }
    return done;
}
