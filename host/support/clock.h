/* Time for measuring. */
#ifndef TANDA_SUPPORT_CLOCK_H
#define TANDA_SUPPORT_CLOCK_H

/* Seconds of a clock that only goes forward. */
double seconds_now(void);

#endif
