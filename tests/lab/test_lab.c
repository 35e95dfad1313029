/* tanda lab: one page, drawn again from its figures; red where bits differ. */
#include "lab/lab.h"
#include "lab/lab_texts.h"
#include "program.h"
#include "support_devices.h"
#include "support_lockstep.h"
#include "support_pages.h"

TestSuite(lab, .init = enter_folder, .fini = leave_folder, .timeout = 200);

static const text_pair texts[] = {LAB_TEXTS(TEXT_PAIR)};
#define TEXTS (sizeof texts / sizeof *texts)

/* A small lab, in seconds: two rows of the user's. */
#define SMALL "--quick", "--seconds", "1", "--workloads", "own.json"
#define CPUS "--device", "cpu,threads=1,cpu,threads=2"

static void write_workloads(void) {
    write_text("own.json",
               "[{\"name\": \"mine/small\", \"rows\": 256, \"batch\": 64, \"units\": [8, 16, 3]},\n"
               " {\"name\": \"mine/row\", \"rows\": 512, \"units\": [8, 1]}]\n");
}

Test(lab, every_sentence_is_there_in_both_languages) {
    check_texts(texts, TEXTS);
}

Test(lab, a_page_is_offline_and_is_drawn_again_from_its_figures_in_either_language) {
    write_workloads();
    const outcome outcome = RUN("lab", SMALL, CPUS, "--solutions", "--output", "lab.html", "--json-file",
                                "a.json", "--csv", "a.csv");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    const char *first = file_text("lab.html");
    check_markup(first);
    check_offline(first);
    check_language(first, LANGUAGE_ENGLISH, texts, TEXTS);
    cr_expect_not_null(strstr(first, "mine/small"));
    cr_expect_not_null(strstr(first, "<summary>Answer"));
    cr_expect_null(strstr(first, "class=\"bad"));
    cr_expect_gt(count_lines(file_text("a.csv")), 12);

    cr_assert_eq(RUN("lab", "a.json", "--solutions", "--output", "lab.html").status, 0);
    cr_expect_str_eq(file_text("lab.html"), first);
    cr_assert_eq(RUN("lab", "a.json", "--language", "es", "--output", "lab.html").status, 0);
    check_language(file_text("lab.html"), LANGUAGE_SPANISH, texts, TEXTS);
    cr_expect_null(strstr(file_text("lab.html"), "<summary>Respuesta"), "an answer that was not asked for");
}

