/* The options of tanda bench. */
#ifndef TANDA_CLI_BENCH_OPTIONS_H
#define TANDA_CLI_BENCH_OPTIONS_H

#include <regex.h>

#include "cli/options.h"
#include "tanda_lab.h"

typedef struct bench_command_options {
    common_options common;
    text_list
        devices; /* what --device names, a comma between two; empty: the CPU and the first OpenCL device */
    bench_options bench;
    const char *output; /* or NULL */
    bool has_filter;
    regex_t filter;
    bool list;
} bench_command_options;

/* Released by bench_options_free whatever it returns. Fails with TANDA_USAGE. */
tanda_status bench_options_read(int argc, char **argv, bench_command_options *options, tanda_error *error);
void bench_options_free(bench_command_options *options);
bool bench_options_take(const bench_command_options *options, const bench_workload *workload);

#endif
