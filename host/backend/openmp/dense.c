/* Dense layers, forward and backward to the input. See dense.cl; the weight gradient is in gradient.c. */
#include "backend/openmp/chains.h"
#include "backend/openmp/vector.h"

/* What is multiplied, where the product goes, and where the output lies that gates it, if any. */
typedef struct operands {
    tensor_place source, target;
    const tensor_place *gate;
} operands;

/* Where columns outgrow a core's own cache, the lines of one are asked for while the one before it is worked on. */
static void look_ahead(const tile_group *group, tensor_place source, size_t column, chains *c) {
    const tile *tile = &group->tiles[column / TILE_COLUMNS];
    c->ahead.lines = tensor_at(tile, column % TILE_COLUMNS, source) + c->from * COLUMN_LANES;
    c->ahead.count = (c->to - c->from) * COLUMN_LANES / 16;
}

/* Chunk by chunk, so that the weights of a chunk serve all columns while they are in the cache. */
static void run_columns(const tile_group *group, const share *share, const operands *of, chains *c) {
    const size_t columns = share->end_column - share->first_column;
    const bool far = columns * c->terms * COLUMN_LANES * sizeof(float) > OWN_CACHE_BYTES;
    c->first = share->first;
    c->end = share->end;
    for (c->from = 0; c->from < c->terms; c->from = c->to) {
        c->to = c->from + CHUNK < c->terms ? c->from + CHUNK : c->terms;
        for (size_t column = share->first_column; column < share->end_column; column++) {
            const tile *tile = &group->tiles[column / TILE_COLUMNS];
            c->lanes = lanes_in(tile, column % TILE_COLUMNS);
            c->lines = tensor_at(tile, column % TILE_COLUMNS, of->source);
            c->results = tensor_at(tile, column % TILE_COLUMNS, of->target);
            if (of->gate != NULL) c->gate = tensor_at(tile, column % TILE_COLUMNS, *of->gate);
            c->ahead.lines = NULL;
            if (far && column + 1 < share->end_column) look_ahead(group, of->source, column + 1, c);
            ISA_NAME(run_chains)(c);
        }
    }
}

/* z (H, 32) = W a + b; a is (K, 32). */
void ISA_NAME(dense_forward)(const tile_group *group, const op *op) {
    const dense_forward_op *forward = &op->dense_forward;
    const dense_shape *shape = &forward->shape;
    const bool wide = shape->outputs >= WIDE_OUTPUTS;
    const share share = share_of(group, shape->outputs);
    const operands operands = {.source = forward->inputs, .target = forward->logits};
    chains c = {.layout = wide ? CHAINS_forward : CHAINS_narrow,
                .factors.values = group->parameters + shape->weight,
                .factors.step = shape->stride,
                .factors.apart = 1,
                .factors.group = shape->inputs * PANEL,
                .factors.run_stride = CHUNK * (wide ? PANEL : shape->stride),
                .start = group->parameters + shape->bias,
                .start_step = 1,
                .result_group = TILE_LANES,
                .terms = shape->inputs,
                .relu = forward->through_relu};
    run_columns(group, &share, &operands, &c);
}

/* d loss / d a (K, 32) = W^T delta; delta is (H, 32). */
void ISA_NAME(dense_backward)(const tile_group *group, const op *op) {
    const dense_backward_op *backward = &op->dense_backward;
    const dense_shape *shape = &backward->shape;
    const bool wide = shape->outputs >= WIDE_OUTPUTS;
    const size_t apart = wide ? PANEL : shape->stride;
    const share share = share_of(group, shape->inputs);
    const operands operands = {.source = backward->delta,
                               .target = backward->inputs_delta,
                               .gate = backward->through_relu ? &backward->relu_output : NULL};
    chains c = {.layout = wide ? CHAINS_backward : CHAINS_narrow,
                .factors.values = group->parameters + shape->weight,
                .factors.step = 1,
                .factors.apart = apart,
                .factors.group = PANEL * apart,
                .factors.run_stride = shape->inputs * PANEL,
                .start = &no_start,
                .result_group = TILE_LANES,
                .terms = shape->outputs,
                .flush = true};
    run_columns(group, &share, &operands, &c);
}
