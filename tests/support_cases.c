#include "support_network.h"

#define LIST(...) \
    { __VA_ARGS__ }
#define IDENTITY ACTIVATION_IDENTITY
#define SIGMOID ACTIVATION_SIGMOID
#define TANH ACTIVATION_TANH
#define RELU ACTIVATION_RELU
#define SOFTMAX ACTIVATION_SOFTMAX

#define BINARY(rows, features, count, units, activations) \
    { rows, features, count, units, activations, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, CONTENT_REAL }
#define CATEGORICAL(rows, features, count, units, activations) \
    { \
        rows, features, count, units, activations, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, \
            CONTENT_REAL \
    }
#define SQUARED(rows, features, count, units, activations, task) \
    { rows, features, count, units, activations, LOSS_MSE, TANDA_TASK_##task, CONTENT_REAL }
#define INTEGERS(rows, features, count, units, activations) \
    { rows, features, count, units, activations, LOSS_MSE, TANDA_TASK_REGRESSION, CONTENT_INTEGER }

const network networks[] = {
    BINARY(1, 1, 1, LIST(1), LIST(SIGMOID)),
    SQUARED(2, 1, 1, LIST(1), LIST(IDENTITY), REGRESSION),
    SQUARED(15, 2, 1, LIST(1), LIST(SIGMOID), CLASSES),
    CATEGORICAL(16, 3, 1, LIST(2), LIST(SOFTMAX)),
    CATEGORICAL(17, 15, 1, LIST(3), LIST(SOFTMAX)),
    BINARY(31, 16, 2, LIST(16, 1), LIST(RELU, SIGMOID)),
    CATEGORICAL(32, 17, 2, LIST(17, 2), LIST(TANH, SOFTMAX)),
    CATEGORICAL(47, 31, 2, LIST(15, 10), LIST(SIGMOID, SOFTMAX)),
    BINARY(97, 30, 3, LIST(7, 19, 1), LIST(IDENTITY, TANH, SIGMOID)),
    SQUARED(113, 5, 2, LIST(23, 1), LIST(SIGMOID, SIGMOID), REGRESSION),
    CATEGORICAL(255, 255, 1, LIST(10), LIST(SOFTMAX)),
    CATEGORICAL(256, 256, 2, LIST(16, 3), LIST(RELU, SOFTMAX)),
    SQUARED(257, 257, 2, LIST(31, 1), LIST(TANH, IDENTITY), REGRESSION),
    CATEGORICAL(300, 1, 2, LIST(13, 17), LIST(RELU, SOFTMAX)),
    CATEGORICAL(511, 513, 2, LIST(47, 10), LIST(SIGMOID, SOFTMAX)),
    CATEGORICAL(513, 784, 2, LIST(64, 10), LIST(RELU, SOFTMAX)),
    BINARY(1025, 17, 3, LIST(37, 16, 1), LIST(TANH, RELU, SIGMOID)),
    CATEGORICAL(33, 600, 4, LIST(257, 271, 3, 2), LIST(RELU, SIGMOID, TANH, SOFTMAX)),
    CATEGORICAL(19, 6, 1, LIST(523), LIST(SOFTMAX)),
    BINARY(1300, 100, 1, LIST(1), LIST(SIGMOID)),
    CATEGORICAL(1, 784, 2, LIST(16, 47), LIST(TANH, SOFTMAX)),
};
const size_t network_count = sizeof networks / sizeof *networks;

const network integer_networks[] = {
    INTEGERS(1, 1, 1, LIST(1), LIST(IDENTITY)),
    INTEGERS(16, 15, 2, LIST(16, 1), LIST(RELU, IDENTITY)),
    INTEGERS(17, 16, 2, LIST(17, 1), LIST(IDENTITY, IDENTITY)),
    INTEGERS(31, 2, 3, LIST(3, 31, 1), LIST(RELU, RELU, IDENTITY)),
    INTEGERS(255, 17, 2, LIST(15, 1), LIST(RELU, IDENTITY)),
    INTEGERS(256, 31, 2, LIST(10, 1), LIST(RELU, IDENTITY)),
    INTEGERS(257, 513, 1, LIST(1), LIST(IDENTITY)),
    INTEGERS(46, 257, 2, LIST(16, 1), LIST(RELU, IDENTITY)),
    INTEGERS(79, 3, 3, LIST(64, 2, 1), LIST(RELU, IDENTITY, IDENTITY)),
    INTEGERS(513, 7, 2, LIST(47, 1), LIST(RELU, IDENTITY)),
    INTEGERS(1025, 5, 3, LIST(19, 6, 1), LIST(RELU, RELU, IDENTITY)),
    INTEGERS(40, 5, 2, LIST(257, 1), LIST(RELU, IDENTITY)),
};
const size_t integer_network_count = sizeof integer_networks / sizeof *integer_networks;
