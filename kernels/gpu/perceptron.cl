/*
 * One dense layer and its loss on GPUs: logistic, softmax and linear regression. Memory bounds it, so each row is read
 * once a step: a work-group takes strips of STRIP rows into local memory, where forward, loss and gradient follow one
 * another, while the next strip is on its way in registers. The lane sums of the gradient (contract 3) stay in registers
 * until a tile is done: work-item (lane l, q) has those of features 4 (q + 16 i) ... + 3, i < QUADS, OUTPUTS each. They
 * are folded through local memory, and the tree over a run of tiles takes them in. See gpu_perceptron.c.
 *
 * Where one group does a step whole it updates the parameters and goes on with the next of many steps. Else each group
 * leaves a slot, and another launch adds them up and updates or, with `merges`, the last group to arrive.
 */
#ifndef STRIP
#define STRIP 128 /* rows: a power of two up to TILE_ROWS */
#define QUADS 1   /* of 64 features */
#define OUTPUTS 1 /* fewer than WIDE_OUTPUTS */
#define PIECE 4   /* floats of a load: 4 where the features are a multiple of that, else 1 */
#define LOADS 8   /* of a strip by a work-item */
#define LOSS_OP 1 /* of arguments/loss.h */
#endif

#include "kernels/arguments/gpu_perceptron.h"
#include "kernels/gpu/aside.h"
#include "kernels/gpu/row_loss.h"
#include "kernels/gpu/slots.h"
#include "kernels/gpu/strip.h"
#include "kernels/tile.h"
#include "kernels/tree.h"

/* ---- forward and loss -------------------------------------------------------------------------------------- */

/* Chains over the features of chunk `chunk` (contract 2). */
ASIDE void chains(workplace place, uint features, uint row, uint chunk, float zero, float *sum) {
    local const float4 *x = place.x + row * place.pitch;
    uint from = chunk * (CHUNK / 4), whole = features / 4, to = min(whole, from + CHUNK / 4);
    UNROLL_FOR (int h = 0; h < OUTPUTS; h++)
        sum[h] = zero;
    for (uint k = from; k < to; k++) {
        float4 a = x[k];
        UNROLL_FOR (int h = 0; h < OUTPUTS; h++) {
            float4 w = place.weights[h * place.quads + k];
            sum[h] = fma(a.w, w.w, fma(a.z, w.z, fma(a.y, w.y, fma(a.x, w.x, sum[h]))));
        }
    }
#if PIECE == 1
    if (to < whole || to * 4 == from * 4 + CHUNK) return;
    for (uint k = whole * 4; k < features; k++)
        UNROLL_FOR (int h = 0; h < OUTPUTS; h++)
            sum[h] = fma(((local const float *)x)[k],
                         ((local const float *)(place.weights + h * place.quads))[k], sum[h]);
#endif
}

/* The logits of the strip's rows, into `lines`: each where the work-item t < STRIP of its row looks. */
INLINE void forward(workplace place, uint features, uint t, float zero) {
    float sum[OUTPUTS];
#if CHUNKS == 1
    if (t >= STRIP) return;
    chains(place, features, t, 0, zero, sum);
    UNROLL_FOR (int h = 0; h < OUTPUTS; h++)
        place.lines[h * STRIP + t] = canonical(place.biases[h] + sum[h]);
#else
    uint chunks = (features + CHUNK - 1) / CHUNK;
    for (uint i = t; i < chunks * STRIP; i += ITEMS) {
        chains(place, features, i % STRIP, i / STRIP, zero, sum);
        UNROLL_FOR (int h = 0; h < OUTPUTS; h++)
            place.parts[(i / STRIP * OUTPUTS + h) * STRIP + i % STRIP] = sum[h];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t >= STRIP) return;
    for (uint h = 0; h < OUTPUTS; h++) {
        float total = place.biases[h];
        for (uint c = 0; c < chunks; c++)
            total = total + place.parts[(c * OUTPUTS + h) * STRIP + t];
        place.lines[h * STRIP + t] = canonical(total);
    }
#endif
}

/* Losses and deltas of the strip's rows; 0 of those that are not there. Returns which row was right. */
INLINE uint find_deltas(workplace place, row_rule rule, row_label label, uint used, uint t) {
    row_result made = {0.0f, 0};
    if (t >= STRIP) return 0;
    if (t < used)
        made = row_deltas(rule, label, place.lines + t, STRIP);
    else
        for (uint h = 0; h < OUTPUTS; h++)
            place.lines[h * STRIP + t] = 0.0f;
    place.lines[OUTPUTS * STRIP + t] = made.loss;
    return made.right;
}

