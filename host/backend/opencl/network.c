/*
 * Small networks on CPU devices: each of a step's launches costs there as much as some 10^5 fused operations, so two
 * kernels do what the ops of the plan say, over columns of rows and then over blocks of parameters (see network.cl; network_steps.c
 * has one that does many steps).
 */
#include "backend/opencl/wave.h"
#include <stdlib.h>
#include <string.h>

#include "kernels/cpu/network.h"
#include "support/memory.h"

/* Each column reads the weights again: of more, from memory, or for too few rows. */
#define MOST_PARAMETERS 8388608
#define MOST_PARAMETERS_OF_NARROW 2097152
#define OWN_CACHE_BYTES ((size_t)512 << 10) /* of a core's own cache, for deltas */
#define ITEMS_PER_UNIT 8
#define MOST_TILED_PARAMETERS \
    32768 /* of more, the sums of each tile would push its tensors out of the cache */
#define GROUPS_PER_UNIT 16

static enum network_loss loss_number(const op *loss) {
    switch (loss->kind) {
    case OP_loss_binary_crossentropy:
        return loss->loss.constants.smooth ? NETWORK_SMOOTHED : NETWORK_BINARY;
    case OP_loss_categorical_crossentropy:
        return NETWORK_CATEGORICAL;
    case OP_loss_mse:
        return NETWORK_SQUARED;
    case OP_loss_elements:
        return NETWORK_ELEMENTS;
    case OP_gather:
    case OP_dense_forward:
    case OP_activation_forward:
    case OP_dropout_forward:
    case OP_softmax:
    case OP_weigh:
    case OP_loss_sum:
    case OP_dense_gradient:
    case OP_dense_backward:
    case OP_dropout_backward:
    case OP_activation_backward:
    case TILE_OP_COUNT:
        break; /* no losses */
    }
    return NETWORK_BINARY;
}

void opencl_choose_network(const opencl_backend_state *state, program *program) {
    const plan *plan = program->plan;
    const bool is_wide = program->options.batch_rows >= 32 * state->base.information.compute_units;
    size_t more = 0;
    program->is_network = state->vector == 16 && plan->training && !plan->keep && !program->is_perceptron &&
                          plan->parameter_count <= (is_wide ? MOST_PARAMETERS : MOST_PARAMETERS_OF_NARROW) &&
                          plan->targets == 1 && may_fuse(program);
    if (!program->is_network) return;
    program->column = is_wide ? 32 : 16;
    program->width = round_up(program->width, program->column);
    for (size_t i = 0; i < plan->layer_count; i++)
        more += plan->layers[i].stride;
    program->workspace_floats = (plan->workspace_units + more) * program->width;
}

/* Inputs of a block of a layer's parameters. */
static size_t block_of(const program *program, const packed_layer *layer) {
    const size_t deltas = program->options.batch_rows * layer->stride * sizeof(float);
    if (layer->stride < WIDE_OUTPUTS) return NETWORK_NARROW_INPUTS;
    return deltas > OWN_CACHE_BYTES ? NETWORK_STRIP_INPUTS : NETWORK_WIDE_INPUTS;
}

/* Blocks of a layer's inputs, and one for its bias. */
static size_t items_of(const program *program, const packed_layer *layer) {
    const size_t size = block_of(program, layer);
    return (layer->inputs + size - 1) / size + 1;
}

/*
 * With enough tiles a work-item takes a group of them from rows to gradients: so many groups that compute units which end
 * early find more to do, each with the levels of its tree.
 */
static void choose_tiles(const opencl_backend_state *state, program *program) {
    const size_t tiles = tiles_of(program->options.batch_rows), wave = program->options.wave_tiles;
    const size_t most = GROUPS_PER_UNIT * state->base.information.compute_units;
    size_t slots = 1, group = wave > 1 ? 2 : 1, levels = 1;
    while (slots * group < tiles && (wave == 0 || slots < wave))
        if (wave != 0 || slots < most)
            slots *= 2;
        else
            group *= 2;
    for (size_t size = group; size > 1; size /= 2)
        levels++;
    program->wave_tiles = slots;
    program->group = group;
    program->scratch_floats = levels * program->slot_floats;
}

