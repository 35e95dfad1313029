#include "verify/lockstep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/shuffle.h"
#include "support/clock.h"
#include "support/memory.h"
#include "support/text.h"
#include "train/divergence.h"
#include "verify/lockstep_state.h"
#include "verify/reference.h"

/* ---- preparing ----------------------------------------------------------------------------------------- */

static bool is_openmp(const backend *backend) {
    return strcmp(backend->information.backend, "openmp") == 0;
}

static bool is_cpu(const backend *backend) {
    return strcmp(backend->information.kind, "CPU") == 0;
}

/* True when a side computes with other than exact arithmetic. */
static bool is_fast(const lockstep_side *side) {
    return side->math == TANDA_MATH_FAST && !is_openmp(side->backend);
}

/* Values of the largest thing that is compared at once. */
static size_t largest_tensor(const lockstep *lockstep) {
    const size_t most = lockstep->model->parameter_count,
                 tensor = plan_most_units(lockstep->plan) * lockstep->batch_rows;
    return tensor > most ? tensor : most;
}

/* of: a session of this side whose parameters are shared, or NULL. */
static tanda_status begin_session(lockstep *lockstep, int side, const plan_options *plan, const session *of,
                                  session *result, tanda_error *error) {
    const lockstep_options *options = lockstep->options;
    const program_options program = {.batch_rows = lockstep->batch_rows,
                                     .shuffle = options->shuffle,
                                     .shuffle_block = options->shuffle_block,
                                     .shuffle_window = options->shuffle_window,
                                     .seed = options->seed,
                                     .learning_rate = options->learning_rate,
                                     .update = options->update,
                                     .math = lockstep->sides[side].math,
                                     .gemm = lockstep->sides[side].gemm};
    return session_create(lockstep->model, &lockstep->runners[side].resident, plan, &program, of, result,
                          error);
}

static tanda_status runner_create(lockstep *lockstep, int side, const plan_options *plan,
                                  tanda_error *error) {
    runner *runner = &lockstep->runners[side];
    runner->backend = lockstep->sides[side].backend;
    runner->fast = is_fast(&lockstep->sides[side]);
    tanda_status status = resident_of_dataset(runner->backend, lockstep->model, lockstep->dataset, true,
                                              false, &runner->resident, error);
    if (status == TANDA_OK) status = begin_session(lockstep, side, plan, NULL, &runner->session, error);
    if (status != TANDA_OK) return status;
    lockstep->plan = lockstep->runners[SIDE_A].session.plan;
    const size_t packed = lockstep->plan->parameter_count;
    status = allocate(&runner->packed, packed, sizeof(float), "parameters", error);
    if (status == TANDA_OK) status = allocate(&runner->gradient, packed, sizeof(float), "gradient", error);
    for (size_t i = 0; status == TANDA_OK && i < update_state_count(lockstep->options->update.rule); i++)
        status = allocate(&runner->state[i], packed, sizeof(float), "optimizer state", error);
    if (status == TANDA_OK)
        status = allocate(&runner->values, largest_tensor(lockstep), sizeof(float), "tensor", error);
    if (status == TANDA_OK)
        text_put(lockstep->result->notes[side], sizeof lockstep->result->notes[side], "%s",
                 session_notes(&runner->session));
    if (status == TANDA_OK) plan_pack(lockstep->plan, lockstep->model->parameters, runner->packed);
    return status;
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
    const plan_options options = {.training = true,
                                  .with_prediction = true,
                                  .keep = true,
                                  .dropout = lockstep->options->dropout,
                                  .weighted = lockstep->dataset->weights != NULL};
    lockstep->batch_rows = batch_rows_of(lockstep->options->batch_rows, lockstep->dataset->rows);
    tanda_status status = TANDA_OK;
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++)
        status = runner_create(lockstep, side, &options, error);
    if (status == TANDA_OK) status = lockstep_list_tensors(lockstep, error);
    if (status == TANDA_OK)
        status =
            allocate(&lockstep->start, lockstep->plan->parameter_count, sizeof(float), "parameters", error);
    if (status != TANDA_OK) return status;
    plan_pack(lockstep->plan, lockstep->model->parameters, lockstep->start);
    lockstep->share_cores =
        is_openmp(lockstep->runners[SIDE_A].backend) != is_openmp(lockstep->runners[SIDE_B].backend) &&
        is_cpu(lockstep->runners[SIDE_A].backend) && is_cpu(lockstep->runners[SIDE_B].backend);
    lockstep->result->bounded = lockstep->runners[SIDE_A].fast || lockstep->runners[SIDE_B].fast;
    if (lockstep->result->bounded && lockstep->plan->labels.count > 1)
        status =
            fail(error, TANDA_USAGE,
                 "several targets: there are no bounds for them yet; compare two exact sides (math=exact)");
    if (status == TANDA_OK && lockstep->result->bounded && lockstep->plan->drops)
        status = fail(error, TANDA_USAGE,
                      "dropout: there are no bounds for it yet; compare two exact sides (math=exact)");
    if (status == TANDA_OK && lockstep->result->bounded) status = prepare_reference(lockstep, error);
    return status;
}

