/* The launches of `gpu_dense`: which kernel an op gets, and what it is told. */
#include "backend/opencl/executors/gpu_dense.h"

#include "kernels/philox.h"
#include "support/text.h"

#define COUNT(list) ((cl_uint)(sizeof(list) / sizeof *(list)))
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

/* Chunks of so many terms that groups of their own make, where there are too few groups even of the smaller blocks. */
static size_t choose_chunks(const opencl_backend_state *state, const program *program, size_t terms,
                            size_t lines_m) {
    const size_t groups = groups_of(&small, lines_m, program->tiles.width) * program->tiles.count;
    return terms > CHUNK && 2 * groups < state->base.information.compute_units ? (terms + CHUNK - 1) / CHUNK
                                                                               : 1;
}

/* Where an op reads the inputs of its layer. */
static gpu_source source_of(const program *program, tensor_place inputs) {
    return inputs.is_input ? gpu_dense_of(program)->rows : GPU_TILES;
}

static cl_mem source_memory(const program *program, gpu_source source) {
    return source == GPU_TILES ? program->tiles.memory : program->options.features->memory;
}

static const char *const source_names[] = {"tiles", "rows", "loose"};

/* The kernel of a name in a file, with its buffers. */
static tanda_status make_kernel(opencl_backend_state *state, const char *file, const char *name,
                                const cl_mem *memories, cl_uint count, cl_kernel *kernel,
                                tanda_error *error) {
    cl_program built = NULL;
    cl_int code = CL_SUCCESS;
    tanda_status status = opencl_single_program(state, file, "", &built, error);
    if (status == TANDA_OK) status = opencl_make_kernel(state, built, name, kernel, error);
    for (cl_uint i = 0; status == TANDA_OK && code == CL_SUCCESS && i < count; i++)
        code = clSetKernelArg(*kernel, i, sizeof memories[i], &memories[i]);
    return status == TANDA_OK ? opencl_check(state, code, "clSetKernelArg", error) : status;
}

static tanda_status make(opencl_backend_state *state, const char *file, const char *name, gpu_launch *made,
                         const cl_mem *memories, cl_uint count, tanda_error *error) {
    made->memories = count;
    return make_kernel(state, file, name, memories, count, &made->kernel, error);
}

/* The second launch of a layer whose chunks have groups of their own. */
static tanda_status make_adding(opencl_backend_state *state, const program *program, const char *name,
                                cl_uint count, gpu_launch *made, tanda_error *error) {
    const cl_mem memories[] = {gpu_dense_of(program)->partials, program->tiles.memory,
                               program->options.parameters->memory};
    made->adds_memories = count;
    return made->chunks > 1
               ? make_kernel(state, "gpu/chunks.cl", name, memories, count, &made->adds_chunks, error)
               : TANDA_OK;
}

static gpu_launch in_blocks(const block_shape *shape) {
    return (gpu_launch){.items = DENSE_ITEMS, .block_m = shape->block_m, .block_n = shape->block_n};
}

static tanda_status make_wide_forward(opencl_backend_state *state, const program *program,
                                      const dense_forward_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const block_shape *shape = choose_shape(state, program, op->shape.outputs, program->tiles.width);
    const size_t chunks = choose_chunks(state, program, op->shape.inputs, op->shape.outputs);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory,
                               program->options.parameters->memory, gpu_dense_of(program)->partials};
    const bool folds = op->shape.inputs > CHUNK && chunks == 1;
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_forward_%s%s_%s", folds ? "folded_" : "", source_names[source],
             shape->name);
    *made = in_blocks(shape);
    made->chunks = chunks;
    tanda_status status = make(state, "gpu/dense.cl", name, made, memories, COUNT(memories), error);
    return status == TANDA_OK ? make_adding(state, program, "gpu_forward_chunks", 3, made, error) : status;
}

/* What a kernel without labels or weights is given instead, it does not look at. */
static cl_mem memory_or_any(const program *program, const buffer *buffer) {
    return buffer != NULL ? buffer->memory : program->options.features->memory;
}

static tanda_status make_narrow_forward(opencl_backend_state *state, const program *program,
                                        const dense_forward_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const cl_mem memories[] = {
        source_memory(program, source), program->tiles.memory, program->options.parameters->memory,
        memory_or_any(program, program->options.labels), memory_or_any(program, program->options.weights)};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_output_%s", source_names[source]);
    *made = (gpu_launch){.items = DENSE_ITEMS, .with_results = true, .block_n = NARROW_ROWS};
    return make(state, "gpu/narrow.cl", name, made, memories, COUNT(memories), error);
}

