#include "cli/train_files.h"

#include <stdlib.h>
#include <string.h>

#include "cli/value.h"
#include "data/format.h"
#include "data/parts.h"
#include "data/synthetic.h"
#include "support/file_check.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/checkpoint.h"

#define DATA_FLAGS 4 /* --data, --labels and those of the validation */
#define OTHERS 9

/* The list in the making; texts are names that had to be cut. */
typedef struct file_list {
    named_file *files;
    size_t count;
    text_list texts;
} file_list;

static bool is_kernel(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".cl") == 0 || strcmp(dot, ".h") == 0);
}

/* What is read of data: the .npz of an array, the files of a folder; "-" may be a file, too. */
static tanda_status add_data(const char *flag, const char *path, file_list *list, tanda_error *error) {
    named_file *file = &list->files[list->count];
    if (path == NULL || synthetic_is_named(path)) return TANDA_OK;
    *file = (named_file){flag, strcmp(path, "-") == 0 ? "/dev/stdin" : path, FILE_READ, parts_take};
    list->count++;
    const char *member = format_member(path);
    if (member == NULL) return TANDA_OK;
    const tanda_status status = value_append(flag, path, (size_t)(member - 1 - path), &list->texts, error);
    if (status == TANDA_OK) file->path = list->texts.texts[list->texts.count - 1];
    return status;
}

static tanda_status add_all_data(const train_options *options, file_list *list, tanda_error *error) {
    const text_list *more = &options->data.paths;
    tanda_status status = add_data("--data", options->data.path, list, error);
    for (size_t i = 1; status == TANDA_OK && i < more->count; i++)
        status = add_data("--data", more->texts[i], list, error);
    if (status == TANDA_OK) status = add_data("--labels", options->data.read.labels, list, error);
    if (status == TANDA_OK) status = add_data("--validation", options->validation_path, list, error);
    if (status == TANDA_OK) status = add_data("--validation-labels", options->validation_labels, list, error);
    return status;
}

/* What a training keeps locked beside a checkpoint that is one file. */
static bool name_lock(const run_options *run, char lock[PATH_MAX]) {
    if (run->checkpoint == NULL || checkpoint_is_folder(run->checkpoint)) return false;
    return text_fit(lock, PATH_MAX, "%s" CHECKPOINT_LOCK, run->checkpoint);
}

/* lock: its name, or NULL. */
static void add_others(const train_options *options, const char *lock, file_list *list) {
    const run_options *run = &options->run;
    const bool in_folder = run->checkpoint != NULL && checkpoint_is_folder(run->checkpoint);
    const char *checkpoint_flag = run->checkpoint == run->resume ? "--resume" : "--checkpoint";
    const named_file others[OTHERS] = {
        {"--kernels", options->common.device.kernel_folder, FILE_READ, is_kernel},
        {"--config", options->config, FILE_READ_FIRST, NULL},
        {"--init", options->init, FILE_READ_FIRST, NULL},
        {"--resume", run->resume, FILE_READ_FIRST, checkpoint_holds},
        {"--output", options->output, FILE_REPLACED, NULL},
        {checkpoint_flag, run->checkpoint, FILE_REPLACED, in_folder ? checkpoint_holds : NULL},
        {"the lock of --checkpoint", lock, FILE_REPLACED, NULL},
        {"--log", run->log, FILE_STREAMED, NULL},
        {"--csv-log", run->csv_log, FILE_STREAMED, NULL},
    };
    memcpy(list->files + list->count, others, sizeof others);
    list->count += OTHERS;
}

tanda_status train_files_check(const train_options *options, tanda_error *error) {
    file_list list = {0};
    char lock[PATH_MAX];
    tanda_status status = allocate(&list.files, options->data.paths.count + DATA_FLAGS + OTHERS,
                                   sizeof *list.files, "names of files", error);
    if (status == TANDA_OK) status = add_all_data(options, &list, error);
    if (status == TANDA_OK) add_others(options, name_lock(&options->run, lock) ? lock : NULL, &list);
    if (status == TANDA_OK) status = files_check(list.files, list.count, error);
    text_list_free(&list.texts);
    free(list.files);
    return status;
}
