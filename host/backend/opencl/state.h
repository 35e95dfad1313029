/* The OpenCL backend's own types, shared by its files. */
#ifndef TANDA_OPENCL_STATE_H
#define TANDA_OPENCL_STATE_H

#include <CL/cl.h>

#include "backend/backend.h"

/* Every kernel that the host launches by itself; activations are looked up by name. */
#define KERNEL_LIST(X) \
    KERNEL_OP_LIST(X) \
    X(order) \
    X(dense_forward_large) \
    X(dense_forward_medium) \
    X(dense_forward_small) \
    X(dense_backward_large) \
    X(dense_backward_medium) \
    X(dense_backward_small) \
    X(dense_gradient_large) \
    X(dense_gradient_medium) \
    X(dense_gradient_small) \
    X(narrow_gradient) \
    X(sum_rows) \
    X(merge_partials) \
    X(add_partials) \
    X(update) \
    X(square_gradient) \
    X(probe) \
    X(layout) \
    X(fill_bias)

/* Those for devices where 16 lanes lie in a work-item; all but the first are of programs by themselves. */
#define VECTOR_KERNEL_LIST(X) \
    X(transpose_delta) \
    X(perceptron) \
    X(network_pack) \
    X(network_rows) \
    X(network_gradient) \
    X(network_tiles) \
    X(network_steps)

typedef enum kernel_index {
#define KERNEL_ENUM(name) KERNEL_##name,
    KERNEL_LIST(KERNEL_ENUM) VECTOR_KERNEL_LIST(KERNEL_ENUM)
#undef KERNEL_ENUM
        KERNEL_COUNT
} kernel_index;

/*
 * The kernels, built once for exact arithmetic and, for the fast mode, once with the device's own functions. Each is NULL
 * before it is first asked for: some compilers take seconds for one, and a training has a few.
 */
typedef struct kernel_set {
    cl_program program;
    cl_kernel kernels[KERNEL_COUNT];
    cl_kernel activation_forward[ACTIVATION_SOFTMAX];
    cl_kernel activation_backward[ACTIVATION_SOFTMAX];
} kernel_set;

/* A program from one .cl file, kept until the device is closed. */
typedef struct single_program {
    char *key; /* file and options */
    cl_program program;
} single_program;

#define MOST_SINGLE_PROGRAMS 64

struct opencl_profile; /* profile.c */
struct command_taker;  /* command.h */
struct staging;        /* staging.c */

typedef struct opencl_backend_state {
    backend base;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    cl_command_queue copy_queue; /* of rows that are exchanged, NULL until there are some */
    kernel_set exact;
    kernel_set native; /* its program is NULL until a fast program is compiled */
    single_program single[MOST_SINGLE_PROGRAMS];
    char *kernel_folder; /* NULL: the embedded kernels */
    size_t vector;       /* lanes per work-item: 16 on a CPU that prefers vectors of floats, else 1 */
    size_t
        group; /* work-items of a work-group, along the first dimension, where a launch says nothing else */
    cl_ulong most_bytes;  /* of a buffer */
    cl_ulong local_bytes; /* of a work-group's local memory */
    size_t most_group;    /* work-items of a work-group, */
    size_t wave;          /* and of them that go together, as the device's compiler says */
    cl_uint vendor;       /* PCI's number, of devices that have one */
    bool is_cpu;
    bool has_local;          /* local memory is a memory of its own, not a part of the device's */
    bool shares_memory;      /* a CPU: buffers lie in the host's memory, anywhere */
    bool lacks_memory;       /* the latest failure was for want of it */
    struct staging *staging; /* memory of the host that stays mapped */
    struct meter *meter;     /* limits.c: what limits are measured with, NULL until then */
    double build_seconds;
    struct opencl_profile *profile;    /* NULL: no account is kept of commands */
    const struct command_taker *taker; /* NULL, or who takes commands in the queue's place */
} opencl_backend_state;

/* Rows first ... first + rows - 1 of a data set that is more than one memory holds, or all there is. */
struct buffer {
    cl_mem memory;
    size_t first, rows;  /* a power of two, but for the last part; all: from 0, SIZE_MAX */
    struct buffer *next; /* the rows behind them; NULL: none */
    cl_event arrival;    /* of rows that were sent there; NULL: they are there */
    cl_event departure;  /* of all that was queued over the rows before; NULL: nothing was */
    bool is_placed;      /* more may be queued since */
};

/* Whether a buffer, which may be NULL, has no other behind it. */
static inline bool opencl_is_whole(const buffer *buffer) {
    return buffer == NULL || buffer->next == NULL;
}

