/* The launches of `gpu_dense`: what each kernel is told, and over how many groups it runs. */
#include "backend/opencl/executors/gpu_dense_parts.h"
#include "kernels/philox.h"

static row_source order_of(const context *c) {
    const program *program = c->program;
    return (row_source){.first_position = c->wave->first_row,
                        .order = order_of_rows(&program->options),
                        .features = (uint)program->plan->features,
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
    if (*next == end_of(c) || opencl_loss_op_of(*next) == LOSS_OP_NONE) return steps;
    follows = (*next)++;
    steps.loss = opencl_loss_op_of(follows);
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

/* First the layer before is added up by this launch, where it is to. */
static launch_work work_of(const context *c, const op *op, const struct op *end) {
    const struct op *adds = gpu_launch_of(c->program, op)->adds;
    launch_work work = opencl_gpu_dense_work(c, op, end);
    if (adds == NULL) return work;
    const size_t in_turn = adds->dense_forward.shape.outputs / (DENSE_ITEMS / NARROW_ROWS);
    const launch_work adding = opencl_gpu_adding_work(c, adds, op, in_turn);
    return (launch_work){work.flop, work.bytes + adding.bytes, work.chain + adding.chain};
}

/* Over so many groups in three dimensions, for an op and those behind it up to `end`. */
static tanda_status launch_groups(const context *c, const op *op, const struct op *end, const void *arguments,
                                  size_t size, size_t groups_0, size_t groups_1, size_t groups_2) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    launch launch = launch_of(c->state, made->kernel);
    launch.work = work_of(c, op, end);
    launch.arguments = made->memories;
    launch.local[0] = made->items;
    if (made->with_rates) /* of which there are none before the first run */
        give_memory(&launch,
                    c->program->update.rates != NULL ? c->program->update.rates : c->program->results.memory);
    if (made->with_results) give_memory(&launch, c->program->results.memory);
    give_arguments(&launch, arguments, size);
    return opencl_launch(&launch, groups_0 * made->items, groups_1, groups_2, c->error);
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
static tanda_status add_chunks(const context *c, const op *op, const struct op *end,
                               const gpu_layer_arguments *arguments, size_t results) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    launch launch = launch_of(c->state, made->adds_chunks);
    launch.work = opencl_gpu_adding_work(c, op, end, CHUNK_UNITS);
    launch.arguments = made->adds_memories;
    launch.local[0] = CHUNK_ITEMS;
    give_arguments(&launch, arguments, sizeof *arguments);
    return opencl_launch(&launch, c->program->tiles.width, blocks_of(results, CHUNK_UNITS), c->wave->tiles,
                         c->error);
}

/* Groups along the lanes are a power of two, before the number of a chunk. */
static tanda_status launch_layer(const context *c, const op *op, const struct op *end,
                                 gpu_layer_arguments *arguments, size_t results) {
    const gpu_launch *made = gpu_launch_of(c->program, op);
    while (made->block_n << arguments->chunk_shift < c->program->tiles.width)
        arguments->chunk_shift++;
    const tanda_status status =
        launch_groups(c, op, end, arguments, sizeof *arguments, made->chunks << arguments->chunk_shift,
                      blocks_of(results, made->block_m), c->wave->tiles);
    return status == TANDA_OK && made->adds_chunks != NULL ? add_chunks(c, op, end, arguments, results)
                                                           : status;
}

/* Of rows. */
static size_t row_groups(const context *c, const op *op) {
    return blocks_of(c->program->tiles.width, gpu_launch_of(c->program, op)->block_n);
}

/* What is in place anyway is done before the sums are stored. */
static void join_relu(const context *c, gpu_layer_arguments *arguments) {
    dense_tail *tail = &arguments->tail;
    if (tail->function != ACTIVATION_RELU || c->program->plan->keep) return;
    arguments->through_relu = 1;
    arguments->target = tail->result;
    tail->function = ACTIVATION_IDENTITY;
}

/* With what follows it; *next goes behind that. */
static gpu_layer_arguments forward_arguments(const context *c, const op *op, const struct op **next) {
    const dense_forward_op *forward = &op->dense_forward;
    gpu_layer_arguments arguments = layer_arguments(c, &forward->shape, forward->inputs, forward->logits);
    *next = op + 1;
    arguments.chunks = (uint)gpu_launch_of(c->program, op)->chunks;
    arguments.tail = forward_tail(c, next);
    join_relu(c, &arguments);
    return arguments;
}

static tanda_status run_forward(const context *c, const op *op, const struct op **next) {
    const struct op *adds = gpu_launch_of(c->program, op)->adds;
    gpu_output_arguments output = {0};
    if (adds != NULL) output.before = forward_arguments(c, adds, next);
    output.layer = forward_arguments(c, op, next);
    if (is_wide(&op->dense_forward.shape))
        return launch_layer(c, op, *next, &output.layer, output.layer.outputs);
    output.steps = loss_tail(c, next);
    return launch_groups(c, op, *next, &output, sizeof output, row_groups(c, op), c->wave->tiles, 1);
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
    return launch_groups(c, op, *next, &arguments, sizeof arguments, row_groups(c, op), c->wave->tiles, 1);
}

static tanda_status run_backward(const context *c, const op *op, const struct op **next) {
    const dense_backward_op *backward = &op->dense_backward;
    gpu_layer_arguments arguments =
        layer_arguments(c, &backward->shape, backward->delta, backward->inputs_delta);
    arguments.chunks = (uint)gpu_launch_of(c->program, op)->chunks;
    arguments.tail = backward_tail(c, next);
    if (!arguments.tail.drops) join_relu(c, &arguments);
    return launch_layer(c, op, *next, &arguments, backward->shape.inputs);
}

static gpu_update_arguments step_end_of(const context *c) {
    const program *program = c->program;
    return (gpu_update_arguments){.floats = program->plan->parameter_count,
                                  .rule = rule_of(program),
                                  .is_whole = gpu_dense_of(program)->is_whole,
                                  .step = (uint)c->wave->result,
                                  .inverse_rows = inverse_rows_of(c->wave->rows)};
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
                                      .update = step_end_of(c),
                                      .with_target = backward != NULL,
                                      .sums_loss = gpu_dense_of(program)->sums_loss == op,
                                      .tiles = (uint)program->sums.group};
    if (backward != NULL) {
        ++*next;
        arguments.layer.tail = backward_tail(c, next);
        if (!arguments.layer.tail.drops) join_relu(c, &arguments.layer);
    }
    return launch_groups(c, op, *next, &arguments, sizeof arguments,
                         blocks_of(gradient->shape.inputs, NARROW_INPUTS) + 1, c->wave->slots, 1);
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
                                              .update = step_end_of(c),
                                              .width = (uint)program->tiles.width,
                                              .rows = (uint)c->wave->rows,
                                              .stride = (uint)shape->stride,
                                              .inputs = (uint)shape->inputs,
                                              .outputs = (uint)shape->outputs,
                                              .sums_loss = gpu_dense_of(program)->sums_loss == op,
                                              .tiles = (uint)program->sums.group,
                                              .tile_apart = (uint)(program->tiles.floats - TILE_ROWS)};
    return launch_groups(c, op, op + 1, &arguments, sizeof arguments, blocks_of(shape->stride, made->block_n),
                         blocks_of(shape->inputs, made->block_m) + 1, c->wave->slots);
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
