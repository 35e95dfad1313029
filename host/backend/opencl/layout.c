/* Whether a device lays out the structs that its kernels are given as this program does. See kernels/layout.cl. */
#include "kernels/arguments/layout.h"
#include "backend/opencl/state.h"
#include "kernels/arguments/synthetic.h"

typedef struct layout {
    const char *name;
    cl_uint bytes, last;
} layout;

#define LAYOUT_ENTRY(name, last, bytes) {#name, sizeof(name), __builtin_offsetof(name, last)},
static const layout layouts[] = {LAYOUT_LIST(LAYOUT_ENTRY)};
#define LAYOUTS (sizeof layouts / sizeof *layouts)

_Static_assert(sizeof(synthetic) == 72 && sizeof(synthetic_arguments) == 80 &&
                   sizeof(section_arguments) == 184,
               "nothing lies between members here, as in all structs of the list");

static tanda_status ask(opencl_backend_state *state, cl_mem memory, cl_uint found[LAYOUTS][2],
                        tanda_error *error) {
    launch launch = launch_exact(state, KERNEL_layout);
    give_memory(&launch, memory);
    tanda_status status = opencl_launch(&launch, 1, 1, 1, error);
    if (status != TANDA_OK) return status;
    return opencl_read_memory(state, memory, 0, found, sizeof(cl_uint[LAYOUTS][2]), error);
}

tanda_status opencl_check_layout(opencl_backend_state *state, tanda_error *error) {
    cl_uint found[LAYOUTS][2];
    cl_mem memory = NULL;
    tanda_status status = opencl_make_memory(state, LAYOUTS, sizeof *found, &memory, error);
    if (status == TANDA_OK) status = ask(state, memory, found, error);
    if (memory != NULL) clReleaseMemObject(memory);
    for (size_t i = 0; status == TANDA_OK && i < LAYOUTS; i++)
        if (found[i][0] != layouts[i].bytes || found[i][1] != layouts[i].last)
            status = fail(error, TANDA_DEVICE,
                          "%s (%s): %s has %u bytes there, its last member at %u, and %u here, at %u: its "
                          "kernels would "
                          "read wrong arguments",
                          state->base.information.id, state->base.information.name, layouts[i].name,
                          found[i][0], found[i][1], layouts[i].bytes, layouts[i].last);
    return status;
}
