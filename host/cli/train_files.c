#include "cli/train_files.h"

#include <string.h>

#include "data/synthetic.h"
#include "support/file_check.h"
#include "support/text.h"
#include "train/checkpoint.h"

static const char *file_of(const char *data) {
    return data != NULL && synthetic_is_named(data) ? NULL : data;
}

static bool is_kernel(const char *name) {
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".cl") == 0 || strcmp(dot, ".h") == 0);
}

tanda_status train_files_check(const train_options *options, tanda_error *error) {
    const run_options *run = &options->run;
    const bool in_folder = run->checkpoint != NULL && checkpoint_is_folder(run->checkpoint);
    const char *checkpoint_flag = run->checkpoint == run->resume ? "--resume" : "--checkpoint";
    char lock[PATH_MAX];
    const bool has_lock = run->checkpoint != NULL && !in_folder &&
                          text_fit(lock, sizeof lock, "%s" CHECKPOINT_LOCK, run->checkpoint);
    const named_file files[] = {
        {"--data", file_of(options->data.path), FILE_READ, NULL},
        {"--labels", options->data.read.labels, FILE_READ, NULL},
        {"--validation", file_of(options->validation_path), FILE_READ, NULL},
        {"--validation-labels", options->validation_labels, FILE_READ, NULL},
        {"--kernels", options->common.device.kernel_folder, FILE_READ, is_kernel},
        {"--config", options->config, FILE_READ_FIRST, NULL},
        {"--init", options->init, FILE_READ_FIRST, NULL},
        {"--resume", run->resume, FILE_READ_FIRST, checkpoint_holds},
        {"--output", options->output, FILE_REPLACED, NULL},
        {checkpoint_flag, run->checkpoint, FILE_REPLACED, in_folder ? checkpoint_holds : NULL},
        {"the lock of --checkpoint", has_lock ? lock : NULL, FILE_REPLACED, NULL},
        {"--log", run->log, FILE_STREAMED, NULL},
        {"--csv-log", run->csv_log, FILE_STREAMED, NULL},
    };
    return files_check(files, sizeof files / sizeof *files, error);
}
