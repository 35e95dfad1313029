/* The backend is told a card's figures, and what it queues is taken down. */
#include <string.h>

#include "backend/executor.h"
#include "backend/session.h"
#include "bench/parts.h"
#include "gpu_model.h"
#include "support/memory.h"
#include "support/text.h"

#define MANY_STEPS 512 /* of a mini-batch: launches of many steps are shared among them */
#define FULL_STEPS 4

/* Uploads, downloads and zeros are a run's, not a step's. */
static bool is_of_a_step(const command *command) {
    return command->transfer == NULL || strcmp(command->transfer, "copy") == 0;
}

static launches launches_of(const command *command) {
    launches made = {.work = command->work, .count = 1, .group = 1, .items = 1};
    if (command->transfer != NULL) {
        text_put(made.name, sizeof made.name, "%s", command->transfer);
        made.items = (size_t)command->work.bytes / 8 + 1;
        return made;
    }
    if (command->library != NULL) {
        text_put(made.name, sizeof made.name, "%s", command->library);
        made.items = (size_t)command->work.flop / 512 + 1; /* 256 multiply-adds in each */
        return made;
    }
    clGetKernelInfo(command->kernel, CL_KERNEL_FUNCTION_NAME, sizeof made.name, made.name, NULL);
    for (int i = 0; i < 3; i++) {
        made.items *= command->items[i];
        made.group *= command->local[i];
    }
    return made;
}

static bool are_alike(const launches *a, const launches *b) {
    return strcmp(a->name, b->name) == 0 && a->items == b->items && a->group == b->group &&
           memcmp(&a->work, &b->work, sizeof a->work) == 0;
}

static void take_down(void *context, const command *command) {
    recording *recording = context;
    const launches made = is_of_a_step(command) ? launches_of(command) : (launches){.count = 0};
    if (made.count == 0) return;
    for (size_t i = 0; i < recording->count; i++)
        if (are_alike(&recording->launches[i], &made)) {
            recording->launches[i].count++;
            return;
        }
    if (recording->count < MOST_LAUNCHES)
        recording->launches[recording->count++] = made;
    else
        recording->is_full = true;
}

static void pretend(opencl_backend_state *state, const card *card) {
    tanda_device_information *information = &state->base.information;
    information->compute_units = card->compute_units;
    state->vector = 1;
    state->group = 64;
    state->most_bytes = (cl_ulong)(card->memory / 4.0);
    state->local_bytes = card->local_bytes;
    state->most_group = card->most_group;
    state->wave = (size_t)card->wave;
    state->vendor = card->vendor;
    state->is_cpu = false;
    state->has_local = true;
    state->shares_memory = false;
}

/* Rows that nobody reads. */
static tanda_status make_rows(backend *device, const bench_workload *workload, resident *rows,
                              tanda_error *error) {
    resident made = {.backend = device, .rows = workload->rows};
    tanda_status status = backend_buffer(device, workload->rows * workload->units[0] * sizeof(float), NULL,
                                         &made.features, error);
    if (status == TANDA_OK)
        status = backend_buffer(device, workload->rows * sizeof(int32_t), NULL, &made.labels, error);
    *rows = made;
    return status;
}

static tanda_status run(session *session, const bench_workload *workload, recording *recording,
                        tanda_error *error) {
    const bool with_loss = !workload->without_loss;
    recording->executor = session_executor(session);
    recording->steps = workload->batch == 0 ? FULL_STEPS : MANY_STEPS;
    /* The first step may store tiles. */
    tanda_status status = session_run(session, 0, 1, NULL, with_loss, error);
    recording->count = 0;
    return status == TANDA_OK ? session_run(session, 1, recording->steps, NULL, with_loss, error) : status;
}

static tanda_status record(backend *device, const bench_workload *workload, recording *recording,
                           tanda_error *error) {
    tanda_model *model = NULL;
    resident rows = {0};
    session session = {0};
    const plan_options plan = {.training = true};
    const program_options program = {.batch_rows = workload->batch > 0 ? workload->batch : workload->rows,
                                     .shuffle = !workload->in_order,
                                     .learning_rate = 0.01f};
    tanda_status status = bench_make_model(workload, &model, error);
    if (status == TANDA_OK) status = make_rows(device, workload, &rows, error);
    if (status == TANDA_OK) status = session_create(model, &rows, &plan, &program, NULL, &session, error);
    if (status == TANDA_OK) status = run(&session, workload, recording, error);
    session_free(&session);
    resident_free(&rows);
    tanda_model_free(model);
    return status;
}

tanda_status record_steps(backend *device, const card *card, const bench_workload *workload,
                          const char *executor, recording *recording, tanda_error *error) {
    opencl_backend_state *state = (opencl_backend_state *)device;
    const command_taker taker = {take_down, recording};
    *recording = (struct recording){.executor = ""};
    tanda_status status = executor_find_name(device, executor, &device->executor, error);
    if (status != TANDA_OK) return status;
    pretend(state, card);
    state->taker = &taker;
    status = record(device, workload, recording, error);
    state->taker = NULL;
    if (status == TANDA_OK && recording->is_full)
        status =
            fail(error, TANDA_FAILED, "%s: more than %d kinds of launches", workload->name, MOST_LAUNCHES);
    return status;
}
