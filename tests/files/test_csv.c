/* CSV files: what is read, to which bits, and what is said of a file that is wrong. */
#include <float.h>
#include <locale.h>
#include <math.h>

#include "data/number.h"
#include "data_files.h"

TestSuite(csv, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

/* ---- numbers ------------------------------------------------------------------------------------------ */

/* A small generator for texts (xorshift, Marsaglia 2003): what it makes does not matter, only variety. */
static uint64_t random_state = 88172645463325252u;

static uint64_t random_below(uint64_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % limit;
}

static void random_number_text(char text[80]) {
    size_t at = 0;
    size_t before = random_below(12);
    size_t after = random_below(22) + (before == 0);
    if (random_below(3) == 0) text[at++] = '-';
    for (size_t i = 0; i < before; i++)
        text[at++] = (char)('0' + random_below(10));
    if (after > 0) text[at++] = '.';
    size_t zeros = random_below(4) == 0 ? random_below(20) : 0;
    for (size_t i = 0; i < after; i++)
        text[at++] = i < zeros ? '0' : (char)('0' + random_below(10));
    text[at] = '\0';
    if (random_below(2) == 0) sprintf(text + at, "e%d", (int)random_below(90) - 48);
}

/* Compares number_to_float and, where it gives an answer, number_scan with strtof. */
static void assert_parsed_like_strtof(const char *text) {
    float wanted = strtof(text, NULL);
    float value = -1.0f;
    size_t length = strlen(text);
    number_status status = number_to_float(text, length, &value);
    if (isinf(wanted)) {
        cr_assert_eq(status, NUMBER_TOO_LARGE, "%s", text);
        return;
    }
    cr_assert_eq(status, NUMBER_OK, "%s", text);
    wanted = wanted == 0.0f ? 0.0f : wanted;
    cr_assert_eq(memcmp(&value, &wanted, sizeof value), 0, "%s is %a, not %a", text, wanted, value);
    const char *stop = number_scan(text, text + length, &value);
    if (stop == NULL) return;
    cr_assert_eq(stop, text + length, "%s", text);
    cr_assert_eq(memcmp(&value, &wanted, sizeof value), 0, "%s is %a, not %a", text, wanted, value);
}

Test(number, random_texts_become_the_nearest_float) {
    char text[80];
    for (int i = 0; i < 1000000; i++) {
        random_number_text(text);
        assert_parsed_like_strtof(text);
    }
}

Test(number, texts_at_and_beside_midpoints_become_the_nearest_float) {
    static const char *const texts[] = {"16777217", "16777219", "16777217.0000001",
                                        "33554434.000000000000001"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_parsed_like_strtof(texts[i]);
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = 0x20000000u + (uint32_t)random_below(0x40000000u);
        float low;
        memcpy(&low, &bits, sizeof low);
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        char text[120];
        snprintf(text, sizeof text, "%.*f", (int)random_below(60), middle);
        assert_parsed_like_strtof(text);
        snprintf(text, sizeof text, "%.*e", (int)random_below(40), middle);
        assert_parsed_like_strtof(text);
    }
}

/* Decimals at a midpoint, and a little above or below it in the digits that are cut off or nearly so. */
Test(number, texts_nearly_at_midpoints_become_the_nearest_float) {
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)random_below(0x7f000000u);
        float low;
        memcpy(&low, &bits, sizeof low);
        double middle = ((double)low + (double)nextafterf(low, INFINITY)) / 2;
        double direction = random_below(2) == 0 ? 0.0 : INFINITY;
        for (uint64_t steps = random_below(24); steps > 0; steps--)
            middle = nextafter(middle, direction);
        char text[120];
        snprintf(text, sizeof text, "%s%.*e", random_below(2) ? "-" : "", 14 + (int)random_below(8), middle);
        assert_parsed_like_strtof(text);
    }
}

