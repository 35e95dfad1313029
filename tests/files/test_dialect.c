/* How a text is written is found out, told, and refused where two ways fit alike. */
#include "data/dialect.h"
#include "data_files.h"

TestSuite(dialect, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})
#define CLASSES(...) ((const int32_t[]){__VA_ARGS__})

/* The file is read, and told to be written so. */
static tanda_dataset *load_as(const char *path, const tanda_dataset_options *options, const char *written) {
    char text[DIALECT_TEXT_SIZE];
    tanda_dataset *dataset = load(path, options);
    cr_assert_str_eq(dialect_describe(&dataset->dialect, text), written);
    return dataset;
}

/* ---- delimiters and decimal signs --------------------------------------------------------------------- */

Test(dialect, one_table_in_many_dialects_is_one_data_set) {
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"a;b;c\n1;2,5;no\n-3;4,25;yes\n", "semicolons, decimal comma"},
        {"a\tb\tc\n1\t2,5\tno\n-3\t4,25\tyes\n", "tabs, decimal comma"},
        {"a|b|c\n1|2.5|no\n-3|4.25|yes\n", "bars"},
        {"a,b,c\n1,\"2,5\",no\n-3,\"4,25\",yes\n", "decimal comma"},
        {"a,b,c\n\"1\",\"2,5\",no\n-3,\"4,25\",yes\n", "decimal comma"},
        {"a b c\n1 2.5 no\n-3 4.25 yes\n", "blanks"},
        {"  a   b c\n  1  2,5 no\n -3 4,25  yes  \n", "blanks, decimal comma"},
        {"a \tb c\n1 \t2.5 no\n-3\t4.25 \t yes\n", "blanks"},
        {"sep=;\na;b;c\n1;2.5;no\n-3;4.25;yes\n", "semicolons, 1 line skipped"},
        {"\"sep=;\"\r\na;b;c\r\n1;2.5;no\r\n-3;4.25;yes\r\n", "semicolons, 1 line skipped"},
        {"a,b,c\r1,2.5,no\r-3,4.25,yes\r", "CR line ends"},
        {"a,b,c\r1,2.5,no\r-3,4.25,\"yes\"", "CR line ends"},
        {"# made by hand\n# on a day\na,b,c\n1,2.5,no\n#half, way\n-3,4.25,yes\n", "comments '#'"},
        {"\n\n \na,b,c\n1,2.5,no\n-3,4.25,yes\n", ""},
        {"a,b,c\n1,2.5,no\n\n  \n-3,4.25,yes\n", ""},
        {"Quarterly report\n\na,b,c\n1,2.5,no\n-3,4.25,yes\n", "1 line skipped"},
        {"Report, 2020\n\na,b,c\n1,2.5,no\n-3,4.25,yes\n", "1 line skipped"},
        {"\xef\xbb\xbf"
         "a;b;c\n1;2,5;no\n-3;4,25;yes\n",
         "semicolons, decimal comma"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_dataset *dataset = load_as(write_text("table.csv", cases[i].text), NULL, cases[i].written);
        assert_values(dataset, 2, 2, VALUES(1, 2.5f, -3, 4.25f));
        assert_classes(dataset, 2, NAMES("no", "yes"), CLASSES(0, 1));
        cr_assert_str_eq(dataset->feature_names[1], "b");
        tanda_dataset_free(dataset);
    }
}

