/* The kernels of `gpu_dense`: which one an op gets, and its buffers. */
#include "backend/opencl/executors/gpu_dense_parts.h"

#include "support/text.h"

#define COUNT(list) ((cl_uint)(sizeof(list) / sizeof *(list)))
#define KERNEL_NAME 64

/* ---- chunks of a layer's terms ----------------------------------------------------------------------------- */

#define FEWEST_CHUNKS 3 /* below, a launch that adds them takes longer than they save */
#define MOST_ADDING 3   /* such launches of a step */

static const dense_shape *shape_of(const op *op) {
    return op->kind == OP_dense_forward    ? &op->dense_forward.shape
           : op->kind == OP_dense_backward ? &op->dense_backward.shape
                                           : NULL;
}

/* Units whose sums an op makes. */
static size_t units_of(const op *op) {
    return op->kind == OP_dense_forward ? shape_of(op)->outputs : shape_of(op)->inputs;
}

/* Chunks for groups of their own, where there are too few groups even of the smaller blocks. */
static size_t chunks_of(const opencl_backend_state *state, const program *program, const op *op) {
    const dense_shape *shape = shape_of(op);
    if (shape == NULL || !is_wide(shape)) return 1;
    const size_t chunks = blocks_of(op->kind == OP_dense_forward ? shape->inputs : shape->outputs, CHUNK);
    return chunks >= FEWEST_CHUNKS &&
                   gpu_block_leaves_idle(state, units_of(op), program->tiles.width, program->tiles.count)
               ? chunks
               : 1;
}

/* The narrow layer that reads a layer's outputs, if it is one: its groups have rows of their own, and add chunks first. */
static gpu_launch *narrow_reader(const program *program, const op *op) {
    const struct op *end = program->plan->ops + program->plan->op_count;
    if (op->kind != OP_dense_forward) return NULL;
    do
        op++;
    while (op < end && op->kind != OP_dense_forward);
    return op < end && !is_wide(&op->dense_forward.shape) ? gpu_launch_of(program, op) : NULL;
}

static void choose_chunks(const opencl_backend_state *state, const program *program) {
    size_t adding = 0;
    for (size_t i = 0; i < program->plan->op_count; i++) {
        const op *op = &program->plan->ops[i];
        gpu_launch *made = gpu_launch_of(program, op), *reader = narrow_reader(program, op);
        made->chunks = chunks_of(state, program, op);
        if (made->chunks > 1 && reader != NULL)
            reader->adds = op;
        else if (made->chunks > 1 && adding++ >= MOST_ADDING)
            made->chunks = 1;
    }
}

/* For the layer whose chunks are most; a kernel that has none of them is given as little as a buffer can be. */
static tanda_status make_partials(const opencl_backend_state *state, const program *program,
                                  tanda_error *error) {
    size_t most = 1;
    for (size_t i = 0; i < program->plan->op_count; i++) {
        const op *op = &program->plan->ops[i];
        const size_t chunks = gpu_launch_of(program, op)->chunks;
        if (chunks <= 1) continue;
        const size_t floats = chunks * program->tiles.count * units_of(op) * program->tiles.width;
        if (floats > most) most = floats;
    }
    return opencl_make_memory(state, most, sizeof(float), &gpu_dense_of(program)->partials, error);
}

/* ---- kernels ------------------------------------------------------------------------------------------------ */

/* Where an op reads the inputs of its layer. */
static gpu_source source_of(const program *program, tensor_place inputs) {
    return inputs.is_input ? gpu_dense_of(program)->rows : GPU_TILES;
}

static cl_mem source_memory(const program *program, gpu_source source) {
    return source == GPU_TILES ? program->tiles.memory : program->options.features->memory;
}

static const char *const source_names[] = {"tiles", "rows", "loose"};