/* ---- gradient ---------------------------------------------------------------------------------------------- */

/* Of work-item t = 16 l + q: what lane l has of its quads and, q <= OUTPUTS, of a line of deltas or losses. */
typedef struct lane_sums {
    float4 quads[SUMS];
    float line;
} lane_sums;

INLINE lane_sums zero_sums(float zero) {
    lane_sums sums;
    UNROLL_FOR (uint i = 0; i < SUMS; i++)
        sums.quads[i] = (float4)(zero);
    sums.line = zero;
    return sums;
}

/* Adds a strip of `used` rows, which begins at row `first`. */
ASIDE void add_strip(workplace place, uint used, uint first, uint t, lane_sums *sums) {
    uint l = t / TILE_LANES, q = t % TILE_LANES;
    UNROLL_FOR (uint j = 0; j < LANE_ROWS; j++) {
        uint row = STRIP < TILE_LANES ? l - first % TILE_LANES : l + TILE_LANES * j;
        if (row >= STRIP || TILE_LANES * j >= used) continue;
        UNROLL_FOR (uint h = 0; h < OUTPUTS; h++) {
            float4 delta = (float4)(place.lines[h * STRIP + row]);
            UNROLL_FOR (uint i = 0; i < QUADS; i++)
                if (q + 16 * i < place.quads)
                    sums->quads[i * OUTPUTS + h] =
                        fma(place.x[row * place.pitch + q + 16 * i], delta, sums->quads[i * OUTPUTS + h]);
        }
        if (q <= OUTPUTS) sums->line = sums->line + place.lines[q * STRIP + row];
    }
}

/* The sum over 16 lanes that lie `apart` floats apart, folded. */
ASIDE float fold(local const float *lanes, uint apart) {
    float v[TILE_LANES];
    UNROLL_FOR (uint l = 0; l < TILE_LANES; l++)
        v[l] = lanes[l * apart];
    return fold_lanes((float16)(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10], v[11],
                                v[12], v[13], v[14], v[15]));
}

/* The tree over a run of tiles; only this work-item looks at what waits. */
ASIDE float run_sum(float sum, uint index, int is_last, global float *waiting, uint apart) {
    uint level = 0;
    for (; tree_climbs(index, is_last, level); level++)
        if (tree_takes(index, level)) sum = waiting[level * apart] + sum;
    if (!is_last) waiting[level * apart] = sum;
    return sum;
}

/* ---- the second launch ---------------------------------------------------------------------------------------- */

/* The second launch. Work-group (COLUMNS floats of a slot). */
kernel GROUP_OF_ITEMS void gpu_perceptron_update(global float *parameters, global float *state,
                                                 global float *slots, global const update_rates *rates,
                                                 global uint *results, gpu_perceptron_arguments a) {
    local float parts[ITEMS];
    update_target target = target_of(parameters, state, rates[a.result], a.rows, a);
    merge_columns(slots, (ulong)get_group_id(0) * COLUMNS, (uint)get_local_id(0), parts, target,
                  results + 3 * a.result, a);
}

/* ---- a group ----------------------------------------------------------------------------------------------- */

/* What a group needs to make a value of the sums over its tiles: a slot's, or an update. */
typedef struct group_sums {
    global float *slot, *waiting;
    global uint *result;
    update_target target;
    uint waiting_level; /* floats of a level of what waits */
    uint index;         /* of the tile in the run, */
    int is_last;
} group_sums;

/* Takes in a tile's sum of what lies at `at` in a slot; `own` is where the group has the parameter's value. */
ASIDE void take_value(group_sums sums, float value, ulong at, uint owner, local float *own,
                      gpu_perceptron_arguments a) {
    value = run_sum(value, sums.index, sums.is_last, sums.waiting + owner, sums.waiting_level);
    if (!sums.is_last) return;
    if (!a.updates)
        write_shared(sums.slot + at, value, a.merges);
    else if (at < sums.target.floats)
        *own = updated(sums.target, *own, value, at, at < a.bias, sums.slot, 0, sums.result);
    else {
        sums.slot[at] = value;
        sums.result[0] = as_uint(value);
    }
}

