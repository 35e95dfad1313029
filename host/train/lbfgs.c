#include "train/lbfgs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/sum_tree.h"
#include "support/memory.h"

#define LANES 16
#define MOST_PARTIALS 66 /* one for each bit of the number of chunks, and those on top */
#define MOST_TRIALS 30
#define DECREASE 0.1  /* delta and sigma of Hager and Zhang */
#define CURVATURE 0.9 /* the same */
/* Relative differences of values that mean nothing: their sums are binary32. */
#define VALUE_NOISE 1e-6
#define LEAST_CURVATURE 1e-12 /* s.y / y.y of a pair that is kept */

/* ---- vectors --------------------------------------------------------------------------------------------- */

/* Chunks as 16 lanes, folded in halves; chunks in the tree of the contract. */
#define DEFINE_PRODUCT(name, A, B) \
    static double name##_chunk(const A *a, const B *b, size_t count) { \
        double lanes[LANES] = {0}; \
        for (size_t i = 0; i < count; i++) \
            lanes[i % LANES] += (double)a[i] * (double)b[i]; \
        for (size_t half = LANES / 2; half > 0; half /= 2) \
            for (size_t l = 0; l < half; l++) \
                lanes[l] += lanes[l + half]; \
        return lanes[0]; \
    } \
    static double name(const A *a, const B *b, size_t count) { \
        double partials[MOST_PARTIALS] = {0}; \
        sum_tree tree = {.features = 1, .stack = partials}; \
        for (size_t begin = 0; begin < count; begin += SUM_CHUNK_ROWS) { \
            const size_t left = count - begin; \
            *tree_top(&tree) = \
                name##_chunk(a + begin, b + begin, left < SUM_CHUNK_ROWS ? left : SUM_CHUNK_ROWS); \
            tree_push(&tree); \
        } \
        return *tree_sum(&tree); \
    }

DEFINE_PRODUCT(product, float, float)
DEFINE_PRODUCT(product_with_direction, float, double)

double lbfgs_product(const float *a, const float *b, size_t count) {
    return product(a, b, count);
}

static void add_multiple(double *target, double factor, const float *vector, size_t count) {
    for (size_t i = 0; i < count; i++)
        target[i] += factor * (double)vector[i];
}

double lbfgs_gradient_norm(const lbfgs *state) {
    float largest = 0.0f;
    for (size_t i = 0; i < state->size; i++) {
        const float magnitude = state->gradient[i] < 0.0f ? -state->gradient[i] : state->gradient[i];
        if (!(magnitude <= largest)) largest = magnitude; /* NaN stays */
    }
    return (double)largest;
}

/* ---- memory ---------------------------------------------------------------------------------------------- */

tanda_status lbfgs_create(size_t size, size_t history, lbfgs *result, tanda_error *error) {
    size_t kept = 0;
    *result = (lbfgs){.size = size, .history = history};
    if (multiply_overflows(size, history, &kept))
        return fail(error, TANDA_FAILED, "%zu pairs of %zu parameters are too many", history, size);
    float **floats[] = {&result->point, &result->gradient, &result->trial, &result->trial_gradient};
    tanda_status status = allocate(&result->direction, size, sizeof(double), "L-BFGS", error);
    if (status == TANDA_OK) status = allocate(&result->weights, history, sizeof(double), "L-BFGS", error);
    if (status == TANDA_OK) status = allocate(&result->steps, kept, sizeof(float), "L-BFGS", error);
    if (status == TANDA_OK) status = allocate(&result->changes, kept, sizeof(float), "L-BFGS", error);
    for (size_t i = 0; i < 4 && status == TANDA_OK; i++)
        status = allocate(floats[i], size, sizeof(float), "L-BFGS", error);
    return status;
}

void lbfgs_free(lbfgs *state) {
    free(state->point);
    free(state->gradient);
    free(state->trial);
    free(state->trial_gradient);
    free(state->steps);
    free(state->changes);
    free(state->direction);
    free(state->weights);
    *state = (lbfgs){0};
}

/* ---- the direction --------------------------------------------------------------------------------------- */

/* direction = -H gradient, H from the pairs; without pairs, -gradient. */
static void find_direction(lbfgs *state) {
    const size_t size = state->size;
    double *direction = state->direction, newest = 1.0;
    for (size_t i = 0; i < size; i++)
        direction[i] = -(double)state->gradient[i];
    for (size_t p = state->pairs; p-- > 0;) {
        const float *step = state->steps + p * size, *change = state->changes + p * size;
        const double curvature = product(step, change, size);
        if (p + 1 == state->pairs) newest = curvature / product(change, change, size);
        state->weights[p] = product_with_direction(step, direction, size) / curvature;
        add_multiple(direction, -state->weights[p], change, size);
    }
    for (size_t i = 0; i < size; i++)
        direction[i] *= newest;
    for (size_t p = 0; p < state->pairs; p++) {
        const float *step = state->steps + p * size, *change = state->changes + p * size;
        const double curvature = product(step, change, size);
        const double weight = product_with_direction(change, direction, size) / curvature;
        add_multiple(direction, state->weights[p] - weight, step, size);
    }
}

