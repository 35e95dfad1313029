/* The launches of `gpu_dense`: which kernel an op gets, and what it is told. */
#include "backend/opencl/executors/gpu_dense.h"

#include "kernels/philox.h"
#include "support/text.h"

#define GROUP_ITEMS 128 /* DENSE_ITEMS of kernels/gpu/operand.h */
#define KERNEL_NAME 64

/* ---- kernels ----------------------------------------------------------------------------------------------- */

/* Blocks of kernels/gpu/dense.cl. The smaller one is taken where the larger would leave half of the device idle. */
typedef struct block_shape {
    const char *name;
    size_t block_m, block_n;
} block_shape;

static const block_shape large = {"large", 64, 128}, small = {"small", 32, 64};

static size_t groups_of(const block_shape *shape, size_t lines_m, size_t lines_n) {
    return (lines_m + shape->block_m - 1) / shape->block_m *
           ((lines_n + shape->block_n - 1) / shape->block_n);
}

static const block_shape *choose_shape(const opencl_backend_state *state, const program *program,
                                       size_t lines_m, size_t lines_n) {
    const size_t groups = groups_of(&large, lines_m, lines_n) * program->tiles.count;
    return 2 * groups < state->base.information.compute_units ? &small : &large;
}

static tanda_status make_kernel(opencl_backend_state *state, const char *file, const char *name,
                                gpu_launch *made, tanda_error *error) {
    cl_program built = NULL;
    const tanda_status status = opencl_single_program(state, file, "", &built, error);
    return status == TANDA_OK ? opencl_make_kernel(state, built, name, &made->kernel, error) : status;
}

/* Gives a kernel its buffers. */
static tanda_status set_memories(const opencl_backend_state *state, gpu_launch *made, const cl_mem *memories,
                                 cl_uint count, tanda_error *error) {
    cl_int code = CL_SUCCESS;
    for (cl_uint i = 0; code == CL_SUCCESS && i < count; i++)
        code = clSetKernelArg(made->kernel, i, sizeof memories[i], &memories[i]);
    made->memories = count;
    return opencl_check(state, code, "clSetKernelArg", error);
}

/* Where an op reads the inputs of its layer. */
static gpu_source source_of(const program *program, tensor_place inputs) {
    return inputs.is_input ? gpu_dense_of(program)->rows : GPU_TILES;
}

static cl_mem source_memory(const program *program, gpu_source source) {
    return source == GPU_TILES ? program->tiles.memory : program->options.features->memory;
}

static const char *const source_names[] = {"tiles", "rows", "loose"};

static tanda_status make_forward(opencl_backend_state *state, const program *program, const op *op,
                                 gpu_launch *made, tanda_error *error) {
    const dense_shape *layer = &op->dense_forward.shape;
    const gpu_source source = source_of(program, op->dense_forward.inputs);
    const block_shape *shape = choose_shape(state, program, layer->outputs, program->tiles.width);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory,
                               program->options.parameters->memory};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_forward_%s%s_%s", layer->inputs > CHUNK ? "folded_" : "",
             source_names[source], shape->name);
    *made = (gpu_launch){.block_m = shape->block_m, .block_n = shape->block_n};
    tanda_status status = make_kernel(state, "gpu/dense.cl", name, made, error);
    return status == TANDA_OK ? set_memories(state, made, memories, 3, error) : status;
}

static tanda_status make_backward(opencl_backend_state *state, const program *program, const op *op,
                                  gpu_launch *made, tanda_error *error) {
    const dense_shape *layer = &op->dense_backward.shape;
    const block_shape *shape = choose_shape(state, program, layer->inputs, program->tiles.width);
    const cl_mem memories[] = {program->tiles.memory, program->options.parameters->memory};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_backward_%s%s", layer->outputs > CHUNK ? "folded_" : "", shape->name);
    *made = (gpu_launch){.block_m = shape->block_m, .block_n = shape->block_n};
    tanda_status status = make_kernel(state, "gpu/dense.cl", name, made, error);
    return status == TANDA_OK ? set_memories(state, made, memories, 2, error) : status;
}