/* The kernel of a name in a file, which is built with options, and its buffers. */
static tanda_status make_kernel(opencl_backend_state *state, const program *program, const char *file,
                                const char *options, const char *name, const cl_mem *memories, cl_uint count,
                                cl_kernel *kernel, tanda_error *error) {
    char all_options[2 * KERNEL_NAME];
    cl_program built = NULL;
    cl_int code = CL_SUCCESS;
    text_put(all_options, sizeof all_options, "%s%s", options, opencl_gpu_order_option(program));
    tanda_status status = opencl_single_program(state, file, all_options, &built, error);
    if (status == TANDA_OK) status = opencl_make_kernel(state, built, name, kernel, error);
    for (cl_uint i = 0; status == TANDA_OK && code == CL_SUCCESS && i < count; i++)
        code = clSetKernelArg(*kernel, i, sizeof memories[i], &memories[i]);
    return status == TANDA_OK ? opencl_check(state, code, "clSetKernelArg", error) : status;
}

static void set_blocks(const gpu_block *block, gpu_launch *made) {
    made->items = DENSE_ITEMS;
    made->block_m = block->m;
    made->block_n = block->n;
}

static tanda_status make(opencl_backend_state *state, const program *program, const char *file,
                         const char *name, gpu_launch *made, const cl_mem *memories, cl_uint count,
                         tanda_error *error) {
    made->memories = count;
    return make_kernel(state, program, file, "", name, memories, count, &made->kernel, error);
}

/* Of gpu/dense.cl, in blocks. */
static tanda_status make_blocks(opencl_backend_state *state, const program *program, const gpu_block *block,
                                const char *name, gpu_launch *made, const cl_mem *memories, cl_uint count,
                                tanda_error *error) {
    char options[KERNEL_NAME], of_shape[KERNEL_NAME];
    text_put(options, sizeof options, " -DSHAPE=%s", block->name);
    text_put(of_shape, sizeof of_shape, "%s_%s", name, block->name);
    set_blocks(block, made);
    made->memories = count;
    return make_kernel(state, program, "gpu/dense.cl", options, of_shape, memories, count, &made->kernel,
                       error);
}

/* The second launch of a layer whose chunks have groups of their own, unless the next one adds them. */
static tanda_status make_adding(opencl_backend_state *state, const program *program, const op *op,
                                const char *name, cl_uint count, tanda_error *error) {
    gpu_launch *made = gpu_launch_of(program, op);
    const gpu_launch *reader = narrow_reader(program, op);
    const cl_mem memories[] = {gpu_dense_of(program)->partials, program->tiles.memory,
                               program->options.parameters->memory};
    made->adds_memories = count;
    return made->chunks > 1 && (reader == NULL || reader->adds != op)
               ? make_kernel(state, program, "gpu/chunks.cl", "", name, memories, count, &made->adds_chunks,
                             error)
               : TANDA_OK;
}

static tanda_status make_wide_forward(opencl_backend_state *state, const program *program, const op *op,
                                      gpu_launch *made, tanda_error *error) {
    const dense_forward_op *forward = &op->dense_forward;
    const gpu_source source = source_of(program, forward->inputs);
    const gpu_block *block =
        gpu_block_choose(state, forward->shape.outputs, program->tiles.width, program->tiles.count, 1);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory,
                               program->options.parameters->memory, gpu_dense_of(program)->partials};
    const bool folds = forward->shape.inputs > CHUNK && made->chunks == 1;
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_forward_%s%s", folds ? "folded_" : "", source_names[source]);
    tanda_status status = make_blocks(state, program, block, name, made, memories, COUNT(memories), error);
    return status == TANDA_OK ? make_adding(state, program, op, "gpu_forward_chunks", 3, error) : status;
}

static tanda_status make_narrow_forward(opencl_backend_state *state, const program *program,
                                        const dense_forward_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const cl_mem memories[] = {source_memory(program, source),
                               program->tiles.memory,
                               program->options.parameters->memory,
                               gpu_dense_of(program)->partials,
                               opencl_memory_or_any(program, program->options.labels),
                               opencl_memory_or_any(program, program->options.weights)};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_output_%s", source_names[source]);
    set_blocks(&(gpu_block){.n = NARROW_ROWS}, made);
    made->with_results = true;
    return make(state, program, "gpu/narrow.cl", name, made, memories, COUNT(memories), error);
}

