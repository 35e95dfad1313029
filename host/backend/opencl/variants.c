/*
 * The fast mode's choice: for each op, tanda's exact kernel, tanda's kernel with the device's own functions, or
 * CLBlast, whichever is quickest here. CLBlast's answer is checked first, per op and shape, against the exact
 * kernel's: |difference| <= 2 gamma_n (|A||B|), gamma_n = n u / (1 - n u), u = 2^-24, n the terms of a sum and
 * one more for the bias (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.5).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/opencl/ops.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"

#define MOST_SAMPLED_OUTPUTS 48
#define TIMED_RUNS 3
#define WORTH_IT 0.95 /* a candidate must take less than this part of the exact kernel's time */

typedef struct chooser {
    context c;
    wave wave;
    const variant_hands *hands;
    size_t products, products_by_clblast;
    size_t functions, functions_native;
    char wrong[NOTES_SIZE / 2]; /* the first op whose CLBlast answer was refused */
} chooser;

/* ---- made-up data ------------------------------------------------------------------------------------- */

/* Values in [-1, 1) of which no two neighbours are alike, so that a wrong index shows. */
static void fill_pattern(float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t hash = (uint32_t)i * 2654435761u;
        hash ^= hash >> 15;
        values[i] = (float)(hash * 2246822519u >> 8) * 0x1p-23f - 1.0f;
    }
}

static tanda_status write_pattern(const chooser *chooser, cl_mem memory, size_t floats) {
    float *values = NULL;
    const context *c = &chooser->c;
    tanda_status status = allocate(&values, floats, sizeof *values, "pattern", c->error);
    if (status != TANDA_OK) return status;
    fill_pattern(values, floats);
    status = opencl_write_memory(c->state, memory, 0, values, floats * sizeof *values, c->error);
    free(values);
    return status;
}

static tanda_status write_patterns(const chooser *chooser) {
    const program *program = chooser->c.program;
    tanda_status status =
        write_pattern(chooser, program->tiles.memory, chooser->wave.tiles * program->tiles.floats);
    if (status == TANDA_OK && program->stored.memory != NULL)
        status = write_pattern(chooser, program->stored.memory,
                               chooser->wave.tiles * program->plan->features * program->tiles.width);
    return status;
}

static tanda_status clear(const chooser *chooser, cl_mem memory, size_t floats) {
    return opencl_clear_memory(chooser->c.state, memory, 0, floats * sizeof(cl_float), chooser->c.error);
}

static tanda_status clear_memory(const chooser *chooser) {
    const program *program = chooser->c.program;
    tanda_status status = clear(chooser, program->tiles.memory, program->tiles.count * program->tiles.floats);
    if (status == TANDA_OK)
        status = clear(chooser, program->sums.memory, program->sums.slots * program->sums.floats);
    return status;
}

/* ---- checking CLBlast --------------------------------------------------------------------------------- */

/* result[j][v] = start + sum over t of line(t, v) * factor(t, j), of one tile, with host copies of all. */
typedef struct check {
    const float *lines, *factors;
    size_t line_step, line_apart;     /* line(t, v) = lines[t * line_step + v * line_apart] */
    size_t factor_step, factor_apart; /* factor(t, j) likewise */
    size_t terms, outputs, columns, result_stride;
    const float *bias;
} check;

static double bound_of(const check *check, size_t j, size_t v) {
    double size = check->bias != NULL ? fabs((double)check->bias[j]) : 0.0;
    for (size_t t = 0; t < check->terms; t++)
        size += fabs((double)check->lines[t * check->line_step + v * check->line_apart] *
                     (double)check->factors[t * check->factor_step + j * check->factor_apart]);
    double nu = (double)(check->terms + 1) * 0x1p-24;
    return 2.0 * nu / (1.0 - nu) * size + 0x1p-99; /* deltas below 2^-100 are flushed in exact mode */
}

/* False, with a message, when a sampled element lies outside the bound. */
static bool agrees(const check *check, const float *exact, const float *other, char *message, size_t size) {
    size_t step = check->outputs / MOST_SAMPLED_OUTPUTS + 1;
    for (size_t j = 0; j < check->outputs; j += step)
        for (size_t v = 0; v < check->columns; v++) {
            double a = exact[j * check->result_stride + v], b = other[j * check->result_stride + v];
            double bound = bound_of(check, j, v);
            if (fabs(a - b) <= bound) continue;
            text_put(message, size, "element (%zu, %zu) is %.9g, should be %.9g within %.2g", j, v, b, a,
                     bound);
            return false;
        }
    return true;
}

