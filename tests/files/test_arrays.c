/* .npy and IDX files: what is read, and what is said of a file that is wrong. */
#include <float.h>
#include <math.h>
#include <zlib.h>

#include "data_files.h"

TestSuite(npy, .init = make_folder, .fini = remove_folder);
TestSuite(idx, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

static unsigned char file_bytes[4096];

/* ---- .npy --------------------------------------------------------------------------------------------- */

/* A .npy file of this version whose header is the text, padded to a multiple of 64 bytes as NumPy does. */
static const char *write_npy(const char *name, unsigned version, const char *header, const void *data,
                             size_t size) {
    size_t prefix = version == 1 ? 10 : 12;
    size_t length = (prefix + strlen(header) + 1 + 63) / 64 * 64 - prefix;
    memcpy(file_bytes, "\x93NUMPY", 6);
    file_bytes[6] = (unsigned char)version;
    file_bytes[7] = 0;
    for (size_t i = 8; i < prefix; i++)
        file_bytes[i] = (unsigned char)(length >> 8 * (i - 8));
    memset(file_bytes + prefix, ' ', length);
    memcpy(file_bytes + prefix, header, strlen(header));
    file_bytes[prefix + length - 1] = '\n';
    memcpy(file_bytes + prefix + length, data, size);
    return write_bytes(name, file_bytes, prefix + length + size);
}

static const char *npy_header(const char *descr, const char *shape) {
    static char header[200];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape);
    return header;
}

static const float two_by_three[] = {1.0f, 2.5f, 0.0f, -3.0f, 4.0f, 1.0f};

Test(npy, versions_1_to_3_are_read) {
    for (unsigned version = 1; version <= 3; version++) {
        const char *path =
            write_npy("v.npy", version, npy_header("<f4", "2, 3"), two_by_three, sizeof two_by_three);
        tanda_dataset *dataset = load(path, NULL);
        assert_values(dataset, 2, 2, VALUES(1.0f, 2.5f, -3.0f, 4.0f));
        assert_classes(dataset, 2, NAMES("0", "1"), CLASSES(0, 1));
        cr_assert_null(dataset->feature_names);
        tanda_dataset_free(dataset);
    }
}