Test(dialect, the_delimiter_is_what_makes_rows_agree_and_fields_numbers) {
    static const struct {
        const char *text, *written;
        size_t rows, features;
    } cases[] = {
        {"0,5;0\n1,7;1\n2,4;0\n", "semicolons, decimal comma, no header", 3, 1},
        {"0,5\t0\n1,7\t1\n2,4\t0\n", "tabs, decimal comma, no header", 3, 1},
        {"x;y\n0,5;0\n1,7;1\n", "semicolons, decimal comma", 2, 1},
        {"size, cm;weight;y\n0.5;0;0\n1.5;7;1\n", "semicolons", 2, 2},
        {"1,5;2,5;0\n2,5;3,5;1\n", "semicolons, decimal comma, no header", 2, 2},
        {"5.1 3.5 0\n4.9 3.0 1\n", "blanks, no header", 2, 2},
        {" 0.00632  18.00   2.310\n 0.02731   0.00   7.070\n", "blanks, no header", 2, 2},
        {"a,b,y\n1,2,New York\n3,4,Los Angeles\n", "", 2, 2},
        {"a\ty\n1\tNew York\n3\tLos Angeles\n", "tabs", 2, 1},
        {"a,b,y\n1,2,u;v\n3,4,w;x\n", "", 2, 2},
        {"a,when,y\n1,2020-01-01 00:00:00,0\n3,2020-01-02 00:00:00,1\n", "", 2, 1},
        {"a,b,y\n1,7,Room 12\n3,8,Room 13\n", "", 2, 2},
        {"|a title\n25, 7, <=50K.\n38, 8, >50K.\n", "1 line skipped, no header", 2, 2},
    };
    tanda_dataset_options when = {.ignore = NAMES("when"), .ignore_count = 1};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = write_text("table.csv", cases[i].text);
        tanda_dataset *dataset =
            load_as(path, strstr(cases[i].text, "when") != NULL ? &when : NULL, cases[i].written);
        cr_assert_eq(dataset->rows, cases[i].rows, "case %zu: %zu rows", i, dataset->rows);
        cr_assert_eq(dataset->features, cases[i].features, "case %zu", i);
        tanda_dataset_free(dataset);
    }
}

Test(dialect, single_blanks_are_delimiters_where_runs_do_not_fit) {
    static const struct {
        const char *text, *written;
        size_t rows, features, missing;
    } cases[] = {
        {" a b y\n0 1 2.5 no\n1 2 3.5 yes\n", "single blanks", 2, 3, 0},
        {"a b y\n1  no\n 2.5 yes\n3 4 yes\n", "single blanks", 3, 2, 2},
        {"a b y\r\n1  no\r\n 2,5 yes\r\n3 4 yes\r\n", "single blanks, decimal comma", 3, 2, 2},
        {"a  b y\n1  2 no\n3  4 yes\n", "blanks", 2, 2, 0},
        {" 5  10 0\n10   5 1\n", "blanks, no header", 2, 2, 0},
        {"\"a\" \"b\" \"y\"\n\"u\" \"2020-01-01 00:00\" \"no\"\n\"\" \"2020-01-02 00:00\" \"yes\"\n",
         "blanks", 2, 2, 1},
        {"0 1\n1,25 oak\n2,5 oak\n3,75 elm\n0,5 elm\n7,5 oak\n8,5 oak\n9,5 oak\n1,5 oak\n",
         "blanks, decimal comma, a header of numbers", 8, 1, 0},
    };
    tanda_dataset_options options = {.categorical_auto = true, .missing = TANDA_MISSING_MEAN};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_dataset *dataset = load_as(write_text("table.csv", cases[i].text), &options, cases[i].written);
        size_t missing = 0;
        for (size_t j = 0; j < dataset->rows * dataset->features; j++)
            missing += dataset->values[j] != dataset->values[j];
        cr_assert_eq(dataset->rows, cases[i].rows, "case %zu", i);
        cr_assert_eq(dataset->features, cases[i].features, "case %zu", i);
        cr_assert_eq(missing, cases[i].missing, "case %zu", i);
        tanda_dataset_free(dataset);
    }
    const char *path = write_text("b.csv", " 0 1 2\n0 1.5  4\n1 2.5  6\n");
    refuse(
        path, &options,
        "b.csv: runs of blanks and single blanks with empty fields between them fit alike, 3 and 4 columns; "
        "--delimiter blanks takes runs");
    options.delimiter = ' ';
    tanda_dataset_free(load_as(path, &options, "blanks, a header of numbers"));
}

