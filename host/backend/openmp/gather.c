/* Rows of the data set, shuffled or not, become columns: lane i holds the row of position i. See gather.cl. */
#include "backend/openmp/tile.h"
#include "backend/openmp/vector.h"

#define PREFETCH_FLOATS 64 /* the rest of a long row follows by itself */

/* LANES rows from `lane` on, LANES features from `feature` on. */
static inline void gather_block(const tile_group *group, const tile *tile, float *target, size_t lane,
                                size_t feature) {
    size_t left = group->feature_count - feature;
    vec lines[LANES];
    for (size_t i = 0; i < LANES; i++) {
        if (lane + i >= tile->rows) {
            lines[i] = vec_zero();
            continue;
        }
        const float *row = group->features + tile->row[lane + i] * group->feature_count + feature;
        lines[i] = left >= LANES ? vec_load(row) : vec_load_first(row, left);
    }
    vec_transpose(lines);
    for (size_t k = 0; k < LANES && k < left; k++)
        vec_store(target + (feature + k) * COLUMN_LANES + lane % COLUMN_LANES, lines[k]);
}

void ISA_NAME(positions)(const shuffle_key *key, uint64_t first, size_t count, uint64_t *rows) {
    shuffle_positions(key, first, count, rows);
}

/* The rows of a column come from anywhere: their first lines are asked for while the column before is worked on. */
static void prefetch_rows(const tile_group *group, size_t column) {
    const tile *tile = &group->tiles[column / TILE_COLUMNS];
    const size_t first = column % TILE_COLUMNS * COLUMN_LANES, floats = group->feature_count;
    for (size_t i = first; i < first + COLUMN_LANES && i < tile->rows; i++)
        for (size_t k = 0; k < floats && k < PREFETCH_FLOATS; k += 16)
            __builtin_prefetch(group->features + tile->row[i] * floats + k);
}

/* Columns are shared out where there are enough, else features. */
static share share_of_gather(const tile_group *group, size_t features) {
    share made = {0, features, group->first_column, group->end_column};
    if (columns_in(group) >= group->parts)
        cut(group->end_column, 1, group->part, group->parts, &made.first_column, &made.end_column);
    else
        cut(features, TILE_LANES, group->part, group->parts, &made.first, &made.end);
    return made;
}

void ISA_NAME(gather)(const tile_group *group, const op *op) {
    const share share = group->parts > 1
                            ? share_of_gather(group, op->inputs)
                            : (struct share){0, op->inputs, group->first_column, group->end_column};
    for (size_t column = share.first_column; column < share.end_column; column++) {
        const tile *tile = &group->tiles[column / TILE_COLUMNS];
        const size_t c = column % TILE_COLUMNS, first = c * COLUMN_LANES, lanes = lanes_in(tile, c);
        float *target = tensor_at(tile, c, op->target);
        if (column + 1 < columns_in(group)) prefetch_rows(group, column + 1);
        for (size_t lane = first; lane < first + lanes; lane += LANES)
            for (size_t k = share.first; k < share.end; k += LANES)
                gather_block(group, tile, target, lane, k);
    }
}
