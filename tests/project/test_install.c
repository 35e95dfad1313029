/* What cmake --install puts somewhere serves projects that know nothing of this one. */
#include <stdarg.h>

#include "program.h"

TestSuite(install, .init = enter_folder, .fini = leave_folder, .timeout = 300);

#define PREFIX "%s/prefix"
#define LIBRARIES PREFIX "/" TANDA_LIBDIR

/* Runs a shell command, which must succeed; what it wrote. */
__attribute__((format(printf, 1, 2))) static const char *shell(const char *format, ...) {
    char command[2000], all[2200];
    va_list values;
    va_start(values, format);
    cr_assert_lt(vsnprintf(command, sizeof command, format, values), (int)sizeof command);
    va_end(values);
    snprintf(all, sizeof all, "( %s ) >%s/shell.txt 2>&1", command, test_folder);
    char log[80];
    snprintf(log, sizeof log, "%s/shell.txt", test_folder);
    const int status = system(all);
    const char *text = file_text(log);
    cr_assert_eq(status, 0, "%s\n%s", command, text);
    return text;
}

static bool is_there(const char *program) {
    char command[200];
    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    if (system(command) == 0) return true;
    printf("SKIPPED: a test of the installation: there is no %s\n", program);
    return false;
}

static void install(void) {
    shell("'%s' --install '%s' --prefix " PREFIX, TANDA_CMAKE, TANDA_BUILD_FOLDER, test_folder);
    char path[200];
    snprintf(path, sizeof path, LIBRARIES "/pkgconfig", test_folder);
    setenv("PKG_CONFIG_PATH", path, 1);
}

/* What the manual says that an example prints. */
static void expect_output(const char *text) {
    cr_expect_gt(strlen(text), 20);
    cr_expect_not_null(strstr(file_text(TANDA_SOURCE_DIR "/docs/manual/library.md"), text),
                       "docs/manual/library.md does not show:\n%s", text);
}

/* In this order: evaluate takes the model that own_data leaves. */
Test(install, every_example_is_built_and_prints_what_the_manual_shows) {
    static const struct {
        const char *name, *arguments;
    } examples[] = {{"train", ""},  {"own_data", "'" IRIS "'"}, {"evaluate", "own.safetensors '" IRIS "'"},
                    {"resume", ""}, {"lockstep", ""},           {"fit", "'" IRIS "'"}};
    if (!is_there("pkg-config")) return;
    install();
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        const char *name = examples[i].name;
        shell("%s %s -std=c17 -Wall -Wextra -Werror '%s/examples/%s.c' $(pkg-config --cflags --libs tanda) "
              "-o %s -Wl,-rpath," LIBRARIES,
              TANDA_C_COMPILER, TANDA_C_FLAGS, TANDA_SOURCE_DIR, name, name, test_folder);
        expect_output(shell("./%s %s", name, examples[i].arguments));
    }
    cr_expect_str_eq(shell("ls '%s/examples' | wc -l", TANDA_SOURCE_DIR), "6\n", "an example is not tried");
}

/* The program and its libraries have left the folder where they were built and installed. */
Test(install, a_program_is_built_by_pkg_config_with_either_library) {
    if (!is_there("pkg-config")) return;
    install();
    shell("mv " PREFIX " %s/moved && ln -s moved " PREFIX, test_folder, test_folder, test_folder);
    shell("%s %s -std=c17 -Wall -Wextra -Werror '%s/examples/train.c' $(pkg-config --cflags --libs tanda) -o "
          "shared "
          "-Wl,-rpath," LIBRARIES,
          TANDA_C_COMPILER, TANDA_C_FLAGS, TANDA_SOURCE_DIR, test_folder);
    shell("%s %s '%s/examples/train.c' $(pkg-config --cflags --libs --static tanda | sed "
          "'s/-ltanda/-l:libtanda.a/') "
          "-o static",
          TANDA_C_COMPILER, TANDA_C_FLAGS, TANDA_SOURCE_DIR);
    expect_output(shell("./shared"));
    expect_output(shell("./static"));
    cr_expect_not_null(strstr(shell("ldd shared"), "libtanda.so.0"));
    cr_expect_null(strstr(shell("ldd static"), "libtanda"));
    cr_expect_str_eq(shell("pkg-config --modversion tanda"), TANDA_VERSION_LINE);
}

Test(install, a_project_is_built_by_find_package_with_either_library) {
    install();
    shell("mkdir project && cp '%s/examples/train.c' project", TANDA_SOURCE_DIR);
    write_text("project/CMakeLists.txt", "cmake_minimum_required(VERSION 3.16)\n"
                                         "project(other LANGUAGES C)\n"
                                         "find_package(tanda 0.1 REQUIRED)\n"
                                         "add_executable(shared train.c)\n"
                                         "target_link_libraries(shared PRIVATE tanda::tanda)\n"
                                         "add_executable(static train.c)\n"
                                         "target_link_libraries(static PRIVATE tanda::static)\n");
    shell("'%s' -S project -B project/build -DCMAKE_PREFIX_PATH=" PREFIX
          " -DCMAKE_C_COMPILER=%s -DCMAKE_C_FLAGS='%s' && '%s' --build project/build",
          TANDA_CMAKE, test_folder, TANDA_C_COMPILER, TANDA_C_FLAGS, TANDA_CMAKE);
    expect_output(shell("project/build/shared"));
    expect_output(shell("project/build/static"));
}

