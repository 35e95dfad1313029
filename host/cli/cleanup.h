/* A program that a signal ends leaves no temporary file. */
#ifndef TANDA_CLI_CLEANUP_H
#define TANDA_CLI_CLEANUP_H

/* From now on SIGINT, SIGTERM, SIGHUP and SIGXCPU, unless ignored, remove what is unfinished before they end the program. */
void cleanup_watch(void);

#endif
