/* From a request to rows: defaults, checks, the table, and the loops of the best instruction set. */
#include "data/synthetic.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/isa/synthetic_rows.h"
#include "support/memory.h"
#include "support/parallel.h"

#define DEFAULT_ROWS 10000
#define DEFAULT_HIDDEN 32
#define DEFAULT_LAYERS 2
#define DEFAULT_TURNS 1.0f
#define TURN_UNITS 256.0f
#define XOR_MOST 32
#define TABLE_MOST (1u << 28)
#define GRAIN_VALUES 65536 /* features that a thread makes at a time */

static uint64_t whole_or(const synthetic_request *request, synthetic_key key, uint64_t otherwise) {
    return request->given & KEY_BIT(key) ? request->whole[key] : otherwise;
}

static float real_or(const synthetic_request *request, synthetic_key key, float otherwise) {
    return request->given & KEY_BIT(key) ? request->real[key] : otherwise;
}

static tanda_status check(const synthetic_request *request, const synthetic_source *source,
                          tanda_error *error) {
    const synthetic *data = &source->data;
    const uint64_t rows = source->skip + source->rows + source->test_rows;
    size_t values = 0;
    const synthetic_kind_row *kind = &synthetic_kinds[request->kind];
    if (kind->noise_is_share && data->noise > 1.0f)
        return fail(error, TANDA_USAGE, "%s: noise: %g is no share of the labels, from 0 to 1",
                    request->title, (double)data->noise);
    if (data->features < kind->features.least || data->features > kind->features.most)
        return fail(error, TANDA_USAGE, "%s: features: %u is not from %" PRIu64 " to %" PRIu64,
                    request->title, data->features, kind->features.least, kind->features.most);
    if (data->classes > kind->classes_most)
        return fail(error, TANDA_USAGE, "%s: classes: %u are too many; at most %" PRIu64, request->title,
                    data->classes, kind->classes_most);
    if (data->informative > data->features || data->redundant > data->features - data->informative)
        return fail(error, TANDA_USAGE,
                    "%s: %u informative and %u redundant columns do not fit in %u features", request->title,
                    data->informative, data->redundant, data->features);
    if (request->kind == SYNTHETIC_XOR && data->informative > XOR_MOST)
        return fail(error, TANDA_USAGE, "%s: informative: %u is more than %d", request->title,
                    data->informative, XOR_MOST);
    /* every value has a number of its own, and so has every class of a row: counting them must not come around */
    if (multiply_overflows(rows, data->features > data->classes ? data->features : data->classes, &values))
        return fail(error, TANDA_USAGE,
                    "%s: %" PRIu64
                    " rows (with skip and test-rows) of %u features and %u classes are more than can "
                    "be told apart",
                    request->title, rows, data->features, data->classes);
    if (source->table_size > TABLE_MOST)
        return fail(error, TANDA_USAGE,
                    "%s: %u features and %u classes share a table of %zu numbers; at most %zu",
                    request->title, data->features, data->classes, source->table_size, (size_t)TABLE_MOST);
    return TANDA_OK;
}

/* share * 2^32; all of them is one less. */
static uint32_t share_of(double share) {
    double scaled = share * 0x1p32;
    return scaled >= 0x1p32 ? UINT32_MAX : (uint32_t)scaled;
}

static void describe(const synthetic_request *request, synthetic_source *source) {
    const synthetic_kind_row *kind = &synthetic_kinds[request->kind];
    synthetic *data = &source->data;
    data->seed = request->whole[KEY_SEED];
    data->kind = (uint)request->kind;
    data->features = (uint)whole_or(request, KEY_FEATURES, kind->features.usual);
    data->classes = (uint)whole_or(request, KEY_CLASSES, kind->classes);
    const bool is_mixed = request->kind == SYNTHETIC_CLASSIFICATION;
    const uint64_t informative = is_mixed                         ? ((uint64_t)data->features + 1) / 2
                                 : request->kind == SYNTHETIC_XOR ? 2
                                                                  : data->features;
    data->informative = (uint)whole_or(request, KEY_INFORMATIVE, informative);
    data->redundant =
        (uint)whole_or(request, KEY_REDUNDANT, is_mixed ? (data->features - data->informative) / 2 : 0);
    data->hidden = (uint)whole_or(request, KEY_HIDDEN, DEFAULT_HIDDEN);
    data->layers = (uint)whole_or(request, KEY_LAYERS, DEFAULT_LAYERS);
    data->turns = (uint)(real_or(request, KEY_TURNS, DEFAULT_TURNS) * TURN_UNITS);
    data->is_uniform = (uint)request->whole[KEY_DISTRIBUTION];
    data->noise = real_or(request, KEY_NOISE, kind->noise);
    data->separation = real_or(request, KEY_SEPARATION, kind->separation);
    data->margin = real_or(request, KEY_MARGIN, kind->margin);
    if (data->classes > 0) {
        data->arm_step = share_of(1.0 / data->classes);
        data->first_share = request->given & KEY_BIT(KEY_BALANCE)
                                ? share_of((double)request->real[KEY_BALANCE])
                                : share_of(1.0 / data->classes);
    }
    source->rows = whole_or(request, KEY_ROWS, DEFAULT_ROWS);
    source->test_rows = request->whole[KEY_TEST_ROWS];
    source->skip = request->whole[KEY_SKIP];
}

