#include "backend/selftest.h"

#include <stdlib.h>
#include <string.h>

#include "backend/session.h"
#include "kernels/philox.h"
#include "kernels/probe.h"
#include "support/memory.h"

#define PATTERNS 65536
#define EXPECTED_FUNCTIONS UINT64_C(0xa6da7e1ce9b498b1)
#define EXPECTED_TRAINING UINT64_C(0x2ff1210739a4ca63)

/* ---- single operations -------------------------------------------------------------------------------- */

/* One call of a probe function: inputs and the answer, as bits. */
typedef struct operation {
    const char *name;
    unsigned function;
    uint32_t a, b, c;
    uint32_t expected;
    bool subnormal; /* a miss of these alone gives the middle grade */
} operation;

#define BITS_ONE 0x3f800000u
#define BITS_HALF 0x3f000000u
#define BITS_TWO 0x40000000u
#define BITS_LEAST_NORMAL 0x00800000u
#define BITS_HALF_LEAST 0x00400000u
#define BITS_MINUS_ZERO 0x80000000u
#define BITS_NAN 0x7fc00000u
#define BITS_INFINITY 0x7f800000u

static const operation operations[] = {
    /* (1 + 2^-12)^2 - (1 + 2^-11) = 2^-24; unfused it would be 0 */
    {"fma is fused", PROBE_fused, 0x3f800800, 0x3f800800, 0xbf801000, 0x33800000, false},
    {"ties round to even below", PROBE_add, BITS_ONE, 0x33800000, 0, BITS_ONE, false},
    {"ties round to even above", PROBE_add, BITS_ONE, 0x34400000, 0, 0x3f800002, false},
    {"products round to nearest", PROBE_multiply, 0x3f800001, 0x3f800001, 0, 0x3f800002, false},
    {"integers convert to nearest", PROBE_from_integer, 0x01000001, 0, 0, 0x4b800000, false},
    {"-0 is kept by a product", PROBE_multiply, BITS_MINUS_ZERO, BITS_ONE, 0, BITS_MINUS_ZERO, false},
    {"-0 is kept by a sum", PROBE_add, BITS_MINUS_ZERO, BITS_MINUS_ZERO, 0, BITS_MINUS_ZERO, false},
    {"canonical makes +0", PROBE_canonical, BITS_MINUS_ZERO, 0, 0, 0, false},
    {"flush_tiny makes +0", PROBE_flush_tiny, 0x8d000000, 0, 0, 0, false},
    {"infinity times 0 is NaN", PROBE_multiply, BITS_INFINITY, 0, 0, BITS_NAN, false},
    {"NaN times 0 is NaN", PROBE_multiply, BITS_NAN, 0, 0, BITS_NAN, false},
    {"NaN passes canonical", PROBE_canonical, BITS_NAN, 0, 0, BITS_NAN, false},
    {"NaN passes ReLU", PROBE_relu, BITS_NAN, 0, 0, BITS_NAN, false},
    {"sums overflow to infinity", PROBE_add, 0x7f7fffff, 0x7f7fffff, 0, BITS_INFINITY, false},
    {"subnormal product", PROBE_multiply, BITS_LEAST_NORMAL, BITS_HALF, 0, BITS_HALF_LEAST, true},
    {"subnormal factor", PROBE_multiply, BITS_HALF_LEAST, BITS_TWO, 0, BITS_LEAST_NORMAL, true},
    {"subnormal sum", PROBE_add, BITS_HALF_LEAST, 0x00000001, 0, 0x00400001, true},
    {"subnormal from fma", PROBE_fused, BITS_LEAST_NORMAL, BITS_HALF, 0, BITS_HALF_LEAST, true},
    {"subnormal into fma", PROBE_fused, BITS_HALF_LEAST, BITS_TWO, 0, BITS_LEAST_NORMAL, true},
    {"subnormal added by fma", PROBE_fused, BITS_LEAST_NORMAL, BITS_ONE, 0x00000001, 0x00800001, true},
};

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Any NaN counts as one: sign and payload are not promised by IEEE-754. */
static uint32_t to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (bits & 0x7fffffffu) > BITS_INFINITY ? BITS_NAN : bits;
}

/* Keeps the worst grade and the probe that led to it. */
static void miss(backend *backend, const char *probe, bool subnormal) {
    tanda_grade grade = subnormal ? TANDA_GRADE_EXACT_BUT_SUBNORMALS : TANDA_GRADE_FAST_ONLY;
    if (grade <= backend->grade) return;
    backend->grade = grade;
    backend->missed_probe = probe;
}

static tanda_status run_operations(backend *backend, tanda_error *error) {
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        const operation *operation = &operations[i];
        float a[16], b[16], c[16], result[16];
        for (int lane = 0; lane < 16; lane++) {
            a[lane] = from_bits(operation->a);
            b[lane] = from_bits(operation->b);
            c[lane] = from_bits(operation->c);
        }
        tanda_status status = backend_probe(backend, operation->function, 16, a, b, c, result, error);
        if (status != TANDA_OK) return status;
        for (int lane = 0; lane < 16; lane++)
            if (to_bits(result[lane]) != operation->expected)
                miss(backend, operation->name, operation->subnormal);
    }
    return TANDA_OK;
}

/* ---- functions ---------------------------------------------------------------------------------------- */

