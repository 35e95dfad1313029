/* What tanda bench says: a table, and JSON in the shape of Google Benchmark's. */
#ifndef TANDA_CLI_BENCH_REPORT_H
#define TANDA_CLI_BENCH_REPORT_H

#include "cli/report.h"
#include "tanda_lab.h"

void print_limits(const tanda_device_information *device, const device_limits *limits);
void print_bench_heading(const tanda_device_information *device);
void print_bench_line(const bench_workload *workload, const bench_result *result);
void print_bench_footnote(void); /* what the mark of a disturbed line says */

/* context and benchmarks; the arrays are the report's. */
typedef struct bench_report {
    report report;
    json_t *devices, *benchmarks;
} bench_report;

bench_report bench_report_begin(void);
void bench_report_device(bench_report *report, const tanda_device_information *device,
                         const device_limits *limits);
void bench_report_add(bench_report *report, const bench_workload *workload,
                      const tanda_device_information *device, const bench_result *result);

/* To a file, whole or not at all. */
tanda_status bench_report_write(const bench_report *report, const char *path, tanda_error *error);

#endif
