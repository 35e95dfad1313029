/*
 * One dense layer with fewer than 16 outputs on GPUs: logistic, softmax and linear regression. A step reads each row once
 * (see kernels/gpu/perceptron.cl). Small batches are a work-group's, hundreds of steps in a launch; larger ones take two
 * launches a step or, as `gpu_perceptron_one`, one.
 */
#include <stdlib.h>

#include "backend/opencl/executors/gpu.h"
#include "backend/step.h"
#include "kernels/arguments/gpu_perceptron.h"
#include "support/memory.h"
#include "support/text.h"

/* Of kernels/gpu/strip.h and slots.h. */
#define LOCAL_FLOATS 7900
#define COLUMNS 8
#define PARTS (GPU_GROUP / COLUMNS)
#define MOST_PART_SLOTS 64
#define MOST_FOLDS 4

#define MOST_SUMS 20   /* of a work-item, four registers each */
#define MOST_LOADED 32 /* floats that a work-item has on their way */
#define MOST_SLOTS (PARTS * MOST_PART_SLOTS)
#define MOST_RUN 512 /* tiles: with MOST_SLOTS, a wave's rows fit into 32 bits */
#define GROUPS_PER_UNIT 8
#define GROUP_ROWS 1024    /* of a batch, */
#define GROUP_FLOATS 65536 /* and values, that one group does as quickly as two launches */
#define MOST_STEPS_TOGETHER 256
#define LAUNCH_FLOATS ((size_t)1 << 24) /* a few milliseconds of one group */

typedef struct gpu_perceptron_form {
    size_t strip, quads, outputs, piece, loads;
} gpu_perceptron_form;

typedef struct gpu_perceptron_program {
    gpu_perceptron_form form;
    cl_kernel sums, update;
    cl_mem waiting;  /* of each group, for the tree over its tiles */
    cl_mem arrivals; /* of groups, in one launch */
    size_t waiting_floats;
} gpu_perceptron_program;

static gpu_perceptron_program *own_of(const program *program) {
    return program->own;
}

/* ---- forms --------------------------------------------------------------------------------------------------- */

static size_t folds_of(const gpu_perceptron_form *form) {
    const size_t sums = form->quads * form->outputs;
    return sums < MOST_FOLDS ? sums : MOST_FOLDS;
}

static size_t rounds_of(const gpu_perceptron_form *form) {
    const size_t folds = folds_of(form);
    return (form->quads * form->outputs + folds - 1) / folds;
}

/* Floats of local memory that a form takes, as the kernel lays them out. */
static size_t local_floats(const gpu_perceptron_form *form, size_t features) {
    const size_t quads = (features + 3) / 4, chunks = (form->quads + 3) / 4, outputs = form->outputs;
    const size_t parts = chunks > 1 ? chunks * outputs * form->strip : 1;
    const size_t folded = (4 * folds_of(form) + 1 + rounds_of(form)) * GPU_GROUP + TILE_LANES;
    const size_t rows = form->strip * (quads | 1) * 4;
    return (rows > folded ? rows : folded) + quads * outputs * 4 + form->strip * (outputs + 2) + parts +
           outputs + 8 + 4;
}

/*
 * The longest strip that local memory holds; false if there is none. Registers set the limit: 1,280 features of one
 * output, 320 of four, 128 of ten, 64 of fifteen.
 */
static bool find_form(const plan *plan, const program_options *options, gpu_perceptron_form *form) {
    const size_t features = plan->features, rows = options->batch_rows;
    *form = (gpu_perceptron_form){.strip = TILE_ROWS,
                                  .quads = (features + 63) / 64,
                                  .outputs = plan->layers[0].outputs,
                                  .piece = opencl_rows_are_aligned(options, features) ? 4 : 1,
                                  .loads = 1};
    if (form->outputs >= WIDE_OUTPUTS || form->quads * form->outputs > MOST_SUMS) return false;
    while (form->strip > TILE_LANES && form->strip / 2 >= rows)
        form->strip /= 2;
    while (form->strip > 0 && local_floats(form, features) > LOCAL_FLOATS)
        form->strip /= 2;
    while (form->loads * form->piece * GPU_GROUP < form->strip * features)
        form->loads *= 2;
    return form->strip > 0 && form->loads * form->piece <= MOST_LOADED;
}

static const op *op_of(const plan *plan, tile_op kind) {
    for (size_t i = 0; i < plan->op_count; i++)
        if (plan->ops[i].kind == kind) return &plan->ops[i];
    return NULL;
}

