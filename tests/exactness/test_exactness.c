/*
 * The numerical contract: the weights after a training are the same bits for any number of threads, instruction
 * set, wave of tiles, device and compiler, and those of the version before. `recorded` is what other builds are held
 * against: it changes only with the contract itself.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support_checks.h"
#include "train/evaluator.h"

/* ---- the trainings ------------------------------------------------------------------------------------ */

typedef struct training {
    const char *name;
    network network;
    size_t batch_rows; /* 0: all */
    bool shuffle;
    size_t epochs;
    const char *recorded;
} training;

#define LIST(...) \
    { __VA_ARGS__ }
#define TRAINING(name, rows, features, count, units, activations, loss, task, batch, shuffle, epochs, \
                 recorded) \
    { \
        name, {rows, features, count, units, activations, LOSS_##loss, TANDA_TASK_##task, CONTENT_REAL}, \
            batch, shuffle, epochs, recorded \
    }

#define ACTIVATION_TRAINING(name, NAME, recorded) \
    TRAINING("hidden " name ", narrow and wide, a ragged last batch", 607, 11, 3, LIST(19, 6, 3), \
             LIST(ACTIVATION_##NAME, ACTIVATION_##NAME, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, \
             CLASSES, 250, true, 4, recorded)

static const training trainings[] = {
    TRAINING("one variable, logistic, full batch", 20, 1, 1, LIST(1), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 0, false, 200,
             "802b21b21c46688fdabd45a4a8d874c654396f0789beca8e96ec1bf443abbd69"),
    TRAINING("many variables, logistic, full batch of 79 tiles", 20011, 30, 1, LIST(1),
             LIST(ACTIVATION_SIGMOID), BINARY_CROSSENTROPY, CLASSES, 0, false, 4,
             "c81a87f506d2576a8813b940c7f20431fd9df186d38656d98877eea16337ca3d"),
    /* Steps that one launch does together on PoCL, over the end of an epoch; several launches and ragged batches. */
    TRAINING("many variables, logistic, batches of 100", 1930, 28, 1, LIST(1), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 100, true, 20,
             "5393bd3ce2efa944ba2c5cea7b9d2f879d4bf2d17b0d6644b2132010f24bb035"),
    TRAINING("three variables, squared error, batches of 600 in order", 2000, 3, 1, LIST(1),
             LIST(ACTIVATION_IDENTITY), MSE, REGRESSION, 600, false, 30,
             "61923d813274de6e9d8707fe653b14b0792e33d532b377cd4c881c4941075d1a"),
    TRAINING("many variables, logistic, batches of 24 tiles", 14001, 33, 1, LIST(1), LIST(ACTIVATION_SIGMOID),
             BINARY_CROSSENTROPY, CLASSES, 6000, true, 3,
             "7201c2f57299bc93f86126adb6106f87d379a589550663a4d01122f2286806d0"),
    TRAINING("softmax regression, batches of 32", 1000, 16, 1, LIST(3), LIST(ACTIVATION_SOFTMAX),
             CATEGORICAL_CROSSENTROPY, CLASSES, 32, true, 3,
             "203539ffcc85d27507e94a27384de38348698da8101b4fb40e3370683d895008"),
    TRAINING("deep, tanh, batches of 90 in order", 700, 13, 3, LIST(18, 5, 3),
             LIST(ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES,
             90, false, 5, "dbc9628c89f0f3bc4a3e42ead81d10b0328a7dbf04dc50439db4672b5132effb"),
    TRAINING("a wide first layer, tanh, batches of 80", 605, 41, 3, LIST(83, 5, 3),
             LIST(ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES,
             80, true, 4, "29add24a7356302a5154a58b04866f8efaa6f065faab027d3f8ecdea3b6c6794"),
    TRAINING("a wide first layer, relu, batches of 22 in order", 605, 30, 2, LIST(50, 1),
             LIST(ACTIVATION_RELU, ACTIVATION_SIGMOID), BINARY_CROSSENTROPY, CLASSES, 22, false, 4,
             "1a1cd2518cd9d3977e76714706940fba714a160dd356486e9d70ba4602379322"),
    TRAINING("deep, sigmoid, batches of two tiles", 1100, 20, 3, LIST(33, 18, 4),
             LIST(ACTIVATION_SIGMOID, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY,
             CLASSES, 512, true, 3, "44851483f6fa46735e9377e82826ad62aa92deca7875611b2d79c11593391f93"),
    TRAINING("deep, tanh, a ragged last batch", 607, 9, 3, LIST(17, 16, 1),
             LIST(ACTIVATION_TANH, ACTIVATION_TANH, ACTIVATION_SIGMOID), BINARY_CROSSENTROPY, CLASSES, 250,
             true, 4, "5c90f6213060f89401846dc29d81638aad9651b8f8678a784c736b5768dd7a60"),
    TRAINING("deep, relu, tiles kept, a ragged last batch", 2600, 40, 3, LIST(64, 5, 10),
             LIST(ACTIVATION_RELU, ACTIVATION_RELU, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES,
             1000, false, 2, "10e4c8d2763c5979ca7eba8235815fe25d12e8db60498da2812af0b163b30f89"),
    TRAINING("regression, squared error, batches of 100", 730, 7, 2, LIST(21, 1),
             LIST(ACTIVATION_TANH, ACTIVATION_IDENTITY), MSE, REGRESSION, 100, true, 3,
             "deb71f3339b8b628cfee089fdc3ce24d1750c58c62581e0ee40101b80b053b74"),
    TRAINING("two classes, squared error", 300, 12, 2, LIST(3, 1),
             LIST(ACTIVATION_IDENTITY, ACTIVATION_SIGMOID), MSE, CLASSES, 64, true, 5,
             "bbc2d9e10d89d38fb0cbb788f5a6b024a53fd5b588e21d1d37435aa2acb2a4d3"),
    /* Columns of a batch are at different layers at the same time here: what they share must not overlap. */
    TRAINING("three hidden layers of different widths, 7 columns, 1000 steps", 2000, 28, 4,
             LIST(100, 60, 90, 1),
             LIST(ACTIVATION_RELU, ACTIVATION_RELU, ACTIVATION_RELU, ACTIVATION_SIGMOID), BINARY_CROSSENTROPY,
             CLASSES, 200, true, 100, "256e684460c2957651ffdfc099bf24c4f49696803faf8d496bab93522940ebfb"),
    TRAINING("deep, batches of 36 tiles in groups", 17000, 5, 2, LIST(17, 3),
             LIST(ACTIVATION_TANH, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES, 9000, true, 3,
             "2450d661d5f30468300bd8db3ac3d068fb669da525cdb022fa1ee3cc1eaf0da7"),
    TRAINING("wider than a chunk, full batch of 3 tiles", 700, 300, 2, LIST(270, 3),
             LIST(ACTIVATION_RELU, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES, 0, false, 2,
             "93fa67e0b9cbf23f16f49fbca880a3c2c0ddf2d1fa40064eba748df5db189900"),
    TRAINING("wider than a chunk, batches of 35 columns, some of which are taken together", 2300, 270, 3,
             LIST(280, 20, 3), LIST(ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_SOFTMAX),
             CATEGORICAL_CROSSENTROPY, CLASSES, 1100, true, 2,
             "9b7b4d52fc701f0c96dd2a6b941238fbadf98d6abfad55c727fcd21c860fa86a"),
    ACTIVATION_TRAINING("leaky_relu", LEAKY_RELU,
                        "2dde09e88a3ba18445f5a15c440b9adb1dab4442000b5c4965027bda6ae9982a"),
    ACTIVATION_TRAINING("elu", ELU, "941af5856194da3345cb6092daaba71cc82b15fcb560ae559e4342b8e42f3ad5"),
    ACTIVATION_TRAINING("selu", SELU, "bd6ed4272a02abcdeca8de56b947829842a9ad0590c047a77682dbcef7f63458"),
    ACTIVATION_TRAINING("gelu", GELU, "eb3a339d29aa0cd37c835c10ef100a02b3b0db229a9e56b4bc2de48ee5f8d5b6"),
    ACTIVATION_TRAINING("swish", SWISH, "fa9ec6f472439afe03c238ebe0f98817e9bb11cdff65c031c98e59d1550ea2ec"),
    ACTIVATION_TRAINING("softplus", SOFTPLUS,
                        "e4ec99ad4cfc95f64486e0a82cf69fd4e33a97576cb06f1c80f901cc134bb83b"),
    ACTIVATION_TRAINING("softsign", SOFTSIGN,
                        "bc49ba52079eb916ab0bfa29fdf11af6164771c0281531db19754bb74db4b6ff"),
    ACTIVATION_TRAINING("hard_sigmoid", HARD_SIGMOID,
                        "48f516913efb6148aae2b0ce9fcd26b7dc35f2a9a119f72fe3f20a9375776364"),
    TRAINING("hidden exponential, a ragged last batch", 607, 3, 2, LIST(17, 3),
             LIST(ACTIVATION_EXPONENTIAL, ACTIVATION_SOFTMAX), CATEGORICAL_CROSSENTROPY, CLASSES, 250, true,
             4, "a58752e00287091264085220cc03ea770b48da62e71576aefa4a8cf85d532260"),
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static void digest_training(backend *backend, const training *training, size_t wave_tiles,
                            char digest[TANDA_DIGEST_SIZE]) {
    problem problem = problem_create(&training->network);
    const step_options options = {.batch_rows = training->batch_rows,
                                  .shuffle = training->shuffle,
                                  .seed = 3,
                                  .wave_tiles = wave_tiles};
    size_t batch = training->batch_rows == 0 ? training->network.rows : training->batch_rows;
    digest_after(backend, &problem, &options,
                 training->epochs * steps_per_epoch(training->network.rows, batch), digest);
    problem_free(&problem);
}

/* Multiply-adds of a training, forward and twice as many backward. */
static double work_of(const training *training) {
    const network *network = &training->network;
    double weights = 0;
    for (size_t layer = 0, from = network->features; layer < network->layer_count; layer++) {
        weights += (double)from * network->units[layer];
        from = network->units[layer];
    }
    return 3 * weights * network->rows * training->epochs;
}

/* generic calls the C library for each of them: what takes it a minute is left to the exactness matrix. */
static bool is_too_much(const backend *backend, const training *training) {
    return strcmp(backend_title(backend), "generic") == 0 && work_of(training) > 2e9;
}

static void check_recorded(backend *backend, size_t wave_tiles, const char *how) {
    for (size_t i = 0; i < TRAININGS; i++) {
        char digest[TANDA_DIGEST_SIZE];
        if (is_too_much(backend, &trainings[i])) continue;
        digest_training(backend, &trainings[i], wave_tiles, digest);
        cr_expect_str_eq(digest, trainings[i].recorded, "%s on %s, %s: %s", trainings[i].name,
                         backend_title(backend), how, digest);
    }
}

Test(exactness, weights_are_the_recorded_ones_for_any_number_of_threads) {
    static const size_t threads[] = {1, 2, 3, 4, 8};
    check_threads(check_recorded, threads, sizeof threads / sizeof *threads);
}

Test(exactness, weights_are_the_recorded_ones_on_every_instruction_set) {
    check_instruction_sets(check_recorded);
}

Test(exactness, weights_are_the_recorded_ones_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_recorded(backend, 0, "its own waves");
    check_recorded(backend, 4, "waves of 4 tiles");
    tanda_device_close(backend);
}

/* ---- waves -------------------------------------------------------------------------------------------- */

/* rows, some whole tiles and some ragged */
static network network_of_tiles(size_t tiles) {
    network made = {
        .rows = tiles * TILE_ROWS - tiles % 3 * 41, .features = 11, .layer_count = 2, .units = {17, 1}};
    made.activations[0] = ACTIVATION_TANH;
    made.activations[1] = ACTIVATION_SIGMOID;
    made.loss = LOSS_BINARY_CROSSENTROPY;
    made.task = TANDA_TASK_CLASSES;
    return made;
}

static const size_t tile_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33};
static const size_t wave_sizes[] = {1, 2, 4, 8};
#define TILE_COUNTS (sizeof tile_counts / sizeof *tile_counts)
#define WAVE_SIZES (sizeof wave_sizes / sizeof *wave_sizes)

/* Two steps in waves against one wave on one thread; test_sums.c knows the tree itself. */
static void check_waves(backend *backend, size_t from) {
    struct tanda_device *single = open_best_openmp(1);
    for (size_t i = from; i < TILE_COUNTS; i++) {
        network network = network_of_tiles(tile_counts[i]);
        problem problem = problem_create(&network);
        char expected[TANDA_DIGEST_SIZE], digest[TANDA_DIGEST_SIZE];
        step_options options = {.wave_tiles = 64};
        digest_after(single, &problem, &options, 2, expected);
        for (size_t w = 0; w < WAVE_SIZES; w++) {
            options.wave_tiles = wave_sizes[w];
            digest_after(backend, &problem, &options, 2, digest);
            cr_expect_str_eq(digest, expected, "%zu tiles in waves of %zu on %s", tile_counts[i],
                             wave_sizes[w], backend_title(backend));
        }
        problem_free(&problem);
    }
    tanda_device_close(single);
}

Test(waves, change_no_bit_on_openmp) {
    static const size_t threads[] = {1, 3, 8};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        backend *backend = open_best_openmp(threads[i]);
        check_waves(backend, 0);
        tanda_device_close(backend);
    }
}

Test(waves, change_no_bit_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_waves(backend, 0);
    tanda_device_close(backend);
}

/* ---- the whole way of a training ---------------------------------------------------------------------- */

/* tanda_train from problem's weights; batch 0 is all rows. */
static void train(backend *backend, problem *problem, const training *training,
                  char digest[TANDA_DIGEST_SIZE]) {
    const tanda_train_options options = {.size = sizeof options,
                                         .epochs = training->epochs,
                                         .batch_rows = training->batch_rows,
                                         .learning_rate = 0.125,
                                         .seed = 3,
                                         .no_shuffle = !training->shuffle};
    tanda_train_result result;
    MUST(tanda_train(backend, problem->model, &problem->dataset, NULL, &options, &result, error));
    model_digest(problem->model, digest);
}

Test(exactness, tanda_train_takes_the_same_steps) {
    backend *backend = open_best_openmp(2);
    for (size_t i = 0; i < TRAININGS; i++) {
        problem problem = problem_create(&trainings[i].network);
        char digest[TANDA_DIGEST_SIZE];
        train(backend, &problem, &trainings[i], digest);
        cr_expect_str_eq(digest, trainings[i].recorded, "%s: %s", trainings[i].name, digest);
        problem_free(&problem);
    }
    tanda_device_close(backend);
}
