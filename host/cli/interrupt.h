/*
 * Signals, as questions that a training asks between two runs of steps. Whatever comes while a training is watched, and
 * until the program ends, is noted and nothing else, so that what is being written becomes whole.
 */
#ifndef TANDA_CLI_INTERRUPT_H
#define TANDA_CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on SIGUSR1, which would end the program, is noted. */
void interrupt_watch_saves(void);

/*
 * From now on SIGTERM, SIGXCPU, SIGINT and, unless it is ignored, SIGHUP are noted, however often they come. Only a SIGINT
 * that comes a second or more after the first one ends the program at once, as if there were no handler. Until the
 * training begins the first of them waits for that some seconds, and then ends the program: what is read may never come.
 */
void interrupt_watch(void);

/* The training, or what several ranks do together, begins, watched. */
void interrupt_begin(void);

/* True once one of them came; context is unused. */
bool interrupt_came(void *context);

/* True when SIGUSR1 came since this was asked last. */
bool interrupt_wants_save(void);

/* From now on SIGINT, SIGTERM, SIGHUP and SIGXCPU, unless ignored, remove what is unfinished before they end the program. */
void cleanup_watch(void);

#endif
