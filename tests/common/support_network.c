#include "support_network.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/memory.h"

const char *network_text(const network *network, char text[NETWORK_TEXT_SIZE]) {
    size_t used =
        (size_t)snprintf(text, NETWORK_TEXT_SIZE, "rows %zu: %zu", network->rows, network->features);
    for (size_t i = 0; i < network->layer_count; i++)
        used += (size_t)snprintf(text + used, NETWORK_TEXT_SIZE - used, " - %zu %s%s%s", network->units[i],
                                 network->kinds[i] == LAYER_dense ? "" : layer_kind_name(network->kinds[i]),
                                 network->kinds[i] == LAYER_dense ? "" : " ",
                                 activation_name(network->activations[i]));
    snprintf(text + used, NETWORK_TEXT_SIZE - used, ", %s%s", loss_name(network->loss),
             network->content == CONTENT_INTEGER ? ", integers" : "");
    return text;
}

uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- data --------------------------------------------------------------------------------------------- */

/* Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014): the finaliser of splitmix64. */
static uint64_t mix(uint64_t x) {
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* In [-1, 1), a multiple of 2^-23. */
static float signed_unit(uint64_t index) {
    return (float)(int64_t)(mix(index) >> 40) * 0x1p-23f - 1.0f;
}

/* In [-range, range]. */
static float small_integer(uint64_t index, int range) {
    return (float)((int)(mix(index) % (uint64_t)(2 * range + 1)) - range);
}

static void fill_parameters(tanda_model *model, content content) {
    model_initialise(model, 11);
    for (size_t l = 0; l < model->layer_count; l++) {
        const layer *layer = &model->layers[l];
        for (size_t h = 0; h < layer->outputs; h++)
            model->parameters[layer->bias + h] = 0.5f * signed_unit(7777 * (l + 1) + h);
    }
    for (size_t i = 0; content == CONTENT_INTEGER && i < model->parameter_count; i++)
        model->parameters[i] = small_integer(31 + i, 1);
}

static int32_t class_of_row(size_t row, size_t classes) {
    if (row < 2) return row == 0 ? 0 : (int32_t)classes - 1;
    return (int32_t)(mix(99991 + row) % classes);
}

static void fill_dataset(const network *network, size_t classes, tanda_dataset *dataset) {
    size_t count = network->rows * network->features;
    MUST(allocate(&dataset->owned, count, sizeof *dataset->owned, "features", error));
    for (size_t i = 0; i < count; i++)
        dataset->owned[i] = network->content == CONTENT_INTEGER ? small_integer(i, 1) : signed_unit(i);
    dataset->rows = network->rows;
    dataset->features = network->features;
    dataset->values = dataset->owned;
    dataset->task = network->task;
    dataset->target_count =
        network->task == TANDA_TASK_CLASSES ? 1 : network->units[network->layer_count - 1];
    dataset->class_count = classes;
    if (network->task == TANDA_TASK_CLASSES) {
        MUST(allocate(&dataset->classes, network->rows, sizeof *dataset->classes, "classes", error));
        for (size_t row = 0; row < network->rows; row++)
            dataset->classes[row] = class_of_row(row, classes);
    } else {
        const size_t values = network->rows * dataset->target_count;
        MUST(allocate(&dataset->targets, values, sizeof *dataset->targets, "targets", error));
        for (size_t row = 0; row < values; row++)
            dataset->targets[row] = network->task == TANDA_TASK_LABELS    ? signed_unit(row + 5) > 0.0f
                                    : network->content == CONTENT_INTEGER ? small_integer(row + 5, 8)
                                                                          : signed_unit(row + 5);
    }
}

problem problem_create(const network *network) {
    problem made = {.network = network};
    MUST(model_create(network->features, network->layer_count, network->kinds, network->units,
                      network->activations, network->loss, network->task, &made.model, error));
    fill_parameters(made.model, network->content);
    fill_dataset(network, model_classes(made.model), &made.dataset);
    return made;
}

void problem_free(problem *problem) {
    tanda_model_free(problem->model);
    free(problem->dataset.owned);
    free(problem->dataset.classes);
    free(problem->dataset.targets);
    free(problem->dataset.weights);
}

/* The bits of a number: label i is bit i. */
static double labels_as_bits(const tanda_dataset *dataset, size_t row) {
    double bits = 0.0;
    for (size_t i = dataset->target_count; i-- > 0;)
        bits = 2.0 * bits + (double)dataset->targets[row * dataset->target_count + i];
    return bits;
}

double problem_label(const problem *problem, size_t row) {
    if (problem->network->task == TANDA_TASK_LABELS) return labels_as_bits(&problem->dataset, row);
    return problem->dataset.classes != NULL ? (double)problem->dataset.classes[row]
                                            : (double)problem->dataset.targets[row];
}

/* ---- running ------------------------------------------------------------------------------------------ */

static plan_options plan_options_of(const problem *problem, const step_options *options) {
    return (plan_options){.training = true,
                          .with_prediction = options->keep,
                          .keep = options->keep,
                          .dropout = options->dropout,
                          .weighted = problem->dataset.weights != NULL};
}

static program_options program_options_of(const problem *problem, const step_options *options) {
    const size_t rows = problem->dataset.rows;
    return (program_options){.rows = rows,
                             .batch_rows = options->batch_rows == 0 ? rows : options->batch_rows,
                             .shuffle = options->shuffle,
                             .shuffle_block = options->shuffle_block,
                             .shuffle_window = options->shuffle_window,
                             .seed = options->seed,
                             .learning_rate =
                                 options->learning_rate == 0.0f ? 0.125f : options->learning_rate,
                             .update = options->update,
                             .wave_tiles = options->wave_tiles};
}

bool executor_fits(const backend *backend, const executor *executor, const problem *problem,
                   const step_options *options) {
    const plan_options settings = plan_options_of(problem, options);
    const program_options program = program_options_of(problem, options);
    const char *lack = "";
    plan *plan = NULL;
    MUST(plan_create(problem->model, &settings, &plan, error));
    const bool does = executor->fits(backend, plan, &program, &lack);
    plan_free(plan);
    return does;
}

static tanda_status try_execution(backend *backend, const problem *problem, const step_options *options,
                                  execution *result, tanda_error *error) {
    const tanda_dataset *dataset = &problem->dataset;
    const row_arrays arrays = {.rows = dataset->rows,
                               .features = dataset->features,
                               .targets = dataset->target_count,
                               .values = dataset->values,
                               .labels = dataset->classes != NULL ? (const void *)dataset->classes
                                                                  : (const void *)dataset->targets,
                               .weights = dataset->weights};
    const plan_options plan = plan_options_of(problem, options);
    const program_options program = program_options_of(problem, options);
    *result = (execution){.backend = backend, .problem = problem, .rates = options->rates};
    const tanda_status status = resident_create(backend, &arrays, &result->resident, error);
    if (status != TANDA_OK) return status;
    return session_create(problem->model, &result->resident, &plan, &program, NULL, &result->session, error);
}

execution execution_create(backend *backend, const problem *problem, const step_options *options) {
    execution made;
    MUST(try_execution(backend, problem, options, &made, error));
    return made;
}

void execution_run(execution *execution, uint64_t first_step, size_t steps, step_result *results) {
    const update_rates *rates = execution->rates != NULL ? execution->rates + first_step : NULL;
    MUST(session_run(&execution->session, first_step, steps, rates, true, error));
    if (results != NULL) MUST(session_results(&execution->session, results, error));
}

float *execution_parameters(execution *execution) {
    size_t count = execution->session.plan->parameter_count;
    float *packed = NULL;
    MUST(allocate(&packed, count, sizeof *packed, "parameters", error));
    MUST(session_read_parameters(&execution->session, packed, error));
    return packed;
}

float *execution_state(execution *execution, size_t index) {
    float *packed = NULL;
    MUST(allocate(&packed, execution->session.plan->parameter_count, sizeof *packed, "state", error));
    MUST(session_read_state(&execution->session, index, packed, error));
    return packed;
}

void execution_free(execution *execution) {
    session_free(&execution->session);
    resident_free(&execution->resident);
}

static void digest_of(execution *execution, size_t steps, char digest[TANDA_DIGEST_SIZE]) {
    tanda_model *model = execution->problem->model;
    const size_t bytes = model->parameter_count * sizeof(float);
    execution_run(execution, 0, steps, NULL);
    float *packed = execution_parameters(execution), *start = malloc(bytes);
    memcpy(start, model->parameters, bytes);
    plan_unpack(execution->session.plan, packed, model->parameters);
    model_digest(model, digest);
    memcpy(model->parameters, start, bytes);
    free(start);
    free(packed);
}

/*
 * Every other executor of the backend that fits must end in the same weights. Those for GPUs are held in test_executors and
 * test_ptx: a driver for CPUs would be busy for minutes with compiling a form of theirs for each problem.
 */
static void expect_same_of_others(backend *backend, const problem *problem, const step_options *options,
                                  size_t steps, const char *taken, const char *expected) {
    for (const executor *const *at = backend->interface->executors; *at != NULL; at++) {
        char digest[TANDA_DIGEST_SIZE], text[NETWORK_TEXT_SIZE];
        execution execution;
        tanda_error error;
        if (strcmp((*at)->name, taken) == 0 || (*at)->family != NULL) continue;
        backend->executor = (*at)->name;
        const tanda_status status = try_execution(backend, problem, options, &execution, &error);
        if (status == TANDA_OK) {
            digest_of(&execution, steps, digest);
            cr_expect_str_eq(digest, expected, "%s, executor %s and not %s: %s", backend_title(backend),
                             (*at)->name, taken, network_text(problem->network, text));
        } else {
            cr_expect_eq(status, TANDA_DEVICE, "%s", error.message);
        }
        execution_free(&execution);
    }
    backend->executor = NULL;
}

/* Threads and waves are tried for the executor that is taken; the others once for each device. */
static bool is_representative(const backend *backend, const step_options *options) {
    const bool is_openmp = strcmp(backend->information.backend, "openmp") == 0;
    return backend->executor == NULL && !options->keep && options->wave_tiles == 0 &&
           (!is_openmp || backend->information.compute_units == 2);
}

void digest_after(backend *backend, const problem *problem, const step_options *options, size_t steps,
                  char digest[TANDA_DIGEST_SIZE]) {
    execution execution = execution_create(backend, problem, options);
    digest_of(&execution, steps, digest);
    const char *taken = session_executor(&execution.session);
    execution_free(&execution);
    if (is_representative(backend, options))
        expect_same_of_others(backend, problem, options, steps, taken, digest);
}

/* ---- reading ------------------------------------------------------------------------------------------ */

static void read_tensors(execution *execution, capture *made) {
    const plan *plan = execution->session.plan;
    MUST(allocate(&made->tensors, plan->tensor_count, sizeof *made->tensors, "tensors", error));
    for (size_t i = 0; i < plan->tensor_count; i++) {
        MUST(
            allocate(&made->tensors[i], made->rows * plan->tensors[i].units, sizeof(float), "tensor", error));
        MUST(session_read(&execution->session, &plan->tensors[i], made->tensors[i], error));
    }
    MUST(allocate(&made->gradient, plan->parameter_count, sizeof(float), "gradient", error));
    MUST(session_read_gradient(&execution->session, made->gradient, error));
}

capture capture_step(backend *backend, const problem *problem, const step_options *options) {
    step_options kept = options != NULL ? *options : (step_options){0};
    kept.keep = true;
    execution execution = execution_create(backend, problem, &kept);
    size_t batch = kept.batch_rows == 0 ? problem->dataset.rows : kept.batch_rows;
    capture made = {.problem = problem,
                    .plan = execution.session.plan,
                    .rows = batch_size(problem->dataset.rows, batch, 0)};
    made.before = execution_parameters(&execution);
    execution_run(&execution, 0, 1, &made.result);
    made.after = execution_parameters(&execution);
    read_tensors(&execution, &made);
    execution.session.plan = NULL;
    execution_free(&execution);
    return made;
}

void capture_free(capture *capture) {
    for (size_t i = 0; i < capture->plan->tensor_count; i++)
        free(capture->tensors[i]);
    free(capture->tensors);
    free(capture->before);
    free(capture->after);
    free(capture->gradient);
    plan_free(capture->plan);
}

const float *captured(const capture *capture, tensor_role role, size_t layer) {
    const tensor *tensor = plan_tensor(capture->plan, role, layer);
    cr_assert_not_null(tensor, "the plan keeps no tensor of role %d, layer %zu", (int)role, layer);
    return capture->tensors[tensor - capture->plan->tensors];
}

/* False for different bits, with the first place in text. */
static bool arrays_agree(const char *name, size_t layer, const float *one, const float *other, size_t count,
                         char *text, size_t size) {
    for (size_t i = 0; i < count; i++) {
        if (bits_of_float(one[i]) == bits_of_float(other[i])) continue;
        snprintf(text, size, "%s of layer %zu, index %zu: %a and %a", name, layer, i, (double)one[i],
                 (double)other[i]);
        return false;
    }
    return true;
}

/* Roles in the order in which a step makes them, so that the first difference names the op at fault. */
static const struct {
    tensor_role role;
    const char *name;
} roles[] = {{TENSOR_INPUT, "input"},
             {TENSOR_LOGITS, "logits"},
             {TENSOR_OUTPUT, "output"},
             {TENSOR_DROPPED, "inputs after dropout"},
             {TENSOR_LOSS, "losses"},
             {TENSOR_DELTA_DROPPED, "delta of the inputs after dropout"},
             {TENSOR_DELTA_OUTPUT, "delta of the output"},
             {TENSOR_DELTA, "delta"}};

#define FORWARD_ROLES 4 /* of these */

static bool tensors_agree(const capture *one, const capture *other, size_t role, size_t layer, char *text,
                          size_t size) {
    const tensor *tensor = plan_tensor(one->plan, roles[role].role, layer);
    if (tensor == NULL) return true;
    size_t index = (size_t)(tensor - one->plan->tensors);
    return arrays_agree(roles[role].name, layer, one->tensors[index], other->tensors[index],
                        one->rows * tensor->units, text, size);
}

bool captures_agree(const capture *one, const capture *other, char *text, size_t size) {
    size_t layers = one->plan->layer_count, parameters = one->plan->parameter_count;
    for (size_t layer = 0; layer < layers; layer++)
        for (size_t role = 0; role < FORWARD_ROLES; role++)
            if (!tensors_agree(one, other, role, layer, text, size)) return false;
    for (size_t layer = layers; layer-- > 0;)
        for (size_t role = FORWARD_ROLES; role < sizeof roles / sizeof *roles; role++)
            if (!tensors_agree(one, other, role, layer, text, size)) return false;
    if (!arrays_agree("packed gradient", 0, one->gradient, other->gradient, parameters, text, size))
        return false;
    if (!arrays_agree("packed parameters", 0, one->after, other->after, parameters, text, size)) return false;
    if (!arrays_agree("loss sum", layers - 1, &one->result.loss, &other->result.loss, 1, text, size))
        return false;
    if (one->result.correct == other->result.correct) return true;
    snprintf(text, size, "correct rows: %u and %u", one->result.correct, other->result.correct);
    return false;
}
