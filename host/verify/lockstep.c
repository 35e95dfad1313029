#include "verify/lockstep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/shuffle.h"
#include "support/clock.h"
#include "support/memory.h"
#include "train/session.h"
#include "verify/reference.h"

/* ---- names -------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *operation;
} quantities[] = {
    [QUANTITY_INPUT] = {"input", "gather"},
    [QUANTITY_LOGITS] = {"logits", "dense_forward"},
    [QUANTITY_OUTPUT] = {"output", "activation_forward"},
    [QUANTITY_LOSS] = {"loss per row", "loss"},
    [QUANTITY_DELTA_OUTPUT] = {"delta of the output", "dense_backward"},
    [QUANTITY_DELTA] = {"delta", "activation_backward"},
    [QUANTITY_LOSS_SUM] = {"loss sum", "loss_sum and the tree over tiles"},
    [QUANTITY_CORRECT] = {"correct rows", "loss"},
    [QUANTITY_WEIGHT_GRADIENT] = {"weight gradient", "dense_gradient and the tree over tiles"},
    [QUANTITY_BIAS_GRADIENT] = {"bias gradient", "dense_gradient and the tree over tiles"},
    [QUANTITY_WEIGHT] = {"weight", "update"},
    [QUANTITY_BIAS] = {"bias", "update"},
};

const char *quantity_name(quantity quantity) {
    return quantities[quantity].name;
}

const char *quantity_operation(quantity quantity) {
    return quantities[quantity].operation;
}

/* ---- state -------------------------------------------------------------------------------------------- */

/* A side at work. Arrays are packed parameters of the latest step. */
typedef struct runner {
    backend *backend;
    bool fast;
    resident resident;
    buffer *parameters;
    program *program;
    float *packed, *gradient;
    step_result result;
    float *values; /* scratch: one tensor, or the parameters in the model's order */
} runner;

typedef struct lockstep {
    const tanda_model *model;
    const tanda_dataset *dataset;
    const lockstep_options *options;
    const lockstep_side *sides;
    lockstep_result *result;
    size_t batch_rows;
    plan *plan;
    runner runners[SIDE_COUNT];
    int leader;                           /* the side whose weights every step starts from */
    float *start;                         /* the first weights, packed */
    float *before;                        /* with bounds: the weights before the step, in the model's order */
    size_t *row;                          /* with bounds: rows of the step */
    double *expected, *bound[SIDE_COUNT]; /* with bounds: of updated parameters */
    step_reference reference;
    uint64_t step;
    size_t rows; /* of the step */
} lockstep;

bool lockstep_is_fast(const lockstep_side *side) {
    return side->math == TANDA_MATH_FAST && strcmp(side->backend->information.backend, "openmp") != 0;
}

static void add_tensor(lockstep_result *result, quantity quantity, size_t layer, size_t columns) {
    result->tensors[result->tensor_count++] =
        (compared_tensor){.quantity = quantity, .layer = layer, .columns = columns};
}

/* A tensor of the plan, unless it is another one's storage (the activation is the identity). */
static void add_planned(const lockstep *lockstep, quantity quantity, tensor_role role, tensor_role before,
                        size_t layer) {
    const tensor *tensor = plan_tensor(lockstep->plan, role, layer),
                 *same = plan_tensor(lockstep->plan, before, layer);
    if (tensor == NULL || (same != NULL && same != tensor && same->offset == tensor->offset)) return;
    add_tensor(lockstep->result, quantity, layer, tensor->units);
}