static tanda_status read_memory(const context *c, cl_mem memory, size_t offset, size_t floats,
                                float **values) {
    float *made = NULL;
    tanda_status status = allocate(&made, floats, sizeof *made, "check", c->error);
    if (status != TANDA_OK) return status;
    status = opencl_read_floats(c->state, memory, offset, floats, made, c->error);
    if (status == TANDA_OK)
        *values = made;
    else
        free(made);
    return status;
}

static tanda_status read_place(const context *c, const place *place, size_t tile, size_t floats,
                               float **values) {
    return read_memory(c, place->memory, place->offset + tile * place->tile, floats, values);
}

/* What an op multiplies and where its result goes, in one tile. Frees nothing on failure: the caller does. */
typedef struct copies {
    float *lines, *factors, *bias, *exact, *other;
    place result;
    size_t result_floats;
} copies;

static void free_copies(copies *copies) {
    free(copies->lines);
    free(copies->factors);
    free(copies->bias);
    free(copies->exact);
    free(copies->other);
}

/* The weight times a tensor, whose result the op leaves at `target`: *check and *copies but for the bias. */
static tanda_status read_layer(const context *c, const dense_shape *shape, bool forward, tensor_place source,
                               tensor_place target, size_t tile, size_t lanes, copies *copies, check *check) {
    const program *program = c->program;
    const place lines = place_of(c, source), weight = {program->options.parameters->memory, shape->weight, 0};
    *check = (struct check){.line_step = program->tiles.width,
                            .line_apart = 1,
                            .factor_step = forward ? shape->stride : 1,
                            .factor_apart = forward ? 1 : shape->stride,
                            .terms = forward ? shape->inputs : shape->outputs,
                            .outputs = forward ? shape->outputs : shape->inputs,
                            .columns = lanes,
                            .result_stride = program->tiles.width};
    copies->result = place_of(c, target);
    copies->result_floats = check->outputs * program->tiles.width;
    tanda_status status = read_place(c, &lines, tile, check->terms * program->tiles.width, &copies->lines);
    return status == TANDA_OK ? read_place(c, &weight, 0, shape->inputs * shape->stride, &copies->factors)
                              : status;
}

static tanda_status read_forward(const context *c, const dense_forward_op *op, size_t tile, size_t lanes,
                                 copies *copies, check *check) {
    const place bias = {c->program->options.parameters->memory, op->shape.bias, 0};
    tanda_status status = read_layer(c, &op->shape, true, op->inputs, op->logits, tile, lanes, copies, check);
    return status == TANDA_OK ? read_place(c, &bias, 0, op->shape.outputs, &copies->bias) : status;
}

static tanda_status read_backward(const context *c, const dense_backward_op *op, size_t tile, size_t lanes,
                                  copies *copies, check *check) {
    return read_layer(c, &op->shape, false, op->delta, op->inputs_delta, tile, lanes, copies, check);
}

/* The weight gradient: a tensor times the transposed delta. */
static tanda_status read_gradient(const context *c, const dense_gradient_op *op, size_t tile, size_t rows,
                                  copies *copies, check *check) {
    const program *program = c->program;
    const dense_shape *shape = &op->shape;
    place delta = place_of(c, op->delta), a = place_of(c, op->inputs);
    *check = (struct check){.line_step = 1,
                            .line_apart = program->tiles.width,
                            .factor_step = 1,
                            .factor_apart = program->tiles.width,
                            .terms = rows,
                            .outputs = shape->inputs,
                            .columns = shape->outputs,
                            .result_stride = shape->stride};
    copies->result = (place){program->sums.memory, shape->weight, program->sums.floats};
    copies->result_floats = shape->inputs * shape->stride;
    tanda_status status = read_place(c, &delta, tile, shape->outputs * program->tiles.width, &copies->lines);
    return status == TANDA_OK
               ? read_place(c, &a, tile, shape->inputs * program->tiles.width, &copies->factors)
               : status;
}

/* Which of the products of a dense layer an op is, for messages; NULL: none. */
static const char *product_name(const op *op) {
    return op->kind == OP_dense_forward    ? "forward"
           : op->kind == OP_dense_backward ? "backward"
           : op->kind == OP_dense_gradient ? "gradient"
                                           : NULL;
}

bool opencl_is_product(const op *op) {
    return product_name(op) != NULL;
}

static tanda_status read_product(const context *c, const op *op, size_t tile, size_t rows, copies *copies,
                                 check *check) {
    if (op->kind == OP_dense_forward) return read_forward(c, &op->dense_forward, tile, rows, copies, check);
    if (op->kind == OP_dense_backward)
        return read_backward(c, &op->dense_backward, tile, rows, copies, check);
    return read_gradient(c, &op->dense_gradient, tile, rows, copies, check);
}

