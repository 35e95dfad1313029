/* oclgrind, an OpenCL device that interprets kernels and reports each access that is wrong. */
#ifndef TANDA_TESTS_SUPPORT_OCLGRIND_H
#define TANDA_TESTS_SUPPORT_OCLGRIND_H

#include <stdbool.h>
#include <stddef.h>

/* The function of this name that stands behind the test's own. */
void *real_function(const char *name);

/* Names, each once, between line ends. */
typedef struct name_list {
    char text[8192];
} name_list;

bool is_in(const name_list *list, const char *name);
void add_name(name_list *list, const char *name);

/* The name at *place, 0 at first, which goes to the next; false behind the last. */
bool next_name(const name_list *list, size_t *place, char *name, size_t size);

/*
 * Makes OpenCL see oclgrind alone, watching the bounds of buffers and what `setting` names, a variable of its environment.
 * Before the first OpenCL call of the process; forget_opencl removes it. Skips the test where there is none.
 */
void watch_by_oclgrind(const char *setting);
#define OCLGRIND_RACES "OCLGRIND_DATA_RACES"
#define OCLGRIND_UNWRITTEN "OCLGRIND_UNINITIALIZED"

/* oclgrind has reported nothing since a device was opened; while_doing: for the message. */
void expect_no_report(const char *while_doing);

/* It has reported this, of this kernel. */
void expect_report(const char *report, const char *kernel);

#endif