Test(install, every_command_has_its_manual_page) {
    size_t count = 0;
    install();
    for (const char *at = strstr(RUN("--help").out, "\n  tanda "); at != NULL;
         at = strstr(at + 1, "\n  tanda ")) {
        const char *name = at + strlen("\n  tanda ");
        const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz");
        if (length == 0) continue; /* "tanda COMMAND --help" */
        shell("test -s " PREFIX "/share/man/man1/tanda-%.*s.1", test_folder, (int)length, name);
        count++;
    }
    cr_expect_geq(count, 9);
    shell("test -s " PREFIX "/share/man/man1/tanda.1", test_folder);
}

Test(install, completion_stands_where_each_shell_looks_for_it_and_the_licence_with_the_documents) {
    static const char *const files[] = {"bash-completion/completions/tanda", "zsh/site-functions/_tanda",
                                        "fish/vendor_completions.d/tanda.fish"};
    install();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        shell("test -s " PREFIX "/share/%s", test_folder, files[i]);
    shell("cmp " PREFIX "/share/doc/tanda/LICENSE '%s/LICENSE'", test_folder, TANDA_SOURCE_DIR);
}

/* A version that is not there, e.g. of a later interface, is not found. */
Test(install, another_version_is_not_found) {
    if (!is_there("pkg-config")) return;
    install();
    cr_expect_neq(system("pkg-config --exists 'tanda >= 0.2'"), 0);
    shell("mkdir project && cd project && printf 'cmake_minimum_required(VERSION 3.16)\\nproject(o LANGUAGES "
          "C)\\n"
          "find_package(tanda 0.2)\\nif(tanda_FOUND)\\nmessage(FATAL_ERROR found)\\nendif()\\n' "
          ">CMakeLists.txt && "
          "'%s' -B build -DCMAKE_PREFIX_PATH=" PREFIX " -DCMAKE_C_COMPILER=%s",
          TANDA_CMAKE, test_folder, TANDA_C_COMPILER);
}

/* Names such as fail and allocate are the user's own. */
Test(install, the_libraries_define_nothing_but_the_interface) {
    if (!is_there("nm")) return;
    install();
    const char *names[] = {shell("nm -D --defined-only " LIBRARIES "/libtanda.so", test_folder),
                           shell("nm -g --defined-only " LIBRARIES "/libtanda.a", test_folder)};
    for (size_t i = 0; i < 2; i++) {
        size_t count = 0;
        for (const char *at = strstr(names[i], " T "); at != NULL; at = strstr(at + 1, " T "), count++)
            cr_expect_eq(strncmp(at + 3, "tanda_", 6), 0, "%.40s", at + 3);
        cr_expect_gt(count, 30);
        cr_expect_null(strstr(names[i], " D "));
        cr_expect_null(strstr(names[i], " R "));
    }
    write_text("own.c", "#include <stdio.h>\n#include <tanda.h>\nint fail(void) { return 7; }\n"
                        "int allocate(void) { return fail(); }\n"
                        "int main(void) { printf(\"%s %d\\n\", tanda_version(), allocate()); }\n");
    shell("%s %s own.c -I" PREFIX "/include " LIBRARIES "/libtanda.a "
          "-lOpenCL -lclblast -lz -larchive -ljansson -lnettle -lm -fopenmp -o own",
          TANDA_C_COMPILER, TANDA_C_FLAGS, test_folder, test_folder);
    cr_expect_str_eq(shell("./own"), "0.1.0 7\n");
}

static const char in_cplusplus[] =
    "#include <cstdio>\n#include <tanda.h>\n"
    "int main() {\n"
    "    const float values[] = {1, 2, 3, 4};\n"
    "    const int classes[] = {0, 1};\n"
    "    tanda_dataset_arrays arrays = tanda_dataset_arrays();\n"
    "    tanda_train_options options = tanda_train_options();\n"
    "    tanda_dataset *dataset = 0;\n"
    "    tanda_error error;\n"
    "    arrays.size = sizeof arrays;\n"
    "    arrays.rows = arrays.features = 2;\n"
    "    arrays.values = values;\n"
    "    arrays.classes = classes;\n"
    "    if (tanda_dataset_create(&arrays, &dataset, &error) != TANDA_OK) return 1;\n"
    "    std::printf(\"%d %d\\n\", (int)tanda_dataset_class_count(dataset), (int)options.epochs);\n"
    "    tanda_dataset_free(dataset);\n"
    "}\n";

Test(install, a_compiler_of_cplusplus_takes_the_header) {
    if (!is_there("c++")) return;
    write_text("a.cc", in_cplusplus);
    for (int i = 0; i < 3; i++)
        shell("c++ -std=c++%s -Wall -Wextra -Wpedantic -Wno-long-long -Werror -fsyntax-only "
              "-I'%s/host/include' a.cc",
              (const char *[]){"98", "11", "20"}[i], TANDA_SOURCE_DIR);
    if (TANDA_C_FLAGS[0] != '\0') return; /* of a sanitizer, which the other compiler may not have */
    install();
    shell("c++ a.cc -I" PREFIX "/include " LIBRARIES "/libtanda.so -Wl,-rpath," LIBRARIES " -o a",
          test_folder, test_folder, test_folder);
    cr_expect_str_eq(shell("./a"), "2 0\n");
}

/* Kernels are inside the program: neither the sources nor the build are asked for. */
Test(install, the_installed_program_trains_from_anywhere_on_every_device) {
    install();
    static const char train[] =
        "cd / && env -u TANDA_KERNELS " PREFIX
        "/bin/tanda train --data '%s' --hidden 8 --quiet --device %s --require-device | "
        "grep weights_sha256";
    const char *plain = shell(train, test_folder, IRIS, "cpu");
    need_kernels();
    if (strstr(shell(PREFIX "/bin/tanda devices", test_folder), "opencl:") == NULL) {
        printf("SKIPPED: the installed program on OpenCL: there is no device\n");
        return;
    }
    cr_expect_str_eq(shell(train, test_folder, IRIS, "opencl"), plain);
}