/* Keeps the pair between the point and the trial, if it is of a convex part; the oldest makes room. */
static void keep_pair(lbfgs *state) {
    const size_t size = state->size, bytes = size * sizeof(float);
    if (state->history == 0) return;
    if (state->pairs == state->history) {
        memmove(state->steps, state->steps + size, (state->pairs - 1) * bytes);
        memmove(state->changes, state->changes + size, (state->pairs - 1) * bytes);
        state->pairs--;
    }
    float *step = state->steps + state->pairs * size, *change = state->changes + state->pairs * size;
    for (size_t i = 0; i < size; i++) {
        step[i] = state->trial[i] - state->point[i];
        change[i] = state->trial_gradient[i] - state->gradient[i];
    }
    const double curvature = product(step, change, size), length = product(change, change, size);
    if (curvature > LEAST_CURVATURE * length) state->pairs++;
}

/* ---- the line search ------------------------------------------------------------------------------------- */

/* A step length, and value and derivative along the direction there. */
typedef struct sample {
    double length, value, slope;
} sample;

static bool is_accepted(const sample *start, const sample *trial) {
    const bool low = trial->value <= start->value + DECREASE * trial->length * start->slope ||
                     trial->slope <= (2.0 * DECREASE - 1.0) * start->slope;
    return low && trial->slope >= CURVATURE * start->slope;
}

/* The next length inside (low, high), where the secant of the slopes crosses 0 if that is well inside. */
static double divide(const sample *low, const sample *high, bool by_slopes) {
    const double width = high->length - low->length, margin = 0.1 * width;
    double length = low->length + 0.5 * width;
    if (by_slopes && high->slope > low->slope)
        length = low->length - low->slope * width / (high->slope - low->slope);
    if (!(length > low->length + margin)) length = low->length + margin;
    if (!(length < high->length - margin)) length = high->length - margin;
    return length;
}

/* Beyond everything tried: two to ten times as far, as the slopes suggest. */
static double expand(const sample *before, const sample *last) {
    const double width = last->length - before->length;
    double length = 10.0 * last->length;
    if (last->slope > before->slope)
        length = last->length - last->slope * width / (last->slope - before->slope);
    if (!(length > 2.0 * last->length)) length = 2.0 * last->length;
    return length < 10.0 * last->length ? length : 10.0 * last->length;
}

/* Leaves trial and trial_gradient at the step that it accepts. */
static tanda_status search(lbfgs *state, const objective *objective, const sample *start, double length,
                           sample *found, bool *accepted, tanda_error *error) {
    sample low = *start, high = {0};
    bool has_high = false, by_slopes = false;
    *accepted = false;
    for (int trial = 0; trial < MOST_TRIALS; trial++) {
        for (size_t i = 0; i < state->size; i++)
            state->trial[i] = (float)((double)state->point[i] + length * state->direction[i]);
        found->length = length;
        state->evaluations++;
        tanda_status status = objective->evaluate(objective->context, state->trial, &found->value,
                                                  state->trial_gradient, error);
        if (status == TANDA_OK)
            found->slope = product_with_direction(state->trial_gradient, state->direction, state->size);

        if (status != TANDA_OK) return status;
        const double magnitude = start->value < 0.0 ? -start->value : start->value;
        const bool too_high = !isfinite(found->value) || !isfinite(found->slope) ||
                              found->value > start->value + VALUE_NOISE * magnitude;
        *accepted = !too_high && is_accepted(start, found);
        if (*accepted) return TANDA_OK;
        if (too_high || found->slope >= 0.0) {
            high = *found;
            has_high = true;
            by_slopes = !too_high;
            length = divide(&low, &high, by_slopes);
        } else {
            const sample before = low;
            low = *found;
            length = has_high ? divide(&low, &high, by_slopes) : expand(&before, found);
        }
    }
    return TANDA_OK;
}

/* ---- iterations ------------------------------------------------------------------------------------------ */

tanda_status lbfgs_start(lbfgs *state, const objective *objective, tanda_error *error) {
    state->evaluations++;
    return objective->evaluate(objective->context, state->point, &state->value, state->gradient, error);
}

/* Without pairs the gradient's length says nothing of a good step: one of length 1 at most. */
static double first_length(const lbfgs *state) {
    if (state->pairs > 0) return 1.0;
    const double norm = sqrt(product(state->gradient, state->gradient, state->size));
    return norm > 1.0 ? 1.0 / norm : 1.0;
}

tanda_status lbfgs_iterate(lbfgs *state, const objective *objective, double tolerance, lbfgs_outcome *outcome,
                           tanda_error *error) {
    *outcome = LBFGS_CONVERGED;
    if (lbfgs_gradient_norm(state) <= tolerance) return TANDA_OK;
    for (bool again = true; again;) {
        sample start = {.value = state->value}, found;
        bool accepted = false;
        again = state->pairs > 0; /* old pairs may mislead: the gradient has the last word */
        find_direction(state);
        start.slope = product_with_direction(state->gradient, state->direction, state->size);
        tanda_status status = TANDA_OK;
        if (start.slope < 0.0)
            status = search(state, objective, &start, first_length(state), &found, &accepted, error);
        if (status != TANDA_OK) return status;
        if (accepted) {
            float *point = state->point, *gradient = state->gradient;
            keep_pair(state);
            state->point = state->trial;
            state->gradient = state->trial_gradient;
            state->trial = point;
            state->trial_gradient = gradient;
            state->value = found.value;
            *outcome = LBFGS_MOVED;
            return TANDA_OK;
        }
        state->pairs = 0;
    }
    *outcome = LBFGS_STUCK;
    return TANDA_OK;
}
