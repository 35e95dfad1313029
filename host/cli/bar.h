/* A live line on a terminal: how far the epoch is, how long it will take, the loss so far. */
#ifndef TANDA_CLI_BAR_H
#define TANDA_CLI_BAR_H

#include "tanda.h"

typedef struct bar {
    bool enabled;
    bool visible;
    double begun, drawn; /* seconds_now of the start and of the latest drawing */
} bar;

/* Disabled unless standard error is a terminal that can erase a line. */
bar bar_begin(void);

/* Draws, unless it is too early; short trainings show none. */
void bar_show(bar *bar, const tanda_progress *progress);

/* The same for rows that are written, of all rows. */
void bar_show_rows(bar *bar, size_t rows, size_t all);

/* The same for text that is read, in bytes. */
void bar_show_text(bar *bar, size_t bytes, size_t all);

/* Erases it, so that a line can be printed. */
void bar_clear(bar *bar);

/*
 * Opening a device takes seconds where its driver compiles the kernels for the first time. Shows what the user waits for,
 * unless quiet or for the CPU; bar_clear() erases it.
 */
bar opening_show(const char *device, bool quiet);

/* tanda_device_open(), meanwhile shown; where the device was named and another came, a line says so even if quiet. */
tanda_status opening_of(const tanda_device_options *options, bool quiet, tanda_device **device, char *reason,
                        tanda_error *error);

#endif