Test(npy, every_element_type_in_both_byte_orders_is_read) {
    static const struct {
        const char *descr;
        const char *bytes; /* of 1, 2, 0 */
        size_t size;
    } cases[] = {
        {"<f4", "\0\0\x80\x3f\0\0\0\x40\0\0\0\0", 4},
        {">f4", "\x3f\x80\0\0\x40\0\0\0\0\0\0\0", 4},
        {"<f8", "\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0", 8},
        {">f8", "\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 8},
        {"|i1", "\1\2\0", 1},
        {"|u1", "\1\2\0", 1},
        {"<i2", "\1\0\2\0\0\0", 2},
        {">i2", "\0\1\0\2\0\0", 2},
        {"<u2", "\1\0\2\0\0\0", 2},
        {"<i4", "\1\0\0\0\2\0\0\0\0\0\0\0", 4},
        {">u4", "\0\0\0\1\0\0\0\2\0\0\0\0", 4},
        {"<i8", "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 8},
        {">u8", "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\0", 8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_dataset_options options = {.without_target = true};
        const char *path =
            write_npy("t.npy", 1, npy_header(cases[i].descr, "1, 3"), cases[i].bytes, 3 * cases[i].size);
        tanda_dataset *dataset = load(path, &options);
        assert_values(dataset, 1, 3, VALUES(1, 2, 0));
        cr_assert_eq(dataset->from_bytes, strcmp(cases[i].descr, "|u1") == 0);
        cr_assert_eq(dataset->mapping.data != NULL, strcmp(cases[i].descr, "<f4") == 0);
        tanda_dataset_free(dataset);
    }
}

Test(npy, signs_and_rounding_of_wide_elements_are_right) {
    const int64_t integers[] = {-1, INT64_MIN, 16777217};
    const uint64_t naturals[] = {UINT64_MAX, 0, 16777219};
    const double doubles[] = {0.1, -0.0, 1.0000000596046448};
    const int8_t small[] = {-1, -128, 127};
    tanda_dataset_options options = {.without_target = true};
    tanda_dataset *dataset =
        load(write_npy("i.npy", 1, npy_header("<i8", "1, 3"), integers, sizeof integers), &options);
    assert_values(dataset, 1, 3, VALUES(-1, -0x1p63f, 16777216));
    tanda_dataset_free(dataset);
    dataset = load(write_npy("u.npy", 1, npy_header("<u8", "1, 3"), naturals, sizeof naturals), &options);
    assert_values(dataset, 1, 3, VALUES(0x1p64f, 0, 16777220));
    tanda_dataset_free(dataset);
    dataset = load(write_npy("d.npy", 1, npy_header("<f8", "1, 3"), doubles, sizeof doubles), &options);
    assert_values(dataset, 1, 3, VALUES(0.1f, 0, 1));
    tanda_dataset_free(dataset);
    dataset = load(write_npy("s.npy", 1, npy_header("|i1", "1, 3"), small, sizeof small), &options);
    assert_values(dataset, 1, 3, VALUES(-1, -128, 127));
    tanda_dataset_free(dataset);
}

Test(npy, only_clean_binary32_in_whole_rows_stays_in_the_mapped_file) {
    const float dirty[] = {1.0f, -0.0f, 2.0f, 3.0f};
    const int64_t labels[] = {4, 5};
    const char *label_path = write_npy("y.npy", 1, npy_header("<i8", "2,"), labels, sizeof labels);
    tanda_dataset_options options = {.labels = label_path};
    tanda_dataset *dataset =
        load(write_npy("x.npy", 1, npy_header("<f4", "2, 3"), two_by_three, sizeof two_by_three), &options);
    cr_assert_not_null(dataset->mapping.data);
    cr_assert_null(dataset->owned);
    assert_values(dataset, 2, 3, two_by_three);
    assert_classes(dataset, 2, NAMES("4", "5"), CLASSES(0, 1));
    tanda_dataset_free(dataset);
    dataset = load(write_npy("z.npy", 1, npy_header("<f4", "2, 2"), dirty, sizeof dirty), &options);
    cr_assert_null(dataset->mapping.data);
    assert_values(dataset, 2, 2, VALUES(1, 0, 2, 3));
    tanda_dataset_free(dataset);
    options.features = NAMES("2", "0");
    options.feature_count = 2;
    dataset = load(path_of("x.npy"), &options);
    cr_assert_null(dataset->mapping.data);
    assert_values(dataset, 2, 2, VALUES(0, 1, 1, -3));
    tanda_dataset_free(dataset);
}

Test(npy, spellings_of_the_header_are_read) {
    static const char *const headers[] = {
        "{'shape': (2, 3), 'fortran_order': False, 'descr': '<f4'}",
        "{\"descr\":\"<f4\",\"fortran_order\":False,\"shape\":(2,3)}",
        "{ 'descr' : '=f4' , 'fortran_order' : False , 'shape' : ( 2L , 3L , ) , }",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const char *path = write_npy("h.npy", 1, headers[i], two_by_three, sizeof two_by_three);
        tanda_dataset *dataset = load(path, NULL);
        cr_assert_eq(dataset->rows, 2);
        tanda_dataset_free(dataset);
    }
}

Test(npy, fortran_order_is_read_where_it_makes_no_difference) {
    const char *path = write_npy("f.npy", 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (1, 6)}",
                                 two_by_three, sizeof two_by_three);
    tanda_dataset_options options = {.without_target = true};
    tanda_dataset *dataset = load(path, &options);
    assert_values(dataset, 1, 6, two_by_three);
    tanda_dataset_free(dataset);
}

Test(npy, what_is_read_in_memory_alone_is_refused_where_it_does_not_fit) {
    const tanda_dataset_options fits = {.memory = 1000}, exceeds = {.memory = 8};
    const char *path = write_npy("f.npy", 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}",
                                 two_by_three, sizeof two_by_three);
    tanda_dataset *dataset = load(path, &fits);
    assert_values(dataset, 2, 2, VALUES(1.0f, 0.0f, 2.5f, -3.0f));
    tanda_dataset_free(dataset);
    refuse(path, &exceeds,
           "f.npy: lies column by column (Fortran order), which is read in memory alone: give a greater "
           "--memory, or save it by rows (numpy.ascontiguousarray)");
    path = write_npy("t.npy", 1, npy_header("|S1", "2, 3"), "120451", 6);
    dataset = load(path, &fits);
    assert_values(dataset, 2, 2, VALUES(1.0f, 2.0f, 4.0f, 5.0f));
    tanda_dataset_free(dataset);
    refuse(path, &exceeds,
           "t.npy: holds text, which is read in memory alone: give a greater --memory, or save numbers");
}

Test(npy, a_damaged_header_is_refused) {
    static const struct {
        const char *header;
        const char *message;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 4), }",
         "bad.npy: the header declares 1099511627776 x 4 values of 4 bytes, but 24 bytes follow it (damaged "
         "or cut "
         "off)"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
         "bad.npy: the header declares 4294967296 x 4294967296 values of 4 bytes, but 24 bytes follow it "
         "(damaged or "
         "cut off)"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }",
         "bad.npy: the header declares 1 x 3 values of 4 bytes, but 24 bytes follow it (damaged or cut off)"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 0), }",
         "bad.npy: the array of 1099511627776 x 0 values is empty"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999, 4), }",
         "bad.npy: byte 80 of the .npy header: expected a size below 2^64"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
         "bad.npy: the array has 0 dimensions; 1 to 32 are read, the first for the rows"},
        {"{'descr': '<x4', 'fortran_order': False, 'shape': (2, 3), }",
         "bad.npy: elements of type '<x4' are not read; save as float32, float64 or integers of 8 to 64 "
         "bits"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }",
         "bad.npy: byte 44 of the .npy header: expected True or False behind 'fortran_order'"},
        {"{'descr': '<f4', 'shape': (2, 3), }",
         "bad.npy: byte 45 of the .npy header: expected the keys 'descr', 'fortran_order' and 'shape'"},
        {"{'descr': '<f4', 'descr': '<f4'}",
         "bad.npy: byte 34 of the .npy header: expected one of the keys 'descr', "
         "'fortran_order', 'shape', each once"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} + {}",
         "bad.npy: byte 68 of the .npy header: expected nothing but spaces"},
        {"", "bad.npy: byte 64 of the .npy header: expected '{'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(write_npy("bad.npy", 1, cases[i].header, two_by_three, sizeof two_by_three), NULL,
               cases[i].message);
}

