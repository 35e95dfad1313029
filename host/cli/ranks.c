#include "cli/ranks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/report.h"
#include "tanda_lab.h"

#define DEVICES_NAMED 8
#define MICROSECONDS_TO_TELL \
    500000 /* launchers end all ranks soon after the first: rank 0 is to tell before */

static struct state {
    size_t rank, ranks; /* as the launcher says, unless --mpi no */
    tanda_hosts *hosts;
    const char *mpi; /* of the command line; NULL: auto */
    bool was_joined; /* or tried to be: MPI begins once */
    bool is_shared;  /* the command is one that the ranks share */
    size_t
        memory; /* that this rank has for rows, as it shares its host's with others; 0: it does not, or was told */
} state = {.ranks = 1};

/* Before the command's own options are known: what --mpi says, or NULL. */
static const char *find_mpi(int argc, char **argv) {
    const char *found = NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--mpi=", strlen("--mpi=")) == 0) found = argv[i] + strlen("--mpi=");
        if (strcmp(argv[i], "--mpi") == 0 && i + 1 < argc) found = argv[i + 1];
    }
    return found;
}

bool ranks_begin(int argc, char **argv) {
    state.mpi = find_mpi(argc, argv);
    const bool joins = state.mpi == NULL || strcmp(state.mpi, "no") != 0;
    if (!joins || !tanda_hosts_launched(&state.rank, &state.ranks)) return false;
    static const char *const shared[] = {"train", "evaluate", "predict"};
    for (size_t i = 0; argc > 1 && i < sizeof shared / sizeof *shared; i++)
        state.is_shared = state.is_shared || strcmp(argv[1], shared[i]) == 0;
    if (state.rank > 0 && freopen("/dev/null", "w", stdout) == NULL) return true;
    return state.rank > 0 && !state.is_shared;
}

/* Rank 0 tells; each has its share of the host's cores and devices. */
static void take_part(common_options *common) {
    const tanda_hosts *hosts = state.hosts;
    tanda_device_options *device = &common->device;
    char threads[24];
    text_put(threads, sizeof threads, "%zu", hosts->threads > 0 ? hosts->threads : 1);
    if (setenv("OMP_NUM_THREADS", threads, 0) == 0 && device->threads == 0)
        device->threads = strtoul(getenv("OMP_NUM_THREADS"), NULL, 10); /* its runtime has read it before */
    device->turn = hosts->place.local_rank;
    if (hosts_rank(hosts) > 0) common->quiet = true;
}

/* Rank 0 writes. */
static void leave_files(train_options *options) {
    if (hosts_rank(state.hosts) == 0) return;
    options->common.json = options->plot = options->profile = false;
    options->output = options->log = options->csv_log = options->profile_trace = NULL;
}

void ranks_share_memory(const data_options *data, tanda_dataset_options *reading) {
    if (state.hosts != NULL && data->read.memory == 0 && state.hosts->place.local_ranks > 1)
        state.memory = reading->memory /= state.hosts->place.local_ranks;
}

static tanda_status join(tanda_error *error) {
    state.was_joined = true;
    const tanda_status status = tanda_hosts_begin(state.mpi, &state.hosts, error);
    if (state.hosts == NULL) return status;
    state.rank = hosts_rank(state.hosts);
    state.ranks = hosts_count(state.hosts);
    return state.rank == 0 || freopen("/dev/null", "w", stdout) != NULL
               ? status
               : fail(error, TANDA_FAILED, "/dev/null: cannot be opened");
}

tanda_status ranks_join(train_options *options, tanda_status status, tanda_error *error) {
    if (status != TANDA_OK || options->common.finished) return status;
    status = join(error);
    if (status != TANDA_OK || state.hosts == NULL) return status;
    take_part(&options->common);
    leave_files(options);
    ranks_share_memory(&options->data, &options->reading);
    options->training.hosts = state.hosts;
    return ranks_agree(status, error);
}

/* A launcher gives its standard input to one rank alone, and what a FIFO has comes once. */
static bool come_once(const data_options *data) {
    bool once = false;
    for (size_t i = 0; i < data->paths.count; i++)
        once = once || pipe_is_named(data->paths.texts[i]);
    return once;
}

