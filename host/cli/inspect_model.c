/* A model as Keras' summary shows it and, where they are few, its weights. */
#include <stdlib.h>
#include <string.h>

#include "cli/inspect.h"
#include "cli/report.h"
#include "tanda_lab.h"

#define WEIGHTS_SHOWN 32
#define NAMES_SHOWN 32

static size_t layer_parameters(const layer *layer) {
    return (layer->fan_in + 1) * layer->outputs;
}

static void print_layers(const tanda_model *model) {
    puts("Layer       Output shape   Activation   Parameters");
    printf("%-11s (n, %zu)\n", "input", model->features);
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        char name[32], shape[32];
        text_put(name, sizeof name, "%s_%zu", layer_kind_name(layer->kind), i + 1);
        text_put(shape, sizeof shape, "(n, %zu)", layer->outputs);
        printf("%-11s %-14s %-12s %zu\n", name, shape, activation_name(layer->activation),
               layer_parameters(layer));
    }
    printf("Total parameters: %zu (%zu bytes)\n", model->parameter_count,
           model->parameter_count * sizeof(float));
}

static void print_names(const char *title, char *const *names, size_t count) {
    if (names == NULL) return;
    print_name(stdout, title);
    for (size_t i = 0; i < count && i < NAMES_SHOWN; i++)
        print_named(stdout, i == 0 ? ": " : ", ", names[i], "");
    printf(count > NAMES_SHOWN ? ", ... (%zu)\n" : "\n", count);
}

/* How the columns become the features above. */
static void print_preparation(const preparation *preparation) {
    if (preparation->columns == 0) return;
    printf("Columns: %zu\n", preparation->columns);
    for (size_t i = 0; i < preparation->columns; i++) {
        const prepared_column *column = &preparation->of[i];
        char title[64];
        if (column->category_count == 0) continue;
        if (preparation->names != NULL)
            text_put(title, sizeof title, "Categories of %.40s", preparation->names[i]);
        else
            text_put(title, sizeof title, "Categories of column %zu", i);
        print_names(title, column->categories, column->category_count);
    }
    printf("Missing values: %s; unknown categories: %s\n", preparation->fills_missing ? "means" : "refused",
           preparation->zero_unknown ? "zero" : "refused");
}

/* ---- weights ------------------------------------------------------------------------------------------ */

/* The unit of a layer: the class it stands for, or its number, and its bias and weights, values (1 + fan_in). */
static void print_unit(const tanda_model *model, size_t index, size_t unit, const double *values) {
    const bool last = index + 1 == model->layer_count;
    if (last && model->class_count > 2) {
        print_name(stdout, model->class_names[unit]);
    } else if (last && model->target_names != NULL) {
        print_name(stdout, model->target_names[unit]);
    } else if (!last || model_outputs(model) > 1) {
        printf("%s_%zu unit %zu", layer_kind_name(model->layers[index].kind), index + 1, unit);
    } else if (model->class_count == 2) {
        print_named(stdout, "for ", model->class_names[1], " against ");
        print_name(stdout, model->class_names[0]);
    } else {
        print_name(stdout, model->target_name == NULL ? "prediction" : model->target_name);
    }
    printf(":\n  w0 (bias) = %.9g\n", values[0]);
    for (size_t input = 0; input < model->layers[index].fan_in; input++) {
        printf("  w%zu (", input + 1);
        if (index == 0 && model->feature_names != NULL)
            print_name(stdout, model->feature_names[input]);
        else
            printf("%s %zu", index == 0 ? "feature" : "unit", input);
        printf(") = %.9g\n", values[input + 1]);
    }
}

/* Whether a linear model learnt standardised targets: then its weights have a meaning in the units of the targets. */
static bool target_is_scaled(const tanda_model *model) {
    return model->target_scaling.targets > 0 && model->layers[0].activation == ACTIVATION_IDENTITY;
}

/*
 * Weights for unscaled features x, of one unit of the only layer. From w0 + sum w (x - center) factor: the
 * new weights are w factor, the new bias w0 - sum w factor center. Of a standardised target all are multiplied by its
 * deviation, and its mean is added to the bias. values is (1 + features).
 */