static size_t size_of_table(const synthetic *data) {
    const size_t classes = data->classes, features = data->features;
    switch ((enum synthetic_kind)data->kind) {
    case SYNTHETIC_LINEAR:
        return features;
    case SYNTHETIC_LOGISTIC:
        return (classes == 2 ? 1 : classes) * features;
    case SYNTHETIC_BLOBS:
        return classes * features;
    case SYNTHETIC_CLASSIFICATION:
        return (classes + data->redundant) * data->informative;
    case SYNTHETIC_REGRESSION:
        return data->informative;
    case SYNTHETIC_CIRCLES:
        return classes;
    case SYNTHETIC_TEACHER: /* its sizes are bounded, so nothing overflows */
        return data->layers == 0
                   ? features * classes
                   : data->hidden * (features + (size_t)(data->layers - 1) * data->hidden + classes);
    case SYNTHETIC_IMAGES:
        return classes * STROKE_NUMBERS;
    default:
        return 1;
    }
}

static uint32_t table_word(const synthetic *data, size_t index) {
    return philox_word(data->seed, index, 0, synthetic_stream(LAYER_TABLE));
}

static void fill_normal(const synthetic *data, float *table, size_t first, size_t end, float scale) {
    for (size_t i = first; i < end; i++)
        table[i] = exact_normal(table_word(data, i)) * scale;
}

/* Uniform around the middle. */
static void fill_uniform(const synthetic *data, float *table, size_t size, float middle, float radius) {
    for (size_t i = 0; i < size; i++)
        table[i] = fused(radius, signed_uniform(table_word(data, i)), middle);
}

/* Each of `count` vectors of `size` gets this length. */
static void set_lengths(float *vectors, size_t count, uint size, float length) {
    for (size_t v = 0; v < count; v++) {
        float *vector = vectors + v * size;
        float scale = length * exact_reciprocal(exact_root(synthetic_dot(vector, vector, size, 0.0f)));
        for (uint i = 0; i < size; i++)
            vector[i] *= scale;
    }
}

/* Scaled by 1 / sqrt(inputs), so that the hidden units stay of one size. */
static void fill_teacher(const synthetic *data, float *table) {
    size_t at = 0;
    uint inputs = data->features;
    for (uint layer = 0; layer <= data->layers; layer++) {
        const uint outputs = layer < data->layers ? data->hidden : data->classes;
        const size_t end = at + (size_t)inputs * outputs;
        fill_normal(data, table, at, end, 1.5f * exact_reciprocal(exact_root((float)inputs)));
        at = end;
        inputs = outputs;
    }
}

static void fill_table(const synthetic *data, float *table, size_t size) {
    const size_t centres = (size_t)data->classes * data->informative; /* of a classification */
    switch ((enum synthetic_kind)data->kind) {
    case SYNTHETIC_LINEAR:
    case SYNTHETIC_LOGISTIC:
        fill_normal(data, table, 0, size, 1.0f);
        set_lengths(table, size / data->features, data->features,
                    data->kind == SYNTHETIC_LINEAR ? 1.0f : data->separation);
        break;
    case SYNTHETIC_BLOBS:
        fill_uniform(data, table, size, 0.0f, data->separation);
        break;
    case SYNTHETIC_CLASSIFICATION:
        fill_normal(data, table, 0, centres, data->separation);
        fill_normal(data, table, centres, size, 1.0f);
        set_lengths(table + centres, data->redundant, data->informative, 1.0f);
        break;
    case SYNTHETIC_REGRESSION:
        fill_normal(data, table, 0, size, 1.0f);
        break;
    case SYNTHETIC_CIRCLES:
        for (size_t c = 0; c < size; c++)
            table[c] = (float)(c + 1) / (float)size;
        break;
    case SYNTHETIC_TEACHER:
        fill_teacher(data, table);
        break;
    case SYNTHETIC_IMAGES:
        fill_uniform(data, table, size, 13.5f, 9.0f);
        break;
    default:
        break;
    }
}

tanda_status synthetic_open(const synthetic_request *request, synthetic_source *source, tanda_error *error) {
    *source = (synthetic_source){0};
    describe(request, source);
    source->table_size = size_of_table(&source->data);
    tanda_status status = check(request, source, error);
    if (status != TANDA_OK) return status;
    status = allocate(&source->table, source->table_size, sizeof *source->table, "what synthetic rows share",
                      error);
    if (status == TANDA_OK) fill_table(&source->data, source->table, source->table_size);
    return status;
}

void synthetic_close(synthetic_source *source) {
    free(source->table);
    *source = (synthetic_source){0};
}

static synthetic_rows_function *find_isa(const char *isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool v3 =
        __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512cd");
    if (isa == NULL) return v4 ? synthetic_rows_v4 : v3 ? synthetic_rows_v3 : synthetic_rows_generic;
    if (strcmp(isa, "x86-64-v4") == 0) return v4 ? synthetic_rows_v4 : NULL;
    if (strcmp(isa, "x86-64-v3") == 0) return v3 ? synthetic_rows_v3 : NULL;
#endif
    return isa == NULL || strcmp(isa, "generic") == 0 ? synthetic_rows_generic : NULL;
}

typedef struct making {
    const synthetic_source *source;
    synthetic_rows_function *make;
    uint64_t first;
    float *features;
    uint32_t *labels;
} making;

static void make_range(void *context, size_t first, size_t end) {
    const making *work = context;
    const synthetic *data = &work->source->data;
    work->make(data, work->source->table, work->source->skip + work->first + first, end - first,
               work->features + first * data->features, work->labels + first);
}

bool synthetic_make(const synthetic_source *source, const char *isa, uint64_t first, size_t rows,
                    float *features, uint32_t *labels) {
    making work = {source, find_isa(isa), first, features, labels};
    if (work.make == NULL) return false;
    parallel_ranges(rows, GRAIN_VALUES / source->data.features + 1, make_range, &work);
    return true;
}

void synthetic_make_here(const synthetic_source *source, uint64_t first, size_t rows, float *features,
                         uint32_t *labels) {
    making work = {source, find_isa(NULL), first, features, labels};
    make_range(&work, 0, rows);
}
