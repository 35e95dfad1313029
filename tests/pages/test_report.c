/* tanda report and train --plot: pages, single pictures, and logs that are none. */
#include <math.h>

#include "cli/run_report_texts.h"
#include "page/page_texts.h"
#include "program.h"
#include "support_pages.h"

TestSuite(report, .init = enter_folder, .fini = leave_folder);

static const text_pair pairs[] = {REPORT_TEXTS(TEXT_PAIR) PAGE_TEXTS(TEXT_PAIR)};
#define PAIRS (sizeof pairs / sizeof *pairs)

#define TRAIN "train", "--device", "cpu", "--quiet"
#define REPORT "report", "--device", "cpu", "--quiet"

static void train_digits(void) {
    cr_assert_eq(
        RUN(TRAIN, DIGITS, "--epochs", "4", "--validation", "0.2", "--log", "a.jsonl", "--output", "m")
            .status,
        0);
    cr_assert_eq(RUN(TRAIN, DIGITS, "--epochs", "3", "--optimizer", "adam", "--log", "b.jsonl").status, 0);
}

Test(report, has_the_same_sentences_in_both_languages) {
    check_texts(pairs, PAIRS);
}

/* An id may stand in several pages: check_markup is for one. */
static void check_page(language language) {
    static const char *const parts[] = {"loss", "accuracy",         "learning-rate", "confusion",
                                        "roc",  "precision-recall", "reliability",   "weights"};
    train_digits();
    const outcome outcome = RUN(REPORT, "a.jsonl", "b.jsonl", "--model", "m", "--data", DIGITS, "--output",
                                "r.html", "--language", language_names[language]);
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_str_eq(outcome.out, "page: r.html\n");
    const char *page = file_text("r.html");
    check_markup(page);
    check_offline(page);
    check_language(page, language, pairs, PAIRS);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char path[80];
        snprintf(path, sizeof path, "r.pictures/%s.gnuplot", parts[i]);
        cr_expect_not_null(strstr(page, path), "no %s", path);
        cr_expect_eq(access(path, F_OK), 0);
    }
}

Test(report, page_is_whole_and_asks_nobody) {
    if (!skipped_without_gnuplot("page_is_whole_and_asks_nobody")) check_page(LANGUAGE_ENGLISH);
}

Test(report, page_in_spanish_has_no_english_sentence) {
    if (!skipped_without_gnuplot("page_in_spanish_has_no_english_sentence")) check_page(LANGUAGE_SPANISH);
}

/* Two targets, each a series: the points of both pictures against what predict says. */
Test(report, quantities_are_drawn_against_the_truth_and_with_their_residuals) {
    if (skipped_without_gnuplot("quantities_are_drawn_against_the_truth_and_with_their_residuals")) return;
    write_text("q.csv", "a,b,y,z\n1,2,3,1\n2,1,4,2\n-1,0,1,5\n0.5,3,3,7\n3,1,2,2\n");
    cr_assert_eq(
        RUN(TRAIN, "q.csv", "--target", "y,z", "--task", "regression", "--epochs", "20", "--output", "m")
            .status,
        0);
    const outcome page = RUN(REPORT, "--model", "m", "--data", "q.csv", "--output", "r.html");
    cr_assert_eq(page.status, 0, "%s", page.err);
    check_markup(file_text("r.html"));
    const char *predictions = RUN("predict", "m", "q.csv", "--device", "cpu", "--quiet").out;
    const char *truths = strchr(file_text("q.csv"), '\n') + 1;
    const char *said = strstr(file_text("r.pictures/predicted.dat"), "\n") + 1;
    const char *left = strstr(file_text("r.pictures/residuals.dat"), "\n") + 1;
    double y = 0.0, truth = 0.0, x = 0.0, drawn = 0.0;
    predictions = strchr(predictions, '\n') + 1;
    for (int row = 0; row < 5; row++) {
        cr_assert_eq(sscanf(predictions, "%lf", &y), 1);
        cr_assert_eq(sscanf(truths, "%*f,%*f,%lf", &truth), 1);
        cr_assert_eq(sscanf(said, "%lf %lf", &x, &drawn), 2);
        cr_expect(fabs(drawn - y) < 1e-6 && x == truth, "%g %g, %g %g", x, truth, drawn, y);
        cr_assert_eq(sscanf(left, "%lf %lf", &x, &drawn), 2);
        cr_expect(fabs(x - y) < 1e-6 && fabs(drawn - (truth - y)) < 1e-6, "%g %g", x, drawn);
        predictions = strchr(predictions, '\n') + 1, truths = strchr(truths, '\n') + 1;
        said = strchr(said, '\n') + 1, left = strchr(left, '\n') + 1;
    }
    const outcome none = RUN(REPORT, "--model", "m", "--data", "q.csv", "--only", "roc");
    cr_expect_eq(none.status, 2);
}