/* The same in binary64. */
static void assert_parsed_like_strtod(const char *text) {
    double wanted = strtod(text, NULL), value = -1.0;
    const size_t length = strlen(text);
    wanted = wanted == 0.0 ? 0.0 : wanted;
    cr_assert_eq(number_to_double(text, length, &value), NUMBER_OK, "%s", text);
    cr_assert_eq(memcmp(&value, &wanted, sizeof value), 0, "%s is %a, not %a", text, wanted, value);
    const char *stop = number_scan_exact(text, text + length, &value);
    if (stop == NULL) return;
    cr_assert_eq(stop, text + length, "%s", text);
    cr_assert_eq(memcmp(&value, &wanted, sizeof value), 0, "%s is %a, not %a", text, wanted, value);
}

Test(number, random_texts_become_the_nearest_double) {
    char text[80];
    for (int i = 0; i < 1000000; i++) {
        random_number_text(text);
        assert_parsed_like_strtod(text);
    }
}

/* 17 to 19 digits are what the quick way takes, at midpoints and beside them. */
Test(number, texts_at_and_beside_midpoints_become_the_nearest_double) {
    for (int i = 0; i < 1000000; i++) {
        const uint64_t digits = (uint64_t)random_below(1u << 31) << 32 | random_below(UINT64_C(1) << 32);
        const uint64_t middle = ((digits | UINT64_C(1) << 63) & ~UINT64_C(0x7ff)) + 0x400;
        char text[80];
        snprintf(text, sizeof text, "%llu", (unsigned long long)(middle + random_below(5) - 2));
        assert_parsed_like_strtod(text);
        snprintf(text, sizeof text, "-%llue%d", (unsigned long long)digits, (int)random_below(128) - 64);
        assert_parsed_like_strtod(text);
    }
}

Test(number, all_floats_survive_being_written_with_nine_digits) {
    for (int i = 0; i < 1000000; i++) {
        uint32_t bits = (uint32_t)random_below(0x7f800000u);
        float value;
        char text[40];
        memcpy(&value, &bits, sizeof value);
        snprintf(text, sizeof text, random_below(2) ? "%.9g" : "%.8e", (double)value);
        assert_parsed_like_strtof(text);
    }
}

/* What stands behind a number must not matter: digits are looked at eight at a time. */
Test(number, a_scan_stops_at_the_first_byte_that_is_no_digit) {
    for (int byte = 0; byte < 256; byte++)
        for (int digits = 1; digits < 18; digits++) {
            char text[40];
            float value = 0.0f;
            memset(text, byte, sizeof text);
            memcpy(text, "1.2345678901234567", (size_t)digits + 1);
            const char *stop = number_scan(text, text + 32, &value);
            if ((byte >= '0' && byte <= '9') || byte == '.') continue;
            cr_assert_eq(stop, text + digits + 1, "byte %d", byte);
            char copy[40] = "";
            memcpy(copy, text, (size_t)digits + 1);
            cr_assert_eq(value, strtof(copy, NULL), "byte %d", byte);
        }
}