static tanda_status make_loss(opencl_backend_state *state, const program *program, gpu_launch *made,
                              tanda_error *error) {
    const cl_mem memories[] = {program->tiles.memory, memory_or_any(program, program->options.labels),
                               memory_or_any(program, program->options.weights)};
    *made = (gpu_launch){.items = NARROW_ROWS, .with_results = true, .block_n = NARROW_ROWS};
    return make(state, "gpu/narrow.cl", "gpu_loss", made, memories, COUNT(memories), error);
}

static tanda_status make_wide_backward(opencl_backend_state *state, const program *program,
                                       const dense_backward_op *op, gpu_launch *made, tanda_error *error) {
    const block_shape *shape = choose_shape(state, program, op->shape.inputs, program->tiles.width);
    const size_t chunks = choose_chunks(state, program, op->shape.outputs, op->shape.inputs);
    const cl_mem memories[] = {program->tiles.memory, program->options.parameters->memory,
                               gpu_dense_of(program)->partials};
    const bool folds = op->shape.outputs > CHUNK && chunks == 1;
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_backward_%s%s", folds ? "folded_" : "", shape->name);
    *made = in_blocks(shape);
    made->chunks = chunks;
    tanda_status status = make(state, "gpu/dense.cl", name, made, memories, COUNT(memories), error);
    return status == TANDA_OK ? make_adding(state, program, "gpu_backward_chunks", 2, made, error) : status;
}

static tanda_status make_wide_gradient(opencl_backend_state *state, const program *program,
                                       const dense_gradient_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const block_shape *shape = choose_shape(state, program, op->shape.inputs, op->shape.stride);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory, program->sums.memory};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_gradient_%s_%s", source_names[source], shape->name);
    *made = in_blocks(shape);
    return make(state, "gpu/dense.cl", name, made, memories, COUNT(memories), error);
}

/* With the delta of its inputs. */
static tanda_status make_narrow_gradient(opencl_backend_state *state, const program *program,
                                         const dense_gradient_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory,
                               program->options.parameters->memory, program->sums.memory};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_narrow_%s", source_names[source]);
    *made = (gpu_launch){.items = DENSE_ITEMS, .block_m = NARROW_INPUTS};
    return make(state, "gpu/narrow.cl", name, made, memories, COUNT(memories), error);
}

static bool is_wide(const dense_shape *shape) {
    return shape->outputs >= WIDE_OUTPUTS;
}

static enum step_loss step_loss_of(const op *op) {
    switch (op->kind) {
    case OP_loss_binary_crossentropy:
        return STEP_LOSS_BINARY;
    case OP_loss_categorical_crossentropy:
        return STEP_LOSS_CATEGORICAL;
    case OP_loss_mse:
        return STEP_LOSS_SQUARED;
    case OP_loss_elements:
        return STEP_LOSS_ELEMENTS;
    default:
        return STEP_LOSS_NONE;
    }
}

static tanda_status make_launch(opencl_backend_state *state, const program *program, const op *op,
                                gpu_launch *made, tanda_error *error) {
    if (op->kind == OP_softmax || step_loss_of(op) != STEP_LOSS_NONE)
        return make_loss(state, program, made, error);
    if (op->kind == OP_dense_forward)
        return is_wide(&op->dense_forward.shape)
                   ? make_wide_forward(state, program, &op->dense_forward, made, error)
                   : make_narrow_forward(state, program, &op->dense_forward, made, error);
    if (op->kind == OP_dense_gradient)
        return is_wide(&op->dense_gradient.shape)
                   ? make_wide_gradient(state, program, &op->dense_gradient, made, error)
                   : make_narrow_gradient(state, program, &op->dense_gradient, made, error);
    if (op->kind == OP_dense_backward && is_wide(&op->dense_backward.shape))
        return make_wide_backward(state, program, &op->dense_backward, made, error);
    return TANDA_OK;
}

/* Floats of the chunks of an op. */
static size_t partial_floats(const opencl_backend_state *state, const program *program, const op *op) {
    const dense_shape *shape = op->kind == OP_dense_forward    ? &op->dense_forward.shape
                               : op->kind == OP_dense_backward ? &op->dense_backward.shape
                                                               : NULL;
    if (shape == NULL || !is_wide(shape)) return 0;
    const bool forward = op->kind == OP_dense_forward;
    const size_t units = forward ? shape->outputs : shape->inputs;
    const size_t chunks = choose_chunks(state, program, forward ? shape->inputs : shape->outputs, units);
    return chunks > 1 ? chunks * program->tiles.count * units * program->tiles.width : 0;
}

