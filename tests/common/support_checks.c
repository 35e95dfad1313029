#include "support_checks.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

double rounding_bound(double n) {
    return n * U / (1.0 - n * U);
}

bool within(const trial *trial, size_t layer, size_t index, double got, double expected, double bound) {
    char text[NETWORK_TEXT_SIZE];
    if (fabs(got - expected) <= bound) return true;
    cr_expect(
        false,
        "%s on %s, case %zu (%s), layer %zu, index %zu: %a, expected %a within %g; again: TANDA_CASE=%zu %s "
        "--filter '%s/%s'",
        trial->op, trial->backend, trial->number, network_text(trial->problem->network, text), layer, index,
        got, expected, bound, trial->number, program_invocation_short_name, criterion_current_test->category,
        criterion_current_test->name);
    return false;
}

backend *open_named(const char *name) {
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (strcmp(name, isa_names[i]) == 0) return open_openmp(name, 2);
    return use_opencl(name) ? open_opencl(NULL) : NULL;
}

static void check_case(size_t number, backend *backend, const op_check *checks, size_t count) {
    problem problem = problem_create(&networks[number]);
    trial trial = {.number = number, .backend = backend_title(backend), .problem = &problem};
    trial.capture = capture_step(backend, &problem, NULL);
    for (size_t i = 0; i < count; i++) {
        trial.op = checks[i].op;
        checks[i].check(&trial);
    }
    capture_free(&trial.capture);
    problem_free(&problem);
}

void check_cases(const char *backend_name, const char *executor, const op_check *checks, size_t count) {
    const char *only = getenv("TANDA_CASE");
    backend *backend = open_named(backend_name);
    if (backend == NULL) return;
    backend->executor = executor;
    for (size_t i = 0; i < network_count; i++)
        if (only == NULL || strtoul(only, NULL, 10) == i) check_case(i, backend, checks, count);
    tanda_device_close(backend);
}

layer_data layer_data_of(const trial *trial, size_t index) {
    const capture *capture = &trial->capture;
    const tanda_model *model = trial->problem->model;
    const layer *layer = &model->layers[index];
    layer_data made = {
        .layer = layer, .index = index, .rows = capture->rows, .K = layer->inputs, .H = layer->outputs};
    const float *a =
        index == 0 ? captured(capture, TENSOR_INPUT, 0) : captured(capture, TENSOR_OUTPUT, index - 1);
    made.a = reference_widen(a, made.rows * made.K);
    made.w = reference_widen(model->parameters + layer->weight, made.K * made.H);
    made.b = reference_widen(model->parameters + layer->bias, made.H);
    return made;
}

void layer_data_free(layer_data *data) {
    free(data->a);
    free(data->w);
    free(data->b);
}

double chunked(size_t n) {
    return (double)((n < 256 ? n : 256) + (n + 255) / 256);
}

double lanes_and_tree(size_t rows) {
    size_t in_tile = rows < 256 ? rows : 256, levels = 0;
    while ((size_t)256 << levels < rows)
        levels++;
    return (double)((in_tile + 15) / 16 + 4 + levels);
}
