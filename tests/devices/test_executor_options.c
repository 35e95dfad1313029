/* Ways of computing as users name them: in a device's settings, in --executor, and in what is told. */
#include "program.h"

TestSuite(executor_options, .init = enter_folder, .fini = leave_folder);

#define TRAIN_IRIS "train", IRIS, "--epochs", "3", "--hidden", "8", "--quiet"

static const char *digest_with(const char *device) {
    json_t *result = RUN_JSON(TRAIN_IRIS, "--json", "--device", device);
    const char *executor = json_string_value(json_object_get(result, "executor"));
    const char *named = strstr(device, "executor=");
    if (named != NULL) cr_expect_str_eq(executor, named + strlen("executor="));
    char *digest = kept_texts[kept_count++] =
        strdup(json_string_value(json_object_get(result, "weights_sha256")));
    json_decref(result);
    return digest;
}

Test(executor_options, devices_lists_them_and_each_trains_to_the_same_bits_or_is_refused) {
    const char *expected = digest_with("cpu");
    json_t *listed = RUN_JSON("devices", "--json");
    size_t i, j, trained = 0;
    json_t *device, *executor;
    json_array_foreach(json_object_get(listed, "devices"), i, device) {
        const char *id = json_string_value(json_object_get(device, "id"));
        cr_assert_gt(json_array_size(json_object_get(device, "executors")), 1, "%s", id);
        json_array_foreach(json_object_get(device, "executors"), j, executor) {
            char spec[120];
            snprintf(spec, sizeof spec, "%s,executor=%s", id, json_string_value(executor));
            const outcome outcome = RUN(TRAIN_IRIS, "--device", spec);
            cr_expect(outcome.status == 0 ||
                          (outcome.status == 4 && strstr(outcome.err, "does not fit") != NULL),
                      "%s: %d %s", spec, outcome.status, outcome.err);
            if (outcome.status != 0) continue;
            cr_expect_str_eq(digest_with(spec), expected, "%s", spec);
            trained++;
        }
    }
    cr_expect_geq(trained, 2);
    json_decref(listed);
}

Test(executor_options, one_that_does_not_fit_exits_4_and_names_what_it_lacks) {
    const outcome outcome = RUN(TRAIN_IRIS, "--device", "cpu", "--executor", "perceptron");
    cr_expect_eq(outcome.status, 4);
    cr_expect_not_null(strstr(outcome.err, "tanda: cpu: executor perceptron does not fit this training: "),
                       "%s", outcome.err);
}

Test(executor_options, an_unknown_one_exits_2_and_lists_what_there_is) {
    const outcome outcome = RUN(TRAIN_IRIS, "--device", "cpu,executor=fastest");
    cr_expect_eq(outcome.status, 2);
    cr_expect_str_eq(outcome.err,
                     "tanda: --executor: 'fastest' is none of perceptron, shared, columns, which cpu has\n");
}

Test(executor_options, a_spec_stands_wherever_a_device_is_named) {
    cr_assert_eq(RUN(TRAIN_IRIS, "--device", "cpu,threads=1", "--output", "m.safetensors").status, 0);
    json_t *result = RUN_JSON("evaluate", "m.safetensors", IRIS, "--json", "--device", "cpu,threads=1");
    cr_expect_eq(json_integer_value(json_object_get(result, "threads")), 1);
    cr_expect_str_eq(json_string_value(json_object_get(result, "requested_device")), "cpu");
    json_decref(result);
    cr_expect_eq(
        RUN("predict", "m.safetensors", IRIS, "--device", "cpu,threads=1,isa=generic", "--quiet").status, 0);
    cr_expect_eq(
        RUN("record", IRIS, "--epochs", "1", "--device", "cpu,threads=1", "--output", "g", "--quiet").status,
        0);
    const outcome outcome = RUN("train", IRIS, "--device", "cpu,thread=1");
    cr_expect_eq(outcome.status, 2);
    cr_expect_not_null(strstr(outcome.err, "'thread' is none of threads=N"), "%s", outcome.err);
}

/* What has a = belongs to the device before it. */
Test(executor_options, several_devices_have_settings_of_their_own) {
    const outcome outcome = RUN("bench", "--device", "cpu,threads=1,executor=columns,cpu,executor=shared",
                                "--filter", "mlp/16-32-32-1/batch16384", "--repetitions", "2", "--min-time",
                                "0.001", "--skip-limits", "--json", "--quiet");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.out, "\"executor\": \"columns\""), "%s", outcome.out);
    cr_expect_not_null(strstr(outcome.out, "\"executor\": \"shared\""), "%s", outcome.out);
}

Test(executor_options, one_is_verified_against_another_of_the_same_device) {
    const outcome outcome =
        RUN("verify", IRIS, "--hidden", "8", "--batch", "full", "--device", "cpu,executor=shared",
            "--against", "cpu,executor=columns", "--json", "--quiet");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.out, "\"executor\": \"shared\""), "%s", outcome.out);
    cr_expect_not_null(strstr(outcome.out, "\"executor\": \"columns\""), "%s", outcome.out);
}