/* FNV-1a, 64 bits. */
static uint64_t hash_values(uint64_t hash, const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = to_bits(values[i]);
        for (int byte = 0; byte < 4; byte++)
            hash = (hash ^ (bits >> 8 * byte & 0xff)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

#define HASH_START UINT64_C(0xcbf29ce484222325)

static tanda_status hash_functions(backend *backend, uint64_t *hash, tanda_error *error) {
    static const unsigned functions[] = {PROBE_reciprocal, PROBE_sqrt,    PROBE_rsqrt,
                                         PROBE_exp,        PROBE_log,     PROBE_log1p,
                                         PROBE_tanh,       PROBE_sigmoid, PROBE_softplus};
    float *values = NULL;
    tanda_status status = allocate(&values, 2 * PATTERNS, sizeof *values, "self-test", error);
    if (status != TANDA_OK) return status;
    float *result = values + PATTERNS;
    /* Every 65,537th bit pattern, but for subnormals, which the operations above judge. */
    for (uint32_t i = 0; i < PATTERNS; i++) {
        uint32_t bits = i * 65537u;
        if ((bits & 0x7f800000u) == 0) bits &= 0x80000000u;
        values[i] = from_bits(bits);
    }
    *hash = HASH_START;
    for (size_t i = 0; status == TANDA_OK && i < sizeof functions / sizeof *functions; i++) {
        status = backend_probe(backend, functions[i], PATTERNS, values, values, values, result, error);
        if (status == TANDA_OK) *hash = hash_values(*hash, result, PATTERNS);
    }
    free(values);
    return status;
}

/* ---- a small training --------------------------------------------------------------------------------- */

#define TRAINING_ROWS 301
#define TRAINING_FEATURES 19
#define TRAINING_CLASSES 3
#define TRAINING_STEPS 3

static void fill_rows(float *values, int32_t *classes) {
    for (size_t i = 0; i < TRAINING_ROWS * TRAINING_FEATURES; i++)
        values[i] = (float)((i * 40503u >> 3) % 512) * 0x1p-8f - 1.0f;
    for (size_t i = 0; i < TRAINING_ROWS; i++)
        classes[i] = (int32_t)((i * 7 + i / 5) % TRAINING_CLASSES);
}

/* Shuffled batches of a full and a ragged tile; the model ends with the weights. */
static tanda_status run_training(backend *backend, tanda_model *model, const row_arrays *arrays,
                                 tanda_error *error) {
    const plan_options plan = {.training = true};
    const program_options program = {.batch_rows = 290, .shuffle = true, .seed = 7, .learning_rate = 0.125f};
    resident rows = {0};
    session session = {0};
    float *packed = NULL;
    tanda_status status = resident_create(backend, arrays, &rows, error);
    if (status == TANDA_OK) status = session_create(model, &rows, &plan, &program, NULL, &session, error);
    if (status == TANDA_OK)
        status = allocate(&packed, session.plan->parameter_count, sizeof *packed, "self-test", error);
    if (status == TANDA_OK) status = session_run(&session, 0, TRAINING_STEPS, NULL, true, error);
    if (status == TANDA_OK) status = session_read_parameters(&session, packed, error);
    if (status == TANDA_OK) plan_unpack(session.plan, packed, model->parameters);
    session_free(&session);
    resident_free(&rows);
    free(packed);
    return status;
}

static tanda_status hash_training(backend *backend, uint64_t *hash, tanda_error *error) {
    float *values = NULL;
    int32_t *classes = NULL;
    tanda_model *model = NULL;
    /* Layers wide and narrow, two activations. */
    static const size_t units[] = {17, 5, TRAINING_CLASSES};
    static const activation activations[] = {ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX};
    tanda_status status = model_create(TRAINING_FEATURES, 3, NULL, units, activations,
                                       LOSS_CATEGORICAL_CROSSENTROPY, TANDA_TASK_CLASSES, &model, error);
    if (status == TANDA_OK) model_initialise(model, 12);
    if (status == TANDA_OK)
        status = allocate(&values, TRAINING_ROWS * TRAINING_FEATURES, sizeof *values, "self-test", error);
    if (status == TANDA_OK) status = allocate(&classes, TRAINING_ROWS, sizeof *classes, "self-test", error);
    const row_arrays arrays = {.rows = TRAINING_ROWS,
                               .features = TRAINING_FEATURES,
                               .targets = 1,
                               .values = values,
                               .labels = classes};
    if (status == TANDA_OK) fill_rows(values, classes);
    if (status == TANDA_OK) status = run_training(backend, model, &arrays, error);
    if (status == TANDA_OK) *hash = hash_values(HASH_START, model->parameters, model->parameter_count);
    free(values);
    free(classes);
    tanda_model_free(model);
    return status;
}

tanda_status selftest_run(backend *backend, selftest_hashes *hashes, tanda_error *error) {
    selftest_hashes found = {0, 0};
    backend->grade = TANDA_GRADE_EXACT;
    backend->missed_probe = "";
    tanda_status status = run_operations(backend, error);
    if (status == TANDA_OK) status = hash_functions(backend, &found.functions, error);
    if (status == TANDA_OK) status = hash_training(backend, &found.training, error);
    if (status != TANDA_OK) return status;
    if (found.functions != EXPECTED_FUNCTIONS) miss(backend, "hash of the exact functions", false);
    if (found.training != EXPECTED_TRAINING) miss(backend, "hash of a small training", false);
    if (hashes != NULL) *hashes = found;
    return TANDA_OK;
}
