#include "hosts/hosts.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hosts/launcher.h"
#include "hosts/plugin_load.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define SPIN_SECONDS 50e-6 /* what waits for less does not give the core away, */
#define YIELD_SECONDS 2e-3 /* and for less than this does not sleep */
#define SLEEP_NANOSECONDS 50000
#define LEAST_PATIENCE 2.0   /* seconds that a rank waits for others before it heeds a signal */
#define LAUNCHER_SECONDS 1.1 /* from its SIGTERM to its SIGKILL, with which it ends those whom one gave up */
#define TURN_SECONDS 0.4     /* more for each rank before this one, */
#define MOST_TURNS 10        /* or so many ranks */
#define DELIVERY_NANOSECONDS 300000000 /* for a last line to reach the launcher */

/* ---- waiting -------------------------------------------------------------------------------------------- */

static tanda_status lose(tanda_hosts *hosts, int code, tanda_error *error) {
    char words[300];
    hosts->is_lost = true;
    hosts->plugin->text(code, words, sizeof words);
    return fail(error, TANDA_FAILED, "rank %zu (%s) lost touch with the others: %s", hosts->place.rank,
                hosts->ranks == NULL ? "starting" : hosts->ranks[hosts->place.rank].host, words);
}

/* First at once, as most of what is waited for is there soon, but where ranks share a core: then that is the other's. */
static void pass_time(const tanda_hosts *hosts, double waited) {
    const bool shares_cores = hosts->threads == 0;
    if (waited < SPIN_SECONDS && !shares_cores) return;
    if (waited < YIELD_SECONDS && !shares_cores)
        sched_yield();
    else
        nanosleep(&(struct timespec){.tv_nsec = SLEEP_NANOSECONDS}, NULL);
}

static double patience_of(const tanda_hosts *hosts) {
    return 2.0 * hosts->seconds > LEAST_PATIENCE ? 2.0 * hosts->seconds : LEAST_PATIENCE;
}

/*
 * Seconds from a signal until this rank tells of it: rank 0 does at once. The others leave it the time to, as the signal
 * may be that of the launcher, which ends them since a rank has told of it. One that was stopped hears of it late.
 */
static double turn_of(const tanda_hosts *hosts) {
    const size_t rank = hosts->place.rank < MOST_TURNS ? hosts->place.rank : MOST_TURNS;
    return rank == 0 ? 0.0 : LAUNCHER_SECONDS + TURN_SECONDS * (double)rank;
}

static tanda_status wait_for_all(tanda_hosts *hosts, int code, tanda_error *error) {
    const double begun = seconds_now(), patience = patience_of(hosts), turn = turn_of(hosts);
    double waited = 0.0, heard = -1.0; /* heard: of a signal, when so long had been waited */
    bool is_done = false;
    while (code == 0) {
        code = hosts->plugin->poll(&is_done);
        if (is_done || code != 0) break;
        waited = seconds_now() - begun;
        pass_time(hosts, waited);
        if (waited < patience || hosts->gives_up == NULL || !hosts->gives_up(hosts->context)) continue;
        if (heard < 0.0) heard = waited;
        if (waited - heard < turn) continue;
        hosts->is_lost = true;
        return fail(
            error, TANDA_INTERRUPTED,
            "interrupted while rank %zu (%s) waited for another; what is saved is what was saved before",
            hosts->place.rank, hosts->ranks[hosts->place.rank].host);
    }
    if (code != 0) return lose(hosts, code, error);
    if (waited > hosts->seconds) hosts->seconds = waited;
    return TANDA_OK;
}

static tanda_status check_touch(const tanda_hosts *hosts, tanda_error *error) {
    return hosts->is_lost ? fail(error, TANDA_FAILED, "the other ranks are lost") : TANDA_OK;
}

/* ---- exchanges ------------------------------------------------------------------------------------------ */

static size_t sum_of(const tanda_hosts *hosts, const size_t *counts) {
    size_t sum = 0;
    for (size_t i = 0; i < hosts->place.ranks; i++)
        sum += counts[i];
    return sum;
}

