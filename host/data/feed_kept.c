#include "data/feed_kept.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/arithmetic.h"
#include "support/memory.h"

#define GROUP ((size_t)64) /* rows whose bits are a word */

typedef struct kept_feed {
    feed feed;
    const struct feed *source;
    size_t first, rows; /* that are kept: below, rows count from `first` on */
    row_block block;
    /* A bit for each row that is kept: whether a thread has it, or had it, to keep; and whether it is there. */
    uint64_t *claimed, *there;
} kept_feed;

/* ---- which rows are there ------------------------------------------------------------------------------------ */

/* The bits of rows first ... end - 1 that are in the word of `first`. */
static uint64_t bits_of(size_t first, size_t end) {
    const size_t from = first % GROUP, count = least(end - first, GROUP - from);
    return (count == GROUP ? UINT64_MAX : (UINT64_C(1) << count) - 1) << from;
}

/* How many rows from `first` on are there, or are not, all alike: *there tells which. At least one, up to `end`. */
static size_t count_alike(const kept_feed *own, size_t first, size_t end, bool *there) {
    size_t row = first;
    *there = false;
    for (; row < end; row += GROUP - row % GROUP) {
        if (row >= own->rows) return *there && row > first ? own->rows - first : end - first;
        const uint64_t word = __atomic_load_n(&own->there[row / GROUP], __ATOMIC_ACQUIRE);
        if (row == first) *there = word >> row % GROUP & 1;
        const uint64_t others = (*there ? ~word : word) & bits_of(row, end);
        if (others != 0) return row - row % GROUP + (size_t)__builtin_ctzll(others) - first;
    }
    return end - first;
}

/* ---- copying ------------------------------------------------------------------------------------------------- */

static void copy_values(void *to, const void *from, size_t values) {
    if (to != NULL) memcpy(to, from, values * sizeof(float));
}

static void copy_rows(const feed *feed, const row_block *from, size_t from_row, const row_block *to,
                      size_t to_row, size_t rows) {
    const row_block source = feed_block_from(feed, from, from_row),
                    target = feed_block_from(feed, to, to_row);
    copy_values(target.values, source.values, rows * feed->features);
    copy_values(target.labels, source.labels, rows * feed->label_width);
    copy_values(target.weights, source.weights, rows);
}

/* Rows of one word, of a block that begins with row `first`. Two threads may have read the same ones: one keeps them. */
static void keep_group(kept_feed *own, const row_block *block, size_t first, size_t row, size_t end) {
    const uint64_t wanted = bits_of(row, end);
    uint64_t *claimed = &own->claimed[row / GROUP], *there = &own->there[row / GROUP];
    const uint64_t mine = wanted & ~__atomic_fetch_or(claimed, wanted, __ATOMIC_RELAXED);
    const size_t base = row - row % GROUP;
    if (mine == wanted)
        copy_rows(&own->feed, block, row - first, &own->block, row, (size_t)__builtin_popcountll(wanted));
    else
        for (uint64_t left = mine; left != 0; left &= left - 1) {
            const size_t one = base + (size_t)__builtin_ctzll(left);
            copy_rows(&own->feed, block, one - first, &own->block, one, 1);
        }
    __atomic_fetch_or(there, mine, __ATOMIC_RELEASE);
}

static void keep(kept_feed *own, const row_block *block, size_t first, size_t rows) {
    const size_t end = least(first + rows, own->rows);
    for (size_t row = first; row < end; row += GROUP - row % GROUP)
        keep_group(own, block, first, row, end);
}

/* ---- the feed ------------------------------------------------------------------------------------------------ */

/* Parts that are not asked for cannot be kept. */
static bool is_whole(const feed *feed, const row_block *block) {
    return block->values != NULL && (feed->label_width == 0 || block->labels != NULL) &&
           (!feed->has_weights || block->weights != NULL);
}

static tanda_status read_kept(const feed *feed, size_t first, size_t rows, const row_block *block,
                              tanda_error *error) {
    kept_feed *own = (kept_feed *)feed;
    tanda_status status = TANDA_OK;
    for (size_t done = 0, some; status == TANDA_OK && done < rows; done += some) {
        const row_block target = feed_block_from(feed, block, done);
        const bool before = first + done < own->first; /* what is kept */
        const size_t at = before ? 0 : first + done - own->first;
        bool there = false;
        some = before ? least(own->first - first, rows) - done
                      : count_alike(own, at, first + rows - own->first, &there);
        if (there) {
            copy_rows(feed, &own->block, at, &target, 0, some);
            continue;
        }
        status = feed_read(own->source, first + done, some, &target, error);
        if (status == TANDA_OK && !before && is_whole(feed, block)) keep(own, &target, at, some);
    }
    return status;
}

static void free_kept(feed *feed) {
    kept_feed *own = (kept_feed *)feed;
    free(own->block.values);
    free(own->block.labels);
    free(own->block.weights);
    free(own->claimed);
    free(own->there);
    free(own);
}

static tanda_status make_room(kept_feed *own, tanda_error *error) {
    const size_t rows = own->rows, words = (rows - 1) / GROUP + 1;
    const feed *feed = &own->feed;
    own->block.values = allocate_untouched(rows * feed->features * sizeof(float));
    if (feed->label_width > 0)
        own->block.labels = allocate_untouched(rows * feed->label_width * sizeof(float));
    if (feed->has_weights) own->block.weights = allocate_untouched(rows * sizeof(float));
    if (!is_whole(feed, &own->block))
        return fail(error, TANDA_FAILED, "no memory for %zu rows that stay", rows);
    const tanda_status status = allocate(&own->claimed, words, sizeof *own->claimed, "rows that stay", error);
    return status == TANDA_OK ? allocate(&own->there, words, sizeof *own->there, "rows that stay", error)
                              : status;
}

tanda_status feed_kept(const feed *source, size_t first, size_t rows, feed **result, tanda_error *error) {
    static const feed_kind kind = {.read = read_kept, .free = free_kept};
    kept_feed *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "feed", error);
    if (status != TANDA_OK) return status;
    made->feed = *source;
    made->feed.kind = &kind;
    made->feed.source = NULL; /* it is no share of it */
    made->feed.shares = 0;
    made->source = source;
    made->first = first;
    made->rows = rows;
    status = make_room(made, error);
    if (status == TANDA_OK)
        *result = &made->feed;
    else
        free_kept(&made->feed);
    return status;
}
