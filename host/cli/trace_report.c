#include "cli/trace_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trace_symbols.h"
#include "cli/trace_texts.h"

#define WRITTEN_TERMS 6  /* of a sum, above which only Σ stands */
#define LONGEST_SLOPE 20 /* bytes of a formula in a table */
#define LINE_SIZE 1024

#define SAY(id) TEXT_IN(view->language, id)

/* A line that grows. */
typedef struct line {
    char text[LINE_SIZE];
    size_t used;
} line;

static void add(line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(line *line, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line->text + line->used, sizeof line->text - line->used, format, arguments);
    va_end(arguments);
    line->used = strlen(line->text);
}

void trace_title_text(const trace_view *view, char title[TRACE_TITLE_SIZE]) {
    text_put(title, TRACE_TITLE_SIZE, SAY(trace_title), view->trace->row,
             (unsigned long long)view->trace->step);
}

/* ---- what goes in ---------------------------------------------------------------------------------------- */

static void put_feature(const trace_view *view, document *document, size_t feature) {
    const tanda_model *model = view->trace->model;
    const scaling *scaling = &model->scaling;
    char x[SYMBOL_SIZE], number[TEXT_NUMBER_SIZE], center[TEXT_NUMBER_SIZE], factor[TEXT_NUMBER_SIZE + 2];
    const float value = view->trace->inputs[feature];
    line line = {{0}, 0};
    add(&line, "%s = ", input_symbol(model, 0, feature, x));
    const bool is_scaled = scaling->kind != TANDA_SCALE_NONE && scaling->features > 0;
    if (model->feature_names != NULL)
        add(&line, is_scaled ? "(%s - " : "%s = ", model->feature_names[feature]);
    if (model->feature_names == NULL && is_scaled) add(&line, "(%zu - ", feature);
    if (is_scaled) {
        const double origin = scaling->origin != NULL ? scaling->origin[feature] : 0.0;
        const double middle = (double)scaling->center[feature] + origin,
                     step = (double)scaling->factor[feature];
        add(&line, "%s)·%s = ", number_of(scaling->center[feature], center),
            factor_of(scaling->factor[feature], factor));
        if (step != 0.0) add(&line, "(%.6g - %.6g)·%.6g = ", (double)value / step + middle, middle, step);
    }
    document_formula(document, "%s%s", line.text, number_of(value, number));
}

static void put_label(const trace_view *view, document *document) {
    const trace *trace = view->trace;
    const tanda_model *model = trace->model;
    const size_t outputs = model_outputs(model);
    char y[SYMBOL_SIZE], number[TEXT_NUMBER_SIZE];
    line line = {{0}, 0};
    size_t class = outputs == 1 ? (trace->labels[0] == 1.0f) : 0;
    for (size_t i = 0; i < outputs; i++) {
        add(&line, "%s%s = %s", i > 0 ? ", " : "", symbol(y, "y", -1, outputs > 1 ? (long)i : -1, -1),
            number_of(trace->labels[i], number));
        if (outputs > 1 && trace->labels[i] == 1.0f) class = i;
    }
    if (model->task == TANDA_TASK_CLASSES && model->class_names != NULL && class < model->class_count)
        add(&line, " (%s)", model->class_names[class]);
    document_formula(document, "%s", line.text);
}

static void put_features(const trace_view *view, document *document) {
    const tanda_model *model = view->trace->model;
    document_heading(document, "%s", SAY(trace_features));
    if (model->scaling.kind != TANDA_SCALE_NONE) document_paragraph(document, "%s", SAY(trace_scaled));
    for (size_t i = 0; i < model->features; i++)
        put_feature(view, document, i);
    put_label(view, document);
}

/* ---- forward --------------------------------------------------------------------------------------------- */

static float input_value(const trace *trace, size_t layer, size_t input) {
    return layer == 0 ? trace->inputs[input] : trace->layers[layer - 1].output[input];
}

