/* The tree over tiles and the parameter update. See reduce.cl and update.cl. */
#include "kernels/update.h"
#include "backend/openmp/tile.h"
#include "backend/openmp/vector.h"
#include "kernels/tree.h"

void ISA_NAME(add_partials)(float *sum, const float *other, size_t first, size_t end) {
    for (size_t i = first; i < end; i++)
        sum[i] += other[i];
}

void ISA_NAME(merge_partials)(float *slots, size_t stride, size_t count, size_t first, size_t end) {
    for (size_t i = 0; i < count; i++)
        for (uint level = 0; tree_climbs(i, i + 1 == count, level); level++)
            if (tree_takes(i, level)) ISA_NAME(add_partials)
    (slots + tree_place(i, level + 1) * stride, slots + tree_place(i, level) * stride, first, end);
}

/* The loop of a rule, with or without clipping and penalties: constants, so that compilers see what it reads and writes. */
SPECIALISED uint32_t update_loop(const uint rule, const int states, const bool is_plain,
                                 const update_task *task, float scale, size_t first, size_t end) {
    const update_constants c = task->constants;
    const update_rates r = task->rates;
    const float inverse_rows = task->inverse_rows;
    const int is_weight = task->is_weight;
    float *restrict parameters = task->parameters, *restrict gradient = task->gradient;
    float *restrict state_0 = task->state[0], *restrict state_1 = task->state[1],
                    *restrict state_2 = task->state[2];
    uint32_t not_finite = 0;
    for (size_t i = first; i < end; i++) {
        float memory[MOST_UPDATE_STATES] = {0};
        if (states > 0) memory[0] = state_0[i];
        if (states > 1) memory[1] = state_1[i];
        if (states > 2) memory[2] = state_2[i];
        float g = update_gradient(gradient[i], inverse_rows), w = parameters[i];
        if (!is_plain) g = update_derivative(w, g, scale, c, is_weight);
        w = update_by_rule(rule, w, g, c, r, memory);
        gradient[i] = g;
        if (rule != UPDATE_nothing) parameters[i] = w;
        if (states > 0) state_0[i] = memory[0];
        if (states > 1) state_1[i] = memory[1];
        if (states > 2) state_2[i] = memory[2];
        not_finite |= (uint32_t)update_is_not_finite(rule == UPDATE_nothing ? g : w);
    }
    return not_finite;
}

#define DEFINE_UPDATE(name, states) \
    static uint32_t update_by_rule_##name(const update_task *task, float scale, size_t first, size_t end) { \
        return update_is_plain(task->constants) \
                   ? update_loop(UPDATE_##name, states, true, task, scale, first, end) \
                   : update_loop(UPDATE_##name, states, false, task, scale, first, end); \
    }
UPDATE_RULE_LIST(DEFINE_UPDATE)

bool ISA_NAME(update)(const update_task *task, size_t first, size_t end) {
#define UPDATE_ENTRY(name, states) update_by_rule_##name,
    static uint32_t (*const rules[])(const update_task *, float, size_t,
                                     size_t) = {UPDATE_RULE_LIST(UPDATE_ENTRY)};
#undef UPDATE_ENTRY
    const float clip = task->constants.clip_norm;
    const float scale = clip > 0.0f ? update_norm_scale(task->squares, clip) : 1.0f;
    return rules[task->rule](task, scale, first, end) != 0;
}

void ISA_NAME(mean)(float *gradient, float inverse_rows, size_t first, size_t end) {
    for (size_t i = first; i < end; i++)
        gradient[i] = update_gradient(gradient[i], inverse_rows);
}

float ISA_NAME(squares)(const float *const *groups, size_t count) {
    float lanes[TILE_LANES] = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < TILE_LANES; l++)
            lanes[l] = fused(groups[i][l], groups[i][l], lanes[l]);
    for (size_t half = TILE_LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            lanes[l] += lanes[l + half];
    return lanes[0];
}
