/* L-BFGS on functions whose minimum is known. */
#include <criterion/criterion.h>
#include <math.h>

#include "train/lbfgs.h"

static tanda_status rosenbrock(void *context, const float *x, double *value, float *gradient,
                               tanda_error *error) {
    (void)error;
    const size_t size = *(const size_t *)context;
    *value = 0.0;
    for (size_t i = 0; i < size; i += 2) {
        const double a = 1.0 - (double)x[i], b = (double)x[i + 1] - (double)x[i] * (double)x[i];
        *value += a * a + 100.0 * b * b;
        gradient[i] = (float)(-2.0 * a - 400.0 * b * (double)x[i]);
        gradient[i + 1] = (float)(200.0 * b);
    }
    return TANDA_OK;
}

/* Eigenvalues from 1 to 1000; the minimum is at 1. */
static tanda_status bowl(void *context, const float *x, double *value, float *gradient, tanda_error *error) {
    (void)error;
    const size_t size = *(const size_t *)context;
    *value = 0.0;
    for (size_t i = 0; i < size; i++) {
        const double factor = 1.0 + 999.0 * (double)i / (double)size, away = (double)x[i] - 1.0;
        *value += 0.5 * factor * away * away;
        gradient[i] = (float)(factor * away);
    }
    return TANDA_OK;
}

/* Falls for ever, and is not finite beyond 10. */
static tanda_status cliff(void *context, const float *x, double *value, float *gradient, tanda_error *error) {
    (void)context, (void)error;
    *value = x[0] > 10.0f ? (double)NAN : -(double)x[0];
    gradient[0] = -1.0f;
    return TANDA_OK;
}

static lbfgs_outcome minimise(lbfgs *state, const objective *objective, double tolerance, size_t iterations) {
    lbfgs_outcome outcome = LBFGS_MOVED;
    cr_assert_eq(lbfgs_start(state, objective, NULL), TANDA_OK);
    for (size_t i = 0; i < iterations && outcome == LBFGS_MOVED; i++)
        cr_assert_eq(lbfgs_iterate(state, objective, tolerance, &outcome, NULL), TANDA_OK);
    return outcome;
}

Test(lbfgs, finds_the_valley_of_rosenbrock) {
    size_t size = 20;
    lbfgs state;
    const objective objective = {rosenbrock, &size, size};
    cr_assert_eq(lbfgs_create(size, 10, &state, NULL), TANDA_OK);
    for (size_t i = 0; i < size; i++)
        state.point[i] = i % 2 == 0 ? -1.2f : 1.0f;
    cr_expect_eq(minimise(&state, &objective, 1e-5, 100), LBFGS_CONVERGED);
    for (size_t i = 0; i < size; i++)
        cr_expect_float_eq(state.point[i], 1.0f, 1e-4);
    cr_expect_leq(state.evaluations, 80, "%llu evaluations", (unsigned long long)state.evaluations);
    lbfgs_free(&state);
}

Test(lbfgs, takes_one_evaluation_an_iteration_as_a_rule) {
    size_t size = 1000;
    lbfgs state;
    const objective objective = {bowl, &size, size};
    cr_assert_eq(lbfgs_create(size, 10, &state, NULL), TANDA_OK);
    cr_assert_eq(lbfgs_start(&state, &objective, NULL), TANDA_OK);
    lbfgs_outcome outcome = LBFGS_MOVED;
    size_t iterations = 0;
    for (; outcome == LBFGS_MOVED && iterations < 300; iterations++)
        cr_assert_eq(lbfgs_iterate(&state, &objective, 1e-4, &outcome, NULL), TANDA_OK);
    cr_expect_eq(outcome, LBFGS_CONVERGED);
    cr_expect_leq(state.evaluations, iterations * 5 / 4 + 5, "%llu evaluations, %zu iterations",
                  (unsigned long long)state.evaluations, iterations);
    lbfgs_free(&state);
}

Test(lbfgs, says_that_it_is_stuck_where_binary32_ends) {
    size_t size = 4;
    lbfgs state;
    const objective objective = {rosenbrock, &size, size};
    cr_assert_eq(lbfgs_create(size, 5, &state, NULL), TANDA_OK);
    const lbfgs_outcome outcome = minimise(&state, &objective, 0.0, 1000);
    cr_expect(outcome == LBFGS_STUCK || outcome == LBFGS_CONVERGED);
    for (size_t i = 0; i < size; i++)
        cr_expect_float_eq(state.point[i], 1.0f, 1e-3);
    lbfgs_free(&state);
}

Test(lbfgs, stays_where_values_are_finite) {
    lbfgs state;
    const objective objective = {cliff, NULL, 1};
    cr_assert_eq(lbfgs_create(1, 5, &state, NULL), TANDA_OK);
    minimise(&state, &objective, 1e-9, 50);
    cr_expect_leq(state.point[0], 10.0f);
    cr_expect(isfinite(state.value));
    lbfgs_free(&state);
}

Test(lbfgs, goes_on_with_the_same_bits_from_point_and_pairs) {
    size_t size = 20;
    lbfgs whole, part;
    const objective objective = {rosenbrock, &size, size};
    cr_assert_eq(lbfgs_create(size, 4, &whole, NULL), TANDA_OK);
    cr_assert_eq(lbfgs_create(size, 4, &part, NULL), TANDA_OK);
    minimise(&whole, &objective, 0.0, 12);
    part.pairs = whole.pairs;
    for (size_t i = 0; i < size; i++)
        part.point[i] = whole.point[i];
    for (size_t i = 0; i < 4 * size; i++)
        part.steps[i] = whole.steps[i], part.changes[i] = whole.changes[i];
    cr_assert_eq(lbfgs_start(&part, &objective, NULL), TANDA_OK);
    lbfgs_outcome outcome;
    for (int i = 0; i < 8; i++) {
        cr_assert_eq(lbfgs_iterate(&whole, &objective, 0.0, &outcome, NULL), TANDA_OK);
        cr_assert_eq(lbfgs_iterate(&part, &objective, 0.0, &outcome, NULL), TANDA_OK);
    }
    for (size_t i = 0; i < size; i++)
        cr_expect_eq(whole.point[i], part.point[i]);
    lbfgs_free(&whole);
    lbfgs_free(&part);
}
