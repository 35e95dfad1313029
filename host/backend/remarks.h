/* What a search for devices has to tell beside what it found. */
#ifndef TANDA_BACKEND_REMARKS_H
#define TANDA_BACKEND_REMARKS_H

#include <stdbool.h>
#include <stddef.h>

#define REMARKS_SIZE 2048

/* Lines, each with a line end. */
typedef struct device_remarks {
    char failures[REMARKS_SIZE]; /* what ought to work and does not: calls, drivers */
    char absences[REMARKS_SIZE]; /* what is not there, as may well be */
} device_remarks;

/* Adds a line to one of the two; what does not fit is left out. */
void remark_add(char lines[REMARKS_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The failures, and then the absences if they are wanted, in one line: "OpenCL: ...; ...", or "". Returns its length. */
size_t remarks_join(const device_remarks *remarks, bool with_absences, char *text, size_t size);

#endif