/* w₀ + w₁·x₁, then the same in numbers. */
static void add_terms(const trace *trace, size_t layer, size_t unit, bool in_numbers, line *line) {
    const tanda_model *model = trace->model;
    char w[SYMBOL_SIZE], x[SYMBOL_SIZE], number[TEXT_NUMBER_SIZE], factor[TEXT_NUMBER_SIZE + 2];
    const float bias = trace->before[weight_place(model, layer, unit, 0)];
    add(line, "%s", in_numbers ? number_of(bias, number) : weight_symbol(model, layer, unit, 0, w));
    for (size_t k = 1; k <= model->layers[layer].fan_in; k++) {
        const float weight = trace->before[weight_place(model, layer, unit, k)];
        if (in_numbers)
            add(line, " + %s·%s", factor_of(weight, w), factor_of(input_value(trace, layer, k - 1), factor));
        else
            add(line, " + %s·%s", weight_symbol(model, layer, unit, k, w),
                input_symbol(model, layer, k - 1, x));
    }
}

static void put_logit(const trace_view *view, document *document, size_t layer, size_t unit) {
    const trace *trace = view->trace;
    char z[SYMBOL_SIZE], w[SYMBOL_SIZE], number[TEXT_NUMBER_SIZE];
    line line = {{0}, 0};
    add(&line, "%s = ", unit_symbol(trace->model, "z", layer, unit, z));
    if (trace->model->layers[layer].fan_in > WRITTEN_TERMS) {
        add(&line, "%s + Σ w·%s = ", weight_symbol(trace->model, layer, unit, 0, w), layer == 0 ? "x" : "a");
    } else {
        add_terms(trace, layer, unit, false, &line);
        add(&line, " = ");
        add_terms(trace, layer, unit, true, &line);
        add(&line, " = ");
    }
    document_formula(document, "%s%s", line.text, number_of(trace->layers[layer].logits[unit], number));
}

static void put_output(const trace_view *view, document *document, size_t layer, size_t unit) {
    const trace *trace = view->trace;
    const activation function = trace->model->layers[layer].activation;
    char a[SYMBOL_SIZE], number[TEXT_NUMBER_SIZE];
    document_formula(document, "%s = %s = %s", unit_symbol(trace->model, "a", layer, unit, a),
                     activation_formula(function), number_of(trace->layers[layer].output[unit], number));
}

static void put_layer(const trace_view *view, document *document, size_t layer) {
    const struct layer *of = &view->trace->model->layers[layer];
    if (of->outputs == 1)
        document_subheading(document, SAY(trace_layer_one), layer + 1, activation_name(of->activation));
    else
        document_subheading(document, SAY(trace_layer), layer + 1, activation_name(of->activation),
                            of->outputs);
    for (size_t unit = 0; unit < of->outputs; unit++) {
        put_logit(view, document, layer, unit);
        put_output(view, document, layer, unit);
    }
}

static bool is_mean_of_outputs(const tanda_model *model) {
    return model_outputs(model) > 1 && model->loss != LOSS_CATEGORICAL_CROSSENTROPY &&
           model->loss != LOSS_KL_DIVERGENCE;
}

static void put_loss(const trace_view *view, document *document) {
    const trace *trace = view->trace;
    const size_t last = trace->model->layer_count - 1;
    char number[TEXT_NUMBER_SIZE], smoothing[TEXT_NUMBER_SIZE], out[WRITTEN_OUT_SIZE];
    document_subheading(document, "%s", SAY(trace_loss));
    if (trace->model->loss_settings.label_smoothing != 0.0)
        document_paragraph(document, SAY(trace_smoothed),
                           text_shortest(trace->model->loss_settings.label_smoothing, smoothing));
    if (is_mean_of_outputs(trace->model))
        document_paragraph(document, SAY(trace_mean_of_outputs), model_outputs(trace->model));
    if (trace->weight != 1.0f)
        document_paragraph(document, SAY(trace_weighted), number_of(trace->weight, number));
    const char *formula = loss_formula(trace->model->loss);
    if (model_outputs(trace->model) == 1)
        document_formula(document, "L = %s = %s = %s", formula,
                         written_out(formula, trace->layers[last].output[0], trace->labels[0], 0.0f, out),
                         number_of(trace->loss, number));
    else
        document_formula(document, "L = %s = %s", formula, number_of(trace->loss, number));
    if (trace->rows > 1)
        document_paragraph(document, SAY(trace_mean_loss), trace->rows, number_of(trace->mean_loss, number));
}

