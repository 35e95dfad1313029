/* What the program says where OpenCL fails, where a device is missing, and where another name would be right. */
#include "program.h"

#define POCL_ICD "/etc/OpenCL/vendors/pocl.icd"
#define TRAIN "train", "--data", IRIS, "--epochs", "1", "--hidden", "3"

TestSuite(devices, .init = enter_folder, .fini = leave_folder);

static void use_vendors(const char *file, const char *line) {
    char path[64];
    cr_assert_eq(mkdir("vendors", 0700), 0);
    setenv("OCL_ICD_VENDORS", "vendors", 1);
    snprintf(path, sizeof path, "vendors/%s", file);
    if (line != NULL) write_text(path, line);
}

/* PoCL, and no platform beside it. */
static void use_pocl(void) {
    if (access(POCL_ICD, R_OK) != 0) cr_skip("SKIPPED: there is no %s", POCL_ICD);
    use_vendors("pocl.icd", file_text(POCL_ICD));
}

static void expect_told(const outcome *outcome, const char *where, const char *words) {
    cr_expect_not_null(strstr(where, words), "no '%s' in: %s%s", words, outcome->out, outcome->err);
}

/* ---- calls that fail ------------------------------------------------------------------------------------ */

#ifdef TANDA_FAULTS
static outcome run_preloaded(const char *fault, const char *const *arguments) {
    setenv("LD_PRELOAD", TANDA_FAULTS, 1);
    setenv("TANDA_FAULT_SCOPE", "program", 1);
    setenv("TANDA_FAULT", fault, 1);
    const outcome made = run_to(-1, arguments);
    unsetenv("LD_PRELOAD");
    return made;
}

static outcome run_with_fault(const char *fault, const char *const *arguments) {
    setenv("TANDA_FAULT_ERROR", "-6", 1);
    return run_preloaded(fault, arguments);
}

static const char *const faults[][2] = {
    {"clGetPlatformIDs:1:1", "clGetPlatformIDs: "},
    {"clGetPlatformInfo:1:1", "clGetPlatformInfo CL_PLATFORM_NAME: "},
    {"clGetDeviceIDs:1:1", "clGetDeviceIDs: "},
    {"clGetDeviceInfo:1:1", "clGetDeviceInfo CL_DEVICE_TYPE: "},
    {"clGetDeviceInfo:2:1", "clGetDeviceInfo CL_DEVICE_NAME: "},
    {"clGetDeviceInfo:3:1", "clGetDeviceInfo CL_DRIVER_VERSION: "},
    {"clGetDeviceInfo:5:1", "clGetDeviceInfo CL_DEVICE_MAX_COMPUTE_UNITS: "},
    {"clGetDeviceInfo:6:1", "clGetDeviceInfo CL_DEVICE_GLOBAL_MEM_SIZE: "}};

Test(devices, a_call_that_fails_in_the_search_is_named_with_its_error) {
    use_pocl();
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char words[128];
        snprintf(words, sizeof words, "%sCL_OUT_OF_HOST_MEMORY (-6)", faults[i][1]);
        const char *const list[] = {TANDA_PROGRAM, "devices", NULL};
        const outcome listed = run_with_fault(faults[i][0], list);
        cr_expect_eq(listed.status, 0, "%s", listed.err);
        expect_told(&listed, listed.out, words);
        cr_expect_null(strstr(listed.out, "  0 units"), "%s", listed.out);
        const char *const train[] = {TANDA_PROGRAM, TRAIN, "--device", "opencl", "--require-device", NULL};
        const outcome trained = run_with_fault(faults[i][0], train);
        cr_expect_eq(trained.status, 4, "%s: exit %d", faults[i][0], trained.status);
        cr_expect_eq(count_lines(trained.err), 1, "%s", trained.err);
        expect_told(&trained, trained.err, words);
    }
}

Test(devices, a_call_that_fails_while_a_device_is_opened_fails_the_device) {
    use_pocl();
    for (int call = 13; call <= 15; call++) { /* 6 of the list, 6 of the search by name */
        char fault[32];
        snprintf(fault, sizeof fault, "clGetDeviceInfo:%d:1", call);
        const char *const train[] = {TANDA_PROGRAM, TRAIN, "--device", "opencl", "--require-device", NULL};
        const outcome trained = run_with_fault(fault, train);
        cr_expect_eq(trained.status, 4, "%s: exit %d", fault, trained.status);
        expect_told(&trained, trained.err, "opencl:0.0: clGetDeviceInfo CL_DEVICE_");
        expect_told(&trained, trained.err, ": CL_OUT_OF_HOST_MEMORY (-6)\n");
    }
}

