/*
 * Several processes, the ranks, that train together: who they are, and what they tell one another. Each computes the sums
 * of some tiles of a batch (shares.h, sharing.h); bytes travel by the plug-in of an MPI (plugin.h), which adds nothing.
 *
 * All ranks take part in each exchange. A rank that fails between two of them says so in the next one (hosts_agree), and
 * all fail with the same words. Where there is one rank, `hosts` is NULL, and every function below does nothing.
 */
#ifndef TANDA_HOSTS_HOSTS_H
#define TANDA_HOSTS_HOSTS_H

#include "hosts/plugin.h"
#include "support/status.h"

#define HOST_NAME_SIZE 64

/* What travels. */
typedef union word {
    uint32_t natural;
    float real;
} word;

typedef struct rank_information {
    char host[HOST_NAME_SIZE];
} rank_information;

struct tanda_hosts {
    void *library;
    const hosts_plugin *plugin;
    hosts_place place;
    char mpi[80];             /* which it is, with its version */
    rank_information *ranks;  /* (place.ranks) */
    size_t threads;           /* this rank's share of its host's cores */
    size_t *counts;           /* (place.ranks), of a gathering of equal parts */
    bool is_lost;             /* an exchange failed: there will be no other */
    bool is_settled;          /* all ranks know how it ends */
    double seconds;           /* of the longest wait so far */
    bool (*gives_up)(void *); /* whether waiting is to end, as a signal came; or NULL */
    void *context;
    uint64_t sent, received; /* bytes, of this rank */
};

static inline size_t hosts_rank(const tanda_hosts *hosts) {
    return hosts == NULL ? 0 : hosts->place.rank;
}

static inline size_t hosts_count(const tanda_hosts *hosts) {
    return hosts == NULL ? 1 : hosts->place.ranks;
}

/* Whether exchanges are to go on: no rank is lost, and there is no end that all know of. */
static inline bool hosts_are_together(const tanda_hosts *hosts) {
    return hosts != NULL && !hosts->is_lost && !hosts->is_settled;
}

/* "rank 3 (node2)". */
#define RANK_TEXT_SIZE (HOST_NAME_SIZE + 32)
const char *hosts_rank_text(const tanda_hosts *hosts, size_t rank, char text[RANK_TEXT_SIZE]);

/*
 * Exchanges, as the plug-in's; they return when they are done. TANDA_FAILED when a rank is lost, TANDA_INTERRUPTED when
 * gives_up says so while another rank is waited for: then there is nobody to talk to any more.
 */
tanda_status hosts_gather(tanda_hosts *hosts, const void *own, void *all, const size_t *counts,
                          tanda_error *error);
tanda_status hosts_exchange(tanda_hosts *hosts, const void *out, const size_t *sent, void *in,
                            const size_t *received, tanda_error *error);
tanda_status hosts_broadcast(tanda_hosts *hosts, void *words, size_t count, tanda_error *error);

/* `words` words of each rank, to all. */
tanda_status hosts_gather_equal(tanda_hosts *hosts, const void *own, void *all, size_t words,
                                tanda_error *error);

/*
 * status and error are this rank's so far; the first rank's that failed become everybody's. *flags, bits of each rank
 * (NULL: none), become those of any.
 */
tanda_status hosts_agree(tanda_hosts *hosts, tanda_status status, uint32_t *flags, tanda_error *error);

/* All know from here on how the work ends, and no exchange follows; or, not settled, it begins anew. */
void hosts_settle(tanda_hosts *hosts);
void hosts_begin_work(tanda_hosts *hosts, bool (*gives_up)(void *context), void *context);

/*
 * text of each rank, all of them in *texts (hosts_count texts in one allocation, to be freed).
 */
tanda_status hosts_gather_texts(tanda_hosts *hosts, const char *text, char ***texts, tanda_error *error);

#endif
