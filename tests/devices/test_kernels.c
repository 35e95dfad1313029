/* Each file of kernels is a program of its own for clang, with the options that the backend builds with. Skipped without clang. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Compiles FILES, patterns of kernels/, one by one, with so many lanes. Prints what is wrong; 77 without clang. */
static int compile(const char *files, int lanes) {
    char command[1024];
    snprintf(
        command, sizeof command,
        "cd '%s' && for clang in clang-15 clang clang-14; do command -v $clang >/dev/null && break; done\n"
        "command -v $clang >/dev/null || exit 77\n"
        "for file in %s; do $clang -x cl -cl-std=CL1.2 -Xclang -finclude-default-header -Wall -Werror "
        "-Wno-unused-function -D__OPENCL_VERSION__=120 -DVECTOR=%d -I. -fsyntax-only $file || exit 1; done",
        TANDA_SOURCE_DIR, files, lanes);
    const int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void expect_all(const char *files, int lanes) {
    const int status = compile(files, lanes);
    if (status == 77) {
        fprintf(stderr, "kernels: skipped, clang is not here (Debian package clang-15)\n");
        cr_skip_test("clang is not here");
    }
    cr_expect_eq(status, 0, "%s do not compile with %d lanes", files, lanes);
}

Test(kernels, each_file_compiles_alone_for_one_lane_as_on_gpus) {
    expect_all("kernels/*.cl kernels/gpu/*.cl", 1);
}

/* synthetic.cl makes one row in a work-item everywhere. */
Test(kernels, each_file_compiles_alone_for_sixteen_lanes_as_on_cpus) {
    expect_all("$(ls kernels/*.cl kernels/cpu/*.cl | grep -v synthetic)", 16);
}