/* What a work-item folds of a tile lies here until it is taken in: (ROUNDS + 1, ITEMS), those of the lines last. */
INLINE local float *folded_values(workplace place) {
    return (local float *)(place.x + FOLDS * ITEMS + ITEMS / 4);
}

/* A tile's lane sums are folded, FOLDS of each work-item at a time, those of the lines with the first. */
INLINE void fold_tile(workplace place, lane_sums sums, uint t) {
    local float *lanes = (local float *)place.x, *lines = lanes + FOLDS * 4 * ITEMS;
    local float *values = folded_values(place) + t;
    UNROLL_FOR (uint round = 0; round < ROUNDS; round++) {
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL_FOR (uint f = 0; f < FOLDS; f++)
            if (round * FOLDS + f < SUMS) place.x[f * ITEMS + t] = sums.quads[round * FOLDS + f];
        if (round == 0) lines[t] = sums.line;
        barrier(CLK_LOCAL_MEM_FENCE);
        if (t < FOLDS * 64) values[round * ITEMS] = fold(lanes + t / 64 * (4 * ITEMS) + t % 64, 64);
        if (round == 0 && t <= OUTPUTS) values[ROUNDS * ITEMS] = fold(lines + t, TILE_LANES);
    }
}

/* A tile's sums are folded and taken in. */
INLINE void end_tile(workplace place, group_sums sums, lane_sums of_lanes, uint t,
                     gpu_perceptron_arguments a) {
    fold_tile(place, of_lanes, t);
    for (uint round = 0; round <= ROUNDS; round++) {
        uint sum = round * FOLDS + t / 64, h = sum % OUTPUTS, k = sum / OUTPUTS * 64 + t % 64;
        ulong at = a.weight + k * OUTPUTS + h;
        local float *own = (local float *)(place.weights + h * place.quads) + k;
        int is_there = t < FOLDS * 64 && k < a.features && sum < SUMS;
        if (round == ROUNDS) {
            at = t < OUTPUTS ? a.bias + t : sums.target.floats;
            own = place.biases + t;
            is_there = t <= OUTPUTS;
        }
        if (is_there)
            take_value(sums, folded_values(place)[round * ITEMS + t], at, round * ITEMS + t, own, a);
    }
}

/* The group's own copy of the parameters. */
ASIDE void copy_parameters(workplace place, global float *parameters, uint t, gpu_perceptron_arguments a) {
    for (uint i = t; i < a.features * OUTPUTS; i += ITEMS)
        ((local float *)(place.weights + i % OUTPUTS * place.quads))[i / OUTPUTS] =
            read_shared(parameters + a.weight + i, a.merges);
    if (t < OUTPUTS) place.biases[t] = read_shared(parameters + a.bias + t, a.merges);
    if (t == 0) *place.correct = 0;
}

/* How many rows the group has had right goes to the result of its step. */
INLINE void count_correct(workplace place, uint right, uint t, global uint *result) {
    if (right > 0) atomic_add(place.correct, right);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t == 0 && *place.correct > 0) {
        atomic_add(result + 1, *place.correct);
        *place.correct = 0;
    }
}

/* The group's own buffers are those from `slot` on. */
typedef struct step_memory {
    global const float *features, *weights;
    global const int *labels;
    global float *parameters, *state, *slot, *waiting;
    global const update_rates *rates;
    global uint *results;
} step_memory;

/* Asks for a strip's rows, whose numbers are known; `label` is that of row t. */
INLINE void ask_for(step_memory memory, workplace place, strip_place strip, uint t, piece *held,
                    row_label *label, gpu_perceptron_arguments a) {
    uint used = rows_of_strip(strip);
    fetch(memory.features, place, used, t, held);
    if (t < used) *label = label_of(memory.labels, memory.weights, a.part_row + place.numbers[t], a);
}

/* Where the sums of a strip's tile go, `step` steps on; the run's first row is `first`. */
INLINE group_sums sums_of(step_memory memory, strip_place strip, uint first, uint step,
                          gpu_perceptron_arguments a) {
    uint result = a.result + step;
    return (group_sums){.slot = memory.slot,
                        .waiting = memory.waiting,
                        .result = memory.results + 3 * result,
                        .target =
                            target_of(memory.parameters, memory.state, memory.rates[result], strip.rows, a),
                        .waiting_level = ROUNDS * ITEMS + TILE_LANES,
                        .index = (strip.at - first) / TILE_ROWS,
                        .is_last = ends_batch(strip)};
}

