/* .npz: which arrays are taken, and what is said where they are missing. */
#include <archive.h>
#include <archive_entry.h>

#include "data_files.h"

TestSuite(npz, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

static struct archive *archive;
static const char *archive_path;

static void begin(const char *name, bool deflated) {
    archive_path = path_of(name);
    archive = archive_write_new();
    archive_write_set_format_zip(archive);
    cr_assert_eq(
        archive_write_set_options(archive, deflated ? "zip:compression=deflate" : "zip:compression=store"),
        ARCHIVE_OK);
    cr_assert_eq(archive_write_open_filename(archive, archive_path), ARCHIVE_OK);
}

static const char *end(void) {
    cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    return archive_path;
}

static void add_bytes(const char *name, const void *data, size_t size) {
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, name);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, (la_int64_t)size);
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK);
    cr_assert_eq(archive_write_data(archive, data, size), (la_ssize_t)size);
    archive_entry_free(entry);
}

/* An array of binary32 of this shape. */
static void add(const char *name, const char *shape, const float *values, size_t count) {
    unsigned char file[512];
    memcpy(file, "\x93NUMPY\x01\0\x76\0", 10);
    const int length =
        snprintf((char *)file + 10, 118, "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", shape);
    memset(file + 10 + length, ' ', 118 - (size_t)length);
    memcpy(file + 128, values, count * sizeof *values);
    add_bytes(name, file, 128 + count * sizeof *values);
}

static const float x[] = {1, 2, 3, 4, 5, 6}, y[] = {7, 9, 7}, more[] = {8, 8};

static const char *write_whole(bool deflated) {
    begin("f.npz", deflated);
    add("x_test.npy", "1, 2", more, 2);
    add("y_test.npy", "1,", y, 1);
    add("x_train.npy", "3, 2", x, 6);
    add("y_train.npy", "3,", y, 3);
    return end();
}

Test(npz, training_takes_x_train_and_y_train_stored_or_deflated) {
    for (int deflated = 0; deflated < 2; deflated++) {
        tanda_dataset *dataset = load(write_whole(deflated), NULL);
        assert_values(dataset, 3, 2, x);
        assert_classes(dataset, 2, NAMES("7", "9"), CLASSES(0, 1, 0));
        cr_assert_str_eq(dataset->remark, "x_train, y_train");
        tanda_dataset_free(dataset);
    }
}

Test(npz, validation_takes_x_test_and_y_test) {
    const tanda_dataset_options options = {.validation = true};
    tanda_dataset *training = load(write_whole(true), NULL);
    const dataset_expectation expected = dataset_expect(training);
    tanda_dataset *dataset = load_expecting(path_of("f.npz"), &options, &expected);
    assert_values(dataset, 1, 2, more);
    assert_classes(dataset, 2, NAMES("7", "9"), CLASSES(0));
    cr_assert_str_eq(dataset->remark, "x_test, y_test");
    tanda_dataset_free(dataset);
    tanda_dataset_free(training);
}

Test(npz, x_and_y_are_taken_in_either_case) {
    begin("xy.npz", true);
    add("X.npy", "3, 2", x, 6);
    add("y.npy", "3,", y, 3);
    add("weights.npy", "3,", y, 3);
    tanda_dataset *dataset = load(end(), NULL);
    assert_values(dataset, 3, 2, x);
    assert_classes(dataset, 2, NAMES("7", "9"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
}

Test(npz, an_array_is_named_behind_a_colon) {
    char data[160], labels[160];
    begin("n.npz", false);
    add("images.npy", "3, 2", x, 6);
    add("kinds.npy", "3,", y, 3);
    add("x_a.npy", "3, 2", x, 6);
    add("y_a.npy", "3,", y, 3);
    const char *path = end();
    snprintf(data, sizeof data, "%s:images", path);
    snprintf(labels, sizeof labels, "%s:kinds", path);
    tanda_dataset_options options = {.labels = labels};
    tanda_dataset *dataset = load(data, &options);
    assert_values(dataset, 3, 2, x);
    assert_classes(dataset, 2, NAMES("7", "9"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
    snprintf(data, sizeof data, "%s:x_a", path); /* and its labels are y_a */
    dataset = load(data, NULL);
    assert_classes(dataset, 2, NAMES("7", "9"), CLASSES(0, 1, 0));
    tanda_dataset_free(dataset);
    options = (tanda_dataset_options){.target = "0"};
    dataset = load(data, &options);
    assert_values(dataset, 3, 1, VALUES(2, 4, 6));
    tanda_dataset_free(dataset);
}

Test(npz, the_only_array_is_taken_and_its_last_column_is_the_target) {
    begin("one.npz", true);
    add("arr_0.npy", "3, 2", x, 6);
    tanda_dataset *dataset = load(end(), NULL);
    assert_values(dataset, 3, 1, VALUES(1, 3, 5));
    tanda_dataset_free(dataset);
}

Test(npz, what_is_not_found_is_told_with_the_names_that_are_there) {
    char data[160];
    const tanda_dataset_options validation = {.validation = true};
    begin("o.npz", true);
    add("images.npy", "3, 2", x, 6);
    add("kinds.npy", "3,", y, 3);
    const char *path = end();
    refuse(path, NULL,
           "o.npz: holds no array x_train and no x; its arrays are images, kinds (o.npz:NAME takes one)");
    refuse(path, &validation,
           "o.npz: holds no array x_test and no x; its arrays are images, kinds (o.npz:NAME takes one)");
    snprintf(data, sizeof data, "%s:image", path);
    refuse(data, NULL, "o.npz: holds no array image; its arrays are images, kinds (o.npz:NAME takes one)");
    begin("p.npz", true);
    add("x.npy", "3, 2", x, 6);
    add("z.npy", "3,", y, 3);
    refuse(end(), NULL, "p.npz: holds no array y; its arrays are x, z (p.npz:NAME takes one)");
    begin("q.npz", true);
    add("x.npy", "3, 2", x, 6);
    add("y.npy", "2,", y, 2);
    refuse(end(), NULL, "q.npz:y: 2 labels for the 3 rows of q.npz:x; there must be one per row");
    begin("r.npz", true);
    add_bytes("readme.txt", "hello", 5);
    refuse(end(), NULL, "r.npz: the zip archive holds no array (.npy)");
}

Test(npz, a_damaged_archive_is_refused) {
    unsigned char bytes[2048];
    FILE *file = fopen(write_whole(true), "rb");
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 4; cut < size; cut += 7) {
        tanda_dataset *dataset = NULL;
        tanda_error error = {0};
        const tanda_status status =
            dataset_load(write_bytes("cut.npz", bytes, cut), NULL, NULL, &dataset, &error);
        if (status == TANDA_OK) { /* the directory at the end is not needed where the arrays are whole */
            assert_values(dataset, 3, 2, x);
            tanda_dataset_free(dataset);
        } else
            cr_assert_eq(status, TANDA_BAD_INPUT, "%s", error.message);
    }
    begin("n.npz", false);
    add_bytes("x.npy", "no array", 8);
    add("y.npy", "3,", y, 3);
    refuse(end(), NULL, "n.npz:x: does not begin like a .npy file");
}