/* The data's way through a step. */
static tanda_status list_tensors(const lockstep *lockstep, tanda_error *error) {
    const tanda_model *model = lockstep->model;
    size_t layers = model->layer_count;
    tanda_status status = allocate(&lockstep->result->tensors, 8 * layers + 4,
                                   sizeof *lockstep->result->tensors, "comparison", error);
    if (status != TANDA_OK) return status;
    add_planned(lockstep, QUANTITY_INPUT, TENSOR_INPUT, TENSOR_INPUT, 0);
    for (size_t i = 0; i < layers; i++) {
        add_planned(lockstep, QUANTITY_LOGITS, TENSOR_LOGITS, TENSOR_LOGITS, i);
        add_planned(lockstep, QUANTITY_OUTPUT, TENSOR_OUTPUT, TENSOR_LOGITS, i);
    }
    add_planned(lockstep, QUANTITY_LOSS, TENSOR_LOSS, TENSOR_LOSS, layers - 1);
    for (size_t i = layers; i-- > 0;) {
        add_planned(lockstep, QUANTITY_DELTA_OUTPUT, TENSOR_DELTA_OUTPUT, TENSOR_DELTA_OUTPUT, i);
        add_planned(lockstep, QUANTITY_DELTA, TENSOR_DELTA, TENSOR_DELTA_OUTPUT, i);
    }
    add_tensor(lockstep->result, QUANTITY_LOSS_SUM, layers - 1, 1);
    if (lockstep->plan->classes) add_tensor(lockstep->result, QUANTITY_CORRECT, layers - 1, 1);
    for (size_t i = layers; i-- > 0;) {
        add_tensor(lockstep->result, QUANTITY_WEIGHT_GRADIENT, i, model->layers[i].inputs);
        add_tensor(lockstep->result, QUANTITY_BIAS_GRADIENT, i, 1);
    }
    for (size_t i = 0; i < layers; i++) {
        add_tensor(lockstep->result, QUANTITY_WEIGHT, i, model->layers[i].inputs);
        add_tensor(lockstep->result, QUANTITY_BIAS, i, 1);
    }
    return TANDA_OK;
}

/* Values of the largest thing that is compared at once. */
static size_t largest_tensor(const lockstep *lockstep) {
    size_t most = lockstep->model->parameter_count;
    for (size_t i = 0; i < lockstep->plan->tensor_count; i++)
        if (lockstep->plan->tensors[i].units * lockstep->batch_rows > most)
            most = lockstep->plan->tensors[i].units * lockstep->batch_rows;
    return most;
}

static tanda_status compile(const lockstep *lockstep, int side, const plan *plan, program **result,
                            tanda_error *error) {
    const runner *runner = &lockstep->runners[side];
    const lockstep_options *options = lockstep->options;
    const program_options program_options = {.features = runner->resident.features,
                                             .labels = runner->resident.labels,
                                             .parameters = runner->parameters,
                                             .rows = lockstep->dataset->rows,
                                             .batch_rows = lockstep->batch_rows,
                                             .shuffle = options->shuffle,
                                             .seed = options->seed,
                                             .learning_rate = options->learning_rate,
                                             .math = lockstep->sides[side].math,
                                             .gemm = lockstep->sides[side].gemm};
    return backend_compile(runner->backend, plan, &program_options, result, error);
}

static tanda_status runner_create(lockstep *lockstep, int side, tanda_error *error) {
    runner *runner = &lockstep->runners[side];
    size_t packed = lockstep->plan->parameter_count;
    runner->backend = lockstep->sides[side].backend;
    runner->fast = lockstep_is_fast(&lockstep->sides[side]);
    tanda_status status = allocate(&runner->packed, packed, sizeof(float), "parameters", error);
    if (status == TANDA_OK) status = allocate(&runner->gradient, packed, sizeof(float), "gradient", error);
    if (status == TANDA_OK)
        status = allocate(&runner->values, largest_tensor(lockstep), sizeof(float), "tensor", error);
    if (status == TANDA_OK)
        status = resident_create(runner->backend, lockstep->dataset, true, &runner->resident, error);
    if (status == TANDA_OK)
        status =
            upload_parameters(runner->backend, lockstep->plan, lockstep->model, &runner->parameters, error);
    if (status == TANDA_OK) status = compile(lockstep, side, lockstep->plan, &runner->program, error);
    if (status == TANDA_OK)
        snprintf(lockstep->result->notes[side], sizeof lockstep->result->notes[side], "%s",
                 backend_notes(runner->backend, runner->program));
    return status;
}

static void runner_free(runner *runner) {
    if (runner->backend == NULL) return;
    backend_program_free(runner->backend, runner->program);
    backend_buffer_free(runner->backend, runner->parameters);
    resident_free(runner->backend, &runner->resident);
    free(runner->packed);
    free(runner->gradient);
    free(runner->values);
}

