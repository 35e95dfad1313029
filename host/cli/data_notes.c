#include "cli/data_notes.h"

#include "cli/print.h"
#include "cli/report.h"

#define NAMES_SHOWN 5
#define NOTES_SHOWN 5
#define CLASSES_MANY 20       /* of more, */
#define ROWS_PER_CLASS_FEW 10 /* and of fewer rows each, it is told */

/* A feature's name, or its number. */
static void print_feature(FILE *stream, const tanda_model *model, size_t feature) {
    if (model->feature_names == NULL)
        fprintf(stream, "%zu", feature);
    else
        print_name(stream, model->feature_names[feature]);
}

void print_constant_note(FILE *stream, const tanda_model *model) {
    const size_t count = scaling_constant_count(&model->scaling);
    size_t named = 0;
    if (count == 0) return;
    fputs("note: ", stream);
    print_counted(stream, count, "feature");
    fprintf(stream, " %s constant in the training rows and without influence:", count == 1 ? "is" : "are");
    for (size_t i = 0; i < model->features && named < NAMES_SHOWN; i++) {
        if (model->scaling.factor[i] != 0.0f) continue;
        fputs(named++ == 0 ? " " : ", ", stream);
        print_feature(stream, model, i);
    }
    fputs(count > NAMES_SHOWN ? ", ...\n" : "\n", stream);
}

void print_dropped_note(FILE *stream, const char *path, size_t rows) {
    if (rows == 0) return;
    fputs("note: ", stream);
    print_counted(stream, rows, "row");
    fputs(" of ", stream);
    print_name(stream, path);
    fprintf(stream, " without a target %s left out\n", rows == 1 ? "is" : "are");
}

void print_class_note(FILE *stream, const tanda_dataset *training) {
    if (training->class_count <= CLASSES_MANY || training->class_count * ROWS_PER_CLASS_FEW <= training->rows)
        return;
    fprintf(
        stream,
        "note: %zu classes for %zu rows: for a quantity give --task regression, for an identifier another "
        "--target\n",
        training->class_count, training->rows);
}

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
