/*
 * What lies around the program changes no bit: the C library's choice of instructions, the processor's rounding and
 * flushing modes, and functions of libm, of which the library may use only those that round correctly.
 */
#include <dlfcn.h>
#include <link.h>

#include "program.h"
#include "support_checks.h"
#include "train/evaluator.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/* ---- the C library ------------------------------------------------------------------------------------ */

static char *train_digest(const char *data, const char *isa, const char *tunables) {
    if (isa == NULL)
        unsetenv("TANDA_ISA");
    else
        setenv("TANDA_ISA", isa, 1);
    if (tunables == NULL)
        unsetenv("GLIBC_TUNABLES");
    else
        setenv("GLIBC_TUNABLES", tunables, 1);
    json_t *result = RUN_JSON("train", "--data", data, "--hidden", "16,5", "--activation", "tanh", "--epochs",
                              "2", "--batch", "64", "--device", "cpu", "--output", "model.safetensors");
    char *digest = strdup(json_words(result, "weights_sha256"));
    json_decref(result);
    return digest;
}

Test(environment, glibc_without_fma_and_avx2_gives_the_same_weights, .init = enter_folder,
     .fini = leave_folder) {
    static const char *const files[] = {IRIS, BREAST_CANCER, DIGITS,
                                        TANDA_SOURCE_DIR "/datasets/perceptron.csv"};
    static const char *const isas[] = {NULL, "generic"};
    static const char *const tunables[] = {NULL, "glibc.cpu.hwcaps=-FMA,-AVX2,-FMA_Usable,-AVX2_Usable"};
    if (*TANDA_PROGRAM == '\0') {
        fprintf(stderr, "SKIPPED: the program is not part of this build\n");
        return;
    }
    use_opencl("");
    for (size_t file = 0; file < sizeof files / sizeof *files; file++) {
        char *expected = train_digest(files[file], NULL, NULL);
        for (size_t i = 0; i < 4; i++) {
            char *digest = train_digest(files[file], isas[i % 2], tunables[i / 2]);
            cr_expect_str_eq(digest, expected, "%s, TANDA_ISA=%s, GLIBC_TUNABLES=%s", files[file],
                             i % 2 == 0 ? "" : isas[1], i / 2 == 0 ? "" : tunables[1]);
            free(digest);
        }
        free(expected);
    }
    unsetenv("GLIBC_TUNABLES");
    forget_opencl();
}

/* ---- libm --------------------------------------------------------------------------------------------- */

#define MOST_NAMES 8192

/* A symbol and, in an archive, the object that has it: "libtanda.a:plan.c.o". */
typedef struct symbol {
    char object[256], name[64];
} symbol;

/* What `nm -A` prints: "FILE[:OBJECT]: [VALUE] KIND NAME[@VERSION]". */
static size_t read_symbols(const char *command, symbol *symbols) {
    FILE *output = popen(command, "r");
    char line[1024];
    size_t count = 0;
    cr_assert_not_null(output);
    while (fgets(line, sizeof line, output) != NULL) {
        char *name = strrchr(line, ' ');
        if (name == NULL) continue;
        snprintf(symbols[count].name, sizeof symbols->name, "%.*s", (int)strcspn(name + 1, "@\n"), name + 1);
        snprintf(symbols[count].object, sizeof symbols->object, "%.*s", (int)strcspn(line, " "), line);
        cr_assert_lt(++count, MOST_NAMES);
    }
    cr_assert_eq(pclose(output), 0, "%s failed", command);
    return count;
}

static bool has_symbol(const char *name, const symbol *symbols, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, symbols[i].name) == 0) return true;
    return false;
}

/* IEEE-754 rounds these correctly, so every processor gives the same bits. */
static bool is_allowed(const char *name) {
    return strcmp(name, "fma") == 0 || strcmp(name, "fmaf") == 0 || strcmp(name, "sqrt") == 0;
}

/* Objects of host/verify judge trainings in double precision; nothing of theirs reaches one. */
static bool is_of_verify(const symbol *symbol) {
    char path[600], file[256];
    const char *object = strrchr(symbol->object, ':');
    while (object > symbol->object && object[-1] != ':')
        object--; /* before the last ':' */
    snprintf(file, sizeof file, "%.*s", (int)strcspn(object, ":"), object);
    char *suffix = strstr(file, ".c.o");
    if (suffix == NULL) return false;
    suffix[strlen(".c")] = '\0';
    snprintf(path, sizeof path, TANDA_SOURCE_DIR "/host/verify/%s", file);
    return access(path, R_OK) == 0;
}

/* Where the loader has found libm. */
static const char *libm_path(void) {
    void *library = dlopen("libm.so.6", RTLD_LAZY);
    struct link_map *map = NULL;
    cr_assert_not_null(library, "%s", dlerror());
    cr_assert_eq(dlinfo(library, RTLD_DI_LINKMAP, &map), 0);
    return map->l_name;
}

