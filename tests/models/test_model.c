/* Networks: names, shapes, what is refused, initial weights, digest. */
#include <Random123/philox.h>
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "kernels/philox.h"
#include "model/model.h"
#include "support/digest.h"

typedef struct shape {
    size_t features;
    size_t layer_count;
    size_t units[4];
    activation activations[4];
    loss loss;
    tanda_task task;
} shape;

static tanda_status create(const shape *shape, tanda_model **model, tanda_error *error) {
    return model_create(shape->features, shape->layer_count, NULL, shape->units, shape->activations,
                        shape->loss, shape->task, model, error);
}

static tanda_model *created(const shape *shape) {
    tanda_error error = {0};
    tanda_model *model = NULL;
    cr_assert_eq(create(shape, &model, &error), TANDA_OK, "%s", error.message);
    return model;
}

static const shape deep = {
    .features = 5,
    .layer_count = 3,
    .units = {7, 6, 3},
    .activations = {ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_SOFTMAX},
    .loss = LOSS_CATEGORICAL_CROSSENTROPY,
    .task = TANDA_TASK_CLASSES,
};

/* ---- names -------------------------------------------------------------------------------------------- */

Test(names, every_name_leads_back_to_its_value) {
    for (activation a = 0; a <= ACTIVATION_SOFTMAX; a++) {
        activation found = ACTIVATION_SOFTMAX + 1;
        cr_assert(activation_from_name(activation_name(a), &found));
        cr_assert_eq(found, a);
    }
    for (loss l = 0; l < LOSS_COUNT; l++) {
        loss found = LOSS_COUNT;
        cr_assert(loss_from_name(loss_name(l), &found));
        cr_assert_eq(found, l);
    }
    for (tanda_task t = TANDA_TASK_AUTO; t <= TANDA_TASK_REGRESSION; t++) {
        tanda_task found = TANDA_TASK_REGRESSION + 1;
        cr_assert(task_from_name(task_name(t), &found));
        cr_assert_eq(found, t);
    }
}

Test(names, are_those_that_files_and_options_use) {
    cr_assert_str_eq(activation_name(ACTIVATION_IDENTITY), "identity");
    cr_assert_str_eq(activation_name(ACTIVATION_SOFTMAX), "softmax");
    cr_assert_str_eq(loss_name(LOSS_BINARY_CROSSENTROPY), "binary_crossentropy");
    cr_assert_str_eq(loss_name(LOSS_CATEGORICAL_CROSSENTROPY), "categorical_crossentropy");
    cr_assert_str_eq(loss_name(LOSS_MSE), "mse");
    cr_assert_str_eq(task_name(TANDA_TASK_CLASSES), "classes");
}

Test(names, unknown_names_change_nothing) {
    activation a = ACTIVATION_TANH;
    loss l = LOSS_MSE;
    tanda_task t = TANDA_TASK_CLASSES;
    const char *const unknown[] = {"", "Relu", "relu ", "mean", "identit"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        cr_assert_not(activation_from_name(unknown[i], &a));
        cr_assert_not(loss_from_name(unknown[i], &l));
        cr_assert_not(task_from_name(unknown[i], &t));
    }
    cr_assert(a == ACTIVATION_TANH && l == LOSS_MSE && t == TANDA_TASK_CLASSES);
}

/* ---- creation ----------------------------------------------------------------------------------------- */

Test(model, parameters_lie_layer_by_layer_without_a_gap) {
    tanda_model *model = created(&deep);
    size_t offset = 0, inputs = 5;
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(model->layers[i].inputs, inputs);
        cr_assert_eq(model->layers[i].outputs, deep.units[i]);
        cr_assert_eq(model->layers[i].activation, deep.activations[i]);
        cr_assert_eq(model->layers[i].weight, offset);
        cr_assert_eq(model->layers[i].bias, offset + inputs * deep.units[i]);
        offset += (inputs + 1) * deep.units[i];
        inputs = deep.units[i];
    }
    cr_assert_eq(model->parameter_count, offset);
    for (size_t i = 0; i < offset; i++)
        cr_assert(model->parameters[i] == 0.0f && !signbit(model->parameters[i]));
    cr_assert_eq(tanda_model_features(model), 5);
    cr_assert_eq(tanda_model_outputs(model), 3);
    tanda_model_free(model);
    tanda_model_free(NULL);
}

