/* How data and parameters lie in memory on the CPU: rows become tiles, and weights panels. */
#include <stdlib.h>
#include <string.h>

#include "backend/openmp/state.h"
#include "support/floating_mode.h"
#include "support/memory.h"

/* ---- parameters ------------------------------------------------------------------------------------------ */

/* Where the 16 weights that begin at `in_panels` of the packed vector in panels lie in (K, S). */
static size_t in_rows(const packed_layer *layer, size_t in_panels) {
    size_t line = (in_panels - layer->weight) / PANEL;
    return layer->weight + line % layer->inputs * layer->stride + line / layer->inputs * PANEL;
}

/* What a part owns, from rows to panels or back; biases and narrow weights lie the same way in both. */
static void copy_owned(const plan *plan, const float *from, float *to, bool to_panels, size_t part,
                       size_t parts) {
    for (size_t l = 0; l < plan->layer_count; l++) {
        const packed_layer *layer = &plan->layers[l];
        const owned owned = owned_by(layer, part, parts);
        const size_t biases = owned.end_bias - owned.first_bias,
                     weights = owned.end_weight - owned.first_weight;
        memcpy(to + owned.first_bias, from + owned.first_bias, biases * sizeof *to);
        if (layer->outputs < WIDE_OUTPUTS) {
            memcpy(to + owned.first_weight, from + owned.first_weight, weights * sizeof *to);
            continue;
        }
        for (size_t at = owned.first_weight; at < owned.end_weight; at += PANEL) {
            const size_t rows = in_rows(layer, at);
            memcpy(to + (to_panels ? at : rows), from + (to_panels ? rows : at), PANEL * sizeof *to);
        }
    }
}

void layout_to_panels(const plan *plan, const float *packed, float *panels, size_t part, size_t parts) {
    copy_owned(plan, packed, panels, true, part, parts);
}

void layout_from_panels(const plan *plan, const float *panels, float *packed, size_t part, size_t parts) {
    copy_owned(plan, panels, packed, false, part, parts);
}

void layout_read_panels(const plan *plan, const float *panels, float *packed) {
    memset(packed, 0, plan->parameter_count * sizeof *packed);
    layout_from_panels(plan, panels, packed, 0, 1);
}

/* The layer whose weight or bias the packed value `at` belongs to; what lies between is as in the packed vector. */
static const packed_layer *layer_at(const plan *plan, size_t at) {
    size_t l = 0;
    while (l + 1 < plan->layer_count && at >= plan->layers[l + 1].weight)
        l++;
    return &plan->layers[l];
}

static size_t in_panels(const packed_layer *layer, size_t at) {
    const bool moved = layer->outputs >= WIDE_OUTPUTS && at < layer->bias;
    if (!moved) return at;
    const size_t input = (at - layer->weight) / layer->stride, output = (at - layer->weight) % layer->stride;
    return layer->weight + (output / PANEL * layer->inputs + input) * PANEL;
}

void layout_find_groups(const plan *plan, const float *panels, size_t first, size_t count,
                        const float **groups) {
    for (size_t i = 0; i < count; i++) {
        const size_t at = first + i * PANEL;
        groups[i] = panels + in_panels(layer_at(plan, at), at);
    }
}

/* ---- rows and tiles -------------------------------------------------------------------------------------- */

/* target (columns, features, 32) = `count` rows from `row` on of the buffer. */
static void assemble(const program *program, const float *values, size_t row, size_t count, float *target) {
    const size_t features = program->plan->features;
    uint64_t rows[TILE_ROWS];
    for (size_t i = 0; i < count; i++)
        rows[i] = row + i;
    tile tile = {.rows = count,
                 .lanes = round_up(count, TILE_LANES),
                 .columns = (count + COLUMN_LANES - 1) / COLUMN_LANES,
                 .input = target,
                 .input_stride = features * COLUMN_LANES,
                 .row = rows};
    const tile_group group = {.tiles = &tile,
                              .count = 1,
                              .end_column = tile.columns,
                              .features = values,
                              .feature_count = features,
                              .parts = 1};
    const op gather = {.kind = OP_gather,
                       .gather = {.features = features, .input = program->plan->input->place}};
    program->functions->tile_ops[OP_gather](&group, &gather);
}

