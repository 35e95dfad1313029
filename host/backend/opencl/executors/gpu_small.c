/*
 * Small nets on GPUs, whose rows go through all layers in local memory: three launches a step where one wave holds its
 * batch, and what launches cost would else be most of it. See kernels/gpu/small.cl.
 */
#include "backend/opencl/executors/gpu_small.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/memory.h"
#include "support/text.h"

/* Of kernels/gpu/small.cl. */
#define MOST_MERGED_SLOTS 64

#define FIXED_OF_ROWS 6
#define FIXED_OF_GRADIENT 3
#define FIXED_OF_UPDATE 4
#define MOST_SMALL_PARAMETERS 131072 /* of more, a group of few rows waits for its weights for too long */
#define MOST_FEATURE_BYTES ((size_t)32 << 20) /* of a batch, which a GPU writes and reads in some 20 us */
#define MOST_ASKED 24576 /* parameters that a GPU's first-level cache holds beside local memory */

typedef struct gpu_small_program {
    gpu_small_form form;
    cl_kernel rows, gradient, update;
    cl_mem layers, blocks;
    size_t block_count;
} gpu_small_program;

static gpu_small_program *own_of(const program *program) {
    return program->own;
}

static const op_set known = OP_SET(gather) | OP_SET(dense_forward) | OP_SET(activation_forward) |
                            OP_SET(dropout_forward) | OP_SET(loss_binary_crossentropy) |
                            OP_SET(loss_categorical_crossentropy) | OP_SET(loss_mse) | OP_SET(loss_elements) |
                            OP_SET(weigh) | OP_SET(loss_sum) | OP_SET(dense_gradient) |
                            OP_SET(dense_backward) | OP_SET(dropout_backward) | OP_SET(activation_backward);

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    gpu_small_form form;
    return opencl_may_fuse(plan, options, known, lack) && opencl_gpu_fits(backend, lack) &&
           opencl_rows_are_whole(options, lack) && opencl_all_are_dense(plan, lack) &&
           opencl_holds(options->rows <= UINT32_MAX, "so many rows", lack) &&
           opencl_holds(plan->features % 4 != 0 || opencl_rows_are_aligned(options, plan->features),
                        "rows that do not begin at multiples of 16 bytes", lack) &&
           opencl_holds(plan->parameter_count <= MOST_SMALL_PARAMETERS, "so many parameters", lack) &&
           opencl_holds(gpu_small_find_form(backend, plan, options, &form), "so many units", lack);
}

/* Features go into tiles: of many that takes longer than the launches that others need besides. */
static bool suits(const backend *backend, const plan *plan, const program_options *options) {
    return options->batch_rows <= MOST_FEATURE_BYTES / sizeof(float) / plan->features &&
           opencl_gpu_suits(backend, plan, options);
}

static void cut(const opencl_backend_state *state, program *program) {
    gpu_small_form form;
    gpu_small_find_form(&state->base, program->plan, &program->options, &form);
    opencl_set_tiles(program, round_up(opencl_tile_lanes(&program->options), form.rows), 0);
    program->tiles.floats = form.tile_units * program->tiles.width;
    program->sums.group = 1;
    program->sums.slots = opencl_wave_tiles(state, program->plan, &program->options,
                                            program->tiles.floats + program->sums.floats, GPU_WAVE_BYTES);
    program->tiles.count = program->sums.slots;
}

/* ---- preparing ------------------------------------------------------------------------------------------------- */

static tanda_status write_array(const opencl_backend_state *state, cl_mem *memory, const void *values,
                                size_t count, size_t size, tanda_error *error) {
    const tanda_status status = opencl_make_memory(state, count, size, memory, error);
    return status == TANDA_OK ? opencl_write_memory(state, *memory, 0, values, count * size, error) : status;
}

static tanda_status write_layers(const opencl_backend_state *state, const program *program,
                                 gpu_small_program *own, tanda_error *error) {
    const size_t count = program->plan->layer_count;
    gpu_small_layer *layers = NULL;
    gpu_small_block *blocks = NULL;
    tanda_status status = allocate(&layers, count, sizeof *layers, "program", error);
    if (status != TANDA_OK) return status;
    gpu_small_describe(program->plan, layers);
    own->block_count = gpu_small_list_blocks(program, &own->form, layers, NULL);
    status = allocate(&blocks, own->block_count, sizeof *blocks, "program", error);
    if (status == TANDA_OK) {
        gpu_small_list_blocks(program, &own->form, layers, blocks);
        status = write_array(state, &own->layers, layers, count, sizeof *layers, error);
    }
    if (status == TANDA_OK)
        status = write_array(state, &own->blocks, blocks, own->block_count, sizeof *blocks, error);
    free(layers);
    free(blocks);
    return status;
}

