/* How a batch is divided among ranks: all tiles once, in the order of contract 4. */
#include <criterion/criterion.h>

#include "hosts/shares.h"

#define MOST_TILES 300
#define MOST_RANKS 40

/* Values for which another order of additions gives other bits. */
static float value_of(size_t tile) {
    return 1.0f / (float)(tile + 3) * (tile % 3 == 0 ? -1000.0f : 1.0f);
}

/* Contract 4 as it is worded: the left side of a node holds the largest power of two that is less than its number. */
static float sum_by_contract(size_t first, size_t tiles) {
    size_t left = 1;
    if (tiles == 1) return value_of(first);
    while (left * 2 < tiles)
        left *= 2;
    return sum_by_contract(first, left) + sum_by_contract(first + left, tiles - left);
}

static float sum_by_shares(const shares *shares) {
    static float sums[MOST_TILES];
    for (size_t i = 0; i < shares->count; i++)
        sums[i] = sum_by_contract(shares->pieces[i].first, shares->pieces[i].tiles);
    for (size_t m = 0; m + 1 < shares->count; m++)
        sums[shares->merges[m].right] = sums[shares->merges[m].left] + sums[shares->merges[m].right];
    return sums[shares->count - 1];
}

static void each(void (*check)(const shares *shares)) {
    for (size_t tiles = 1; tiles <= MOST_TILES; tiles++)
        for (size_t ranks = 1; ranks <= MOST_RANKS; ranks++) {
            shares shares;
            cr_assert_eq(shares_make(tiles, ranks, &shares, NULL), TANDA_OK);
            check(&shares);
            shares_free(&shares);
        }
}

static void check_sum(const shares *shares) {
    const float expected = sum_by_contract(0, shares->tiles), made = sum_by_shares(shares);
    cr_assert(expected == made, "%zu tiles of %zu ranks", shares->tiles, shares->ranks);
}

Test(shares, add_up_as_the_contract_says) {
    each(check_sum);
}

static void check_cover(const shares *shares) {
    size_t tile = 0;
    for (size_t i = 0; i < shares->count; i++) {
        const piece *piece = &shares->pieces[i];
        size_t power = 1;
        cr_assert_eq(piece->first, tile);
        cr_assert_gt(piece->tiles, 0);
        while (power < piece->tiles)
            power *= 2;
        cr_assert_eq(tile % power, 0, "session_partial begins at multiples");
        tile += piece->tiles;
    }
    cr_assert_eq(tile, shares->tiles);
    cr_assert_eq(shares->begin[0], 0);
    cr_assert_eq(shares->begin[shares->ranks], shares->count);
}

Test(shares, have_every_tile_once) {
    each(check_cover);
}

static size_t tiles_of_rank(const shares *shares, size_t rank) {
    size_t tiles = 0;
    for (size_t i = shares->begin[rank]; i < shares->begin[rank + 1]; i++)
        tiles += shares->pieces[i].tiles;
    return tiles;
}

static void check_even(const shares *shares) {
    const size_t least = (shares->tiles + shares->ranks - 1) / shares->ranks;
    for (size_t rank = 0; rank < shares->ranks; rank++) {
        const size_t tiles = tiles_of_rank(shares, rank);
        cr_assert_leq(tiles, least + least / 64, "%zu tiles of %zu ranks", shares->tiles, shares->ranks);
        if (shares->tiles >= shares->ranks)
            cr_assert_gt(tiles, 0, "%zu tiles of %zu ranks", shares->tiles, shares->ranks);
    }
    cr_assert_eq(shares->working, shares->tiles < shares->ranks ? shares->tiles : shares->ranks);
}

Test(shares, are_even_and_leave_no_rank_idle_that_could_work) {
    each(check_even);
}

static void check_pieces(const shares *shares) {
    const bool is_power = (shares->ranks & (shares->ranks - 1)) == 0;
    if (is_power && shares->tiles % shares->ranks == 0 &&
        (shares->tiles / shares->ranks & (shares->tiles / shares->ranks - 1)) == 0)
        cr_assert_eq(shares->count, shares->ranks, "%zu tiles of %zu ranks", shares->tiles, shares->ranks);
}

Test(shares, of_powers_of_two_are_one_piece_each) {
    each(check_pieces);
}
