#include "hosts/collect.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

#define PIECE_BYTES ((size_t)4 << 20)

typedef struct collecting {
    tanda_hosts *hosts;
    size_t piece;            /* bytes */
    word *words;             /* (piece): one is sent from here, or received */
    uint64_t *sizes;         /* (ranks): bytes of each rank */
    size_t *sent, *received; /* (ranks): words */
    collect_taker *take;
    void *context;
    tanda_status status; /* of what was taken */
} collecting;

static size_t words_of(size_t bytes) {
    return (bytes + sizeof(word) - 1) / sizeof(word);
}

static void take(collecting *all, const void *bytes, size_t size, tanda_error *error) {
    if (all->status == TANDA_OK && size > 0) all->status = all->take(all->context, bytes, size, error);
}

/* One piece of a rank goes to rank 0. Arrays that are the same would have MPI take it for an exchange in place. */
static tanda_status send_piece(const collecting *all, size_t rank, size_t words, tanda_error *error) {
    const bool is_first = all->hosts->place.rank == 0, is_own = all->hosts->place.rank == rank;
    const word none[1] = {{0}};
    word nothing;
    all->sent[0] = is_own ? words : 0;
    all->received[rank] = is_first ? words : 0;
    const tanda_status status = hosts_exchange(all->hosts, is_own ? all->words : none, all->sent,
                                               is_first ? all->words : &nothing, all->received, error);
    all->received[rank] = 0;
    return status;
}

static tanda_status collect_rank(collecting *all, size_t rank, const char *own, tanda_error *error) {
    tanda_status status = TANDA_OK;
    const size_t size = (size_t)all->sizes[rank];
    for (size_t at = 0, some; status == TANDA_OK && at < size; at += some) {
        some = size - at < all->piece ? size - at : all->piece;
        if (all->hosts->place.rank == rank) memcpy(all->words, own + at, some);
        status = send_piece(all, rank, words_of(some), error);
        if (status == TANDA_OK && all->hosts->place.rank == 0) take(all, all->words, some, error);
    }
    return status;
}

static tanda_status collect_all(collecting *all, const void *own, uint64_t size, tanda_error *error) {
    const size_t ranks = all->hosts->place.ranks;
    tanda_status status = allocate(&all->words, words_of(all->piece), sizeof(word), "what ranks send", error);
    if (status == TANDA_OK) status = allocate(&all->sizes, ranks, sizeof *all->sizes, "ranks", error);
    if (status == TANDA_OK) status = allocate(&all->sent, ranks, sizeof *all->sent, "ranks", error);
    if (status == TANDA_OK) status = allocate(&all->received, ranks, sizeof *all->received, "ranks", error);
    status = hosts_agree(all->hosts, status, NULL, error);
    if (status == TANDA_OK)
        status = hosts_gather_equal(all->hosts, &size, all->sizes, sizeof size / sizeof(word), error);
    if (status == TANDA_OK && all->hosts->place.rank == 0) take(all, own, (size_t)size, error);
    for (size_t rank = 1; status == TANDA_OK && rank < ranks; rank++)
        status = collect_rank(all, rank, own, error);
    return status == TANDA_OK ? all->status : status;
}

tanda_status hosts_collect(tanda_hosts *hosts, const void *own, size_t size, size_t unit, collect_taker *take,
                           void *context, tanda_error *error) {
    if (hosts == NULL) return size > 0 ? take(context, own, size, error) : TANDA_OK;
    collecting all = {.hosts = hosts,
                      .piece = unit < PIECE_BYTES ? PIECE_BYTES / unit * unit : unit,
                      .take = take,
                      .context = context};
    const tanda_status status = collect_all(&all, own, size, error);
    free(all.words);
    free(all.sizes);
    free(all.sent);
    free(all.received);
    return status;
}