static tanda_status prepare_reference(lockstep *lockstep, tanda_error *error) {
    const arithmetic arithmetic[SIDE_COUNT] = {
        lockstep->runners[SIDE_A].fast ? fast_arithmetic : exact_arithmetic,
        lockstep->runners[SIDE_B].fast ? fast_arithmetic : exact_arithmetic};
    size_t parameters = lockstep->model->parameter_count;
    lockstep->leader = lockstep->runners[SIDE_A].fast ? SIDE_B : SIDE_A;
    tanda_status status = allocate(&lockstep->before, parameters, sizeof(float), "parameters", error);
    if (status == TANDA_OK)
        status = allocate(&lockstep->row, lockstep->batch_rows, sizeof *lockstep->row, "rows", error);
    if (status == TANDA_OK)
        status = allocate(&lockstep->expected, parameters, sizeof(double), "reference", error);
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++)
        status = allocate(&lockstep->bound[side], parameters, sizeof(double), "reference", error);
    if (status == TANDA_OK)
        status = step_reference_create(lockstep->model, arithmetic, lockstep->batch_rows,
                                       &lockstep->reference, error);
    return status;
}

static tanda_status prepare(lockstep *lockstep, tanda_error *error) {
    const plan_options options = {.training = true, .with_prediction = true, .keep = true};
    size_t rows = lockstep->dataset->rows, wanted = lockstep->options->batch_rows;
    lockstep->batch_rows = wanted == 0 || wanted > rows ? rows : wanted;
    tanda_status status = plan_create(lockstep->model, &options, &lockstep->plan, error);
    if (status == TANDA_OK) status = list_tensors(lockstep, error);
    if (status == TANDA_OK)
        status =
            allocate(&lockstep->start, lockstep->plan->parameter_count, sizeof(float), "parameters", error);
    if (status != TANDA_OK) return status;
    plan_pack(lockstep->plan, lockstep->model->parameters, lockstep->start);
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        status = runner_create(lockstep, side, error);
        if (status == TANDA_OK)
            memcpy(lockstep->runners[side].packed, lockstep->start,
                   lockstep->plan->parameter_count * sizeof(float));
    }
    lockstep->result->bounded = lockstep->runners[SIDE_A].fast || lockstep->runners[SIDE_B].fast;
    if (status == TANDA_OK && lockstep->result->bounded) status = prepare_reference(lockstep, error);
    return status;
}

static void lockstep_free(lockstep *lockstep) {
    for (int side = 0; side < SIDE_COUNT; side++) {
        runner_free(&lockstep->runners[side]);
        free(lockstep->bound[side]);
    }
    if (lockstep->reference.model != NULL) step_reference_free(&lockstep->reference);
    plan_free(lockstep->plan);
    free(lockstep->start);
    free(lockstep->before);
    free(lockstep->row);
    free(lockstep->expected);
}

/* ---- comparing one tensor ----------------------------------------------------------------------------- */

/* Counts a difference unless an earlier one is known. */
static void note(lockstep *lockstep, size_t tensor, const mismatch *found) {
    if (lockstep->result->first.place != LOCKSTEP_NONE) return;
    lockstep->result->first =
        (divergence){.place = LOCKSTEP_STEP, .step = lockstep->step, .tensor = tensor, .mismatch = *found};
}

static void compare(lockstep *lockstep, size_t index, const expectation *expected, const float *a,
                    const float *b, size_t count) {
    compared_tensor *tensor = &lockstep->result->tensors[index];
    mismatch found;
    if (!compare_values(&tensor->figures, expected, a, b, count, tensor->columns, &found))
        note(lockstep, index, &found);
}

/* What the reference says of a tensor; rows and columns as they lie there. */
static expectation expect(const bounded *bounded, size_t row_step, size_t column_step) {
    return (expectation){.value = bounded->value,
                         .bound = {bounded->bound[SIDE_A], bounded->bound[SIDE_B]},
                         .row_step = row_step,
                         .column_step = column_step};
}

