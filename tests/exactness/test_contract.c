/* Models, checkpoints and golden files say which numerical contract they were made under; others are refused by it. */
#include "model/model_file_layout.h"
#include "program.h"
#include "support/digest.h"

TestSuite(contract, .init = enter_folder, .fini = leave_folder);

/* The same safetensors file of another contract, or NULL: of none; its checksum is right. */
static void rewrite_model(const char *from, const char *to, const char *contract) {
    char digest[DIGEST_TEXT_SIZE];
    uint64_t length = 0;
    struct stat information;
    const char *bytes = file_text(from);
    cr_assert_eq(stat(from, &information), 0);
    memcpy(&length, bytes, sizeof length);
    json_t *header = json_loadb(bytes + sizeof length, length, 0, NULL);
    json_t *metadata = json_object_get(header, "__metadata__");
    cr_assert_str_eq(json_words(metadata, "contract"), "1");
    cr_assert_eq(contract == NULL ? json_object_del(metadata, "contract")
                                  : json_object_set_new(metadata, "contract", json_string(contract)),
                 0);
    model_file_digest_metadata(metadata, digest);
    cr_assert_eq(json_object_set_new(metadata, "metadata_sha256", json_string(digest)), 0);
    char *text = json_dumps(header, JSON_COMPACT);
    const uint64_t made = strlen(text);
    FILE *file = fopen(to, "wb");
    cr_assert_eq(fwrite(&made, sizeof made, 1, file), 1);
    cr_assert_eq(fwrite(text, 1, made, file), made);
    const size_t begin = sizeof length + length, rest = (size_t)information.st_size - begin;
    cr_assert_eq(fwrite(bytes + begin, 1, rest, file), rest);
    cr_assert_eq(fclose(file), 0);
    free(text);
    json_decref(header);
}

static void expect_refused(outcome outcome, const char *path) {
    char line[200];
    snprintf(line, sizeof line, "%s: made under contract 2, this tanda keeps contract 1\n", path);
    cr_expect_eq(outcome.status, 3, "%s: %d", path, outcome.status);
    cr_expect_not_null(strstr(outcome.err, line), "%s", outcome.err);
    cr_expect_eq(count_lines(outcome.err), 1, "%s", outcome.err);
}

Test(contract, a_model_of_another_is_refused_and_one_without_is_of_the_first) {
    json_decref(RUN_JSON("train", "--data", IRIS, "--device", "cpu", "--epochs", "1", "--output", "m"));
    rewrite_model("m", "two", "2");
    rewrite_model("m", "none", NULL);
    expect_refused(RUN("evaluate", "two", IRIS, "--device", "cpu", "--quiet"), "two");
    expect_refused(RUN("train", IRIS, "--init", "two", "--device", "cpu", "--quiet"), "two");
    cr_expect_eq(RUN("evaluate", "none", IRIS, "--device", "cpu", "--quiet").status, 0);
}

Test(contract, a_checkpoint_of_another_is_not_gone_on_from) {
    json_decref(RUN_JSON("train", "--data", IRIS, "--device", "cpu", "--epochs", "1", "--checkpoint",
                         "c.safetensors"));
    rewrite_model("c.safetensors", "two.safetensors", "2");
    rewrite_model("c.safetensors", "none.safetensors", NULL);
    expect_refused(
        RUN("train", IRIS, "--epochs", "2", "--resume", "two.safetensors", "--device", "cpu", "--quiet"),
        "two.safetensors");
    cr_expect_eq(
        RUN("train", IRIS, "--epochs", "2", "--resume", "none.safetensors", "--device", "cpu", "--quiet")
            .status,
        0);
}

Test(contract, a_golden_file_of_another_is_no_difference_and_no_other_data) {
    json_decref(RUN_JSON("record", IRIS, "--device", "cpu", "--epochs", "1", "--output", "g.json"));
    json_t *golden = json_load_file("g.json", 0, NULL);
    cr_assert_eq(json_figure(golden, "contract"), 1);
    cr_assert_eq(json_object_set_new(golden, "contract", json_integer(2)), 0);
    cr_assert_eq(json_dump_file(golden, "two.json", 0), 0);
    cr_assert_eq(json_object_del(golden, "contract"), 0);
    cr_assert_eq(json_dump_file(golden, "none.json", 0), 0);
    json_decref(golden);
    expect_refused(RUN("verify", "--golden", "two.json", "--device", "cpu", "--quiet"), "two.json");
    cr_expect_eq(RUN("verify", "--golden", "none.json", "--device", "cpu", "--quiet").status, 0);
}
