#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static const int watched[] = {SIGINT, SIGTERM};

static volatile sig_atomic_t came;

static void set_handlers(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        sigaction(watched[i], &action, NULL);
}

static void note(int number) {
    (void)number;
    came = 1;
    set_handlers(SIG_DFL);
}

void interrupt_watch(void) {
    set_handlers(note);
}

void interrupt_forget(void) {
    set_handlers(SIG_DFL);
}

bool interrupt_came(void *context) {
    (void)context;
    return came != 0;
}
