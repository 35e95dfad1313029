#include "cli/train_files.h"

#include "cli/file_list.h"
#include "support/text.h"
#include "train/checkpoint.h"

static tanda_status add_data(const train_options *options, file_list *list, tanda_error *error) {
    tanda_status status = file_list_add_read(&options->data, &options->common, list, error);
    if (status == TANDA_OK) status = file_list_add_data("--validation", options->fit.validation, list, error);
    if (status == TANDA_OK)
        status = file_list_add_data("--validation-labels", options->fit.validation_labels, list, error);
    return status;
}

/* What a training keeps locked beside a checkpoint that is one file. */
static bool name_lock(const tanda_train_options *run, char lock[PATH_MAX]) {
    if (run->checkpoint == NULL || checkpoint_is_folder(run->checkpoint)) return false;
    return text_fit(lock, PATH_MAX, "%s" CHECKPOINT_LOCK, run->checkpoint);
}

/* lock: its name, or NULL. */
static tanda_status add_others(const train_options *options, const char *lock, file_list *list,
                               tanda_error *error) {
    const tanda_train_options *run = &options->training;
    const bool in_folder = run->checkpoint != NULL && checkpoint_is_folder(run->checkpoint);
    const char *checkpoint_flag = run->checkpoint == run->resume ? "--resume" : "--checkpoint";
    const named_file others[] = {
        {"--config", options->config, FILE_READ_FIRST, NULL},
        {"--init", options->fit.init, FILE_READ_FIRST, NULL},
        {"--resume", run->resume, FILE_READ_FIRST, checkpoint_holds},
        {"--output", options->output, FILE_REPLACED, NULL},
        {checkpoint_flag, run->checkpoint, FILE_REPLACED, in_folder ? checkpoint_holds : NULL},
        {"the lock of --checkpoint", lock, FILE_REPLACED, NULL},
        {"--log", options->log, FILE_STREAMED, NULL},
        {"--csv-log", options->csv_log, FILE_STREAMED, NULL},
    };
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < sizeof others / sizeof *others; i++)
        status = file_list_add(&others[i], list, error);
    return status;
}

tanda_status train_files_check(const train_options *options, tanda_error *error) {
    file_list list = {0};
    char lock[PATH_MAX];
    tanda_status status = add_data(options, &list, error);
    if (status == TANDA_OK)
        status = add_others(options, name_lock(&options->training, lock) ? lock : NULL, &list, error);
    if (status == TANDA_OK) status = files_check(list.files, list.count, error);
    file_list_free(&list);
    return status;
}
