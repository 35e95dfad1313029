/* The tile ops, one launcher each: kernels of the same names take a wave of tiles at once. */
#include "backend/opencl/wave.h"
#include "kernels/arguments/activation.h"
#include "kernels/arguments/dense.h"
#include "kernels/arguments/dropout.h"
#include "kernels/arguments/gather.h"
#include "kernels/philox.h"

/* Lanes of one block of a dense kernel, and which of the three shapes it is. */
static size_t block_lanes(const context *c, size_t lanes, kernel_index large, cl_kernel *kernel,
                          size_t *outputs) {
    size_t vectors = lanes / c->state->vector;
    size_t shape = vectors % 4 == 0 ? 0 : vectors % 2 == 0 ? 1 : 2;
    if (c->state->vector == 1) shape = 2; /* a GPU hides latency with work-items, not with registers */
    *kernel = c->state->exact.kernels[large + shape];
    *outputs = shape == 0 ? LARGE_OUTPUTS(c->state->vector) : SMALL_OUTPUTS(c->state->vector);
    return c->state->vector * (shape == 0 ? 4 : shape == 1 ? 2 : 1);
}

static tanda_status run_gather(const context *c, const op *op) {
    const program *program = c->program;
    const size_t column = input_column(program), vector = c->state->vector;
    place target = place_of(c, op->target);
    const gather_arguments arguments = {
        .target = target.offset,
        .target_tile = target.tile,
        .first_row = c->wave->first_row,
        .features = (uint)program->plan->features,
        .column = (uint)column,
        .mask = program->is_perceptron || program->is_network ? (uint)column - 1 : UINT32_MAX,
        .rows = (uint)c->wave->rows,
        .in_order = !shuffles(program)};
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_gather]);
    give_memory(&launch, program->options.features->memory);
    give_memory(&launch, program->rows);
    give_memory(&launch, target.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, (program->plan->features + vector - 1) / vector, program->width / vector,
                         c->wave->tiles, c->error);
}

/* The weight times a tensor, forward (plus the bias) or backward to the input: `results` units of it. */
static tanda_status run_layer(const context *c, const op *op, kernel_index large, size_t results) {
    const program *program = c->program;
    place source = place_of(c, op->source), target = place_of(c, op->target);
    cl_kernel kernel = NULL;
    size_t outputs = 0, lanes = block_lanes(c, program->width, large, &kernel, &outputs);
    const dense_arguments arguments = {.source = source.offset,
                                       .source_tile = source.tile,
                                       .target = target.offset,
                                       .target_tile = target.tile,
                                       .weight = op->weight,
                                       .bias = op->bias,
                                       .width = (uint)program->width,
                                       .rows = (uint)c->wave->rows,
                                       .stride = (uint)op->stride,
                                       .inputs = (uint)op->inputs,
                                       .outputs = (uint)op->outputs};
    launch launch = launch_of(c->state, kernel);
    give_memory(&launch, source.memory);
    give_memory(&launch, target.memory);
    give_memory(&launch, program->options.parameters->memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, program->width / lanes, (results + outputs - 1) / outputs, c->wave->tiles,
                         c->error);
}

static tanda_status run_dense_forward(const context *c, const op *op) {
    if (variant_of(c, op) == VARIANT_CLBLAST) return opencl_gemm_forward(c, op);
    return run_layer(c, op, KERNEL_dense_forward_large, op->outputs);
}

static tanda_status run_dense_backward(const context *c, const op *op) {
    if (variant_of(c, op) == VARIANT_CLBLAST) return opencl_gemm_backward(c, op);
    return run_layer(c, op, KERNEL_dense_backward_large, op->inputs);
}

static tanda_status run_activation(const context *c, const op *op, cl_kernel kernel) {
    const program *program = c->program;
    const activation_arguments arguments = {.source = op->source * program->width,
                                            .from = op->other * program->width,
                                            .target = op->target * program->width,
                                            .tile_floats = program->workspace_floats,
                                            .width = (uint)program->width,
                                            .rows = (uint)c->wave->rows};
    launch launch = launch_of(c->state, kernel);
    give_memory(&launch, program->workspace);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, lane_items(c), op->outputs, c->wave->tiles, c->error);
}

