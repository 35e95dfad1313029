/*
 * Many steps of a small network in one launch, on CPU devices: what a launch costs there, and waking the threads that had
 * nothing to do for a moment, takes as long as such a step. Work-items take the parts of a step (columns of rows, then
 * blocks of parameters) as they come, and go on when all are done. A part that was taken is being computed by a work-item
 * that has begun and waits for nothing: so this ends even where one thread runs the work-items one after the other, when
 * the first does all. See network.c.
 */
#include "kernels/cpu/network.cl" /* one program: steps of many tiles begin and end with its kernels */

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

/* The columns of a step's rows, `together` at a time, which is a power of two; as many as are left to take. */
INLINE void take_columns(const int vectors, const network_batch *batch, global float *x,
                         global float *workspace, volatile global uint *turn, uint columns) {
    const network_arguments *a = &batch->a;
    const uint together = a->together, lanes = vectors * 16;
    for (uint column = atomic_add(turn, together); column < columns; column = atomic_add(turn, together)) {
        uint lane = column * lanes, tile = lane / TILE_ROWS, count = min(columns - column, together);
        network_place place = {tile, lane % TILE_ROWS, count, x + tile * a->input_tile,
                               workspace + tile * a->workspace_tile};
        network_order order = order_of(batch);
        network_columns(vectors, batch, &order, place);
        add_done(turn + 1, count);
    }
}

/* The blocks of parameters, `take` of `items` at a time. */
static inline void take_blocks(const network_arguments *a, network_tensors tensors, network_target target,
                               uint tiles, volatile global uint *turn) {
    for (uint first = atomic_add(turn, a->take); first < a->items; first = atomic_add(turn, a->take)) {
        uint end = a->items - first < a->take ? a->items : first + a->take;
        for (uint item = first; item < end; item++)
            network_item(tensors, target, item, 0, tiles);
        add_done(turn + 1, end - first);
    }
}

/* What only this kernel is given. turns: NETWORK_TURNS words for each step, 0 at first. */
typedef struct network_updated {
    global float *slot, *parameters, *panels, *state;
    global const update_rates *rates;
    global uint *turns;
} network_updated;

INLINE void do_steps(const int vectors, network_batch batch, global float *input, global float *workspace,
                     network_updated updated) {
    const network_arguments first = batch.a;
    network_arguments *a = &batch.a;
    network_walk walk = {first.first_row, first.first_tile, first.epoch, first.rows};
    for (uint s = 0; s < first.steps; s++, walk_on(&walk, first.order.rows, first.batch_rows)) {
        a->first_row = walk.first_row;
        a->epoch = walk.epoch;
        a->rows = walk.rows;
        a->training_step = first.training_step + s;
        a->step = first.step + s;
        global float *x = input + (a->assembled ? walk.first_tile : 0) * a->input_tile;
        global uint *turn = updated.turns + (ulong)a->step * NETWORK_TURNS;
        const uint lanes = vectors * 16, columns = (walk.rows + lanes - 1) / lanes;
        take_columns(vectors, &batch, x, workspace, turn, columns);
        if (!wait_for(turn + 1, columns, a->looks)) return;
        update_target of_all = {
            updated.parameters,  updated.state,
            a->slot_floats - 16, walk.rows == a->batch_rows ? a->inverse_rows : a->last_inverse_rows,
            a->update,           updated.rates[a->step]};
        network_target target;
        aim(&target, &of_all, updated.panels, updated.slot, 1, batch.results + 3 * a->step);
        target.is_passing = s + 1 < first.steps;
        network_tensors tensors = {x,      workspace, a->input_tile, a->workspace_tile, a->width,
                                   lanes,  walk.rows, batch.layers,  a->layer_count,    a->losses,
                                   a->zero};
        turn += NETWORK_TURNS / 2;
        take_blocks(a, tensors, target, (walk.rows + TILE_ROWS - 1) / TILE_ROWS, turn);
        if (!wait_for(turn + 1, a->items, a->looks)) return;
    }
}

/* Work-item: as many as there are compute units. After `looks` in vain one leaves the rest of the launch to others. */
kernel void network_steps(global float *input, global float *workspace, global const float *features,
                          global const int *labels, global const float *weights, global float *parameters,
                          global float *panels, global const network_layer *layers, global uint *results,
                          global float *slot, global float *state, global const update_rates *rates,
                          global uint *turns, network_arguments a) {
    network_batch batch = {a, features, labels, weights, parameters, panels, layers, results};
    network_updated updated = {slot, parameters, panels, state, rates, turns};
    if (a.column == 32)
        do_steps(2, batch, input, workspace, updated);
    else
        do_steps(1, batch, input, workspace, updated);
}
