/* The walk through a model, which appends the ops of a step to its plan: forward, loss, back. */
#include "backend/plan_builder.h"

tensor_place plan_take_units(builder *builder, size_t units) {
    const size_t offset = builder->plan->workspace_units;
    builder->plan->workspace_units += units;
    return (tensor_place){.offset = offset};
}

const tensor *plan_add_tensor(builder *builder, tensor_role role, size_t layer, size_t units,
                              tensor_place place) {
    tensor *added = &builder->plan->tensors[builder->plan->tensor_count++];
    *added = (tensor){.role = role, .layer = layer, .units = units, .place = place};
    return added;
}

op *plan_add_op(builder *builder, op made) {
    op *added = &builder->plan->ops[builder->plan->op_count++];
    *added = made;
    return added;
}

static size_t outputs_of(const builder *builder, size_t layer) {
    return builder->plan->layers[layer].outputs;
}

static activation activation_of(const builder *builder, size_t layer) {
    return builder->model->layers[layer].activation;
}

/* ---- kinds of layers ------------------------------------------------------------------------------------- */

typedef struct layer_functions {
    layer_forward *forward;
    layer_backward *backward;
} layer_functions;

static const layer_functions *kind_of(const builder *builder, size_t layer) {
#define LAYER_ENTRY(name) [LAYER_##name] = {plan_add_##name##_forward, plan_add_##name##_backward},
    static const layer_functions kinds[LAYER_KIND_COUNT] = {LAYER_KIND_LIST(LAYER_ENTRY)};
#undef LAYER_ENTRY
    return &kinds[builder->model->layers[layer].kind];
}

/* ---- forward --------------------------------------------------------------------------------------------- */

/*
 * Cross-entropies start from logits, and so does the squared error of one output that is identity or sigmoid; every other
 * loss is of the output, which its activation has made. Several labels are elements, each with its own cross-entropy.
 */
tile_op loss_kind(const tanda_model *model) {
#define LOSS_OP(name, NAME, op) [LOSS_##NAME] = OP_##op,
    static const tile_op ops[LOSS_COUNT] = {LOSS_LIST(LOSS_OP)};
#undef LOSS_OP
    const layer *last = &model->layers[model->layer_count - 1];
    const bool is_of_logit = last->outputs == 1 && (last->activation == ACTIVATION_IDENTITY ||
                                                    last->activation == ACTIVATION_SIGMOID);
    if (model->task == TANDA_TASK_LABELS || (model->loss == LOSS_MSE && !is_of_logit))
        return OP_loss_elements;
    return ops[model->loss];
}

bool loss_is_of_output(const tanda_model *model) {
    return loss_kind(model) == OP_loss_elements && model->loss != LOSS_BINARY_CROSSENTROPY;
}

static void add_activation(builder *builder, size_t layer, tensor_place logits, tensor_place output) {
    plan_add_op(builder, (op){.kind = OP_activation_forward,
                              .layer = layer,
                              .after_barrier = true,
                              .activation_forward = {.function = activation_of(builder, layer),
                                                     .units = outputs_of(builder, layer),
                                                     .logits = logits,
                                                     .output = output}});
}

static void add_prediction(builder *builder, size_t layer, tensor_place logits) {
    const activation function = activation_of(builder, layer);
    const size_t units = outputs_of(builder, layer);
    if (function == ACTIVATION_IDENTITY) {
        plan_add_tensor(builder, TENSOR_OUTPUT, layer, units, logits);
        return;
    }
    /* Never in place: the loss is computed from the logits. */
    const tensor_place output = plan_take_units(builder, units);
    plan_add_tensor(builder, TENSOR_OUTPUT, layer, units, output);
    if (function == ACTIVATION_SOFTMAX)
        plan_add_op(builder, (op){.kind = OP_softmax,
                                  .layer = layer,
                                  .after_barrier = true,
                                  .softmax = {.outputs = units, .logits = logits, .output = output}});
    else
        add_activation(builder, layer, logits, output);
}

static bool drops(const builder *builder, size_t layer) {
    const plan_options *options = builder->options;
    return options->training && options->dropout != NULL && options->dropout[layer] > 0.0;
}

