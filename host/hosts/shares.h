/*
 * Which tiles of a batch each rank computes, and how the sums of all ranks become that of the step. A rank has a run of
 * consecutive tiles, cut into pieces that are subtrees of contract 4's tree. What is said here is a function of the numbers
 * of tiles and ranks alone, so every rank knows it of all.
 */
#ifndef TANDA_HOSTS_SHARES_H
#define TANDA_HOSTS_SHARES_H

#include "support/status.h"

typedef struct piece {
    size_t first, tiles;
} piece;

/* The sum of piece `right` becomes that of `left`, which lies before it, and its own. */
typedef struct merge {
    size_t left, right;
} merge;

typedef struct shares {
    size_t tiles, ranks;
    size_t count;   /* of pieces */
    piece *pieces;  /* in the order of the tiles */
    size_t *begin;  /* (ranks + 1): the first piece of each rank, and the end */
    merge *merges;  /* (count - 1), in this order; the last piece then has the sum of the step */
    size_t working; /* ranks that have tiles */
} shares;

/* tiles, ranks > 0. Released with shares_free whatever it returns. */
tanda_status shares_make(size_t tiles, size_t ranks, shares *result, tanda_error *error);
void shares_free(shares *shares);

/* Pieces of a rank. */
static inline size_t shares_pieces(const shares *shares, size_t rank) {
    return shares->begin[rank + 1] - shares->begin[rank];
}

/* The tiles of a rank: *count of them, from *first on. */
static inline void shares_tiles(const shares *shares, size_t rank, size_t *first, size_t *count) {
    *first = *count = 0;
    if (shares_pieces(shares, rank) > 0) *first = shares->pieces[shares->begin[rank]].first;
    for (size_t i = shares->begin[rank]; i < shares->begin[rank + 1]; i++)
        *count += shares->pieces[i].tiles;
}

#endif
