/*
 * A training for each optimizer, as a user would have it: the weights at its end are the recorded ones for any number of
 * threads, instruction set and device. Saturated, where gradients leave the range of binary32, too.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "support_checks.h"
#include "train/evaluator.h"

typedef struct training {
    const char *name;
    tanda_optimizer kind;
    tanda_optimizer_options more; /* added to the defaults */
    tanda_schedule schedule;
    double learning_rate; /* 0: the optimizer's */
    float scale;          /* of the first weights; 0: 1 */
    const char *recorded;
} training;

#define OPTIMIZER(name) TANDA_OPTIMIZER_##name
#define CONSTANT TANDA_SCHEDULE_CONSTANT

static const training trainings[] = {
    {"sgd with L1 and L2, one cycle",
     OPTIMIZER(SGD),
     {.l1 = 0.001, .l2 = 0.01},
     TANDA_SCHEDULE_ONE_CYCLE,
     0.0,
     0.0f,
     "ab9bb82948ccbb5aa90b5d9349e2542a0b0079a76f52c75787a841f67e461644"},
    {"sgd, clipped by norm, steps",
     OPTIMIZER(SGD),
     {.clip_norm = 0.1},
     TANDA_SCHEDULE_STEP,
     0.0,
     0.0f,
     "d6d97c6b58028a8a0d082d9a8b6146f374f1991668e64569fbc97351b4662a0f"},
    {"momentum, clipped by value",
     OPTIMIZER(MOMENTUM),
     {.clip_value = 0.01},
     CONSTANT,
     0.0,
     0.0f,
     "05d5e79f7dbddb3dce3e66554970ebcbe83dbeec81ee02aa02094a722c43a8d4"},
    {"nesterov, cosine",
     OPTIMIZER(NESTEROV),
     {.l2 = 0.01},
     TANDA_SCHEDULE_COSINE,
     0.0,
     0.0f,
     "37441a46efb029425c437d7bfe101bddf8308e9e23af5c267065bfda66573c0f"},
    {"adagrad",
     OPTIMIZER(ADAGRAD),
     {.l1 = 0.0},
     CONSTANT,
     0.05,
     0.0f,
     "bbf25ad38e78aaf606350c3acac6275e681db85dde5349faab4864e427b2c4af"},
    {"rmsprop, exponential",
     OPTIMIZER(RMSPROP),
     {.l1 = 0.0},
     TANDA_SCHEDULE_EXPONENTIAL,
     0.01,
     0.0f,
     "a9de7b41a0206fffcdca72033bc804f496132f88ad0e761ec2455ea48fc37075"},
    {"rmsprop, centered, with momentum",
     OPTIMIZER(RMSPROP),
     {.centered = true, .momentum = 0.5},
     CONSTANT,
     0.0,
     0.0f,
     "c96297644a2deeebb9c945c8a9b09b21c90e26726502260bd590e2b910c2334c"},
    {"adam",
     OPTIMIZER(ADAM),
     {.l1 = 0.0},
     CONSTANT,
     0.01,
     0.0f,
     "5d3f14fdcd50ad8cae3d8c78d0c97a0bed471676baffae1954690e7e6d76c2a6"},
    {"adam with AMSGrad, on plateaus",
     OPTIMIZER(ADAM),
     {.amsgrad = true},
     TANDA_SCHEDULE_PLATEAU,
     0.1,
     0.0f,
     "fc12bfe8a06a8eb693dc01ea8e81e18a384c2286a82d006e1b4ba4f93f757aa6"},
    {"adamw",
     OPTIMIZER(ADAMW),
     {.l1 = 0.001},
     CONSTANT,
     0.01,
     0.0f,
     "58f0d146b6b37ff2cf1a517ff42173a46a7388962c9d34bbaeb143f13e11359e"},
    {"adam, saturated",
     OPTIMIZER(ADAM),
     {.l1 = 0.0},
     CONSTANT,
     0.01,
     100.0f,
     "6ea8d50bcb89a124f0faccb4dec03129a544c05118ea32f9d0b2b608fe5ab459"},
    {"rmsprop, saturated",
     OPTIMIZER(RMSPROP),
     {.momentum = 0.9},
     CONSTANT,
     0.01,
     100.0f,
     "ae8ac74e92058a1308c9c879606a0bdce81a5eeca92ac5260ccfb2470079dd91"},
};
#define TRAININGS (sizeof trainings / sizeof *trainings)

static tanda_optimizer_options options_of(const training *training) {
    tanda_optimizer_options made = tanda_optimizer_defaults(training->kind);
    made.l1 = training->more.l1;
    made.l2 = training->more.l2;
    made.clip_value = training->more.clip_value;
    made.clip_norm = training->more.clip_norm;
    made.amsgrad = training->more.amsgrad;
    made.centered = training->more.centered;
    if (training->more.momentum > 0.0) made.momentum = training->more.momentum;
    return made;
}

/* Layers wide and narrow, batches of one full and one ragged tile, and a last batch that is smaller. */
static void digest_training(tanda_device *device, const training *training, char digest[TANDA_DIGEST_SIZE]) {
    static const network network = {700,
                                    11,
                                    3,
                                    {19, 6, 3},
                                    {ACTIVATION_TANH, ACTIVATION_SIGMOID, ACTIVATION_SOFTMAX},
                                    LOSS_CATEGORICAL_CROSSENTROPY,
                                    TANDA_TASK_CLASSES,
                                    CONTENT_REAL};
    problem problem = problem_create(&network);
    tanda_train_result result;
    const tanda_train_options options = {.size = sizeof options,
                                         .epochs = 6,
                                         .batch_rows = 300,
                                         .learning_rate = training->learning_rate > 0.0
                                                              ? training->learning_rate
                                                              : tanda_optimizer_learning_rate(training->kind),
                                         .optimizer = options_of(training),
                                         .schedule = tanda_schedule_defaults(training->schedule),
                                         .seed = 3};
    for (size_t i = 0; training->scale > 0.0f && i < problem.model->parameter_count; i++)
        problem.model->parameters[i] *= training->scale;
    MUST(tanda_train(device, problem.model, &problem.dataset, NULL, &options, &result, error));
    model_digest(problem.model, digest);
    problem_free(&problem);
}

static void check_recorded(tanda_device *device) {
    for (size_t i = 0; i < TRAININGS; i++) {
        char digest[TANDA_DIGEST_SIZE];
        digest_training(device, &trainings[i], digest);
        cr_expect_str_eq(digest, trainings[i].recorded, "%s on %s: \"%s\"", trainings[i].name,
                         backend_title(device), digest);
    }
    tanda_device_close(device);
}

Test(optimizers, end_in_the_recorded_weights_for_any_number_of_threads) {
    check_recorded(open_best_openmp(1));
    check_recorded(open_best_openmp(3));
}

Test(optimizers, end_in_the_recorded_weights_on_every_instruction_set) {
    for (size_t i = 0; i < ISA_COUNT; i++) {
        backend *backend = open_openmp(isa_names[i], 2);
        if (backend != NULL) check_recorded(backend);
    }
}

Test(optimizers, end_in_the_recorded_weights_on_pocl, .fini = forget_opencl) {
    backend *backend = open_named("pocl");
    if (backend != NULL) check_recorded(backend);
}

/* One lane a work-item, as on a GPU, and subnormal numbers are flushed. */
Test(optimizers, end_in_the_recorded_weights_on_rusticl, .fini = forget_opencl, .timeout = 300) {
    backend *backend = open_named("rusticl");
    if (backend != NULL) check_recorded(backend);
}
