/* Commands on their way to the queue: timed for a profile, or taken by somebody else in the queue's place. */
#ifndef TANDA_OPENCL_COMMAND_H
#define TANDA_OPENCL_COMMAND_H

#include "backend/opencl/state.h"

typedef struct command {
    const char *transfer; /* what it does; NULL: a launch of */
    cl_kernel kernel;
    bool is_beside;      /* it goes to the copy queue */
    const char *library; /* whose kernels it launches by itself, NULL for ours */
    launch_work work;
    size_t items[3], local[3]; /* of a launch */
    cl_event *event;           /* what clEnqueue... is to be given; set by command_begin */
    cl_event made;
    double begin;
} command;

/* Who takes commands in the queue's place: nothing is queued then, and what is read stays as it was. */
typedef struct command_taker {
    void (*take)(void *context, const command *command);
    void *context;
} command_taker;

/* False where the command is not to be queued. */
bool command_begin(const opencl_backend_state *state, command *command);

/* After the call of the name gave `code`. */
tanda_status command_end(const opencl_backend_state *state, command *command, cl_int code, const char *call,
                         tanda_error *error);

/* ---- profile.c, of a state with a profile ------------------------------------------------------------------- */

void opencl_profile_add(const opencl_backend_state *state, const command *command, double end);

/* The host waited from `begin` on, for all that was queued; and built kernels. */
void opencl_profile_wait(const opencl_backend_state *state, double begin);
void opencl_profile_build(const opencl_backend_state *state, double begin);

#endif