Test(number, smallest_and_largest_floats_are_read) {
    static const char *const texts[] = {
        "1e-45",        "7e-46",  "7.1e-46",       "1.17549435e-38", "1.1754942e-38",
        "3.4028235e38", "3.5e38", "3.40282357e38", "-1e39",          "0.0",
        "-0",           "1e-400", "-1e-60",        "00012.50",       ".5",
        "5.",           "+7",     "1E+2",          "0e99999999999",  "123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_parsed_like_strtof(texts[i]);
}

Test(number, other_texts_are_told_apart) {
    static const struct {
        const char *text;
        number_status status;
    } cases[] = {{"", NUMBER_EMPTY},          {"abc", NUMBER_NOT},
                 {"0x10", NUMBER_NOT},        {"1 2", NUMBER_NOT},
                 {"1,5", NUMBER_NOT},         {"--1", NUMBER_NOT},
                 {"1e", NUMBER_NOT},          {"e5", NUMBER_NOT},
                 {".", NUMBER_NOT},           {"+", NUMBER_NOT},
                 {"1.2.3", NUMBER_NOT},       {"1_000", NUMBER_NOT},
                 {"nan", NUMBER_NOT_FINITE},  {"-NaN", NUMBER_NOT_FINITE},
                 {"+inf", NUMBER_NOT_FINITE}, {"Infinity", NUMBER_NOT_FINITE},
                 {"1e39", NUMBER_TOO_LARGE},  {"-1e999999999", NUMBER_TOO_LARGE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float value = 42.0f;
        double wide = 42.0;
        cr_assert_eq(number_to_float(cases[i].text, strlen(cases[i].text), &value), cases[i].status, "'%s'",
                     cases[i].text);
        if (cases[i].status != NUMBER_TOO_LARGE)
            cr_assert_eq(number_to_double(cases[i].text, strlen(cases[i].text), &wide), cases[i].status,
                         "'%s'", cases[i].text);
        cr_assert(value == 42.0f && wide == 42.0);
    }
}

Test(number, whole_numbers_are_digits_alone_below_two_to_the_64) {
    static const char *const refused[] = {
        "", "-1", "+1", "1 ", " 1", "1.0", "1e3", "0x1", "18446744073709551616", "99999999999999999999999"};
    uint64_t value = 7;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        cr_assert(!number_to_whole(refused[i], strlen(refused[i]), &value) && value == 7, "%s", refused[i]);
    cr_assert(number_to_whole("18446744073709551615", 20, &value) && value == UINT64_MAX);
    cr_assert(number_to_whole("007", 3, &value) && value == 7);
    cr_assert(number_to_whole("12x", 2, &value) && value == 12);
}

Test(number, the_locale_does_not_matter) {
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "nl_NL.UTF-8", "de_DE"};
    size_t i = 0;
    while (i < sizeof locales / sizeof *locales && setlocale(LC_ALL, locales[i]) == NULL)
        i++;
    if (i == sizeof locales / sizeof *locales) cr_skip_test("no locale with a decimal comma is installed");
    float value = 0.0f;
    cr_assert_eq(number_to_float("0.1234567890123456789e-20", 25, &value), NUMBER_OK);
    cr_assert_eq(value, 0.1234567890123456789e-20f);
    cr_assert_eq(number_to_float("1,5", 3, &value), NUMBER_NOT);
}

/* ---- good files --------------------------------------------------------------------------------------- */

Test(csv, iris_is_read_as_it_stands) {
    tanda_dataset *iris = load(TANDA_SOURCE_DIR "/datasets/iris.csv", NULL);
    cr_assert_eq(tanda_dataset_rows(iris), 150);
    cr_assert_eq(tanda_dataset_features(iris), 4);
    cr_assert_eq(iris->class_count, 3);
    cr_assert(iris->task_was_found);
    cr_assert_str_eq(iris->target_name, "species");
    cr_assert_str_eq(iris->feature_names[3], "petal_width");
    cr_assert_str_eq(iris->class_names[2], "virginica");
    cr_assert_eq(iris->values[0], 5.1f);
    cr_assert_eq(iris->values[149 * 4 + 3], 1.8f);
    cr_assert_eq(iris->classes[149], 2);
    tanda_dataset_free(iris);
}

Test(csv, the_kept_data_sets_load) {
    static const struct {
        const char *path;
        size_t rows, features, classes;
    } sets[] = {{TANDA_SOURCE_DIR "/datasets/breast_cancer.csv", 569, 30, 2},
                {TANDA_SOURCE_DIR "/datasets/digits.csv", 1797, 64, 10},
                {TANDA_SOURCE_DIR "/datasets/perceptron.csv", 20, 1, 2}};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        tanda_dataset *dataset = load(sets[i].path, NULL);
        cr_assert_eq(dataset->rows, sets[i].rows);
        cr_assert_eq(dataset->features, sets[i].features);
        cr_assert_eq(dataset->class_count, sets[i].classes);
        tanda_dataset_free(dataset);
    }
}