Test(dialect, a_decimal_comma_among_commas_is_none_outside_of_quotes) {
    tanda_dataset *dataset =
        load_as(write_text("table.csv", "a,b,y\n1,\"2,5\",no\n-3,\"4,25\",yes\n"), NULL, "decimal comma");
    assert_values(dataset, 2, 2, VALUES(1, 2.5f, -3, 4.25f));
    tanda_dataset_free(dataset);
    dataset =
        load_as(write_text("table.csv", "a,b,c,d\n7,1,2,\"0,5\"\n8,3,4,\"1,5\"\n"), NULL, "decimal comma");
    assert_values(dataset, 2, 3, VALUES(7, 1, 2, 8, 3, 4));
    tanda_dataset_free(dataset);
}

Test(dialect, numbers_over_columns_without_numbers_are_names) {
    static const char *const years[] = {
        "1990;1991\n791.63;True\n263.53;False\n",
        ",1990,1991\n0,169.72,7.4\n1,787.82,23.0\n",
        "1990\t1991\n2020-01-01 00:11:00\t0.25\n2020-01-02 00:11:00\t0.5\n",
    };
    tanda_dataset_options options = {.categorical_auto = true};
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        tanda_dataset *dataset = load(write_text("years.csv", years[i]), &options);
        cr_assert_eq(dataset->rows, 2, "case %zu", i);
        cr_assert_str_eq(dataset->target_name, "1991");
        tanda_dataset_free(dataset);
    }
    const char *doubtful = "0,1\n7,20\n8,31\n7,44\n9,52\n7,60\n6,71\n5,80\n4,99\n";
    refuse(write_text("years.csv", doubtful), &options,
           "years.csv:1: the first row may hold names or data; say which with --header first-row or none");
    tanda_dataset *dataset =
        load(write_text("b.csv", "u v,NA,True\nx,b,False\nx,c,True\n"),
             &(tanda_dataset_options){.categorical_auto = true, .missing = TANDA_MISSING_MEAN});
    cr_assert_eq(dataset->rows, 3); /* True over True and NA are no names */
    tanda_dataset_free(dataset);
    refuse(write_text("years.csv", "1990,1991\n5,0\n7,1\n"), &options,
           "years.csv:1: the first row may hold names or data; say which with --header first-row or none");
}

Test(dialect, what_fits_alike_is_refused_with_both_ways_and_the_option) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"x,a;b\ny,c;d\n",
         "f.csv: comma and semicolon as delimiter fit alike, 2 and 2 columns; say which with --delimiter"},
        {"82,25 south\n5,5 blue\n-4,75 south\n",
         "f.csv: comma and blanks as delimiter fit alike, 2 and 2 columns; say which with --delimiter"},
        {"u 3 maybe,so 6.5\nv 4 maybe,not 7.5\n",
         "f.csv: comma and blanks as delimiter fit alike, 2 and 4 columns; say which with --delimiter"},
        {"a;y\n1,234;0\n2,345;1\n", "f.csv: numbers like 1,234 may have a decimal comma (--decimal comma) or "
                                    "a thousands separator, which is "
                                    "not read: write 1234"},
        {"a;b;y\n1,5;2.5;0\n2,5;3.5;1\n",
         "f.csv: some columns have decimal points and others decimal commas; say "
         "which are numbers with --decimal"},
        {"#a,b,y\n1,2,0\n3,4,1\n",
         "f.csv: the lines that begin with # have as many fields as the rows: say what "
         "they are, with --comment '#' or --comment none"},
        {"x\n1,5\n2,5\n",
         "f.csv:1: one field above rows of two: a title (--skip-lines leaves it out), or one of two names "
         "(--header "
         "none with --skip-lines), or numbers with a decimal comma, in one column (--delimiter semicolon) or "
         "in several "
         "with blanks between them (--delimiter blanks)"},
        {"sep=:\na:b\n1:2\n", "f.csv:1: the delimiter ':' is none of comma, semicolon, tab, bar and blank"},
        {"a,b\r1,2\n3,4\r",
         "f.csv:2:2: a LF inside a field, while the lines end in CR; quote the whole field"},
        {"a,b\n1,2\r3,4\n5,6\n",
         "f.csv:2:2: a CR inside a field, while the lines end in LF; quote the whole field"},
        {"a;y\n1.234,5;0\n2.345,5;1\n",
         "f.csv:2:1: '1.234,5' is not a number; thousands separators are not read (column a)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(write_text("f.csv", cases[i].text), NULL, cases[i].message);
}