Test(report, one_part_is_drawn_in_each_format) {
    if (skipped_without_gnuplot("one_part_is_drawn_in_each_format")) return;
    static const char *const formats[] = {"svg", "png", "pdf"}, *const begins[] = {"<svg", "\x89PNG", "%PDF"};
    train_digits();
    for (size_t i = 0; i < 3; i++) {
        cr_expect_eq(
            RUN(REPORT, "a.jsonl", "--only", "loss", "--format", formats[i], "--output", "loss").status, 0);
        cr_expect_eq(strncmp(file_text("loss"), begins[i], strlen(begins[i])), 0, "%s", formats[i]);
        cr_expect_eq(access("loss.gnuplot", F_OK), 0);
    }
    const outcome letters = RUN(REPORT, "a.jsonl", "--only", "accuracy");
    cr_expect_not_null(strstr(letters.out, "accuracy *"), "%s", letters.out);
    cr_expect_not_null(strstr(letters.out, "val_accuracy #"), "a series of its own: %s", letters.out);
}

/* Of the points that a picture is drawn of. */
static size_t count_points(const char *data, double last[2]) {
    size_t count = 0;
    for (const char *at = data; *at != '\0'; at += strcspn(at, "\n") + 1)
        count += sscanf(at, "%lf %lf", &last[0], &last[1]) == 2;
    return count;
}

/* A training that was resumed after epoch 1: epochs 2 and 3 come again. */
Test(report, epochs_that_come_again_count_as_the_later_ones) {
    if (skipped_without_gnuplot("epochs_that_come_again_count_as_the_later_ones")) return;
    double last[2] = {0};
    write_text("r.jsonl", "{\"event\":\"epoch\",\"epoch\":1,\"loss\":3}\n"
                          "{\"event\":\"epoch\",\"epoch\":2,\"loss\":2}\n"
                          "{\"event\":\"epoch\",\"epoch\":3,\"loss\":1}\n"
                          "{\"event\":\"run\",\"status\":130}\n"
                          "{\"event\":\"epoch\",\"epoch\":2,\"loss\":0.5}");
    const outcome outcome = RUN("report", "r.jsonl", "--only", "loss", "--output", "loss.svg");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_eq(count_points(file_text("loss.dat"), last), 2);
    cr_expect(last[0] == 2.0 && last[1] == 0.5, "%g %g", last[0], last[1]);
}

