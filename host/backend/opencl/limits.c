/* The limits of an OpenCL device, with kernels that are built for it here: limits.cl. Times are the host's. */
#include <stdlib.h>

#include "backend/opencl/state.h"
#include "kernels/arguments/limits.h"
#include "kernels/geometry.h"
#include "support/clock.h"
#include "support/memory.h"

#define RUNS 9
#define BRIEF_RUNS 4
#define MOST_BYTES ((size_t)512 << 20)
#define CPU_FMA_ROUNDS 200000
#define GPU_FMA_ROUNDS 20000
#define CPU_ATOMIC_ROUNDS 200000
#define GPU_ATOMIC_ROUNDS 500
#define LAUNCHES 500
#define TRANSFER_BYTES ((size_t)64 << 20)

typedef struct meter {
    opencl_backend_state *state;
    cl_program program;
    cl_kernel read, fma, atomic, nothing;
    cl_mem values, result;
    size_t workers; /* work-items that keep the whole device busy */
    size_t reads;   /* vectors that each reads */
    tanda_error *error;
} meter;

static tanda_status build_meter(meter *meter) {
    const opencl_backend_state *state = meter->state;
    cl_int code = CL_SUCCESS;
    tanda_status status =
        opencl_build_kernel(state, "limits.cl", state->vector, &meter->program, meter->error);
    if (status != TANDA_OK) return status;
    meter->read = clCreateKernel(meter->program, "read_limit", &code);
    if (code == CL_SUCCESS) meter->fma = clCreateKernel(meter->program, "fma_limit", &code);
    if (code == CL_SUCCESS) meter->atomic = clCreateKernel(meter->program, "atomic_limit", &code);
    if (code == CL_SUCCESS) meter->nothing = clCreateKernel(meter->program, "nothing", &code);
    return opencl_check(state, code, "clCreateKernel of limits.cl", meter->error);
}

static tanda_status make_room(meter *meter) {
    const opencl_backend_state *state = meter->state;
    const size_t units = state->base.information.compute_units;
    const size_t bytes = state->most_bytes / 2 < MOST_BYTES ? (size_t)(state->most_bytes / 2) : MOST_BYTES;
    meter->workers = (units > 0 ? units : 1) * (state->vector == 1 ? 2048 : 1);
    meter->reads = bytes / sizeof(float) / state->vector / meter->workers / READS_AT_ONCE * READS_AT_ONCE;
    tanda_status status = opencl_make_memory(state, meter->workers * meter->reads,
                                             state->vector * sizeof(float), &meter->values, meter->error);
    return status == TANDA_OK ? opencl_make_memory(state, meter->workers, state->vector * sizeof(float),
                                                   &meter->result, meter->error)
                              : status;
}

void opencl_free_meter(opencl_backend_state *state) {
    meter *meter = state->meter;
    if (meter == NULL) return;
    const cl_kernel kernels[] = {meter->read, meter->fma, meter->atomic, meter->nothing};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (kernels[i] != NULL) clReleaseKernel(kernels[i]);
    if (meter->program != NULL) clReleaseProgram(meter->program);
    if (meter->values != NULL) clReleaseMemObject(meter->values);
    if (meter->result != NULL) clReleaseMemObject(meter->result);
    free(meter);
    state->meter = NULL;
}

/* Kept for the next time: making it takes longer than measuring. */
static tanda_status make_meter(opencl_backend_state *state, tanda_error *error) {
    if (state->meter != NULL) return TANDA_OK;
    tanda_status status = allocate(&state->meter, 1, sizeof *state->meter, "limits", error);
    if (status != TANDA_OK) return status;
    *state->meter = (meter){.state = state, .error = error};
    status = build_meter(state->meter);
    if (status == TANDA_OK) status = make_room(state->meter);
    if (status != TANDA_OK) opencl_free_meter(state);
    return status;
}

static tanda_status wait(const meter *meter) {
    return opencl_check(meter->state, clFinish(meter->state->queue), "clFinish", meter->error);
}

/* One reads a stretch of its own on a CPU; on a GPU neighbours read neighbouring vectors. */
static tanda_status launch_read(const meter *meter) {
    const bool neighbours = meter->state->vector == 1;
    launch launch = launch_of(meter->state, meter->read);
    const read_arguments arguments = {.start = neighbours ? 1 : meter->reads,
                                      .step = neighbours ? meter->workers : 1,
                                      .reads = meter->reads};
    give_memory(&launch, meter->values);
    give_memory(&launch, meter->result);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, meter->workers, 1, 1, meter->error);
}

static size_t fma_rounds(const meter *meter) {
    return meter->state->vector == 1 ? GPU_FMA_ROUNDS : CPU_FMA_ROUNDS;
}

static tanda_status launch_fma(const meter *meter) {
    launch launch = launch_of(meter->state, meter->fma);
    const fma_arguments arguments = {.rounds = fma_rounds(meter), .by = 0.999f, .more = 0.001f};
    give_memory(&launch, meter->result);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, meter->workers, 1, 1, meter->error);
}