Test(csv, one_table_in_many_spellings_is_one_data_set) {
    static const char *const texts[] = {
        "a,b,c\n1,2.5,no\n-3,4,yes\n",
        "a,b,c\n1,2.5,no\n-3,4,yes",
        "a,b,c\r\n1,2.5,no\r\n-3,4,yes\r\n",
        "\357\273\277a,b,c\n1,2.5,no\n-3,4,yes\n\n",
        "\"a\",\"b\",\"c\"\n\"1\",\"2.5\",\"no\"\n\"-3\",\"4\",\"yes\"\r\n\r\n",
        "a;b;c\n1;2.5;no\n-3;4;yes\n",
        "a\tb\tc\n1\t2.5\tno\n-3\t4\tyes\n",
        " a , b, c\n 1,2.5 , no\n -3 ,\t4, \"yes\" \n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tanda_dataset *dataset = load(write_text("table.csv", texts[i]), NULL);
        assert_values(dataset, 2, 2, VALUES(1, 2.5f, -3, 4));
        assert_classes(dataset, 2, NAMES("no", "yes"), CLASSES(0, 1));
        cr_assert_str_eq(dataset->feature_names[1], "b");
        cr_assert_str_eq(dataset->target_name, "c");
        tanda_dataset_free(dataset);
    }
}

Test(csv, quoted_text_may_hold_commas_quotes_and_line_ends) {
    const char *path = write_text(
        "q.csv", "\"x, \"\"1\"\"\",y\n1,\"a,b\"\n2,\"say \"\"so\"\"\"\n3,\"two\nlines\"\n4,oops,5\n");
    refuse(path, NULL, "q.csv:6: 3 fields, the first row has 2");
    path = write_text("q.csv", "\"x, \"\"1\"\"\",y\n1,\"a,b\"\n2,\"say \"\"so\"\"\"\n3,\"two\nlines\"\n");
    tanda_dataset *dataset = load(path, NULL);
    cr_assert_str_eq(dataset->feature_names[0], "x, \"1\"");
    assert_classes(dataset, 3, NAMES("a,b", "say \"so\"", "two\nlines"), CLASSES(0, 1, 2));
    tanda_dataset_free(dataset);
}

Test(csv, minus_zero_is_stored_as_zero) {
    tanda_dataset *dataset = load(write_text("z.csv", "-0,-0.0,0.5\n-0e5,-1e-60,1.5\n"), NULL);
    assert_values(dataset, 2, 2, VALUES(0, 0, 0, 0));
    tanda_dataset_free(dataset);
}

