/* The self-test at start: who passes it with which grade, and that it notices damaged kernels. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/selftest.h"
#include "support_checks.h"
#include "support_lockstep.h"

/* What every exact device gives; a change of these is a change of the contract. */
#define HASH_OF_FUNCTIONS UINT64_C(0xa6da7e1ce9b498b1)
#define HASH_OF_TRAINING UINT64_C(0x2ff1210739a4ca63)

TestSuite(selftest, .fini = forget_opencl);

/* ---- grades ------------------------------------------------------------------------------------------- */

static void expect_grade(backend *backend, tanda_grade grade, const char *missed) {
    selftest_hashes hashes = {0, 0};
    const char *probe = NULL;
    MUST(selftest_run(backend, &hashes, error));
    cr_expect_eq(tanda_device_grade(backend, &probe), grade, "%s: grade %d, missed '%s'",
                 backend_title(backend), (int)tanda_device_grade(backend, NULL), probe);
    cr_expect_not_null(strstr(probe, missed), "%s missed '%s'", backend_title(backend), probe);
    cr_expect_eq(hashes.functions, HASH_OF_FUNCTIONS, "%s: functions hash %#zx", backend_title(backend),
                 (size_t)hashes.functions);
    cr_expect_eq(hashes.training, HASH_OF_TRAINING, "%s: training hash %#zx", backend_title(backend),
                 (size_t)hashes.training);
    if (grade == TANDA_GRADE_EXACT) cr_expect_str_eq(probe, "");
}

Test(selftest, openmp_is_exact_on_every_instruction_set) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_openmp(isa_names[i], 2);
        if (backend == NULL) continue;
        expect_grade(backend, TANDA_GRADE_EXACT, "");
        tanda_device_close(backend);
    }
}

Test(selftest, pocl_is_exact) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    expect_grade(backend, TANDA_GRADE_EXACT, "");
    tanda_device_close(backend);
}

/* The weights of a small training must be OpenMP's: on ordinary numbers rusticl is as exact as others. */
static void expect_weights_of_openmp(backend *backend) {
    static const network network = {150,
                                    7,
                                    2,
                                    {19, 3},
                                    {ACTIVATION_TANH, ACTIVATION_SOFTMAX},
                                    LOSS_CATEGORICAL_CROSSENTROPY,
                                    TANDA_TASK_CLASSES,
                                    CONTENT_REAL};
    const step_options options = {.batch_rows = 64, .shuffle = true, .seed = 5};
    problem problem = problem_create(&network);
    char expected[TANDA_DIGEST_SIZE], digest[TANDA_DIGEST_SIZE];
    struct tanda_device *openmp = open_best_openmp(1);
    digest_after(openmp, &problem, &options, 6, expected);
    digest_after(backend, &problem, &options, 6, digest);
    cr_expect_str_eq(digest, expected, "%s", backend_title(backend));
    tanda_device_close(openmp);
    problem_free(&problem);
}

/* One test for all of it: opening this device takes long. */
Test(selftest, rusticl_is_exact_but_for_subnormals_and_taken_only_on_request) {
    tanda_device_options options = {.size = sizeof options, .device = "opencl", .require_device = true};
    tanda_error error = {0};
    backend *backend = NULL;
    if (!use_opencl("rusticl")) return;
    cr_assert_eq(tanda_device_open(&options, &backend, NULL, &error), TANDA_DEVICE, "%s", error.message);
    cr_expect_not_null(strstr(error.message, "subnormals"), "%s", error.message);
    cr_expect_not_null(strstr(error.message, "--accept-flush"), "%s", error.message);
    options.accept_flush = true;
    cr_assert_eq(tanda_device_open(&options, &backend, NULL, &error), TANDA_OK, "%s", error.message);
    expect_grade(backend, TANDA_GRADE_EXACT_BUT_SUBNORMALS, "subnormal");
    expect_weights_of_openmp(backend);
    tanda_device_close(backend);
}

/* ---- damaged kernels ---------------------------------------------------------------------------------- */

/* Damage that still builds, and the probe that notices it. */
static const struct {
    const char *name;
    edit edit;
    const char *probe;
} damages[] = {
    {"reciprocal",
     {"exact.h", "return fused(y, fused(-m, y, 1.0f), y);\n}\n\n/*\n * 1 / d.",
      "return y;\n}\n\n/*\n * 1 / d."},
     "hash of the exact functions"},
    {"lanes", {"tile.h", "x.lo + x.hi", "x.even + x.odd"}, "hash of a small training"},
    {"unfused",
     {"portable.h", "fma((real)(a), (real)(b), (real)(c))", "((real)(a) * (real)(b) + (real)(c))"},
     "fma is fused"},
};

