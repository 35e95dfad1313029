/* The ops of a dense layer. */
#include "backend/plan_builder.h"

static dense_shape shape_of(const plan *plan, size_t layer) {
    const packed_layer *packed = &plan->layers[layer];
    return (dense_shape){.inputs = packed->inputs,
                         .outputs = packed->outputs,
                         .stride = packed->stride,
                         .weight = packed->weight,
                         .bias = packed->bias};
}

const op *plan_add_dense_forward(builder *builder, size_t layer, tensor_place inputs, tensor_place *logits) {
    const dense_shape shape = shape_of(builder->plan, layer);
    *logits = plan_take_units(builder, shape.outputs);
    plan_add_tensor(builder, TENSOR_LOGITS, layer, shape.outputs, *logits);
    return plan_add_op(builder, (op){.kind = OP_dense_forward,
                                     .layer = layer,
                                     .after_barrier = true,
                                     .dense_forward = {.shape = shape, .inputs = inputs, .logits = *logits}});
}

void plan_add_dense_backward(builder *builder, size_t layer, tensor_place delta, tensor_place inputs,
                             const tensor_place *inputs_delta) {
    const plan *plan = builder->plan;
    const dense_shape shape = shape_of(plan, layer);
    /* The loss sum right before it writes nothing that it reads. */
    const bool after_loss_sum = plan->ops[plan->op_count - 1].kind == OP_loss_sum;
    plan_add_op(
        builder,
        (op){.kind = OP_dense_gradient,
             .layer = layer,
             .after_barrier = !after_loss_sum,
             .adds_over_rows = true,
             .dense_gradient = {
                 .shape = shape, .delta = delta, .inputs = inputs, .transposed = builder->transposed}});
    if (inputs_delta == NULL) return;
    plan_add_op(
        builder,
        (op){.kind = OP_dense_backward,
             .layer = layer,
             .dense_backward = {
                 .shape = shape, .to_layer = layer - 1, .delta = delta, .inputs_delta = *inputs_delta}});
}
