#include "data/bytes.h"

#include <sys/mman.h>
#include <unistd.h>

#include "support/memory.h"
#include "support/system_file.h"

#define FIRST_CAPACITY ((size_t)1 << 20)

size_t bytes_most(void) {
    return memory_limit() / 4 * 3;
}

/* Where the memory may lie after it has another size; MAP_FAILED for want of it. Pages come when they are touched. */
static void *resize(const bytes *bytes, size_t capacity) {
    if (bytes->data != NULL) return mremap(bytes->data, bytes->capacity, capacity, MREMAP_MAYMOVE);
    return mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

tanda_status bytes_room(bytes *bytes, const char *path, size_t *room, tanda_error *error) {
    const size_t free_bytes = bytes->capacity - bytes->size, allowed = bytes->limit - bytes->size;
    if (free_bytes == 0 && allowed > 0) {
        size_t capacity = FIRST_CAPACITY;
        if (bytes->capacity > 0 && multiply_overflows(bytes->capacity, 2, &capacity))
            return fail(error, TANDA_FAILED, "%s: more bytes than this machine can address", path);
        void *data = resize(bytes, capacity);
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
