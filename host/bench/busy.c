/* Using a model where another process keeps a core to itself. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/parts.h"
#include "model/model_file.h"
#include "support/text.h"

/* Computes for ever on the first core that this process may use, and ends with it. */
static pid_t keep_core_busy(void) {
    cpu_set_t cores, first;
    CPU_ZERO(&first);
    const bool is_known = sched_getaffinity(0, sizeof cores, &cores) == 0;
    int core = 0;
    while (is_known && core < CPU_SETSIZE && !CPU_ISSET(core, &cores))
        core++;
    CPU_SET(core, &first);
    const pid_t child = fork();
    if (child != 0) return child;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sched_setaffinity(0, sizeof first, &first);
    for (volatile unsigned rounds = 0;;)
        rounds++;
}

static tanda_status save_model(const bench_workload *workload, char path[BENCH_PATH_SIZE],
                               tanda_error *error) {
    tanda_model *model = NULL;
    int descriptor = -1;
    tanda_status status = bench_make_file(path, &descriptor, error);
    if (status != TANDA_OK) return status;
    close(descriptor);
    status = bench_make_model(workload, &model, error);
    if (status == TANDA_OK) status = model_file_save(model, path, error);
    tanda_model_free(model);
    return status;
}

static tanda_status time_starts(char *const *arguments, const bench_options *options, bench_result *result,
                                tanda_error *error) {
    const pid_t busy = keep_core_busy();
    if (busy < 0) return fail(error, TANDA_FAILED, "no process to keep a core busy: %s", strerror(errno));
    bench_set_own_child(busy);
    const tanda_status status = bench_starts(arguments, options, result, error);
    bench_set_own_child(0);
    kill(busy, SIGKILL);
    waitpid(busy, NULL, 0);
    return status;
}

tanda_status bench_busy(const bench_workload *workload, const bench_options *options, bench_result *result,
                        tanda_error *error) {
    char path[BENCH_PATH_SIZE] = "", data[128], command[16], threads[16];
    text_put(data, sizeof data, "synthetic:logistic,rows=%zu,features=%zu", workload->rows,
             workload->units[0]);
    text_put(command, sizeof command, "%s", workload->command);
    text_put(threads, sizeof threads, "%s", workload->threads);
    char *const arguments[] = {"tanda", command,     path,    "--data",  data, "--device",
                               "cpu",   "--threads", threads, "--quiet", NULL};
    tanda_status status = save_model(workload, path, error);
    if (status == TANDA_OK) status = time_starts(arguments, options, result, error);
    unlink(path);
    return status;
}
