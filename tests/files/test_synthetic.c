/* Synthetic data: the same bytes for every way to make them, and data that is what its kind says. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/synthetic.h"
#include "support/digest.h"
#include "support_devices.h"

/* Values of each kind, with the first digits of the SHA-256 of features and labels of rows 0 to 999. */
typedef struct golden_row {
    const char *title;
    const char *digest;
} golden_row;

static const golden_row golden[] = {
    {"synthetic:linear,rows=1000,features=3,seed=5", "8faf988a2ff3ad59"},
    {"synthetic:linear,rows=1000,features=17,noise=0.1,distribution=uniform", "2b092a5172339a83"},
    {"synthetic:logistic,rows=1000,features=28", "e4c52ac920e4f085"},
    {"synthetic:logistic,rows=1000,features=1,noise=0.1,seed=123456789012", "841f27da4dec4408"},
    {"synthetic:logistic,rows=1000,features=33,classes=5", "105b3c4bb4785224"},
    {"synthetic:blobs,rows=1000", "065626637353f756"},
    {"synthetic:blobs,rows=1000,features=16,classes=100,balance=0.5", "3119a59a094901d0"},
    {"synthetic:classification,rows=1000", "df4ea006449c1c27"},
    {"synthetic:classification,rows=1000,features=37,informative=18,redundant=10,classes=4,noise=0.05",
     "63b674462046ca34"},
    {"synthetic:regression,rows=1000,features=15,informative=7", "c94b7bb74b5e8793"},
    {"synthetic:moons,rows=1000", "46db8f65f45632ca"},
    {"synthetic:circles,rows=1000,classes=3,features=5", "738cd1e2049c875b"},
    {"synthetic:spirals,rows=1000,classes=3,turns=1.5", "6dab7036e69500bb"},
    {"synthetic:xor,rows=1000,features=6,informative=3", "0cc4935d7ec64318"},
    {"synthetic:teacher,rows=1000,features=21,hidden=19,layers=3,classes=4", "f0ebf9b058d1eae1"},
    {"synthetic:images,rows=1000", "62e6de575332934c"},
};
enum { GOLDEN_COUNT = sizeof golden / sizeof golden[0], ROWS = 1000 };

/* ---- making ------------------------------------------------------------------------------------------- */

typedef struct made {
    synthetic_source source;
    float *features;
    uint32_t *labels;
    size_t values; /* rows * features */
} made;

static synthetic_source open_source(const char *title) {
    synthetic_request request;
    synthetic_source source;
    tanda_error error = {0};
    cr_assert_eq(synthetic_parse(title, &request, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(synthetic_open(&request, &source, &error), TANDA_OK, "%s", error.message);
    return source;
}

static made make_room(const char *title) {
    made made = {.source = open_source(title)};
    made.values = (size_t)made.source.rows * made.source.data.features;
    made.features = calloc(made.values, sizeof(float));
    made.labels = calloc(made.source.rows, sizeof(uint32_t));
    cr_assert(made.features != NULL && made.labels != NULL);
    return made;
}

static made make(const char *title) {
    made made = make_room(title);
    cr_assert(synthetic_make(&made.source, NULL, 0, made.source.rows, made.features, made.labels));
    return made;
}

static void forget(made *made) {
    free(made->features);
    free(made->labels);
    synthetic_close(&made->source);
}

static bool equal(const made *a, const made *b) {
    return memcmp(a->features, b->features, a->values * sizeof(float)) == 0 &&
           memcmp(a->labels, b->labels, a->source.rows * sizeof(uint32_t)) == 0;
}

/* ---- the same bytes ----------------------------------------------------------------------------------- */

Test(synthetic, values_are_the_recorded_ones) {
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        char digest[DIGEST_TEXT_SIZE];
        made made = make(golden[i].title);
        float *all = realloc(made.features, (made.values + ROWS) * sizeof(float));
        cr_assert_not_null(all);
        made.features = all;
        memcpy(all + made.values, made.labels, ROWS * sizeof(uint32_t));
        digest_sha256(all, (made.values + ROWS) * sizeof(float), digest);
        digest[16] = '\0';
        cr_expect_str_eq(digest, golden[i].digest, "%s: %s", golden[i].title, digest);
        forget(&made);
    }
}

Test(synthetic, every_instruction_set_makes_the_same) {
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        made best = make(golden[i].title);
        for (size_t isa = 0; isa < ISA_COUNT; isa++) {
            made other = make_room(golden[i].title);
            if (synthetic_make(&other.source, isa_names[isa], 0, ROWS, other.features, other.labels))
                cr_expect(equal(&best, &other), "%s: %s differs", golden[i].title, isa_names[isa]);
            forget(&other);
        }
        forget(&best);
    }
}