static void put_forward(const trace_view *view, document *document) {
    document_heading(document, "%s", SAY(trace_forward));
    for (size_t i = 0; i < view->trace->model->layer_count; i++)
        put_layer(view, document, i);
    put_loss(view, document);
}

/* ---- backward -------------------------------------------------------------------------------------------- */

static void put_check(document *document, const derivative *derivative) {
    static const char *const signs[] = {"✓", "?", "✗"};
    static const page_mark marks[] = {MARK_GOOD, MARK_DOUBTFUL, MARK_BAD};
    char number[TEXT_NUMBER_SIZE];
    document_cell(document, "%s", number_of(derivative->value, number));
    document_cell(document, "%.8g", derivative->difference);
    document_marked_cell(document, marks[derivative->verdict], "%s", signs[derivative->verdict]);
}

/* d loss / d output: of the loss, or the sum of what comes back from the layer above. */
static void put_output_delta(const trace_view *view, document *document, size_t layer, size_t unit) {
    const trace *trace = view->trace;
    const tanda_model *model = trace->model;
    char a[SYMBOL_SIZE], made[SYMBOL_SIZE], out[WRITTEN_OUT_SIZE] = "";
    document_cell(document, "∂L/∂%s", unit_symbol(model, "a", layer, unit, a));
    if (layer + 1 == model->layer_count) {
        const char *formula = loss_slope_formula(model->loss);
        document_cell(document, is_mean_of_outputs(model) ? "(%s)/%zu" : "%s", formula, model_outputs(model));
        document_cell(
            document, "%s",
            written_out(formula, trace->layers[layer].output[unit], trace->labels[unit], 0.0f, out));
        return;
    }
    const size_t above = model->layers[layer + 1].outputs;
    line line = {{0}, 0};
    for (size_t k = 0; k < above; k++) {
        char weight[TEXT_NUMBER_SIZE + 2], delta[TEXT_NUMBER_SIZE + 2];
        add(&line, "%s%s·%s", k > 0 ? " + " : "",
            factor_of(trace->before[weight_place(model, layer + 1, k, unit + 1)], weight),
            factor_of(trace->layers[layer + 1].delta[k].value, delta));
    }
    if (above == 1)
        document_cell(document, "%s·%s", weight_symbol(model, layer + 1, 0, unit + 1, made),
                      unit_symbol(model, "δ", layer + 1, 0, a));
    else
        document_cell(document, "Σ w·%s", symbol(made, "δ", (long)layer + 1, -1, -1));
    document_cell(document, "%s", line.text);
}

/* Whether the delta is made by the activation's slope: that of a cross-entropy is not. */
static bool goes_through_slope(const trace *trace, size_t layer) {
    const bool is_made = trace->layers[layer].output_delta != NULL || trace->model->loss == LOSS_MSE;
    return is_made && trace->model->layers[layer].activation != ACTIVATION_IDENTITY;
}

/* One that stands above the table. */
static bool is_long_slope(const trace *trace, size_t layer) {
    const char *slope = activation_slope_formula(trace->model->layers[layer].activation);
    return goes_through_slope(trace, layer) && strlen(slope) > LONGEST_SLOPE;
}

