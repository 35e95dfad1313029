/*
 * What clang and ptxas make of the kernels for GPUs, by tests/devices/gpu_code.sh; and that the script sees what it claims to
 * see: on damaged copies of kernels/, and with compilers that are led astray. Skipped without clang-15 and libclc-15.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/opencl/state.h"
#include "kernels/activation.h"

#define SKIPPED 77
#define ONE_OF_AMD "AMD_TARGETS=gfx90a" /* which is quicker */
#define FEW ONE_OF_AMD " NVIDIA_TARGETS=sm_80 FEW_PROGRAMS=1"
#define MOST_TEXT (1 << 20)

static char folder[] = "/tmp/tanda_gpu_code_XXXXXX"; /* holds kernels/, a copy to damage */
static char text[MOST_TEXT];                         /* what the last command wrote */

/* Runs a command of the shell, made as by printf, and returns its exit status; its output goes to `text`. */
static int shell(const char *format, ...) {
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    cr_assert(length > 0 && (size_t)length < sizeof command);
    FILE *output = popen(command, "r");
    cr_assert_not_null(output);
    text[fread(text, 1, sizeof text - 1, output)] = '\0';
    int status = pclose(output);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void remove_copy(void) {
    shell("rm -rf %s", folder);
}

/*
 * Runs the script on the copy, with `environment` before it. What it blames goes to `text`, its table to a file.
 * Skips the test, aloud, where its tools are missing.
 */
static int judge(const char *environment) {
    int status = shell("%s '%s/tests/devices/gpu_code.sh' --output %s/table %s/kernels 2>&1", environment,
                       TANDA_SOURCE_DIR, folder, folder);
    if (status != SKIPPED) return status;
    fputs(text, stderr);
    remove_copy(); /* a skipped test is not tidied up after */
    cr_skip_test("the tools of tests/devices/gpu_code.sh are missing");
    return status;
}

static void add_file(const char *name, const char *contents) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert(fputs(contents, file) >= 0 && fclose(file) == 0);
}

/* A compiler that does to the command line, or to what it makes, what `script` says. */
static void add_compiler(const char *script) {
    char command[1024];
    snprintf(command, sizeof command, "#!/bin/bash\nset -e\nclang=${REAL_CLANG:-clang-15}\n%s\n", script);
    add_file("compiler", command);
    cr_assert_eq(shell("chmod +x %s/compiler", folder), 0);
}

static int judge_with_compiler(const char *script) {
    char environment[256];
    if (shell("command -v \"${CLANG:-clang-15}\"") != 0) return judge(""); /* which skips */
    add_compiler(script);
    snprintf(environment, sizeof environment,
             ONE_OF_AMD " REAL_CLANG=\"$CLANG\" PTXAS=/nonexistent CLANG=%s/compiler", folder);
    return judge(environment);
}

