/*
 * What a device was busy with, command by command: for --profile. A backend fills it in while it is asked to; the rest
 * here adds up, writes and frees.
 */
#ifndef TANDA_BACKEND_PROFILE_H
#define TANDA_BACKEND_PROFILE_H

#include "backend/backend.h"

#define PROFILE_NAME_SIZE 64
#define PROFILE_SPANS ((size_t)1 << 20) /* that are kept one by one; later ones only count */

/* What a line's time is spent with. */
typedef enum profile_kind { PROFILE_COMPUTES, PROFILE_TRANSFERS, PROFILE_WAITS } profile_kind;

/* "compute", "transfer", "wait". */
extern const char *const profile_kind_names[];

/* All commands of one name, or what all threads did of one kind. */
typedef struct profile_line {
    char name[PROFILE_NAME_SIZE]; /* a kernel's, an op's, or what a transfer does */
    profile_kind kind;
    size_t count;
    double seconds, median; /* of all, and of the one in the middle of those that are kept; 0: none is */
    double flop, bytes;     /* that their launchers state */
} profile_line;

/* From `begin` on, in seconds since the profile's begin. */
typedef struct profile_span {
    size_t line; /* index, or PROFILE_COMPILE or PROFILE_WAIT, which are the host's */
    bool on_host, is_beside;
    double begin, seconds;
} profile_span;

#define PROFILE_COMPILE SIZE_MAX
#define PROFILE_WAIT (SIZE_MAX - 1)

typedef struct device_profile {
    size_t
        threads; /* whose times lines, busy and idle add up; 0: of a queue, which does one thing at a time */
    size_t line_count;
    profile_line *lines; /* of the most time first, once it is ended */
    size_t span_count, span_capacity;
    profile_span *spans;
    size_t left_out;        /* spans that are not kept */
    double compile_seconds; /* building or loading kernels, since the device was opened */
    double busy, idle;      /* of the device, from its first command's begin to its last one's end */
    size_t gaps;            /* between commands, or waits, that make up idle */
    double first, last;     /* that begin and end */
    bool is_incomplete;     /* memory ran out */
} device_profile;

/*
 * From now on the device keeps account of what it does, which takes a little time of each command. TANDA_USAGE where
 * it has no such account, or none of each command by itself, as a trace wants it.
 */
tanda_status backend_profile_begin(backend *backend, bool with_spans, tanda_error *error);

/* What it has done since, to be freed by profile_free. The account is closed. */
tanda_status backend_profile_end(backend *backend, device_profile *profile, tanda_error *error);
void profile_free(device_profile *profile);

/*
 * All spans as Chrome's trace: a JSON array of complete events, in microseconds, the queue in one row and the host in
 * the other. about:tracing and ui.perfetto.dev show it.
 */
tanda_status profile_write_trace(const device_profile *profile, const char *path, tanda_error *error);

/* ---- for backends ---------------------------------------------------------------------------------------- */

/* The line of a name, made where there is none yet. SIZE_MAX, and is_incomplete, without memory. */
size_t profile_line_of(device_profile *profile, const char *name, profile_kind kind);

/* A command that the device was busy with; commands come in the order in which it did them. */
void profile_add(device_profile *profile, size_t line, double begin, double seconds, double flop,
                 double bytes);

/* One that it did beside the others, as it copies: no part of what it was busy or idle. */
void profile_add_beside(device_profile *profile, size_t line, double begin, double seconds, double flop,
                        double bytes);

/* What the host did for so long. */
void profile_add_host(device_profile *profile, size_t line, double begin, double seconds);

/* Medians and order of the lines. */
void profile_finish(device_profile *profile);

#endif