Test(dialect, options_override) {
    static const struct {
        const char *text;
        tanda_dataset_options options;
        const char *written;
        float first;
        size_t rows;
    } cases[] = {
        {"1;2;3\n4;5;6\n", {.delimiter = ';'}, "semicolons, no header", 1, 2},
        {"a;y\n1,234;0\n2,345;1\n", {.decimal = ','}, "semicolons, decimal comma", 1.234f, 2},
        {"%x\na,b\n1,0\n%y\n2,1\n", {.comment = "%"}, "comments '%'", 1, 2},
        {"#a,b\n1,0\n2,1\n", {.comment = "#"}, "comments '#', no header", 1, 2},
        {"#a,b\n1,0\n2,1\n", {.comment = ""}, "", 1, 2},
        {"one, two, three\nfour\na,b\n1,0\n2,1\n", {.skip_lines = 2}, "2 lines skipped", 1, 2},
        {"0,1,2\n3.5,1.5,1.5\n", {.header = TANDA_HEADER_NONE}, "no header", 0, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tanda_dataset *dataset =
            load_as(write_text("o.csv", cases[i].text), &cases[i].options, cases[i].written);
        cr_assert_eq(dataset->rows, cases[i].rows, "case %zu", i);
        cr_assert_eq(dataset->values[0], cases[i].first, "case %zu", i);
        tanda_dataset_free(dataset);
    }
    refuse(write_text("o.csv", "a\n1\n"), &(tanda_dataset_options){.skip_lines = 7},
           "o.csv: --skip-lines 7 leaves nothing; it has 2 lines");
}

Test(dialect, a_doubt_is_looked_into_beyond_the_first_64_KiB) {
    enum { ROWS = 9000 };
    char *text = malloc(ROWS * 16 + 100);
    size_t at = (size_t)sprintf(text, "a;y\n");
    for (size_t i = 0; i < ROWS; i++) /* 1,234 might be a thousand, 0,123 is none */
        at += (size_t)sprintf(text + at, "%d,%03zu;%zu\n", i == ROWS - 5 ? 0 : 1, i % 1000, i % 2);
    cr_assert(at > (64 << 10));
    tanda_dataset *dataset = load_as(write_text("long.csv", text), NULL, "semicolons, decimal comma");
    cr_assert_eq(dataset->rows, ROWS);
    cr_assert_eq(dataset->values[1], 1.001f);
    tanda_dataset_free(dataset);
    free(text);
}

Test(dialect, rows_behind_the_sample_are_held_against_the_dialect) {
    enum { ROWS = 200000 };
    static const struct {
        const char *row, *message;
    } cases[] = {
        {"1,5;0", "long.csv:150001:1: '1,5' is not a number; --decimal comma reads it (column a)"},
        {"1,2", "long.csv:150001: 1 field, the first row has 2"},
        {"#1;2;3", "long.csv:150001: 3 fields, the first row has 2; --comment skips lines that begin so"},
    };
    char *text = malloc(ROWS * 16 + 100);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t at = (size_t)sprintf(text, "a;y\n");
        for (size_t i = 0; i < ROWS; i++)
            at += i == 149999 ? (size_t)sprintf(text + at, "%s\n", cases[c].row)
                              : (size_t)sprintf(text + at, "%zu.5;%zu\n", i, i % 2);
        refuse(write_text("long.csv", text), NULL, cases[c].message);
    }
    free(text);
}

