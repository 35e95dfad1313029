#include "backend/plan.h"

#include <stdlib.h>

#include "support/memory.h"

/* The plan under construction; each add_ function appends what one layer needs. */
typedef struct builder {
    plan *plan;
    const tanda_model *model;
    const plan_options *options;
    tensor_place deltas[2]; /* see place_deltas */
} builder;

static size_t packed_stride(size_t outputs) {
    return outputs < WIDE_OUTPUTS ? outputs : round_up(outputs, 16);
}

static tanda_status place_parameters(plan *plan, const tanda_model *model, tanda_error *error) {
    size_t next = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const layer *source = &model->layers[i];
        packed_layer *packed = &plan->layers[i];
        size_t stride = packed_stride(source->outputs);
        size_t weights = 0;
        if (multiply_overflows(source->inputs, stride, &weights) ||
            add_overflows(weights, 2 * stride + 32, &weights) || add_overflows(next, weights, &weights) ||
            weights > SIZE_MAX / 64)
            return fail(error, TANDA_FAILED, "layer %zu: %zu x %zu weights are too many", i + 1,
                        source->outputs, source->inputs);
        packed->inputs = source->inputs;
        packed->outputs = source->outputs;
        packed->stride = stride;
        packed->weight = next;
        packed->bias = round_up(next + source->inputs * stride, 16);
        packed->model_weight = source->weight;
        packed->model_bias = source->bias;
        next = round_up(packed->bias + stride, 16);
    }
    plan->parameter_count = next;
    plan->model_parameter_count = model->parameter_count;
    return TANDA_OK;
}

static tensor_place take_units(builder *builder, size_t units) {
    const size_t offset = builder->plan->workspace_units;
    builder->plan->workspace_units += units;
    return (tensor_place){.offset = offset};
}

static const tensor *add_tensor(builder *builder, tensor_role role, size_t layer, size_t units,
                                tensor_place place) {
    tensor *added = &builder->plan->tensors[builder->plan->tensor_count++];
    *added = (tensor){.role = role, .layer = layer, .units = units, .place = place};
    return added;
}

static op *add_op(builder *builder, op made) {
    op *added = &builder->plan->ops[builder->plan->op_count++];
    *added = made;
    return added;
}

static dense_shape shape_of(const plan *plan, size_t layer) {
    const packed_layer *packed = &plan->layers[layer];
    return (dense_shape){.inputs = packed->inputs,
                         .outputs = packed->outputs,
                         .stride = packed->stride,
                         .weight = packed->weight,
                         .bias = packed->bias};
}

static size_t outputs_of(const builder *builder, size_t layer) {
    return builder->plan->layers[layer].outputs;
}

static activation activation_of(const builder *builder, size_t layer) {
    return builder->model->layers[layer].activation;
}

/*
 * The op of the model's loss. Cross-entropies start from logits, and so does the squared error of one output that is
 * identity or sigmoid; every other loss is of the output, which its activation has made.
 */
static tile_op loss_kind(const tanda_model *model) {
    const layer *last = &model->layers[model->layer_count - 1];
    if (model->loss == LOSS_BINARY_CROSSENTROPY)
        return model->task == TANDA_TASK_LABELS ? OP_loss_elements : OP_loss_binary_crossentropy;
    if (model->loss == LOSS_CATEGORICAL_CROSSENTROPY || model->loss == LOSS_KL_DIVERGENCE)
        return OP_loss_categorical_crossentropy;
    if (model->loss == LOSS_MSE && last->outputs == 1 &&
        (last->activation == ACTIVATION_IDENTITY || last->activation == ACTIVATION_SIGMOID))
        return OP_loss_mse;
    return OP_loss_elements;
}

bool loss_is_of_output(const tanda_model *model) {
    return loss_kind(model) == OP_loss_elements && model->loss != LOSS_BINARY_CROSSENTROPY;
}

/*
 * Where the output of a layer lies; the activation works in place unless every tensor is kept or its derivative needs
 * the logits.
 */
