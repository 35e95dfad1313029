/* .npy of every kind that NumPy writes: orders, dimensions, types, and labels in all their forms. */
#include <math.h>

#include "data_files.h"

TestSuite(array_kinds, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

static const tanda_dataset_options rows_only = {.without_target = true};

/* order is "True" for Fortran's. */
static const char *write_npy(const char *name, const char *descr, const char *order, const char *shape,
                             const void *data, size_t size) {
    char *file = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&file, &length);
    cr_assert_not_null(stream);
    fwrite("\x93NUMPY\x01\0\xf6\0", 1, 10, stream);
    const int used =
        fprintf(stream, "{'descr': %s, 'fortran_order': %s, 'shape': (%s), }", descr, order, shape);
    fprintf(stream, "%*s", 0xf6 - used, "\n");
    fwrite(data, 1, size, stream);
    fclose(stream);
    const char *path = write_bytes(name, file, length);
    free(file);
    return path;
}

Test(array_kinds, fortran_order_becomes_rows) {
    const float columns[] = {1, 4, 2, 5, 3, -0.0f};
    tanda_dataset *dataset =
        load(write_npy("f.npy", "'<f4'", "True", "2, 3", columns, sizeof columns), &rows_only);
    assert_values(dataset, 2, 3, VALUES(1, 2, 3, 4, 5, 0));
    tanda_dataset_free(dataset);
    const tanda_dataset_options chosen = {.target = "0", .features = NAMES("2", "1"), .feature_count = 2};
    dataset = load(path_of("f.npy"), &chosen);
    assert_values(dataset, 2, 2, VALUES(3, 2, 0, 5));
    assert_classes(dataset, 2, NAMES("1", "4"), CLASSES(0, 1));
    tanda_dataset_free(dataset);
}

Test(array_kinds, a_long_array_in_fortran_order_is_turned_by_tiles) {
    enum { ROWS = 3001, COLUMNS = 131 };
    static double columns[COLUMNS][ROWS];
    for (size_t row = 0; row < ROWS; row++)
        for (size_t i = 0; i < COLUMNS; i++)
            columns[i][row] = (double)(row * COLUMNS + i);
    tanda_dataset *dataset =
        load(write_npy("f.npy", "'<f8'", "True", "3001, 131", columns, sizeof columns), &rows_only);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        cr_assert_eq(dataset->values[i], (float)i, "value %zu", i);
    tanda_dataset_free(dataset);
    columns[7][2990] = NAN;
    columns[130][1500] = INFINITY;
    refuse(write_npy("f.npy", "'<f8'", "True", "3001, 131", columns, sizeof columns), &rows_only,
           "f.npy: row 1500, column 130 (from 0): inf is not finite: missing and infinite values are not "
           "accepted");
}

Test(array_kinds, dimensions_behind_the_first_are_columns_in_either_order) {
    const uint8_t by_rows[] = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15}; /* 2 images of 3 x 2 */
    const uint8_t by_columns[] = {0, 10, 2, 12, 4, 14, 1, 11, 3, 13, 5, 15};
    const uint8_t one[] = {0, 2, 4, 1, 3, 5};
    const float expected[] = {0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15};
    tanda_dataset *dataset =
        load(write_npy("c.npy", "'|u1'", "False", "2, 3, 2", by_rows, sizeof by_rows), &rows_only);
    assert_values(dataset, 2, 6, expected);
    tanda_dataset_free(dataset);
    dataset = load(write_npy("f.npy", "'|u1'", "True", "2, 3, 2", by_columns, sizeof by_columns), &rows_only);
    assert_values(dataset, 2, 6, expected);
    tanda_dataset_free(dataset);
    dataset = load(write_npy("o.npy", "'|u1'", "True", "1, 3, 2", one, sizeof one), &rows_only);
    assert_values(dataset, 1, 6, expected);
    tanda_dataset_free(dataset);
}

