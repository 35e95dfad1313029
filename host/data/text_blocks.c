#include "data/text_blocks.h"

#include <poll.h>
#include <string.h>

#include "data/pipe.h"

#define PIECE ((size_t)256 << 10)

/* The search for the end of a block. */
typedef struct search {
    size_t at;      /* bytes looked at */
    size_t end;     /* behind the last whole line */
    size_t records; /* whole lines, those inside quotes not counted */
    size_t lines, lines_at_end;
    bool quoted, has_text;
} search;

static void look(const text_blocks *blocks, search *search) {
    const unsigned char *data = blocks->bytes.data;
    for (; search->at < blocks->bytes.size && search->records < TEXT_BLOCK_LINES; search->at++) {
        const unsigned char c = data[search->at];
        if (c == '"') search->quoted = !search->quoted;
        if (c != '\n' && c != '\r') search->has_text = true;
        if (c != '\n') continue;
        search->lines++;
        if (search->quoted) continue;
        search->records++;
        search->end = search->at + 1;
        search->lines_at_end = search->lines;
    }
}

static bool more_is_there(const text_blocks *blocks) {
    struct pollfd waiting = {.fd = blocks->descriptor, .events = POLLIN};
    return poll(&waiting, 1, 0) > 0;
}

/* What was given moves out of the way. */
static void drop_taken(text_blocks *blocks) {
    if (blocks->taken == 0) return;
    blocks->bytes.size -= blocks->taken;
    memmove(blocks->bytes.data, blocks->bytes.data + blocks->taken, blocks->bytes.size);
    blocks->taken = 0;
}

tanda_status text_blocks_fill(text_blocks *blocks, size_t most, tanda_error *error) {
    size_t got = 0;
    const tanda_status status =
        pipe_read(blocks->path, blocks->descriptor, most, &blocks->bytes, &got, error);
    blocks->ended = status == TANDA_OK && got == 0;
    return status;
}

tanda_status text_blocks_next(text_blocks *blocks, size_t least, text_block *block, tanda_error *error) {
    search search = {0};
    tanda_status status = TANDA_OK;
    drop_taken(blocks);
    for (;;) {
        look(blocks, &search);
        const bool enough = search.has_text && search.records >= least && search.records > 0;
        if (blocks->ended || (enough && (search.records == TEXT_BLOCK_LINES || !more_is_there(blocks))))
            break;
        status = text_blocks_fill(blocks, PIECE, error);
        if (status != TANDA_OK) return status;
    }
    const bool is_last = blocks->ended && search.records < TEXT_BLOCK_LINES; /* with or without a line end */
    *block = (text_block){.text = (const char *)blocks->bytes.data,
                          .size = is_last ? blocks->bytes.size : search.end,
                          .lines = is_last ? search.lines : search.lines_at_end};
    blocks->taken = block->size;
    if (!search.has_text) block->size = 0;
    return TANDA_OK;
}

tanda_status text_blocks_rest(text_blocks *blocks, file_view *view, tanda_error *error) {
    tanda_status status = TANDA_OK;
    drop_taken(blocks);
    while (status == TANDA_OK && !blocks->ended)
        status = text_blocks_fill(blocks, PIECE, error);
    if (status == TANDA_OK) *view = bytes_view(&blocks->bytes);
    return status;
}

void text_blocks_free(text_blocks *blocks) {
    bytes_free(&blocks->bytes);
}
