#include "cli/profile_report.h"

static double per_second(double amount, double seconds) {
    return seconds > 0.0 ? amount / seconds * 1e-9 : 0.0;
}

/* "-" for what a launcher does not state. */
static void print_rate(int width, double amount, double seconds) {
    if (amount > 0.0 && seconds > 0.0)
        printf(" %*.2f", width, per_second(amount, seconds));
    else
        printf(" %*s", width, "-");
}

static void print_line(const device_profile *profile, const profile_line *line) {
    printf("%-32s %9zu %11.3f %11.2f %6.1f%%", line->name, line->count, 1e3 * line->seconds,
           1e6 * line->median, profile->busy > 0.0 ? 100.0 * line->seconds / profile->busy : 0.0);
    print_rate(9, line->bytes, line->seconds);
    print_rate(10, line->flop, line->seconds);
    putchar('\n');
}

static void print_lines(const device_profile *profile, profile_kind kind) {
    for (size_t i = 0; i < profile->line_count; i++)
        if (profile->lines[i].kind == kind) print_line(profile, &profile->lines[i]);
}

static void print_queue(const device_profile *profile) {
    printf("\n%-32s %9s %11s %11s %7s %9s %10s\n", "kernel", "launches", "total ms", "median us", "share",
           "GB/s", "GFLOP/s");
    print_lines(profile, PROFILE_COMPUTES);
    puts("transfer");
    print_lines(profile, PROFILE_TRANSFERS);
    const double whole = profile->last - profile->first;
    printf("device: %.3f ms from first to last command, busy %.3f ms (%.1f%%), idle %.3f ms in %zu gap%s\n",
           1e3 * whole, 1e3 * profile->busy, whole > 0.0 ? 100.0 * profile->busy / whole : 0.0,
           1e3 * profile->idle, profile->gaps, plural(profile->gaps));
    printf("compile: %.3f ms\n", 1e3 * profile->compile_seconds);
    if (profile->left_out > 0)
        printf("medians and trace are of the first %zu commands and waits; %zu more only count above\n",
               profile->span_count, profile->left_out);
    if (profile->is_incomplete) puts("memory ran out: some commands are missing");
}

/* The shares of all threads' time, which add up to all of it. */
static void print_thread_lines(const device_profile *profile, profile_kind kind, double whole) {
    for (size_t i = 0; i < profile->line_count; i++) {
        const profile_line *line = &profile->lines[i];
        if (line->kind == kind)
            printf("%-32s %9zu %11.3f %6.1f%%\n", line->name, line->count, 1e3 * line->seconds,
                   whole > 0.0 ? 100.0 * line->seconds / whole : 0.0);
    }
}

static void print_threads(const device_profile *profile) {
    const double whole = profile->last * (double)profile->threads;
    printf("\n%-32s %9s %11s %7s\n", "op", "calls", "thread ms", "share");
    print_thread_lines(profile, PROFILE_COMPUTES, whole);
    puts("waiting");
    print_thread_lines(profile, PROFILE_WAITS, whole);
    printf("%zu thread%s: %.3f ms each, busy %.1f%% of that\n", profile->threads, plural(profile->threads),
           1e3 * profile->last, whole > 0.0 ? 100.0 * profile->busy / whole : 0.0);
}

void print_profile(const device_profile *profile) {
    if (profile->threads > 0)
        print_threads(profile);
    else
        print_queue(profile);
}

static json_t *line_json(const profile_line *line) {
    json_builder object = json_object_begin();
    json_put_text(&object, "name", line->name);
    json_put_text(&object, "kind", profile_kind_names[line->kind]);
    json_put_count(&object, "count", line->count);
    json_put_real(&object, "seconds", line->seconds);
    if (line->median > 0.0) json_put_real(&object, "median_seconds", line->median);
    if (line->bytes > 0.0) json_put_real(&object, "bytes", line->bytes);
    if (line->flop > 0.0) json_put_real(&object, "flop", line->flop);
    return json_end(&object);
}

json_t *profile_json(const device_profile *profile) {
    json_builder object = json_object_begin(), lines = json_array_begin();
    for (size_t i = 0; i < profile->line_count; i++)
        json_push(&lines, line_json(&profile->lines[i]));
    json_put(&object, "commands", json_end(&lines));
    if (profile->threads > 0) json_put_count(&object, "threads", profile->threads);
    if (profile->threads > 0) json_put_real(&object, "wall", profile->last);
    json_put_real(&object, "busy", profile->busy);
    json_put_real(&object, "idle", profile->idle);
    json_put_count(&object, "gaps", profile->gaps);
    json_put_real(&object, "compile", profile->compile_seconds);
    json_put(&object, "complete", json_boolean(!profile->is_incomplete && profile->left_out == 0));
    return json_end(&object);
}
