#include "hosts/sharing.h"

#include <stdlib.h>
#include <string.h>

#include "support/floating_mode.h"
#include "support/memory.h"

#define SLICE_GRAIN 16    /* floats: a cache line */
#define BLOCK_FLOATS 4096 /* of each piece that are added at a time, so that they stay in cache */
#define HEADER_WORDS 2    /* of what a rank tells in each exchange: its status, and the step */
#define PIECE_WORDS 2     /* of each piece before the gradients: loss, rows whose class was right */

struct sharing {
    tanda_hosts *hosts;
    sharing_options options;
    bool is_sliced;
    shares shares[2]; /* of a whole batch, and of the last one of an epoch */
    word *out, *in;
    size_t *sent, *received, *slices; /* (ranks), words */
    float *gradient;                  /* (parameters), of the step or of a piece; where it is sliced */
    const word **parts;               /* (most pieces): where each one's floats begin */
};

/* ---- making --------------------------------------------------------------------------------------------- */

static size_t slice_begin(const sharing *sharing, size_t rank) {
    const size_t ranks = sharing->hosts->place.ranks,
                 lines = (sharing->options.parameters + SLICE_GRAIN - 1) / SLICE_GRAIN;
    const size_t at = (size_t)((unsigned __int128)lines * rank / ranks) * SLICE_GRAIN;
    return at < sharing->options.parameters ? at : sharing->options.parameters;
}

static size_t own_slice(const sharing *sharing) {
    return sharing->slices[sharing->hosts->place.rank];
}

/* Words that a rank gives away: to all, or, with slices, for `floats` parameters of each piece. */
static size_t block_words(const shares *shares, size_t rank, size_t floats) {
    return HEADER_WORDS + shares_pieces(shares, rank) * (PIECE_WORDS + floats);
}

/* What comes in at most, and goes out. */
static tanda_status allocate_words(sharing *sharing, tanda_error *error) {
    const size_t ranks = sharing->hosts->place.ranks, own = sharing->hosts->place.rank;
    size_t in = 0, out = 0, pieces = 0;
    for (size_t s = 0; s < 2; s++) {
        const shares *shares = &sharing->shares[s];
        const size_t floats = sharing->is_sliced ? own_slice(sharing) : sharing->options.parameters;
        size_t words = 0, gone = 0;
        for (size_t rank = 0; rank < ranks; rank++) {
            words += block_words(shares, rank, floats);
            if (sharing->is_sliced) gone += block_words(shares, own, sharing->slices[rank]);
        }
        if (!sharing->is_sliced) gone = block_words(shares, own, floats);
        in = words > in ? words : in;
        out = gone > out ? gone : out;
        pieces = shares->count > pieces ? shares->count : pieces;
    }
    tanda_status status = allocate(&sharing->in, in, sizeof(word), "what ranks exchange", error);
    if (status == TANDA_OK) status = allocate(&sharing->out, out, sizeof(word), "what ranks exchange", error);
    return status == TANDA_OK
               ? allocate(&sharing->parts, pieces, sizeof *sharing->parts, "what ranks exchange", error)
               : status;
}

static tanda_status make(sharing *made, tanda_error *error) {
    const size_t ranks = made->hosts->place.ranks,
                 steps = steps_per_epoch(made->options.rows, made->options.batch_rows);
    const size_t sizes[] = {made->options.batch_rows,
                            batch_size(made->options.rows, made->options.batch_rows, steps - 1)};
    size_t bytes = 0;
    made->is_sliced = multiply_overflows(made->options.parameters, ranks * sizeof(float), &bytes) ||
                      bytes >= SHARING_LEAST_SLICED;
    tanda_status status = TANDA_OK;
    for (size_t s = 0; status == TANDA_OK && s < 2; s++)
        status = shares_make(tiles_of(sizes[s]), ranks, &made->shares[s], error);
    if (status == TANDA_OK) status = allocate(&made->sent, ranks, sizeof *made->sent, "shares", error);
    if (status == TANDA_OK) status = allocate(&made->received, ranks, sizeof *made->sent, "shares", error);
    if (status == TANDA_OK) status = allocate(&made->slices, ranks, sizeof *made->sent, "shares", error);
    if (status == TANDA_OK)
        status = allocate(&made->gradient, made->options.parameters, sizeof(float), "gradient", error);
    for (size_t rank = 0; status == TANDA_OK && rank < ranks; rank++)
        made->slices[rank] = slice_begin(made, rank + 1) - slice_begin(made, rank);
    return status == TANDA_OK ? allocate_words(made, error) : status;
}

