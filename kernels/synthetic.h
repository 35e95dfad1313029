/*
 * Synthetic data, the same bits in C and in OpenCL (VECTOR 1): each value is a function of the description, its
 * seed, the row and the column alone, so any rows can be made by themselves, anywhere.
 *
 * A row is made in two steps. First its base: one number per feature, standard normal or of (-1, 1), from the word
 * of element row * features + column. Then synthetic_finish turns the base into the features and gives the label,
 * with the help of four words of the row's own, and of a table that all rows share: weights, centres, strokes. A device
 * does so row by row; host/data/isa/synthetic_finish.c does it for many rows at once, with the same formulas.
 */
#ifndef TANDA_KERNELS_SYNTHETIC_H
#define TANDA_KERNELS_SYNTHETIC_H

#include "kernels/normal.h"
#include "kernels/philox.h"

#ifdef __OPENCL_VERSION__
#define GLOBAL global
#define SIMD_LOOP
#define LANE_LOOP _Pragma("unroll") /* keeps the lanes in registers on GPUs */
#else
#define GLOBAL
#define SIMD_LOOP _Pragma("omp simd")
#define LANE_LOOP SIMD_LOOP
#endif

/* Data streams. The values decide the bits: never renumber, only append. */
enum synthetic_layer { LAYER_BASE, LAYER_ROW, LAYER_TABLE, LAYER_CHOICE, LAYER_STROKES };

enum synthetic_kind {
    SYNTHETIC_LINEAR,
    SYNTHETIC_LOGISTIC,
    SYNTHETIC_BLOBS,
    SYNTHETIC_CLASSIFICATION,
    SYNTHETIC_REGRESSION,
    SYNTHETIC_MOONS,
    SYNTHETIC_CIRCLES,
    SYNTHETIC_SPIRALS,
    SYNTHETIC_XOR,
    SYNTHETIC_TEACHER,
    SYNTHETIC_IMAGES,
    SYNTHETIC_KINDS
};

#define SYNTHETIC_LANES 16
#define SYNTHETIC_UNITS_MAX 256 /* hidden units and classes of a teacher */
#define SYNTHETIC_SCRATCH (2 * SYNTHETIC_UNITS_MAX)
#define IMAGE_SIDE 28
#define IMAGE_STROKES 4 /* per class; a stroke has four coordinates */
#define STROKE_NUMBERS (4 * IMAGE_STROKES)

/* What data is made of; 4 and 8 byte members only, so that devices take it as it is. */
typedef struct synthetic {
    ulong seed;
    uint kind; /* enum synthetic_kind */
    uint features;
    uint classes;     /* 0: a quantity */
    uint informative; /* columns that tell the class or the quantity */
    uint redundant;   /* columns that mix the informative ones */
    uint hidden;      /* units of a teacher's hidden layers */
    uint layers;      /* hidden layers of a teacher */
    uint first_share; /* share of class 0 in 2^32 */
    uint arm_step;    /* spirals: 2^32 / classes, the turn from arm to arm */
    uint turns;       /* spirals: turns of an arm in 1/256 */
    uint is_uniform;  /* the base is uniform on (-1, 1), else standard normal */
    float noise;
    float separation;
    float margin;
    float zero; /* 0.0f, which no compiler may fold */
    uint reserved;
} synthetic;

SHARED uint synthetic_stream(enum synthetic_layer layer) {
    return philox_stream(PURPOSE_DATA, (uint)layer);
}

SHARED float synthetic_base(uint word, uint is_uniform) {
    return is_uniform ? signed_uniform(word) : exact_normal(word);
}

/* ---- what kinds share -------------------------------------------------------------------------------- */

/* Lane l takes elements l, l + 16, ...; then the lanes fold by halves. */
SHARED float synthetic_dot(GLOBAL const float *a, GLOBAL const float *b, uint count, float zero) {
    float lanes[SYNTHETIC_LANES];
    LANE_LOOP for (uint lane = 0; lane < SYNTHETIC_LANES; lane++) lanes[lane] = zero;
    for (; count >= SYNTHETIC_LANES; count -= SYNTHETIC_LANES) {
        LANE_LOOP for (uint lane = 0; lane < SYNTHETIC_LANES; lane++) lanes[lane] =
            fused(a[lane], b[lane], lanes[lane]);
        a += SYNTHETIC_LANES;
        b += SYNTHETIC_LANES;
    }
    LANE_LOOP for (uint lane = 0; lane < SYNTHETIC_LANES; lane++) if (lane < count) lanes[lane] =
        fused(a[lane], b[lane], lanes[lane]);
    LANE_LOOP for (uint lane = 0; lane < 8; lane++) lanes[lane] = lanes[lane] + lanes[lane + 8];
    LANE_LOOP for (uint lane = 0; lane < 4; lane++) lanes[lane] = lanes[lane] + lanes[lane + 4];
    lanes[0] = lanes[0] + lanes[2];
    lanes[1] = lanes[1] + lanes[3];
    return lanes[0] + lanes[1];
}

