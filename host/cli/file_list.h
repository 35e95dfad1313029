/* The files that a command's options name, for files_check (support/file_check.h). */
#ifndef TANDA_CLI_FILE_LIST_H
#define TANDA_CLI_FILE_LIST_H

#include "cli/options.h"
#include "tanda_lab.h"

/* All zero is an empty one; texts are names that had to be cut. Names of others are borrowed. */
typedef struct file_list {
    named_file *files;
    size_t count;
    text_list texts;
} file_list;

/* A file; a path of NULL is no file. TANDA_FAILED for want of memory. */
tanda_status file_list_add(const named_file *file, file_list *list, tanda_error *error);

/* The data of these options with its labels, and the kernels. */
tanda_status file_list_add_read(const data_options *data, const common_options *common, file_list *list,
                                tanda_error *error);
void file_list_free(file_list *list);

#endif