static const op_set known = OP_SET(gather) | OP_SET(dense_forward) | OP_SET(loss_binary_crossentropy) |
                            OP_SET(loss_mse) | OP_SET(loss_categorical_crossentropy) | OP_SET(loss_elements) |
                            OP_SET(activation_forward) | OP_SET(activation_backward) | OP_SET(weigh) |
                            OP_SET(loss_sum) | OP_SET(dense_gradient);

/* Whether each wave's rows are in one buffer: of several, where a batch is all rows in order, cut at their ends. */
static bool waves_are_whole(const program_options *options, const char **lack) {
    return opencl_is_whole(options->features) ||
           opencl_holds(options->batch_rows >= options->rows && options->features->rows >= TILE_ROWS,
                        "batches of rows in several buffers", lack);
}

static bool fits(const backend *backend, const plan *plan, const program_options *options,
                 const char **lack) {
    gpu_perceptron_form form;
    return opencl_may_fuse(plan, options, known, lack) && opencl_gpu_fits(backend, lack) &&
           opencl_holds(plan->layer_count == 1, "hidden layers", lack) && waves_are_whole(options, lack) &&
           opencl_holds(options->rows <= UINT32_MAX, "so many rows", lack) &&
           opencl_holds(find_form(plan, options, &form), "so many features and outputs", lack);
}

/* ---- cutting --------------------------------------------------------------------------------------------------- */

/* Tiles of a group: all of a small batch, else so few that all compute units have some groups. */
static size_t choose_run(const opencl_backend_state *state, const plan *plan,
                         const program_options *options) {
    const size_t rows = options->batch_rows, tiles = tiles_of(rows);
    const size_t units = GROUPS_PER_UNIT * state->base.information.compute_units;
    const size_t most = units < MOST_SLOTS ? units : MOST_SLOTS;
    size_t run = 1;
    if (options->wave_tiles != 0) return options->wave_tiles > 1 && tiles > 1 ? 2 : 1;
    if (rows <= GROUP_ROWS && rows * plan->features <= GROUP_FLOATS)
        while (run < tiles)
            run *= 2;
    while (run < MOST_RUN && (tiles + run - 1) / run > most)
        run *= 2;
    return run;
}

static void cut(const opencl_backend_state *state, program *program) {
    const program_options *options = &program->options;
    const size_t whole = options->features->rows / TILE_ROWS; /* tiles of a buffer */
    const size_t wave = options->wave_tiles, most = wave != 0 && wave < MOST_SLOTS ? wave : MOST_SLOTS;
    partial_sums *sums = &program->sums;
    opencl_set_tiles(program, TILE_LANES, 0);
    program->tiles.count = 1; /* rows are read where they lie */
    sums->group = choose_run(state, program->plan, options);
    while (sums->group > whole)
        sums->group /= 2;
    sums->slots = 1;
    while (sums->slots * sums->group < tiles_of(options->batch_rows) && sums->slots < most &&
           2 * sums->slots * sums->group <= whole)
        sums->slots *= 2;
}

/* ---- preparing ------------------------------------------------------------------------------------------------- */

static bool is_one_launch(const program *program) {
    return program->executor == &opencl_gpu_perceptron_one;
}

static tanda_status make_kernels(opencl_backend_state *state, program *program, tanda_error *error) {
    gpu_perceptron_program *own = own_of(program);
    const gpu_perceptron_form *form = &own->form;
    char options[176];
    cl_program made = NULL;
    text_put(options, sizeof options,
             " -DSTRIP=%zu -DQUADS=%zu -DOUTPUTS=%zu -DPIECE=%zu -DLOADS=%zu -DLOSS_OP=%u%s", form->strip,
             form->quads, form->outputs, form->piece, form->loads, opencl_loss_op_of(program->plan->loss),
             opencl_gpu_order_option(program));
    tanda_status status = opencl_single_program(state, "gpu/perceptron.cl", options, &made, error);
    if (status == TANDA_OK) status = opencl_make_kernel(state, made, "gpu_perceptron", &own->sums, error);
    return status == TANDA_OK ? opencl_make_kernel(state, made, "gpu_perceptron_update", &own->update, error)
                              : status;
}