Test(npy, a_file_cut_off_anywhere_is_refused) {
    write_npy("whole.npy", 1, npy_header("<f4", "2, 3"), two_by_three, sizeof two_by_three);
    size_t whole = 128 + sizeof two_by_three;
    for (size_t size = 1; size < whole; size++) {
        tanda_error error = {0};
        tanda_dataset *dataset = NULL;
        tanda_status status =
            dataset_load(write_bytes("cut.npy", file_bytes, size), NULL, NULL, &dataset, &error);
        cr_assert_eq(status, TANDA_BAD_INPUT, "%zu bytes", size);
    }
    file_bytes[6] = 9;
    refuse(write_bytes("new.npy", file_bytes, whole), NULL,
           "new.npy: .npy version 9.0 is unknown; there are 1, 2 and 3");
}

Test(npy, values_that_are_not_finite_are_refused_with_row_and_column) {
    const float singles[] = {1, 2, 3, 4, NAN, 0};
    const double doubles[] = {1, 2, 0, -1e39, 3, 1};
    refuse(
        write_npy("n.npy", 1, npy_header("<f4", "2, 3"), singles, sizeof singles), NULL,
        "n.npy: row 1, column 1 (from 0): nan is not finite: missing and infinite values are not accepted");
    refuse(write_npy("d.npy", 1, npy_header("<f8", "2, 3"), doubles, sizeof doubles), NULL,
           "d.npy: row 1, column 0 (from 0): -1e+39 is beyond the range of binary32 (3.4e38)");
    tanda_dataset_options options = {.labels = path_of("n.npy")};
    refuse(
        path_of("n.npy"), &options,
        "n.npy: row 1, column 1 (from 0): nan is not finite: missing and infinite values are not accepted");
}