static void replace_in(const char *from, const char *to, const char *old, const char *new) {
    const char *text = file_text(from), *at = strstr(text, old);
    cr_assert_not_null(at);
    FILE *file = fopen(to, "w");
    fprintf(file, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    fclose(file);
}

Test(lab, two_runs_are_compared_and_other_bits_exit_1) {
    write_workloads();
    cr_assert_eq(RUN("lab", SMALL, CPUS, "--json-file", "a.json").status, 0);
    const outcome same = RUN("lab", "a.json", "a.json", "--output", "both.html");
    cr_expect_eq(same.status, 0, "%s", same.err);
    cr_expect_str_eq(same.out, "the bits of the two runs agree\n");
    check_language(file_text("both.html"), LANGUAGE_ENGLISH, texts, TEXTS);
    replace_in("a.json", "b.json", "\"digest\": \"", "\"digest\": \"0");
    const outcome other = RUN("lab", "a.json", "b.json", "--output", "both.html");
    cr_expect_eq(other.status, 1);
    cr_expect_not_null(
        strstr(file_text("both.html"), "class=\"note bad\">The bits of the two runs differ: mine"));
}

/* Every number that is stored is off by an ulp: the self-test sees it, and the lab measures all the same. */
Test(lab, a_device_that_computes_wrong_turns_the_page_red_and_exits_1) {
    static const edit fault = {"exact.h", "return choose(x == 0.0f, 0.0f, x);",
                               "return choose(x == 0.0f, 0.0f, x * 1.0000002f);"};
    char spec[512];
    if (!use_opencl("pocl")) return;
    write_workloads();
    snprintf(spec, sizeof spec, "cpu,threads=1,opencl,kernels=%s", damaged_kernels("lab", &fault, 1));
    const outcome outcome = RUN("lab", SMALL, "--device", spec, "--output", "lab.html");
    cr_expect_eq(outcome.status, 1, "%s", outcome.err);
    cr_expect_not_null(strstr(outcome.out, "the bits differ: mine/small on opencl,kernels="), "%s",
                       outcome.out);
    cr_expect_not_null(
        strstr(file_text("lab.html"), "class=\"note bad\">The bits differ: mine/small on opencl"));
}

Test(lab, the_split_of_an_opencl_device_is_its_wall_time) {
    if (!use_opencl("pocl")) return;
    write_workloads();
    cr_assert_eq(RUN("lab", SMALL, "--device", "opencl", "--json-file", "a.json").status, 0);
    json_t *run = json_load_file("a.json", 0, NULL), *split;
    size_t i;
    json_array_foreach(json_object_get(json_object_get(run, "context"), "splits"), i, split) {
        const double wall = json_figure(split, "wall");
        cr_expect_gt(json_figure(split, "compute"), 0.0);
        cr_expect_float_eq(json_figure(split, "compute") + json_figure(split, "transfer") +
                               json_figure(split, "launch"),
                           wall, 0.05 * wall);
    }
    cr_expect_eq(i, 2);
    json_decref(run);
}

/* Both threads' clocks, each a half: ops, sums, update, and waiting for one another and for the host. */
Test(lab, the_split_of_the_cpu_sums_to_its_wall_time) {
    write_workloads();
    cr_assert_eq(RUN("lab", SMALL, "--device", "cpu,threads=2", "--json-file", "a.json").status, 0);
    json_t *run = json_load_file("a.json", 0, NULL), *split, *line;
    size_t i, j;
    json_array_foreach(json_object_get(json_object_get(run, "context"), "splits"), i, split) {
        const double wall = json_figure(split, "wall");
        double sum = 0.0;
        json_array_foreach(json_object_get(split, "commands"), j, line) sum += json_figure(line, "seconds");
        cr_expect_float_eq(sum, wall, 0.05 * wall, "%g of %g", sum, wall);
        cr_expect_gt(json_figure(split, "compute"), 0.0);
        cr_expect_eq(json_figure(split, "transfer"), 0.0);
    }
    cr_expect_eq(i, 2);
    json_decref(run);
}

/* Half the time that the first round takes: figures are there, and the page says what is missing. */
Test(lab, a_page_is_whole_where_the_time_runs_out) {
    write_workloads();
    const outcome outcome = RUN("lab", "--quick", "--seconds", "0.001", "--workloads", "own.json", CPUS,
                                "--solutions", "--output", "lab.html", "--json-file", "a.json");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    cr_expect_not_null(strstr(file_text("lab.html"), "The time ran out: 1 of 5 rounds are whole"));
    cr_expect_null(strstr(file_text("lab.html"), "nan"));
    cr_expect_null(strstr(file_text("lab.html"), "inf "));
    check_markup(file_text("lab.html"));
    cr_expect_eq(RUN("lab", "a.json", "--output", "again.html").status, 0);
}

Test(lab, what_is_no_run_and_no_workload_is_refused_with_one_line) {
    write_text("none.json", "{\"context\": {}}");
    write_text("bad.json", "[{\"name\": \"a\", \"rows\": 10, \"units\": [4]}]");
    outcome outcome = RUN("lab", "none.json", "--output", "lab.html");
    cr_expect_eq(outcome.status, 3);
    cr_expect_str_eq(outcome.err, "tanda: none.json: no run that tanda lab --json-file has saved\n");
    outcome = RUN("lab", "--workloads", "bad.json", "--output", "lab.html", "--device", "cpu");
    cr_expect_eq(outcome.status, 3);
    cr_expect_eq(strncmp(outcome.err, "tanda: bad.json: workload 1 is not such as ", 43), 0, "%s",
                 outcome.err);
    outcome = RUN("lab");
    cr_expect_eq(outcome.status, 2);
    cr_expect_eq(RUN("lab", "a.json", "b.json", "c.json", "--output", "x.html").status, 2);
    cr_expect_eq(RUN("lab", "none.json", "--output", "none.json").status, 2);
}
