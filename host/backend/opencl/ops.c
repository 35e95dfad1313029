/* The tile ops, one launcher each: kernels of the same names take a wave of tiles at once. */
#include "backend/opencl/ops.h"

#include "backend/opencl/gemm.h"
#include "kernels/arguments/activation.h"
#include "kernels/arguments/dense.h"
#include "kernels/arguments/dropout.h"
#include "kernels/philox.h"

/* A block of a dense kernel. */
typedef struct block {
    kernel_index kernel;
    size_t lanes, outputs;
} block;

/* For so many lanes and results: of the three shapes that begin with `large`. */
static block choose_block(const context *c, kernel_index large, size_t lanes, size_t results) {
    const size_t vector = c->state->vector, vectors = lanes / vector;
    const size_t outputs[] = {LARGE_OUTPUTS(vector), MEDIUM_OUTPUTS(vector), SMALL_OUTPUTS(vector)};
    const size_t most[] = {LARGE_VECTORS(vector), MEDIUM_VECTORS(vector), SMALL_VECTORS(vector)};
    size_t shape = 0;
    if (vector == 1)
        shape = results > outputs[1] ? 0 : results > outputs[2] ? 1 : 2;
    else
        while (vectors % most[shape] != 0)
            shape++;
    return (block){large + shape, vector * most[shape], outputs[shape]};
}

static tanda_status run_gather(const context *c, const op *op) {
    (void)op;
    return opencl_gather(c, ops_of(c->program)->rows);
}