Test(array_kinds, four_dimensions_in_fortran_order_are_columns_in_the_order_of_c) {
    enum { A = 3, B = 2, C = 4, D = 5 };
    int32_t stored[D][C][B][A]; /* as Fortran has it: the first dimension goes fastest */
    for (int32_t i = 0; i < A * B * C * D; i++)
        stored[i % D][i / D % C][i / D / C % B][i / D / C / B] = i;
    tanda_dataset *dataset =
        load(write_npy("f.npy", "'<i4'", "True", "3, 2, 4, 5", stored, sizeof stored), &rows_only);
    cr_assert_eq(dataset->features, B * C * D);
    for (size_t i = 0; i < A * B * C * D; i++)
        cr_assert_eq(dataset->values[i], (float)i, "value %zu", i);
    tanda_dataset_free(dataset);
}

Test(array_kinds, float16_of_both_byte_orders_is_exact) {
    /* 1, -2, 65504 (the largest), 2^-24 (the least), 2^-14, 1 + 2^-10 */
    const uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x3c01};
    const float expected[] = {1, -2, 65504, 0x1p-24f, 0x1p-14f, 1.0009765625f};
    uint16_t swapped[6];
    for (size_t i = 0; i < 6; i++)
        swapped[i] = (uint16_t)(halves[i] << 8 | halves[i] >> 8);
    tanda_dataset *dataset =
        load(write_npy("l.npy", "'<f2'", "False", "2, 3", halves, sizeof halves), &rows_only);
    assert_values(dataset, 2, 3, expected);
    tanda_dataset_free(dataset);
    dataset = load(write_npy("b.npy", "'>f2'", "False", "2, 3", swapped, sizeof swapped), &rows_only);
    assert_values(dataset, 2, 3, expected);
    tanda_dataset_free(dataset);
    swapped[4] = 0x007c;
    refuse(
        write_npy("i.npy", "'>f2'", "False", "2, 3", swapped, sizeof swapped), &rows_only,
        "i.npy: row 1, column 1 (from 0): inf is not finite: missing and infinite values are not accepted");
}

/* ---- labels ------------------------------------------------------------------------------------------- */

static const char *write_rows(void) {
    static char path[128];
    snprintf(path, sizeof path, "%s", write_npy("x.npy", "'<f4'", "False", "3, 1", VALUES(1, 2, 3), 12));
    return path;
}