/* Shapes around the widths at which the host takes another way: lines or rows, classes together or apart. */
static const char *const shapes[] = {
    "synthetic:linear,features=1",
    "synthetic:linear,features=15",
    "synthetic:linear,features=16",
    "synthetic:linear,features=31",
    "synthetic:linear,features=300,noise=0.2",
    "synthetic:logistic,features=16,distribution=uniform",
    "synthetic:logistic,features=47",
    "synthetic:logistic,features=1,classes=3",
    "synthetic:logistic,features=16,classes=32",
    "synthetic:logistic,features=17,classes=33,noise=0.1",
    "synthetic:logistic,features=2,classes=1000",
    "synthetic:regression,features=1",
    "synthetic:regression,features=40,informative=9",
    "synthetic:regression,features=40,informative=17,noise=0",
    "synthetic:blobs,features=1,classes=2",
    "synthetic:blobs,features=65,classes=7",
    "synthetic:classification,features=1,informative=1",
    "synthetic:classification,features=20,redundant=0",
    "synthetic:classification,features=50,informative=32,redundant=18",
    "synthetic:classification,features=50,informative=33,redundant=17",
    "synthetic:classification,features=400,noise=0.1,classes=5",
    "synthetic:moons,features=3,balance=0.25",
    "synthetic:circles,features=2,classes=256",
    "synthetic:spirals,features=9,classes=5,turns=0",
    "synthetic:xor,features=40,informative=32",
    "synthetic:xor,features=40,informative=1",
    "synthetic:teacher,features=1,layers=1,hidden=1",
    "synthetic:teacher,features=33,layers=0,classes=3",
    "synthetic:teacher,features=300,layers=2,hidden=7,classes=9,noise=0.1",
    "synthetic:teacher,features=5,hidden=256,classes=256",
    "synthetic:images,classes=3,noise=0,margin=0",
};
enum { SHAPES = sizeof shapes / sizeof shapes[0], SHAPE_ROWS = 300 };

/* One row as a device makes it (kernels/synthetic.cl). */
static uint32_t make_row(const synthetic_source *source, uint64_t row, float *x) {
    const synthetic *data = &source->data;
    float scratch[SYNTHETIC_SCRATCH];
    for (uint32_t i = 0; i < data->features; i++)
        x[i] =
            synthetic_base(philox_word(data->seed, row * data->features + i, 0, synthetic_stream(LAYER_BASE)),
                           data->is_uniform);
    const philox_words words = philox_block(data->seed, row, 0, synthetic_stream(LAYER_ROW));
    return synthetic_finish(data, source->table, row, words, x, scratch);
}

static void expect_like_rows(const made *whole, const char *title, const char *isa) {
    const size_t features = whole->source.data.features;
    float *x = malloc(features * sizeof *x);
    cr_assert_not_null(x);
    for (size_t i = 0; i < SHAPE_ROWS; i++) {
        const uint32_t label = make_row(&whole->source, i, x);
        cr_assert(memcmp(x, whole->features + i * features, features * sizeof *x) == 0 &&
                      label == whole->labels[i],
                  "%s: row %zu differs with %s", title, i, isa);
    }
    free(x);
}

Test(synthetic, blocks_are_their_rows) {
    for (size_t i = 0; i < SHAPES; i++)
        for (size_t isa = 0; isa < ISA_COUNT; isa++) {
            char title[160];
            snprintf(title, sizeof title, "%s,rows=%d", shapes[i], SHAPE_ROWS);
            made made = make_room(title);
            if (synthetic_make(&made.source, isa_names[isa], 0, SHAPE_ROWS, made.features, made.labels))
                expect_like_rows(&made, title, isa_names[isa]);
            forget(&made);
        }
}

/* Pieces of 1, 2, 3, ... rows, the last ones first, and with skip in place of first. */
Test(synthetic, ranges_are_parts_of_the_whole) {
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        made whole = make(golden[i].title), parts = make_room(golden[i].title);
        const size_t features = whole.source.data.features;
        for (size_t end = ROWS, rows = 1; end > 0; end -= rows, rows = rows < end ? rows + 1 : end) {
            const size_t first = end - rows;
            parts.source.skip = rows % 2 ? first : 0;
            synthetic_make(&parts.source, NULL, rows % 2 ? 0 : first, rows, parts.features + first * features,
                           parts.labels + first);
        }
        cr_expect(equal(&whole, &parts), "%s", golden[i].title);
        forget(&whole);
        forget(&parts);
    }
}

