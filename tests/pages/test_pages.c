/* Pictures in every format, pages that ask nobody for anything, and texts in two languages. */
#include <math.h>

#include "page/gnuplot.h"
#include "page/page.h"
#include "page/page_texts.h"
#include "page/script.h"
#include "program.h"
#include "support_pages.h"

TestSuite(pages, .init = enter_folder, .fini = leave_folder);

/* ---- a picture of each kind --------------------------------------------------------------------------------- */

#define POINTS 12
#define SIDE 5

static double places[POINTS], values[POINTS], lows[POINTS], highs[POINTS], zeros[POINTS], grid[SIDE * SIDE];
static const char *names[POINTS];

static void fill(void) {
    for (int i = 0; i < POINTS; i++) {
        places[i] = i + 1;
        values[i] = 1.0 / (i + 1);
        lows[i] = values[i] * 0.5;
        highs[i] = values[i] * 2.0;
        names[i] = "it's \"here\" <b>\\";
    }
    for (int i = 0; i < SIDE * SIDE; i++)
        grid[i] = (i % SIDE - 2) * (i % SIDE - 2) + (i / SIDE - 2) * (i / SIDE - 2);
}

static picture_series series_of(series_kind kind) {
    const bool is_grid = kind >= SERIES_HEAT_MAP;
    return (picture_series){.kind = kind,
                            .title = "loss_of 'a' & <b>",
                            .count = is_grid ? 0 : POINTS,
                            .x = is_grid ? NULL : places,
                            .y = is_grid || kind == SERIES_BAND ? NULL : values,
                            .low = kind == SERIES_BAND || kind == SERIES_ERROR_BARS ? lows : NULL,
                            .high = kind == SERIES_BAND || kind == SERIES_ERROR_BARS ? highs : NULL,
                            .labels = kind == SERIES_LABELS ? names : NULL,
                            .rows = is_grid ? SIDE : 0,
                            .columns = is_grid ? SIDE : 0,
                            .values = is_grid ? grid : NULL};
}

static picture picture_of(const picture_series *series, size_t count) {
    return (picture){.name = "loss",
                     .title = "Coste `date` $(date) 'é' <b>",
                     .x = {.label = "época"},
                     .y = {.label = "coste"},
                     .series = series,
                     .series_count = count};
}

static char *drawn(const picture *picture, picture_format format, size_t *size) {
    char *bytes = NULL;
    tanda_error error = {0};
    cr_assert_eq(picture_draw(picture, format, &bytes, size, &error), TANDA_OK, "%s", error.message);
    return bytes;
}

Test(pages, every_kind_of_series_is_drawn_in_every_format) {
    if (skipped_without_gnuplot("every_kind_of_series_is_drawn_in_every_format")) return;
    static const char *const beginnings[] = {"<svg", "\x89PNG", "%PDF", ""};
    fill();
    for (series_kind kind = SERIES_LINES; kind <= SERIES_SURFACE; kind++) {
        const picture_series series = series_of(kind);
        const picture picture = picture_of(&series, 1);
        for (picture_format format = PICTURE_SVG; format < PICTURE_FORMATS; format++) {
            size_t size = 0;
            char *bytes = drawn(&picture, format, &size);
            cr_expect_eq(strncmp(bytes, beginnings[format], strlen(beginnings[format])), 0, "kind %d", kind);
            cr_expect_gt(size, 150);
            if (format == PICTURE_SVG) cr_expect_not_null(strstr(bytes, "&lt;b&gt;</title>"));
            if (format == PICTURE_TEXT) cr_expect_not_null(strstr(bytes, "Coste `date` $(date) 'é' <b>"));
            free(bytes);
        }
    }
}

Test(pages, a_picture_as_svg_is_well_formed_and_follows_its_reader) {
    if (skipped_without_gnuplot("a_picture_as_svg_is_well_formed_and_follows_its_reader")) return;
    fill();
    const picture_series series[] = {series_of(SERIES_LINES_POINTS), series_of(SERIES_LABELS),
                                     series_of(SERIES_BAND)};
    const picture picture = picture_of(series, 3);
    size_t size = 0;
    char *svg = drawn(&picture, PICTURE_SVG, &size);
    check_markup(svg);
    cr_expect_not_null(strstr(svg, "prefers-color-scheme:dark"));
    cr_expect_null(strstr(svg, "id='gp"), "an id without the picture's name");
    cr_expect_null(strstr(svg, "><title>loss_plot"), "a tool tip of gnuplot's");
    free(svg);
}

