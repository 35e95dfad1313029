/*
 * Names on a terminal. Names of columns, classes, files and devices come from elsewhere, and may hold what steers a
 * terminal (support/text.h). Messages of fail() are clean already; CSV on standard output is data, and stays as it is.
 */
#ifndef TANDA_CLI_PRINT_H
#define TANDA_CLI_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* The name, with '?' in the place of each character that may not be shown. */
void print_name(FILE *stream, const char *name);

/* A line that begins with "note: ", its text as a name. */
void print_note(FILE *stream, const char *note);

/* As json_dumpf, with each such character as \uXXXX: the same value to whoever reads it. 0, or -1. */
int print_json_value(const json_t *value, FILE *stream, size_t flags);

/* The same for JSON that is text already. */
void print_json_text(FILE *stream, const char *text);

#endif
