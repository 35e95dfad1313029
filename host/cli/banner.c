/* The lines that say what is done with what, and the epoch lines: standard error, for people. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "tanda_lab.h"

#define CLASSES_SHOWN 10
#define COLUMNS_SHOWN 8

/* Class names that are whole numbers came from a numeric column. */
static const char *task_reason(const tanda_dataset *dataset) {
    if (dataset->task == TANDA_TASK_LABELS) return "as the loss";
    if (dataset->task == TANDA_TASK_REGRESSION)
        return dataset->target_count > 1 ? "several quantities" : "the target is a quantity";
    for (size_t i = 0; i < dataset->class_count; i++) {
        const char *name = dataset->class_names[i];
        name += *name == '-';
        if (*name == '\0' || name[strspn(name, "0123456789")] != '\0') return "text";
    }
    return "few distinct whole numbers; else --task regression";
}

/* Each label with the rows where it holds. */
static void print_labels(FILE *stream, const tanda_dataset *dataset) {
    for (size_t i = 0; i < dataset->target_count && i < CLASSES_SHOWN; i++) {
        fputs(i == 0 ? ": " : ", ", stream);
        if (dataset->target_names != NULL)
            fputs(dataset->target_names[i], stream);
        else
            fprintf(stream, "%zu", i);
        if (dataset->targets == NULL) continue; /* rows lie elsewhere: counting them would take a pass */
        size_t count = 0;
        for (size_t row = 0; row < dataset->rows; row++)
            count += dataset->targets[row * dataset->target_count + i] == 1.0f;
        fprintf(stream, " %zu", count);
    }
    if (dataset->target_count > CLASSES_SHOWN) fprintf(stream, ", ... (%zu labels)", dataset->target_count);
}

/* The first classes, each with its rows; wants no memory that might not be there. */
static void print_classes(FILE *stream, const tanda_dataset *dataset, const size_t *counts) {
    size_t counted[CLASSES_SHOWN] = {0};
    for (size_t row = 0; counts == NULL && dataset->classes != NULL && row < dataset->rows; row++)
        if (dataset->classes[row] < CLASSES_SHOWN) counted[dataset->classes[row]]++;
    if (counts == NULL && dataset->classes != NULL) counts = counted;
    for (size_t i = 0; i < dataset->class_count && i < CLASSES_SHOWN; i++) {
        print_named(stream, i == 0 ? ": " : ", ", dataset->class_names[i], "");
        if (counts != NULL) fprintf(stream, " %zu", counts[i]);
    }
    if (dataset->class_count > CLASSES_SHOWN) fprintf(stream, ", ... (%zu classes)", dataset->class_count);
}

const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

void print_task(FILE *stream, const tanda_dataset *dataset, const size_t *counts, const char *note) {
    if (dataset->task == TANDA_TASK_AUTO) {
        fputs("no target", stream);
        return;
    }
    fprintf(stream, "%s (%s)", task_name(dataset->task),
            dataset->task_was_found ? task_reason(dataset) : note);
    if (dataset->task == TANDA_TASK_LABELS) print_labels(stream, dataset);
    if (dataset->task == TANDA_TASK_CLASSES) print_classes(stream, dataset, counts);
}

void print_data_line(const char *path, const tanda_dataset *dataset, const char *task_note, tanda_scale scale,
                     const char *scale_note) {
    char written[DIALECT_TEXT_SIZE];
    print_named(stderr, "data: ", path, "");
    if (dataset->remark != NULL) fprintf(stderr, " (%s)", dataset->remark);
    fputs(", ", stderr);
    if (dialect_describe(&dataset->dialect, written)[0] != '\0') fprintf(stderr, "%s, ", written);
    fprintf(stderr, "%zu row%s x %zu feature%s, ", dataset->rows, plural(dataset->rows), dataset->features,
            plural(dataset->features));
    print_task(stderr, dataset, NULL, task_note);
    fprintf(stderr, "; scaled: %s (%s)\n", scaling_name(scale), scale_note);
}

void print_encoding_line(const preparation *preparation, const tanda_dataset *dataset) {
    size_t columns = 0;
    char name[SHOWN_SIZE];
    if (preparation->columns == 0) return;
    fprintf(stderr, "columns: %zu", preparation->columns);
    for (size_t i = 0; i < preparation->columns; i++) {
        const size_t count = preparation->of[i].category_count;
        if (count == 0 || ++columns > COLUMNS_SHOWN) continue;
        const char *title = name;
        if (preparation->names != NULL)
            shown(preparation->names[i], strlen(preparation->names[i]), name);
        else
            text_put(name, sizeof name, "%zu", i);
        fprintf(stderr, "%s %s %zu", columns == 1 ? "; categories:" : ",", title, count);
    }
    if (columns > COLUMNS_SHOWN) fprintf(stderr, ", ... (%zu such columns)", columns);
    if (preparation->fills_missing) fprintf(stderr, "; missing values: %zu, become means", dataset->missing);
    fputc('\n', stderr);
}

void print_model_line(const tanda_model *model) {
    char shape[SHAPE_SIZE];
    fprintf(stderr, "model: %s, %zu parameters, loss %s%s\n", model_shape(model, shape),
            model->parameter_count, loss_name(model->loss),
            model->target_scaling.targets > 0 ? " of standardised targets" : "");
}

