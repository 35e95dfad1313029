/* What is asked for before it is had: memory for data, for JSON, and threads. */
#include <jansson.h>
#include <zlib.h>

#include "data/csv_rows.h"
#include "program.h"
#include "tanda.h"

TestSuite(no_memory, .init = enter_folder, .fini = leave_folder, .timeout = 120);

static void repeat(FILE *file, const char *text, size_t count) {
    for (size_t i = 0; i < count; i++)
        fputs(text, file);
}

/* The message of a file that is refused. */
static const char *refusal(const char *path) {
    static tanda_error error;
    tanda_dataset *dataset = NULL;
    cr_expect_eq(tanda_dataset_load(path, &TANDA_OPTIONS(tanda_dataset_options, .without_target = true),
                                    &dataset, &error),
                 TANDA_BAD_INPUT);
    return error.message;
}

Test(no_memory, more_columns_than_any_table_has_are_refused) {
    FILE *file = fopen("wide.csv", "w");
    repeat(file, "1,", CSV_COLUMNS_MAX);
    fputs("1\n", file);
    fclose(file);
    cr_expect_str_eq(refusal("wide.csv"),
                     "wide.csv:1: more than 1048576 fields in the first row; is it the right file?");
}

/* 50,000 columns and 500,000 line ends are a table of 100 GB. */
Test(no_memory, rows_that_a_text_has_no_room_for_are_not_asked_for) {
    FILE *file = fopen("tall.csv", "w");
    repeat(file, "1,", 50000);
    fputs("1\n", file);
    repeat(file, "2\n", 500000);
    fclose(file);
    cr_expect_str_eq(refusal("tall.csv"), "tall.csv:2: 1 field, the first row has 50001");
}

/* A row of empty values is the shortest that there is. */
Test(no_memory, the_shortest_rows_that_are_right_are_read) {
    tanda_dataset *dataset = NULL;
    tanda_error error = {0};
    const tanda_dataset_options options = {.size = sizeof options,
                                           .without_target = true,
                                           .missing = TANDA_MISSING_MEAN,
                                           .header = TANDA_HEADER_NONE};
    FILE *file = fopen("empty.csv", "w");
    repeat(file, ",,\n", 1000);
    fputs("1,1,1\n", file);
    fclose(file);
    cr_assert_eq(tanda_dataset_load("empty.csv", &options, &dataset, &error), TANDA_OK, "%s", error.message);
    cr_expect_eq(tanda_dataset_rows(dataset), 1001);
    tanda_dataset_free(dataset);
}

/* It is cut off, too, which unpacking would tell first. */
Test(no_memory, gzip_that_cannot_hold_what_its_header_declares_is_not_unpacked) {
    static const unsigned char header[] = {0, 0, 8, 3, 0, 1, 0, 0,
                                           0, 0, 1, 0, 0, 0, 1, 0}; /* 65536 x 256 x 256 */
    unsigned char packed[256] = {0};
    z_stream stream = {.next_in = (unsigned char *)header,
                       .avail_in = sizeof header,
                       .next_out = packed,
                       .avail_out = sizeof packed};
    cr_assert_eq(deflateInit2(&stream, 0, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    cr_assert_eq(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
    deflateEnd(&stream);
    FILE *file = fopen("bomb.gz", "w");
    cr_assert_eq(fwrite(packed, 1, stream.total_out, file), stream.total_out);
    fclose(file);
    cr_expect_str_eq(refusal("bomb.gz"),
                     "bomb.gz: the IDX header declares 65536 rows of 65536 values, which take "
                     "4294967296 bytes, but fewer follow it");
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static size_t calls, failing;

static void *fail_once(size_t size) {
    return ++calls == failing ? NULL : malloc(size);
}

/* A long path among the settings would be where jansson 2.14 aborts without the reserve (support/json.h). */
Test(no_memory, a_model_that_there_is_no_memory_for_is_not_called_damaged) {
    cr_assert_eq(symlink(IRIS, "iris.csv"), 0);
    cr_assert_eq(RUN("train", "--data", "iris.csv", "--hidden", "4", "--epochs", "1", "--quiet", "--device",
                     "cpu", "--output", "m.safetensors")
                     .status,
                 0);
    json_set_alloc_funcs(fail_once, free);
    tanda_status status = TANDA_FAILED;
    for (failing = 1; status != TANDA_OK; failing++) {
        tanda_model *model = NULL;
        tanda_error error = {0};
        calls = 0;
        status = tanda_model_load("m.safetensors", &model, &error);
        const bool has_failed = calls >= failing;
        cr_assert_eq(status, has_failed ? TANDA_FAILED : TANDA_OK, "call %zu: %s", failing, error.message);
        tanda_model_free(model);
    }
    cr_expect_gt(failing, 100);
}

/* ---- threads ------------------------------------------------------------------------------------------- */

Test(no_memory, threads_that_cannot_be_started_are_told) {
    setenv("OMP_STACKSIZE", "1000000 G", 1);
    const outcome outcome =
        RUN("train", "--data", IRIS, "--epochs", "1", "--device", "cpu", "--threads", "3", "--quiet");
    cr_expect_eq(outcome.status, 1);
    cr_expect_str_eq(
        outcome.err,
        "tanda: --threads: 3 threads cannot be started, only 1: Resource temporarily unavailable; take "
        "fewer, or a smaller OMP_STACKSIZE\n");
    cr_expect_eq(
        RUN("train", "--data", IRIS, "--epochs", "1", "--device", "cpu", "--threads", "1", "--quiet").status,
        0);
}