static size_t atomic_rounds(const meter *meter) {
    return meter->state->vector == 1 ? GPU_ATOMIC_ROUNDS : CPU_ATOMIC_ROUNDS;
}

static tanda_status launch_atomic(const meter *meter) {
    launch launch = launch_of(meter->state, meter->atomic);
    const atomic_arguments arguments = {.rounds = atomic_rounds(meter)};
    give_memory(&launch, meter->result);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, meter->workers, 1, 1, meter->error);
}

static tanda_status launch_nothing(const meter *meter) {
    launch launch = launch_of(meter->state, meter->nothing);
    give_memory(&launch, meter->result);
    return opencl_launch(&launch, 1, 1, 1, meter->error);
}

/* The shortest of some runs of `launches` launches and the wait for the last; the first run is not counted. */
static tanda_status time_launches(const meter *meter, tanda_status (*launch)(const struct meter *),
                                  size_t runs, size_t launches, double *best) {
    tanda_status status = TANDA_OK;
    *best = 0.0;
    for (size_t run = 0; status == TANDA_OK && run <= runs; run++) {
        const double start = seconds_now();
        for (size_t i = 0; status == TANDA_OK && i < launches; i++)
            status = launch(meter);
        if (status == TANDA_OK) status = wait(meter);
        const double seconds = seconds_now() - start;
        if (run > 0 && (*best == 0.0 || seconds < *best)) *best = seconds;
    }
    return status;
}

static tanda_status measure_kernels(const meter *meter, size_t runs, device_limits *limits) {
    const double lanes = (double)meter->state->vector * (double)meter->workers;
    double seconds = 0.0;
    tanda_status status = time_launches(meter, launch_read, runs, 1, &seconds);
    if (status != TANDA_OK) return status;
    limits->read_bandwidth = lanes * (double)meter->reads * sizeof(float) / seconds;
    status = time_launches(meter, launch_fma, 2 * runs, 1, &seconds);
    if (status != TANDA_OK) return status;
    limits->fma_peak = 2.0 * lanes * FMA_CHAINS * (double)fma_rounds(meter) / seconds;
    return TANDA_OK;
}

static tanda_status measure_atomics(const meter *meter, device_limits *limits) {
    double seconds = 0.0;
    const tanda_status status = time_launches(meter, launch_atomic, RUNS, 1, &seconds);
    if (status == TANDA_OK)
        limits->atomic_rate = (double)meter->workers * (double)atomic_rounds(meter) / seconds;
    return status;
}

static tanda_status measure_launches(const meter *meter, device_limits *limits) {
    double seconds = 0.0;
    tanda_status status = time_launches(meter, launch_nothing, LAUNCHES, 1, &limits->launch_seconds);
    if (status == TANDA_OK) status = time_launches(meter, launch_nothing, RUNS, LAUNCHES, &seconds);
    limits->queued_seconds = seconds / LAUNCHES;
    return status;
}

static tanda_status measure_transfers(const meter *meter, device_limits *limits) {
    const cl_command_queue queue = meter->state->queue;
    const size_t all = meter->workers * meter->reads * meter->state->vector * sizeof(float);
    const size_t bytes = all < TRANSFER_BYTES ? all : TRANSFER_BYTES;
    char *host = NULL;
    tanda_status status = allocate(&host, bytes, 1, "transfers", meter->error);
    cl_int code = CL_SUCCESS;
    for (int run = 0; status == TANDA_OK && code == CL_SUCCESS && run < RUNS; run++) {
        const double start = seconds_now();
        code = clEnqueueWriteBuffer(queue, meter->values, CL_TRUE, 0, bytes, host, 0, NULL, NULL);
        const double middle = seconds_now();
        if (code == CL_SUCCESS)
            code = clEnqueueReadBuffer(queue, meter->values, CL_TRUE, 0, bytes, host, 0, NULL, NULL);
        const double up = (double)bytes / (middle - start), down = (double)bytes / (seconds_now() - middle);
        if (up > limits->upload) limits->upload = up;
        if (down > limits->download) limits->download = down;
    }
    free(host);
    return status == TANDA_OK ? opencl_check(meter->state, code, "transfers", meter->error) : status;
}

tanda_status opencl_limits(backend *backend, bool briefly, device_limits *limits, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)backend;
    tanda_status status = make_meter(state, error);
    if (status != TANDA_OK) return status;
    meter *meter = state->meter;
    meter->error = error;
    status = measure_kernels(meter, briefly ? BRIEF_RUNS : RUNS, limits);
    if (status == TANDA_OK && !briefly) status = measure_launches(meter, limits);
    if (status == TANDA_OK && !briefly) status = measure_atomics(meter, limits);
    if (status == TANDA_OK && !briefly) status = measure_transfers(meter, limits);
    return status;
}
