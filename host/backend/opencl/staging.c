/*
 * Memory of the host that stays mapped, so that the device's own engine can copy from it: rows lie there on their way. A driver
 * that has none left is no failure, as any memory will do.
 */
#include <stdlib.h>

#include "backend/opencl/state.h"
#include "support/memory.h"

typedef struct staging {
    cl_mem memory;
    void *mapped;
    struct staging *next;
} staging;

static bool map(opencl_backend_state *state, size_t bytes, staging *made) {
    cl_int code = CL_SUCCESS;
    made->memory =
        clCreateBuffer(state->context, CL_MEM_READ_WRITE | CL_MEM_ALLOC_HOST_PTR, bytes, NULL, &code);
    if (code != CL_SUCCESS) return false;
    made->mapped = clEnqueueMapBuffer(state->copy_queue, made->memory, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, 0,
                                      bytes, 0, NULL, NULL, &code);
    if (code == CL_SUCCESS) return true;
    clReleaseMemObject(made->memory);
    return false;
}

void *opencl_room(backend *backend, size_t bytes) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    tanda_error error;
    staging *made = NULL;
    if (!state->base.copies_rows || bytes > state->most_bytes) return NULL;
    if (opencl_need_copy_queue(state, &error) != TANDA_OK) return NULL;
    if (allocate(&made, 1, sizeof *made, "room", &error) != TANDA_OK) return NULL;
    if (!map(state, bytes, made)) {
        free(made);
        return NULL;
    }
    made->next = state->staging;
    state->staging = made;
    return made->mapped;
}

bool opencl_room_free(backend *backend, void *memory) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    struct staging **at = &state->staging;
    while (*at != NULL && (*at)->mapped != memory)
        at = &(*at)->next;
    staging *found = *at;
    if (found == NULL) return false;
    *at = found->next;
    clEnqueueUnmapMemObject(state->copy_queue, found->memory, found->mapped, 0, NULL, NULL);
    clReleaseMemObject(found->memory);
    free(found);
    return true;
}