static tanda_status run_activation_forward(const context *c, const op *op) {
    return run_activation(c, op, kernels_of(c, op)->activation_forward[op->activation]);
}

static tanda_status run_activation_backward(const context *c, const op *op) {
    return run_activation(c, op, kernels_of(c, op)->activation_backward[op->activation]);
}

static tanda_status run_dropout(const context *c, const op *op, kernel_index kernel) {
    const program *program = c->program;
    const size_t units = DROPOUT_UNITS(c->state->vector);
    place source = place_of(c, op->source), target = place_of(c, op->target);
    const dropout_arguments arguments = {.source = source.offset,
                                         .source_tile = source.tile,
                                         .target = target.offset,
                                         .target_tile = target.tile,
                                         .seed = program->options.seed,
                                         .position = c->wave->position,
                                         .width = (uint)program->width,
                                         .rows = (uint)c->wave->rows,
                                         .units = (uint)op->inputs,
                                         .threshold = op->threshold,
                                         .step = (uint)c->wave->step,
                                         .stream = philox_stream(PURPOSE_DROPOUT, (uint32_t)op->layer),
                                         .scale = op->scale};
    launch launch = launch_of(c->state, c->state->exact.kernels[kernel]);
    give_memory(&launch, source.memory);
    give_memory(&launch, target.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, lane_items(c), (op->inputs + units - 1) / units, c->wave->tiles, c->error);
}

static tanda_status run_dropout_forward(const context *c, const op *op) {
    return run_dropout(c, op, KERNEL_dropout_forward);
}

static tanda_status run_dropout_backward(const context *c, const op *op) {
    return run_dropout(c, op, KERNEL_dropout_backward);
}

static tanda_status run_softmax(const context *c, const op *op) {
    const program *program = c->program;
    const softmax_arguments arguments = {.source = op->source * program->width,
                                         .target = op->target * program->width,
                                         .tile_floats = program->workspace_floats,
                                         .width = (uint)program->width,
                                         .rows = (uint)c->wave->rows,
                                         .outputs = (uint)op->outputs};
    launch launch = launch_of(c->state, kernels_of(c, op)->kernels[KERNEL_softmax]);
    give_memory(&launch, program->workspace);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

static tanda_status run_loss(const context *c, const op *op, kernel_index kernel) {
    const program *program = c->program;
    const loss_arguments arguments = {.source = op->source * program->width,
                                      .losses = op->other * program->width,
                                      .target = op->target * program->width,
                                      .tile_floats = program->workspace_floats,
                                      .width = (uint)program->width,
                                      .rows = (uint)c->wave->rows,
                                      .with_delta = op->with_delta,
                                      .step = (uint)c->wave->result,
                                      .rule = loss_rule_of(program, op)};
    launch launch = launch_of(c->state, kernels_of(c, op)->kernels[kernel]);
    give_memory(&launch, program->workspace);
    give_memory(&launch, program->labels);
    give_memory(&launch, program->results);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

static tanda_status run_loss_binary_crossentropy(const context *c, const op *op) {
    return run_loss(c, op, KERNEL_loss_binary_crossentropy);
}

static tanda_status run_loss_categorical_crossentropy(const context *c, const op *op) {
    return run_loss(c, op, KERNEL_loss_categorical_crossentropy);
}

static tanda_status run_loss_mse(const context *c, const op *op) {
    return run_loss(c, op, KERNEL_loss_mse);
}

static tanda_status run_loss_elements(const context *c, const op *op) {
    return run_loss(c, op, KERNEL_loss_elements);
}

static tanda_status run_weigh(const context *c, const op *op) {
    const program *program = c->program;
    const weigh_arguments arguments = {.delta = op->source * program->width,
                                       .losses = op->other * program->width,
                                       .tile_floats = program->workspace_floats,
                                       .width = (uint)program->width,
                                       .rows = (uint)c->wave->rows,
                                       .outputs = (uint)op->outputs};
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_weigh]);
    give_memory(&launch, program->workspace);
    give_memory(&launch, program->weights);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, lane_items(c), op->outputs + 1, c->wave->tiles, c->error);
}