Test(devices, the_automatic_choice_goes_on_and_names_what_failed) {
    use_pocl();
    const char *const train[] = {TANDA_PROGRAM, TRAIN, NULL};
    const outcome trained = run_with_fault("clGetDeviceIDs:1:1", train);
    cr_expect_eq(trained.status, 0);
    expect_told(&trained, trained.err, "device: OpenMP, ");
    expect_told(&trained, trained.err, "clGetDeviceIDs: CL_OUT_OF_HOST_MEMORY (-6)");
}

/* ---- memory that is short, and devices that are lost --------------------------------------------------------- */

#define LARGE \
    "--data", "synthetic:logistic,rows=6000,features=20", "--batch", "full", "--epochs", "5", "--hidden", "9"

static outcome train_short(const char *bytes, const char *fault, const char *code, const char *executor) {
    const char *const train[] = {TANDA_PROGRAM,      "train",  LARGE,        "--device", "opencl",
                                 "--require-device", "--json", "--executor", executor,   NULL};
    setenv("TANDA_FAULT_BYTES", bytes, 1);
    setenv("TANDA_FAULT_ERROR", code, 1);
    return run_preloaded(fault, train);
}

static char *hash_of(const outcome *outcome) {
    json_t *object = only_object(outcome);
    char *hash = strdup(json_words(object, "weights_sha256"));
    json_decref(object);
    return hash;
}

/* Buffers of more than the data's 480,000 bytes, and the fifth launch of a step, each with the codes of drivers. */
Test(devices, short_device_memory_makes_waves_smaller_aloud_and_keeps_the_bits) {
    static const char *const trials[][4] = {{"500000", "none:1", "-4", "ops"},
                                            {"500000", "none:1", "-61", "network"},
                                            {"0", "clEnqueueNDRangeKernel:60:1", "-5", "ops"},
                                            {"0", "clEnqueueNDRangeKernel:50:2", "-6", "network"}};
    use_pocl();
    const outcome whole = RUN("train", LARGE, "--device", "cpu", "--json");
    char *expected = hash_of(&whole);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        const outcome run = train_short(trials[i][0], trials[i][1], trials[i][2], trials[i][3]);
        cr_assert_eq(run.status, 0, "%s", run.err);
        expect_told(&run, run.err, "note: device memory is short: waves of at most ");
        char *hash = hash_of(&run);
        cr_expect_str_eq(hash, expected, "trial %zu", i);
        free(hash);
    }
    free(expected);
}

Test(devices, a_required_device_without_room_for_the_data_fails) {
    use_pocl();
    const outcome run = train_short("400000", "none:1", "-4", "ops");
    cr_expect_eq(run.status, 4, "%s", run.err);
    expect_told(&run, run.err, "CL_MEM_OBJECT_ALLOCATION_FAILURE (-4)");
}

Test(devices, a_device_without_room_for_the_data_is_replaced_aloud_unless_it_is_required) {
    use_pocl();
    const char *const train[] = {TANDA_PROGRAM, "train",  LARGE,     "--device",
                                 "opencl",      "--json", "--quiet", NULL};
    setenv("TANDA_FAULT_BYTES", "400000", 1);
    setenv("TANDA_FAULT_ERROR", "-61", 1);
    const outcome run = run_preloaded("none:1", train);
    cr_assert_eq(run.status, 0, "%s", run.err);
    cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
    expect_told(&run, run.err, "note: fallback to cpu: opencl:0.0 ");
    expect_told(&run, run.err, "clCreateBuffer of 480000 bytes: CL_INVALID_BUFFER_SIZE (-61)");
    json_t *object = only_object(&run);
    cr_expect(json_is_true(json_object_get(object, "fallback")));
    cr_expect_str_eq(json_words(object, "device_id"), "cpu");
    json_decref(object);
}