Test(dialect, long_files_of_every_dialect_are_read_row_by_row) {
    enum { ROWS = 40000 };
    static const struct {
        const char *row, *end, *every, *written;
    } cases[] = {
        {"%zu,5;%zu", "\n", "", "semicolons, decimal comma, no header"},
        {"%zu.5|%zu", "\r", "", "CR line ends, bars, no header"},
        {" %zu.5   %zu ", "\n", "", "blanks, no header"},
        {"%zu.5\t%zu", "\r\n", "", "tabs, no header"},
        {"%zu.5,%zu", "\n", "# a comment, not a row\n", "comments '#', no header"},
        {"%zu.5,%zu", "\n", "\n", "no header"},
    };
    char *text = malloc(ROWS * 24);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t at = 0;
        for (size_t i = 0; i < ROWS; i++) {
            if (i % 1000 == 7) at += (size_t)sprintf(text + at, "%s", cases[c].every);
            at += (size_t)sprintf(text + at, cases[c].row, i, i % 3);
            at += (size_t)sprintf(text + at, "%s", cases[c].end);
        }
        tanda_dataset *dataset = load_as(write_text("long.csv", text), NULL, cases[c].written);
        cr_assert_eq(dataset->rows, ROWS, "case %zu: %zu rows", c, dataset->rows);
        for (size_t i = 0; i < ROWS; i++)
            cr_assert(dataset->values[i] == (float)i + 0.5f && dataset->classes[i] == (int32_t)(i % 3),
                      "case %zu, row %zu", c, i);
        tanda_dataset_free(dataset);
    }
    free(text);
}

/* ---- encodings ---------------------------------------------------------------------------------------- */

/* ASCII and one letter beyond it as UTF-16. */
static size_t widen(const char *text, bool big, bool mark, unsigned char *wide) {
    size_t at = 0;
    if (mark) {
        wide[at++] = big ? 0xfe : 0xff;
        wide[at++] = big ? 0xff : 0xfe;
    }
    for (; *text != '\0'; text++) {
        unsigned unit = *text == '~' ? 0xfcu : (unsigned char)*text; /* ~ stands for u with two dots */
        wide[at++] = (unsigned char)(big ? unit >> 8 : unit);
        wide[at++] = (unsigned char)(big ? unit : unit >> 8);
    }
    return at;
}

Test(dialect, utf_16_is_converted) {
    unsigned char wide[400];
    for (int i = 0; i < 4; i++) {
        bool big = (i & 1) != 0, mark = (i & 2) != 0;
        size_t size = widen("a;h~he;c\r\n1;2,5;no\r\n-3;4,25;yes\r\n", big, mark, wide);
        tanda_dataset *dataset =
            load_as(write_bytes("wide.csv", wide, size), NULL,
                    big ? "UTF-16BE, semicolons, decimal comma" : "UTF-16LE, semicolons, decimal comma");
        assert_values(dataset, 2, 2, VALUES(1, 2.5f, -3, 4.25f));
        cr_assert_str_eq(dataset->feature_names[1], "h\xc3\xbche");
        tanda_dataset_free(dataset);
    }
    size_t size = widen("a,c\n1,0\n2,1\n", false, true, wide);
    refuse(write_bytes("cut.csv", wide, size - 1), NULL, "cut.csv: byte 24: is no UTF-16LE text there");
    wide[6] = 0;
    wide[7] = 0xdc; /* the second half of a pair, alone */
    refuse(write_bytes("cut.csv", wide, size), NULL, "cut.csv: byte 6: is no UTF-16LE text there");
}

/* ---- the header --------------------------------------------------------------------------------------- */

static void assert_first_name(const char *text, const tanda_dataset_options *options, const char *name,
                              size_t rows) {
    tanda_dataset *dataset = load(write_text("h.csv", text), options);
    cr_assert_eq(dataset->rows, rows, "%s: %zu rows", text, dataset->rows);
    cr_assert_eq(dataset->feature_names == NULL, name == NULL, "%s", text);
    if (name != NULL) cr_assert_str_eq(dataset->feature_names[0], name, "%s", text);
    tanda_dataset_free(dataset);
}