static tanda_status make_gradient(opencl_backend_state *state, const program *program, const op *op,
                                  gpu_launch *made, tanda_error *error) {
    const dense_shape *layer = &op->dense_gradient.shape;
    const gpu_source source = source_of(program, op->dense_gradient.inputs);
    const block_shape *shape = choose_shape(state, program, layer->inputs, layer->stride);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory, program->sums.memory};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_gradient_%s_%s", source_names[source], shape->name);
    *made = (gpu_launch){.block_m = shape->block_m, .block_n = shape->block_n};
    tanda_status status = make_kernel(state, "gpu/dense.cl", name, made, error);
    return status == TANDA_OK ? set_memories(state, made, memories, 3, error) : status;
}

static bool is_wide(const dense_shape *shape) {
    return shape->outputs >= WIDE_OUTPUTS;
}

static tanda_status make_launch(opencl_backend_state *state, const program *program, const op *op,
                                gpu_launch *made, tanda_error *error) {
    if (op->kind == OP_dense_forward && is_wide(&op->dense_forward.shape))
        return make_forward(state, program, op, made, error);
    if (op->kind == OP_dense_backward && is_wide(&op->dense_backward.shape))
        return make_backward(state, program, op, made, error);
    if (op->kind == OP_dense_gradient && is_wide(&op->dense_gradient.shape))
        return make_gradient(state, program, op, made, error);
    return TANDA_OK;
}

tanda_status opencl_gpu_dense_kernels(opencl_backend_state *state, const program *program,
                                      tanda_error *error) {
    gpu_dense_program *own = gpu_dense_of(program);
    const plan *plan = program->plan;
    const op *first = NULL; /* the first gradient */
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < plan->op_count; i++) {
        status = make_launch(state, program, &plan->ops[i], &own->launches[i], error);
        if (first == NULL && plan->ops[i].kind == OP_dense_gradient) first = &plan->ops[i];
    }
    if (first != NULL && gpu_launch_of(program, first)->kernel != NULL) own->sums_loss = first;
    return status;
}

/* ---- what they are told ------------------------------------------------------------------------------------ */

static row_source order_of(const context *c) {
    const program *program = c->program;
    return (row_source){.first_position = c->wave->first_row,
                        .row_count = program->options.rows,
                        .seed = program->options.seed,
                        .features = (uint)program->plan->features,
                        .shuffle = shuffles(program),
                        .epoch = (uint)c->wave->epoch};
}

/* The next op, where it is of a kind. */
static const op *next_of_kind(const context *c, const op *at, tile_op kind) {
    const plan *plan = c->program->plan;
    return at < plan->ops + plan->op_count && at->kind == kind ? at : NULL;
}

static size_t floats_at(const context *c, tensor_place place) {
    return place.offset * c->program->tiles.width;
}

/* Dropout joins a tail. */
static void add_dropout(const context *c, const op *op, dense_tail *tail) {
    tail->drops = 1;
    tail->threshold = op->dropout.threshold;
    tail->scale = op->dropout.scale;
    tail->step = (uint)c->wave->step;
    tail->stream = philox_stream(PURPOSE_DROPOUT, (uint32_t)op->layer);
    tail->dropped = floats_at(c, op->dropout.target);
    tail->seed = c->program->options.seed;
    tail->position = c->wave->position;
}

/* What follows a dense op on the same elements; *next goes behind it. */
static dense_tail forward_tail(const context *c, const op **next) {
    dense_tail tail = {.function = ACTIVATION_IDENTITY};
    const op *follows = next_of_kind(c, *next, OP_activation_forward);
    if (follows != NULL) {
        tail.function = follows->activation_forward.function;
        tail.result = floats_at(c, follows->activation_forward.output);
        ++*next;
    }
    follows = next_of_kind(c, *next, OP_dropout_forward);
    if (follows != NULL) {
        add_dropout(c, follows, &tail);
        ++*next;
    }
    return tail;
}

static dense_tail backward_tail(const context *c, const op **next) {
    dense_tail tail = {.function = ACTIVATION_IDENTITY};
    const op *follows = next_of_kind(c, *next, OP_dropout_backward);
    if (follows != NULL) {
        add_dropout(c, follows, &tail);
        ++*next;
    }
    follows = next_of_kind(c, *next, OP_activation_backward);
    if (follows != NULL) {
        tail.function = follows->activation_backward.function;
        tail.from = floats_at(c, follows->activation_backward.from);
        tail.result = floats_at(c, follows->activation_backward.delta);
        ++*next;
    }
    return tail;
}