/* From some call on every one fails: what it has written stays whole. */
Test(devices, a_device_that_is_lost_ends_the_training_with_the_last_checkpoint_whole) {
    static const char *const lost[] = {"clEnqueueNDRangeKernel:80:0", "clFlush:5:0",
                                       "clEnqueueReadBuffer:40:0"};
    use_pocl();
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        const char *const train[] = {
            TANDA_PROGRAM,        "train", "--data",   IRIS,     "--batch",      "16",
            "--epochs",           "30",    "--device", "opencl", "--checkpoint", "kept.safetensors",
            "--checkpoint-every", "1",     "--quiet",  NULL};
        setenv("TANDA_FAULT_BYTES", "0", 1);
        setenv("TANDA_FAULT_ERROR", "-36", 1); /* CL_INVALID_COMMAND_QUEUE */
        const outcome run = run_preloaded(lost[i], train);
        cr_expect_eq(run.status, 4, "%s: exit %d: %s", lost[i], run.status, run.err);
        cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
        expect_told(&run, run.err, "(-36)");
        const outcome resumed = RUN("train", "--data", IRIS, "--batch", "16", "--epochs", "30", "--device",
                                    "cpu", "--resume", "kept.safetensors", "--quiet");
        cr_expect_eq(resumed.status, 0, "%s: %s", lost[i], resumed.err);
        remove("kept.safetensors");
    }
}
#endif

/* ---- devices that are missing --------------------------------------------------------------------------- */

Test(devices, a_fallback_from_a_named_device_is_told_in_one_line_though_quiet) {
    static const char *const names[] = {"opencl:9.9", "opencl:nobody", "opencl", "gpu", "GPU"};
    use_vendors("", NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const outcome run = RUN(TRAIN, "--device", names[i], "--quiet", "--json");
        cr_assert_eq(run.status, 0, "%s", run.err);
        cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
        cr_expect_eq(strncmp(run.err, "note: fallback to cpu: ", 23), 0, "%s", run.err);
        expect_told(&run, run.err, names[i]);
        json_t *object = only_object(&run);
        cr_expect_str_eq(json_words(object, "requested_device"), names[i]);
        cr_expect(json_is_true(json_object_get(object, "fallback")));
        cr_expect_str_eq(json_words(object, "device_id"), "cpu");
        json_decref(object);
    }
}

Test(devices, every_command_tells_of_a_fallback) {
    use_vendors("", NULL);
    cr_assert_eq(RUN(TRAIN, "--device", "cpu", "--output", "m.safetensors").status, 0);
    write_text("config.json", "{\"device\": \"gpu\"}");
    const outcome runs[] = {
        RUN(TRAIN, "--config", "config.json", "--quiet", "--json"),
        RUN("evaluate", "m.safetensors", "--data", IRIS, "--device", "gpu", "--quiet", "--json"),
        RUN("predict", "m.safetensors", "--data", IRIS, "--device", "gpu", "--quiet", "--json"),
        RUN("record", "--data", IRIS, "--output", "g.json", "--device", "gpu", "--quiet", "--json")};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        cr_assert_eq(runs[i].status, 0, "%s", runs[i].err);
        expect_told(&runs[i], runs[i].err, "note: fallback to cpu: --device gpu: ");
        json_t *object = only_object(&runs[i]);
        cr_expect(json_is_true(json_object_get(object, "fallback")), "%s", runs[i].out);
        json_decref(object);
    }
}

Test(devices, with_a_banner_its_line_tells_of_the_fallback_in_full) {
    use_vendors("", NULL);
    const outcome run = RUN(TRAIN, "--device", "opencl:9.9");
    expect_told(&run, run.err, "; fallback: --device opencl:9.9: there is no such device; there is cpu (");
    cr_expect_null(strstr(run.err, "note: fallback"), "%s", run.err);
}

Test(devices, what_was_not_named_is_no_fallback) {
    use_vendors("", NULL);
    json_t *chosen = RUN_JSON(TRAIN), *named = RUN_JSON(TRAIN, "--device", "CPU");
    cr_expect_str_eq(file_text("err.txt"), "");
    cr_expect_str_eq(json_words(chosen, "requested_device"), "auto");
    cr_expect(json_is_false(json_object_get(chosen, "fallback")));
    cr_expect_str_eq(json_words(named, "requested_device"), "CPU");
    cr_expect(json_is_false(json_object_get(named, "fallback")));
    json_decref(chosen);
    json_decref(named);
}

