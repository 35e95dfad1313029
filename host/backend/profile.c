#include "backend/profile.h"

#include <stdlib.h>
#include <string.h>

#include "support/arithmetic.h"
#include "support/text.h"

const char *const profile_kind_names[] = {
    [PROFILE_COMPUTES] = "compute", [PROFILE_TRANSFERS] = "transfer", [PROFILE_WAITS] = "wait"};

tanda_status backend_profile_begin(backend *backend, bool with_spans, tanda_error *error) {
    const tanda_device_information *device = &backend->information;
    if (with_spans && !backend->interface->profiles_spans)
        return fail(error, TANDA_USAGE,
                    "--profile-trace is for OpenCL devices, and %s (%s) is none: --profile alone tells what "
                    "its threads do",
                    device->id, device->name);
    return backend->interface->profile_begin(backend, error);
}

tanda_status backend_profile_end(backend *backend, device_profile *profile, tanda_error *error) {
    return backend->interface->profile_end(backend, profile, error);
}

void profile_free(device_profile *profile) {
    free(profile->lines);
    free(profile->spans);
    *profile = (device_profile){0};
}

/* ---- adding ------------------------------------------------------------------------------------------------- */

size_t profile_line_of(device_profile *profile, const char *name, profile_kind kind) {
    for (size_t i = 0; i < profile->line_count; i++)
        if (strcmp(profile->lines[i].name, name) == 0) return i;
    profile_line *larger =
        realloc(profile->lines, (profile->line_count + 1) * sizeof *larger); /* a few dozen at most */
    if (larger == NULL) {
        profile->is_incomplete = true;
        return SIZE_MAX;
    }
    profile->lines = larger;
    larger[profile->line_count] = (profile_line){.kind = kind};
    text_put(larger[profile->line_count].name, PROFILE_NAME_SIZE, "%s", name);
    return profile->line_count++;
}

static bool make_room(device_profile *profile) {
    if (profile->span_count < profile->span_capacity) return true;
    const size_t capacity = profile->span_capacity == 0 ? 4096 : 2 * profile->span_capacity;
    profile_span *larger =
        capacity <= PROFILE_SPANS ? realloc(profile->spans, capacity * sizeof *larger) : NULL;
    if (larger == NULL) return false;
    profile->spans = larger;
    profile->span_capacity = capacity;
    return true;
}

static void add_span(device_profile *profile, const profile_span *span) {
    if (make_room(profile))
        profile->spans[profile->span_count++] = *span;
    else
        profile->left_out++;
}

/* A queue does one command after the other: what lies between two of them is idle. */
static void add_gap(device_profile *profile, double begin, double seconds) {
    if (profile->busy == 0.0) profile->first = profile->last = begin;
    if (begin > profile->last) {
        profile->idle += begin - profile->last;
        profile->gaps++;
    }
    if (begin + seconds > profile->last) profile->last = begin + seconds;
    profile->busy += seconds;
}

static void add_command(device_profile *profile, size_t line, double begin, double seconds, double flop,
                        double bytes, bool is_beside) {
    if (line == SIZE_MAX) return;
    profile_line *at = &profile->lines[line];
    at->count++;
    at->seconds += seconds;
    at->flop += flop;
    at->bytes += bytes;
    add_span(profile,
             &(profile_span){.line = line, .is_beside = is_beside, .begin = begin, .seconds = seconds});
}

void profile_add(device_profile *profile, size_t line, double begin, double seconds, double flop,
                 double bytes) {
    add_gap(profile, begin, seconds);
    add_command(profile, line, begin, seconds, flop, bytes, false);
}

void profile_add_beside(device_profile *profile, size_t line, double begin, double seconds, double flop,
                        double bytes) {
    add_command(profile, line, begin, seconds, flop, bytes, true);
}

void profile_add_host(device_profile *profile, size_t line, double begin, double seconds) {
    add_span(profile, &(profile_span){.line = line, .on_host = true, .begin = begin, .seconds = seconds});
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static int by_time(const void *a, const void *b) {
    const profile_line *x = a, *y = b;
    if (x->seconds != y->seconds) return x->seconds < y->seconds ? 1 : -1;
    return strcmp(x->name, y->name);
}

static double median_of(const device_profile *profile, size_t line, double *room) {
    size_t count = 0;
    for (size_t i = 0; i < profile->span_count; i++)
        if (!profile->spans[i].on_host && profile->spans[i].line == line)
            room[count++] = profile->spans[i].seconds;
    qsort(room, count, sizeof *room, compare_doubles);
    return count > 0 ? (room[(count - 1) / 2] + room[count / 2]) / 2.0 : 0.0;
}

/* Spans name their lines by index, so the lines keep their place until all is counted. */
static void sort_lines(device_profile *profile) {
    const size_t count = profile->line_count;
    profile_line *sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL) return;
    memcpy(sorted, profile->lines, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_time);
    for (size_t i = 0; i < profile->span_count; i++) {
        size_t *line = &profile->spans[i].line, place = 0;
        if (*line >= count) continue;
        while (strcmp(sorted[place].name, profile->lines[*line].name) != 0)
            place++;
        *line = place;
    }
    memcpy(profile->lines, sorted, count * sizeof *sorted);
    free(sorted);
}

void profile_finish(device_profile *profile) {
    if (profile->line_count == 0) return;
    double *room = malloc((profile->span_count + 1) * sizeof *room);
    if (room == NULL) profile->is_incomplete = true;
    for (size_t i = 0; room != NULL && i < profile->line_count; i++)
        profile->lines[i].median = median_of(profile, i, room);
    free(room);
    sort_lines(profile);
}
