/* A plan under construction: what plan_create.c, plan_build.c and the file of each kind of layer share. */
#ifndef TANDA_BACKEND_PLAN_BUILDER_H
#define TANDA_BACKEND_PLAN_BUILDER_H

#include "backend/plan.h"

typedef struct builder {
    plan *plan;
    const tanda_model *model;
    const plan_options *options;
    tensor_place deltas[2];  /* see place_deltas */
    tensor_place transposed; /* of a training: units for the transposed delta of any layer */
} builder;

/* plan_build.c. Appends all ops and tensors; the plan's layers are placed, and it has room for them. */
void plan_build(plan *plan, const tanda_model *model, const plan_options *options);

tensor_place plan_take_units(builder *builder, size_t units);
const tensor *plan_add_tensor(builder *builder, tensor_role role, size_t layer, size_t units,
                              tensor_place place);
op *plan_add_op(builder *builder, op made);

/*
 * What each kind of layer has, named for it, in plan_KIND.c. _forward appends the ops from the inputs of a layer to its
 * logits, and their tensor, and returns the last op. _backward appends those from the delta of its logits to the gradient
 * of its parameters and, unless inputs_delta is NULL, to the delta of its inputs, which goes there; inputs is where these
 * lie.
 */
typedef const op *layer_forward(builder *builder, size_t layer, tensor_place inputs, tensor_place *logits);
typedef void layer_backward(builder *builder, size_t layer, tensor_place delta, tensor_place inputs,
                            const tensor_place *inputs_delta);
#define LAYER_DECLARE(name) \
    layer_forward plan_add_##name##_forward; \
    layer_backward plan_add_##name##_backward;
LAYER_KIND_LIST(LAYER_DECLARE)
#undef LAYER_DECLARE

#endif
