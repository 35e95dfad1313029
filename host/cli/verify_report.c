#include "cli/verify_options.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE_NAMES "ab"

bool comparison_holds(const comparison *comparison) {
    return comparison->result.first.place == LOCKSTEP_NONE;
}

/* ---- where -------------------------------------------------------------------------------------------- */

/* What the two numbers of an index are, for tensors of rows and for parameters. */
static void describe_index(const compared_tensor *tensor, const mismatch *mismatch, char *text, size_t size) {
    switch (tensor->quantity) {
    case QUANTITY_LOSS_SUM:
    case QUANTITY_CORRECT:
        text[0] = '\0';
        return;
    case QUANTITY_LOSS:
        text_put(text, size, " [row %zu]", mismatch->row);
        return;
    case QUANTITY_BIAS:
    case QUANTITY_BIAS_GRADIENT:
    case QUANTITY_BIAS_STATE_1:
    case QUANTITY_BIAS_STATE_2:
    case QUANTITY_BIAS_STATE_3:
        text_put(text, size, " [out %zu]", mismatch->row);
        return;
    case QUANTITY_WEIGHT:
    case QUANTITY_WEIGHT_GRADIENT:
    case QUANTITY_WEIGHT_STATE_1:
    case QUANTITY_WEIGHT_STATE_2:
    case QUANTITY_WEIGHT_STATE_3:
        text_put(text, size, " [out %zu, in %zu]", mismatch->row, mismatch->column);
        return;
    default:
        text_put(text, size, " [row %zu, unit %zu]", mismatch->row, mismatch->column);
    }
}

static void describe_difference(const comparison *comparison, char *text, size_t size) {
    const lockstep_result *result = &comparison->result;
    const divergence *first = &result->first;
    const mismatch *found = &first->mismatch;
    const compared_tensor *tensor = &result->tensors[first->tensor];
    const float a = found->value[SIDE_A], b = found->value[SIDE_B];
    char step[120], index[80], values[300];
    if (first->place == LOCKSTEP_STEP)
        text_put(step, sizeof step, "step %" PRIu64 " (epoch %" PRIu64 ", step %" PRIu64 " of %zu)",
                 first->step + 1, first->step / comparison->steps_per_epoch + 1,
                 first->step % comparison->steps_per_epoch + 1, comparison->steps_per_epoch);
    else
        text_put(step, sizeof step,
                 "after %" PRIu64 " steps %c by itself, with nothing kept, has other weights",
                 first->step + 1, SIDE_NAMES[first->place - LOCKSTEP_FREE_A]);
    describe_index(tensor, found, index, sizeof index);
    const size_t used = text_put(values, sizeof values, "%.9g (0x%08x) and %.9g (0x%08x), %u ulp apart",
                                 (double)a, bits_of(a), (double)b, bits_of(b), ulp_distance(a, b));
    if (result->bounded && first->place == LOCKSTEP_STEP)
        text_put(values + used, sizeof values - used,
                 "; %c is %.3g from the reference %.9g, its bound is %.3g", SIDE_NAMES[found->side],
                 found->difference, found->expected, found->bound);
    text_put(text, size, "first difference: %s, layer %zu, %s%s (%s): %s", step, tensor->layer + 1,
             quantity_name(tensor->quantity), index, compared_operation(comparison->model, tensor), values);
}

/* E.g. "step 4, layer 1, weight [3, 17]: ..."; size is enough for 500 characters. */
static void describe_verdict(const comparison *comparison, char *text, size_t size) {
    const lockstep_result *result = &comparison->result;
    if (!comparison_holds(comparison))
        describe_difference(comparison, text, size);
    else if (result->bounded)
        text_put(text, size,
                 "within bounds: %zu tensors in each of %" PRIu64 " steps; %" PRIu64
                 " kinks of ReLU decided by rounding",
                 result->tensor_count, result->steps, result->kinks);
    else
        text_put(text, size,
                 "equal: every bit of %zu tensors in each of %" PRIu64 " steps, and of the weights that each "
                 "side by itself ends in",
                 result->tensor_count, result->steps);
}