/* a where the condition (0 or 1) holds, else b: no branch, into which C compilers move loads and then cannot vectorise. */
SHARED uint synthetic_either(uint condition, uint a, uint b) {
    return b ^ ((0u - condition) & (a ^ b));
}

/* Class 0 with its share, the others alike. */
SHARED uint synthetic_class(const synthetic *data, philox_words words) {
    return synthetic_either(words.x >= data->first_share, 1u + multiply_high(words.y, data->classes - 1u),
                            0u);
}

/* With probability `noise` another class. */
SHARED uint synthetic_flip(const synthetic *data, uint label, philox_words words) {
    uint other = label + 1u + multiply_high(words.z, data->classes - 1u);
    other = other < data->classes ? other : other - data->classes;
    return synthetic_either(uniform(words.w) < data->noise, other, label);
}

/* ---- kinds: x is the row's base and becomes its features; the result is the label -------------------- */

/* How far a point moves away from the plane, along w. */
SHARED float synthetic_step(const synthetic *data, float z) {
    return z > 0.0f ? data->margin : -data->margin;
}

SHARED uint synthetic_side(const synthetic *data, float z, philox_words words) {
    return synthetic_flip(data, z > 0.0f ? 1u : 0u, words);
}

/* w has length 1. Points move away from the plane w x = 0 by the margin. */
SHARED uint synthetic_linear(const synthetic *data, GLOBAL const float *w, philox_words words,
                             GLOBAL float *x) {
    float z = synthetic_dot(x, w, data->features, data->zero);
    float step = synthetic_step(data, z);
    SIMD_LOOP for (uint i = 0; i < data->features; i++) x[i] = fused(step, w[i], x[i]);
    return synthetic_side(data, z, words);
}

/* Class 1 with the probability that its logit says. */
SHARED uint synthetic_draw(const synthetic *data, float z, philox_words words) {
    return synthetic_flip(data, uniform(words.x) < exact_sigmoid(z) ? 1u : 0u, words);
}

/* -log(-log u) for u of (0, 1): with it added to each logit, the largest is drawn as softmax says. */
SHARED float synthetic_gumbel(uint word) {
    float u = fused(signed_uniform(word), 0.5f, 0.5f);
    return -exact_log(-exact_log(u));
}

/* What is added to the logit of class c of this row. */
SHARED float synthetic_luck(const synthetic *data, ulong row, uint c) {
    return synthetic_gumbel(
        philox_word(data->seed, row * data->classes + c, 0, synthetic_stream(LAYER_CHOICE)));
}

/* w is (classes, features), of which only one row is used for two classes. */
SHARED uint synthetic_logistic(const synthetic *data, GLOBAL const float *w, ulong row, philox_words words,
                               GLOBAL float *x) {
    uint label = 0;
    float best = -POSITIVE_INFINITY;
    if (data->classes == 2u)
        return synthetic_draw(data, synthetic_dot(x, w, data->features, data->zero), words);
    for (uint c = 0; c < data->classes; c++) {
        float z = synthetic_dot(x, w + (ulong)c * data->features, data->features, data->zero);
        z = z + synthetic_luck(data, row, c);
        label = z > best ? c : label;
        best = z > best ? z : best;
    }
    return synthetic_flip(data, label, words);
}

/* centres is (classes, features). */
SHARED uint synthetic_blobs(const synthetic *data, GLOBAL const float *centres, philox_words words,
                            GLOBAL float *x) {
    uint label = synthetic_class(data, words);
    GLOBAL const float *centre = centres + (ulong)label * data->features;
    SIMD_LOOP for (uint i = 0; i < data->features; i++) x[i] = fused(data->noise, x[i], centre[i]);
    return label;
}

/* The table is (classes, informative) centres, then (redundant, informative) mixtures. The rest stays noise. */
SHARED uint synthetic_classification(const synthetic *data, GLOBAL const float *table, philox_words words,
                                     GLOBAL float *x) {
    uint label = synthetic_class(data, words);
    uint informative = data->informative;
    GLOBAL const float *centre = table + (ulong)label * informative;
    GLOBAL const float *mixture = table + (ulong)data->classes * informative;
    SIMD_LOOP for (uint i = 0; i < informative; i++) x[i] = x[i] + centre[i];
    for (uint i = 0; i < data->redundant; i++)
        x[informative + i] = synthetic_dot(x, mixture + (ulong)i * informative, informative, data->zero);
    return synthetic_flip(data, label, words);
}

