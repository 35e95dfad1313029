#include "cli/file_list.h"

#include <stdlib.h>
#include <string.h>

#include "data/format.h"
#include "data/parts.h"
#include "data/synthetic.h"

tanda_status file_list_add(const named_file *file, file_list *list, tanda_error *error) {
    if (file->path == NULL) return TANDA_OK;
    named_file *larger = realloc(list->files, (list->count + 1) * sizeof *larger);
    if (larger == NULL)
        return fail(error, TANDA_FAILED, "no memory for the names of %zu files", list->count + 1);
    larger[list->count++] = *file;
    list->files = larger;
    return TANDA_OK;
}

tanda_status file_list_add_data(const char *flag, const char *path, file_list *list, tanda_error *error) {
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
    tanda_status status = file_list_add_data("--data", data->path, list, error);
    for (size_t i = 1; status == TANDA_OK && i < data->paths.count; i++)
        status = file_list_add_data("--data", data->paths.texts[i], list, error);
    if (status == TANDA_OK) status = file_list_add_data("--labels", data->read.labels, list, error);
    return status == TANDA_OK ? file_list_add(&kernels, list, error) : status;
}

void file_list_free(file_list *list) {
    text_list_free(&list->texts);
    free(list->files);
    *list = (file_list){0};
}