tanda_status ranks_join_application(common_options *common, const data_options *data, tanda_status status,
                                    tanda_error *error) {
    if (status != TANDA_OK || common->finished || !state.is_shared) return status;
    if (come_once(data)) {
        state.is_shared = false;
        common->finished = state.rank > 0;
        return TANDA_OK;
    }
    status = join(error);
    if (status != TANDA_OK || state.hosts == NULL) return status;
    take_part(common);
    if (common->device.math == TANDA_MATH_FAST)
        status = fail(error, TANDA_USAGE,
                      "--math fast: each rank's device would make numbers of its own; several ranks take "
                      "--math exact");
    return ranks_agree(status, error);
}

tanda_status ranks_agree(tanda_status status, tanda_error *error) {
    return tanda_hosts_agree(state.hosts, status, error);
}

bool ranks_have_mpi(void) {
    return state.was_joined && state.ranks > 1;
}

tanda_hosts *ranks_hosts(void) {
    return state.hosts;
}

/* Each once, where they are not all the same. */
static void print_devices(char *const *ids) {
    for (size_t i = 0, named = 0; i < state.ranks && named < DEVICES_NAMED; i++) {
        size_t before = 0, count = 0;
        while (strcmp(ids[before], ids[i]) != 0)
            before++;
        for (size_t k = i; k < state.ranks; k++)
            count += strcmp(ids[k], ids[i]) == 0;
        if (before < i || count == state.ranks) continue;
        fprintf(stderr, "%s%zu of %s", named++ == 0 ? "; " : ", ", count, ids[i]);
    }
}

static size_t count_hosts(void) {
    size_t count = 0;
    for (size_t i = 0; i < state.ranks; i++) {
        size_t before = 0;
        while (strcmp(state.hosts->ranks[before].host, state.hosts->ranks[i].host) != 0)
            before++;
        count += before == i;
    }
    return count;
}

static void print(char *const *ids, size_t batch_rows, size_t working) {
    const size_t hosts = count_hosts(), tiles = tiles_of(batch_rows);
    fprintf(stderr, "ranks: %zu on %zu host%s, %s", state.ranks, hosts, plural(hosts), state.hosts->mpi);
    print_devices(ids);
    fprintf(stderr, "; a batch of %zu row%s is %zu tile%s of 256 rows", batch_rows, plural(batch_rows), tiles,
            plural(tiles));
    if (working == state.ranks)
        fputs(": all ranks have work", stderr);
    else
        fprintf(stderr, ": only %zu of %zu ranks have work", working, state.ranks);
    if (state.memory > 0) fprintf(stderr, "; each has %.1f GiB for rows", (double)state.memory / 0x1p30);
    fputs("\n", stderr);
}

tanda_status ranks_tell(const tanda_device *device, size_t batch_rows, bool quiet, tanda_error *error) {
    char **ids = NULL;
    shares shares = {0};
    if (state.hosts == NULL) return TANDA_OK;
    tanda_status status = shares_make(tiles_of(batch_rows), state.ranks, &shares, error);
    if (status == TANDA_OK)
        status = hosts_gather_texts(state.hosts, tanda_device_describe(device)->id, &ids, error);
    if (status == TANDA_OK && !quiet) print(ids, batch_rows, shares.working);
    shares_free(&shares);
    free(ids);
    return status;
}

tanda_status ranks_share_failure(tanda_status status, tanda_error *error) {
    if (status == TANDA_OK || state.ranks <= 1 || !state.is_shared || state.hosts != NULL) return status;
    if (!state.was_joined && join(NULL) == TANDA_OK) return ranks_agree(status, error);
    if (state.rank > 0) usleep(MICROSECONDS_TO_TELL);
    return status;
}

bool ranks_speak(void) {
    return state.rank == 0 || (state.hosts != NULL && !tanda_hosts_is_settled(state.hosts));
}

void ranks_end(tanda_status status) {
    tanda_hosts_end(state.hosts, status);
    state.hosts = NULL;
}
