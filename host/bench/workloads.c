/* The workloads. */
#include "bench/parts.h"

#define MILLION 1000000

/* Some 16 MB of features. `more` ends the description. */
#define SYNTHETIC(title, columns, distribution, more) \
    .name = "synthetic/" title "/" #columns "/" distribution, .kind = BENCH_SYNTHETIC, \
    .rows = 4 * MILLION / (columns), .units = {(columns), 1}, \
    .description = "synthetic:" title ",features=" #columns more
#define SYNTHETIC_WIDE(title, distribution, more) \
    {SYNTHETIC(title, 2, distribution, more), .on_request = true}, \
        {SYNTHETIC(title, 16, distribution, more), .on_request = true}, \
        {SYNTHETIC(title, 28, distribution, more), .on_request = true}, \
        {SYNTHETIC(title, 100, distribution, more), .on_request = true}, { \
        SYNTHETIC(title, 1000, distribution, more), .on_request = true \
    }
#define SYNTHETIC_WIDTHS(title, distribution, more) \
    {SYNTHETIC(title, 1, distribution, more), .on_request = true}, SYNTHETIC_WIDE(title, distribution, more)
/* Beside a process that keeps one core busy: a thread more should not cost anything there. */
#define BUSY(title, number) \
    .name = title "/busy/threads" number, .kind = BENCH_BUSY, .rows = 400000, .units = {28, 256, 256, 1}, \
    .command = title, .threads = number, .on_request = true
#define UNIFORM ",distribution=uniform"

