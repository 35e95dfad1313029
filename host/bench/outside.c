/* What is timed outside of training: copying memory, reading a file, making rows, starting the program. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/parts.h"
#include "data/dataset.h"
#include "model/model_file.h"
#include "support/clock.h"
#include "support/file_view.h"
#include "support/memory.h"
#include "support/parallel.h"
#include "support/text.h"

/* ---- copying ---------------------------------------------------------------------------------------------- */

typedef struct copying {
    char *target;
    const char *source;
    size_t bytes;
} copying;

static void copy_range(void *context, size_t first, size_t end) {
    const copying *copying = context;
    memcpy(copying->target + first, copying->source + first, end - first);
}

static tanda_status copy_all(void *context, size_t count, tanda_error *error) {
    const copying *copying = context;
    const size_t threads = parallel_threads();
    (void)error;
    for (size_t i = 0; i < count; i++)
        parallel_ranges(copying->bytes, (copying->bytes + threads - 1) / threads, copy_range, context);
    return TANDA_OK;
}

static tanda_status run_memcpy(const bench_workload *workload, const bench_options *options, bench_data *data,
                               bench_result *result, tanda_error *error) {
    tanda_status status = bench_data_make(workload, data, error);
    if (status != TANDA_OK) return status;
    copying copying = {.source = (const char *)data->values,
                       .bytes = data->rows * data->features * sizeof(float)};
    copying.target = allocate_untouched(copying.bytes);
    if (copying.target == NULL) return fail(error, TANDA_FAILED, "no memory for %zu bytes", copying.bytes);
    result->bytes = (double)copying.bytes;
    status = bench_measure(&(bench_job){copy_all, &copying, 1000000, NULL}, options, result, error);
    free(copying.target);
    return status;
}

/* ---- a file of numbers ------------------------------------------------------------------------------------ */

/* Writes the data as CSV with labels in the last column, to a new file whose name is put into path. */
static tanda_status write_csv(const bench_data *data, char path[BENCH_PATH_SIZE], size_t *bytes,
                              tanda_error *error) {
    int descriptor = -1;
    const tanda_status status = bench_make_file(path, &descriptor, error);
    if (status != TANDA_OK) return status;
    FILE *file = fdopen(descriptor, "w");
    if (file == NULL) return fail(error, TANDA_FAILED, "%s: %s", path, strerror(errno));
    for (size_t row = 0; row < data->rows; row++) {
        for (size_t k = 0; k < data->features; k++)
            fprintf(file, "%.7g,", (double)data->values[row * data->features + k]);
        fprintf(file, "%d\n", data->labels[row]);
    }
    const long size = ftell(file);
    const bool written = fclose(file) == 0 && size > 0;
    *bytes = written ? (size_t)size : 0;
    return written ? TANDA_OK : fail(error, TANDA_FAILED, "%s: cannot be written", path);
}

static bool copy_packed(struct archive *archive, const file_view *view, const char *path) {
    struct archive_entry *entry = archive_entry_new();
    if (entry == NULL) return false;
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, (int64_t)view->size);
    archive_entry_set_pathname(entry, "rows.csv");
    const bool written = archive_write_open_filename(archive, path) == ARCHIVE_OK &&
                         archive_write_header(archive, entry) == ARCHIVE_OK &&
                         archive_write_data(archive, view->data, view->size) == (la_ssize_t)view->size;
    archive_entry_free(entry);
    return archive_write_close(archive) == ARCHIVE_OK && written;
}

/* Puts the packed file in the place of the file. The rate of reading it counts the bytes of its text. */
static tanda_status pack(const char *path, const char *packing, tanda_error *error) {
    file_view view = {0};
    char packed[BENCH_PATH_SIZE + 8];
    tanda_status status = file_view_open(path, &view, error);
    if (status != TANDA_OK) return status;
    text_put(packed, sizeof packed, "%s.packed", path);
    struct archive *archive = archive_write_new();
    const bool done = archive != NULL && archive_write_add_filter_by_name(archive, packing) == ARCHIVE_OK &&
                      archive_write_set_format_raw(archive) == ARCHIVE_OK &&
                      copy_packed(archive, &view, packed) && rename(packed, path) == 0;
    if (!done) status = fail(error, TANDA_FAILED, "%s: cannot be packed by %s", path, packing);
    if (!done) unlink(packed);
    archive_write_free(archive);
    file_view_close(&view);
    return status;
}

static tanda_status load_csv(void *context, size_t count, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        tanda_dataset *dataset = NULL;
        status = tanda_dataset_load(context, NULL, &dataset, error);
        tanda_dataset_free(dataset);
    }
    return status;
}

static tanda_status run_csv(const bench_workload *workload, const bench_options *options, bench_data *data,
                            bench_result *result, tanda_error *error) {
    char path[BENCH_PATH_SIZE];
    size_t bytes = 0;
    tanda_status status = bench_data_make(workload, data, error);
    if (status != TANDA_OK) return status;
    status = write_csv(data, path, &bytes, error);
    result->bytes = (double)bytes;
    if (status == TANDA_OK && workload->packing != NULL) status = pack(path, workload->packing, error);
    if (status == TANDA_OK)
        status = bench_measure(&(bench_job){load_csv, path, 1000, NULL}, options, result, error);
    unlink(path);
    return status;
}