/* slots[target + i] = sum over the rows of line i of a tensor */
static tanda_status run_sum_rows(const context *c, size_t source, size_t target, size_t lines) {
    const program *program = c->program;
    const sum_arguments arguments = {.source = source * program->width,
                                     .tile_floats = program->workspace_floats,
                                     .slot_floats = program->slot_floats,
                                     .target = target,
                                     .width = (uint)program->width,
                                     .rows = (uint)c->wave->rows,
                                     .outputs = (uint)lines};
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_sum_rows]);
    give_memory(&launch, program->workspace);
    give_memory(&launch, program->slots);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, lines, c->wave->tiles, 1, c->error);
}

static tanda_status run_loss_sum(const context *c, const op *op) {
    return run_sum_rows(c, op->source, c->program->slot_floats - 16, 1);
}

static tanda_status run_transpose_delta(const context *c, const op *op) {
    const program *program = c->program;
    const transpose_arguments arguments = {.delta = op->source * program->width,
                                           .transposed = op->scratch * program->width,
                                           .tile_floats = program->workspace_floats,
                                           .width = (uint)program->width,
                                           .rows = (uint)c->wave->rows,
                                           .outputs = (uint)op->outputs,
                                           .stride = (uint)op->stride};
    launch launch = launch_of(c->state, c->state->exact.kernels[KERNEL_transpose_delta]);
    give_memory(&launch, program->workspace);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, program->width, c->wave->tiles, 1, c->error);
}

/* dW of every tile from a delta, transposed for the wide kernels, at `delta` units of the workspace. */
static tanda_status launch_gradient(const context *c, const op *op, cl_kernel kernel, size_t delta,
                                    size_t items_0, size_t items_1) {
    const program *program = c->program;
    place a = place_of(c, op->other);
    const gradient_arguments arguments = {.delta = delta * program->width,
                                          .delta_tile = program->workspace_floats,
                                          .a = a.offset,
                                          .a_tile = a.tile,
                                          .slot_floats = program->slot_floats,
                                          .weight = op->weight,
                                          .width = (uint)program->width,
                                          .rows = (uint)c->wave->rows,
                                          .stride = (uint)op->stride,
                                          .inputs = (uint)op->inputs};
    launch launch = launch_of(c->state, kernel);
    give_memory(&launch, program->workspace);
    give_memory(&launch, a.memory);
    give_memory(&launch, program->slots);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, items_0, items_1, c->wave->tiles, c->error);
}

static tanda_status run_wide_gradient(const context *c, const op *op) {
    cl_kernel kernel = NULL;
    size_t inputs = 0, lanes = block_lanes(c, op->stride, KERNEL_dense_gradient_large, &kernel, &inputs);
    tanda_status status = run_transpose_delta(c, op);
    if (status != TANDA_OK) return status;
    return launch_gradient(c, op, kernel, op->scratch, op->stride / lanes,
                           (op->inputs + inputs - 1) / inputs);
}

static tanda_status run_narrow_gradient(const context *c, const op *op) {
    return launch_gradient(c, op, c->state->exact.kernels[KERNEL_narrow_gradient], op->source, op->inputs,
                           op->outputs);
}

static tanda_status run_weight_gradient(const context *c, const op *op) {
    if (variant_of(c, op) == VARIANT_CLBLAST) return opencl_gemm_gradient(c, op);
    return op->outputs >= WIDE_OUTPUTS ? run_wide_gradient(c, op) : run_narrow_gradient(c, op);
}

static tanda_status run_dense_gradient(const context *c, const op *op) {
    tanda_status status = run_weight_gradient(c, op);
    return status == TANDA_OK ? run_sum_rows(c, op->source, op->bias, op->outputs) : status;
}

#define RUN_ENTRY(name) [OP_##name] = run_##name,
static tanda_status (*const run_functions[TILE_OP_COUNT])(const context *c,
                                                          const op *op) = {TILE_OP_LIST(RUN_ENTRY)};

tanda_status opencl_run_op(const context *c, const op *op) {
    return run_functions[op->kind](c, op);
}