const bench_workload bench_workloads[] = {
    {"logistic/10Mx1/full/loss", BENCH_TRAINING, .rows = 10 * MILLION, .units = {1, 1}},
    {"logistic/10Mx1/full/no-loss", BENCH_TRAINING, .rows = 10 * MILLION, .units = {1, 1},
     .without_loss = true},
    {"logistic/10Mx16/full/loss", BENCH_TRAINING, .rows = 10 * MILLION, .units = {16, 1}},
    {"logistic/10Mx16/full/no-loss", BENCH_TRAINING, .rows = 10 * MILLION, .units = {16, 1},
     .without_loss = true},
    {"logistic/4Mx28/full/loss", BENCH_TRAINING, .rows = 4 * MILLION, .units = {28, 1}},
    {"logistic/4Mx28/full/no-loss", BENCH_TRAINING, .rows = 4 * MILLION, .units = {28, 1},
     .without_loss = true},
    {"logistic/1Mx100/full/loss", BENCH_TRAINING, .rows = MILLION, .units = {100, 1}},
    {"logistic/1Mx100/full/no-loss", BENCH_TRAINING, .rows = MILLION, .units = {100, 1},
     .without_loss = true},
    {"logistic/100kx1000/full/loss", BENCH_TRAINING, .rows = 100000, .units = {1000, 1}},
    {"logistic/100kx1000/full/no-loss", BENCH_TRAINING, .rows = 100000, .units = {1000, 1},
     .without_loss = true},
    {"logistic/1Mx28/batch128", BENCH_TRAINING, .rows = MILLION, .batch = 128, .units = {28, 1}},
    {"logistic/1Mx28/batch1024", BENCH_TRAINING, .rows = MILLION, .batch = 1024, .units = {28, 1}},
    {"logistic/1Mx28/batch16384", BENCH_TRAINING, .rows = MILLION, .batch = 16384, .units = {28, 1}},
    {"softmax/60kx784x10/full/loss", BENCH_TRAINING, .rows = 60000, .units = {784, 10}},
    {"softmax/60kx784x10/full/no-loss", BENCH_TRAINING, .rows = 60000, .units = {784, 10},
     .without_loss = true},
    {"mlp/784-128-10/batch32", BENCH_TRAINING, .rows = 60000, .batch = 32, .units = {784, 128, 10}},
    {"mlp/784-128-10/batch128", BENCH_TRAINING, .rows = 60000, .batch = 128, .units = {784, 128, 10}},
    {"mlp/784-256-10/batch512", BENCH_TRAINING, .rows = 60000, .batch = 512, .units = {784, 256, 10}},
    {"mlp/784-500-10/batch500", BENCH_TRAINING, .rows = 60000, .batch = 500, .units = {784, 500, 10}},
    {"mlp/784-512-512-10/batch4096", BENCH_TRAINING, .rows = 60000, .batch = 4096,
     .units = {784, 512, 512, 10}},
    {"mlp/32-64-64-2/batch4096", BENCH_TRAINING, .rows = 262144, .batch = 4096, .units = {32, 64, 64, 2}},
    {"mlp/16-32-32-1/batch16384", BENCH_TRAINING, .rows = 1048576, .batch = 16384, .units = {16, 32, 32, 1}},
    {"mlp/28-300x5-1/batch100", BENCH_TRAINING, .rows = 100000, .batch = 100,
     .units = {28, 300, 300, 300, 300, 300, 1}},
    {"mlp/1024x4-10/batch1024", BENCH_TRAINING, .rows = 16384, .batch = 1024,
     .units = {1024, 1024, 1024, 1024, 1024, 10}},
    {"assemble/1Mx28/batch16384/shuffled", BENCH_ASSEMBLE, .rows = MILLION, .batch = 16384, .units = {28, 1}},
    {"assemble/1Mx28/batch16384/in-order", BENCH_ASSEMBLE, .rows = MILLION, .batch = 16384, .units = {28, 1},
     .in_order = true},
    {"assemble/60kx784/batch1024/shuffled", BENCH_ASSEMBLE, .rows = 60000, .batch = 1024, .units = {784, 10}},
    {"assemble/60kx784/batch1024/in-order", BENCH_ASSEMBLE, .rows = 60000, .batch = 1024, .units = {784, 10},
     .in_order = true},
    {"assemble/memcpy", BENCH_MEMCPY, .rows = 4 * MILLION, .units = {28, 1}},
    {"csv/100kx28", BENCH_CSV, .rows = 100000, .units = {28, 1}},
    {"csv/100kx28/gz", BENCH_CSV, .rows = 100000, .units = {28, 1}, .packing = "gzip"},
    {"csv/100kx28/zst", BENCH_CSV, .rows = 100000, .units = {28, 1}, .packing = "zstd"},
    {"csv/1Mx28", BENCH_CSV, .rows = MILLION, .units = {28, 1}},
    {SYNTHETIC("logistic", 20, "uniform", UNIFORM)},
    {SYNTHETIC("logistic", 20, "normal", "")},
    {SYNTHETIC("images", 784, "normal", "")},
    SYNTHETIC_WIDTHS("linear", "uniform", UNIFORM),
    SYNTHETIC_WIDTHS("linear", "normal", ""),
    SYNTHETIC_WIDTHS("logistic", "uniform", UNIFORM),
    SYNTHETIC_WIDTHS("logistic", "normal", ""),
    SYNTHETIC_WIDTHS("regression", "uniform", UNIFORM),
    SYNTHETIC_WIDTHS("regression", "normal", ""),
    SYNTHETIC_WIDTHS("teacher", "uniform", UNIFORM),
    SYNTHETIC_WIDTHS("teacher", "normal", ""),
    SYNTHETIC_WIDTHS("blobs", "normal", ""),
    SYNTHETIC_WIDTHS("classification", "normal", ""),
    SYNTHETIC_WIDE("moons", "normal", ""),
    SYNTHETIC_WIDE("circles", "normal", ""),
    SYNTHETIC_WIDE("spirals", "normal", ""),
    SYNTHETIC_WIDE("xor", "normal", ""),
    {BUSY("evaluate", "1")},
    {BUSY("evaluate", "2")},
    {BUSY("predict", "1")},
    {BUSY("predict", "2")},
    {"start/version", BENCH_START, .rows = 1, .units = {1, 1}},
    {"start/first-step", BENCH_FIRST, .rows = 1000, .units = {8, 1}},
};

const size_t bench_workload_count = sizeof bench_workloads / sizeof *bench_workloads;

bool bench_needs_device(const bench_workload *workload) {
    return workload->kind == BENCH_TRAINING || workload->kind == BENCH_ASSEMBLE ||
           workload->kind == BENCH_FIRST;
}

tanda_status bench_run(const bench_workload *workload, backend *device, const bench_options *options,
                       bench_data *data, bench_result *result, tanda_error *error) {
    if (options->repetitions == 0 || options->repetitions > BENCH_MOST_REPETITIONS)
        return fail(error, TANDA_USAGE, "repetitions: %zu is not among 1 ... %d", options->repetitions,
                    BENCH_MOST_REPETITIONS);
    *result = (bench_result){0};
    const bool on_device = workload->kind == BENCH_TRAINING || workload->kind == BENCH_ASSEMBLE;
    return on_device ? bench_training(workload, device, options, data, result, error)
                     : bench_outside(workload, device, options, data, result, error);
}