static tanda_status launch_groups(const context *c, const gpu_launch *made, const void *arguments,
                                  size_t size, size_t groups_n, size_t groups_m) {
    launch launch = launch_of(c->state, made->kernel);
    launch.arguments = made->memories;
    launch.local[0] = GROUP_ITEMS;
    give_arguments(&launch, arguments, size);
    return opencl_launch(&launch, groups_n * GROUP_ITEMS, groups_m, c->wave->tiles, c->error);
}

static gpu_layer_arguments layer_arguments(const context *c, const dense_shape *shape, tensor_place from,
                                           tensor_place to) {
    const program *program = c->program;
    return (gpu_layer_arguments){.order = order_of(c),
                                 .source = floats_at(c, from),
                                 .source_tile = program->tiles.floats,
                                 .target = floats_at(c, to),
                                 .tile_floats = program->tiles.floats,
                                 .weight = shape->weight,
                                 .bias = shape->bias,
                                 .width = (uint)program->tiles.width,
                                 .rows = (uint)c->wave->rows,
                                 .stride = (uint)shape->stride,
                                 .inputs = (uint)shape->inputs,
                                 .outputs = (uint)shape->outputs};
}

static tanda_status launch_layer(const context *c, const op *op, const gpu_layer_arguments *arguments,
                                 size_t results) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    return launch_groups(c, made, arguments, sizeof *arguments,
                         (c->program->tiles.width + made->block_n - 1) / made->block_n,
                         (results + made->block_m - 1) / made->block_m);
}

static tanda_status run_forward(const context *c, const op *op, const struct op **next) {
    const dense_forward_op *forward = &op->dense_forward;
    gpu_layer_arguments arguments = layer_arguments(c, &forward->shape, forward->inputs, forward->logits);
    arguments.tail = forward_tail(c, next);
    return launch_layer(c, op, &arguments, forward->shape.outputs);
}

static tanda_status run_backward(const context *c, const op *op, const struct op **next) {
    const dense_backward_op *backward = &op->dense_backward;
    gpu_layer_arguments arguments =
        layer_arguments(c, &backward->shape, backward->delta, backward->inputs_delta);
    arguments.tail = backward_tail(c, next);
    return launch_layer(c, op, &arguments, backward->shape.inputs);
}

static tanda_status run_gradient(const context *c, const op *op) {
    const program *program = c->program;
    const dense_gradient_op *gradient = &op->dense_gradient;
    const dense_shape *shape = &gradient->shape;
    const gpu_launch *made = gpu_launch_of(program, op);
    const gpu_gradient_arguments arguments = {.order = order_of(c),
                                              .source = floats_at(c, gradient->inputs),
                                              .source_tile = program->tiles.floats,
                                              .delta = floats_at(c, gradient->delta),
                                              .tile_floats = program->tiles.floats,
                                              .slot_floats = program->sums.floats,
                                              .weight = shape->weight,
                                              .bias = shape->bias,
                                              .losses = floats_at(c, program->plan->loss->loss.losses),
                                              .loss = program->sums.floats - 16,
                                              .width = (uint)program->tiles.width,
                                              .rows = (uint)c->wave->rows,
                                              .stride = (uint)shape->stride,
                                              .inputs = (uint)shape->inputs,
                                              .outputs = (uint)shape->outputs,
                                              .sums_loss = gpu_dense_of(program)->sums_loss == op};
    return launch_groups(c, made, &arguments, sizeof arguments,
                         (shape->stride + made->block_n - 1) / made->block_n,
                         (shape->inputs + made->block_m - 1) / made->block_m + 1);
}

tanda_status opencl_gpu_dense_run(const context *c, const op *op, const struct op **next) {
    if (op->kind == OP_dense_forward) return run_forward(c, op, next);
    if (op->kind == OP_dense_backward) return run_backward(c, op, next);
    return run_gradient(c, op);
}