SHARED uint synthetic_quantity(const synthetic *data, float y, philox_words words) {
    return as_natural(canonical(fused(data->noise, exact_normal(words.x), y)));
}

/* The quantity's bits; w has `informative` weights. */
SHARED uint synthetic_regression(const synthetic *data, GLOBAL const float *w, philox_words words,
                                 GLOBAL float *x) {
    float y = synthetic_dot(x, w, data->informative, data->zero);
    return synthetic_quantity(data, y, words);
}

/* A coordinate with noise around. */
SHARED float synthetic_near(const synthetic *data, float middle, float value) {
    return canonical(fused(data->noise, value, middle));
}

typedef struct synthetic_point {
    float a, b;
} synthetic_point;

/* The first two features lie near the point; the others are noise. */
SHARED void synthetic_place(const synthetic *data, synthetic_point point, GLOBAL float *x) {
    x[0] = synthetic_near(data, point.a, x[0]);
    x[1] = synthetic_near(data, point.b, x[1]);
}

/* Two half circles, one turned over and moved into the other. */
SHARED synthetic_point synthetic_moon(uint label, philox_words words) {
    float a = exact_turn_cosine(words.z >> 1), b = exact_turn_sine(words.z >> 1);
    synthetic_point point = {label == 0u ? a : 1.0f - a, label == 0u ? b : 0.5f - b};
    return point;
}

SHARED synthetic_point synthetic_circle(float radius, philox_words words) {
    synthetic_point point = {radius * exact_turn_cosine(words.z), radius * exact_turn_sine(words.z)};
    return point;
}

/* One arm per class, from the middle to radius 1. */
SHARED synthetic_point synthetic_arm(const synthetic *data, uint label, philox_words words) {
    uint angle = label * data->arm_step + (words.z >> 8) * data->turns;
    float radius = uniform(words.z);
    synthetic_point point = {radius * exact_turn_cosine(angle), radius * exact_turn_sine(angle)};
    return point;
}

SHARED uint synthetic_moons(const synthetic *data, philox_words words, GLOBAL float *x) {
    uint label = synthetic_class(data, words);
    synthetic_place(data, synthetic_moon(label, words), x);
    return label;
}

SHARED uint synthetic_circles(const synthetic *data, GLOBAL const float *radii, philox_words words,
                              GLOBAL float *x) {
    uint label = synthetic_class(data, words);
    synthetic_place(data, synthetic_circle(radii[label], words), x);
    return label;
}

SHARED uint synthetic_spirals(const synthetic *data, philox_words words, GLOBAL float *x) {
    uint label = synthetic_class(data, words);
    synthetic_place(data, synthetic_arm(data, label, words), x);
    return label;
}

/* A coordinate near the corner that the bit says. */
SHARED float synthetic_corner(const synthetic *data, uint bit, float value) {
    return fused(data->noise, value, bit ? 1.0f : -1.0f);
}

/* Corners of the cube; the class is the parity of the informative signs. */
SHARED uint synthetic_xor(const synthetic *data, philox_words words, GLOBAL float *x) {
    uint label = 0;
    for (uint i = 0; i < data->informative; i++) {
        uint bit = (words.x >> i) & 1u;
        label ^= bit;
        x[i] = synthetic_corner(data, bit, x[i]);
    }
    return label;
}

/* sums[o] += value * w[o]. */
SHARED void synthetic_spread(float value, GLOBAL const float *w, uint outputs, GLOBAL float *sums) {
    SIMD_LOOP for (uint o = 0; o < outputs; o++) sums[o] = fused(value, w[o], sums[o]);
}

/* The largest output of a tanh network; its weights are (inputs, outputs) layer after layer, without biases. */
SHARED uint synthetic_teacher(const synthetic *data, GLOBAL const float *w, philox_words words,
                              GLOBAL float *x, GLOBAL float *scratch) {
    GLOBAL float *units = scratch, *sums = scratch + SYNTHETIC_UNITS_MAX;
    uint inputs = data->features, label = 0;
    for (uint layer = 0; layer <= data->layers; layer++) {
        uint outputs = layer < data->layers ? data->hidden : data->classes;
        for (uint o = 0; o < outputs; o++)
            sums[o] = data->zero;
        for (uint i = 0; i < inputs; i++)
            synthetic_spread(layer == 0u ? x[i] : units[i], w + (ulong)i * outputs, outputs, sums);
        SIMD_LOOP for (uint o = 0; o < outputs; o++) units[o] = exact_tanh(sums[o]);
        w += (ulong)inputs * outputs;
        inputs = outputs;
    }
    for (uint o = 1; o < data->classes; o++)
        label = sums[o] > sums[label] ? o : label;
    return synthetic_flip(data, label, words);
}