Test(environment, library_takes_only_correctly_rounded_functions_from_libm) {
    static symbol of_libm[MOST_NAMES], imported[MOST_NAMES];
    char command[600];
    snprintf(command, sizeof command, "nm -A -D --defined-only '%s'", libm_path());
    size_t libm_count = read_symbols(command, of_libm);
    size_t count = read_symbols("nm -A -u '" TANDA_LIBRARY "'", imported);
    cr_assert(has_symbol("exp", of_libm, libm_count) && has_symbol("tanhf", of_libm, libm_count),
              "%s tells nothing", command);
    cr_assert(has_symbol("memcpy", imported, count), "nm -u " TANDA_LIBRARY " tells nothing");
    for (size_t i = 0; i < count; i++)
        cr_expect(is_allowed(imported[i].name) || !has_symbol(imported[i].name, of_libm, libm_count) ||
                      is_of_verify(&imported[i]),
                  "%s calls libm's %s, whose bits depend on the processor", imported[i].object,
                  imported[i].name);
}

/* ---- the processor's modes ---------------------------------------------------------------------------- */

#if defined(__SSE__)

#define FLUSH_TO_ZERO 0x8000u
#define DENORMALS_ARE_ZERO 0x0040u
#define ROUND_UP 0x4000u
#define MODE_BITS 0xffc0u /* all but the six flags of exceptions */

static const unsigned strays[] = {FLUSH_TO_ZERO, DENORMALS_ARE_ZERO, FLUSH_TO_ZERO | DENORMALS_ARE_ZERO,
                                  ROUND_UP};

/* values = magnitude of values * scale */
static void make_positive(float *values, size_t count, float scale) {
    for (size_t i = 0; i < count; i++)
        values[i] = (values[i] < 0.0f ? -values[i] : values[i]) * scale;
}

/*
 * Features near 2^-110 times weights near 2^-26 make subnormal hidden sums; the next weights lift them to 2^-97, above
 * flush_tiny, and a learning rate of 2^-70 brings them into the biases, which are subnormal again.
 */
static void train_on_subnormals(size_t threads, unsigned stray, char digest[TANDA_DIGEST_SIZE]) {
    static const network network = {3000,
                                    30,
                                    2,
                                    {17, 1},
                                    {ACTIVATION_IDENTITY, ACTIVATION_IDENTITY},
                                    LOSS_MSE,
                                    TANDA_TASK_REGRESSION,
                                    CONTENT_REAL};
    const tanda_train_options options = {
        .size = sizeof options, .epochs = 2, .batch_rows = 700, .learning_rate = 0x1p-70, .seed = 3};
    tanda_train_result result;
    problem problem = problem_create(&network);
    const layer *layers = problem.model->layers;
    make_positive(problem.dataset.owned, network.rows * network.features, 0x1p-110f);
    make_positive(problem.model->parameters + layers[0].weight, 30 * 17, 0x1p-25f);
    make_positive(problem.model->parameters + layers[1].weight, 17, 0x1p34f);
    memset(problem.dataset.targets, 0, network.rows * sizeof(float));
    for (size_t l = 0; l < 2; l++)
        memset(problem.model->parameters + layers[l].bias, 0, network.units[l] * sizeof(float));
    backend *backend = open_best_openmp(threads);
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | stray);
    MUST(tanda_train(backend, problem.model, &problem.dataset, NULL, &options, &result, error));
    unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    cr_expect_eq(after & MODE_BITS, (before | stray) & MODE_BITS, "MXCSR was %#x, is %#x", before | stray,
                 after);
    cr_assert(problem.model->parameters[layers[0].bias] < 0.0f, "nothing subnormal was learnt");
    model_digest(problem.model, digest);
    tanda_device_close(backend);
    problem_free(&problem);
}

Test(environment, stray_modes_of_the_processor_change_no_bit_and_are_kept) {
    char expected[TANDA_DIGEST_SIZE], digest[TANDA_DIGEST_SIZE];
    train_on_subnormals(1, 0, expected);
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++)
        for (size_t threads = 1; threads <= 3; threads += 2) {
            train_on_subnormals(threads, strays[i], digest);
            cr_expect_str_eq(digest, expected, "MXCSR with %#x, %zu threads", strays[i], threads);
        }
}

/* The self-test judges the device, not the mode that a fast-math library left behind (coding rule 10). */
Test(environment, stray_modes_of_the_processor_change_no_grade, .fini = forget_opencl) {
    const tanda_device_options options = {.size = sizeof options, .device = "cpu"};
    use_opencl("");
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        tanda_error error = {0};
        backend *backend = NULL;
        unsigned before = _mm_getcsr();
        _mm_setcsr(before | strays[i]);
        tanda_status status = tanda_device_open(&options, &backend, NULL, &error);
        _mm_setcsr(before);
        cr_expect_eq(status, TANDA_OK, "MXCSR with %#x: %s", strays[i], error.message);
        if (status == TANDA_OK) tanda_device_close(backend);
    }
}

#endif
