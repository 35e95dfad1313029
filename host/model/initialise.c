#include <math.h>

#include "kernels/philox.h"
#include "model/model.h"
#include "support/floating_mode.h"

/* Rounded to binary32 once, so that every machine has the same. */
static float weight_limit(const layer *layer) {
    const size_t fan = layer->activation == ACTIVATION_RELU ? layer->fan_in : layer->fan_in + layer->outputs;
    return (float)sqrt(6.0 / (double)fan);
}

/* Elements are numbered input by input, while the weight lies output by output (contract 10). */
static void draw_weight(const layer *layer, uint64_t seed, uint stream, float *weight) {
    const float limit = weight_limit(layer);
    philox_words words = {0};
    uint64_t element = 0;
    for (size_t input = 0; input < layer->fan_in; input++) {
        for (size_t output = 0; output < layer->outputs; output++, element++) {
            const uint word = (uint)(element % PHILOX_WORDS);
            if (word == 0) words = philox_block(seed, element / PHILOX_WORDS, 0, stream);
            const float centered = 2.0f * uniform(philox_pick(words, word)) - 1.0f; /* exact */
            weight[output * layer->fan_in + input] = canonical(centered * limit);
        }
    }
}

void model_initialise(tanda_model *model, uint64_t seed) {
    unsigned mode = enter_exact_mode();
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        draw_weight(layer, seed, philox_stream(PURPOSE_INIT, (uint)i), model->parameters + layer->weight);
        for (size_t output = 0; output < layer->outputs; output++)
            model->parameters[layer->bias + output] = 0.0f;
    }
    leave_exact_mode(mode);
}

void tanda_model_initialise(tanda_model *model, uint64_t seed) {
    model_initialise(model, seed);
}