SHARED float synthetic_clamp(float v) {
    v = choose(v > 0.0f, v, 0.0f);
    return choose(v < 1.0f, v, 1.0f);
}

/*
 * The ink at (column, line) when to `ink` comes that of the stroke from (s[0], s[1]) along (s[2], s[3]); scale is
 * 1 / length^2.
 */
SHARED float synthetic_ink(GLOBAL const float *s, float scale, float column, float line, float ink) {
    float a = column - s[0], b = line - s[1];
    float t = synthetic_clamp(fused(a, s[2], b * s[3]) * scale);
    a = fused(-t, s[2], a);
    b = fused(-t, s[3], b);
    float more = synthetic_clamp(fused(fused(a, a, b * b), -0.375f, 1.5f));
    return choose(more > ink, more, ink);
}

SHARED float synthetic_pixel(const synthetic *data, float ink, float value) {
    return synthetic_clamp(fused(data->noise, value, ink));
}

/* The class's strokes, their ends moved by the margin times a normal number. */
SHARED void synthetic_strokes(const synthetic *data, GLOBAL const float *ends, ulong row,
                              GLOBAL float *strokes, GLOBAL float *scales) {
    SIMD_LOOP for (uint i = 0; i < STROKE_NUMBERS; i++) {
        uint word = philox_word(data->seed, row * STROKE_NUMBERS + i, 0, synthetic_stream(LAYER_STROKES));
        strokes[i] = fused(data->margin, exact_normal(word), ends[i]);
    }
    for (uint i = 0; i < IMAGE_STROKES; i++) {
        GLOBAL float *s = strokes + 4 * i;
        s[2] = s[2] - s[0];
        s[3] = s[3] - s[1];
        scales[i] = exact_reciprocal(fused(s[2], s[2], fused(s[3], s[3], 0x1p-10f)));
    }
}

/* ends is (classes, STROKE_NUMBERS). */
SHARED uint synthetic_images(const synthetic *data, GLOBAL const float *ends, ulong row, philox_words words,
                             GLOBAL float *x, GLOBAL float *scratch) {
    uint label = synthetic_class(data, words);
    GLOBAL float *strokes = scratch, *scales = scratch + STROKE_NUMBERS;
    synthetic_strokes(data, ends + (ulong)label * STROKE_NUMBERS, row, strokes, scales);
    for (uint line = 0; line < IMAGE_SIDE; line++) {
        GLOBAL float *pixels = x + line * IMAGE_SIDE;
        for (uint column = 0; column < IMAGE_SIDE; column++) {
            float ink = 0.0f;
            for (uint i = 0; i < IMAGE_STROKES; i++)
                ink = synthetic_ink(strokes + 4 * i, scales[i], (float)column, (float)line, ink);
            pixels[column] = synthetic_pixel(data, ink, pixels[column]);
        }
    }
    return label;
}

SHARED uint synthetic_needs_scratch(const synthetic *data) {
    return data->kind == SYNTHETIC_TEACHER || data->kind == SYNTHETIC_IMAGES;
}

/*
 * The label of a row whose base is x, which becomes its features: a class, or the bits of a quantity. scratch is
 * SYNTHETIC_SCRATCH floats of the caller's, for kinds of which synthetic_needs_scratch is true.
 */
SHARED uint synthetic_finish(const synthetic *data, GLOBAL const float *table, ulong row, philox_words words,
                             GLOBAL float *x, GLOBAL float *scratch) {
    switch (data->kind) {
    case SYNTHETIC_LINEAR:
        return synthetic_linear(data, table, words, x);
    case SYNTHETIC_LOGISTIC:
        return synthetic_logistic(data, table, row, words, x);
    case SYNTHETIC_BLOBS:
        return synthetic_blobs(data, table, words, x);
    case SYNTHETIC_CLASSIFICATION:
        return synthetic_classification(data, table, words, x);
    case SYNTHETIC_REGRESSION:
        return synthetic_regression(data, table, words, x);
    case SYNTHETIC_MOONS:
        return synthetic_moons(data, words, x);
    case SYNTHETIC_CIRCLES:
        return synthetic_circles(data, table, words, x);
    case SYNTHETIC_SPIRALS:
        return synthetic_spirals(data, words, x);
    case SYNTHETIC_XOR:
        return synthetic_xor(data, words, x);
    case SYNTHETIC_TEACHER:
        return synthetic_teacher(data, table, words, x, scratch);
    default:
        return synthetic_images(data, table, row, words, x, scratch);
    }
}

#endif