static void set_variant(const context *c, const op *op, variant variant) {
    ops_of(c->program)->variants[op - c->program->plan->ops] = variant;
}

/* Rows beyond a ragged tile's must not count in a gradient: their deltas are zero in a real step. */
static tanda_status clear_unused_deltas(const context *c, const dense_gradient_op *op) {
    const program *program = c->program;
    size_t rest = c->wave->rows % TILE_ROWS, tile = c->wave->rows / TILE_ROWS;
    if (rest == 0) return TANDA_OK;
    place delta = place_of(c, op->delta);
    tanda_status status = TANDA_OK;
    for (size_t h = 0; status == TANDA_OK && h < op->shape.outputs && rest < program->tiles.width; h++) {
        size_t offset = delta.offset + tile * delta.tile + h * program->tiles.width + rest;
        status = opencl_clear_memory(c->state, delta.memory, offset * sizeof(cl_float),
                                     (program->tiles.width - rest) * sizeof(cl_float), c->error);
    }
    return status;
}

static tanda_status check_tile(chooser *chooser, const op *op, size_t tile, bool *right) {
    const context *c = &chooser->c;
    size_t left = c->wave->rows - tile * TILE_ROWS, rows = left < TILE_ROWS ? left : TILE_ROWS;
    copies copies = {0};
    check check;
    char message[160];
    tanda_status status = read_product(c, op, tile, rows, &copies, &check);
    check.lines = copies.lines;
    check.factors = copies.factors;
    check.bias = copies.bias;
    set_variant(c, op, VARIANT_EXACT);
    if (status == TANDA_OK) status = opencl_run_op(c, op);
    if (status == TANDA_OK) status = read_place(c, &copies.result, tile, copies.result_floats, &copies.exact);
    set_variant(c, op, VARIANT_CLBLAST);
    if (status == TANDA_OK) status = opencl_run_op(c, op);
    if (status == TANDA_OK) status = read_place(c, &copies.result, tile, copies.result_floats, &copies.other);
    if (status == TANDA_OK && !agrees(&check, copies.exact, copies.other, message, sizeof message)) {
        *right = false;
        if (chooser->wrong[0] == '\0')
            text_put(chooser->wrong, sizeof chooser->wrong,
                     "; CLBlast is wrong in layer %zu %s: %s: tanda's kernel is used", op->layer + 1,
                     product_name(op), message);
    }
    free_copies(&copies);
    return status;
}

/* The first tile and the last, which may be ragged. */
static tanda_status check_clblast(chooser *chooser, const op *op, bool *right) {
    *right = true;
    tanda_status status = TANDA_OK;
    if (op->kind == OP_dense_gradient) status = clear_unused_deltas(&chooser->c, &op->dense_gradient);
    if (status == TANDA_OK) status = check_tile(chooser, op, 0, right);
    if (status == TANDA_OK && *right && chooser->wave.tiles > 1)
        status = check_tile(chooser, op, chooser->wave.tiles - 1, right);
    return status;
}

/* ---- choosing ----------------------------------------------------------------------------------------- */

/* Ops [op, end), of which the first is computed by a variant. */
static tanda_status run_ops(const chooser *chooser, const op *op, const struct op *end) {
    tanda_status status = TANDA_OK;
    for (const struct op *next = op; status == TANDA_OK && op < end; op = next)
        status = chooser->hands->run(&chooser->c, op, &next);
    return status;
}

static tanda_status time_variant(const chooser *chooser, const op *op, const struct op *end, variant variant,
                                 double *seconds) {
    const context *c = &chooser->c;
    set_variant(c, op, variant);
    *seconds = INFINITY;
    for (int run = 0; run <= TIMED_RUNS; run++) { /* the first one may compile and is not counted */
        double start = seconds_now();
        tanda_status status = run_ops(chooser, op, end);
        if (status == TANDA_OK)
            status = opencl_check(c->state, clFinish(c->state->queue), "clFinish", c->error);
        if (status != TANDA_OK) return status;
        double taken = seconds_now() - start;
        if (run > 0 && taken < *seconds) *seconds = taken;
    }
    return TANDA_OK;
}