static void put_delta_formula(const trace_view *view, document *document, size_t layer, size_t unit) {
    const trace *trace = view->trace;
    const tanda_model *model = trace->model;
    const trace_layer *values = &trace->layers[layer];
    const bool is_last = layer + 1 == model->layer_count;
    const activation function = model->layers[layer].activation;
    const char *slope = activation_slope_formula(function);
    char a[SYMBOL_SIZE], out[WRITTEN_OUT_SIZE];
    line formula = {{0}, 0}, numbers = {{0}, 0};
    const float y = is_last ? trace->labels[unit] : 0.0f, o = values->output[unit], z = values->logits[unit];
    if (values->output_delta != NULL) {
        char number[TEXT_NUMBER_SIZE + 2];
        add(&formula, "∂L/∂%s", unit_symbol(model, "a", layer, unit, a));
        add(&numbers, "%s", factor_of(values->output_delta[unit].value, number));
    } else {
        const bool is_mean = is_mean_of_outputs(model);
        const char *of_loss = loss_slope_formula(model->loss);
        add(&formula, is_mean ? "(%s)/%zu" : "%s", of_loss, model_outputs(model));
        add(&numbers, is_mean ? "(%s)/%zu" : "%s", written_out(of_loss, o, y, z, out), model_outputs(model));
    }
    if (goes_through_slope(trace, layer)) {
        const bool is_sum = strpbrk(slope, "+-") != NULL && slope[0] != 'a';
        if (is_long_slope(trace, layer))
            add(&formula, "·f′(z)");
        else
            add(&formula, is_sum ? "·(%s)" : "·%s", slope);
        add(&numbers, is_sum ? "·(%s)" : "·%s", written_out(slope, o, y, z, out));
    }
    document_cell(document, "%s", formula.text);
    document_cell(document, "%s", numbers.text);
}

static void put_deltas(const trace_view *view, document *document, size_t layer) {
    const trace *trace = view->trace;
    const trace_layer *values = &trace->layers[layer];
    const char *const titles[] = {SAY(trace_derivative), SAY(trace_formula),    SAY(trace_numbers),
                                  SAY(trace_value),      SAY(trace_difference), ""};
    char z[SYMBOL_SIZE];
    document_subheading(document, SAY(trace_deltas), layer + 1);
    if (is_long_slope(trace, layer))
        document_formula(document, "f′(z) = %s",
                         activation_slope_formula(trace->model->layers[layer].activation));
    document_table_begin(document, "ffnrrl", titles);
    for (size_t unit = 0; unit < trace->model->layers[layer].outputs; unit++) {
        if (values->output_delta != NULL) {
            put_output_delta(view, document, layer, unit);
            put_check(document, &values->output_delta[unit]);
        }
        document_cell(document, "%s", unit_symbol(trace->model, "δ", layer, unit, z));
        put_delta_formula(view, document, layer, unit);
        put_check(document, &values->delta[unit]);
    }
    document_table_end(document);
}

/* A weight's derivative: what this row gives, and the mean over all, of which the difference is taken. */
static void put_gradient(const trace_view *view, document *document, size_t layer, size_t unit,
                         size_t input) {
    const trace *trace = view->trace;
    const tanda_model *model = trace->model;
    char w[SYMBOL_SIZE], d[SYMBOL_SIZE], x[SYMBOL_SIZE], delta[TEXT_NUMBER_SIZE + 2],
        value[TEXT_NUMBER_SIZE + 2];
    const float of_delta = trace->layers[layer].delta[unit].value;
    const float of_input = input == 0 ? 1.0f : input_value(trace, layer, input - 1);
    document_cell(document, "∂L/∂%s", weight_symbol(model, layer, unit, input, w));
    document_cell(document, input == 0 ? "%s" : "%s·%s", unit_symbol(model, "δ", layer, unit, d),
                  input == 0 ? "" : input_symbol(model, layer, input - 1, x));
    if (trace->rows > 1) {
        document_cell(document, "%s", number_of(of_delta * of_input, value));
    } else {
        char numbers[WRITTEN_OUT_SIZE];
        text_put(numbers, sizeof numbers, "%s·%s", factor_of(of_delta, delta), factor_of(of_input, value));
        if (input == 0) number_of(of_delta, numbers);
        document_cell(document, "%s", numbers);
    }
    put_check(document, &trace->gradient[weight_place(model, layer, unit, input)]);
}

