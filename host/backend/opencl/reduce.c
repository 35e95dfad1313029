/* The tree over partial sums on an OpenCL device. See reduce.cl. */
#include "backend/opencl/wave.h"

/*
 * Passes of the tree over so many slots, `floats` apart, each of which leaves a slot of FAN_IN; the last that would
 * leave one is left to the update unless `whole` is set. *distance: how far apart the slots lie that are left.
 */
tanda_status opencl_merge(const context *c, cl_mem slots, size_t count, size_t floats, bool whole,
                          size_t *distance) {
    for (*distance = 1; *distance * (whole ? 1 : FAN_IN) < count; *distance *= FAN_IN) {
        size_t group = *distance * FAN_IN, groups = (count + group - 1) / group;
        launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_merge_partials]);
        const merge_arguments arguments = {floats, (uint)count, (uint)*distance};
        give_memory(&launch, slots);
        give_arguments(&launch, &arguments, sizeof arguments);
        tanda_status status = opencl_launch(&launch, floats / c->state->vector, groups, 1, c->error);
        if (status != TANDA_OK) return status;
    }
    return TANDA_OK;
}
