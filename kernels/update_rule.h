/* Which rules of update.h there are, and what they are told; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_UPDATE_RULE_H
#define TANDA_KERNELS_UPDATE_RULE_H

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

#endif
