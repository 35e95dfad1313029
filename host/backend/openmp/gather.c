/* Assembling: the rows of a batch, wherever they lie, become a tile, feature by feature. See gather.cl. */
#include "backend/openmp/tile.h"
#include "backend/openmp/vector.h"

/* LANES rows from `lane` on, LANES features from `feature` on. */
static inline void gather_block(const tile_task *task, float *target, size_t lane, size_t feature) {
    size_t left = task->feature_count - feature;
    vec lines[LANES];
    for (size_t i = 0; i < LANES; i++) {
        if (lane + i >= task->rows) {
            lines[i] = vec_zero();
            continue;
        }
        const float *row = task->features + task->row[lane + i] * task->feature_count + feature;
        lines[i] = left >= LANES ? vec_load(row) : vec_load_first(row, left);
    }
    vec_transpose(lines);
    for (size_t k = 0; k < LANES && k < left; k++)
        vec_store(target + (feature + k) * task->width + lane, lines[k]);
}

void ISA_NAME(gather)(const tile_task *task, const op *op) {
    size_t first = 0, end = 0;
    share_of(task, op->inputs, TILE_LANES, &first, &end);
    for (size_t lane = 0; lane < task->lanes; lane += LANES)
        for (size_t k = first; k < end; k += LANES)
            gather_block(task, task->input, lane, k);
}