/* ---- lines -------------------------------------------------------------------------------------------- */

static void print_tensor(const compared_tensor *tensor, bool bounded) {
    const figures *figures = &tensor->figures;
    printf("%5zu  %-19s %11" PRIu64 " %11" PRIu64 " %10.3g %10.3g %10" PRIu32 " %10.3g", tensor->layer + 1,
           quantity_name(tensor->quantity), figures->compared, figures->different, figures->largest_absolute,
           figures->largest_relative, figures->largest_ulp, normalised_error(figures));
    if (!bounded)
        putchar('\n');
    else if (figures->observed == 0.0)
        printf(" %10s %10s\n", "0", "exact");
    else
        printf(" %10.3g %10.3g\n", figures->bound, smallest_margin(figures));
}

void print_comparison(const comparison *comparison) {
    const lockstep_result *result = &comparison->result;
    char verdict[600];
    describe_verdict(comparison, verdict, sizeof verdict);
    puts(verdict);
    printf("%5s  %-19s %11s %11s %10s %10s %10s %10s%s\n", "layer", "tensor", "values", "different",
           "max abs", "max rel", "max ulp", "nmse", result->bounded ? "      bound     margin" : "");
    for (size_t i = 0; i < result->tensor_count; i++)
        print_tensor(&result->tensors[i], result->bounded);
    if (!comparison_holds(comparison)) return;
    const tanda_evaluation *a = &result->final[SIDE_A], *b = &result->final[SIDE_B];
    if (result->bounded) {
        printf("drift: after %" PRIu64
               " steps by itself each, weights differ by up to %.3g (the largest is %.3g)",
               result->steps, result->drift, result->largest_weight);
        if (isfinite(a->accuracy)) printf("; accuracy %.6g and %.6g", a->accuracy, b->accuracy);
        printf("; loss %.9g and %.9g\n", a->loss, b->loss);
    }
    printf("seconds: %.3f in lockstep; the same steps alone: a %.3f, b %.3f\n", result->seconds,
           result->seconds_alone[SIDE_A], result->seconds_alone[SIDE_B]);
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

static json_t *side_object(const comparison *comparison, int side) {
    const lockstep_side *of_side = &comparison->sides[side];
    const char *missed = NULL;
    report report = json_object_begin();
    const tanda_device_options requested = {.device = comparison->requested[side], .math = of_side->math};
    report_device(&report, of_side->backend, &requested);
    if (comparison->result.executors[side] != NULL)
        json_put_text(&report, "executor", comparison->result.executors[side]);
    tanda_device_grade(of_side->backend, &missed);
    if (missed != NULL && missed[0] != '\0') json_put_text(&report, "missed_probe", missed);
    if (comparison->result.notes[side][0] != '\0')
        json_put_text(&report, "notes", comparison->result.notes[side]);
    if (comparison_holds(comparison))
        json_put_real(&report, "seconds", comparison->result.seconds_alone[side]);
    return json_end(&report);
}

static json_t *value_object(float value) {
    char bits[16];
    report report = json_object_begin();
    text_put(bits, sizeof bits, "0x%08x", bits_of(value));
    json_put_real(&report, "value", (double)value);
    json_put_text(&report, "bits", bits);
    return json_end(&report);
}

static json_t *difference_object(const comparison *comparison) {
    static const char *const places[] = {
        [LOCKSTEP_STEP] = "step", [LOCKSTEP_FREE_A] = "a by itself", [LOCKSTEP_FREE_B] = "b by itself"};
    const divergence *first = &comparison->result.first;
    const compared_tensor *tensor = &comparison->result.tensors[first->tensor];
    report report = json_object_begin();
    json_put_text(&report, "place", places[first->place]);
    json_put_count(&report, "step", first->step + 1);
    json_put_count(&report, "epoch", first->step / comparison->steps_per_epoch + 1);
    json_put_count(&report, "layer", tensor->layer + 1);
    json_put_text(&report, "tensor", quantity_name(tensor->quantity));
    json_put_text(&report, "operation", compared_operation(comparison->model, tensor));
    json_put(&report, "index",
             json_pack("[I, I]", (json_int_t)first->mismatch.row, (json_int_t)first->mismatch.column));
    json_put(&report, "a", value_object(first->mismatch.value[SIDE_A]));
    json_put(&report, "b", value_object(first->mismatch.value[SIDE_B]));
    json_put_count(&report, "ulp",
                   ulp_distance(first->mismatch.value[SIDE_A], first->mismatch.value[SIDE_B]));
    if (comparison->result.bounded && first->place == LOCKSTEP_STEP) {
        json_put_text(&report, "side", first->mismatch.side == SIDE_A ? "a" : "b");
        json_put_real(&report, "reference", first->mismatch.expected);
        json_put_real(&report, "difference", first->mismatch.difference);
        json_put_real(&report, "bound", first->mismatch.bound);
    }
    return json_end(&report);
}

static json_t *tensor_object(const compared_tensor *tensor, bool bounded) {
    const figures *figures = &tensor->figures;
    report report = json_object_begin();
    json_put_count(&report, "layer", tensor->layer + 1);
    json_put_text(&report, "tensor", quantity_name(tensor->quantity));
    json_put_count(&report, "values", figures->compared);
    json_put_count(&report, "different", figures->different);
    json_put_real(&report, "max_absolute", figures->largest_absolute);
    json_put_real(&report, "max_relative", figures->largest_relative);
    json_put_count(&report, "max_ulp", figures->largest_ulp);
    json_put_real(&report, "nmse", normalised_error(figures));
    if (bounded) {
        json_put_real(&report, "bound", figures->bound);
        json_put_real(&report, "observed", figures->observed);
        json_put_real(&report, "margin", smallest_margin(figures)); /* left out when nothing was observed */
    }
    return json_end(&report);
}

static json_t *drift_object(const lockstep_result *result) {
    static const char *const names[] = {"a", "b"};
    report report = json_object_begin();
    json_put_real(&report, "max_absolute", result->drift);
    json_put_real(&report, "largest_weight", result->largest_weight);
    for (int side = 0; side < SIDE_COUNT; side++) {
        json_builder of_side = json_object_begin();
        report_evaluation(&of_side, "", &result->final[side]);
        json_put(&report, names[side], json_end(&of_side));
    }
    return json_end(&report);
}

void report_comparison(report *report, const comparison *comparison) {
    const lockstep_result *result = &comparison->result;
    char verdict[600];
    describe_verdict(comparison, verdict, sizeof verdict);
    json_put(report, "equal", json_boolean(comparison_holds(comparison) && !result->bounded));
    if (result->bounded) json_put(report, "within_bounds", json_boolean(comparison_holds(comparison)));
    json_put_text(report, "verdict", verdict);
    json_put_count(report, "steps", result->steps);
    json_put_count(report, "steps_wanted", comparison->steps);
    json_put(report, "a", side_object(comparison, SIDE_A));
    json_put(report, "b", side_object(comparison, SIDE_B));
    if (!comparison_holds(comparison)) json_put(report, "first_difference", difference_object(comparison));
    json_builder tensors = json_array_begin();
    for (size_t i = 0; i < result->tensor_count; i++)
        json_push(&tensors, tensor_object(&result->tensors[i], result->bounded));
    json_put(report, "tensors", json_end(&tensors));
    if (result->bounded) json_put_count(report, "kinks", result->kinks);
    if (result->bounded && comparison_holds(comparison)) json_put(report, "drift", drift_object(result));
    json_put_real(report, "seconds", result->seconds);
}
