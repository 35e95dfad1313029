#include "cli/interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include "tanda_lab.h"

#define PATIENCE 1000000000 /* nanoseconds */
#define MOST_WAITING 5      /* seconds, for the training to begin */

/* Two threads may run handlers at the same time. Atomic objects that need no lock may be used in them. */
static atomic_bool begun, came, wants_save;
static atomic_llong first; /* nanoseconds_now of the first SIGINT; 0: none came */
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2 && ATOMIC_LLONG_LOCK_FREE == 2, "a handler may not wait");

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static bool is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static long long nanoseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Inside of its own handler a signal comes when that returns. */
static void end_by(int number) {
    unfinished_remove_all();
    handle(number, SIG_DFL);
    raise(number);
}

static void note(int number) {
    (void)number;
    if (!atomic_exchange(&came, true) && !atomic_load(&begun)) alarm(MOST_WAITING);
}

static void end_unless_begun(int number) {
    (void)number;
    if (!atomic_load(&begun)) end_by(SIGTERM);
}

static void note_or_end(int number) {
    const long long now = nanoseconds_now();
    long long before = 0;
    note(number);
    if (atomic_compare_exchange_strong(&first, &before, now) || now - before < PATIENCE) return;
    end_by(number);
}

static void note_save(int number) {
    (void)number;
    atomic_store(&wants_save, true);
}

void interrupt_watch_saves(void) {
    handle(SIGUSR1, note_save);
}

void interrupt_watch(void) {
    handle(SIGALRM, end_unless_begun);
    handle(SIGINT, note_or_end);
    handle(SIGTERM, note);
    handle(SIGXCPU, note);
    if (!is_ignored(SIGHUP)) handle(SIGHUP, note);
}

void interrupt_begin(void) {
    atomic_store(&begun, true);
    interrupt_watch();
    alarm(0);
}

bool interrupt_came(void *context) {
    (void)context;
    return atomic_load(&came);
}

bool interrupt_wants_save(void) {
    return atomic_exchange(&wants_save, false);
}

/* The default is back by then (SA_RESETHAND), and the signal comes once more when this returns. */
static void remove_and_end(int number) {
    unfinished_remove_all();
    raise(number);
}

void cleanup_watch(void) {
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    const struct sigaction action = {.sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND};
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        if (!is_ignored(watched[i])) sigaction(watched[i], &action, NULL);
}