void opencl_choose_network_groups(const opencl_backend_state *state, program *program) {
    size_t items = 0, tiles = program->wave_tiles, wave = program->options.wave_tiles;
    const size_t units = state->base.information.compute_units;
    for (size_t i = 0; i < program->plan->layer_count; i++)
        items += items_of(program, &program->plan->layers[i]);
    program->network_items = items;
    program->is_tiled = program->column == 32 && program->plan->parameter_count <= MOST_TILED_PARAMETERS &&
                        tiles_of(program->options.batch_rows) >= 2 * units;
    if (program->is_tiled) {
        choose_tiles(state, program);
        return;
    }
    while (program->group < tiles && program->group < (wave == 0 ? MOST_GROUP_TILES : 2) &&
           (wave != 0 || items * (tiles / program->group) > ITEMS_PER_UNIT * units))
        program->group *= 2;
    program->wave_tiles = tiles / program->group;
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Panels begin at lines of the cache, and updates write whole vectors of outputs. */
static size_t panel_floats(const packed_layer *layer) {
    return round_up(round_up(layer->stride, PANEL) * layer->inputs, TILE_LANES);
}

/* What an op says of its layer. */
static void describe_op(const op *op, network_layer *layers) {
    network_layer *layer = &layers[op->layer];
    switch (op->kind) {
    case OP_dense_forward:
        layer->source = op->dense_forward.inputs.offset;
        layer->logits = layer->output = op->dense_forward.logits.offset;
        break;
    case OP_activation_forward:
        layer->output = op->activation_forward.output.offset;
        break;
    case OP_dropout_forward:
        layer->undropped = op->dropout.source.offset;
        layer->threshold = op->dropout.threshold;
        layer->scale = bits_of(op->dropout.scale);
        break;
    case OP_loss_binary_crossentropy:
    case OP_loss_categorical_crossentropy:
    case OP_loss_mse:
    case OP_loss_elements:
        layer->delta = op->loss.delta.offset;
        break;
    case OP_activation_backward:
        layer->activation = op->activation_backward.function;
        layer->from = op->activation_backward.from.offset;
        break;
    case OP_dense_backward:
        layers[op->dense_backward.to_layer].delta = op->dense_backward.inputs_delta.offset;
        break;
    case OP_gather:
    case OP_weigh:
    case OP_loss_sum:
    case OP_dense_gradient:
    case OP_dropout_backward:
        break;       /* the kernels know what they do from the above */
    case OP_softmax: /* a prediction, of no training without keep */
    case TILE_OP_COUNT:
        break;
    }
}

/* What the ops say of each layer. Returns the floats of the panels of all. */
static size_t describe(const program *program, network_layer *layers) {
    const plan *plan = program->plan;
    size_t kept = plan->workspace_units, item = 0, panels = 0;
    for (size_t i = 0; i < plan->layer_count; i++) {
        const packed_layer *layer = &plan->layers[i];
        layers[i] =
            (network_layer){.inputs = layer->inputs,
                            .outputs = layer->outputs,
                            .stride = layer->stride,
                            .weight = layer->weight,
                            .bias = layer->bias,
                            .panels = panels,
                            .delta_apart = layer->delta_units, /* columns run apart: one may be at another
                                                                          layer than its neighbour */
                            .activation = ACTIVATION_IDENTITY,
                            .kept = kept,
                            .block = block_of(program, layer),
                            .first_item = item};
        kept += layer->stride;
        item += items_of(program, layer);
        panels += panel_floats(layer);
    }
    for (size_t i = 0; i < plan->op_count; i++)
        describe_op(&plan->ops[i], layers);
    return panels;
}

tanda_status opencl_make_network(const opencl_backend_state *state, program *program, tanda_error *error) {
    network_layer *layers = NULL;
    const size_t count = program->plan->layer_count;
    tanda_status status = allocate(&layers, count, sizeof *layers, "program", error);
    if (status != TANDA_OK) return status;
    const size_t floats = describe(program, layers);
    status = opencl_make_memory(state, count, sizeof *layers, &program->layers, error);
    if (status == TANDA_OK)
        status = opencl_write_memory(state, program->layers, layers, count * sizeof *layers, error);
    free(layers);
    if (status == TANDA_OK)
        status = opencl_make_memory(state, floats, sizeof(float), &program->panels, error);
    return status;
}

network_arguments opencl_network_arguments(const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const op *loss = program->plan->loss;
    place input = place_of(c, program->plan->input->place);
    return (network_arguments){.input_offset = input.offset,
                               .input_tile = input.tile,
                               .first_tile = c->wave->first_tile,
                               .workspace_tile = program->workspace_floats,
                               .slot_floats = program->slot_floats,
                               .scratch_floats = program->scratch_floats,
                               .first_row = c->wave->first_row,
                               .row_count = options->rows,
                               .batch_rows = options->batch_rows,
                               .position = c->wave->position,
                               .seed = options->seed,
                               .losses = loss->loss.losses.offset,
                               .width = (uint)program->width,
                               .column = (uint)program->column,
                               .rows = (uint)c->wave->rows,
                               .group = (uint)program->group,
                               .layer_count = (uint)program->plan->layer_count,
                               .assembled = program->stored != NULL,
                               .shuffle = shuffles(program),
                               .weighted = program->plan->weighted,
                               .epoch = (uint)c->wave->epoch,
                               .training_step = (uint)c->wave->step,
                               .step = (uint)c->wave->result,
                               .loss = loss_number(loss),
                               .with_loss = c->wave->with_loss,
                               .rule = loss_rule_of(program, &loss->loss),
                               .updates = c->wave->updates,
                               .update = rule_of(program),
                               .inverse_rows = inverse_rows_of(c->wave->rows)};
}

void opencl_give_rows(launch *launch, const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    give_memory(launch, place_of(c, program->plan->input->place).memory);
    give_memory(launch, program->workspace);
    give_memory(launch, options->features->memory);
    give_memory(launch, options->labels->memory);
    give_memory(launch, program->plan->weighted ? options->weights->memory : options->features->memory);
    give_memory(launch, options->parameters->memory);
    give_memory(launch, program->panels);
    give_memory(launch, program->layers);
    give_memory(launch, program->results);
}

tanda_status opencl_pack_network(const context *c) {
    const program *program = c->program;
    launch launch = launch_of(c->state, c->state->exact.of_vectors[KERNEL_network_pack]);
    size_t most = 0;
    for (size_t i = 0; i < program->plan->layer_count; i++)
        if (program->plan->layers[i].inputs > most) most = program->plan->layers[i].inputs;
    give_memory(&launch, program->options.parameters->memory);
    give_memory(&launch, program->layers);
    give_memory(&launch, program->panels);
    return opencl_launch(&launch, (most + NETWORK_PACK_INPUTS - 1) / NETWORK_PACK_INPUTS,
                         program->plan->layer_count, 1, c->error);
}

static tanda_status run_rows(const context *c) {
    const program *program = c->program;
    const network_arguments arguments = opencl_network_arguments(c);
    launch launch = launch_of(c->state, c->state->exact.of_vectors[KERNEL_network_rows]);
    opencl_give_rows(&launch, c);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, program->width / program->column, c->wave->tiles, 1, c->error);
}

