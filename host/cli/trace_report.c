#include "cli/trace_report.h"

#include <string.h>

#include "cli/trace_symbols.h"
#include "cli/trace_texts.h"

#define WRITTEN_TERMS 6  /* of a sum, above which only Σ stands */
#define LONGEST_SLOPE 20 /* bytes of a formula in a table */

#define SAY(id) TEXT_IN(view->language, id)

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
    line_add(&line, "%s = ", input_symbol(model, 0, feature, x));
    const bool is_scaled = scaling->kind != TANDA_SCALE_NONE && scaling->features > 0;
    if (model->feature_names != NULL)
        line_add(&line, is_scaled ? "(%s - " : "%s = ", model->feature_names[feature]);
    if (model->feature_names == NULL && is_scaled) line_add(&line, "(%zu - ", feature);
    if (is_scaled) {
        const double origin = scaling->origin != NULL ? scaling->origin[feature] : 0.0;
        const double middle = (double)scaling->center[feature] + origin,
                     step = (double)scaling->factor[feature];
        line_add(&line, "%s)·%s = ", number_of(scaling->center[feature], center),
                 factor_of(scaling->factor[feature], factor));
        if (step != 0.0)
            line_add(&line, "(%.6g - %.6g)·%.6g = ", (double)value / step + middle, middle, step);
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
        line_add(&line, "%s%s = %s", i > 0 ? ", " : "", symbol(y, "y", -1, outputs > 1 ? (long)i : -1, -1),
                 number_of(trace->labels[i], number));
        if (outputs > 1 && trace->labels[i] == 1.0f) class = i;
    }
    if (model->task == TANDA_TASK_CLASSES && model->class_names != NULL && class < model->class_count)
        line_add(&line, " (%s)", model->class_names[class]);
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
    line_add(line, "%s", in_numbers ? number_of(bias, number) : weight_symbol(model, layer, unit, 0, w));
    for (size_t k = 1; k <= model->layers[layer].fan_in; k++) {
        const float weight = trace->before[weight_place(model, layer, unit, k)];
        if (in_numbers)
            line_add(line, " + %s·%s", factor_of(weight, w),
                     factor_of(input_value(trace, layer, k - 1), factor));
        else
            line_add(line, " + %s·%s", weight_symbol(model, layer, unit, k, w),
                     input_symbol(model, layer, k - 1, x));
    }
}

static void put_logit(const trace_view *view, document *document, size_t layer, size_t unit) {
    const trace *trace = view->trace;
    char z[SYMBOL_SIZE], w[SYMBOL_SIZE], number[TEXT_NUMBER_SIZE];
    line line = {{0}, 0};
    line_add(&line, "%s = ", unit_symbol(trace->model, "z", layer, unit, z));
    if (trace->model->layers[layer].fan_in > WRITTEN_TERMS) {
        line_add(&line, "%s + Σ w·%s = ", weight_symbol(trace->model, layer, unit, 0, w),
                 layer == 0 ? "x" : "a");
    } else {
        add_terms(trace, layer, unit, false, &line);
        line_add(&line, " = ");
        add_terms(trace, layer, unit, true, &line);
        line_add(&line, " = ");
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
        line_add(&line, "%s%s·%s", k > 0 ? " + " : "",
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
        line_add(&formula, "∂L/∂%s", unit_symbol(model, "a", layer, unit, a));
        line_add(&numbers, "%s", factor_of(values->output_delta[unit].value, number));
    } else {
        const bool is_mean = is_mean_of_outputs(model);
        const char *of_loss = loss_slope_formula(model->loss);
        line_add(&formula, is_mean ? "(%s)/%zu" : "%s", of_loss, model_outputs(model));
        line_add(&numbers, is_mean ? "(%s)/%zu" : "%s", written_out(of_loss, o, y, z, out),
                 model_outputs(model));
    }
    if (goes_through_slope(trace, layer)) {
        const bool is_sum = strpbrk(slope, "+-") != NULL && slope[0] != 'a';
        if (is_long_slope(trace, layer))
            line_add(&formula, "·f′(z)");
        else
            line_add(&formula, is_sum ? "·(%s)" : "·%s", slope);
        line_add(&numbers, is_sum ? "·(%s)" : "·%s", written_out(slope, o, y, z, out));
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
    write_update(view, document);
    put_verdict(view, document);
    return TANDA_OK;
}
