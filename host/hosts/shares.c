#include "hosts/shares.h"

#include <stdlib.h>

#include "kernels/tree.h"
#include "support/memory.h"

#define MOST_LEVELS 64

/* Runs are cut into fewer pieces, so that less travels, for as much as one part in SPARED more tiles of the busiest rank. */
#define SPARED 64

/* The tile where a rank begins when runs begin at multiples of `grain`. */
static size_t boundary(size_t tiles, size_t ranks, size_t grain, size_t rank) {
    if (rank == ranks) return tiles;
    const size_t place = (size_t)((unsigned __int128)tiles * rank / ranks);
    const size_t at = (place + grain / 2) / grain * grain;
    return at < tiles ? at : tiles;
}

/* Whether no rank has more than so many tiles, nor none where there is one for each. */
static bool is_even(size_t tiles, size_t ranks, size_t grain, size_t most) {
    bool is_even = true;
    for (size_t rank = 0, last = 0; rank < ranks; rank++) {
        const size_t end = boundary(tiles, ranks, grain, rank + 1);
        is_even = is_even && end - last <= most && (end > last || tiles < ranks);
        last = end;
    }
    return is_even;
}

/* A power of two. */
static size_t grain_of(size_t tiles, size_t ranks) {
    const size_t least = (tiles + ranks - 1) / ranks;
    size_t grain = 1;
    for (size_t coarse = 2; coarse <= least; coarse *= 2)
        if (is_even(tiles, ranks, coarse, least + least / SPARED)) grain = coarse;
    return grain;
}

/* Tiles of the largest subtree that begins at `at` and ends by `end`. */
static size_t subtree_at(size_t at, size_t end, size_t tiles) {
    size_t size = at == 0 ? (size_t)1 << (MOST_LEVELS - 1) : at & -at;
    if (end == tiles && tiles - at <= size) return tiles - at;
    while (size > end - at)
        size /= 2;
    return size;
}

static size_t cut(shares *shares, size_t first, size_t end, size_t count) {
    while (first < end) {
        const size_t tiles = subtree_at(first, end, shares->tiles);
        if (shares->pieces != NULL) shares->pieces[count] = (piece){first, tiles};
        first += tiles;
        count++;
    }
    return count;
}

/* Of all ranks; only counts them while there is no place for pieces. */
static size_t cut_all(shares *shares, size_t grain) {
    size_t count = 0;
    for (size_t rank = 0; rank < shares->ranks; rank++) {
        const size_t first = boundary(shares->tiles, shares->ranks, grain, rank),
                     end = boundary(shares->tiles, shares->ranks, grain, rank + 1);
        if (shares->begin != NULL) shares->begin[rank] = count;
        count = cut(shares, first, end, count);
    }
    if (shares->begin != NULL) shares->begin[shares->ranks] = count;
    return count;
}

static unsigned level_of(size_t tiles) {
    unsigned level = 0;
    while ((size_t)1 << level < tiles)
        level++;
    return level;
}

/* As kernels/tree.h adds partials, of which a piece of 2^level tiles is one on that level. */
static void find_merges(shares *shares) {
    size_t waiting[MOST_LEVELS] = {0}, made = 0;
    for (size_t i = 0; i < shares->count; i++) {
        const unsigned level = level_of(shares->pieces[i].tiles);
        const size_t index = shares->pieces[i].first >> level;
        const bool is_last = i + 1 == shares->count;
        unsigned above = 0;
        for (; tree_climbs(index, is_last, above); above++)
            if (tree_takes(index, above)) shares->merges[made++] = (merge){waiting[level + above], i};
        if (!is_last) waiting[level + above] = i;
    }
}

tanda_status shares_make(size_t tiles, size_t ranks, shares *result, tanda_error *error) {
    *result = (shares){.tiles = tiles, .ranks = ranks};
    const size_t grain = grain_of(tiles, ranks);
    result->count = cut_all(result, grain);
    tanda_status status = allocate(&result->pieces, result->count, sizeof *result->pieces, "shares", error);
    if (status == TANDA_OK)
        status = allocate(&result->begin, ranks + 1, sizeof *result->begin, "shares", error);
    if (status == TANDA_OK)
        status = allocate(&result->merges, result->count, sizeof *result->merges, "shares", error);
    if (status != TANDA_OK) return status;
    cut_all(result, grain);
    find_merges(result);
    for (size_t rank = 0; rank < ranks; rank++)
        result->working += shares_pieces(result, rank) > 0;
    return TANDA_OK;
}

void shares_free(shares *shares) {
    free(shares->pieces);
    free(shares->begin);
    free(shares->merges);
    *shares = (struct shares){0};
}