static tanda_status make_kernels(opencl_backend_state *state, const program *program, tanda_error *error) {
    gpu_small_program *own = own_of(program);
    char options[48];
    cl_program made = NULL;
    text_put(options, sizeof options, " -DROWS=%zu%s", own->form.rows, opencl_gpu_order_option(program));
    tanda_status status = opencl_single_program(state, "gpu/small.cl", options, &made, error);
    if (status == TANDA_OK) status = opencl_make_kernel(state, made, "gpu_small_rows", &own->rows, error);
    if (status == TANDA_OK)
        status = opencl_make_kernel(state, made, "gpu_small_gradient", &own->gradient, error);
    return status == TANDA_OK ? opencl_make_kernel(state, made, "gpu_small_update", &own->update, error)
                              : status;
}

/* Arguments that stay as they are; behind them come those of each launch. */
static tanda_status give_fixed(opencl_backend_state *state, const program *program, tanda_error *error) {
    const gpu_small_program *own = own_of(program);
    const program_options *options = &program->options;
    launch rows = launch_of(state, own->rows), gradient = launch_of(state, own->gradient),
           update = launch_of(state, own->update);
    give_memory(&rows, options->features->memory);
    give_memory(&rows, options->labels->memory);
    give_memory(&rows, opencl_memory_or_any(program, options->weights));
    give_memory(&rows, options->parameters->memory);
    give_memory(&rows, own->layers);
    give_memory(&rows, program->tiles.memory);
    give_memory(&gradient, own->blocks);
    give_memory(&gradient, program->tiles.memory);
    give_memory(&gradient, program->sums.memory);
    give_memory(&update, options->parameters->memory);
    give_memory(&update, program->sums.memory);
    give_memory(&update, program->update.state);
    give_memory(&update, program->update.biases);
    const cl_int code = rows.code != CL_SUCCESS ? rows.code : gradient.code;
    return opencl_check(state, code != CL_SUCCESS ? code : update.code, "clSetKernelArg", error);
}

static tanda_status prepare(opencl_backend_state *state, program *program, tanda_error *error) {
    gpu_small_program *own = NULL;
    tanda_status status = allocate(&own, 1, sizeof *own, "program", error);
    if (status != TANDA_OK) return status;
    program->own = own;
    gpu_small_find_form(&state->base, program->plan, &program->options, &own->form);
    status = write_layers(state, program, own, error);
    if (status == TANDA_OK) status = make_kernels(state, program, error);
    return status == TANDA_OK ? give_fixed(state, program, error) : status;
}

static void release(program *program) {
    gpu_small_program *own = own_of(program);
    if (own == NULL) return;
    const cl_kernel kernels[] = {own->rows, own->gradient, own->update};
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (kernels[i] != NULL) clReleaseKernel(kernels[i]);
    opencl_release(&own->layers);
    opencl_release(&own->blocks);
    free(own);
}

/* ---- steps ----------------------------------------------------------------------------------------------------- */

static gpu_small_arguments arguments_of(const context *c) {
    const program *program = c->program;
    const gpu_small_form *form = &own_of(program)->form;
    const update_constants *constants = &program->options.update.constants;
    const bool is_penalised = constants->l1 > 0.0f || constants->l2 > 0.0f;
    const size_t count = program->plan->parameter_count;
    return (gpu_small_arguments){.first_row = c->wave->first_row,
                                 .order = order_of_rows(&program->options),
                                 .position = c->wave->position,
                                 .tile_floats = program->tiles.floats,
                                 .slot_floats = program->sums.floats,
                                 .rows = (uint)c->wave->rows,
                                 .width = (uint)program->tiles.width,
                                 .features = (uint)program->plan->features,
                                 .layer_count = (uint)program->plan->layer_count,
                                 .scratch = (uint)form->scratch,
                                 .losses = (uint)form->losses,
                                 .loss = opencl_loss_op_of(program->plan->loss),
                                 .weighted = program->plan->weighted,
                                 .epoch = (uint)c->wave->epoch,
                                 .training_step = (uint)c->wave->step,
                                 .result = (uint)c->wave->result,
                                 .slots = (uint)c->wave->slots,
                                 .bias_count = is_penalised ? (uint)program->plan->layer_count : 0,
                                 .asked = count <= MOST_ASKED ? (uint)count : 0,
                                 .inverse_rows = inverse_rows_of(c->wave->rows),
                                 .update = rule_of(program),
                                 .rule = loss_rule_of(program, &program->plan->loss->loss)};
}