static void lockstep_free(lockstep *lockstep) {
    for (int side = 0; side < SIDE_COUNT; side++) {
        session_free(&lockstep->runners[side].session);
        resident_free(&lockstep->runners[side].resident);
        free(lockstep->runners[side].packed);
        free(lockstep->runners[side].gradient);
        for (size_t i = 0; i < MOST_UPDATE_STATES; i++)
            free(lockstep->runners[side].state[i]);
        free(lockstep->runners[side].values);
        free(lockstep->bound[side]);
    }
    if (lockstep->reference.model != NULL) step_reference_free(&lockstep->reference);
    free(lockstep->start);
    free(lockstep->before);
    free(lockstep->row);
    free(lockstep->expected);
}

/* ---- one step ------------------------------------------------------------------------------------------ */

/* The rows of the step in their order, independently of any device's. */
static void find_rows(lockstep *lockstep) {
    const lockstep_options *options = lockstep->options;
    size_t rows = lockstep->dataset->rows, per_epoch = steps_per_epoch(rows, lockstep->batch_rows);
    size_t first = (size_t)(lockstep->step % per_epoch) * lockstep->batch_rows;
    const row_order order =
        row_order_make(lockstep->batch_rows < rows ? options->shuffle : SHUFFLE_NONE, options->seed, rows,
                       options->shuffle_block, options->shuffle_window);
    for (size_t i = 0; i < lockstep->rows; i++)
        lockstep->row[i] = (size_t)row_order_at(order, (uint32_t)(lockstep->step / per_epoch), first + i);
}

static tanda_status run_sides(lockstep *lockstep, tanda_error *error) {
    const update_rates rates = lockstep_rates(lockstep, lockstep->step);
    tanda_status status = TANDA_OK;
    if (lockstep->result->bounded) {
        const runner *leader = &lockstep->runners[lockstep->leader];
        runner *other = &lockstep->runners[SIDE_COUNT - 1 - lockstep->leader];
        plan_unpack(lockstep->plan, leader->packed, lockstep->before);
        status = session_write_parameters(&other->session, leader->packed, error);
    }
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        session *session = &lockstep->runners[side].session;
        status = session_run(session, lockstep->step, 1, &rates, true, error);
        if (status == TANDA_OK && lockstep->share_cores) status = session_finish(session, error);
    }
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        runner *runner = &lockstep->runners[side];
        session *session = &runner->session;
        status = session_results(session, &runner->result, error);
        if (status == TANDA_OK) status = session_read_gradient(session, runner->gradient, error);
        if (status == TANDA_OK) status = session_read_parameters(session, runner->packed, error);
        for (size_t i = 0; status == TANDA_OK && i < update_state_count(lockstep->options->update.rule); i++)
            status = session_read_state(session, i, runner->state[i], error);
    }
    return status;
}

static tanda_status check_finite(const lockstep *lockstep, tanda_error *error) {
    char advice[DIVERGENCE_ADVICE_SIZE];
    for (int side = 0; side < SIDE_COUNT; side++) {
        const step_result *result = &lockstep->runners[side].result;
        if (isfinite(result->loss) && !result->not_finite) continue;
        divergence_advise(lockstep->model, lockstep->dataset, (double)lockstep->options->learning_rate,
                          advice);
        return fail(error, TANDA_FAILED, "diverged: a %s is not finite in step %llu, on both sides alike; %s",
                    isfinite(result->loss) ? "weight" : "loss", (unsigned long long)lockstep->step + 1,
                    advice);
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
        step_reference_begin(&lockstep->reference, lockstep->before, lockstep->dataset, lockstep->row,
                             lockstep->rows, lockstep->leader);
    }
    if (status == TANDA_OK) status = lockstep_compare(lockstep, error);
    lockstep->result->kinks = lockstep->reference.kinks;
    if (status != TANDA_OK) return status;
    lockstep->result->steps++;
    if (lockstep->result->first.place != LOCKSTEP_NONE) return TANDA_OK;
    return check_finite(lockstep, error);
}

/* ---- each side by itself ------------------------------------------------------------------------------- */