Test(dialect, a_header_of_numbers_is_a_header) {
    assert_first_name("0,1,2,label\n1.29,1.45,0.07,0\n-0.76,-1.09,0.03,1\n", NULL, "0", 2);
    assert_first_name("0,1,price\n1.29,1.45,2.81\n-0.76,-1.09,-1.5\n", NULL, "0", 2);
    assert_first_name("2019,2020,y\n1.29,1.45,0\n-0.76,-1.09,1\n", NULL, "2019", 2);
    assert_first_name("0,1,2,species\n1.29,1.45,0.07,cat\n-0.76,-1.09,0.03,dog\n1,1,1,cat\n", NULL, "0", 3);
    assert_first_name("0,1,2,3\n0.35,0.82,0.33,1.0\n-1.3,0.91,0.45,0.0\n", NULL, "0", 2);
    assert_first_name("2019,2020,2021\n1.5,2.5,3\n4.5,5.5,6\n", NULL, "2019", 2);
    assert_first_name("7,8\nred,0.5\nblue,1.5\n", &(tanda_dataset_options){.categorical_auto = true}, "7", 2);
    assert_first_name(",0,1,y\n0,1.5,2.5,0\n1,2.5,3.5,1\n", NULL, "", 2);
    assert_first_name(",name,y\n0,Ann,u\n1,Bob,v\n",
                      &(tanda_dataset_options){.ignore = NAMES("1"), .ignore_count = 1}, "", 2);
    assert_first_name("0,1\n3,4\n0.5,0\n", &(tanda_dataset_options){.header = TANDA_HEADER_FIRST_ROW}, "0",
                      2);
}

Test(dialect, a_delimiter_that_breaks_quotes_is_none) {
    const char *path =
        write_text("q.csv", "\"0\" \"11,0\" \"mid\tlow\" \"1,5\"\n\"1\" \"28,0\" \"mid\tlow\" \"2,5\"\n"
                            "\"2\" \"-3,25\" \"mid\thigh\" \"7,5\"\n");
    const tanda_dataset_options options = {.categorical_auto = true};
    tanda_dataset *dataset = load(path, &options);
    cr_expect_eq(dataset->features, 3);
    cr_expect_eq(dataset->dialect.delimiter, ' ');
    tanda_dataset_free(dataset);
}

Test(dialect, blanks_are_the_delimiter_where_only_they_leave_quotes_whole) {
    const char *path =
        write_text("q.csv", "0 -83,0 east yes blue\n1 -92,6 \"west, blue\" no \"blue\nred\"\n"
                            "2 -90,7 east yes \"blue\nred\"\n3 -55,2 \"west, blue\" no blue\n");
    const tanda_dataset_options options = {.categorical_auto = true};
    tanda_dataset *dataset = load(path, &options);
    cr_expect_eq(dataset->features, 4);
    cr_expect_eq(dataset->dialect.decimal, ',');
    tanda_dataset_free(dataset);
}

Test(dialect, the_last_line_end_tells_which_one_stands_within_a_field) {
    refuse(write_text("m.csv", "1,north\neast,0\r2,north\neast,1\r"), NULL,
           "m.csv:1:2: a LF inside a field, while the lines end in CR; quote the whole field");
    refuse(write_text("m.csv", "1,north\reast,0\n2,north\reast,1\n"), NULL,
           "m.csv:1:2: a CR inside a field, while the lines end in LF; quote the whole field");
}

