/* Data to train on: uniform values, and labels that the values do not tell. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/parts.h"
#include "data/npy.h"
#include "support/file_writer.h"
#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

#define GRAIN 65536

size_t bench_layers(const bench_workload *workload) {
    size_t count = 0;
    while (workload->units[count + 1] != 0)
        count++;
    return count;
}

static size_t classes_of(const bench_workload *workload) {
    const size_t outputs = workload->units[bench_layers(workload)];
    return outputs == 1 ? 2 : outputs;
}

/* Murmur3's finalizer, of the index: any range can be made by itself. */
static inline uint32_t hash_of(uint64_t index) {
    uint32_t hash = (uint32_t)index * 0x9e3779b9u ^ (uint32_t)(index >> 32) * 0x85ebca6bu;
    hash ^= hash >> 16;
    hash *= 0x85ebca6bu;
    hash ^= hash >> 13;
    hash *= 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

/* In [-1, 1), without -0. */
static void fill_values(void *context, size_t first, size_t end) {
    float *values = ((const bench_data *)context)->values;
    for (size_t i = first; i < end; i++)
        values[i] = (float)((int32_t)(hash_of(i) >> 8) - 0x800000) * 0x1p-23f;
}

static void fill_labels(void *context, size_t first, size_t end) {
    const bench_data *data = context;
    for (size_t i = first; i < end; i++)
        data->labels[i] = (int32_t)((uint64_t)hash_of(~(uint64_t)i) * data->classes >> 32);
}

tanda_status bench_data_make(const bench_workload *workload, bench_data *data, tanda_error *error) {
    const size_t rows = workload->rows, features = workload->units[0], classes = classes_of(workload);
    if (data->rows == rows && data->features == features && data->classes == classes) return TANDA_OK;
    bench_data_free(data);
    *data = (bench_data){.rows = rows, .features = features, .classes = classes};
    data->values = allocate_untouched(rows * features * sizeof *data->values);
    data->labels = allocate_untouched(rows * sizeof *data->labels);
    if (data->values == NULL || data->labels == NULL) {
        bench_data_free(data);
        return fail(error, TANDA_FAILED, "no memory for %zu x %zu values", rows, features);
    }
    parallel_ranges(rows * features, GRAIN, fill_values, data);
    parallel_ranges(rows, GRAIN, fill_labels, data);
    return TANDA_OK;
}

void bench_data_free(bench_data *data) {
    free(data->values);
    free(data->labels);
    *data = (bench_data){0};
}

void bench_export_path(const bench_workload *workload, const char *folder, const char *ending,
                       char path[1024]) {
    const size_t start = text_put(path, 1024, "%s/", folder);
    text_put(path + start, 1024 - start, "%s%s", workload->name, ending);
    text_replace(path + start, '/', '-');
}

bool bench_export_holds(const char *name) {
    static const char *const endings[] = {".features.npy", ".labels.npy", ".safetensors"};
    char path[1024];
    for (size_t i = 0; i < bench_workload_count; i++)
        for (size_t j = 0; j < sizeof endings / sizeof *endings; j++) {
            bench_export_path(&bench_workloads[i], "", endings[j], path);
            if (strcmp(path + 1, name) == 0) return true;
        }
    return false;
}

static tanda_status write_npy(const char *path, char type, size_t rows, size_t columns, const void *data,
                              size_t size, tanda_error *error) {
    char header[NPY_HEADER_SIZE];
    npy_make_header(header, type, rows, columns);
    const file_part parts[] = {{header, sizeof header}, {data, size}};
    return file_write_atomically(path, parts, 2, error);
}

tanda_status bench_data_export(const bench_workload *workload, const bench_data *data, const char *folder,
                               tanda_error *error) {
    char path[1024];
    bench_export_path(workload, folder, ".features.npy", path);
    tanda_status status = write_npy(path, 'f', data->rows, data->features, data->values,
                                    data->rows * data->features * sizeof(float), error);
    bench_export_path(workload, folder, ".labels.npy", path);
    return status == TANDA_OK
               ? write_npy(path, 'i', data->rows, 0, data->labels, data->rows * sizeof(int32_t), error)
               : status;
}

tanda_status bench_make_file(char path[BENCH_PATH_SIZE], int *descriptor, tanda_error *error) {
    const char *folder = getenv("TMPDIR");
    if (!text_fit(path, BENCH_PATH_SIZE, "%s/tanda-bench-XXXXXX", folder != NULL ? folder : "/tmp"))
        return fail(error, TANDA_FAILED, "%s: the path is too long", folder);
    *descriptor = mkstemp(path);
    return *descriptor >= 0 ? TANDA_OK : fail(error, TANDA_FAILED, "%s: %s", path, strerror(errno));
}
