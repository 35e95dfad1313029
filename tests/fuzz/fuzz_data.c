/*
 * Any bytes as a data file or a label file, through every reader. What loads must keep the promises of
 * dataset.h. The first byte picks the format, the second the options, the rest is the file.
 *
 *   clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ihost -Ihost/include \
 *       tests/fuzz/fuzz_data.c host/data/[a-z]*.c host/support/[a-ik-z]*.c \
 *       build-release/CMakeFiles/tanda_{generic,v3,v4}.dir/host/data/isa/*.o -larchive -lz -lnettle -lm \
 *       -o fuzz_data
 *   ./fuzz_data -max_total_time=120 -rss_limit_mb=512 FOLDER_OF_SEEDS
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/preparation.h"

#define PATH_SIZE 40

static void demand(bool holds, const char *promise) {
    if (holds) return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

/* A file in memory that has a path. Returns the descriptor. */
static int make_file(const void *data, size_t size, char path[PATH_SIZE]) {
    int descriptor = memfd_create("fuzz", 0);
    demand(descriptor >= 0 && write(descriptor, data, size) == (ssize_t)size, "a file in memory");
    snprintf(path, PATH_SIZE, "/proc/self/fd/%d", descriptor);
    return descriptor;
}

static void check_labels(const tanda_dataset *dataset, const tanda_dataset_options *options) {
    for (size_t row = 0; dataset->classes != NULL && row < dataset->rows; row++)
        demand(dataset->classes[row] >= 0 && (size_t)dataset->classes[row] < dataset->class_count,
               "classes lie below class_count");
    for (size_t row = 0; dataset->targets != NULL && row < dataset->rows; row++)
        demand(isfinite(dataset->targets[row]), "targets are finite");
    for (size_t row = 0; dataset->weights != NULL && row < dataset->rows; row++)
        demand(isfinite(dataset->weights[row]) && dataset->weights[row] >= 0.0f, "weights are 0 or more");
    bool has_target = dataset->task != TANDA_TASK_AUTO;
    demand(has_target != options->without_target, "there is a target unless none is wanted");
    demand(!has_target || (dataset->classes != NULL) != (dataset->targets != NULL), "classes or targets");
}

/* Any columns become features, by a fit on all rows. */
static bool prepare(tanda_dataset *dataset) {
    preparation preparation = {0};
    bool done = preparation_fit(dataset, false, &preparation, NULL) == TANDA_OK;
    if (done) done = dataset_prepare(dataset, &preparation, TANDA_UNKNOWN_AUTO, NULL) == TANDA_OK;
    preparation_free(&preparation);
    return done;
}

static void check(tanda_dataset *dataset, const tanda_dataset_options *options) {
    if (!prepare(dataset)) return; /* a column without a value */
    size_t count = dataset->rows * dataset->features;
    demand(dataset->rows > 0 || options->without_target, "there are rows to learn from");
    demand(dataset->features > 0, "there are features");
    if (dataset->rows == 0) return;
    for (size_t i = 0; i < count; i++)
        demand(isfinite(dataset->values[i]) && !(dataset->values[i] == 0.0f && signbit(dataset->values[i])),
               "values are finite and never -0");
    check_labels(dataset, options);
    tanda_dataset *training = NULL;
    tanda_dataset *validation = NULL;
    if (dataset_split(dataset, 0.3, (count & 1) != 0, count, &training, &validation, NULL) == TANDA_OK)
        demand(training->rows + validation->rows == dataset->rows, "a split loses no row");
    tanda_dataset_free(training);
    tanda_dataset_free(validation);
    scaling scaling = {0};
    tanda_scale kind = count % 2 == 0 ? TANDA_SCALE_STANDARD : TANDA_SCALE_MINMAX;
    if (dataset_fit_scaling(dataset, kind, &scaling, NULL) != TANDA_OK) return;
    if (dataset_scale(dataset, &scaling, NULL) == TANDA_OK)
        for (size_t i = 0; i < count; i++)
            demand(isfinite(dataset->values[i]), "scaled values are finite");
    scaling_free(&scaling);
}

/* libsvm's text is stored dense: long indexes would only try how much memory there is. */
static bool has_long_index(const uint8_t *bytes, size_t size) {
    size_t digits = 0;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == ':' && digits > 5) return true;
        digits = bytes[i] >= '0' && bytes[i] <= '9' ? digits + 1 : 0;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const char *const formats[] = {NULL, "csv", "npy", "libsvm"};
    static const char *const columns[] = {"a", "0"};
    static const char csv[] = "a,b\n1,2\n3,4\n";
    static const char *const missing[] = {"-", "-9"};
    static char *feature_names[] = {"a", "b"};
    static char *class_names[2][2] = {{"0", "1"}, {"no", "yes"}};
    if (size < 2 || has_long_index(bytes, size)) return 0;
    unsigned choice = bytes[0];
    unsigned bits = bytes[1];
    tanda_dataset_options options = {.format = formats[choice & 3],
                                     .header = (tanda_header)((choice >> 2) % 3)};
    options.task = (tanda_task)(bits % 3);
    options.without_target = (bits & 4) != 0;
    options.target = (bits & 8) != 0 ? columns[bits >> 7] : NULL;
    options.missing = (choice & 16) != 0 ? TANDA_MISSING_MEAN : TANDA_MISSING_REFUSE;
    options.categorical_auto = (choice & 32) != 0;
    options.categorical = columns + 1;
    options.categorical_count = (choice & 64) != 0;
    options.sample_weight = (bits & 16) == 0 && (choice & 16) != 0 ? columns[0] : NULL;
    /* how a text is written: the last byte, which the file keeps */
    unsigned written = bytes[size - 1];
    options.delimiter = "\0\0\0,;\t| "[written & 7];
    options.decimal = "\0\0.,"[written >> 3 & 3];
    options.comment = (written & 32) != 0 ? (written & 64) != 0 ? "#" : "" : NULL;
    options.skip_lines = written >> 7;
    options.missing_values = missing;
    options.missing_value_count = (written & 64) != 0 ? 2 : 0;
    options.ignore = columns;
    options.ignore_count = (bits & 16) != 0;
    dataset_expectation expected = {.feature_count = 2, .task = TANDA_TASK_CLASSES, .target_name = "c"};
    expected.feature_names = (bits & 32) != 0 ? feature_names : NULL;
    expected.class_names = class_names[bits >> 7];
    expected.class_count = 2;

    char path[PATH_SIZE];
    char data_path[PATH_SIZE];
    int file = make_file(bytes + 2, size - 2, path);
    int data = make_file(csv, sizeof csv - 1, data_path);
    bool as_labels = (choice & 128) != 0;
    if (as_labels) {
        options.labels = path;
        options.format = NULL;
    }
    const char *again[] = {path}; /* the rows follow themselves */
    if ((choice & 12) == 12) {
        options.more_files = again;
        options.more_count = 1;
    }
    options.validation = (bits & 64) != 0;
    tanda_dataset *dataset = NULL;
    tanda_error error = {0};
    tanda_status status = dataset_load(as_labels ? data_path : path, &options,
                                       (bits & 64) != 0 ? &expected : NULL, &dataset, &error);
    if (status == TANDA_OK)
        check(dataset, &options);
    else
        demand(error.status == status && error.message[0] != '\0' && dataset == NULL,
               "an error has a message");
    for (const char *c = error.message; *c != '\0'; c++)
        demand((unsigned char)*c >= ' ', "a message is one line");
    tanda_dataset_free(dataset);
    close(file);
    close(data);
    return 0;
}