/* Bytes to and from others. */
static void count_traffic(tanda_hosts *hosts, size_t sent, size_t received) {
    hosts->sent += sent * sizeof(word);
    hosts->received += received * sizeof(word);
}

tanda_status hosts_gather(tanda_hosts *hosts, const void *own, void *all, const size_t *counts,
                          tanda_error *error) {
    const size_t mine = counts[hosts->place.rank];
    const tanda_status status = check_touch(hosts, error);
    if (status != TANDA_OK) return status;
    count_traffic(hosts, mine * (hosts->place.ranks - 1), sum_of(hosts, counts) - mine);
    return wait_for_all(hosts, hosts->plugin->gather(own, all, counts), error);
}

tanda_status hosts_exchange(tanda_hosts *hosts, const void *out, const size_t *sent, void *in,
                            const size_t *received, tanda_error *error) {
    const size_t rank = hosts->place.rank;
    const tanda_status status = check_touch(hosts, error);
    if (status != TANDA_OK) return status;
    count_traffic(hosts, sum_of(hosts, sent) - sent[rank], sum_of(hosts, received) - received[rank]);
    return wait_for_all(hosts, hosts->plugin->exchange(out, sent, in, received), error);
}

tanda_status hosts_broadcast(tanda_hosts *hosts, void *words, size_t count, tanda_error *error) {
    if (hosts == NULL) return TANDA_OK;
    const tanda_status status = check_touch(hosts, error);
    return status == TANDA_OK ? wait_for_all(hosts, hosts->plugin->broadcast(words, count), error) : status;
}

tanda_status hosts_gather_equal(tanda_hosts *hosts, const void *own, void *all, size_t words,
                                tanda_error *error) {
    for (size_t i = 0; i < hosts->place.ranks; i++)
        hosts->counts[i] = words;
    return hosts_gather(hosts, own, all, hosts->counts, error);
}

/* ---- agreeing ------------------------------------------------------------------------------------------- */

const char *hosts_rank_text(const tanda_hosts *hosts, size_t rank, char text[RANK_TEXT_SIZE]) {
    text_put(text, RANK_TEXT_SIZE, "rank %zu (%s)", rank, hosts->ranks[rank].host);
    return text;
}

typedef struct verdict {
    uint32_t status, flags;
} verdict;

/* The words of the first rank that failed. */
static tanda_status share_failure(tanda_hosts *hosts, size_t rank, tanda_status status, tanda_error *error) {
    tanda_error own = {0}, *all = NULL;
    char who[RANK_TEXT_SIZE];
    if (error != NULL) own = *error;
    tanda_status shared = allocate(&all, hosts->place.ranks, sizeof *all, "errors", error);
    if (shared == TANDA_OK) shared = hosts_gather_equal(hosts, &own, all, sizeof own / sizeof(word), error);
    if (shared == TANDA_OK) {
        hosts->is_settled = true;
        all[rank].message[sizeof all->message - 1] = '\0';
        if (rank == 0)
            shared = fail(error, status, "%s", all[rank].message);
        else
            shared = fail(error, status, "%s: %s", hosts_rank_text(hosts, rank, who), all[rank].message);
    }
    free(all);
    return shared;
}
_Static_assert(sizeof(tanda_error) % sizeof(word) == 0, "errors travel in words");

tanda_status hosts_agree(tanda_hosts *hosts, tanda_status status, uint32_t *flags, tanda_error *error) {
    verdict own = {(uint32_t)status, flags == NULL ? 0 : *flags}, *all = NULL;
    if (!hosts_are_together(hosts)) return status;
    tanda_status shared = allocate(&all, hosts->place.ranks, sizeof *all, "verdicts", error);
    if (shared == TANDA_OK) shared = hosts_gather_equal(hosts, &own, all, sizeof own / sizeof(word), error);
    for (size_t i = 0; shared == TANDA_OK && i < hosts->place.ranks; i++)
        if (flags != NULL) *flags |= all[i].flags;
    for (size_t i = 0; shared == TANDA_OK && i < hosts->place.ranks; i++)
        if (all[i].status != TANDA_OK) shared = share_failure(hosts, i, (tanda_status)all[i].status, error);
    free(all);
    return shared;
}