Test(csv, a_header_is_found_or_given) {
    static const struct {
        const char *text;
        tanda_header header;
        size_t rows;
    } cases[] = {{"1,2,0\n3,4,1\n", TANDA_HEADER_AUTO, 2},
                 {"a,b,c\n1,2,0\n3,4,1\n", TANDA_HEADER_AUTO, 2},
                 {"1,2,no\n3,4,yes\n", TANDA_HEADER_AUTO, 2},
                 {"10,x,20\n1,2,0\n3,4,1\n", TANDA_HEADER_AUTO, 2},
                 {"1,2,0\n3,4,1\n5,6,0\n", TANDA_HEADER_FIRST_ROW, 2},
                 {"1,2,0\n3,4,1\n", TANDA_HEADER_NONE, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_dataset_options options = {.header = cases[i].header};
        tanda_dataset *dataset = load(write_text("h.csv", cases[i].text), &options);
        cr_assert_eq(dataset->rows, cases[i].rows, "case %zu", i);
        cr_assert_eq(dataset->features, 2, "case %zu", i);
        tanda_dataset_free(dataset);
    }
}

Test(csv, columns_are_chosen_by_name_or_index) {
    const char *path = write_text("c.csv", "id,a,b,kind\n7,1,2,u\n8,3,4,v\n");
    tanda_dataset_options options = {.target = "kind", .ignore = NAMES("id"), .ignore_count = 1};
    tanda_dataset *dataset = load(path, &options);
    assert_values(dataset, 2, 2, VALUES(1, 2, 3, 4));
    tanda_dataset_free(dataset);
    options = (tanda_dataset_options){.target = "0", .features = NAMES("b", "1"), .feature_count = 2};
    dataset = load(path, &options);
    assert_values(dataset, 2, 2, VALUES(2, 1, 4, 3));
    assert_classes(dataset, 2, NAMES("7", "8"), CLASSES(0, 1));
    cr_assert_str_eq(dataset->feature_names[0], "b");
    tanda_dataset_free(dataset);
    options = (tanda_dataset_options){.ignore = NAMES("3"), .ignore_count = 1, .task = TANDA_TASK_REGRESSION};
    dataset = load(path, &options);
    cr_assert_str_eq(dataset->target_name, "b");
    cr_assert_eq(dataset->targets[1], 4.0f);
    tanda_dataset_free(dataset);
}

/* ---- files that are wrong ----------------------------------------------------------------------------- */

Test(csv, a_damaged_file_is_refused_with_its_place) {
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "bad.csv: the file is empty"},
        {"\n\n", "bad.csv: holds no rows"},
        {"a,b\n", "bad.csv: has a header and no rows of data"},
        {"a,b,c\n1,2,x\n3,y\n", "bad.csv:3: 2 fields, the first row has 3"},
        {"a,b,c\n1,2,x\n3,4,5,y\n", "bad.csv:3: 4 fields, the first row has 3"},
        {"1,2,0\n3\n", "bad.csv:2: 1 field, the first row has 3"},
        {"1,2,0\n3,4\n", "bad.csv:2: 2 fields, the first row has 3"},
        {"a,b,c\n1,abc,x\n", "bad.csv:2:2: 'abc' is not a number; --categorical takes text (column b)"},
        {"1,2,0\n3,4,1\n3,0x4,1\n", "bad.csv:3:2: '0x4' is not a number"},
        {"1.5;2;0\n3.5;4,5;1\n",
         "bad.csv: some columns have decimal points and others decimal commas; say which "
         "are numbers with --decimal"},
        {"1,2,0\n,4,1\n",
         "bad.csv:2:1: empty field: missing values are not accepted; --missing mean fills it in"},
        {"1,,0\n3,4,1\n",
         "bad.csv:1:2: empty field: missing values are not accepted; --missing mean fills it in"},
        {"1,2,no\n3,4,\n", "bad.csv:2:3: the target is missing; --drop-missing-targets leaves this row out"},
        {"1,2,0\n3,4,\n", "bad.csv:2:3: the target is missing; --drop-missing-targets leaves this row out"},
        {"1,2,0\nnan,4,1\n", "bad.csv:2:1: 'nan' is not finite: missing and infinite values are not "
                             "accepted; --missing mean fills it in"},
        {"1,2,0\n3,-Inf,1\n",
         "bad.csv:2:2: '-Inf' is not finite: missing and infinite values are not accepted"},
        {"1,2,0\n3,1e39,1\n", "bad.csv:2:2: '1e39' is beyond the range of binary32 (3.4e38)"},
        {"1,2,0\n2,3,1\n3,\"4,1\n", "bad.csv:3:2: the quote that opens here is never closed"},
        {"1,2,0\n2,3,1\n3,4\"5,1\n",
         "bad.csv:3:2: a quote inside a field that does not begin with one; quote the whole field"},
        {"1,2,0\n2,3,1\n3,\"4\"5,1\n",
         "bad.csv:3:2: text behind the closing quote; a quote inside quotes is written twice"},
        {"1,2,caf\xe9\n3,4,y\n", "bad.csv:1:3: the text is not UTF-8; save the file as UTF-8"},
        {"1,2,y\n3,4,caf\xe9\n", "bad.csv:2:3: the label is not UTF-8 text"},
        {"a,b\n1,7\n2,7\n", "bad.csv: every label is '7': classification needs at least two classes (is "
                            "--target the right column?)"},
        {"no\nyes\n", "bad.csv: no column is left as a feature; the file has 1, the target"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(write_text("bad.csv", cases[i].text), NULL, cases[i].message);
    refuse(
        write_text("bad.csv", "1\n\n3\n"), &(tanda_dataset_options){.without_target = true},
        "bad.csv:2: a blank line between rows; remove it"); /* of a single column it may be a missing value */
}

Test(csv, binary_files_are_refused) {
    refuse(
        write_bytes("some.bin", "\1\2\0\4", 4), NULL,
        "some.bin: is neither CSV or libsvm text, nor .npy, .npz or IDX (as they are, or packed by gzip, xz, "
        "zstd or bzip2)");
}

Test(csv, an_option_that_names_no_column_is_a_usage_error) {
    const char *path = write_text("o.csv", "width,height,kind\n1,2,u\n3,4,v\n");
    static const char *const names[] = {"heigth", "3", "kind", "width"};
    static const struct {
        tanda_dataset_options options;
        const char *message;
    } cases[] = {
        {{.target = "heigth"},
         "--target 'heigth': no such column in o.csv; did you mean 'height'? its columns are width, height, "
         "kind"},
        {{.ignore = names + 1, .ignore_count = 1},
         "--ignore '3': no such column in o.csv; its columns are width, height, kind"},
        {{.features = names + 2, .feature_count = 1},
         "--features: 'kind' is the target; name another with --target"},
        {{.target = "width", .ignore = names + 3, .ignore_count = 1},
         "--target: column 0 is also in --ignore; leave it out of one"},
        {{.format = "xls"}, "--format: 'xls' is none of npy, npz, idx, libsvm, csv"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_expecting(path, &cases[i].options, NULL, TANDA_USAGE, cases[i].message);
    tanda_dataset_options options = {.target = "kind"};
    refuse_expecting(
        write_text("n.csv", "1,2\n3,4\n"), &options, NULL, TANDA_USAGE,
        "--target 'kind': no such column in n.csv; it names no columns; their indexes are 0 to 1");
}

/* ---- long files ---------------------------------------------------------------------------------------- */

#define LONG_ROWS 60000 /* some ten chunks of csv_chunks.c */

/* Rows of two features and a label; `line` is replaced in row `row`, from 0. To be freed. */
static char *long_text(const char *end, const char *label, size_t row, const char *line) {
    char *text = malloc(LONG_ROWS * 40 + 100);
    size_t at = 0;
    for (size_t i = 0; i < LONG_ROWS; i++)
        if (i == row)
            at += (size_t)sprintf(text + at, "%s%s", line, end);
        else
            at += (size_t)sprintf(text + at, "%zu.5,-%zue-3,%s%zu%s", i, i, label, i * 7 % 13, end);
    return text;
}

static const char *write_long(const char *end, const char *label, size_t row, const char *line) {
    char *text = long_text(end, label, row, line);
    const char *path = write_text("long.csv", text);
    free(text);
    return path;
}

Test(csv, a_long_file_is_read_row_by_row_in_its_order) {
    static const char *const ends[] = {"\n", "\r\n"};
    static const char *const labels[] = {"", "k"};
    for (size_t i = 0; i < 4; i++) {
        tanda_dataset *dataset = load(write_long(ends[i % 2], labels[i / 2], LONG_ROWS, ""), NULL);
        cr_assert_eq(dataset->rows, LONG_ROWS);
        cr_assert_eq(dataset->class_count, 13);
        for (size_t row = 0; row < LONG_ROWS; row++) {
            char name[16];
            snprintf(name, sizeof name, "%s%zu", labels[i / 2], row * 7 % 13);
            cr_assert_eq(dataset->values[2 * row], (float)row + 0.5f);
            cr_assert_float_eq(dataset->values[2 * row + 1], -1e-3f * (float)row, 1e-4f);
            cr_assert_str_eq(dataset->class_names[dataset->classes[row]], name);
        }
        tanda_dataset_free(dataset);
    }
}

Test(csv, a_quoted_line_end_in_a_long_file_begins_no_row) {
    tanda_dataset_options options = {.ignore = NAMES("0"), .ignore_count = 1};
    tanda_dataset *dataset = load(write_long("\n", "", 40000, "\"1\n\",-2,\"3\""), &options);
    cr_assert_eq(dataset->rows, LONG_ROWS);
    cr_assert_eq(dataset->values[40000], -2.0f);
    cr_assert_eq(dataset->values[LONG_ROWS - 1], -59.999f);
    tanda_dataset_free(dataset);
}

Test(csv, text_among_the_numeric_labels_of_a_long_file_makes_all_of_them_text) {
    tanda_dataset_options options = {.task = TANDA_TASK_CLASSES};
    tanda_dataset *dataset = load(write_long("\n", "", 50000, "1,2,ten"), &options);
    cr_assert_eq(dataset->class_count, 14);
    cr_assert_str_eq(dataset->class_names[13], "ten");
    cr_assert_eq(dataset->classes[50000], 13);
    tanda_dataset_free(dataset);
}

Test(csv, the_first_fault_of_a_long_file_is_told) {
    static const struct {
        const char *line;
        const char *message;
    } cases[] = {{"1,x,3", "long.csv:30001:2: 'x' is not a number; --categorical takes text"},
                 {"1,2", "long.csv:30001: 2 fields, the first row has 3"},
                 {"#1,2,3", "long.csv:30001:1: '#1' is not a number"},
                 {"1,2,0.5",
                  "long.csv:30001:3: 0.5 is no class: classes are whole numbers or text; --task regression "
                  "takes any number"},
                 {"1,2,1e39", "long.csv:30001:3: '1e39' is beyond the range of binary32 (3.4e38)"}};
    tanda_dataset_options options = {.task = TANDA_TASK_CLASSES};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = long_text("\n", "", 30000, cases[i].line);
        strcat(text, "1,2,3,4\n"); /* a later fault, and one in the last chunk */
        refuse(write_text("long.csv", text), &options, cases[i].message);
        free(text);
    }
}

/* ---- labels ------------------------------------------------------------------------------------------- */

Test(csv, integer_labels_are_classes_sorted_by_value) {
    tanda_dataset *dataset = load(write_text("i.csv", "0,10\n0,9\n0,-1\n0,9.0\n"), NULL);
    assert_classes(dataset, 3, NAMES("-1", "9", "10"), CLASSES(2, 1, 0, 1));
    tanda_dataset_free(dataset);
}

Test(csv, text_among_numeric_labels_makes_all_of_them_text) {
    tanda_dataset *dataset = load(write_text("m.csv", "0,10\n0,9\n0,ten\n0,9\n"), NULL);
    assert_classes(dataset, 3, NAMES("10", "9", "ten"), CLASSES(0, 1, 2, 1));
    tanda_dataset_free(dataset);
}

Test(csv, fractions_or_more_than_100_integers_make_a_regression) {
    tanda_dataset *dataset = load(write_text("f.csv", "1,1\n2,0.5\n"), NULL);
    cr_assert_eq(dataset->task, TANDA_TASK_REGRESSION);
    cr_assert_eq(dataset->targets[1], 0.5f);
    tanda_dataset_free(dataset);
    for (int count = 100; count <= 101; count++) {
        char text[2000];
        size_t at = 0;
        for (int i = 0; i < count; i++)
            at += (size_t)sprintf(text + at, "%d,%d\n", i, i);
        dataset = load(write_text("many.csv", text), NULL);
        cr_assert_eq(dataset->task, count == 100 ? TANDA_TASK_CLASSES : TANDA_TASK_REGRESSION);
        tanda_dataset_options options = {.task = TANDA_TASK_CLASSES};
        tanda_dataset_free(dataset);
        dataset = load(path_of("many.csv"), &options);
        cr_assert_eq(dataset->class_count, (size_t)count);
        tanda_dataset_free(dataset);
    }
}

Test(csv, labels_that_do_not_fit_the_task_are_refused_with_their_place) {
    tanda_dataset_options options = {.task = TANDA_TASK_REGRESSION};
    refuse(write_text("t.csv", "a,b\n1,2\n3,high\n"), &options,
           "t.csv:3:2: 'high' is not a number (column b)");
    options.task = TANDA_TASK_CLASSES;
    refuse(
        write_text("t.csv", "1,2\n3,0.5\n"), &options,
        "t.csv:2:2: 0.5 is no class: classes are whole numbers or text; --task regression takes any number");
}

Test(csv, many_text_classes_are_numbered_by_their_bytes) {
    char text[40000];
    size_t at = 0;
    for (int i = 0; i < 1000; i++)
        at += (size_t)sprintf(text + at, "%d,k%03d\n", i, (i * 7) % 1000);
    tanda_dataset *dataset = load(write_text("k.csv", text), NULL);
    cr_assert_eq(dataset->class_count, 1000);
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(dataset->classes[i], (i * 7) % 1000);
    tanda_dataset_free(dataset);
}