static const bounded *bounded_tensor(const step_reference *reference, quantity quantity, size_t layer) {
    const layer_reference *of_layer = &reference->layers[layer];
    switch (quantity) {
    case QUANTITY_INPUT:
        return &reference->input;
    case QUANTITY_LOGITS:
        return &of_layer->logits;
    case QUANTITY_OUTPUT:
        return &of_layer->output;
    case QUANTITY_LOSS:
        return &reference->losses;
    case QUANTITY_DELTA_OUTPUT:
        return &of_layer->output_delta;
    case QUANTITY_DELTA:
        return &of_layer->delta;
    case QUANTITY_LOSS_SUM:
        return &reference->loss_sum;
    case QUANTITY_CORRECT:
        return &reference->correct;
    case QUANTITY_WEIGHT_GRADIENT:
        return &of_layer->weight_gradient;
    default:
        return &of_layer->bias_gradient;
    }
}

/* A delta that shares the storage of the delta of the output is named by the latter, and is the same. */
static tanda_status compare_kept(lockstep *lockstep, size_t index, tensor_role role, tanda_error *error) {
    const compared_tensor *compared = &lockstep->result->tensors[index];
    const tensor *tensor = plan_tensor(lockstep->plan, role, compared->layer);
    runner *a = &lockstep->runners[SIDE_A], *b = &lockstep->runners[SIDE_B];
    tanda_status status = backend_read(a->backend, a->program, tensor, a->values, error);
    if (status == TANDA_OK) status = backend_read(b->backend, b->program, tensor, b->values, error);
    if (status != TANDA_OK) return status;
    expectation expected;
    if (lockstep->result->bounded)
        expected = expect(bounded_tensor(&lockstep->reference, compared->quantity, compared->layer), 1,
                          lockstep->rows);
    compare(lockstep, index, lockstep->result->bounded ? &expected : NULL, a->values, b->values,
            lockstep->rows * tensor->units);
    return TANDA_OK;
}

/* A single value of the step's results. */
static void compare_result(lockstep *lockstep, size_t index, float a, float b) {
    expectation expected;
    if (lockstep->result->bounded)
        expected =
            expect(bounded_tensor(&lockstep->reference, lockstep->result->tensors[index].quantity, 0), 1, 1);
    compare(lockstep, index, lockstep->result->bounded ? &expected : NULL, &a, &b, 1);
}

/* ---- comparing parameters ----------------------------------------------------------------------------- */

/* Where a tensor of parameters lies in the model's order. */
static size_t offset_in_model(const lockstep *lockstep, const compared_tensor *tensor) {
    const layer *layer = &lockstep->model->layers[tensor->layer];
    bool bias = tensor->quantity == QUANTITY_BIAS || tensor->quantity == QUANTITY_BIAS_GRADIENT;
    return bias ? layer->bias : layer->weight;
}

static size_t rows_of(const lockstep *lockstep, const compared_tensor *tensor) {
    return lockstep->model->layers[tensor->layer].outputs;
}

/*
 * w' = w - lr g, held against each side's own gradient: the reference uses its own, and a side may be off by
 * lr |g_side - g| and two roundings (numerics section 4).
 */
static void expect_update(lockstep *lockstep, const compared_tensor *tensor) {
    size_t offset = offset_in_model(lockstep, tensor), count = rows_of(lockstep, tensor) * tensor->columns;
    const bounded *gradient = bounded_tensor(&lockstep->reference,
                                             tensor->quantity == QUANTITY_WEIGHT ? QUANTITY_WEIGHT_GRADIENT
                                                                                 : QUANTITY_BIAS_GRADIENT,
                                             tensor->layer);
    double rate = (double)lockstep->options->learning_rate;
    for (size_t i = 0; i < count; i++) {
        double w = (double)lockstep->before[offset + i];
        lockstep->expected[offset + i] = w - rate * gradient->value[i];
        for (int side = 0; side < SIDE_COUNT; side++) {
            double g = (double)lockstep->runners[side].values[offset + i];
            lockstep->bound[side][offset + i] = rate * fabs(g - gradient->value[i]) +
                                                2.0 * UNIT_ROUNDOFF * (fabs(w) + rate * fabs(g)) + 0x1p-126;
        }
    }
}

static bool is_parameter(quantity quantity) {
    return quantity == QUANTITY_WEIGHT || quantity == QUANTITY_BIAS;
}