/* For the layer whose chunks are most; a kernel that has none of them is given as little as a buffer can be. */
static tanda_status make_partials(const opencl_backend_state *state, const program *program,
                                  tanda_error *error) {
    size_t most = 1;
    for (size_t i = 0; i < program->plan->op_count; i++) {
        const size_t floats = partial_floats(state, program, &program->plan->ops[i]);
        if (floats > most) most = floats;
    }
    return opencl_make_memory(state, most, sizeof(float), &gpu_dense_of(program)->partials, error);
}

tanda_status opencl_gpu_dense_kernels(opencl_backend_state *state, const program *program,
                                      tanda_error *error) {
    gpu_dense_program *own = gpu_dense_of(program);
    const plan *plan = program->plan;
    tanda_status status = make_partials(state, program, error);
    for (size_t i = 0; status == TANDA_OK && i < plan->op_count; i++) {
        status = make_launch(state, program, &plan->ops[i], &own->launches[i], error);
        if (own->sums_loss == NULL && plan->ops[i].kind == OP_dense_gradient) own->sums_loss = &plan->ops[i];
    }
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

static const op *end_of(const context *c) {
    return c->program->plan->ops + c->program->plan->op_count;
}

/* An op, where there is one of this kind. */
static const op *next_of_kind(const context *c, const op *at, tile_op kind) {
    return at < end_of(c) && at->kind == kind ? at : NULL;
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

/* From the last layer's outputs to its deltas. */
static loss_steps loss_tail(const context *c, const op **next) {
    loss_steps steps = {.function = ACTIVATION_IDENTITY, .step = (uint)c->wave->result};
    const op *follows = next_of_kind(c, *next, OP_softmax);
    if (follows != NULL) {
        steps.has_softmax = 1;
        steps.logits = floats_at(c, follows->softmax.logits);
        steps.softmax = floats_at(c, follows->softmax.output);
        ++*next;
    }
    if (*next == end_of(c) || step_loss_of(*next) == STEP_LOSS_NONE) return steps;
    follows = (*next)++;
    steps.loss = step_loss_of(follows);
    steps.source = floats_at(c, follows->loss.from);
    steps.losses = floats_at(c, follows->loss.losses);
    steps.with_delta = follows->loss.with_delta;
    if (steps.with_delta) steps.delta = floats_at(c, follows->loss.delta);
    steps.rule = loss_rule_of(c->program, &follows->loss);
    steps.weighted = next_of_kind(c, *next, OP_weigh) != NULL;
    if (steps.weighted) ++*next;
    /* Behind the loss sum, which is added elsewhere where there is something behind it. */
    follows = next_of_kind(c, *next, OP_loss_sum) != NULL ? next_of_kind(c, *next + 1, OP_activation_backward)
                                                          : NULL;
    if (follows != NULL) {
        steps.function = follows->activation_backward.function;
        steps.from = floats_at(c, follows->activation_backward.from);
        steps.result = floats_at(c, follows->activation_backward.delta);
        *next += 2;
    }
    return steps;
}

/* Over so many groups in three dimensions. */
static tanda_status launch_groups(const context *c, const op *op, const void *arguments, size_t size,
                                  size_t groups_0, size_t groups_1, size_t groups_2) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    launch launch = launch_of(c->state, made->kernel);
    launch.arguments = made->memories;
    launch.local[0] = made->items;
    if (made->with_results) give_memory(&launch, c->program->results.memory);
    give_arguments(&launch, arguments, size);
    return opencl_launch(&launch, groups_0 * made->items, groups_1, groups_2, c->error);
}

static size_t blocks_of(size_t lines, size_t block) {
    return (lines + block - 1) / block;
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
                                 .outputs = (uint)shape->outputs,
                                 .tiles = (uint)c->wave->tiles};
}

/* The chunks of a layer are added, where it has some. */
static tanda_status add_chunks(const context *c, const gpu_launch *made, const gpu_layer_arguments *arguments,
                               size_t results) {
    launch launch = launch_of(c->state, made->adds_chunks);
    launch.arguments = made->adds_memories;
    launch.local[0] = CHUNK_ITEMS;
    give_arguments(&launch, arguments, sizeof *arguments);
    return opencl_launch(&launch, c->program->tiles.width, blocks_of(results, CHUNK_UNITS), c->wave->tiles,
                         c->error);
}

