/* Weights of rows. See weigh.cl; the functions are in kernels/weigh.h. */
#include "kernels/weigh.h"
#include "backend/openmp/tile.h"

/* Lanes that hold no row stay as they are: +0. */
static void weigh_column(const tile *tile, size_t column, const weigh_op *op) {
    const size_t first = column * COLUMN_LANES;
    const size_t rows = tile->rows - first < COLUMN_LANES ? tile->rows - first : COLUMN_LANES;
    const float *weights = tile->weights + first;
    float *losses = tensor_at(tile, column, op->losses), *delta = tensor_at(tile, column, op->delta);
#pragma omp simd
    for (size_t i = 0; i < rows; i++)
        losses[i] = weighed_loss(losses[i], weights[i]);
    for (size_t h = 0; h < op->outputs; h++) {
        float *line = delta + h * COLUMN_LANES;
#pragma omp simd
        for (size_t i = 0; i < rows; i++)
            line[i] = weighed_delta(line[i], weights[i]);
    }
}

/* Columns are shared out as by the loss before it. */
void ISA_NAME(weigh)(const tile_group *group, const op *op) {
    size_t first = group->first_column, end = group->end_column;
    if (group->parts > 1) cut(group->end_column, 1, group->part, group->parts, &first, &end);
    for (size_t c = first; c < end; c++)
        weigh_column(&group->tiles[c / TILE_COLUMNS], c % TILE_COLUMNS, &op->weigh);
}
