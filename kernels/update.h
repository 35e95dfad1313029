/*
 * One parameter's update, from the tree's sum of its gradients to its new value; shared by C17 and OpenCL C. See
 * contract 5. Formulas and the place of epsilon are those of Keras 3 (keras.io/api/optimizers, and update_step of each
 * class in keras/src/optimizers).
 *
 * A rule takes the weight w, the gradient g and its own memory of the gradients before: `state`, so many reals a
 * parameter as UPDATE_RULE_LIST says. What is stored is flushed to 0 where it is tiny: first moments below
 * 2^-100, second moments below 2^-126. Where everything is +0 it stays so: padding never changes.
 */
#ifndef TANDA_KERNELS_UPDATE_H
#define TANDA_KERNELS_UPDATE_H

#include "kernels/exact.h"
#include "kernels/portable.h"

/* X(name, vectors of state). The first is what a program of all zero options does. */
#define UPDATE_RULE_LIST(X) \
    X(descent, 0) \
    X(nothing, 0) \
    X(momentum, 1) \
    X(nesterov, 1) \
    X(adagrad, 1) \
    X(rmsprop, 1) \
    X(rmsprop_momentum, 2) \
    X(rmsprop_centered, 2) \
    X(rmsprop_centered_momentum, 3) \
    X(adam, 2) \
    X(adam_amsgrad, 3)

typedef enum update_rule {
#define UPDATE_RULE_ENUM(name, states) UPDATE_##name,
    UPDATE_RULE_LIST(UPDATE_RULE_ENUM)
#undef UPDATE_RULE_ENUM
        UPDATE_RULE_COUNT
} update_rule;

#define MOST_UPDATE_STATES 3

/* What stays the same in all steps. Each rule uses some; 0 where it is off. 32-bit words alone: kernels read it. */
typedef struct update_constants {
    float l1, l2;     /* of weights, not of biases: added to the derivative are l1 sign(w) and l2 w */
    float clip_value; /* the largest magnitude of a derivative; 0: any */
    float clip_norm;  /* the largest norm of all derivatives together; 0: any */
    float momentum;
    float first_share;                /* 1 - beta1 */
    float second_decay, second_share; /* rho of RMSprop; 1 - beta2 or 1 - rho */
    float epsilon;
} update_constants;

/* What a step has of its own. */
typedef struct update_rates {
    float rate;  /* learning rate; of Adam: times sqrt(1 - beta2^t) / (1 - beta1^t) */
    float decay; /* AdamW: the share of a parameter that is lost, learning rate times weight decay; else 0 */
} update_rates;

/* ---- the gradient -------------------------------------------------------------------------------------- */

/* The mean over the batch: sum is the tree's, inverse_rows = (float)(1.0 / (double)rows). */
SHARED real update_gradient(real sum, real inverse_rows) {
    return flush_tiny(sum * inverse_rows);
}

/*
 * What brings all derivatives, whose squares add up to `squares`, to the largest norm: clip / norm, at most 1. A norm
 * that is not finite makes it NaN, as Keras' clip_by_global_norm does.
 */
SHARED real update_norm_scale(real squares, real clip_norm) {
    real norm = exact_sqrt(squares);
    real scale = choose(norm > clip_norm, clip_norm * exact_reciprocal(norm), 1.0f);
    return choose(norm < POSITIVE_INFINITY, scale, QUIET_NAN);
}

/* Within [-most, most]; most = 0 means no bound. NaN stays. */
SHARED real update_clip(real g, real most) {
    real clipped = as_real(as_natural(most) | (as_natural(g) & SIGN_BIT));
    return choose((magnitude(g) > most) & (most > 0.0f), clipped, g);
}

/* 1, -1, or 0 for 0. */
SHARED real update_sign(real w) {
    real sign = as_real((as_natural(w) & SIGN_BIT) | ONE_BITS);
    return choose(w == 0.0f, 0.0f, sign);
}

/* The penalty's derivative joins that of the loss; strengths are 0 for a bias, which then changes no bit. */
SHARED real update_penalise(real w, real g, real l1, real l2) {
    g = fused(l2, w, g);
    g = fused(l1, update_sign(w), g);
    return flush_tiny(g);
}

/* ---- rules --------------------------------------------------------------------------------------------- */

/* Plain gradient descent: w - rate g, rounded once. */
SHARED real update_descent(real w, real g, update_constants c, update_rates r, real *state) {
    (void)c, (void)state;
    return canonical(fused(-r.rate, g, w));
}

/* Only the gradient is wanted. */
SHARED real update_nothing(real w, real g, update_constants c, update_rates r, real *state) {
    (void)g, (void)c, (void)r, (void)state;
    return w;
}

/* v = momentum v - rate g. */
SHARED real update_velocity(real v, real g, update_constants c, update_rates r) {
    return fused(-r.rate, g, v * c.momentum);
}

/* Polyak, "Some methods of speeding up the convergence of iteration methods" (1964): w + v. */
SHARED real update_momentum(real w, real g, update_constants c, update_rates r, real *state) {
    state[0] = flush_tiny(update_velocity(state[0], g, c, r));
    return canonical(w + state[0]);
}

/* Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013), as Keras has it. */
SHARED real update_nesterov(real w, real g, update_constants c, update_rates r, real *state) {
    state[0] = flush_tiny(update_velocity(state[0], g, c, r));
    return canonical(w + update_velocity(state[0], g, c, r));
}

