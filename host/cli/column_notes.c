#include "cli/column_notes.h"

#include "cli/print.h"
#include "cli/report.h"

#define NOTES_SHOWN 5

static void print_doubt(FILE *stream, const doubtful_column *column) {
    if (column->doubt == DOUBT_SAME_NAME) {
        fprintf(stream, "note: columns %zu and %zu are both named '", column->index, column->other);
        print_name(stream, column->name);
        fprintf(stream, "': options take their indexes, e.g. --ignore %zu\n", column->other);
        return;
    }
    fprintf(stream, "note: column %zu ", column->index);
    if (column->doubt == DOUBT_COUNTS_ROWS) {
        fputs("has no name and counts the rows", stream);
    } else {
        if (column->name != NULL && *column->name != '\0') {
            fputc('(', stream);
            print_name(stream, column->name);
            fputs(") ", stream);
        }
        fputs("holds another whole number in each row, as identifiers do", stream);
    }
    fprintf(stream, "; --ignore %zu leaves it out\n", column->index);
}

void print_column_notes(FILE *stream, const doubtful_columns *columns) {
    for (size_t i = 0; i < columns->count && i < NOTES_SHOWN; i++)
        print_doubt(stream, &columns->columns[i]);
    if (columns->count <= NOTES_SHOWN) return;
    fputs("note: ", stream);
    print_counted(stream, columns->count - NOTES_SHOWN, "further column");
    fputs(" like these\n", stream);
}