/* Remembers that the device has failed, and whether for want of memory. */
void opencl_note_failure(const opencl_backend_state *state, cl_int code);

/* TANDA_OK for CL_SUCCESS, else TANDA_DEVICE with the device, the call and the code's name. */
tanda_status opencl_check(const opencl_backend_state *state, cl_int code, const char *call,
                          tanda_error *error);

/* A zeroed buffer of count * size bytes. */
tanda_status opencl_make_memory(const opencl_backend_state *state, size_t count, size_t size, cl_mem *memory,
                                tanda_error *error);

/* Copies `bytes` bytes to the device, `offset` bytes from the memory's start on, and waits for it. */
tanda_status opencl_write_memory(const opencl_backend_state *state, cl_mem memory, size_t offset,
                                 const void *source, size_t bytes, tanda_error *error);

/* Reads bytes, or floats, of a memory, and waits for them; releases a memory that may be NULL. */
tanda_status opencl_read_memory(const opencl_backend_state *state, cl_mem memory, size_t offset, void *target,
                                size_t bytes, tanda_error *error);
tanda_status opencl_read_floats(const opencl_backend_state *state, cl_mem memory, size_t offset, size_t count,
                                void *target, tanda_error *error);

/* Queues zeros over bytes of a memory from `offset` on; and a copy from its beginning to there. */
tanda_status opencl_clear_memory(const opencl_backend_state *state, cl_mem memory, size_t offset,
                                 size_t bytes, tanda_error *error);
tanda_status opencl_copy_memory(const opencl_backend_state *state, cl_mem memory, size_t offset, size_t bytes,
                                tanda_error *error);

/* Waits until both queues are empty. */
tanda_status opencl_finish(const opencl_backend_state *state, tanda_error *error);
void opencl_release(cl_mem *memory);

/*
 * The text of the kernels for so many lanes per work-item, includes resolved; from `folder`, or as built in when that is
 * NULL. Free *text.
 */
tanda_status opencl_read_kernels(const char *folder, size_t vector, char **text, tanda_error *error);

/* The same for one .cl file alone. */
tanda_status opencl_read_kernel(const char *folder, const char *name, char **text, tanda_error *error);

/*
 * A program of its own from one .cl file, with so many lanes per work-item, for what is not needed in every training.
 * On failure the message has the build log's first error; *program is then still to be released unless NULL.
 */
tanda_status opencl_build_kernel(const opencl_backend_state *state, const char *name, size_t vector,
                                 cl_program *program, tanda_error *error);

/*
 * The program of one .cl file with VECTOR 1 and more options (" -DNAME=1", or ""), which the device keeps: it is built, or
 * found in the cache, when it is first asked for. Kernels of it are the caller's to create and release.
 */
tanda_status opencl_single_program(opencl_backend_state *state, const char *name, const char *options,
                                   cl_program *program, tanda_error *error);

/* Releases them all: no kernel of theirs may be in use. */
void opencl_release_single(opencl_backend_state *state);

/* clCreateKernel, with the kernel's name in the message. */
tanda_status opencl_make_kernel(const opencl_backend_state *state, cl_program program, const char *name,
                                cl_kernel *kernel, tanda_error *error);

/* Refuses a device that lays out the structs of kernels/arguments/layout.h in another way than this program. */
tanda_status opencl_check_layout(opencl_backend_state *state, tanda_error *error);

/* Builds state->exact; builds state->native unless that is done. */
tanda_status opencl_build_exact(opencl_backend_state *state, tanda_error *error);
tanda_status opencl_build_native(opencl_backend_state *state, tanda_error *error);

/* Makes the kernels from `first` to `last`, which are of a file of cpu/, unless that is done: what takes longest to build. */
tanda_status opencl_build_fused(opencl_backend_state *state, const char *file, kernel_index first,
                                kernel_index last, tanda_error *error);

void opencl_release_set(kernel_set *set);

/* Releases what opencl_limits has made. */
void opencl_free_meter(opencl_backend_state *state);

/*
 * What a launch does at least, as its launcher states it, for profiles and models: FLOP, bytes of the device's memory that
 * are read or written, each once, and the longest row of operations of a work-item of which each waits for the one before, in
 * units of a fused multiply-add.
 */
typedef struct launch_work {
    double flop, bytes, chain;
} launch_work;

/*
 * A launch in the making: buffers in order, the arguments, then opencl_launch. The first failure is kept. local: the
 * work-items of a work-group, the device's own choice unless it is set to another.
 */