/* Trains as a user would, nothing kept, from the first weights; the weights end up in runner->gradient. */
static tanda_status train_alone(lockstep *lockstep, int side, tanda_error *error) {
    const plan_options plan = {.training = true,
                               .dropout = lockstep->options->dropout,
                               .weighted = lockstep->dataset->weights != NULL};
    runner *runner = &lockstep->runners[side];
    session session = {0};
    update_rates *rates = NULL;
    const uint64_t steps = lockstep->options->steps;
    tanda_status status = allocate(&rates, steps, sizeof *rates, "learning rates", error);
    for (uint64_t s = 0; status == TANDA_OK && s < steps; s++)
        rates[s] = lockstep_rates(lockstep, s);
    if (status == TANDA_OK) status = session_write_parameters(&runner->session, lockstep->start, error);
    if (status == TANDA_OK) status = begin_session(lockstep, side, &plan, &runner->session, &session, error);
    if (status == TANDA_OK) lockstep->result->executors[side] = session_executor(&session);
    if (status == TANDA_OK) status = session_finish(&session, error);
    double start = seconds_now();
    if (status == TANDA_OK) status = session_run(&session, 0, steps, rates, true, error);
    if (status == TANDA_OK) status = session_read_parameters(&session, runner->gradient, error);
    lockstep->result->seconds_alone[side] = seconds_now() - start;
    session_free(&session);
    free(rates);
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
        size_t offset = lockstep_offset(lockstep, tensor);
        figures unused = {0};
        mismatch found;
        if (!lockstep_is_parameter(tensor->quantity) ||
            compare_values(&unused, NULL, runner->values + offset, other->values + offset,
                           lockstep_outputs(lockstep, tensor) * tensor->columns, tensor->columns, &found))
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
        status = evaluator_create(lockstep->model, &runner->resident, &runner->session, &evaluator, error);
        if (status == TANDA_OK) status = evaluator_run(&evaluator, &result->final[side], error);
        evaluator_free(&evaluator);
    }
    return status;
}

static tanda_status run_alone(lockstep *lockstep, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (int side = 0; status == TANDA_OK && side < SIDE_COUNT; side++) {
        status = train_alone(lockstep, side, error);
        if (status != TANDA_OK) break;
        bool exact = !lockstep->runners[side].fast;
        if (exact && lockstep->result->first.place == LOCKSTEP_NONE) compare_alone(lockstep, side);
    }
    if (status == TANDA_OK && lockstep->result->bounded && lockstep->result->first.place == LOCKSTEP_NONE)
        status = measure_drift(lockstep, error);
    return status;
}

/* The reference of fast sides knows one update. */
static tanda_status check_update(const lockstep_side sides[SIDE_COUNT], const lockstep_options *options,
                                 tanda_error *error) {
    const update_constants *constants = &options->update.constants;
    const bool plain = options->update.rule == UPDATE_descent && constants->l1 == 0.0f &&
                       constants->l2 == 0.0f && constants->clip_value == 0.0f && constants->clip_norm == 0.0f;
    if (plain || (!is_fast(&sides[SIDE_A]) && !is_fast(&sides[SIDE_B]))) return TANDA_OK;
    return fail(error, TANDA_USAGE,
                "math=fast: the bounds are those of plain descent; compare with --optimizer sgd and without "
                "penalties and clipping, or exact sides");
}

tanda_status lockstep_run(const lockstep_side sides[SIDE_COUNT], const tanda_model *model,
                          const tanda_dataset *dataset, const lockstep_options *options,
                          lockstep_result *result, tanda_error *error) {
    lockstep lockstep = {
        .model = model, .dataset = dataset, .options = options, .sides = sides, .result = result};
    *result = (lockstep_result){0};
    lockstep.rates = options->rates;
    if (options->steps == 0) return fail(error, TANDA_USAGE, "steps: 0 is too few, give 1 or more");
    tanda_status status = check_update(sides, options, error);
    if (status == TANDA_OK) status = dataset_in_memory(dataset, "verify", error);
    if (status == TANDA_OK) status = check_fit(model, dataset, true, error);
    if (status == TANDA_OK) status = prepare(&lockstep, error);
    double start = seconds_now();
    for (; status == TANDA_OK && lockstep.step < options->steps && result->first.place == LOCKSTEP_NONE;
         lockstep.step++) {
        status = run_step(&lockstep, error);
        if (status == TANDA_OK && options->on_step != NULL)
            options->on_step(lockstep.step, options->steps, options->context);
    }
    result->seconds = seconds_now() - start;
    if (status == TANDA_OK && result->first.place == LOCKSTEP_NONE) status = run_alone(&lockstep, error);
    status = dataset_check(dataset, status, error);
    lockstep_free(&lockstep);
    return status;
}

void lockstep_result_free(lockstep_result *result) {
    free(result->tensors);
    *result = (lockstep_result){0};
}