/* Duchi, Hazan and Singer, JMLR 12 (2011): a = a + g^2, w - rate g / sqrt(a + epsilon). */
SHARED real update_adagrad(real w, real g, update_constants c, update_rates r, real *state) {
    state[0] = flush_subnormal(fused(g, g, state[0]));
    return canonical(fused(-r.rate, g * exact_rsqrt(state[0] + c.epsilon), w));
}

/* Hinton, "Neural networks for machine learning", lecture 6e (2012): v = rho v + (1 - rho) g^2. */
SHARED real update_mean_square(real v, real g, update_constants c) {
    real kept = flush_subnormal(v * c.second_decay);
    return flush_subnormal(fused(g * c.second_share, g, kept));
}

/* g / sqrt(v + epsilon). */
SHARED real update_normalised(real g, real v, update_constants c) {
    return g * exact_rsqrt(v + c.epsilon);
}

SHARED real update_rmsprop(real w, real g, update_constants c, update_rates r, real *state) {
    state[0] = update_mean_square(state[0], g, c);
    return canonical(fused(-r.rate, update_normalised(g, state[0], c), w));
}

/* b = momentum b + step, w - b. */
SHARED real update_by_momentum(real w, real step, update_constants c, update_rates r, real *b) {
    *b = flush_tiny(fused(r.rate, step, *b * c.momentum));
    return canonical(w - *b);
}

SHARED real update_rmsprop_momentum(real w, real g, update_constants c, update_rates r, real *state) {
    state[0] = update_mean_square(state[0], g, c);
    return update_by_momentum(w, update_normalised(g, state[0], c), c, r, &state[1]);
}

/* Graves, "Generating sequences with recurrent neural networks" (2013): v less the square of the mean gradient. */
SHARED real update_centered(real g, update_constants c, real *state) {
    state[0] = update_mean_square(state[0], g, c);
    state[1] = flush_tiny(fused(g, c.second_share, state[1] * c.second_decay));
    real variance = fused(-state[1], state[1], state[0]);
    /* Rounding may bring it below 0, where Keras would give NaN. */
    variance = choose(variance < SMALLEST_NORMAL, 0.0f, variance);
    return update_normalised(g, variance, c);
}

SHARED real update_rmsprop_centered(real w, real g, update_constants c, update_rates r, real *state) {
    return canonical(fused(-r.rate, update_centered(g, c, state), w));
}

SHARED real update_rmsprop_centered_momentum(real w, real g, update_constants c, update_rates r,
                                             real *state) {
    real step = update_centered(g, c, state);
    return update_by_momentum(w, step, c, r, &state[2]);
}

/* m += (1 - beta1) (g - m), v += (1 - beta2) (g^2 - v). */
SHARED void update_moments(real g, update_constants c, real *state) {
    real away = flush_subnormal(fused(g, g, -state[1]));
    state[0] = flush_tiny(fused(g - state[0], c.first_share, state[0]));
    state[1] = flush_subnormal(fused(away, c.second_share, state[1]));
}

/* w - decay w - rate m / (sqrt(v) + epsilon). */
SHARED real update_by_moments(real w, real m, real v, update_constants c, update_rates r) {
    real decayed = fused(-r.decay, w, w);
    return canonical(fused(-r.rate, m * exact_reciprocal(exact_sqrt(v) + c.epsilon), decayed));
}

/* Kingma and Ba, "Adam" (2015), section 2's last form; with decay Loshchilov and Hutter, AdamW (2019). */
SHARED real update_adam(real w, real g, update_constants c, update_rates r, real *state) {
    update_moments(g, c, state);
    return update_by_moments(w, state[0], state[1], c, r);
}

/* Reddi, Kale and Kumar, "On the convergence of Adam and beyond" (2018): the largest v so far. */
SHARED real update_adam_amsgrad(real w, real g, update_constants c, update_rates r, real *state) {
    update_moments(g, c, state);
    state[2] = choose(state[2] > state[1], state[2], state[1]);
    return update_by_moments(w, state[0], state[2], c, r);
}

/* ---- all of it ----------------------------------------------------------------------------------------- */

/* 1 (or, in an OpenCL vector, all bits) where w is infinite or NaN: its exponent bits are all set. */
SHARED integer update_is_not_finite(real w) {
    return (as_natural(w) & 0x7f800000u) == 0x7f800000u;
}

/* No clipping and no penalty: update_derivative would give back what it is given. */
static inline int update_is_plain(update_constants c) {
    return c.l1 == 0.0f && c.l2 == 0.0f && c.clip_value == 0.0f && c.clip_norm == 0.0f;
}

/* The derivative that the rule is given, from the mean over the batch. */
SHARED real update_derivative(real w, real g, real norm_scale, update_constants c, int is_weight) {
    g = update_clip(g * norm_scale, splat(c.clip_value));
    return update_penalise(w, g, splat(is_weight ? c.l1 : 0.0f), splat(is_weight ? c.l2 : 0.0f));
}

/* The new value of a parameter, whose state changes. */
SHARED real update_by_rule(uint rule, real w, real g, update_constants c, update_rates r, real *state) {
#define UPDATE_CASE(name, states) \
    case UPDATE_##name: \
        return update_##name(w, g, c, r, state);
    switch (rule) {
        UPDATE_RULE_LIST(UPDATE_CASE)
    default:
        return w;
    }
#undef UPDATE_CASE
}

#endif