/* ---- synthetic rows --------------------------------------------------------------------------------------- */

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

static tanda_status run_synthetic(const bench_workload *workload, const bench_options *options,
                                  bench_result *result, tanda_error *error) {
    making making = {.rows = workload->rows};
    synthetic_request request;
    tanda_status status = synthetic_parse(workload->description, &request, error);
    if (status == TANDA_OK) status = synthetic_open(&request, &making.source, error);
    const size_t values = making.rows * making.source.data.features;
    if (status == TANDA_OK)
        status = allocate(&making.features, values, sizeof *making.features, "rows", error);
    if (status == TANDA_OK)
        status = allocate(&making.labels, making.rows, sizeof *making.labels, "labels", error);
    result->bytes = (double)values * sizeof(float);
    if (status == TANDA_OK)
        status = bench_measure(&(bench_job){make_rows, &making, 1000000, NULL}, options, result, error);
    free(making.features);
    free(making.labels);
    synthetic_close(&making.source);
    return status;
}

/* ---- a command of this program, started as a process of its own ------------------------------------------- */

extern char **environ;

typedef struct starting {
    const char *program;
    char *const *arguments;
} starting;

static tanda_status start_all(void *context, size_t count, tanda_error *error) {
    const starting *starting = context;
    for (size_t i = 0; i < count; i++) {
        posix_spawn_file_actions_t actions;
        pid_t child = 0;
        int ended = 0;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        const int code = posix_spawn(&child, starting->program, &actions, NULL, starting->arguments, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (code != 0) return fail(error, TANDA_FAILED, "%s: %s", starting->program, strerror(code));
        while (waitpid(child, &ended, 0) < 0)
            if (errno != EINTR)
                return fail(error, TANDA_FAILED, "%s: %s", starting->program, strerror(errno));
        if (!WIFEXITED(ended) || WEXITSTATUS(ended) != 0)
            return fail(error, TANDA_FAILED, "%s %s: ended with %d", starting->program,
                        starting->arguments[1], WIFEXITED(ended) ? WEXITSTATUS(ended) : -1);
    }
    return TANDA_OK;
}

/* With these arguments, the first of which is the program's name. */
static tanda_status time_starts(char *const *arguments, const bench_options *options, bench_result *result,
                                tanda_error *error) {
    starting starting = {.program = options->program != NULL ? options->program : "/proc/self/exe",
                         .arguments = arguments};
    return bench_measure(&(bench_job){start_all, &starting, 100, NULL}, options, result, error);
}

static tanda_status run_first_step(const bench_workload *workload, const backend *device,
                                   const bench_options *options, bench_data *data, bench_result *result,
                                   tanda_error *error) {
    char path[BENCH_PATH_SIZE], device_id[sizeof device->information.id];
    size_t bytes = 0;
    tanda_status status = bench_data_make(workload, data, error);
    if (status == TANDA_OK) status = write_csv(data, path, &bytes, error);
    if (status != TANDA_OK) return status;
    memcpy(device_id, device->information.id, sizeof device_id);
    char *const arguments[] = {"tanda",    "train",   "--data",  path,   "--epochs", "1",
                               "--batch",  "full",    "--scale", "none", "--quiet",  "--require-device",
                               "--device", device_id, NULL};
    status = time_starts(arguments, options, result, error);
    unlink(path);
    return status;
}

/* ---- using a model where another process keeps a core to itself ------------------------------------------- */

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

static tanda_status run_busy(const bench_workload *workload, const bench_options *options,
                             bench_result *result, tanda_error *error) {
    char path[BENCH_PATH_SIZE] = "", data[128], command[16], threads[16];
    text_put(data, sizeof data, "synthetic:logistic,rows=%zu,features=%zu", workload->rows,
             workload->units[0]);
    text_put(command, sizeof command, "%s", workload->command);
    text_put(threads, sizeof threads, "%s", workload->threads);
    char *const arguments[] = {"tanda", command,     path,    "--data",  data, "--device",
                               "cpu",   "--threads", threads, "--quiet", NULL};
    tanda_status status = save_model(workload, path, error);
    const pid_t busy = status == TANDA_OK ? keep_core_busy() : -1;
    if (status == TANDA_OK && busy < 0)
        status = fail(error, TANDA_FAILED, "no process to keep a core busy: %s", strerror(errno));
    if (status == TANDA_OK) {
        bench_set_own_child(busy);
        status = time_starts(arguments, options, result, error);
        bench_set_own_child(0);
        kill(busy, SIGKILL);
        waitpid(busy, NULL, 0);
    }
    unlink(path);
    return status;
}

tanda_status bench_outside(const bench_workload *workload, backend *device, const bench_options *options,
                           bench_data *data, bench_result *result, tanda_error *error) {
    char *const version[] = {"tanda", "--version", NULL};
    switch (workload->kind) {
    case BENCH_MEMCPY:
        return run_memcpy(workload, options, data, result, error);
    case BENCH_CSV:
        return run_csv(workload, options, data, result, error);
    case BENCH_SYNTHETIC:
        return run_synthetic(workload, options, result, error);
    case BENCH_BUSY:
        return run_busy(workload, options, result, error);
    case BENCH_START:
        return time_starts(version, options, result, error);
    default:
        return run_first_step(workload, device, options, data, result, error);
    }
}