/* Arguments that stay as they are; behind them come those of each launch. */
static tanda_status give_fixed(opencl_backend_state *state, const program *program, tanda_error *error) {
    const gpu_perceptron_program *own = own_of(program);
    const program_options *options = &program->options;
    launch sums = launch_of(state, own->sums), update = launch_of(state, own->update);
    give_memory(&sums, options->features->memory);
    give_memory(&sums, options->labels->memory);
    give_memory(&sums, opencl_memory_or_any(program, options->weights));
    give_memory(&sums, options->parameters->memory);
    give_memory(&sums, program->update.state);
    give_memory(&sums, program->sums.memory);
    give_memory(&sums, own->waiting);
    give_memory(&sums, own->arrivals);
    give_memory(&update, options->parameters->memory);
    give_memory(&update, program->update.state);
    give_memory(&update, program->sums.memory);
    return opencl_check(state, sums.code != CL_SUCCESS ? sums.code : update.code, "clSetKernelArg", error);
}

#define FIXED_OF_SUMS 8
#define FIXED_OF_UPDATE 3

static tanda_status prepare(opencl_backend_state *state, program *program, tanda_error *error) {
    gpu_perceptron_program *own = NULL;
    tanda_status status = allocate(&own, 1, sizeof *own, "program", error);
    if (status != TANDA_OK) return status;
    program->own = own;
    find_form(program->plan, &program->options, &own->form);
    own->waiting_floats = step_levels(program->sums.group) * (rounds_of(&own->form) * GPU_GROUP + TILE_LANES);
    status = opencl_make_memory(state, program->sums.slots, own->waiting_floats * sizeof(float),
                                &own->waiting, error);
    if (status == TANDA_OK) status = opencl_make_memory(state, 1, sizeof(cl_uint), &own->arrivals, error);
    if (status == TANDA_OK) status = make_kernels(state, program, error);
    return status == TANDA_OK ? give_fixed(state, program, error) : status;
}

static void release(program *program) {
    gpu_perceptron_program *own = own_of(program);
    if (own == NULL) return;
    if (own->sums != NULL) clReleaseKernel(own->sums);
    if (own->update != NULL) clReleaseKernel(own->update);
    opencl_release(&own->waiting);
    opencl_release(&own->arrivals);
    free(own);
}

/* ---- steps ----------------------------------------------------------------------------------------------------- */

static bool is_of_one_group(const program *program) {
    return tiles_of(program->options.batch_rows) <= program->sums.group;
}

static size_t most_steps(const program *program, size_t tiles) {
    const size_t floats = program->options.batch_rows * program->plan->features;
    if (tiles > program->sums.group * program->sums.slots || program->update.squares != NULL) return 0;
    if (!is_of_one_group(program) || floats >= LAUNCH_FLOATS) return 1;
    return LAUNCH_FLOATS / floats < MOST_STEPS_TOGETHER ? LAUNCH_FLOATS / floats : MOST_STEPS_TOGETHER;
}

/* The buffer of the wave's rows. */
static const buffer *rows_of(const context *c) {
    const buffer *part = c->program->options.features;
    while (c->wave->first_row - part->first >= part->rows)
        part = part->next;
    return part;
}

static gpu_perceptron_arguments arguments_of(const context *c, size_t steps) {
    const program *program = c->program;
    const program_options *options = &program->options;
    const packed_layer *layer = &program->plan->layers[0];
    const op *forward = op_of(program->plan, OP_activation_forward);
    const activation function = forward != NULL ? forward->activation_forward.function : ACTIVATION_IDENTITY;
    const size_t last = batch_size(options->rows, options->batch_rows, epoch_steps(program) - 1);
    const uint32_t pieces = (uint32_t)(layer->inputs / own_of(program)->form.piece);
    size_t part = 1;
    while (part * PARTS < c->wave->slots)
        part *= 2;
    return (gpu_perceptron_arguments){.part_row = rows_of(c)->first,
                                      .first_row = c->wave->first_row - rows_of(c)->first,
                                      .order = order_of_rows(options),
                                      .batch_rows = options->batch_rows,
                                      .weight = layer->weight,
                                      .bias = layer->bias,
                                      .slot_floats = program->sums.floats,
                                      .waiting_floats = own_of(program)->waiting_floats,
                                      .features = (uint)layer->inputs,
                                      .epoch = (uint)c->wave->epoch,
                                      .rows = (uint)c->wave->rows,
                                      .run = (uint)program->sums.group,
                                      .steps = (uint)steps,
                                      .with_loss = c->wave->with_loss,
                                      .weighted = program->plan->weighted,
                                      .function = function,
                                      .of_logits = activation_needs_logits(function),
                                      .result = (uint)c->wave->result,
                                      .slots = (uint)c->wave->slots,
                                      .part_slots = (uint)part,
                                      .pieces = pieces,
                                      .inverse_pieces = pieces > 1 ? UINT32_MAX / pieces + 1 : 0,
                                      .inverse_rows = inverse_rows_of(options->batch_rows),
                                      .last_inverse_rows = inverse_rows_of(last),
                                      .update = rule_of(program),
                                      .loss = loss_rule_of(program, &program->plan->loss->loss)};
}

