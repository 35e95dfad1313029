/* What is read past the system's memory, or partly from it, is what the file has, wherever it begins and ends. */
#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/direct_read.h"
#include "support/file_range.h"

TestSuite(direct_read, .init = enter_folder, .fini = leave_folder, .timeout = 60);

#define SIZE ((size_t)3000001) /* no multiple of anything */
#define NAME "direct_read.bin"

static unsigned char byte_at(size_t i) {
    return (unsigned char)(i * 2654435761u >> 13);
}

static struct stat write_file(void) {
    struct stat information;
    FILE *file = fopen(NAME, "wb");
    cr_assert_not_null(file);
    for (size_t i = 0; i < SIZE; i++)
        cr_assert_neq(fputc(byte_at(i), file), EOF);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(stat(NAME, &information), 0);
    return information;
}

static void check_range(int descriptor, size_t at, size_t size, size_t expected) {
    unsigned char *bytes = malloc(size + 1);
    cr_assert_not_null(bytes);
    bytes[size] = 77;
    cr_assert_eq(direct_read(descriptor, at, bytes, size), expected, "%zu bytes at %zu", size, at);
    for (size_t i = 0; i < expected; i++)
        cr_assert_eq(bytes[i], byte_at(at + i), "byte %zu", at + i);
    cr_assert_eq(bytes[size], 77);
    free(bytes);
}

Test(direct_read, gives_the_bytes_of_the_file) {
    const struct stat information = write_file();
    const int descriptor = direct_read_open(NAME, &information);
    if (descriptor < 0) cr_skip_test("this file system has no O_DIRECT");
    static const size_t places[] = {0, 1, 128, 4095, 4096, 5000, 1048576, 2999999};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        check_range(descriptor, places[i], 1, 1);
        check_range(descriptor, places[i], SIZE - places[i], SIZE - places[i]);
        check_range(descriptor, places[i], 2 * SIZE, SIZE - places[i]); /* the file ends */
    }
    close(descriptor);
    unlink(NAME);
}

Test(direct_read, takes_no_other_file) {
    struct stat information = write_file();
    information.st_ino++;
    cr_assert_lt(direct_read_open(NAME, &information), 0);
    cr_assert_lt(direct_read_open("no such file", &information), 0);
    cr_assert_eq(direct_read(-1, 0, &information, 1), 0);
    unlink(NAME);
}

/* The middle of a file of which the system has nothing else. */
static void remember_middle(void) {
    char page[4096];
    const int descriptor = open(NAME, O_RDONLY | O_CLOEXEC);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(fsync(descriptor), 0);
    cr_assert_eq(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
    cr_assert_eq(posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM), 0);
    cr_assert_eq(pread(descriptor, page, sizeof page, 1 << 20), (ssize_t)sizeof page);
    close(descriptor);
}

static void check_pieces(bool stays_open) {
    static unsigned char bytes[SIZE];
    static const size_t places[] = {0, 4095, (1 << 20) - 5000, 1 << 20, (1 << 20) + 4097, SIZE - 1};
    tanda_error error = {0};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        file_range *file = NULL;
        remember_middle();
        cr_assert_eq(file_range_open(NAME, stays_open, &file, &error), TANDA_OK, "%s", error.message);
        const size_t size = SIZE - places[i];
        cr_assert_eq(file_range_read(file, places[i], bytes, size, &error), TANDA_OK, "%s", error.message);
        for (size_t k = 0; k < size; k++)
            cr_assert_eq(bytes[k], byte_at(places[i] + k), "byte %zu", places[i] + k);
        file_range_close(file);
    }
}

Test(direct_read, joins_what_lies_in_memory_with_what_does_not) {
    write_file();
    check_pieces(true);
    check_pieces(false);
    unlink(NAME);
}

Test(direct_read, a_change_is_told_at_the_latest_when_the_file_is_checked) {
    file_range *file = NULL;
    tanda_error error = {0};
    char byte;
    write_file();
    cr_assert_eq(file_range_open(NAME, true, &file, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(file_range_read(file, 5, &byte, 1, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(truncate(NAME, SIZE - 1), 0);
    cr_assert_eq(file_range_check(file, &error), TANDA_BAD_INPUT);
    usleep(50000);
    cr_assert_eq(file_range_read(file, 5, &byte, 1, &error), TANDA_BAD_INPUT);
    cr_assert(strstr(error.message, "changed while it was in use") != NULL, "%s", error.message);
    file_range_close(file);
    unlink(NAME);
}