static void expect(const char *part) {
    cr_expect_not_null(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

/* No line blames a kernel whose name does not start so. */
static void expect_blame_only(const char *start) {
    static const char mark[] = "gpu_code: ";
    for (const char *line = strstr(text, mark); line != NULL; line = strstr(line, mark)) {
        line += sizeof mark - 1;
        bool is_notice =
            strncmp(line, "ptxas not found", 15) == 0 || strncmp(line, "nvdisasm not found", 18) == 0;
        cr_expect(is_notice || strncmp(line, start, strlen(start)) == 0, "blames %.60s", line);
    }
}

/* Without those of gpu/, which take long to compile: damage shows in what is added. */
static void copy_kernels(void) {
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(shell("cp -r '%s/kernels' %s/kernels && rm -rf %s/kernels/gpu && mkdir %s/kernels/gpu",
                       TANDA_SOURCE_DIR, folder, folder, folder),
                 0);
}

/* Leaves headers alone, for damage that shows by itself. */
static void remove_kernels(void) {
    cr_assert_eq(shell("rm %s/kernels/*.cl", folder), 0);
}

/* Leaves headers and one program, which damage to headers or to the compiler shows in. */
static void leave_program(const char *name) {
    remove_kernels();
    cr_assert_eq(shell("cp '%s/kernels/%s' %s/kernels", TANDA_SOURCE_DIR, name, folder), 0);
}

TestSuite(gpu_code, .init = copy_kernels, .fini = remove_copy, .timeout = 120);

/* A dozen programs; who makes bench/gpu_code.md has all of them judged, on each target. On gfx1030 spills are told, not judged. */
Test(gpu_code, every_kernel_of_the_backend_is_exact_and_keeps_within_registers, .timeout = 600) {
    static const char *const names[] = {
#define KERNEL_ROW(name) "\n| " #name " | ",
        KERNEL_LIST(KERNEL_ROW)
#define ACTIVATION_ROWS(name, NAME, FROM) \
    "\n| activation_forward_" #name " | ", "\n| activation_backward_" #name " | ",
            ACTIVATION_LIST(ACTIVATION_ROWS)};
    cr_assert_eq(shell("cp -r '%s'/kernels/. %s/kernels", TANDA_SOURCE_DIR, folder), 0);
    cr_assert_eq(judge(FEW), 0, "%s", text);
    cr_assert_eq(shell("cat %s/table", folder), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        expect(names[i]);
}

/* a kernel that writes EXPRESSION of three floats */
#define DAMAGED(NAME, EXPRESSION) \
    "kernel void damaged_" NAME "(global float *x, uint n) {\n" \
    "    uint i = (uint)get_global_id(0);\n" \
    "    if (i >= n) return;\n" \
    "    float a = x[i], b = x[i + n], c = x[i + 2 * n];\n" \
    "    x[i] = " EXPRESSION ";\n" \
    "}\n"

Test(gpu_code, each_inexact_operation_is_named_with_its_kernel) {
    remove_kernels();
    add_file("kernels/zz_damage.cl",
             "#include \"kernels/portable.h\"\n"
             "#ifdef __NVPTX__\n"
             "#define estimate __nvvm_ex2_approx_f\n"
             "#else\n"
             "#define estimate __builtin_amdgcn_rcpf\n"
             "#endif\n" DAMAGED("raw", "a * b + c") DAMAGED("raw_minus", "c - a * b") DAMAGED(
                 "division", "a / b") DAMAGED("integer_division", "convert_float(as_int(a) / as_int(b))")
                 DAMAGED("estimate", "estimate(a)") DAMAGED("exp", "exp(a)") DAMAGED("sqrt", "sqrt(a)")
                     DAMAGED("mad", "mad(a, b, c)") DAMAGED("maximum", "fmax(a, b)"));
    cr_assert_eq(judge(ONE_OF_AMD), 1, "%s", text);
    expect("gpu_code: damaged_raw: a product feeds a sum");
    expect("gpu_code: damaged_raw_minus: a product feeds a sum");
    expect("gpu_code: damaged_division: division: fdiv");
    expect("gpu_code: damaged_integer_division: division: div.s32");
    expect("gpu_code: damaged_estimate: approximate: ex2.approx");
    expect("gpu_code: damaged_estimate: approximate: v_rcp_f32");
    expect("gpu_code: damaged_exp: ");
    expect("gpu_code: damaged_sqrt: built-in function llvm.sqrt.f32");
    expect("gpu_code: damaged_mad: llvm.fmuladd");
    expect("gpu_code: damaged_maximum: built-in function llvm.maxnum.f32");
    expect_blame_only("damaged_");
}

Test(gpu_code, native_exp_is_named_though_no_code_can_be_made_of_it) {
    remove_kernels();
    add_file("kernels/zz_damage.cl", "#include \"kernels/portable.h\"\n" DAMAGED("native", "native_exp(a)"));
    cr_assert_eq(judge(ONE_OF_AMD), 1, "%s", text);
    expect("gpu_code: damaged_native: built-in function llvm.exp.f32");
}

Test(gpu_code, a_raw_product_and_sum_is_seen_contracted_when_the_pragma_is_gone) {
    leave_program("probe.cl");
    add_file("kernels/zz_damage.cl", "#include \"kernels/portable.h\"\n" DAMAGED("raw", "a * b + c"));
    cr_assert_eq(shell("sed -i '/FP_CONTRACT OFF/d' %s/kernels/portable.h", folder), 0);
    cr_assert_eq(judge(ONE_OF_AMD), 1, "%s", text);
    expect("gpu_code: damaged_raw: llvm.fmuladd, a contracted a * b + c");
    expect("gpu_code: probe: llvm.fmuladd"); /* its "contracted" */
    expect("gpu_code: damaged_raw: 1 fma.rn in PTX for 0 llvm.fma");
}

Test(gpu_code, spilled_registers_and_local_memory_are_named_with_their_kernel) {
    remove_kernels();
    add_file("kernels/zz_damage.cl",
             "kernel void damaged_spill(global float *x, uint n) {\n"
             "    float v[520];\n"
             "    _Pragma(\"unroll\") for (int i = 0; i < 520; i++) v[i] = x[i];\n"
             "    for (uint t = 0; t < n; t++)\n"
             "        _Pragma(\"unroll\") for (int i = 0; i < 520; i++) v[i] = v[i] * x[t];\n"
             "    _Pragma(\"unroll\") for (int i = 0; i < 520; i++) x[i] = v[i];\n"
             "}\n"
             "kernel void damaged_local(global float *x, global const uint *which, uint n) {\n"
             "    float v[100];\n"
             "    for (int i = 0; i < 100; i++) v[i] = x[i];\n"
             "    for (uint t = 0; t < n; t++) x[t] = v[which[t]];\n"
             "}\n");
    cr_assert_eq(judge(ONE_OF_AMD), 1, "%s", text);
    expect("gpu_code: damaged_spill: gfx90a: spills registers");
    expect("gpu_code: damaged_local: gfx90a: keeps ");
    if (strstr(text, "ptxas not found") == NULL) {
        expect("gpu_code: damaged_spill: sm_80: spills registers");
        expect("gpu_code: damaged_spill: sm_90: spills registers");
        expect("gpu_code: damaged_local: sm_80: keeps 400 bytes");
    }
    expect_blame_only("damaged_");
}

Test(gpu_code, programs_of_the_folder_gpu_are_judged_each_by_itself) {
    remove_kernels();
    add_file("kernels/gpu/zz_first.cl",
             "kernel void damaged_first(global float *x) { x[0] = x[1] / x[2]; }\n");
    add_file("kernels/gpu/zz_second.cl", "kernel void damaged_first(global float *x) { x[0] = sqrt(x[1]); }\n"
                                         "kernel void damaged_local(global float *x) {\n"
                                         "    local float all[9000];\n"
                                         "    all[get_local_id(0)] = x[get_global_id(0)];\n"
                                         "    barrier(CLK_LOCAL_MEM_FENCE);\n"
                                         "    x[get_global_id(0)] = all[get_local_id(0) ^ 1];\n"
                                         "}\n");
    cr_assert_eq(judge(ONE_OF_AMD), 1, "%s", text);
    expect("gpu_code: damaged_first: division: fdiv");
    expect("gpu_code: damaged_first: built-in function llvm.sqrt.f32");
    expect("gpu_code: damaged_local: gfx90a: a group takes 36000 bytes of local memory");
    expect_blame_only("damaged_");
}

Test(gpu_code, too_few_fused_operations_and_loads_of_four_bytes_in_a_loop_are_seen) {
    remove_kernels();
    add_file("kernels/gpu/zz_damage.cl",
             "kernel void gpu_forward_damaged_large(global float *x, global const float *y, uint n) {\n"
             "    float sum = 0x1p0f;\n"
             "    for (uint i = 0; i < n; i++) sum = fma(y[i * n], y[i], sum);\n"
             "    x[get_global_id(0)] = sum;\n"
             "}\n");
    int status = judge(ONE_OF_AMD);
    if (strstr(text, "not found") == NULL) {
        cr_assert_eq(status, 1, "%s", text);
        expect("gpu_code: gpu_forward_damaged_large: sm_80: ");
        expect(" FFMA in ");
        expect(" loads of 4 bytes or fewer in its innermost loop");
        expect_blame_only("gpu_forward_damaged_large");
    } else
        fputs("SKIPPED: loops of GPU code: ptxas or nvdisasm is not installed\n", stderr);
}

Test(gpu_code, a_compiler_that_contracts_is_caught_by_flag_and_by_missing_rn) {
    leave_program("update.cl");
    cr_assert_eq(judge_with_compiler("exec $clang \"$@\" -ffp-contract=fast -mllvm -nvptx-fma-level=2"), 1,
                 "%s", text);
    expect(": fast-math flag: fneg contract\n");
    expect("gpu_code: update: mul.f32 without .rn, which ptxas may contract");
    expect("gpu_code: update: add.f32 without .rn");
}

Test(gpu_code, flushed_subnormals_are_caught) {
    leave_program("update.cl");
    cr_assert_eq(judge_with_compiler("exec $clang \"$@\" -Xclang -fdenormal-fp-math-f32=preserve-sign"), 1,
                 "%s", text);
    expect("update: flushes subnormals: mul.rn.ftz.f32");
    expect("update: flushes subnormals\n");
}

Test(gpu_code, a_fused_operation_lost_after_llvm_is_caught) {
    leave_program("update.cl");
    int status =
        judge_with_compiler("$clang \"$@\"\n"
                            "for made in \"$@\"; do :; done\n"
                            "case $made in */nvptx.s) sed -i '0,/fma.rn.f32/s//add.rn.f32/' $made;; esac");
    cr_assert_eq(status, 1, "%s", text);
    expect(" fma.rn in PTX for ");
}

Test(gpu_code, kernels_that_do_not_compile_fail) {
    remove_kernels();
    add_file("kernels/zz_damage.cl", "kernel void damaged(global float *x) { x[0] = y; }\n");
    cr_assert_eq(judge(ONE_OF_AMD), 1, "%s", text);
    expect("use of undeclared identifier 'y'");
    expect("gpu_code: the kernels do not compile for nvptx");
}

Test(gpu_code, a_missing_tool_is_named_with_its_package) {
    int status =
        shell("LIBCLC=/nonexistent CLANG=true '%s/tests/devices/gpu_code.sh' 2>&1", TANDA_SOURCE_DIR);
    cr_assert_eq(status, SKIPPED);
    expect("gpu_code: skipped, not found: libclc in /nonexistent (Debian package libclc-15)");
}