/* All strips of the group's run, of all steps. */
INLINE void run_strips(step_memory memory, workplace place, strip_place now, uint t,
                       gpu_perceptron_arguments a) {
    row_rule rule = {a.loss, a.with_loss, a.weighted, a.function, a.of_logits, a.zero};
    uint first = now.at, right = 0, step = 0;
    order_keys keys = {.is_known = 0};
    piece held[LOADS];
    row_label label;
    lane_sums sums = zero_sums(a.zero);
    if (t < STRIP) place.numbers[t] = row_number(now, t, &keys, a);
    /* Parameters are read before others of the group write them. */
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    ask_for(memory, place, now, t, held, &label, a);
    while (now.steps > 0) {
        row_label own = label;
        barrier(CLK_LOCAL_MEM_FENCE);
        lay_down(place, t, held);
        strip_place next = strip_after(now, a);
        if (t < STRIP && next.steps > 0) place.numbers[t] = row_number(next, t, &keys, a);
        barrier(CLK_LOCAL_MEM_FENCE);
        if (next.steps > 0) ask_for(memory, place, next, t, held, &label, a);
        forward(place, a.features, t, a.zero);
        right += find_deltas(place, rule, own, rows_of_strip(now), t);
        barrier(CLK_LOCAL_MEM_FENCE);
        add_strip(place, rows_of_strip(now), now.at, t, &sums);
        if (ends_tile(now)) {
            end_tile(place, sums_of(memory, now, first, step, a), sums, t, a);
            sums = zero_sums(a.zero);
        }
        if (ends_batch(now)) {
            count_correct(place, right, t, memory.results + 3 * (a.result + step));
            right = 0;
            step++;
        }
        now = next;
    }
}

/* The last group to arrive adds up the slots of all and updates. */
INLINE void merge_if_last(step_memory memory, workplace place, global float *slots, global uint *arrivals,
                          uint t, gpu_perceptron_arguments a) {
    barrier(CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE);
    if (t == 0) place.numbers[0] = atomic_inc(arrivals);
    barrier(CLK_LOCAL_MEM_FENCE);
    if (place.numbers[0] + 1 < a.slots) return;
    update_target target = target_of(memory.parameters, memory.state, memory.rates[a.result], a.rows, a);
    for (ulong at = 0; at <= target.floats; at += COLUMNS)
        merge_columns(slots, at, t, (local float *)place.x, target, memory.results + 3 * a.result, a);
    if (t == 0) atomic_xchg(arrivals, 0u);
}

/*
 * waiting: of each group. slots: of each group or, where it updates, the first. arrivals: how many groups are done with a
 * step that the last of them merges, 0 again in the end. weights: of rows, where they are weighted.
 * Work-group (run of tiles).
 */
kernel GROUP_OF_ITEMS void gpu_perceptron(global const float *features, global const int *labels,
                                          global const float *weights, global float *parameters,
                                          global float *state, global float *slots, global float *waiting,
                                          global uint *arrivals, global const update_rates *rates,
                                          global uint *results, gpu_perceptron_arguments a) {
    local float4 memory[(LOCAL_FLOATS - FIXED_FLOATS) / 4];
    local float lines[(OUTPUTS + 1) * STRIP], parts[PART_FLOATS], biases[OUTPUTS + 1];
    local uint numbers[STRIP], correct;
    local row_pieces pieces;
    uint t = (uint)get_local_id(0), group = (uint)get_group_id(0), first = group * a.run * TILE_ROWS;
    uint quads = (a.features + 3) / 4, pitch = quads | 1;
    local float4 *own_weights = memory + max(STRIP * pitch, (uint)FOLDED_QUADS);
    workplace place = {memory, own_weights, biases, lines, parts, numbers, &correct, &pieces, quads, pitch};
    step_memory used = {features,
                        weights,
                        labels,
                        parameters,
                        state,
                        slots + group * a.slot_floats,
                        waiting + group * a.waiting_floats,
                        rates,
                        results};
    strip_place from = {a.first_row, a.epoch, a.rows, first, first + min(a.rows - first, a.run * TILE_ROWS),
                        a.steps};
    if (t == 0) pieces = (row_pieces){a.pieces, a.inverse_pieces};
    copy_parameters(place, parameters, t, a);
    run_strips(used, place, from, t, a);
    if (a.merges) merge_if_last(used, place, slots, arrivals, t, a);
}
