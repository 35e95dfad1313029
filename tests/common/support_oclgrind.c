#include "support_oclgrind.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/file.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support_network.h"

/* ---- between a test and oclgrind --------------------------------------------------------------------------------- */

void *real_function(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    cr_assert_not_null(function, "%s", name);
    return function;
}

bool is_in(const name_list *list, const char *name) {
    char line[112];
    snprintf(line, sizeof line, "\n%s\n", name);
    return strstr(list->text, line) != NULL;
}

void add_name(name_list *list, const char *name) {
    size_t used = strlen(list->text);
    if (used == 0) list->text[used++] = '\n';
    if (is_in(list, name)) return;
    const size_t left = sizeof list->text - used;
    cr_assert_lt(snprintf(list->text + used, left, "%s\n", name), (int)left);
}

bool next_name(const name_list *list, size_t *place, char *name, size_t size) {
    const char *from = list->text + *place + (list->text[*place] == '\n');
    const size_t length = strcspn(from, "\n");
    if (length == 0) return false;
    cr_assert_lt(snprintf(name, size, "%.*s", (int)length, from), (int)size);
    *place = (size_t)(from - list->text) + length;
    return true;
}

/* ---- watching ------------------------------------------------------------------------------------------------------ */

static char log_path[128];

static const char *find_oclgrind(void) {
    static const char *const places[] = {"/usr/lib/oclgrind/liboclgrind-rt-icd.so",
                                         "/usr/local/lib/oclgrind/liboclgrind-rt-icd.so"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0) return places[i];
    return NULL;
}

static void write_file(const char *path, const char *text) {
    const file_part part = {text, strlen(text)};
    MUST(file_write_atomically(path, &part, 1, error));
}

void watch_by_oclgrind(const char *setting) {
    const char *library = find_oclgrind();
    char path[128];
    if (library == NULL) {
        fprintf(stderr, "SKIPPED: oclgrind is not installed (Debian package oclgrind)\n");
        cr_skip_test("oclgrind is not installed");
    }
    use_opencl("");
    snprintf(path, sizeof path, "%s/vendors/oclgrind.icd", temporary_folder());
    write_file(path, library);
    snprintf(log_path, sizeof log_path, "%s/log", temporary_folder());
    setenv("OCLGRIND_LOG", log_path, 1);
    setenv("OCLGRIND_MAX_ERRORS", "20", 1);
    setenv("OCLGRIND_NUM_THREADS", "1", 1);
    setenv(setting, "1", 1);
}

/* The log, which begins anew with each device that is opened; released with free(). */
static char *reports(void) {
    file_view view = {0};
    char *text = NULL;
    MUST(file_view_open(log_path, &view, error));
    MUST(allocate(&text, view.size + 1, 1, "reports", error));
    if (view.size > 0) memcpy(text, view.data, view.size);
    file_view_close(&view);
    return text;
}

void expect_no_report(const char *while_doing) {
    char *text = reports();
    cr_expect_str_empty(text, "%s: oclgrind reports:\n%s", while_doing, text);
    free(text);
}

void expect_report(const char *report, const char *kernel) {
    char *text = reports();
    char line[64];
    snprintf(line, sizeof line, "Kernel: %s\n", kernel);
    cr_expect_not_null(strstr(text, report), "\"%s\" is not in:\n%s", report, text);
    cr_expect_not_null(strstr(text, line), "\"%s\" is not in:\n%s", kernel, text);
    free(text);
}
