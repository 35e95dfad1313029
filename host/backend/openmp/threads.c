#include "backend/openmp/threads.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

/* Ends when the one who started all of them lets go. */
static void *wait_for_end(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* What OMP_STACKSIZE asks for: a number and B, K (so does none), M or G. 0: the default. */
static size_t stack_size(void) {
    static const char units[] = "BKMG";
    const char *wanted = getenv("OMP_STACKSIZE");
    char *end = NULL;
    if (wanted == NULL) wanted = getenv("GOMP_STACKSIZE");
    if (wanted == NULL) return 0;
    size_t size = strtoul(wanted, &end, 10);
    end += strspn(end, " ");
    const char *unit = *end == '\0' ? &units[1] : strchr(units, *end & ~0x20);
    for (ptrdiff_t i = unit == NULL ? 0 : unit - units; i > 0; i--)
        if (multiply_overflows(size, 1024, &size)) return SIZE_MAX;
    return size;
}

/* Returns the code of the first start that failed, or 0; *started of them have run and are gone. */
static int start_and_end(pthread_t *threads, size_t count, size_t *started) {
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    const size_t stack = stack_size();
    if (stack > 0)
        pthread_attr_setstacksize(&attributes, stack); /* one too small is not taken by OpenMP either */
    int code = 0;
    pthread_mutex_lock(&gate);
    for (*started = 0; *started < count && code == 0; *started += code == 0)
        code = pthread_create(&threads[*started], &attributes, wait_for_end, &gate);
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < *started; i++)
        pthread_join(threads[i], NULL);
    pthread_attr_destroy(&attributes);
    return code;
}

tanda_status openmp_try_threads(size_t threads, tanda_error *error) {
    pthread_t *made = NULL;
    size_t started = 0;
    tanda_status status = allocate(&made, threads, sizeof *made, "threads", error);
    if (status != TANDA_OK) return status;
    const int code = start_and_end(made, threads - 1, &started);
    free(made);
    if (code == 0) return TANDA_OK;
    return fail(
        error, TANDA_FAILED,
        "--threads: %zu threads cannot be started, only %zu: %s; take fewer, or a smaller OMP_STACKSIZE",
        threads, started + 1, strerror(code));
}
