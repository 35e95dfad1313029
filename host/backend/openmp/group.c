/* Tiles of a step: which rows they hold, where their tensors lie, and what the kernels are told of them. */
#include <string.h>

#include "backend/openmp/worker.h"
#include "support/memory.h"

/* rows[i] = the row of the data set at position first + i of the epoch's order */
static void find_rows(worker *worker, const batch *batch, size_t first, size_t count) {
    const program_options *options = &worker->program->options;
    if (order_is_fixed(options)) {
        for (size_t i = 0; i < count; i++)
            worker->lanes.rows[i] = first + i;
        return;
    }
    const row_order order = order_of_rows(options);
    worker->program->functions->find_rows(&order, &worker->order_keys, (uint32_t)batch->epoch, first, count,
                                          worker->lanes.rows);
}

/* to[i] = from[rows[i]]: classes, targets or weights, of four bytes each. */
static void copy_words(const float *from, const uint64_t *rows, size_t count, float *to) {
    for (size_t i = 0; i < count; i++)
        memcpy(&to[i], &from[rows[i]], sizeof *to);
}

/* Labels in lane order: the data set's own where the order is fixed, else copies. */
static const void *find_labels(worker *worker, size_t first, size_t count) {
    const program_options *options = &worker->program->options;
    if (options->labels == NULL) return NULL;
    const float *labels = options->labels->data; /* or int32: four bytes either way */
    const size_t targets = worker->program->plan->labels.count;
    if (order_is_fixed(options)) return labels + first * targets;
    if (targets == 1)
        copy_words(labels, worker->lanes.rows, count, worker->lanes.labels);
    else
        for (size_t i = 0; i < count; i++)
            memcpy(&worker->lanes.labels[i * targets], &labels[worker->lanes.rows[i] * targets],
                   targets * sizeof *labels);
    return worker->lanes.labels;
}

/* The same for weights. */
static const float *find_weights(worker *worker, size_t first, size_t count) {
    const program_options *options = &worker->program->options;
    if (!worker->program->plan->weighted) return NULL;
    const float *weights = options->weights->data;
    if (order_is_fixed(options)) return weights + first;
    copy_words(weights, worker->lanes.rows, count, worker->lanes.weights);
    return worker->lanes.weights;
}

tile_group group_of(worker *worker, const batch *batch, size_t first, size_t count, float *workspace,
                    uint32_t *correct) {
    const program *program = worker->program;
    const division *division = &program->division;
    const size_t features = program->plan->features, position = batch->first_row + first * TILE_ROWS;
    const size_t left = batch->rows - first * TILE_ROWS;
    const size_t rows = left < count * TILE_ROWS ? left : count * TILE_ROWS;
    const bool assembled = uses_tiles(program);
    if (!assembled) find_rows(worker, batch, position, rows);
    const void *labels = find_labels(worker, position, rows);
    const float *weights = find_weights(worker, position, rows);
    for (size_t i = 0; i < count; i++) {
        const size_t lane = i * TILE_ROWS;
        tile *tile = &worker->tiles[i];
        *tile = (struct tile){.rows = rows - lane < TILE_ROWS ? rows - lane : TILE_ROWS,
                              .position = batch->position + first * TILE_ROWS + lane,
                              .workspace = workspace + i * division->tile_floats,
                              .workspace_stride = division->column_floats,
                              .row = worker->lanes.rows + lane,
                              .correct = correct};
        tile->lanes = round_up(tile->rows, TILE_LANES);
        tile->columns = (tile->rows + COLUMN_LANES - 1) / COLUMN_LANES;
        tile->input = tile->workspace;
        tile->input_stride = tile->workspace_stride;
        if (weights != NULL) tile->weights = weights + lane;
        if (labels != NULL && program->plan->labels.are_classes)
            tile->classes = (const int32_t *)labels + lane;
        if (labels != NULL && !program->plan->labels.are_classes)
            tile->targets = (const float *)labels + lane * program->plan->labels.count;
        if (!assembled) continue;
        const buffer *buffer = program->options.features;
        tile->input_stride = features * COLUMN_LANES;
        tile->input =
            tile->rows < TILE_ROWS ? buffer->last_tile : buffer->tiles + (position + lane) * features;
    }
    return (tile_group){.tiles = worker->tiles,
                        .count = count,
                        .end_column = (count - 1) * TILE_COLUMNS + worker->tiles[count - 1].columns,
                        .parameters = parameters_of(program),
                        .loss_index = program->sums.loss_index,
                        .with_loss = worker->with_loss,
                        .scratch = worker->scratch,
                        .descent = worker->descends ? &worker->descent : NULL,
                        .features = program->options.features->data,
                        .feature_count = features,
                        .tiled_rows = rows_in_place(program->options.features),
                        .seed = program->options.seed,
                        .step = batch->step,
                        .parts = 1};
}