tanda_status sharing_create(tanda_hosts *hosts, const sharing_options *options, sharing **result,
                            tanda_error *error) {
    sharing *made = NULL;
    tanda_status status = allocate(&made, 1, sizeof *made, "shares", error);
    if (status != TANDA_OK) return status;
    *made = (sharing){.hosts = hosts, .options = *options};
    status = make(made, error);
    if (status == TANDA_OK)
        *result = made;
    else
        sharing_free(made);
    return status;
}

void sharing_free(sharing *sharing) {
    if (sharing == NULL) return;
    for (size_t s = 0; s < 2; s++)
        shares_free(&sharing->shares[s]);
    free(sharing->out);
    free(sharing->in);
    free(sharing->sent);
    free(sharing->received);
    free(sharing->slices);
    free(sharing->gradient);
    free(sharing->parts);
    free(sharing);
}

/* ---- the sums of this rank's pieces --------------------------------------------------------------------- */

static void put_header(word *out, tanda_status status, uint64_t step) {
    out[0].natural = (uint32_t)status;
    out[1].natural = (uint32_t)step;
}

static tanda_status make_piece(const sharing *sharing, uint64_t step, bool with_loss, const piece *piece,
                               partial_sum *sum, tanda_error *error) {
    return sharing->options.make(sharing->options.context, step, piece->first, piece->tiles, with_loss, sum,
                                 error);
}

/* One block for all: each piece's gradient is made where it leaves from. */
static tanda_status make_block(const sharing *sharing, const shares *shares, uint64_t step, bool with_loss,
                               tanda_error *error) {
    const size_t rank = sharing->hosts->place.rank;
    word *at = sharing->out + HEADER_WORDS;
    tanda_status status = TANDA_OK;
    for (size_t i = shares->begin[rank]; status == TANDA_OK && i < shares->begin[rank + 1]; i++) {
        const piece *piece = &shares->pieces[i];
        partial_sum sum = {.gradient = sharing->options.parameters > 0 ? &at[PIECE_WORDS].real : NULL};
        status = make_piece(sharing, step, with_loss, piece, &sum, error);
        at[0].real = sum.loss;
        at[1].natural = sum.correct;
        at += PIECE_WORDS + sharing->options.parameters;
    }
    return status;
}

/* A block for each rank, with its slice of every piece. */
static tanda_status make_slices(const sharing *sharing, const shares *shares, uint64_t step, bool with_loss,
                                tanda_error *error) {
    const size_t rank = sharing->hosts->place.rank, ranks = sharing->hosts->place.ranks;
    const size_t begin = shares->begin[rank], count = shares_pieces(shares, rank);
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        const piece *piece = &shares->pieces[begin + i];
        partial_sum sum = {.gradient = sharing->gradient};
        status = make_piece(sharing, step, with_loss, piece, &sum, error);
        word *block = sharing->out;
        size_t from = 0;
        for (size_t to = 0; status == TANDA_OK && to < ranks; to++) {
            word *at = block + HEADER_WORDS + i * (PIECE_WORDS + sharing->slices[to]);
            at[0].real = sum.loss;
            at[1].natural = sum.correct;
            memcpy(at + PIECE_WORDS, sum.gradient + from, sharing->slices[to] * sizeof(float));
            from += sharing->slices[to];
            block += block_words(shares, rank, sharing->slices[to]);
        }
    }
    return status;
}

/* ---- the sum of the step -------------------------------------------------------------------------------- */

/* Where each piece's words are among those that came in. */
static void find_parts(const sharing *sharing, const shares *shares, size_t floats) {
    const word *at = sharing->in;
    size_t made = 0;
    for (size_t rank = 0; rank < shares->ranks; rank++) {
        at += HEADER_WORDS;
        for (size_t i = 0; i < shares_pieces(shares, rank); i++, at += PIECE_WORDS + floats)
            sharing->parts[made++] = at;
    }
}

static void add(const float *left, float *right, size_t count) {
    for (size_t i = 0; i < count; i++)
        right[i] = left[i] + right[i];
}

/* Into the last piece's; block by block, so that what is added is in cache. */
static void add_pieces(const sharing *sharing, const shares *shares, size_t floats) {
    const unsigned mode = enter_exact_mode();
    for (size_t at = 0; at < floats; at += BLOCK_FLOATS) {
        const size_t count = floats - at < BLOCK_FLOATS ? floats - at : BLOCK_FLOATS;
        for (size_t m = 0; m + 1 < shares->count; m++) {
            const merge *merge = &shares->merges[m];
            add(&sharing->parts[merge->left][PIECE_WORDS + at].real,
                (float *)&sharing->parts[merge->right][PIECE_WORDS + at].real, count);
        }
    }
    for (size_t m = 0; m + 1 < shares->count; m++) {
        const word *left = sharing->parts[shares->merges[m].left];
        word *right = (word *)sharing->parts[shares->merges[m].right];
        right[0].real = left[0].real + right[0].real;
        right[1].natural += left[1].natural;
    }
    leave_exact_mode(mode);
}