static tanda_status run_tiles(const context *c) {
    const program *program = c->program;
    const network_arguments arguments = opencl_network_arguments(c);
    launch launch = launch_of(c->state, c->state->exact.of_vectors[KERNEL_network_tiles]);
    opencl_give_rows(&launch, c);
    give_memory(&launch, program->slots);
    give_memory(&launch, program->scratch);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, c->wave->slots, 1, 1, c->error);
}

static tanda_status run_gradient(const context *c) {
    const program *program = c->program;
    const network_arguments arguments = opencl_network_arguments(c);
    launch launch = launch_of(c->state, c->state->exact.of_vectors[KERNEL_network_gradient]);
    give_memory(&launch, place_of(c, program->plan->input->place).memory);
    give_memory(&launch, program->workspace);
    give_memory(&launch, program->layers);
    give_memory(&launch, program->slots);
    give_memory(&launch, program->options.parameters->memory);
    give_memory(&launch, program->panels);
    give_memory(&launch, program->state);
    give_memory(&launch, program->rates);
    give_memory(&launch, program->results);
    give_arguments(&launch, &arguments, sizeof arguments);
    return opencl_launch(&launch, program->network_items, c->wave->slots, 1, c->error);
}

tanda_status opencl_run_network(const context *c) {
    /* The waves of a step share its weights. */
    tanda_status status = c->wave->position == 0 ? opencl_pack_network(c) : TANDA_OK;
    if (status != TANDA_OK) return status;
    if (c->program->is_tiled) return run_tiles(c);
    status = run_rows(c);
    return status == TANDA_OK ? run_gradient(c) : status;
}
