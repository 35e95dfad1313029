/*
 * The optimizers: names, rules, defaults, constants and their help, and what others call them. A new one is a row here,
 * among those its constants are of, a rule in kernels/update.h and a name in tanda.h, behind all others.
 */
#ifndef TANDA_TRAIN_OPTIMIZER_LIST_H
#define TANDA_TRAIN_OPTIMIZER_LIST_H

/* X(name, NAME, its rule, learning rate, other defaults), as in Keras 3; 0 what is left out. */
#define STATEFUL_OPTIMIZER_LIST(X) \
    X(momentum, MOMENTUM, momentum, 0.01, .momentum = 0.9) \
    X(nesterov, NESTEROV, nesterov, 0.01, .momentum = 0.9) \
    X(adagrad, ADAGRAD, adagrad, 0.001, .epsilon = 1e-7, .initial_accumulator = 0.1) \
    X(rmsprop, RMSPROP, rmsprop, 0.001, .rho = 0.9, .epsilon = 1e-7) \
    X(adam, ADAM, adam, 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-7) \
    X(adamw, ADAMW, adam, 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-7, .weight_decay = 0.004)

#define OPTIMIZER_LIST(X) \
    X(sgd, SGD, descent, 0.1, .momentum = 0.0) \
    STATEFUL_OPTIMIZER_LIST(X) \
    X(lbfgs, LBFGS, nothing, 1.0, .history = 10.0, .tolerance = 1e-5)

/* ", momentum, nesterov ...", for messages. */
#define OPTIMIZER_WORD(name, ...) ", " #name
#define STATEFUL_OPTIMIZERS STATEFUL_OPTIMIZER_LIST(OPTIMIZER_WORD)

/*
 * The constants that some have, and those that are of every step. X(option, member of tanda_optimizer_options, of which,
 * whether it is above 0, below which number it is, what the option takes, help), ALIAS(what others call the option).
 */
#define OPTIMIZER_CONSTANT_LIST(X, ALIAS) \
    X("momentum", momentum, OF(MOMENTUM) | OF(NESTEROV) | OF(RMSPROP), false, 1.0, "X", \
      "of momentum and nesterov, default 0.9; of rmsprop, default 0") \
    X("rho", rho, OF(RMSPROP), false, 1.0, "X", \
      "of rmsprop: how much of the mean square stays; default 0.9") \
    X("beta1", beta1, OF(ADAM) | OF(ADAMW), false, 1.0, "X", \
      "of adam and adamw: how much of the mean derivative stays; default 0.9") \
    ALIAS("beta-1") \
    X("beta2", beta2, OF(ADAM) | OF(ADAMW), false, 1.0, "X", \
      "of adam and adamw: how much of the mean square stays; default 0.999") \
    ALIAS("beta-2") \
    X("epsilon", epsilon, OF(ADAGRAD) | OF(RMSPROP) | OF(ADAM) | OF(ADAMW), true, LARGEST, "X", \
      "of adagrad, rmsprop, adam and adamw, where Keras puts it; default 1e-7") \
    X("initial-accumulator", initial_accumulator, OF(ADAGRAD), false, LARGEST, "X", \
      "of adagrad: where its sums begin; default 0.1") \
    X("weight-decay", weight_decay, OF(ADAMW), false, LARGEST, "X", \
      "of adamw: all parameters lose this times the learning rate of themselves in a step; default 0.004") \
    X("history", history, OF(LBFGS), true, MOST_HISTORY + 1.0, "N", \
      "of lbfgs: differences of points that it remembers; default 10") \
    X("tolerance", tolerance, OF(LBFGS), false, LARGEST, "X", \
      "of lbfgs: it ends when no derivative is larger; default 1e-5")

#define STEP_CONSTANT_LIST(X, ALIAS) \
    X("l1", l1, EVERY & ~OF(LBFGS), false, LARGEST, "X", \
      "add X sign(w) to the derivatives of weights, not of biases (Keras: L1(X)); default 0") \
    X("l2", l2, EVERY, false, LARGEST, "X", \
      "add X w to them (Keras: L2(X / 2); scikit-learn: C = 1 / (X rows)); losses are shown without; " \
      "default 0") \
    X("clip-value", clip_value, EVERY & ~OF(LBFGS), false, LARGEST, "X", \
      "bring every derivative to [-X, X] first (Keras: clipvalue); default: as it is") \
    ALIAS("clipvalue") \
    X("clip-norm", clip_norm, EVERY & ~OF(LBFGS), false, LARGEST, "X", \
      "scale all derivatives together to a norm of at most X first (Keras: global_clipnorm); default: as " \
      "they are") \
    ALIAS("global-clipnorm")

/* X(a synonym): PyTorch's rmsprop and adagrad have epsilon beside the root, ours have it under the root: as its square. */
#define OPTIMIZER_SYNONYM_LIST(X) \
    X("adam", "adam", \
      "adam has Keras's epsilon, 1e-7, by default; PyTorch's and scikit-learn's is --epsilon 1e-8") \
    X("rmsprop", NULL, \
      "PyTorch and Keras differ: rmsprop is Keras's; --rho 0.99 --epsilon 1e-16 --learning-rate 0.01 make " \
      "it PyTorch's, but that epsilon is under the root") \
    X("adagrad", NULL, \
      "PyTorch and Keras differ: adagrad is Keras's; --initial-accumulator 0 --epsilon 1e-20 " \
      "--learning-rate 0.01 make it PyTorch's, but that epsilon is under the root") \
    X("adamw", NULL, \
      "PyTorch and Keras differ: adamw is Keras's; --weight-decay 0.01 --epsilon 1e-8 make it PyTorch's, " \
      "which also corrects epsilon for the beginning") \
    X("lbfgs", NULL, \
      "PyTorch's goes a fixed length each step, lbfgs finds its lengths; --history 100 --tolerance 1e-7 " \
      "are PyTorch's constants") \
    X("newton_cg", NULL, TO_THE_OPTIMUM) \
    X("newton_cholesky", NULL, TO_THE_OPTIMUM) \
    X("sag", NULL, TO_THE_OPTIMUM) \
    X("saga", NULL, TO_THE_OPTIMUM) \
    X("liblinear", NULL, "scikit-learn's puts its penalty on the bias, too; lbfgs, its default, does not")

#define TO_THE_OPTIMUM \
    "scikit-learn's solvers end in one optimum, and here lbfgs finds it; --l2 is 1 / (C rows)"

#endif