static void original_weights(const tanda_model *model, size_t unit, double *values) {
    const layer *layer = &model->layers[0];
    const scaling *scaling = &model->scaling;
    const float *weights = model->parameters + layer->weight + unit * layer->fan_in;
    const bool by_target = target_is_scaled(model);
    const double size = by_target ? model->target_scaling.deviation[unit] : 1.0;
    values[0] = size * (double)model->parameters[layer->bias + unit];
    for (size_t input = 0; input < layer->inputs; input++) {
        const bool scaled = scaling->kind != TANDA_SCALE_NONE;
        values[input + 1] = size * (double)weights[input] * (scaled ? (double)scaling->factor[input] : 1.0);
        if (scaled) values[0] -= values[input + 1] * (double)scaling->center[input];
        if (scaling->origin != NULL) values[0] -= values[input + 1] * scaling->origin[input];
    }
    if (by_target) values[0] += model->target_scaling.mean[unit];
}

static void print_few_weights(const tanda_model *model) {
    const bool scaled = model->scaling.kind != TANDA_SCALE_NONE;
    double values[WEIGHTS_SHOWN]; /* no model has more */
    printf("\nWeights%s:\n", scaled ? " for the scaled features" : "");
    for (size_t i = 0; i < model->layer_count; i++) {
        const layer *layer = &model->layers[i];
        for (size_t unit = 0; unit < layer->outputs; unit++) {
            values[0] = (double)model->parameters[layer->bias + unit];
            for (size_t input = 0; input < layer->fan_in; input++)
                values[input + 1] = (double)model->parameters[layer->weight + unit * layer->fan_in + input];
            print_unit(model, i, unit, values);
        }
    }
    if ((!scaled && !target_is_scaled(model)) || model->layer_count > 1) return;
    if (model->layers[0].kind != LAYER_dense) return;
    puts("\nWeights in the units of the data:");
    for (size_t unit = 0; unit < model_outputs(model); unit++) {
        original_weights(model, unit, values);
        print_unit(model, 0, unit, values);
    }
}

/* ---- checkpoints -------------------------------------------------------------------------------------- */

/* For a file that is one; any other is left alone. */
static tanda_status print_checkpoint(const char *path, tanda_error *error) {
    checkpoint_facts facts;
    const tanda_status status = checkpoint_file_check(path, &facts, error);
    if (status != TANDA_OK) return status == TANDA_BAD_INPUT ? TANDA_OK : status;
    const uint64_t step = facts.progress.step, of_epoch = facts.steps_per_epoch;
    const stopping *stopping = &facts.progress.stopping;
    printf("Checkpoint: %llu steps done, %llu epochs and %llu of %llu steps", (unsigned long long)step,
           (unsigned long long)(step / of_epoch), (unsigned long long)(step % of_epoch),
           (unsigned long long)of_epoch);
    if (stopping->best_epoch > 0)
        printf("; best epoch %zu, %.6g%s", stopping->best_epoch, stopping->best,
               stopping->stopped ? ", stopped early" : "");
    putchar('\n');
    return TANDA_OK;
}

static void report_checkpoint(report *report, const char *path) {
    checkpoint_facts facts;
    const tanda_status status = checkpoint_file_check(path, &facts, NULL);
    report->failed |= status != TANDA_OK && status != TANDA_BAD_INPUT;
    if (status != TANDA_OK) return;
    const stopping *stopping = &facts.progress.stopping;
    json_builder object = json_object_begin();
    json_put_count(&object, "step", facts.progress.step);
    json_put_count(&object, "steps_per_epoch", facts.steps_per_epoch);
    if (stopping->best_epoch > 0) {
        json_put_count(&object, "best_epoch", stopping->best_epoch);
        json_put_real(&object, "best_score", stopping->best);
        json_put(&object, "stopped_early", json_boolean(stopping->stopped));
    }
    json_put(report, "checkpoint", json_end(&object));
}

/* ---- lines -------------------------------------------------------------------------------------------- */

static void print_scaling(const tanda_model *model) {
    const double *origin = model->scaling.origin;
    const char *before = "; distances from an origin:";
    printf("Scaling: %s", scaling_name(model->scaling.kind));
    for (size_t i = 0; origin != NULL && i < model->features; i++) {
        if (origin[i] == 0.0) continue;
        printf("%s ", before);
        before = ",";
        if (model->feature_names != NULL)
            print_name(stdout, model->feature_names[i]);
        else
            printf("%zu", i);
        printf(" from %.17g", origin[i]);
    }
    putchar('\n');
}