void hosts_settle(tanda_hosts *hosts) {
    if (hosts != NULL) hosts->is_settled = true;
}

void hosts_begin_work(tanda_hosts *hosts, bool (*gives_up)(void *context), void *context) {
    if (hosts == NULL) return;
    hosts->is_settled = false;
    hosts->gives_up = gives_up;
    hosts->context = context;
}

tanda_status hosts_gather_texts(tanda_hosts *hosts, const char *text, char ***texts, tanda_error *error) {
    const size_t ranks = hosts->place.ranks;
    const uint32_t length = (uint32_t)strlen(text);
    uint32_t *lengths = NULL;
    char **made = NULL, *own = NULL;
    tanda_status status = allocate(&lengths, ranks, sizeof *lengths, "texts", error);
    if (status == TANDA_OK) status = hosts_gather_equal(hosts, &length, lengths, 1, error);
    if (status != TANDA_OK) {
        free(lengths);
        return status;
    }
    size_t words = 0;
    for (size_t i = 0; i < ranks; i++)
        words += hosts->counts[i] = lengths[i] / sizeof(word) + 1; /* with an end */
    status = allocate(&own, hosts->counts[hosts->place.rank], sizeof(word), "texts", error);
    if (status == TANDA_OK)
        status = allocate(&made, ranks * sizeof *made + words * sizeof(word), 1, "texts", error);
    if (status == TANDA_OK) {
        memcpy(own, text, length);
        status = hosts_gather(hosts, own, made + ranks, hosts->counts, error);
    }
    char *at = (char *)(made + ranks);
    for (size_t i = 0; status == TANDA_OK && i < ranks; i++) {
        made[i] = at;
        at += hosts->counts[i] * sizeof(word);
    }
    free(own);
    free(lengths);
    if (status == TANDA_OK)
        *texts = made;
    else
        free(made);
    return status;
}

/* ---- beginning and end ---------------------------------------------------------------------------------- */

typedef struct introduction {
    char host[HOST_NAME_SIZE];
    cpu_set_t cores;
} introduction;
_Static_assert(sizeof(introduction) % sizeof(word) == 0, "introductions travel in words");

/* Cores that this process may use, by the ranks of its host that may use them, too: launchers bind some to cores. */
static size_t share_of_cores(const tanda_hosts *hosts, const introduction *all) {
    const introduction *own = &all[hosts->place.rank];
    size_t sharing = 0;
    for (size_t i = 0; i < hosts->place.ranks; i++) {
        cpu_set_t common;
        CPU_AND(&common, &own->cores, &all[i].cores);
        sharing += strcmp(all[i].host, own->host) == 0 && CPU_COUNT(&common) > 0;
    }
    return sharing == 0 ? 0 : (size_t)CPU_COUNT(&own->cores) / sharing;
}

static tanda_status introduce(tanda_hosts *hosts, tanda_error *error) {
    introduction own = {0}, *all = NULL;
    const size_t ranks = hosts->place.ranks;
    if (gethostname(own.host, sizeof own.host - 1) != 0) text_put(own.host, sizeof own.host, "?");
    text_clean(own.host);
    if (sched_getaffinity(0, sizeof own.cores, &own.cores) != 0) CPU_SET(0, &own.cores);
    tanda_status status = allocate(&hosts->ranks, ranks, sizeof *hosts->ranks, "ranks", error);
    if (status == TANDA_OK) status = allocate(&hosts->counts, ranks, sizeof *hosts->counts, "ranks", error);
    if (status == TANDA_OK) status = allocate(&all, ranks, sizeof *all, "ranks", error);
    memcpy(hosts->ranks[hosts->place.rank].host, own.host, sizeof own.host);
    if (status == TANDA_OK) status = hosts_gather_equal(hosts, &own, all, sizeof own / sizeof(word), error);
    for (size_t i = 0; status == TANDA_OK && i < ranks; i++) {
        memcpy(hosts->ranks[i].host, all[i].host, sizeof all[i].host);
        hosts->ranks[i].host[HOST_NAME_SIZE - 1] = '\0';
    }
    if (status == TANDA_OK) hosts->threads = share_of_cores(hosts, all);
    free(all);
    return status;
}