static void put_gradients(const trace_view *view, document *document, size_t layer) {
    const trace *trace = view->trace;
    const struct layer *of = &trace->model->layers[layer];
    const bool is_mean = trace->rows > 1;
    const char *const titles[] = {SAY(trace_derivative),
                                  SAY(trace_formula),
                                  is_mean ? SAY(trace_this_row) : SAY(trace_numbers),
                                  is_mean ? SAY(trace_mean) : SAY(trace_value),
                                  SAY(trace_difference),
                                  ""};
    document_subheading(document, SAY(trace_gradients), layer + 1);
    document_table_begin(document, is_mean ? "ffrrrl" : "ffnrrl", titles);
    for (size_t unit = 0; unit < of->outputs; unit++)
        for (size_t input = 0; input <= of->fan_in; input++)
            put_gradient(view, document, layer, unit, input);
    document_table_end(document);
}

static void put_backward(const trace_view *view, document *document) {
    document_heading(document, "%s", SAY(trace_backward));
    document_paragraph(document, "%s", SAY(trace_backward_why));
    if (view->trace->rows > 1) document_paragraph(document, SAY(trace_mean_rule), view->trace->rows);
    for (size_t i = view->trace->model->layer_count; i-- > 0;) {
        put_deltas(view, document, i);
        put_gradients(view, document, i);
    }
}

/* ---- new weights ----------------------------------------------------------------------------------------- */

/* A constant that a formula names. */
static void add_constant(line *line, const char *formula, const char *name, float value) {
    char number[TEXT_NUMBER_SIZE];
    if (strstr(formula, name) == NULL) return;
    add(line, "%s%s = %s", line->used > 0 ? ", " : "", name, number_of(value, number));
}

static void constants_text(const trace *trace, const char *formula, line *line) {
    const update_constants *constants = &trace->update.constants;
    const bool has_moments = strstr(formula, "η′") != NULL;
    add_constant(line, formula, has_moments ? "η′" : "η", trace->rates.rate);
    add_constant(line, formula, "μ", constants->momentum);
    add_constant(line, formula, "ρ", constants->second_decay);
    add_constant(line, formula, "1 - ρ", constants->second_share);
    add_constant(line, formula, "1 - β₁", constants->first_share);
    add_constant(line, formula, "1 - β₂", constants->second_share);
    add_constant(line, formula, "ε", constants->epsilon);
    if (trace->rates.decay != 0.0f) add_constant(line, "d", "d", trace->rates.decay);
}

static void penalty_text(const update_constants *constants, line *line) {
    char number[TEXT_NUMBER_SIZE];
    add(line, "g = ");
    if (constants->clip_value != 0.0f)
        add(line, "clip(∂L/∂w, ±%s)", number_of(constants->clip_value, number));
    else
        add(line, "∂L/∂w");
    if (constants->clip_norm != 0.0f)
        add(line, "·min(1, %s/‖∂L/∂w‖)", number_of(constants->clip_norm, number));
    if (constants->l1 != 0.0f) add(line, " + %s·sign(w)", number_of(constants->l1, number));
    if (constants->l2 != 0.0f) add(line, " + %s·w", number_of(constants->l2, number));
}

/* The rule's steps, which its text has ";  " between. */
static void put_rule(const trace_view *view, document *document) {
    const trace *trace = view->trace;
    line constants = {{0}, 0}, penalty = {{0}, 0};
    if (!update_is_plain(trace->update.constants)) {
        penalty_text(&trace->update.constants, &penalty);
        document_paragraph(document, SAY(trace_penalised), penalty.text);
    }
    for (const char *at = update_formula(trace->update.rule); *at != '\0';) {
        const char *end = strstr(at, ";  ");
        const size_t length = end == NULL ? strlen(at) : (size_t)(end - at);
        document_formula(document, "%.*s%s", (int)length, at,
                         end == NULL && trace->rates.decay != 0.0f ? " - d·w" : "");
        at += end == NULL ? length : length + 3;
    }
    constants_text(trace, update_formula(trace->update.rule), &constants);
    if (constants.used > 0) document_paragraph(document, SAY(trace_constants), constants.text);
}

