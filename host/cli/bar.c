#include "cli/bar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/report.h"
#include "tanda_lab.h"

#define SECONDS_BEFORE_FIRST 0.5
#define SECONDS_BETWEEN 0.1
#define CELLS 24
#define DEFAULT_WIDTH 80
#define MOST_WIDTH 200

bar bar_begin(void) {
    const char *terminal = getenv("TERM");
    const bool erases = terminal != NULL && *terminal != '\0' && strcmp(terminal, "dumb") != 0;
    return (bar){.enabled = erases && isatty(STDERR_FILENO), .begun = seconds_now()};
}

/* "7s", "3m 05s", "2h 10m". */
static void put_time(FILE *text, double seconds) {
    const unsigned long whole = seconds < 1e9 ? (unsigned long)(seconds + 0.5) : 1000000000UL;
    if (whole < 60)
        fprintf(text, "%lus", whole);
    else if (whole < 3600)
        fprintf(text, "%lum %02lus", whole / 60, whole % 60);
    else
        fprintf(text, "%luh %02lum", whole / 3600, whole / 60 % 60);
}

static void put_cells(FILE *text, double share) {
    const size_t filled = (size_t)(share * CELLS);
    fputs(" [", text);
    for (size_t i = 0; i < CELLS; i++)
        fputc(i < filled ? '=' : i == filled ? '>' : '.', text);
    fputc(']', text);
}

static void put_line(FILE *text, const tanda_progress *progress) {
    fprintf(text, "Epoch %zu/%zu", progress->epoch, progress->epochs);
    if (progress->steps > 1) {
        put_cells(text, (double)progress->step / (double)progress->steps);
        fprintf(text, " %zu/%zu", progress->step, progress->steps);
    }
    fputs(" - ETA ", text);
    if (progress->steps > 1) {
        put_time(text, (double)(progress->steps - progress->step) * progress->step_seconds);
        fputs(", all ", text);
    }
    put_time(text, (double)progress->steps_left * progress->step_seconds);
    if (!isnan(progress->loss)) fprintf(text, " - loss: %.4g", progress->loss);
    if (!isnan(progress->accuracy)) fprintf(text, " - accuracy: %.4f", progress->accuracy);
}

/* A stream into `line`, which is as wide as the terminal; NULL where it is too early to draw. */
static FILE *begin_line(bar *bar, char line[MOST_WIDTH + 1]) {
    const double now = seconds_now();
    if (!bar->enabled || now - bar->begun < SECONDS_BEFORE_FIRST || now - bar->drawn < SECONDS_BETWEEN)
        return NULL;
    bar->drawn = now;
    struct winsize size = {0};
    size_t width = DEFAULT_WIDTH;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) width = size.ws_col;
    if (width > MOST_WIDTH) width = MOST_WIDTH;
    return fmemopen(line, width, "w"); /* the last column stays free: no line break */
}

static void end_line(bar *bar, FILE *text, const char *line) {
    fclose(text);
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    bar->visible = true;
}

void bar_show(bar *bar, const tanda_progress *progress) {
    char line[MOST_WIDTH + 1] = "";
    FILE *text = begin_line(bar, line);
    if (text == NULL) return;
    put_line(text, progress);
    end_line(bar, text, line);
}

static void show_part(bar *bar, const char *title, size_t done, size_t all, const char *unit) {
    char line[MOST_WIDTH + 1] = "";
    FILE *text = begin_line(bar, line);
    if (text == NULL) return;
    const double share = (double)done / (double)all, seconds = bar->drawn - bar->begun;
    fputs(title, text);
    put_cells(text, share);
    fprintf(text, " %zu/%zu%s - ETA ", done, all, unit);
    put_time(text, share > 0.0 ? seconds / share - seconds : 0.0);
    end_line(bar, text, line);
}

void bar_show_rows(bar *bar, size_t rows, size_t all) {
    show_part(bar, "Rows", rows, all, "");
}

void bar_show_text(bar *bar, size_t bytes, size_t all) {
    show_part(bar, "Text", bytes >> 20, (all >> 20) + 1, " MiB");
}

void bar_clear(bar *bar) {
    if (bar->visible) fputs("\r\033[K", stderr);
    bar->visible = false;
}

bar opening_show(const char *device, bool quiet) {
    bar line = bar_begin();
    if (quiet || device_name_is_cpu(device) || !line.enabled) return line;
    fputs("opening the device; OpenCL compiles the kernels the first time ...", stderr);
    fflush(stderr);
    line.visible = true;
    return line;
}

tanda_status opening_of(const tanda_device_options *options, bool quiet, tanda_device **device, char *reason,
                        tanda_error *error) {
    bar line = opening_show(options->device, quiet);
    const tanda_status status = tanda_device_open(options, device, reason, error);
    bar_clear(&line);
    const char *failure = "";
    if (status != TANDA_OK || !quiet || device_name_is_automatic(options->device)) return status;
    if (!tanda_device_is_fallback(*device, &failure)) return TANDA_OK;
    print_named(stderr, "note: fallback to cpu: ", failure,
                "\n"); /* without a banner nothing else tells it */
    return TANDA_OK;
}