Test(npy, labels_may_come_from_any_format) {
    const uint8_t idx[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 3};
    const double npy[] = {9, 3};
    const char *const paths[] = {
        write_bytes("l.idx", idx, sizeof idx),
        write_npy("l.npy", 1, npy_header("<f8", "2,"), npy, sizeof npy),
        write_text("l.csv", "9\n3\n"),
        write_text("lh.csv", "digit\n9\n3\n"),
    };
    char copies[4][128];
    for (size_t i = 0; i < 4; i++)
        strcpy(copies[i], paths[i]);
    const char *data = write_npy("x.npy", 1, npy_header("<f4", "2, 3"), two_by_three, sizeof two_by_three);
    char data_path[128];
    strcpy(data_path, data);
    for (size_t i = 0; i < 4; i++) {
        tanda_dataset_options options = {.labels = copies[i]};
        tanda_dataset *dataset = load(data_path, &options);
        cr_assert_eq(dataset->features, 3);
        assert_classes(dataset, 2, NAMES("3", "9"), CLASSES(1, 0));
        cr_assert_eq(dataset->target_name != NULL, i == 3);
        tanda_dataset_free(dataset);
    }
    tanda_dataset_options options = {.labels = write_text("words.csv", "no\nyes\n")};
    tanda_dataset *dataset = load(data_path, &options);
    assert_classes(dataset, 2, NAMES("no", "yes"), CLASSES(0, 1));
    tanda_dataset_free(dataset);
    options.labels = write_text("three.csv", "1\n2\n3\n");
    refuse(data_path, &options, "three.csv: 3 labels for the 2 rows of x.npy; there must be one per row");
    options.labels = write_text("wide.csv", "1,2\n2,3\n");
    refuse(data_path, &options, "wide.csv: has 2 columns; a file of labels has one");
    options.target = "0";
    refuse_expecting(data_path, &options, NULL, TANDA_USAGE,
                     "--target: --labels gives the labels; leave out one of the two");
}

/* ---- IDX ---------------------------------------------------------------------------------------------- */

/* Two images of 1 x 2 bytes. */
static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 7, 8};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 5, 3};
#define IMAGES_HEADER 16

static const char *write_gzip(const char *name, const void *data, size_t size) {
    const char *path = path_of(name);
    gzFile file = gzopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(gzwrite(file, data, (unsigned)size), (int)size);
    cr_assert_eq(gzclose(file), Z_OK);
    return path;
}

Test(idx, images_and_labels_are_read_plain_and_packed) {
    for (int packed = 0; packed < 4; packed++) {
        const char *path =
            packed & 1 ? write_gzip("i", images, sizeof images) : write_bytes("i", images, sizeof images);
        tanda_dataset_options options = {.labels = packed & 2 ? write_gzip("l", labels, sizeof labels)
                                                              : write_bytes("l", labels, sizeof labels)};
        tanda_dataset *dataset = load(path, &options);
        assert_values(dataset, 2, 2, VALUES(0, 255, 7, 8));
        assert_classes(dataset, 2, NAMES("3", "5"), CLASSES(1, 0));
        cr_assert(dataset->from_bytes);
        tanda_dataset_free(dataset);
    }
}