/* Exact mode must refuse the device and say why. Single ops show it, too, and are compiled in a third of the time. */
static void expect_refusal(const char *folder, const char *probe) {
    const tanda_device_options options = {.size = sizeof options,
                                          .device = "opencl",
                                          .executor = "ops",
                                          .require_device = true,
                                          .accept_flush = true,
                                          .kernel_folder = folder};
    tanda_error error = {0};
    backend *backend = NULL;
    cr_expect_eq(tanda_device_open(&options, &backend, NULL, &error), TANDA_DEVICE);
    cr_expect_not_null(strstr(error.message, probe), "%s", error.message);
}

Test(selftest, damaged_kernels_are_only_good_for_fast_and_the_probe_is_named) {
    if (!use_opencl("pocl")) return;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const char *probe = NULL, *folder = damaged_kernels(damages[i].name, &damages[i].edit, 1);
        backend *backend = open_opencl(folder);
        backend->executor = "ops";
        MUST(selftest_run(backend, NULL, error));
        cr_expect_eq(tanda_device_grade(backend, &probe), TANDA_GRADE_FAST_ONLY, "damage '%s' is not noticed",
                     damages[i].name);
        cr_expect_str_eq(probe, damages[i].probe, "damage '%s' is noticed by '%s'", damages[i].name, probe);
        tanda_device_close(backend);
        if (i == 0) expect_refusal(folder, damages[i].probe);
    }
}

/* Kernels that do not build. */
static const char *broken_kernels(void) {
    static const edit broken = {"update.cl", "if (apply_update(", "if (no_such_function("};
    return damaged_kernels("broken", &broken, 1);
}

Test(selftest, kernels_that_do_not_build_give_one_line_with_the_compilers_error) {
    tanda_error error = {0};
    backend *backend = NULL;
    if (!use_opencl("pocl")) return;
    const tanda_device_options options = {.size = sizeof options,
                                          .device = "opencl",
                                          .require_device = true,
                                          .kernel_folder = broken_kernels()};
    cr_assert_eq(tanda_device_open(&options, &backend, NULL, &error), TANDA_DEVICE);
    cr_expect_not_null(strstr(error.message, "no_such_function"), "%s", error.message);
    cr_expect_not_null(strstr(error.message, "update.cl:"), "the place is not named: %s", error.message);
    cr_expect_null(strchr(error.message, '\n'), "more than one line: %s", error.message);
}

/* As with a compiler that puts another four bytes between two members. */
Test(selftest, a_device_that_lays_out_arguments_in_another_way_is_refused_and_the_struct_is_named) {
    static const edit wider = {"arguments/activation.h", "uint width, rows;", "uint width, padding, rows;"};
    tanda_error error = {0};
    backend *backend = NULL;
    if (!use_opencl("pocl")) return;
    const tanda_device_options options = {.size = sizeof options,
                                          .device = "opencl",
                                          .require_device = true,
                                          .kernel_folder = damaged_kernels("wider", &wider, 1)};
    cr_assert_eq(tanda_device_open(&options, &backend, NULL, &error), TANDA_DEVICE);
    cr_expect_not_null(strstr(error.message,
                              "activation_arguments has 48 bytes there, its last member at 40, "
                              "and 40 here, at 36"),
                       "%s", error.message);
}

Test(selftest, a_template_that_includes_itself_is_refused) {
    static const edit endless = {"dense.inc", "#undef SHAPE", "#include \"kernels/dense.inc\"\n#undef SHAPE"};
    tanda_error error = {0};
    backend *backend = NULL;
    if (!use_opencl("pocl")) return;
    const tanda_device_options options = {.size = sizeof options,
                                          .device = "opencl",
                                          .require_device = true,
                                          .kernel_folder = damaged_kernels("endless", &endless, 1)};
    cr_assert_eq(tanda_device_open(&options, &backend, NULL, &error), TANDA_DEVICE);
    cr_expect_not_null(strstr(error.message, "dense.inc: more than 16 includes within one another"), "%s",
                       error.message);
}

Test(selftest, missing_kernel_folder_is_named) {
    const tanda_device_options options = {.size = sizeof options,
                                          .device = "opencl",
                                          .require_device = true,
                                          .kernel_folder = "/no/such/folder"};
    tanda_error error = {0};
    backend *backend = NULL;
    if (!use_opencl("pocl")) return;
    cr_assert_neq(tanda_device_open(&options, &backend, NULL, &error), TANDA_OK);
    cr_expect_not_null(strstr(error.message, "/no/such/folder"), "%s", error.message);
}

/* ---- falling back ------------------------------------------------------------------------------------- */

Test(selftest, device_that_fails_is_replaced_by_openmp_unless_it_is_required) {
    char reason[256] = "";
    tanda_error error = {0};
    backend *backend = NULL;
    if (!use_opencl("pocl")) return;
    const tanda_device_options options = {
        .size = sizeof options, .device = "opencl", .kernel_folder = broken_kernels()};
    cr_assert_eq(tanda_device_open(&options, &backend, reason, &error), TANDA_OK, "%s", error.message);
    cr_expect_str_eq(tanda_device_describe(backend)->backend, "openmp");
    cr_expect_not_null(strstr(reason, "fallback"), "%s", reason);
    tanda_device_close(backend);
}
