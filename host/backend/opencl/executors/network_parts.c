/* How networks are cut and described to their kernels, and the launches of two of them: see network.cl. */
#include "backend/opencl/executors/network_parts.h"

#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

#define WAVE_BYTES ((size_t)96 << 20) /* tensors are read in the order of memory: fewer launches count more */

/* Each column reads the weights again: of more, from memory, or for too few rows. */
#define MOST_PARAMETERS 8388608
#define MOST_PARAMETERS_OF_NARROW 2097152
#define OWN_CACHE_BYTES ((size_t)512 << 10) /* of a core's own cache, for deltas */
#define ITEMS_PER_UNIT 8
#define MOST_TILED_PARAMETERS \
    32768 /* of more, the sums of each tile would push its tensors out of the cache */

/* ---- what they can do -------------------------------------------------------------------------------------- */

static const op_set network_ops =
    OP_SET(gather) | OP_SET(dense_forward) | OP_SET(activation_forward) | OP_SET(dropout_forward) |
    OP_SET(loss_binary_crossentropy) | OP_SET(loss_categorical_crossentropy) | OP_SET(loss_mse) |
    OP_SET(loss_elements) | OP_SET(weigh) | OP_SET(loss_sum) | OP_SET(dense_gradient) |
    OP_SET(dense_backward) | OP_SET(dropout_backward) | OP_SET(activation_backward);

/* Of the losses among them, 1 + the number that the kernels know each by; 0: none. */
static const unsigned char loss_numbers[TILE_OP_COUNT] = {
    [OP_loss_binary_crossentropy] = 1 + NETWORK_BINARY,
    [OP_loss_categorical_crossentropy] = 1 + NETWORK_CATEGORICAL,
    [OP_loss_mse] = 1 + NETWORK_SQUARED,
    [OP_loss_elements] = 1 + NETWORK_ELEMENTS,
};

static uint loss_number(const op *loss) {
    const bool is_smooth = loss->kind == OP_loss_binary_crossentropy && loss->loss.constants.smooth;
    return is_smooth ? NETWORK_SMOOTHED : loss_numbers[loss->kind] - 1u;
}

bool opencl_network_fits(const backend *backend, const plan *plan, const program_options *options,
                         const char **lack) {
    return opencl_may_fuse(plan, options, network_ops, lack) && opencl_has_vectors(backend, lack) &&
           opencl_rows_are_whole(options, lack) &&
           opencl_holds(loss_numbers[plan->loss->kind] != 0, tile_op_name(plan->loss->kind), lack) &&
           opencl_holds(plan->labels.count == 1, "several labels of a row", lack) &&
           opencl_all_are_dense(plan, lack);
}

/* ---- where they are worth while, and how they cut a step --------------------------------------------------- */

static bool is_wide(const opencl_backend_state *state, const program_options *options) {
    return options->batch_rows >= 32 * state->base.information.compute_units;
}

size_t opencl_network_column(const opencl_backend_state *state, const program_options *options) {
    return is_wide(state, options) ? 32 : 16;
}

bool opencl_network_suits(const backend *backend, const plan *plan, const program_options *options) {
    return plan->parameter_count <= (is_wide((const opencl_backend_state *)backend, options)
                                         ? MOST_PARAMETERS
                                         : MOST_PARAMETERS_OF_NARROW);
}

bool opencl_tiles_suit(const backend *backend, const plan *plan, const program_options *options) {
    return plan->parameter_count <= MOST_TILED_PARAMETERS &&
           tiles_of(options->batch_rows) >= 2 * backend->information.compute_units;
}

/* Inputs of a block of a layer's parameters. */
static size_t block_of(const program_options *options, const packed_layer *layer) {
    const size_t deltas = options->batch_rows * layer->stride * sizeof(float);
    if (layer->stride < WIDE_OUTPUTS) return NETWORK_NARROW_INPUTS;
    return deltas > OWN_CACHE_BYTES ? NETWORK_STRIP_INPUTS : NETWORK_WIDE_INPUTS;
}

/* Blocks of a layer's inputs, and one for its bias. */
static size_t items_of(const program_options *options, const packed_layer *layer) {
    const size_t size = block_of(options, layer);
    return (layer->inputs + size - 1) / size + 1;
}

static size_t all_items(const plan *plan, const program_options *options) {
    size_t items = 0;
    for (size_t i = 0; i < plan->layer_count; i++)
        items += items_of(options, &plan->layers[i]);
    return items;
}