/* Groups along the lanes are a power of two, before the number of a chunk. */
static tanda_status launch_layer(const context *c, const op *op, gpu_layer_arguments *arguments,
                                 size_t results) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    while (made->block_n << arguments->chunk_shift < c->program->tiles.width)
        arguments->chunk_shift++;
    arguments->chunks = (uint)made->chunks;
    const tanda_status status =
        launch_groups(c, op, arguments, sizeof *arguments, made->chunks << arguments->chunk_shift,
                      blocks_of(results, made->block_m), c->wave->tiles);
    return status == TANDA_OK && made->chunks > 1 ? add_chunks(c, made, arguments, results) : status;
}

/* Of rows, by work-items of a group. */
static size_t row_groups(const context *c) {
    return blocks_of(c->program->tiles.width, NARROW_ROWS);
}

static tanda_status run_forward(const context *c, const op *op, const struct op **next) {
    const dense_forward_op *forward = &op->dense_forward;
    gpu_layer_arguments arguments = layer_arguments(c, &forward->shape, forward->inputs, forward->logits);
    arguments.tail = forward_tail(c, next);
    if (is_wide(&forward->shape)) return launch_layer(c, op, &arguments, forward->shape.outputs);
    const gpu_output_arguments output = {.layer = arguments, .steps = loss_tail(c, next)};
    return launch_groups(c, op, &output, sizeof output, row_groups(c), c->wave->tiles, 1);
}

static tanda_status run_loss(const context *c, const op *op, const struct op **next) {
    const program *program = c->program;
    *next = op;
    const gpu_loss_arguments arguments = {
        .order = order_of(c),
        .steps = loss_tail(c, next),
        .tile_floats = program->tiles.floats,
        .width = (uint)program->tiles.width,
        .rows = (uint)c->wave->rows,
        .outputs = (uint)program->plan->output_forward->dense_forward.shape.outputs};
    return launch_groups(c, op, &arguments, sizeof arguments, row_groups(c), c->wave->tiles, 1);
}

static tanda_status run_backward(const context *c, const op *op, const struct op **next) {
    const dense_backward_op *backward = &op->dense_backward;
    gpu_layer_arguments arguments =
        layer_arguments(c, &backward->shape, backward->delta, backward->inputs_delta);
    arguments.tail = backward_tail(c, next);
    return launch_layer(c, op, &arguments, backward->shape.inputs);
}

/* With the backward op behind it, where there is one, and what follows that. */
static tanda_status run_narrow_gradient(const context *c, const op *op, const struct op **next) {
    const program *program = c->program;
    const dense_gradient_op *gradient = &op->dense_gradient;
    const struct op *backward = next_of_kind(c, *next, OP_dense_backward);
    const tensor_place target =
        backward != NULL ? backward->dense_backward.inputs_delta : gradient->transposed;
    gpu_narrow_arguments arguments = {.layer = layer_arguments(c, &gradient->shape, gradient->inputs, target),
                                      .delta = floats_at(c, gradient->delta),
                                      .slot_floats = program->sums.floats,
                                      .losses = floats_at(c, program->plan->loss->loss.losses),
                                      .loss = program->sums.floats - 16,
                                      .with_target = backward != NULL,
                                      .sums_loss = gpu_dense_of(program)->sums_loss == op};
    if (backward != NULL) {
        ++*next;
        arguments.layer.tail = backward_tail(c, next);
    }
    return launch_groups(c, op, &arguments, sizeof arguments,
                         blocks_of(gradient->shape.inputs, NARROW_INPUTS) + 1, c->wave->tiles, 1);
}

static tanda_status run_wide_gradient(const context *c, const op *op) {
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
    return launch_groups(c, op, &arguments, sizeof arguments, blocks_of(shape->stride, made->block_n),
                         blocks_of(shape->inputs, made->block_m) + 1, c->wave->tiles);
}

tanda_status opencl_gpu_dense_run(const context *c, const op *op, const struct op **next) {
    switch (op->kind) {
    case OP_dense_forward:
        return run_forward(c, op, next);
    case OP_dense_backward:
        return run_backward(c, op, next);
    case OP_dense_gradient:
        return is_wide(&op->dense_gradient.shape) ? run_wide_gradient(c, op)
                                                  : run_narrow_gradient(c, op, next);
    default:
        return run_loss(c, op, next);
    }
}
