/* SIGINT and SIGTERM, as a question that a training asks between two runs of steps. */
#ifndef TANDA_CLI_INTERRUPT_H
#define TANDA_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first signal is noted, and a second one ends the program at once, as if there were no handler. */
void interrupt_watch(void);

/* Back to the default for both. */
void interrupt_forget(void);

/* True once a signal came; context is unused. */
bool interrupt_came(void *context);

#endif
