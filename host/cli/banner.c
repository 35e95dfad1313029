/* The lines that say what is done with what, and the epoch lines: standard error, for people. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print.h"
#include "cli/report.h"
#include "tanda_lab.h"

#define CLASSES_SHOWN 10

/* Class names that are whole numbers came from a numeric column. */
static bool names_are_numbers(const tanda_dataset *dataset) {
    for (size_t i = 0; i < dataset->class_count; i++) {
        const char *name = dataset->class_names[i];
        name += *name == '-';
        if (*name == '\0' || name[strspn(name, "0123456789")] != '\0') return false;
    }
    return true;
}

static const char *task_reason(const tanda_dataset *dataset) {
    if (dataset->task == TANDA_TASK_LABELS) return "as the loss";
    if (dataset->task == TANDA_TASK_REGRESSION)
        return dataset->target_count > 1 ? "several quantities" : "the target is a quantity";
    return names_are_numbers(dataset) ? "few distinct whole numbers; else --task regression" : "text";
}

void print_counted(FILE *stream, size_t count, const char *what) {
    fprintf(stream, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

static size_t rows_with(const tanda_dataset *dataset, size_t label) {
    size_t count = 0;
    for (size_t row = 0; row < dataset->rows; row++)
        count += dataset->targets[row * dataset->target_count + label] == 1.0f;
    return count;
}

/* Each label with the rows where it holds. */
static void print_labels(FILE *stream, const tanda_dataset *dataset) {
    for (size_t i = 0; i < dataset->target_count && i < CLASSES_SHOWN; i++) {
        fputs(i == 0 ? ": " : ", ", stream);
        if (dataset->target_names != NULL)
            fputs(dataset->target_names[i], stream);
        else
            fprintf(stream, "%zu", i);
        fprintf(stream, " %zu", rows_with(dataset, i));
    }
    if (dataset->target_count > CLASSES_SHOWN) fprintf(stream, ", ... (%zu labels)", dataset->target_count);
}

/* The first classes, each with its rows; wants no memory that might not be there. */
static void print_classes(FILE *stream, const tanda_dataset *dataset) {
    size_t counts[CLASSES_SHOWN] = {0};
    for (size_t row = 0; row < dataset->rows; row++)
        if (dataset->classes[row] < CLASSES_SHOWN) counts[dataset->classes[row]]++;
    for (size_t i = 0; i < dataset->class_count && i < CLASSES_SHOWN; i++) {
        fputs(i == 0 ? ": " : ", ", stream);
        print_name(stream, dataset->class_names[i]);
        fprintf(stream, " %zu", counts[i]);
    }
    if (dataset->class_count > CLASSES_SHOWN) fprintf(stream, ", ... (%zu classes)", dataset->class_count);
}

void print_task(FILE *stream, const tanda_dataset *dataset, const char *note) {
    if (dataset->task == TANDA_TASK_AUTO) {
        fputs("no target", stream);
        return;
    }
    fprintf(stream, "%s (%s)", task_name(dataset->task),
            dataset->task_was_found ? task_reason(dataset) : note);
    if (dataset->task == TANDA_TASK_LABELS) print_labels(stream, dataset);
    if (dataset->task == TANDA_TASK_CLASSES) print_classes(stream, dataset);
}

void print_data_line(FILE *stream, const char *path, const tanda_dataset *dataset, const char *task_note,
                     tanda_scale scale, const char *scale_note) {
    char written[DIALECT_TEXT_SIZE];
    fputs("data: ", stream);
    print_name(stream, path);
    if (dataset->remark != NULL) fprintf(stream, " (%s)", dataset->remark);
    fputs(", ", stream);
    if (dialect_describe(&dataset->dialect, written)[0] != '\0') fprintf(stream, "%s, ", written);
    print_counted(stream, dataset->rows, "row");
    fputs(" x ", stream);
    print_counted(stream, dataset->features, "feature");
    fputs(", ", stream);
    print_task(stream, dataset, task_note);
    fprintf(stream, "; scaled: %s (%s)\n", scaling_name(scale), scale_note);
}

void print_model_line(FILE *stream, const tanda_model *model) {
    char shape[SHAPE_SIZE];
    fprintf(stream, "model: %s, %zu parameters, loss %s%s\n", model_shape(model, shape),
            model->parameter_count, loss_name(model->loss),
            model->target_scaling.targets > 0 ? " of standardised targets" : "");
}

void print_device_line(FILE *stream, const tanda_device *device, tanda_math math, const char *reason) {
    const tanda_device_information *information = tanda_device_describe(device);
    const char *failure = ""; /* reason has only its beginning */
    if (strcmp(information->backend, "openmp") == 0) {
        fprintf(stream, "device: OpenMP, %s (", information->name);
        print_counted(stream, information->compute_units, "thread");
        fprintf(stream, ", %s)", information->platform);
    } else {
        fprintf(stream, "device: OpenCL, %s (%s, %s, driver %s)", information->name, information->id,
                information->platform, information->driver);
    }
    fprintf(stream, ", %s", grade_name(tanda_device_grade(device, NULL)));
    if (math == TANDA_MATH_FAST)
        fputs(strcmp(information->backend, "openmp") == 0 ? ", math fast (on OpenMP fast is exact)"
                                                          : ", math fast",
              stream);
    if (reason[0] != '\0') fputs("; ", stream);
    if (tanda_device_is_fallback(device, &failure)) fputs("fallback: ", stream);
    print_name(stream, failure[0] != '\0' ? failure : reason);
    fputc('\n', stream);
}

static void print_seconds(FILE *stream, double seconds, const char *unit_suffix) {
    if (seconds >= 1.0)
        fprintf(stream, "%.0fs%s", seconds, unit_suffix);
    else if (seconds >= 1e-3)
        fprintf(stream, "%.0fms%s", seconds * 1e3, unit_suffix);
    else
        fprintf(stream, "%.0fus%s", seconds * 1e6, unit_suffix);
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
    print_seconds(stderr, epoch->seconds / (double)steps, "/step");
    print_metric("loss", epoch->loss);
    print_metric("accuracy", epoch->accuracy);
    if (epoch->has_validation) {
        print_metric("val_loss", epoch->validation.loss);
        print_metric("val_accuracy", epoch->validation.accuracy);
    }
    if (with_learning_rate) print_metric("lr", epoch->learning_rate);
    fputc('\n', stderr);
}
