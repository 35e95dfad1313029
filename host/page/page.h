/*
 * One HTML document in one file, which asks nobody for anything: style and pictures are in it, there is no script, and its
 * own rules forbid it every request. Text is escaped here, and only here; what is left out of a page for want of memory fails
 * page_finish.
 *
 *     page page;
 *     page_begin(&page, "lab.html", LANGUAGE_SPANISH, "Laboratorio");
 *     page_heading(&page, TEXT_IN(language, lab_speed));
 *     page_paragraph(&page, TEXT_IN(language, lab_rows), rows);
 *     page_picture(&page, &picture, TEXT_IN(language, lab_speed_caption));
 *     return page_finish(&page, error);
 */
#ifndef TANDA_PAGE_PAGE_H
#define TANDA_PAGE_PAGE_H

#include <limits.h>
#include <stdio.h>

#include "page/draw.h"
#include "page/texts.h"

#define PAGE_PICTURES ".pictures" /* the folder beside a page with scripts and data: lab.html: lab.pictures */

#define PAGE_COLUMNS 32 /* of a table; columns beyond are as the last of these */

typedef enum page_mark { MARK_NONE, MARK_GOOD, MARK_BAD, MARK_DOUBTFUL } page_mark;

typedef struct page {
    language language;
    const char *path; /* borrowed */
    FILE *stream;
    char *text;
    size_t size;
    bool failed;
    bool lacks_gnuplot;    /* a picture is missing for that: to be told once on standard error */
    size_t columns, cells; /* of the table that is open */
    char alignment[PAGE_COLUMNS];
    char pictures[PATH_MAX]; /* the folder, "" for a page that is no regular file */
} page;

/* The title is the first heading, too. */
void page_begin(page *page, const char *path, language language, const char *title);

/* Level 2, and 3. */
void page_heading(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_subheading(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

void page_paragraph(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of mathematics, or several with line ends, in a typeface of its own. */
void page_formula(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A box that is seen at once; MARK_BAD: red. */
void page_note(page *page, page_mark mark, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* One item; page_list_begin and page_list_end around them. */
void page_list_begin(page *page);
void page_item(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_list_end(page *page);

/* What a reader opens to see; may lie in one another. */
void page_details_begin(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_details_end(page *page);

/*
 * A table, cell by cell; rows begin by themselves. Columns whose letter in `alignment` is 'r' are numbers, 'l' text, 'w'
 * text that is not broken into lines, 'f' formulas. A wide table scrolls by itself on a phone.
 */
void page_table_begin(page *page, const char *alignment, const char *const *titles);
void page_cell(page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));
void page_marked_cell(page *page, page_mark mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void page_table_end(page *page);

/*
 * A picture with a caption (NULL: none), its script and data in the folder of the page. Without gnuplot a sentence stands in
 * its place, and script and data are written all the same. TANDA_FAILED where those cannot be.
 */
tanda_status page_picture(page *page, const picture *picture, const char *caption, tanda_error *error);

/* Pictures between these stand side by side where there is room: frames of a strip. */
void page_strip_begin(page *page);
void page_strip_end(page *page);

/* Writes the file whole; whatever it returns, the page is released. */
tanda_status page_finish(page *page, tanda_error *error);

/* Instead of page_finish, when something else has failed. */
void page_abandon(page *page);

/* For files_check: whether the folder of pictures holds such a name; and the folder of a page, "" where it has none. */
bool page_picture_holds(const char *name);
bool page_pictures_folder(const char *path, char folder[PATH_MAX]);

#endif
