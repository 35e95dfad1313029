/* Names of columns, classes and files that steer a terminal do not get there. */
#include "program.h"
#include "support/status.h"
#include "support/text.h"

TestSuite(terminal, .init = enter_folder, .fini = leave_folder);

/* ---- characters --------------------------------------------------------------------------------------- */

/* The UTF-8 of a code point, or what would be it. */
static size_t encode(unsigned code, char text[5]) {
    const size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3f));
    text[0] = (char)(leads[length] | code);
    text[length] = '\0';
    return length;
}

Test(text, every_character_is_kept_but_those_that_steer) {
    for (unsigned code = 1; code < 0x110000; code++) {
        char text[5], cleaned[5];
        const bool steers = code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
                            (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
        const bool is_none = code >= 0xd800 && code <= 0xdfff;
        encode(code, text);
        strcpy(cleaned, text);
        text_clean(cleaned);
        cr_assert_str_eq(cleaned, is_none ? "???" : steers ? "?" : text, "U+%04X", code);
    }
}

Test(text, what_is_no_utf_8_becomes_question_marks) {
    static const char *const cases[][2] = {
        {"a\xff\x62", "a?b"},         {"\xc3", "?"},      {"\xe2\x82x", "??x"},
        {"\x80\x9b", "??"},           {"\xc0\x9b", "??"}, {"\xe0\x82\x9b", "???"},
        {"\xf0\x82\x82\x9b", "????"}, {"", ""},           {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\xf4\x90\x80\x80", "????"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[16];
        strcpy(text, cases[i][0]);
        text_clean(text);
        cr_expect_str_eq(text, cases[i][1], "case %zu", i);
    }
}

Test(text, an_error_is_one_clean_line_even_where_it_is_cut) {
    tanda_error error = {0};
    char name[2 * sizeof error.message];
    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[sizeof name - 1] = name[sizeof name - 2] = '\0';
    cr_expect_eq(fail(&error, TANDA_BAD_INPUT, "x%s", name), TANDA_BAD_INPUT);
    cr_expect(is_plain_utf8(error.message, strlen(error.message)));
    fail(&error, TANDA_BAD_INPUT, "a\nb\x1b[2J\xc2\x9b");
    cr_expect_str_eq(error.message, "a?b?[2J?");
}

/* ---- the program -------------------------------------------------------------------------------------- */

/* ESC, a line end, CSI as one character, DEL, an override of the order and an isolate. */
#define EVIL "\x1b[31m\xc2\x9b\x32J\x7f\xe2\x80\xaeX\xe2\x81\xa6"
#define EVIL_SHOWN "?[31m?2J??X?"

static void expect_clean_text(const char *text, const char *what) {
    bool may_be_shown = false;
    for (size_t left = strlen(text), step = 0; left > 0; left -= step, text += step) {
        step = text_character(text, left, &may_be_shown);
        cr_assert(may_be_shown || *text == '\n', "%s: %.60s", what, text);
    }
}

static const char *clean_run(const char *const *arguments) {
    const outcome outcome = run_to(-1, arguments);
    char what[100];
    snprintf(what, sizeof what, "tanda %s %s", arguments[1], arguments[2]);
    cr_expect_eq(outcome.status, 0, "%s: %s", what, outcome.err);
    expect_clean_text(outcome.out, what);
    expect_clean_text(outcome.err, what);
    char *both = NULL;
    cr_assert_geq(asprintf(&both, "%s%s", outcome.out, outcome.err), 0);
    return kept_texts[kept_count++] = both;
}
#define CLEAN_RUN(...) clean_run((const char *const[]){TANDA_PROGRAM, __VA_ARGS__, NULL})

static void expect_said(const char *text, const char *told) {
    cr_expect_not_null(strstr(text, told), "no '%s' in: %s", told, text);
}

/* Columns, classes and categories of evil names, in a file of one. */
#define DATA "data" EVIL "\n.csv"
#define MODEL "model" EVIL "\n.safetensors"
static void write_evil_data(size_t classes) {
    FILE *file = fopen(DATA, "wb");
    fprintf(file, "\"size" EVIL "\",\"colour" EVIL "\",\"kind" EVIL "\"\n");
    for (size_t i = 0; i < 24; i++)
        fprintf(file, "%zu,\"c%zu" EVIL "\",\"k%zu" EVIL "\"\n", i, i % 3, i % classes);
    cr_assert_eq(fclose(file), 0);
}

Test(terminal, names_are_clean_wherever_data_and_models_are_shown) {
    for (size_t classes = 2; classes < 4; classes++) {
        write_evil_data(classes);
        unlink("c" EVIL ".safetensors");
        expect_said(CLEAN_RUN("inspect", DATA, "--categorical", "auto"), "Data: data" EVIL_SHOWN "?.csv");
        const char *text =
            CLEAN_RUN("train", "--data", DATA, "--categorical", "auto", "--epochs", "2", "--device", "cpu",
                      "--checkpoint", "c" EVIL ".safetensors", "--output", MODEL);
        expect_said(text, "k1" EVIL_SHOWN " ");
        expect_said(text, "saved c" EVIL_SHOWN ".safetensors after");
        expect_said(text, "model: model" EVIL_SHOWN "?.safetensors\n");
        text = CLEAN_RUN("inspect", MODEL);
        expect_said(text, "Categories of colour" EVIL_SHOWN ": c0" EVIL_SHOWN);
        expect_said(text, classes == 2 ? "for k1" EVIL_SHOWN " against k0" EVIL_SHOWN ":\n"
                                       : "\nk2" EVIL_SHOWN ":\n");
        expect_said(text, "w1 (size" EVIL_SHOWN ")");
        text = CLEAN_RUN("evaluate", MODEL, "--data", DATA, "--device", "cpu");
        expect_said(text, "k1" EVIL_SHOWN);
        CLEAN_RUN("train", "--resume", "c" EVIL ".safetensors", "--epochs", "3", "--device", "cpu");
        CLEAN_RUN("train", "--data", DATA, "--categorical", "auto", "--epochs", "1", "--device", "cpu",
                  "--folds", "14");
    }
}

Test(terminal, names_of_targets_and_of_written_files_are_clean) {
    write_text("two.csv", "a,\"x" EVIL "\",\"y" EVIL "\"\n1,2,3.5\n2,3,4.5\n3,1,2.25\n");
    expect_said(CLEAN_RUN("inspect", "two.csv", "--target", "1,2"), "Targets: x" EVIL_SHOWN ", y");
    CLEAN_RUN("train", "--data", "two.csv", "--target", "1,2", "--device", "cpu", "--output", MODEL);
    expect_said(CLEAN_RUN("inspect", MODEL), "Targets: x" EVIL_SHOWN ", y" EVIL_SHOWN);
    CLEAN_RUN("evaluate", MODEL, "--data", "two.csv", "--device", "cpu");
    CLEAN_RUN("train", "--data", "two.csv", "--target", "1", "--ignore", "2", "--device", "cpu", "--output",
              MODEL);
    expect_said(CLEAN_RUN("inspect", MODEL), "Target: x" EVIL_SHOWN "\n");
    expect_said(CLEAN_RUN("generate", "moons", "--rows", "9", "--output", "g" EVIL ".npy", "--labels",
                          "l" EVIL ".npy"),
                "output: g" EVIL_SHOWN ".npy, 9 rows x 2 features; labels: l" EVIL_SHOWN ".npy\n");
    expect_said(CLEAN_RUN("record", "--data", IRIS, "--steps", "2", "--device", "cpu", "--output", "r" EVIL),
                "golden: r" EVIL_SHOWN "\n");
    CLEAN_RUN("verify", "--golden", "r" EVIL, "--device", "cpu");
    CLEAN_RUN("devices");
}

/* \uXXXX is the same text to whoever reads it. */
Test(terminal, json_escapes_what_steers_and_keeps_the_names) {
    write_evil_data(3);
    CLEAN_RUN("train", "--data", DATA, "--categorical", "auto", "--epochs", "1", "--device", "cpu",
              "--output", MODEL, "--json");
    json_t *model = json_loads(CLEAN_RUN("inspect", MODEL, "--json"), 0, NULL);
    cr_expect_str_eq(json_words(model, "model"), MODEL);
    cr_expect_str_eq(json_string_value(json_array_get(json_object_get(model, "classes"), 1)), "k1" EVIL);
    json_decref(model);
    json_t *settings = json_loads(CLEAN_RUN("inspect", MODEL, "--settings"), 0, NULL);
    cr_expect_str_eq(json_words(settings, "data"), DATA);
    json_decref(settings);
    CLEAN_RUN("evaluate", MODEL, "--data", DATA, "--device", "cpu", "--json");
    CLEAN_RUN("predict", MODEL, "--data", DATA, "--device", "cpu", "--json");
}

Test(terminal, messages_are_clean) {
    const outcome missing = RUN("train", "--data", "none" EVIL "\xff\n.csv");
    cr_expect_eq(missing.status, 3);
    cr_expect_str_eq(missing.err, "tanda: none" EVIL_SHOWN "??.csv: No such file or directory\n");
    const outcome unknown = RUN("train", "--" EVIL);
    cr_expect_eq(unknown.status, 2);
    expect_clean_text(unknown.err, "an unknown option");
    const outcome device = RUN("train", "--data", IRIS, "--device", "opencl:x" EVIL, "--epochs", "1");
    expect_clean_text(device.err, "an unknown device");
    write_text("run.json", "{\"data\": \"x" EVIL "\", \"epochs\": 0}");
    expect_clean_text(RUN("train", "--config", "run.json").err, "a configuration");
}

/* Data for programs, not for a terminal: names stay what they are. */
Test(terminal, predictions_keep_the_bytes_of_names) {
    write_evil_data(2);
    CLEAN_RUN("train", "--data", DATA, "--categorical", "auto", "--epochs", "1", "--device", "cpu",
              "--output", MODEL);
    const outcome outcome = RUN("predict", MODEL, "--data", DATA, "--device", "cpu", "--quiet");
    expect_said(outcome.out, "k1" EVIL);
}
