/* Files that are packed: read as what they hold, whatever the packing, or refused aloud. */
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include "data/packed.h"
#include "data_files.h"

TestSuite(packed, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

static const char rows[] = "a,b,kind\n1,2,no\n3,4,yes\n5,6,no\n";
static unsigned char packed[4096];

static int (*const filters[])(struct archive *) = {archive_write_add_filter_gzip, archive_write_add_filter_xz,
                                                   archive_write_add_filter_zstd,
                                                   archive_write_add_filter_bzip2};
static const char *const titles[] = {"gzip", "xz", "zstd", "bzip2"};
#define FILTERS 4

/* Packs into `packed`; returns the size. */
static size_t pack(size_t filter, const void *data, size_t size) {
    size_t used = 0;
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    cr_assert_eq(filters[filter](archive), ARCHIVE_OK);
    archive_write_set_format_raw(archive);
    archive_write_set_bytes_in_last_block(archive, 1);
    cr_assert_eq(archive_write_open_memory(archive, packed, sizeof packed, &used), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    cr_assert_eq(archive_write_header(archive, entry), ARCHIVE_OK);
    cr_assert_eq(archive_write_data(archive, data, size), (la_ssize_t)size);
    archive_entry_free(entry);
    cr_assert_eq(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    return used;
}

static void assert_rows(const char *path) {
    tanda_dataset *dataset = load(path, NULL);
    assert_values(dataset, 3, 2, VALUES(1, 2, 3, 4, 5, 6));
    assert_classes(dataset, 2, NAMES("no", "yes"), CLASSES(0, 1, 0));
    cr_assert_str_eq(dataset->feature_names[1], "b");
    tanda_dataset_free(dataset);
}

Test(packed, text_is_read_from_every_packing_whatever_the_name) {
    for (size_t i = 0; i < FILTERS; i++)
        assert_rows(write_bytes("rows", packed, pack(i, rows, sizeof rows - 1)));
}

Test(packed, several_members_follow_one_another) {
    for (size_t i = 0; i < FILTERS; i++) {
        unsigned char both[sizeof packed];
        size_t size = pack(i, rows, 13);
        memcpy(both, packed, size);
        const size_t more = pack(i, rows + 13, sizeof rows - 1 - 13);
        memcpy(both + size, packed, more);
        assert_rows(write_bytes("rows", both, size + more));
    }
}

Test(packed, zeros_behind_gzip_are_padding_and_other_bytes_are_refused) {
    for (size_t i = 0; i < FILTERS; i++) {
        char message[100];
        const size_t size = pack(i, rows, sizeof rows - 1);
        memset(packed + size, 0, 516);
        if (i != 2) assert_rows(write_bytes("rows", packed, size + 516)); /* Zstandard knows no padding */
        memcpy(packed + size, "abc", 3);
        tanda_dataset *dataset = NULL;
        tanda_error error = {0};
        cr_assert_eq(dataset_load(write_bytes("rows", packed, size + 3), NULL, NULL, &dataset, &error),
                     TANDA_BAD_INPUT, "%s", titles[i]);
        snprintf(message, sizeof message, "3 bytes behind the end of the %s file", titles[i]);
        if (i == 0 || i == 3) cr_assert(strstr(error.message, message) != NULL, "%s", error.message);
    }
}

Test(packed, a_file_cut_off_anywhere_is_refused) {
    for (size_t i = 0; i < FILTERS; i++) {
        char message[100];
        const size_t size = pack(i, rows, sizeof rows - 1);
        snprintf(message, sizeof message, "rows: the %s file is cut off", titles[i]);
        for (size_t cut = 10; cut < size; cut++)
            refuse(write_bytes("rows", packed, cut), NULL, message);
    }
}

Test(packed, a_byte_that_changed_is_noticed) {
    for (size_t i = 0; i < FILTERS; i++) {
        const size_t size = pack(i, rows, sizeof rows - 1);
        for (size_t at = 10; at < size; at++) {
            tanda_dataset *dataset = NULL;
            packed[at] ^= 0x10;
            const tanda_status status =
                dataset_load(write_bytes("rows", packed, size), NULL, NULL, &dataset, NULL);
            packed[at] ^= 0x10;
            /* A bit may say nothing of the content; and Zstandard's check sum is optional. */
            if (status == TANDA_OK && i != 2) assert_rows(path_of("rows"));
            cr_assert(status == TANDA_OK || status == TANDA_BAD_INPUT);
            tanda_dataset_free(dataset);
        }
    }
}

Test(packed, arrays_and_idx_are_read_too) {
    static const uint8_t images[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 255, 7, 8};
    char npy[] =
        "\x93NUMPY\x01\0\x46\0{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }          \n"
        "\0\0\x80\x3f\0\0\0\x40";
    const tanda_dataset_options options = {.without_target = true};
    for (size_t i = 0; i < FILTERS; i++) {
        tanda_dataset *dataset = load(write_bytes("i", packed, pack(i, images, sizeof images)), &options);
        assert_values(dataset, 2, 2, VALUES(0, 255, 7, 8));
        tanda_dataset_free(dataset);
        dataset = load(write_bytes("n", packed, pack(i, npy, sizeof npy - 1)), &options);
        assert_values(dataset, 1, 2, VALUES(1, 2));
        tanda_dataset_free(dataset);
        refuse(write_bytes("e", packed, pack(i, "", 0)), &options,
               i == 0   ? "e: the gzip file holds nothing"
               : i == 1 ? "e: the xz file holds nothing"
               : i == 2 ? "e: the zstd file holds nothing"
                        : "e: the bzip2 file holds nothing");
        refuse(write_bytes("g", packed, pack(i, "\0\1\2\3\4\5\6\7", 8)), &options,
               "g: is neither CSV or libsvm text, nor .npy, .npz or IDX (as they are, or packed by gzip, xz, "
               "zstd or "
               "bzip2)");
    }
}

/* ---- what grows --------------------------------------------------------------------------------------- */

/* Gives without end, and counts. */
static tanda_status give(void *source, unsigned char *out, size_t size, size_t *got, tanda_error *error) {
    (void)error;
    memset(out, '1', size);
    *got = size;
    *(size_t *)source += size;
    return TANDA_OK;
}

static size_t twenty_bytes(const unsigned char *data, size_t size) {
    return data[0] == '1' && size > 0 ? 100000 : 0;
}

static size_t any_size(const unsigned char *data, size_t size) {
    (void)data, (void)size;
    return SIZE_MAX;
}

Test(packed, what_declares_its_size_ends_a_byte_behind_it) {
    size_t given = 0;
    file_view view = {0};
    cr_assert_eq(packed_take("idx", give, &given, 10, SIZE_MAX, twenty_bytes, &view, NULL), TANDA_OK);
    cr_assert_eq(view.size, 100001);
    cr_assert_eq(given, 100001);
    file_view_close(&view);
}

Test(packed, text_that_grows_beyond_reason_is_refused_while_it_grows) {
    size_t given = 0;
    file_view view = {0};
    tanda_error error = {0};
    cr_assert_eq(packed_take("bomb", give, &given, 10, SIZE_MAX, any_size, &view, &error), TANDA_BAD_INPUT);
    cr_assert_str_eq(error.message,
                     "bomb: its 10 bytes unpack to more than 268435456, which is hardly text; if it is, "
                     "unpack it first");
    cr_assert_leq(given, PACKED_FREE);
    cr_assert_null(view.data);
}

Test(packed, idx_that_goes_on_is_refused_at_once) {
    static uint8_t images[1 << 20] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2};
    const tanda_dataset_options options = {.without_target = true};
    const char *path = path_of("i.gz");
    gzFile file = gzopen(path, "wb1");
    for (int i = 0; i < 64; i++)
        cr_assert_eq(gzwrite(file, images, sizeof images), (int)sizeof images);
    gzclose(file);
    refuse(path, &options,
           "i.gz: the IDX header declares 2 rows of 2 values, which take 4 bytes, but more follow it");
}
