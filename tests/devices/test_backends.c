/* Every backend gives the same bits in every tensor, and the order of the rows is a seeded shuffle. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/shuffle.h"
#include "support_checks.h"

/* ---- equal bits --------------------------------------------------------------------------------------- */

static void compare_case(const network *network, backend *one, backend *other) {
    char difference[200], text[NETWORK_TEXT_SIZE];
    problem problem = problem_create(network);
    capture first = capture_step(one, &problem, NULL), second = capture_step(other, &problem, NULL);
    cr_expect(captures_agree(&first, &second, difference, sizeof difference), "%s, %s and %s differ: %s",
              network_text(network, text), backend_title(one), backend_title(other), difference);
    capture_free(&first);
    capture_free(&second);
    problem_free(&problem);
}

/* Every case of both lists against the best CPU backend. */
static void compare_with_best(const char *name) {
    backend *other = open_named(name);
    if (other == NULL) return;
    backend *best = open_best_openmp(1);
    for (size_t i = 0; i < network_count; i++)
        compare_case(&networks[i], best, other);
    for (size_t i = 0; i < integer_network_count; i++)
        compare_case(&integer_networks[i], best, other);
    tanda_device_close(best);
    tanda_device_close(other);
}

Test(backends, x86_64_v4_gives_the_same_bits_in_every_tensor) {
    compare_with_best("x86-64-v4"); /* with two threads against one */
}

Test(backends, x86_64_v3_gives_the_same_bits_in_every_tensor) {
    compare_with_best("x86-64-v3");
}

Test(backends, generic_gives_the_same_bits_in_every_tensor) {
    compare_with_best("generic");
}

Test(backends, pocl_gives_the_same_bits_in_every_tensor, .fini = forget_opencl) {
    compare_with_best("pocl");
}

/* ---- keeping tensors ---------------------------------------------------------------------------------- */

static void compare_keeping(backend *backend) {
    for (size_t i = 0; i < network_count; i++) {
        problem problem = problem_create(&networks[i]);
        step_options options = {.batch_rows = (networks[i].rows + 2) / 3, .shuffle = i % 2 == 0, .seed = i};
        char with[TANDA_DIGEST_SIZE], without[TANDA_DIGEST_SIZE], text[NETWORK_TEXT_SIZE];
        digest_after(backend, &problem, &options, 5, without);
        options.keep = true;
        digest_after(backend, &problem, &options, 5, with);
        cr_expect_str_eq(with, without, "%s on %s", network_text(&networks[i], text), backend_title(backend));
        problem_free(&problem);
    }
}

Test(backends, keeping_every_tensor_changes_no_weight_on_openmp) {
    backend *backend = open_best_openmp(2);
    compare_keeping(backend);
    tanda_device_close(backend);
}

Test(backends, keeping_every_tensor_changes_no_weight_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    compare_keeping(backend);
    tanda_device_close(backend);
}

/* ---- the order of the rows ---------------------------------------------------------------------------- */

#define ORDER_ROWS 1111
#define ORDER_FEATURES 21
#define ORDER_BATCH 300
#define ORDER_STEPS 4 /* of an epoch; the last batch has 211 rows */
#define ORDER_SEED UINT64_C(0x123456789abcdef0)

/* Features tell row and column; targets are the row's number and weights 0, so a loss is that number squared. */
static problem order_problem(void) {
    static const network network = {
        ORDER_ROWS, ORDER_FEATURES,        1,           {1}, {ACTIVATION_IDENTITY},
        LOSS_MSE,   TANDA_TASK_REGRESSION, CONTENT_REAL};
    problem made = problem_create(&network);
    for (size_t i = 0; i < ORDER_ROWS * ORDER_FEATURES; i++)
        made.dataset.owned[i] = (float)i;
    for (size_t row = 0; row < ORDER_ROWS; row++)
        made.dataset.targets[row] = (float)row;
    for (size_t i = 0; i < made.model->parameter_count; i++)
        made.model->parameters[i] = 0.0f;
    return made;
}