/* The weight times a tensor, forward (plus the bias) or backward to the input: `results` units of it. */
static tanda_status run_layer(const context *c, const dense_shape *shape, tensor_place from, tensor_place to,
                              kernel_index large, size_t results) {
    const program *program = c->program;
    place source = place_of(c, from), target = place_of(c, to);
    const block block = choose_block(c, large, program->tiles.width, results);
    const dense_arguments arguments = {.source = source.offset,
                                       .source_tile = source.tile,
                                       .target = target.offset,
                                       .target_tile = target.tile,
                                       .weight = shape->weight,
                                       .bias = shape->bias,
                                       .width = (uint)program->tiles.width,
                                       .rows = (uint)c->wave->rows,
                                       .stride = (uint)shape->stride,
                                       .inputs = (uint)shape->inputs,
                                       .outputs = (uint)shape->outputs};
    launch launch = launch_exact(c->state, block.kernel);
    give_memory(&launch, source.memory);
    give_memory(&launch, target.memory);
    give_memory(&launch, program->options.parameters->memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = product_work(c, shape, shape->inputs + shape->outputs - results);
    return opencl_launch(&launch, program->tiles.width / block.lanes,
                         (results + block.outputs - 1) / block.outputs, c->wave->tiles, c->error);
}

static tanda_status run_dense_forward(const context *c, const op *op) {
    const dense_forward_op *forward = &op->dense_forward;
    if (variant_of(c, op) == VARIANT_CLBLAST) return opencl_gemm_forward(c, forward);
    return run_layer(c, &forward->shape, forward->inputs, forward->logits, KERNEL_dense_forward_large,
                     forward->shape.outputs);
}

static tanda_status run_dense_backward(const context *c, const op *op) {
    const dense_backward_op *backward = &op->dense_backward;
    if (variant_of(c, op) == VARIANT_CLBLAST) return opencl_gemm_backward(c, backward);
    return run_layer(c, &backward->shape, backward->delta, backward->inputs_delta,
                     KERNEL_dense_backward_large, backward->shape.inputs);
}

static tanda_status run_activation(const context *c, launch launch, size_t units, tensor_place source,
                                   tensor_place from, tensor_place target) {
    const program *program = c->program;
    const activation_arguments arguments = {.source = source.offset * program->tiles.width,
                                            .from = from.offset * program->tiles.width,
                                            .target = target.offset * program->tiles.width,
                                            .tile_floats = program->tiles.floats,
                                            .width = (uint)program->tiles.width,
                                            .rows = (uint)c->wave->rows};
    give_memory(&launch, program->tiles.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = row_bytes(c, same_place(source, from) ? 2 * units : 3 * units);
    return opencl_launch(&launch, lane_items(c), units, c->wave->tiles, c->error);
}

static tanda_status run_activation_forward(const context *c, const op *op) {
    const activation_forward_op *forward = &op->activation_forward;
    const launch launch = launch_activation(c->state, kernels_of(c, op), forward->function, false);
    return run_activation(c, launch, forward->units, forward->logits, forward->logits, forward->output);
}

static tanda_status run_activation_backward(const context *c, const op *op) {
    const activation_backward_op *backward = &op->activation_backward;
    const launch launch = launch_activation(c->state, kernels_of(c, op), backward->function, true);
    return run_activation(c, launch, backward->units, backward->output_delta, backward->from,
                          backward->delta);
}

static tanda_status run_dropout(const context *c, const op *op, kernel_index kernel) {
    const program *program = c->program;
    const dropout_op *dropout = &op->dropout;
    const size_t units = DROPOUT_UNITS(c->state->vector);
    place source = place_of(c, dropout->source), target = place_of(c, dropout->target);
    const dropout_arguments arguments = {.source = source.offset,
                                         .source_tile = source.tile,
                                         .target = target.offset,
                                         .target_tile = target.tile,
                                         .seed = program->options.seed,
                                         .position = c->wave->position,
                                         .width = (uint)program->tiles.width,
                                         .rows = (uint)c->wave->rows,
                                         .units = (uint)dropout->units,
                                         .threshold = dropout->threshold,
                                         .step = (uint)c->wave->step,
                                         .stream = philox_stream(PURPOSE_DROPOUT, (uint32_t)op->layer),
                                         .scale = dropout->scale};
    launch launch = launch_exact(c->state, kernel);
    give_memory(&launch, source.memory);
    give_memory(&launch, target.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = row_bytes(c, 2 * dropout->units);
    return opencl_launch(&launch, lane_items(c), (dropout->units + units - 1) / units, c->wave->tiles,
                         c->error);
}

static tanda_status run_dropout_forward(const context *c, const op *op) {
    return run_dropout(c, op, KERNEL_dropout_forward);
}

static tanda_status run_dropout_backward(const context *c, const op *op) {
    return run_dropout(c, op, KERNEL_dropout_backward);
}

static tanda_status run_softmax(const context *c, const op *op) {
    const program *program = c->program;
    const softmax_op *softmax = &op->softmax;
    const softmax_arguments arguments = {.source = softmax->logits.offset * program->tiles.width,
                                         .target = softmax->output.offset * program->tiles.width,
                                         .tile_floats = program->tiles.floats,
                                         .width = (uint)program->tiles.width,
                                         .rows = (uint)c->wave->rows,
                                         .outputs = (uint)softmax->outputs};
    launch launch = launch_from(c->state, kernels_of(c, op), KERNEL_softmax);
    give_memory(&launch, program->tiles.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work =
        (launch_work){.bytes = row_bytes(c, 2 * softmax->outputs), .chain = 3.0 * (double)softmax->outputs};
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

static tanda_status run_loss(const context *c, const op *op, kernel_index kernel) {
    const program *program = c->program;
    const loss_op *loss = &op->loss;
    const bool ordered = opencl_orders_labels(c->state, program);
    const loss_arguments arguments = {.first_row = ordered ? 0 : c->wave->first_row,
                                      .source = loss->from.offset * program->tiles.width,
                                      .losses = loss->losses.offset * program->tiles.width,
                                      .target = loss->delta.offset * program->tiles.width,
                                      .tile_floats = program->tiles.floats,
                                      .width = (uint)program->tiles.width,
                                      .rows = (uint)c->wave->rows,
                                      .with_delta = loss->with_delta,
                                      .step = (uint)c->wave->result,
                                      .rule = loss_rule_of(program, loss)};
    launch launch = launch_from(c->state, kernels_of(c, op), kernel);
    give_memory(&launch, program->tiles.memory);
    give_memory(&launch, ordered ? ops_of(program)->labels : program->options.labels->memory);
    give_memory(&launch, program->results.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = (launch_work){.bytes = row_bytes(c, 2 * loss->outputs + 1 + loss->targets),
                                .chain = (double)loss->outputs};
    return opencl_launch(&launch, lane_items(c), c->wave->tiles, 1, c->error);
}

#define DEFINE_RUN_LOSS(name) \
    static tanda_status run_##name(const context *c, const op *op) { \
        return run_loss(c, op, KERNEL_##name); \
    }
LOSS_OP_LIST(DEFINE_RUN_LOSS)

static tanda_status run_weigh(const context *c, const op *op) {
    const program *program = c->program;
    const weigh_op *weigh = &op->weigh;
    const weigh_arguments arguments = {.delta = weigh->delta.offset * program->tiles.width,
                                       .losses = weigh->losses.offset * program->tiles.width,
                                       .tile_floats = program->tiles.floats,
                                       .width = (uint)program->tiles.width,
                                       .rows = (uint)c->wave->rows,
                                       .outputs = (uint)weigh->outputs};
    launch launch = launch_exact(c->state, KERNEL_weigh);
    give_memory(&launch, program->tiles.memory);
    give_memory(&launch, ops_of(program)->weights);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work.bytes = row_bytes(c, 2 * weigh->outputs + 3);
    return opencl_launch(&launch, lane_items(c), weigh->outputs + 1, c->wave->tiles, c->error);
}

/* Work-items for so many sums in 16 lanes. */
static size_t sum_items(const context *c, size_t sums) {
    return c->state->vector == 1 ? sums * TILE_LANES : sums;
}

/* slots[target + i] = sum over the rows of line i of a tensor; and the loss sum, unless loss is NULL. */
static tanda_status run_sum_rows(const context *c, tensor_place source, size_t target, size_t lines,
                                 const loss_sum_op *loss) {
    const program *program = c->program;
    const size_t width = program->tiles.width;
    const sum_arguments arguments = {.source = source.offset * width,
                                     .losses = loss != NULL ? loss->losses.offset * width : 0,
                                     .tile_floats = program->tiles.floats,
                                     .slot_floats = program->sums.floats,
                                     .target = target,
                                     .width = (uint)width,
                                     .rows = (uint)c->wave->rows,
                                     .outputs = (uint)lines,
                                     .has_losses = loss != NULL};
    launch launch = launch_exact(c->state, KERNEL_sum_rows);
    give_memory(&launch, program->tiles.memory);
    give_memory(&launch, program->sums.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = (launch_work){.bytes = row_bytes(c, lines + arguments.has_losses) +
                                         slot_bytes(c, lines + arguments.has_losses),
                                .chain = TILE_ROWS / TILE_LANES};
    return opencl_launch(&launch, sum_items(c, lines + arguments.has_losses), c->wave->tiles, 1, c->error);
}

static tanda_status run_loss_sum(const context *c, const op *op) {
    return run_sum_rows(c, (tensor_place){0}, 0, 0, &op->loss_sum);
}

static tanda_status run_transpose_delta(const context *c, const dense_gradient_op *op) {
    const program *program = c->program;
    const transpose_arguments arguments = {.delta = op->delta.offset * program->tiles.width,
                                           .transposed = op->transposed.offset * program->tiles.width,
                                           .tile_floats = program->tiles.floats,
                                           .width = (uint)program->tiles.width,
                                           .rows = (uint)c->wave->rows,
                                           .outputs = (uint)op->shape.outputs,
                                           .stride = (uint)op->shape.stride};
    launch launch = launch_exact(c->state, KERNEL_transpose_delta);
    give_memory(&launch, program->tiles.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = (launch_work){.bytes = row_bytes(c, op->shape.outputs + op->shape.stride),
                                .chain = (double)op->shape.outputs};
    return opencl_launch(&launch, program->tiles.width, c->wave->tiles, 1, c->error);
}

/* dW of every tile from a delta, transposed for the wide kernels of vectors. */
static tanda_status launch_gradient(const context *c, const dense_gradient_op *op, kernel_index kernel,
                                    tensor_place delta, size_t items_0, size_t items_1) {
    const program *program = c->program;
    place a = place_of(c, op->inputs);
    const gradient_arguments arguments = {.delta = delta.offset * program->tiles.width,
                                          .delta_tile = program->tiles.floats,
                                          .a = a.offset,
                                          .a_tile = a.tile,
                                          .slot_floats = program->sums.floats,
                                          .weight = op->shape.weight,
                                          .width = (uint)program->tiles.width,
                                          .rows = (uint)c->wave->rows,
                                          .stride = (uint)op->shape.stride,
                                          .inputs = (uint)op->shape.inputs,
                                          .outputs = (uint)op->shape.outputs};
    launch launch = launch_exact(c->state, kernel);
    give_memory(&launch, program->tiles.memory);
    give_memory(&launch, a.memory);
    give_memory(&launch, program->sums.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = (launch_work){product_flop(c, &op->shape),
                                row_bytes(c, op->shape.inputs + op->shape.outputs) +
                                    slot_bytes(c, op->shape.inputs * op->shape.stride),
                                op->shape.outputs < WIDE_OUTPUTS ? TILE_ROWS / TILE_LANES : TILE_ROWS};
    return opencl_launch(&launch, items_0, items_1, c->wave->tiles, c->error);
}

static tanda_status run_wide_gradient(const context *c, const dense_gradient_op *op) {
    const block block = choose_block(c, KERNEL_dense_gradient_large, op->shape.stride, op->shape.inputs);
    const bool is_turned = c->state->vector == 1; /* by the kernel itself */
    tanda_status status = is_turned ? TANDA_OK : run_transpose_delta(c, op);
    if (status != TANDA_OK) return status;
    return launch_gradient(c, op, block.kernel, is_turned ? op->delta : op->transposed,
                           op->shape.stride / block.lanes,
                           (op->shape.inputs + block.outputs - 1) / block.outputs);
}

static tanda_status run_narrow_gradient(const context *c, const dense_gradient_op *op) {
    return launch_gradient(c, op, KERNEL_narrow_gradient, op->delta, sum_items(c, op->shape.inputs),
                           op->shape.outputs);
}

static tanda_status run_weight_gradient(const context *c, const op *op) {
    const dense_gradient_op *gradient = &op->dense_gradient;
    if (variant_of(c, op) == VARIANT_CLBLAST) return opencl_gemm_gradient(c, gradient);
    return gradient->shape.outputs >= WIDE_OUTPUTS ? run_wide_gradient(c, gradient)
                                                   : run_narrow_gradient(c, gradient);
}

/* With the loss sum before it, unless that is NULL. */
static tanda_status run_gradient(const context *c, const op *op, const loss_sum_op *loss) {
    const dense_gradient_op *gradient = &op->dense_gradient;
    const dense_shape *shape = &gradient->shape;
    tanda_status status = run_weight_gradient(c, op);
    return status == TANDA_OK ? run_sum_rows(c, gradient->delta, shape->bias, shape->outputs, loss) : status;
}

static tanda_status run_dense_gradient(const context *c, const op *op) {
    return run_gradient(c, op, NULL);
}

#define RUN_ENTRY(name) [OP_##name] = run_##name,
static tanda_status (*const run_functions[TILE_OP_COUNT])(const context *c,
                                                          const op *op) = {TILE_OP_LIST(RUN_ENTRY)};

tanda_status opencl_run_op(const context *c, const op *op) {
    return run_functions[op->kind](c, op);
}

tanda_status opencl_run_gradient_and_loss(const context *c, const op *gradient, const op *loss_sum) {
    return run_gradient(c, gradient, &loss_sum->loss_sum);
}
