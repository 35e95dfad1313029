/* Files that a test writes into a folder of its own, loads, and compares messages of. */
#ifndef TANDA_TESTS_DATA_FILES_H
#define TANDA_TESTS_DATA_FILES_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/dataset.h"

static char test_folder[64];

/* For .init and .fini of a TestSuite. */
static inline void make_folder(void) {
    strcpy(test_folder, "/tmp/tanda-test-XXXXXX");
    cr_assert_not_null(mkdtemp(test_folder));
}

static inline void remove_folder(void) {
    char path[400];
    DIR *folder = opendir(test_folder);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", test_folder, entry->d_name);
        unlink(path);
    }
    if (folder != NULL) closedir(folder);
    rmdir(test_folder);
}

/* The path of a file of this name in the folder; one of four buffers. */
static inline const char *path_of(const char *name) {
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", test_folder, name);
    return path;
}

static inline const char *write_bytes(const char *name, const void *data, size_t size) {
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(data, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
    return path;
}

static inline const char *write_text(const char *name, const char *text) {
    return write_bytes(name, text, strlen(text));
}

static inline tanda_dataset *load_expecting(const char *path, const tanda_dataset_options *options,
                                            const dataset_expectation *expected) {
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    tanda_status status = dataset_load(path, options, expected, &dataset, &error);
    cr_assert_eq(status, TANDA_OK, "%s", error.message);
    return dataset;
}

static inline tanda_dataset *load(const char *path, const tanda_dataset_options *options) {
    return load_expecting(path, options, NULL);
}

/* The load must fail with this status and this message, in which the folder is left out of paths. */
static inline void refuse_expecting(const char *path, const tanda_dataset_options *options,
                                    const dataset_expectation *expected, tanda_status status,
                                    const char *message) {
    tanda_error error = {0};
    tanda_dataset *dataset = NULL;
    char prefix[80];
    snprintf(prefix, sizeof prefix, "%s/", test_folder);
    tanda_status got = dataset_load(path, options, expected, &dataset, &error);
    for (char *at; (at = strstr(error.message, prefix)) != NULL;)
        memmove(at, at + strlen(prefix), strlen(at + strlen(prefix)) + 1);
    cr_assert_str_eq(error.message, message);
    cr_assert_eq(got, status, "%d", (int)got);
    cr_assert_eq(error.status, status);
    cr_assert_null(dataset);
}

static inline void refuse(const char *path, const tanda_dataset_options *options, const char *message) {
    refuse_expecting(path, options, NULL, TANDA_BAD_INPUT, message);
}

static inline void assert_values(const tanda_dataset *dataset, size_t rows, size_t features,
                                 const float *values) {
    cr_assert_eq(dataset->rows, rows, "%zu rows", dataset->rows);
    cr_assert_eq(dataset->features, features, "%zu features", dataset->features);
    for (size_t i = 0; i < rows * features; i++)
        cr_assert_eq(memcmp(&dataset->values[i], &values[i], sizeof *values), 0,
                     "value %zu is %.9g, not %.9g", i, dataset->values[i], values[i]);
}

static inline void assert_classes(const tanda_dataset *dataset, size_t count, const char *const *names,
                                  const int32_t *classes) {
    cr_assert_eq(dataset->task, TANDA_TASK_CLASSES);
    cr_assert_eq(dataset->class_count, count, "%zu classes", dataset->class_count);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(dataset->class_names[i], names[i]);
    for (size_t row = 0; row < dataset->rows; row++)
        cr_assert_eq(dataset->classes[row], classes[row], "row %zu", row);
}

#endif