/* Each line of letters fits a terminal, and ends where its letters end. */
Test(pages, a_picture_in_letters_fits_80_columns) {
    if (skipped_without_gnuplot("a_picture_in_letters_fits_80_columns")) return;
    fill();
    const picture_series series = series_of(SERIES_LINES);
    picture picture = picture_of(&series, 1);
    size_t size = 0;
    picture.x.is_log = true;
    char *text = drawn(&picture, PICTURE_TEXT, &size);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_expect_leq(strlen(line), 84, "%s", line); /* bytes: some letters have two */
        cr_expect_neq(line[strlen(line) - 1], ' ', "'%s'", line);
    }
    free(text);
}

Test(pages, a_heat_map_in_letters_has_a_letter_for_each_cell_and_none_for_a_gap) {
    if (skipped_without_gnuplot("a_heat_map_in_letters")) return;
    static const double cells[] = {0, 1, NAN, 0.5};
    const picture_series series = {.kind = SERIES_HEAT_MAP, .rows = 2, .columns = 2, .values = cells};
    const picture picture = {.name = "cells", .is_bare = true, .series = &series, .series_count = 1};
    size_t size = 0;
    char *text = drawn(&picture, PICTURE_TEXT, &size);
    cr_expect_not_null(strchr(text, '@'), "%s", text);
    cr_expect_not_null(strchr(text, '.'), "%s", text);
    cr_expect_not_null(strchr(text, '+'), "%s", text);
    cr_expect_null(strstr(text, "NaN"), "%s", text);
    free(text);
}

Test(pages, a_picture_without_a_point_is_refused_and_an_empty_series_left_out) {
    const picture_series series[] = {{.kind = SERIES_LINES}, {.kind = SERIES_POINTS, .count = 1, .y = zeros}};
    char *script = NULL;
    tanda_error error = {0};
    picture picture = picture_of(series, 1);
    cr_expect_eq(picture_script(&picture, PICTURE_SVG, NULL, &script, &error), TANDA_FAILED);
    cr_expect_str_eq(error.message, "loss: there is nothing to draw");
    picture.series_count = 2;
    cr_assert_eq(picture_script(&picture, PICTURE_SVG, NULL, &script, &error), TANDA_OK);
    cr_expect_not_null(strstr(script, "index 0 using 1:2 with points"));
    cr_expect_null(strstr(script, "index 1"));
    free(script);
}

/* ---- files ------------------------------------------------------------------------------------------------- */

static bool is_there(const char *path) {
    return access(path, F_OK) == 0;
}

Test(pages, script_and_data_lie_beside_a_picture_and_draw_it_again) {
    if (skipped_without_gnuplot("script_and_data_lie_beside_a_picture_and_draw_it_again")) return;
    fill();
    const picture_series series = series_of(SERIES_LINES);
    const picture picture = picture_of(&series, 1);
    tanda_error error = {0};
    cr_assert_eq(picture_save(&picture, PICTURE_PNG, "the loss.png", &error), TANDA_OK, "%s", error.message);
    cr_expect_not_null(strstr(file_text("the loss.dat"), "\n2 0.5 \n"));
    cr_assert_eq(system("gnuplot -d 'the loss.gnuplot' > again.png && cmp again.png 'the loss.png'"), 0);
}

Test(pages, a_picture_does_not_lie_on_its_own_sources) {
    const picture_series series = series_of(SERIES_LINES);
    const picture picture = picture_of(&series, 1);
    tanda_error error = {0};
    cr_expect_eq(picture_save(&picture, PICTURE_PNG, "loss.dat", &error), TANDA_USAGE);
    cr_expect_eq(picture_save(&picture, PICTURE_PNG, "loss.gnuplot", &error), TANDA_USAGE);
    cr_expect(!is_there("loss.dat") && !is_there("loss.gnuplot"));
}

