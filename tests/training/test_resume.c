/* The library: a training that should_stop ends in the middle goes on elsewhere to the same bits, with any optimizer. */
#include "program.h"
#include "support_network.h"

TestSuite(resume, .init = enter_folder, .fini = leave_folder, .timeout = 300);

static const network layers = {700,
                               20,
                               3,
                               {24, 17, 5},
                               {ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_SOFTMAX},
                               LOSS_CATEGORICAL_CROSSENTROPY,
                               TANDA_TASK_CLASSES,
                               CONTENT_REAL};

/* Each optimizer with something else that has to go on where it was. */
static tanda_train_options options_of(size_t kind, const double *dropout) {
    tanda_train_options options = {
        .size = sizeof options, .epochs = 12, .batch_rows = 20, .seed = 3, .restore_best = kind % 2 == 0};
    options.optimizer = tanda_optimizer_defaults((tanda_optimizer)kind);
    options.learning_rate = kind == TANDA_OPTIMIZER_SGD ? 0.125 : 0.01;
    if (kind == TANDA_OPTIMIZER_LBFGS) {
        options.batch_rows = 0;
        options.epochs = 60;
        options.learning_rate = tanda_optimizer_learning_rate(TANDA_OPTIMIZER_LBFGS);
        options.optimizer.tolerance = 0.0;
        return options;
    }
    static const tanda_schedule schedules[] = {TANDA_SCHEDULE_PLATEAU, TANDA_SCHEDULE_ONE_CYCLE,
                                               TANDA_SCHEDULE_COSINE, TANDA_SCHEDULE_STEP};
    options.schedule = tanda_schedule_defaults(schedules[kind % 4]);
    if (options.schedule.kind == TANDA_SCHEDULE_PLATEAU) {
        options.schedule.patience = 1;
        options.schedule.min_delta = 0.2; /* hardly any epoch is so much better */
    }
    if (kind % 2 == 1)
        options.shuffle = TANDA_SHUFFLE_WINDOW, options.shuffle_block = 3, options.shuffle_window = 12;
    options.optimizer.amsgrad = kind == TANDA_OPTIMIZER_ADAM;
    options.optimizer.clip_norm = kind == TANDA_OPTIMIZER_RMSPROP ? 0.01 : 0.0;
    if (kind != TANDA_OPTIMIZER_ADAGRAD) options.dropout = dropout;
    return options;
}

/* Says stop at the `stop`-th question. */
typedef struct stopper {
    size_t asked, stop;
} stopper;

static bool should_stop(void *context) {
    stopper *stopper = context;
    return ++stopper->asked >= stopper->stop;
}

static backend *open_machine(size_t index, bool with_opencl) {
    switch (index % 4) {
    case 0:
        return open_best_openmp(3);
    case 1:
        return open_openmp("generic", 2);
    case 2:
        return with_opencl ? open_opencl(NULL) : open_best_openmp(2);
    default:
        return open_best_openmp(1);
    }
}

/* Runs on one machine after the other, each up to its `stop`-th question; the interruptions. */
static size_t train_in_pieces(const problem *problem, tanda_train_options options, bool with_opencl,
                              char digest[TANDA_DIGEST_SIZE]) {
    static const size_t stops[] = {1, 3, 2, 4};
    tanda_train_result result;
    unlink("pieces.safetensors");
    for (size_t piece = 0;; piece++) {
        tanda_error error = {0};
        stopper stopper = {.stop = stops[piece % 4]};
        backend *backend = open_machine(piece, with_opencl);
        options.checkpoint = "pieces.safetensors";
        options.resume = piece == 0 ? NULL : options.checkpoint;
        options.should_stop = should_stop;
        options.context = &stopper;
        const tanda_status status = tanda_train(backend, problem->model, &problem->dataset, &problem->dataset,
                                                &options, &result, &error);
        tanda_device_close(backend);
        cr_assert(status == TANDA_OK || status == TANDA_INTERRUPTED, "%s", error.message);
        if (status == TANDA_INTERRUPTED) continue;
        tanda_model_digest(problem->model, digest);
        return piece;
    }
}