static tanda_status print_lines(const char *path, const tanda_model *model, tanda_error *error) {
    char digest[DIGEST_TEXT_SIZE];
    model_digest(model, digest);
    print_named(stdout, "Model: ", path, "");
    printf(", %s, loss %s\n\n", task_name(model->task), loss_name(model->loss));
    print_layers(model);
    putchar('\n');
    print_names("Features", model->feature_names, model->features);
    print_preparation(&model->preparation);
    if (model->target_name != NULL) print_names("Target", &model->target_name, 1);
    print_names(model->task == TANDA_TASK_LABELS ? "Labels" : "Targets", model->target_names,
                model_outputs(model));
    if (model->class_count > 0) print_names("Classes", model->class_names, model->class_count);
    const target_scaling *targets = &model->target_scaling; /* makes a prediction of an output */
    for (size_t i = 0; i < targets->targets && i < NAMES_SHOWN; i++)
        printf("%s mean %.9g, deviation %.9g", i == 0 ? "Standardised targets:" : ";", targets->mean[i],
               targets->deviation[i]);
    if (targets->targets > 0) puts(targets->targets > NAMES_SHOWN ? "; ..." : "");
    print_scaling(model);
    printf("weights_sha256: %s\n", digest);
    if (model->settings != NULL) {
        fputs("Trained with: ", stdout);
        print_json_text(stdout, model->settings);
        putchar('\n');
    }
    const tanda_status status = print_checkpoint(path, error);
    if (status == TANDA_OK && model->parameter_count <= WEIGHTS_SHOWN) print_few_weights(model);
    return status;
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static tanda_status print_json(const char *path, const tanda_model *model, tanda_error *error) {
    char digest[DIGEST_TEXT_SIZE];
    json_builder layers = json_array_begin();
    report report = report_begin("inspect");
    model_digest(model, digest);
    for (const layer *layer = model->layers; layer < model->layers + model->layer_count; layer++) {
        json_builder entry = json_object_begin();
        json_put_count(&entry, "inputs", layer->inputs);
        json_put_count(&entry, "outputs", layer->outputs);
        json_put_text(&entry, "activation", activation_name(layer->activation));
        json_put_count(&entry, "parameters", layer_parameters(layer));
        json_push(&layers, json_end(&entry));
    }
    json_put_text(&report, "kind", "model");
    json_put_text(&report, "model", path);
    json_put_text(&report, "task", task_name(model->task));
    json_put_text(&report, "loss_function", loss_name(model->loss));
    json_put_count(&report, "features", model->features);
    json_put_count(&report, "parameters", model->parameter_count);
    json_put(&report, "layers", json_end(&layers));
    if (model->feature_names != NULL)
        json_put(&report, "feature_names", json_texts(model->feature_names, model->features));
    if (model->preparation.columns > 0)
        json_put(&report, "preparation", preparation_to_json(&model->preparation));
    json_put_text(&report, "target", model->target_name);
    if (model->target_names != NULL)
        json_put(&report, "targets", json_texts(model->target_names, model_outputs(model)));
    if (model->class_count > 0)
        json_put(&report, "classes", json_texts(model->class_names, model->class_count));
    json_put_text(&report, "scale", scaling_name(model->scaling.kind));
    report_target_scaling(&report, model);
    if (model->settings != NULL)
        json_put(&report, "settings", json_read(model->settings, strlen(model->settings), 0, NULL));
    json_put_text(&report, "weights_sha256", digest);
    report_checkpoint(&report, path);
    return report_print(&report, error);
}

/* A line for each setting, for --config: so of none that no training writes. */
static tanda_status print_settings(const char *path, const tanda_model *model, tanda_error *error) {
    const char *key = NULL, *before = "{";
    json_t *value = NULL, *settings = NULL;
    tanda_status status = settings_read(path, model, &settings, error);
    if (status != TANDA_OK) return status;
    json_object_foreach(settings, key, value) {
        char *text = json_write_shortest(value);
        if (text == NULL) {
            status = fail(error, TANDA_FAILED, "out of memory while writing the settings");
            break;
        }
        printf("%s\n  \"%s\": ", before, key);
        print_json_text(stdout, text);
        before = ",";
        free(text);
    }
    puts("\n}");
    json_decref(settings);
    return status;
}

tanda_status inspect_model(const inspection *inspection, tanda_error *error) {
    tanda_model *model = NULL;
    tanda_status status = model_file_load(inspection->data.path, &model, error);
    if (status != TANDA_OK) return status;
    if (inspection->settings)
        status = print_settings(inspection->data.path, model, error);
    else
        status = inspection->common.json ? print_json(inspection->data.path, model, error)
                                         : print_lines(inspection->data.path, model, error);
    tanda_model_free(model);
    return status;
}