/* Leaves the quicker of the exact kernel, with all that it does, and the candidate in place. */
static tanda_status choose_quicker(const chooser *chooser, const op *op, variant candidate, bool *chosen) {
    const context *c = &chooser->c;
    const struct op *end = op + 1;
    double exact = 0.0, other = 0.0;
    set_variant(c, op, VARIANT_EXACT);
    tanda_status status = chooser->hands->run(c, op, &end);
    if (status == TANDA_OK) status = time_variant(chooser, op, end, VARIANT_EXACT, &exact);
    if (status == TANDA_OK) status = time_variant(chooser, op, end, candidate, &other);
    *chosen = other < exact * WORTH_IT;
    set_variant(c, op, *chosen ? candidate : VARIANT_EXACT);
    return status;
}

static tanda_status choose_product(chooser *chooser, const op *op) {
    const context *c = &chooser->c;
    tanda_gemm gemm = c->program->options.gemm;
    bool right = false, chosen = false;
    if (gemm == TANDA_GEMM_TANDA) return TANDA_OK;
    tanda_status status = check_clblast(chooser, op, &right);
    if (status == TANDA_OK && right && gemm == TANDA_GEMM_AUTO)
        status = choose_quicker(chooser, op, VARIANT_CLBLAST, &chosen);
    if (gemm == TANDA_GEMM_CLBLAST) chosen = right;
    set_variant(c, op, chosen ? VARIANT_CLBLAST : VARIANT_EXACT);
    chooser->products_by_clblast += chosen;
    return status;
}

static tanda_status choose_function(chooser *chooser, const op *op) {
    bool chosen = false;
    chooser->functions++;
    tanda_status status = choose_quicker(chooser, op, VARIANT_NATIVE, &chosen);
    chooser->functions_native += chosen;
    return status;
}

/* An op that was tried has written over its pattern; the next one to be tried gets a new one. */
static tanda_status choose_all(chooser *chooser) {
    const plan *plan = chooser->c.program->plan;
    tanda_status status = TANDA_OK;
    for (size_t i = 0; status == TANDA_OK && i < plan->op_count; i++) {
        const op *op = &plan->ops[i];
        const variant candidate = chooser->hands->candidate(chooser->c.program, op);
        chooser->products += opencl_is_product(op);
        if (candidate == VARIANT_EXACT) continue;
        status = write_patterns(chooser);
        if (status == TANDA_OK)
            status =
                candidate == VARIANT_CLBLAST ? choose_product(chooser, op) : choose_function(chooser, op);
    }
    return status;
}

/* Runs choose_all with made-up parameters in place of the real ones. */
static tanda_status choose_with_pattern(chooser *chooser) {
    const context *c = &chooser->c;
    cl_mem parameters = c->program->options.parameters->memory;
    size_t count = c->program->plan->parameter_count;
    float *kept = NULL;
    tanda_status status = read_memory(c, parameters, 0, count, &kept);
    if (status != TANDA_OK) return status;
    status = write_pattern(chooser, parameters, count);
    if (status == TANDA_OK) status = choose_all(chooser);
    tanda_error *error = status == TANDA_OK ? c->error : NULL; /* the first failure is told */
    const tanda_status written =
        opencl_write_memory(c->state, parameters, 0, kept, count * sizeof *kept, error);
    if (status == TANDA_OK) status = written;
    free(kept);
    return status;
}

static void note_choice(const chooser *chooser) {
    char *notes = ops_of(chooser->c.program)->notes, functions[80] = "";
    if (chooser->functions > 0)
        text_put(functions, sizeof functions, ", the device's own functions %zu of %zu ops",
                 chooser->functions_native, chooser->functions);
    text_put(notes, NOTES_SIZE, "fast: CLBlast computes %zu of %zu matrix products%s%s",
             chooser->products_by_clblast, chooser->products, functions, chooser->wrong);
}

tanda_status opencl_choose_variants(opencl_backend_state *state, program *program, const variant_hands *hands,
                                    tanda_error *error) {
    chooser chooser = {.c = {.state = state, .program = program, .error = error}, .hands = hands};
    size_t batch = program->options.batch_rows, tiles = tiles_of(batch);
    chooser.c.wave = &chooser.wave;
    chooser.wave.tiles = tiles < program->tiles.count ? tiles : program->tiles.count;
    chooser.wave.slots = chooser.wave.tiles; /* one for each in fast mode */
    chooser.wave.rows = batch < chooser.wave.tiles * TILE_ROWS ? batch : chooser.wave.tiles * TILE_ROWS;
    tanda_status status = opencl_clear_results(state, program, 1, error);
    if (status == TANDA_OK) status = choose_with_pattern(&chooser);
    if (status == TANDA_OK) status = clear_memory(&chooser);
    note_choice(&chooser);
    return status;
}