/* MPICH takes SIGUSR1 for itself. What the program handles stays the program's. */
static int begin_mpi(tanda_hosts *hosts) {
    static const int watched[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT, SIGHUP, SIGXCPU, SIGALRM};
    enum { WATCHED = sizeof watched / sizeof *watched };
    struct sigaction before[WATCHED];
    for (size_t i = 0; i < WATCHED; i++)
        sigaction(watched[i], NULL, &before[i]);
    const int code = hosts->plugin->begin(&hosts->place);
    for (size_t i = 0; i < WATCHED; i++)
        if (before[i].sa_handler != SIG_DFL) sigaction(watched[i], &before[i], NULL);
    return code;
}

static tanda_status join(const char *mpi, const launcher *launched, tanda_hosts *made, tanda_error *error) {
    tanda_status status = plugin_load(mpi, launched, &made->library, &made->plugin, error);
    if (status != TANDA_OK) return status;
    const int code = begin_mpi(made);
    if (code != 0) return lose(made, code, error);
    made->plugin->library(made->mpi, sizeof made->mpi);
    if (launched->ranks <= 1 || made->place.ranks == launched->ranks) return introduce(made, error);
    made->plugin->end();
    return fail(error, TANDA_USAGE,
                "--mpi %s: %zu ranks were started, and %s knows of %zu: another MPI started them", mpi,
                launched->ranks, made->mpi, made->place.ranks);
}

bool tanda_hosts_launched(size_t *rank, size_t *ranks) {
    const launcher launched = launcher_find();
    if (rank != NULL) *rank = launched.rank;
    if (ranks != NULL) *ranks = launched.ranks;
    return launched.ranks > 1;
}

tanda_status tanda_hosts_begin(const char *mpi, tanda_hosts **hosts, tanda_error *error) {
    const launcher launched = launcher_find();
    const bool is_auto = mpi == NULL || strcmp(mpi, "auto") == 0;
    tanda_hosts *made = NULL;
    *hosts = NULL;
    if ((mpi != NULL && strcmp(mpi, "no") == 0) || (is_auto && launched.ranks <= 1)) return TANDA_OK;
    tanda_status status = allocate(&made, 1, sizeof *made, "ranks", error);
    if (status == TANDA_OK) status = join(is_auto ? launched.mpi : mpi, &launched, made, error);
    if (status == TANDA_OK) *hosts = made;
    if (status != TANDA_OK) free(made);
    return status;
}

void tanda_hosts_end(tanda_hosts *hosts, tanda_status status) {
    uint32_t own = 0, *all = NULL;
    if (hosts == NULL) return;
    const bool is_alone = hosts->is_lost || (status != TANDA_OK && !hosts->is_settled);
    if (is_alone) {
        /* Launchers drop what has not gone through their pipes when they end all ranks. */
        nanosleep(&(struct timespec){.tv_nsec = DELIVERY_NANOSECONDS}, NULL);
        hosts->plugin->abort((int)status);
    }
    /* Some MPIs end all ranks when one has ended with an error: the others wait until this one is ready. */
    hosts->gives_up = NULL;
    if (allocate(&all, hosts->place.ranks, sizeof *all, "ranks", NULL) == TANDA_OK)
        (void)hosts_gather_equal(hosts, &own, all, 1, NULL);
    hosts->plugin->end();
    free(all);
    free(hosts->ranks);
    free(hosts->counts);
    free(hosts);
}

size_t tanda_hosts_rank(const tanda_hosts *hosts) {
    return hosts_rank(hosts);
}

size_t tanda_hosts_count(const tanda_hosts *hosts) {
    return hosts_count(hosts);
}

tanda_status tanda_hosts_agree(tanda_hosts *hosts, tanda_status status, tanda_error *error) {
    return hosts_agree(hosts, status, NULL, error);
}

bool tanda_hosts_is_settled(const tanda_hosts *hosts) {
    return hosts == NULL || hosts->is_settled;
}