Test(resume, of_every_optimizer_ends_in_the_same_bits, .fini = forget_opencl) {
    const bool with_opencl = use_opencl("pocl");
    const double dropout[3] = {0.0, 0.25, 0.0};
    for (size_t kind = 0; tanda_optimizer_name((tanda_optimizer)kind) != NULL; kind++) {
        const tanda_train_options options = options_of(kind, dropout);
        char expected[TANDA_DIGEST_SIZE], found[TANDA_DIGEST_SIZE];
        tanda_train_result result;
        problem whole = problem_create(&layers), pieces = problem_create(&layers);
        backend *backend = open_best_openmp(1);
        MUST(tanda_train(backend, whole.model, &whole.dataset, &whole.dataset, &options, &result, error));
        tanda_device_close(backend);
        tanda_model_digest(whole.model, expected);
        const size_t interruptions = train_in_pieces(&pieces, options, with_opencl, found);
        cr_expect_gt(interruptions, 2, "optimizer %zu: only %zu interruptions", kind, interruptions);
        cr_expect_str_eq(found, expected, "optimizer %zu, after %zu interruptions", kind, interruptions);
        problem_free(&whole);
        problem_free(&pieces);
    }
}

/* What the command line names by flags, the library names by members of its options. */
Test(resume, option_that_differs_is_named) {
    problem problem = problem_create(&layers);
    backend *backend = open_best_openmp(1);
    tanda_train_result result;
    tanda_error failure = {0};
    tanda_train_options options = {.size = sizeof options,
                                   .epochs = 2,
                                   .batch_rows = 20,
                                   .learning_rate = 0.125,
                                   .checkpoint = "c.safetensors"};
    MUST(tanda_train(backend, problem.model, &problem.dataset, NULL, &options, &result, error));
    options.resume = "c.safetensors";
    options.learning_rate = 0.25;
    cr_expect_eq(tanda_train(backend, problem.model, &problem.dataset, NULL, &options, &result, &failure),
                 TANDA_USAGE);
    cr_expect_str_eq(failure.message, "c.safetensors: its learning_rate is 0.125, this training's is 0.25");
    options.learning_rate = 0.125;
    cr_expect_eq(
        tanda_train(backend, problem.model, &problem.dataset, &problem.dataset, &options, &result, &failure),
        TANDA_USAGE);
    cr_expect_str_eq(failure.message,
                     "c.safetensors: it was trained without a validation set, this training is with one");
    tanda_device_close(backend);
    problem_free(&problem);
}

/* ---- two at once --------------------------------------------------------------------------------------- */

typedef struct second {
    problem problem;
    backend *backend;
    tanda_train_options options;
    tanda_status status;
    tanda_error error;
} second;

static void train_again(const tanda_epoch *line, void *context) {
    second *second = context;
    tanda_train_options options = second->options;
    tanda_train_result result;
    (void)line;
    options.on_epoch = NULL;
    second->status = tanda_train(second->backend, second->problem.model, &second->problem.dataset, NULL,
                                 &options, &result, &second->error);
}

Test(resume, second_training_of_a_process_is_refused_its_place_as_well) {
    static const char *const places[] = {"c.safetensors", "kept"};
    for (size_t i = 0; i < 2; i++) {
        problem problem = problem_create(&layers);
        backend *backend = open_best_openmp(1);
        tanda_train_result result;
        char expected[128];
        second second = {.problem = problem_create(&layers), .backend = open_best_openmp(1)};
        second.options = (tanda_train_options){.size = sizeof(tanda_train_options),
                                               .epochs = 1,
                                               .batch_rows = 20,
                                               .learning_rate = 0.125,
                                               .checkpoint = places[i],
                                               .on_epoch = train_again,
                                               .context = &second};
        MUST(tanda_train(backend, problem.model, &problem.dataset, NULL, &second.options, &result, error));
        snprintf(
            expected, sizeof expected,
            "checkpoint %s: process %d saves its training there; wait for its end, or name another place",
            places[i], getpid());
        cr_expect_eq(second.status, TANDA_USAGE);
        cr_expect_str_eq(second.error.message, expected);
        tanda_device_close(backend);
        tanda_device_close(second.backend);
        problem_free(&problem);
        problem_free(&second.problem);
    }
}
