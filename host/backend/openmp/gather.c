/* Rows of the data set, shuffled or not, become columns: lane i holds the row of position i. See gather.cl. */
#include "backend/openmp/tile.h"
#include "backend/openmp/vector.h"

#define AHEAD_FLOATS 64 /* of each row, asked for before they are read */
#define LINE_FLOATS 16

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

void ISA_NAME(find_rows)(const row_order *order, order_keys *keys, uint32_t epoch, uint64_t first,
                         size_t count, uint64_t *rows) {
    order_find_rows(order, keys, epoch, first, count, rows);
}

/* Rows come from anywhere: floats [first, end) of those in lanes [lane, lane + LANES) are asked for. */
static inline void ask_for(const tile_group *group, const tile *tile, size_t lane, size_t first, size_t end) {
    for (size_t i = lane; i < lane + LANES && i < tile->rows; i++)
        for (size_t k = first; k < end; k += LINE_FLOATS)
            __builtin_prefetch(group->features + tile->row[i] * group->feature_count + k);
}

/* LANES rows from lane `lane` of the group on, features [first, end). Meanwhile the next rows are asked for. */
static void gather_rows(const tile_group *group, size_t lane, size_t first, size_t end, float *target) {
    const tile *tile = &group->tiles[lane / TILE_ROWS];
    const size_t next = lane + LANES, begin = first + AHEAD_FLOATS;
    if (next / TILE_ROWS < group->count)
        ask_for(group, &group->tiles[next / TILE_ROWS], next % TILE_ROWS, first, begin < end ? begin : end);
    for (size_t k = first; k < end; k += LANES) {
        const size_t far = k + AHEAD_FLOATS;
        if (far < end && far % LINE_FLOATS < LANES) ask_for(group, tile, lane % TILE_ROWS, far, far + 1);
        gather_block(group, tile, target, lane % TILE_ROWS, k);
    }
}

/* The same where rows lie as columns themselves: a program that is not of their tiles reads them so. */
static void gather_lanes(const tile_group *group, size_t lane, size_t first, size_t end, float *target) {
    const tile *tile = &group->tiles[lane / TILE_ROWS];
    for (size_t i = lane % TILE_ROWS; i < lane % TILE_ROWS + LANES; i++) {
        const uint64_t row = i < tile->rows ? tile->row[i] : 0;
        const bool is_tiled = row < group->tiled_rows;
        const float *values =
            group->features + (is_tiled ? row / COLUMN_LANES * COLUMN_LANES : row) * group->feature_count;
        for (size_t k = first; k < end; k++) {
            const size_t at = is_tiled ? k * COLUMN_LANES + row % COLUMN_LANES : k;
            target[k * COLUMN_LANES + i % COLUMN_LANES] = i < tile->rows ? values[at] : 0.0f;
        }
    }
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
                            ? share_of_gather(group, op->gather.features)
                            : (struct share){0, op->gather.features, group->first_column, group->end_column};
    void (*const gather)(const tile_group *, size_t, size_t, size_t, float *) =
        group->tiled_rows > 0 ? gather_lanes : gather_rows;
    for (size_t column = share.first_column; column < share.end_column; column++) {
        const tile *tile = &group->tiles[column / TILE_COLUMNS];
        const size_t c = column % TILE_COLUMNS, lanes = lanes_in(tile, c);
        for (size_t lane = 0; lane < lanes; lane += LANES)
            gather(group, column * COLUMN_LANES + lane, share.first, share.end,
                   tensor_at(tile, c, op->gather.input));
    }
}
