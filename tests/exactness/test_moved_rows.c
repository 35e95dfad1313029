/* Rows that are the device's to rearrange: every program reads them, and they are put back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support_network.h"

#define MOST_FLOATS 100000

/* What programs made of the rows, one after the other. */
typedef struct record {
    float values[MOST_FLOATS];
    size_t count;
} record;

static const network shape = {.rows = 1100,
                              .features = 21,
                              .layer_count = 2,
                              .units = {20, 3},
                              .activations = {ACTIVATION_RELU, ACTIVATION_SOFTMAX},
                              .loss = LOSS_CATEGORICAL_CROSSENTROPY,
                              .task = TANDA_TASK_CLASSES};

static const network perceptron = {.rows = 1100,
                                   .features = 21,
                                   .layer_count = 1,
                                   .units = {1},
                                   .activations = {ACTIVATION_SIGMOID},
                                   .loss = LOSS_BINARY_CROSSENTROPY,
                                   .task = TANDA_TASK_CLASSES};

static float *room(record *record, size_t count) {
    cr_assert_leq(record->count + count, MOST_FLOATS);
    record->count += count;
    return record->values + record->count - count;
}

static session make(const problem *problem, const resident *rows, plan_options plan, size_t batch_rows,
                    bool shuffle) {
    const program_options options = {
        .batch_rows = batch_rows, .shuffle = shuffle, .seed = 3, .learning_rate = 0.125f};
    session made = {0};
    MUST(session_create(problem->model, rows, &plan, &options, NULL, &made, error));
    return made;
}

/* Steps, and the parameters after them. */
static void train(session *session, uint64_t first, size_t steps, record *record) {
    MUST(session_run(session, first, steps, NULL, true, error));
    MUST(session_read_parameters(session, room(record, session->plan->parameter_count), error));
}

static void train_anew(const problem *problem, const resident *rows, size_t batch_rows, bool shuffle,
                       record *record) {
    session session = make(problem, rows, (plan_options){.training = true}, batch_rows, shuffle);
    train(&session, 0, 5, record);
    session_free(&session);
}

static void read_kept(const problem *problem, const resident *rows, size_t batch_rows, record *record) {
    session session = make(problem, rows, (plan_options){.training = true, .keep = true}, batch_rows, false);
    MUST(session_run(&session, 1, 1, NULL, true, error));
    const tensor *input = session.plan->input;
    MUST(session_read(&session, input, room(record, batch_rows * input->units), error));
    session_free(&session);
}

static void evaluate(const problem *problem, const resident *rows, record *record) {
    session session = make(problem, rows, (plan_options){.with_loss = true}, rows->rows, false);
    step_result result;
    MUST(session_run(&session, 0, 1, NULL, true, error));
    MUST(session_results(&session, &result, error));
    *room(record, 1) = result.loss;
    *room(record, 1) = (float)result.correct;
    session_free(&session);
}

static void predict(const problem *problem, const resident *rows, record *record) {
    session session =
        make(problem, rows, (plan_options){.with_prediction = true, .keep = true}, rows->rows, false);
    const tensor *output = plan_tensor(session.plan, TENSOR_OUTPUT, problem->model->layer_count - 1);
    MUST(session_sweep(&session, output, 0, rows->rows, room(record, rows->rows * output->units), error));
    session_free(&session);
}

/* The second session has the rows rearranged while the first goes on. */
static void use_rows(const problem *problem, const resident *rows, record *record) {
    session shuffled = make(problem, rows, (plan_options){.training = true}, 32, true);
    train(&shuffled, 0, 10, record);
    train_anew(problem, rows, rows->rows, false, record);
    train(&shuffled, 10, 40, record);
    train_anew(problem, rows, 300, true, record);
    train_anew(problem, rows, 100, false, record);
    train_anew(problem, rows, 512, false, record);
    read_kept(problem, rows, 512, record);
    read_kept(problem, rows, 100, record);
    evaluate(problem, rows, record);
    predict(problem, rows, record);
    session_free(&shuffled);
}

static void record_use(backend *backend, const problem *problem, bool moved, record *record) {
    const tanda_dataset *dataset = &problem->dataset;
    const row_arrays arrays = {.rows = dataset->rows,
                               .features = dataset->features,
                               .targets = 1,
                               .values = dataset->values,
                               .labels = dataset->classes,
                               .moved = moved};
    resident rows = {0};
    record->count = 0;
    MUST(resident_create(backend, &arrays, &rows, error));
    use_rows(problem, &rows, record);
    resident_free(&rows);
}

static void check_rows(backend *backend, const network *network, const char *how) {
    static record borrowed, moved;
    problem problem = problem_create(network);
    const size_t bytes = network->rows * network->features * sizeof(float);
    float *before = malloc(bytes);
    memcpy(before, problem.dataset.values, bytes);
    record_use(backend, &problem, false, &borrowed);
    record_use(backend, &problem, true, &moved);
    for (size_t i = 0; i < borrowed.count; i++)
        cr_assert_eq(bits_of_float(borrowed.values[i]), bits_of_float(moved.values[i]), "%s: value %zu", how,
                     i);
    cr_expect_eq(memcmp(before, problem.dataset.values, bytes), 0, "%s: rows are not put back", how);
    free(before);
    problem_free(&problem);
}

static void check_backend(backend *backend, size_t wave_tiles, const char *how) {
    (void)wave_tiles;
    check_rows(backend, &shape, how);
    check_rows(backend, &perceptron, how);
}

Test(moved_rows, serve_every_program_as_rows_that_stay_for_any_number_of_threads) {
    static const size_t threads[] = {1, 2, 7};
    check_threads(check_backend, threads, sizeof threads / sizeof *threads);
}

Test(moved_rows, serve_every_program_as_rows_that_stay_on_every_instruction_set) {
    check_instruction_sets(check_backend);
}

Test(moved_rows, serve_every_program_as_rows_that_stay_on_pocl, .fini = forget_opencl) {
    if (!use_opencl("pocl")) return;
    backend *backend = open_opencl(NULL);
    check_backend(backend, 0, "pocl");
    tanda_device_close(backend);
}