static tensor_place place_output(builder *builder, size_t layer, tensor_place logits) {
    const activation function = activation_of(builder, layer);
    const bool apart = builder->options->keep
                           ? function != ACTIVATION_IDENTITY
                           : builder->options->training && activation_needs_logits(function);
    const size_t units = outputs_of(builder, layer);
    const tensor_place output = apart ? take_units(builder, units) : logits;
    add_tensor(builder, TENSOR_OUTPUT, layer, units, output);
    return output;
}

static void add_activation(builder *builder, size_t layer, tensor_place logits, tensor_place output) {
    add_op(builder, (op){.kind = OP_activation_forward,
                         .layer = layer,
                         .after_barrier = true,
                         .activation_forward = {.function = activation_of(builder, layer),
                                                .units = outputs_of(builder, layer),
                                                .logits = logits,
                                                .output = output}});
}

static void add_softmax(builder *builder, size_t layer, tensor_place logits, tensor_place output) {
    add_op(builder,
           (op){.kind = OP_softmax,
                .layer = layer,
                .after_barrier = true,
                .softmax = {.outputs = outputs_of(builder, layer), .logits = logits, .output = output}});
}

static void add_prediction(builder *builder, size_t layer, tensor_place logits) {
    const activation function = activation_of(builder, layer);
    const size_t units = outputs_of(builder, layer);
    if (function == ACTIVATION_IDENTITY) {
        add_tensor(builder, TENSOR_OUTPUT, layer, units, logits);
        return;
    }
    /* Never in place: the loss is computed from the logits. */
    const tensor_place output = take_units(builder, units);
    add_tensor(builder, TENSOR_OUTPUT, layer, units, output);
    if (function == ACTIVATION_SOFTMAX)
        add_softmax(builder, layer, logits, output);
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
    add_op(builder, (op){.kind = kind,
                         .layer = layer,
                         .after_barrier = true,
                         .dropout = {.units = builder->plan->layers[layer].inputs,
                                     .threshold = (uint32_t)(rate * 0x1p32),
                                     .scale = (float)(1.0 / (1.0 - rate)),
                                     .source = source,
                                     .target = target}});
    builder->plan->drops = true;
}

/* Returns where the inputs of a layer are after dropout: never in place, as activations go back from their output. */
static tensor_place add_dropped(builder *builder, size_t layer, tensor_place source) {
    if (!drops(builder, layer)) return source;
    const size_t units = builder->plan->layers[layer].inputs;
    const tensor_place dropped = take_units(builder, units);
    add_tensor(builder, TENSOR_DROPPED, layer, units, dropped);
    add_dropout(builder, OP_dropout_forward, layer, source, dropped);
    return dropped;
}

static tensor_place add_gather(builder *builder) {
    plan *plan = builder->plan;
    tensor_place input = take_units(builder, plan->features);
    input.is_input = true;
    plan->input = add_tensor(builder, TENSOR_INPUT, 0, plan->features, input);
    plan->gather =
        add_op(builder, (op){.kind = OP_gather, .gather = {.features = plan->features, .input = input}});
    return input;
}

/* Returns where the logits are. */
static tensor_place add_dense(builder *builder, size_t layer, tensor_place inputs) {
    plan *plan = builder->plan;
    const size_t units = outputs_of(builder, layer);
    const tensor_place logits = take_units(builder, units);
    add_tensor(builder, TENSOR_LOGITS, layer, units, logits);
    plan->output_forward = add_op(
        builder, (op){.kind = OP_dense_forward,
                      .layer = layer,
                      .after_barrier = true,
                      .dense_forward = {.shape = shape_of(plan, layer), .inputs = inputs, .logits = logits}});
    return logits;
}

