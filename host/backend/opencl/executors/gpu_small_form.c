#include "backend/opencl/executors/gpu_small.h"

#include "model/names.h"
#include "support/arithmetic.h"

/* Of kernels/gpu/. */
#define LOCAL_FLOATS 8000
#define LEAST_ROWS 16
#define MOST_ROWS 128
#define WIDE_BLOCK 32
#define NARROW_INPUTS 16
#define NARROW_OUTPUTS 4
#define LINES 16

/* Of the first layer's inputs a chunk at a time, then of the outputs of any layer. */
static size_t scratch_units(const plan *plan) {
    size_t units = least(plan->features, CHUNK);
    for (size_t i = 0; i < plan->layer_count; i++)
        if (plan->layers[i].outputs > units) units = plan->layers[i].outputs;
    return units;
}

static size_t local_units(const plan *plan) {
    size_t units = scratch_units(plan);
    for (size_t i = 0; i < plan->layer_count; i++)
        units += plan->layers[i].outputs;
    return units;
}

/* A tile has the features, of each layer at most inputs for the next, what its derivative is of, and deltas; and losses. */
static size_t most_tile_units(const plan *plan) {
    size_t units = plan->features + 1;
    for (size_t i = 0; i < plan->layer_count; i++)
        units += 3 * plan->layers[i].outputs;
    return units;
}

bool gpu_small_find_form(const backend *backend, const plan *plan, const program_options *options,
                         gpu_small_form *form) {
    const size_t units = local_units(plan), compute_units = backend->information.compute_units;
    *form = (gpu_small_form){.rows = MOST_ROWS, .scratch = scratch_units(plan)};
    form->tile_units = most_tile_units(plan);
    form->losses = form->tile_units - 1;
    if (units > LOCAL_FLOATS / LEAST_ROWS) return false;
    while (form->rows > LEAST_ROWS &&
           (form->rows * units > LOCAL_FLOATS || options->batch_rows / form->rows * 2 < compute_units))
        form->rows /= 2;
    return true;
}

/* ---- layers ---------------------------------------------------------------------------------------------------- */

/* What an op says of its layer. */
static void describe_op(const op *op, gpu_small_layer *layer) {
    switch (op->kind) {
    case OP_activation_backward:
        layer->activation = op->activation_backward.function;
        break;
    case OP_dropout_forward:
        layer->threshold = op->dropout.threshold;
        layer->scale = op->dropout.scale;
        break;
    default:
        break; /* the kernels know what the others do */
    }
}

static uint take(uint *next, size_t units) {
    const uint first = *next;
    *next += (uint)units;
    return first;
}

/* Units of local memory and of a tile. */
static void place_layers(const plan *plan, gpu_small_layer *layers) {
    uint local = 0, tile = 0;
    layers[0].source = take(&tile, plan->features);
    for (size_t i = 0; i < plan->layer_count; i++) {
        gpu_small_layer *layer = &layers[i];
        const bool drops = i + 1 < plan->layer_count && layers[i + 1].threshold > 0;
        layer->of_logits = activation_needs_logits((activation)layer->activation);
        layer->place = take(&local, layer->outputs);
        layer->from = layer->of_logits || drops ? take(&tile, layer->outputs) : GPU_SMALL_NOWHERE;
        layer->delta = take(&tile, layer->outputs);
        if (i + 1 < plan->layer_count) layers[i + 1].source = take(&tile, layer->outputs);
    }
}

void gpu_small_describe(const plan *plan, gpu_small_layer *layers) {
    for (size_t i = 0; i < plan->layer_count; i++) {
        const packed_layer *layer = &plan->layers[i];
        layers[i] = (gpu_small_layer){.inputs = (uint)layer->inputs,
                                      .outputs = (uint)layer->outputs,
                                      .stride = (uint)layer->stride,
                                      .weight = (uint)layer->weight,
                                      .bias = (uint)layer->bias,
                                      .aligned = layer->stride % 4 == 0 && layer->weight % 4 == 0,
                                      .activation = ACTIVATION_IDENTITY};
    }
    for (size_t i = 0; i < plan->op_count; i++)
        describe_op(&plan->ops[i], &layers[plan->ops[i].layer]);
    place_layers(plan, layers);
}

/* ---- blocks ---------------------------------------------------------------------------------------------------- */

typedef struct block_list {
    gpu_small_block *blocks; /* NULL: they are counted */
    size_t count;
} block_list;

static void add_block(block_list *list, gpu_small_block block) {
    if (list->blocks != NULL) list->blocks[list->count] = block;
    list->count++;
}

static void add_weights(block_list *list, const gpu_small_layer *layer) {
    const bool is_wide = layer->outputs >= WIDE_OUTPUTS;
    const uint inputs = is_wide ? WIDE_BLOCK : NARROW_INPUTS, outputs = is_wide ? WIDE_BLOCK : NARROW_OUTPUTS;
    for (uint k = 0; k < layer->inputs; k += inputs)
        for (uint h = 0; h < layer->outputs; h += outputs)
            add_block(list, (gpu_small_block){.kind = is_wide ? GPU_SMALL_WIDE : GPU_SMALL_NARROW,
                                              .inputs = (uint)least(layer->inputs - k, inputs),
                                              .outputs = (uint)least(layer->outputs - h, outputs),
                                              .stride = layer->stride,
                                              .target = layer->weight + k * layer->stride + h,
                                              .source = layer->source + k,
                                              .delta = layer->delta + h});
}

static void add_lines(block_list *list, uint first, uint lines, uint target) {
    for (uint h = 0; h < lines; h += LINES)
        add_block(list, (gpu_small_block){.kind = GPU_SMALL_LINES,
                                          .outputs = (uint)least(lines - h, LINES),
                                          .target = target + h,
                                          .delta = first + h});
}

size_t gpu_small_list_blocks(const program *program, const gpu_small_form *form,
                             const gpu_small_layer *layers, gpu_small_block *blocks) {
    block_list list = {.blocks = blocks};
    const size_t count = program->plan->layer_count;
    for (size_t i = 0; i < count; i++)
        add_weights(&list, &layers[i]);
    for (size_t i = 0; i < count; i++)
        add_lines(&list, layers[i].delta, layers[i].outputs, layers[i].bias);
    add_lines(&list, (uint)form->losses, 1, (uint)program->sums.floats - 16);
    return list.count;
}
