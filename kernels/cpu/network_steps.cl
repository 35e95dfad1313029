/*
 * Many steps of a small network in one launch, on CPU devices: what a launch costs there, and waking the threads that had
 * nothing to do for a moment, takes as long as such a step. Work-items take the parts of a step (columns of rows, then
 * blocks of parameters) as they come, and go on when all are done. A part that was taken is being computed by a work-item
 * that has begun and waits for nothing: so this ends even where one thread runs the work-items one after the other, when
 * the first does all. See network.c.
 */
#include "kernels/cpu/network_block.h"
#include "kernels/cpu/network_column.h"

/*
 * Waits until `count` parts are done. 0 when it takes so long that the thread which is busy with the last of them has
 * hardly a core of its own: leaving the core to it helps more, and it does the rest alone.
 */
static inline int wait_for(volatile global uint *done, uint count, uint most_looks) {
    if (atomic_or(done, 0u) == count) return 1;
    for (uint looks = 0; *done != count; looks++)
        if (looks == most_looks) return 0;
    mem_fence(CLK_GLOBAL_MEM_FENCE); /* what follows is not read before */
    return 1;
}

static inline void add_done(volatile global uint *done, uint count) {
    mem_fence(CLK_GLOBAL_MEM_FENCE); /* what was written is there before */
    atomic_add(done, count);
}

/* Where the next step finds its rows; as perceptron.cl. */
typedef struct network_walk {
    ulong first_row, first_tile;
    uint epoch, rows;
} network_walk;

static inline void walk_on(network_walk *walk, ulong row_count, ulong batch_rows) {
    walk->first_row += batch_rows;
    walk->first_tile += (batch_rows + TILE_ROWS - 1) / TILE_ROWS;
    if (walk->first_row >= row_count) {
        walk->first_row = walk->first_tile = 0;
        walk->epoch++;
    }
    ulong left = row_count - walk->first_row;
    walk->rows = (uint)(left < batch_rows ? left : batch_rows);
}

/*
 * Work-item: as many as there are compute units. first_row, rows, epoch, training_step and step are the first step's;
 * first_tile is of the stored tiles, where `assembled` is set. turns: NETWORK_TURNS words for each step, 0 at first.
 * inverse_rows: of batches of batch_rows, and of the last of an epoch. A take of rows are `together` columns, a power of two,
 * one of parameters `take` of `items` blocks. looks: after so many in vain a work-item leaves the rest of the launch to the
 * others.
 */
#define DEFINE_NETWORK_STEPS(VECTORS)                                                                                \
    kernel void network_steps_##VECTORS(                                                                             \
        global float *input, ulong first_tile, ulong input_tile, global float *workspace, ulong workspace_tile,      \
        BATCH_ARGUMENTS, ulong batch_rows, uint steps, uint together, uint items, uint take, global float *slot,     \
        ulong slot_floats, global float *updated, float inverse_rows, float last_inverse_rows, uint rule,            \
        uint states, global float *state, global const update_constants *constants,                                  \
        global const update_rates *rates, global uint *turns, uint looks) {                                          \
        network_walk walk = {first_row, first_tile, epoch, rows};                                                    \
        for (uint s = 0; s < steps; s++, walk_on(&walk, row_count, batch_rows)) {                                    \
            network_batch batch = BATCH;                                                                             \
            batch.first_row = walk.first_row;                                                                        \
            batch.epoch = walk.epoch;                                                                                \
            batch.rows = walk.rows;                                                                                  \
            batch.training_step = training_step + s;                                                                 \
            batch.step = step + s;                                                                                   \
            global float *x = input + (assembled ? walk.first_tile : 0) * input_tile;                                \
            global uint *turn = turns + (ulong)batch.step * NETWORK_TURNS;                                           \
            uint lanes = VECTORS * 16, columns = (walk.rows + VECTORS * 16 - 1) / (VECTORS * 16);                    \
            for (uint column = atomic_add(turn, together); column < columns; column = atomic_add(turn, together)) {  \
                uint lane = column * lanes, tile = lane / TILE_ROWS;                                                 \
                uint count = columns - column < together ? columns - column : together;                              \
                network_place place = {tile, lane % TILE_ROWS, count, x + tile * input_tile,                         \
                                       workspace + tile * workspace_tile};                                           \
                network_order order = order_of(&batch);                                                              \
                network_columns_##VECTORS(batch, &order, place);                                                     \
                add_done(turn + 1, count);                                                                           \
            }                                                                                                        \
            if (!wait_for(turn + 1, columns, looks)) return;                                                         \
            update_target of_all = {updated, state,  slot_floats - 16,                                               \
                                    walk.rows == batch_rows ? inverse_rows : last_inverse_rows,                      \
                                    rule,    states, *constants, rates[batch.step]};                                 \
            network_target target;                                                                                   \
            aim(&target, &of_all, panels, slot, 1, results + 3 * batch.step);                                                \
            target.is_passing = s + 1 < steps;                                                                       \
            network_tensors tensors = {x,         workspace, input_tile,  workspace_tile, width, lanes,              \
                                       walk.rows, layers,    layer_count, losses,         zero};                     \
            uint tiles = (walk.rows + TILE_ROWS - 1) / TILE_ROWS;                                                    \
            global uint *block = turn + NETWORK_TURNS / 2;                                                           \
            for (uint first = atomic_add(block, take); first < items; first = atomic_add(block, take)) {             \
                uint end = items - first < take ? items : first + take;                                              \
                for (uint item = first; item < end; item++)                                                          \
                    network_item(tensors, target, item, 0, tiles);                                                   \
                add_done(block + 1, end - first);                                                                    \
            }                                                                                                        \
            if (!wait_for(block + 1, items, looks)) return;                                                          \
        }                                                                                                            \
    }

DEFINE_NETWORK_STEPS(1)
DEFINE_NETWORK_STEPS(2)