static bool is_gradient(quantity quantity) {
    return quantity == QUANTITY_WEIGHT_GRADIENT || quantity == QUANTITY_BIAS_GRADIENT;
}

/* Compares gradients or updated parameters from their packed vectors, which are only unpacked if need be. */
static void compare_packed(lockstep *lockstep, bool gradients) {
    lockstep_result *result = lockstep->result;
    runner *a = &lockstep->runners[SIDE_A], *b = &lockstep->runners[SIDE_B];
    const float *packed_a = gradients ? a->gradient : a->packed,
                *packed_b = gradients ? b->gradient : b->packed;
    bool same = !result->bounded &&
                memcmp(packed_a, packed_b, lockstep->plan->parameter_count * sizeof *packed_a) == 0;
    if (result->bounded && !gradients) { /* the gradients are still unpacked */
        for (size_t i = 0; i < result->tensor_count; i++)
            if (is_parameter(result->tensors[i].quantity)) expect_update(lockstep, &result->tensors[i]);
    }
    if (!same) {
        plan_unpack(lockstep->plan, packed_a, a->values);
        plan_unpack(lockstep->plan, packed_b, b->values);
    }
    for (size_t i = 0; i < result->tensor_count; i++) {
        compared_tensor *tensor = &result->tensors[i];
        size_t count = rows_of(lockstep, tensor) * tensor->columns, offset;
        if (gradients ? !is_gradient(tensor->quantity) : !is_parameter(tensor->quantity)) continue;
        if (same) {
            tensor->figures.compared += count;
            continue;
        }
        offset = offset_in_model(lockstep, tensor);
        const expectation update = {
            .value = lockstep->expected + offset,
            .bound = {lockstep->bound[SIDE_A] + offset, lockstep->bound[SIDE_B] + offset},
            .row_step = tensor->columns,
            .column_step = 1};
        const expectation expected =
            !result->bounded ? (expectation){0}
            : gradients      ? expect(bounded_tensor(&lockstep->reference, tensor->quantity, tensor->layer),
                                      tensor->columns, 1)
                             : update;
        compare(lockstep, i, result->bounded ? &expected : NULL, a->values + offset, b->values + offset,
                count);
    }
}

/* ---- one step ----------------------------------------------------------------------------------------- */

/* The rows of the step in their order, independently of any device's. */
static void find_rows(lockstep *lockstep) {
    const lockstep_options *options = lockstep->options;
    size_t rows = lockstep->dataset->rows, per_epoch = steps_per_epoch(rows, lockstep->batch_rows);
    size_t first = (size_t)(lockstep->step % per_epoch) * lockstep->batch_rows;
    bool shuffled = options->shuffle && lockstep->batch_rows < rows;
    shuffle_key key = shuffle_make_key(options->seed, (uint32_t)(lockstep->step / per_epoch),
                                       philox_stream(PURPOSE_SHUFFLE, 0), rows);
    for (size_t i = 0; i < lockstep->rows; i++)
        lockstep->row[i] = shuffled ? (size_t)shuffle_position(key, first + i) : first + i;
}

static tanda_status run_sides(lockstep *lockstep, tanda_error *error) {
    size_t bytes = lockstep->plan->parameter_count * sizeof(float);
    tanda_status status = TANDA_OK;
    if (lockstep->result->bounded) {
        const runner *leader = &lockstep->runners[lockstep->leader];
        runner *other = &lockstep->runners[SIDE_COUNT - 1 - lockstep->leader];
        plan_unpack(lockstep->plan, leader->packed, lockstep->before);
        status = backend_upload(other->backend, other->parameters, leader->packed, bytes, error);
    }
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++)
        status = backend_run(lockstep->runners[side].backend, lockstep->runners[side].program, lockstep->step,
                             1, error);
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        runner *runner = &lockstep->runners[side];
        status = backend_results(runner->backend, runner->program, &runner->result, error);
        if (status == TANDA_OK)
            status = backend_read_gradient(runner->backend, runner->program, runner->gradient, error);
        if (status == TANDA_OK)
            status = backend_download(runner->backend, runner->parameters, runner->packed, bytes, error);
    }
    return status;
}

