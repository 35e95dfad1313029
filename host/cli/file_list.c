/* The files that options name. */
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/train_options.h"
#include "tanda_lab.h"

tanda_status file_list_add(const named_file *file, file_list *list, tanda_error *error) {
    if (file->path == NULL) return TANDA_OK;
    named_file *larger = realloc(list->files, (list->count + 1) * sizeof *larger);
    if (larger == NULL)
        return fail(error, TANDA_FAILED, "no memory for the names of %zu files", list->count + 1);
    larger[list->count++] = *file;
    list->files = larger;
    return TANDA_OK;
}

/* What is read of data: the .npz of an array, the files of a folder; "-" may be a file, too. Synthetic data is none. */
static tanda_status add_data(const char *flag, const char *path, file_list *list, tanda_error *error) {
    if (path == NULL || synthetic_is_named(path)) return TANDA_OK;
    named_file file = {flag, strcmp(path, "-") == 0 ? "/dev/stdin" : path, FILE_READ, parts_take};
    const char *member = format_member(path);
    if (member != NULL) {
        const tanda_status status =
            value_append(flag, path, (size_t)(member - 1 - path), &list->texts, error);
        if (status != TANDA_OK) return status;
        file.path = list->texts.texts[list->texts.count - 1];
    }
    return file_list_add(&file, list, error);
}

static bool is_kernel(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".cl") == 0 || strcmp(dot, ".h") == 0 || strcmp(dot, ".inc") == 0);
}

tanda_status file_list_add_read(const data_options *data, const common_options *common, file_list *list,
                                tanda_error *error) {
    const named_file kernels = {"--kernels", common->device.kernel_folder, FILE_READ, is_kernel};
    tanda_status status = add_data("--data", data->path, list, error);
    for (size_t i = 1; status == TANDA_OK && i < data->paths.count; i++)
        status = add_data("--data", data->paths.texts[i], list, error);
    if (status == TANDA_OK) status = add_data("--labels", data->read.labels, list, error);
    return status == TANDA_OK ? file_list_add(&kernels, list, error) : status;
}

/* A name that is made here. */
static tanda_status add_made(const char *flag, const char *path, bool (*holds)(const char *name),
                             file_list *list, tanda_error *error) {
    if (path[0] == '\0') return TANDA_OK;
    const tanda_status status = value_append(flag, path, strlen(path), &list->texts, error);
    if (status != TANDA_OK) return status;
    const named_file file = {flag, list->texts.texts[list->texts.count - 1], FILE_REPLACED, holds};
    return file_list_add(&file, list, error);
}

tanda_status file_list_add_output(const char *output, bool is_page, file_list *list, tanda_error *error) {
    char folder[PATH_MAX] = "", script[PATH_MAX] = "", data[PATH_MAX] = "";
    if (output == NULL) return TANDA_OK;
    if (is_page && !page_pictures_folder(output, folder)) folder[0] = '\0';
    if (!is_page && (!picture_beside(output, ".gnuplot", script) || !picture_beside(output, ".dat", data)))
        script[0] = data[0] = '\0';
    tanda_status status = file_list_add(&(named_file){"--output", output, FILE_REPLACED, NULL}, list, error);
    if (status == TANDA_OK)
        status = add_made("the pictures of --output", folder, page_picture_holds, list, error);
    if (status == TANDA_OK) status = add_made("the script of --output", script, NULL, list, error);
    return status == TANDA_OK ? add_made("the data of --output", data, NULL, list, error) : status;
}

void file_list_free(file_list *list) {
    text_list_free(&list->texts);
    free(list->files);
    *list = (file_list){0};
}

tanda_status train_files_check(const train_options *options, tanda_error *error) {
    const tanda_train_options *run = &options->training;
    const char *checkpoint = run->checkpoint, *flag = checkpoint == run->resume ? "--resume" : "--checkpoint";
    const bool in_folder = checkpoint != NULL && checkpoint_is_folder(checkpoint);
    char lock[PATH_MAX]; /* what a training keeps locked beside a checkpoint that is one file */
    const bool locks =
        checkpoint != NULL && !in_folder && text_fit(lock, sizeof lock, "%s" CHECKPOINT_LOCK, checkpoint);
    const named_file others[] = {
        {"--config", options->config, FILE_READ_FIRST, NULL},
        {"--init", options->fit.init, FILE_READ_FIRST, NULL},
        {"--resume", run->resume, FILE_READ_FIRST, checkpoint_holds},
        {"--output", options->with_pictures ? NULL : options->output, FILE_REPLACED, NULL},
        {flag, checkpoint, FILE_REPLACED, in_folder ? checkpoint_holds : NULL},
        {"the lock of --checkpoint", locks ? lock : NULL, FILE_REPLACED, NULL},
        {"--log", options->log, FILE_STREAMED, NULL},
        {"--csv-log", options->csv_log, FILE_STREAMED, NULL},
        {"--profile-trace", options->profile_trace, FILE_REPLACED, NULL},
    };
    file_list list = {0};
    tanda_status status = file_list_add_read(&options->data, &options->common, &list, error);
    if (status == TANDA_OK) status = add_data("--validation", options->fit.validation, &list, error);
    if (status == TANDA_OK)
        status = add_data("--validation-labels", options->fit.validation_labels, &list, error);
    for (size_t i = 0; status == TANDA_OK && i < sizeof others / sizeof *others; i++)
        status = file_list_add(&others[i], &list, error);
    if (status == TANDA_OK && options->with_pictures)
        status = file_list_add_output(options->output, !options->is_picture, &list, error);
    if (status == TANDA_OK) status = files_check(list.files, list.count, error);
    file_list_free(&list);
    return status;
}