Test(idx, every_element_type_is_read) {
    static const struct {
        unsigned char code;
        const char *bytes; /* of 1 and 2 */
        size_t size;
    } cases[] = {{0x08, "\1\2", 1},
                 {0x09, "\1\2", 1},
                 {0x0B, "\0\1\0\2", 2},
                 {0x0C, "\0\0\0\1\0\0\0\2", 4},
                 {0x0D, "\x3f\x80\0\0\x40\0\0\0", 4},
                 {0x0E, "\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0", 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t file[64] = {0, 0, cases[i].code, 2, 0, 0, 0, 1, 0, 0, 0, 2};
        memcpy(file + 12, cases[i].bytes, 2 * cases[i].size);
        tanda_dataset_options options = {.without_target = true};
        tanda_dataset *dataset = load(write_bytes("e", file, 12 + 2 * cases[i].size), &options);
        assert_values(dataset, 1, 2, VALUES(1, 2));
        cr_assert_eq(dataset->from_bytes, cases[i].code == 0x08);
        tanda_dataset_free(dataset);
    }
}

Test(idx, a_wrong_count_is_refused_plain_and_packed) {
    static const struct {
        uint8_t rows;
        size_t size;
        const char *plain;
        const char *packed;
    } cases[] = {{3, 20, "fewer", "fewer"},
                 {1, 20, "more", "more"},
                 {2, 19, "fewer", "fewer"},
                 {255, 16, "fewer", "fewer"}};
    tanda_dataset_options options = {.without_target = true};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t file[sizeof images];
        char message[200];
        memcpy(file, images, sizeof images);
        file[7] = cases[i].rows;
        for (int packed = 0; packed < 2; packed++) {
            snprintf(message, sizeof message,
                     "w: the IDX header declares %d rows of 2 values, which take %d bytes, but %s follow it",
                     cases[i].rows, 2 * cases[i].rows, packed ? cases[i].packed : cases[i].plain);
            refuse(packed ? write_gzip("w", file, cases[i].size) : write_bytes("w", file, cases[i].size),
                   &options, message);
        }
    }
}

Test(idx, a_header_that_declares_the_moon_is_refused_before_memory_is_asked_for) {
    uint8_t file[] = {0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3};
    tanda_dataset_options options = {.without_target = true};
    static const char message[] =
        "moon: the IDX header declares 4294967295 rows of 4294967295 values, which take "
        "18446744065119617025 bytes, but fewer follow it";
    refuse(write_bytes("moon", file, sizeof file), &options, message);
    refuse(write_gzip("moon", file, sizeof file), &options, message);
    file[2] = 0x0E;
    refuse(write_bytes("moon", file, sizeof file), &options,
           "moon: the IDX header declares more values than any file holds");
}

Test(idx, a_damaged_file_is_refused) {
    tanda_dataset_options options = {.without_target = true};
    uint8_t file[sizeof images];
    memcpy(file, images, sizeof images);
    refuse(write_bytes("s", file, 10), &options, "s: the IDX header is cut off");
    refuse(write_gzip("s", file, 10), &options, "s: the IDX header is cut off");
    file[7] = 0;
    refuse(write_bytes("n", file, IMAGES_HEADER), &options,
           "n: the IDX header declares no values (0 rows of 2)");
    file[2] = 0x0A;
    options.format = "idx";
    refuse(write_bytes("k", file, sizeof file), &options, "k: IDX element type 0x0a is unknown");
    refuse(write_text("c", "1,2"), &options, "c: does not begin like an IDX file");
}

Test(idx, a_packed_file_cut_off_or_continued_is_refused) {
    uint8_t packed[200];
    tanda_dataset_options options = {.without_target = true};
    FILE *file = fopen(write_gzip("p.gz", images, sizeof images), "rb");
    size_t size = fread(packed, 1, sizeof packed - 3, file);
    fclose(file);
    for (size_t cut = 2; cut < size; cut++) {
        tanda_error error = {0};
        tanda_dataset *dataset = NULL;
        tanda_status status =
            dataset_load(write_bytes("p.gz", packed, cut), &options, NULL, &dataset, &error);
        cr_assert_eq(status, TANDA_BAD_INPUT, "%zu bytes", cut);
    }
    refuse(write_bytes("p.gz", packed, size - 1), &options, "p.gz: the gzip file is cut off");
    memcpy(packed + size, "end", 3);
    refuse(write_bytes("p.gz", packed, size + 3), &options, "p.gz: 3 bytes behind the end of the gzip file");
    packed[size - 6] ^= 1;
    refuse(write_bytes("p.gz", packed, size), &options,
           "p.gz: the gzip file is damaged: incorrect data check");
}

Test(idx, images_without_labels_are_refused_for_training) {
    refuse_expecting(write_bytes("i", images, sizeof images), NULL, NULL, TANDA_USAGE,
                     "--labels: i holds no labels; name the file that does");
    tanda_dataset_options options = {.labels = path_of("i")};
    refuse(path_of("i"), &options, "i: has 2 columns; a file of labels has one");
}