static tanda_status make_loss(opencl_backend_state *state, const program *program, gpu_launch *made,
                              tanda_error *error) {
    const cl_mem memories[] = {program->tiles.memory, opencl_memory_or_any(program, program->options.labels),
                               opencl_memory_or_any(program, program->options.weights)};
    set_blocks(&(gpu_block){.n = LOSS_ROWS}, made);
    made->with_results = true;
    return make(state, program, "gpu/loss.cl", "gpu_loss", made, memories, COUNT(memories), error);
}

static tanda_status make_wide_backward(opencl_backend_state *state, const program *program, const op *op,
                                       gpu_launch *made, tanda_error *error) {
    const dense_shape *layer = &op->dense_backward.shape;
    const gpu_block *block =
        gpu_block_choose(state, layer->inputs, program->tiles.width, program->tiles.count, 1);
    const cl_mem memories[] = {program->tiles.memory, program->options.parameters->memory,
                               gpu_dense_of(program)->partials};
    const bool folds = layer->outputs > CHUNK && made->chunks == 1;
    const char *name = folds ? "gpu_backward_folded" : "gpu_backward";
    tanda_status status = make_blocks(state, program, block, name, made, memories, COUNT(memories), error);
    return status == TANDA_OK ? make_adding(state, program, op, "gpu_backward_chunks", 2, error) : status;
}

static tanda_status make_wide_gradient(opencl_backend_state *state, const program *program,
                                       const dense_gradient_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const gpu_block *block = gpu_block_choose(state, op->shape.inputs, op->shape.stride, program->tiles.count,
                                              program->sums.group);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory, program->sums.memory,
                               program->options.parameters->memory, program->update.state};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_gradient_%s", source_names[source]);
    made->with_rates = made->with_results = true;
    return make_blocks(state, program, block, name, made, memories, COUNT(memories), error);
}

/* With the delta of its inputs. */
static tanda_status make_narrow_gradient(opencl_backend_state *state, const program *program,
                                         const dense_gradient_op *op, gpu_launch *made, tanda_error *error) {
    const gpu_source source = source_of(program, op->inputs);
    const cl_mem memories[] = {source_memory(program, source), program->tiles.memory, program->sums.memory,
                               program->options.parameters->memory, program->update.state};
    char name[KERNEL_NAME];
    text_put(name, sizeof name, "gpu_narrow_%s", source_names[source]);
    made->with_rates = made->with_results = true;
    set_blocks(&(gpu_block){.m = NARROW_INPUTS}, made);
    return make(state, program, "gpu/narrow.cl", name, made, memories, COUNT(memories), error);
}

static tanda_status make_launch(opencl_backend_state *state, const program *program, const op *op,
                                gpu_launch *made, tanda_error *error) {
    if (op->kind == OP_softmax || opencl_loss_op_of(op) != LOSS_OP_NONE)
        return make_loss(state, program, made, error);
    if (op->kind == OP_dense_forward)
        return is_wide(&op->dense_forward.shape)
                   ? make_wide_forward(state, program, op, made, error)
                   : make_narrow_forward(state, program, &op->dense_forward, made, error);
    if (op->kind == OP_dense_gradient)
        return is_wide(&op->dense_gradient.shape)
                   ? make_wide_gradient(state, program, &op->dense_gradient, made, error)
                   : make_narrow_gradient(state, program, &op->dense_gradient, made, error);
    if (op->kind == OP_dense_backward && is_wide(&op->dense_backward.shape))
        return make_wide_backward(state, program, op, made, error);
    return TANDA_OK;
}

tanda_status opencl_gpu_dense_kernels(opencl_backend_state *state, const program *program,
                                      tanda_error *error) {
    gpu_dense_program *own = gpu_dense_of(program);
    const plan *plan = program->plan;
    choose_chunks(state, program);
    tanda_status status = make_partials(state, program, error);
    for (size_t i = 0; status == TANDA_OK && i < plan->op_count; i++) {
        status = make_launch(state, program, &plan->ops[i], &own->launches[i], error);
        if (own->sums_loss == NULL && plan->ops[i].kind == OP_dense_gradient) own->sums_loss = &plan->ops[i];
    }
    return status;
}