/* The row that lies at `position` of the step just run, by its features; its label must be the same row's. */
static size_t row_found(const float *input, const float *losses, size_t position) {
    const float *values = input + position * ORDER_FEATURES;
    size_t row = (size_t)values[0] / ORDER_FEATURES;
    for (size_t k = 0; k < ORDER_FEATURES; k++)
        cr_assert_eq(values[k], (float)(row * ORDER_FEATURES + k), "position %zu, feature %zu", position, k);
    cr_assert_eq(losses[position], (float)(row * row), "position %zu: label of another row", position);
    return row;
}

/* Runs one step at a time through two epochs; row_of[epoch * ORDER_ROWS + position]. */
static void read_order(backend *backend, bool shuffle, size_t *row_of) {
    problem problem = order_problem();
    const step_options options = {.batch_rows = ORDER_BATCH,
                                  .shuffle = shuffle,
                                  .seed = ORDER_SEED,
                                  .learning_rate = 0x1p-148f,
                                  .keep = true};
    execution execution = execution_create(backend, &problem, &options);
    float *input = calloc(ORDER_BATCH * ORDER_FEATURES, sizeof *input),
          *losses = calloc(ORDER_BATCH, sizeof *losses);
    float *zeros = calloc(execution.session.plan->parameter_count, sizeof *zeros);
    cr_assert(input != NULL && losses != NULL && zeros != NULL);
    size_t position = 0;
    for (size_t step = 0; step < 2 * ORDER_STEPS; step++) {
        MUST(session_write_parameters(&execution.session, zeros, error));
        execution_run(&execution, step, 1, NULL);
        MUST(session_read(&execution.session, plan_tensor(execution.session.plan, TENSOR_INPUT, 0), input,
                          error));
        MUST(session_read(&execution.session, plan_tensor(execution.session.plan, TENSOR_LOSS, 0), losses,
                          error));
        size_t rows = batch_size(ORDER_ROWS, ORDER_BATCH, step % ORDER_STEPS);
        for (size_t i = 0; i < rows; i++)
            row_of[position++] = row_found(input, losses, i);
    }
    cr_assert_eq(position, 2 * ORDER_ROWS);
    free(input);
    free(losses);
    free(zeros);
    execution_free(&execution);
    problem_free(&problem);
}

static void check_order(backend *backend) {
    size_t row_of[2 * ORDER_ROWS], seen[ORDER_ROWS] = {0};
    read_order(backend, true, row_of);
    size_t same = 0;
    for (size_t epoch = 0; epoch < 2; epoch++) {
        shuffle_key key =
            shuffle_make_key(ORDER_SEED, (uint)epoch, philox_stream(PURPOSE_SHUFFLE, 0), ORDER_ROWS);
        for (size_t i = 0; i < ORDER_ROWS; i++) {
            size_t row = row_of[epoch * ORDER_ROWS + i];
            cr_assert_eq(row, shuffle_position(key, i), "epoch %zu, position %zu", epoch, i);
            cr_assert_eq(seen[row]++, epoch, "epoch %zu: row %zu comes twice", epoch, row);
            same += row_of[i] == row;
        }
    }
    cr_assert_lt(same, ORDER_ROWS + 20, "both epochs have nearly the same order");
    read_order(backend, false, row_of);
    for (size_t i = 0; i < 2 * ORDER_ROWS; i++)
        cr_assert_eq(row_of[i], i % ORDER_ROWS, "unshuffled position %zu", i);
}

Test(order, every_row_comes_once_an_epoch_with_its_label_on_openmp) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_openmp(isa_names[i], 2);
        if (backend == NULL) continue;
        check_order(backend);
        tanda_device_close(backend);
    }
}

Test(order, every_row_comes_once_an_epoch_with_its_label_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend == NULL) return;
    check_order(backend);
    tanda_device_close(backend);
}