/* Whether a rank has failed; all of them see it, and agree on the words. */
static tanda_status check_headers(const sharing *sharing, const shares *shares, size_t floats, uint64_t step,
                                  tanda_status status, tanda_error *error) {
    const word *at = sharing->in;
    bool has_failed = false;
    for (size_t rank = 0; rank < shares->ranks; rank++) {
        has_failed |= at[0].natural != TANDA_OK;
        if (at[0].natural == TANDA_OK && at[1].natural != (uint32_t)step && status == TANDA_OK) {
            has_failed = true;
            status = fail(error, TANDA_FAILED, "another rank is not at step %llu", (unsigned long long)step);
        }
        at += block_words(shares, rank, floats);
    }
    return has_failed ? hosts_agree(sharing->hosts, status, NULL, error) : TANDA_OK;
}

/* ---- steps ---------------------------------------------------------------------------------------------- */

static tanda_status gather_pieces(const sharing *sharing, const shares *shares, tanda_error *error) {
    for (size_t rank = 0; rank < shares->ranks; rank++)
        sharing->received[rank] = block_words(shares, rank, sharing->options.parameters);
    return hosts_gather(sharing->hosts, sharing->out, sharing->in, sharing->received, error);
}

static tanda_status exchange_slices(const sharing *sharing, const shares *shares, tanda_error *error) {
    const size_t own = sharing->hosts->place.rank;
    for (size_t rank = 0; rank < shares->ranks; rank++) {
        sharing->sent[rank] = block_words(shares, own, sharing->slices[rank]);
        sharing->received[rank] = block_words(shares, rank, own_slice(sharing));
    }
    return hosts_exchange(sharing->hosts, sharing->out, sharing->sent, sharing->in, sharing->received, error);
}

/* Headers go out whatever happened, as the others wait for them. */
static void put_headers(const sharing *sharing, const shares *shares, uint64_t step, tanda_status status) {
    word *block = sharing->out;
    put_header(block, status, step);
    for (size_t rank = 0; sharing->is_sliced && rank < shares->ranks; rank++) {
        put_header(block, status, step);
        block += block_words(shares, sharing->hosts->place.rank, sharing->slices[rank]);
    }
}

/* sum gets the step's; its gradient stays here. */
static tanda_status share(const sharing *sharing, const shares *shares, uint64_t step, bool with_loss,
                          tanda_status status, partial_sum *sum, tanda_error *error) {
    const bool sliced = sharing->is_sliced;
    const size_t floats = sliced ? own_slice(sharing) : sharing->options.parameters;
    if (status == TANDA_OK)
        status = sliced ? make_slices(sharing, shares, step, with_loss, error)
                        : make_block(sharing, shares, step, with_loss, error);
    put_headers(sharing, shares, step, status);
    const tanda_status shared =
        sliced ? exchange_slices(sharing, shares, error) : gather_pieces(sharing, shares, error);
    if (shared != TANDA_OK) return shared;
    status = check_headers(sharing, shares, floats, step, status, error);
    if (status != TANDA_OK) return status;
    find_parts(sharing, shares, floats);
    add_pieces(sharing, shares, floats);
    const word *last = sharing->parts[shares->count - 1];
    *sum = (partial_sum){
        .gradient = (float *)&last[PIECE_WORDS].real, .loss = last[0].real, .correct = last[1].natural};
    if (!sliced) return TANDA_OK;
    sum->gradient = sharing->gradient;
    return hosts_gather(sharing->hosts, last + PIECE_WORDS, sharing->gradient, sharing->slices, error);
}

tanda_status sharing_sum(sharing *sharing, uint64_t step, bool with_loss, tanda_status status,
                         partial_sum *sum, tanda_error *error) {
    const size_t per_epoch = steps_per_epoch(sharing->options.rows, sharing->options.batch_rows);
    const shares *shares = &sharing->shares[step % per_epoch + 1 == per_epoch];
    return share(sharing, shares, step, with_loss, status, sum, error);
}

bool sharing_goes_on(const sharing *sharing) {
    return hosts_are_together(sharing->hosts);
}
