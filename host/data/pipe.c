#include "data/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/memory.h"
#include "support/system_file.h"

#define PIECE ((size_t)1 << 20)

static bool is_standard_input(const char *path) {
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0 || strcmp(path, "/dev/fd/0") == 0;
}

bool pipe_is_named(const char *path) {
    struct stat information;
    if (is_standard_input(path)) /* a file of which some is read already is gone on with, not begun again */
        return fstat(STDIN_FILENO, &information) != 0 || !S_ISREG(information.st_mode) ||
               strcmp(path, "-") == 0 || lseek(STDIN_FILENO, 0, SEEK_CUR) > 0;
    return stat(path, &information) == 0 && !S_ISREG(information.st_mode) && !S_ISDIR(information.st_mode) &&
           !S_ISBLK(information.st_mode);
}

tanda_status pipe_open(const char *path, int *descriptor, tanda_error *error) {
    struct stat information;
    tanda_status status = TANDA_OK;
    const int opened = is_standard_input(path) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                               : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (opened < 0) return fail_path(error, path, "", errno);
    if (fstat(opened, &information) != 0)
        status = fail_path(error, path, "", errno);
    else if (S_ISDIR(information.st_mode))
        status = fail(error, TANDA_BAD_INPUT, "%s: is a folder", path);
    else if (!S_ISREG(information.st_mode) && !S_ISFIFO(information.st_mode) &&
             !S_ISSOCK(information.st_mode) &&
             !isatty(opened)) /* a terminal's user ends it; /dev/zero never ends */
        status = fail(error, TANDA_BAD_INPUT, "%s: is a device, neither a file nor a pipe", path);
    if (status == TANDA_OK)
        *descriptor = opened;
    else
        close(opened);
    return status;
}

/*
 * What has come, at least a byte and at most `most`; *got is 0 at the end. TANDA_BAD_INPUT when more comes than
 * bytes->limit allows.
 */
static tanda_status pipe_read(const char *path, int descriptor, size_t most, bytes *bytes, size_t *got,
                              tanda_error *error) {
    size_t room = 0;
    ssize_t length = 0;
    const tanda_status status = bytes_room(bytes, path, &room, error);
    if (status != TANDA_OK) return status;
    if (room == 0)
        return fail(
            error, TANDA_BAD_INPUT,
            "%s: more than %zu bytes came, which is as much as the memory allows; save them as a file", path,
            bytes->limit);
    do
        length = read(descriptor, bytes->data + bytes->size, room < most ? room : most);
    while (length < 0 && errno == EINTR);
    if (length < 0) return fail_path(error, path, "cannot be read: ", errno);
    *got = (size_t)length;
    bytes->size += (size_t)length;
    return TANDA_OK;
}

tanda_status pipe_read_all(const char *path, file_view *view, tanda_error *error) {
    bytes bytes = {.limit = bytes_most()};
    int descriptor = -1;
    size_t got = 1;
    tanda_status status = pipe_open(path, &descriptor, error);
    if (status != TANDA_OK) return status;
    while (status == TANDA_OK && got > 0)
        status = pipe_read(path, descriptor, PIECE, &bytes, &got, error);
    close(descriptor);
    if (status == TANDA_OK)
        *view = bytes_view(&bytes);
    else
        bytes_free(&bytes);
    return status;
}

#define FIRST_CAPACITY ((size_t)1 << 20)

size_t bytes_most(void) {
    return memory_limit() / 4 * 3;
}

tanda_status bytes_room(bytes *bytes, const char *path, size_t *room, tanda_error *error) {
    const size_t allowed = bytes->limit - bytes->size;
    if (bytes->capacity == bytes->size && allowed > 0) {
        size_t capacity = FIRST_CAPACITY;
        if (bytes->capacity > 0 && multiply_overflows(bytes->capacity, 2, &capacity))
            return fail(error, TANDA_FAILED, "%s: more bytes than this machine can address", path);
        void *data = bytes->data != NULL /* pages come when they are touched */
                         ? mremap(bytes->data, bytes->capacity, capacity, MREMAP_MAYMOVE)
                         : mmap(NULL, capacity, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (data == MAP_FAILED)
            return fail(error, TANDA_FAILED, "%s: no memory for %zu bytes", path, capacity);
        bytes->data = data;
        bytes->capacity = capacity;
    }
    const size_t there = bytes->capacity - bytes->size;
    *room = there < allowed ? there : allowed;
    return TANDA_OK;
}

file_view bytes_view(bytes *bytes) {
    if (bytes->size == 0) {
        bytes_free(bytes);
        return (file_view){0};
    }
    /* file_view_close releases the pages of size bytes, so there may be no others. */
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = round_up(bytes->size, page);
    if (whole < bytes->capacity) munmap(bytes->data + whole, bytes->capacity - whole);
    const file_view view = {.data = bytes->data, .size = bytes->size, .is_memory = true};
    *bytes = (struct bytes){0};
    return view;
}

void bytes_free(bytes *bytes) {
    if (bytes->data != NULL) munmap(bytes->data, bytes->capacity);
    *bytes = (struct bytes){0};
}

#define BLOCK_PIECE ((size_t)256 << 10)

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
    struct pollfd more = {.fd = blocks->descriptor, .events = POLLIN};
    search search = {0};
    tanda_status status = TANDA_OK;
    drop_taken(blocks);
    for (;;) {
        look(blocks, &search);
        const bool enough = search.has_text && search.records >= least && search.records > 0;
        if (blocks->ended || (enough && (search.records == TEXT_BLOCK_LINES || poll(&more, 1, 0) <= 0)))
            break;
        status = text_blocks_fill(blocks, BLOCK_PIECE, error);
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
        status = text_blocks_fill(blocks, BLOCK_PIECE, error);
    if (status == TANDA_OK) *view = bytes_view(&blocks->bytes);
    return status;
}

void text_blocks_free(text_blocks *blocks) {
    bytes_free(&blocks->bytes);
}
