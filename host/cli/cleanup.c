#include "cli/cleanup.h"

#include <signal.h>
#include <stddef.h>

#include "support/unfinished.h"

/* The default is back by then (SA_RESETHAND), and the signal comes once more when this returns. */
static void remove_and_end(int number) {
    unfinished_remove_all();
    raise(number);
}

void cleanup_watch(void) {
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    const struct sigaction action = {.sa_handler = remove_and_end, .sa_flags = (int)SA_RESETHAND};
    struct sigaction before;
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        if (sigaction(watched[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(watched[i], &action, NULL);
}