/* Words are uniform in [0, 2^32); inverted scaling keeps the expected value, so that prediction has nothing to do. */
static void add_dropout(builder *builder, tile_op kind, size_t layer, tensor_place source,
                        tensor_place target) {
    const double rate = builder->options->dropout[layer];
    plan_add_op(builder, (op){.kind = kind,
                              .layer = layer,
                              .after_barrier = true,
                              .dropout = {.units = builder->model->layers[layer].inputs,
                                          .threshold = (uint32_t)(rate * 0x1p32),
                                          .scale = (float)(1.0 / (1.0 - rate)),
                                          .source = source,
                                          .target = target}});
    builder->plan->drops = true;
}

/* Returns where the inputs of a layer are after dropout: never in place, as activations go back from their output. */
static tensor_place add_dropped(builder *builder, size_t layer, tensor_place source) {
    if (!drops(builder, layer)) return source;
    const size_t units = builder->model->layers[layer].inputs;
    const tensor_place dropped = plan_take_units(builder, units);
    plan_add_tensor(builder, TENSOR_DROPPED, layer, units, dropped);
    add_dropout(builder, OP_dropout_forward, layer, source, dropped);
    return dropped;
}

/* Returns the place of what the loss is computed from. */
static tensor_place add_forward(builder *builder) {
    plan *plan = builder->plan;
    tensor_place source = plan_take_units(builder, plan->features);
    source.is_input = true;
    plan->input = plan_add_tensor(builder, TENSOR_INPUT, 0, plan->features, source);
    plan->gather = plan_add_op(
        builder, (op){.kind = OP_gather, .gather = {.features = plan->features, .input = source}});
    for (size_t i = 0; i < plan->layer_count; i++) {
        source = add_dropped(builder, i, source);
        tensor_place logits;
        plan->output_forward = kind_of(builder, i)->forward(builder, i, source, &logits);
        source = logits;
        if (i + 1 == plan->layer_count && !loss_is_of_output(builder->model)) break;
        /* The activation works in place unless every tensor is kept or its derivative needs the logits. */
        const activation function = activation_of(builder, i);
        const bool apart = builder->options->keep
                               ? function != ACTIVATION_IDENTITY
                               : builder->options->training && activation_needs_logits(function);
        const size_t units = outputs_of(builder, i);
        source = apart ? plan_take_units(builder, units) : logits;
        plan_add_tensor(builder, TENSOR_OUTPUT, i, units, source);
        if (activation_of(builder, i) != ACTIVATION_IDENTITY) add_activation(builder, i, logits, source);
    }
    if (builder->options->with_prediction && !loss_is_of_output(builder->model))
        add_prediction(builder, plan->layer_count - 1, source);
    return source;
}

/* ---- loss and backward ----------------------------------------------------------------------------------- */

static tensor_place place_delta(builder *builder, tensor_role role, size_t layer) {
    const size_t units = outputs_of(builder, layer);
    const tensor_place place =
        builder->options->keep ? plan_take_units(builder, units) : builder->deltas[layer % 2];
    plan_add_tensor(builder, role, layer, units, place);
    return place;
}

/* Through the activation of a layer: the delta of its output becomes that of its logits. Returns its place. */
static tensor_place add_activation_backward(builder *builder, size_t layer, tensor_place output_delta) {
    const activation function = activation_of(builder, layer);
    const size_t units = outputs_of(builder, layer);
    tensor_place delta = output_delta;
    if (function != ACTIVATION_IDENTITY && builder->options->keep)
        delta = place_delta(builder, TENSOR_DELTA, layer);
    else
        plan_add_tensor(builder, TENSOR_DELTA, layer, units, delta);
    if (function == ACTIVATION_IDENTITY) return delta;
    const tensor_role from = activation_needs_logits(function) ? TENSOR_LOGITS : TENSOR_OUTPUT;
    plan_add_op(builder, (op){.kind = OP_activation_backward,
                              .layer = layer,
                              .after_barrier = true,
                              .activation_backward = {.function = function,
                                                      .units = units,
                                                      .output_delta = output_delta,
                                                      .from = plan_tensor(builder->plan, from, layer)->place,
                                                      .delta = delta}});
    return delta;
}

static loss_op make_loss(builder *builder, size_t last, tensor_place from, tensor_place losses) {
    const tanda_model *model = builder->model;
    const size_t outputs = outputs_of(builder, last);
    loss_op made = {.loss = model->loss,
                    .constants = loss_constants_of(&model->loss_settings, model->loss, outputs),
                    .outputs = outputs,
                    .targets = builder->plan->labels.count,
                    .output_function = activation_of(builder, last),
                    .with_delta = builder->options->training,
                    .from = from,
                    .losses = losses};
    if (made.with_delta)
        made.delta =
            place_delta(builder, loss_is_of_output(model) ? TENSOR_DELTA_OUTPUT : TENSOR_DELTA, last);
    return made;
}