void print_device_line(const tanda_device *device, tanda_math math, const char *reason) {
    const tanda_device_information *information = tanda_device_describe(device);
    const char *failure = ""; /* reason has only its beginning */
    if (strcmp(information->backend, "openmp") == 0) {
        fprintf(stderr, "device: OpenMP, %s (%zu thread%s, %s)", information->name,
                information->compute_units, plural(information->compute_units), information->platform);
    } else {
        fprintf(stderr, "device: OpenCL, %s (%s, %s, driver %s)", information->name, information->id,
                information->platform, information->driver);
    }
    fprintf(stderr, ", %s", grade_name(tanda_device_grade(device, NULL)));
    if (math == TANDA_MATH_FAST)
        fputs(strcmp(information->backend, "openmp") == 0 ? ", math fast (on OpenMP fast is exact)"
                                                          : ", math fast",
              stderr);
    if (reason[0] != '\0') fputs("; ", stderr);
    if (tanda_device_is_fallback(device, &failure)) fputs("fallback: ", stderr);
    print_name(stderr, failure[0] != '\0' ? failure : reason);
    fputc('\n', stderr);
}

/* Small figures would read as 0.0000, so Keras shows them in scientific notation; so do we, and huge ones. */
static void print_metric(const char *name, double value) {
    const double size = fabs(value);
    if (isnan(value)) return;
    fprintf(stderr, size > 1e-3 && size < 1e6 ? " - %s: %.4f" : " - %s: %.4e", name, value);
}

void print_epoch(const tanda_epoch *epoch, bool with_learning_rate) {
    const size_t steps = epoch->steps_since == 0 ? 1 : epoch->steps_since;
    fprintf(stderr, "Epoch %zu/%zu - %.1fs ", epoch->epoch, epoch->epochs, epoch->seconds);
    const double seconds = epoch->seconds / (double)steps;
    if (seconds >= 1.0)
        fprintf(stderr, "%.0fs/step", seconds);
    else if (seconds >= 1e-3)
        fprintf(stderr, "%.0fms/step", seconds * 1e3);
    else
        fprintf(stderr, "%.0fus/step", seconds * 1e6);
    print_metric("loss", epoch->loss);
    print_metric("accuracy", epoch->accuracy);
    if (epoch->has_validation) {
        print_metric("val_loss", epoch->validation.loss);
        print_metric("val_accuracy", epoch->validation.accuracy);
    }
    if (with_learning_rate) print_metric("lr", epoch->learning_rate);
    fputc('\n', stderr);
}

/* ---- notes about the data ------------------------------------------------------------------------------- */

#define FEATURES_NAMED 5
#define NOTES_SHOWN 5
#define CLASSES_MANY 20       /* of more, */
#define ROWS_PER_CLASS_FEW 10 /* and of fewer rows each, it is told */

void print_constant_note(const tanda_model *model) {
    const size_t count = scaling_constant_count(&model->scaling);
    size_t named = 0;
    if (count == 0) return;
    fprintf(stderr, "note: %zu feature%s %s constant in the training rows and without influence:", count,
            plural(count), count == 1 ? "is" : "are");
    for (size_t i = 0; i < model->features && named < FEATURES_NAMED; i++) {
        if (model->scaling.factor[i] != 0.0f) continue;
        fputs(named++ == 0 ? " " : ", ", stderr);
        if (model->feature_names == NULL)
            fprintf(stderr, "%zu", i);
        else
            print_name(stderr, model->feature_names[i]);
    }
    fputs(count > FEATURES_NAMED ? ", ...\n" : "\n", stderr);
}

void print_dropped_note(const char *path, size_t rows) {
    if (rows == 0) return;
    fprintf(stderr, "note: %zu row%s", rows, plural(rows));
    print_named(stderr, " of ", path, " without a target ");
    fputs(rows == 1 ? "is left out\n" : "are left out\n", stderr);
}

void print_class_note(const tanda_dataset *training) {
    if (training->class_count <= CLASSES_MANY || training->class_count * ROWS_PER_CLASS_FEW <= training->rows)
        return;
    fprintf(
        stderr,
        "note: %zu classes for %zu rows: for a quantity give --task regression, for an identifier another "
        "--target\n",
        training->class_count, training->rows);
}

static void print_doubt(const doubtful_column *column) {
    if (column->doubt == DOUBT_SAME_NAME) {
        fprintf(stderr, "note: columns %zu and %zu are both named ", column->index, column->other);
        print_named(stderr, "'", column->name, "'");
        fprintf(stderr, ": options take their indexes, e.g. --ignore %zu\n", column->other);
        return;
    }
    fprintf(stderr, "note: column %zu ", column->index);
    if (column->doubt == DOUBT_COUNTS_ROWS) {
        fputs("has no name and counts the rows", stderr);
    } else {
        if (column->name != NULL && *column->name != '\0') print_named(stderr, "(", column->name, ") ");
        fputs("holds another whole number in each row, as identifiers do", stderr);
    }
    fprintf(stderr, "; --ignore %zu leaves it out\n", column->index);
}

void print_column_notes(const doubtful_columns *columns) {
    for (size_t i = 0; i < columns->count && i < NOTES_SHOWN; i++)
        print_doubt(&columns->columns[i]);
    const size_t further = columns->count > NOTES_SHOWN ? columns->count - NOTES_SHOWN : 0;
    if (further > 0) fprintf(stderr, "note: %zu further column%s like these\n", further, plural(further));
}