Test(synthetic, rows_far_out_are_made_too) {
    synthetic_source source = open_source("synthetic:logistic,rows=281474976710656,features=7");
    float a[4 * 7], b[2 * 7];
    uint32_t labels[4];
    const uint64_t far = (1ull << 48) - 4;
    synthetic_make(&source, NULL, far, 4, a, labels);
    synthetic_make(&source, "generic", far + 2, 2, b, labels);
    cr_expect_arr_eq(a + 14, b, sizeof b);
    synthetic_close(&source);
}

/* The largest that can be told apart, made alone. */
Test(synthetic, the_last_rows_that_can_be_numbered_are_made) {
    synthetic_source source = open_source("synthetic:linear,rows=17592186044415,features=1048576");
    float *row = malloc((size_t)source.data.features * sizeof *row);
    uint32_t label = 2;
    cr_assert(row != NULL && synthetic_make(&source, NULL, source.rows - 1, 1, row, &label));
    cr_expect(label < 2);
    free(row);
    synthetic_close(&source);
}

/* Rows at random places, made alone. */
static void pick_rows(uint64_t *rows, uint64_t count) {
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = philox_word(7, i, 0, 0) % count;
}

static void expect_like_host(backend *device, const char *title) {
    static uint64_t rows[ROWS];
    tanda_error error = {0};
    made there = make_room(title), here = make_room(title);
    const size_t features = here.source.data.features;
    there.source.skip = here.source.skip = 3;
    pick_rows(rows, 1000000007);
    cr_assert_eq(backend_generate(device, &there.source, rows, ROWS, there.features, there.labels, &error),
                 TANDA_OK, "%s", error.message);
    for (size_t i = 0; i < ROWS; i++)
        synthetic_make(&here.source, NULL, rows[i], 1, here.features + i * features, here.labels + i);
    cr_expect(equal(&there, &here), "%s differs on %s", title, backend_title(device));
    forget(&there);
    forget(&here);
}

Test(synthetic, devices_make_the_hosts_bytes, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    backend *device = open_opencl(NULL), *cpu = open_best_openmp(2);
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        expect_like_host(device, golden[i].title);
        expect_like_host(cpu, golden[i].title);
    }
    tanda_device_close(device);
    tanda_device_close(cpu);
}

/* ---- the functions of random words -------------------------------------------------------------------- */

static double ulp_of(double exact) {
    return ldexp(1.0, ilogb(exact) - 23);
}

/* Newton's method on the distribution in long double, from the answer; sides are mirrored. */
static double reference_normal(uint32_t k, double start) {
    long double low = ((long double)(k < 1u << 23 ? k : (1u << 24) - 1 - k) + 0.5L) / 16777216.0L;
    long double x = -fabsl((long double)start);
    for (int i = 0; i < 3; i++)
        x -= (0.5L * erfcl(-x / sqrtl(2.0L)) - low) * sqrtl(2.0L * (long double)M_PI) * expl(x * x / 2);
    return (double)(k < 1u << 23 ? x : -x);
}

/* Every 7th of the 2^24 inputs, and both ends; the header's bounds come from all of them. */
Test(words, normal_is_within_its_bounds) {
    for (uint32_t k = 0; k < 1u << 24; k += k < 4096 || k > (1u << 24) - 4096 ? 1 : 7) {
        double result = (double)exact_normal(k << 8), exact = reference_normal(k, result);
        cr_assert(fabs(result - exact) <= 5.07 * ulp_of(exact), "%x: %g", k, result);
        cr_assert(exact_normal(k << 8) == -exact_normal(~(k << 8)), "%x is not symmetric", k);
    }
}

Test(words, normal_has_mean_0_and_deviation_1) {
    double sum = 0.0, squares = 0.0;
    for (uint32_t k = 0; k < 1u << 24; k++) {
        double x = (double)exact_normal(k << 8);
        sum += x;
        squares += x * x;
    }
    cr_expect_lt(fabs(sum), 1e-3);
    cr_expect_lt(fabs(squares * 0x1p-24 - 1.0), 1e-6);
}

Test(words, sine_and_cosine_are_within_their_bounds) {
    const uint32_t half_turn = 1u << 23;
    for (uint32_t k = 0; k < 1u << 24; k++) {
        double exact = sin(2.0 * M_PI * ldexp(k, -24)), result = (double)exact_turn_sine(k << 8);
        double error = fabs(result - exact);
        cr_assert(k % half_turn == 0 ? result == 0.0 : error <= 1.69 * ulp_of(exact), "%x: %g", k, result);
        cr_assert(fabs((double)exact_turn_cosine(k << 8) - cos(2.0 * M_PI * ldexp(k, -24))) <= 8.5e-8, "%x",
                  k);
    }
}