/* Returns the place of the last layer's delta. from: its logits or, if the loss is of these, its outputs. */
static tensor_place add_loss(builder *builder, tensor_place from) {
    plan *plan = builder->plan;
    const size_t last = plan->layer_count - 1;
    const tensor_place losses = plan_take_units(builder, 1);
    plan_add_tensor(builder, TENSOR_LOSS, last, 1, losses);
    const loss_op made = make_loss(builder, last, from, losses);
    plan->loss = plan_add_op(
        builder, (op){.kind = loss_kind(builder->model), .layer = last, .after_barrier = true, .loss = made});
    if (plan->weighted)
        plan_add_op(builder, (op){.kind = OP_weigh,
                                  .layer = last,
                                  .after_barrier = true,
                                  .weigh = {.outputs = made.outputs, .losses = losses, .delta = made.delta}});
    plan_add_op(builder, (op){.kind = OP_loss_sum,
                              .layer = last,
                              .after_barrier = true,
                              .adds_over_rows = true,
                              .loss_sum = {.losses = losses}});
    return made.with_delta && loss_is_of_output(builder->model)
               ? add_activation_backward(builder, last, made.delta)
               : made.delta;
}

/* Where the inputs lie that a layer was given. */
static tensor_place inputs_of(const plan *plan, size_t layer) {
    const tensor *dropped = plan_tensor(plan, TENSOR_DROPPED, layer);
    if (dropped != NULL) return dropped->place;
    return layer == 0 ? plan->input->place : plan_tensor(plan, TENSOR_OUTPUT, layer - 1)->place;
}

/* The delta of the inputs of layer i > 0, which goes to `made`, through its dropout. Returns its place. */
static tensor_place add_undropped_delta(builder *builder, size_t i, tensor_place made) {
    if (!drops(builder, i)) return made;
    const tensor_place target =
        builder->options->keep ? place_delta(builder, TENSOR_DELTA_OUTPUT, i - 1) : made;
    add_dropout(builder, OP_dropout_backward, i, made, target);
    return target;
}

static void add_backward(builder *builder, tensor_place delta) {
    plan *plan = builder->plan;
    for (size_t i = plan->layer_count; i-- > 0;) {
        layer_backward *append = kind_of(builder, i)->backward;
        if (i == 0) {
            append(builder, i, delta, inputs_of(plan, i), NULL);
            break;
        }
        const tensor_place inputs_delta =
            place_delta(builder, drops(builder, i) ? TENSOR_DELTA_DROPPED : TENSOR_DELTA_OUTPUT, i - 1);
        append(builder, i, delta, inputs_of(plan, i), &inputs_delta);
        delta = add_activation_backward(builder, i - 1, add_undropped_delta(builder, i, inputs_delta));
    }
}

/* With keep each delta has a place of its own, else those of successive layers take turns in two. */
static void place_deltas(builder *builder) {
    plan *plan = builder->plan;
    size_t widest[2] = {0, 0};
    for (size_t i = 0; i < plan->layer_count; i++)
        if (plan->layers[i].outputs > widest[i % 2]) widest[i % 2] = plan->layers[i].outputs;
    for (size_t i = 0; i < plan->layer_count; i++)
        plan->layers[i].delta_units = plan->keep ? plan->layers[i].outputs : widest[i % 2];
    for (int i = 0; i < 2 && !plan->keep; i++)
        builder->deltas[i] = plan_take_units(builder, widest[i]);
}

void plan_build(plan *plan, const tanda_model *model, const plan_options *options) {
    builder builder = {.plan = plan, .model = model, .options = options};
    const tensor_place output = add_forward(&builder);
    if (options->training) place_deltas(&builder);
    if (!options->training && !options->with_loss) return;
    const tensor_place delta = add_loss(&builder, output);
    if (!options->training) return;
    /* For any layer: its delta is used up before the next one's is made. */
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        if (plan->layers[i].stride > widest) widest = plan->layers[i].stride;
    builder.transposed = plan_take_units(&builder, widest);
    add_backward(&builder, delta);
}

const tensor *plan_tensor(const plan *plan, tensor_role role, size_t layer) {
    for (size_t i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].role == role && plan->tensors[i].layer == layer) return &plan->tensors[i];
    return NULL;
}

size_t plan_most_units(const plan *plan) {
    size_t most = 0;
    for (size_t i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].units > most) most = plan->tensors[i].units;
    return most;
}