Test(array_kinds, labels_of_text_are_classes) {
    static const uint32_t wide[] = {'n', 0xf6, 0, 'j', 'a', 0, 'n', 0xf6, 0x1f600};
    uint32_t swapped[9];
    for (size_t i = 0; i < 9; i++)
        swapped[i] = __builtin_bswap32(wide[i]);
    tanda_dataset_options options = {.labels = write_npy("u.npy", "'<U3'", "False", "3,", wide, sizeof wide)};
    const char *rows = write_rows();
    for (int i = 0; i < 2; i++) {
        tanda_dataset *dataset = load(rows, &options);
        assert_classes(dataset, 3, NAMES("ja", "n\xc3\xb6", "n\xc3\xb6\xf0\x9f\x98\x80"), CLASSES(1, 0, 2));
        tanda_dataset_free(dataset);
        options.labels = write_npy("u.npy", "'>U3'", "False", "3, 1", swapped, sizeof swapped);
    }
    options.labels = write_npy("s.npy", "'|S3'", "False", "3,", "no\0yesno\0", 9);
    tanda_dataset *dataset = load(rows, &options);
    assert_classes(dataset, 2, NAMES("no", "yes"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
    options.labels = write_npy("n.npy", "'|S2'", "False", "3,", "109\00010", 6);
    dataset = load(rows, &options);
    assert_classes(dataset, 2, NAMES("9", "10"), CLASSES(1, 0, 1));
    tanda_dataset_free(dataset);
}

Test(array_kinds, an_array_of_text_is_read_as_csv_is) {
    static const char text[] = "1.5 red a   2   blueb   -3  red a   ";
    const char *path = write_npy("t.npy", "'|S4'", "False", "3, 3", text, sizeof text - 1);
    const tanda_dataset_options automatic = {.categorical_auto = true};
    refuse(path, NULL, "t.npy: row 0, column 1 (from 0): 'red' is not a number; --categorical takes text");
    tanda_dataset *dataset = load(path, &automatic);
    assert_values(dataset, 3, 2, VALUES(1.5f, 0, 2, 1, -3, 0));
    cr_assert(dataset->raw.is_category[1] && !dataset->raw.is_category[0]);
    cr_assert_str_eq(dataset->raw.categories[1].texts.texts[1], "blue");
    assert_classes(dataset, 2, NAMES("a", "b"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
}

Test(array_kinds, labels_of_one_1_a_row_are_classes) {
    const double hot[] = {0, 1, 0, 0, 0, 1, 0, 1, 0};
    const uint8_t by_columns[] = {0, 0, 0, 1, 0, 1, 0, 1, 0};
    tanda_dataset_options options = {.labels = write_npy("h.npy", "'<f8'", "False", "3, 3", hot, sizeof hot)};
    const char *rows = write_rows();
    tanda_dataset *dataset = load(rows, &options);
    assert_classes(dataset, 2, NAMES("1", "2"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
    options.labels = write_npy("f.npy", "'|b1'", "True", "3, 3", by_columns, sizeof by_columns);
    dataset = load(rows, &options);
    assert_classes(dataset, 2, NAMES("1", "2"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
    options.task = TANDA_TASK_REGRESSION;
    dataset = load(rows, &options);
    cr_assert_eq(dataset->target_count, 3);
    tanda_dataset_free(dataset);
    options = (tanda_dataset_options){
        .labels = write_npy("m.npy", "'<f8'", "False", "3, 3",
                            VALUES(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 72)};
    refuse(rows, &options, "m.npy: has 3 columns; a file of labels has one");
    options.labels = write_npy("b.npy", "'|b1'", "False", "3,", "\1\0\1", 3);
    dataset = load(rows, &options);
    assert_classes(dataset, 2, NAMES("0", "1"), CLASSES(1, 0, 1));
    tanda_dataset_free(dataset);
}

/* ---- what is not read --------------------------------------------------------------------------------- */

Test(array_kinds, types_that_hold_no_numbers_are_refused_with_a_cure) {
    static const struct {
        const char *descr, *message;
    } cases[] = {
        {"[('a', '<f4'), ('b', '<i4')]",
         "r.npy: is a structured array, whose fields have types of their own; save the numbers as one: "
         "numpy.lib.recfunctions.structured_to_unstructured(...)"},
        {"'|O'", "r.npy: its elements are Python objects ('|O'), which are not read; save numpy.asarray(..., "
                 "dtype='float32'), or text as dtype 'U'"},
        {"'<c8'", "r.npy: its elements are complex numbers ('<c8'), which are not read; save real and "
                  "imaginary parts as "
                  "columns"},
        {"'<M8[ns]'",
         "r.npy: its elements are dates ('<M8[ns]'), which are not read; save numbers, as .astype('int64') "
         "gives"},
        {"'<f16'",
         "r.npy: its elements are floats of this size ('<f16'), which are not read; save float32 or float64"},
        {"'|V8'", "r.npy: its elements are records or raw bytes ('|V8'), which are not read; save the "
                  "numbers as float32 "
                  "or float64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(write_npy("r.npy", cases[i].descr, "False", "2, 1", "0123456789abcdef", 16), &rows_only,
               cases[i].message);
    refuse(write_npy("u.npy", "'<U4611686018427387905'", "False", "2, 1", "0123", 4), &rows_only,
           "u.npy: elements of type '<U4611686018427387905' are not read; save as float32, float64 or "
           "integers of 8 "
           "to 64 bits");
    refuse(write_npy("d.npy", "'|u1'", "False", "4294967296, 4294967296, 4294967296, 2", "0123", 4),
           &rows_only,
           "d.npy: the header declares 4294967296 x 4294967296 x 4294967296 x 2 values of 1 byte, but 4 "
           "bytes follow "
           "it (damaged or cut off)");
}