static size_t tile_width(const program_options *options, size_t column) {
    return round_up(opencl_tile_lanes(options), column);
}

/* Units of a tile: what the plan asks for, and deltas that stay for the gradients. */
static size_t tile_units(const plan *plan) {
    size_t units = plan->workspace_units;
    for (size_t i = 0; i < plan->layer_count; i++)
        units += plan->layers[i].stride;
    return units;
}

network_cut opencl_network_cut(const opencl_backend_state *state, const plan *plan,
                               const program_options *options) {
    network_cut cut = {.column = opencl_network_column(state, options), .group = 1};
    const size_t floats = tile_units(plan) * tile_width(options, cut.column);
    const size_t tiles = opencl_wave_tiles(state, plan, options, floats, WAVE_BYTES);
    const size_t items = all_items(plan, options), units = state->base.information.compute_units;
    const bool is_free = options->wave_tiles == 0;
    while (cut.group < tiles && cut.group < (is_free ? MOST_GROUP_TILES : 2) &&
           (!is_free || items * (tiles / cut.group) > ITEMS_PER_UNIT * units))
        cut.group *= 2;
    cut.slots = tiles / cut.group;
    return cut;
}

void opencl_set_network(const opencl_backend_state *state, program *program, const network_cut *cut) {
    opencl_set_tiles(program, tile_width(&program->options, cut->column), cut->column);
    program->tiles.floats = tile_units(program->plan) * program->tiles.width;
    program->tiles.count = cut->slots * cut->group;
    program->sums.group = cut->group;
    program->sums.slots = cut->slots;
    opencl_store_tiles(state, program);
}

/* ---- layers -------------------------------------------------------------------------------------------------- */

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
    default:
        break; /* of network_ops: the kernels know what they do from the above */
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
                            .block = block_of(&program->options, layer),
                            .first_item = item};
        kept += layer->stride;
        item += items_of(&program->options, layer);
        panels += panel_floats(layer);
    }
    for (size_t i = 0; i < plan->op_count; i++)
        describe_op(&plan->ops[i], layers);
    return panels;
}

static tanda_status write_layers(const opencl_backend_state *state, const program *program,
                                 network_program *own, size_t *panel_floats, tanda_error *error) {
    network_layer *layers = NULL;
    const size_t count = program->plan->layer_count;
    tanda_status status = allocate(&layers, count, sizeof *layers, "program", error);
    if (status != TANDA_OK) return status;
    *panel_floats = describe(program, layers);
    status = opencl_make_memory(state, count, sizeof *layers, &own->layers, error);
    if (status == TANDA_OK)
        status = opencl_write_memory(state, own->layers, 0, layers, count * sizeof *layers, error);
    free(layers);
    return status;
}

tanda_status opencl_make_network(opencl_backend_state *state, program *program, tanda_error *error) {
    network_program *own = NULL;
    size_t floats = 0;
    tanda_status status = allocate(&own, 1, sizeof *own, "program", error);
    if (status != TANDA_OK) return status;
    program->own = own;
    own->items = all_items(program->plan, &program->options);
    status =
        opencl_build_fused(state, "cpu/network_steps.cl", KERNEL_network_pack, KERNEL_network_steps, error);
    if (status == TANDA_OK) status = write_layers(state, program, own, &floats, error);
    return status == TANDA_OK ? opencl_make_memory(state, floats, sizeof(float), &own->panels, error)
                              : status;
}

void opencl_release_network(program *program) {
    network_program *own = network_of(program);
    if (own == NULL) return;
    opencl_release(&own->layers);
    opencl_release(&own->panels);
    opencl_release(&own->scratch);
    opencl_release(&own->turns);
    free(own);
}

/* ---- launches ------------------------------------------------------------------------------------------------ */

network_arguments opencl_network_arguments(const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const op *loss = program->plan->loss;
    const place input = place_of(c, program->plan->input->place);
    return (network_arguments){.input_offset = input.offset,
                               .input_tile = input.tile,
                               .first_tile = c->wave->first_tile,
                               .workspace_tile = program->tiles.floats,
                               .slot_floats = program->sums.floats,
                               .scratch_floats = network_of(program)->scratch_floats,
                               .first_row = c->wave->first_row,
                               .order = order_of_rows(options),
                               .batch_rows = options->batch_rows,
                               .position = c->wave->position,
                               .losses = loss->loss.losses.offset,
                               .width = (uint)program->tiles.width,
                               .column = (uint)program->tiles.column,
                               .rows = (uint)c->wave->rows,
                               .group = (uint)program->sums.group,
                               .layer_count = (uint)program->plan->layer_count,
                               .assembled = program->stored.memory != NULL,
                               .weighted = program->plan->weighted,
                               .epoch = (uint)c->wave->epoch,
                               .training_step = (uint)c->wave->step,
                               .step = (uint)c->wave->result,
                               .loss = loss_number(loss),
                               .with_loss = c->wave->with_loss,
                               .rule = loss_rule_of(program, &loss->loss),
                               .update = rule_of(program),
                               .inverse_rows = inverse_rows_of(c->wave->rows)};
}