Test(words, root_is_within_its_bounds) {
    cr_expect_eq(exact_root(0.0f), 0.0f);
    for (uint32_t bits = 0x3f800000u; bits < 0x40800000u; bits += 3) {
        double exact = sqrt((double)as_real(bits));
        cr_assert_leq(fabs((double)exact_root(as_real(bits)) - exact), 0.501 * ulp_of(exact));
    }
    cr_expect_eq(exact_root(0x1p-100f), 0x1p-50f);
    cr_expect_eq(exact_root(0x1p100f), 0x1p50f);
}

/* ---- what the kinds promise --------------------------------------------------------------------------- */

/* Share of rows with this label. */
static double share(const made *made, uint32_t label) {
    size_t count = 0;
    for (size_t i = 0; i < made->source.rows; i++)
        count += made->labels[i] == label;
    return (double)count / (double)made->source.rows;
}

static double dot(const float *a, const float *b, size_t count) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

Test(kinds, linear_is_separated_by_its_margin) {
    made made = make("synthetic:linear,rows=20000,features=5,margin=0.25");
    for (size_t i = 0; i < made.source.rows; i++) {
        double z = dot(made.features + 5 * i, made.source.table, 5);
        cr_assert(made.labels[i] ? z >= 0.2499 : z <= -0.2499, "row %zu: %g", i, z);
    }
    forget(&made);
}

Test(kinds, noise_flips_that_share_of_the_labels) {
    made made = make("synthetic:linear,rows=100000,features=5,noise=0.2");
    size_t wrong = 0;
    for (size_t i = 0; i < made.source.rows; i++)
        wrong += (dot(made.features + 5 * i, made.source.table, 5) > 0.0) != (made.labels[i] == 1);
    cr_expect_float_eq((double)wrong / 100000.0, 0.2, 0.006, "%zu", wrong);
    forget(&made);
}

/* Among rows whose model says p, the share of ones is p. */
Test(kinds, logistic_draws_its_labels_with_the_models_probability) {
    made made = make("synthetic:logistic,rows=200000,features=9");
    double expected = 0.0, variance = 0.0, ones = 0.0;
    for (size_t i = 0; i < made.source.rows; i++) {
        double p = 1.0 / (1.0 + exp(-dot(made.features + 9 * i, made.source.table, 9)));
        double sign = p > 0.5 ? 1.0 : -1.0;
        expected += sign * p;
        variance += p * (1.0 - p);
        ones += sign * (double)made.labels[i];
    }
    cr_expect_lt(fabs(ones - expected), 5.0 * sqrt(variance), "%g for %g", ones, expected);
    forget(&made);
}

Test(kinds, balance_is_the_share_of_class_0) {
    static const char *const names[] = {"blobs", "classification", "circles", "spirals", "images"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char title[120];
        snprintf(title, sizeof title, "synthetic:%s,rows=20000,classes=5,balance=0.6", names[i]);
        made made = make(title);
        cr_expect_float_eq(share(&made, 0), 0.6, 0.02, "%s", names[i]);
        for (uint32_t c = 1; c < 5; c++)
            cr_expect_float_eq(share(&made, c), 0.1, 0.012, "%s", names[i]);
        forget(&made);
    }
}

Test(kinds, classes_are_balanced_unless_asked_otherwise) {
    static const char *const names[] = {"linear",  "logistic", "blobs", "classification", "moons",
                                        "circles", "spirals",  "xor",   "teacher"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char title[120];
        snprintf(title, sizeof title, "synthetic:%s,rows=20000,classes=2", names[i]);
        made made = make(title);
        cr_expect_float_eq(share(&made, 1), 0.5, 0.02, "%s: %g", names[i], share(&made, 1));
        forget(&made);
    }
}

Test(kinds, all_values_are_finite_and_none_is_minus_zero) {
    for (size_t i = 0; i < GOLDEN_COUNT; i++) {
        char title[160];
        snprintf(title, sizeof title, "%s", golden[i].title);
        made made = make(title);
        for (size_t v = 0; v < made.values; v++)
            cr_assert(isfinite(made.features[v]) && as_natural(made.features[v]) != SIGN_BIT, "%s", title);
        forget(&made);
    }
}

Test(kinds, regression_is_a_weighted_sum) {
    made made = make("synthetic:regression,rows=2000,features=8,noise=0");
    for (size_t i = 0; i < made.source.rows; i++)
        cr_assert_float_eq((double)as_real(made.labels[i]), dot(made.features + 8 * i, made.source.table, 8),
                           1e-5);
    forget(&made);
}
