/* Making synthetic rows. */
#include <stdlib.h>

#include "bench/parts.h"
#include "support/memory.h"

typedef struct making {
    synthetic_source source;
    size_t rows;
    float *features;
    uint32_t *labels;
} making;

/* Rows from the first on each time, with all cores. */
static tanda_status make_rows(void *context, size_t count, tanda_error *error) {
    const making *making = context;
    (void)error;
    for (size_t i = 0; i < count; i++)
        synthetic_make(&making->source, NULL, 0, making->rows, making->features, making->labels);
    return TANDA_OK;
}

static tanda_status open_source(const bench_workload *workload, making *making, tanda_error *error) {
    synthetic_request request;
    tanda_status status = synthetic_parse(workload->description, &request, error);
    if (status == TANDA_OK) status = synthetic_open(&request, &making->source, error);
    const size_t values = making->rows * making->source.data.features;
    if (status == TANDA_OK)
        status = allocate(&making->features, values, sizeof *making->features, "rows", error);
    if (status == TANDA_OK)
        status = allocate(&making->labels, making->rows, sizeof *making->labels, "labels", error);
    return status;
}

tanda_status bench_synthetic(const bench_workload *workload, const bench_options *options,
                             bench_result *result, tanda_error *error) {
    making making = {.rows = workload->rows};
    tanda_status status = open_source(workload, &making, error);
    result->bytes = (double)making.rows * making.source.data.features * sizeof(float);
    if (status == TANDA_OK)
        status = bench_measure(&(bench_job){make_rows, &making, 1000000, NULL}, options, result, error);
    free(making.features);
    free(making.labels);
    synthetic_close(&making.source);
    return status;
}
