/* The kernels of `gpu_dense`: which one an op gets, and its buffers. */
#include "backend/opencl/executors/gpu_dense.h"

#include "support/text.h"

#define COUNT(list) ((cl_uint)(sizeof(list) / sizeof *(list)))
#define KERNEL_NAME 64

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