Test(devices, a_required_device_that_is_missing_exits_4_whatever_its_name) {
    static const char *const names[] = {"gpu", "opencl", "opencl:0.0", "auto"};
    use_vendors("", NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const outcome run = RUN(TRAIN, "--device", names[i], "--require-device", "--quiet");
        cr_expect_eq(run.status, 4, "%s: exit %d", names[i], run.status);
        cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
    }
}

Test(devices, a_cpu_is_no_gpu) {
    use_pocl();
    cr_expect_eq(RUN(TRAIN, "--device", "gpu", "--require-device").status, 4);
    json_t *object = RUN_JSON(TRAIN, "--device", "OpenCL");
    cr_expect_str_eq(json_words(object, "device_id"), "opencl:0.0");
    json_decref(object);
}

Test(devices, names_of_other_programs_are_answered_by_the_right_ones) {
    static const char *const names[] = {"cuda",   "cuda:0",        "CUDA:1", "mps",   "GPU:0",
                                        "/GPU:0", "/device:GPU:0", "cpu:0",  "/CPU:0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const outcome run = RUN(TRAIN, "--device", names[i]);
        cr_expect_eq(run.status, 2, "%s: exit %d", names[i], run.status);
        cr_expect_eq(count_lines(run.err), 1, "%s", run.err);
        expect_told(&run, run.err, "is a name of other programs; here gpu is the first OpenCL GPU");
    }
}

/* ---- drivers -------------------------------------------------------------------------------------------- */

/* In the list of devices, and where a device is missing. */
static void expect_named(const char *words) {
    const outcome listed = RUN("devices");
    cr_expect_eq(listed.status, 0, "%s", listed.err);
    expect_told(&listed, listed.out, words);
    const outcome trained = RUN(TRAIN, "--device", "opencl", "--quiet");
    cr_expect_eq(trained.status, 0, "%s", trained.err);
    cr_expect_eq(count_lines(trained.err), 1, "%s", trained.err);
    expect_told(&trained, trained.err, words);
}

Test(devices, a_driver_whose_library_is_missing_is_named) {
    use_vendors("gone.icd", "libnobody-has-this.so.1\n");
    expect_named("vendors/gone.icd: libnobody-has-this.so.1: cannot open shared object file: No such file");
    setenv("OCL_ICD_VENDORS", "vendors/gone.icd", 1);
    expect_named("vendors/gone.icd: libnobody-has-this.so.1: cannot open shared object file: No such file");
}

Test(devices, a_driver_file_that_names_none_is_named) {
    use_vendors("empty.icd", "");
    expect_named("vendors/empty.icd: is empty; its first line is to name a library");
}

Test(devices, a_library_that_is_no_driver_is_named) {
    use_vendors("c.icd", "libc.so.6");
    expect_named("vendors/c.icd: libc.so.6 is no OpenCL driver");
}

Test(devices, a_folder_without_drivers_is_named) {
    use_vendors("", NULL);
    expect_named("vendors: no driver (.icd) is there; install one");
}

Test(devices, pocl_without_a_folder_to_write_in_is_told_with_the_cure) {
    use_pocl();
    write_text("file", "");
    setenv("POCL_CACHE_DIR", "file/of/pocl", 1);
    expect_named(
        "PoCL cannot write to the folder file/of/pocl: Not a directory; name another in POCL_CACHE_DIR");
    unsetenv("POCL_CACHE_DIR");
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "/proc/nobody", 1);
    expect_named("PoCL cannot write to the folder /proc/nobody/.cache/pocl/kcache: ");
    setenv("POCL_CACHE_DIR", "pocl", 1); /* which is given to later tests */
}

Test(devices, an_empty_name_of_pocls_folder_is_none) {
    use_pocl();
    setenv("POCL_CACHE_DIR", "", 1);
    setenv("XDG_CACHE_HOME", "/proc/nobody", 1);
    expect_named("PoCL cannot write to the folder /proc/nobody/pocl/kcache: ");
    setenv("POCL_CACHE_DIR", "pocl", 1);
}