Test(report, a_log_that_is_none_is_refused_with_its_line) {
    static const char good[] = "{\"event\":\"epoch\",\"epoch\":1,\"loss\":3}\n";
    static const struct {
        const char *line, *told;
    } cases[] = {
        {"{\"event\":\"epoch\",\"epo", "r.jsonl:2: is no JSON: "},
        {"[1, 2]\n", "r.jsonl:2: is no JSON object; "},
        {"{\"epoch\":1}\n", "r.jsonl:2: has no \"event\"; "},
        {"{\"event\":\"step\"}\n", "r.jsonl:2: its \"event\" is neither epoch, nor fold, nor run; "},
        {"{\"event\":\"epoch\",\"epoch\":0}\n", "r.jsonl:2: the epoch is no whole number of at least 1; "},
        {"{\"event\":\"epoch\",\"epoch\":2,\"loss\":\"low\"}\n", "r.jsonl:2: \"loss\" is no number; "},
        {"\n", "r.jsonl:2: is no JSON: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300], told[200];
        snprintf(text, sizeof text, "%s%s", good, cases[i].line);
        snprintf(told, sizeof told, "tanda: %s", cases[i].told);
        write_text("r.jsonl", text);
        const outcome outcome = RUN("report", "r.jsonl");
        cr_expect_eq(outcome.status, 3);
        cr_expect_eq(strncmp(outcome.err, told, strlen(told)), 0, "%s", outcome.err);
        cr_expect_eq(strchr(outcome.err, '\n'), outcome.err + strlen(outcome.err) - 1, "one line");
    }
    write_text("r.jsonl", "{\"event\":\"run\"}\n");
    const outcome empty = RUN("report", "r.jsonl");
    cr_expect_eq(empty.status, 3);
    cr_expect_str_eq(empty.err, "tanda: r.jsonl: holds no epoch; a log is what tanda train --log writes\n");
}

/* The first line of the table against what predict says of all rows. */
Test(report, first_mistake_is_the_wrong_row_of_the_greatest_probability) {
    train_digits();
    const char *table =
        strstr(RUN(REPORT, "--model", "m", "--data", DIGITS, "--only", "mistakes").out, "probability\n");
    cr_assert_not_null(table);
    size_t row = 0, at = 0, expected = 0;
    int truth = -1, said = -1;
    double probability = 0.0, greatest = 0.0;
    cr_assert_eq(sscanf(table + 12, "%zu %d %d %lf", &row, &truth, &said, &probability), 4);
    const char *lines = strchr(RUN("predict", "m", DIGITS, "--device", "cpu", "--quiet").out, '\n') + 1;
    const char *rows = strchr(file_text(DIGITS), '\n') + 1;
    for (; *lines != '\0'; lines = strchr(lines, '\n') + 1, rows = strchr(rows, '\n') + 1) {
        const char *label = rows + strcspn(rows, "\n") - 1, *p = lines;
        at++;
        for (int class = lines[0] - '0'; class >= 0; class --)
            p = strchr(p, ',') + 1;
        if (*label == lines[0] || strtod(p, NULL) <= greatest) continue;
        greatest = strtod(p, NULL);
        expected = at;
        cr_expect(row != at || (truth == *label - '0' && said == lines[0] - '0'));
    }
    cr_expect_eq(row, expected, "row %zu instead of %zu", row, expected);
    cr_expect(fabs(greatest - probability) < 1e-4);
}

Test(report, what_it_cannot_use_is_refused) {
    train_digits();
    static const struct {
        const char *told, *arguments[6];
    } cases[] = {
        {"no log and no model; for example: tanda report ", {NULL}},
        {"--only roc is of a model; give --model MODEL and --data FILE\n", {"a.jsonl", "--only", "roc"}},
        {"--model and --data go together; give --data, too\n", {"--model", "m"}},
        {"--model and --data go together; give --model, too\n", {"a.jsonl", "--data", "x.csv"}},
        {"--format is of one picture; give --only NAME, too\n", {"a.jsonl", "--format", "svg"}},
        {"--image: 3x4 are not the 64 features of the model\n",
         {"--model", "m", "--data", DIGITS, "--image", "3x4"}},
        {"--image: '8' is no width and height such as 28x28\n",
         {"--model", "m", "--data", DIGITS, "--image", "8"}},
        {"--output a.jsonl: RUN.jsonl a.jsonl reads it", {"a.jsonl", "--output", "a.jsonl"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *arguments[10] = {TANDA_PROGRAM, "report", "--quiet"};
        memcpy(arguments + 3, cases[i].arguments, sizeof cases[i].arguments);
        const outcome outcome = run_to(-1, arguments);
        cr_expect_eq(outcome.status, 2, "%s", outcome.err);
        cr_expect_eq(strncmp(outcome.err + 7, cases[i].told, strlen(cases[i].told)), 0, "%s", outcome.err);
    }
}

Test(report, without_gnuplot_all_but_pictures_is_there) {
    train_digits();
    setenv("PATH", "/nowhere", 1);
    outcome outcome = RUN("report", "a.jsonl", "--output", "r.html");
    cr_expect_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_str_eq(outcome.err,
                     "note: the page has no pictures: gnuplot is not installed (Debian's package "
                     "gnuplot-nox)\n");
    check_markup(file_text("r.html"));
    outcome = RUN(REPORT, "a.jsonl", "--output", "r.html");
    cr_expect_eq(outcome.status, 0);
    cr_expect_str_eq(outcome.err, "");
    outcome = RUN(REPORT, "a.jsonl", "--only", "loss");
    cr_expect_eq(outcome.status, 1);
    cr_expect_not_null(strstr(outcome.err, "gnuplot-nox"), "%s", outcome.err);
    outcome = RUN(TRAIN, IRIS, "--epochs", "2", "--plot");
    cr_expect_eq(outcome.status, 0);
    cr_expect_not_null(strstr(outcome.err, "gnuplot-nox"), "%s", outcome.err);
}

Test(report, plot_of_a_training_stands_below_its_results) {
    if (skipped_without_gnuplot("plot_of_a_training_stands_below_its_results")) return;
    const outcome plain = RUN(TRAIN, IRIS, "--epochs", "5", "--validation", "0.3");
    const outcome plotted = RUN(TRAIN, IRIS, "--epochs", "5", "--validation", "0.3", "--plot");
    const char *digest = strstr(plain.out, "weights_sha256"), *picture = strstr(plotted.out, digest);
    cr_assert_not_null(picture, "other weights: %s", plotted.out);
    cr_expect_not_null(strstr(picture, "val_loss #"), "%s", plotted.out);
    cr_expect_not_null(strstr(picture, " epoch\n"), "the key covers the label: %s", plotted.out);
    const outcome json = RUN(TRAIN, IRIS, "--epochs", "5", "--plot", "--json");
    json_decref(only_object(&json));
    cr_expect_not_null(strstr(json.err, "loss *"), "%s", json.err);
    cr_expect_eq(RUN(TRAIN, IRIS, "--folds", "3", "--plot").status, 2);
}