void opencl_give_rows(launch *launch, const context *c) {
    const program *program = c->program;
    const program_options *options = &program->options;
    give_memory(launch, place_of(c, program->plan->input->place).memory);
    give_memory(launch, program->tiles.memory);
    give_memory(launch, options->features->memory);
    give_memory(launch, options->labels->memory);
    give_memory(launch, program->plan->weighted ? options->weights->memory : options->features->memory);
    give_memory(launch, options->parameters->memory);
    give_memory(launch, network_of(program)->panels);
    give_memory(launch, network_of(program)->layers);
    give_memory(launch, program->results.memory);
}

launch_work opencl_network_work(const context *c, op_set ops, size_t steps) {
    const plan *plan = c->program->plan;
    const size_t units = tile_units(plan); /* each is read or written, the deltas twice */
    const double parameters = (double)sizeof(float) * (double)plan->parameter_count;
    return (launch_work){(double)steps * products_of(c, ops),
                         (double)steps * (row_bytes(c, units) + parameters * (double)(1 + c->wave->slots)),
                         (double)steps * chains_of(c, ops)};
}

tanda_status opencl_pack_network(const context *c) {
    const program *program = c->program;
    launch launch = launch_exact(c->state, KERNEL_network_pack);
    size_t most = 0;
    for (size_t i = 0; i < program->plan->layer_count; i++)
        if (program->plan->layers[i].inputs > most) most = program->plan->layers[i].inputs;
    give_memory(&launch, program->options.parameters->memory);
    give_memory(&launch, network_of(program)->layers);
    give_memory(&launch, network_of(program)->panels);
    launch.work.bytes = 2.0 * (double)sizeof(float) * (double)program->plan->parameter_count;
    return opencl_launch(&launch, (most + NETWORK_PACK_INPUTS - 1) / NETWORK_PACK_INPUTS,
                         program->plan->layer_count, 1, c->error);
}

static tanda_status run_rows(const context *c) {
    const program *program = c->program;
    const network_arguments arguments = opencl_network_arguments(c);
    launch launch = launch_exact(c->state, KERNEL_network_rows);
    opencl_give_rows(&launch, c);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = opencl_network_work(c, OP_SET(dense_forward) | OP_SET(dense_backward), 1);
    return opencl_launch(&launch, program->tiles.width / program->tiles.column, c->wave->tiles, 1, c->error);
}

static tanda_status run_gradient(const context *c, bool updates) {
    const program *program = c->program;
    network_arguments arguments = opencl_network_arguments(c);
    arguments.updates = updates;
    launch launch = launch_exact(c->state, KERNEL_network_gradient);
    give_memory(&launch, place_of(c, program->plan->input->place).memory);
    give_memory(&launch, program->tiles.memory);
    give_memory(&launch, network_of(program)->layers);
    give_memory(&launch, program->sums.memory);
    give_memory(&launch, program->options.parameters->memory);
    give_memory(&launch, network_of(program)->panels);
    give_memory(&launch, program->update.state);
    give_memory(&launch, program->update.rates);
    give_memory(&launch, program->results.memory);
    give_arguments(&launch, &arguments, sizeof arguments);
    launch.work = opencl_network_work(c, OP_SET(dense_gradient), 1);
    return opencl_launch(&launch, network_of(program)->items, c->wave->slots, 1, c->error);
}

tanda_status opencl_run_network(const context *c, bool updates) {
    tanda_status status = opencl_store_wave(c);
    /* The waves of a step share its weights. */
    if (status == TANDA_OK && c->wave->is_first) status = opencl_pack_network(c);
    if (status == TANDA_OK) status = run_rows(c);
    return status == TANDA_OK ? run_gradient(c, updates) : status;
}

tanda_status opencl_network_partial(const context *c) {
    return opencl_run_network(c, false);
}