Test(pages, a_picture_for_a_device_has_no_files_beside_it) {
    if (skipped_without_gnuplot("a_picture_for_a_device_has_no_files_beside_it")) return;
    fill();
    const picture_series series = series_of(SERIES_LINES);
    const picture picture = picture_of(&series, 1);
    tanda_error error = {0};
    const int file = open("out.svg", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char path[40];
    snprintf(path, sizeof path, "/dev/fd/%d", file);
    cr_assert_eq(picture_save(&picture, PICTURE_SVG, path, &error), TANDA_OK, "%s", error.message);
    cr_expect_not_null(strstr(file_text("out.svg"), "</svg>"));
    cr_expect(!is_there("out.gnuplot"));
    close(file);
}

/* ---- without gnuplot --------------------------------------------------------------------------------------- */

Test(pages, a_missing_gnuplot_is_told_with_the_package) {
    fill();
    const picture_series series = series_of(SERIES_LINES);
    const picture picture = picture_of(&series, 1);
    tanda_error error = {0};
    setenv("PATH", "/nowhere", 1);
    cr_expect_eq(picture_save(&picture, PICTURE_SVG, "loss.svg", &error), TANDA_FAILED);
    cr_expect_not_null(strstr(error.message, "gnuplot-nox"), "%s", error.message);
    cr_expect(!is_there("loss.svg"));
}

Test(pages, a_gnuplot_that_fails_is_told_with_its_reason) {
    tanda_error error = {0};
    char *output = NULL;
    size_t size = 0;
    if (skipped_without_gnuplot("a_gnuplot_that_fails_is_told_with_its_reason")) return;
    cr_expect_eq(gnuplot_run("set terminal svg\nplot nothing\n", &output, &size, &error), TANDA_FAILED);
    cr_expect_not_null(strstr(error.message, "undefined variable: nothing"), "%s", error.message);
    cr_expect_null(output);
}

static void write_page(const char *path, language language) {
    fill();
    const picture_series series[] = {series_of(SERIES_LINES_POINTS), series_of(SERIES_STEPS)};
    picture picture = picture_of(series, 2);
    tanda_error error = {0};
    page page;
    page_begin(&page, path, language, "A <b>bold</b> & 'quoted' title");
    page_heading(&page, "Part %d", 1);
    page_paragraph(&page, "Rows: %d < %d", 1, 2);
    page_note(&page, MARK_BAD, "Row %d differs", 3);
    page_list_begin(&page);
    page_item(&page, "an item");
    page_list_end(&page);
    page_details_begin(&page, "more");
    page_formula(&page, "z = w₀ + w₁·x");
    page_details_end(&page);
    page_table_begin(&page, "lr", (const char *const[]){"name", "value"});
    page_cell(&page, "a\x1b[31mb\xff");
    page_marked_cell(&page, MARK_GOOD, "%g", 0.5);
    page_table_end(&page);
    page_strip_begin(&page);
    cr_assert_eq(page_picture(&page, &picture, "caption", &error), TANDA_OK, "%s", error.message);
    picture.name = "other";
    cr_assert_eq(page_picture(&page, &picture, NULL, &error), TANDA_OK, "%s", error.message);
    page_strip_end(&page);
    cr_assert_eq(page_finish(&page, &error), TANDA_OK, "%s", error.message);
}

Test(pages, a_page_without_gnuplot_lacks_pictures_only_and_keeps_their_sources) {
    setenv("PATH", "/nowhere", 1);
    write_page("lab.html", LANGUAGE_SPANISH);
    const char *page = file_text("lab.html");
    check_markup(page);
    cr_expect_not_null(strstr(page, "paquete gnuplot-nox de Debian"));
    cr_expect_not_null(strstr(page, "<td class=\"number good\">0.5</td>"));
    cr_expect(is_there("lab.pictures/loss.gnuplot") && is_there("lab.pictures/other.dat"));
}

/* ---- pages ------------------------------------------------------------------------------------------------- */

Test(pages, a_page_is_well_formed_escaped_and_asks_nobody_for_anything) {
    if (skipped_without_gnuplot("a_page_is_well_formed_escaped_and_asks_nobody_for_anything")) return;
    write_page("lab.html", LANGUAGE_ENGLISH);
    const char *page = file_text("lab.html");
    check_markup(page);
    check_offline(page);
    cr_expect_not_null(strstr(page, "<h1>A &lt;b&gt;bold&lt;/b&gt; &amp; &#39;quoted&#39; title</h1>"));
    cr_expect_not_null(strstr(page, "Rows: 1 &lt; 2"));
    cr_expect_not_null(strstr(page, "a?[31mb?"));
    cr_expect_not_null(strstr(page, "<svg class=\"picture\""));
}

Test(pages, a_page_that_cannot_be_written_is_told_and_nothing_is_left) {
    tanda_error error = {0};
    page page;
    page_begin(&page, "/nowhere/lab.html", LANGUAGE_ENGLISH, "A title");
    cr_expect_neq(page_finish(&page, &error), TANDA_OK);
    cr_expect_not_null(strstr(error.message, "/nowhere"), "%s", error.message);
}

/* ---- two languages ----------------------------------------------------------------------------------------- */

static const text_pair texts[] = {PAGE_TEXTS(TEXT_PAIR)};
#define TEXTS (sizeof texts / sizeof *texts)

Test(pages, every_text_is_there_in_both_languages) {
    check_texts(texts, TEXTS);
}

Test(pages, a_page_has_no_sentence_of_the_other_language) {
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        write_page("lab.html", language);
        check_language(file_text("lab.html"), language, texts, TEXTS);
    }
}
