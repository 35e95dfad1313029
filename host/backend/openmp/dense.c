/* Dense layers, forward and backward to the input. See dense.cl; the weight gradient is in gradient.c. */
#include "backend/openmp/chains.h"
#include "backend/openmp/vector.h"

/* Where columns outgrow a core's own cache, the lines of one are asked for while the one before it is worked on. */
static void look_ahead(const tile_group *group, const op *op, size_t column, chains *c) {
    const tile *tile = &group->tiles[column / TILE_COLUMNS];
    c->ahead = tensor_at(tile, column % TILE_COLUMNS, op->source) + c->from * COLUMN_LANES;
    c->ahead_lines = (c->to - c->from) * COLUMN_LANES / 16;
}

/* Chunk by chunk, so that the weights of a chunk serve all columns while they are in the cache. */
static void run_columns(const tile_group *group, const share *share, const op *op, chains *c) {
    const bool gated = op->through_relu && op->kind == OP_dense_backward;
    const size_t columns = share->end_column - share->first_column;
    const bool far = columns * c->terms * COLUMN_LANES * sizeof(float) > OWN_CACHE_BYTES;
    c->relu = op->through_relu && op->kind == OP_dense_forward;
    c->first = share->first;
    c->end = share->end;
    for (c->from = 0; c->from < c->terms; c->from = c->to) {
        c->to = c->from + CHUNK < c->terms ? c->from + CHUNK : c->terms;
        for (size_t column = share->first_column; column < share->end_column; column++) {
            const tile *tile = &group->tiles[column / TILE_COLUMNS];
            c->lanes = lanes_in(tile, column % TILE_COLUMNS);
            c->lines = tensor_at(tile, column % TILE_COLUMNS, op->source);
            c->results = tensor_at(tile, column % TILE_COLUMNS, op->target);
            if (gated) c->gate = tensor_at(tile, column % TILE_COLUMNS, op->other);
            c->ahead = NULL;
            if (far && column + 1 < share->end_column) look_ahead(group, op, column + 1, c);
            ISA_NAME(run_chains)(c);
        }
    }
}

/* z (H, 32) = W a + b; a is (K, 32). */
void ISA_NAME(dense_forward)(const tile_group *group, const op *op) {
    const bool wide = op->outputs >= WIDE_OUTPUTS;
    const share share = share_of(group, op->outputs);
    chains c = {.layout = wide ? CHAINS_forward : CHAINS_narrow,
                .factors = group->parameters + op->weight,
                .factor_step = op->stride,
                .factor_apart = 1,
                .factor_group = op->inputs * PANEL,
                .run_stride = CHUNK * (wide ? PANEL : op->stride),
                .start = group->parameters + op->bias,
                .start_step = 1,
                .result_group = TILE_LANES,
                .terms = op->inputs};
    run_columns(group, &share, op, &c);
}

/* d loss / d a (K, 32) = W^T delta; delta is (H, 32). */
void ISA_NAME(dense_backward)(const tile_group *group, const op *op) {
    const bool wide = op->outputs >= WIDE_OUTPUTS;
    const size_t apart = wide ? PANEL : op->stride;
    const share share = share_of(group, op->inputs);
    chains c = {.layout = wide ? CHAINS_backward : CHAINS_narrow,
                .factors = group->parameters + op->weight,
                .factor_step = 1,
                .factor_apart = apart,
                .factor_group = PANEL * apart,
                .run_stride = op->inputs * PANEL,
                .start = &no_start,
                .result_group = TILE_LANES,
                .terms = op->outputs,
                .flush = true};
    run_columns(group, &share, op, &c);
}