Test(dialect, rows_of_numbers_are_no_header) {
    assert_first_name("0,1,2\n3,4,5\n6,7,8\n", NULL, NULL, 3);
    assert_first_name("1,2\n3,5\n", NULL, NULL, 2);
    assert_first_name(",0\n26317,0\n,1\n66211,0\n", &(tanda_dataset_options){.missing = TANDA_MISSING_MEAN},
                      NULL, 4);
    assert_first_name("0,0,0\n0,1,1\n1,0,1\n", NULL, NULL, 3);
    assert_first_name("5,3,0\n4.5,2,1\n", NULL, NULL, 2);
    assert_first_name("5.1,3.5,setosa\n4.9,3.0,virginica\n", NULL, NULL, 2);
}

Test(dialect, values_that_stand_again_in_their_column_are_data) {
    static const char votes[] = "republican,n,y\ndemocrat,y,y\nrepublican,n,n\ndemocrat,?,y\ndemocrat,y,n\n";
    tanda_dataset_options options = {.target = "0", .categorical_auto = true};
    assert_first_name(votes, &options, NULL, 5);
    char named[200] = "party,a,b\n";
    strcat(named, votes);
    assert_first_name(named, &(tanda_dataset_options){.target = "party", .categorical_auto = true}, "a", 5);
}

Test(dialect, a_first_row_that_may_be_either_is_refused) {
    static const char *const texts[] = {
        "2,0,1\n0.07,1.29,1.45\n0.03,-0.76,-1.09\n", /* columns in another order */
        "2019,2020\n1,3\n4,7\n",
        "0,1\n1,3\n2,5\n3,7\n",
        "0,1\n1,0\n0,0\n0,1\n1,1\n",
        "1990,1991\n0,1\n1,4\n0,5\n",
        ",0\n26317,0\n66211,1\n78052,0\n", /* a gap or an index without a name */
        "0,1,2\n3,4,5\n0,4,1\n1,4,2\n1,3,2\n",
        "0.1,0.5,y\n1.5,2.5,0\n4.5,5.5,1\n",
        "u,v,w\nu,x,y\nz,x,y\n",
        "elm;oak\n;ash\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(write_text("e.csv", texts[i]), NULL,
               "e.csv:1: the first row may hold names or data; say which with --header first-row or none");
}

Test(dialect, an_ignored_column_may_hold_anything) {
    tanda_dataset_options options = {.ignore = NAMES("name"), .ignore_count = 1};
    tanda_dataset *dataset =
        load(write_text("i.tsv",
                        "name\ta\ty\n5'9\" tall\t1\t0\n\"so\" he said\t2\t1\n\"open\t3\t0\n\xff,;\t4\t1\n"),
             &options);
    assert_values(dataset, 4, 1, VALUES(1, 2, 3, 4));
    tanda_dataset_free(dataset);
}

Test(dialect, blanks_around_numbers_inside_quotes_do_not_matter) {
    tanda_dataset *dataset = load(write_text("q.csv", "a,b,y\n\" 1.5 \",\"2\",0\n\" 2.5\",\"3 \",1\n"), NULL);
    assert_values(dataset, 2, 2, VALUES(1.5f, 2, 2.5f, 3));
    tanda_dataset_free(dataset);
}

/* ---- values ------------------------------------------------------------------------------------------- */

Test(dialect, true_and_false_are_numbers_in_features_and_names_in_targets) {
    tanda_dataset *dataset =
        load(write_text("b.csv", "c,a,y\nTrue,0.5,True\nFALSE,1.5,false\ntrue,2.5,TRUE\n"), NULL);
    assert_values(dataset, 3, 2, VALUES(1, 0.5f, 0, 1.5f, 1, 2.5f));
    assert_classes(dataset, 2, NAMES("True", "false"), CLASSES(0, 1, 0));
    const dataset_expectation expected = dataset_expect(dataset);
    tanda_dataset *other = load_expecting(write_text("o.csv", "c,a,y\n0,1,FALSE\n"), NULL, &expected);
    cr_assert_eq(other->classes[0], 1);
    tanda_dataset_free(other);
    tanda_dataset_free(dataset);
    refuse(write_text("b.csv", "c,y\n1.5,0\nTrue,1\n2.5,1\n"), NULL,
           "b.csv:3:1: 'True' is not a number; --categorical takes text (column c)");
}

