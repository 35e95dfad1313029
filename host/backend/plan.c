#include "backend/plan.h"

#include <stdlib.h>

#include "support/memory.h"

/* The plan under construction; each add_ function appends what one layer needs. */
typedef struct builder {
    plan *plan;
    const tanda_model *model;
    const plan_options *options;
    size_t delta_offset[2]; /* without keep, deltas of successive layers take turns in two places */
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

static size_t take_units(builder *builder, size_t units) {
    size_t offset = builder->plan->workspace_units;
    builder->plan->workspace_units += units;
    return offset;
}

static void add_tensor(builder *builder, tensor_role role, size_t layer, size_t units, size_t offset) {
    builder->plan->tensors[builder->plan->tensor_count++] =
        (tensor){.role = role, .layer = layer, .units = units, .offset = offset};
}

static op *add_op(builder *builder, tile_op kind, size_t layer) {
    plan *plan = builder->plan;
    const packed_layer *packed = &plan->layers[layer];
    op *added = &plan->ops[plan->op_count++];
    *added = (op){.kind = kind,
                  .layer = layer,
                  .inputs = packed->inputs,
                  .outputs = packed->outputs,
                  .stride = packed->stride,
                  .weight = packed->weight,
                  .bias = packed->bias,
                  .after_barrier = true,
                  .activation = builder->model->layers[layer].activation};
    return added;
}

/*
 * The op of the model's loss. Cross-entropies start from logits, and so does the squared error of one output that is
 * identity or sigmoid; every other loss is of the output, which its activation has made.
 */
static tile_op loss_op(const tanda_model *model) {
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
    return loss_op(model) == OP_loss_elements && model->loss != LOSS_BINARY_CROSSENTROPY;
}

/*
 * Where the output of a layer lies; the activation works in place unless every tensor is kept or its derivative needs
 * the logits.
 */
static size_t place_output(builder *builder, size_t layer, size_t logits) {
    const activation function = builder->model->layers[layer].activation;
    const bool apart = builder->options->keep
                           ? function != ACTIVATION_IDENTITY
                           : builder->options->training && activation_needs_logits(function);
    size_t units = builder->plan->layers[layer].outputs;
    size_t output = apart ? take_units(builder, units) : logits;
    add_tensor(builder, TENSOR_OUTPUT, layer, units, output);
    return output;
}

static void add_prediction(builder *builder, size_t layer, size_t logits) {
    activation function = builder->model->layers[layer].activation;
    size_t units = builder->plan->layers[layer].outputs;
    if (function == ACTIVATION_IDENTITY) {
        add_tensor(builder, TENSOR_OUTPUT, layer, units, logits);
        return;
    }
    /* Never in place: the loss is computed from the logits. */
    size_t output = take_units(builder, units);
    add_tensor(builder, TENSOR_OUTPUT, layer, units, output);
    op *made = add_op(builder, function == ACTIVATION_SOFTMAX ? OP_softmax : OP_activation_forward, layer);
    made->source = logits;
    made->target = output;
}

static bool drops(const builder *builder, size_t layer) {
    const plan_options *options = builder->options;
    return options->training && options->dropout != NULL && options->dropout[layer] > 0.0;
}

/* Words are uniform in [0, 2^32); inverted scaling keeps the expected value, so that prediction has nothing to do. */
static op *add_dropout(builder *builder, tile_op kind, size_t layer, size_t source, size_t target) {
    const double rate = builder->options->dropout[layer];
    op *added = add_op(builder, kind, layer);
    added->source = source;
    added->target = target;
    added->threshold = (uint32_t)(rate * 0x1p32);
    added->scale = (float)(1.0 / (1.0 - rate));
    builder->plan->drops = true;
    return added;
}

/* Returns where the inputs of a layer are after dropout: never in place, as activations go back from their output. */
static size_t add_dropped(builder *builder, size_t layer, size_t source) {
    if (!drops(builder, layer)) return source;
    size_t units = builder->plan->layers[layer].inputs, dropped = take_units(builder, units);
    add_tensor(builder, TENSOR_DROPPED, layer, units, dropped);
    add_dropout(builder, OP_dropout_forward, layer, source, dropped);
    return dropped;
}

/* Returns the offset of what the loss is computed from. */
static size_t add_forward(builder *builder) {
    plan *plan = builder->plan;
    size_t source = take_units(builder, plan->features);
    add_tensor(builder, TENSOR_INPUT, 0, plan->features, source);
    op *gather = add_op(builder, OP_gather, 0);
    gather->target = source;
    gather->after_barrier = false;
    for (size_t i = 0; i < plan->layer_count; i++) {
        source = add_dropped(builder, i, source);
        size_t logits = take_units(builder, plan->layers[i].outputs);
        add_tensor(builder, TENSOR_LOGITS, i, plan->layers[i].outputs, logits);
        op *dense = add_op(builder, OP_dense_forward, i);
        dense->source = source;
        dense->target = logits;
        source = logits;
        if (i + 1 == plan->layer_count && !loss_is_of_output(builder->model)) break;
        source = place_output(builder, i, logits);
        if (dense->activation == ACTIVATION_IDENTITY) continue;
        op *function = add_op(builder, OP_activation_forward, i);
        function->source = logits;
        function->target = source;
    }
    if (builder->options->with_prediction && !loss_is_of_output(builder->model))
        add_prediction(builder, plan->layer_count - 1, source);
    return source;
}

static size_t place_delta(builder *builder, tensor_role role, size_t layer) {
    size_t units = builder->plan->layers[layer].outputs;
    size_t offset = builder->options->keep ? take_units(builder, units) : builder->delta_offset[layer % 2];
    add_tensor(builder, role, layer, units, offset);
    return offset;
}

/* Through the activation of a layer: the delta of its output becomes that of its logits. Returns its offset. */
static size_t add_activation_backward(builder *builder, size_t layer, size_t of_output) {
    plan *plan = builder->plan;
    if (builder->model->layers[layer].activation == ACTIVATION_IDENTITY) {
        add_tensor(builder, TENSOR_DELTA, layer, plan->layers[layer].outputs, of_output);
        return of_output;
    }
    op *function = add_op(builder, OP_activation_backward, layer);
    const tensor_role from = activation_needs_logits(function->activation) ? TENSOR_LOGITS : TENSOR_OUTPUT;
    function->source = of_output;
    function->other = plan_tensor(plan, from, layer)->offset;
    function->target = builder->options->keep ? place_delta(builder, TENSOR_DELTA, layer) : of_output;
    if (!builder->options->keep)
        add_tensor(builder, TENSOR_DELTA, layer, plan->layers[layer].outputs, function->target);
    return function->target;
}

/* Returns the offset of the last layer's delta. source: its logits or, if the loss is of these, its outputs. */
static size_t add_loss(builder *builder, size_t source) {
    const tanda_model *model = builder->model;
    const bool of_output = loss_is_of_output(model);
    size_t last = builder->plan->layer_count - 1;
    size_t losses = take_units(builder, 1);
    add_tensor(builder, TENSOR_LOSS, last, 1, losses);
    op *made = add_op(builder, loss_op(model), last);
    made->source = source;
    made->other = losses;
    made->loss = model->loss;
    made->constants = loss_constants_of(&model->loss_settings, model->loss, made->outputs);
    made->targets = builder->plan->classes ? 1 : made->outputs;
    made->with_delta = builder->options->training;
    if (made->with_delta)
        made->target = place_delta(builder, of_output ? TENSOR_DELTA_OUTPUT : TENSOR_DELTA, last);
    size_t delta = made->target;
    if (builder->plan->weighted) {
        op *weigh = add_op(builder, OP_weigh, last);
        weigh->source = delta;
        weigh->other = losses;
    }
    op *sum = add_op(builder, OP_loss_sum, last);
    sum->source = losses;
    return of_output && builder->options->training ? add_activation_backward(builder, last, delta) : delta;
}

/* Where the inputs lie that a layer was given. */
static size_t inputs_of(const plan *plan, size_t layer) {
    const tensor *dropped = plan_tensor(plan, TENSOR_DROPPED, layer);
    if (dropped != NULL) return dropped->offset;
    return layer == 0 ? plan_tensor(plan, TENSOR_INPUT, 0)->offset
                      : plan_tensor(plan, TENSOR_OUTPUT, layer - 1)->offset;
}

/* The delta of the inputs of layer i > 0: through the layer, then through its dropout. Returns its offset. */
static size_t add_input_delta(builder *builder, size_t i, size_t delta) {
    const bool dropped = drops(builder, i);
    op *backward = add_op(builder, OP_dense_backward, i);
    backward->source = delta;
    backward->target = place_delta(builder, dropped ? TENSOR_DELTA_DROPPED : TENSOR_DELTA_OUTPUT, i - 1);
    backward->after_barrier = false;
    if (!dropped) return backward->target;
    const size_t target =
        builder->options->keep ? place_delta(builder, TENSOR_DELTA_OUTPUT, i - 1) : backward->target;
    add_dropout(builder, OP_dropout_backward, i, backward->target, target);
    return target;
}

static void add_backward(builder *builder, size_t delta) {
    plan *plan = builder->plan;
    size_t widest = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        if (plan->layers[i].stride > widest) widest = plan->layers[i].stride;
    size_t scratch = take_units(builder, widest);
    for (size_t i = plan->layer_count; i-- > 0;) {
        op *gradient = add_op(builder, OP_dense_gradient, i);
        gradient->source = delta;
        gradient->other = inputs_of(plan, i);
        gradient->scratch = scratch;
        /* the loss sum before it writes nothing it reads */
        gradient->after_barrier = gradient == plan->ops || gradient[-1].kind != OP_loss_sum;
        if (i == 0) break;
        const size_t of_output = add_input_delta(builder, i, delta);
        delta = add_activation_backward(builder, i - 1, of_output);
    }
}

static void place_shared_deltas(builder *builder) {
    size_t widest[2] = {0, 0};
    for (size_t i = 0; i < builder->plan->layer_count; i++)
        if (builder->plan->layers[i].outputs > widest[i % 2])
            widest[i % 2] = builder->plan->layers[i].outputs;
    for (int i = 0; i < 2; i++)
        builder->delta_offset[i] = take_units(builder, widest[i]);
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
    size_t logits = add_forward(&builder);
    if (options->training && !options->keep) place_shared_deltas(&builder);
    if (options->training || options->with_loss) {
        size_t delta = add_loss(&builder, logits);
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