/* The rows of a full tile, from its columns. */
static void disassemble(const float *tile, size_t features, float *rows) {
    for (size_t i = 0; i < TILE_ROWS; i++) {
        const float *column = tile + i / COLUMN_LANES * features * COLUMN_LANES + i % COLUMN_LANES;
        for (size_t k = 0; k < features; k++)
            rows[i * features + k] = column[k * COLUMN_LANES];
    }
}

/* Tiles [first, end), through a tile of scratch where they take the place of their rows. */
static void fill_tiles(const program *program, const buffer *buffer, float *tiles, size_t first, size_t end,
                       float *scratch) {
    const size_t floats = buffer->features * TILE_ROWS;
    for (size_t t = first; t < end; t++) {
        assemble(program, buffer->data, t * TILE_ROWS, TILE_ROWS,
                 scratch != NULL ? scratch : tiles + t * floats);
        if (scratch != NULL) memcpy(tiles + t * floats, scratch, floats * sizeof *tiles);
    }
}

static void restore_tiles(const buffer *buffer, size_t first, size_t end, float *scratch) {
    const size_t floats = buffer->features * TILE_ROWS;
    for (size_t t = first; t < end; t++) {
        memcpy(scratch, buffer->tiles + t * floats, floats * sizeof *scratch);
        disassemble(scratch, buffer->features, buffer->tiles + t * floats);
    }
}

static tanda_status allocate_tiles(const program *program, buffer *buffer, size_t rest) {
    const size_t floats = buffer->features * TILE_ROWS, full = buffer->rows / TILE_ROWS;
    buffer->threads = program->threads;
    tanda_status status = TANDA_OK;
    if (rest > 0) status = allocate(&buffer->last_tile, floats, sizeof(float), "tile", NULL);
    if (status == TANDA_OK && buffer->moved)
        status = allocate(&buffer->scratch, program->threads, floats * sizeof(float), "tiles", NULL);
    if (status != TANDA_OK) return status;
    buffer->tiles = buffer->moved ? buffer->data : allocate_untouched(full * floats * sizeof(float));
    return buffer->tiles != NULL ? TANDA_OK : TANDA_FAILED;
}

void layout_make_tiles(const program *program) {
    buffer *buffer = program->options.features;
    const size_t rows = buffer->rows, rest = rows % TILE_ROWS, full = rows / TILE_ROWS;
    if (buffer->tiles != NULL) return;
    if (allocate_tiles(program, buffer, rest) != TANDA_OK) {
        buffer->tiles = NULL;
        layout_restore(buffer);
        return;
    }
    if (rest > 0) assemble(program, buffer->data, rows - rest, rest, buffer->last_tile);
#pragma omp parallel for num_threads((int)buffer->threads) schedule(static)
    for (size_t i = 0; i < buffer->threads; i++)
        fill_tiles(program, buffer, buffer->tiles, full * i / buffer->threads,
                   full * (i + 1) / buffer->threads,
                   buffer->moved ? buffer->scratch + i * buffer->features * TILE_ROWS : NULL);
}

void layout_restore(buffer *buffer) {
    const size_t full = buffer->rows / TILE_ROWS, floats = buffer->features * TILE_ROWS;
    if (buffer->tiles != NULL && buffer->moved) {
#pragma omp parallel for num_threads((int)buffer->threads) schedule(static)
        for (size_t i = 0; i < buffer->threads; i++)
            restore_tiles(buffer, full * i / buffer->threads, full * (i + 1) / buffer->threads,
                          buffer->scratch + i * floats);
    }
    if (!buffer->moved) free(buffer->tiles);
    free(buffer->last_tile);
    free(buffer->scratch);
    buffer->tiles = buffer->last_tile = buffer->scratch = NULL;
}
