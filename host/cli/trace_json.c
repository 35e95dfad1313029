/* A trace as JSON: the same values and formulas, under English names. */
#include "cli/trace_report.h"
#include "cli/trace_symbols.h"

static json_t *derivative_object(const derivative *derivative) {
    static const char *const verdicts[] = {"agrees", "corner", "differs"};
    json_builder made = json_object_begin();
    json_put_real(&made, "value", (double)derivative->value);
    json_put_real(&made, "finite_difference", derivative->difference);
    json_put_real(&made, "allowed", derivative->allowed);
    json_put_text(&made, "verdict", verdicts[derivative->verdict]);
    return json_end(&made);
}

static json_t *unit_object(const trace *trace, size_t layer, size_t unit) {
    const trace_layer *of = &trace->layers[layer];
    char z[SYMBOL_SIZE];
    json_builder made = json_object_begin();
    json_put_text(&made, "symbol", unit_symbol(trace->model, "z", layer, unit, z));
    json_put_real(&made, "z", (double)of->logits[unit]);
    json_put_real(&made, "a", (double)of->output[unit]);
    if (of->output_delta != NULL) json_put(&made, "dL/da", derivative_object(&of->output_delta[unit]));
    json_put(&made, "delta", derivative_object(&of->delta[unit]));
    return json_end(&made);
}

static json_t *layer_object(const trace *trace, size_t layer) {
    const struct layer *of = &trace->model->layers[layer];
    json_builder made = json_object_begin(), units = json_array_begin();
    for (size_t unit = 0; unit < of->outputs; unit++)
        json_push(&units, unit_object(trace, layer, unit));
    json_put_text(&made, "activation", activation_name(of->activation));
    json_put_text(&made, "formula", activation_formula(of->activation));
    json_put_text(&made, "slope_formula", activation_slope_formula(of->activation));
    json_put(&made, "units", json_end(&units));
    return json_end(&made);
}

static json_t *states_array(const trace *trace, float *const *states, size_t at) {
    json_builder made = json_array_begin();
    for (size_t i = 0; i < trace->state_count; i++)
        json_push(&made, json_real((double)states[i][at]));
    return json_end(&made);
}

static json_t *weight_object(const trace *trace, size_t layer, size_t unit, size_t input) {
    const size_t at = weight_place(trace->model, layer, unit, input);
    char w[SYMBOL_SIZE];
    json_builder made = json_object_begin();
    json_put_text(&made, "symbol", weight_symbol(trace->model, layer, unit, input, w));
    json_put_count(&made, "layer", layer + 1);
    json_put_count(&made, "unit", unit + 1);
    json_put_count(&made, "input", input); /* 0: the bias */
    json_put_real(&made, "before", (double)trace->before[at]);
    json_put(&made, "gradient", derivative_object(&trace->gradient[at]));
    json_put_real(&made, "g", (double)trace->used[at]);
    if (trace->state_count > 0) {
        json_put(&made, "state_before", states_array(trace, trace->state_before, at));
        json_put(&made, "state_after", states_array(trace, trace->state_after, at));
    }
    json_put_real(&made, "after", (double)trace->after[at]);
    return json_end(&made);
}

static json_t *weights_array(const trace *trace) {
    json_builder made = json_array_begin();
    for (size_t layer = 0; layer < trace->model->layer_count; layer++)
        for (size_t unit = 0; unit < trace->model->layers[layer].outputs; unit++)
            for (size_t input = 0; input <= trace->model->layers[layer].fan_in; input++)
                json_push(&made, weight_object(trace, layer, unit, input));
    return json_end(&made);
}

void report_trace(report *report, const trace_view *view) {
    const trace *trace = view->trace;
    const tanda_model *model = trace->model;
    const derivative_counts counts = trace_count(trace);
    char shape[SHAPE_SIZE];
    json_builder layers = json_array_begin();
    for (size_t i = 0; i < model->layer_count; i++)
        json_push(&layers, layer_object(trace, i));
    json_put_text(report, "data", view->path);
    json_put_count(report, "row", trace->row);
    json_put_count(report, "step", trace->step);
    json_put_count(report, "epoch", trace->epoch);
    json_put_count(report, "batch_rows", trace->rows);
    json_put_text(report, "model", model_shape(model, shape));
    if (model->feature_names != NULL)
        json_put(report, "features", json_texts(model->feature_names, model->features));
    json_put(report, "x", json_reals(trace->inputs, model->features));
    json_put(report, "y", json_reals(trace->labels, model_outputs(model)));
    json_put(report, "layers", json_end(&layers));
    json_put_text(report, "loss", loss_name(model->loss));
    json_put_text(report, "loss_formula", loss_formula(model->loss));
    json_put_real(report, "row_loss", (double)trace->loss);
    json_put_real(report, "mean_loss", (double)trace->mean_loss);
    json_put_text(report, "optimizer", view->optimizer);
    json_put_text(report, "update_formula", update_formula(trace->update.rule));
    json_put_real(report, "learning_rate", (double)trace->rates.rate);
    json_put(report, "weights", weights_array(trace));
    json_put_count(report, "derivatives", counts.all);
    json_put_count(report, "corners", counts.corners);
    json_put_count(report, "differing", counts.differing);
}