Test(model, outputs_and_task_give_the_number_of_classes) {
    const struct {
        shape shape;
        size_t classes;
    } cases[] = {
        {{2, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES}, 2},
        {{2, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_MSE, TANDA_TASK_CLASSES}, 2},
        {{2, 1, {2}, {ACTIVATION_SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES}, 2},
        {{2, 1, {10}, {ACTIVATION_SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES}, 10},
        {{2, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_MSE, TANDA_TASK_REGRESSION}, 0},
        {{2, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION}, 0},
        {{2, 2, {4, 1}, {ACTIVATION_IDENTITY, ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tanda_model *model = created(&cases[i].shape);
        cr_assert_eq(model->class_count, cases[i].classes, "case %zu", i);
        tanda_model_free(model);
    }
}

Test(model, what_does_not_go_together_is_refused_with_the_reason) {
    const struct {
        shape shape;
        const char *reason;
    } cases[] = {
        {{0, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION}, "no features"},
        {{2, 0, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION}, "no layers"},
        {{2, 2, {0, 1}, {ACTIVATION_RELU, ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION},
         "layer 1 has 0"},
        {{2, 2, {2, 1}, {ACTIVATION_SOFTMAX, ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION},
         "softmax is for the last layer"},
        {{2, 1, {1}, {ACTIVATION_SOFTMAX}, LOSS_MSE, TANDA_TASK_REGRESSION}, "not softmax"},
        {{2, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_POISSON, TANDA_TASK_REGRESSION}, "an output above 0"},
        {{2, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_AUTO}, "task auto"},
        {{2, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_CLASSES}, "needs 1 sigmoid"},
        {{2, 1, {2}, {ACTIVATION_SOFTMAX}, LOSS_MSE, TANDA_TASK_REGRESSION}, "not 2 softmax"},
        {{2, 1, {2}, {ACTIVATION_SOFTMAX}, LOSS_MSE, TANDA_TASK_CLASSES}, "not 2 softmax"},
        {{2, 1, {2}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES}, "not 2 sigmoid"},
        {{2, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES},
         "1 sigmoid output"},
        {{2, 1, {1}, {ACTIVATION_SIGMOID}, LOSS_BINARY_CROSSENTROPY, TANDA_TASK_REGRESSION}, "for classes"},
        {{2, 1, {1}, {ACTIVATION_SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES}, "2 or more"},
        {{2, 1, {3}, {ACTIVATION_SIGMOID}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES},
         "softmax outputs"},
        {{2, 1, {3}, {ACTIVATION_SOFTMAX}, LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_REGRESSION},
         "for classes"},
        {{SIZE_MAX, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION}, "more parameters than"},
        {{SIZE_MAX / 4, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION},
         "more parameters than"},
        /* 2^32 * 2^32 wraps around to 0 parameters. */
        {{UINT32_MAX,
          1,
          {(size_t)1 << 32},
          {ACTIVATION_SOFTMAX},
          LOSS_CATEGORICAL_CROSSENTROPY,
          TANDA_TASK_CLASSES},
         "more parameters than"},
        {{1u << 20, 3, {SIZE_MAX >> 30, SIZE_MAX >> 30, 1}, {0}, LOSS_MSE, TANDA_TASK_REGRESSION},
         "more parameters than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tanda_error error = {0};
        tanda_model *model = NULL;
        /* The one without a reason does fit a size_t; there is no memory for it. */
        const tanda_status expected = cases[i].reason == NULL ? TANDA_FAILED : TANDA_USAGE;
        cr_assert_eq(create(&cases[i].shape, &model, &error), expected, "case %zu: %s", i, error.message);
        cr_assert_null(model);
        cr_assert_eq(error.status, expected);
        if (cases[i].reason != NULL)
            cr_assert_not_null(strstr(error.message, cases[i].reason), "case %zu: %s", i, error.message);
        cr_assert_eq(create(&cases[i].shape, &model, NULL), expected, "without an error to fill, case %zu",
                     i);
    }
}

/* ---- initial weights ---------------------------------------------------------------------------------- */

/* What contract 10 states, with Random123's Philox; only the number of the element says what is drawn. */
static float expected_weight(const layer *layer, size_t index, uint64_t seed, size_t input, size_t output) {
    const uint64_t element = input * layer->outputs + output;
    philox4x32_ctr_t counter = {{(uint32_t)(element >> 2), (uint32_t)(element >> 34), 0,
                                 (uint32_t)PURPOSE_INIT << 16 | (uint32_t)index}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const uint32_t word = philox4x32(counter, key).v[element & 3];
    const double fan =
        (double)(layer->activation == ACTIVATION_RELU ? layer->inputs : layer->inputs + layer->outputs);
    const float limit = (float)sqrt(6.0 / fan);
    const float centered = (float)((double)(word >> 8) / 0x1p23 - 1.0);
    const float weight = centered * limit;
    return weight == 0.0f ? 0.0f : weight;
}

Test(initialise, every_weight_is_a_function_of_seed_layer_and_place) {
    const uint64_t seeds[] = {0, 1, 0x123456789abcdef0u, UINT64_MAX};
    tanda_model *model = created(&deep);
    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
        for (size_t i = 0; i < model->parameter_count; i++)
            model->parameters[i] = NAN; /* so that a skipped one shows */
        tanda_model_initialise(model, seeds[s]);
        for (size_t i = 0; i < model->layer_count; i++) {
            const layer *layer = &model->layers[i];
            for (size_t output = layer->outputs; output-- > 0;) {
                for (size_t input = layer->inputs; input-- > 0;) {
                    const float found = model->parameters[layer->weight + output * layer->inputs + input];
                    const float expected = expected_weight(layer, i, seeds[s], input, output);
                    cr_assert(memcmp(&found, &expected, sizeof found) == 0,
                              "layer %zu (%zu, %zu): %a, not %a", i, output, input, (double)found,
                              (double)expected);
                }
                cr_assert(model->parameters[layer->bias + output] == 0.0f);
            }
        }
    }
    tanda_model_free(model);
}

Test(initialise, weights_are_uniform_within_the_limit) {
    const shape wide = {.features = 300,
                        .layer_count = 2,
                        .units = {500, 3},
                        .activations = {ACTIVATION_RELU, ACTIVATION_SOFTMAX},
                        .loss = LOSS_CATEGORICAL_CROSSENTROPY,
                        .task = TANDA_TASK_CLASSES};
    tanda_model *model = created(&wide);
    model_initialise(model, 7);
    for (size_t i = 0; i < 2; i++) {
        const layer *layer = &model->layers[i];
        const size_t count = layer->inputs * layer->outputs;
        const double limit = sqrt(6.0 / (double)(i == 0 ? 300 : 503));
        double sum = 0, squares = 0, largest = 0;
        size_t tenths[10] = {0};
        for (size_t j = 0; j < count; j++) {
            const double weight = (double)model->parameters[layer->weight + j] / limit;
            sum += weight;
            squares += weight * weight;
            largest = fmax(largest, fabs(weight));
            cr_assert(fabs(weight) <= 1.0 + 1e-7);
            tenths[(size_t)fmin(9.0, (weight + 1.0) * 5.0)]++;
        }
        /* Five standard deviations of the mean of n draws (variance 1/3), and of their squares (4/45). */
        const double n = (double)count;
        cr_assert(fabs(sum / n) < 5 * sqrt(1.0 / 3.0 / n), "layer %zu: mean %g", i, sum / n);
        cr_assert(fabs(squares / n - 1.0 / 3.0) < 5 * sqrt(4.0 / 45.0 / n), "layer %zu: %g", i, squares / n);
        cr_assert(largest > 0.98);
        double chi = 0;
        for (size_t t = 0; t < 10; t++)
            chi += pow((double)tenths[t] - n / 10, 2) / (n / 10);
        cr_assert(chi < 42.0, "layer %zu: chi square %g of 9 degrees; 1 in 300,000 is above 42", i, chi);
    }
    tanda_model_free(model);
}

Test(initialise, seeds_and_layers_draw_different_weights) {
    const shape equal = {.features = 4,
                         .layer_count = 2,
                         .units = {4, 4},
                         .activations = {ACTIVATION_TANH, ACTIVATION_SOFTMAX},
                         .loss = LOSS_CATEGORICAL_CROSSENTROPY,
                         .task = TANDA_TASK_CLASSES};
    tanda_model *a = created(&equal), *b = created(&equal);
    model_initialise(a, 1);
    model_initialise(b, 2);
    for (size_t i = 0; i < 16; i++) {
        cr_assert(a->parameters[i] != b->parameters[i]);
        cr_assert(a->parameters[i] != a->parameters[a->layers[1].weight + i]);
    }
    model_initialise(b, 1);
    cr_assert(memcmp(a->parameters, b->parameters, a->parameter_count * sizeof(float)) == 0);
    tanda_model_free(a);
    tanda_model_free(b);
}

/* ---- digest ------------------------------------------------------------------------------------------- */

Test(model, digest_is_the_sha256_of_little_endian_parameters) {
    const shape line = {1, 1, {1}, {ACTIVATION_IDENTITY}, LOSS_MSE, TANDA_TASK_REGRESSION};
    char text[TANDA_DIGEST_SIZE];
    tanda_model *model = created(&line);
    model->parameters[0] = 1.0f;
    model->parameters[1] = -2.0f;
    tanda_model_digest(model, text);
    /* printf '\0\0\200\077\0\0\0\300' | sha256sum */
    cr_assert_str_eq(text, "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b");
    cr_assert_eq(sizeof text, DIGEST_TEXT_SIZE);
    model->parameters[1] = 2.0f;
    tanda_model_digest(model, text);
    cr_assert_str_neq(text, "ee4ac73c2bd27756ab82780f27c73a7bc4d3f0bb6acb37e008bc27eccd7e588b");
    tanda_model_free(model);
}