static void put_descent(const trace_view *view, document *document, size_t layer, size_t unit, size_t input) {
    const trace *trace = view->trace;
    const size_t at = weight_place(trace->model, layer, unit, input);
    char w[SYMBOL_SIZE], before[TEXT_NUMBER_SIZE], rate[TEXT_NUMBER_SIZE], g[TEXT_NUMBER_SIZE + 2],
        after[TEXT_NUMBER_SIZE];
    document_formula(document, "%s = %s - %s·%s = %s", weight_symbol(trace->model, layer, unit, input, w),
                     number_of(trace->before[at], before), number_of(trace->rates.rate, rate),
                     factor_of(trace->used[at], g), number_of(trace->after[at], after));
}

static void put_new_weight(const trace_view *view, document *document, size_t layer, size_t unit,
                           size_t input) {
    const trace *trace = view->trace;
    const size_t at = weight_place(trace->model, layer, unit, input);
    char text[SYMBOL_SIZE];
    document_cell(document, "%s", weight_symbol(trace->model, layer, unit, input, text));
    document_cell(document, "%s", number_of(trace->before[at], text));
    document_cell(document, "%s", number_of(trace->used[at], text));
    for (size_t i = 0; i < trace->state_count; i++)
        document_cell(document, "%s", number_of(trace->state_after[i][at], text));
    document_cell(document, "%s", number_of(trace->after[at], text));
}

typedef void put_weight(const trace_view *view, document *document, size_t layer, size_t unit, size_t input);

static void each_weight(const trace_view *view, document *document, put_weight *put) {
    const tanda_model *model = view->trace->model;
    for (size_t layer = 0; layer < model->layer_count; layer++)
        for (size_t unit = 0; unit < model->layers[layer].outputs; unit++)
            for (size_t input = 0; input <= model->layers[layer].fan_in; input++)
                put(view, document, layer, unit, input);
}

static void put_update(const trace_view *view, document *document) {
    const trace *trace = view->trace;
    const char *titles[4 + MOST_UPDATE_STATES] = {SAY(trace_weight), SAY(trace_before), "g"};
    char alignment[5 + MOST_UPDATE_STATES] = "frr";
    document_heading(document, "%s", SAY(trace_update));
    put_rule(view, document);
    if (trace->update.rule == UPDATE_descent) {
        each_weight(view, document, put_descent);
        return;
    }
    for (size_t i = 0; i < trace->state_count; i++) {
        titles[3 + i] = update_state_letter(trace->update.rule, i);
        alignment[3 + i] = 'r';
    }
    titles[3 + trace->state_count] = SAY(trace_after);
    alignment[3 + trace->state_count] = 'r';
    document_table_begin(document, alignment, titles);
    each_weight(view, document, put_new_weight);
    document_table_end(document);
}

/* ---- the whole ------------------------------------------------------------------------------------------- */

static void put_verdict(const trace_view *view, document *document) {
    const derivative_counts counts = trace_count(view->trace);
    if (counts.differing > 0)
        document_note(document, MARK_BAD, SAY(trace_differs), counts.differing, counts.all);
    else
        document_note(document, MARK_GOOD, SAY(trace_agrees), counts.all);
    if (counts.corners > 0) document_note(document, MARK_DOUBTFUL, SAY(trace_corners), counts.corners);
}

tanda_status write_trace(const void *content, document *document, tanda_error *error) {
    const trace_view *view = content;
    const trace *trace = view->trace;
    char shape[SHAPE_SIZE];
    (void)error;
    document_paragraph(document, SAY(trace_place), trace->row, view->path, trace->step_of_epoch,
                       (unsigned long long)trace->epoch, trace->rows, view->data_rows);
    document_paragraph(document, SAY(trace_network), model_shape(trace->model, shape),
                       trace->model->parameter_count, loss_name(trace->model->loss), view->optimizer);
    if (document->page != NULL) document_paragraph(document, SAY(trace_device), view->device);
    document_paragraph(document, "%s", SAY(trace_bits));
    put_features(view, document);
    put_forward(view, document);
    put_backward(view, document);
    put_update(view, document);
    put_verdict(view, document);
    return TANDA_OK;
}
