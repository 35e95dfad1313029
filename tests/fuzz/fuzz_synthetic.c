/*
 * Any text behind "synthetic:" as a request for synthetic data. What loads must keep the promises of dataset.h; how much
 * is asked for is kept small. The first byte picks the options, the rest is the text.
 *
 *   clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -I. -Ihost -Ihost/include \
 *       tests/fuzz/fuzz_synthetic.c host/data/[a-z]*.c host/support/{status,memory,file,parallel}.c \
 *       build-release/CMakeFiles/tanda_{generic,v3,v4}.dir/host/data/isa/*.o -lz -lm -o fuzz_synthetic
 *   ./fuzz_synthetic -max_total_time=120 -rss_limit_mb=1024
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/synthetic.h"

#define TEXT_MAX 400
#define VALUES_MAX 100000

static void demand(bool holds, const char *promise) {
    if (holds) return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

/* Whether the request, if it is one, is small enough to be made. */
static bool is_small(const char *path) {
    synthetic_request request;
    synthetic_source source = {0};
    if (synthetic_parse(path, &request, NULL) != TANDA_OK) return true;
    if (request.given & KEY_BIT(KEY_FEATURES) && request.whole[KEY_FEATURES] > 1000) return false;
    if (request.given & KEY_BIT(KEY_HIDDEN) && request.whole[KEY_HIDDEN] > 100) return false;
    if (synthetic_open(&request, &source, NULL) != TANDA_OK) return true;
    const bool small = source.rows < VALUES_MAX && source.test_rows < VALUES_MAX &&
                       (source.rows + source.test_rows) * source.data.features < VALUES_MAX;
    synthetic_close(&source);
    return small;
}

static void check(const tanda_dataset *dataset, const tanda_dataset_options *options) {
    demand(dataset->rows > 0 && dataset->features > 0, "there are values");
    for (size_t i = 0; i < dataset->rows * dataset->features; i++)
        demand(isfinite(dataset->values[i]), "values are finite");
    for (size_t row = 0; row < dataset->rows; row++) {
        demand(dataset->classes == NULL ||
                   (dataset->classes[row] >= 0 && (size_t)dataset->classes[row] < dataset->class_count),
               "classes lie below class_count");
        demand(dataset->targets == NULL || isfinite(dataset->targets[row]), "targets are finite");
    }
    demand((dataset->task == TANDA_TASK_AUTO) == options->without_target,
           "there is a target where one is wanted");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char path[TEXT_MAX + sizeof SYNTHETIC_PREFIX];
    if (size < 1 || size > TEXT_MAX || memchr(bytes, '\0', size) != NULL) return 0;
    snprintf(path, sizeof path, SYNTHETIC_PREFIX "%.*s", (int)size - 1, (const char *)bytes + 1);
    if (!is_small(path)) return 0;
    tanda_dataset_options options = {.task = (tanda_task)(bytes[0] % 3),
                                     .without_target = (bytes[0] & 4) != 0};
    tanda_dataset *dataset = NULL;
    tanda_error error = {0};
    tanda_status status = synthetic_load(path, &options, NULL, (bytes[0] & 8) != 0, &dataset, &error);
    if (status != TANDA_OK)
        demand(error.status == status && error.message[0] != '\0' && dataset == NULL,
               "an error has a message");
    else if (dataset != NULL) /* no rows are held out unless there are test-rows */
        check(dataset, &options);
    for (const char *c = error.message; *c != '\0'; c++)
        demand((unsigned char)*c >= ' ', "a message is one line");
    tanda_dataset_free(dataset);
    return 0;
}