/* Operations that a group takes beside its chains: its row numbers, and of each layer barriers and the latency of memory. */
#define ROWS_CHAIN 100
#define LAYER_CHAIN 100

/* Quads of chains of so many units that a work-item takes one after the other. */
static size_t rounds_of(const gpu_small_form *form, size_t units) {
    const size_t together = 2 * GPU_GROUP / form->rows;
    return ((units + 3) / 4 + together - 1) / together;
}

/* Rows are read once; of tensors there are as many units as a tile has. */
static launch_work work_of_rows(const context *c) {
    const plan *plan = c->program->plan;
    const gpu_small_form *form = &own_of(c->program)->form;
    const size_t labels = plan->labels.count + plan->weighted;
    launch_work work = {products_of(c, OP_SET(dense_forward) | OP_SET(dense_backward)),
                        row_bytes(c, plan->features + labels + form->tile_units) +
                            (double)sizeof(float) * (double)plan->parameter_count,
                        ROWS_CHAIN};
    for (size_t i = 0; i < plan->layer_count; i++) {
        const packed_layer *layer = &plan->layers[i];
        size_t chain = LAYER_CHAIN + rounds_of(form, layer->outputs) * layer->inputs;
        if (i > 0) chain += LAYER_CHAIN + rounds_of(form, layer->inputs) * layer->outputs;
        work.chain += (double)chain;
    }
    return work;
}

static launch_work work_of_gradient(const context *c) {
    const gpu_small_form *form = &own_of(c->program)->form;
    return (launch_work){products_of(c, OP_SET(dense_gradient)),
                         row_bytes(c, form->tile_units) + slot_bytes(c, c->program->sums.floats), TILE_ROWS};
}

static launch_work work_of_update(const context *c) {
    const size_t states = update_state_count(c->program->options.update.rule);
    const size_t vectors = c->wave->slots + 2 * (1 + states);
    return (launch_work){.bytes = (double)sizeof(float) * (double)(c->program->sums.floats * vectors)};
}

static tanda_status launch_sums(const context *c, const gpu_small_arguments *arguments) {
    const gpu_small_program *own = own_of(c->program);
    const size_t groups = (c->wave->rows + own->form.rows - 1) / own->form.rows;
    launch rows = opencl_launch_behind(c, own->rows, FIXED_OF_ROWS),
           gradient = opencl_launch_behind(c, own->gradient, FIXED_OF_GRADIENT);
    rows.work = work_of_rows(c);
    gradient.work = work_of_gradient(c);
    give_memory(&rows, c->program->results.memory);
    give_arguments(&rows, arguments, sizeof *arguments);
    give_arguments(&gradient, arguments, sizeof *arguments);
    const tanda_status status = opencl_launch(&rows, groups * GPU_GROUP, 1, 1, c->error);
    return status == TANDA_OK
               ? opencl_launch(&gradient, own->block_count * GPU_GROUP, c->wave->tiles, 1, c->error)
               : status;
}

static tanda_status partial(const context *c) {
    const gpu_small_arguments arguments = arguments_of(c);
    return launch_sums(c, &arguments);
}

/* One, where one launch merges all that it leaves. */
static size_t most_steps(const program *program, size_t tiles) {
    return tiles <= program->sums.slots && tiles <= MOST_MERGED_SLOTS && program->update.squares == NULL;
}

static tanda_status whole(const context *c, size_t steps) {
    (void)steps;
    const program *program = c->program;
    const gpu_small_arguments arguments = arguments_of(c);
    launch update = opencl_launch_behind(c, own_of(program)->update, FIXED_OF_UPDATE);
    const tanda_status status = launch_sums(c, &arguments);
    if (status != TANDA_OK) return status;
    update.work = work_of_update(c);
    give_memory(&update, program->update.rates);
    give_memory(&update, program->results.memory);
    give_arguments(&update, &arguments, sizeof arguments);
    return opencl_launch(&update, program->sums.floats, 1, 1, c->error);
}

const opencl_executor opencl_gpu_small = {
    .base = {.name = "gpu_small", .family = GPU_FAMILY, .fits = fits, .suits = suits},
    .cut = cut,
    .prepare = prepare,
    .release = release,
    .partial = partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = opencl_fused_notes,
    .binds_rows = true,
};