/* Returns the place of what the loss is computed from. */
static tensor_place add_forward(builder *builder) {
    plan *plan = builder->plan;
    tensor_place source = add_gather(builder);
    for (size_t i = 0; i < plan->layer_count; i++) {
        source = add_dropped(builder, i, source);
        const tensor_place logits = add_dense(builder, i, source);
        source = logits;
        if (i + 1 == plan->layer_count && !loss_is_of_output(builder->model)) break;
        source = place_output(builder, i, logits);
        if (activation_of(builder, i) != ACTIVATION_IDENTITY) add_activation(builder, i, logits, source);
    }
    if (builder->options->with_prediction && !loss_is_of_output(builder->model))
        add_prediction(builder, plan->layer_count - 1, source);
    return source;
}

static tensor_place place_delta(builder *builder, tensor_role role, size_t layer) {
    const size_t units = outputs_of(builder, layer);
    const tensor_place place =
        builder->options->keep ? take_units(builder, units) : builder->deltas[layer % 2];
    add_tensor(builder, role, layer, units, place);
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
        add_tensor(builder, TENSOR_DELTA, layer, units, delta);
    if (function == ACTIVATION_IDENTITY) return delta;
    const tensor_role from = activation_needs_logits(function) ? TENSOR_LOGITS : TENSOR_OUTPUT;
    add_op(builder, (op){.kind = OP_activation_backward,
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
                    .targets = builder->plan->targets,
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
    const tensor_place losses = take_units(builder, 1);
    add_tensor(builder, TENSOR_LOSS, last, 1, losses);
    const loss_op made = make_loss(builder, last, from, losses);
    plan->loss = add_op(
        builder, (op){.kind = loss_kind(builder->model), .layer = last, .after_barrier = true, .loss = made});
    if (plan->weighted)
        add_op(builder, (op){.kind = OP_weigh,
                             .layer = last,
                             .after_barrier = true,
                             .weigh = {.outputs = made.outputs, .losses = losses, .delta = made.delta}});
    add_op(builder,
           (op){.kind = OP_loss_sum, .layer = last, .after_barrier = true, .loss_sum = {.losses = losses}});
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

static void add_dense_gradient(builder *builder, size_t layer, tensor_place delta, tensor_place transposed) {
    plan *plan = builder->plan;
    /* The loss sum right before it writes nothing that it reads. */
    const bool after_loss_sum = plan->ops[plan->op_count - 1].kind == OP_loss_sum;
    add_op(builder, (op){.kind = OP_dense_gradient,
                         .layer = layer,
                         .after_barrier = !after_loss_sum,
                         .dense_gradient = {.shape = shape_of(plan, layer),
                                            .delta = delta,
                                            .inputs = inputs_of(plan, layer),
                                            .transposed = transposed}});
}

/* The delta of the inputs of layer i > 0: through the layer, then through its dropout. Returns its place. */
static tensor_place add_input_delta(builder *builder, size_t i, tensor_place delta) {
    const bool dropped = drops(builder, i);
    const tensor_place made =
        place_delta(builder, dropped ? TENSOR_DELTA_DROPPED : TENSOR_DELTA_OUTPUT, i - 1);
    add_op(builder, (op){.kind = OP_dense_backward,
                         .layer = i,
                         .dense_backward = {.shape = shape_of(builder->plan, i),
                                            .to_layer = i - 1,
                                            .delta = delta,
                                            .inputs_delta = made}});
    if (!dropped) return made;
    const tensor_place target =
        builder->options->keep ? place_delta(builder, TENSOR_DELTA_OUTPUT, i - 1) : made;
    add_dropout(builder, OP_dropout_backward, i, made, target);
    return target;
}

static void add_backward(builder *builder, tensor_place delta) {
    plan *plan = builder->plan;
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        if (plan->layers[i].stride > widest) widest = plan->layers[i].stride;
    const tensor_place transposed = take_units(builder, widest);
    for (size_t i = plan->layer_count; i-- > 0;) {
        add_dense_gradient(builder, i, delta, transposed);
        if (i > 0) delta = add_activation_backward(builder, i - 1, add_input_delta(builder, i, delta));
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
        builder->deltas[i] = take_units(builder, widest[i]);
}

static tanda_status check_workspace(const tanda_model *model, tanda_error *error) {
    size_t units = model->features; /* and once more, where dropout takes some of them */
    if (add_overflows(units, units, &units)) units = SIZE_MAX;
    for (size_t i = 0; i < model->layer_count; i++) {
        size_t of_layer = 0;
        if (multiply_overflows(model->layers[i].outputs, 8, &of_layer) ||
            add_overflows(units, of_layer, &units) || units > SIZE_MAX / (sizeof(float) * TILE_ROWS * 64))
            return fail(error, TANDA_FAILED, "layer %zu: %zu units are too many", i + 1,
                        model->layers[i].outputs);
    }
    return TANDA_OK;
}

tanda_status plan_create(const tanda_model *model, const plan_options *options, plan **result,
                         tanda_error *error) {
    plan *made = NULL;
    tanda_status status = check_workspace(model, error);
    if (status != TANDA_OK) return status;
    status = allocate(&made, 1, sizeof *made, "plan", error);
    if (status != TANDA_OK) return status;
    made->layer_count = model->layer_count;
    made->features = model->features;
    made->classes = model->task == TANDA_TASK_CLASSES;
    made->counts = made->classes || model->task == TANDA_TASK_LABELS;
    made->targets = made->classes ? 1 : model->layers[model->layer_count - 1].outputs;
    made->training = options->training;
    made->keep = options->keep;
    made->weighted = options->training && options->weighted;
    status = allocate(&made->layers, model->layer_count, sizeof *made->layers, "plan", error);
    if (status == TANDA_OK)
        status = allocate(&made->ops, 7 * model->layer_count + 6, sizeof *made->ops, "plan", error);
    if (status == TANDA_OK)
        status = allocate(&made->tensors, 6 * model->layer_count + 4, sizeof *made->tensors, "plan", error);
    if (status == TANDA_OK) status = place_parameters(made, model, error);
    if (status != TANDA_OK) {
        plan_free(made);
        return status;
    }
    builder builder = {.plan = made, .model = model, .options = options};
    const tensor_place output = add_forward(&builder);
    if (options->training) place_deltas(&builder);
    if (options->training || options->with_loss) {
        const tensor_place delta = add_loss(&builder, output);
        if (options->training) add_backward(&builder, delta);
    }
    if (options->input_only) made->op_count = 1;
    *result = made;
    return TANDA_OK;
}

void plan_free(plan *plan) {
    if (plan == NULL) return;
    free(plan->ops);
    free(plan->tensors);
    free(plan->layers);
    free(plan);
}

const tensor *plan_tensor(const plan *plan, tensor_role role, size_t layer) {
    for (size_t i = 0; i < plan->tensor_count; i++)
        if (plan->tensors[i].role == role && plan->tensors[i].layer == layer) return &plan->tensors[i];
    return NULL;
}

void plan_pack(const plan *plan, const float *model_parameters, float *packed) {
    for (size_t i = 0; i < plan->parameter_count; i++)
        packed[i] = 0.0f;
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        const float *weight = model_parameters + layer->model_weight;
        for (size_t h = 0; h < layer->outputs; h++) {
            packed[layer->bias + h] = model_parameters[layer->model_bias + h];
            for (size_t k = 0; k < layer->inputs; k++)
                packed[layer->weight + k * layer->stride + h] = weight[h * layer->inputs + k];
        }
    }
}

void plan_unpack(const plan *plan, const float *packed, float *model_parameters) {
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        float *weight = model_parameters + layer->model_weight;
        for (size_t h = 0; h < layer->outputs; h++) {
            model_parameters[layer->model_bias + h] = packed[layer->bias + h];
            for (size_t k = 0; k < layer->inputs; k++)
                weight[h * layer->inputs + k] = packed[layer->weight + k * layer->stride + h];
        }
    }
}
