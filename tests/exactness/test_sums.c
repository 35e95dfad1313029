/*
 * The order of every sum is the one that docs/exactness.md fixes. It is written here once more, as plainly as it can
 * be, with the C library's fmaf, and the best CPU backend must give its bits (the others give that one's, see
 * test_backends.c). What is added up are the values that the backend itself had.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "support_checks.h"

#define CHUNK 256
#define LANES 16

static float without_minus_zero(float x) {
    return x == 0.0f ? 0.0f : x;
}

static float without_tiny(float x) {
    return fabsf(x) < 0x1p-100f ? 0.0f : x;
}

/* Chains of fma over chunks of 256 terms, ascending; the chunks are added to the start (contract 2). */
static float chunked_sum(size_t terms, const float *a, size_t a_step, const float *b, size_t b_step,
                         float start) {
    float total = start;
    for (size_t from = 0; from < terms; from += CHUNK) {
        float chain = 0.0f;
        for (size_t t = from; t < from + CHUNK && t < terms; t++)
            chain = fmaf(a[t * a_step], b[t * b_step], chain);
        total += chain;
    }
    return total;
}

/* 16 lanes, lane l chains rows l, l + 16, ...; folded in halves (contract 3). b is 1 where it is NULL. */
static float lane_sum(size_t rows, const float *a, size_t a_step, const float *b, size_t b_step) {
    float lane[LANES] = {0};
    for (size_t row = 0; row < rows; row++) {
        float *sum = &lane[row % LANES];
        *sum = fmaf(a[row * a_step], b == NULL ? 1.0f : b[row * b_step], *sum);
    }
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

/* A tree whose left side holds the largest power of two smaller than n (contract 4). */
static float tree_sum(const float *values, size_t n) {
    size_t left = 1;
    if (n == 1) return values[0];
    while (2 * left < n)
        left *= 2;
    return tree_sum(values, left) + tree_sum(values + left, n - left);
}

/* The sum over all rows of a step of a[row] * b[row], tile by tile. */
typedef float tile_sum(size_t rows, const float *a, size_t a_step, const float *b, size_t b_step);

static float sum_over_tiles(tile_sum *sum, size_t rows, const float *a, size_t a_step, const float *b,
                            size_t b_step) {
    float partial[64];
    size_t tiles = tiles_of(rows);
    cr_assert_leq(tiles, sizeof partial / sizeof *partial);
    for (size_t tile = 0; tile < tiles; tile++) {
        size_t first = tile * TILE_ROWS, count = batch_size(rows, TILE_ROWS, tile);
        partial[tile] = sum(count, a + first * a_step, a_step, b == NULL ? NULL : b + first * b_step, b_step);
    }
    return tree_sum(partial, tiles);
}

static float wide_sum(size_t rows, const float *a, size_t a_step, const float *b, size_t b_step) {
    return without_minus_zero(chunked_sum(rows, a, a_step, b, b_step, 0.0f));
}

/* False, with the place, for different bits. */
static bool same(const capture *capture, const char *what, size_t layer, size_t index, float got,
                 float expected) {
    char text[NETWORK_TEXT_SIZE];
    if (bits_of_float(got) == bits_of_float(expected)) return true;
    cr_expect(false, "%s: %s of layer %zu, index %zu: %a, in the fixed order %a",
              network_text(capture->problem->network, text), what, layer, index, (double)got,
              (double)expected);
    return false;
}

static const float *inputs_of(const capture *capture, size_t l) {
    return l == 0 ? captured(capture, TENSOR_INPUT, 0) : captured(capture, TENSOR_OUTPUT, l - 1);
}

static void check_logits(const capture *capture, size_t l) {
    const tanda_model *model = capture->problem->model;
    const layer *layer = &model->layers[l];
    const float *a = inputs_of(capture, l), *z = captured(capture, TENSOR_LOGITS, l);
    const float *w = model->parameters + layer->weight, *b = model->parameters + layer->bias;
    for (size_t i = 0; i < capture->rows * layer->outputs; i++) {
        size_t row = i / layer->outputs, h = i % layer->outputs;
        float sum = chunked_sum(layer->inputs, a + row * layer->inputs, 1, w + h * layer->inputs, 1, b[h]);
        if (!same(capture, "logits", l, i, z[i], without_minus_zero(sum))) return;
    }
}

static void check_output_delta(const capture *capture, size_t l) {
    const tanda_model *model = capture->problem->model;
    const layer *layer = &model->layers[l];
    const float *delta = captured(capture, TENSOR_DELTA, l),
                *got = captured(capture, TENSOR_DELTA_OUTPUT, l - 1);
    const float *w = model->parameters + layer->weight;
    for (size_t i = 0; i < capture->rows * layer->inputs; i++) {
        size_t row = i / layer->inputs, k = i % layer->inputs;
        float sum = chunked_sum(layer->outputs, delta + row * layer->outputs, 1, w + k, layer->inputs, 0.0f);
        if (!same(capture, "delta of the output", l - 1, i, got[i], without_tiny(sum))) return;
    }
}

static void check_gradient(const capture *capture, size_t l, const float *gradient) {
    const layer *layer = &capture->problem->model->layers[l];
    size_t K = layer->inputs, H = layer->outputs, rows = capture->rows;
    const float *a = inputs_of(capture, l), *delta = captured(capture, TENSOR_DELTA, l);
    const float inverse = (float)(1.0 / (double)rows);
    tile_sum *sum = H >= WIDE_OUTPUTS ? wide_sum : lane_sum;
    for (size_t i = 0; i < K * H; i++) {
        float total = sum_over_tiles(sum, rows, a + i % K, K, delta + i / K, H);
        if (!same(capture, "weight gradient", l, i, gradient[layer->weight + i],
                  without_tiny(total * inverse)))
            break;
    }
    for (size_t h = 0; h < H; h++) {
        float total = sum_over_tiles(lane_sum, rows, delta + h, H, NULL, 0);
        if (!same(capture, "bias gradient", l, h, gradient[layer->bias + h], without_tiny(total * inverse)))
            break;
    }
}

static void check_network(backend *backend, const network *network) {
    problem problem = problem_create(network);
    capture capture = capture_step(backend, &problem, NULL);
    size_t layers = problem.model->layer_count;
    float *gradient = calloc(problem.model->parameter_count, sizeof *gradient);
    cr_assert_not_null(gradient);
    plan_unpack(capture.plan, capture.gradient, gradient);
    for (size_t l = 0; l < layers; l++) {
        check_logits(&capture, l);
        if (l > 0) check_output_delta(&capture, l);
        check_gradient(&capture, l, gradient);
    }
    float loss =
        sum_over_tiles(lane_sum, capture.rows, captured(&capture, TENSOR_LOSS, layers - 1), 1, NULL, 0);
    same(&capture, "loss sum", layers - 1, 0, capture.result.loss, loss);
    for (size_t i = 0; i < capture.plan->parameter_count; i++) {
        float expected = without_minus_zero(fmaf(-0.125f, capture.gradient[i], capture.before[i]));
        if (!same(&capture, "packed parameters", 0, i, capture.after[i], expected)) break;
    }
    free(gradient);
    capture_free(&capture);
    problem_free(&problem);
}

Test(sums, go_in_the_fixed_order_in_every_op) {
    backend *backend = open_best_openmp(2);
    for (size_t i = 0; i < network_count; i++)
        check_network(backend, &networks[i]);
    tanda_device_close(backend);
}

Test(sums, go_through_the_fixed_tree_for_1_to_9_15_to_17_and_33_tiles) {
    static const size_t tiles[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33};
    backend *backend = open_best_openmp(2);
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        network network = {.features = 3, .layer_count = 2, .units = {17, 1}, .task = TANDA_TASK_CLASSES};
        network.activations[0] = ACTIVATION_TANH;
        network.activations[1] = ACTIVATION_SIGMOID;
        network.loss = LOSS_BINARY_CROSSENTROPY;
        network.rows = tiles[i] * TILE_ROWS - i % 3 * 19; /* full and ragged */
        check_network(backend, &network);
    }
    tanda_device_close(backend);
}