Test(dialect, what_pandas_takes_for_missing_is_missing) {
    static const char *const words[] = {"",     "#N/A",   "#N/A N/A", "#NA",  "-1.#IND", "-1.#QNAN", "-NaN",
                                        "-nan", "1.#IND", "1.#QNAN",  "<NA>", "N/A",     "NA",       "NULL",
                                        "NaN",  "None",   "n/a",      "nan",  "null",    "?"};
    tanda_dataset_options options = {.missing = TANDA_MISSING_MEAN, .categorical_auto = true};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[200];
        snprintf(text, sizeof text, "a,b,y\n%s,1,0\n2,%s,1\n3,4,1\n", words[i], words[i]);
        tanda_dataset *dataset = load(write_text("m.csv", text), &options);
        cr_assert(dataset->raw.is_category == NULL && dataset->rows == 3, "%s", words[i]);
        cr_assert(dataset->values[0] != dataset->values[0] && dataset->values[3] != dataset->values[3], "%s",
                  words[i]);
        tanda_dataset_free(dataset);
    }
    options.missing_values = NAMES("-", "-999", "unknown");
    options.missing_value_count = 3;
    tanda_dataset *dataset = load(write_text("m.csv", "a,b,y\n-,1,0\n2,-999.0,1\nunknown,4,1\n"), &options);
    cr_assert(dataset->raw.is_category == NULL);
    cr_assert(dataset->values[0] != dataset->values[0] && dataset->values[3] != dataset->values[3]);
    tanda_dataset_free(dataset);
}

Test(dialect, categories_of_numbers_are_compared_as_numbers) {
    tanda_dataset_options options = {.categorical = NAMES("c"), .categorical_count = 1};
    tanda_dataset *dataset =
        load(write_text("c.csv", "c,y\n1,0\n2.0,1\n01,0\n+1,1\n1e0,0\n2,1\n.5,1\n0.50,0\n"), &options);
    cr_assert_eq(dataset->raw.categories[0].texts.count, 3);
    assert_values(dataset, 8, 1, VALUES(0, 1, 0, 0, 0, 1, 2, 2));
    tanda_dataset_free(dataset);
    dataset = load(write_text("c.csv", "c,y\n9007199254740993,0\n9007199254740992,1\n"), &options);
    cr_assert_eq(dataset->raw.categories[0].texts.count, 2); /* numbers that binary64 cannot tell apart */
    tanda_dataset_free(dataset);
}

/* ---- with a model at hand ----------------------------------------------------------------------------- */

Test(dialect, the_models_names_decide_first) {
    tanda_dataset *training =
        load(write_text("t.csv", "0,1,2,label\n1.29,1.45,0.07,0\n-0.76,-1.09,0.03,1\n"), NULL);
    const dataset_expectation expected = dataset_expect(training);
    const tanda_dataset_options options = {.without_target = true};
    tanda_dataset *rows = load_expecting(write_text("n.csv", "0,1,2\n1,2,3\n4,5,6\n"), &options, &expected);
    assert_values(rows, 2, 3, VALUES(1, 2, 3, 4, 5, 6));
    tanda_dataset_free(rows);
    rows = load_expecting(write_text("r.csv", "2,0,1\n3,1,2\n6,4,5\n"), &options, &expected);
    assert_values(rows, 2, 3, VALUES(1, 2, 3, 4, 5, 6));
    tanda_dataset_free(rows);
    rows = load_expecting(write_text("o.csv", "0,1,2\n"), &options, &expected);
    cr_assert_eq(rows->rows, 0);
    tanda_dataset_free(rows);
    refuse_expecting(path_of("o.csv"), NULL, &expected, TANDA_BAD_INPUT,
                     "the model's target 'label': no such column in o.csv; its columns are 0, 1, 2");
    tanda_dataset_free(training);
}