/* Operations that a strip takes beside its chains: barriers, row numbers, loss, folds, and the latency of its rows. */
#define STRIP_CHAIN 300

/* A group takes its strips one after the other: a row's chain, then those of the gradient's lanes. */
static launch_work work_of_sums(const context *c, size_t steps) {
    const program *program = c->program;
    const gpu_perceptron_form *form = &own_of(program)->form;
    const size_t run = program->sums.group * TILE_ROWS, strip = form->strip;
    const size_t rows = c->wave->rows < run ? c->wave->rows : run, features = program->plan->features;
    launch_work work = row_pass_work(c, steps);
    work.chain =
        (double)(steps * ((rows + strip - 1) / strip)) *
        (double)(STRIP_CHAIN + (features < CHUNK ? features : CHUNK) + strip / TILE_LANES * form->outputs);
    return work;
}

static launch_work work_of_update(const context *c) {
    const size_t states = update_state_count(c->program->options.update.rule);
    return (launch_work){.bytes =
                             slot_bytes(c, c->program->sums.floats) +
                             (double)sizeof(float) * (double)(c->program->sums.floats * 2 * (1 + states)),
                         .chain = (double)c->wave->slots / PARTS};
}

/* Over so many groups of a kernel whose first arguments are given. */
static tanda_status launch_groups(const context *c, cl_kernel kernel, cl_uint fixed, size_t groups,
                                  const launch_work *work, const gpu_perceptron_arguments *arguments) {
    launch launch = opencl_launch_behind(c, kernel, fixed);
    launch.work = *work;
    give_memory(&launch, c->program->update.rates);
    give_memory(&launch, c->program->results.memory);
    give_arguments(&launch, arguments, sizeof *arguments);
    return opencl_launch(&launch, groups * GPU_GROUP, 1, 1, c->error);
}

static tanda_status launch_sums(const context *c, const gpu_perceptron_arguments *arguments) {
    const launch_work work = work_of_sums(c, arguments->steps);
    launch rows = launch_of(c->state, own_of(c->program)->sums);
    if (!opencl_is_whole(c->program->options.features)) give_memory(&rows, rows_of(c)->memory);
    const tanda_status status = opencl_check(c->state, rows.code, "clSetKernelArg", c->error);
    if (status != TANDA_OK) return status;
    return launch_groups(c, own_of(c->program)->sums, FIXED_OF_SUMS, c->wave->slots, &work, arguments);
}

static tanda_status partial(const context *c) {
    const gpu_perceptron_arguments arguments = arguments_of(c, 1);
    return launch_sums(c, &arguments);
}

static tanda_status whole(const context *c, size_t steps) {
    const program *program = c->program;
    gpu_perceptron_arguments arguments = arguments_of(c, steps);
    arguments.updates = is_of_one_group(program);
    arguments.merges = is_one_launch(program) && !arguments.updates;
    tanda_status status = launch_sums(c, &arguments);
    if (status != TANDA_OK || arguments.updates || arguments.merges) return status;
    const launch_work work = work_of_update(c);
    return launch_groups(c, own_of(program)->update, FIXED_OF_UPDATE, program->sums.floats / COLUMNS, &work,
                         &arguments);
}

const opencl_executor opencl_gpu_perceptron = {
    .base = {.name = "gpu_perceptron", .family = GPU_FAMILY, .fits = fits, .suits = opencl_gpu_suits},
    .cut = cut,
    .prepare = prepare,
    .release = release,
    .partial = partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = opencl_fused_notes,
    .binds_rows = true,
};

/* Never by itself, until a card has passed it. */
static bool suits_none(const backend *backend, const plan *plan, const program_options *options) {
    (void)backend, (void)plan, (void)options;
    return false;
}

const opencl_executor opencl_gpu_perceptron_one = {
    .base = {.name = "gpu_perceptron_one", .family = GPU_FAMILY, .fits = fits, .suits = suits_none},
    .cut = cut,
    .prepare = prepare,
    .release = release,
    .partial = partial,
    .most_steps = most_steps,
    .whole = whole,
    .notes = opencl_fused_notes,
    .binds_rows = true,
};
