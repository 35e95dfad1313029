/* bench/gpu_model: what would run on a card, taken down on the runtime that is here. */
#include "program.h"

static char output[1 << 16];

TestSuite(gpu_model, .init = enter_folder, .fini = leave_folder);

/* Its exit code; what it prints is in output. */
static int run_model(const char *arguments) {
    char command[512];
    need_kernels();
    snprintf(command, sizeof command, "'%s' %s 2>&1", TANDA_GPU_MODEL, arguments);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

/* The cells of a workload's row: executor, launches and time, and those of the executor beside. */
typedef struct row {
    char executor[64];
    double launches, us, other_launches, other_us;
} row;

static row row_of(const char *workload) {
    row row = {""};
    const char *at = strstr(output, workload);
    cr_assert_not_null(at, "%s", output);
    cr_assert_eq(sscanf(at + strlen(workload),
                        " | %63s | %lf | %*f | %*f | %*f %% | %lf | %*f | %*f %% | %lf | %lf |", row.executor,
                        &row.launches, &row.us, &row.other_launches, &row.other_us),
                 5, "%s", at);
    return row;
}

Test(gpu_model, tells_executor_and_launches_of_a_card) {
    cr_assert_eq(
        run_model("--card H100 --filter '^logistic/(1Mx28/batch128|4Mx28/full/loss)$' --executor ops"), 0,
        "%s", output);
    const row many = row_of("logistic/1Mx28/batch128"), full = row_of("logistic/4Mx28/full/loss");
    cr_expect_str_eq(many.executor, "gpu_perceptron");
    cr_expect_lt(many.launches, 0.01, "hundreds of steps in a launch");
    cr_expect_str_eq(full.executor, "gpu_perceptron");
    cr_expect_eq(full.launches, 2.0);
    cr_expect_gt(many.other_launches, 1.0);
    cr_expect_gt(many.other_us, many.us);
    cr_expect_gt(full.other_us, full.us);
}

Test(gpu_model, lists_the_launches_of_a_step_with_what_bounds_them) {
    cr_assert_eq(run_model("--card H100 --filter '^logistic/4Mx28/full/loss$' --launches"), 0, "%s", output);
    cr_expect_not_null(strstr(output, "| - gpu_perceptron (memory) |"), "%s", output);
    cr_expect_not_null(strstr(output, "| - gpu_perceptron_update (launch) |"), "%s", output);
    cr_expect_null(strstr(output, "A100"), "one card was asked for");
}

Test(gpu_model, refuses_what_it_does_not_know) {
    cr_expect_eq(run_model("--nonsense"), 2);
    cr_expect_not_null(strstr(output, "gpu_model [--card REGEX]"));
    cr_expect_eq(run_model("--card H100 --filter batch128 --executor nonsense"), 2);
    cr_expect_not_null(strstr(output, "gpu_model: "), "%s", output);
}
