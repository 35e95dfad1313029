/* The update of a step: its rule, and what it makes of each weight. */
#include <string.h>

#include "cli/trace_report.h"
#include "cli/trace_symbols.h"
#include "cli/trace_texts.h"

#define SAY(id) TEXT_IN(view->language, id)

/* A constant that a formula names. */
static void add_constant(line *line, const char *formula, const char *name, float value) {
    char number[TEXT_NUMBER_SIZE];
    if (strstr(formula, name) == NULL) return;
    line_add(line, "%s%s = %s", line->used > 0 ? ", " : "", name, number_of(value, number));
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
    line_add(line, "g = ");
    if (constants->clip_value != 0.0f)
        line_add(line, "clip(∂L/∂w, ±%s)", number_of(constants->clip_value, number));
    else
        line_add(line, "∂L/∂w");
    if (constants->clip_norm != 0.0f)
        line_add(line, "·min(1, %s/‖∂L/∂w‖)", number_of(constants->clip_norm, number));
    if (constants->l1 != 0.0f) line_add(line, " + %s·sign(w)", number_of(constants->l1, number));
    if (constants->l2 != 0.0f) line_add(line, " + %s·w", number_of(constants->l2, number));
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

void write_update(const trace_view *view, document *document) {
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