typedef struct launch {
    opencl_backend_state *state;
    cl_kernel kernel;
    launch_work work; /* 0: not stated */
    size_t local[3];
    bool is_beside; /* it goes to the copy queue */
    cl_uint arguments;
    cl_int code;
    const char *call; /* that gave it */
} launch;

launch launch_of(opencl_backend_state *state, cl_kernel kernel);

/* Of a kernel of a set, which is made when it is first asked for and stays the set's. */
launch launch_from(opencl_backend_state *state, kernel_set *set, kernel_index index);
launch launch_activation(opencl_backend_state *state, kernel_set *set, activation function, bool backward);

static inline launch launch_exact(opencl_backend_state *state, kernel_index index) {
    return launch_from(state, &state->exact, index);
}

void give_memory(launch *launch, cl_mem memory);

/* The struct of kernels/arguments/ that a kernel takes after its buffers. */
void give_arguments(launch *launch, const void *arguments, size_t size);

/* Queues it over items[0..2], rounded up to whole work-groups: kernels check their range. */
tanda_status opencl_launch(launch *launch, size_t items_0, size_t items_1, size_t items_2,
                           tanda_error *error);

extern const executor *const opencl_executors[];
tanda_status opencl_compile(backend *backend, const plan *plan, const program_options *options,
                            const executor *executor, program **result, tanda_error *error);
void opencl_program_free(backend *backend, program *program);
const char *opencl_notes(const program *program);

/* staging.c: slots of the seam. */
void *opencl_room(backend *backend, size_t bytes);
bool opencl_room_free(backend *backend, void *memory);

/* exchange.c: slots of the seam, and what a buffer holds of a transfer. */
tanda_status opencl_need_copy_queue(opencl_backend_state *state, tanda_error *error);
tanda_status opencl_reserve(backend *backend, size_t rows, size_t width, buffer **result, tanda_error *error);
tanda_status opencl_settle(backend *backend, buffer *buffer, tanda_error *error);
tanda_status opencl_refill(backend *backend, buffer *buffer, const void *values, size_t rows, size_t width,
                           tanda_error *error);
tanda_status opencl_place(backend *backend, program *program, const program_rows *rows, tanda_error *error);
void opencl_forget_events(buffer *buffer);

/* What the copy queue is given from now on for the buffer waits for steps over it; and arrives when it is done so far. */
tanda_status opencl_begin_arrival(const opencl_backend_state *state, buffer *buffer, tanda_error *error);
tanda_status opencl_end_arrival(const opencl_backend_state *state, buffer *buffer, tanda_error *error);

/* make_rows.c: slots of the seam. */
tanda_status opencl_maker(backend *backend, const row_recipe *recipe, const row_order *order,
                          row_maker **result, tanda_error *error);
void opencl_maker_free(backend *backend, row_maker *maker);
tanda_status opencl_make_rows(backend *backend, row_maker *maker, uint64_t epoch, size_t first, size_t rows,
                              buffer *features, buffer *labels, tanda_error *error);

tanda_status opencl_run(backend *backend, program *program, uint64_t first_step, size_t steps,
                        const update_rates *rates, bool with_loss, tanda_error *error);
tanda_status opencl_partial(backend *backend, program *program, uint64_t number, size_t first_tile,
                            size_t tiles, bool with_loss, partial_sum *sum, tanda_error *error);
tanda_status opencl_apply(backend *backend, program *program, uint64_t number, const update_rates *rates,
                          const partial_sum *sum, step_result *result, tanda_error *error);
tanda_status opencl_part(backend *backend, program *program, uint64_t number, size_t index, bool is_last,
                         tanda_error *error);
tanda_status opencl_results(backend *backend, program *program, step_result *results, tanda_error *error);
tanda_status opencl_sweep(backend *backend, program *program, const tensor *tensor, size_t first_row,
                          size_t rows, float *values, tanda_error *error);
tanda_status opencl_read(backend *backend, program *program, const tensor *tensor, float *values,
                         tanda_error *error);
tanda_status opencl_generate(backend *backend, const synthetic_source *source, const uint64_t *rows,
                             size_t count, float *features, uint32_t *labels, tanda_error *error);
tanda_status opencl_read_gradient(backend *backend, program *program, float *packed, tanda_error *error);
tanda_status opencl_read_state(backend *backend, program *program, size_t index, float *packed,
                               tanda_error *error);
tanda_status opencl_write_state(backend *backend, program *program, size_t index, const float *packed,
                                tanda_error *error);
tanda_status opencl_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error);
tanda_status opencl_profile_begin(backend *backend, tanda_error *error);
tanda_status opencl_profile_end(backend *backend, struct device_profile *profile, tanda_error *error);
void opencl_free_profile(opencl_backend_state *state);

#endif