static tanda_status compare_step(lockstep *lockstep, tanda_error *error) {
    static const tensor_role roles[] = {[QUANTITY_INPUT] = TENSOR_INPUT,
                                        [QUANTITY_LOGITS] = TENSOR_LOGITS,
                                        [QUANTITY_OUTPUT] = TENSOR_OUTPUT,
                                        [QUANTITY_LOSS] = TENSOR_LOSS,
                                        [QUANTITY_DELTA_OUTPUT] = TENSOR_DELTA_OUTPUT,
                                        [QUANTITY_DELTA] = TENSOR_DELTA};
    const step_result *a = &lockstep->runners[SIDE_A].result, *b = &lockstep->runners[SIDE_B].result;
    for (size_t i = 0; i < lockstep->result->tensor_count; i++) {
        quantity quantity = lockstep->result->tensors[i].quantity;
        tanda_status status = TANDA_OK;
        if (quantity <= QUANTITY_DELTA) status = compare_kept(lockstep, i, roles[quantity], error);
        if (quantity == QUANTITY_LOSS_SUM) compare_result(lockstep, i, a->loss, b->loss);
        if (quantity == QUANTITY_CORRECT) compare_result(lockstep, i, (float)a->correct, (float)b->correct);
        if (status != TANDA_OK) return status;
    }
    compare_packed(lockstep, true);
    compare_packed(lockstep, false);
    return TANDA_OK;
}

static tanda_status check_finite(const lockstep *lockstep, tanda_error *error) {
    for (int side = 0; side < SIDE_COUNT; side++) {
        const step_result *result = &lockstep->runners[side].result;
        if (!isfinite(result->loss) || result->not_finite)
            return fail(error, TANDA_FAILED,
                        "diverged: a %s is not finite in step %llu, on both sides alike; a smaller learning "
                        "rate than %g may help",
                        isfinite(result->loss) ? "weight" : "loss", (unsigned long long)lockstep->step + 1,
                        (double)lockstep->options->learning_rate);
    }
    return TANDA_OK;
}

static tanda_status run_step(lockstep *lockstep, tanda_error *error) {
    size_t rows = lockstep->dataset->rows;
    lockstep->rows = batch_size(rows, lockstep->batch_rows,
                                (size_t)(lockstep->step % steps_per_epoch(rows, lockstep->batch_rows)));
    tanda_status status = run_sides(lockstep, error);
    if (status == TANDA_OK && lockstep->result->bounded) {
        find_rows(lockstep);
        step_reference_run(&lockstep->reference, lockstep->before, lockstep->dataset, lockstep->row,
                           lockstep->rows);
        lockstep->result->kinks = lockstep->reference.kinks;
    }
    if (status == TANDA_OK) status = compare_step(lockstep, error);
    if (status != TANDA_OK) return status;
    lockstep->result->steps++;
    if (lockstep->result->first.place != LOCKSTEP_NONE) return TANDA_OK;
    return check_finite(lockstep, error);
}

/* ---- each side by itself ------------------------------------------------------------------------------ */

/* Trains as a user would, nothing kept, from the first weights; the weights end up in runner->gradient. */
static tanda_status train_alone(lockstep *lockstep, int side, const plan *plan, tanda_error *error) {
    runner *runner = &lockstep->runners[side];
    size_t bytes = plan->parameter_count * sizeof(float);
    program *program = NULL;
    tanda_status status = backend_upload(runner->backend, runner->parameters, lockstep->start, bytes, error);
    if (status == TANDA_OK) status = compile(lockstep, side, plan, &program, error);
    if (status == TANDA_OK) status = backend_finish(runner->backend, error);
    double start = seconds_now();
    if (status == TANDA_OK)
        status = backend_run(runner->backend, program, 0, lockstep->options->steps, error);
    if (status == TANDA_OK)
        status = backend_download(runner->backend, runner->parameters, runner->gradient, bytes, error);
    lockstep->result->seconds[side] = seconds_now() - start;
    backend_program_free(runner->backend, program);
    return status;
}

