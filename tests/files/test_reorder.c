/* tanda shuffle: the rows of a file in the order of the document, whatever is in memory, whole or not at all. */
#include "program.h"
#include "support_network.h"

#include "data/npy.h"
#include "data/reorder.h"
#include "kernels/shuffle.h"

TestSuite(reorder, .init = enter_folder, .fini = leave_folder);

#define ROWS 1000
#define COLUMNS 5

/* Row i holds COLUMNS * i and following. */
static void write_array(const char *path, size_t rows) {
    static float values[ROWS][COLUMNS];
    char header[NPY_HEADER_SIZE];
    for (size_t i = 0; i < rows * COLUMNS; i++)
        values[i / COLUMNS][i % COLUMNS] = (float)i;
    npy_make_header(header, 'f', rows, COLUMNS);
    FILE *file = fopen(path, "wb");
    cr_assert_eq(fwrite(header, sizeof header, 1, file), 1);
    cr_assert_eq(fwrite(values, sizeof *values, rows, file), rows);
    cr_assert_eq(fclose(file), 0);
}

static void expect_order(const char *path, uint64_t seed, size_t rows) {
    float row[COLUMNS];
    const shuffle_key key = shuffle_make_key(seed, 0, philox_stream(PURPOSE_SHUFFLE, 3), rows);
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, NPY_HEADER_SIZE, SEEK_SET), 0);
    for (size_t i = 0; i < rows; i++) {
        cr_assert_eq(fread(row, sizeof row, 1, file), 1);
        for (size_t k = 0; k < COLUMNS; k++)
            cr_assert_eq((size_t)row[k], shuffle_position(key, i) * COLUMNS + k, "row %zu", i);
    }
    cr_assert_eq(fgetc(file), EOF);
    cr_assert_eq(fclose(file), 0);
}

/* From one row in memory to all of them. */
Test(reorder, of_an_array_does_not_depend_on_memory) {
    static const size_t memory[] = {1, 100, 700, 5000, 40000, (size_t)1 << 20}, counts[] = {1, 2, 999, ROWS};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        write_array("x.npy", counts[c]);
        for (size_t m = 0; m < sizeof memory / sizeof *memory; m++) {
            reordering work = {.input = "x.npy", .output = "y.npy", .seed = 7, .memory_bytes = memory[m]};
            MUST(reorder_begin(&work, error));
            cr_expect_neq(access("y.npy", F_OK), 0, "there before it is finished");
            MUST(reorder_finish(&work, error));
            reorder_end(&work);
            cr_expect_eq(work.rows, counts[c]);
            expect_order("y.npy", 7, counts[c]);
            unlink("y.npy");
        }
    }
}

Test(reorder, takes_labels_along) {
    write_array("x.npy", ROWS);
    FILE *labels = fopen("y.csv", "w");
    fputs("which\n", labels);
    for (int i = 0; i < ROWS; i++)
        fprintf(labels, "row %d\n", i);
    fclose(labels);
    const outcome run =
        RUN("shuffle", "x.npy", "a.npy", "--labels", "y.csv", "--labels-output", "b.csv", "--seed", "3");
    cr_assert_eq(run.status, 0, "%s", run.err);
    expect_order("a.npy", 3, ROWS);
    const shuffle_key key = shuffle_make_key(3, 0, philox_stream(PURPOSE_SHUFFLE, 3), ROWS);
    char *text = file_text("b.csv"), *at = text, line[40];
    cr_assert_eq(strncmp(at, "which\n", 6), 0);
    at += 6;
    for (size_t i = 0; i < ROWS; i++) {
        const int length = snprintf(line, sizeof line, "row %lu\n", shuffle_position(key, i));
        cr_assert_eq(strncmp(at, line, (size_t)length), 0, "line %zu", i);
        at += length;
    }
    cr_assert_eq(*at, '\0');
}

/* Names, quoted line ends, CRLF and a last line without an end. */
Test(reorder, of_csv_keeps_its_records) {
    write_text("a.csv", "name,value\r\n\"x\r\n1\",1\r\ny,2\r\n\"z, \"\"q\"\"\",3");
    const outcome run = RUN("shuffle", "a.csv", "b.csv", "--seed", "1");
    cr_assert_eq(run.status, 0, "%s", run.err);
    const char *text = file_text("b.csv");
    cr_expect_eq(strncmp(text, "name,value\r\n", 12), 0, "%s", text);
    cr_expect_not_null(strstr(text, "\"x\r\n1\",1\r\n"), "%s", text);
    cr_expect_not_null(strstr(text, "y,2\r\n"), "%s", text);
    cr_expect_not_null(strstr(text, "\"z, \"\"q\"\"\",3\r\n"), "%s", text);
    cr_expect_eq(strlen(text), 12 + 10 + 5 + 14);
    const outcome iris = RUN("shuffle", IRIS, "iris.csv");
    cr_assert_eq(iris.status, 0, "%s", iris.err);
    cr_expect_eq(system("sort iris.csv > one && sort " IRIS " | tr -d '\\r' > two && cmp one two"), 0);
}

Test(reorder, refuses_what_it_cannot_write_again_and_leaves_the_output) {
    write_array("x.npy", ROWS);
    write_array("short.npy", ROWS - 1);
    write_text("out.npy", "before");
    const outcome rows =
        RUN("shuffle", "x.npy", "out.npy", "--labels", "short.npy", "--labels-output", "labels.npy");
    cr_expect_eq(rows.status, 3);
    cr_expect_str_eq(rows.err, "tanda: short.npy: has 999 rows, and x.npy has 1000\n");
    cr_expect_str_eq(file_text("out.npy"), "before");
    cr_expect_neq(access("labels.npy", F_OK), 0);
    cr_expect_eq(truncate("short.npy", 5000), 0);
    const outcome cut = RUN("shuffle", "short.npy", "out.npy");
    cr_expect_eq(cut.status, 3, "%s", cut.err);
    cr_expect_eq(RUN("shuffle", "x.npy", "x.npy").status, 2);
    cr_expect_eq(RUN("shuffle", "x.npy", "out.npy", "--labels", "short.npy").status, 2);
    cr_expect_eq(RUN("shuffle", "x.npy").status, 2);
    write_text("packed.gz", "\x1f\x8b packed");
    cr_expect_eq(RUN("shuffle", "packed.gz", "out.npy").status, 3);
    cr_expect_str_eq(file_text("out.npy"), "before");
    cr_expect_eq(system("ls | grep -c unfinished | grep -qx 0"), 0, "a temporary file is left");
}