/* An exact side by itself must end in the weights of the lockstep. */
static void compare_alone(lockstep *lockstep, int side) {
    runner *runner = &lockstep->runners[side], *other = &lockstep->runners[SIDE_COUNT - 1 - side];
    size_t bytes = lockstep->plan->parameter_count * sizeof(float);
    if (memcmp(runner->packed, runner->gradient, bytes) == 0) return;
    plan_unpack(lockstep->plan, runner->packed, runner->values);
    plan_unpack(lockstep->plan, runner->gradient, other->values);
    for (size_t i = 0; i < lockstep->result->tensor_count; i++) {
        compared_tensor *tensor = &lockstep->result->tensors[i];
        size_t offset = offset_in_model(lockstep, tensor);
        figures unused = {0};
        mismatch found;
        if (!is_parameter(tensor->quantity) ||
            compare_values(&unused, NULL, runner->values + offset, other->values + offset,
                           rows_of(lockstep, tensor) * tensor->columns, tensor->columns, &found))
            continue;
        lockstep->result->first = (divergence){.place = side == SIDE_A ? LOCKSTEP_FREE_A : LOCKSTEP_FREE_B,
                                               .step = lockstep->options->steps - 1,
                                               .tensor = i,
                                               .mismatch = found};
        return;
    }
}

/* How far both sides have come apart; their weights are in gradient, and still on the devices. */
static tanda_status measure_drift(lockstep *lockstep, tanda_error *error) {
    lockstep_result *result = lockstep->result;
    const float *a = lockstep->runners[SIDE_A].gradient, *b = lockstep->runners[SIDE_B].gradient;
    for (size_t i = 0; i < lockstep->plan->parameter_count; i++) {
        result->drift = fmax(result->drift, fabs((double)a[i] - (double)b[i]));
        result->largest_weight = fmax(result->largest_weight, fabs((double)b[i]));
    }
    tanda_status status = TANDA_OK;
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        runner *runner = &lockstep->runners[side];
        evaluator evaluator = {0};
        status = evaluator_create(runner->backend, lockstep->model, &runner->resident, runner->parameters,
                                  &evaluator, error);
        if (status == TANDA_OK)
            status = evaluator_run(runner->backend, &evaluator, &result->final[side], error);
        evaluator_free(runner->backend, &evaluator);
    }
    return status;
}

static tanda_status run_alone(lockstep *lockstep, tanda_error *error) {
    const plan_options options = {.training = true};
    plan *plan = NULL;
    tanda_status status = plan_create(lockstep->model, &options, &plan, error);
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        status = train_alone(lockstep, side, plan, error);
        if (status != TANDA_OK) break;
        bool exact = !lockstep->runners[side].fast;
        if (exact && lockstep->result->first.place == LOCKSTEP_NONE) compare_alone(lockstep, side);
    }
    if (status == TANDA_OK && lockstep->result->bounded && lockstep->result->first.place == LOCKSTEP_NONE)
        status = measure_drift(lockstep, error);
    plan_free(plan);
    return status;
}

tanda_status lockstep_run(const lockstep_side sides[SIDE_COUNT], const tanda_model *model,
                          const tanda_dataset *dataset, const lockstep_options *options,
                          lockstep_result *result, tanda_error *error) {
    lockstep lockstep = {
        .model = model, .dataset = dataset, .options = options, .sides = sides, .result = result};
    *result = (lockstep_result){0};
    if (options->steps == 0) return fail(error, TANDA_USAGE, "steps: 0 is too few, give 1 or more");
    tanda_status status = check_fit(model, dataset, true, error);
    if (status == TANDA_OK) status = prepare(&lockstep, error);
    for (; status == TANDA_OK && lockstep.step < options->steps && result->first.place == LOCKSTEP_NONE;
         lockstep.step++) {
        status = run_step(&lockstep, error);
        if (status == TANDA_OK && options->on_step != NULL)
            options->on_step(lockstep.step, options->steps, options->context);
    }
    if (status == TANDA_OK && result->first.place == LOCKSTEP_NONE) status = run_alone(&lockstep, error);
    lockstep_free(&lockstep);
    return status;
}

void lockstep_result_free(lockstep_result *result) {
    free(result->tensors);
    *result = (lockstep_result){0};
}
